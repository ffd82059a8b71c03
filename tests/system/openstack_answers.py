"""What an OpenStack says of itself at one moment, asked by its administrator over plain HTTP.

Part of the oracle: it imports nothing of the package and no client of OpenStack.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.system.openstack import Account, RefusedError

Json = dict[str, Any]
PAGE = 1000
WITH_FLAVOR_IDS = {"OpenStack-API-Version": "compute 2.46"}
"""Later than this a machine does not tell the id of its flavor."""


@dataclass(frozen=True)
class Host:
    """A hypervisor, with what placement has of it."""

    told: Json
    inventories: dict[str, Json]
    usages: dict[str, int]
    traits: frozenset[str]

    @property
    def name(self) -> str:
        """What nova calls it."""
        return str(self.told["hypervisor_hostname"])

    @property
    def usable(self) -> bool:
        """Up and enabled."""
        return bool(self.told["state"] == "up" and self.told["status"] == "enabled")

    def capacity(self, resource: str) -> int:
        """What machines can have in all: not what is reserved, times the ratio, rounded down."""
        one = self.inventories.get(resource)
        return int((one["total"] - one["reserved"]) * one["allocation_ratio"]) if one else 0

    def free(self, resource: str) -> int:
        """What is left of it."""
        return self.capacity(resource) - self.usages.get(resource, 0)

    def takes_all(self, amounts: dict[str, int]) -> bool:
        """Whether one machine may have so much, if there were nothing else on the host."""
        return all(self._takes(resource, amount) for resource, amount in amounts.items())

    def _takes(self, resource: str, amount: int) -> bool:
        one = self.inventories.get(resource)
        if one is None or amount > self.capacity(resource):
            return False
        return bool(one["min_unit"] <= amount <= one["max_unit"] and amount % one["step_size"] == 0)


class Answers:
    """Everything that is asked, each thing once."""

    def __init__(self, admin: Account) -> None:
        """Ask."""
        self.admin = admin
        self.microversion = str(admin.get("compute", "/")["version"]["version"])
        self.url = admin.url("compute")
        self.sign_in_url = admin.url("identity")
        self.projects = [one["id"] for one in admin.get("identity", "/projects")["projects"]]
        self.quotas = {id_: self._quotas(id_) for id_ in self.projects}
        self.servers = list(self._servers())
        self.flavors = admin.get("compute", f"/flavors/detail?is_public=None&limit={PAGE}")["flavors"]
        self.access = {one["id"]: self._access(one["id"]) for one in self.flavors if not is_public(one)}
        self.images = list(self._images())
        self.members = {one["id"]: self._members(one) for one in self.images}
        self.hosts = [self._host(one) for one in self._hypervisors()]
        self.networks = admin.get("network", "/v2.0/networks")["networks"]
        self.free_addresses = self._free_addresses()
        self.zones = admin.get("compute", "/os-availability-zone")["availabilityZoneInfo"]
        self.formats = admin.get("image", "/v2/schemas/image")["properties"]["disk_format"]["enum"]

    def _quotas(self, project: str) -> Json:
        """Limits and use of compute and network: the former says in_use, the latter used."""
        compute = self.admin.get("compute", f"/os-quota-sets/{project}/detail")["quota_set"]
        network = self.admin.get("network", f"/v2.0/quotas/{project}/details")["quota"]
        both = {name: one for name, one in {**network, **compute}.items() if isinstance(one, dict)}
        return {
            name: {"limit": one["limit"], "used": one.get("in_use", one.get("used")) + one["reserved"]}
            for name, one in both.items()
        }

    def _servers(self) -> Iterable[Json]:
        """All machines of all projects, page by page."""
        marker = ""
        while True:
            path = f"/servers/detail?all_tenants=1&limit={PAGE}{marker}"
            page = self.admin.get("compute", path, **WITH_FLAVOR_IDS)["servers"]
            yield from page
            if len(page) < PAGE:
                return
            marker = f"&marker={page[-1]['id']}"

    def _access(self, flavor: str) -> set[str]:
        told = self.admin.get("compute", f"/flavors/{flavor}/os-flavor-access")["flavor_access"]
        return {one["tenant_id"] for one in told}

    def _images(self) -> Iterable[Json]:
        path = f"/v2/images?visibility=all&limit={PAGE}"
        while path:
            page = self.admin.get("image", path)
            yield from page["images"]
            path = page.get("next")

    def _members(self, image: Json) -> set[str]:
        """Who may use an image beside its owner."""
        if image["visibility"] != "shared":
            return set()
        told = self.admin.get("image", f"/v2/images/{image['id']}/members")["members"]
        return {one["member_id"] for one in told if one["status"] == "accepted"}

    def _hypervisors(self) -> list[Json]:
        return list(self.admin.get("compute", "/os-hypervisors/detail")["hypervisors"])

    def _host(self, told: Json) -> Host:
        provider = f"/resource_providers/{told['id']}"
        inventories = self.admin.get("placement", f"{provider}/inventories")["inventories"]
        usages = self.admin.get("placement", f"{provider}/usages")["usages"]
        traits = self.admin.get("placement", f"{provider}/traits")["traits"]
        return Host(told, inventories, usages, frozenset(traits))

    def _free_addresses(self) -> dict[str, int]:
        """IPv4 addresses that machines can still get, by network."""
        try:
            told = self.admin.get("network", "/v2.0/network-ip-availabilities")["network_ip_availabilities"]
        except RefusedError as error:
            if error.status != 404:
                raise
            return {}
        return {
            network["network_id"]: sum(
                subnet["total_ips"] - subnet["used_ips"]
                for subnet in network["subnet_ip_availability"]
                if subnet["ip_version"] == 4
            )
            for network in told
        }


def is_public(flavor: Json) -> bool:
    """For every project."""
    return bool(flavor["os-flavor-access:is_public"])
