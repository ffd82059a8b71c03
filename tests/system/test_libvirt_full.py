"""What is published as startable now is what starts: machines one by one until the next does not fit by virsh.

libvirt refuses no machine for lack of CPUs or memory: whether one more fits is worked out of what virsh says of the
hosts at each step.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.system.demo import COMMAND
from tests.system.libvirt import PORTAL, Hosts, machines, number, table, virsh

pytestmark = pytest.mark.libvirt

UNLIMITED = dict.fromkeys(
    ("instances", "vcpus", "memory_mib", "disk_gib", "accelerators", "public_addresses"), "unlimited"
)
SIZES = {"tiny": (1, 1536), "wide": (3, 1024), "large": (2, 4608)}
"""Instance types: vCPUs and MiB. None divides what a host has without a rest."""

Size = tuple[int, int]
MANY = 1000
"""More machines, and vCPUs, than any of the hosts has room for."""


@dataclass(frozen=True)
class State:
    """How hosts are at first: CPUs and GiB of each, vCPUs and GiB of the machines that it runs."""

    name: str
    hosts: tuple[Size, ...]
    running: tuple[tuple[Size, ...], ...] = ()
    off: int = 0
    quota: dict[str, int] | None = None
    settings: tuple[tuple[str, Any], ...] = ()


THREE = ((8, 24), (5, 18), (4, 10))
RESERVED = (("cpu_overcommit", 1.5), ("reserved_memory", 2560))
STATES = (
    State("empty", THREE),
    State("half full", THREE, running=(((2, 8),), ((1, 4), (1, 2)), ((1, 3),)), off=2),
    State("memory in pieces", ((8, 13),) * 3, running=(((1, 6),),) * 3),
    State("one host overfull", ((3, 24), (6, 18)), running=(((3, 4), (2, 4)), ((1, 2),))),
    State("overcommitted, with a reservation", ((5, 16), (3, 12)), running=(((2, 4),),), settings=RESERVED),
    State("quota", ((8, 24), (6, 18)), running=(((2, 4),), ((1, 2),)), quota={"instances": 6, "vcpus": 12}),
)


class Node:
    """A host of the test driver: a machine starts by being written into its file, which each connection reads."""

    def __init__(self, hosts: Hosts, cpus: int, gib: int, place: int) -> None:
        self.file = hosts.folder / "nodes" / f"full{place}.xml"
        self.uri = hosts.node(self.file)
        self._cpus, self._gib = cpus, gib
        self._machines: list[tuple[int, int, bool]] = []
        self._write()

    def start(self, vcpus: int, mib: int, *, is_on: bool = True) -> None:
        """One machine more."""
        self._machines.append((vcpus, mib, is_on))
        self._write()

    def _write(self) -> None:
        node = ElementTree.Element("node")
        cpu = ElementTree.SubElement(node, "cpu")
        for name, value in {
            "mhz": 2000,
            "model": "x86_64",
            "active": self._cpus,
            "nodes": 1,
            "sockets": 1,
            "cores": self._cpus,
            "threads": 1,
        }.items():
            ElementTree.SubElement(cpu, name).text = str(value)
        ElementTree.SubElement(node, "memory").text = str(self._gib * 2**20)
        text = ElementTree.tostring(node, encoding="unicode").removesuffix("</node>")
        text += "".join(
            f'<domain type="test" xmlns:test="http://libvirt.org/schemas/domain/test/1.0"><name>vm{place}</name>'
            f'<memory unit="MiB">{mib}</memory><vcpu>{vcpus}</vcpu><os><type>hvm</type></os>'
            f"<test:runstate>{1 if is_on else 5}</test:runstate></domain>"
            for place, (vcpus, mib, is_on) in enumerate(self._machines)
        )
        self.file.write_text(f"{text}</node>")


def published(
    folder: Path, uris: list[str], quota: dict[str, int], sizes: dict[str, Size], **settings: Any
) -> dict[str, int]:
    """How many machines of each type could be started, as it is rendered and read back; all are exact."""
    types = [
        {"id": name, "vcpus": vcpus, "memory_mib": mib, "disk_gib": 0, "boots_from_volume": True}
        for name, (vcpus, mib) in sizes.items()
    ]
    instance = {
        "name": "hosts",
        "kind": "libvirt",
        "defaults": {"platform": "amd64", "os_family": "linux"},
        "declared": {"instance_types": {"instance_types": types}, "quotas": {"machines": UNLIMITED | quota}},
        "settings": {"uris": uris} | PORTAL | settings,
    }
    community = {"name": "vo.example.org", "projects": [{"instance": "hosts", "project": "machines"}]}
    config = folder / "centre.yaml"
    config.write_text(
        yaml.safe_dump({"centre": {"name": "RC-FULL"}, "communities": [community], "instances": [instance]})
    )
    done = subprocess.run([COMMAND, "try", config, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    offers = json.loads(done.stdout)["offers"]
    assert not any(offer["is_upper_bound"] for offer in offers)
    return {offer["instance_type"]: offer["startable"] for offer in offers}


def room(uri: str, settings: dict[str, Any]) -> tuple[int, float]:
    """VCPUs and MiB that are free on a host, by virsh; machines that are not shut off hold theirs."""
    node = table(virsh(uri, "nodeinfo"))
    try:
        memory = number(table(virsh(uri, "nodememstats"))["total"]) / 1024
    except subprocess.CalledProcessError:  # the test driver has none
        memory = number(node["Memory size"]) / 1024
    holding = [machine for machine in machines(uri) if machine.holds]
    vcpus = int(number(node["CPU(s)"]) * settings.get("cpu_overcommit", 1))
    return (
        vcpus - sum(machine.vcpus for machine in holding),
        memory - settings.get("reserved_memory", 0) - sum(machine.memory for machine in holding),
    )


def filled(start: dict[str, Callable[[], None]], size: Size, state: State) -> int:
    """How many machines of a size start on hosts, given by URI, until none has room or the quota is used up."""
    settings, started = dict(state.settings), 0
    quota = state.quota or {}
    there = [machine for uri in start for machine in machines(uri)] if quota else []
    left = quota.get("instances", MANY) - len(there)
    vcpus_left = quota.get("vcpus", MANY) - sum(machine.vcpus for machine in there if machine.holds)
    free = {uri: room(uri, settings) for uri in start}
    while started < min(left, vcpus_left // size[0]):
        fitting = [uri for uri, (vcpus, mib) in free.items() if vcpus >= size[0] and mib >= size[1]]
        if not fitting:
            break
        start[fitting[0]]()
        free[fitting[0]] = room(fitting[0], settings)
        started += 1
    return started


@pytest.mark.shows("libvirt", "machines startable now", by="simulator")
@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
def test_what_is_published_is_what_starts(state: State, hosts: Hosts, tmp_path: Path) -> None:
    """On hosts of the test driver, of every type."""

    def fresh() -> list[Node]:
        nodes = [Node(hosts, cpus, gib, place) for place, (cpus, gib) in enumerate(state.hosts)]
        for node, running in zip(nodes, state.running, strict=False):
            for vcpus, gib in running:
                node.start(vcpus, gib * 1024)
        for _ in range(state.off):
            nodes[0].start(8, 32768, is_on=False)
        return nodes

    found = published(tmp_path, [node.uri for node in fresh()], state.quota or {}, SIZES, **dict(state.settings))
    for name, size in SIZES.items():
        starts = {node.uri: lambda node=node, size=size: node.start(*size) for node in fresh()}
        assert found[name] == filled(starts, size, state), name
    assert max(found.values()) > 0


@pytest.fixture
def empty(hosts: Hosts) -> Iterator[Hosts]:
    """The host with QEMU, without machines before and after."""
    hosts.clear()
    yield hosts
    hosts.clear()


@pytest.mark.shows("libvirt", "machines startable now", by="real system")
def test_real_machines_start_as_often_as_is_published(empty: Hosts, tmp_path: Path) -> None:
    """Of QEMU: bound by CPUs, and by memory, of which QEMU takes none before a machine wants it."""
    settings = {"cpu_overcommit": 2.5}
    vcpus, mib = room(empty.qemu, settings)
    sizes = {"narrow": (1, 16), "broad": (1, int(mib // 3) - 16)}
    state = State("real", (), settings=tuple(settings.items()))
    virsh(empty.qemu, empty.define("there", memory=32, vcpus=1), "start there --paused", empty.define("off", vcpus=2))
    found = published(tmp_path, [empty.qemu], {}, sizes, **settings)
    assert 0 < found["broad"] < found["narrow"] == vcpus - 1
    for name, size in sizes.items():
        made: list[str] = []

        def start(name: str = name, size: Size = size, made: list[str] = made) -> None:
            machine = f"{name}{len(made)}"
            virsh(empty.qemu, empty.define(machine, memory=size[1], vcpus=size[0]), f"start {machine} --paused")
            made.append(machine)

        assert found[name] == filled({empty.qemu: start}, size, state), name
        for machine in made:
            virsh(empty.qemu, f"destroy {machine}", f"undefine {machine}")
