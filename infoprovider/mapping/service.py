"""One VM manager as a ComputingService and its ComputingManager."""

from collections.abc import Iterable, Iterator

from infoprovider import __version__
from infoprovider.config.model import Vocabulary
from infoprovider.glue.document import Made
from infoprovider.glue.entities import ComputingManager, ComputingService
from infoprovider.inventory.model import Capacity, DeviceCount, Hypervisors, Usage
from infoprovider.mapping.context import DYNAMIC, InstanceFacts, oldest_source, total
from infoprovider.mapping.other_info import OtherInfo
from infoprovider.mapping.vocabulary import capabilities, known_boolean, service_type


def map_service(facts: InstanceFacts) -> Iterator[Made]:
    """The service and the manager of one instance."""
    yield to_service(facts)
    yield to_manager(facts)


def to_service(facts: InstanceFacts) -> Made:
    """The ComputingService: all interfaces of one VM manager; its counters are of all projects."""
    usage = tuple(one.value for one in facts.usage.values())
    defining = oldest_source(facts.usage.values()) if facts.usage else facts.manager.source
    vocabulary = facts.context.publication.vocabulary
    manager = facts.manager.value
    info = OtherInfo("ComputingService")
    info.add("InfoProviderName", "infoprovider")
    info.add("InfoProviderVersion", __version__)
    if vocabulary is Vocabulary.EGI_STRICT:
        info.add("ProfileName", "EGI")
    info.add("VMHalted", total(one.halted for one in usage))
    info.add("VMError", total(one.error for one in usage))
    endpoints = sum(len(endpoint.sign_in) for endpoint in manager.endpoints)
    resources = len(facts.published_types) + (len(facts.hypervisors.value.pools) if facts.hypervisors else 0)
    service = ComputingService(
        id=facts.service_id,
        name=facts.block.name,
        capability=capabilities(vocabulary, image_upload=manager.features.image_upload is True),
        type=service_type(vocabulary),
        quality_level=facts.quality_level,
        status_info=(manager.status_page,) if manager.status_page else (),
        complexity=f"endpointType={endpoints}, share={len(facts.mapped)}, resource={resources}",
        admin_domain_foreign_key=(facts.context.centre.name,),
        total_jobs=total(jobs_of(one) for one in usage),
        running_jobs=total(one.running for one in usage),
        waiting_jobs=total(one.waiting for one in usage),
        staging_jobs=total(one.staging for one in usage),
        suspended_jobs=total(one.suspended for one in usage),
        other_info=info.values(),
        creation_time=defining.observed_at,
        validity=DYNAMIC,
    )
    return Made(service, facts.sources(defining, facts.manager, *facts.usage.values()))


def jobs_of(usage: Usage) -> int | None:
    """Machines of a project that GLUE counts as jobs: not the halted ones, not those in error."""
    return total((usage.running, usage.waiting, usage.staging, usage.suspended))


def to_manager(facts: InstanceFacts) -> Made:
    """The ComputingManager: the VM manager itself with what it holds in all."""
    defining = (facts.capacity or facts.manager).source
    capacity = facts.capacity.value if facts.capacity else Capacity()
    manager = facts.manager.value
    units = facts.context.units
    pools = facts.hypervisors.value.pools if facts.hypervisors else ()
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
        slots_used_by_grid_jobs=_slots_used(facts, by_communities=True),
        slots_used_by_local_jobs=_slots_used(facts, by_communities=False),
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
    others = (facts.capacity, facts.manager, facts.hypervisors, facts.networks, *facts.usage.values())
    return Made(entity, facts.sources(defining, *others))


def _slots_used(facts: InstanceFacts, *, by_communities: bool) -> int | None:
    """VCPUs in use by the projects of published communities, or by all others; 0 is said only where usage is known."""
    if not facts.usage:
        return None
    mapped = facts.mapped_projects
    chosen = [usage.value.vcpus for project, usage in facts.usage.items() if (project in mapped) == by_communities]
    return total(chosen) if chosen else 0


def _left(whole: float | None, used: float | None) -> float | None:
    return None if whole is None or used is None else max(0.0, whole - used)


def _manager_info(facts: InstanceFacts, capacity: Capacity) -> tuple[str, ...]:
    info = OtherInfo("ComputingManager")
    features = facts.manager.value.features
    units = facts.context.units
    if facts.hypervisors is not None:
        _add_hypervisors(info, facts.hypervisors.value)
    if facts.networks is not None:
        info.add("NetworkVirtualizationType", facts.networks.value.virtualization)
    info.add_each("VirtualDiskFormat", facts.manager.value.image_formats)
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


def _add_hypervisors(info: OtherInfo, hypervisors: Hypervisors) -> None:
    pools = hypervisors.pools
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
