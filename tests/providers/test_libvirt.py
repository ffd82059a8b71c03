"""Provider `libvirt` over recorded answers: what hosts tell, what it costs, and what goes wrong."""

import copy
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infoprovider.collection.child import collect
from infoprovider.deadline import Deadline
from infoprovider.errors import CollectError, ConfigError, Unreachable
from infoprovider.inventory.model import (
    Capacity,
    Facet,
    Hypervisors,
    Images,
    Machines,
    Manager,
    Processor,
    SignInMethod,
    Usage,
)
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed, Parts, WatchContext
from infoprovider.providers.libvirt import CHANGING, SPEC, LibvirtSettings, to_version, watch
from infoprovider.providers.libvirt.host import host_name
from tests.providers.libvirt_recorded import CONSTANTS, REFUSED, Libvirt, RecordedError, read

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
QEMU, TEST, XEN = "qemu+tls://node1.example.org/system", "test+tcp://node2.example.org/default", "xen:///"
LOG = logging.LoggerAdapter(logging.getLogger(__name__), {})


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Libvirt:
    """A host with QEMU, one of the test driver and one with Xen."""
    libvirt = Libvirt({QEMU: read("qemu"), TEST: read("test"), XEN: read("xen")})
    monkeypatch.setitem(sys.modules, "libvirt", libvirt.module())
    return libvirt


def settings(*uris: str, **further: Any) -> LibvirtSettings:
    """Of these hosts."""
    written = {"uris": list(uris), "url": "https://portal.example.org/", "sign_in": [{"method": "oidc"}], **further}
    return LibvirtSettings.model_validate_json(json.dumps(written))


def answers(given: LibvirtSettings, *facets: Facet, seconds: float = 30.0) -> list[Answer]:
    """What a collection of these facets, or of all, says."""
    wanted = frozenset(facets) or SPEC.facets
    context = CollectContext(
        instance="hosts", wanted=wanted, deadline=Deadline.after(seconds), now=lambda: NOW, log=LOG
    )
    return list(collect(SPEC, given, context))


def observed(found: list[Answer]) -> dict[tuple[Facet, str], Any]:
    """The values that were observed, by facet and part."""
    return {(one.facet, one.part): one.value for one in found if isinstance(one, Observed)}


def failed(found: list[Answer]) -> dict[tuple[Facet, str], str]:
    """Why something did not come."""
    return {(one.facet, one.part): one.reason for one in found if isinstance(one, Failed)}


# --- what hosts tell -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hosts")
def test_every_host_is_a_part_of_every_facet() -> None:
    """Of the usage one for each project; what all have in common is told once."""
    found = answers(settings(QEMU, TEST, XEN, projects={"bio": "bio-*", "rest": "*"}))
    assert failed(found) == {}
    ends = {one.facet: one.parts for one in found if isinstance(one, Parts)}
    everywhere = frozenset({QEMU, TEST, XEN})
    by_project = frozenset(f"{project} on {host}" for project in ("bio", "rest") for host in everywhere)
    assert ends == {
        Facet.CAPACITY: everywhere,
        Facet.HYPERVISORS: everywhere,
        Facet.MACHINES: everywhere,
        Facet.USAGE: by_project,
    }
    assert set(observed(found)) == {(Facet.MANAGER, "")} | {(facet, part) for facet in ends for part in ends[facet]}
    assert {one.facet for one in found if isinstance(one, NotOffered)} == {Facet.IMAGES}
    assert {one.observed_at for one in found if isinstance(one, Observed)} == {NOW}


@pytest.mark.shows(
    "libvirt",
    "kind and version of the hypervisor",
    "processor model and clock",
    "sockets, cores and threads",
    "architecture",
    "memory of a host",
    "hosts, unusable and in use",
    by="recorded",
)
@pytest.mark.usefixtures("hosts")
def test_the_hardware_of_a_host() -> None:
    """Memory is what the kernel has, 24105 MiB, not node info's 19034."""
    found: Hypervisors = observed(answers(settings(QEMU), Facet.HYPERVISORS))[Facet.HYPERVISORS, QEMU]
    (pool,) = found.pools
    assert (pool.kind, pool.version, pool.architecture, pool.cpu_virtualization) == (
        "QEMU",
        "7.2.22",
        "x86_64",
        "software",
    )
    assert (pool.memory_mib, pool.hosts, pool.hosts_in_use, pool.hosts_unusable) == (24105, 1, 1, 0)
    assert pool.processor == Processor(
        vendor="AMD",
        model="kvm64",
        version="family 25 model 17 stepping 1",
        clock_mhz=2596,
        physical_cpus=1,
        logical_cpus=2,
        cores_per_cpu=2,
    )
    assert {"qcow2", "raw", "vmdk", "vdi"} < set(pool.image_formats)
    assert not {"none", "dir"} & set(pool.image_formats)


