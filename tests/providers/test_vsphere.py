"""Provider `vsphere` over answers that are written by hand: what it makes of them, what it costs, what goes wrong."""

import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infoprovider.collection.child import collect
from infoprovider.deadline import Deadline
from infoprovider.inventory.model import (
    Capacity,
    Facet,
    Hypervisors,
    Images,
    Machines,
    Manager,
    OperatingSystem,
    Quotas,
    SignInMethod,
    Usage,
)
from infoprovider.providers import vsphere
from infoprovider.providers.contract import (
    Answer,
    CollectContext,
    Failed,
    NotOffered,
    Observed,
    Parts,
    WatchContext,
)
from infoprovider.providers.vsphere import SPEC, VSphereSettings, check, to_system
from infoprovider.testing import check_provider
from tests.certificate import self_signed
from tests.providers.vsphere_fake import (
    PASSWORD,
    Data,
    Fake,
    cluster,
    datastore,
    host,
    machine,
    pool,
    serving,
)

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
GIB = 2**30
CLUSTER = ("ClusterComputeResource", "domain-c1")
SINGLE = ("ComputeResource", "domain-s2")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """A vCenter with a cluster, a single host, pools in pools, and what must not be counted."""
    monkeypatch.setenv("FAKE_PASSWORD", PASSWORD)
    with serving(tmp_path) as running:
        running.things = [
            cluster("domain-c1", "Cluster%2f1", hosts=5, effective=2, memory=5 * 64 * GIB, mib=124000),
            cluster("domain-s2", "single.example.org", hosts=1, effective=1, memory=64 * GIB, mib=62000),
            host("host-1", "domain-c1"),
            host("host-2", "domain-c1"),
            host("host-3", "domain-c1", maintenance=True),
            host("host-4", "domain-c1", state="disconnected"),
            host("host-5", "domain-c1", power="standBy"),
            host("host-6", "domain-s2"),
            pool("resgroup-1", "Resources", CLUSTER, "domain-c1", mhz=1, mb=1),
            pool("resgroup-2", "Resources", SINGLE, "domain-s2", mhz=1, mb=1),
            pool("resgroup-3", "biology", ("ResourcePool", "resgroup-1"), "domain-c1", mhz=21999, mb=32768),
            pool("resgroup-4", "cells", ("ResourcePool", "resgroup-3"), "domain-c1", mb=65536),
            pool("resgroup-v5", "app", ("ResourcePool", "resgroup-4"), "domain-c1", app=True),
            machine("vm-1", "host-1", "resgroup-3"),
            machine("vm-2", "host-1", "resgroup-v5"),
            machine("vm-3", "host-3", "resgroup-1"),
            machine("vm-4", "host-2", "resgroup-3", power="poweredOff"),
            machine("vm-5", "host-2", "resgroup-3", power="suspended"),
            machine("vm-6", "host-2", "resgroup-3", state="inaccessible"),
            machine("vm-7", "host-2", name="golden%2fdebian"),
            datastore("ds-1"),
            datastore("ds-2", url="ds:///ds-1/"),  # the same one, seen from another datacenter
            datastore("ds-3", accessible=False),
            datastore("ds-4", maintenanceMode="inMaintenance"),
        ]
        running.items = {
            "item-1": {"id": "item-1", "name": "packed", "type": "ovf", "size": 3 * 2**20, "content_version": "7"},
            "item-2": {
                "id": "item-2",
                "name": "medium",
                "type": "iso",
                "size": 1,
                "description": "From it one installs",
            },
            "item-3": {"id": "item-3", "name": "template", "type": "vm-template", "size": 1},
        }
        yield running


def settings_of(fake: Fake, **others: Any) -> VSphereSettings:
    """Settings that reach it."""
    return VSphereSettings.model_validate(fake.settings(**others))


def answers(fake: Fake, *facets: Facet, seconds: float = 20.0, **others: Any) -> list[Answer]:
    """What a collection of these facets, or of all, says."""
    context = CollectContext(
        instance="cloud",
        wanted=frozenset(facets) or SPEC.facets,
        deadline=Deadline.after(seconds),
        now=lambda: NOW,
        log=logging.LoggerAdapter(logging.getLogger(__name__), {}),
    )
    return list(collect(SPEC, settings_of(fake, **others), context))


