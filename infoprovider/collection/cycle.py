"""Collects instances and keeps what came back."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from infoprovider.collection.child import collect
from infoprovider.config.model import Instance
from infoprovider.deadline import Deadline
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Observed, Outcome, Problem
from infoprovider.providers.contract import AnyProviderSpec, CollectContext, Failed, NotOffered


class Keeper(Protocol):
    """Where observations and outcomes go."""

    def keep(self, instance: str, observed: Observed) -> None:
        """Take an observation."""
        ...

    def conclude(self, instance: str, outcome: Outcome) -> None:
        """Take how the collection went."""
        ...


def collect_instance(instance: Instance, spec: AnyProviderSpec, keeper: Keeper, now: Callable[[], datetime]) -> Outcome:
    """Ask one VM manager for all its facets and keep each answer as it comes. Raises nothing for what it does."""
    logger = logging.LoggerAdapter(logging.getLogger(__name__), {"instance": instance.name})
    context = CollectContext(
        instance=instance.name,
        # What the operator declares is not asked for: their word stands.
        wanted=frozenset(Facet) - frozenset(instance.declared),
        deadline=Deadline.after(instance.block.deadline),
        now=now,
        log=logger,
    )
    began = now()
    answered = 0
    failed: list[Problem] = []
    not_offered: list[Problem] = []
    for answer in collect(spec, instance.settings, context):
        match answer:
            case Observed():
                keeper.keep(instance.name, answer)
                answered += 1
            case Failed(facet=facet, part=part, reason=reason):
                failed.append(Problem(facet=facet, part=part, reason=reason))
            case NotOffered(facet=facet, part=part, reason=reason):
                not_offered.append(Problem(facet=facet, part=part, reason=reason))
    outcome = Outcome(
        began=began,
        ended=now(),
        measured=spec.measures,
        answered=answered,
        failed=tuple(failed),
        not_offered=tuple(not_offered),
    )
    keeper.conclude(instance.name, outcome)
    return outcome
