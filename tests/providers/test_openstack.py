"""Provider `openstack` over recorded answers: what each account is told, what it costs, and what goes wrong."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infoprovider.collection.child import collect
from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError
from infoprovider.inventory.model import (
    Capacity,
    Facet,
    Hypervisors,
    Images,
    InstanceTypes,
    Machines,
    Manager,
    Networks,
    Ownership,
    Quotas,
    Usage,
)
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed, Parts
from infoprovider.providers.openstack import SPEC, check
from infoprovider.providers.openstack.settings import OpenStackSettings
from infoprovider.providers.openstack.sign_in import way_in
from tests.providers.openstack_recorded import PASSWORD, Fault, Recorded, read, serving

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDED_PASSWORD", PASSWORD)


@pytest.fixture
def administered() -> Iterator[Recorded]:
    """The cloud as its administrator sees it."""
    with serving("admin") as cloud:
        yield cloud


@pytest.fixture
def joined() -> Iterator[Recorded]:
    """The cloud as a plain member of five projects sees it."""
    with serving("member") as cloud:
        yield cloud


def answers(settings: dict[str, Any], *facets: Facet, seconds: float = 20.0) -> list[Answer]:
    """What a collection of these facets, or of all, says."""
    context = CollectContext(
        instance="cloud",
        wanted=frozenset(facets) or SPEC.facets,
        deadline=Deadline.after(seconds),
        now=lambda: NOW,
        log=logging.LoggerAdapter(logging.getLogger(__name__), {}),
    )
    return list(collect(SPEC, OpenStackSettings.model_validate_json(json.dumps(settings)), context))


def observed(found: list[Answer]) -> dict[tuple[Facet, str], Any]:
    """The values that were observed, by facet and part."""
    return {(one.facet, one.part): one.value for one in found if isinstance(one, Observed)}


def only(found: list[Answer], facet: Facet, part: str = "") -> Any:
    """One value."""
    return observed(found)[facet, part]


def reasons(found: list[Answer], kind: type[Failed] | type[NotOffered]) -> dict[tuple[Facet, str], str]:
    """Why something did not come."""
    return {(one.facet, one.part): one.reason for one in found if isinstance(one, kind)}


# --- an administrator ----------------------------------------------------------------------------------------------


def test_an_administrator_is_told_everything(administered: Recorded) -> None:
    """Every facet is answered, and quotas and usage of every project that is there."""
    found = answers(administered.settings("admin"))
    assert not reasons(found, Failed)
    assert not reasons(found, NotOffered)
    projects = {one["id"] for one in administered.answer("identity/v3/projects")["projects"]}
    for facet in (Facet.QUOTAS, Facet.USAGE):
        assert {part for answered, part in observed(found) if answered is facet} == projects
        assert Parts(facet=facet, parts=frozenset(projects)) in found
    assert {facet for facet, _ in observed(found)} == SPEC.facets


def test_the_whole_of_the_hosts_is_what_the_apis_say(administered: Recorded) -> None:
    """CPUs of every host from the hypervisors; what machines can get from placement, of usable hosts alone."""
    found = answers(administered.settings("admin"), Facet.CAPACITY, Facet.HYPERVISORS)
    hypervisors = administered.answer("compute/v2.1/os-hypervisors/detail")["hypervisors"]
    summaries = administered.answer("placement/allocation_candidates?resources=VCPU%3A1")["provider_summaries"]
    usable = {one["id"] for one in hypervisors if one["status"] == "enabled" and one["state"] == "up"}
    told = [summary["resources"] for id_, summary in summaries.items() if id_ in usable]
    capacity: Capacity = only(found, Facet.CAPACITY)
    assert 0 < len(usable) < len(hypervisors)
    assert capacity.logical_cpus == sum(one["vcpus"] for one in hypervisors)
    assert capacity.vcpus == sum(one["VCPU"]["capacity"] for one in told)
    assert capacity.vcpus_used == sum(one["VCPU"]["used"] for one in told)
    assert capacity.memory_mib == sum(one["MEMORY_MB"]["capacity"] for one in told)
    assert capacity.disk_used_gib == sum(one["DISK_GB"]["used"] for one in told)
    assert [host.usable for host in capacity.hosts].count(False) == 1
    pools: Hypervisors = only(found, Facet.HYPERVISORS)
    assert {host.pool for host in capacity.hosts} == {pool.id for pool in pools.pools}
    assert sum(pool.hosts for pool in pools.pools) == 5
    assert sum(pool.hosts_unusable or 0 for pool in pools.pools) == 1


def test_no_name_of_a_host_is_in_what_is_told(administered: Recorded) -> None:
    """Hosts stay unnamed: neither their names nor the ids of their providers leave the provider."""
    found = answers(administered.settings("admin"))
    hypervisors = administered.answer("compute/v2.1/os-hypervisors/detail")["hypervisors"]
    names = {one[key] for one in hypervisors for key in ("hypervisor_hostname", "id")}
    assert [name for name in names if name in repr(found)] == []


ROOM = {"wide": 20, "fast": 18, "vgpu.03": 8, "cpu": 32, "slow": 46, "mem.20": 22}
"""Machines that this very cloud started, one by one, until it refused the next."""


def test_room_is_what_the_cloud_really_started(administered: Recorded) -> None:
    """Types larger than some hosts, with required and forbidden traits, with virtual GPUs, bound by CPUs and memory."""
    found = answers(administered.settings("admin"), Facet.CAPACITY, Facet.INSTANCE_TYPES)
    names = {one.id: one.name for one in only(found, Facet.INSTANCE_TYPES).instance_types}
    room = {names[one.instance_type]: one for one in only(found, Facet.CAPACITY).room}
    assert {name: room[name].machines for name in ROOM} == ROOM
    assert not any(room[name].is_upper_bound for name in ROOM)


def test_what_no_api_tells_makes_room_an_upper_bound(administered: Recorded) -> None:
    """PCI devices, dedicated CPUs and NUMA nodes; and every type where the site has filters that we do not know."""
    settings = administered.settings("admin")
    names = {one["id"]: one["name"] for one in administered.answer(FLAVORS)["flavors"]}
    capacity = only(answers(settings, Facet.CAPACITY), Facet.CAPACITY)
    unsure = {names[one.instance_type].partition(".")[0] for one in capacity.room if one.is_upper_bound}
    assert unsure == {"gpu", "pinned", "numa"}
    filtered = only(answers(settings | {"filters": ["SomeFilter"]}, Facet.CAPACITY), Facet.CAPACITY)
    assert all(one.is_upper_bound for one in filtered.room)


FLAVORS = "compute/v2.1/flavors/detail?is_public=None"


@pytest.mark.parametrize(("status", "unsure"), [(200, False), (403, True)])
def test_aggregates_are_asked_for_where_their_filter_is_on(administered: Recorded, status: int, unsure: bool) -> None:
    """With them numbers are exact, where the account does not see them upper bounds."""
    administered.faults["compute/v2.1/os-aggregates"] = Fault(status, '{"aggregates": []}')
    settings = administered.settings("admin", filters=["AggregateInstanceExtraSpecsFilter"])
    capacity = only(answers(settings, Facet.CAPACITY), Facet.CAPACITY)
    assert all(one.is_upper_bound for one in capacity.room) is unsure


def test_a_question_without_an_answer_makes_one_type_an_upper_bound(administered: Recorded) -> None:
    """All hosts count then, and a note says what is missing."""
    administered.faults["required=CUSTOM_FAST"] = Fault(503)
    found = answers(administered.settings("admin"), Facet.CAPACITY, Facet.INSTANCE_TYPES)
    names = {one.id: one.name for one in only(found, Facet.INSTANCE_TYPES).instance_types}
    room = {names[one.instance_type]: one for one in only(found, Facet.CAPACITY).room}
    assert (room["fast"].machines, room["fast"].is_upper_bound) == (22, True)
    assert (room["wide"].machines, room["wide"].is_upper_bound) == (20, False)
    (notes,) = {one.notes for one in found if isinstance(one, Observed) and one.facet is Facet.CAPACITY}
    assert "placement answered with error 503" in notes[0]


def test_a_type_without_a_disk_has_room_only_where_machines_boot_from_volumes(administered: Recorded) -> None:
    """How much disk its machines take depends on the image, unless the site says that volumes are used."""
    (diskless,) = [one["id"] for one in administered.answer(FLAVORS)["flavors"] if one["disk"] == 0]
    settings = administered.settings("admin")
    for boots, there in ((None, False), (True, True)):
        found = answers(settings | {"boots_from_volume": boots}, Facet.CAPACITY, Facet.INSTANCE_TYPES)
        types = {one.id: one for one in only(found, Facet.INSTANCE_TYPES).instance_types}
        assert types[diskless].boots_from_volume is boots
        assert (diskless in {one.instance_type for one in only(found, Facet.CAPACITY).room}) is there


@pytest.mark.shows("openstack", "who may use an instance type", "who may start an image", by="recorded")
def test_private_things_name_their_projects(administered: Recorded) -> None:
    """A private flavor those that have access, a shared image its owner and who accepted, a private one its owner."""
    projects = {one["name"]: one["id"] for one in administered.answer("identity/v3/projects")["projects"]}
    found = answers(administered.settings("admin"), Facet.INSTANCE_TYPES, Facet.IMAGES)
    types: InstanceTypes = only(found, Facet.INSTANCE_TYPES)
    private = [one for one in types.instance_types if one.ownership is Ownership.PROJECTS]
    assert {one.name.partition(".")[0] for one in private if one.name} == {"private"}
    assert {one.projects for one in private} == {(projects["vo001"],)}
    images: Images = only(found, Facet.IMAGES)
    owners = {one.name: set(one.projects) for one in images.images if one.ownership is Ownership.PROJECTS}
    assert owners["own-of-vo001"] == {projects["vo001"]}
    assert owners["secret-of-vo002"] == {projects["vo002"]}
    assert owners["shared-by-vo002"] == {projects["vo001"], projects["vo002"]}
    assert "community" not in owners


def test_quotas_and_usage_of_a_project(administered: Recorded) -> None:
    """Limits and what is used of them, machines by state; -1 is unlimited."""
    projects = {one["name"]: one["id"] for one in administered.answer("identity/v3/projects")["projects"]}
    found = answers(administered.settings("admin"), Facet.QUOTAS, Facet.USAGE)
    first: Quotas = only(found, Facet.QUOTAS, projects["vo001"])
    assert (first.project_name, first.instances, first.vcpus, first.memory_mib) == ("vo001", 15, 20, 65536)
    assert (first.network_ports, first.public_addresses, first.disk_gib) == (500, None, "unlimited")
    second: Quotas = only(found, Facet.QUOTAS, projects["vo002"])
    assert (second.instances, second.vcpus, second.memory_mib, second.network_ports) == ("unlimited",) * 4
    used: Usage = only(found, Facet.USAGE, projects["vo002"])
    servers = administered.answer("compute/v2.1/servers/detail?all_tenants=1")["servers"]
    states = sorted(one["status"] for one in servers if one["tenant_id"] == projects["vo002"])
    assert states == ["PAUSED", "SHELVED_OFFLOADED", "SHUTOFF"]
    assert (used.running, used.suspended, used.halted, used.error, used.instances) == (0, 1, 2, 0, 3)
    assert used.holding is not None
    assert sum(used.holding.values()) == 1


@pytest.mark.shows("openstack", "who runs what", by="recorded")
def test_machines_are_for_the_operator(administered: Recorded) -> None:
    """Every machine of the cloud with project, type and state."""
    machines: Machines = only(answers(administered.settings("admin"), Facet.MACHINES), Facet.MACHINES)
    servers = administered.answer("compute/v2.1/servers/detail?all_tenants=1")["servers"]
    assert {one.id: (one.project, one.instance_type) for one in machines.machines} == {
        one["id"]: (one["tenant_id"], one["flavor"]["id"]) for one in servers
    }


def test_networks_tell_addresses_to_administrators(administered: Recorded) -> None:
    """Addresses that are free, which networks are for all, and from which addresses are given on request."""
    networks: Networks = only(answers(administered.settings("admin"), Facet.NETWORKS), Facet.NETWORKS)
    by_name = {one.name: one for one in networks.networks if one.ownership is Ownership.PUBLIC}
    assert (networks.public_ipv4, networks.ipv6, networks.firewall_control) == ("onrequest", True, "user")
    assert (by_name["public"].floating, by_name["public"].is_public, by_name["public"].addresses) == (True, True, 13)
    assert (by_name["campus"].floating, by_name["campus"].is_public, by_name["campus"].addresses) == (False, False, 29)


@pytest.mark.shows("openstack", "product and version", by="declared only")
def test_what_the_site_says_of_its_manager_is_told(administered: Recorded) -> None:
    """Release, sign-in and status page are the operator's word; formats and API version the cloud's."""
    said = {
        "release": "2026.2",
        "status_page": "https://status.example.org/",
        "sign_in": [{"method": "oidc", "issuers": ["https://sso.example.org/"]}],
    }
    manager: Manager = only(answers(administered.settings("admin", **said), Facet.MANAGER), Facet.MANAGER)
    (endpoint,) = manager.endpoints
    assert (manager.product, manager.version, manager.status_page) == ("openstack", "2026.2", said["status_page"])
    assert (endpoint.url, endpoint.version) == (f"{administered.url}/compute/v2.1", "2.104")
    assert [way.method for way in endpoint.sign_in] == ["oidc"]
    assert "qcow2" in manager.image_formats
    assert manager.zones == ("nova",)
    assert not any("identity_providers" in asked for asked in administered.asked)


def test_a_manager_is_told_without_what_its_services_refuse(administered: Recorded) -> None:
    """Zones and formats are left out where the account may not ask for them; everything else is there."""
    administered.faults["os-availability-zone|schemas/image"] = Fault(403)
    manager: Manager = only(answers(administered.settings("admin"), Facet.MANAGER), Facet.MANAGER)
    assert (manager.zones, manager.image_formats, len(manager.endpoints)) == ((), (), 1)


# --- what it costs -------------------------------------------------------------------------------------------------


def test_an_administrator_asks_no_more_than_promised(administered: Recorded) -> None:
    """Sixteen requests, two for each project, one for each special type, private type and shared image."""
    found = answers(administered.settings("admin"))
    projects = len([one for one in found if isinstance(one, Observed) and one.facet is Facet.QUOTAS])
    flavors = administered.answer(FLAVORS)["flavors"]
    private = sum(not one["os-flavor-access:is_public"] for one in flavors)
    images = administered.answer("image/v2/images?visibility=all&limit=1000")["images"]
    shared = sum(one["visibility"] == "shared" for one in images)
    special = 3  # the two with traits, and the one that is larger than some hosts
    assert len(administered.asked) <= 16 + 2 * projects + special + private + shared
    assert len(administered.asked) == len(set(administered.asked))


@pytest.mark.parametrize(
    ("facet", "others"),
    [
        (Facet.IMAGES, ("servers", "quota", "flavors", "networks", "allocation_candidates")),
        (Facet.CAPACITY, ("servers", "quota", "os-flavor-access", "networks", "images")),
        (Facet.QUOTAS, ("servers", "flavors", "networks", "images", "allocation_candidates")),
    ],
)
def test_what_is_not_wanted_is_not_asked(administered: Recorded, facet: Facet, others: tuple[str, ...]) -> None:
    """A collection of one facet asks for what that facet is made of."""
    assert observed(answers(administered.settings("admin"), facet))
    assert [asked for asked in administered.asked if any(word in asked for word in others)] == []


@pytest.mark.parametrize("separate", [False, True])
def test_a_member_asks_no_more_than_promised(joined: Recorded, separate: bool) -> None:
    """Ten requests and six for each project, with one sign-in or with one for each."""
    found = answers(each_for_itself(joined, *joined.projects()) if separate else joined.settings("vo001"))
    projects = len([one for one in found if isinstance(one, Observed) and one.facet is Facet.QUOTAS])
    assert projects == 5
    assert len(joined.asked) <= 10 + 6 * projects


# --- a member of several projects, and a sign-in for each ----------------------------------------------------------


def each_for_itself(cloud: Recorded, *projects: str, **others: Any) -> dict[str, Any]:
    """A sign-in for each of these projects."""
    return {"projects": [cloud.settings(project) for project in projects]} | others


@pytest.mark.parametrize("separate", [False, True])
def test_a_member_is_told_what_projects_see(joined: Recorded, separate: bool) -> None:
    """All projects with quotas and usage, and what each of them sees; hosts are not offered, never zero."""
    names = sorted(joined.projects())
    settings = each_for_itself(joined, *names) if separate else joined.settings("vo001")
    found = answers(settings)
    assert not reasons(found, Failed)
    assert set(reasons(found, NotOffered)) == {(Facet.HYPERVISORS, ""), (Facet.CAPACITY, "")}
    assert "is not allowed; give the account a role" in reasons(found, NotOffered)[Facet.CAPACITY, ""]
    assert {part for facet, part in observed(found) if facet is Facet.USAGE} == set(joined.projects().values())
    types: InstanceTypes = only(found, Facet.INSTANCE_TYPES)
    assert len({one.id for one in types.instance_types}) == len(types.instance_types)
    private = {one.projects for one in types.instance_types if one.ownership is Ownership.PROJECTS}
    assert private == {(joined.projects()["vo001"],)}
    shared = {one.name: set(one.projects) for one in only(found, Facet.IMAGES).images}
    assert shared["shared-by-vo002"] == {joined.projects()["vo001"], joined.projects()["vo002"]}
    assert shared["secret-of-vo002"] == {joined.projects()["vo002"]}


def test_a_reader_who_may_see_the_hosts_gets_exact_numbers(joined: Recorded) -> None:
    """A role that reads hypervisors and placement, and nothing else of others, lacks nothing that is published."""
    hosts = ("os-hypervisors", "allocation_candidates")
    joined.answers |= {
        (method, path, None): one
        for (method, path, _), one in read("admin").items()
        if any(word in path for word in hosts)
    }
    for key in [key for key, one in joined.answers.items() if one["status"] == 403 and key[2] is not None]:
        if any(word in key[1] for word in hosts):
            del joined.answers[key]
    found = answers(joined.settings("vo001"))
    assert not reasons(found, Failed)
    assert not reasons(found, NotOffered)
    names = {one.id: one.name for one in only(found, Facet.INSTANCE_TYPES).instance_types}
    room = {names[one.instance_type]: one for one in only(found, Facet.CAPACITY).room}
    assert {name: (room[name].machines, room[name].is_upper_bound) for name in ROOM} == {
        name: (machines, False) for name, machines in ROOM.items()
    }
    assert {part for facet, part in observed(found) if facet is Facet.USAGE} == set(joined.projects().values())


def test_only_projects_that_are_named_are_read(joined: Recorded) -> None:
    """By name or by id."""
    ids = joined.projects()
    found = answers(joined.settings("vo001", only_projects=["vo002", ids["vo003"]]), Facet.QUOTAS)
    assert {part for _, part in observed(found)} == {ids["vo002"], ids["vo003"]}


def test_one_project_that_is_refused_is_one_part(joined: Recorded) -> None:
    """The others are told, and its id stays among those that exist, so that what was known of it is kept."""
    refused = joined.projects()["vo003"]
    joined.refused_projects.add(refused)
    found = answers(joined.settings("vo001"))
    assert set(reasons(found, Failed)) == {(Facet.QUOTAS, refused), (Facet.USAGE, refused)}
    assert "was refused" in reasons(found, Failed)[Facet.USAGE, refused]
    assert Parts(facet=Facet.USAGE, parts=frozenset(joined.projects().values())) in found
    assert only(found, Facet.INSTANCE_TYPES).instance_types


def test_a_refused_sign_in_of_its_own_lets_no_project_disappear(joined: Recorded) -> None:
    """Which project it is, only signing in would have told: the facet has failed, and no parts are said to exist."""
    joined.refused_projects.add(joined.projects()["vo003"])
    found = answers(each_for_itself(joined, "vo003", "vo001", "vo002"), Facet.QUOTAS)
    assert {part for _, part in observed(found)} == {joined.projects()["vo001"], joined.projects()["vo002"]}
    assert set(reasons(found, Failed)) == {(Facet.QUOTAS, "")}
    assert not [one for one in found if isinstance(one, Parts)]


def test_a_project_that_refuses_what_others_tell_has_failed(joined: Recorded) -> None:
    """Where nobody tells, the account has no right to it: then it is not offered."""
    projects = joined.projects()
    refused = projects["vo003"]
    joined.faults[f"os-quota-sets/{refused}"] = Fault(403)
    found = answers(joined.settings("vo001"), Facet.QUOTAS)
    assert set(reasons(found, Failed)) == {(Facet.QUOTAS, refused)}
    assert reasons(found, Failed)[Facet.QUOTAS, refused].endswith("; or name the other projects as only_projects")
    joined.faults["os-quota-sets"] = Fault(403)
    found = answers(joined.settings("vo001"), Facet.QUOTAS)
    assert not reasons(found, Failed)
    assert {part for _, part in reasons(found, NotOffered)} == set(projects.values())


def test_a_project_that_is_named_and_not_seen_has_failed(joined: Recorded) -> None:
    """With its name as it is written; nothing is said to have ended, for it may come back."""
    found = answers(joined.settings("vo001", only_projects=["vo002", "vo999", "vo998"]), Facet.QUOTAS)
    assert {part for _, part in observed(found)} == {joined.projects()["vo002"]}
    remedy = "and the account does not see it; give it a role there, or correct the name"
    assert reasons(found, Failed) == {
        (Facet.QUOTAS, ""): f"only_projects names vo999, {remedy}; only_projects names vo998, {remedy}"
    }
    assert not [one for one in found if isinstance(one, Parts)]


def test_only_projects_that_are_read_are_signed_in_to(joined: Recorded) -> None:
    """Once for the account itself, once for each other project."""
    answers(joined.settings("vo001", only_projects=["vo002"]), Facet.QUOTAS)
    assert sum(asked.startswith("POST") for asked in joined.asked) == 2


def test_a_region_that_is_not_there_is_a_failure(administered: Recorded) -> None:
    """Nothing would be told of it: every facet says so, with what there is."""
    found = answers(administered.settings("admin", region="Nowhere"))
    assert len(reasons(found, Failed)) == len(SPEC.facets)
    (reason,) = set(reasons(found, Failed).values())
    assert reason == (
        "the catalogue has no public address of the service compute in region Nowhere; if the cloud has one, correct "
        "region or interface: it has RegionOne, internal, public"
    )


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ("POST", 401, "was refused: user, secret or token are wrong or have expired, or the project does not exist"),
        ("POST", 403, "was refused: user, secret or token are wrong or have expired, or the project does not exist"),
        ("POST", 404, "was in vain: the token has expired or was revoked, or no keystone is there; renew it"),
        ("POST", 429, "the cloud takes no more requests now; ask less often"),
        ("GET identity/v3$", 404, "no keystone is there; correct auth_url, which ends with /v3 as a rule"),
    ],
)
def test_a_keystone_that_says_no_is_a_failure(joined: Recorded, asked: str, status: int, message: str) -> None:
    """Never a thing that the cloud does not offer: also 403 and 404 are no answers about the cloud."""
    joined.faults[asked] = Fault(status)
    found = answers(joined.settings("vo001"))
    assert len(reasons(found, Failed)) == len(SPEC.facets)
    (reason,) = set(reasons(found, Failed).values())
    assert reason.startswith("signing in at ")
    assert message in reason


def test_a_refused_user_is_tried_once(joined: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password is not sent again for every question: accounts get locked by that."""
    monkeypatch.setenv("RECORDED_PASSWORD", "wrong-horse")
    found = answers(joined.settings("vo001"))
    assert len(reasons(found, Failed)) == len(SPEC.facets)
    assert sum(asked.startswith("POST") for asked in joined.asked) == 1
    assert "wrong-horse" not in repr(found)