def test_kvm_is_what_the_capabilities_offer(hosts: Libvirt) -> None:
    """QEMU's type is the same with and without."""
    hosts.hosts[QEMU]["getCapabilities"] = hosts.hosts[QEMU]["getCapabilities"].replace(
        "<domain type='qemu'/>", "<domain type='qemu'/><domain type='kvm'/>"
    )
    (pool,) = observed(answers(settings(QEMU), Facet.HYPERVISORS))[Facet.HYPERVISORS, QEMU].pools
    assert (pool.kind, pool.cpu_virtualization) == ("KVM", "hardware")


@pytest.mark.shows("libvirt", "kind and version of the hypervisor", "memory of a host", by="synthetic")
@pytest.mark.usefixtures("hosts")
def test_a_host_with_xen() -> None:
    """Its driver has no memory statistics: node info is in MiB here. Formats are not known."""
    (pool,) = observed(answers(settings(XEN), Facet.HYPERVISORS))[Facet.HYPERVISORS, XEN].pools
    assert (pool.kind, pool.version, pool.memory_mib, pool.image_formats) == ("Xen", "4.17.0", 65405, ())
    assert (pool.cpu_virtualization, pool.processor.physical_cpus, pool.processor.logical_cpus) == ("hardware", 2, 16)
    assert (pool.processor.model, pool.processor.vendor) == (None, None)


@pytest.mark.shows(
    "libvirt",
    "vCPUs, and those in use",
    "memory, and what is in use",
    "physical and logical CPUs",
    "disk, and what is in use",
    by="recorded",
)
@pytest.mark.usefixtures("hosts")
def test_what_machines_hold_of_a_host() -> None:
    """Two that run and one that is paused hold 4 vCPUs and 144 MiB; one that is shut off holds nothing."""
    capacity: Capacity = observed(answers(settings(QEMU, disk_pool="images"), Facet.CAPACITY))[Facet.CAPACITY, QEMU]
    assert (capacity.vcpus, capacity.vcpus_used, capacity.memory_mib, capacity.memory_used_mib) == (2, 4, 24105, 144)
    assert (capacity.physical_cpus, capacity.logical_cpus, capacity.cpu_overcommit) == (1, 2, 1.0)
    assert capacity.disk_gib == pytest.approx(270553174016 / 2**30)
    assert capacity.disk_used_gib == pytest.approx((270553174016 - 243333324800) / 2**30)
    (row,) = capacity.hosts
    assert (row.usable, row.vcpus, row.vcpus_used, row.memory_used_mib) == (True, 2, 4, 144)


@pytest.mark.usefixtures("hosts")
def test_overcommitment_and_reservation_are_the_operators_word() -> None:
    """VCPUs times the ratio; memory less what is reserved, times the ratio."""
    given = settings(QEMU, cpu_overcommit=4, memory_overcommit=1.5, reserved_memory="4105 MiB")
    capacity: Capacity = observed(answers(given, Facet.CAPACITY))[Facet.CAPACITY, QEMU]
    assert (capacity.vcpus, capacity.memory_mib, capacity.cpu_overcommit) == (8, 30000, 4.0)
    assert (capacity.hosts[0].vcpus, capacity.hosts[0].memory_mib) == (8, 30000)


@pytest.mark.usefixtures("hosts")
def test_a_host_and_its_capacity_name_the_same_class() -> None:
    """Which is the same for equal hosts."""
    found = observed(answers(settings(QEMU, TEST), Facet.CAPACITY, Facet.HYPERVISORS))
    for host in (QEMU, TEST):
        assert found[Facet.CAPACITY, host].hosts[0].pool == found[Facet.HYPERVISORS, host].pools[0].id


def test_equal_hosts_are_one_class(hosts: Libvirt) -> None:
    """Also where firmware keeps a little more memory on one of them."""
    other = "qemu+tls://node9.example.org/system"
    hosts.hosts[other] = read("qemu")
    hosts.hosts[other]["getMemoryStats"]["total"] -= 3000
    found = observed(answers(settings(QEMU, other), Facet.HYPERVISORS))
    (one,), (two,) = (found[Facet.HYPERVISORS, host].pools for host in (QEMU, other))
    assert one.id == two.id
    assert one.memory_mib != two.memory_mib


