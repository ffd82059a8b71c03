"""Room for machines: placement's amounts divided host by host, with trees, common stores, filters and lost answers."""

from typing import Any

import pytest

from infoprovider.providers.openstack.flavors import to_instance_types, to_request
from infoprovider.providers.openstack.hosts import Host, Store
from infoprovider.providers.openstack.room import (
    AGGREGATE_FILTER,
    HostSide,
    machines_on,
    suits_aggregates,
    to_query,
    to_questions,
    to_room_of,
    with_pools,
)
from infoprovider.providers.openstack.settings import OpenStackSettings
from tests.providers.test_openstack_flavors import USUAL, flavor


def provider(traits: tuple[str, ...] = (), **free: int) -> dict[str, Any]:
    """A provider with so much of each resource, nothing of it taken."""
    return {
        "traits": list(traits),
        "resources": {name: {"capacity": amount, "used": 0} for name, amount in free.items()},
    }


def host(*tree: dict[str, Any], id: str = "h1", pool: str = "a", usable: bool = True, **size: int) -> Host:  # noqa: A002
    """A host of a tree of providers, its root first."""
    return Host(id=id, pool=pool, usable=usable, size=size, tree=tree)


def root(traits: tuple[str, ...] = (), **free: int) -> dict[str, Any]:
    """A root with 16 vCPUs, 64 GiB and 400 GB."""
    return provider(traits, **({"VCPU": 16, "MEMORY_MB": 65536, "DISK_GB": 400} | free))


def side(*hosts: Host, store: Store | None = None, known: bool = True) -> HostSide:
    """The side of the hosts."""
    return HostSide(hosts=hosts, store=store, are_states_known=known)


@pytest.mark.parametrize(
    ("children", "wanted", "machines"), [((3, 3), 2, 2), ((3, 3), 1, 6), ((4, 0), 2, 2), ((1, 1), 2, 0)]
)
def test_a_tree_is_divided_child_by_child(children: tuple[int, int], wanted: int, machines: int) -> None:
    """Units of two devices cannot be joined for one machine: 3 and 3 serve two machines of 2 each, not three."""
    tree = (root(), *(provider(VGPU=units) for units in children))
    request = to_request(flavor({"resources:VGPU": str(wanted)}), USUAL)
    assert machines_on(host(*tree), request, None) == machines


def test_a_host_is_bound_by_its_scarcest_resource() -> None:
    """And one that holds more than it has by now, has none, not less."""
    request = to_request(flavor(), USUAL)
    assert machines_on(host(root()), request, None) == 8
    assert machines_on(host(root(DISK_GB=50)), request, None) == 2
    full = root()
    full["resources"]["MEMORY_MB"] = {"capacity": 1000, "used": 9000}
    assert machines_on(host(full), request, None) == 0


def test_a_common_store_binds_the_whole_once() -> None:
    """Three hosts on one store of 100, 20 each: five machines, not fifteen."""
    three = [host(root(DISK_GB=100), id=f"h{number}") for number in range(3)]
    assert to_room_of(flavor(), side(*three, store=Store(100, 0)), {}, None, USUAL).machines == 5
    assert to_room_of(flavor(), side(*three), {}, None, USUAL).machines == 15


def test_dedicated_cpus_may_be_served_by_shared_ones() -> None:
    """Nova asks for both; the number is the most that it can be."""
    pinned = flavor({"hw:cpu_policy": "dedicated"})
    both = host(root(VCPU=4, PCPU=6))
    room = to_room_of(pinned, side(both), {}, None, USUAL)
    assert (room.machines, room.is_upper_bound) == (5, True)


@pytest.mark.parametrize(
    ("able", "machines", "is_upper_bound"),
    [(frozenset({"h1"}), 8, False), (frozenset(), 0, False), (None, 16, True)],
)
def test_only_hosts_that_placement_names_count(
    able: frozenset[str] | None, machines: int, is_upper_bound: bool
) -> None:
    """Where it did not answer, all of them do, as an upper bound."""
    fast = flavor({"trait:CUSTOM_FAST": "required"})
    two = side(host(root()), host(root(), id="h2"), host(root(), id="h3", usable=False))
    room = to_room_of(fast, two, {to_request(fast, USUAL): able}, None, USUAL)
    assert (room.machines, room.is_upper_bound) == (machines, is_upper_bound)


