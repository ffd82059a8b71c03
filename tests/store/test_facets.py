"""Facets of one run, in an order that does not depend on when they came."""

from infoprovider.inventory.model import Facet, Images
from infoprovider.inventory.observation import Observed
from infoprovider.store.facets import MemoryFacets
from tests.mapping.example import NOW, ago, usage
from tests.publication.demo import outcome


def used(project: str, seconds: float = 60, **amounts: int) -> Observed:
    """What a project was observed to use."""
    value = usage(project, **amounts)
    return Observed(facet=Facet.USAGE, part=project, value=value, observed_at=ago(seconds))


IMAGES = Observed(facet=Facet.IMAGES, value=Images(images=()), observed_at=NOW)


def test_an_observation_takes_the_place_of_the_former_one_of_its_part() -> None:
    """Other parts and other instances stay."""
    facets = MemoryFacets()
    for one in (used("p1", running=1), used("p2"), used("p1", running=2)):
        facets.keep("north", one)
    facets.keep("south", used("p1"))
    assert facets.observations("north") == [used("p1", running=2), used("p2")]
    assert facets.observations("south") == [used("p1")]
    assert facets.observations("nowhere") == []


def test_observations_are_in_the_order_of_facet_and_part() -> None:
    """However they came."""
    facets = MemoryFacets()
    for one in (used("p2"), IMAGES, used("p1")):
        facets.keep("north", one)
    assert facets.observations("north") == [IMAGES, used("p1"), used("p2")]


def test_parts_that_are_gone_are_forgotten() -> None:
    """A project that was removed takes its usage along; other facets stay."""
    facets = MemoryFacets()
    for one in (used("p1"), used("p2"), IMAGES):
        facets.keep("north", one)
    facets.retain("north", Facet.USAGE, frozenset({"p2"}))
    assert facets.observations("north") == [IMAGES, used("p2")]


def test_an_outcome_is_kept_by_instance() -> None:
    """None before the first."""
    facets = MemoryFacets()
    assert facets.outcome("north") is None
    facets.conclude("north", outcome(measured=True))
    assert facets.outcome("north") == outcome(measured=True)
    assert facets.outcome("south") is None
