"""The configuration of a single VM manager that is named on the command line: for a trial, without a file."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from infoprovider.cli import site
from infoprovider.config.model import (
    Centre,
    Community,
    Configuration,
    Defaults,
    Instance,
    InstanceBlock,
    ProjectMapping,
    Publication,
)
from infoprovider.errors import ConfigError, Finding
from infoprovider.inventory.model import Quotas, Usage
from infoprovider.store.facets import Facets

CENTRE = "TRIAL"
PATIENCE = 300.0
"""Seconds that a manager has for everything: nobody waits for a trial but the operator."""


def configuration_of(kind: str, settings: Mapping[str, Any], defaults: Defaults) -> Configuration:
    """A centre of one instance, named like its kind, without communities and channels; nothing is kept of it.

    Raises PluginError where the kind cannot be used, ConfigError where its settings are wrong.
    """
    block = InstanceBlock(name=kind, kind=kind, deadline=PATIENCE, defaults=defaults)
    return Configuration(
        centre=Centre(name=CENTRE),
        communities=(),
        instances=(Instance(block=block, settings=_checked(kind, settings), declared={}),),
        channels=(),
        freshness={},
        publication=Publication(),
        state=Path(),
        public=Path(),
        loaded_at=site.now(),
    )


def _checked(kind: str, settings: Mapping[str, Any]) -> Any:
    spec = site.provider(kind)
    try:
        checked = TypeAdapter(spec.settings).validate_python(dict(settings), strict=False)
    except ValidationError as error:
        remedy = f"name it with an option, or write a configuration file (docs/providers/{kind}.md)"
        findings = [
            Finding(
                file="command line",
                path=".".join((kind, *map(str, fault["loc"]))),
                what=fault["msg"].removeprefix("Value error, "),
                remedy=remedy,
            )
            for fault in error.errors(include_url=False)
        ]
        raise ConfigError(findings) from error
    mistakes = list(spec.check(checked)) if spec.check is not None else []
    if mistakes:
        raise ConfigError(mistakes)
    return checked


def with_communities(configuration: Configuration, facets: Facets) -> Configuration:
    """The same centre with one community for each project that was seen, named like the project."""
    instance = configuration.instances[0].name
    names: dict[str, str] = {}
    for observed in facets.observations(instance):
        if isinstance(observed.value, Quotas | Usage):
            name = observed.value.project_name if isinstance(observed.value, Quotas) else None
            project = observed.value.project
            names[project] = name or names.get(project) or project
    communities = []
    taken: set[str] = set()
    for project, name in sorted(names.items()):
        community = _registered(name)
        if community.lower() in taken:
            community = _registered(f"{name}-{project}")
        taken.add(community.lower())
        communities.append(Community(name=community, projects=(ProjectMapping(instance=instance, project=project),)))
    return replace(configuration, communities=tuple(communities))


def _registered(name: str) -> str:
    """A project's name as one that a community may have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("._-")[:100] or "project"
