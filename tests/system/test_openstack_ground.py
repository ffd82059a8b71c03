"""The OpenStack of the testbed itself, before anything of ours asks it."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.system import openstack
from tests.system.openstack import SERVICES, Account, Cloud, RefusedError

pytestmark = pytest.mark.openstack

RESTART_SECONDS = 60
"""Three times what is aimed at: the machine may be busy."""


@pytest.fixture(scope="module")
def admin(cloud: Cloud) -> Account:
    """The administrator."""
    return cloud.account()


@pytest.fixture
def member(cloud: Cloud) -> Account:
    """A plain member, in the first project."""
    return cloud.account("member", "vo001")


def names(things: list[dict[str, str]]) -> set[str]:
    """What they are called."""
    return {thing["name"] for thing in things}


# --- the services -----------------------------------------------------------------------------------------------------


def test_nothing_listens_beyond_the_loopback(cloud: Cloud) -> None:
    """Each of the five listens once, on 127.0.0.1; every address in the catalogue is there."""
    addresses = {f"127.0.0.1:{cloud.port + offset}" for offset in range(len(SERVICES))}
    assert listening(cloud) == addresses
    urls = [endpoint["url"] for entry in cloud.account().token["catalog"] for endpoint in entry["endpoints"]]
    assert {urlsplit(url).netloc for url in urls} == addresses


def listening(cloud: Cloud) -> set[str]:
    """Address and port of every socket on which the processes of the cloud, and their children, take connections."""
    inodes = set()
    for pid in cloud.pids().values():
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            inodes.add(descriptor.readlink().name.removeprefix("socket:[").removesuffix("]"))
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            is_open = fields[3] == "0A" if table.startswith("tcp") else True
            if is_open and fields[9] in inodes:
                found.add(address(fields[1]))
    return found


def address(text: str) -> str:
    """An address of /proc/net as one writes it."""
    host, _, port = text.partition(":")
    octets = [str(int(host[n : n + 2], 16)) for n in (6, 4, 2, 0)]
    return f"{'.'.join(octets) if len(host) == 8 else host}:{int(port, 16)}"


def test_only_requests_from_outside_are_counted(cloud: Cloud, admin: Account) -> None:
    """One question to nova, for which nova asks keystone who that is, is one request in the logs."""
    admin.get("identity", "/projects")
    before = cloud.log_sizes()
    admin.get("compute", "/flavors")
    assert cloud.requests(before) == {service: ["GET /v2.1/flavors"] * (service == "nova") for service in SERVICES}
    assert cloud.count(before) == {"nova": 1}


def test_what_is_asked_again_is_not_made_again_and_a_restart_keeps_all(tmp_path: Path, cloud: Cloud) -> None:
    """After an end and a start on the same data, the same machines are there, and no process of before is left."""
    with ExitStack() as running:
        first = openstack.start_until(running, tmp_path, PROJECTS=1, FLAVORS=1, IMAGES=2, SERVERS=1, HOSTS=1, ODD=0)
        everything = inventory(first)
        before = first.pids()
        first.stop()
        assert not [pid for pid in before.values() if is_alive(pid)]
        begun = time.monotonic()
        again = openstack.start(tmp_path, first.port, PROJECTS=1, FLAVORS=1, IMAGES=2, SERVERS=1, HOSTS=1, ODD=0)
        assert time.monotonic() - begun < RESTART_SECONDS
        assert inventory(again) == everything
        assert [machine for machine in everything if machine.endswith(":SHUTOFF")]
    assert cloud.pids().keys() == set(SERVICES)


def inventory(cloud: Cloud) -> set[str]:
    """Ids of all that there is, and the state of machines."""
    admin = cloud.account()
    found = {one["id"] for one in admin.get("compute", "/flavors")["flavors"]}
    found |= {one["id"] for one in admin.get("image", "/v2/images")["images"]}
    found |= {one["id"] for one in admin.get("compute", "/os-hypervisors")["hypervisors"]}
    servers = admin.get("compute", "/servers/detail?all_tenants=1")["servers"]
    return found | {f"{one['id']}:{one['status']}" for one in servers}


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    state = Path(f"/proc/{pid}/status")
    return state.exists() and "\nState:\tZ" not in state.read_text()


def test_a_port_that_is_taken_is_seen_before_anything_starts(tmp_path: Path) -> None:
    """The start ends at once and says which port it is, instead of waiting for a service that is not there."""
    port = openstack.free_ports()
    with socket.create_server(("127.0.0.1", port + 1)):
        command = [openstack.TESTBED / "up", tmp_path, str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"up: somebody else listens on port {port + 1}; choose another PORT\n")
    assert list((tmp_path / "run").iterdir()) == []


# --- what it was filled with ------------------------------------------------------------------------------------------


def test_odd_names_arrive_as_they_are(admin: Account) -> None:
    """Quotes, plus signs, other letters, `dn:` and 200 characters are taken as names; images take line breaks too."""
    flavors = names(admin.get("compute", "/flavors/detail?is_public=None")["flavors"])
    images = names(admin.get("image", "/v2/images?visibility=all&limit=500")["images"])
    projects = names(admin.get("identity", "/projects")["projects"])
    assert len({name for name in flavors & images if not name.isascii() or '"' in name or "dn:" in name}) == 3
    assert max(map(len, flavors & images)) == 200
    assert {"first line\nsecond: line\n\ndn: o=glue\n", "  two blanks before, one after "} < images
    assert {"dn: GLUE2ServiceID=x,o=glue", "hidden, +beta"} < projects


def test_accounts_see_what_their_role_may(cloud: Cloud, admin: Account, member: Account) -> None:
    """The administrator sees hosts; a member and a reader do not, and see no other project's instance types."""
    reader = cloud.account("reader-vo001", "vo001")
    assert len(admin.get("compute", "/os-hypervisors")["hypervisors"]) == 5
    own = names(member.get("compute", "/flavors")["flavors"])
    assert own == names(reader.get("compute", "/flavors")["flavors"])
    assert "private.06" in own
    assert "private.06" not in names(cloud.account("member", "vo002").get("compute", "/flavors")["flavors"])
    for account in (member, reader):
        with pytest.raises(RefusedError) as refused:
            account.get("compute", "/os-hypervisors")
        assert refused.value.status == 403


