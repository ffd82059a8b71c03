"""The hosts of an OpenStack: nova's list of hypervisors joined with what placement says of each.

A hypervisor's id is the id of its resource provider (microversion 2.53 on), so nothing is joined by name.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from infoprovider.inventory.model import (
    Capacity,
    DeviceCount,
    HostCapacity,
    HypervisorPool,
    Hypervisors,
    Processor,
    Room,
)
from infoprovider.providers.openstack.account import Account, NotThere
from infoprovider.providers.openstack.settings import Device, OpenStackSettings

Hypervisor: TypeAlias = Mapping[str, Any]
Summary: TypeAlias = Mapping[str, Any]
Summaries: TypeAlias = Mapping[str, Summary]
"""What placement says of each provider, by its id: `resources` with capacity and used, `traits`, root and parent."""

Query: TypeAlias = tuple[tuple[str, str], ...]

HYPERVISORS = "2.87"
"""The last microversion in which hypervisors tell their sizes and processors."""

PLACEMENT = "1.35"
"""The first microversion in which traits of a host's root can be asked for; summaries hold whole trees since 1.29."""

DISABLED = "COMPUTE_STATUS_DISABLED"
SHARED = "MISC_SHARES_VIA_AGGREGATE"

_KINDS = {
    "qemu": "QEMU",
    "kvm": "KVM",
    "vmware vcenter server": "VMware",
    "hyperv": "Hyper-V",
    "xen": "Xen",
    "lxc": "LXC",
    "ironic": "Ironic",
}
_IMAGE_TYPE = "COMPUTE_IMAGE_TYPE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host: its class, what its hardware has, and the providers of its tree, its root first.

    `size` is vCPUs, memory (MiB) and disk (GiB) as its hypervisor reports them, by resource class; empty where not
    known. It is the most that one machine may ask for.
    """

    id: str
    pool: str | None
    usable: bool
    size: Mapping[str, int]
    tree: tuple[Summary, ...]

    def amount(self, resource: str, key: str) -> int:
        """`capacity` or `used` of a resource class, added up over the tree."""
        return sum(one["resources"].get(resource, {}).get(key, 0) for one in self.tree)


def fetch_hypervisors(account: Account) -> list[dict[str, Any]]:
    """Every hypervisor with state, size and processors."""
    return account.pages("compute", "/os-hypervisors/detail", "hypervisors", microversion=HYPERVISORS)


def fetch_summaries(account: Account, hosts: frozenset[str] = frozenset()) -> dict[str, Summary]:
    """What placement says of every provider with room for anything at all, and of all of these hosts.

    Providers are listed only where a request fits, so the smallest one of each resource is asked for in turn until no
    host is missing; a host that is full in every respect is asked by itself.
    """
    found: dict[str, Summary] = {}
    for resource in ("VCPU", "MEMORY_MB", "DISK_GB"):
        found |= fetch_candidates(account, (("resources", f"{resource}:1"),))
        if hosts <= found.keys():
            return found
    for host in sorted(hosts - found.keys()):
        summary = _fetch_summary(account, host)
        if summary is not None:
            found[host] = summary
    return found


def fetch_candidates(account: Account, query: Query) -> dict[str, Summary]:
    """The providers that could serve a request, with all of their trees."""
    answer = account.get("placement", "/allocation_candidates", microversion=PLACEMENT, query=dict(query))
    return dict(answer["provider_summaries"])


def _fetch_summary(account: Account, provider: str) -> Summary | None:
    """One provider without its children; None where placement does not know it."""
    path = f"/resource_providers/{provider}"
    try:
        inventories = account.get("placement", f"{path}/inventories", microversion=PLACEMENT)["inventories"]
        usages = account.get("placement", f"{path}/usages", microversion=PLACEMENT)["usages"]
        traits = account.get("placement", f"{path}/traits", microversion=PLACEMENT)["traits"]
    except NotThere:
        return None
    resources = {
        resource: {
            "capacity": int((one["total"] - one["reserved"]) * one["allocation_ratio"]),
            "used": usages.get(resource, 0),
        }
        for resource, one in inventories.items()
    }
    return {"resources": resources, "traits": traits, "root_provider_uuid": provider, "parent_provider_uuid": None}


# --- hosts ---------------------------------------------------------------------------------------------------------


def to_hosts(hypervisors: Sequence[Hypervisor] | None, summaries: Summaries | None) -> list[Host]:
    """All hosts, in the order of their ids; without hypervisors those that placement knows, which may be down."""
    trees = _trees(summaries or {})
    if hypervisors is None:
        computing = {root: tree for root, tree in trees.items() if "VCPU" in tree[0]["resources"]}
        return [
            Host(id=root, pool=None, usable=DISABLED not in tree[0]["traits"], size={}, tree=tree)
            for root, tree in sorted(computing.items())
        ]
    return [
        Host(
            id=str(one["id"]),
            pool=pool_id(one, trees.get(str(one["id"]), ())),
            usable=is_usable(one) and not _is_disabled(trees.get(str(one["id"]), ())),
            size={"VCPU": one["vcpus"], "MEMORY_MB": one["memory_mb"], "DISK_GB": one["local_gb"]},
            tree=trees.get(str(one["id"]), ()),
        )
        for one in sorted(hypervisors, key=lambda one: str(one["id"]))
    ]


def is_usable(hypervisor: Hypervisor) -> bool:
    """Whether new machines may be started on it: up, and enabled."""
    return bool(hypervisor["state"] == "up" and hypervisor["status"] == "enabled")


def _is_disabled(tree: Sequence[Summary]) -> bool:
    return bool(tree) and DISABLED in tree[0]["traits"]


def _trees(summaries: Summaries) -> dict[str, tuple[Summary, ...]]:
    """Providers by the root of their tree, the root first; not what several hosts share."""
    found: dict[str, list[Summary]] = {}
    for id_, summary in sorted(summaries.items()):
        if SHARED in summary["traits"]:
            continue
        root = summary["root_provider_uuid"]
        tree = found.setdefault(root, [])
        tree.insert(0 if id_ == root else len(tree), summary)
    return {root: tuple(tree) for root, tree in found.items()}


# --- classes of hosts ----------------------------------------------------------------------------------------------


def to_hypervisors(hypervisors: Sequence[Hypervisor], hosts: Sequence[Host], names: Mapping[str, str]) -> Hypervisors:
    """Host classes: hosts of the same kind, version, size and processor."""
    by_id = {str(one["id"]): one for one in hypervisors}
    classes: dict[str, list[Host]] = {}
    for host in hosts:
        classes.setdefault(str(host.pool), []).append(host)
    return Hypervisors(
        pools=tuple(
            to_pool(id_, [by_id[host.id] for host in members], members, names)
            for id_, members in sorted(classes.items())
        )
    )


def to_pool(
    id_: str, hypervisors: Sequence[Hypervisor], hosts: Sequence[Host], names: Mapping[str, str]
) -> HypervisorPool:
    """One class; all that it says of a host is the same for each of them."""
    first = hypervisors[0]
    kind = to_kind(first, names)
    version = to_version(first.get("hypervisor_version"))
    running = [one.get("running_vms") for one in hypervisors]
    formats = {trait for host in hosts for trait in _traits(host.tree) if trait.startswith(_IMAGE_TYPE)}
    return HypervisorPool(
        id=id_,
        name=f"{kind}{f' {version}' if version else ''}, {first['vcpus']} CPUs, {first['memory_mb'] // 1024} GiB",
        kind=kind,
        version=version,
        architecture=to_cpu_info(first).get("arch"),
        hosts=len(hosts),
        hosts_unusable=sum(not host.usable for host in hosts),
        hosts_in_use=None if None in running else sum(bool(number) for number in running),
        processor=to_processor(first),
        memory_mib=first["memory_mb"] or None,
        disk_gib=float(first["local_gb"]),
        image_formats=tuple(sorted(trait.removeprefix(_IMAGE_TYPE).lower() for trait in formats)),
    )


def pool_id(hypervisor: Hypervisor, tree: Iterable[Summary]) -> str:
    """The class of a host: kind and size to be read, and a hash over all that makes hosts equal."""
    info = to_cpu_info(hypervisor)
    hardware = sorted(trait for trait in _traits(tree) if trait.startswith("HW_"))
    equal = [
        *(str(hypervisor.get(key)) for key in ("hypervisor_type", "hypervisor_version", "vcpus", "memory_mb")),
        str(hypervisor.get("local_gb")),
        *(str(info.get(key)) for key in ("arch", "vendor", "model")),
        *hardware,
    ]
    digest = hashlib.sha256("\n".join(equal).encode()).hexdigest()[:8]
    return f"{to_kind(hypervisor, {})}-{hypervisor['vcpus']}cpu-{hypervisor['memory_mb'] // 1024}gib-{digest}"


def _traits(tree: Iterable[Summary]) -> set[str]:
    return {trait for summary in tree for trait in summary["traits"]}


def to_kind(hypervisor: Hypervisor, names: Mapping[str, str]) -> str:
    """The hypervisor's name: as the site calls it, else in the usual word for what nova reports."""
    told = str(hypervisor["hypervisor_type"])
    return names.get(told) or _KINDS.get(told.lower(), told.lower().replace(" ", "-"))


