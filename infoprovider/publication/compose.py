"""From what is last known to the current document: map, prune, stamp. Every channel and view reads what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from infoprovider.config.model import Configuration
from infoprovider.glue.document import Document, Source, Withheld
from infoprovider.inventory.freshness import default_freshness, oldest
from infoprovider.inventory.model import Facet
from infoprovider.mapping.centre import map_centre
from infoprovider.mapping.context import CentreContext, InstanceFacts
from infoprovider.publication.facts import expires_at, facts_of
from infoprovider.publication.stamps import Former, Stamp, stamped
from infoprovider.store.facets import Facets


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

    Raises MappingError where two entities have one ID.
    """
    context = CentreContext(
        centre=configuration.centre,
        communities=configuration.communities,
        publication=configuration.publication,
        configuration=Source(facet="configuration", observed_at=configuration.loaded_at, declared=True),
        now=now,
    )
    found = [facts_of(instance, configuration, context, facets) for instance in configuration.instances]
    document = map_centre(
        context,
        [one for one in found if isinstance(one, InstanceFacts)],
        [one for one in found if isinstance(one, Withheld)],
    )
    document, stamps = stamped(document, former, now)
    return Composition(
        document=document,
        stamps=stamps,
        composed_at=now,
        oldest_observation=oldest(source.observed_at for made in document.made for source in made.made_of),
        expires_at=_expiry(configuration, facets, now),
    )


def _expiry(configuration: Configuration, facets: Facets, now: datetime) -> datetime:
    """When the document must no longer be handed out: when the first of its facets is to be withheld."""
    moments = [
        expires_at(observed, facets.outcome(instance.name), configuration, now)
        for instance in configuration.instances
        for observed in facets.observations(instance.name)
    ]
    ahead = [moment for moment in moments if moment > now]
    return min(ahead, default=now + timedelta(seconds=default_freshness(Facet.MANAGER).publish_for))
