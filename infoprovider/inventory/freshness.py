"""How often a facet is asked for, when it was observed, and how long it may be used."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from infoprovider.inventory.model import Facet

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0

DYNAMIC = frozenset({Facet.CAPACITY, Facet.QUOTAS, Facet.USAGE, Facet.MACHINES})
"""The facets that change whenever a machine is started or ended."""

_POLICY_LIKE = frozenset({Facet.TRUST, Facet.ENDORSEMENTS, Facet.PRICES})


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a facet may get, in seconds: `fresh_for` till it is stale, `publish_for` till it is withheld."""

    fresh_for: float
    publish_for: float

    def is_fresh(self, observed_at: datetime, now: datetime) -> bool:
        """Whether what was observed then still counts as fresh."""
        return now - observed_at <= timedelta(seconds=self.fresh_for)

    def expires_at(self, observed_at: datetime) -> datetime:
        """The moment from which the facet is withheld."""
        return observed_at + timedelta(seconds=self.publish_for)


def default_freshness(facet: Facet) -> Freshness:
    """What holds for a facet where the configuration says nothing (docs/freshness.md)."""
    if facet in DYNAMIC:
        return Freshness(fresh_for=5 * MINUTE, publish_for=6 * HOUR)
    if facet in _POLICY_LIKE:
        return Freshness(fresh_for=DAY, publish_for=7 * DAY)
    return Freshness(fresh_for=30 * MINUTE, publish_for=DAY)


def default_every(facet: Facet) -> float:
    """How often a facet is asked for, in seconds, where the configuration says nothing."""
    if facet in DYNAMIC:
        return 2 * MINUTE
    return HOUR if facet in _POLICY_LIKE else 10 * MINUTE


def oldest(moments: Iterable[datetime]) -> datetime:
    """The earliest of several observations: what is made of several facts is as old as the oldest of them.

    Raises ValueError where there is none.
    """
    return min(moments)
