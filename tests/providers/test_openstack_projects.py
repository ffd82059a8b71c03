"""Quotas, usage and machines of a project."""

from datetime import UTC, datetime
from typing import Any

import pytest

from infoprovider.providers.openstack.projects import (
    Amounts,
    to_amounts,
    to_holding,
    to_quotas,
    to_start_ups,
    to_state,
    to_usage,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
COMPUTE = {
    "id": "p1",
    "instances": {"limit": 10, "in_use": 3, "reserved": 1},
    "cores": {"limit": -1, "in_use": 7, "reserved": 0},
    "ram": {"limit": 0, "in_use": 0, "reserved": 0},
}
NETWORK = {"port": {"limit": 5, "used": 2, "reserved": 1}, "floatingip": {"limit": -1, "used": 4, "reserved": 0}}


def server(status: str = "ACTIVE", **changes: Any) -> dict[str, Any]:
    """A machine as nova tells it."""
    return {
        "id": "s1",
        "status": status,
        "tenant_id": "p1",
        "flavor": {"id": "f1"},
        "created": "2026-11-21T11:00:00Z",
        "OS-SRV-USG:launched_at": None,
        "OS-EXT-STS:task_state": None,
        **changes,
    }


def test_limits_and_use_with_what_is_reserved() -> None:
    """-1 is unlimited, 0 is none; what the network service does not tell is not known."""
    amounts = to_amounts(COMPUTE, NETWORK, ())
    quotas = to_quotas("p1", "vo", amounts)
    assert (quotas.instances, quotas.vcpus, quotas.memory_mib) == (10, "unlimited", 0)
    assert (quotas.network_ports, quotas.public_addresses) == (5, "unlimited")
    usage = to_usage("p1", amounts, (), NOW)
    assert (usage.instances, usage.vcpus, usage.memory_mib, usage.network_ports, usage.public_addresses) == (
        4,
        7,
        0,
        3,
        4,
    )
    silent: Amounts = to_amounts(COMPUTE, {}, ())
    assert (to_quotas("p1", None, silent).network_ports, to_usage("p1", silent, (), NOW).network_ports) == (None, None)


@pytest.mark.parametrize(
    ("registered", "limit"),
    [((), "unlimited"), (("servers", "class:VCPU"), "unlimited"), (("class:VCPU", "class:DISK_GB"), None)],
)
def test_limits_by_class_may_bind_what_nova_does_not_limit(registered: tuple[str, ...], limit: str | None) -> None:
    """Nova's own quotas know neither local disk nor devices; keystone's limits may, and are not read."""
    amounts = to_amounts(COMPUTE, NETWORK, [{"resource_name": name} for name in registered])
    quotas = to_quotas("p1", None, amounts)
    assert (quotas.disk_gib, quotas.accelerators) == (limit, limit)


@pytest.mark.parametrize(
    ("status", "task", "state"),
    [
        ("ACTIVE", None, "running"),
        ("BUILD", None, "waiting"),
        ("BUILD", "scheduling", "waiting"),
        ("BUILD", "spawning", "staging"),
        ("RESIZE", "resize_migrating", "staging"),
        ("PAUSED", None, "suspended"),
        ("SHUTOFF", None, "halted"),
        ("SHELVED_OFFLOADED", None, "halted"),
        ("ERROR", None, "error"),
        ("SOFT_DELETED", None, None),
        ("UNKNOWN", None, None),
    ],
)
def test_states_in_neutral_words(status: str, task: str | None, state: str | None) -> None:
    """A machine that is being built waits until it is scheduled, and is staged from then on."""
    assert to_state(server(status, **{"OS-EXT-STS:task_state": task})) == state


def test_only_machines_that_are_there_hold_their_type() -> None:
    """Not the halted ones, those in error, or those that are gone."""
    states = ("ACTIVE", "PAUSED", "BUILD", "SHUTOFF", "ERROR", "SHELVED", "DELETED")
    assert to_holding([server(state) for state in states]) == {"f1": 3}
    usage = to_usage("p1", to_amounts(COMPUTE, NETWORK, ()), [server(state) for state in states], NOW)
    assert (usage.running, usage.waiting, usage.suspended, usage.halted, usage.error) == (1, 1, 1, 2, 1)


def test_start_ups_are_of_machines_that_were_made_within_a_day() -> None:
    """Not of those that were made anew since, which come up long after they were asked for."""
    launched = "OS-SRV-USG:launched_at"
    servers = [
        server(**{launched: "2026-11-21T11:00:10.500000"}),
        server(**{launched: "2026-11-21T11:00:30.000000"}),
        server(**{launched: "2026-11-21T12:30:00.000000"}),
        server(created="2026-11-19T11:00:00Z", **{launched: "2026-11-19T11:05:00.000000"}),
        server("BUILD"),
    ]
    assert sorted(to_start_ups(servers, NOW)) == [10.5, 30.0]
    usage = to_usage("p1", to_amounts(COMPUTE, NETWORK, ()), servers, NOW)
    assert (usage.mean_start_up_s, usage.worst_start_up_s) == (20, 30)
    idle = to_usage("p1", to_amounts(COMPUTE, NETWORK, ()), (), NOW)
    assert (idle.mean_start_up_s, idle.worst_start_up_s, idle.running) == (None, None, 0)
