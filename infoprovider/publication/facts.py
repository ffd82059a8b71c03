"""From what was last known of an instance to the facts that the mappers take: expired facets are left out here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from infoprovider.config.model import Configuration, Instance
from infoprovider.glue.document import Source, Withheld
from infoprovider.inventory.model import (
    PARTED_BY_PROJECT,
    Endorsements,
    Facet,
    Hypervisors,
    Images,
    InstanceTypes,
    Prices,
)
from infoprovider.inventory.observation import Observed, Outcome
from infoprovider.mapping.context import CentreContext, InstanceFacts, Known, oldest_source
from infoprovider.mapping.identifiers import Identifiers
from infoprovider.publication.health import health_of
from infoprovider.store.facets import Facets

T = TypeVar("T")


def facts_of(
    instance: Instance, configuration: Configuration, context: CentreContext, facets: Facets
) -> InstanceFacts | Withheld:
    """Everything known of an instance; `Withheld` where not even its manager is known."""
    outcome = facets.outcome(instance.name)
    kept = facets.observations(instance.name)
    usable = [observed for observed in kept if expires_at(observed, outcome, configuration, context.now) > context.now]
    known = _by_facet(instance, usable, configuration)
    manager = known.pop(Facet.MANAGER, None)
    if manager is None:
        expired = any(observed.facet is Facet.MANAGER for observed in kept)
        what = "what is known has expired" if expired else "nothing is known"
        return Withheld(
            "ComputingService",
            Identifiers(configuration.centre.name, instance.name).of("ComputingService"),
            f"{what} of the VM manager of instance {instance.name}{_first_reason(outcome)}",
            expired=expired,
        )
    by_project: Mapping[Facet, Mapping[str, Known[Any]]] = {
        facet: {
            observed.part: Known(observed.value, _source(instance, observed))
            for observed in usable
            if observed.facet is facet
        }
        for facet in PARTED_BY_PROJECT
    }
    given: Mapping[str, Any] = {str(facet): one for facet, one in known.items() if facet is not Facet.MACHINES}
    return InstanceFacts(
        context=context,
        block=instance.block,
        health=health_of(instance, configuration, outcome, kept, manager.source, context.now),
        manager=manager,
        quotas=by_project[Facet.QUOTAS],
        usage=by_project[Facet.USAGE],
        withheld_projects=_withheld_projects(kept, by_project),
        **given,
    )


def _withheld_projects(
    kept: Iterable[Observed], by_project: Mapping[Facet, Mapping[str, Known[Any]]]
) -> Mapping[str, str]:
    """The projects of which everything that is known has expired: they are there, and sums without them are no sums."""
    last: dict[str, datetime] = {}
    for one in kept:
        if one.facet in PARTED_BY_PROJECT and not any(one.part in known for known in by_project.values()):
            last[one.part] = max(one.observed_at, last.get(one.part, one.observed_at))
    return {
        part: f"what it told of it last, at {moment:%Y-%m-%d %H:%M:%SZ}, has expired" for part, moment in last.items()
    }


def expires_at(observed: Observed, outcome: Outcome | None, configuration: Configuration, now: datetime) -> datetime:
    """When an observation must no longer be published.

    A description that was read from a file holds until it is changed: it ages from when it was last read.
    """
    freshness = configuration.freshness_of(observed.facet)
    if outcome is not None and not outcome.measured:
        return max(observed.observed_at, now) + timedelta(seconds=freshness.publish_for)
    return freshness.expires_at(observed.observed_at)


def _by_facet(instance: Instance, usable: Iterable[Observed], configuration: Configuration) -> dict[Facet, Known[Any]]:
    """One fact for each facet that has no parts by project; what the operator declares stands before what was told."""
    parts: dict[Facet, list[Known[Any]]] = {}
    for observed in usable:
        if observed.facet not in PARTED_BY_PROJECT:
            parts.setdefault(observed.facet, []).append(Known(observed.value, _source(instance, observed)))
    for facet, value in instance.declared.items():
        source = Source(facet=facet, instance=instance.name, observed_at=configuration.loaded_at, declared=True)
        parts[facet] = [Known(value, source)]
    return {facet: _joined(facet, known) for facet, known in parts.items()}


def _source(instance: Instance, observed: Observed) -> Source:
    return Source(
        facet=observed.facet,
        instance=instance.name,
        part=observed.part,
        observed_at=observed.observed_at,
        calls=observed.calls,
    )


_JOINS: Mapping[Facet, Callable[[list[Any]], Any]] = {
    Facet.HYPERVISORS: lambda values: Hypervisors(pools=_flat(one.pools for one in values)),
    Facet.INSTANCE_TYPES: lambda values: InstanceTypes(instance_types=_flat(one.instance_types for one in values)),
    Facet.IMAGES: lambda values: Images(images=_flat(one.images for one in values)),
    Facet.NETWORKS: lambda values: replace(values[0], networks=_flat(one.networks for one in values)),
    Facet.ENDORSEMENTS: lambda values: Endorsements(endorsements=_flat(one.endorsements for one in values)),
    Facet.PRICES: lambda values: Prices(prices=_flat(one.prices for one in values)),
}
"""How parts of one facet become one fact; a facet that is not here has one part."""


def _joined(facet: Facet, known: list[Known[Any]]) -> Known[Any]:
    if len(known) == 1 or facet not in _JOINS:
        return known[0]
    return Known(_JOINS[facet]([one.value for one in known]), oldest_source(known))


def _flat(groups: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    """All of them; what several parts tell alike, a public image that every project sees, is one thing."""
    return tuple(dict.fromkeys(one for group in groups for one in group))


def _first_reason(outcome: Outcome | None) -> str:
    if outcome is None:
        return ": it was never asked"
    return next((f": {one.reason}" for one in outcome.failed if one.facet is Facet.MANAGER), "")
