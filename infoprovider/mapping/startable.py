"""How many more machines of a type a project could start right now.

The least of what the project's quota leaves and of what the hosts hold. Hosts are divided one by one and then added:
dividing a sum would count room that no single host has (docs/startable-now.md).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from infoprovider.inventory.model import (
    Accelerator,
    Capacity,
    DeviceCount,
    HostCapacity,
    HypervisorPool,
    InstanceType,
    Limit,
    Networks,
    Ownership,
    Quotas,
    Usage,
)
from infoprovider.mapping.fitting import pools_of


@dataclass(frozen=True, slots=True)
class Startable:
    """A number of machines; `is_upper_bound` where something that could lower it is not known."""

    machines: int
    is_upper_bound: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """At most so many machines: infinite where nothing binds, `known` False where something unread could."""

    machines: float
    known: bool = True


_UNBOUND = Bound(math.inf)
_UNREAD = Bound(math.inf, known=False)


def startable(
    instance_type: InstanceType,
    quotas: Quotas | None,
    usage: Usage | None,
    hosts: Bound,
    networks: Networks | None,
) -> Startable | None:
    """The number for one type in one project, None where it cannot be known; `hosts` is the type's `host_bound`.

    A type without a root disk has no number unless the cloud boots it from volumes (cloud-mapping 0.14). What bounds
    only a machine's network makes no number: it says nothing of how many machines a project may have.
    """
    if _takes_its_images_disk(instance_type):
        return None
    machines = _least([*_quota_terms(instance_type, quotas, usage, networks), hosts])
    least = _least([machines, *_network_terms(quotas, usage, networks)])
    if least.machines and (machines.machines == math.inf or not instance_type.devices_are_told):
        return None
    return Startable(int(least.machines), is_upper_bound=not least.known)


def _least(bounds: Iterable[Bound]) -> Bound:
    """The bound that binds; nothing can be lower than none, whatever else is not known."""
    found = list(bounds)
    machines = min(bound.machines for bound in found)
    return Bound(machines, known=machines == 0 or all(bound.known for bound in found))


def held_when_empty(
    instance_type: InstanceType, capacity: Capacity | None, pools: tuple[HypervisorPool, ...]
) -> tuple[int, int] | None:
    """Machines of a type that all hosts could hold if they were empty, and how many of those unusable hosts could.

    None where single hosts are not known, or not well enough.
    """
    if capacity is None or not capacity.hosts or not _is_told_by_hosts(instance_type, capacity):
        return None
    if _takes_its_images_disk(instance_type):
        return None
    hosts, known = _candidates(instance_type, capacity.hosts, pools)
    shared = bool(capacity.disk_is_shared)
    rooms = [(host.usable, _room(_whole_host(host), instance_type, disk_is_shared=shared)) for host in hosts]
    store = _shared_disk(instance_type, capacity.disk_gib) if shared else _UNBOUND
    if not known or not store.known or not all(room.known for _, room in rooms):
        return None
    everywhere = min(sum(room.machines for _, room in rooms), store.machines)
    unusable = sum(room.machines for usable, room in rooms if not usable)
    return None if everywhere == math.inf else (int(everywhere), int(min(unusable, everywhere)))


@dataclass(frozen=True, slots=True)
class _Space:
    """What there is on one host: all of it, or what is free."""

    vcpus: int
    memory_mib: int
    disk_gib: float | None
    devices: tuple[tuple[DeviceCount, int], ...]


def _whole_host(host: HostCapacity) -> _Space:
    devices = tuple((device, device.total) for device in host.devices)
    return _Space(host.vcpus, host.memory_mib, host.disk_gib, devices)


def _free_on(host: HostCapacity) -> _Space:
    devices = tuple((device, device.total - device.used) for device in host.devices)
    disk = _left(host.disk_gib, host.disk_used_gib)
    return _Space(host.vcpus - host.vcpus_used, host.memory_mib - host.memory_used_mib, disk, devices)


def _takes_its_images_disk(instance_type: InstanceType) -> bool:
    """Whether a machine's root disk is as large as its image, so that no number holds for all images."""
    return instance_type.disk_gib == 0 and not instance_type.boots_from_volume


