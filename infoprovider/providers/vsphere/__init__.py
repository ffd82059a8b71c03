"""Provider `vsphere`: a vCenter, or a single ESXi host, asked by its SOAP API; its content libraries by REST.

Whatever vSphere calls MB is 2^20 bytes. docs/providers/vsphere.md says which fact is from which call, and which rights
it needs.
"""

import hashlib
import logging
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, TypeAlias
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field

from infoprovider.errors import CollectError, ConfigError, Finding, Malformed, Unsupported
from infoprovider.inventory import model
from infoprovider.inventory.model import Facet
from infoprovider.providers import contract
from infoprovider.providers.contract import Answer
from infoprovider.providers.network_faults import trusting
from infoprovider.providers.vsphere import property_collector
from infoprovider.providers.vsphere.content_library import fetch_items, to_images
from infoprovider.providers.vsphere.property_collector import Forbidden, Inventory, Record, Session, id_of
from infoprovider.secret import Secret
from infoprovider.settings import FilePath, Settings

Logger: TypeAlias = logging.LoggerAdapter[logging.Logger]
Value: TypeAlias = tuple[model.FacetValue, tuple[str, ...]]
"""What a facet says, and notes for the operator."""

READ: Mapping[str, tuple[str, ...]] = {
    "HostSystem": ("runtime.connectionState", "runtime.inMaintenanceMode", "runtime.powerState", "parent")
    + ("summary.hardware", "summary.config.product", "summary.config.vmotionEnabled"),
    "ComputeResource": ("name", "summary", "environmentBrowser"),
    "Datastore": ("summary",),
    "ResourcePool": ("name", "parent", "owner", "config.cpuAllocation.limit", "config.memoryAllocation.limit"),
    "VirtualMachine": ("runtime.powerState", "resourcePool", "summary.config.template", "summary.config.numCpu")
    + ("summary.config.memorySizeMB", "summary.config.guestId", "runtime.host", "runtime.connectionState", "name")
    + ("summary.storage.committed", "capability.snapshotOperationsSupported"),
}
"""What is asked of each type of managed object."""

WATCHED = {"HostSystem": READ["HostSystem"][:3], "VirtualMachine": READ["VirtualMachine"][:6]} | {
    "ResourcePool": READ["ResourcePool"]
}
CHANGING: Mapping[str, frozenset[Facet]] = {
    "HostSystem": frozenset({Facet.HYPERVISORS, Facet.CAPACITY}),
    "ResourcePool": frozenset({Facet.QUOTAS, Facet.USAGE}),
    "VirtualMachine": frozenset({Facet.CAPACITY, Facet.USAGE, Facet.MACHINES, Facet.IMAGES}),
}
"""What is watched, and which facets may say something else when it changes."""

QUIET_SECONDS, PATIENCE = 60, 3
"""How long a server may wait for something to happen; and which part of the time that is left an answer may take."""

MIB, GIB = 2**20, 2**30
STATES: Mapping[str, Any] = {"poweredOn": "running", "suspended": "suspended", "poweredOff": "halted"}
LOST = frozenset({"orphaned", "inaccessible", "invalid"})
FAMILIES = {"linuxGuest": "linux", "windowsGuest": "windows", "solarisGuest": "solaris"}


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.path not in ("", "/", "/sdk"):
        raise ValueError("it is not https://host or https://host:port")
    return f"https://{parts.netloc}"


class VSphereSettings(Settings):
    """Where the vCenter or ESXi host is, who reads it, and what no API tells: `cpu_overcommit` is vCPUs per CPU."""

    url: Annotated[str, AfterValidator(_address), Field(description="an address such as https://vcenter.example.org")]
    user: str
    password: Secret
    ca_file: FilePath | None = None
    content_libraries: bool = True
    events: bool = True
    cpu_overcommit: Annotated[float, Field(gt=0, le=1000)] | None = None
    sign_in: tuple[model.SignIn, ...] = (model.SignIn(method=model.SignInMethod.PASSWORD),)


