"""A VM manager as a service with its manager, counters over all projects, and nothing that is not known."""

from dataclasses import replace
from typing import Any

from infoprovider import __version__
from infoprovider.config.model import Vocabulary
from infoprovider.glue.entities import ComputingManager, ComputingService
from infoprovider.inventory.model import ApiEndpoint, Capacity, DeviceCount, Features, Networks, SignIn, SignInMethod
from infoprovider.mapping.context import DYNAMIC
from infoprovider.mapping.service import map_service
from tests.mapping.example import (
    MANAGER,
    ago,
    capacity,
    community,
    facts,
    host,
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

SERVICE = "urn:glue2:ComputingService:rc-one:north"


def service(*communities: Any, **changes: Any) -> ComputingService:
    """The service of an instance."""
    return only(list(map_service(facts(communities, **changes))), ComputingService)


def manager(*communities: Any, **changes: Any) -> ComputingManager:
    """The manager of an instance."""
    return only(list(map_service(facts(communities, **changes))), ComputingManager)


# --- service --------------------------------------------------------------------------------------------------------


def test_a_service_is_named_by_its_operator_and_belongs_to_the_centre() -> None:
    """Type and capability are what brokers filter on; maturity is the operator's word."""
    found = service(manager=replace(MANAGER, status_page="https://status/", features=Features(image_upload=True)))
    assert (found.id, found.name, found.type, found.quality_level) == (SERVICE, "north", "IaaS", "production")
    assert found.capability == (
        "cloud.managementSystem",
        "cloud.vm.uploadImage",
        "executionmanagement.dynamicvmdeploy",
    )
    assert (found.status_info, found.admin_domain_foreign_key) == (("https://status/",), ("RC-ONE",))
    assert found.other_info == ("InfoProviderName=infoprovider", f"InfoProviderVersion={__version__}")
    assert said(service(block={"gocdb_id": "12249G0"}), "gocdb_id") == ["12249G0"]
    assert service(vocabulary=Vocabulary.EGI_STRICT).type == "other"
    assert said(service(vocabulary=Vocabulary.EGI_STRICT), "ProfileName") == ["EGI"]


def test_counters_are_of_all_projects() -> None:
    """Those of projects that no community is mapped to as well: halted ones and those in error are no jobs."""
    one = usage("p1", running=5, waiting=1, staging=2, suspended=3, halted=4, error=1)
    other = usage("p9", running=10, waiting=0, staging=0, suspended=1, halted=0, error=2)
    found = service(community("vo.bio", "p1"), usage=(one, other))
    assert (found.running_jobs, found.waiting_jobs, found.staging_jobs, found.suspended_jobs) == (15, 1, 2, 4)
    assert found.total_jobs == 22
    assert (said(found, "VMHalted"), said(found, "VMError")) == (["4"], ["3"])


def test_a_counter_is_left_out_where_one_project_does_not_tell() -> None:
    """A project whose use is not known, or not told, makes the sum unknown: never smaller."""
    found = service(usage=(usage("p1", running=5, waiting=1), usage("p9", running=10)))
    assert (found.running_jobs, found.waiting_jobs, found.total_jobs) == (15, None, None)
    assert service(usage=(usage("p1", running=5),), quotas=(quotas("p2"),)).running_jobs is None
    assert (service().running_jobs, service().total_jobs) == (None, None)


def test_a_service_is_as_old_as_the_oldest_count_in_it() -> None:
    """Or as its manager where no project was counted."""
    assert service(known_usage={"a": known(usage("a"), 90), "b": known(usage("b"), 30)}).creation_time == ago(90)
    assert (service().creation_time, service().validity) == (ago(60), DYNAMIC)


def test_complexity_counts_what_is_published() -> None:
    """Kinds of interfaces, shares of projects that are there, instance types and host classes."""
    way_in = (SignIn(method=SignInMethod.OIDC), SignIn(method=SignInMethod.X509))
    endpoints = tuple(
        ApiEndpoint(url=url, interface=interface, sign_in=way_in)
        for url, interface in (("https://a/", "openstack"), ("https://b/", "openstack"), ("https://c/", "ec2"))
    )
    found = service(
        community("vo.bio", "p1", "gone"),
        manager=replace(MANAGER, endpoints=endpoints),
        quotas=(quotas("p1"),),
        instance_types=types(instance_type("a"), instance_type("b")),
        hypervisors=pools(pool()),
    )
    assert found.complexity == "endpointType=2, share=1, resource=3"


# --- manager --------------------------------------------------------------------------------------------------------


def test_a_manager_is_the_vm_manager_and_not_its_hypervisor() -> None:
    """Product and version are the manager's; hypervisor kinds stand in values of their own."""
    found = manager(
        manager=replace(MANAGER, version="2024.2", image_formats=("raw", "qcow2"), zones=("a", "b")),
        hypervisors=pools(pool("a", kind="Xen"), pool("b", version="8.2", cpu_virtualization="hardware")),
    )
    assert (found.product_name, found.product_version, found.homogeneous) == ("openstack", "2024.2", "false")
    assert found.service_foreign_key == found.computing_service_foreign_key == SERVICE
    assert found.other_info == (
        "HypervisorName=KVM",
        "HypervisorName=Xen",
        "CPUVirtualizationType=hardware",
        "VirtualDiskFormat=raw",
        "VirtualDiskFormat=qcow2",
        "AvailabilityZone=a",
        "AvailabilityZone=b",
    )


def test_a_hypervisor_version_is_said_where_it_is_the_version_of_all() -> None:
    """With two versions it would not say whose it is; the host classes say it."""
    same = manager(hypervisors=pools(pool("a", version="8.2"), pool("b", version="8.2")))
    assert said(same, "HypervisorVersion") == ["8.2"]
    mixed = manager(hypervisors=pools(pool("a", version="8.2"), pool("b", version="9.1")))
    assert said(mixed, "HypervisorVersion") == []
    assert manager(hypervisors=pools(pool())).homogeneous == "true"
    assert manager().homogeneous is None


def test_capacity_stands_where_readers_look() -> None:
    """CPUs of all hosts, vCPUs, memory and disk of the usable ones, devices by type."""
    gpus = (DeviceCount(type="GPU", total=4, used=1),)
    whole = capacity(
        host(vcpus_used=3, memory_used_mib=1000, devices=gpus),
        host(usable=False, devices=gpus),
        physical_cpus=4,
        logical_cpus=16,
        cpu_overcommit=1.5,
        disk_gib=100.7,
        disk_used_gib=50.0,
        disk_is_shared=False,
    )
    found = manager(capacity=known(whole, 20), networks=Networks(virtualization="vlan", technology=("infiniband",)))
    assert (found.total_physical_cpus, found.total_logical_cpus, found.total_slots) == (4, 16, 8)
    assert (found.working_area_total, found.working_area_free, found.working_area_shared) == (100, 50, "false")
    assert found.network_info == ("infiniband",)
    assert found.other_info == (
        "NetworkVirtualizationType=vlan",
        "TotalMemory=16384",
        "FreeMemory=15384",
        "CPUOvercommitRatio=1.5",
        "AcceleratorTotal=GPU:4",
    )
    assert (found.creation_time, found.validity) == (ago(20), DYNAMIC)


def test_of_a_capacity_that_is_not_known_nothing_is_said() -> None:
    """No zero, no empty value; the entry is then as old as what is known of the manager."""
    for found in (manager(), manager(capacity=Capacity())):
        assert (found.total_physical_cpus, found.total_logical_cpus, found.total_slots) == (None, None, None)
        assert (found.working_area_total, found.working_area_free, found.working_area_shared) == (None, None, None)
        assert (found.slots_used_by_grid_jobs, found.slots_used_by_local_jobs) == (None, None)
        assert (keys(found), found.network_info, found.creation_time) == ([], (), ago(60))
    assert manager(capacity=Capacity(disk_gib=10.0)).working_area_free is None


def test_vcpus_in_use_are_told_apart_by_who_holds_them() -> None:
    """Projects of communities, and all others; a project that does not tell makes its side unknown."""
    used = (usage("p1", vcpus=10), usage("p2", vcpus=5), usage("p9", vcpus=7))
    found = manager(community("vo.bio", "p1", "p2"), usage=used)
    assert (found.slots_used_by_grid_jobs, found.slots_used_by_local_jobs) == (15, 7)
    found = manager(community("vo.bio", "p1", "p2"), usage=(*used[:2], usage("p9")))
    assert (found.slots_used_by_grid_jobs, found.slots_used_by_local_jobs) == (15, None)
    found = manager(community("vo.bio", "p1", "p2"), usage=used[1:], quotas=(quotas("p1"),))
    assert (found.slots_used_by_grid_jobs, found.slots_used_by_local_jobs) == (None, 7)


def test_an_account_that_sees_only_its_own_project_does_not_make_the_others_idle() -> None:
    """No other project told is not the same as no other project: nothing is said of theirs."""
    found = manager(community("vo.bio", "p1"), usage=(usage("p1", vcpus=10),))
    assert (found.slots_used_by_grid_jobs, found.slots_used_by_local_jobs) == (10, None)


def test_what_the_manager_can_do_is_said_as_it_was_told() -> None:
    """Unknown is left out."""
    features = Features(bulk_start=True, reservation=False, live_migration=True, failover=False, backup_restore=None)
    found = manager(manager=replace(MANAGER, features=features))
    assert (found.bulk_submission, found.reservation) == ("true", "false")
    assert found.other_info == ("LiveMigration=true", "Failover=false")
