"""What was observed of a VM manager, and how the last attempt to observe it went."""

from dataclasses import dataclass
from datetime import datetime

from infoprovider.inventory.model import Facet, FacetValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One part of a facet as the manager told it.

    `part` is the unit of last-good inside a facet (project, host, region), `observed_at` aware UTC, when the manager
    answered; `calls` which calls gave it; `notes` are for the operator and never published.
    """

    facet: Facet
    value: FacetValue
    part: str = ""
    observed_at: datetime
    calls: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One part of a facet that did not come, and why."""

    facet: Facet
    part: str = ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the last collection of an instance went.

    `measured` is whether an answer proves that the manager is alive: a description that is read from a file does not.
    `failed` should have been answered; `not_offered` cannot be, and says nothing against the manager's health.
    """

    began: datetime
    ended: datetime
    measured: bool
    answered: int
    failed: tuple[Problem, ...] = ()
    not_offered: tuple[Problem, ...] = ()