def collect(settings: VSphereSettings, context: contract.CollectContext) -> Iterator[Answer]:
    """Everything but the libraries from one reading. Raises CollectError where it did not come about."""
    with property_collector.signed_in(settings, context.deadline, context.deadline.remaining() / PATIENCE) as session:
        found = property_collector.fetch_inventory(session, READ, context.now())
        tell = partial(_answer, session, context.log, found)
        whole: Mapping[Facet, Callable[[], Value]] = {
            Facet.MANAGER: partial(to_manager, found, settings),
            Facet.HYPERVISORS: partial(to_hypervisors, found),
            Facet.CAPACITY: partial(to_capacity, found, settings),
            Facet.MACHINES: partial(to_machines, found),
        }
        yield from (tell(facet, "", make) for facet, make in whole.items() if facet in context.wanted)
        for facet, make in ((Facet.QUOTAS, to_quotas), (Facet.USAGE, to_usage)):
            if facet in context.wanted:
                yield from _by_project(found, facet, make, tell)
        if Facet.IMAGES in context.wanted:
            parts = {"templates": lambda: to_templates(found, property_collector.fetch_guests(session, found))}
            if settings.content_libraries and found.about.apiType == "VirtualCenter":
                seconds = context.deadline.remaining() / PATIENCE
                parts["libraries"] = lambda: (to_images(fetch_items(settings, session, seconds)), ())
            yield from (tell(Facet.IMAGES, part, make) for part, make in parts.items())
            yield contract.Parts(facet=Facet.IMAGES, parts=frozenset(parts))


def watch(settings: VSphereSettings, context: contract.WatchContext) -> Iterator[frozenset[Facet]]:
    """What may have changed, as the server tells."""
    with property_collector.signed_in(settings, context.deadline, QUIET_SECONDS * 1.5) as session:
        for kinds in property_collector.fetch_changes(session, WATCHED, QUIET_SECONDS):
            yield frozenset().union(*(CHANGING.get(kind, frozenset()) for kind in kinds))


def check(settings: VSphereSettings) -> Iterable[Finding]:
    """Whether the file of authorities can be used."""
    try:
        trusting(settings.ca_file)
    except ConfigError as error:
        return error.findings
    return ()


def _answer(
    session: Session, log: Logger, found: Inventory, facet: Facet, part: str, make: Callable[[], Value]
) -> Answer:
    """What was observed, or why not."""
    before = len(session.calls)
    try:
        with property_collector.translated(session.server, f"what {facet} is made of", session.deadline):
            value, notes = make()
    except (Forbidden, Unsupported) as error:
        return contract.NotOffered(facet=facet, part=part, reason=str(error))
    except CollectError as error:
        if isinstance(error, Malformed):
            log.exception("%s %s cannot be made of what was answered", facet, part)
        return contract.Failed(facet=facet, part=part, reason=str(error), retryable=error.retryable)
    calls = ("RetrievePropertiesEx", *dict.fromkeys(session.calls[before:]))
    return contract.Observed(facet=facet, part=part, value=value, observed_at=found.at, calls=calls, notes=notes)


def _by_project(
    found: Inventory, facet: Facet, make: Callable[..., Value], tell: Callable[..., Answer]
) -> Iterator[Answer]:
    try:
        projects = to_projects(found)
    except Forbidden as error:
        yield contract.NotOffered(facet=facet, reason=str(error))
        return
    yield from (tell(facet, id_, partial(make, found, id_, machines)) for id_, machines in projects.items())
    yield contract.Parts(facet=facet, parts=frozenset(projects))


# --- the manager and its hosts -------------------------------------------------------------------------------------


def to_manager(found: Inventory, settings: VSphereSettings) -> Value:
    """The manager; its zones are the clusters in which machines can be started now."""
    about, machines = found.about, found.objects["VirtualMachine"].values()
    hosts = [host for host in found.objects["HostSystem"].values() if is_usable(host)]
    clusters = [found.objects["ComputeResource"].get(id_of(host["parent"]), {"kind": ""}) for host in hosts]
    endpoint = model.ApiEndpoint(
        url=f"{settings.url}/sdk", interface="vsphere", version=about.apiVersion, sign_in=settings.sign_in
    )
    features = model.Features(
        snapshot=agreed(one.get("capability.snapshotOperationsSupported") for one in machines),
        live_migration=agreed(host.get("summary.config.vmotionEnabled") for host in hosts),
    )
    return model.Manager(
        product="vcenter" if about.apiType == "VirtualCenter" else "esxi",
        version=about.version,
        vendor=about.vendor,
        endpoints=(endpoint,),
        features=features,
        image_formats=("iso", "ova", "ovf", "vmdk"),
        zones=tuple(sorted({unquote(one["name"]) for one in clusters if one["kind"] == "ClusterComputeResource"})),
    ), ()


