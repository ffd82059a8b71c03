"""Two hours of an idle centre, simulated: how much changes, how old what we hand out gets, and what a top BDII sees."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from benchmarks.synthetic import NOW, centre
from infoprovider.clock import Reading
from infoprovider.config.model import Configuration
from infoprovider.glue.entities import ApplicationEnvironment, Entity, ExecutionEnvironment
from infoprovider.inventory.freshness import default_every
from infoprovider.inventory.model import (
    Endorsement,
    Endorsements,
    Facet,
    Images,
    InstanceTypes,
    Price,
    Prices,
)
from infoprovider.inventory.observation import Attempt, Observed, Outcome
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.store.facets import MemoryFacets

HOURS = 2
STEP = 30
"""Seconds between compositions; a channel is served at most as often."""
BDII = 120
"""Seconds between the cycles of a stock BDII, of any level."""
TAKES = 20
"""Seconds that a collection takes before its answers are kept."""


def with_hourly_facts(facets: MemoryFacets, configuration: Configuration) -> MemoryFacets:
    """The same facets with a price for each instance type and an endorsement of each image: what is told each hour."""
    for instance in configuration.instances:
        told = {one.facet: one.value for one in facets.observations(instance.name)}
        types, images = told[Facet.INSTANCE_TYPES], told[Facet.IMAGES]
        assert isinstance(types, InstanceTypes)
        assert isinstance(images, Images)
        ids = [one.id for one in types.instance_types]
        prices = (Price(resource="flavour", instance_type=id_, fix_fee=1.0, currency="EUR") for id_ in ids)
        said = (Endorsement(identifier=one.id, endorser="CN=A") for one in images.images)
        for facet, value in (
            (Facet.PRICES, Prices(prices=tuple(prices))),
            (Facet.ENDORSEMENTS, Endorsements(endorsements=tuple(said))),
        ):
            facets.keep(instance.name, Observed(facet=facet, value=value, observed_at=NOW))
    return facets


def restamped(facets: MemoryFacets, configuration: Configuration, moment: datetime) -> MemoryFacets:
    """The same facts as they would be known at a moment: each facet observed at its own pace, and kept a bit later."""
    known = MemoryFacets()
    for number, instance in enumerate(configuration.instances):
        attempts = {}
        for observed in facets.observations(instance.name):
            every = default_every(observed.facet)
            # Instances do not start together.
            since = (moment - NOW).total_seconds() - TAKES - 17 * number
            at = NOW + timedelta(seconds=17 * number + since // every * every)
            known.keep(instance.name, replace(observed, observed_at=at))
            attempts[observed.facet] = Attempt(facet=observed.facet, at=Reading(at, 0.0, ""), answered=1)
        known.conclude(instance.name, Outcome(measured=True, attempts=tuple(attempts.values())))
    return known


@dataclass(frozen=True)
class Handed:
    """What is handed out at one moment, by ID."""

    at: datetime
    entities: dict[str, Entity]


def handed_out() -> Iterator[Handed]:
    """Every composition of two hours, each following the stamps of the one before."""
    configuration, facets = centre(300)
    facets = with_hourly_facts(facets, configuration)
    former = Former()
    for second in range(0, HOURS * 3600, STEP):
        moment = NOW + timedelta(seconds=second)
        # The centre's configuration was read an hour before.
        configuration = replace(configuration, loaded_at=NOW - timedelta(hours=1))
        composition = compose(configuration, restamped(facets, configuration, moment), former, moment)
        former = Former(composition.stamps, moment)
        yield Handed(moment, {entity.id: entity for entity in composition.document.entities})


@pytest.fixture(scope="module")
def two_hours() -> list[Handed]:
    """Two hours of compositions."""
    return list(handed_out())


def test_at_most_a_quarter_of_an_idle_centre_changes_in_a_cycle(two_hours: list[Handed]) -> None:
    """Between two reads of a stock BDII, no more than 25 % of about 300 entries differ."""
    reads = two_hours[:: BDII // STEP]
    assert 250 < len(reads[0].entities) < 350
    for former, newer in pairwise(reads):
        changed = [id_ for id_, entity in newer.entities.items() if former.entities[id_] != entity]
        assert len(changed) <= 0.25 * len(newer.entities)


@pytest.mark.parametrize("cls", [ExecutionEnvironment, ApplicationEnvironment])
def test_facts_that_are_told_each_hour_change_no_class_at_once(two_hours: list[Handed], cls: type[Entity]) -> None:
    """Prices and endorsements say when they were observed; that moment moves by each entity's own grid."""
    reads = two_hours[:: BDII // STEP]
    for former, newer in pairwise(reads):
        ids = [id_ for id_, entity in newer.entities.items() if type(entity) is cls]
        assert len(ids) > 20
        assert sum(former.entities[id_] != newer.entities[id_] for id_ in ids) <= 0.25 * len(ids)


def test_nothing_dynamic_that_we_hand_out_is_older_than_five_minutes(two_hours: list[Handed]) -> None:
    """Services, endpoints, managers and shares are stamped within the last 300 s, and nothing in the future."""
    for handed in two_hours:
        for entity in handed.entities.values():
            assert entity.creation_time is not None
            assert entity.creation_time <= handed.at
            if entity.validity == 1200:
                assert handed.at - entity.creation_time <= timedelta(seconds=300), entity.id


@pytest.mark.parametrize("phases", [(0, 0, 0), (90, 60, 30), (30, 60, 90), (0, 90, 60)])
def test_nothing_healthy_is_past_its_validity_at_the_top(two_hours: list[Handed], phases: tuple[int, int, int]) -> None:
    """Resource, site and top BDII with stock pauses, whatever their phases: what the top serves is always valid."""
    by_second = {int((handed.at - NOW).total_seconds()): handed for handed in two_hours}

    def served(level: int, second: int) -> Handed | None:
        """What a level serves: what the level below served when this one last read."""
        read = (second - phases[level]) // BDII * BDII + phases[level]
        if read < 0:
            return None
        return by_second[read // STEP * STEP] if level == 0 else served(level - 1, read)

    checked = 0
    for second in range(3 * BDII, HOURS * 3600, STEP):
        top = served(2, second)
        assert top is not None
        now = NOW + timedelta(seconds=second)
        for entity in top.entities.values():
            assert entity.creation_time is not None
            assert entity.validity is not None
            assert now - entity.creation_time <= timedelta(seconds=entity.validity), entity.id
            checked += 1
    assert checked > 50_000
