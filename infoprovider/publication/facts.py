"""From what was last known of an instance to the facts that the mappers take: expired facets are left out here."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from infoprovider.config.model import Configuration, Instance
from infoprovider.glue.document import Source, Withheld
from infoprovider.inventory.model import PARTED_BY_PROJECT, Facet, Quotas, Usage
from infoprovider.inventory.observation import Observed, Outcome
from infoprovider.mapping.context import CentreContext, InstanceFacts, Known
from infoprovider.mapping.identifiers import Identifiers
from infoprovider.publication.health import health_of
from infoprovider.publication.joins import joined, joined_by_project
from infoprovider.store.facets import Facets


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
    by_project: dict[Facet, Mapping[str, Known[Any]]] = {
        facet: joined_by_project(
            Known(observed.value, _source(instance, observed)) for observed in usable if observed.facet is facet
        )
        for facet in PARTED_BY_PROJECT
    }
    by_project[Facet.QUOTAS] = {**by_project[Facet.QUOTAS], **_declared_quotas(instance, configuration)}
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


def _declared_quotas(instance: Instance, configuration: Configuration) -> dict[str, Known[Quotas]]:
    """Quotas that the operator declares stand before what the manager tells of the same project."""
    found = {}
    for project, quotas in instance.quotas.items():
        at = configuration.loaded_at
        source = Source(facet=Facet.QUOTAS, instance=instance.name, part=project, observed_at=at, declared=True)
        found[project] = Known(quotas, source)
    return found


def _withheld_projects(
    kept: Iterable[Observed], by_project: Mapping[Facet, Mapping[str, Known[Any]]]
) -> Mapping[str, str]:
    """The projects of which everything that is known has expired: they are there, and sums without them are no sums."""
    last: dict[str, datetime] = {}
    for one in kept:
        if isinstance(one.value, Quotas | Usage) and not any(
            one.value.project in known for known in by_project.values()
        ):
            project = one.value.project
            last[project] = max(one.observed_at, last.get(project, one.observed_at))
    return {
        project: f"what it told of it last, at {moment:%Y-%m-%d %H:%M:%SZ}, has expired"
        for project, moment in last.items()
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
    return {facet: joined(facet, known) for facet, known in parts.items()}


def _source(instance: Instance, observed: Observed) -> Source:
    return Source(
        facet=observed.facet,
        instance=instance.name,
        part=observed.part,
        observed_at=observed.observed_at,
        calls=observed.calls,
    )


def _first_reason(outcome: Outcome | None) -> str:
    if outcome is None:
        return ": it was never asked"
    return next((f": {one.reason}" for one in outcome.failed if one.facet is Facet.MANAGER), "")