def only(found: list[Answer], facet: Facet, part: str = "") -> Any:
    """The value of one observation."""
    [value] = [one.value for one in found if isinstance(one, Observed) and (one.facet, one.part) == (facet, part)]
    return value


def reasons(found: list[Answer], kind: type[Failed] | type[NotOffered]) -> dict[tuple[Facet, str], str]:
    """Why something did not come."""
    return {(one.facet, one.part): one.reason for one in found if isinstance(one, kind)}


def test_the_contract(fake: Fake) -> None:
    """It is kept, whatever is asked for; the password and texts of the server show nowhere."""
    assert check_provider(SPEC, settings_of(fake), secrets=["hunter2"]) == []


# --- what is told ---------------------------------------------------------------------------------------------------


@pytest.mark.shows("vsphere", "interfaces and sign-in", "features", "disk formats", "zones", by="synthetic")
def test_the_manager(fake: Fake) -> None:
    """A vCenter, what its machines and hosts can do; clusters are zones, single hosts are not."""
    found: Manager = only(answers(fake), Facet.MANAGER)
    assert (found.product, found.version, found.vendor) == ("vcenter", "8.0.2", "VMware, Inc.")
    [endpoint] = found.endpoints
    assert (endpoint.url, endpoint.interface, endpoint.version) == (f"{fake.url}/sdk", "vsphere", "8.0.2.0")
    assert [one.method for one in endpoint.sign_in] == [SignInMethod.PASSWORD]
    assert (found.features.snapshot, found.features.live_migration, found.features.failover) == (True, True, None)
    assert found.image_formats == ("iso", "ova", "ovf", "vmdk")
    assert found.zones == ("Cluster/1",)


def test_what_hosts_do_not_agree_in_is_not_known(fake: Fake) -> None:
    """One of two that cannot move machines leaves it open; one that is not usable has no say."""
    fake.thing("host-3").properties["summary.config.vmotionEnabled"] = False
    assert only(answers(fake), Facet.MANAGER).features.live_migration is True
    fake.thing("host-2").properties["summary.config.vmotionEnabled"] = False
    assert only(answers(fake), Facet.MANAGER).features.live_migration is None


@pytest.mark.shows("vsphere", "kind and version of the hypervisor", "hosts, unusable and in use", by="synthetic")
def test_equal_hosts_are_one_class(fake: Fake) -> None:
    """Three of six cannot be used, two hold machines that are on; another size is another class."""
    [found] = only(answers(fake), Facet.HYPERVISORS).pools
    assert (found.kind, found.version, found.architecture) == ("ESXi", "8.0.2", "x86_64")
    assert (found.hosts, found.hosts_unusable, found.hosts_in_use) == (6, 3, 2)
    assert (found.memory_mib, found.processor.vendor, found.processor.clock_mhz) == (65536, "AMD", 2000)
    assert (found.processor.physical_cpus, found.processor.cores_per_cpu, found.processor.logical_cpus) == (2, 8, 32)
    before = found.id
    fake.things[2] = host("host-1", "domain-c1", gib=128)
    found = only(answers(fake), Facet.HYPERVISORS)
    assert sorted(one.hosts for one in found.pools) == [1, 5]
    assert before in {one.id for one in found.pools}


def test_a_host_that_never_said_what_it_runs_is_in_a_class_of_its_own(fake: Fake) -> None:
    """Its version is left out."""
    del fake.thing("host-4").properties["summary.config.product"]
    found: Hypervisors = only(answers(fake), Facet.HYPERVISORS)
    assert sorted((one.version or "", one.hosts) for one in found.pools) == [("", 1), ("8.0.2", 5)]