def agreed(answers: Iterable[bool | None]) -> bool | None:
    """What all say; None where they differ, or one does not say."""
    told = set(answers)
    return told.pop() if len(told) == 1 else None


def is_usable(host: Record) -> bool:
    """Whether machines can be started on a host: connected, switched on, and not in maintenance."""
    state = host["runtime.connectionState"], host["runtime.powerState"], host["runtime.inMaintenanceMode"]
    return state == ("connected", "poweredOn", False)


def hosts_of(found: Inventory, cluster: str = "") -> dict[str, Record]:
    """Every host, or those of a cluster; not those that never told of their hardware."""
    hosts = {id_: one for id_, one in found.seen("HostSystem").items() if "summary.hardware" in one}
    return {id_: one for id_, one in hosts.items() if cluster in ("", id_of(one["parent"]))}


def to_pool(host: Record) -> model.HypervisorPool:
    """The class of a host, as if it were the only one of it."""
    own, product = host["summary.hardware"], host.get("summary.config.product")
    kind = "ESX" if product and product.productLineId == "esx" else "ESXi"
    version, gib = product and product.version, own.memorySize // GIB
    equal = (kind, version, own.cpuModel, own.cpuMhz, own.numCpuPkgs, own.numCpuCores, own.memorySize)
    vendor = next((name for name in ("Intel", "AMD") if name in own.cpuModel), None)
    return model.HypervisorPool(
        id=f"{kind.lower()}-{own.numCpuThreads}cpu-{gib}gib-{hashlib.sha256(repr(equal).encode()).hexdigest()[:8]}",
        name=f"{kind} {version or ''}, {own.numCpuThreads} CPUs, {gib} GiB",
        kind=kind,
        version=version,
        architecture="x86_64" if vendor else None,
        hosts=1,
        processor=model.Processor(
            vendor=vendor,
            model=own.cpuModel,
            clock_mhz=own.cpuMhz,
            physical_cpus=own.numCpuPkgs,
            logical_cpus=own.numCpuThreads,
            cores_per_cpu=own.numCpuCores // own.numCpuPkgs,
        ),
        memory_mib=own.memorySize // MIB,
    )


def to_hypervisors(found: Inventory) -> Value:
    """Classes of hosts: the same version of ESXi, the same processors, as much memory."""
    classes: dict[model.HypervisorPool, list[tuple[bool, bool]]] = {}
    in_use, pools = held_on_hosts(found), []
    for id_, host in hosts_of(found).items():
        classes.setdefault(to_pool(host), []).append((not is_usable(host), id_ in in_use))
    for pool in sorted(classes, key=lambda pool: pool.id):
        unusable, used = map(sum, zip(*classes[pool], strict=True))
        pools.append(replace(pool, hosts=len(classes[pool]), hosts_unusable=unusable, hosts_in_use=used))
    silent = len(found.seen("HostSystem")) - sum(map(len, classes.values()))
    notes = (f"hosts that never told of their hardware: {silent}",) if silent else ()
    return model.Hypervisors(pools=tuple(pools)), notes


def to_effective(found: Inventory) -> tuple[dict[str, tuple[int, float]], tuple[str, ...]]:
    """MiB that each cluster has for machines, and as a part of its usable hosts'; a note for each that cannot be."""
    effective, notes = {}, []
    for id_, cluster in found.seen("ComputeResource").items():
        hosts = [one for one in hosts_of(found, id_).values() if is_usable(one)]
        there = sum(one["summary.hardware"].memorySize for one in hosts) // MIB
        told, number = cluster["summary"].effectiveMemory or 0, cluster["summary"].numEffectiveHosts
        effective[id_] = (told, told / there) if hosts else (0, 1.0)
        if number != len(hosts) or (hosts and not 0 < told <= there):
            said = f"{told} MB on {number} hosts, where {len(hosts)} usable ones have {there} MB"
            notes.append(f"memory for machines is left out: {unquote(cluster['name'])} says {said}")
    return effective, tuple(notes)


