"""`infoprovider check`: whether a configuration can work, before anything is asked or published, or all around it."""

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from infoprovider.cli import site
from infoprovider.cli.checks import Report, examine
from infoprovider.cli.doctor.diagnosis import exit_code
from infoprovider.cli.doctor.examination import examined
from infoprovider.cli.doctor.shown import plain, print_diagnosis
from infoprovider.config.load import Loaded, load_with_places
from infoprovider.config.model import Configuration
from infoprovider.errors import ConfigError, ExitCode, Finding
from infoprovider.views.tables import new_console


def check(
    config: site.ConfigurationPath,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Look at everything around it too: managers, network, state, BDII.")
    ] = False,
    root: Annotated[Path, typer.Option(hidden=True, help="The machine that is looked at.")] = Path("/"),
) -> None:
    """Say every mistake of the configuration, and of the files that it names.

    Asks no VM manager and publishes nothing. With --deep the managers are asked and so is the BDII of this machine, and
    the causes of all that is wrong are told first; nothing is published or kept.
    """
    if deep:
        raise typer.Exit(_examine(config, root, as_json=as_json))
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


def _examine(config: Path, root: Path, *, as_json: bool) -> ExitCode:
    """Let the doctor look; the exit code is that of the first cause."""
    diagnosis = examined(config, root)
    if as_json:
        print(json.dumps(plain(diagnosis), indent=2))
    else:
        print_diagnosis(new_console(), diagnosis, notes=True)
        if not diagnosis.causes:
            print(f"{config}: nothing is the matter")
    return exit_code(diagnosis.causes)


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
