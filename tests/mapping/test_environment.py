"""Host classes and instance types, each fact in its place, what is not known left out."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from infoprovider.glue.document import Made
from infoprovider.glue.entities import Benchmark, ExecutionEnvironment
from infoprovider.inventory.model import (
    Accelerator,
    BenchmarkResult,
    Networks,
    OperatingSystem,
    Price,
    Prices,
    Processor,
)
from infoprovider.mapping.context import SLOW
from infoprovider.mapping.environment import map_environments
from tests.mapping.example import (
    ago,
    capacity,
    community,
    facts,
    host,
    image,
    images,
    instance_type,
    keys,
    known,
    only,
    pool,
    pools,
    quotas,
    said,
    types,
    usage,
)

NETWORKS = Networks(
    inbound=True,
    outbound=False,
    public_ipv4="onrequest",
    ipv6=True,
    vlan=False,
    firewall_control="user",
    ports_in="22,443",
    ports_out="1:65535",
    technology=("infiniband",),
    bandwidth_mbps=40000,
)


def made(**changes: Any) -> list[Made]:
    """The environments of an instance."""
    return list(map_environments(facts(**changes)))


def environment(**changes: Any) -> ExecutionEnvironment:
    """The one environment of an instance."""
    return only(made(**changes), ExecutionEnvironment)


# --- host classes ---------------------------------------------------------------------------------------------------


def test_a_host_class_says_the_size_of_one_host_and_how_many_there_are() -> None:
    """Sockets, logical CPUs, memory and disk are of one host; the counts are of all."""
    processor = Processor(
        vendor="AuthenticAMD",
        model="EPYC",
        version="Milan",
        clock_mhz=2800,
        physical_cpus=2,
        logical_cpus=64,
        cores_per_cpu=32,
    )
    described = pool(
        "compute",
        name="Standard hosts",
        version="8.2.2",
        cpu_virtualization="hardware",
        architecture="x86_64",
        hosts=12,
        hosts_unusable=1,
        hosts_in_use=11,
        processor=processor,
        memory_mib=524288,
        disk_gib=1800.0,
        operating_system=OperatingSystem(family="linux", name="Debian", version="12"),
        network_technology=("gigabitethernet",),
        network_bandwidth_mbps=1000,
        image_formats=("raw", "qcow2"),
    )
    found = environment(hypervisors=known(pools(described), 300), networks=NETWORKS)
    assert (found.id, found.name) == ("urn:glue2:ExecutionEnvironment:rc-one:north:host-pool:compute", "Standard hosts")
    assert (found.virtual_machine, found.platform) == ("false", "amd64")
    assert (found.total_instances, found.used_instances, found.unavailable_instances) == (12, 11, 1)
    assert (found.physical_cpus, found.logical_cpus, found.cpu_multiplicity) == (2, 64, "multicpu-multicore")
    assert (found.cpu_vendor, found.cpu_model, found.cpu_version, found.cpu_clock_speed) == (
        "AuthenticAMD",
        "EPYC",
        "Milan",
        2800,
    )
    assert (found.main_memory_size, found.virtual_memory_size) == (524288, None)
    assert (found.os_family, found.os_name, found.os_version) == ("linux", "Debian", "12")
    assert (found.connectivity_in, found.connectivity_out, found.network_info) == (
        "true",
        "false",
        ("gigabitethernet",),
    )
    assert found.manager_foreign_key == found.computing_manager_foreign_key == "urn:glue2:ComputingManager:rc-one:north"
    assert found.other_info == (
        "HypervisorName=KVM",
        "HypervisorVersion=8.2.2",
        "CPUVirtualizationType=hardware",
        "Disk=1800",
        "NetworkBandwidth=1000",
        "VirtualDiskFormat=raw",
        "VirtualDiskFormat=qcow2",
    )
    assert (found.creation_time, found.validity) == (ago(300), SLOW)


def test_of_a_host_class_that_tells_little_little_is_said() -> None:
    """No placeholder: connectivity alone has a word for what is not known."""
    found = environment(hypervisors=pools(pool()))
    assert (found.connectivity_in, found.connectivity_out) == ("undefined", "undefined")
    assert (found.platform, found.os_family, found.main_memory_size, found.cpu_multiplicity) == (None,) * 4
    assert (found.used_instances, found.unavailable_instances, found.logical_cpus) == (None,) * 3
    assert (found.name, found.other_info) == ("compute", ("HypervisorName=KVM",))


@pytest.mark.parametrize(
    ("sockets", "cores", "word"),
    [
        (1, 1, "singlecpu-singlecore"),
        (1, 8, "singlecpu-multicore"),
        (2, 1, "multicpu-singlecore"),
        (2, 8, "multicpu-multicore"),
        (2, None, None),
        (None, 8, None),
    ],
)
def test_multiplicity_is_said_where_both_are_known(sockets: int | None, cores: int | None, word: str | None) -> None:
    """Sockets and cores of one host."""
    processor = Processor(physical_cpus=sockets, cores_per_cpu=cores)
    assert environment(hypervisors=pools(pool(processor=processor))).cpu_multiplicity == word


def test_what_a_host_class_does_not_tell_its_operator_declares() -> None:
    """The defaults stand in for the two attributes that GLUE demands, and only where nothing was told."""
    block = {"defaults": {"platform": "x86_64", "os_family": "linux"}}
    found = environment(hypervisors=pools(pool()), block=block)
    assert (found.platform, found.os_family) == ("amd64", "linux")
    arm = pool(architecture="aarch64", operating_system=OperatingSystem(family="windows"))
    found = environment(hypervisors=pools(arm), block=block)
    assert (found.platform, found.os_family) == ("aarch64", "windows")


def test_a_benchmark_belongs_to_its_host_class() -> None:
    """Type and value per host."""
    described = pool(benchmarks=(BenchmarkResult(type="hep-spec06", value=1286.4),))
    found = only(made(hypervisors=known(pools(described), 300)), Benchmark)
    assert found == Benchmark(
        id="urn:glue2:Benchmark:rc-one:north:compute:hep-spec06",
        type="hep-spec06",
        value=1286.4,
        execution_environment_foreign_key="urn:glue2:ExecutionEnvironment:rc-one:north:host-pool:compute",
        computing_manager_foreign_key="urn:glue2:ComputingManager:rc-one:north",
        creation_time=ago(300),
        validity=SLOW,
    )


# --- instance types -------------------------------------------------------------------------------------------------


def size(around: Mapping[str, Any] = MappingProxyType({}), **changes: Any) -> ExecutionEnvironment:
    """The environment of one instance type, with what else is known of its instance."""
    found = made(instance_types=types(instance_type(**changes)), **around)
    return only([one for one in found if getattr(one.entity, "virtual_machine", "") == "true"], ExecutionEnvironment)


def test_an_instance_type_says_what_one_machine_gets() -> None:
    """VCPUs, memory, swap and disk; the native id is the Name, with which machines are started."""
    found = size(
        id="m1.small",
        name="Small",
        vcpus=2,
        memory_mib=4096,
        disk_gib=20.0,
        ephemeral_gib=7.5,
        swap_mib=1024,
        architecture="x86_64",
        operating_system=OperatingSystem(family="linux", name="Debian", version="12"),
    )
    assert (found.id, found.name) == ("urn:glue2:ExecutionEnvironment:rc-one:north:m1.small", "m1.small")
    assert (found.virtual_machine, found.platform) == ("true", "amd64")
    assert (found.logical_cpus, found.main_memory_size, found.virtual_memory_size) == (2, 4096, 5120)
    assert (found.os_family, found.os_name, found.os_version) == ("linux", "Debian", "12")
    assert found.other_info == ("disk=20", "TemplateName=Small", "EphemeralStorage=7.5")
    assert (found.creation_time, found.validity) == (ago(60), SLOW)


def test_what_is_not_known_of_a_type_is_left_out() -> None:
    """Also the disk: 0 is a size, and not known is none. One value is always said, as old readers need it."""
    found = size(disk_gib=None)
    assert found.other_info == ("TemplateID=small",)
    assert (found.virtual_memory_size, found.platform, found.os_family) == (None, None, None)
    assert (found.total_instances, found.used_instances, found.unavailable_instances) == (None, None, None)
    assert size(disk_gib=0.0).other_info == ("disk=0",)


def test_the_disk_is_always_the_first_value() -> None:
    """One old reader takes the first value for the disk and looks no further."""
    found = size({"hypervisors": pools(pool()), "networks": NETWORKS}, name="Small", disk_gib=20.0)
    assert found.other_info[0] == "disk=20"
    assert len(found.other_info) > 5


def test_sizes_are_converted_where_the_operator_wants_si_units() -> None:
    """4096 MiB are 4294 MB, 20 GiB are 21.475 GB."""
    found = size({"memory_unit": "si"}, memory_mib=4096, disk_gib=20.0)
    assert (found.main_memory_size, said(found, "disk")) == (4294, ["21.475"])


def test_a_type_takes_the_processors_on_which_all_its_hosts_agree() -> None:
    """A model that only some hosts have is not the type's."""
    same = Processor(vendor="AMD", model="EPYC", clock_mhz=2800)
    one, other = pool("a", processor=same, architecture="x86_64"), pool("b", processor=same, architecture="x86_64")
    found = size({"hypervisors": pools(one, other)})
    assert (found.cpu_vendor, found.cpu_model, found.cpu_clock_speed, found.platform) == ("AMD", "EPYC", 2800, "amd64")
    differing = replace(other, processor=replace(same, clock_mhz=None, model="Xeon"))
    found = size({"hypervisors": pools(one, differing)})
    assert (found.cpu_vendor, found.cpu_model, found.cpu_clock_speed) == ("AMD", None, None)


