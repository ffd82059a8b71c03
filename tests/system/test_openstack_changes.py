"""After a change in a real OpenStack, exactly those entries differ that state it or are computed from it."""

import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.answers import by_key, read_ldif
from tests.system.demo import COMMAND
from tests.system.openstack import Account, Cloud

pytestmark = pytest.mark.openstack

BOUND, FREE = "vo001", "vo002"
"""A project in which the quota binds, and one that has none, so that hosts do."""

LEFT = 3
"""Machines that the quota leaves to the first."""

STAMP = "GLUE2EntityCreationTime"
CENTRE, INSTANCE = "rc-changes", "cloud"
SERVICE, MANAGER = (f"urn:glue2:{class_}:{CENTRE}:{INSTANCE}" for class_ in ("ComputingService", "ComputingManager"))

Entries = dict[str, dict[str, frozenset[str]]]
"""The values of each entry by attribute, and by key where it is `OtherInfo: Key=value`; by the entry's ID."""

Changes = dict[str, set[str] | str]
"""By the ID of each entry that is not as before: the attributes and keys that are not, or `new`, or `gone`."""


def share(cloud: Cloud, project: str) -> str:
    """The ID of a project's share."""
    return f"urn:glue2:ComputingShare:{CENTRE}:{INSTANCE}:{cloud.content['projects'][project]}"


def type_(local: str) -> str:
    """The ID of an instance type."""
    return f"urn:glue2:ExecutionEnvironment:{CENTRE}:{INSTANCE}:{local}"


def image(local: str) -> str:
    """The ID of an image."""
    return f"urn:glue2:ApplicationEnvironment:{CENTRE}:{INSTANCE}:{local}"


# --- what is published ------------------------------------------------------------------------------------------------


