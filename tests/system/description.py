"""A described VM manager as its YAML has it, and what follows from it by plain arithmetic.

Part of the oracle: it imports nothing of the package.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

Yaml = dict[str, Any]

GIB = {"MiB": Decimal(1) / 1024, "GiB": Decimal(1), "TiB": Decimal(1024)}
NOW = datetime.now(UTC)


class Description:
    """One instance of the configuration, with the file that its settings name."""

    def __init__(self, written: Yaml, block: Yaml, folder: Path) -> None:
        """Read the file; `written` is the configuration, `block` the instance in it, `folder` where they are."""
        self.block = block
        self.described = yaml.safe_load((folder / block["settings"]["file"]).read_text())
        self.communities = written["communities"]

    def section(self, name: str) -> Any:
        """What the file says, else what the configuration declares."""
        return self.described.get(name) or self.block.get("declared", {}).get(name) or {}

    # --- who is published ---------------------------------------------------------------------------------------------

    @cached_property
    def mapped(self) -> dict[str, list[tuple[str, Yaml]]]:
        """Community and row of the configuration, by project."""
        found: dict[str, list[tuple[str, Yaml]]] = {}
        for community in self.communities:
            for row in community["projects"]:
                if row["instance"] == self.block["name"]:
                    found.setdefault(row["project"], []).append((community["name"], row))
        return found

    @property
    def unmapped(self) -> set[str]:
        """Projects of no published community."""
        return {project["id"] for project in self.described["projects"]} - self.mapped.keys()

    def is_disclosed(self, owned: Yaml) -> bool:
        """Public, or of a project that a community is mapped to."""
        return owned.get("ownership") != "projects" or bool(set(owned["projects"]) & self.mapped.keys())

    @cached_property
    def types(self) -> list[Yaml]:
        """The published instance types."""
        return [one for one in self.described["instance_types"] if self.is_disclosed(one)]

    @cached_property
    def images(self) -> list[Yaml]:
        """The published images."""
        return [one for one in self.described["images"] if one.get("active", True) and self.is_disclosed(one)]

    def types_of(self, project: Yaml) -> list[Yaml]:
        """Those that the project may use."""
        return [one for one in self.types if may_use(project, one)]

    # --- hosts, machines, prices --------------------------------------------------------------------------------------

    @cached_property
    def hosts(self) -> list[Yaml]:
        """Every single host, with its pool."""
        pools = self.described["hypervisors"]["pools"]
        return [row | {"pool": pool} for pool in pools for row in pool["hosts"] for _ in range(row.get("count", 1))]

    @cached_property
    def usable(self) -> list[Yaml]:
        """The hosts that are enabled and up."""
        return [host for host in self.hosts if host.get("usable", True)]

    def pools_of(self, type_: Yaml) -> list[Yaml]:
        """The host classes that it runs on."""
        pools = self.described["hypervisors"]["pools"]
        return [pool for pool in pools if pool["id"] in type_.get("pools", [pool["id"]])]

    def usage(self, what: str, projects: Iterable[str] | None = None) -> int | None:
        """The sum over all or these projects; not known where one of them does not tell."""
        asked = [one for one in self.described["projects"] if projects is None or one["id"] in projects]
        told = [one.get("usage", {}).get(what) for one in asked]
        return None if None in told else sum(told)

    def holding(self, type_: Yaml) -> int | None:
        """Machines of the type that hold capacity, of all projects."""
        held = [project["usage"].get("holding") for project in self.described["projects"]]
        return None if None in held else sum(one.get(type_["id"], 0) for one in held)

    def disk(self) -> tuple[Any, Any]:
        """Total and free disk: of the common store, else of the usable hosts."""
        capacity = self.described["capacity"]
        if capacity["disk_is_shared"]:
            total = gib(capacity["disk_gib"])
            return total, total - gib(capacity["disk_used_gib"])
        total = sum(gib(host["disk_gib"]) for host in self.usable)
        return total, total - sum(gib(host["disk_used_gib"]) for host in self.usable)

    @property
    def prices(self) -> list[Yaml]:
        """As described, or as declared."""
        prices = self.section("prices")
        return prices["prices"] if isinstance(prices, dict) and prices else list(prices)

    # --- images -------------------------------------------------------------------------------------------------------

    @staticmethod
    def state_of(image: Yaml) -> str:
        """Endorsed with the same checksum, not so, or no longer endorsed."""
        endorsement = image.get("endorsement", {})
        if endorsement.get("expires_at", NOW) < NOW:
            return "pendingremoval"
        is_verified = endorsement.get("checksum") in image.get("checksums", ())
        return "installedverified" if is_verified else "installednotverified"

    def is_startable(self, image: Yaml, project: Yaml) -> bool:
        """Whether the project may start it on one of its types; where expiry is honoured, nothing expired."""
        if self.section("trust").get("honours_expiry") and self.state_of(image) == "pendingremoval":
            return False
        return may_use(project, image) and any(self.fits(image, type_) for type_ in self.types_of(project))

    def fits(self, image: Yaml, type_: Yaml) -> bool:
        """Large enough, of the same architecture, and some host that it runs on boots the format."""
        disk = gib(type_["disk_gib"])
        return (
            type_["vcpus"] >= image.get("min_vcpus", 0)
            and mib(type_["memory_mib"]) >= mib(image.get("min_memory_mib", 0))
            and (type_.get("boots_from_volume") or disk >= gib(image.get("min_disk_gib", 0)))
            and any(
                image["disk_format"] in pool["image_formats"] and image["architecture"] == pool["architecture"]
                for pool in self.pools_of(type_)
            )
        )

    # --- startable now ------------------------------------------------------------------------------------------------

    def free(self, project: Yaml, what: str) -> Any:
        """What is left of a quota: a number, infinite, or None where it is not known."""
        quota, used = project["quotas"].get(what), project["usage"].get(what)
        if quota == "unlimited":
            return float("inf")
        return None if quota is None or used is None else max(0, gib_or_mib(what, quota) - gib_or_mib(what, used))

    def startable(self, type_: Yaml, project: Yaml) -> tuple[int, bool]:
        """The least of the quotas' terms and of the hosts' room; exact where every quota that could bind is known."""
        need = {
            "instances": 1,
            "vcpus": type_.get("cpu_capacity", type_["vcpus"]),
            "memory_mib": mib(type_["memory_mib"]),
            "disk_gib": needed_disk(type_),
            "accelerators": sum(one["number"] for one in type_.get("accelerators", ())),
        }
        terms = [(self.free(project, what), amount) for what, amount in need.items() if amount]
        known = [int(free // amount) for free, amount in terms if free is not None and free != float("inf")]
        addresses = sum(network["addresses_free"] for network in self.section("networks")["networks"])
        machines = min([*known, self.room(type_, self.usable), addresses])
        return machines, machines == 0 or all(free is not None for free, _ in terms)

    def room(self, type_: Yaml, hosts: Iterable[Yaml], *, empty: bool = False) -> int:
        """How many machines these hosts hold: rounded down inside each host, a common store counted once."""
        hosts = [host for host in hosts if host["pool"] in self.pools_of(type_)]
        disk = needed_disk(type_)
        is_shared = self.described["capacity"]["disk_is_shared"]
        machines = sum(self.on_host(type_, host, 0 if is_shared else disk, empty) for host in hosts)
        if not is_shared:
            return machines
        total, free = self.disk()
        return min(machines, int((total if empty else free) // disk))

    @staticmethod
    def on_host(type_: Yaml, host: Yaml, disk: Any, empty: bool) -> int:
        """How many one host holds: the least over what a machine needs."""
        left = 0 if empty else 1
        ratios = [
            (host["vcpus"] - left * host["vcpus_used"]) // type_.get("cpu_capacity", type_["vcpus"]),
            (mib(host["memory_mib"]) - left * mib(host["memory_used_mib"])) // mib(type_["memory_mib"]),
        ]
        if disk:
            ratios.append((gib(host["disk_gib"]) - left * gib(host["disk_used_gib"])) // disk)
        for wanted in type_.get("accelerators", ()):
            devices = [one for one in host.get("devices", ()) if one["model"] == wanted["model"]]
            ratios.append(sum(one["total"] - left * one["used"] for one in devices) // wanted["number"])
        return max(0, int(min(ratios)))

    def free_slots(self, project: Yaml) -> int | None:
        """The free vCPUs of the quota, at most those of the cloud; no number where the quota is not known."""
        left, instances = self.free(project, "vcpus"), self.free(project, "instances")
        if 0 in (left, instances):
            return 0
        if left is None or instances is None:
            return None
        return int(min(left, sum(host["vcpus"] - host["vcpus_used"] for host in self.usable)))


# --- sizes and limits -------------------------------------------------------------------------------------------------


def gib(value: Any) -> Any:
    """A size in GiB: `2 TiB`, or a number that is in GiB already."""
    if not isinstance(value, str) or value == "unlimited":
        return value
    amount, unit = value.split()
    return Decimal(amount) * GIB[unit]


def mib(value: Any) -> Any:
    """A size in MiB: `4 GiB`, or a number that is in MiB already."""
    return int(gib(value) * 1024) if isinstance(value, str) and value != "unlimited" else value


def gib_or_mib(what: str, value: Any) -> Any:
    """A quota or usage in the unit that its name ends in."""
    return mib(value) if what.endswith("_mib") else gib(value)


def number(limit: Any) -> Any:
    """A limit that is a number."""
    return None if limit == "unlimited" else limit


def may_use(project: Yaml, owned: Yaml) -> bool:
    """Public, or the project's."""
    return owned.get("ownership") != "projects" or project["id"] in owned["projects"]


def is_in_use(host: Yaml) -> bool:
    """Whether a host holds a machine: something on it is allocated."""
    return bool(host["vcpus_used"] or mib(host["memory_used_mib"]))


def needed_disk(type_: Yaml) -> Any:
    """GiB that a machine takes on its host: root, further disk and swap, the latter in whole ones."""
    root = 0 if type_.get("boots_from_volume") else gib(type_["disk_gib"])
    return root + gib(type_.get("ephemeral_gib", 0)) + -(-mib(type_.get("swap_mib", 0)) // 1024)