def test_one_account_is_a_member_of_every_project_that_may_be_published(cloud: Cloud, member: Account) -> None:
    """It lists them all and none of the others; the account of clouds.yaml called `application` signs in by itself."""
    projects = {one["name"]: one["id"] for one in member.get("identity", "/auth/projects")["projects"]}
    assert projects == cloud.content["projects"]
    assert not [name for name in projects if name.startswith("hidden")]


def test_secrets_are_really_there(cloud: Cloud, admin: Account) -> None:
    """What must be found nowhere is in the answers to the administrator: the tests that look for it can fail."""
    answers = [
        admin.get("compute", "/flavors/detail?is_public=None"),
        admin.get("compute", "/servers/detail?all_tenants=1"),
        admin.get("compute", "/os-hypervisors/detail"),
        admin.get("image", "/v2/images?visibility=all&limit=500"),
        admin.get("identity", "/projects"),
    ]
    everything = str(answers)
    secrets = cloud.content["secrets"]
    assert len(secrets) > 20
    assert [secret for secret in secrets if secret not in everything] == []


def test_machines_are_in_many_states(admin: Account) -> None:
    """Some run, one each is stopped, suspended and paused, and one has found no host."""
    servers = admin.get("compute", "/servers/detail?all_tenants=1")["servers"]
    states = sorted(server["status"] for server in servers)
    assert states == ["ACTIVE"] * 5 + ["ERROR", "PAUSED", "SHUTOFF", "SUSPENDED"]


def test_hosts_have_ratios_reservations_and_devices(admin: Account) -> None:
    """Placement has what the description of hosts asked for: another ratio, virtual GPUs, memory kept back."""
    providers = admin.get("placement", "/resource_providers")["resource_providers"]
    found = {}
    for provider in providers:
        path = f"/resource_providers/{provider['uuid']}/inventories"
        found[provider["name"]] = admin.get("placement", path)["inventories"]
    assert found["node001"]["VCPU"]["allocation_ratio"] == 4.0
    assert found["node002"]["VCPU"]["allocation_ratio"] == 1.5
    assert found["node002"]["VGPU"]["total"] == 8
    assert found["node001"]["MEMORY_MB"]["reserved"] == 512


def test_addresses_are_counted(cloud: Cloud, admin: Account, member: Account) -> None:
    """The network that leads outside has addresses of both families, and a project holds a floating one."""
    [outside] = admin.get("network", "/v2.0/networks?router:external=true")["networks"]
    subnets = admin.get("network", f"/v2.0/subnets?network_id={outside['id']}")["subnets"]
    assert {subnet["ip_version"] for subnet in subnets} == {4, 6}
    quota = member.get("network", f"/v2.0/quotas/{cloud.content['projects']['vo001']}/details")["quota"]
    assert quota["floatingip"] == {"limit": 50, "used": 1, "reserved": 0}


# --- what tests do with it --------------------------------------------------------------------------------------------


@pytest.fixture
def dead_and_disabled(cloud: Cloud) -> Iterator[None]:
    """The first host has died, beside the fourth, which is disabled."""
    cloud.set_host("node001", forced_down=True)
    yield
    cloud.set_host("node001", forced_down=False)


@pytest.mark.usefixtures("dead_and_disabled")
def test_a_host_can_die_and_another_be_disabled(admin: Account) -> None:
    """Both are seen in the list of hypervisors, each in its own way."""
    hosts = admin.get("compute", "/os-hypervisors")["hypervisors"]
    states = {host["hypervisor_hostname"]: (host["state"], host["status"]) for host in hosts}
    assert states["node001"] == ("down", "enabled")
    assert states["node004"] == ("up", "disabled")
    assert states["node002"] == ("up", "enabled")


def test_a_machine_is_started_counted_and_ended(cloud: Cloud, member: Account) -> None:
    """A started machine runs and is counted in its project's quota; when it has ended, it is not."""
    project = cloud.content["projects"]["vo001"]
    flavor = next(one["id"] for one in member.get("compute", "/flavors")["flavors"] if one["name"] == "std.01")
    image = next(one["id"] for one in member.get("image", "/v2/images")["images"] if one["disk_format"] == "raw")

    def held() -> int:
        quotas = member.get("compute", f"/os-quota-sets/{project}/detail")["quota_set"]
        return int(quotas["instances"]["in_use"])

    before = held()
    machine, state = cloud.start_machine("vo001", flavor, image)
    assert (state, held()) == ("ACTIVE", before + 1)
    cloud.delete_machine(machine)
    assert held() == before
