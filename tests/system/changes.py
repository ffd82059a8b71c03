"""Changes of a real OpenStack, each with what shows that it has arrived: in what is kept, in a file, in an LDAP server.

A kind of change is a generator of three steps: it prepares what is needed and waits for the state of the cloud before
the change; it makes the change, and yields its evidence once the API has confirmed it; it undoes all of that.
"""

import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from ldap3.utils.conv import escape_filter_chars

from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Observed
from tests.system.openstack import Cloud

CENTRE, INSTANCE = "rc-fresh", "cloud"

Values = Mapping[tuple[Facet, str], Any]
"""What is kept of a cloud, by facet and part."""

Entries = Mapping[str, Mapping[str, frozenset[str]]]
"""The values of each entry by attribute, and by key where it is `OtherInfo: Key=value`; by the entry's ID."""


def values(observed: Iterable[Observed]) -> Values:
    """What is kept, by facet and part."""
    return {(one.facet, one.part): one.value for one in observed}


@dataclass(frozen=True)
class Evidence:
    """A value that an entry has, or has no more, once a change has arrived; `facet` is what tells of it.

    `key` is an attribute, or a key of OtherInfo.
    """

    facet: Facet
    id: str
    key: str
    value: str
    kept: Callable[[Values], bool]
    """The same in what was collected."""
    there: bool = True

    def in_entries(self, entries: Entries) -> bool:
        """Whether published entries show it."""
        return (self.value in entries.get(self.id, {}).get(self.key, ())) is self.there

    @property
    def filter(self) -> str:
        """The LDAP search for that value: it finds one entry, or none any more."""
        named = f"(|(GLUE2ShareID={escape_filter_chars(self.id)})(GLUE2ResourceID={escape_filter_chars(self.id)}))"
        attribute, value = self.key, self.value
        if not self.key.startswith(("GLUE2", "objectClass")):
            attribute, value = "GLUE2EntityOtherInfo", f"{self.key}={self.value}"
        return f"(&{named}({attribute}={escape_filter_chars(value)}))"


@dataclass(frozen=True)
class Before:
    """What is kept and published before any change."""

    kept: Values
    published: Entries

    def running(self, project: str) -> int:
        """How many machines of a project run."""
        return int(self.kept[Facet.USAGE, project].running)


Steps = Generator[Evidence | None, Before, None]
Kind = Callable[[Cloud, int], Steps]
"""The number says which project or host it concerns."""


def _id(class_: str, local: str) -> str:
    return f"urn:glue2:{class_}:{CENTRE}:{INSTANCE}:{local}"


# --- quotas and machines ----------------------------------------------------------------------------------------------


def _project(cloud: Cloud, number: int) -> tuple[str, str]:
    """Name and id of a project."""
    return list(cloud.content["projects"].items())[number]


def quota_changed(cloud: Cloud, number: int) -> Steps:
    """A project may have seven machines more: its share says so."""
    admin, (_, project) = cloud.account(), _project(cloud, number)
    path = f"/os-quota-sets/{project}"
    yield None
    before = admin.get("compute", path)["quota_set"]["instances"]
    wished = before + 7
    admin.ask("PUT", "compute", path, {"quota_set": {"instances": wished}})
    yield Evidence(
        Facet.QUOTAS,
        _id("ComputingShare", project),
        "GLUE2ComputingShareMaxRunningJobs",
        str(wished),
        lambda kept: kept[Facet.QUOTAS, project].instances == wished,
    )
    admin.ask("PUT", "compute", path, {"quota_set": {"instances": before}})


def _running(project: str, machines: int) -> Evidence:
    return Evidence(
        Facet.USAGE,
        _id("ComputingShare", project),
        "GLUE2ComputingShareRunningJobs",
        str(machines),
        lambda kept: kept[Facet.USAGE, project].running == machines,
    )


def _start(cloud: Cloud, name: str) -> str:
    """Start a small machine in a project."""
    member = cloud.account("member", name)
    [flavor] = [one["id"] for one in member.get("compute", "/flavors")["flavors"] if one["name"] == "std.01"]
    images = member.get("image", "/v2/images?visibility=public&disk_format=raw&status=active")["images"]
    machine, state = cloud.start_machine(name, flavor, images[0]["id"])
    assert state == "ACTIVE", f"a machine of {name} is {state}"
    return machine


def machine_started(cloud: Cloud, number: int) -> Steps:
    """One machine more runs in a project: its share counts it."""
    name, project = _project(cloud, number)
    before = yield None
    machine = _start(cloud, name)
    yield _running(project, before.running(project) + 1)
    cloud.delete_machine(machine)


def machine_deleted(cloud: Cloud, number: int) -> Steps:
    """One machine less runs in a project."""
    name, project = _project(cloud, number)
    machine = _start(cloud, name)
    before = yield None
    cloud.delete_machine(machine)
    yield _running(project, before.running(project) - 1)


# --- instance types ---------------------------------------------------------------------------------------------------


def _make_flavor(cloud: Cloud) -> str:
    size = {"name": f"fresh-{uuid.uuid4()}", "vcpus": 2, "ram": 4096, "disk": 20}
    return str(cloud.account().ask("POST", "compute", "/flavors", {"flavor": size})["flavor"]["id"])


