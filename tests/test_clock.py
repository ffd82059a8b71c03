"""Ages on the boot clock, stamps on the wall clock."""

from datetime import UTC, datetime, timedelta

import pytest

from infoprovider.clock import Clock, Reading, age, as_seen_now

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
KEPT = Reading(NOON, 1000.0, "boot-a")


def later(seconds: float, *, jump: float = 0, boot: str = "boot-a") -> Reading:
    """The moment so many seconds later, with the wall clock moved by `jump` in between."""
    return Reading(NOON + timedelta(seconds=seconds + jump), 1000.0 + seconds, boot)


@pytest.mark.parametrize("jump", [-3600, 0, 3600])
def test_an_age_is_what_it_is_whatever_the_wall_clock_does(jump: float) -> None:
    """A wall clock that was moved by an hour changes no age within one boot."""
    assert age(KEPT, later(300, jump=jump)) == timedelta(seconds=300)


def test_after_a_reboot_the_wall_clock_tells_the_age() -> None:
    """The uptime of another boot says nothing, and an age is never negative."""
    assert age(KEPT, Reading(NOON + timedelta(seconds=90), 5.0, "boot-b")) == timedelta(seconds=90)
    assert age(KEPT, Reading(NOON - timedelta(hours=1), 5.0, "boot-b")) == timedelta(0)


def test_a_moment_stays_the_same_while_the_clocks_agree() -> None:
    """Without a jump, a stamp is read back as it was noted, to the second."""
    observed = NOON - timedelta(seconds=7)
    assert as_seen_now(observed, KEPT, later(300)) == observed
    assert as_seen_now(observed, KEPT, later(300, jump=2)) == observed


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_moment_moves_along_with_the_clock(jump: float) -> None:
    """After a jump the same moment has another stamp, so that its age stays and it is never in the future."""
    now = later(300, jump=jump)
    seen = as_seen_now(NOON - timedelta(seconds=7), KEPT, now)
    assert now.wall - seen == timedelta(seconds=307)


def test_no_stamp_lies_in_the_future_after_a_reboot_with_a_slow_clock() -> None:
    """A clock that came up an hour behind cuts a stamp to the present moment."""
    now = Reading(NOON - timedelta(hours=1), 5.0, "boot-b")
    assert as_seen_now(NOON, KEPT, now) == now.wall


def test_the_machine_has_both_clocks() -> None:
    """Two readings of the real clocks are of one boot, in order, in whole seconds."""
    first, second = Clock().read(), Clock().read()
    assert first.boot == second.boot
    assert first.uptime <= second.uptime
    assert first.wall.microsecond == 0
    assert first.wall.utcoffset() == timedelta(0)
