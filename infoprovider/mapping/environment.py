"""Host classes and instance types, both as ExecutionEnvironments: VirtualMachine tells them apart."""

from collections.abc import Iterator

from infoprovider.glue.document import Made
from infoprovider.glue.entities import Benchmark, ExecutionEnvironment
from infoprovider.glue.vocabulary import CPUMultiplicity, ExtendedBoolean
from infoprovider.inventory.model import Accelerator, HypervisorPool, InstanceType, Networks, Processor
from infoprovider.mapping.context import SLOW, InstanceFacts, agreed, note_age
from infoprovider.mapping.fitting import pools_of
from infoprovider.mapping.other_info import OtherInfo
from infoprovider.mapping.prices import add_prices
from infoprovider.mapping.startable import held_when_empty
from infoprovider.mapping.vocabulary import mandatory_boolean, platform


def map_environments(facts: InstanceFacts) -> Iterator[Made]:
    """The host classes of one instance with their benchmarks, and its instance types."""
    for pool in facts.pools:
        yield to_host_pool(facts, pool)
        yield from _benchmarks(facts, pool)
    for instance_type in facts.published_types:
        yield to_instance_type(facts, instance_type)


# --- host classes ---------------------------------------------------------------------------------------------------


def to_host_pool(facts: InstanceFacts, pool: HypervisorPool) -> Made:
    """A class of equal hosts; sizes are of one host."""
    assert facts.hypervisors is not None  # noqa: S101  (where there is a pool there is the facet)
    defining = facts.hypervisors.source
    processor = pool.processor
    networks = facts.networks.value if facts.networks else Networks()
    architecture = pool.architecture or facts.block.defaults.platform
    entity = ExecutionEnvironment(
        id=facts.pool_id(pool.id),
        name=pool.name or pool.id,
        platform=platform(architecture) if architecture else None,
        virtual_machine=ExtendedBoolean.FALSE,
        total_instances=pool.hosts,
        used_instances=pool.hosts_in_use,
        unavailable_instances=pool.hosts_unusable,
        physical_cpus=processor.physical_cpus,
        logical_cpus=processor.logical_cpus,
        cpu_multiplicity=_multiplicity(processor),
        cpu_vendor=processor.vendor,
        cpu_model=processor.model,
        cpu_version=processor.version,
        cpu_clock_speed=processor.clock_mhz,
        main_memory_size=facts.context.units.memory(pool.memory_mib),
        os_family=pool.operating_system.family or facts.block.defaults.os_family,
        os_name=pool.operating_system.name,
        os_version=pool.operating_system.version,
        connectivity_in=mandatory_boolean(networks.inbound),
        connectivity_out=mandatory_boolean(networks.outbound),
        network_info=pool.network_technology,
        manager_foreign_key=facts.manager_id,
        computing_manager_foreign_key=facts.manager_id,
        other_info=_pool_info(facts, pool),
        creation_time=defining.observed_at,
        validity=SLOW,
    )
    return Made(entity, facts.sources(defining, facts.networks, facts.manager))


def _pool_info(facts: InstanceFacts, pool: HypervisorPool) -> tuple[str, ...]:
    assert facts.hypervisors is not None  # noqa: S101
    info = OtherInfo("ExecutionEnvironment")
    info.add("HypervisorName", pool.kind)
    info.add("HypervisorVersion", pool.version)
    info.add("CPUVirtualizationType", pool.cpu_virtualization)
    info.add("Disk", facts.context.units.disk(pool.disk_gib))
    info.add("NetworkBandwidth", pool.network_bandwidth_mbps)
    info.add_each("VirtualDiskFormat", pool.image_formats)
    note_age(info, "Connectivity.ObservedAt", facts.networks, facts.hypervisors.source, SLOW)
    return info.values()


def _multiplicity(processor: Processor) -> CPUMultiplicity | None:
    if processor.physical_cpus is None or processor.cores_per_cpu is None:
        return None
    cpus = "multicpu" if processor.physical_cpus > 1 else "singlecpu"
    cores = "multicore" if processor.cores_per_cpu > 1 else "singlecore"
    return CPUMultiplicity(f"{cpus}-{cores}")


def _benchmarks(facts: InstanceFacts, pool: HypervisorPool) -> Iterator[Made]:
    assert facts.hypervisors is not None  # noqa: S101
    for benchmark in pool.benchmarks:
        entity = Benchmark(
            id=facts.ids.of("Benchmark", pool.id, benchmark.type),
            type=benchmark.type,
            value=benchmark.value,
            execution_environment_foreign_key=facts.pool_id(pool.id),
            computing_manager_foreign_key=facts.manager_id,
            creation_time=facts.hypervisors.source.observed_at,
            validity=SLOW,
        )
        yield Made(entity, facts.sources(facts.hypervisors.source, facts.manager))


# --- instance types -------------------------------------------------------------------------------------------------


