"""The state of every facet and part: fresh, stale, failing, lost, expired, not offered; from the store alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rich.console import Console

from infoprovider.config.model import Configuration, Instance
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Observed, Outcome, Problem
from infoprovider.store.facets import Facets
from infoprovider.views.tables import UNKNOWN, age, new_table


class State(StrEnum):
    """How things stand with one part of a facet; what is lost was told before and is now said not to be had."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"
    FAILING = "failing"
    LOST = "lost"
    DECLARED = "declared"
    NOT_OFFERED = "not offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStatus:
    """One part of a facet of an instance.

    `observed_at` is None where there is no last good value; `reason` says why the last attempt brought nothing;
    `expires_at` is when it must no longer be published, None where it does not expire by itself.
    """

    instance: str
    facet: Facet
    part: str
    state: State
    observed_at: datetime | None = None
    expires_at: datetime | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()


def status_of(configuration: Configuration, facets: Facets, now: datetime) -> tuple[PartStatus, ...]:
    """The state of every part of every facet, by instance, facet and part."""
    return tuple(
        part for instance in configuration.instances for part in _instance_status(instance, configuration, facets, now)
    )


def _instance_status(
    instance: Instance, configuration: Configuration, facets: Facets, now: datetime
) -> Iterator[PartStatus]:
    outcome = facets.outcome(instance.name)
    observed = {(one.facet, one.part): one for one in facets.observations(instance.name)}
    failed = {(one.facet, one.part): one for one in outcome.failed} if outcome else {}
    not_offered = {(one.facet, one.part): one for one in outcome.not_offered} if outcome else {}
    declared = [
        *((facet, "") for facet in instance.declared),
        *((Facet.QUOTAS, project) for project in instance.quotas),
    ]
    for facet, part in declared:
        yield PartStatus(
            instance=instance.name,
            facet=facet,
            part=part,
            state=State.DECLARED,
            observed_at=configuration.loaded_at,
        )
    for key in sorted({*observed, *failed, *not_offered}):
        if key[0] in instance.declared or key in declared:
            continue
        if key in observed:
            # A facet that failed as a whole failed in each of its parts.
            problem = failed.get(key) or failed.get((key[0], ""))
            lost = not_offered.get(key) or not_offered.get((key[0], ""))
            yield _known(instance, configuration, observed[key], problem, lost, outcome, now)
        elif key in failed:
            if key[1] or not any(facet is key[0] for facet, _ in observed):
                yield _without_value(instance, key, State.FAILING, failed[key])
        else:
            yield _without_value(instance, key, State.NOT_OFFERED, not_offered[key])


def _known(
    instance: Instance,
    configuration: Configuration,
    observed: Observed,
    problem: Problem | None,
    lost: Problem | None,
    outcome: Outcome | None,
    now: datetime,
) -> PartStatus:
    freshness = configuration.freshness_of(observed.facet)
    described = outcome is not None and not outcome.measured
    expires_at = None if described else freshness.expires_at(observed.observed_at)
    if expires_at is not None and expires_at <= now:
        # What cannot be had is not missed for ever.
        state = State.NOT_OFFERED if lost is not None and problem is None else State.EXPIRED
    elif problem is not None:
        state = State.FAILING
    elif lost is not None and not described:
        state = State.LOST
    elif described or freshness.is_fresh(observed.observed_at, now):
        state = State.FRESH
    else:
        state = State.STALE
    return PartStatus(
        instance=instance.name,
        facet=observed.facet,
        part=observed.part,
        state=state,
        observed_at=observed.observed_at,
        expires_at=expires_at,
        reason=problem.reason if problem else lost.reason if lost else None,
        notes=observed.notes,
    )


def _without_value(instance: Instance, key: tuple[Facet, str], state: State, problem: Problem) -> PartStatus:
    return PartStatus(instance=instance.name, facet=key[0], part=key[1], state=state, reason=problem.reason)


def print_status(console: Console, parts: Sequence[PartStatus], now: datetime) -> None:
    """One row for each part; a reason is shown where something is amiss."""
    table = new_table("What is known, and how old it is")
    for heading in ("instance", "facet", "part", "state", "observed", "withheld after", "why"):
        table.add_column(heading, overflow="fold")
    former = ""
    for part in parts:
        if former and part.instance != former:
            table.add_section()
        table.add_row(
            part.instance if part.instance != former else "",
            part.facet,
            part.part,
            part.state,
            age(part.observed_at, now),
            part.expires_at.strftime("%Y-%m-%d %H:%M:%SZ") if part.expires_at else UNKNOWN if part.reason else "",
            (part.reason or "").partition("\n")[0],
        )
        former = part.instance
    console.print(table)
