"""How old a healthy entity may be where a broker reads it: at the top of a chain of BDIIs.

An observation may be as old as the pause between two collections and the time that one may take; an unchanged entity
waits for its refresh grid before it takes the newer stamp; and every BDII on the way up hands on what it read one pause
ago. All of this must fit into the entity's Validity.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from infoprovider.config.model import Configuration, Instance
from infoprovider.inventory.model import Facet
from infoprovider.mapping.context import DYNAMIC, SLOW, refresh_period

PAUSE = 120
"""Seconds between two cycles of a BDII as it is packaged (BDII_BREATHE_TIME)."""

LEVELS = 3
"""Resource, site and top."""

VALIDITY: Mapping[Facet, int] = {
    Facet.USAGE: DYNAMIC,
    Facet.QUOTAS: DYNAMIC,
    Facet.CAPACITY: DYNAMIC,
    Facet.MANAGER: DYNAMIC,
    Facet.INSTANCE_TYPES: SLOW,
    Facet.HYPERVISORS: SLOW,
    Facet.IMAGES: SLOW,
}
"""The Validity, in seconds, of the entities that take their CreationTime from a facet (docs/freshness.md)."""


@dataclass(frozen=True, slots=True)
class Way:
    """What makes up the greatest age, in seconds, of a healthy entity that is defined by a facet of an instance."""

    facet: Facet
    every: float
    deadline: float

    @property
    def validity(self) -> int:
        """How long the entity may be believed."""
        return VALIDITY[self.facet]

    @property
    def refresh(self) -> int:
        """How long an unchanged entity may wait for its newer stamp."""
        return refresh_period(self.validity)

    @property
    def age(self) -> float:
        """The greatest age at the top."""
        return self.refresh + self.every + self.deadline + LEVELS * PAUSE

    @property
    def left(self) -> float:
        """What the Validity leaves for `every` and `deadline` together."""
        return self.validity - self.refresh - LEVELS * PAUSE


def ways(configuration: Configuration, instance: Instance, told: Collection[Facet]) -> Iterator[Way]:
    """The way of every facet that the instance's manager can tell and that defines entities.

    What the operator declares is left out: it is as old as the configuration.
    """
    for facet in VALIDITY:
        if facet in told and facet not in instance.declared:
            yield Way(facet, configuration.every_of(instance, facet), instance.block.deadline)