def test_an_account_that_sees_only_placement_gives_upper_bounds(administered: Recorded) -> None:
    """A host that is down cannot be told from one that is up: no classes of hosts, room is at most so much."""
    administered.faults["compute/v2.1/os-hypervisors"] = Fault(403)
    administered.faults["identity/v3/auth/projects"] = Fault(text='{"projects": []}')
    found = answers(administered.settings("admin"), Facet.CAPACITY, Facet.HYPERVISORS)
    capacity: Capacity = only(found, Facet.CAPACITY)
    assert (Facet.HYPERVISORS, "") in reasons(found, NotOffered)
    assert len(capacity.hosts) == 5
    assert (capacity.physical_cpus, capacity.logical_cpus, {host.pool for host in capacity.hosts}) == (
        None,
        None,
        {None},
    )
    assert capacity.room
    assert all(one.is_upper_bound for one in capacity.room)


def test_without_placement_only_hardware_is_known(administered: Recorded) -> None:
    """Hosts tell what they are, not what machines can still get on them."""
    administered.faults["placement/"] = Fault(403)
    found = answers(administered.settings("admin"), Facet.CAPACITY, Facet.HYPERVISORS)
    capacity: Capacity = only(found, Facet.CAPACITY)
    assert (capacity.logical_cpus, capacity.vcpus, capacity.hosts, capacity.room) == (320, None, (), ())
    assert len(only(found, Facet.HYPERVISORS).pools) == 3


