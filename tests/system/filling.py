"""Start until refused: states of a small OpenStack, what is published in each, and what really starts then."""

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.system.demo import COMMAND
from tests.system.openstack import Account, Cloud, RefusedError

PROJECTS = ("vo001", "vo002")
ADMINISTRATOR, READER = "admin", "reader"
"""Who published: the account that sees hosts, or one that reads quotas in its own project only."""

UNLIMITED = {"instances": -1, "cores": -1, "ram": -1}
MOST = 60
"""More machines than any type has room for: a start that is not refused by then is a fault of the set-up."""
PATIENCE = 60.0
PAUSE = 0.1

HOSTS = {
    "large": {"vcpus": 8, "memory_mb": 32768, "local_gb": 400, "cpu_ratio": 2.0},
    "medium": {"vcpus": 6, "memory_mb": 24576, "local_gb": 250, "vgpu": 4},
    "small": {"vcpus": 4, "memory_mb": 16384, "local_gb": 120, "vgpu": 2},
    "other": {"vcpus": 8, "memory_mb": 32768, "local_gb": 300, "vgpu": 3},
}
"""Of different sizes, so that what is left over on each of them adds up to more than one machine."""

FAST = "CUSTOM_FAST"
FAST_HOSTS = ("medium", "other")


def hosts_file(folder: Path) -> Path:
    """The hosts, as the testbed reads them."""
    path = folder / "hosts.json"
    kind = {"type": "QEMU", "version": 8002000}
    path.write_text(json.dumps({name: kind | size for name, size in HOSTS.items()}))
    return path


@dataclass(frozen=True)
class Type:
    """An instance type: vCPUs, MiB, GiB, and what else the API takes; of one project where it has an owner."""

    vcpus: int
    ram: int
    disk: int
    specs: Mapping[str, str] | None = None
    further: Mapping[str, int] | None = None
    owner: str | None = None

    @property
    def amounts(self) -> dict[str, int]:
        """What every type takes of a host."""
        return {"VCPU": self.vcpus, "MEMORY_MB": self.ram, "DISK_GB": self.disk}


TYPES = {
    "tiny": Type(1, 512, 1),
    "cpu": Type(4, 1024, 1),
    "mem": Type(1, 10240, 1),
    "disk": Type(1, 512, 110),
    "scratch": Type(1, 1024, 20, further={"swap": 1536, "OS-FLV-EXT-DATA:ephemeral": 60}),
    "wide": Type(7, 512, 1),
    "vgpu": Type(1, 512, 1, {"resources:VGPU": "1"}),
    "fast": Type(2, 5120, 1, {f"trait:{FAST}": "required"}),
    "slow": Type(2, 4096, 1, {f"trait:{FAST}": "forbidden"}),
    "private": Type(2, 8192, 1, owner="vo001"),
    "numa": Type(2, 8192, 1, {"hw:numa_nodes": "1"}),
    "pinned": Type(2, 8192, 1, {"hw:cpu_policy": "dedicated"}),
    "pci": Type(1, 8192, 1, {"pci_passthrough:alias": "a100:1"}),
}


@dataclass(frozen=True)
class State:
    """How the cloud is when it is published, and which types are started then."""

    name: str
    bound_by: str | None
    """What refuses the machine that is one too many, as `Filled.refused_by`; None where it is not the same for all."""
    types: tuple[str, ...]
    quotas: Mapping[str, Mapping[str, int]]
    """By project; what is not named is unlimited."""
    disabled: str | None = None
    dead: str | None = None
    running: tuple[tuple[str, str, int], ...] = ()
    """Machines that are there already: project, type, how many."""


@dataclass(frozen=True)
class Filled:
    """How many machines started, and what refused the next: a quota's name, or `hosts`."""

    started: int
    refused_by: str


@dataclass(frozen=True)
class Row:
    """One number that was published, and the truth."""

    state: State
    type: str
    project: str
    account: str
    published: int | None
    is_upper_bound: bool
    in_one_piece: int
    """How many there would be room for if all usable hosts were one."""
    filled: Filled

    @property
    def label(self) -> str:
        """As it is published."""
        return "left out" if self.published is None else "upper bound" if self.is_upper_bound else "exact"

    @property
    def verdict(self) -> str:
        """`right`; `holds` for an upper bound of at most twice the truth, else `loose`; `WRONG`; empty without one."""
        started = self.filled.started
        if self.published is None:
            return ""
        if self.published == started:
            return "right"
        if not self.is_upper_bound or self.published < started:
            return "WRONG"
        return "holds" if self.published <= 2 * started else "loose"


