"""What is due is collected, and what came back is kept: part by part, last-good where something failed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from infoprovider.clock import Clock, Reading
from infoprovider.collection.cycle import collect_all, collect_instance, due_facets
from infoprovider.config.model import Instance
from infoprovider.errors import PluginError
from infoprovider.inventory.model import Facet, Images, TrustPolicy
from infoprovider.inventory.observation import Attempt, Observed, Outcome, Problem
from infoprovider.providers.contract import (
    Answer,
    AnyProviderSpec,
    CollectContext,
    Failed,
    NotOffered,
    Parts,
    ProviderSpec,
)
from infoprovider.settings import Settings
from infoprovider.store.facets import MemoryFacets
from tests.mapping.example import usage
from tests.publication.demo import configuration

NOW = Reading(datetime(2026, 11, 21, 12, 0, tzinfo=UTC), 5000.0, "boot")


class Still(Clock):
    """A clock that stands still."""

    def read(self) -> Reading:
        """The one moment of these tests."""
        return NOW


class NoSettings(Settings):
    """A manager that needs none."""


def never(_settings: NoSettings, _context: CollectContext) -> Iterator[Answer]:
    """Fail the test: `run` answers in its place."""
    raise AssertionError
    yield  # makes it a generator


def spec(*facets: Facet, measures: bool = True) -> AnyProviderSpec:
    """A manager that can tell of these facets."""
    return ProviderSpec(
        kind="cloud", settings=NoSettings, facets=frozenset(facets or Facet), collect=never, measures=measures
    )


def instance(**changes: Any) -> Instance:
    """The instance north, with nothing declared but what is given."""
    block = configuration().instances[0].block.model_copy(update={"name": "north", "every": None})
    return Instance(block=block, settings=NoSettings(), declared=changes)


def seen(part: str = "", facet: Facet = Facet.USAGE, **used: int) -> Observed:
    """What a project was observed to use, or that there are no images."""
    value = usage(part, **used) if facet is Facet.USAGE else Images(images=())
    return Observed(facet=facet, part=part, value=value, observed_at=NOW.wall)


def collected(
    facets: MemoryFacets, *answers: Answer, measures: bool = True, wanted: frozenset[Facet] = frozenset({Facet.USAGE})
) -> Outcome:
    """One collection that gave these answers."""
    asked: list[CollectContext] = []

    def run(_spec: AnyProviderSpec, _settings: object, context: CollectContext, /) -> Iterator[Answer]:
        asked.append(context)
        yield from answers

    outcome = collect_instance(instance(), spec(measures=measures), wanted, facets, run, Still())
    (context,) = asked
    assert (context.instance, context.wanted, context.now()) == ("north", wanted, NOW.wall)
    return outcome


def parts(facets: MemoryFacets) -> list[str]:
    """Of which projects the usage is known."""
    return [one.part for one in facets.observations("north") if one.facet is Facet.USAGE]


def test_answers_are_kept_and_counted() -> None:
    """How many parts came, when, and that an answer proves the manager alive."""
    facets = MemoryFacets()
    outcome = collected(facets, seen("p1"), seen("p2"), Parts(facet=Facet.USAGE, parts=frozenset({"p1", "p2"})))
    assert parts(facets) == ["p1", "p2"]
    assert outcome == Outcome(measured=True, attempts=(Attempt(facet=Facet.USAGE, at=NOW, answered=2),))
    assert facets.outcome("north") == outcome


def test_a_part_that_failed_stays_and_one_that_vanished_goes() -> None:
    """The last good value is still the best that is known; a project that was removed is no longer one."""
    facets = MemoryFacets()
    everything = Parts(facet=Facet.USAGE, parts=frozenset({"p1", "p2", "p3"}))
    collected(facets, seen("p1", running=1), seen("p2", running=2), seen("p3"), everything)
    failed = Failed(facet=Facet.USAGE, part="p1", reason="timed out", retryable=True)
    left = Parts(facet=Facet.USAGE, parts=frozenset({"p1", "p2"}))
    outcome = collected(facets, failed, seen("p2", running=3), left)
    assert {one.part: one.value.running for one in facets.observations("north")} == {  # type: ignore[union-attr]
        "p1": 1,
        "p2": 3,
    }
    assert outcome.failed == (Problem(facet=Facet.USAGE, part="p1", reason="timed out"),)
    assert outcome.answered == 1


def test_a_facet_that_did_not_end_loses_no_part() -> None:
    """Cut off at the deadline: which projects there are was not said."""
    facets = MemoryFacets()
    collected(facets, seen("p1"), seen("p2"), Parts(facet=Facet.USAGE, parts=frozenset({"p1", "p2"})))
    collected(facets, seen("p1"), Failed(facet=Facet.USAGE, reason="the deadline has passed", retryable=True))
    assert parts(facets) == ["p1", "p2"]


@pytest.mark.parametrize(("measures", "left"), [(True, ["p1"]), (False, [])])
def test_what_a_description_no_longer_states_is_gone(measures: bool, left: list[str]) -> None:
    """But a right that was lost may come back: what a manager told before stays until it expires."""
    facets = MemoryFacets()
    collected(facets, seen("p1"), Parts(facet=Facet.USAGE, parts=frozenset({"p1"})))
    collected(facets, NotOffered(facet=Facet.USAGE, reason="no section"), measures=measures)
    assert parts(facets) == left


def test_a_facet_that_is_answered_as_a_whole_has_no_other_parts() -> None:
    """Such as one that was told by region before."""
    facets = MemoryFacets()
    wanted = frozenset({Facet.IMAGES})
    by_region = seen("r1", Facet.IMAGES)
    collected(facets, by_region, Parts(facet=Facet.IMAGES, parts=frozenset({"r1"})), wanted=wanted)
    collected(facets, seen("", Facet.IMAGES), wanted=wanted)
    assert [one.part for one in facets.observations("north")] == [""]


def test_a_facet_that_was_wanted_and_never_answered_is_an_attempt() -> None:
    """So that it is not asked for again at once."""
    outcome = collected(MemoryFacets(), wanted=frozenset({Facet.USAGE, Facet.IMAGES}))
    assert [(one.facet, one.answered) for one in outcome.attempts] == [(Facet.IMAGES, 0), (Facet.USAGE, 0)]


def test_attempts_at_other_facets_are_remembered() -> None:
    """A collection of what is due says nothing of the rest."""
    facets = MemoryFacets()
    failed = Failed(facet=Facet.IMAGES, reason="refused", retryable=False)
    collected(facets, failed, wanted=frozenset({Facet.IMAGES}))
    outcome = collected(facets, seen("p1"), Parts(facet=Facet.USAGE, parts=frozenset({"p1"})))
    assert [one.facet for one in outcome.attempts] == [Facet.IMAGES, Facet.USAGE]
    assert outcome.failed == (Problem(facet=Facet.IMAGES, reason="refused"),)


# --- what is due -----------------------------------------------------------------------------------------------------


def due(outcome: Outcome | None, of: Instance | None = None, *, measures: bool = True) -> set[Facet]:
    """Which of images and usage are due now."""
    plain = replace(configuration(), freshness={})
    return set(due_facets(plain, of or instance(), spec(Facet.IMAGES, Facet.USAGE, measures=measures), outcome, NOW))


def attempt(facet: Facet, seconds: float) -> Attempt:
    """An attempt that ended so long ago."""
    return Attempt(facet=facet, at=NOW.after(-seconds), answered=1)


def outcome(*attempts: Attempt) -> Outcome:
    """These were the last attempts."""
    return Outcome(measured=True, attempts=attempts)


def test_everything_is_due_that_was_never_asked_for() -> None:
    """At the first start, and a facet that is new."""
    assert due(None) == {Facet.IMAGES, Facet.USAGE}
    assert due(outcome(attempt(Facet.IMAGES, 0))) == {Facet.USAGE}


def test_each_facet_has_its_own_pace() -> None:
    """Use every two minutes, images every ten, whatever came of the last attempt."""
    assert due(outcome(attempt(Facet.IMAGES, 599), attempt(Facet.USAGE, 119))) == set()
    assert due(outcome(attempt(Facet.IMAGES, 599), attempt(Facet.USAGE, 120))) == {Facet.USAGE}
    assert due(outcome(attempt(Facet.IMAGES, 600), attempt(Facet.USAGE, 1))) == {Facet.IMAGES}


def test_what_is_declared_is_not_asked_for() -> None:
    """The operator's word stands."""
    declared = {Facet.IMAGES: Images(images=()), Facet.TRUST: TrustPolicy(model="site")}
    assert due(None, instance(**{str(facet): value for facet, value in declared.items()})) == {Facet.USAGE}