# --- what goes wrong -----------------------------------------------------------------------------------------------

ASKED = "GET {url} with auth_type password"
NO_MORE = f"{ASKED}: the cloud takes no more requests now"
ASK_LESS = "; ask less often (every) or with fewer connections"

WRONG: dict[str, tuple[Fault, str, bool]] = {
    "forbidden": (
        Fault(403),
        f"{ASKED} is not allowed; give the account a role that docs/providers/openstack.md has",
        False,
    ),
    "gone": (Fault(404), f"{ASKED}: there is no such thing in this cloud", False),
    "too many": (
        Fault(429, headers={"Retry-After": "30"}),
        f"{NO_MORE} and asks to wait 30 s, for which the deadline is too short{ASK_LESS}",
        True,
    ),
    "an odd pause": (Fault(429, headers={"Retry-After": "<b>"}), f"{NO_MORE}{ASK_LESS}", True),
    "internal error": (
        Fault(500, "<html>password=hunter2</html>"),
        "GET {url}: image answered with error 500; its log says why",
        True,
    ),
    "bad request": (Fault(400), "GET {url}: image answered with error 400; its log says why", False),
    "half an answer": (
        Fault(200, '{"images": [{"id": "1", '),
        "GET {url}: the answer is no JSON; look at what stands between us and image",
        False,
    ),
    "an answer without an end": (
        Fault(200, "[" * 100_000),
        "GET {url}: the answer is no JSON; look at what stands between us and image",
        False,
    ),
    "cut off": (
        Fault(200, '{"images": [', cut=True),
        "image at {origin} cannot be reached: the connection broke; check the address and that the service runs",
        True,
    ),
    "another thing": (
        Fault(200, "[]"),
        "GET {url}: the answer has no list images; look at what stands between us and the service",
        False,
    ),
    "an image without an id": (
        Fault(200, '{"images": [{"visibility": "public"}]}'),
        "images: the answer is not as documented (KeyError: 'id'); look at what stands between us and the cloud",
        False,
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_service_that_goes_wrong_is_told_with_its_remedy(administered: Recorded, case: str) -> None:
    """The facet says what was asked, what was seen and what to do; the other facets come; no text of the service."""
    fault, message, retryable = WRONG[case]
    administered.faults["image/v2/images"] = fault
    found = answers(administered.settings("admin"))
    url = f"{administered.url}/image/v2/images?visibility=all&limit=1000"
    (answer,) = [one for one in found if one.facet is Facet.IMAGES]
    assert isinstance(answer, Failed | NotOffered)
    assert answer.reason == message.format(url=url, origin=administered.url)
    assert getattr(answer, "retryable", False) is retryable
    assert isinstance(answer, NotOffered) is (fault.status in (403, 404))
    assert (Facet.CAPACITY, "") in observed(found)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(500), "GET {url}/compute/v2.1/: compute answered with error 500; its log says why"),
        (
            Fault(200, '{"ver'),
            "GET {url}/compute/v2.1/: the answer is no JSON; look at what stands between us and compute",
        ),
    ],
)
def test_a_compute_service_that_fails_is_not_taken_for_an_old_one(
    administered: Recorded, fault: Fault, message: str
) -> None:
    """That it does not say its version is a failure, with its reason; not a thing that it does not offer."""
    administered.faults["compute/v2.1/?$"] = fault
    found = answers(administered.settings("admin"), Facet.MANAGER)
    assert reasons(found, Failed) == {(Facet.MANAGER, ""): message.format(url=administered.url)}


