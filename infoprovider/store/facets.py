"""What the composer reads: the last good part of every facet, and how each instance's last collection went."""

from collections.abc import Sequence
from typing import Protocol

from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Observed, Outcome


class Facets(Protocol):
    """Where last-good parts and outcomes are found by instance."""

    def observations(self, instance: str) -> Sequence[Observed]:
        """The last good parts of all facets of an instance, in a stable order."""
        ...

    def outcome(self, instance: str) -> Outcome | None:
        """How the last collection of an instance went; None before the first."""
        ...


class MemoryFacets:
    """Facets for one run, kept nowhere."""

    def __init__(self) -> None:
        self._observations: dict[str, dict[tuple[Facet, str], Observed]] = {}
        self._outcomes: dict[str, Outcome] = {}

    def keep(self, instance: str, observed: Observed) -> None:
        """Take an observation in the place of the former one of its part."""
        self._observations.setdefault(instance, {})[observed.facet, observed.part] = observed

    def conclude(self, instance: str, outcome: Outcome) -> None:
        """Take how the collection went in the place of the former outcome."""
        self._outcomes[instance] = outcome

    def retain(self, instance: str, facet: Facet, parts: frozenset[str]) -> None:
        """Forget the parts of a facet that are not among these."""
        known = self._observations.get(instance, {})
        self._observations[instance] = {
            key: one for key, one in known.items() if key[0] is not facet or key[1] in parts
        }

    def observations(self, instance: str) -> Sequence[Observed]:
        """The observations of an instance, by facet and part."""
        return [one for _, one in sorted(self._observations.get(instance, {}).items())]

    def outcome(self, instance: str) -> Outcome | None:
        """How the collection went; None before it was concluded."""
        return self._outcomes.get(instance)
