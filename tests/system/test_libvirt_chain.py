"""A real libvirtd with QEMU and twenty test hosts, published in a real BDII: every number is what virsh says."""

import math
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.answers import by_key, read_ldif
from tests.system.bdii import Bdii, start
from tests.system.demo import COMMAND, bdii_channel
from tests.system.libvirt import PORTAL, Counting, Hosts, Seen, number, seen, table, virsh

pytestmark = [pytest.mark.bdii, pytest.mark.libvirt]

URN = "urn:glue2:{}:rc-hosts:hosts"
TYPES = {"small": (1, 2048), "wide": (8, 4096), "large": (2, 30720)}
QUOTA = 700
OVERCOMMIT = 1.5

Entries = dict[str, dict[str, frozenset[str]]]


def settings(hosts: Hosts, **further: Any) -> dict[str, Any]:
    """Of every host."""
    return {"uris": [hosts.qemu, *hosts.simulated]} | PORTAL | further


def centre(folder: Path, given: dict[str, Any], *channels: dict[str, Any], **block: Any) -> Path:
    """The configuration of a centre with these hosts; what they cannot tell is declared."""
    sizes = [
        {"id": name, "vcpus": vcpus, "memory_mib": memory, "disk_gib": 0, "boots_from_volume": True}
        for name, (vcpus, memory) in TYPES.items()
    ]
    unlimited = dict.fromkeys(("vcpus", "memory_mib", "disk_gib", "accelerators", "public_addresses"), "unlimited")
    declared = {
        "instance_types": {"instance_types": sizes},
        "quotas": {"machines": {"instances": QUOTA} | unlimited},
        "prices": {"prices": [{"resource": "cpu", "consumption_fee": 0.01, "currency": "EUR"}]},
    }
    instance = {"name": "hosts", "kind": "libvirt", "defaults": {"os_family": "linux"}, "declared": declared}
    written = {
        "centre": {"name": "RC-HOSTS"},
        "communities": [{"name": "vo.example.org", "projects": [{"instance": "hosts", "project": "machines"}]}],
        "instances": [instance | block | {"settings": given}],
        "channels": list(channels),
    }
    config = folder / "centre.yaml"
    config.write_text(yaml.safe_dump(written))
    return config