@pytest.mark.shows("libvirt", "machines by state", "what projects hold", by="recorded")
@pytest.mark.usefixtures("hosts")
def test_machines_by_state() -> None:
    """Of one project, which all machines belong to where nothing else is said."""
    usage: Usage = observed(answers(settings(QEMU), Facet.USAGE))[Facet.USAGE, f"machines on {QEMU}"]
    assert usage == Usage(
        project="machines",
        instances=4,
        vcpus=4,
        memory_mib=144,
        running=2,
        waiting=0,
        staging=0,
        suspended=1,
        halted=1,
        error=0,
    )


@pytest.mark.usefixtures("hosts")
def test_projects_are_told_apart_by_the_names_of_their_machines() -> None:
    """The first pattern counts; what has none of them belongs to nobody, and holds its host all the same."""
    found = observed(answers(settings(XEN, projects={"bio": "bio-*", "climate": "climate-*"})))
    bio, climate = (found[Facet.USAGE, f"{project} on {XEN}"] for project in ("bio", "climate"))
    assert (bio.running, bio.vcpus, bio.memory_mib) == (2, 6, 12288)
    assert (climate.error, climate.halted, climate.vcpus) == (1, 1, 1)
    assert found[Facet.CAPACITY, XEN].vcpus_used == 16 + 6 + 1
    machines: Machines = found[Facet.MACHINES, XEN]
    assert [one.project for one in machines.machines] == [None, "bio", "bio", "climate", "climate"]


@pytest.mark.shows("libvirt", "who runs what", by="recorded")
@pytest.mark.usefixtures("hosts")
def test_every_machine_is_for_the_operator() -> None:
    """By its UUID, never by its name."""
    machines: Machines = observed(answers(settings(QEMU), Facet.MACHINES))[Facet.MACHINES, QEMU]
    told = {one["id"]: one["stats"]["state.state"] for one in read("qemu")["domains"]}
    words = {1: "running", 3: "suspended", 5: "halted"}
    assert {one.id: one.state for one in machines.machines} == {id_: words[state] for id_, state in told.items()}


@pytest.mark.shows("libvirt", "names of images", "formats and sizes of images", by="recorded")
@pytest.mark.usefixtures("hosts")
def test_volumes_of_the_pool_of_images_are_images() -> None:
    """What the file takes, and the disk that a machine gets of it."""
    images: Images = observed(answers(settings(QEMU, image_pool="images"), Facet.IMAGES))[Facet.IMAGES, QEMU]
    assert [(one.id, one.disk_format, one.size_mib, one.min_disk_gib) for one in images.images] == [
        ("debian.qcow2", "qcow2", 1, 10.0),
        ("small.img", "raw", 64, 0.0625),
    ]


@pytest.mark.shows(
    "libvirt", "product and version", "features", "disk formats", "interfaces and sign-in", by="recorded"
)
@pytest.mark.usefixtures("hosts")
def test_the_manager_is_what_hosts_have_in_common() -> None:
    """Features that one of them does not have, or does not tell, are not known."""
    manager: Manager = observed(answers(settings(QEMU), Facet.MANAGER))[Facet.MANAGER, ""]
    assert (manager.product, manager.version) == ("libvirt", "9.0.0")
    assert (manager.features.snapshot, manager.features.live_migration, manager.features.suspend) == (True, True, None)
    assert "qcow2" in manager.image_formats
    both: Manager = observed(answers(settings(QEMU, TEST), Facet.MANAGER))[Facet.MANAGER, ""]
    assert (both.features.snapshot, both.features.live_migration) == (None, None)
    (endpoint,) = both.endpoints
    assert (endpoint.url, endpoint.interface) == ("https://portal.example.org/", "libvirt")
    assert [one.method for one in endpoint.sign_in] == [SignInMethod.OIDC]


def test_versions_that_differ_are_no_version(hosts: Libvirt) -> None:
    """Of libvirt on two hosts."""
    hosts.hosts[TEST]["getLibVersion"] = 10_000_001
    manager: Manager = observed(answers(settings(QEMU, TEST), Facet.MANAGER))[Facet.MANAGER, ""]
    assert manager.version is None