def needed_disk(instance_type: InstanceType) -> float | None:
    """GiB of local disk that a machine takes on its host, swap in whole ones; None where it is not known."""
    root = 0 if instance_type.boots_from_volume else instance_type.disk_gib
    if root is None:
        return None
    return root + (instance_type.ephemeral_gib or 0) + math.ceil((instance_type.swap_mib or 0) / 1024)


def accelerators(instance_type: InstanceType) -> int:
    """Devices that a machine of the type takes."""
    return sum(one.number for one in instance_type.accelerators)


def quota_left(limit: Limit | float, used: float | None) -> float | None:
    """What a quota leaves: infinite where it is unlimited, never negative, None where it cannot be read."""
    if limit == "unlimited":
        return math.inf
    if limit is None or used is None or isinstance(limit, str):
        return None
    return max(0.0, limit - used)


def _quota_terms(
    instance_type: InstanceType, quotas: Quotas | None, usage: Usage | None, networks: Networks | None
) -> Iterable[Bound]:
    if quotas is None:
        yield _UNREAD
        return
    addresses = 1 if networks is not None and networks.public_ipv4 == "always" else 0
    used = usage or Usage(project=quotas.project)
    demands: tuple[tuple[Limit | float, float | None, float | None], ...] = (
        (quotas.instances, used.instances, 1),
        # A manager that gives a machine part of a CPU counts that part in its quotas as well.
        (quotas.vcpus, used.vcpus, _cpu_demand(instance_type)),
        (quotas.memory_mib, used.memory_mib, instance_type.memory_mib),
        (quotas.disk_gib, used.disk_gib, needed_disk(instance_type)),
        (quotas.accelerators, used.accelerators, accelerators(instance_type)),
        (quotas.public_addresses, used.public_addresses, addresses),
    )
    for limit, amount, demand in demands:
        if demand == 0 or limit == "unlimited":
            continue
        left = quota_left(limit, amount)
        yield _UNREAD if left is None or demand is None else Bound(_whole(left, demand))


def host_bound(instance_type: InstanceType, capacity: Capacity | None, pools: tuple[HypervisorPool, ...]) -> Bound:
    """How many machines of a type the hosts still hold, whoever starts them."""
    if capacity is None:
        return _UNREAD
    told = next((room for room in capacity.room if room.instance_type == instance_type.id), None)
    if told is not None:
        return Bound(told.machines, known=not told.is_upper_bound)
    bounds = [_rows(instance_type, capacity, pools) if capacity.hosts else _whole_cloud(instance_type, capacity)]
    if capacity.disk_is_shared:
        bounds.append(_shared_disk(instance_type, _left(capacity.disk_gib, capacity.disk_used_gib)))
    return _least(bounds)


def _rows(instance_type: InstanceType, capacity: Capacity, pools: tuple[HypervisorPool, ...]) -> Bound:
    is_told = _is_told_by_hosts(instance_type, capacity)
    # Devices that no host tells of are not known to be absent: the rest of the type is still a bound.
    asked = instance_type if is_told else replace(instance_type, accelerators=())
    usable = [host for host in capacity.hosts if host.usable]
    hosts, known = _candidates(instance_type, usable, pools)
    rooms = [_room(_free_on(host), asked, disk_is_shared=bool(capacity.disk_is_shared)) for host in hosts]
    known = known and is_told and all(room.known for room in rooms)
    return Bound(sum(room.machines for room in rooms), known)


def _is_told_by_hosts(instance_type: InstanceType, capacity: Capacity) -> bool:
    """Whether all that the type asks for is something that host capacity shows."""
    if not instance_type.accelerators:
        return instance_type.placement_is_known
    told = {device.type for host in capacity.hosts for device in host.devices}
    return instance_type.placement_is_known and all(wanted.type in told for wanted in instance_type.accelerators)


