"""How old a healthy entity may be at the top of a chain of BDIIs."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from infoprovider.config.model import Configuration, Instance, InstanceBlock
from infoprovider.glue.document import Source
from infoprovider.inventory.freshness import default_every, default_freshness
from infoprovider.inventory.model import Facet, Prices
from infoprovider.publication.chain import LEVELS, PAUSE, VALIDITY, Way, ways
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.settings import Settings
from tests.publication import demo

PAGE = (Path(__file__).parents[2] / "docs" / "freshness.md").read_text()


def with_instance(**block: object) -> tuple[Configuration, Instance]:
    """The demonstration centre with one measured instance of these settings."""
    instance = Instance(block=InstanceBlock(name="north", kind="x", **block), settings=Settings(), declared={})  # type: ignore[arg-type]
    return replace(demo.configuration(), instances=(instance,)), instance


def test_the_usual_pace_fits_everywhere() -> None:
    """Without a word on freshness, every entity is valid at the top."""
    found = list(ways(*with_instance(), frozenset(Facet)))
    assert {way.facet for way in found} == set(VALIDITY)
    assert all(way.age <= way.validity for way in found)


@pytest.mark.parametrize(
    ("facet", "age", "left"),
    [(Facet.USAGE, 150 + 300 + 60 + 360, 690), (Facet.IMAGES, 1800 + 300 + 60 + 360, 1440)],
)
def test_the_greatest_age_is_the_sum_of_all_waits(facet: Facet, age: float, left: float) -> None:
    """Refresh grid, pace, deadline and the pauses of three BDIIs."""
    (way,) = ways(*with_instance(every=300.0, deadline=60.0), {facet})
    assert (way.age, way.left) == (age, left)


def test_what_is_declared_or_never_told_defines_nothing() -> None:
    """Only what a manager is asked for can be late."""
    configuration, instance = with_instance()
    declared = replace(instance, declared={Facet.USAGE: Prices(prices=())})
    assert [way.facet for way in ways(configuration, declared, {Facet.USAGE, Facet.PRICES, Facet.QUOTAS})] == [
        Facet.QUOTAS
    ]


def test_the_table_is_what_the_mapping_does() -> None:
    """Each class's defining facet has the Validity that its entities are published with."""
    composition = compose(demo.configuration(), demo.facets(), Former(), demo.NOON)
    seen: dict[Facet, int] = {}
    for made in composition.document.made:
        source: Source = made.made_of[0]
        if source.facet in set(Facet) and not source.declared and made.entity.validity is not None:
            facet = Facet(source.facet)
            seen[facet] = min(made.entity.validity, seen.get(facet, made.entity.validity))
    assert seen.items() <= dict(VALIDITY).items()
    assert {Facet.USAGE, Facet.CAPACITY, Facet.MANAGER, Facet.INSTANCE_TYPES, Facet.HYPERVISORS, Facet.IMAGES} <= set(
        seen
    )


def test_a_way_says_what_is_left() -> None:
    """A deadline may use up what the pace leaves."""
    assert Way(Facet.USAGE, 90.0, 600.0).age == 1200


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the page's table below this heading, by facet; a row may be about several."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if "| `" in line[:3]]
    return {facet: rest for first, *rest in cells for facet in re.findall(r"`(\w+)`", first)}


@pytest.mark.parametrize("facet", Facet)
def test_the_page_says_what_is_usual(facet: Facet) -> None:
    """Paces and limits of every facet, and the Validity of what it defines."""
    usual = default_freshness(facet)
    every, fresh_for, publish_for, _, validity = rows("What is usual")[facet]
    figures = (default_every(facet), usual.fresh_for, usual.publish_for)
    assert [every, fresh_for, publish_for] == [f"{figure:g} s" for figure in figures]
    assert validity == (f"{VALIDITY[facet]} s" if facet in VALIDITY else "")


def test_the_page_adds_up_as_the_check_does() -> None:
    """The worked table is what stock settings give."""
    told = rows("Valid at the top")
    found = list(ways(*with_instance(), frozenset(Facet)))
    assert set(told) == {way.facet for way in found}
    for way in found:
        figures = (way.refresh, way.every, way.deadline, LEVELS * PAUSE, way.age, way.validity, way.left)
        assert told[way.facet] == [f"{figure:g} s" for figure in figures]
