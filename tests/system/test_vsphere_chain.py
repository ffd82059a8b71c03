"""vCenters of 1, 10 and 100 hosts and an ESXi host, published in one BDII: every number is what plain SOAP says."""

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.system import bdii, vsphere, vsphere_oracle
from tests.system.answers import Attributes, by_key, read_ldif
from tests.system.bdii import Bdii
from tests.system.demo import Demo, bdii_channel
from tests.system.vsphere import Plain, Simulator
from tests.system.vsphere_oracle import SMALL, Oracle

pytestmark = [pytest.mark.bdii, pytest.mark.vsphere]

GROUP = "GLUE2GroupID=resource,o=glue"
SIZES: Mapping[str, tuple[object, ...]] = {
    "esxi": ("-esx", "-vm", 7),
    "one": ("-cluster", 1, "-host", 1, "-standalone-host", 0, "-vm", 20),
    "ten": ("-cluster", 2, "-host", 4, "-standalone-host", 2, "-vm", 30, "-items", 12),
    "hundred": ("-cluster", 4, "-host", 25, "-standalone-host", 0, "-vm", 500, "-ds", 4),
}
"""How each is started; the last has 2,000 machines."""

POOLS = {"hundred": "DC0_C3_RP1", "ten": "DC0_C1_RP1", "one": "DC0_C0_RP1", "esxi": "Resources"}
"""The resource pool that a community works in, beside the first root."""

DECLARED = {
    "instance_types": {"instance_types": [SMALL]},
    "prices": {
        "prices": [
            {
                "resource": "flavour",
                "instance_type": "small",
                "consumption_fee": 0.02,
                "consumption_fee_period": "hourly",
                "currency": "EUR",
            }
        ]
    },
}


def configuration(simulators: Mapping[str, Simulator], projects: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """Each of them an instance, with a community in one of its pools."""
    return {
        "centre": {"name": "RC-VSPHERE", "description": "Several sizes"},
        "communities": [
            {"name": f"vo.{name}.example.org", "projects": [{"instance": name, "project": projects[name]}]}
            for name in simulators
        ],
        "instances": [
            {
                "name": name,
                "kind": "vsphere",
                "deadline": "100s",  # so long only because the machine may be busy
                "defaults": {"os_family": "linux"},
                "declared": DECLARED,
                "settings": simulator.settings(folder / "password"),
            }
            for name, simulator in simulators.items()
        ],
    }


@pytest.fixture(scope="module")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Simulator]]:
    """All of them."""
    with ExitStack() as running:
        folder = tmp_path_factory.mktemp("vsphere")
        yield {name: vsphere.start_until(running, folder / name, *options) for name, options in SIZES.items()}


@pytest.fixture(scope="module")
def oracles(simulators: dict[str, Simulator]) -> dict[str, Oracle]:
    """What each says by plain SOAP."""
    simulators["ten"].set_host("DC0_C0_H1", connection="disconnected")
    simulators["hundred"].set_host("DC0_C2_H7", connection="notResponding")
    return {name: Oracle(Plain(simulator)) for name, simulator in simulators.items()}


@pytest.fixture(scope="module")
def projects(oracles: dict[str, Oracle]) -> dict[str, str]:
    """The id of the pool that is published of each."""
    return {
        name: next(id_ for id_, pool in oracle.pools.items() if pool["name"] == POOLS[name])
        for name, oracle in oracles.items()
    }


@pytest.fixture(scope="module")
def server(
    simulators: dict[str, Simulator], projects: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bdii]:
    """A BDII that serves what one command has published of all of them."""
    folder = tmp_path_factory.mktemp("centre")
    with ExitStack() as running:
        ldif = folder / "ldif"
        served = bdii.start(folder / "bdii", "--ldif", str(ldif))
        running.callback(served.stop)
        written = configuration(simulators, projects, folder) | {"channels": [bdii_channel(ldif)]}
        (folder / "centre.yaml").write_text(yaml.safe_dump(written))
        done = Demo(folder / "centre.yaml").publish()
        assert done.returncode == 0, done.stderr
        served.wait()
        yield served


@pytest.fixture(scope="module")
def entries(server: Bdii) -> dict[str, Attributes]:
    """Everything that it serves."""
    return read_ldif(server.search(GROUP))


def of(entries: Mapping[str, Attributes], instance: str, leaf: str) -> list[dict[str, frozenset[str]]]:
    """The entries of one class of one instance, by attribute and by key."""
    named = re.compile(f"urn:glue2:[A-Za-z]+:rc-vsphere:{instance}(:|,|$)")
    found = [by_key(one) for dn, one in entries.items() if named.search(dn.split(",")[0] + ",")]
    return [one for one in found if f"GLUE2{leaf}" in one["objectClass"]]