class Filling:
    """A cloud with the types that are measured, and the means to bring it into a state and out of it again."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        """`folder` is for the configuration that is published; the types are made where they are missing."""
        self.cloud, self.folder = cloud, folder
        self.admin = cloud.account()
        self.members = {project: cloud.account("member", project) for project in PROJECTS}
        self.flavors = {one["name"]: one["id"] for one in self._flavors()}
        for name, type_ in TYPES.items():
            if name not in self.flavors:
                self.flavors[name] = self._make_type(name, type_)
        for host in FAST_HOSTS:
            self._mark(host)

    def _flavors(self) -> list[dict[str, Any]]:
        return list(self.admin.get("compute", "/flavors?is_public=None")["flavors"])

    def _make_type(self, name: str, type_: Type) -> str:
        size = {"name": name, "vcpus": type_.vcpus, "ram": type_.ram, "disk": type_.disk, **(type_.further or {})}
        wish = size | {"os-flavor-access:is_public": type_.owner is None}
        id_ = str(self.admin.ask("POST", "compute", "/flavors", {"flavor": wish})["flavor"]["id"])
        if type_.specs:
            self.admin.ask("POST", "compute", f"/flavors/{id_}/os-extra_specs", {"extra_specs": type_.specs})
        if type_.owner:
            access = {"addTenantAccess": {"tenant": self.cloud.content["projects"][type_.owner]}}
            self.admin.ask("POST", "compute", f"/flavors/{id_}/action", access)
        return id_

    def _mark(self, host: str) -> None:
        """Give a host the trait that a type asks for."""
        self.admin.ask("PUT", "placement", f"/traits/{FAST}")
        [provider] = self.admin.get("placement", f"/resource_providers?name={host}")["resource_providers"]
        path = f"/resource_providers/{provider['uuid']}/traits"
        told = self.admin.get("placement", path)
        wish = {
            "traits": sorted({FAST, *told["traits"]}),
            "resource_provider_generation": told["resource_provider_generation"],
        }
        self.admin.ask("PUT", "placement", path, wish)

    @cached_property
    def image(self) -> str:
        """One that makes no demands."""
        images = self.admin.get("image", "/v2/images?visibility=public&status=active")["images"]
        return str(images[0]["id"])

    # --- states ---

    @contextmanager
    def brought_into(self, state: State) -> Iterator[None]:
        """The cloud is as described; afterwards every host takes machines again, and none of ours is left."""
        machines: list[tuple[Account, str]] = []
        try:
            self._set_quotas({})
            for project, type_, number in state.running:
                for _ in range(number):
                    id_, status = self._start(self.members[project], type_)
                    machines.append((self.members[project], id_))
                    assert status == "ACTIVE", f"{state.name}: no room for {type_} of what is there already"
            self._set_quotas(state.quotas)
            if state.disabled:
                self.cloud.set_host(state.disabled, status="disabled")
            if state.dead:
                self.cloud.set_host(state.dead, forced_down=True)
            yield
        finally:
            if state.dead:
                self.cloud.set_host(state.dead, forced_down=False)
            if state.disabled:
                self.cloud.set_host(state.disabled, status="enabled")
            for account in self.members.values():
                self._end(account, [id_ for owner, id_ in machines if owner is account])

    def _set_quotas(self, quotas: Mapping[str, Mapping[str, int]]) -> None:
        for project in PROJECTS:
            wish = {"quota_set": UNLIMITED | dict(quotas.get(project, {})) | {"force": True}}
            self.admin.ask("PUT", "compute", f"/os-quota-sets/{self.cloud.content['projects'][project]}", wish)

    # --- what is published ---

    def published(self) -> dict[tuple[str, str, str], tuple[int | None, bool]]:
        """Number and whether it is an upper bound, by account, project and type, read back from what was rendered."""
        done = subprocess.run(
            [COMMAND, "try", str(self._configuration), "--json"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return {
            (offer["service"], offer["community"], offer["name"]): (offer["startable"], offer["is_upper_bound"])
            for offer in json.loads(done.stdout)["offers"]
        }

    @cached_property
    def _configuration(self) -> Path:
        """The same cloud twice: as the administrator sees it, and as a reader of each project does."""
        projects = self.cloud.content["projects"]
        file = str(self.cloud.clouds_file)
        readers = [{"cloud": f"reader-{project}", "clouds_file": file} for project in PROJECTS]
        settings = {
            ADMINISTRATOR: {"cloud": "admin", "clouds_file": file},
            READER: {"projects": readers},
        }
        written = {
            "centre": {"name": "RC-FULL"},
            "communities": [
                {"name": name, "projects": [{"instance": one, "project": projects[name]} for one in settings]}
                for name in PROJECTS
            ],
            "instances": [
                {
                    "name": name,
                    "kind": "openstack",
                    "defaults": {"platform": "amd64", "os_family": "linux"},
                    "settings": given,
                }
                for name, given in settings.items()
            ],
        }
        path = self.folder / "centre.yaml"
        path.write_text(yaml.safe_dump(written))
        return path

    def _free(self) -> Counter[str]:
        """What the hosts that take machines have left, added up."""
        free: Counter[str] = Counter()
        for host in self.admin.get("compute", "/os-hypervisors")["hypervisors"]:
            if (host["state"], host["status"]) == ("up", "enabled"):
                path = f"/resource_providers/{host['id']}"
                for name, one in self.admin.get("placement", f"{path}/inventories")["inventories"].items():
                    free[name] += int((one["total"] - one["reserved"]) * one["allocation_ratio"])
                free.subtract(self.admin.get("placement", f"{path}/usages")["usages"])
        return free

    # --- machines ---

    def fill(self, project: str, type_: str) -> Filled:
        """Start machines one by one until one is refused, then end them all."""
        account = self.members[project]
        held = self._held(project)
        machines: list[str] = []
        refused_by = None
        try:
            while refused_by is None:
                assert len(machines) < MOST, f"{type_} in {project} is not refused after {MOST} machines"
                try:
                    id_, status = self._start(account, type_)
                except RefusedError as error:
                    refused_by = quota_in(error)
                    continue
                machines.append(id_)
                if status != "ACTIVE":
                    refused_by = "hosts"
        finally:
            self._end(account, machines)
            wait_until(lambda: self._held(project) == held, f"{project} to hold what it held before")
        return Filled(len(machines) - (refused_by == "hosts"), refused_by)

    def _start(self, account: Account, type_: str) -> tuple[str, str]:
        """Id and state of a machine that is built, or that no host took."""
        wish = {"name": "until-full", "flavorRef": self.flavors[type_], "imageRef": self.image, "networks": "none"}
        id_ = str(account.ask("POST", "compute", "/servers", {"server": wish})["server"]["id"])
        path = f"/servers/{id_}"
        status = wait_until(lambda: (state_of(account, path) != "BUILD") and state_of(account, path), f"{path} built")
        return id_, str(status)

    def _end(self, account: Account, machines: list[str]) -> None:
        for id_ in machines:
            account.ask("DELETE", "compute", f"/servers/{id_}")
        gone = set(machines)
        wait_until(
            lambda: not gone & {one["id"] for one in account.get("compute", "/servers")["servers"]}, "machines to end"
        )

    def _held(self, project: str) -> Any:
        """What placement holds for a project: given back a little later than its machines are gone."""
        id_ = self.cloud.content["projects"][project]
        return self.admin.get("placement", f"/usages?project_id={id_}")["usages"]

    # --- the measurement ---

    def measure(self, state: State) -> list[Row]:
        """Publish, then fill with each type in each project."""
        with self.brought_into(state):
            published = self.published()
            free = self._free()
            rows = []
            for type_ in state.types:
                for project in PROJECTS:
                    if TYPES[type_].owner in (None, project):
                        whole = min(free[name] // amount for name, amount in TYPES[type_].amounts.items() if amount)
                        filled = self.fill(project, type_)
                        for account in (ADMINISTRATOR, READER):
                            number, bound = published[account, project, type_]
                            rows.append(Row(state, type_, project, account, number, bound, whole, filled))
            return rows


def state_of(account: Account, path: str) -> str:
    """A machine's state in nova's words."""
    return str(account.get("compute", path)["server"]["status"])


def quota_in(error: RefusedError) -> str:
    """Which quota refused a machine; whatever else went wrong is raised."""
    found = re.search(r"Quota exceeded for (\w+)", str(error))
    if error.status != 403 or found is None:
        raise error
    return found[1]


def wait_until(holds: Callable[[], Any], what: str) -> Any:
    """The first answer that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}"
        time.sleep(PAUSE)
    return answer