@pytest.mark.parametrize(
    ("uri", "url", "way"),
    [
        ("qemu+tls://me@node1:16514/system?pkipath=/etc/pki/us", "qemu+tls://node1:16514/system", SignInMethod.X509),
        ("qemu+tcp://node1/system", "qemu+tcp://node1/system", SignInMethod.NONE),
        ("qemu+ssh://root@node1/system?no_tty=1", "qemu+ssh://node1/system", None),
        ("qemu:///system", "qemu:///system", None),
    ],
)
def test_a_single_host_is_its_own_interface(hosts: Libvirt, uri: str, url: str, way: SignInMethod | None) -> None:
    """At its URI, without who signed in and how; where users sign in another way, that is for the operator to say."""
    hosts.hosts = {uri: read("qemu")}
    given = LibvirtSettings.model_validate_json(json.dumps({"uris": [uri]}))
    (endpoint,) = observed(answers(given, Facet.MANAGER))[Facet.MANAGER, ""].endpoints
    assert endpoint.url == url == host_name(uri)
    assert [one.method for one in endpoint.sign_in] == ([way] if way else [])


@pytest.mark.usefixtures("hosts")
def test_types_of_machines_are_noted() -> None:
    """By architecture, for the operator: no document has a place for them."""
    (found,) = [one for one in answers(settings(QEMU), Facet.HYPERVISORS) if isinstance(one, Observed)]
    assert found.notes == ("i686: machine types pc, q35", "x86_64: machine types pc, q35")


@pytest.mark.parametrize(("number", "text"), [(7002022, "7.2.22"), (9000000, "9.0.0"), (2, "0.0.2"), (0, None)])
def test_versions_are_numbers_of_three(number: int, text: str | None) -> None:
    """As virConnectGetVersion has them; 0 is not known."""
    assert to_version(number) == text


# --- what it costs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1, 10, 100])
def test_a_host_is_asked_nine_times_however_many_machines_it_has(hosts: Libvirt, factor: int) -> None:
    """Sign-in, seven questions about the host, and one for all machines with their sizes."""
    hosts.hosts[QEMU]["domains"] *= factor
    found = answers(settings(QEMU))
    assert observed(found)[Facet.USAGE, f"machines on {QEMU}"].instances == 4 * factor
    assert hosts.asked[QEMU].total() == 9
    assert set(hosts.asked[QEMU].values()) == {1}
    assert hosts.closed == [QEMU]


def test_a_driver_that_leaves_out_sizes_is_asked_for_those_of_machines_that_hold_some(hosts: Libvirt) -> None:
    """The test driver tells only states in bulk, Xen not even these; a machine that is shut off holds nothing."""
    answers(settings(TEST, XEN))
    running = [one for one in read("test")["domains"] if one["stats"]["state.state"] != 5]
    assert 0 < len(running) < len(read("test")["domains"])
    assert hosts.asked[TEST]["info"] == len(running)
    assert hosts.asked[XEN]["info"] == len(read("xen")["domains"])
    assert hosts.asked[XEN]["listAllDomains"] == 1


def test_images_are_asked_for_where_they_are_wanted(hosts: Libvirt) -> None:
    """One call for each volume, for there is none for all of them."""
    answers(settings(QEMU, image_pool="images"), Facet.CAPACITY)
    assert hosts.asked[QEMU]["XMLDesc"] == 0
    answers(settings(QEMU, image_pool="images"), Facet.IMAGES)
    assert (hosts.asked[QEMU]["XMLDesc"], hosts.asked[QEMU]["listAllVolumes"]) == (2, 1)


# --- what goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hosts")
def test_a_host_that_is_gone_costs_the_others_nothing() -> None:
    """All of it has failed with reason and remedy; the manager is what the others have in common."""
    gone = "qemu+tcp://gone.example.org/system"
    found = answers(settings(gone, QEMU, TEST))
    reasons = failed(found)
    assert set(reasons) == {(facet, gone) for facet in (Facet.CAPACITY, Facet.HYPERVISORS, Facet.MACHINES)} | {
        (Facet.USAGE, f"machines on {gone}")
    }
    assert set(reasons.values()) == {f"{gone}: {REFUSED}; see that libvirtd, or its proxy, runs there and listens"}
    assert all(one.retryable for one in found if isinstance(one, Failed))
    ends = {one.facet: one.parts for one in found if isinstance(one, Parts)}
    assert ends[Facet.CAPACITY] == {gone, QEMU, TEST}
    assert (Facet.MANAGER, "") in observed(found)


def test_where_all_hosts_are_gone_so_is_the_manager(hosts: Libvirt) -> None:
    """With the reason of one of them."""
    hosts.hosts = {}
    found = answers(settings(QEMU, TEST))
    assert observed(found) == {}
    assert "Connection refused" in failed(found)[Facet.MANAGER, ""]


