"""`infoprovider check`: whether a configuration can work, before anything is asked or published."""

import dataclasses
import json
from collections import Counter
from typing import Annotated, Any

import typer

from infoprovider.cli import site
from infoprovider.cli.checks import Report, examine
from infoprovider.config.load import Loaded, load_with_places
from infoprovider.config.model import Configuration
from infoprovider.errors import ConfigError, ExitCode, Finding


def check(
    config: site.ConfigurationPath,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say every mistake of the configuration, and of the files that it names. Asks no VM manager, publishes nothing."""
    loaded: Loaded | None = None
    try:
        loaded = load_with_places(
            config, lambda kind: site.provider(kind).settings, lambda kind: site.publisher(kind).settings, site.now
        )
        report = examine(loaded)
    except ConfigError as error:
        report = Report(findings=list(error.findings))
    report.findings.sort(key=_place)
    if as_json:
        print(json.dumps(_plain(report, loaded), indent=2))
        raise typer.Exit(ExitCode.CONFIG if report.findings else ExitCode.SUCCESS)
    for note in sorted(report.notes, key=_place):
        print(f"note: {note}")
    if loaded is None or report.findings:
        raise ConfigError(report.findings)
    print(f"{config}: no mistake found; {', '.join(_counted(loaded.configuration))}")


def _place(finding: Finding) -> tuple[str, int, int, str]:
    return finding.file, finding.line or 0, finding.column or 0, finding.path


def _counted(configuration: Configuration) -> list[str]:
    """How many things of each sort there are, the instances by kind."""
    kinds = Counter(instance.block.kind for instance in configuration.instances)
    return [
        *(_number(count, f"{kind} instance", f"{kind} instances") for kind, count in sorted(kinds.items())),
        _number(len(configuration.communities), "community", "communities"),
        _number(len(configuration.channels), "channel", "channels"),
    ]


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _plain(report: Report, loaded: Loaded | None) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "ok": not report.findings,
        "findings": [dataclasses.asdict(one) for one in report.findings],
        "notes": [dataclasses.asdict(one) for one in sorted(report.notes, key=_place)],
    }
    if loaded is not None:
        configuration = loaded.configuration
        plain["instances"] = {one.name: one.block.kind for one in configuration.instances}
        plain["communities"] = [one.name for one in configuration.communities]
        plain["channels"] = {one.name: one.block.kind for one in configuration.channels}
    return plain
