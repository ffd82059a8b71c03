"""`infoprovider collect`: ask the VM managers and keep what they say; nothing is published."""

import logging
import sys
from typing import Annotated

import typer

from infoprovider.cli import site
from infoprovider.config.model import Configuration, Instance
from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, ExitCode, Finding
from infoprovider.inventory.observation import Outcome
from infoprovider.providers.contract import CollectContext, Failed
from infoprovider.providers.lines import to_line
from infoprovider.store.snapshots import SnapshotStore
from infoprovider.views.tables import new_console, new_table


def collect(
    config: site.ConfigurationPath,
    instances: Annotated[
        list[str] | None, typer.Argument(metavar="[INSTANCE]...", help="Which instances; all of them if none.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Ask for every facet, not only for those due.")] = False,
    lines: Annotated[bool, typer.Option("--lines", help="Print the answers of one instance, keep nothing.")] = False,
) -> None:
    """Ask the VM managers for the facets that are due, and keep what they say."""
    configuration = site.read_configuration(config)
    chosen = _chosen(configuration, instances or [], str(config))
    if lines:
        raise typer.Exit(_print_lines(chosen))
    store = SnapshotStore(configuration.state, site.clock)
    with store.writing():
        outcomes = site.collect(configuration, store, [one.name for one in chosen], everything=everything)
    _print_outcomes({one.name: outcomes[one.name] for one in chosen if one.name in outcomes})
    raise typer.Exit(site.report_problems(outcomes))


def _chosen(configuration: Configuration, names: list[str], file: str) -> tuple[Instance, ...]:
    known = {instance.name: instance for instance in configuration.instances}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(
            [
                Finding(file=file, what=f"there is no instance {name}", remedy=f"name one of {', '.join(known)}")
                for name in unknown
            ]
        )
    return tuple(known[name] for name in names) or configuration.instances


def _print_lines(chosen: tuple[Instance, ...]) -> ExitCode:
    """Print every answer as a line, as it comes, as a collection's process does."""
    failed = False
    for instance in chosen:
        spec = site.provider(instance.block.kind)
        context = CollectContext(
            instance=instance.name,
            wanted=spec.facets - frozenset(instance.declared),
            deadline=Deadline.after(instance.block.deadline),
            now=site.now,
            log=logging.LoggerAdapter(logging.getLogger(__name__), {"instance": instance.name}),
        )
        for answer in site.run(spec, instance.settings, context):
            failed = failed or isinstance(answer, Failed)
            sys.stdout.buffer.write(to_line(answer))
            sys.stdout.buffer.flush()
    return ExitCode.COLLECT if failed else ExitCode.SUCCESS


def _print_outcomes(outcomes: dict[str, Outcome]) -> None:
    table = new_table("Last attempts")
    for heading in ("instance", "facet", "parts", "failed", "not offered"):
        table.add_column(heading, justify="left" if heading in ("instance", "facet") else "right")
    for name, outcome in outcomes.items():
        for attempt in outcome.attempts:
            table.add_row(
                name, attempt.facet, str(attempt.answered), str(len(attempt.failed)), str(len(attempt.not_offered))
            )
    new_console().print(table)