def _offers(flavor: str, *, there: bool) -> Evidence:
    def kept(values: Values) -> bool:
        return any(one.id == flavor for one in values[Facet.INSTANCE_TYPES, ""].instance_types) is there

    id_ = _id("ExecutionEnvironment", flavor)
    return Evidence(Facet.INSTANCE_TYPES, id_, "objectClass", "GLUE2ExecutionEnvironment", kept, there)


def flavour_added(cloud: Cloud, _: int) -> Steps:
    """A new instance type has an entry of its own."""
    yield None
    flavor = _make_flavor(cloud)
    yield _offers(flavor, there=True)
    cloud.account().ask("DELETE", "compute", f"/flavors/{flavor}")


def flavour_deleted(cloud: Cloud, _: int) -> Steps:
    """The entry of an instance type is gone."""
    flavor = _make_flavor(cloud)
    yield None
    cloud.account().ask("DELETE", "compute", f"/flavors/{flavor}")
    yield _offers(flavor, there=False)


# --- images -----------------------------------------------------------------------------------------------------------


def _make_image(cloud: Cloud) -> str:
    """An image that every project can start."""
    admin = cloud.account()
    wish = {"name": "fresh", "visibility": "public", "disk_format": "raw", "container_format": "bare"}
    image = str(admin.ask("POST", "image", "/v2/images", wish)["id"])
    headers = {"X-Auth-Token": admin.token["secret"], "Content-Type": "application/octet-stream"}
    url = f"{admin.url('image')}/v2/images/{image}/file"
    request = urllib.request.Request(url, b"\0" * 512, headers, method="PUT")  # noqa: S310  (of the testbed)
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310
    return image


def _starts(cloud: Cloud, image: str, *, there: bool) -> Evidence:
    """Entries of images stop at the resource, so the list of a share is looked at, which goes up to the top."""

    def kept(values: Values) -> bool:
        return any(one.id == image for one in values[Facet.IMAGES, ""].images) is there

    _, project = _project(cloud, 0)
    return Evidence(Facet.IMAGES, _id("ComputingShare", project), "Image", image, kept, there)


def image_added(cloud: Cloud, _: int) -> Steps:
    """The shares list a new image."""
    yield None
    image = _make_image(cloud)
    yield _starts(cloud, image, there=True)
    cloud.account().ask("DELETE", "image", f"/v2/images/{image}")


def image_deleted(cloud: Cloud, _: int) -> Steps:
    """The shares list an image no more."""
    image = _make_image(cloud)
    yield None
    cloud.account().ask("DELETE", "image", f"/v2/images/{image}")
    yield _starts(cloud, image, there=False)


# --- hosts ------------------------------------------------------------------------------------------------------------

HOSTS = {f"node{number}": 16384 + 1024 * number for number in range(8)}
"""Hosts, each of a class of its own, because no two have as much memory (MiB)."""


def _host(number: int) -> str:
    """The last ones are changed, so that machines fit on the first."""
    return list(HOSTS)[-1 - number]


def _unusable(host: str, hosts: int, before: Before) -> Evidence:
    """The class of the host counts it, or does not."""
    memory = HOSTS[host]
    [pool] = [one.id for one in before.kept[Facet.HYPERVISORS, ""].pools if one.memory_mib == memory]
    [id_] = [
        id_
        for id_, entry in before.published.items()
        if ":host-pool:" in id_ and str(memory) in entry["GLUE2ExecutionEnvironmentMainMemorySize"]
    ]

    def is_so(values: Values) -> bool:
        return any(one.id == pool and one.hosts_unusable == hosts for one in values[Facet.HYPERVISORS, ""].pools)

    return Evidence(Facet.HYPERVISORS, id_, "GLUE2ExecutionEnvironmentUnavailableInstances", str(hosts), is_so)


def host_disabled(cloud: Cloud, number: int) -> Steps:
    """A host takes no machines any more."""
    host = _host(number)
    before = yield None
    cloud.set_host(host, status="disabled")
    yield _unusable(host, 1, before)
    cloud.set_host(host, status="enabled")


def host_enabled(cloud: Cloud, number: int) -> Steps:
    """A host takes machines again."""
    host = _host(number)
    cloud.set_host(host, status="disabled")
    before = yield None
    cloud.set_host(host, status="enabled")
    yield _unusable(host, 0, before)


PROJECT, TYPE, IMAGE, HOST = "project", "instance type", "image", "host"

KINDS: Mapping[Kind, str] = {
    quota_changed: PROJECT,
    machine_started: PROJECT,
    flavour_added: TYPE,
    image_deleted: IMAGE,
    machine_deleted: PROJECT,
    flavour_deleted: TYPE,
    image_added: IMAGE,
    host_disabled: HOST,
    host_enabled: HOST,
}
"""What each kind of change concerns."""


@dataclass(frozen=True)
class Change:
    """One change that is prepared."""

    name: str
    steps: Steps


def prepared(cloud: Cloud, number: int) -> list[Change]:
    """So many changes, of all kinds in turn; no two concern the same project, type, image or host."""
    counted: Counter[str] = Counter()
    found = []
    for kind in islice(cycle(KINDS), number):
        steps = kind(cloud, counted[KINDS[kind]])
        counted[KINDS[kind]] += 1
        next(steps)
        found.append(Change(kind.__name__.replace("_", " "), steps))
    return found
