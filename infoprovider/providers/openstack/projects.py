"""What one project of an OpenStack may hold and holds: quotas of compute and network, and its machines."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from infoprovider.inventory.model import Limit, Machine, Quotas, Usage
from infoprovider.providers.openstack.account import Account, Forbidden, NotThere

Server: TypeAlias = Mapping[str, Any]
State: TypeAlias = Literal["running", "waiting", "staging", "suspended", "halted", "error"]

SERVERS = "2.46"
"""The last microversion in which a machine tells the id of its flavor."""

STATES: Mapping[str, State | None] = {
    "ACTIVE": "running",
    "REBOOT": "running",
    "HARD_REBOOT": "running",
    "PASSWORD": "running",
    "RESCUE": "running",
    "VERIFY_RESIZE": "running",
    "BUILD": "waiting",
    "REBUILD": "staging",
    "RESIZE": "staging",
    "REVERT_RESIZE": "staging",
    "MIGRATING": "staging",
    "PAUSED": "suspended",
    "SUSPENDED": "suspended",
    "SHUTOFF": "halted",
    "SHELVED": "halted",
    "SHELVED_OFFLOADED": "halted",
    "ERROR": "error",
    "DELETED": None,
    "SOFT_DELETED": None,
}
"""What nova calls the state of a machine, in the inventory's words; None for one that is no longer there."""

_HOLDING = frozenset({"running", "waiting", "staging", "suspended"})
_SCHEDULING = frozenset({None, "scheduling"})
RECENT = timedelta(days=1)
AGAIN = timedelta(hours=1)
"""A machine that came up later than this after it was made has been made anew since: rebuilt, resized or unshelved."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What quotas tell: `{limit, in_use or used, reserved}` by resource; empty where a service does not tell."""

    compute: Mapping[str, Mapping[str, int]]
    network: Mapping[str, Mapping[str, int]]
    by_class: bool

    def limit(self, resource: str) -> Limit:
        """What may be held; -1 is unlimited."""
        found = (self.compute.get(resource) or self.network.get(resource) or {}).get("limit")
        return "unlimited" if found == -1 else found

    def used(self, resource: str) -> int | None:
        """What is held, with what is reserved for machines that are being started."""
        told = self.compute.get(resource) or self.network.get(resource)
        if told is None:
            return None
        return int(told.get("in_use", told.get("used", 0)) + told.get("reserved", 0))


def fetch_projects(account: Account) -> list[dict[str, Any]]:
    """Every project of the cloud."""
    return account.pages("identity", "/projects", "projects")


def fetch_own_projects(account: Account) -> list[dict[str, Any]]:
    """Every project that the account may work in."""
    return account.pages("identity", "/auth/projects", "projects")


def fetch_class_limits(account: Account) -> list[dict[str, Any]]:
    """Limits that keystone registers (unified limits); where there are none, quotas are nova's own."""
    try:
        return account.pages("identity", "/registered_limits", "registered_limits")
    except (NotThere, Forbidden):
        return []


def fetch_quota(account: Account, project: str) -> dict[str, Any]:
    """Compute quotas of a project with what is used of them."""
    return dict(account.get("compute", f"/os-quota-sets/{project}/detail")["quota_set"])


def fetch_network_quota(account: Account, project: str) -> dict[str, Any]:
    """Network quotas of a project with what is used of them; empty where the network service does not tell."""
    try:
        return dict(account.get("network", f"/quotas/{project}/details")["quota"])
    except (NotThere, Forbidden):
        return {}


def fetch_servers(account: Account) -> list[dict[str, Any]]:
    """The machines of the account's project."""
    return account.pages("compute", "/servers/detail", "servers", microversion=SERVERS)


def fetch_all_servers(account: Account) -> list[dict[str, Any]]:
    """The machines of all projects, for an administrator."""
    query = {"all_tenants": "1"}
    return account.pages("compute", "/servers/detail", "servers", microversion=SERVERS, query=query)