@pytest.mark.shows("vsphere", "vCPUs, and those in use", "memory, and what is in use", by="synthetic")
def test_capacity_is_that_of_usable_hosts(fake: Fake) -> None:
    """CPUs of every host; room for machines on those that are connected, on and not in maintenance."""
    found: Capacity = only(answers(fake), Facet.CAPACITY)
    assert (found.physical_cpus, found.logical_cpus) == (12, 192)
    assert (found.vcpus, found.vcpus_used) == (96, 4)
    assert (found.memory_mib, found.memory_used_mib) == (124000 + 62000, 8192)
    assert [(row.usable, row.memory_mib) for row in found.hosts] == [
        (True, 62000),
        (True, 62000),
        (False, 62000),
        (False, 62000),
        (False, 62000),
        (True, 62000),
    ]
    assert sum(row.vcpus_used for row in found.hosts) == 6
    assert found.cpu_overcommit is None


def test_a_host_that_is_taken_away_is_gone(fake: Fake) -> None:
    """With its class, where it was the last one of it; what its machines held is gone with it."""
    fake.things = [one for one in fake.things if one.id not in ("domain-s2", "host-6", "resgroup-2")]
    before = answers(fake)
    fake.things = [one for one in fake.things if one.id not in ("host-1", "vm-1", "vm-2")]
    told = fake.thing("domain-c1").properties
    effective = {**told["summary"].properties, "effectiveMemory": 62000, "numEffectiveHosts": 1}
    told["summary"] = replace(told["summary"], properties=effective)
    after = answers(fake)
    assert (only(before, Facet.CAPACITY).vcpus, only(after, Facet.CAPACITY).vcpus) == (64, 32)
    assert (only(before, Facet.CAPACITY).memory_mib, only(after, Facet.CAPACITY).memory_mib) == (124000, 62000)
    assert only(after, Facet.CAPACITY).vcpus_used == 0
    assert [one.hosts for one in only(after, Facet.HYPERVISORS).pools] == [4]
    assert only(after, Facet.USAGE, "resgroup-3").running == 0


def test_overcommitment_is_what_the_site_says(fake: Fake) -> None:
    """VSphere knows no limit of its own."""
    found: Capacity = only(answers(fake, cpu_overcommit=2.5), Facet.CAPACITY)
    assert (found.vcpus, found.cpu_overcommit, found.hosts[0].vcpus) == (240, 2.5, 80)


@pytest.mark.shows("vsphere", "disk, and what is in use", by="synthetic")
def test_datastores_are_counted_once_and_only_where_they_can_be_used(fake: Fake) -> None:
    """Also where two datacenters see the same; whether they are shared is said where all say the same."""
    found: Capacity = only(answers(fake), Facet.CAPACITY)
    assert (found.disk_gib, found.disk_used_gib, found.disk_is_shared) == (100.0, 40.0, True)
    fake.things.append(datastore("ds-5", multipleHostAccess=False))
    found = only(answers(fake), Facet.CAPACITY)
    assert (found.disk_gib, found.disk_is_shared) == (200.0, None)
    fake.things = [one for one in fake.things if one.type != "Datastore"]
    found = only(answers(fake), Facet.CAPACITY)
    assert (found.disk_gib, found.disk_used_gib, found.disk_is_shared) == (None, None, None)


@pytest.mark.parametrize(
    ("effective", "hosts"),
    [(124000 << 20, 2), (131073, 2), (0, 2), (124000, 3)],
    ids=["in bytes", "more than there is", "nothing", "of another number of hosts"],
)
def test_memory_that_cannot_be_is_left_out(effective: int, hosts: int, fake: Fake) -> None:
    """Not corrected by a guess: the operator is told what was seen, and the rest stays."""
    told = fake.thing("domain-c1").properties
    told["summary"] = replace(
        told["summary"],
        properties={**told["summary"].properties, "effectiveMemory": effective, "numEffectiveHosts": hosts},
    )
    [found] = [one for one in answers(fake, Facet.CAPACITY) if isinstance(one, Observed)]
    assert isinstance(found.value, Capacity)
    assert (found.value.memory_mib, found.value.hosts, found.value.vcpus) == (None, (), 96)
    said = f"Cluster/1 says {effective} MB on {hosts} hosts, where 2 usable ones have 131072 MB"
    assert found.notes == (f"memory for machines is left out: {said}",)


