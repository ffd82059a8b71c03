"""The demonstration centre as a configuration and its facets, all observed one minute before noon."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from infoprovider.clock import Reading
from infoprovider.collection.child import collect
from infoprovider.config.load import load
from infoprovider.config.model import Configuration
from infoprovider.deadline import Deadline
from infoprovider.glue.document import Document
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Attempt, Observed, Outcome, Problem
from infoprovider.providers import static
from infoprovider.providers.contract import CollectContext, Failed
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.publishers.bdii import BdiiSettings
from infoprovider.publishers.stdout import StdoutSettings
from infoprovider.store.facets import MemoryFacets

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OBSERVED = NOON - timedelta(minutes=1)
LOADED = NOON - timedelta(hours=1)
DEMO = Path(__file__).parents[2] / "examples" / "demo.yaml"


@cache
def configuration() -> Configuration:
    """The shipped configuration, read an hour before noon."""
    publishers = {"bdii": BdiiSettings, "stdout": StdoutSettings}
    return load(DEMO, lambda _: static.StaticSettings, publishers.__getitem__, lambda: LOADED)


@cache
def observations() -> dict[str, tuple[Observed, ...]]:
    """What its two managers are described to be, by instance."""
    found: dict[str, tuple[Observed, ...]] = {}
    for instance in configuration().instances:
        context = CollectContext(
            instance=instance.name,
            wanted=frozenset(Facet) - frozenset(instance.declared),
            deadline=Deadline.after(30),
            now=lambda: datetime.now(UTC),
            log=logging.LoggerAdapter(logging.getLogger(__name__), {}),
        )
        answers = list(collect(static.SPEC, instance.settings, context))
        assert not [one for one in answers if isinstance(one, Failed)]
        found[instance.name] = tuple(replace(one, observed_at=OBSERVED) for one in answers if isinstance(one, Observed))
    return found


def outcome(
    at: datetime = OBSERVED, *, measured: bool = False, answered: int = 1, failed: tuple[Facet, ...] = ()
) -> Outcome:
    """How the last attempts went: each of these facets failed, and so much was answered beside."""
    reading = Reading(at, 1000.0, "boot")
    problems = tuple(Problem(facet=facet, part="p1", reason="refused") for facet in failed)
    attempts = tuple(Attempt(facet=one.facet, at=reading, answered=0, failed=(one,)) for one in problems)
    return Outcome(
        measured=measured, attempts=(Attempt(facet=Facet.MACHINES, at=reading, answered=answered), *attempts)
    )


def facets(change: Callable[[Observed], Observed | None] = lambda one: one) -> MemoryFacets:
    """The facets of both managers, each observation as `change` leaves it; what it drops was never observed."""
    kept = MemoryFacets()
    for instance, found in observations().items():
        for one in found:
            changed = change(one)
            if changed is not None:
                kept.keep(instance, changed)
        kept.conclude(instance, outcome())
    return kept


def changing(
    facet: Facet, change: Callable[[Any], Any], part: str = "", *, instance: str = "demo-north"
) -> MemoryFacets:
    """The facets with one of them changed."""
    kept = facets()
    (one,) = [one for one in kept.observations(instance) if (one.facet, one.part) == (facet, part)]
    changed = change(one.value)
    assert changed != one.value
    kept.keep(instance, replace(one, value=changed))
    return kept


def document_of_the_demo() -> Document:
    """What is published of both managers at noon."""
    return compose(configuration(), facets(), Former(), NOON).document