def test_a_description_is_read_whenever_something_is_collected() -> None:
    """It costs nothing, and its operator wants to see the change."""
    just_now = outcome(attempt(Facet.IMAGES, 0), attempt(Facet.USAGE, 0))
    assert due(just_now, measures=False) == {Facet.IMAGES, Facet.USAGE}


# --- all instances ---------------------------------------------------------------------------------------------------


def run(_spec: AnyProviderSpec, _settings: object, context: CollectContext, /) -> Iterator[Answer]:
    """Answer with the name of the instance as its one project."""
    yield seen(context.instance)


def test_only_instances_of_which_something_is_wanted_are_asked() -> None:
    """The outcome of the others is their former one, if there is any."""
    facets = MemoryFacets()
    outcomes = collect_all(
        configuration(),
        lambda _: spec(),
        lambda one, _spec, _outcome: frozenset({Facet.USAGE}) if one.name == "demo-north" else frozenset(),
        facets,
        run,
        Still(),
    )
    assert list(outcomes) == ["demo-north"]
    assert [one.part for one in facets.observations("demo-north")] == ["demo-north"]
    assert facets.observations("demo-south") == []


def test_a_provider_that_cannot_be_loaded_is_said_before_anybody_is_asked() -> None:
    """Nothing is half collected for a missing package."""

    def missing(kind: str) -> AnyProviderSpec:
        raise PluginError(f"there is no provider of kind {kind}", remedy="install one")

    with pytest.raises(PluginError):
        collect_all(configuration(), missing, lambda *_: frozenset(Facet), MemoryFacets(), run, Still())