@pytest.mark.shows("vsphere", "quotas", by="synthetic")
def test_limits_of_resource_pools_are_quotas(fake: Fake) -> None:
    """In vCPUs of the hosts' clock; limits above bind as well; a root's are its hosts', a vApp is no project."""
    found = answers(fake, Facet.QUOTAS)
    quotas: dict[str, Quotas] = {one.part: one.value for one in found if isinstance(one, Observed)}  # type: ignore[misc]
    assert {id_: (one.project_name, one.vcpus, one.memory_mib) for id_, one in quotas.items()} == {
        "resgroup-1": ("Resources", "unlimited", "unlimited"),
        "resgroup-2": ("Resources", "unlimited", "unlimited"),
        "resgroup-3": ("biology", 10, 32768),
        "resgroup-4": ("cells", 10, 32768),
    }
    assert {one.instances for one in quotas.values()} == {"unlimited"}
    assert found[-1] == Parts(facet=Facet.QUOTAS, parts=frozenset(quotas))


@pytest.mark.shows("vsphere", "machines by state", "what projects hold", "who runs what", by="synthetic")
def test_machines_are_counted_in_their_pool(fake: Fake) -> None:
    """By state; those that are off hold nothing, one that is lost is in error, templates are none."""
    found = answers(fake)
    biology: Usage = only(found, Facet.USAGE, "resgroup-3")
    assert (biology.instances, biology.vcpus, biology.memory_mib) == (4, 2, 4096)
    assert (biology.running, biology.halted, biology.suspended, biology.error) == (1, 1, 1, 1)
    assert only(found, Facet.USAGE, "resgroup-4").running == 1
    assert only(found, Facet.USAGE, "resgroup-2").instances == 0
    assert biology.holding is None
    machines: Machines = only(found, Facet.MACHINES)
    assert {(one.id, one.project, one.state) for one in machines.machines} == {
        ("vm-1", "resgroup-3", "running"),
        ("vm-2", "resgroup-4", "running"),
        ("vm-3", "resgroup-1", "running"),
        ("vm-4", "resgroup-3", "halted"),
        ("vm-5", "resgroup-3", "suspended"),
        ("vm-6", "resgroup-3", "error"),
    }


@pytest.mark.shows("vsphere", "formats and sizes of images", "operating systems of images", by="synthetic")
def test_templates_and_library_items_are_images(fake: Fake) -> None:
    """With their formats and sizes; a template that is an item of a library as well is told once."""
    found = answers(fake, Facet.IMAGES)
    [golden] = only(found, Facet.IMAGES, "templates").images
    assert (golden.id, golden.name, golden.disk_format, golden.size_mib) == ("vm-7", "golden/debian", "vmdk", 5121)
    assert golden.operating_system == OperatingSystem(family="linux", name="debian", version="12")
    assert golden.architecture == "x86_64"
    items: Images = only(found, Facet.IMAGES, "libraries")
    assert [(one.id, one.disk_format, one.size_mib, one.version, one.description) for one in items.images] == [
        ("item-1", "ovf", 3, "7", None),
        ("item-2", "iso", 1, None, "From it one installs"),
    ]


GUESTS = {"debian12_64Guest": "linuxGuest", "windows2019srv_64Guest": "windowsGuest", "rhel8_64Guest": "linuxGuest"}


@pytest.mark.parametrize(
    ("guest", "system"),
    [
        ("rhel8_64Guest", OperatingSystem(family="linux", name="rhel", version="8")),
        ("windows2019srv_64Guest", OperatingSystem(family="windows")),
        ("ubuntu64Guest", OperatingSystem(name="ubuntu")),
        ("", OperatingSystem()),
    ],
)
def test_a_guest_tells_its_system(guest: str, system: OperatingSystem) -> None:
    """As far as its id is a name with a number; the family is what the cluster says of it."""
    assert to_system(guest, GUESTS) == system


def test_a_single_host(fake: Fake) -> None:
    """An ESXi host has no content libraries, and nobody asks for them."""
    fake.about |= {"apiType": "HostAgent", "name": "VMware ESXi"}
    found = answers(fake)
    assert only(found, Facet.MANAGER).product == "esxi"
    assert Parts(facet=Facet.IMAGES, parts=frozenset({"templates"})) in found
    assert [one for one in fake.asked if "/" in one] == []


