"""Whose turn it is, by a clock that the test turns."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider.collection.rota import Rota, missed_ticks, next_tick
from infoprovider.inventory.model import Facet

USAGE, IMAGES, PRICES = Facet.USAGE, Facet.IMAGES, Facet.PRICES
PACES = {USAGE: 120.0, IMAGES: 600.0}


def rota(*instances: str, at_once: int = 8, pause: float = 5.0, now: float = 1000.0) -> Rota:
    """A rota of instances that were never asked."""
    made = Rota(at_once, pause)
    for name in instances:
        made.assign(name, PACES, {}, now)
    return made


def collected(made: Rota, now: float, seconds: float = 1.0) -> list[tuple[str, frozenset[Facet]]]:
    """The rounds that start now, each over after some seconds."""
    rounds = made.rounds(now)
    for one in rounds:
        made.ended(one.instance, now + seconds)
    return [(one.instance, one.wanted) for one in rounds]


def test_the_first_round_asks_for_everything_at_once() -> None:
    """Nobody waits for their moment of the grid when nothing is known."""
    assert collected(rota("north", "south"), 1000.0) == [("north", frozenset(PACES)), ("south", frozenset(PACES))]


def test_each_facet_comes_at_its_own_pace() -> None:
    """In an hour of turns, and those that fall together come in one round."""
    made = rota("north")
    now, asked, rounds = 1000.0, dict.fromkeys(PACES, 0), 0
    while now < 1000.0 + 3600:
        for _, wanted in collected(made, now):
            rounds += 1
            for facet in wanted:
                asked[facet] += 1
        now = made.wake_at()
    assert asked == {USAGE: 31, IMAGES: 7}
    assert rounds == 31


def test_many_instances_do_not_start_together() -> None:
    """After the first round their moments are spread over the time, and they are the same at every start."""
    names = [f"cloud-{number}" for number in range(60)]
    moments = sorted(next_tick(name, 120, 50_000.0) for name in names)
    assert moments == sorted(next_tick(name, 120, 50_000.0) for name in names)
    assert max(sum(start <= one < start + 12 for one in moments) for start in moments) <= 15
    assert all(50_000 < one <= 50_120 for one in moments)


def test_no_more_rounds_run_side_by_side_than_may() -> None:
    """The others wait, and whoever has waited longest comes first."""
    made = Rota(2, 5.0)
    for position, name in enumerate(("a", "b", "c")):
        made.assign(name, PACES, {}, 1000.0 - position)
    assert [one.instance for one in made.rounds(1000.0)] == ["c", "b"]
    assert made.rounds(1000.0) == []
    assert made.wake_at() == math.inf
    made.ended("b", 1001.0)
    assert [one.instance for one in made.rounds(1001.0)] == ["a"]


def test_a_storm_of_pokes_makes_one_round() -> None:
    """And between two rounds of an instance lies the pause."""
    made = rota("north")
    assert collected(made, 1000.0, seconds=1)
    for moment in range(100):
        assert made.poke("north", {USAGE}, 1001.0 + moment / 100) == {USAGE}
    assert collected(made, 1002.0) == []
    assert made.wake_at() == 1006.0
    assert collected(made, 1006.0) == [("north", frozenset({USAGE}))]
    assert made.wake_at() > 1012.0


def test_a_poke_while_the_manager_is_asked_asks_once_more() -> None:
    """What is being read may be older than what happened."""
    made = rota("north", pause=1.0)
    assert made.rounds(1000.0)
    made.poke("north", {IMAGES}, 1000.5)
    assert made.rounds(1000.6) == []
    made.ended("north", 1001.0)
    assert collected(made, 1002.0) == [("north", frozenset({IMAGES}))]


def test_a_poke_asks_for_nothing_that_is_not_asked_for() -> None:
    """Unknown instances and facets that are declared or cannot be told are left alone."""
    made = rota("north")
    collected(made, 1000.0)
    assert made.poke("south", {USAGE}, 1010.0) == frozenset()
    assert made.poke("north", {PRICES}, 1010.0) == frozenset()
    assert made.rounds(1010.0) == []


def test_rounds_for_which_there_was_no_time_are_counted() -> None:
    """A collection of five minutes leaves out those in between, and then one comes at once."""
    made = Rota(8, 1.0)
    made.assign("north", {USAGE: 120.0}, {}, 1000.0)
    first = next_tick("north", 120, 1000.0)
    collected(made, 1000.0)
    (one,) = made.rounds(first)
    assert one.missed == 0
    made.ended("north", first + 300)
    (late,) = made.rounds(first + 301)
    assert (late.wanted, late.missed) == (frozenset({USAGE}), 1)
    made.ended("north", first + 302)
    assert made.wake_at() == pytest.approx(first + 360)


def test_what_was_asked_for_before_a_restart_is_not_asked_for_again_at_once() -> None:
    """It is due when its time has passed, and not later."""
    made = Rota(8, 5.0)
    made.assign("north", {USAGE: 120.0, IMAGES: 600.0}, {USAGE: 990.0, IMAGES: 300.0}, 1000.0)
    assert collected(made, 1000.0) == [("north", frozenset({IMAGES}))]
    assert 1000.0 < made.wake_at() <= 990.0 + 120


def test_an_instance_that_is_dismissed_while_it_is_asked_leaves_its_place() -> None:
    """And one that comes back meanwhile is not asked twice at a time."""
    made = rota("north", at_once=1)
    assert made.rounds(1000.0)
    made.dismiss("north")
    made.assign("north", PACES, {}, 1001.0)
    assert made.rounds(1001.0) == []
    made.ended("north", 1002.0)
    assert collected(made, 1007.0) == [("north", frozenset(PACES))]
    made.dismiss("north")
    assert made.wake_at() == math.inf


def test_an_instance_of_which_everything_is_declared_is_never_asked() -> None:
    """It has no facets, and disturbs no other."""
    made = rota("north")
    made.assign("silent", {}, {}, 1000.0)
    assert [name for name, _ in collected(made, 1000.0)] == ["north"]


@given(
    every=st.floats(0.5, 10**6),
    now=st.floats(0, 10**9),
    name=st.text("abcdef-", min_size=1, max_size=20),
)
def test_the_next_moment_lies_ahead_and_within_one_pace(every: float, now: float, name: str) -> None:
    """Whatever the pace, the clock and the name; and serving it on time misses nothing."""
    tick = next_tick(name, every, now)
    assert now < tick <= now + every + 0.01
    assert missed_ticks(name, every, tick, tick) == 0
    assert missed_ticks(name, every, tick, tick + 3 * every) in (2, 3, 4)