def test_a_type_names_the_host_classes_and_hypervisors_that_it_runs_on() -> None:
    """`HostPool=` says which numbers share hosts."""
    found = size({"hypervisors": pools(pool("xen", kind="Xen"), pool("kvm"))}, pools=("kvm",))
    assert said(found, "HypervisorName") == ["KVM"]
    assert said(found, "HostPool") == ["urn:glue2:ExecutionEnvironment:rc-one:north:host-pool:kvm"]
    found = size({"hypervisors": pools(pool("xen", kind="Xen"), pool("kvm"))})
    assert said(found, "HypervisorName") == ["KVM", "Xen"]
    assert len(said(found, "HostPool")) == 2


def test_accelerators_are_a_numbered_group_of_keys() -> None:
    """Type, number, make, memory and how they are shared; the second kind ends in `.2`."""
    gpu = Accelerator(
        type="GPU", number=2, vendor="NVIDIA", model="A100", memory_mib=40960, virtualization="passthrough"
    )
    found = size(disk_gib=None, accelerators=(gpu, Accelerator(type="FPGA", number=1)))
    assert found.other_info == (
        "AcceleratorType=GPU",
        "AcceleratorNumber=2",
        "AcceleratorVendor=NVIDIA",
        "AcceleratorModel=A100",
        "AcceleratorMemory=40960",
        "AcceleratorVirtualizationType=passthrough",
        "AcceleratorType.2=FPGA",
        "AcceleratorNumber.2=1",
    )


