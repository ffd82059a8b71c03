"""Clocks that jump and machines that reboot withdraw nothing and put nothing into the future."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.synthetic import ASKED, NOW, centre
from infoprovider.clock import Reading
from infoprovider.config.model import Configuration
from infoprovider.inventory.observation import Outcome
from infoprovider.publication.compose import Composition, compose
from infoprovider.publication.stamps import Former
from infoprovider.store.snapshots import SnapshotStore

HOUR = 3600


class MovableClock:
    """The two clocks of a machine, moved by hand."""

    def __init__(self) -> None:
        self.reading = Reading(NOW, 5000.0, "boot-a")

    def read(self) -> Reading:
        """The present moment."""
        return self.reading


@pytest.fixture
def clock() -> MovableClock:
    """A clock at noon."""
    return MovableClock()


@pytest.fixture
def kept(tmp_path: Path, clock: MovableClock) -> tuple[Configuration, SnapshotStore]:
    """A centre of about 100 entities, collected at noon into a store on disk."""
    configuration, facets = centre(100)
    store = SnapshotStore(tmp_path, clock)
    for instance in configuration.instances:
        for observed in facets.observations(instance.name):
            store.keep(instance.name, observed)
        store.conclude(instance.name, Outcome(measured=True, attempts=(replace(ASKED, at=clock.reading),)))
    return configuration, store


def composed(kept: tuple[Configuration, SnapshotStore], clock: MovableClock, former: Former) -> Composition:
    """The document at the present moment, of a configuration that was read just now."""
    configuration, store = kept
    now = clock.reading.wall
    return compose(replace(configuration, loaded_at=now), store, former, now)


@pytest.mark.parametrize("boot", ["boot-a", "boot-b"])
@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_jump_of_an_hour_withdraws_nothing(
    kept: tuple[Configuration, SnapshotStore], clock: MovableClock, jump: int, boot: str
) -> None:
    """One minute later with the wall clock an hour off, in the same boot or after another: all entities are there."""
    before = composed(kept, clock, Former())
    clock.reading = Reading(NOW + timedelta(seconds=60 + jump), 5060.0 if boot == "boot-a" else 7.0, boot)
    after = composed(kept, clock, Former(before.stamps, before.composed_at))
    assert {entity.id for entity in after.document.entities} == {entity.id for entity in before.document.entities}
    assert after.document.withheld == ()
    assert after.expires_at > clock.reading.wall
    for entity in after.document.entities:
        assert entity.creation_time is not None
        assert entity.creation_time <= clock.reading.wall, entity.id


@pytest.mark.parametrize("jump", [-HOUR, 0, HOUR])
def test_a_facet_is_withheld_when_it_is_old_enough_by_the_boot_clock(
    kept: tuple[Configuration, SnapshotStore], clock: MovableClock, jump: int
) -> None:
    """Six hours after the last answer quotas and usage go, and with them the shares; never earlier for a jump."""
    for seconds, shares in ((6 * HOUR - 180, True), (6 * HOUR + 180, False)):
        clock.reading = Reading(NOW + timedelta(seconds=seconds + jump), 5000.0 + seconds, "boot-a")
        document = composed(kept, clock, Former()).document
        assert any(type(entity).__name__ == "ComputingShare" for entity in document.entities) is shares
        assert any(type(entity).__name__ == "ApplicationEnvironment" for entity in document.entities)
