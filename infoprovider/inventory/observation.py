"""What was observed of a VM manager, and how the last attempts to observe it went."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from infoprovider.clock import Reading
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
    """One part of a facet that did not come, and why.

    `plug_in` is whether the provider itself failed: that says nothing of the manager.
    """

    facet: Facet
    part: str = ""
    reason: str
    plug_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The last attempt at one facet: when it ended, how many parts came, what failed, and what cannot be had at all.

    `failed` should have been answered; `not_offered` cannot be, and says nothing against the manager's health.
    """

    facet: Facet
    at: Reading
    answered: int
    failed: tuple[Problem, ...] = ()
    not_offered: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the last attempts at an instance went, one for each facet that was ever asked for.

    `measured` is whether an answer proves that the manager is alive: a description that is read from a file does not.
    """

    measured: bool
    attempts: tuple[Attempt, ...]

    @property
    def ended(self) -> datetime | None:
        """When the last attempt ended; None where nothing was ever asked."""
        return max((attempt.at.wall for attempt in self.attempts), default=None)

    @property
    def answered(self) -> int:
        """How many parts came at the last attempts."""
        return sum(attempt.answered for attempt in self.attempts)

    @property
    def failed(self) -> tuple[Problem, ...]:
        """What failed at the last attempts."""
        return tuple(problem for attempt in self.attempts for problem in attempt.failed)

    @property
    def not_offered(self) -> tuple[Problem, ...]:
        """What cannot be had."""
        return tuple(problem for attempt in self.attempts for problem in attempt.not_offered)

    def attempt(self, facet: Facet) -> Attempt | None:
        """The last attempt at a facet; None where there was none."""
        return next((attempt for attempt in self.attempts if attempt.facet is facet), None)

    def followed_by(self, attempts: Iterable[Attempt]) -> "Outcome":
        """The outcome after further attempts: each takes the place of the former one at its facet."""
        by_facet = {attempt.facet: attempt for attempt in (*self.attempts, *attempts)}
        return Outcome(measured=self.measured, attempts=tuple(by_facet[facet] for facet in sorted(by_facet)))