def to_version(number: Any) -> str | None:
    """A hypervisor's version from nova's number of it: 8002000 is 8.2.0, 10000 is 10.0."""
    if not isinstance(number, int) or number < 1000:
        return None
    if number < 1_000_000:
        return f"{number // 1000}.{number % 1000}"
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def to_cpu_info(hypervisor: Hypervisor) -> Mapping[str, Any]:
    """What a driver tells of the processors; not all do."""
    info = hypervisor.get("cpu_info")
    return info if isinstance(info, dict) else {}


def to_processor(hypervisor: Hypervisor) -> Processor:
    """One host's processors; sockets are left out where they do not account for the CPUs that machines get."""
    info = to_cpu_info(hypervisor)
    topology = info.get("topology") or {}
    sockets = topology.get("sockets", 0) * (topology.get("cells") or 1)
    cores = topology.get("cores", 0)
    accounted = sockets * cores * topology.get("threads", 1) >= hypervisor["vcpus"]
    return Processor(
        vendor=info.get("vendor"),
        model=info.get("model"),
        physical_cpus=sockets if sockets and accounted else None,
        logical_cpus=hypervisor["vcpus"] or None,
        cores_per_cpu=cores if cores and accounted else None,
    )


# --- the whole of them ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Store:
    """One disk store of which several hosts draw: GiB in all, and taken."""

    capacity: int
    used: int