def test_half_a_token_is_told(administered: Recorded) -> None:
    """Nothing can be asked with it."""
    administered.faults["POST"] = Fault(201, '{"token": ')
    (reason,) = set(reasons(answers(administered.settings("admin")), Failed).values())
    assert reason.startswith(f"identity at {administered.auth_url}: the answer cannot be used (InvalidResponse); check")


def test_a_service_that_hangs_ends_with_the_deadline(administered: Recorded) -> None:
    """What was told before is kept, and the rest says who did not answer."""
    administered.faults["image/v2/images"] = Fault(takes=5)
    found = answers(administered.settings("admin"), Facet.MANAGER, Facet.IMAGES, seconds=1.5)
    assert (Facet.MANAGER, "") in observed(found)
    assert reasons(found, Failed)[Facet.IMAGES, ""] == (
        f"image at {administered.url} did not answer in time; see whether it hangs, or give the instance a longer "
        "deadline"
    )


def test_an_expired_token_is_told(administered: Recorded) -> None:
    """A service that refuses the token is asked once more with a new one, then it is the account's fault."""
    administered.faults["compute/v2.1/os-quota-sets"] = Fault(401)
    found = answers(administered.settings("admin"), Facet.QUOTAS)
    assert all(
        "was refused, although signing in worked: the token has expired meanwhile" in one
        for one in reasons(found, Failed).values()
    )