def test_a_host_that_hangs_is_given_up(hosts: Libvirt) -> None:
    """Wherever it does; what others tell is told before."""
    released = threading.Event()
    hosts.hosts[TEST]["getCapabilities"] = lambda: released.wait(60)
    found = answers(settings(TEST, QEMU), seconds=1.5)
    released.set()
    assert failed(found)[Facet.CAPACITY, TEST].startswith(f"{TEST}: it did not answer in time; see whether it hangs")
    assert (Facet.CAPACITY, QEMU) in observed(found)


CASES: dict[str, tuple[int, str, str, bool]] = {
    "a wrong password": (45, "authentication failed: authentication failed", "correct user and password", False),
    "no right": (88, "access denied: 'connect' denied access", "give this user the rights", False),
    "no certificate of the authority": (38, "Cannot read CA certificate '/x/cacert.pem'", "pkipath", False),
    "another authority": (45, "authentication failed: Failed to verify peer's certificate", "pkipath", False),
    "no TLS": (45, "authentication failed: TLS handshake failed", "pkipath", False),
    "no such name": (38, "Unable to resolve address 'nod1' service '16509'", "correct the name of the host", True),
    "ssh that asks": (38, "Cannot recv data: Host key verification failed.", "see that ssh reaches this host", True),
    "something else": (1, "internal error: strange", "see the log of its libvirtd", True),
}


@pytest.mark.parametrize("case", CASES)
def test_a_sign_in_that_fails_says_what_to_do(hosts: Libvirt, case: str) -> None:
    """In libvirt's words and ours; somebody has to act where it is about rights."""
    code, text, remedy, retryable = CASES[case]
    hosts.hosts[QEMU]["openAuth"] = RecordedError(code, text)
    (answer,) = [one for one in answers(settings(QEMU), Facet.CAPACITY) if isinstance(one, Failed)]
    assert answer.reason.startswith(f"{QEMU}: {text}; ")
    assert remedy in answer.reason
    assert answer.retryable is retryable


