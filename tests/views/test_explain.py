"""Where a published value came from: each with its fact, its sources, and their age."""

import io
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from infoprovider.glue.document import Source
from infoprovider.glue.entities import ComputingShare, Entity
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.views.explain import Explained, explain, print_explained
from tests.publication.demo import LOADED, NOON, OBSERVED, configuration, facets

CLIMATE = "urn:glue2:ComputingShare:rc-demo:demo-north:5f1c7c1e9d0a4a7f8a7d3c1b2e604002"
DOCUMENT = compose(configuration(), facets(), Former(), NOON).document


def expires_at(source: Source) -> datetime | None:
    """Capacity expires six hours after its observation, the rest not by itself."""
    return source.observed_at + timedelta(hours=6) if source.facet == "capacity" else None


def of(entity: Entity) -> list[Explained]:
    """All that is said of an entity."""
    return list(explain(entity, DOCUMENT.made_of(entity.id), expires_at))


def value(attribute: str) -> Explained:
    """What one attribute of the climate share says."""
    (found,) = [one for one in of(DOCUMENT.by_id[CLIMATE].entity) if one.attribute == attribute]
    return found


def test_every_published_value_has_its_origin() -> None:
    """Not one value of the demonstration centre is without a fact and at least one source."""
    for entity in DOCUMENT.entities:
        for one in of(entity):
            assert one.fact
            assert one.origins, (entity.id, one)


def test_a_computed_value_names_all_that_it_was_computed_from() -> None:
    """Quotas and usage of its own project, the capacity with its expiry, and what else could have bound it."""
    origins = value("OtherInfo FreeInstances.c1.huge").origins
    assert {(one.facet, one.part) for one in origins} == {
        ("quotas", CLIMATE.rpartition(":")[2]),
        ("usage", CLIMATE.rpartition(":")[2]),
        ("capacity", ""),
        ("instance_types", ""),
        ("hypervisors", ""),
        ("networks", ""),
    }
    assert {one.observed_at for one in origins} == {OBSERVED}
    assert {one.facet: one.expires_at for one in origins}["capacity"] == OBSERVED + timedelta(hours=6)


def test_a_stamp_comes_from_the_defining_source() -> None:
    """And the operator's words from the configuration."""
    (origin,) = value("CreationTime").origins
    assert (origin.facet in ("quotas", "usage"), origin.observed_at) == (True, OBSERVED)
    (origin,) = value("Name").origins
    assert (origin.facet, origin.declared, origin.observed_at) == ("configuration", True, LOADED)


def test_a_unit_is_that_of_the_published_value() -> None:
    """From the table of places or from GLUE."""
    assert (value("MaxMainMemory").unit, value("OtherInfo QuotaCPU").unit) == ("MB", "vCPU")


def test_a_value_that_the_table_does_not_know_is_a_fault() -> None:
    """Nothing is published that is not in it."""
    with pytest.raises(KeyError):
        list(explain(ComputingShare(id="a", other_info=("Colour=blue",)), (), expires_at))


def test_the_table_says_where_each_value_came_from() -> None:
    """Facet, instance, project, call and age in words."""
    console = Console(file=io.StringIO(), width=300, markup=False)
    print_explained(console, DOCUMENT.by_id[CLIMATE].entity, [value("FreeSlots"), value("Name")], NOON)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "capacity of demo-north by read " in text
    assert f"observed 1 min ago, withheld after {OBSERVED + timedelta(hours=6):%Y-%m-%d %H:%M:%SZ}" in text
    assert "the configuration, read 1 h ago" in text
