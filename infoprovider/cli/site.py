"""What the commands share: the configuration with the plug-ins that it names, and the report on a collection."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from infoprovider import plugins
from infoprovider.collection.cycle import collect_instance
from infoprovider.config.load import load
from infoprovider.config.model import Configuration
from infoprovider.errors import ExitCode
from infoprovider.glue.document import Document
from infoprovider.inventory.observation import Outcome
from infoprovider.providers.contract import AnyProviderSpec, ProviderSpec
from infoprovider.publishers.contract import AnyPublisherSpec, PublisherSpec
from infoprovider.store.facets import MemoryFacets

ConfigurationPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", envvar="INFOPROVIDER_CONFIG", help="The configuration file (YAML).")
]


def now() -> datetime:
    """The wall clock, in UTC and whole seconds as GLUE writes it."""
    return datetime.now(UTC).replace(microsecond=0)


def provider(kind: str) -> AnyProviderSpec:
    """The provider of a kind. Raises PluginError."""
    return plugins.load(plugins.PROVIDERS, kind, ProviderSpec)


def publisher(kind: str) -> AnyPublisherSpec:
    """The publisher of a kind. Raises PluginError."""
    return plugins.load(plugins.PUBLISHERS, kind, PublisherSpec)


def read_configuration(path: Path) -> Configuration:
    """The operator's configuration. Raises ConfigError with every mistake in it."""
    return load(path, lambda kind: provider(kind).settings, lambda kind: publisher(kind).settings, now)


def collect_all(configuration: Configuration) -> tuple[MemoryFacets, dict[str, Outcome]]:
    """Ask every instance for everything; what came back, and how it went by instance."""
    facets = MemoryFacets()
    outcomes = {
        instance.name: collect_instance(instance, provider(instance.block.kind), facets, now)
        for instance in configuration.instances
    }
    return facets, outcomes


def report_problems(outcomes: dict[str, Outcome], document: Document) -> ExitCode:
    """Say on standard error what was not collected and what is withheld; the exit code that goes with it."""
    for instance, outcome in outcomes.items():
        for reason in dict.fromkeys(problem.reason for problem in outcome.failed):
            facets = ", ".join(problem.facet for problem in outcome.failed if problem.reason == reason)
            _warn(f"instance {instance}, {facets}: {reason}")
    for withheld in document.withheld:
        _warn(f"withheld {withheld.entity} {withheld.id}: {withheld.why}")
    failed = any(outcome.failed for outcome in outcomes.values())
    if failed and not any(outcome.answered for outcome in outcomes.values()):
        return ExitCode.COLLECT
    return ExitCode.PARTLY if failed or document.withheld else ExitCode.SUCCESS


def _warn(message: str) -> None:
    print(f"infoprovider: {message}", file=sys.stderr)