def test_a_password_is_given_where_the_host_asks(hosts: Libvirt, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows nowhere; a wrong one is refused."""
    hosts.password = "hush"  # noqa: S105  (of no host)
    given = settings(QEMU, user="reader", password={"environment": "NODE_PASSWORD"})
    monkeypatch.setenv("NODE_PASSWORD", "hush")
    assert (Facet.CAPACITY, QEMU) in observed(answers(given, Facet.CAPACITY))
    monkeypatch.setenv("NODE_PASSWORD", "hash")
    reason = failed(answers(given, Facet.CAPACITY))[Facet.CAPACITY, QEMU]
    assert "correct user and password" in reason
    assert "hash" not in reason


def test_a_password_that_cannot_be_read_is_a_fault_of_the_configuration(hosts: Libvirt) -> None:
    """No host is asked."""
    given = settings(QEMU, user="reader", password={"environment": "NODE_PASSWORD_THAT_IS_NOT_SET"})
    context = CollectContext(instance="hosts", wanted=SPEC.facets, deadline=Deadline.after(9), now=lambda: NOW, log=LOG)
    with pytest.raises(ConfigError):
        list(SPEC.collect(given, context))
    assert not hosts.asked


@pytest.mark.usefixtures("hosts")
def test_a_pool_of_images_that_is_not_there_fails_the_images_alone() -> None:
    """On that host."""
    found = answers(settings(QEMU, XEN, image_pool="images"))
    assert set(failed(found)) == {(Facet.IMAGES, XEN)}
    assert "make the pool there, or correct disk_pool and image_pool" in failed(found)[Facet.IMAGES, XEN]
    assert (Facet.IMAGES, QEMU) in observed(found)


def test_a_machine_that_ends_while_it_is_asked_for_is_gone(hosts: Libvirt) -> None:
    """The others are counted."""
    hosts.hosts[XEN]["domains"][1]["info"] = RecordedError(CONSTANTS["VIR_ERR_NO_DOMAIN"], "Domain not found")
    usage: Usage = observed(answers(settings(XEN), Facet.USAGE))[Facet.USAGE, f"machines on {XEN}"]
    assert usage.instances == 4


def test_a_host_that_is_lost_while_it_tells_of_machines_has_failed(hosts: Libvirt) -> None:
    """Those of which it had not told are not taken for gone."""
    hosts.hosts[XEN]["domains"][3]["info"] = RecordedError(
        CONSTANTS["VIR_ERR_SYSTEM_ERROR"], "Connection reset by peer"
    )
    found = answers(settings(XEN))
    assert observed(found) == {}
    assert "Connection reset by peer" in failed(found)[Facet.USAGE, f"machines on {XEN}"]


def test_an_answer_that_is_not_as_documented_fails_what_is_made_of_it(
    hosts: Libvirt, caplog: pytest.LogCaptureFixture
) -> None:
    """Not what is made of others."""
    hosts.hosts[QEMU]["getCapabilities"] = "<capabilities><host>"
    found = answers(settings(QEMU))
    assert set(failed(found)) == {(Facet.CAPACITY, QEMU), (Facet.HYPERVISORS, QEMU), (Facet.MANAGER, "")}
    assert "is not as documented" in failed(found)[Facet.CAPACITY, QEMU]
    assert (Facet.USAGE, f"machines on {QEMU}") in observed(found)
    assert "cannot be made of what was answered" in caplog.text


# --- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({"uris": []}, "at least 1 item"),
        ({"uris": ["node1"]}, "should match pattern"),
        ({"uris": ["qemu+tls://me:pw@node1/system"]}, "it holds a password"),
        ({"uris": [QEMU, TEST]}, "several hosts have no address in common: write url"),
        ({"uris": [QEMU, f"{QEMU}?no_verify=1"], "url": "x"}, "lead to the same host"),
        ({"uris": [QEMU, TEST], "url": "https://x.example.org/"}, "write sign_in"),
        ({"uris": [QEMU], "user": "reader"}, "user and password belong together"),
        ({"uris": [QEMU], "projects": {}}, "at least 1 item"),
        ({"uris": [QEMU], "cpu_overcommit": 0}, "greater than 0"),
        ({"uris": [QEMU], "connections": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(written: dict[str, Any], why: str) -> None:
    """With a word on what to write."""
    with pytest.raises(ValidationError, match=why):
        LibvirtSettings.model_validate_json(json.dumps(written))


# --- events --------------------------------------------------------------------------------------------------------


@pytest.fixture
def listening(hosts: Libvirt) -> Callable[..., Iterator[frozenset[Facet]]]:
    """Listens to some hosts."""

    def listen(*uris: str, seconds: float = 30.0) -> Iterator[frozenset[Facet]]:
        assert hosts
        return watch(settings(*uris), WatchContext(instance="hosts", deadline=Deadline.after(seconds), log=LOG))

    return listen


@pytest.mark.shows("libvirt", "events of the manager", by="synthetic")
def test_an_event_names_what_a_machine_changes(
    hosts: Libvirt, listening: Callable[..., Iterator[frozenset[Facet]]]
) -> None:
    """Whichever host it comes from."""
    events = listening(QEMU, TEST)
    threading.Timer(0.2, lambda: hosts.listeners[TEST](None, None, 2, 0, None)).start()
    assert next(events) == CHANGING


def test_listening_ends_by_its_deadline(listening: Callable[..., Iterator[frozenset[Facet]]]) -> None:
    """Without an event."""
    assert list(listening(QEMU, seconds=0.5)) == []


def test_a_host_that_is_lost_ends_the_listening(
    hosts: Libvirt, listening: Callable[..., Iterator[frozenset[Facet]]]
) -> None:
    """It is begun anew from outside."""
    events = listening(QEMU)
    threading.Timer(0.2, lambda: hosts.closers[QEMU](None, 1, None)).start()
    with pytest.raises(Unreachable, match="the connection has ended"):
        next(events)


def test_a_host_that_is_not_there_is_named_and_others_are_listened_to(
    hosts: Libvirt, listening: Callable[..., Iterator[frozenset[Facet]]], caplog: pytest.LogCaptureFixture
) -> None:
    """Where none is there, there is nothing to listen to."""
    events = listening("qemu+tcp://gone/system", QEMU)
    threading.Timer(0.3, lambda: hosts.listeners[QEMU](None, None, 2, 0, None)).start()
    assert next(events) == CHANGING
    assert "its events are not seen: qemu+tcp://gone/system: " in caplog.text
    with pytest.raises(CollectError, match="gone/system: unable to connect"):
        next(listening("qemu+tcp://gone/system"))


def test_recorded_answers_are_whole() -> None:
    """No path of the machine that they were made on, and no host without machines."""
    for name in ("qemu", "test", "xen"):
        told = read(name)
        assert copy.deepcopy(told["domains"])
        assert str(Path.home()) + "/" not in json.dumps(told)