def test_nobody_at_the_address_is_told() -> None:
    """Every facet says where nobody answered, and why."""
    with serving("admin") as cloud:
        settings = cloud.settings("admin")
    found = answers(settings)
    assert set(reasons(found, Failed).values()) == {
        f"identity at {cloud.url} cannot be reached: Connection refused; check the address and that the service runs"
    }


def test_a_page_that_is_no_openstack_is_told(administered: Recorded) -> None:
    """As where auth_url leads to a web page."""
    administered.faults["identity/v3$"] = Fault(200, "<html></html>")
    reason = set(reasons(answers(administered.settings("admin"), Facet.MANAGER), Failed).values())
    text = (
        f"identity at {administered.auth_url} does not say which versions it has; check the address, which for "
        "auth_url ends with /v3 as a rule"
    )
    assert reason == {text}


# --- pages ---------------------------------------------------------------------------------------------------------


def test_pages_are_followed_at_the_address_that_the_catalogue_names(administered: Recorded) -> None:
    """A service behind a proxy does not know its own address: of its link only the query is taken."""
    whole = administered.answer("compute/v2.1/servers/detail?all_tenants=1")
    first, rest = whole["servers"][:4], whole["servers"][4:]
    link = {"rel": "next", "href": "http://inside:8774/v2.1/servers/detail?all_tenants=1&marker=4"}
    administered.faults["servers/detail.*marker=4"] = Fault(text=json.dumps({"servers": rest}))
    administered.faults["servers/detail"] = Fault(text=json.dumps({"servers": first, "servers_links": [link]}))
    machines = only(answers(administered.settings("admin"), Facet.MACHINES), Facet.MACHINES)
    assert sorted(one.id for one in machines.machines) == sorted(one["id"] for one in whole["servers"])