# --- quotas and usage ----------------------------------------------------------------------------------------------


def to_amounts(
    compute: Mapping[str, Any], network: Mapping[str, Any], registered: Iterable[Mapping[str, Any]]
) -> Amounts:
    """What quotas tell of one project; `registered` are the limits that keystone knows."""
    classes = {str(one.get("resource_name")) for one in registered}
    further = {name for name in classes if name.startswith("class:")} - {"class:VCPU", "class:MEMORY_MB"}
    return Amounts(
        compute={name: one for name, one in compute.items() if isinstance(one, dict)},
        network={name: one for name, one in network.items() if isinstance(one, dict)},
        by_class=bool(further),
    )


def to_quotas(project: str, name: str | None, amounts: Amounts) -> Quotas:
    """What the project may hold.

    Nova's own quotas do not limit local disk and devices; limits by class that keystone keeps may, and are not read.
    """
    others: Limit = None if amounts.by_class else "unlimited"
    return Quotas(
        project=project,
        project_name=name,
        instances=amounts.limit("instances"),
        vcpus=amounts.limit("cores"),
        memory_mib=amounts.limit("ram"),
        disk_gib=None if amounts.by_class else "unlimited",
        accelerators=others,
        public_addresses=amounts.limit("floatingip"),
        network_ports=amounts.limit("port"),
    )


def to_usage(project: str, amounts: Amounts, servers: Sequence[Server], now: datetime) -> Usage:
    """What the project holds: amounts as its quotas count them, machines by state, and how long recent ones took."""
    states = [state for server in servers if (state := to_state(server)) is not None]
    starts = sorted(to_start_ups(servers, now))
    return Usage(
        project=project,
        instances=amounts.used("instances"),
        vcpus=amounts.used("cores"),
        memory_mib=amounts.used("ram"),
        public_addresses=amounts.used("floatingip"),
        network_ports=amounts.used("port"),
        running=states.count("running"),
        waiting=states.count("waiting"),
        staging=states.count("staging"),
        suspended=states.count("suspended"),
        halted=states.count("halted"),
        error=states.count("error"),
        holding=to_holding(servers),
        mean_start_up_s=round(sum(starts) / len(starts)) if starts else None,
        worst_start_up_s=round(starts[-1]) if starts else None,
    )


# --- machines ------------------------------------------------------------------------------------------------------


def to_state(server: Server) -> State | None:
    """What a machine does; None where it is gone, or nova itself does not know."""
    status = server["status"]
    if status == "BUILD" and server.get("OS-EXT-STS:task_state") not in _SCHEDULING:
        return "staging"
    return STATES.get(status)


def to_holding(servers: Iterable[Server]) -> dict[str, int]:
    """Flavor id → machines of it that run, wait, are staged or suspended."""
    found: dict[str, int] = {}
    for server in servers:
        if to_state(server) in _HOLDING:
            found[server["flavor"]["id"]] = found.get(server["flavor"]["id"], 0) + 1
    return dict(sorted(found.items()))


def to_start_ups(servers: Iterable[Server], now: datetime) -> Iterator[float]:
    """Seconds from the request to the running machine, of those that were made within a day."""
    for server in servers:
        launched = server.get("OS-SRV-USG:launched_at")
        if not launched:
            continue
        created = _moment(server["created"])
        took = _moment(launched) - created
        if now - created <= RECENT and timedelta(0) <= took <= AGAIN:
            yield took.total_seconds()


def to_machine(server: Server) -> Machine | None:
    """A machine for the operator's own views; None for one that is gone."""
    state = to_state(server)
    if state is None:
        return None
    return Machine(id=server["id"], project=server["tenant_id"], instance_type=server["flavor"]["id"], state=state)


def _moment(text: str) -> datetime:
    """A moment as nova writes it: UTC, with or without a fraction and a Z."""
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
