"""Hosts and their classes: nova's hypervisors joined with placement's providers."""

from typing import Any

import pytest

from infoprovider.inventory.model import Capacity, DeviceCount
from infoprovider.providers.openstack.flavors import VIRTUAL_GPU
from infoprovider.providers.openstack.hosts import (
    DISABLED,
    SHARED,
    Store,
    fetch_summaries,
    to_capacity,
    to_hosts,
    to_hypervisors,
    to_processor,
    to_store,
    to_version,
)
from infoprovider.providers.openstack.settings import OpenStackSettings
from tests.providers.openstack_recorded import PASSWORD, Fault, serving
from tests.providers.test_openstack_account import account

USUAL = OpenStackSettings(cloud="north")


def hypervisor(id: str = "h1", **changes: Any) -> dict[str, Any]:  # noqa: A002
    """A KVM host of 8 CPUs, as microversion 2.87 tells it."""
    return {
        "id": id,
        "hypervisor_hostname": "secret.example.org",
        "state": "up",
        "status": "enabled",
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8002001,
        "vcpus": 8,
        "memory_mb": 16384,
        "local_gb": 100,
        "running_vms": 0,
        "cpu_info": {"arch": "x86_64", "vendor": "Intel", "model": "Icelake", "topology": {}},
        **changes,
    }


def summary(root: str = "h1", traits: tuple[str, ...] = (), **amounts: tuple[int, int]) -> dict[str, Any]:
    """What placement says of a provider: capacity and used by resource."""
    told = amounts or {"VCPU": (32, 4), "MEMORY_MB": (15872, 2048), "DISK_GB": (100, 20)}
    resources = {name: {"capacity": capacity, "used": used} for name, (capacity, used) in told.items()}
    return {"root_provider_uuid": root, "traits": list(traits), "resources": resources}


def capacity_of(hypervisors: list[dict[str, Any]], summaries: dict[str, Any], settings: Any = USUAL) -> Capacity:
    """The whole of these hosts."""
    hosts = to_hosts(hypervisors, summaries)
    pools = to_hypervisors(hypervisors, hosts, {}).pools
    return to_capacity(hosts, pools, to_store(hosts, summaries, settings), (), VIRTUAL_GPU)


def test_equal_hosts_are_one_class() -> None:
    """Kind, version, size and processor make the class; state and load do not, another disk does."""
    hypervisors = [
        hypervisor("h1", running_vms=2),
        hypervisor("h2", state="down"),
        hypervisor("h3", status="disabled"),
        hypervisor("h4", local_gb=200),
    ]
    hosts = to_hosts(hypervisors, {})
    large, usual = sorted(to_hypervisors(hypervisors, hosts, {}).pools, key=lambda pool: pool.hosts)
    assert (usual.hosts, usual.hosts_unusable, usual.hosts_in_use, usual.disk_gib) == (3, 2, 1, 100.0)
    assert (large.hosts, large.disk_gib, large.kind, large.version) == (1, 200.0, "QEMU", "8.2.1")
    assert "secret" not in repr((usual, large))


def test_processors_with_other_traits_are_another_class() -> None:
    """Two generations of one size are told apart by what placement says of their processors, not by other traits."""
    hypervisors = [hypervisor("h1"), hypervisor("h2"), hypervisor("h3")]
    summaries = {
        "h1": summary("h1", ("HW_CPU_X86_AVX512F", "COMPUTE_IMAGE_TYPE_RAW")),
        "h2": summary("h2", ("HW_CPU_X86_AVX512F", DISABLED)),
        "h3": summary("h3"),
    }
    hosts = to_hosts(hypervisors, summaries)
    assert hosts[0].pool == hosts[1].pool != hosts[2].pool
    formats = {pool.hosts: pool.image_formats for pool in to_hypervisors(hypervisors, hosts, {}).pools}
    assert formats == {2: ("raw",), 1: ()}


def test_a_host_that_placement_says_is_disabled_is_not_usable() -> None:
    """Nova's list and placement's trait may differ for a while: either suffices."""
    hosts = to_hosts([hypervisor()], {"h1": summary(traits=(DISABLED,))})
    assert [host.usable for host in hosts] == [False]


def test_the_site_names_its_hypervisors() -> None:
    """Nova says QEMU of KVM as well."""
    hypervisors = [hypervisor()]
    (pool,) = to_hypervisors(hypervisors, to_hosts(hypervisors, {}), {"QEMU": "KVM"}).pools
    assert pool.kind == "KVM"


@pytest.mark.parametrize(
    ("number", "version"),
    [(8002000, "8.2.0"), (10000, "10.0"), (6003, "6.3"), (1, None), (0, None), (None, None)],
)
def test_versions_from_novas_numbers(number: int | None, version: str | None) -> None:
    """Three parts, two parts, or a number that says nothing."""
    assert to_version(number) == version


