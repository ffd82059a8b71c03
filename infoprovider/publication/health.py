"""What is said of an instance's endpoints: from how the last attempts went and from how old the last good parts are.

The state is never a constant. What is amiss is named by facet and by the communities that are published, everything
else is counted: reasons, which may hold addresses and names, stay with the operator. Moments are those of observations,
so that a text changes only when something happens.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from infoprovider.config.model import Community, Configuration, Instance
from infoprovider.glue.document import Source
from infoprovider.glue.vocabulary import EndpointHealthState
from infoprovider.inventory.model import PARTED_BY_PROJECT, Facet, is_of_project
from infoprovider.inventory.observation import Attempt, Observed, Outcome
from infoprovider.mapping.context import Health
from infoprovider.mapping.other_info import timestamp

LONGEST = 500
"""Characters of what is said of a state."""

_NAMED = 3
"""Communities that are named for one facet; the others are counted."""


def health_of(
    instance: Instance,
    configuration: Configuration,
    outcome: Outcome | None,
    kept: Sequence[Observed],
    manager: Source,
    now: datetime,
) -> Health:
    """The operator's word where they gave one, else what collecting tells (the table is in docs/freshness.md).

    `kept` are all last good parts, also those that must no longer be published. Reading a file is no measurement: a
    described manager's health is unknown unless it is declared. What is declared makes the rest of what is said of an
    endpoint no younger.
    """
    measured = outcome if outcome is not None and outcome.measured else None
    ended = measured.ended if measured else None
    source = manager if ended is None else Source(facet="outcome", instance=instance.name, observed_at=ended)
    declared = instance.block.health
    if declared is not None:
        return Health(EndpointHealthState(declared.state), declared.info, source)
    if measured is None:
        return Health(EndpointHealthState.UNKNOWN, None, source)
    state, text = _Evidence(instance, configuration, measured, kept, now).verdict()
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 3]}..."
    return Health(state, text or None, source)


@dataclass(frozen=True, slots=True)
class _Amiss:
    """What is wrong with one facet: with these parts of it, the last of which was told at this moment, if ever."""

    facet: Facet
    parts: frozenset[str]
    since: datetime | None


class _Evidence:
    """What the attempts and the last good parts of one measured instance prove; what is declared proves nothing."""

    def __init__(
        self,
        instance: Instance,
        configuration: Configuration,
        outcome: Outcome,
        kept: Sequence[Observed],
        now: datetime,
    ) -> None:
        self._instance = instance
        self._configuration = configuration
        self._now = now
        self._attempts = [one for one in outcome.attempts if one.facet not in instance.declared]
        self._kept: dict[Facet, dict[str, Observed]] = {}
        for one in kept:
            if one.facet not in instance.declared:
                self._kept.setdefault(one.facet, {})[one.part] = one
        self._failing = {one.facet: frozenset(problem.part for problem in one.failed) for one in self._attempts}
        self._lost = {one.facet: self._lost_parts(one) for one in self._attempts}

    def verdict(self) -> tuple[EndpointHealthState, str]:
        """The state, and what is amiss."""
        regular = self._asked_most_often()
        if not regular:
            return EndpointHealthState.UNKNOWN, ""
        last = max(one.at.wall for one in self._attempts)
        if self._now - last > max(self._patience(one.facet) for one in regular):
            return EndpointHealthState.UNKNOWN, f"not asked since {timestamp(last)}"
        if self._is_silent(regular):
            told = max((one.observed_at for one in self._all_kept() if self._is_published(one)), default=None)
            until = f"; what is published was told until {timestamp(told)}" if told else ""
            if all(problem.plug_in for one in regular for problem in one.failed) and any(one.failed for one in regular):
                return EndpointHealthState.UNKNOWN, f"could not be asked at the last attempt{until}"
            return EndpointHealthState.CRITICAL, f"nothing was told at the last attempt{until}"
        amiss = {
            "not told at the last attempt": list(self._amiss(self._failing)),
            "no longer allowed": list(self._amiss(self._lost)),
            "stale": list(self._amiss(self._stale())),
        }
        text = "; ".join(
            f"{what}: {', '.join(self._described(one) for one in found)}" for what, found in amiss.items() if found
        )
        return (EndpointHealthState.WARNING, text) if text else (EndpointHealthState.OK, "")

    # --- whether the manager lives -----------------------------------------------------------------------------------

    def _asked_most_often(self) -> list[Attempt]:
        """The last attempts at those facets that are asked for most often: they tell first that a manager has gone."""
        proving = [one for one in self._attempts if one.answered or one.failed or self._lost[one.facet]]
        shortest = min((self._every(one.facet) for one in proving), default=0.0)
        return [one for one in proving if self._every(one.facet) == shortest]

    def _is_silent(self, regular: list[Attempt]) -> bool:
        """Whether none of these was answered, and nothing else since they were last."""
        if any(one.answered for one in regular):
            return False
        told = [one.observed_at for attempt in regular for one in self._kept.get(attempt.facet, {}).values()]
        # An answer of the same time as their last one proves nothing of what came after.
        pause = timedelta(seconds=self._every(regular[0].facet) + self._instance.block.deadline)
        return not any(one.answered and (not told or one.at.wall > max(told) + pause) for one in self._attempts)

    def _every(self, facet: Facet) -> float:
        return self._configuration.every_of(self._instance, facet)

    def _patience(self, facet: Facet) -> timedelta:
        """How long after an attempt its outcome still says something of the present."""
        due = self._every(facet) + self._instance.block.deadline
        return timedelta(seconds=max(due, self._configuration.freshness_of(facet).fresh_for))

    # --- what is amiss -----------------------------------------------------------------------------------------------

    def _lost_parts(self, attempt: Attempt) -> frozenset[str]:
        """Parts that were told before, are published still, and are now said not to be had."""
        refused = {problem.part for problem in attempt.not_offered}
        kept = self._kept.get(attempt.facet, {})
        return frozenset(
            part for part, one in kept.items() if ("" in refused or part in refused) and self._is_published(one)
        )

    def _stale(self) -> dict[Facet, frozenset[str]]:
        """Parts of which nothing newer came although no attempt failed."""
        found = {}
        for facet, parts in self._kept.items():
            freshness = self._configuration.freshness_of(facet)
            failing = self._failing.get(facet, frozenset())
            found[facet] = frozenset(
                part
                for part, one in parts.items()
                if not freshness.is_fresh(one.observed_at, self._now)
                and self._is_published(one)
                and "" not in failing
                and part not in failing | self._lost.get(facet, frozenset())
            )
        return found

    def _is_published(self, one: Observed) -> bool:
        return self._configuration.freshness_of(one.facet).expires_at(one.observed_at) > self._now

    def _all_kept(self) -> Iterable[Observed]:
        return (one for parts in self._kept.values() for one in parts.values())

    def _amiss(self, found: Mapping[Facet, frozenset[str]]) -> Iterable[_Amiss]:
        for facet, parts in sorted(found.items()):
            if parts:
                kept = self._kept.get(facet, {})
                moments = [one.observed_at for part, one in kept.items() if "" in parts or part in parts]
                yield _Amiss(facet, parts, min(moments, default=None))

    # --- in words ----------------------------------------------------------------------------------------------------

    def _described(self, amiss: _Amiss) -> str:
        words = str(amiss.facet)
        if "" not in amiss.parts:
            words += f" of {self._counted(amiss)}"
        return f"{words} (last told {timestamp(amiss.since)})" if amiss.since else words

    def _counted(self, amiss: _Amiss) -> str:
        if amiss.facet not in PARTED_BY_PROJECT:
            return _number(len(amiss.parts), "part")
        communities = sorted(_communities_in(self._configuration.communities, self._instance.name, amiss.parts))
        others = len(amiss.parts) - sum(number for _, number in communities[:_NAMED])
        words = [name for name, _ in communities[:_NAMED]]
        return " and ".join([*words, *([_number(others, "other project" if words else "project")] if others else [])])


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _communities_in(
    communities: Iterable[Community], instance: str, projects: frozenset[str]
) -> Iterable[tuple[str, int]]:
    """The communities that work in some of these projects of an instance, each with in how many."""
    for community in communities:
        theirs = {
            part
            for part in projects
            for one in community.projects
            if one.instance == instance and is_of_project(part, one.project)
        }
        if theirs:
            yield community.name, len(theirs)