# --- what it costs --------------------------------------------------------------------------------------------------

ROUND = ["RetrieveServiceContent", "Login", "CreateContainerView", "RetrievePropertiesEx", "DestroyView", "Logout"]


def test_one_call_reads_everything(fake: Fake) -> None:
    """However many objects there are: three calls between signing in and out."""
    facets = SPEC.facets - {Facet.IMAGES}
    answers(fake, *facets)
    assert fake.asked == ROUND
    fake.asked.clear()
    fake.things += [machine(f"vm-{number}", "host-1", "resgroup-3") for number in range(100, 1000)]
    assert only(answers(fake, *facets), Facet.USAGE, "resgroup-3").running == 901
    assert fake.asked == ROUND


def test_images_cost_a_call_for_each_item(fake: Fake) -> None:
    """And one for guest systems: the second cluster is not asked for what the first has told."""
    answers(fake, Facet.IMAGES)
    assert [one for one in fake.asked if one not in ROUND] == [
        "QueryConfigOption",
        "POST /api/session",
        "GET /api/content/library",
        "GET /api/content/library/item?library_id=lib-1",
        *(f"GET /api/content/library/item/item-{number}" for number in (1, 2, 3)),
        "DELETE /api/session",
    ]


@pytest.mark.parametrize("size", [1, 7, 24])
def test_every_page_is_read(size: int, fake: Fake) -> None:
    """A server may answer by as many pages as it likes: nothing is missing, nothing twice."""
    whole = answers(fake)
    fake.asked.clear()
    fake.page = size
    assert answers(fake) == whole
    assert fake.asked.count("ContinueRetrievePropertiesEx") == -(-len(fake.things) // size) - 1


def test_older_servers_have_another_api_of_libraries(fake: Fake) -> None:
    """It is found by itself."""
    newer = only(answers(fake, Facet.IMAGES), Facet.IMAGES, "libraries")
    fake.rest = "/rest"
    assert only(answers(fake, Facet.IMAGES), Facet.IMAGES, "libraries") == newer


# --- what goes wrong ------------------------------------------------------------------------------------------------


def assert_all_failed(found: list[Answer], said: str, *, retryable: bool) -> None:
    """Every facet has this reason."""
    assert {one.facet for one in found if isinstance(one, Failed)} == SPEC.facets
    assert {(one.reason.replace("127.0.0.1", "host"), one.retryable) for one in found if isinstance(one, Failed)} == {
        (said, retryable)
    }


@pytest.mark.parametrize("method", ["RetrievePropertiesEx", "ContinueRetrievePropertiesEx"])
def test_a_session_that_ends_half_way(method: str, fake: Fake) -> None:
    """Nothing of the half is told: what was known stays, and the next collection signs in anew."""
    fake.page, fake.faults = 5, {method: "NotAuthenticated"}
    said = (
        f"{fake.url[8:].replace('127.0.0.1', 'host')} ended our session before {method}; see whether it was restarted "
        "or somebody ends sessions; the next collection signs in anew"
    )
    assert_all_failed(answers(fake), said, retryable=True)
    fake.faults.clear()
    assert reasons(answers(fake), Failed) == {}


def test_a_wrong_password(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has to act; the word is not repeated."""
    monkeypatch.setenv("FAKE_PASSWORD", "wrong-horse")
    found = answers(fake)
    said = f"{fake.url[8:].replace('127.0.0.1', 'host')}: signing in as reader@vsphere.local was refused: "
    said += "user or password is wrong, or the account is locked; correct what the settings name"
    assert_all_failed(found, said, retryable=False)
    assert "wrong-horse" not in str(found)


def test_a_certificate_of_somebody_else_is_refused_on_loopback_too(fake: Fake, tmp_path: Path) -> None:
    """The library alone would trust anybody who answers on 127.0.0.1."""
    self_signed(tmp_path / "other.pem")
    for other in (str(tmp_path / "other.pem"), None):
        for reason in reasons(answers(fake, ca_file=other), Failed).values():
            assert "is not trusted: " in reason
            assert reason.endswith("; name the authority that issued its certificate as ca_file")
    assert fake.asked == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("503", "answered signing in as reader@vsphere.local with status 503; check where url leads to"),
        ("404", "answered signing in as reader@vsphere.local with status 404; check where url leads to"),
        ("garbage", "the answer to signing in as reader@vsphere.local cannot be used"),
        ("cut", "the answer to signing in as reader@vsphere.local cannot be used"),
        ("NoPermission", "does not allow the account signing in as reader@vsphere.local"),
    ],
)
def test_what_is_no_vcenter(wrong: str, said: str, fake: Fake) -> None:
    """Said with what to look at; no text of the server is repeated."""
    fake.faults = {"RetrieveServiceContent": wrong}
    found = set(reasons(answers(fake), Failed).values())
    assert len(found) == 1
    assert said in str(found)
    assert "hunter2" not in str(found)


def test_nobody_listens(fake: Fake) -> None:
    """Refused at once, to be tried again."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    said = f"host:{port} cannot be reached: Connection refused; check the address and that the service runs"
    assert_all_failed(answers(fake, url=f"https://127.0.0.1:{port}"), said, retryable=True)


@pytest.mark.parametrize("method", ["RetrieveServiceContent", "RetrievePropertiesEx"])
def test_a_server_that_hangs(method: str, fake: Fake) -> None:
    """It has a third of the time, and is not asked to end the session."""
    fake.faults = {method: "hang"}
    found = set(reasons(answers(fake, seconds=1.5), Failed).values())
    assert len(found) == 1
    assert "did not answer in time" in str(found)
    assert "Logout" not in fake.asked


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("403", "is not allowed, although signing in to its SOAP API is; give the account"),
        ("500", "was answered with status 500"),
        ("garbage", "was not answered as documented"),
        ("cut", "with half an answer"),
        ("hang", "did not answer in time"),
    ],
)
def test_libraries_that_fail_leave_the_templates(wrong: str, said: str, fake: Fake) -> None:
    """Only their own part has failed."""
    fake.faults = {"REST": wrong}
    found = answers(fake, seconds=3.0)
    assert list(reasons(found, Failed)) == [(Facet.IMAGES, "libraries")]
    assert said in str(found)
    assert "hunter2" not in str(found)
    assert only(found, Facet.IMAGES, "templates").images


