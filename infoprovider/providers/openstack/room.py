"""How many more machines of each type the hosts hold: placement's amounts divided host by host.

The method was measured against starting machines until refused (docs/providers/openstack.md says what it cannot know).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from infoprovider.inventory.model import InstanceType, InstanceTypes, Room
from infoprovider.providers.openstack.flavors import Flavor, Request, is_sized, is_told_by_rows, specs_of, to_request
from infoprovider.providers.openstack.hosts import Host, Query, Store, Summary
from infoprovider.providers.openstack.settings import OpenStackSettings

AggregateMetadata: TypeAlias = Mapping[str, Mapping[str, str]]
"""The properties of a host's aggregates, by the host's id."""

Able: TypeAlias = Mapping[Request, frozenset[str] | None]
"""The hosts that can serve a request, for those that placement was asked about; None where it did not answer."""

AGGREGATE_FILTER = "AggregateInstanceExtraSpecsFilter"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSide:
    """All that room is computed from. `are_states_known` is whether a host that is down is known to be."""

    hosts: Sequence[Host]
    store: Store | None
    are_states_known: bool


def to_questions(flavors: Iterable[Flavor], hosts: Sequence[Host], settings: OpenStackSettings) -> dict[Request, Query]:
    """What placement has to be asked, by the request: which hosts can serve it.

    Not asked where the hosts' amounts already tell: no traits, and no host on which one machine would be too large
    for what a single request may have (its hardware, whatever the overcommitment).
    """
    requests = {to_request(flavor, settings) for flavor in flavors}
    return {request: to_query(request) for request in requests if _must_be_asked(request, hosts)}


def _must_be_asked(request: Request, hosts: Sequence[Host]) -> bool:
    if any(len(classes) > 1 for classes, _ in request.amounts):
        return False  # dedicated CPUs: nova itself asks twice, so neither answer alone is the truth
    if request.required or request.forbidden:
        return True
    return any(amount > _smallest(resource, hosts) for (resource,), amount in request.amounts)


def _smallest(resource: str, hosts: Sequence[Host]) -> int:
    """The most of a resource that one machine may have on any host; of a resource without known size, one."""
    return min((host.size.get(resource, 1) for host in hosts), default=1)


def to_query(request: Request) -> Query:
    """A request as placement's query; the root must belong to nova and not be disabled, as nova itself asks."""
    traits = [*sorted(request.required), *(f"!{trait}" for trait in sorted(request.forbidden))]
    resources = ",".join(f"{resource}:{amount}" for (resource,), amount in request.amounts)
    query = (("resources", resources), ("root_required", "OWNER_NOVA,!COMPUTE_STATUS_DISABLED"))
    return (*query, ("required", ",".join(traits))) if traits else query


def to_room(
    flavors: Iterable[Flavor],
    side: HostSide,
    able: Able,
    aggregates: AggregateMetadata | None,
    settings: OpenStackSettings,
) -> tuple[Room, ...]:
    """Room for each type.

    A type without a root disk of its own has none: how much disk its machines take depends on the image.
    """
    return tuple(
        to_room_of(flavor, side, able, aggregates, settings) for flavor in flavors if is_sized(flavor, settings)
    )


def to_room_of(
    flavor: Flavor,
    side: HostSide,
    able: Able,
    aggregates: AggregateMetadata | None,
    settings: OpenStackSettings,
) -> Room:
    """Room for one type, an upper bound where something decides that neither placement nor the site tells."""
    request = to_request(flavor, settings)
    serving = able.get(request, frozenset(host.id for host in side.hosts))
    hosts = [host for host in side.hosts if host.usable and (serving is None or host.id in serving)]
    further = set(settings.filters) - {AGGREGATE_FILTER}
    if AGGREGATE_FILTER in settings.filters and aggregates is not None:
        hosts = [host for host in hosts if suits_aggregates(specs_of(flavor), aggregates.get(host.id, {}))]
    elif AGGREGATE_FILTER in settings.filters:
        further.add(AGGREGATE_FILTER)
    machines = min(sum(machines_on(host, request, side.store) for host in hosts), _in_store(request, side.store))
    exact = request.is_whole and serving is not None and side.are_states_known and not further
    return Room(instance_type=flavor["id"], machines=int(machines), is_upper_bound=not exact)


def machines_on(host: Host, request: Request, store: Store | None) -> int:
    """The least over what is asked for; inside a host each provider is divided by itself, then they are added."""
    return min(
        sum(
            max(0, free) // amount
            for provider in host.tree
            for name, free in free_of(provider).items()
            if name in classes
        )
        for classes, amount in request.amounts
        if store is None or classes != ("DISK_GB",)
    )


def free_of(provider: Summary) -> dict[str, int]:
    """What is free of each resource class of one provider; negative where more is given than there is by now."""
    return {name: one["capacity"] - one["used"] for name, one in provider["resources"].items()}


def _in_store(request: Request, store: Store | None) -> float:
    """How many machines a common store holds, whichever hosts they are on."""
    disk = dict(request.amounts).get(("DISK_GB",), 0)
    return math.inf if store is None or not disk else max(0, store.capacity - store.used) // disk


def suits_aggregates(specs: Mapping[str, str], metadata: Mapping[str, str]) -> bool:
    """Whether a host's aggregates have what a type asks of them, as nova's filter of extra specs compares it."""
    scope = "aggregate_instance_extra_specs:"
    wanted = {name.removeprefix(scope): value for name, value in specs.items() if name.startswith(scope)}
    return all(value in metadata.get(name, "").split(",") for name, value in wanted.items())


# --- which classes of hosts ----------------------------------------------------------------------------------------


def with_pools(
    types: InstanceTypes, flavors: Iterable[Flavor], hosts: Sequence[Host], settings: OpenStackSettings
) -> InstanceTypes:
    """The types with the host classes on which their machines run; None where these are all that there are.

    Where some hosts of a class can serve a type and others of it cannot, its rows do not tell where machines run.
    """
    requests = {flavor["id"]: to_request(flavor, settings) for flavor in flavors}
    pools: dict[str, list[Host]] = {}
    for host in hosts:
        pools.setdefault(str(host.pool), []).append(host)
    return InstanceTypes(
        instance_types=tuple(_with_pools(one, requests[one.id], pools) for one in types.instance_types)
    )


def _with_pools(type_: InstanceType, request: Request, pools: Mapping[str, Sequence[Host]]) -> InstanceType:
    fitting = {pool: [can_serve(host, request) for host in members] for pool, members in pools.items()}
    some = tuple(sorted(pool for pool, fits in fitting.items() if any(fits)))
    is_mixed = any(not all(fitting[pool]) for pool in some)
    return replace(
        type_,
        pools=None if len(some) == len(pools) else some,
        placement_is_known=is_told_by_rows(request) and not is_mixed,
    )


def can_serve(host: Host, request: Request) -> bool:
    """Whether a machine could run on a host if that were empty: nothing larger than its hardware, and its traits."""
    traits = {trait for provider in host.tree for trait in provider["traits"]}
    if not request.required <= traits or request.forbidden & traits:
        return False
    return all(_has(host, classes, amount) for classes, amount in request.amounts)


def _has(host: Host, classes: Iterable[str], amount: int) -> bool:
    """A single request gets no more than the hardware has, whatever the overcommitment."""
    held = {name: one["capacity"] for provider in host.tree for name, one in provider["resources"].items()}
    return any(amount <= min(held[name], host.size.get(name, held[name])) for name in classes if name in held)
