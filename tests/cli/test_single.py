"""A single VM manager named on the command line: its configuration, and a community for each project."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infoprovider.cli.single import configuration_of, with_communities
from infoprovider.config.model import Defaults
from infoprovider.errors import ConfigError, PluginError
from infoprovider.inventory.model import Facet, Quotas, Usage
from infoprovider.inventory.observation import Observed
from infoprovider.store.facets import MemoryFacets

EXAMPLES = Path(__file__).parents[2] / "examples"
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def facets(*names: tuple[str, str | None]) -> MemoryFacets:
    """Projects by id and name, with quotas; the last one with usage alone."""
    known = MemoryFacets()
    for project, name in names:
        quotas = Quotas(project=project, project_name=name)
        known.keep("static", Observed(facet=Facet.QUOTAS, part=project, value=quotas, observed_at=NOON))
    known.keep("static", Observed(facet=Facet.USAGE, part="last", value=Usage(project="last"), observed_at=NOON))
    return known


def test_settings_that_are_missing_are_named() -> None:
    """The message names the setting and where to read on."""
    with pytest.raises(ConfigError) as caught:
        configuration_of("static", {}, Defaults(os_family="linux"))
    assert str(caught.value) == (
        "command line: static.file: Field required; name it with an option, or write a configuration file "
        "(docs/providers/static.md)"
    )


def test_a_kind_that_is_not_there_is_refused() -> None:
    """With the nearest one, as everywhere."""
    with pytest.raises(PluginError, match="there is no provider of kind statik; write static"):
        configuration_of("statik", {}, Defaults(os_family="linux"))


def test_a_file_that_is_not_there_is_found_before_anybody_is_asked() -> None:
    """By what the kind itself says of its settings."""
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        configuration_of("static", {"file": "nowhere.yaml"}, Defaults(os_family="linux"))


def test_every_project_stands_for_a_community_of_its_name() -> None:
    """Names become ones that a community may have; equal ones are told apart by the project's id."""
    configuration = configuration_of(
        "static", {"file": str(EXAMPLES / "demo" / "north.yaml")}, Defaults(os_family="linux")
    )
    found = with_communities(
        configuration, facets(("p1", "Physics & more"), ("p2", None), ("p3", "physics-more"))
    ).communities
    assert [(one.name, one.projects[0].project) for one in found] == [
        ("last", "last"),
        ("Physics-more", "p1"),
        ("p2", "p2"),
        ("physics-more-p3", "p3"),
    ]
    assert {one.projects[0].instance for one in found} == {"static"}


def test_a_project_on_several_hosts_stands_for_one_community() -> None:
    """Of the project's name, not of a part's."""
    known = facets()
    for host in ("node1", "node2"):
        usage = Usage(project="p1", running=1)
        known.keep("static", Observed(facet=Facet.USAGE, part=f"p1 on {host}", value=usage, observed_at=NOON))
    configuration = configuration_of("static", {"file": str(EXAMPLES / "demo" / "north.yaml")}, Defaults())
    found = with_communities(configuration, known).communities
    assert [(one.name, one.projects[0].project) for one in found] == [("last", "last"), ("p1", "p1")]


def test_the_operator_may_say_what_the_manager_does_not() -> None:
    """What stands for a platform that nobody tells is part of the trial's configuration."""
    configuration = configuration_of(
        "static", {"file": str(EXAMPLES / "demo" / "north.yaml")}, Defaults(platform="arm64")
    )
    assert configuration.instances[0].block.defaults == Defaults(platform="arm64")
