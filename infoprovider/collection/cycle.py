"""Collects what is due and keeps what came back, part by part, as it comes."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from pydantic import BaseModel

from infoprovider.clock import Clock, Reading, age
from infoprovider.config.model import Configuration, Instance
from infoprovider.deadline import Deadline
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Attempt, Observed, Outcome, Problem
from infoprovider.providers.contract import Answer, AnyProviderSpec, CollectContext, Failed, NotOffered, Parts


class Keeper(Protocol):
    """Where observations and outcomes go, and where the last outcome is found."""

    def keep(self, instance: str, observed: Observed) -> None:
        """Take an observation in the place of the former one of its part."""
        ...

    def retain(self, instance: str, facet: Facet, parts: frozenset[str]) -> None:
        """Forget the parts of a facet that are not among these."""
        ...

    def conclude(self, instance: str, outcome: Outcome) -> None:
        """Take how the last attempts went."""
        ...

    def outcome(self, instance: str) -> Outcome | None:
        """How the last attempts went; None before the first."""
        ...


class Run(Protocol):
    """Asks a VM manager: in this process (`child.collect`), or in one that cannot hang (`supervisor.supervise`)."""

    def __call__(self, spec: AnyProviderSpec, settings: BaseModel, context: CollectContext, /) -> Iterator[Answer]:
        """Yield every answer as it comes; raise nothing for what the provider does."""
        ...


def due_facets(
    configuration: Configuration, instance: Instance, spec: AnyProviderSpec, outcome: Outcome | None, now: Reading
) -> frozenset[Facet]:
    """The facets whose last attempt is as long ago as the configuration wants, and those never asked for.

    What the operator declares is not asked for: their word stands. A description that costs nothing to read is always
    due, so that a change in it is published at once.
    """
    return frozenset(
        facet
        for facet in spec.facets - frozenset(instance.declared)
        if outcome is None
        or not spec.measures
        or (attempt := outcome.attempt(facet)) is None
        or age(attempt.at, now) >= timedelta(seconds=configuration.every_of(instance, facet))
    )


def collect_instance(
    instance: Instance, spec: AnyProviderSpec, wanted: frozenset[Facet], keeper: Keeper, run: Run, clock: Clock
) -> Outcome:
    """Ask one VM manager for these facets and keep each answer as it comes; returns how the last attempts went.

    A part that failed stays last-good, one that vanished goes. Raises StoreError where an answer cannot be kept.
    """
    context = CollectContext(
        instance=instance.name,
        wanted=wanted,
        deadline=Deadline.after(instance.block.deadline),
        now=lambda: clock.read().wall,
        log=logging.LoggerAdapter(logging.getLogger(__name__), {"instance": instance.name}),
    )
    tallies = {facet: _Tally() for facet in wanted}
    for answer in run(spec, instance.settings, context):
        if isinstance(answer, Observed):
            keeper.keep(instance.name, answer)
        tallies.setdefault(answer.facet, _Tally()).count(answer)
    for facet, tally in tallies.items():
        parts = tally.parts
        if parts is None and not spec.measures and tally.not_offered:
            # What a description no longer states is gone; a right that was lost may come back before its facet expires.
            parts = frozenset()
        if parts is not None:
            keeper.retain(instance.name, facet, parts)
    at = clock.read()
    former = keeper.outcome(instance.name) or Outcome(measured=spec.measures, attempts=())
    outcome = former.followed_by(tally.attempt(facet, at) for facet, tally in tallies.items())
    keeper.conclude(instance.name, outcome)
    return outcome


@dataclass(slots=True)
class _Tally:
    """What came of one facet."""

    answered: int = 0
    failed: list[Problem] = field(default_factory=list)
    not_offered: list[Problem] = field(default_factory=list)
    parts: frozenset[str] | None = None

    def count(self, answer: Answer) -> None:
        match answer:
            case Observed():
                self.answered += 1
                if not answer.part:
                    # A facet that is answered as a whole has no other parts.
                    self.parts = frozenset({""})
            case Failed():
                self.failed.append(
                    Problem(facet=answer.facet, part=answer.part, reason=answer.reason, plug_in=answer.plug_in)
                )
            case NotOffered():
                self.not_offered.append(Problem(facet=answer.facet, part=answer.part, reason=answer.reason))
            case Parts():
                self.parts = answer.parts

    def attempt(self, facet: Facet, at: Reading) -> Attempt:
        return Attempt(
            facet=facet,
            at=at,
            answered=self.answered,
            failed=tuple(self.failed),
            not_offered=tuple(self.not_offered),
        )


def collect_all(
    configuration: Configuration,
    provider: Callable[[str], AnyProviderSpec],
    wanted: Callable[[Instance, AnyProviderSpec, Outcome | None], frozenset[Facet]],
    keeper: Keeper,
    run: Run,
    clock: Clock,
) -> dict[str, Outcome]:
    """Collect every instance of which something is wanted, some side by side; the outcomes by instance.

    Raises PluginError before anything is asked where a provider cannot be loaded, StoreError where an answer cannot be
    kept.
    """
    specs = {instance.name: provider(instance.block.kind) for instance in configuration.instances}

    def one(instance: Instance) -> Outcome | None:
        spec = specs[instance.name]
        facets = wanted(instance, spec, keeper.outcome(instance.name))
        if not facets:
            return keeper.outcome(instance.name)
        return collect_instance(instance, spec, facets, keeper, run, clock)

    with ThreadPoolExecutor(configuration.collection.at_once) as pool:
        outcomes = list(pool.map(one, configuration.instances))
    pairs = zip(configuration.instances, outcomes, strict=True)
    return {instance.name: outcome for instance, outcome in pairs if outcome is not None}