def test_networks_stand_on_the_type() -> None:
    """Who reaches its machines, at which bandwidth and by which rules."""
    found = size({"networks": NETWORKS}, disk_gib=None)
    assert (found.connectivity_in, found.connectivity_out, found.network_info) == ("true", "false", ("infiniband",))
    assert found.other_info == (
        "NetworkBandwidth=40000",
        "PublicIPv4=onrequest",
        "IPv6=true",
        "VLAN=false",
        "FirewallControl=user",
        "NetworkPortsIn=22,443",
        "NetworkPortsOut=1:65535",
    )
    assert said(size({"networks": NETWORKS}, network_bandwidth_mbps=10), "NetworkBandwidth") == ["10"]
    assert said(size(network_bandwidth_mbps=10), "NetworkBandwidth") == ["10"]
    assert keys(size({"networks": Networks()}, disk_gib=None)) == ["TemplateID"]


def test_how_many_of_a_type_there_are_could_be_and_cannot_be_is_counted() -> None:
    """What empty hosts hold, what projects hold, and what unusable hosts would hold."""
    held = {"small": 2, "large": 9}
    found = size(
        {
            "capacity": capacity(host(), host(usable=False)),
            "usage": (usage("p1", holding=held), usage("p2", holding={"small": 1}), usage("p3", holding={})),
        }
    )
    assert (found.total_instances, found.used_instances, found.unavailable_instances) == (16, 3, 8)