def to_capacity(found: Inventory, settings: VSphereSettings) -> Value:
    """What usable hosts have for machines; CPUs are of all hosts, disk is of the datastores that can be used."""
    hosts, used, (effective, notes) = hosts_of(found), held_on_hosts(found), to_effective(found)
    stores = {one["summary"].url: one["summary"] for one in found.objects["Datastore"].values()}
    ready = [one for one in stores.values() if one.accessible and one.maintenanceMode in (None, "normal")]
    space = sum(one.capacity for one in ready) / GIB
    rows = tuple(
        model.HostCapacity(
            pool=to_pool(host).id,
            usable=is_usable(host),
            vcpus=int(host["summary.hardware"].numCpuThreads * (settings.cpu_overcommit or 1)),
            vcpus_used=used.get(id_, (0, 0))[0],
            memory_mib=int(host["summary.hardware"].memorySize // MIB * effective[id_of(host["parent"])][1]),
            memory_used_mib=used.get(id_, (0, 0))[1],
        )
        for id_, host in hosts.items()
    )
    usable = [row for row in rows if row.usable]
    return model.Capacity(
        physical_cpus=sum(host["summary.hardware"].numCpuPkgs for host in hosts.values()),
        logical_cpus=sum(host["summary.hardware"].numCpuThreads for host in hosts.values()),
        vcpus=sum(row.vcpus for row in usable),
        vcpus_used=sum(row.vcpus_used for row in usable),
        cpu_overcommit=settings.cpu_overcommit,
        memory_mib=None if notes else sum(mib for mib, _ in effective.values()),
        memory_used_mib=sum(row.memory_used_mib for row in usable),
        disk_gib=space if ready else None,
        disk_used_gib=space - sum(one.freeSpace for one in ready) / GIB if ready else None,
        disk_is_shared=agreed(one.multipleHostAccess for one in ready),
        hosts=() if notes else rows,
    ), notes


# --- machines, and their projects, which are resource pools --------------------------------------------------------


def to_state(machine: Record) -> Any:
    """What a machine does, in the inventory's words."""
    return "error" if machine["runtime.connectionState"] in LOST else STATES[machine["runtime.powerState"]]


def to_held(machines: Iterable[Record]) -> tuple[int, int]:
    """How many vCPUs and MiB those hold that are on; others hold neither."""
    running = [one for one in machines if to_state(one) == "running"]
    vcpus = sum(one["summary.config.numCpu"] for one in running)
    return vcpus, sum(one["summary.config.memorySizeMB"] for one in running)


def held_on_hosts(found: Inventory) -> dict[str, tuple[int, int]]:
    """What machines hold, by the id of the host that they are on; not hosts without any that is on."""
    placed: dict[str, list[Record]] = {}
    for one in found.machines().values():
        if "runtime.host" in one and to_state(one) == "running":
            placed.setdefault(id_of(one["runtime.host"]), []).append(one)
    return {id_: to_held(machines) for id_, machines in placed.items()}


def to_path(pools: Mapping[str, Record], pool: str) -> list[str]:
    """A pool's id and those of the pools above it, up to the root of its host or cluster; a vApp is in its pool."""
    path = [pool]
    while (above := id_of(pools[path[-1]]["parent"])) in pools:
        path.append(above)
    return [one for one in path if pools[one]["kind"] == "ResourcePool"]


def project_of(pools: Mapping[str, Record], machine: Record) -> str | None:
    """The id of a machine's resource pool; None where the account does not see that."""
    pool = id_of(machine["resourcePool"]) if "resourcePool" in machine else ""
    return to_path(pools, pool)[0] if pool in pools else None


def to_projects(found: Inventory) -> dict[str, dict[str, Record]]:
    """The machines of every resource pool, by their ids."""
    pools = found.seen("ResourcePool")
    projects: dict[str, dict[str, Record]] = {id_: {} for id_, one in pools.items() if one["kind"] == "ResourcePool"}
    for id_, one in found.machines().items():
        if (project := project_of(pools, one)) is not None:
            projects[project][id_] = one
    return projects


def to_quotas(found: Inventory, id_: str, _machines: Mapping[str, Record]) -> Value:
    """What a pool may hold: the least of its own limits and those above it; vSphere limits MHz and memory, no more.

    A vCPU counts as the fastest core there. The root's limit is what its hosts have, which capacity tells.
    """
    pools, limits = found.seen("ResourcePool"), {}
    for kind in ("cpu", "memory"):
        told = [pools[one].get(f"config.{kind}Allocation.limit", -1) for one in to_path(pools, id_)[:-1]]
        limits[kind] = min((limit for limit in told if limit >= 0), default=None)
    hosts = hosts_of(found, id_of(pools[id_]["owner"])).values()
    clock = max((host["summary.hardware"].cpuMhz for host in hosts), default=None)
    return model.Quotas(
        project=id_,
        project_name=unquote(pools[id_]["name"]),
        instances="unlimited",
        vcpus="unlimited" if limits["cpu"] is None else clock and limits["cpu"] // clock,
        memory_mib="unlimited" if limits["memory"] is None else limits["memory"],
        disk_gib="unlimited",
        accelerators="unlimited",
    ), ()


def to_usage(_found: Inventory, id_: str, machines: Mapping[str, Record]) -> Value:
    """What a pool's machines hold. vSphere has no queue: a machine is on, off or suspended."""
    states, (vcpus, memory) = Counter(map(to_state, machines.values())), to_held(machines.values())
    told: dict[str, Any] = {state: states[state] for state in ("running", "suspended", "halted", "error")}
    told |= {"waiting": 0, "staging": 0, "vcpus": vcpus, "memory_mib": memory}
    return model.Usage(project=id_, instances=len(machines), **told), ()


def to_machines(found: Inventory) -> Value:
    """Every machine, with the resource pool that it is in."""
    pools, told = found.seen("ResourcePool"), found.machines().items()
    machines = (model.Machine(id=id_, project=project_of(pools, one), state=to_state(one)) for id_, one in told)
    return model.Machines(machines=tuple(machines)), ()


def to_templates(found: Inventory, guests: Mapping[str, str]) -> Value:
    """Virtual machines that are marked as templates; others are cloned from them."""
    if not found.readable("VirtualMachine"):
        found.seen("HostSystem")  # whoever sees neither sees nothing
    return model.Images(
        images=tuple(
            model.Image(
                id=id_,
                name=unquote(one["name"]),
                active=to_state(one) != "error",
                disk_format="vmdk",
                size_mib=math.ceil(one.get("summary.storage.committed", 0) / MIB) or None,
                architecture="x86_64" if one.get("summary.config.guestId", "").endswith("64Guest") else None,
                operating_system=to_system(one.get("summary.config.guestId", ""), guests),
            )
            for id_, one in found.machines(templates=True).items()
        )
    ), ()


def to_system(guest: str, guests: Mapping[str, str]) -> model.OperatingSystem:
    """The system behind an id such as debian10_64Guest; those that say less, or more, tell their family only."""
    match = re.fullmatch(r"([a-z]+)([0-9]*)", re.sub(r"_?(64)?Guest$", "", guest))
    name, version = match.groups() if match else ("", "")
    return model.OperatingSystem(family=FAMILIES.get(guests.get(guest, "")), name=name or None, version=version or None)


SPEC = contract.ProviderSpec(
    kind="vsphere",
    settings=VSphereSettings,
    facets=frozenset({Facet.MANAGER, Facet.IMAGES}.union(*CHANGING.values())),
    collect=collect,
    needs=("pyVmomi",),
    check=check,
    watch=watch,
    is_watched=lambda settings: settings.events,
    addresses=lambda settings: [contract.Address(url=settings.url, authorities=settings.ca_file)],
)
