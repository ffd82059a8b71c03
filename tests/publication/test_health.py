"""What is said of endpoints: from how the last attempts went and how old the last good parts are, never a constant."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from infoprovider.clock import Reading
from infoprovider.config.model import Community, Configuration, DeclaredHealth, Instance, ProjectMapping
from infoprovider.glue.document import Source
from infoprovider.inventory.freshness import default_freshness
from infoprovider.inventory.model import Capacity, Facet, FacetValue, Images, Machines, Manager, Prices
from infoprovider.inventory.observation import Attempt, Observed, Outcome, Problem
from infoprovider.mapping.context import Health
from infoprovider.publication.health import LONGEST, health_of
from tests.mapping.example import MANAGER, quotas, usage
from tests.publication.demo import NOON, configuration
from tests.publication.test_facts import NORTH, instance

MANAGER_SOURCE = Source(facet="manager", instance=NORTH, observed_at=NOON - timedelta(hours=3))

VALUES: Mapping[Facet, FacetValue] = {
    Facet.MANAGER: MANAGER,
    Facet.CAPACITY: Capacity(),
    Facet.IMAGES: Images(images=()),
    Facet.MACHINES: Machines(machines=()),
    Facet.PRICES: Prices(prices=()),
}


def ago(**time: float) -> datetime:
    """So long before noon."""
    return NOON - timedelta(**time)


def kept(facet: Facet, at: datetime = NOON - timedelta(minutes=1), part: str = "") -> Observed:
    """The last good part of a facet."""
    by_project = {Facet.QUOTAS: quotas, Facet.USAGE: usage}
    value = by_project[facet](part) if facet in by_project else VALUES[facet]
    return Observed(facet=facet, value=value, part=part, observed_at=at)


def attempt(facet: Facet, at: datetime = NOON - timedelta(minutes=1), **about: Any) -> Attempt:
    """An attempt at a facet: `failed` and `refused` are the parts that did not come; whatever else came is answered."""
    failed, refused = about.pop("failed", ()), about.pop("refused", ())
    reason, plug_in = about.pop("reason", "https://secret@host/: 500"), about.pop("plug_in", False)
    return Attempt(
        facet=facet,
        at=Reading(at, 1000.0, "boot"),
        answered=about.pop("answered", 0 if failed or refused else 1),
        failed=tuple(Problem(facet=facet, part=part, reason=reason, plug_in=plug_in) for part in failed),
        not_offered=tuple(Problem(facet=facet, part=part, reason=reason) for part in refused),
    )


def plain(**changes: Any) -> Configuration:
    """The demonstration centre with what is usual for its facets."""
    return replace(configuration(), **({"freshness": {}, "every": {}} | changes))


def said(
    attempts: tuple[Attempt, ...],
    *parts: Observed,
    of: Instance | None = None,
    at: Configuration | None = None,
    now: datetime = NOON,
) -> tuple[str, str | None]:
    """The state and what was seen, at noon."""
    outcome = Outcome(measured=True, attempts=attempts)
    found = health_of(of or instance(every=None), at or plain(), outcome, parts, MANAGER_SOURCE, now)
    return str(found.state), found.info


def unmeasured(outcome: Outcome | None, **changes: Any) -> Health:
    """The health of an instance that proves nothing."""
    return health_of(instance(**changes), plain(), outcome, (), MANAGER_SOURCE, NOON)


LAST = "last told 2026-11-21T11:59:00Z"
FINE = (attempt(Facet.CAPACITY), attempt(Facet.IMAGES, ago(minutes=9)))
KNOWN = (kept(Facet.CAPACITY), kept(Facet.IMAGES, ago(minutes=9)))


@pytest.mark.parametrize("outcome", [None, Outcome(measured=False, attempts=(attempt(Facet.IMAGES),))])
def test_without_a_measurement_health_is_unknown(outcome: Outcome | None) -> None:
    """Nobody asked yet, or a file was read: neither proves that the manager lives."""
    found = unmeasured(outcome)
    assert (found.state, found.info) == ("unknown", None)


def test_what_was_told_lately_and_whole_is_ok() -> None:
    """And there is nothing to say of it."""
    assert said(FINE, *KNOWN) == ("ok", None)


def test_a_facet_that_failed_is_a_warning_that_names_it() -> None:
    """With the moment from which its last good value is; the reason stays with the operator."""
    attempts = (attempt(Facet.CAPACITY), attempt(Facet.IMAGES, failed=("",)))
    assert said(attempts, *KNOWN) == (
        "warning",
        "not told at the last attempt: images (last told 2026-11-21T11:51:00Z)",
    )
    assert said(attempts, KNOWN[0])[1] == "not told at the last attempt: images"


def test_what_is_said_does_not_change_from_attempt_to_attempt() -> None:
    """While a facet fails again and again, its text stays: an endpoint changes when something happens."""
    texts = {
        said((attempt(Facet.CAPACITY, at), attempt(Facet.IMAGES, at, failed=("",))), kept(Facet.CAPACITY, at), KNOWN[1])
        for at in (ago(minutes=4), ago(minutes=2), NOON)
    }
    assert len(texts) == 1


def communities(**projects: int) -> tuple[Community, ...]:
    """Communities that work in so many projects of their own."""
    return tuple(
        Community(
            name=name,
            projects=tuple(ProjectMapping(instance=NORTH, project=f"{name}-{n}") for n in range(number)),
        )
        for name, number in projects.items()
    )


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (("bio-0",), "usage of bio"),
        (("bio-0", "bio-1", "other"), "usage of bio and 1 other project"),
        (("x", "y"), "usage of 2 projects"),
        (("bio-0 on node1", "bio-0 on node2"), "usage of bio"),
        (("bio-0 on node1", "phys-09 on node1"), "usage of bio and 1 other project"),
        (("bio-0", "phys-0", "med-0", "sky-0"), "usage of bio and med and phys and 1 other project"),
    ],
)
def test_failing_projects_are_named_by_published_communities_or_counted(failed: tuple[str, ...], words: str) -> None:
    """Never by their own ids or names, and never more than three."""
    known = plain(communities=communities(bio=2, phys=1, med=1, sky=1))
    state, text = said((attempt(Facet.USAGE, failed=failed, answered=3),), at=known)
    assert (state, text) == ("warning", f"not told at the last attempt: {words}")


def test_parts_that_are_no_projects_are_counted() -> None:
    """They may be hosts, and hosts are not named."""
    attempts = (attempt(Facet.CAPACITY, failed=("host-7", "host-8"), answered=3),)
    assert said(attempts) == ("warning", "not told at the last attempt: capacity of 2 parts")


@pytest.mark.parametrize(("age", "state"), [(300, "ok"), (301, "warning")])
def test_what_is_stale_is_named(age: float, state: str) -> None:
    """A part of which nothing newer came within `fresh_for`, although no attempt failed."""
    part = kept(Facet.USAGE, ago(seconds=age), "p1")
    found, text = said((attempt(Facet.USAGE),), part, kept(Facet.USAGE, part="p2"))
    assert found == state
    expected = f"stale: usage of 1 project (last told {part.observed_at:%Y-%m-%dT%H:%M:%SZ})"
    assert text == (expected if state == "warning" else None)


def test_a_right_that_was_lost_is_said_at_once() -> None:
    """What was told before and is now said not to be had; what never could be had is no loss."""
    attempts = (attempt(Facet.CAPACITY, refused=("",)), attempt(Facet.USAGE, refused=("p1",), answered=1))
    assert said(attempts, kept(Facet.CAPACITY), kept(Facet.USAGE, part="p1"), kept(Facet.USAGE, part="p2")) == (
        "warning",
        f"no longer allowed: capacity ({LAST}), usage of 1 project ({LAST})",
    )
    assert said(attempts, kept(Facet.USAGE, part="p2")) == ("ok", None)


def test_a_lost_right_is_forgotten_with_what_it_told() -> None:
    """When its last good value is withdrawn, nothing stale is published any more."""
    attempts = (attempt(Facet.USAGE), attempt(Facet.CAPACITY, refused=("",)))
    assert said(attempts, kept(Facet.CAPACITY, ago(hours=5, minutes=59)))[0] == "warning"
    assert said(attempts, kept(Facet.CAPACITY, ago(hours=6))) == ("ok", None)


def test_a_manager_that_tells_nothing_is_critical() -> None:
    """While what it told last is still published; what was answered before it went proves nothing any more."""
    attempts = (attempt(Facet.CAPACITY, failed=("",)), attempt(Facet.IMAGES, ago(minutes=9)))
    parts = (kept(Facet.CAPACITY, ago(minutes=3)), kept(Facet.IMAGES, ago(minutes=9)))
    assert said(attempts, *parts) == (
        "critical",
        "nothing was told at the last attempt; what is published was told until 2026-11-21T11:57:00Z",
    )
    assert said(attempts) == ("warning", "not told at the last attempt: capacity")


def test_an_account_without_any_right_is_as_bad_as_no_answer() -> None:
    """Everything that it told before is refused."""
    assert said((attempt(Facet.CAPACITY, refused=("",)),), kept(Facet.CAPACITY))[0] == "critical"


def test_one_service_of_a_manager_may_fail_while_another_answers() -> None:
    """What was answered after the regular facets were last tells that somebody is there."""
    attempts = (attempt(Facet.CAPACITY, failed=("",)), attempt(Facet.IMAGES))
    assert said(attempts, kept(Facet.CAPACITY, ago(minutes=30)), kept(Facet.IMAGES))[0] == "warning"


def test_a_single_facet_that_was_asked_for_alone_takes_nothing_along() -> None:
    """A poke for images that fail is a warning, however lately it was."""
    attempts = (attempt(Facet.CAPACITY), attempt(Facet.IMAGES, NOON, failed=("",)))
    assert said(attempts, *KNOWN)[0] == "warning"


def test_a_plug_in_that_fails_says_nothing_of_the_manager() -> None:
    """Unknown, and said: a crash of ours is no fault of the manager."""
    attempts = (attempt(Facet.CAPACITY, failed=("",), plug_in=True, reason="KeyError"),)
    assert said(attempts, kept(Facet.CAPACITY, ago(minutes=3))) == (
        "unknown",
        "could not be asked at the last attempt; what is published was told until 2026-11-21T11:57:00Z",
    )
    assert said(attempts) == ("unknown", "could not be asked at the last attempt")


def test_what_nobody_asked_for_long_is_not_ok() -> None:
    """A daemon that was stopped, or a document that is made of what was kept: old answers say nothing of now."""
    assert said(FINE, *KNOWN, now=NOON + timedelta(minutes=3, seconds=59))[0] == "ok"
    assert said(FINE, *KNOWN, now=NOON + timedelta(hours=3)) == ("unknown", "not asked since 2026-11-21T11:59:00Z")


def test_a_manager_that_is_asked_seldom_is_ok_in_between() -> None:
    """An `every` that is longer than what is usual stretches how long an attempt counts; the facet is stale."""
    seldom = plain(every={Facet.CAPACITY: 3600.0, Facet.IMAGES: 3600.0})
    attempts = (attempt(Facet.CAPACITY, ago(minutes=50)),)
    assert said(attempts, kept(Facet.CAPACITY, ago(minutes=50)), at=seldom) == (
        "warning",
        "stale: capacity (last told 2026-11-21T11:10:00Z)",
    )


def test_what_is_declared_since_is_no_longer_amiss() -> None:
    """Its attempts from before stay in the outcome for ever, and say nothing more."""
    attempts = (attempt(Facet.CAPACITY), attempt(Facet.MANAGER, failed=("",)))
    declared = instance(every=None, declared={Facet.MANAGER: Manager(product="openstack", endpoints=())})
    assert said(attempts, *KNOWN)[0] == "warning"
    assert said(attempts, *KNOWN, of=declared) == ("ok", None)


def test_what_is_said_is_bounded() -> None:
    """However much is amiss."""
    known = plain(communities=communities(**{f"community-{n:0100d}": 1 for n in range(9)}))
    parts = tuple(project.project for one in known.communities for project in one.projects)
    attempts = tuple(attempt(facet, failed=parts, answered=1) for facet in (Facet.USAGE, Facet.QUOTAS))
    state, text = said(attempts, at=known)
    assert state == "warning"
    assert text is not None
    assert len(text) == LONGEST
    assert text.endswith("...")


@pytest.mark.parametrize("facet", list(Facet))
def test_every_facet_that_fails_shows(facet: Facet) -> None:
    """None is forgotten, whatever its pace."""
    attempts = tuple(attempt(one, failed=("",) if one is facet else ()) for one in Facet)
    assert said(attempts) == ("warning", f"not told at the last attempt: {facet}")


@pytest.mark.parametrize("facet", [Facet.CAPACITY, Facet.IMAGES, Facet.PRICES, Facet.MACHINES])
def test_every_facet_that_is_stale_shows(facet: Facet) -> None:
    """By its own `fresh_for`."""
    fresh_for = default_freshness(facet).fresh_for
    attempts = (attempt(Facet.USAGE), attempt(facet))
    assert said(attempts, kept(facet, ago(seconds=fresh_for)))[0] == "ok"
    assert said(attempts, kept(facet, ago(seconds=fresh_for + 1)))[0] == "warning"


@pytest.mark.parametrize("outcome", [None, Outcome(measured=True, attempts=(attempt(Facet.IMAGES, failed=("",)),))])
def test_the_operators_word_on_health_stands(outcome: Outcome | None) -> None:
    """Whatever was measured."""
    found = unmeasured(outcome, health=DeclaredHealth(state="critical", info="flooded"))
    assert (found.state, found.info) == ("critical", "flooded")


@pytest.mark.parametrize(
    ("outcome", "moment"),
    [
        (None, MANAGER_SOURCE.observed_at),
        (Outcome(measured=False, attempts=(attempt(Facet.IMAGES),)), MANAGER_SOURCE.observed_at),
        (Outcome(measured=True, attempts=(attempt(Facet.IMAGES, ago(seconds=9)),)), ago(seconds=9)),
    ],
)
@pytest.mark.parametrize("declared", [None, DeclaredHealth(state="ok")])
def test_health_is_as_old_as_the_last_attempt_or_the_description(
    outcome: Outcome | None, moment: datetime, declared: DeclaredHealth | None
) -> None:
    """A declared word makes nothing look younger than the manager that it is said of."""
    assert unmeasured(outcome, health=declared).source.observed_at == moment
