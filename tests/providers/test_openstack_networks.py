"""Networks, and what their addresses say."""

from typing import Any

import pytest

from infoprovider.inventory.model import Ownership
from infoprovider.providers.openstack.networks import to_addresses, to_networks


def record(**changes: Any) -> dict[str, Any]:
    """A network of one project."""
    return {"id": "n1", "name": "net", "project_id": "p1", "admin_state_up": True, "shared": False, **changes}


def subnet(version: int, total: int, used: int) -> dict[str, Any]:
    """What is free of a subnet's addresses."""
    return {"ip_version": version, "total_ips": total, "used_ips": used}


@pytest.mark.parametrize(
    ("subnets", "addresses"),
    [
        (None, (None, None)),
        ([], (None, None)),
        ([subnet(4, 10, 3), subnet(4, 5, 0)], (15, 3)),
        ([subnet(4, 10, 3), subnet(6, 2**64, 3)], (10, 3)),
        ([subnet(6, 2**64, 3)], (None, None)),
    ],
)
def test_addresses_are_those_that_run_out(subnets: list[dict[str, Any]] | None, addresses: tuple[int, int]) -> None:
    """Of IPv4; of IPv6 there are more than anybody counts."""
    assert to_addresses(None if subnets is None else {"subnet_ip_availability": subnets}) == addresses


def test_what_a_cloud_with_external_network_offers() -> None:
    """Addresses on request, from a network that is for all although machines are not attached to it."""
    external = record(id="x", **{"router:external": True})
    networks = to_networks([record(), external, record(id="off", admin_state_up=False)], [], [], {"security_group": {}})
    assert (networks.public_ipv4, networks.firewall_control, networks.ipv6) == ("onrequest", "user", None)
    assert {one.id: (one.ownership, one.floating, one.projects) for one in networks.networks} == {
        "n1": (Ownership.PROJECTS, False, ("p1",)),
        "x": (Ownership.PUBLIC, True, ()),
    }


def test_an_external_network_that_is_shared_is_attached_to() -> None:
    """So its addresses are those that machines get."""
    both = record(shared=True, **{"router:external": True})
    (network,) = to_networks([both], [], [], {}).networks
    assert (network.floating, network.is_public) == (False, True)


def test_without_a_word_of_the_service_nothing_is_said() -> None:
    """No external network may mean that machines are attached to public ones: that is not told."""
    networks = to_networks([record()], [], [], {})
    assert (networks.public_ipv4, networks.firewall_control, networks.ipv6, networks.vlan) == (None,) * 4


def test_vlans_and_ip_versions() -> None:
    """Numbers of VLANs are told to administrators, IP versions by subnets."""
    vlan = record(**{"provider:network_type": "vlan", "provider:segmentation_id": 7})
    networks = to_networks([vlan], [{"ip_version": 6}], [], {})
    assert (networks.vlan, networks.ipv6, networks.networks[0].vlan) == (True, True, 7)
    tunnelled = record(**{"provider:network_type": "vxlan", "provider:segmentation_id": 7})
    networks = to_networks([tunnelled], [{"ip_version": 4}], [], {})
    assert (networks.vlan, networks.ipv6, networks.networks[0].vlan) == (False, False, None)