def test_no_libraries_are_no_failure(fake: Fake) -> None:
    """A server without that API does not offer them; where they are not wanted they are not asked for."""
    fake.rest = "/none"
    assert list(reasons(answers(fake), NotOffered)) == [(Facet.IMAGES, "libraries")]
    assert Parts(facet=Facet.IMAGES, parts=frozenset({"templates"})) in answers(fake, content_libraries=False)


def test_what_the_account_may_not_read_is_not_offered(fake: Fake) -> None:
    """One host that it may not read makes no truth of the other five; what needs no hosts is told."""
    fake.thing("host-2").hidden = True
    found = answers(fake)
    refused = reasons(found, NotOffered)
    assert {facet for facet, _ in refused} == {Facet.HYPERVISORS, Facet.CAPACITY, Facet.QUOTAS}
    assert "the account may not read 1 of type HostSystem; give it the role Read-only" in str(refused)
    assert only(found, Facet.USAGE, "resgroup-3").instances == 4


def test_a_machine_that_cannot_be_read_spoils_every_sum(fake: Fake) -> None:
    """Whatever counts machines is not offered."""
    fake.thing("vm-2").hidden = True
    found = answers(fake)
    refused = {facet for facet, _ in reasons(found, NotOffered)}
    assert refused == {Facet.HYPERVISORS, Facet.CAPACITY, Facet.MACHINES, Facet.QUOTAS, Facet.USAGE, Facet.IMAGES}
    assert only(found, Facet.MANAGER).features.snapshot is True