def _candidates(
    instance_type: InstanceType, hosts: Iterable[HostCapacity], pools: tuple[HypervisorPool, ...]
) -> tuple[list[HostCapacity], bool]:
    """The hosts that machines of the type may run on, and whether each surely is one of them."""
    ruled_out = {pool.id for pool in pools}.difference(pool.id for pool in pools_of(instance_type, pools))
    named = instance_type.pools
    found = [
        host
        for host in hosts
        if host.pool is None or (host.pool not in ruled_out and (named is None or host.pool in named))
    ]
    return found, named is None or all(host.pool is not None for host in found)


def _cpu_demand(instance_type: InstanceType) -> float:
    return instance_type.vcpus if instance_type.cpu_capacity is None else instance_type.cpu_capacity


def _room(space: _Space, instance_type: InstanceType, *, disk_is_shared: bool) -> Bound:
    """How many machines of a type go into one host's space: the least over its resources."""
    machines = min(
        _whole(space.vcpus, _cpu_demand(instance_type)),
        _whole(space.memory_mib, instance_type.memory_mib),
    )
    disk = 0 if disk_is_shared else needed_disk(instance_type)
    known = disk == 0 or (disk is not None and space.disk_gib is not None)
    if disk and space.disk_gib is not None:
        machines = min(machines, _whole(space.disk_gib, disk))
    for wanted in instance_type.accelerators:
        devices = [(device, number) for device, number in space.devices if device.type == wanted.type]
        free = sum(number for device, number in devices if _is_wanted(device, wanted))
        machines = min(machines, _whole(free, wanted.number))
        known = known and (wanted.model is None or all(device.model is not None for device, _ in devices))
    return Bound(machines, known)


def _is_wanted(device: DeviceCount, wanted: Accelerator) -> bool:
    """A device of a model that is not told may be the wanted one."""
    return wanted.model is None or device.model in (None, wanted.model)


def _whole(free: float, needed: float) -> float:
    """How often what is needed goes into what is free; infinite where nothing is needed."""
    # A tenth of a CPU goes into one CPU ten times, although its float is a little more than a tenth.
    return max(0, math.floor(free / needed + 1e-9)) if needed > 0 else math.inf


def _left(whole: float | None, used: float | None) -> float | None:
    return None if whole is None or used is None else whole - used


def _shared_disk(instance_type: InstanceType, space: float | None) -> Bound:
    """One common store bounds the whole cloud once, not each host."""
    disk = needed_disk(instance_type)
    if disk == 0:
        return _UNBOUND
    return _UNREAD if disk is None or space is None else Bound(_whole(space, disk))


def _whole_cloud(instance_type: InstanceType, capacity: Capacity) -> Bound:
    """Without rows for single hosts, the free sums are all that is known: never less than the truth."""
    spaces = (
        (_left(capacity.vcpus, capacity.vcpus_used), _cpu_demand(instance_type)),
        (_left(capacity.memory_mib, capacity.memory_used_mib), instance_type.memory_mib),
        (_left(capacity.disk_gib, capacity.disk_used_gib), needed_disk(instance_type) or 0),
    )
    return Bound(
        min((_whole(free, needed) for free, needed in spaces if free is not None), default=math.inf), known=False
    )


def _network_terms(quotas: Quotas | None, usage: Usage | None, networks: Networks | None) -> Iterable[Bound]:
    ports = quota_left(quotas.network_ports, usage.network_ports) if quotas and usage else None
    if ports is not None:  # most managers have no such limit
        yield Bound(ports)
    yield _address_term(quotas.project if quotas else None, networks)


def _address_term(project: str | None, networks: Networks | None) -> Bound:
    """Each machine takes an address of a network; it binds where every network of the project tells what is free."""
    if networks is None:
        return _UNBOUND
    usable = [
        one
        for one in networks.networks
        if not one.floating and (one.ownership is Ownership.PUBLIC or project in one.projects)
    ]
    free = [one.addresses_free for one in usable if one.addresses_free is not None]
    if not usable or len(free) < len(usable):
        return _UNBOUND
    return Bound(sum(free))
