"""What the commands share: the configuration with the plug-ins that it names, and the report on a collection."""

import sys
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import typer
from pydantic import BaseModel

from infoprovider import plugins
from infoprovider.clock import Clock
from infoprovider.collection.cycle import Keeper, collect_all, due_facets
from infoprovider.collection.supervisor import supervise
from infoprovider.config.load import load
from infoprovider.config.model import Configuration, Instance
from infoprovider.errors import ExitCode
from infoprovider.glue.document import Quarantined, Withheld
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Outcome, Problem
from infoprovider.providers.contract import Answer, AnyProviderSpec, CollectContext, ProviderSpec
from infoprovider.publishers.contract import AnyChannelSpec, ChannelSpec
from infoprovider.views.tables import printable

ConfigurationPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", envvar="INFOPROVIDER_CONFIG", help="The configuration file (YAML).")
]


NAMED = 3
"""How many of those that are left out for the same reason are named."""

clock = Clock()


def now() -> datetime:
    """The wall clock, in UTC and whole seconds as GLUE writes it."""
    return clock.read().wall


def provider(kind: str) -> AnyProviderSpec:
    """The provider of a kind. Raises PluginError."""
    return plugins.load(plugins.PROVIDERS, kind, ProviderSpec)


def publisher(kind: str) -> AnyChannelSpec:
    """The publisher of a kind. Raises PluginError."""
    return cast(AnyChannelSpec, plugins.load(plugins.PUBLISHERS, kind, ChannelSpec))


def read_configuration(path: Path) -> Configuration:
    """The operator's configuration. Raises ConfigError with every mistake in it."""
    return load(path, lambda kind: provider(kind).settings, lambda kind: publisher(kind).settings, now)


def run(spec: AnyProviderSpec, settings: BaseModel, context: CollectContext, /) -> Iterator[Answer]:
    """Ask a VM manager in a process of its own, which cannot hang and takes nothing else along."""
    return supervise(spec.kind, settings, context)


def collect(
    configuration: Configuration, keeper: Keeper, names: Collection[str] = (), *, everything: bool = False
) -> dict[str, Outcome]:
    """Collect what is due, or everything, from all instances or those that are named; how it went by instance."""

    def wanted(instance: Instance, spec: AnyProviderSpec, outcome: Outcome | None) -> frozenset[Facet]:
        if names and instance.name not in names:
            return frozenset()
        return due_facets(configuration, instance, spec, None if everything else outcome, clock.read())

    return collect_all(configuration, provider, wanted, keeper, run, clock)


def report_problems(
    outcomes: dict[str, Outcome], withheld: Sequence[Withheld] = (), quarantined: Sequence[Quarantined] = ()
) -> ExitCode:
    """Say on standard error what was not collected and what is left out; the exit code that goes with it."""
    for instance, outcome in outcomes.items():
        reasons = dict.fromkeys(problem.reason for problem in outcome.failed)
        for reason in reasons:
            facets = ", ".join(dict.fromkeys(_named(one) for one in outcome.failed if one.reason == reason))
            is_all = len(reasons) == 1 and not outcome.answered
            warn(f"instance {instance}: {reason}" if is_all else f"instance {instance}, {facets}: {reason}")
    for (entity, why), ids in _alike(withheld):
        warn(f"withheld {entity} {ids}: {why}")
    for bad in quarantined:
        where = f" in the tree {bad.tree}" if bad.tree else ""
        warn(f"left out{where} {bad.entity} {bad.id}: {bad.why}")
    failed = any(outcome.failed for outcome in outcomes.values())
    if gave_nothing(outcomes):
        return ExitCode.COLLECT
    return ExitCode.PARTLY if failed or withheld or quarantined else ExitCode.SUCCESS


def _alike(withheld: Sequence[Withheld]) -> Iterator[tuple[tuple[str, str], str]]:
    """What is withheld, told once for all of a class that are for the same reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in withheld:
        groups.setdefault((one.entity, one.why), []).append(one.id)
    for group, ids in groups.items():
        further = len(ids) - NAMED
        yield group, ", ".join(ids[:NAMED]) + (f" and {further} more" if further > 0 else "")


def gave_nothing(outcomes: dict[str, Outcome]) -> bool:
    """Whether the VM managers failed, all of them and in everything."""
    failed = any(outcome.failed for outcome in outcomes.values())
    return failed and not any(outcome.answered for outcome in outcomes.values())


def _named(problem: Problem) -> str:
    return f"{problem.facet} of {problem.part}" if problem.part else str(problem.facet)


def warn(message: str) -> None:
    """Say on standard error what the operator has to know, in one line however long."""
    print(printable(f"infoprovider: {message}"), file=sys.stderr)