INSTANCES = State("quota of instances", "instances", ("tiny",), {"vo001": {"instances": 3}, "vo002": {"instances": 5}})
CORES = State(
    "quota of cores",
    "cores",
    ("cpu", "pinned"),
    {"vo001": {"cores": 7}, "vo002": {"cores": 13, "instances": 30}},
    running=(("vo001", "tiny", 1), ("vo002", "tiny", 1)),
)
MEMORY = State(
    "quota of memory", "ram", ("private", "mem"), {"vo001": {"ram": 20000, "cores": 40}, "vo002": {"ram": 30000}}
)
FRAGMENTED = State(
    "memory in pieces, one host disabled",
    "hosts",
    ("mem",),
    {"vo001": {"instances": 9}, "vo002": {"cores": 9}},
    disabled="other",
    running=(("vo001", "fast", 2), ("vo002", "slow", 1)),
)
DEVICES = State(
    "virtual GPUs, one host dead",
    "hosts",
    ("vgpu",),
    {"vo001": {"instances": 9}, "vo002": {"ram": 4096}},
    dead="other",
    running=(("vo001", "vgpu", 1),),
)
FIVE = (INSTANCES, CORES, MEMORY, FRAGMENTED, DEVICES)
"""Each bound by another term; where hosts bind, the quota is not far off."""