@pytest.mark.parametrize(
    ("topology", "sockets", "cores"),
    [
        ({"sockets": 1, "cores": 4, "threads": 2}, 1, 4),
        ({"cells": 2, "sockets": 1, "cores": 2, "threads": 2}, 2, 2),
        ({"sockets": 4, "cores": 1, "threads": 1}, None, None),
        ({}, None, None),
    ],
)
def test_sockets_must_account_for_the_cpus(topology: dict[str, int], sockets: int | None, cores: int | None) -> None:
    """A driver whose sockets have fewer CPUs than it says there are is not believed."""
    processor = to_processor(hypervisor(cpu_info={"topology": topology}))
    assert (processor.physical_cpus, processor.cores_per_cpu, processor.logical_cpus) == (sockets, cores, 8)
    assert to_processor(hypervisor(cpu_info="")).physical_cpus is None


def test_capacity_counts_usable_hosts_with_overcommitment() -> None:
    """Logical CPUs are of every host, the rest of those on which machines can be started."""
    capacity = capacity_of(
        [hypervisor("h1"), hypervisor("h2", state="down")], {"h1": summary("h1"), "h2": summary("h2")}
    )
    assert (capacity.logical_cpus, capacity.vcpus, capacity.vcpus_used, capacity.cpu_overcommit) == (16, 32, 4, 4.0)
    assert (capacity.memory_mib, capacity.disk_gib, capacity.disk_is_shared) == (15872, 100.0, False)
    assert [host.usable for host in capacity.hosts] == [True, False]


def test_a_host_that_placement_does_not_know_makes_the_whole_unknown() -> None:
    """Half of the hosts would look like all of them."""
    capacity = capacity_of([hypervisor("h1"), hypervisor("h2")], {"h1": summary("h1")})
    assert (capacity.logical_cpus, capacity.vcpus, capacity.hosts) == (16, None, ())


def test_virtual_gpus_of_child_providers_are_of_their_host() -> None:
    """Added up over the tree."""
    summaries = {"h1": summary(), "c1": summary(VGPU=(4, 1)), "c2": summary(VGPU=(4, 4))}
    (host,) = capacity_of([hypervisor()], summaries).hosts
    assert host.devices == (DeviceCount(type="GPU", total=8, used=5),)


def test_disk_that_placement_shares_is_counted_once() -> None:
    """A sharing provider is no host, and its disk belongs to none."""
    bare = {"VCPU": (32, 4), "MEMORY_MB": (15872, 2048)}
    store = summary("s", (SHARED,), DISK_GB=(1000, 100))
    capacity = capacity_of(
        [hypervisor("h1"), hypervisor("h2")], {"h1": summary("h1", **bare), "h2": summary("h2", **bare), "s": store}
    )
    assert (capacity.disk_gib, capacity.disk_used_gib, capacity.disk_is_shared) == (1000.0, 100.0, True)
    assert {host.disk_gib for host in capacity.hosts} == {None}


def test_disk_that_every_host_reports_as_its_own_is_counted_once_where_the_site_says_so() -> None:
    """Nothing but the site's word tells such hosts from others."""
    hosts = to_hosts([hypervisor("h1"), hypervisor("h2")], {"h1": summary("h1"), "h2": summary("h2")})
    assert to_store(hosts, {}, USUAL) is None
    assert to_store(hosts, {}, OpenStackSettings(cloud="north", disk_is_shared=True)) == Store(100, 40)


def test_a_host_without_free_cpus_is_asked_for_by_another_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is full in every respect by itself; one that placement does not know is left out."""
    monkeypatch.setenv("RECORDED_PASSWORD", PASSWORD)
    with serving("admin") as cloud:
        whole = cloud.answer("placement/allocation_candidates?resources=VCPU%3A1")
        hosts = sorted(whole["provider_summaries"])

        def only(*wanted: str) -> Fault:
            import json

            return Fault(
                text=json.dumps({"provider_summaries": {id_: whole["provider_summaries"][id_] for id_ in wanted}})
            )

        full = {"inventories": {"VCPU": {"total": 10, "reserved": 2, "allocation_ratio": 1.5}}}
        cloud.faults |= {
            "resources=VCPU": only(*hosts[:2]),
            "resources=MEMORY_MB": only(hosts[2]),
            "resources=DISK_GB": only(hosts[2]),
            f"{hosts[3]}/inventories": Fault(text=str(full).replace("'", '"')),
            f"{hosts[3]}/usages": Fault(text='{"usages": {"VCPU": 12}}'),
            f"{hosts[3]}/traits": Fault(text='{"traits": ["OWNER_NOVA"]}'),
        }
        found = fetch_summaries(account(cloud.url), frozenset(hosts))
    assert sorted(found) == hosts[:4]
    assert found[hosts[3]]["resources"] == {"VCPU": {"capacity": 12, "used": 12}}
    assert len(cloud.asked) == 2 + 3 + 3 + 1