def differences(expected: Mapping[str, set[str]], found: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """What is stated otherwise."""
    return {
        name: (sorted(values), sorted(found.get(name, ())))
        for name, values in expected.items()
        if values != found.get(name, frozenset())
    }


@pytest.mark.parametrize("module", [vsphere, vsphere_oracle])
def test_the_oracle_is_a_second_opinion(module: ModuleType) -> None:
    """What the server is held against is worked out without the package and without its client of vSphere."""
    tree = ast.parse(Path(module.__file__ or "").read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not [name for name in imported if name.split(".")[0] in {"infoprovider", "pyVmomi", "pyVim"}]


@pytest.mark.shows(
    "vsphere",
    "product and version",
    "zones",
    "kind and version of the hypervisor",
    "physical and logical CPUs",
    "vCPUs, and those in use",
    "memory, and what is in use",
    "disk, and what is in use",
    by="simulator",
)
@pytest.mark.parametrize("name", SIZES)
def test_the_manager_has_the_numbers_of_plain_soap(
    name: str, entries: dict[str, Attributes], oracles: dict[str, Oracle]
) -> None:
    """Effective capacity in the documented units, without hosts that are in maintenance or not connected."""
    [found] = of(entries, name, "ComputingManager")
    assert differences(oracles[name].manager(), found) == {}


@pytest.mark.shows(
    "vsphere",
    "processor model and clock",
    "sockets, cores and threads",
    "architecture",
    "memory of a host",
    "hosts, unusable and in use",
    by="simulator",
)
@pytest.mark.parametrize("name", SIZES)
def test_hosts_are_pooled_by_class(name: str, entries: dict[str, Attributes], oracles: dict[str, Oracle]) -> None:
    """One entry for each class of equal hosts, however many there are."""
    found = {
        tuple(next(iter(one[f"GLUE2ExecutionEnvironment{path}"])) for path in ("LogicalCPUs", "MainMemorySize")): one
        for one in of(entries, name, "ExecutionEnvironment")
        if one["GLUE2ExecutionEnvironmentVirtualMachine"] == {"false"}
    }
    expected = oracles[name].pools_of_hosts()
    assert found.keys() == expected.keys()
    assert [one for sizes in expected if (one := differences(expected[sizes], found[sizes]))] == []


@pytest.mark.shows(
    "vsphere", "quotas", "machines by state", "what projects hold", "machines startable now", by="simulator"
)
@pytest.mark.parametrize("name", SIZES)
def test_a_resource_pool_is_a_share(
    name: str, entries: dict[str, Attributes], oracles: dict[str, Oracle], projects: dict[str, str]
) -> None:
    """Its limits are the quota, its machines are counted by state, and templates are none."""
    [found] = of(entries, name, "ComputingShare")
    assert differences(oracles[name].share(projects[name]), found) == {}


@pytest.mark.shows("vsphere", "names of images", by="simulator")
@pytest.mark.parametrize("name", SIZES)
def test_templates_and_library_items_are_images(
    name: str, entries: dict[str, Attributes], oracles: dict[str, Oracle]
) -> None:
    """Those and no others."""
    found = {next(iter(one["GLUE2EntityName"])): one for one in of(entries, name, "ApplicationEnvironment")}
    expected = oracles[name].images()
    assert found.keys() == expected.keys()
    assert [one for id_ in expected if (one := differences(expected[id_], found[id_]))] == []


@pytest.mark.shows("vsphere", "sizes of instance types", "prices", by="declared only")
@pytest.mark.parametrize("name", SIZES)
def test_instance_types_and_prices_are_the_declared_ones(name: str, entries: dict[str, Attributes]) -> None:
    """VSphere has neither."""
    [small] = [
        one
        for one in of(entries, name, "ExecutionEnvironment")
        if one["GLUE2ExecutionEnvironmentVirtualMachine"] == {"true"}
    ]
    assert (small["GLUE2EntityName"], small["GLUE2ExecutionEnvironmentLogicalCPUs"]) == ({"small"}, {"2"})
    assert small["Price.ConsumptionFee"] == {"0.02"}
    assert "GLUE2ExecutionEnvironmentUsedInstances" not in small


def test_the_oracle_expects_enough(oracles: dict[str, Oracle], projects: dict[str, str]) -> None:
    """It does not agree by expecting nothing: rooms that hosts bound, and quotas; machines in every state."""
    rooms = {name: oracle.share(projects[name])["FreeInstances.small"] for name, oracle in oracles.items()}
    assert (rooms["one"], rooms["hundred"]) == ({"0"}, {"0"})
    assert all(int(*rooms[name]) > 0 for name in ("esxi", "ten"))
    states = {one["runtime.powerState"] for one in oracles["ten"].machines.values()}
    assert states == {"poweredOn", "poweredOff", "suspended"}
    assert len(oracles["ten"].images()) == 12 + 8


def test_the_server_takes_everything(server: Bdii, entries: dict[str, Attributes], oracles: dict[str, Oracle]) -> None:
    """No complaint; the sizes are as meant; no name of a host or a machine is served."""
    assert server.complaints() == []
    assert {name: len(one.hosts) for name, one in oracles.items()} == {"esxi": 1, "one": 1, "ten": 10, "hundred": 100}
    assert len(oracles["hundred"].machines) + len(oracles["hundred"].templates) == 2000
    assert "DC0_C0_H0" not in str(entries)
    names = {one["name"] for oracle in oracles.values() for one in oracle.machines.values()}
    assert [name for name in names if f"'{name}'" in str(entries)] == []
