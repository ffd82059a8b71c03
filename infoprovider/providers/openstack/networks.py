"""How machines of an OpenStack are connected: its networks, and what their addresses say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from infoprovider.inventory.model import Network, Networks, Ownership
from infoprovider.providers.openstack.account import Account, Forbidden, NotThere

Record: TypeAlias = Mapping[str, Any]


def fetch_networks(account: Account) -> list[dict[str, Any]]:
    """Every network that the account may see."""
    return account.pages("network", "/networks", "networks")


def fetch_subnets(account: Account) -> list[dict[str, Any]]:
    """Every subnet that the account may see."""
    return account.pages("network", "/subnets", "subnets")


def fetch_availability(account: Account) -> list[dict[str, Any]]:
    """How many addresses each network has and how many are taken; empty for all but administrators."""
    try:
        return account.pages("network", "/network-ip-availabilities", "network_ip_availabilities")
    except (NotThere, Forbidden):
        return []


def to_networks(
    records: Sequence[Record],
    subnets: Iterable[Record] | None,
    availability: Iterable[Record],
    quota: Mapping[str, Any],
) -> Networks:
    """What the network service tells; `quota` is of any one project, for what it counts is what the service has.

    Whether machines reach the outside, or are reached from there, depends on routers and rules of each project.
    """
    free = {one["network_id"]: one for one in availability}
    versions = {subnet["ip_version"] for one in free.values() for subnet in one["subnet_ip_availability"]}
    versions |= {subnet["ip_version"] for subnet in subnets or ()}
    kinds = {record.get("provider:network_type") for record in records}
    return Networks(
        public_ipv4="onrequest" if any(map(is_external, records)) else None,
        ipv6=6 in versions if versions else None,
        vlan="vlan" in kinds if kinds - {None} else None,
        firewall_control="user" if "security_group" in quota else None,
        networks=tuple(to_network(record, free.get(record["id"])) for record in records if record["admin_state_up"]),
    )


def is_external(record: Record) -> bool:
    """Whether addresses on request come from it."""
    return bool(record.get("router:external"))


def to_network(record: Record, availability: Record | None) -> Network:
    """One network; what is taken of its addresses only an administrator is told."""
    is_open = record["shared"] or is_external(record)
    total, taken = to_addresses(availability)
    return Network(
        id=record["id"],
        name=record.get("name") or None,
        is_public=is_external(record),
        vlan=record.get("provider:segmentation_id") if record.get("provider:network_type") == "vlan" else None,
        addresses=total,
        addresses_free=None if total is None or taken is None else max(0, total - taken),
        floating=is_external(record) and not record["shared"],
        ownership=Ownership.PUBLIC if is_open else Ownership.PROJECTS,
        projects=() if is_open else (record["project_id"],),
    )


def to_addresses(availability: Record | None) -> tuple[int | None, int | None]:
    """Addresses of a network that machines can have, and those that are taken: of IPv4, which runs out first.

    Of a network with IPv6 alone there are more than anybody counts.
    """
    subnets = availability["subnet_ip_availability"] if availability else ()
    told = [subnet for subnet in subnets if subnet["ip_version"] == 4]
    if not told:
        return None, None
    return sum(subnet["total_ips"] for subnet in told), sum(subnet["used_ips"] for subnet in told)