def test_hosts_of_unknown_state_give_an_upper_bound() -> None:
    """Placement does not know that a host is down."""
    assert to_room_of(flavor(), side(host(root()), known=False), {}, None, USUAL).is_upper_bound is True


def test_the_filter_of_aggregates_keeps_machines_from_hosts() -> None:
    """Where the site has it and aggregates are told it is exact; where they are not told, an upper bound."""
    ssd = flavor({"aggregate_instance_extra_specs:ssd": "true"})
    two = side(host(root()), host(root(), id="h2"))
    filtered = OpenStackSettings(cloud="north", filters=(AGGREGATE_FILTER,))
    told = to_room_of(ssd, two, {}, {"h2": {"ssd": "true"}}, filtered)
    assert (told.machines, told.is_upper_bound) == (8, False)
    untold = to_room_of(ssd, two, {}, None, filtered)
    assert (untold.machines, untold.is_upper_bound) == (16, True)
    assert to_room_of(ssd, two, {}, None, USUAL).machines == 16


def test_one_of_several_values_of_aggregates_suffices() -> None:
    """As nova's filter compares them."""
    specs = {"aggregate_instance_extra_specs:zone": "b"}
    assert suits_aggregates(specs, {"zone": "a,b"}) is True
    assert suits_aggregates(specs, {}) is False
    assert suits_aggregates({}, {}) is True


def test_only_what_amounts_do_not_tell_is_asked() -> None:
    """Traits, and types larger than the hardware of some host; types with equal requests share a question."""
    hosts = [host(root(), VCPU=4, MEMORY_MB=65536, DISK_GB=400), host(root(), VCPU=16, MEMORY_MB=65536, DISK_GB=400)]
    small, wide, pinned = flavor(), flavor(vcpus=8), flavor({"hw:cpu_policy": "dedicated"})
    fast = [flavor({"trait:CUSTOM_FAST": "required", "trait:CUSTOM_OLD": "forbidden"}, id=id_) for id_ in ("f1", "f2")]
    asked = to_questions([small, wide, pinned, *fast], hosts, USUAL)
    assert set(asked) == {to_request(wide, USUAL), to_request(fast[0], USUAL)}
    assert to_query(to_request(fast[0], USUAL)) == (
        ("resources", "DISK_GB:20,MEMORY_MB:4096,VCPU:2"),
        ("root_required", "OWNER_NOVA,!COMPUTE_STATUS_DISABLED"),
        ("required", "CUSTOM_FAST,!CUSTOM_OLD"),
    )


def test_where_hardware_is_not_known_every_type_is_asked() -> None:
    """An account that sees only placement does not know which machine is too large."""
    assert len(to_questions([flavor()], [host(root())], USUAL)) == 1


@pytest.mark.parametrize(
    ("one", "pools", "known"),
    [
        (flavor(), None, True),
        (flavor(vcpus=8), ("b",), True),
        (flavor(vcpus=99), (), True),
        (flavor({"trait:CUSTOM_B": "required"}), ("b",), True),
        (flavor({"trait:CUSTOM_B": "forbidden"}), ("a",), True),
        (flavor({"trait:CUSTOM_SOME": "required"}), ("b",), False),
        (flavor({"resources:VGPU": "1"}), ("a",), True),
        (flavor({"hw:numa_nodes": "1"}), None, False),
        (flavor({"resources:CUSTOM_IRON": "1"}), (), False),
    ],
)
def test_a_type_names_the_classes_of_hosts_that_can_serve_it(
    one: Any, pools: tuple[str, ...] | None, known: bool
) -> None:
    """By hardware and traits; where a class is mixed, or more is asked than rows tell, where it runs is not known."""
    hosts = [
        host(root(VCPU=16, VGPU=2), VCPU=4, MEMORY_MB=65536, DISK_GB=400),
        host(root(("CUSTOM_B", "CUSTOM_SOME")), pool="b", VCPU=16, MEMORY_MB=65536, DISK_GB=400),
        host(root(("CUSTOM_B",)), pool="b", VCPU=16, MEMORY_MB=65536, DISK_GB=400),
    ]
    (found,) = with_pools(to_instance_types([one], {}, USUAL), [one], hosts, USUAL).instance_types
    assert (found.pools, found.placement_is_known) == (pools, known)