def test_pages_that_lead_in_a_circle_end(administered: Recorded) -> None:
    """A marker that comes again is an error, not for ever."""
    link = {"rel": "next", "href": "/v2.1/servers/detail?marker=4"}
    administered.faults["servers/detail"] = Fault(text=json.dumps({"servers": [], "servers_links": [link]}))
    reason = reasons(answers(administered.settings("admin"), Facet.MACHINES), Failed)[Facet.MACHINES, ""]
    assert "lead back to themselves" in reason


# --- settings ------------------------------------------------------------------------------------------------------


def settings_of(**written: Any) -> OpenStackSettings:
    """Settings as they are written."""
    return OpenStackSettings.model_validate_json(json.dumps(written))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"auth_type": "v3hopeless", "auth": {"auth_url": "x"}}, "there is no sign-in v3hopeless"),
        ({"auth_type": "password", "auth": {"username": "x"}}, "the sign-in lacks auth_url"),
        ({"auth": {"auth_url": "x", "projekt": "y"}}, "the sign-in has no option projekt"),
        ({"cloud": "north", "clouds_file": "/nowhere/clouds.yaml"}, "/nowhere/clouds.yaml: cannot be read"),
    ],
)
def test_a_sign_in_that_cannot_work_is_found_by_check(written: dict[str, Any], message: str) -> None:
    """Without asking anybody."""
    (finding,) = check(settings_of(**written))
    assert message in str(finding)


