"""From what is last known to the current document: map, prune, stamp. Every channel and view reads what comes out."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from infoprovider.config.model import Configuration, Instance
from infoprovider.errors import StoreError
from infoprovider.glue.document import Document, Source, Withheld
from infoprovider.inventory.freshness import default_freshness, oldest
from infoprovider.inventory.model import Facet
from infoprovider.mapping.centre import map_centre
from infoprovider.mapping.context import CentreContext, InstanceFacts
from infoprovider.publication.carry import service_of
from infoprovider.publication.facts import expires_at, facts_of
from infoprovider.publication.quarantine import Mapped, mapped
from infoprovider.publication.stamps import Former, Stamp, stamped
from infoprovider.store.facets import Facets

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """The current document with what its renderings need: its stamps by ID, its oldest fact, and its expiry."""

    document: Document
    stamps: Mapping[str, Stamp]
    composed_at: datetime
    oldest_observation: datetime
    expires_at: datetime


def compose(configuration: Configuration, facets: Facets, former: Former, now: datetime) -> Composition:
    """Compose the document of the centre. The same facets, stamps and moment give the same document.

    An instance that cannot be mapped is withheld, an object that cannot be is quarantined; all others are there.
    """
    context = CentreContext(
        centre=configuration.centre,
        communities=configuration.communities,
        publication=configuration.publication,
        configuration=Source(facet="configuration", observed_at=configuration.loaded_at, declared=True),
        now=now,
    )
    found = [_mapped(instance, configuration, context, facets) for instance in configuration.instances]
    document = map_centre(
        context,
        [one.made for one in found],
        [withheld for one in found for withheld in one.withheld],
        [quarantined for one in found for quarantined in one.quarantined],
    )
    document, stamps = stamped(document, former, now)
    return Composition(
        document=document,
        stamps=stamps,
        composed_at=now,
        oldest_observation=oldest(source.observed_at for made in document.made for source in made.made_of),
        expires_at=_expiry(configuration, facets, now),
    )


def _mapped(instance: Instance, configuration: Configuration, context: CentreContext, facets: Facets) -> Mapped:
    """What an instance became, whatever is wrong with its facts."""
    try:
        facts = facts_of(instance, configuration, context, facets)
        return mapped(facts) if isinstance(facts, InstanceFacts) else Mapped(withheld=(facts,))
    except StoreError as error:
        why = f"what is known of instance {instance.name} cannot be read: {error}"
        return Mapped(withheld=(Withheld("ComputingService", service_of(configuration, instance), why),))
    except Exception as error:  # one instance must not take the others along
        log.exception("instance %s cannot be mapped", instance.name)
        why = f"what is known of instance {instance.name} cannot be mapped: {type(error).__name__}: {error}"
        id_ = service_of(configuration, instance)
        return Mapped(withheld=(Withheld("ComputingService", id_, f"{why}; the log has the details"),))


def _expiry(configuration: Configuration, facets: Facets, now: datetime) -> datetime:
    """When the document must no longer be handed out: when the first of its facets is to be withheld."""
    moments: list[datetime] = []
    for instance in configuration.instances:
        # What cannot be read is not in the document either.
        with suppress(StoreError):
            outcome = facets.outcome(instance.name)
            kept = facets.observations(instance.name)
            moments += (expires_at(observed, outcome, configuration, now) for observed in kept)
    ahead = [moment for moment in moments if moment > now]
    return min(ahead, default=now + timedelta(seconds=default_freshness(Facet.MANAGER).publish_for))