class Centre:
    """Two projects of the cloud, as the administrator publishes them."""

    def __init__(self, cloud: Cloud, config: Path) -> None:
        """Write the configuration."""
        self.config = config
        projects = cloud.content["projects"]
        written = {
            "centre": {"name": CENTRE},
            "communities": [
                {"name": name, "projects": [{"instance": INSTANCE, "project": projects[name]}]}
                for name in (BOUND, FREE)
            ],
            "instances": [
                {
                    "name": INSTANCE,
                    "kind": "openstack",
                    "defaults": {"platform": "amd64", "os_family": "linux"},
                    "settings": {"cloud": "admin", "clouds_file": str(cloud.clouds_file)},
                }
            ],
        }
        config.write_text(yaml.safe_dump(written))
        self.last = self.publish()

    def publish(self) -> Entries:
        """Everything that is rendered now."""
        command = [COMMAND, "try", self.config.name, "--ldif"]
        done = subprocess.run(command, cwd=self.config.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return {dn.partition(",")[0].partition("=")[2]: by_key(entry) for dn, entry in read_ldif(done.stdout).items()}

    def changes(self) -> Changes:
        """What is not as it was when it was published last; when an entry was made does not count."""
        before, after = self.last, self.publish()
        self.last = after
        found: Changes = dict.fromkeys(after.keys() - before.keys(), "new")
        found |= dict.fromkeys(before.keys() - after.keys(), "gone")
        for id_ in before.keys() & after.keys():
            former, now = before[id_], after[id_]
            if differing := {key for key in former.keys() | now.keys() if former.get(key) != now.get(key)} - {STAMP}:
                found[id_] = differing
        return found


@pytest.fixture(scope="module")
def admin(cloud: Cloud) -> Account:
    """The administrator."""
    return cloud.account()


@pytest.fixture(scope="module")
def quotas(cloud: Cloud, admin: Account) -> Iterator[None]:
    """One project is bound by its quota of instances, the other by nothing."""
    before = {project: limits(cloud, admin, project) for project in (BOUND, FREE)}
    held = admin.get("compute", f"/os-quota-sets/{cloud.content['projects'][BOUND]}/detail")["quota_set"]
    cores = held["cores"]["in_use"] + 100 * LEFT
    set_limits(cloud, admin, BOUND, {"instances": held["instances"]["in_use"] + LEFT, "cores": cores, "ram": -1})
    set_limits(cloud, admin, FREE, {"instances": -1, "cores": -1, "ram": -1})
    yield
    for project, numbers in before.items():
        set_limits(cloud, admin, project, numbers)


def limits(cloud: Cloud, admin: Account, project: str) -> dict[str, int]:
    """The quota of a project."""
    found = admin.get("compute", f"/os-quota-sets/{cloud.content['projects'][project]}")["quota_set"]
    return {name: found[name] for name in ("instances", "cores", "ram")}


def set_limits(cloud: Cloud, admin: Account, project: str, numbers: dict[str, int]) -> None:
    """Change the quota of a project."""
    wish = {"quota_set": {**numbers, "force": True}}
    admin.ask("PUT", "compute", f"/os-quota-sets/{cloud.content['projects'][project]}", wish)


@pytest.fixture(scope="module")
def published_once(cloud: Cloud, quotas: None, tmp_path_factory: pytest.TempPathFactory) -> Centre:  # noqa: ARG001
    """The centre, published for the first time."""
    return Centre(cloud, tmp_path_factory.mktemp("changes") / "centre.yaml")


@pytest.fixture
def centre(published_once: Centre) -> Iterator[Centre]:
    """The centre as it is; what a test changed is taken in afterwards, when it has changed it back."""
    yield published_once
    published_once.last = published_once.publish()


# --- changes ----------------------------------------------------------------------------------------------------------


def test_nothing_changes_by_itself(centre: Centre) -> None:
    """Asked twice, an idle cloud says the same twice."""
    assert centre.changes() == {}


NAMES_TYPES = "GLUE2ApplicationEnvironmentExecutionEnvironmentForeignKey"


@contextmanager
def flavor(admin: Account, **size: Any) -> Iterator[str]:
    """A public instance type, for a while."""
    id_ = str(admin.ask("POST", "compute", "/flavors", {"flavor": {"name": "added", **size}})["flavor"]["id"])
    try:
        yield id_
    finally:
        admin.ask("DELETE", "compute", f"/flavors/{id_}")


def test_an_instance_type_is_added(cloud: Cloud, admin: Account, centre: Centre) -> None:
    """It is a new entry; every share offers it, images that fit name it, the service counts it."""
    size = {"vcpus": 2, "ram": 8192, "disk": 40}
    known = admin.get("image", "/v2/images?visibility=all&limit=500")["images"]
    small = {image(one["id"]) for one in known if one["min_ram"] <= size["ram"] and one["min_disk"] <= size["disk"]}
    images = {key for key in small & centre.last.keys() if NAMES_TYPES in centre.last[key]}
    assert 3 < len(images) < len([key for key in centre.last if ":ApplicationEnvironment:" in key])
    with flavor(admin, **size) as id_:
        offering = {
            f"FreeInstances.{id_}",
            "GLUE2ComputingShareExecutionEnvironmentForeignKey",
            "GLUE2ShareResourceForeignKey",
        }
        assert centre.changes() == {
            type_(id_): "new",
            SERVICE: {"GLUE2ServiceComplexity"},
            **{share(cloud, project): offering for project in (BOUND, FREE)},
            **{key: {NAMES_TYPES} for key in images},
        }


@contextmanager
def uploaded(admin: Account) -> Iterator[str]:
    """A public image that can be started, for a while."""
    wish = {"name": "deleted", "visibility": "public", "disk_format": "raw", "container_format": "bare"}
    id_ = str(admin.ask("POST", "image", "/v2/images", wish)["id"])
    try:
        headers = {"X-Auth-Token": admin.token["secret"], "Content-Type": "application/octet-stream"}
        url = f"{admin.url('image')}/v2/images/{id_}/file"
        request = urllib.request.Request(url, b"\0" * 512, headers, method="PUT")  # noqa: S310  (of the testbed)
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
        yield id_
    finally:
        admin.ask("DELETE", "image", f"/v2/images/{id_}")


def test_an_image_is_deleted(cloud: Cloud, admin: Account, centre: Centre) -> None:
    """Its entry is gone, and no share lists it any more."""
    with uploaded(admin) as id_:
        assert centre.changes()[image(id_)] == "new"
    assert centre.changes() == {image(id_): "gone", share(cloud, BOUND): {"Image"}, share(cloud, FREE): {"Image"}}


def test_a_quota_is_changed(cloud: Cloud, admin: Account, centre: Centre) -> None:
    """The share of this project says so, and how many machines of each type that leaves; no other entry differs."""
    before = limits(cloud, admin, BOUND)
    bound = {key for key, values in centre.last[share(cloud, BOUND)].items() if is_free(key) and values == {str(LEFT)}}
    assert len(bound) > 3
    allowed = {"GLUE2ComputingShareMaxRunningJobs", "GLUE2ComputingShareMaxTotalJobs"}
    set_limits(cloud, admin, BOUND, before | {"instances": before["instances"] - 1})
    try:
        assert centre.changes() == {share(cloud, BOUND): bound | allowed}
    finally:
        set_limits(cloud, admin, BOUND, before)


def is_free(key: str) -> bool:
    """Whether a key says how many machines of a type could start."""
    return key.startswith("FreeInstances.") and key != "FreeInstances.UpperBound"


def test_a_machine_is_started(cloud: Cloud, admin: Account, centre: Centre) -> None:
    """What hosts have left, what its project holds and could still start, and how much of its type is used."""
    public = admin.get("image", "/v2/images?visibility=public&disk_format=raw&status=active")["images"]
    with flavor(admin, vcpus=2, ram=4096, disk=10) as id_:
        centre.last = centre.publish()
        running = {one["id"]: one["running_vms"] for one in hypervisors(admin)}
        machine, status = cloud.start_machine(FREE, id_, public[0]["id"])
        try:
            assert status == "ACTIVE"
            changes = centre.changes()
            woken = [one["id"] for one in hypervisors(admin) if one["running_vms"] and not running[one["id"]]]
        finally:
            cloud.delete_machine(machine)
    said = changes.pop(share(cloud, FREE))
    assert f"FreeInstances.{id_}" in said
    assert {key for key in said if not is_free(key)} - MEASURED == {
        f"GLUE2ComputingShare{name}" for name in ("FreeSlots", "RunningJobs", "TotalJobs", "UsedSlots")
    }
    pools = {key for key in changes if ":host-pool:" in key}
    assert (len(pools), [changes.pop(key) for key in pools]) == (len(woken), [USED] * len(woken))
    assert changes == {
        SERVICE: {"GLUE2ComputingServiceRunningJobs", "GLUE2ComputingServiceTotalJobs"},
        MANAGER: {
            "FreeMemory",
            "GLUE2ComputingManagerSlotsUsedByGridJobs",
            "GLUE2ComputingManagerWorkingAreaFree",
        },
        type_(id_): USED,
    }


MEASURED = {"GLUE2ComputingShareEstimatedAverageWaitingTime", "GLUE2ComputingShareEstimatedWorstWaitingTime"}
"""How long starting took: it may have taken as long as before."""

USED = {"GLUE2ExecutionEnvironmentUsedInstances"}


def hypervisors(admin: Account) -> list[dict[str, Any]]:
    """The hosts."""
    return list(admin.get("compute", "/os-hypervisors/detail")["hypervisors"])


def test_a_host_is_disabled(cloud: Cloud, centre: Centre) -> None:
    """Room and capacity without it, and what is unavailable of its class and of each type that it could hold."""
    name = "node005"
    host = cloud.content["asked"]["hosts"][name]
    unavailable = {UNAVAILABLE}
    counted = {key for key, entry in centre.last.items() if UNAVAILABLE in entry and fits(entry, host)}
    assert len(counted) > 3
    cloud.set_host(name, status="disabled")
    try:
        changes = centre.changes()
    finally:
        cloud.set_host(name, status="enabled")
    said = changes.pop(share(cloud, FREE))
    assert {key for key in said if not is_free(key)} == {"GLUE2ComputingShareFreeSlots"}
    assert said - {"GLUE2ComputingShareFreeSlots"}
    [pool] = [key for key in changes if ":host-pool:" in key]
    assert changes == {
        pool: unavailable,
        **dict.fromkeys(counted, unavailable),
        MANAGER: {
            "AcceleratorTotal",
            "CPUOvercommitRatio",
            "FreeMemory",
            "GLUE2ComputingManagerTotalSlots",
            "GLUE2ComputingManagerWorkingAreaFree",
            "GLUE2ComputingManagerWorkingAreaTotal",
            "TotalMemory",
        },
    }


@contextmanager
def zone(admin: Account, name: str, host: str) -> Iterator[None]:
    """An availability zone of one host that has no machines, for a while."""
    wish = {"aggregate": {"name": name, "availability_zone": name}}
    path = f"/os-aggregates/{admin.ask('POST', 'compute', '/os-aggregates', wish)['aggregate']['id']}"
    try:
        admin.ask("POST", "compute", f"{path}/action", {"add_host": {"host": host}})
        try:
            yield
        finally:
            admin.ask("POST", "compute", f"{path}/action", {"remove_host": {"host": host}})
    finally:
        admin.ask("DELETE", "compute", path)


def test_a_zone_is_opened(cloud: Cloud, admin: Account, centre: Centre) -> None:
    """The manager says that users can ask for it as soon as a host there takes machines, and not before."""
    disabled = "node004"
    with zone(admin, "opened", disabled):
        assert centre.changes() == {}
        cloud.set_host(disabled, status="enabled")
        try:
            assert "AvailabilityZone" in centre.changes()[MANAGER]
        finally:
            cloud.set_host(disabled, status="disabled")
    assert centre.last[MANAGER]["AvailabilityZone"] == {"nova", "opened"}


UNAVAILABLE = "GLUE2ExecutionEnvironmentUnavailableInstances"


def fits(entry: dict[str, frozenset[str]], host: dict[str, Any]) -> bool:
    """Whether an entry is an instance type of which the host can hold a machine; host classes have no `disk`."""
    if "disk" not in entry or entry.keys() & {"AcceleratorNumber"}:
        return False
    names = ("GLUE2ExecutionEnvironmentLogicalCPUs", "GLUE2ExecutionEnvironmentMainMemorySize", "disk")
    cpus, memory, disk = (float(next(iter(entry[name]))) for name in names)
    return cpus <= host["vcpus"] and memory < host["memory_mb"] and disk <= host["local_gb"]
