"""Clocks that jump under a running daemon."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.reliability.centre import Centre
from tests.reliability.conftest import Scene, all_well, playing
from tests.waiting import until

DAY = 86400


@pytest.fixture
def moved(centre: Centre) -> Iterator[Scene]:
    """A daemon whose clocks a test moves."""
    yield from playing(centre, **centre.moved)


def test_a_wall_clock_that_jumps_makes_nothing_look_old_or_new(moved: Scene) -> None:
    """A day forth, two days back: all stays and is well, and no stamp lies in the future."""
    for number, days in enumerate((1, -1), start=2):
        moved.centre.moves_clocks(wall=days * DAY)
        moved.change(str(number))
        until(lambda number=number: moved.is_of(str(number)), "what is new is published")
        until(lambda: all_well(moved.reader.now(), moved.centre), "and nobody is called ill for it")
        now = datetime.now(UTC) + timedelta(days=days)
        stamps = {
            datetime.fromisoformat(one["GLUE2EntityCreationTime"][0])
            for one in moved.reader.now().values()
            if "GLUE2ManagerProductVersion" in one
        }
        assert {stamp for stamp in stamps if not now - timedelta(minutes=10) < stamp <= now} == set()
    assert "rounds that were left out" not in moved.daemon.log()


def test_a_manager_that_failed_before_the_jump_is_not_withdrawn_by_it(moved: Scene) -> None:
    """Its last good answers are as old as they are: a day forth is no day."""
    moved.centre.managers["north"].does("exit 3")
    until(lambda: not all_well(moved.reader.now(), moved.centre), "it is marked")
    moved.centre.moves_clocks(wall=DAY)
    moved.centre.managers["south"].is_of("2")
    until(lambda: "Version: 2\n" in moved.centre.bdii.read_text(), "the other goes on")
    assert moved.well.keys() <= moved.reader.now().keys()


def test_a_boot_clock_that_goes_on_withdraws_what_it_has_to(moved: Scene) -> None:
    """As while the machine slept for a day: the manager that cannot be asked goes, the other is asked anew."""
    moved.reader.expect(())
    moved.centre.managers["north"].does("exit 3")
    until(lambda: not all_well(moved.reader.now(), moved.centre), "it is marked")
    moved.centre.moves_clocks(wall=2 * DAY, boot=2 * DAY)
    moved.centre.managers["south"].is_of("2")
    south = {dn for dn in moved.well if ":south" in dn or ".south" in dn}
    until(lambda: not [dn for dn in moved.reader.now() if ":north" in dn], "it is withdrawn")
    until(lambda: south <= moved.reader.now().keys() and "Version: 2\n" in moved.centre.bdii.read_text(), "the other")