def test_clouds_yaml_is_used_as_it_is(administered: Recorded, tmp_path: Path) -> None:
    """An entry with its secrets beside it, as the OpenStack client reads it."""
    auth = {**administered.settings("admin")["auth"]}
    del auth["password"]
    (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": {"north": {"auth": auth, "region_name": "RegionOne"}}}))
    (tmp_path / "secure.yaml").write_text(json.dumps({"clouds": {"north": {"auth": {"password": PASSWORD}}}}))
    settings = {"cloud": "north", "clouds_file": str(tmp_path / "clouds.yaml")}
    assert check(settings_of(**settings)) == []
    assert (Facet.MANAGER, "") in observed(answers(settings, Facet.MANAGER))
    (finding,) = check(settings_of(**settings | {"cloud": "south"}))
    assert "has no usable cloud south" in str(finding)


def test_a_token_from_a_file_is_read_anew_at_every_collection(tmp_path: Path) -> None:
    """An OIDC access token that something else renews."""
    token = tmp_path / "token"
    settings = settings_of(
        auth_type="v3oidcaccesstoken",
        auth={
            "auth_url": "https://cloud.example.org:5000/v3",
            "identity_provider": "sso",
            "protocol": "openid",
            "access_token": {"file": str(token)},
            "project_id": "5f1c7c1e9d0a4a7f8a7d3c1b2e604001",
        },
    )
    for text in ("first", "second"):
        token.write_text(text)
        token.chmod(0o600)
        way = way_in(settings, settings)
        assert way.plugin.access_token == text
    token.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        way_in(settings, settings)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({}, "it says nothing to sign in with"),
        ({"cloud": "x", "projects": [{}]}, "one of the projects says nothing to sign in with"),
        ({"auth": {"password": "hunter2"}}, "password is a secret"),
        ({"auth": {"application_credential_secret": "hunter2"}}, "application_credential_secret is a secret"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(written: dict[str, Any], why: str) -> None:
    """With the reason, and without what was written."""
    with pytest.raises(ValueError, match=why) as raised:
        settings_of(**written)
    assert "hunter2" not in str(raised.value)