def to_store(hosts: Sequence[Host], summaries: Summaries, settings: OpenStackSettings) -> Store | None:
    """The common store: providers that placement shares, or what every host reports as its own where the site says so.

    Hosts on one store that each report the whole of it cannot be told from hosts with disks of their own.
    """
    shared = [one["resources"]["DISK_GB"] for one in summaries.values() if _is_shared_disk(one)]
    if shared:
        return Store(sum(one["capacity"] for one in shared), sum(one["used"] for one in shared))
    if not settings.disk_is_shared:
        return None
    return Store(max((host.amount("DISK_GB", "capacity") for host in hosts), default=0), _sum(hosts, "DISK_GB", "used"))


def _is_shared_disk(summary: Summary) -> bool:
    return SHARED in summary["traits"] and "DISK_GB" in summary["resources"]


def to_capacity(
    hosts: Sequence[Host], pools: Sequence[HypervisorPool], store: Store | None, room: tuple[Room, ...], device: Device
) -> Capacity:
    """What all hosts hold: CPUs of every host, the rest of usable ones with overcommitment and reservations.

    Where placement does not tell of every host, nothing is known of what machines can get. `device` is what a virtual
    GPU is.
    """
    usable = [host for host in hosts if host.usable]
    told = bool(hosts) and all(host.tree for host in hosts)
    physical = [pool.processor.physical_cpus and pool.processor.physical_cpus * pool.hosts for pool in pools]
    capacity = Capacity(
        physical_cpus=None if not pools or None in physical else sum(filter(None, physical)),
        logical_cpus=(sum(host.size["VCPU"] for host in hosts) or None) if pools else None,
        room=room,
    )
    if not told:
        return capacity
    cpus = sum(host.size.get("VCPU", 0) for host in usable)
    vcpus = _sum(usable, "VCPU", "capacity")
    return replace(
        capacity,
        vcpus=vcpus,
        vcpus_used=_sum(usable, "VCPU", "used"),
        cpu_overcommit=round(vcpus / cpus, 3) if vcpus and cpus else None,
        memory_mib=_sum(usable, "MEMORY_MB", "capacity"),
        memory_used_mib=_sum(usable, "MEMORY_MB", "used"),
        disk_gib=float(store.capacity if store else _sum(usable, "DISK_GB", "capacity")),
        disk_used_gib=float(store.used if store else _sum(usable, "DISK_GB", "used")),
        disk_is_shared=store is not None,
        hosts=tuple(to_row(host, device, has_disk=store is None) for host in hosts),
    )


def _sum(hosts: Iterable[Host], resource: str, key: str) -> int:
    return sum(host.amount(resource, key) for host in hosts)


def to_row(host: Host, device: Device, *, has_disk: bool) -> HostCapacity:
    """One host without its name; its disk is left out where it is not its own."""
    gpus = host.amount("VGPU", "capacity")
    used = host.amount("VGPU", "used")
    return HostCapacity(
        pool=host.pool,
        usable=host.usable,
        vcpus=host.amount("VCPU", "capacity"),
        vcpus_used=host.amount("VCPU", "used"),
        memory_mib=host.amount("MEMORY_MB", "capacity"),
        memory_used_mib=host.amount("MEMORY_MB", "used"),
        disk_gib=float(host.amount("DISK_GB", "capacity")) if has_disk else None,
        disk_used_gib=float(host.amount("DISK_GB", "used")) if has_disk else None,
        devices=(DeviceCount(type=device.type, model=device.model, total=gpus, used=used),) if gpus else (),
    )
