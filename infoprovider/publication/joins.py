"""How several parts of one facet become one fact: what a manager tells in pieces, or each of many hosts of itself."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from infoprovider.inventory.model import (
    Capacity,
    Endorsements,
    Facet,
    HypervisorPool,
    Hypervisors,
    Images,
    InstanceTypes,
    Prices,
    Usage,
)
from infoprovider.mapping.context import Known, agreed, oldest_source, total

T = TypeVar("T")
K = TypeVar("K")

_SUMS_OF_CAPACITY = (
    "physical_cpus",
    "logical_cpus",
    "vcpus",
    "vcpus_used",
    "memory_mib",
    "memory_used_mib",
    "disk_gib",
    "disk_used_gib",
)


def joined(facet: Facet, known: list[Known[Any]]) -> Known[Any]:
    """One fact, as old as the oldest of its parts; where a facet has no parts by its nature, the first."""
    if len(known) == 1 or facet not in _JOINS:
        return known[0]
    return Known(_JOINS[facet]([one.value for one in known]), oldest_source(known))


def joined_by_project(known: Iterable[Known[Any]]) -> dict[str, Known[Any]]:
    """Quotas or usage of each project; what a project holds on several hosts is added up."""
    by_project: dict[str, list[Known[Any]]] = {}
    for one in known:
        by_project.setdefault(one.value.project, []).append(one)
    return {
        project: ones[0] if len(ones) == 1 else Known(_usage([one.value for one in ones]), oldest_source(ones))
        for project, ones in by_project.items()
    }


def _usage(values: list[Usage]) -> Usage:
    """The sum: not known where one part does not tell. How long starts take is not told of several hosts."""
    counts = {
        one.name: total(getattr(value, one.name) for value in values)
        for one in fields(Usage)
        if one.name not in ("project", "holding", "mean_start_up_s", "worst_start_up_s")
    }
    holding = [value.holding for value in values if value.holding is not None]
    is_told = len(holding) == len(values)
    summed: Counter[str] = sum(map(Counter, holding), Counter())
    return Usage(project=values[0].project, holding=dict(summed) if is_told else None, **counts)


def _capacity(values: list[Capacity]) -> Capacity:
    """The sum of hosts that each tell of themselves. Room for types is not the sum of what each part says of it."""
    sums: dict[str, Any] = {name: total(getattr(value, name) for value in values) for name in _SUMS_OF_CAPACITY}
    return Capacity(
        **sums,
        cpu_overcommit=agreed(value.cpu_overcommit for value in values),
        disk_is_shared=agreed(value.disk_is_shared for value in values),
        hosts=tuple(host for value in values for host in value.hosts),
    )


def _hypervisors(values: list[Hypervisors]) -> Hypervisors:
    """The classes of all parts; hosts of one class that several parts tell are added up, and the least size holds."""
    by_id: dict[str, list[HypervisorPool]] = {}
    for pool in _flat(value.pools for value in values):
        by_id.setdefault(pool.id, []).append(pool)
    return Hypervisors(pools=tuple(map(_pool, by_id.values())))


def _pool(same: list[HypervisorPool]) -> HypervisorPool:
    return replace(
        same[0],
        hosts=sum(pool.hosts for pool in same),
        hosts_unusable=total(pool.hosts_unusable for pool in same),
        hosts_in_use=total(pool.hosts_in_use for pool in same),
        memory_mib=min((pool.memory_mib for pool in same if pool.memory_mib is not None), default=None),
        disk_gib=min((pool.disk_gib for pool in same if pool.disk_gib is not None), default=None),
    )


def _flat(groups: Iterable[tuple[T, ...]]) -> list[T]:
    return [one for group in groups for one in group]


def _once(groups: Iterable[tuple[T, ...]], key: Callable[[T], object] = lambda one: one) -> tuple[T, ...]:
    """All of them; what several parts tell alike, a public image that every project sees, is one thing."""
    found: dict[object, T] = {}
    for one in _flat(groups):
        found.setdefault(key(one), one)
    return tuple(found.values())


_JOINS: Mapping[Facet, Callable[[list[Any]], Any]] = {
    Facet.CAPACITY: _capacity,
    Facet.HYPERVISORS: _hypervisors,
    Facet.INSTANCE_TYPES: lambda values: InstanceTypes(instance_types=_once(one.instance_types for one in values)),
    Facet.IMAGES: lambda values: Images(images=_once((one.images for one in values), lambda image: image.id)),
    Facet.NETWORKS: lambda values: replace(values[0], networks=_once(one.networks for one in values)),
    Facet.ENDORSEMENTS: lambda values: Endorsements(endorsements=_once(one.endorsements for one in values)),
    Facet.PRICES: lambda values: Prices(prices=_once(one.prices for one in values)),
}
"""A facet that is not here has one part."""