def test_a_machine_in_a_pool_that_is_not_seen_is_of_nobody(fake: Fake) -> None:
    """It takes its place on the host all the same."""
    del fake.thing("vm-1").properties["resourcePool"]
    found = answers(fake)
    assert [one.id for one in only(found, Facet.MACHINES).machines if one.project is None] == ["vm-1"]
    assert only(found, Facet.CAPACITY).vcpus_used == 4
    assert only(found, Facet.USAGE, "resgroup-3").running == 0


def test_a_host_without_hardware_is_left_out(fake: Fake) -> None:
    """One that was never connected tells none; the operator is told how many there are."""
    del fake.thing("host-4").properties["summary.hardware"]
    found = answers(fake)
    [hosts] = [one for one in found if isinstance(one, Observed) and one.facet is Facet.HYPERVISORS]
    assert hosts.notes == ("hosts that never told of their hardware: 1",)
    assert [one.hosts for one in only(found, Facet.HYPERVISORS).pools] == [5]
    assert only(found, Facet.CAPACITY).physical_cpus == 10


def test_nothing_to_be_seen_is_no_empty_truth(fake: Fake) -> None:
    """An account without any right sees an empty vCenter."""
    fake.things = []
    found = answers(fake)
    assert {facet for facet, _ in reasons(found, NotOffered)} == SPEC.facets - {Facet.MANAGER}


def test_what_is_not_as_documented_fails_alone(fake: Fake) -> None:
    """A host without hardware spoils what is made of hosts."""
    fake.thing("host-1").properties["summary.hardware"] = Data("HostHardwareSummary", {"vendor": "v"})
    failed = reasons(answers(fake), Failed)
    assert {facet for facet, _ in failed} >= {Facet.HYPERVISORS, Facet.CAPACITY}
    assert {facet for facet, _ in failed} <= {Facet.HYPERVISORS, Facet.CAPACITY, Facet.QUOTAS}
    assert "what capacity is made of cannot be used" in str(failed)


@pytest.mark.parametrize(
    "url", ["http://vcenter.example.org", "vcenter.example.org", "https://me@vcenter.example.org", "https://v/ui"]
)
def test_an_address_that_is_none(url: str, fake: Fake) -> None:
    """Refused when the configuration is read."""
    with pytest.raises(ValidationError, match="it is not https://host"):
        settings_of(fake, url=url)


def test_authorities_that_are_none_are_found_before_anybody_is_asked(fake: Fake, tmp_path: Path) -> None:
    """By `check`, and by a collection as a fault of the configuration."""
    (tmp_path / "empty.pem").write_text("")
    for file in ("missing.pem", "empty.pem"):
        [finding] = check(settings_of(fake, ca_file=str(tmp_path / file)))
        assert str(finding).endswith("; name a file of certificates in PEM as ca_file")
        assert {one.plug_in for one in answers(fake, ca_file=str(tmp_path / file)) if isinstance(one, Failed)} == {True}
    assert list(check(settings_of(fake))) == []


# --- events ---------------------------------------------------------------------------------------------------------


@pytest.mark.shows("vsphere", "events of the manager", by="synthetic")
def test_what_changes_is_told(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer is how everything is; each further one tells what to ask for."""
    monkeypatch.setattr(vsphere, "QUIET_SECONDS", 1)
    fake.events.extend(["HostSystem", "VirtualMachine", "ResourcePool"])
    context = WatchContext(
        instance="cloud",
        deadline=Deadline.after(60),
        log=logging.LoggerAdapter(logging.getLogger(__name__), {}),
    )
    assert SPEC.watch is not None
    events = SPEC.watch(settings_of(fake), context)
    assert next(events) == {Facet.HYPERVISORS, Facet.CAPACITY}
    assert Facet.MACHINES in next(events)
    assert next(events) == {Facet.QUOTAS, Facet.USAGE}
    fake.events.append("HostSystem")
    assert fake.waiting.wait(10)
    assert Facet.CAPACITY in next(events)
    events.close()  # type: ignore[attr-defined]
    assert fake.asked[-1] == "Logout"


def test_a_watch_is_wanted_or_not(fake: Fake) -> None:
    """It keeps a session open, which a site may not want."""
    assert SPEC.is_watched(settings_of(fake))
    assert not SPEC.is_watched(settings_of(fake, events=False))
