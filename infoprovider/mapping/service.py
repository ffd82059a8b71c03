"""One VM manager as a ComputingService and its ComputingManager."""

from collections.abc import Iterable, Iterator
from operator import attrgetter

from infoprovider import __version__
from infoprovider.config.model import Vocabulary
from infoprovider.glue.document import Made
from infoprovider.glue.entities import ComputingManager, ComputingService
from infoprovider.inventory.model import Capacity, DeviceCount, HypervisorPool, Usage
from infoprovider.mapping.context import DYNAMIC, InstanceFacts, oldest_source, total
from infoprovider.mapping.other_info import OtherInfo
from infoprovider.mapping.vocabulary import capabilities, known_boolean, service_type


def map_service(facts: InstanceFacts) -> Iterator[Made]:
    """The service and the manager of one instance."""
    yield to_service(facts)
    yield to_manager(facts)


def to_service(facts: InstanceFacts) -> Made:
    """The ComputingService: all interfaces of one VM manager; its counters are of all projects."""
    defining = oldest_source(facts.usage.values()) if facts.usage else facts.manager.source
    vocabulary = facts.context.publication.vocabulary
    manager = facts.manager.value
    info = OtherInfo("ComputingService")
    info.add("gocdb_id", facts.block.gocdb_id)
    info.add("InfoProviderName", "infoprovider")
    info.add("InfoProviderVersion", __version__)
    if vocabulary is Vocabulary.EGI_STRICT:
        info.add("ProfileName", "EGI")
    info.add("VMHalted", facts.counted(attrgetter("halted")))
    info.add("VMError", facts.counted(attrgetter("error")))
    endpoints = len({endpoint.interface for endpoint in manager.endpoints if endpoint.sign_in})
    resources = len(facts.published_types) + len(facts.pools)
    service = ComputingService(
        id=facts.service_id,
        name=facts.block.name,
        capability=capabilities(vocabulary, image_upload=manager.features.image_upload is True),
        type=service_type(vocabulary),
        quality_level=facts.quality_level,
        status_info=(manager.status_page,) if manager.status_page else (),
        complexity=f"endpointType={endpoints}, share={len(facts.mapped_and_there)}, resource={resources}",
        admin_domain_foreign_key=(facts.context.centre.name,),
        total_jobs=facts.counted(jobs_of),
        running_jobs=facts.counted(attrgetter("running")),
        waiting_jobs=facts.counted(attrgetter("waiting")),
        staging_jobs=facts.counted(attrgetter("staging")),
        suspended_jobs=facts.counted(attrgetter("suspended")),
        other_info=info.values(),
        creation_time=defining.observed_at,
        validity=DYNAMIC,
    )
    others = (facts.manager, facts.hypervisors, facts.instance_types, *facts.quotas.values(), *facts.usage.values())
    return Made(service, facts.sources(defining, *others))


def jobs_of(usage: Usage) -> int | None:
    """Machines of a project that GLUE counts as jobs: not the halted ones, not those in error."""
    return total((usage.running, usage.waiting, usage.staging, usage.suspended))


def to_manager(facts: InstanceFacts) -> Made:
    """The ComputingManager: the VM manager itself with what it holds in all."""
    defining = (facts.capacity or facts.manager).source
    capacity = facts.capacity.value if facts.capacity else Capacity()
    manager = facts.manager.value
    units = facts.context.units
    pools = facts.pools
    technology = facts.networks.value.technology if facts.networks else ()
    disk_free = _left(capacity.disk_gib, capacity.disk_used_gib)
    entity = ComputingManager(
        id=facts.manager_id,
        product_name=manager.product,
        product_version=manager.version,
        reservation=known_boolean(manager.features.reservation),
        bulk_submission=known_boolean(manager.features.bulk_start),
        total_physical_cpus=capacity.physical_cpus,
        total_logical_cpus=capacity.logical_cpus,
        total_slots=capacity.vcpus,
        slots_used_by_grid_jobs=facts.counted(attrgetter("vcpus"), facts.projects & facts.mapped_projects),
        slots_used_by_local_jobs=facts.counted(attrgetter("vcpus"), facts.projects - facts.mapped_projects),
        homogeneous=known_boolean(len(pools) == 1) if pools else None,
        network_info=tuple(dict.fromkeys((*technology, *(one for pool in pools for one in pool.network_technology)))),
        working_area_shared=known_boolean(capacity.disk_is_shared),
        working_area_total=units.whole_disk(capacity.disk_gib),
        working_area_free=units.whole_disk(disk_free),
        service_foreign_key=facts.service_id,
        computing_service_foreign_key=facts.service_id,
        other_info=_manager_info(facts, capacity),
        creation_time=defining.observed_at,
        validity=DYNAMIC,
    )
    usage = (*facts.quotas.values(), *facts.usage.values())
    others = (facts.capacity, facts.manager, facts.hypervisors, facts.networks, *usage)
    return Made(entity, facts.sources(defining, *others))


def _left(whole: float | None, used: float | None) -> float | None:
    return None if whole is None or used is None else max(0.0, whole - used)


def _manager_info(facts: InstanceFacts, capacity: Capacity) -> tuple[str, ...]:
    info = OtherInfo("ComputingManager")
    features = facts.manager.value.features
    units = facts.context.units
    _add_hypervisors(info, facts.pools)
    if facts.networks is not None:
        info.add("NetworkVirtualizationType", facts.networks.value.virtualization)
    info.add_each("VirtualDiskFormat", facts.manager.value.image_formats)
    info.add_each("AvailabilityZone", facts.manager.value.zones)
    free = _left(capacity.memory_mib, capacity.memory_used_mib)
    info.add("TotalMemory", units.memory(capacity.memory_mib))
    info.add("FreeMemory", units.memory(None if free is None else int(free)))
    info.add("CPUOvercommitRatio", capacity.cpu_overcommit)
    devices = (device for host in capacity.hosts if host.usable for device in host.devices)
    info.add_each("AcceleratorTotal", [f"{type_}:{number}" for type_, number in _devices_by_type(devices).items()])
    info.add("LiveMigration", features.live_migration)
    info.add("Failover", features.failover)
    info.add("VMBackupRestore", features.backup_restore)
    return info.values()


def _add_hypervisors(info: OtherInfo, pools: tuple[HypervisorPool, ...]) -> None:
    info.add_each("HypervisorName", sorted({pool.kind for pool in pools}))
    if len({(pool.kind, pool.version) for pool in pools}) == 1:
        # With several kinds a version alone would not say whose it is; the host pools say it.
        info.add("HypervisorVersion", pools[0].version)
    virtualization = {pool.cpu_virtualization for pool in pools if pool.cpu_virtualization}
    info.add_each("CPUVirtualizationType", sorted(virtualization))


def _devices_by_type(devices: Iterable[DeviceCount]) -> dict[str, int]:
    found: dict[str, int] = {}
    for device in devices:
        found[device.type] = found.get(device.type, 0) + device.total
    return dict(sorted(found.items()))
