"""The state of every facet and part, from the store alone."""

import io
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from infoprovider.clock import Reading
from infoprovider.config.model import Configuration
from infoprovider.inventory.model import Facet, Images
from infoprovider.inventory.observation import Attempt, Observed, Outcome, Problem
from infoprovider.store.facets import MemoryFacets
from infoprovider.views.status import PartStatus, State, print_status, status_of
from tests.mapping.example import usage
from tests.publication.demo import LOADED, NOON, configuration

AT = Reading(NOON, 1000.0, "boot")


def centre(*declared: Facet) -> Configuration:
    """One instance with the usual freshness; of these facets it is declared that there are no images."""
    one = replace(configuration().instances[0], declared=dict.fromkeys(declared, Images(images=())))
    return replace(configuration(), instances=(one,), freshness={})


def seen(age: timedelta, facet: Facet = Facet.IMAGES, part: str = "", notes: tuple[str, ...] = ()) -> Observed:
    """What was observed so long before noon."""
    value = usage(part) if facet is Facet.USAGE else Images(images=())
    return Observed(facet=facet, part=part, value=value, observed_at=NOON - age, notes=notes)


def problem(facet: Facet = Facet.IMAGES, part: str = "", reason: str = "timed out") -> Problem:
    """What kept a part from coming."""
    return Problem(facet=facet, part=part, reason=reason)


def status(
    *observed: Observed,
    failed: tuple[Problem, ...] = (),
    not_offered: tuple[Problem, ...] = (),
    measured: bool = True,
    of: Configuration | None = None,
) -> dict[tuple[Facet, str], PartStatus]:
    """How things stand at noon, by facet and part."""
    facets = MemoryFacets()
    for one in observed:
        facets.keep("demo-north", one)
    attempt = Attempt(facet=Facet.IMAGES, at=AT, answered=1, failed=failed, not_offered=not_offered)
    facets.conclude("demo-north", Outcome(measured=measured, attempts=(attempt,)))
    return {(one.facet, one.part): one for one in status_of(of or centre(), facets, NOON)}


@pytest.mark.parametrize(
    ("age", "failed", "state"),
    [
        (timedelta(minutes=30), (), State.FRESH),
        (timedelta(minutes=31), (), State.STALE),
        (timedelta(hours=24), (), State.EXPIRED),
        (timedelta(minutes=1), (problem(),), State.FAILING),
        (timedelta(hours=24), (problem(),), State.EXPIRED),
    ],
)
def test_a_part_is_as_good_as_its_age_and_its_last_attempt(
    age: timedelta, failed: tuple[Problem, ...], state: State
) -> None:
    """Images are fresh for half an hour and published for a day; a failure is told while the last good one lasts."""
    found = status(seen(age), failed=failed)[Facet.IMAGES, ""]
    assert found == PartStatus(
        instance="demo-north",
        facet=Facet.IMAGES,
        part="",
        state=state,
        observed_at=NOON - age,
        expires_at=NOON - age + timedelta(days=1),
        reason="timed out" if failed else None,
    )


def test_a_description_neither_ages_nor_expires() -> None:
    """It stands until it is changed."""
    found = status(seen(timedelta(days=400)), measured=False)[Facet.IMAGES, ""]
    assert (found.state, found.expires_at) == (State.FRESH, None)


def test_what_never_came_is_shown_with_the_reason() -> None:
    """Failing and not offered are two things: the one wants mending, the other cannot be had."""
    found = status(failed=(problem(),), not_offered=(problem(Facet.PRICES, reason="no such call"),))
    assert {key[0]: (one.state, one.reason, one.observed_at) for key, one in found.items()} == {
        Facet.IMAGES: (State.FAILING, "timed out", None),
        Facet.PRICES: (State.NOT_OFFERED, "no such call", None),
    }


@pytest.mark.parametrize(
    ("hours", "refused", "state"), [(1, "p1", State.LOST), (1, "", State.LOST), (6, "p1", State.NOT_OFFERED)]
)
def test_what_was_told_before_and_cannot_be_had_any_more_is_lost(hours: int, refused: str, state: State) -> None:
    """A right was taken away: that shows at once, with the reason, until the last good value is withheld."""
    gone = problem(Facet.USAGE, refused, "403 Forbidden")
    found = status(seen(timedelta(hours=hours), Facet.USAGE, "p1"), not_offered=(gone,))[Facet.USAGE, "p1"]
    assert (found.state, found.reason) == (state, "403 Forbidden")
    described = status(seen(timedelta(hours=hours), Facet.USAGE, "p1"), not_offered=(gone,), measured=False)
    assert described[Facet.USAGE, "p1"].state is State.FRESH


def test_a_facet_that_failed_as_a_whole_failed_in_each_of_its_parts() -> None:
    """There is no row for the whole beside those of the projects."""
    minute = timedelta(minutes=1)
    found = status(
        seen(minute, Facet.USAGE, "p1"),
        seen(minute, Facet.USAGE, "p2"),
        failed=(problem(Facet.USAGE), problem(Facet.USAGE, "p3", "refused")),
    )
    assert {key[1]: (one.state, one.reason) for key, one in found.items()} == {
        "p1": (State.FAILING, "timed out"),
        "p2": (State.FAILING, "timed out"),
        "p3": (State.FAILING, "refused"),
    }


def test_what_is_declared_is_shown_as_such() -> None:
    """Whatever was observed before it was declared."""
    found = status(seen(timedelta(minutes=1)), of=centre(Facet.IMAGES))
    assert [(one.state, one.observed_at) for one in found.values()] == [(State.DECLARED, LOADED)]


def test_notes_are_for_the_operator() -> None:
    """They travel with the part."""
    found = status(seen(timedelta(minutes=1), notes=("an endorsement expired",)))
    assert found[Facet.IMAGES, ""].notes == ("an endorsement expired",)


def test_the_table_has_a_row_for_each_part() -> None:
    """State, age, when it is withheld, and the first line of the reason."""
    console = Console(file=io.StringIO(), width=200, markup=False)
    parts = status(seen(timedelta(minutes=9)), failed=(problem(reason="timed out\nand more"),))
    never = status(failed=(problem(Facet.PRICES),))
    print_status(console, [*parts.values(), *never.values()], NOON)
    assert isinstance(console.file, io.StringIO)
    rows = [[cell for cell in line.split("  ") if cell.strip()] for line in console.file.getvalue().splitlines()]
    cells = [[cell.strip() for cell in row] for row in rows]
    expiry: datetime = NOON - timedelta(minutes=9) + timedelta(days=1)
    assert ["demo-north", "images", "failing", "9 min ago", f"{expiry:%Y-%m-%d %H:%M:%SZ}", "timed out"] in cells
    assert ["prices", "failing", "?", "?", "timed out"] in cells