def to_instance_type(facts: InstanceFacts, instance_type: InstanceType) -> Made:
    """A size in which machines are started: its native id is the Name, with which brokers start machines."""
    assert facts.instance_types is not None  # noqa: S101  (where there is a type there is the facet)
    defining = facts.instance_types.source
    units = facts.context.units
    networks = facts.networks.value if facts.networks else Networks()
    pools = pools_of(instance_type, facts.pools)
    capacity = facts.capacity.value if facts.capacity else None
    held, unavailable = held_when_empty(instance_type, capacity, facts.pools) or (None, None)
    memory = instance_type.memory_mib
    system = instance_type.operating_system
    entity = ExecutionEnvironment(
        id=facts.type_ids[instance_type.id],
        name=instance_type.id,
        platform=_platform(facts, instance_type, pools),
        virtual_machine=ExtendedBoolean.TRUE,
        total_instances=held,
        used_instances=_used(facts, instance_type),
        unavailable_instances=unavailable,
        logical_cpus=instance_type.vcpus,
        cpu_vendor=agreed(pool.processor.vendor for pool in pools),
        cpu_model=agreed(pool.processor.model for pool in pools),
        cpu_version=agreed(pool.processor.version for pool in pools),
        cpu_clock_speed=agreed(pool.processor.clock_mhz for pool in pools),
        main_memory_size=units.memory(memory),
        virtual_memory_size=None if instance_type.swap_mib is None else units.memory(memory + instance_type.swap_mib),
        os_family=_os_family(facts, instance_type),
        os_name=system.name,
        os_version=system.version,
        connectivity_in=mandatory_boolean(networks.inbound),
        connectivity_out=mandatory_boolean(networks.outbound),
        network_info=networks.technology,
        manager_foreign_key=facts.manager_id,
        computing_manager_foreign_key=facts.manager_id,
        other_info=_type_info(facts, instance_type, pools),
        creation_time=defining.observed_at,
        validity=SLOW,
    )
    others = (
        facts.hypervisors,
        facts.capacity if held is not None else None,
        facts.networks,
        facts.images,
        facts.prices,
        facts.manager,
        *facts.usage.values(),
    )
    return Made(entity, facts.sources(defining, *others))


def _platform(facts: InstanceFacts, instance_type: InstanceType, pools: tuple[HypervisorPool, ...]) -> str | None:
    architecture = (
        instance_type.architecture or agreed(pool.architecture for pool in pools) or facts.block.defaults.platform
    )
    return platform(architecture) if architecture else None


def _os_family(facts: InstanceFacts, instance_type: InstanceType) -> str | None:
    """The type's own, else that of all images that fit it where they agree, else the operator's default."""
    own = instance_type.operating_system.family
    if own:
        return own
    images = facts.fitting_images[instance_type.id]
    return agreed(image.operating_system.family for image in images) or facts.block.defaults.os_family


def _used(facts: InstanceFacts, instance_type: InstanceType) -> int | None:
    """Machines of the type in all projects; not known where one project does not tell."""
    return facts.counted(lambda usage: None if usage.holding is None else usage.holding.get(instance_type.id, 0))


def _type_info(facts: InstanceFacts, instance_type: InstanceType, pools: tuple[HypervisorPool, ...]) -> tuple[str, ...]:
    assert facts.instance_types is not None  # noqa: S101
    defining = facts.instance_types.source
    units = facts.context.units
    info = OtherInfo("ExecutionEnvironment")
    # One old reader takes the first value for the disk and looks no further.
    info.add("disk", units.disk(instance_type.disk_gib))
    info.add("TemplateName", instance_type.name)
    info.add("EphemeralStorage", units.disk(instance_type.ephemeral_gib))
    _add_accelerators(info, facts, instance_type.accelerators)
    info.add_each("HypervisorName", sorted({pool.kind for pool in pools}))
    _add_network(info, facts, instance_type)
    info.add_each("HostPool", [facts.pool_id(pool.id) for pool in pools])
    note_age(info, "TotalInstances.ObservedAt", facts.capacity, defining, SLOW)
    note_age(info, "UsedInstances.ObservedAt", facts.oldest_usage, defining, SLOW)
    add_prices(info, facts.prices, instance_type.id)
    if not len(info):
        # Old brokers take the first value unchecked.
        info.add("TemplateID", instance_type.id)
    return info.values()


def _add_accelerators(info: OtherInfo, facts: InstanceFacts, accelerators: tuple[Accelerator, ...]) -> None:
    for number, accelerator in enumerate(accelerators, start=1):
        suffix = f".{number}" if number > 1 else ""
        info.add(f"AcceleratorType{suffix}", accelerator.type)
        info.add(f"AcceleratorNumber{suffix}", accelerator.number)
        info.add(f"AcceleratorVendor{suffix}", accelerator.vendor)
        info.add(f"AcceleratorModel{suffix}", accelerator.model)
        info.add(f"AcceleratorMemory{suffix}", facts.context.units.memory(accelerator.memory_mib))
        info.add(f"AcceleratorVirtualizationType{suffix}", accelerator.virtualization)


def _add_network(info: OtherInfo, facts: InstanceFacts, instance_type: InstanceType) -> None:
    if facts.networks is None:
        info.add("NetworkBandwidth", instance_type.network_bandwidth_mbps)
        return
    assert facts.instance_types is not None  # noqa: S101
    networks = facts.networks.value
    own = instance_type.network_bandwidth_mbps
    info.add("NetworkBandwidth", networks.bandwidth_mbps if own is None else own)
    info.add("PublicIPv4", networks.public_ipv4)
    info.add("IPv6", networks.ipv6)
    info.add("VLAN", networks.vlan)
    info.add("FirewallControl", networks.firewall_control)
    info.add("NetworkPortsIn", networks.ports_in)
    info.add("NetworkPortsOut", networks.ports_out)
    note_age(info, "Connectivity.ObservedAt", facts.networks, facts.instance_types.source, SLOW)