def test_machines_are_not_counted_where_one_project_does_not_tell() -> None:
    """A sum over some projects would look like the sum over all."""
    told = usage("p1", holding={"small": 2})
    assert size({"usage": (told, usage("p2"))}).used_instances is None
    assert size({"usage": (told,), "quotas": (quotas("p2"),)}).used_instances is None
    assert size({"usage": (told,)}).used_instances == 2


def test_the_system_of_a_type_is_that_of_its_images_where_all_agree() -> None:
    """The type's own, else that of all images that fit it, else what the operator declares."""
    linux = image("a", operating_system=OperatingSystem(family="linux"))
    windows = image("b", operating_system=OperatingSystem(family="windows"), min_vcpus=4)
    block = {"defaults": {"os_family": "declared"}}
    assert size({"images": images(linux, windows), "block": block}).os_family == "linux"
    assert size({"images": images(linux, windows), "block": block}, vcpus=4).os_family == "declared"
    assert size({"images": images(linux, image("c"))}).os_family is None
    own = OperatingSystem(family="other")
    assert size({"images": images(linux)}, operating_system=own).os_family == "other"


def test_a_price_of_the_type_stands_on_it() -> None:
    """With its own moment; prices of other things do not."""
    prices = Prices(
        prices=(
            Price(resource="flavour", instance_type="small", consumption_fee=0.5, currency="EUR"),
            Price(resource="cpu", consumption_fee=9.0, currency="EUR"),
        )
    )
    found = size({"prices": known(prices, 7200)}, disk_gib=None)
    assert found.other_info == (
        "Price.Resource=flavour",
        "Price.ConsumptionFee=0.5",
        "Price.Currency=EUR",
        "Price.ObservedAt=2026-11-21T10:00:00Z",
    )


@pytest.mark.parametrize(("age", "noted"), [(60, False), (60 + 1800, False), (60 + 1801, True)])
def test_a_fact_that_is_much_older_than_its_entry_says_so(age: int, noted: bool) -> None:
    """Beyond the half hour in which the entry itself may be older than its facts."""
    found = size(
        {
            "capacity": known(capacity(host()), age),
            "networks": known(NETWORKS, age),
            "known_usage": {"p1": known(usage("p1", holding={}), age)},
        }
    )
    moment = {1861: "2026-11-21T11:28:59Z"}.get(age)
    for key in ("TotalInstances", "UsedInstances", "Connectivity"):
        assert said(found, f"{key}.ObservedAt") == ([moment] if noted else [])


def test_a_type_is_made_of_every_facet_that_it_says_something_of() -> None:
    """The first source is the one whose moment it carries."""
    of = facts(
        [community("vo.bio", "p1")],
        instance_types=known(types(instance_type()), 30),
        capacity=capacity(host()),
        networks=NETWORKS,
        usage=(usage("p1", holding={}),),
    )
    (one,) = map_environments(of)
    assert [source.facet for source in one.made_of] == [
        "instance_types",
        "capacity",
        "networks",
        "manager",
        "usage",
        "configuration",
    ]