def run(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the program."""
    return subprocess.run(
        [COMMAND, *words, config.name], cwd=config.parent, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def filled(hosts: Hosts) -> Iterator[Hosts]:
    """With machines of QEMU in several states, and two images."""
    running = ["define run1", "define run2", "define paused", "define off"]
    made = [
        hosts.define(name.split()[1], memory=16 * place, vcpus=1 + place % 2) for place, name in enumerate(running, 1)
    ]
    virsh(hosts.qemu, *made, "start run1 --paused", "start run2", "start paused --paused", "resume run1")
    virsh(hosts.qemu, "vol-create-as images debian.qcow2 10G --format qcow2", "vol-create-as images own.img 64M")
    yield hosts
    virsh(hosts.qemu, "vol-delete debian.qcow2 --pool images", "vol-delete own.img --pool images")
    hosts.clear()


@pytest.fixture(scope="module")
def truth(filled: Hosts) -> list[Seen]:
    """Every host by virsh."""
    return [seen(uri) for uri in (filled.qemu, *filled.simulated)]


@pytest.fixture(scope="module")
def served(filled: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entries]:
    """What a resource BDII has, by ID, after one collection and one publication."""
    folder = tmp_path_factory.mktemp("centre")
    with ExitStack() as running:
        bdii: Bdii = start(folder / "bdii", "--ldif", str(folder / "ldif"))
        running.callback(bdii.stop)
        given = settings(filled, image_pool="images", cpu_overcommit=OVERCOMMIT)
        config = centre(folder, given, bdii_channel(folder / "ldif"))
        for command in ("collect", "publish"):
            done = run(config, command)
            assert done.returncode == 0, done.stderr
        bdii.wait()
        found = read_ldif(bdii.search("GLUE2GroupID=resource,o=glue"))
        assert bdii.complaints() == []
        yield {dn.partition(",")[0].partition("=")[2]: by_key(entry) for dn, entry in found.items()}


def numbers(entry: dict[str, frozenset[str]], *names: str) -> tuple[float, ...]:
    """Single numbers of an entry."""
    return tuple(float(value) for name in names for (value,) in [entry[name]])


def capacity(host: Seen) -> int:
    """VCPUs that machines can get of a host."""
    return int(host.cpus * OVERCOMMIT)


@pytest.mark.shows(
    "libvirt",
    "product and version",
    "disk formats",
    "physical and logical CPUs",
    "vCPUs, and those in use",
    "memory, and what is in use",
    by="real system",
)
def test_the_whole_is_the_sum_of_what_virsh_says(served: Entries, truth: list[Seen]) -> None:
    """CPUs, slots and memory of all hosts; every machine that is not shut off holds some."""
    manager = served[URN.format("ComputingManager")]
    assert manager["GLUE2ManagerProductName"] == {"libvirt"}
    assert manager["GLUE2ManagerProductVersion"] == {truth[0].library}
    prefix = "GLUE2ComputingManager"
    assert numbers(manager, f"{prefix}TotalPhysicalCPUs", f"{prefix}TotalLogicalCPUs", f"{prefix}TotalSlots") == (
        sum(host.sockets for host in truth),
        sum(host.cpus for host in truth),
        sum(map(capacity, truth)),
    )
    held = sum(math.ceil(host.held[1]) for host in truth)
    memory = sum(host.memory for host in truth)
    assert numbers(manager, "TotalMemory", "FreeMemory") == (memory, memory - held)
    assert numbers(manager, "CPUOvercommitRatio", f"{prefix}SlotsUsedByGridJobs") == (
        OVERCOMMIT,
        sum(host.held[0] for host in truth),
    )
    assert manager["HypervisorName"] == {host.kind for host in truth}
    assert manager["VirtualDiskFormat"] == set().union(*(host.formats for host in truth))


@pytest.mark.shows(
    "libvirt",
    "kind and version of the hypervisor",
    "processor model and clock",
    "sockets, cores and threads",
    "architecture",
    "memory of a host",
    "hosts, unusable and in use",
    by="real system",
)
def test_equal_hosts_are_one_pool(served: Entries, truth: list[Seen]) -> None:
    """Twenty hosts of three sizes are three classes, and the real one is its own."""
    pools = {
        entry["HypervisorName"] | entry["GLUE2ExecutionEnvironmentMainMemorySize"]: entry
        for entry in served.values()
        if entry.get("GLUE2ExecutionEnvironmentVirtualMachine") == {"false"}
    }
    expected = Counter((host.kind, host.memory) for host in truth)
    assert len(expected) == 4
    assert pools.keys() == {frozenset({kind, str(memory)}) for kind, memory in expected}
    prefix = "GLUE2ExecutionEnvironment"
    for host in truth:
        pool = pools[frozenset({host.kind, str(host.memory)})]
        alike = [other for other in truth if (other.kind, other.memory) == (host.kind, host.memory)]
        assert numbers(pool, f"{prefix}TotalInstances", f"{prefix}UsedInstances", f"{prefix}UnavailableInstances") == (
            len(alike),
            sum(any(machine.holds for machine in other.machines) for other in alike),
            0,
        )
        assert numbers(pool, f"{prefix}LogicalCPUs", f"{prefix}PhysicalCPUs") == (host.cpus, host.sockets)
        # A real one may be of the moment.
        assert numbers(pool, f"{prefix}CPUClockSpeed") == (pytest.approx(host.clock, rel=0.5 * (host.kind == "QEMU")),)
        assert pool["HypervisorVersion"] == {host.version}
        assert pool.get(f"{prefix}CPUModel", frozenset()) == ({host.model} if host.model else frozenset())
        assert pool.get(f"{prefix}CPUVendor", frozenset()) == ({host.vendor} if host.vendor else frozenset())
        assert pool.get("VirtualDiskFormat", frozenset()) == host.formats
        assert pool[f"{prefix}Platform"] == {"amd64"}


@pytest.mark.shows("libvirt", "machines by state", "what projects hold", by="real system")
@pytest.mark.shows("libvirt", "quotas", "prices", by="declared only")
def test_machines_are_counted_by_state(served: Entries, truth: list[Seen]) -> None:
    """On all hosts together; what is declared stands beside it."""
    share = served[URN.format("ComputingShare") + ":machines"]
    states = Counter(machine.state for host in truth for machine in host.machines)
    assert states.keys() == {"running", "paused", "shut off"}
    prefix = "GLUE2ComputingShare"
    assert numbers(share, f"{prefix}RunningJobs", f"{prefix}SuspendedJobs", "VMHalted", f"{prefix}UsedSlots") == (
        states["running"],
        states["paused"],
        states["shut off"],
        sum(host.held[0] for host in truth),
    )
    assert numbers(share, f"{prefix}MaxTotalJobs") == (QUOTA,)
    assert share["Price.Currency"] == {"EUR"}


@pytest.mark.shows("libvirt", "sizes of instance types", by="declared only")
def test_what_can_be_started_is_what_free_hosts_hold(served: Entries, truth: list[Seen]) -> None:
    """Rounded down on each host, then added; no more than the quota leaves."""
    share = served[URN.format("ComputingShare") + ":machines"]
    left = QUOTA - sum(len(host.machines) for host in truth)
    found = {name: numbers(share, f"FreeInstances.{name}")[0] for name in TYPES}
    for name, (vcpus, memory) in TYPES.items():
        room = 0.0
        for host in truth:
            held_vcpus, held_memory = host.held
            room += max(0, min((capacity(host) - held_vcpus) // vcpus, (host.memory - held_memory) // memory))
        assert found[name] == min(left, room), name
    assert found["large"] < found["small"]
    assert "FreeInstances.UpperBound" not in share


@pytest.mark.shows("libvirt", "names of images", "formats and sizes of images", by="real system")
def test_images_are_the_volumes_of_their_pool(served: Entries, filled: Hosts) -> None:
    """Those of the same name on several hosts are one."""
    images = {name: entry for entry in served.values() for name in entry.get("GLUE2ApplicationEnvironmentAppName", ())}
    uris = (filled.qemu, filled.simulated[0])
    volumes = {
        line.split()[0]: uri for uri in uris for line in virsh(uri, "vol-list images").splitlines() if line.strip()
    }
    assert images.keys() == volumes.keys() == {"debian.qcow2", "own.img", "appliance.vmdk", "plain.img"}
    for name, image in images.items():
        told = table(
            virsh(filled.qemu if name == "own.img" else volumes[name], f"vol-info {name} --pool images --bytes")
        )
        if name != "debian.qcow2":  # on both: the file of one of them
            size = math.ceil(number(told["Allocation"]) / 2**20) / 1024
            assert numbers(image, "Image.Size") == (pytest.approx(size, abs=0.001),)
        assert numbers(image, "Image.MinDisk") == (pytest.approx(number(told["Capacity"]) / 2**30, abs=0.001),)
    assert {name: image["Image.Format"] for name, image in images.items()} == {
        "debian.qcow2": {"qcow2"},
        "own.img": {"raw"},
        "appliance.vmdk": {"vmdk"},
        "plain.img": {"raw"},
    }


@pytest.mark.shows("libvirt", "interfaces and sign-in", by="declared only")
def test_no_host_is_named(served: Entries, filled: Hosts) -> None:
    """Nor is a machine: only the address that users have is published."""
    text = repr(served)
    assert "https://portal.example.org/" in text
    for word in (str(filled.port), "/nodes/", "run1", "vm0", virsh(filled.qemu, "hostname").strip() + ":"):
        assert word not in text


@pytest.mark.shows("libvirt", "disk, and what is in use", "disk of a host", by="simulator")
def test_the_pool_of_machines_disks_is_the_disk_of_a_host(filled: Hosts, tmp_path: Path) -> None:
    """Of hosts whose disks nobody else writes to."""
    uris = filled.simulated[:2]
    config = centre(tmp_path, {"uris": uris, "disk_pool": "images"} | PORTAL)
    done = run(config, "try", "--ldif")
    assert done.returncode == 0, done.stderr
    entries = [by_key(entry) for entry in read_ldif(done.stdout).values()]
    (manager,) = [entry for entry in entries if "GLUE2ComputingManagerTotalSlots" in entry]
    pools = [table(virsh(uri, "pool-info images --bytes")) for uri in uris]
    names = ("GLUE2ComputingManagerWorkingAreaTotal", "GLUE2ComputingManagerWorkingAreaFree")
    assert numbers(manager, *names) == (
        sum(number(pool["Capacity"]) for pool in pools) // 2**30,
        sum(number(pool["Available"]) for pool in pools) // 2**30,
    )


def test_calls_do_not_grow_with_machines(filled: Hosts, tmp_path: Path) -> None:
    """Counted on their way to a real libvirtd: as many for forty machines as for four."""
    calls = []
    with Counting(filled.port) as counting:
        config = centre(tmp_path, {"uris": [f"qemu+tcp://127.0.0.1:{counting.port}/session"]} | PORTAL)
        for further in (0, 36):
            if further:
                virsh(filled.qemu, *(filled.define(f"more{index}") for index in range(further)))
            before = counting.calls
            done = run(config, "try", "--json")
            assert done.returncode == 0, done.stderr
            calls.append(counting.calls - before)
    virsh(filled.qemu, *(f"undefine more{index}" for index in range(36)))
    assert calls[0] == calls[1]
    assert 9 <= calls[0] <= 16  # nine of ours, and what connecting takes
