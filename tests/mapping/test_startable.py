"""How many more machines could be started now, against counts that real schedulers gave by starting until refused."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider.inventory.model import (
    Accelerator,
    Capacity,
    DeviceCount,
    HostCapacity,
    HypervisorPool,
    InstanceType,
    Network,
    Networks,
    Ownership,
    Quotas,
    Room,
    Usage,
)
from infoprovider.mapping.startable import (
    Bound,
    Startable,
    held_when_empty,
    host_bound,
    needed_disk,
    quota_left,
    startable,
)
from tests.mapping.example import host, instance_type, pool, quotas, usage

UNLIMITED = Bound(math.inf)


def on(
    *hosts: HostCapacity, of: InstanceType, pools: tuple[HypervisorPool, ...] = (), **whole: Any
) -> tuple[float, bool]:
    """What these hosts still hold of a type, and whether that is known."""
    bound = host_bound(of, Capacity(hosts=hosts, **whole), pools)
    return bound.machines, bound.known


def by_quota(of: InstanceType, limits: Quotas | None, used: Usage | None = None, **others: Any) -> Startable | None:
    """What a project may start on hosts that never bind."""
    return startable(of, limits, used, others.get("hosts", UNLIMITED), others.get("networks"))


# --- counts that were measured by starting machines until one was refused ------------------------------------------

# Five hosts of three sizes. vCPUs are threads times four; each host keeps 512 MiB; the disks are chosen so that the
# quotients lose as much in each host as they did where this was measured.
LARGE = host(vcpus=512, memory_mib=1024 * 1024 - 512, disk_gib=8700.0)
MIDDLE = host(
    vcpus=256,
    memory_mib=256 * 1024 - 512,
    disk_gib=7600.0,
    devices=(DeviceCount(type="VGPU", total=8, used=0),),
)
SMALL = host(vcpus=128, memory_mib=128 * 1024 - 512, disk_gib=3990.0)
FIVE = (MIDDLE, SMALL, LARGE, MIDDLE, SMALL)

CPU = instance_type(vcpus=32, memory_mib=4096, disk_gib=20.0)
MEM = instance_type(vcpus=2, memory_mib=48 * 1024, disk_gib=20.0)
DISK = instance_type(vcpus=1, memory_mib=2048, disk_gib=700.0)
BIG = instance_type(vcpus=16, memory_mib=32 * 1024, disk_gib=160.0)
WIDE = instance_type(vcpus=48, memory_mib=8192, disk_gib=50.0)
VGPU = instance_type(vcpus=1, memory_mib=4096, disk_gib=20.0, accelerators=(Accelerator(type="VGPU", number=1),))


@pytest.mark.parametrize(
    ("asked", "started", "divided_sum"), [(CPU, 40, 40), (MEM, 35, 37), (DISK, 42, 45), (BIG, 51, 55), (VGPU, 16, 16)]
)
def test_empty_hosts_hold_what_was_really_started(asked: InstanceType, started: int, divided_sum: int) -> None:
    """Inside each host and then added; dividing the sum of all hosts would promise what no host can hold."""
    assert on(*FIVE, of=asked) == (started, True)
    summed = min(
        sum(one.vcpus for one in FIVE) // asked.vcpus,
        sum(one.memory_mib for one in FIVE) // asked.memory_mib,
        sum(one.disk_gib or 0 for one in FIVE) // (asked.disk_gib or 1),
    )
    assert divided_sum == (16 if asked is VGPU else summed)


@pytest.mark.parametrize(("asked", "started"), [(MEM, 1), (DISK, 15), (VGPU, 15)])
def test_a_project_with_a_small_quota_starts_what_it_leaves(asked: InstanceType, started: int) -> None:
    """15 machines, 20 vCPUs, 64 GiB: memory, machines and machines bind."""
    limits = quotas(instances=15, vcpus=20, memory_mib=64 * 1024)
    used = usage(instances=0, vcpus=0, memory_mib=0)
    assert startable(asked, limits, used, host_bound(asked, Capacity(hosts=FIVE), ()), None) == Startable(
        started, is_upper_bound=False
    )


@pytest.mark.parametrize(("asked", "started"), [(CPU, 32), (MEM, 30), (BIG, 44)])
def test_a_host_that_is_down_holds_nothing(asked: InstanceType, started: int) -> None:
    """Its room is gone with it, although its machines keep their quota."""
    assert on(replace(MIDDLE, usable=False), *FIVE[1:], of=asked) == (started, True)


@pytest.mark.parametrize(("asked", "started"), [(MEM, 7), (BIG, 10)])
def test_a_type_that_is_bound_to_a_zone_counts_its_hosts_only(asked: InstanceType, started: int) -> None:
    """One middle and one small host make the zone."""
    hosts = [replace(one, pool="zone" if number < 2 else "rest") for number, one in enumerate(FIVE)]
    pools = (pool("zone"), pool("rest"))
    assert on(*hosts, of=replace(asked, pools=("zone",)), pools=pools) == (started, True)


def test_a_rule_that_hosts_do_not_show_makes_an_upper_bound() -> None:
    """24 fit by their sizes where 20 started: no small host takes so many vCPUs in one machine."""
    assert on(*FIVE, of=replace(WIDE, placement_is_known=False)) == (24, False)


# Three nodes of 8 CPUs and 32000 MB under uneven load: the first is empty.
NODES = tuple(
    host(vcpus=8, vcpus_used=cpus, memory_mib=32000, memory_used_mib=memory, disk_gib=None, disk_used_gib=None)
    for cpus, memory in ((0, 0), (5, 15000), (6, 24000))
)


@pytest.mark.parametrize(
    ("vcpus", "memory", "ran", "ran_with_the_first_drained"),
    [(1, 1000, 13, 5), (2, 4000, 6, 2), (3, 3000, 3, 1), (1, 9000, 4, 1), (8, 1000, 1, 0)],
)
def test_loaded_nodes_hold_what_ran_at_once(vcpus: int, memory: int, ran: int, ran_with_the_first_drained: int) -> None:
    """Per node by what is allocated on it, without a node that is drained."""
    asked = instance_type(vcpus=vcpus, memory_mib=memory, disk_gib=0.0, boots_from_volume=True)
    assert on(*NODES, of=asked) == (ran, True)
    assert on(replace(NODES[0], usable=False), *NODES[1:], of=asked) == (ran_with_the_first_drained, True)


def test_a_common_store_bounds_all_hosts_once() -> None:
    """Three hosts on a store of 100 that are asked for 20 each: five started, not fifteen."""
    hosts = [host(disk_gib=100.0)] * 3
    asked = instance_type(disk_gib=20.0)
    assert on(*hosts, of=asked, disk_is_shared=True, disk_gib=100.0, disk_used_gib=0.0) == (5, True)
    assert on(*hosts, of=asked) == (15, True)


# --- what each term means -------------------------------------------------------------------------------------------


def test_fragments_are_not_added() -> None:
    """Two hosts with 3 free vCPUs each hold no machine of 4, though 6 are free."""
    assert on(host(vcpus_used=5), host(vcpus_used=5), of=instance_type(vcpus=4)) == (0, True)


@pytest.mark.parametrize(
    ("changes", "machines"),
    [
        ({"vcpus": 3}, 2),  # 8 vCPUs
        ({"memory_mib": 5000}, 3),  # 16384 MiB
        ({"disk_gib": 30.0}, 3),  # 100 GiB
        ({"disk_gib": 30.0, "ephemeral_gib": 3.4}, 2),  # 33.4 goes twice into 100
        ({"disk_gib": 33.0, "swap_mib": 1}, 2),  # swap takes a whole GiB: 34
        ({"disk_gib": 30.0, "boots_from_volume": True}, 8),  # no local disk: vCPUs bind
        ({"cpu_capacity": 0.1, "disk_gib": 1.0}, 16),  # 80 by CPU, 16 by memory
        ({"cpu_capacity": 0.1, "memory_mib": 1}, 10),  # 80 by CPU, 10 by disk
    ],
)
def test_the_scarcest_of_a_hosts_resources_binds(changes: dict[str, Any], machines: int) -> None:
    """8 vCPUs, 16384 MiB and 100 GiB are divided by what one machine takes."""
    assert on(host(), of=instance_type(**changes)) == (machines, True)


@pytest.mark.parametrize("capacity", [0.1, 0.2, 0.3, 0.7])
def test_a_fraction_of_a_cpu_loses_no_machine_to_rounding(capacity: float) -> None:
    """Ten machines of a tenth go into one CPU, although the float is a little more than a tenth."""
    asked = instance_type(cpu_capacity=capacity, memory_mib=0, disk_gib=0.0, boots_from_volume=True)
    assert on(host(vcpus=21), of=asked) == (round(21 / capacity * 1e6) // 10**6, True)


def test_an_overcommitted_host_holds_nothing_more() -> None:
    """More used than there is gives none, never less."""
    assert on(host(vcpus_used=9), host(), of=instance_type(disk_gib=100.0)) == (1, True)


def test_devices_are_counted_by_type_and_model() -> None:
    """A type that wants one model does not count another."""
    devices = (
        DeviceCount(type="GPU", model="A", total=4, used=1),
        DeviceCount(type="GPU", model="B", total=4, used=0),
        DeviceCount(type="FPGA", model="A", total=9, used=0),
    )
    wants = [Accelerator(type="GPU", number=1, model="A"), Accelerator(type="GPU", number=2)]
    found = [on(host(devices=devices), of=instance_type(accelerators=(one,))) for one in wants]
    assert found == [(3, True), (3, True)]


def test_a_device_of_an_untold_model_is_an_upper_bound() -> None:
    """It may be the wanted model or not."""
    hosts = [host(devices=(DeviceCount(type="GPU", total=2, used=0),))]
    wanted = Accelerator(type="GPU", number=1, model="A")
    assert on(*hosts, of=instance_type(accelerators=(wanted,))) == (2, False)


def test_devices_that_no_host_tells_of_are_not_known_to_be_absent() -> None:
    """A manager that tells nothing of devices leaves the rest of the type as an upper bound, never an exact 0."""
    wanted = instance_type(accelerators=(Accelerator(type="GPU", number=1),))
    assert on(host(), of=wanted) == (8, False)
    assert on(host(), host(devices=(DeviceCount(type="GPU", total=1, used=1),)), of=wanted) == (0, True)


def test_a_host_of_unknown_pool_may_not_be_one_of_the_types_own() -> None:
    """Its room counts, and the number is an upper bound."""
    pools = (pool("gpu"), pool("compute"))
    hosts = (host(pool="gpu"), host(pool=None), host(pool="compute"))
    assert on(*hosts, of=instance_type(pools=("gpu",)), pools=pools) == (16, False)
    assert on(*hosts, of=instance_type(), pools=pools) == (24, True)


def test_a_types_pools_hold_where_host_classes_are_not_described() -> None:
    """Hosts of other pools are left out, also when nothing else is known of pools."""
    assert on(host(pool="gpu"), host(pool="compute"), of=instance_type(pools=("gpu",))) == (8, True)


def test_a_host_of_another_architecture_is_left_out() -> None:
    """An x86 type does not start on ARM hosts."""
    pools = (pool("x86", architecture="x86_64"), pool("arm", architecture="aarch64"))
    hosts = (host(pool="x86"), host(pool="arm"))
    assert on(*hosts, of=instance_type(architecture="amd64"), pools=pools) == (8, True)


def test_unknown_disks_make_an_upper_bound() -> None:
    """A host that does not tell its disk, or a type that does not tell its root disk, may hold less."""
    assert on(host(disk_gib=None), of=instance_type()) == (8, False)
    assert on(host(), of=instance_type(disk_gib=None)) == (8, False)
    assert on(host(), of=instance_type(), disk_is_shared=True) == (8, False)
    assert on(host(), of=instance_type(disk_gib=0.0, boots_from_volume=True), disk_is_shared=True) == (8, True)


def test_without_host_rows_the_free_sums_are_an_upper_bound() -> None:
    """The least of what is free in all, by every sum that is told; nothing where none is."""
    asked = instance_type(vcpus=4, memory_mib=4096, disk_gib=50.0)
    assert on(of=asked, vcpus=100, vcpus_used=60) == (10, False)
    assert on(of=asked, vcpus=100, vcpus_used=60, memory_mib=40960, memory_used_mib=8192) == (8, False)
    assert on(of=asked, vcpus=100, vcpus_used=60, disk_gib=400.0, disk_used_gib=50.0) == (7, False)
    assert on(of=asked) == (math.inf, False)
    assert host_bound(asked, None, ()) == Bound(math.inf, known=False)


@pytest.mark.parametrize(
    ("limit", "used", "machines"),
    [
        ({"instances": 10}, {"instances": 4}, 6),
        ({"vcpus": 10}, {"vcpus": 3}, 3),
        ({"memory_mib": 9000}, {"memory_mib": 900}, 3),
        ({"disk_gib": 100.0}, {"disk_gib": 39.0}, 3),
        ({"accelerators": 5}, {"accelerators": 2}, 3),
        ({"instances": 4}, {"instances": 9}, 0),
    ],
)
def test_each_quota_leaves_its_number(limit: dict[str, Any], used: dict[str, Any], machines: int) -> None:
    """A type of 2 vCPUs, 2100 MiB, 20 GiB and one device, against one limit at a time; exceeded is none."""
    asked = instance_type(vcpus=2, memory_mib=2100, disk_gib=20.0, accelerators=(Accelerator(type="GPU", number=1),))
    assert by_quota(asked, quotas(**limit), usage(**used)) == Startable(machines, is_upper_bound=False)


def test_an_unlimited_quota_drops_its_term() -> None:
    """Nothing of the quota binds, so the hosts alone say the number, exactly."""
    assert by_quota(instance_type(), quotas(), hosts=Bound(7)) == Startable(7, is_upper_bound=False)


@pytest.mark.parametrize("limits", [{"vcpus": None}, {"vcpus": 8}])
def test_a_limit_or_its_use_that_cannot_be_read_makes_an_upper_bound(limits: dict[str, Any]) -> None:
    """What is left of the other terms stands, and says that it may be less."""
    assert by_quota(instance_type(), quotas(**limits), hosts=Bound(7)) == Startable(7, is_upper_bound=True)
    assert by_quota(instance_type(), None, hosts=Bound(7)) == Startable(7, is_upper_bound=True)


def test_a_quota_of_what_the_type_does_not_take_does_not_bind() -> None:
    """A project without accelerators starts machines without them, exactly."""
    limits = quotas(accelerators=0, public_addresses=None)
    assert by_quota(instance_type(), limits, hosts=Bound(7)) == Startable(7, is_upper_bound=False)


def test_an_exhausted_quota_is_exactly_none() -> None:
    """Nothing can be lower than none, whatever else is not known."""
    limits, used = quotas(instances=3, vcpus=None), usage(instances=3)
    assert by_quota(instance_type(), limits, used, hosts=Bound(math.inf, known=False)) == Startable(
        0, is_upper_bound=False
    )


def test_where_nothing_is_known_there_is_no_number() -> None:
    """Neither 0 nor a number without end: an unlimited quota on hosts that nobody may see is left out."""
    unseen = Bound(math.inf, known=False)
    assert by_quota(instance_type(), quotas(), hosts=unseen) is None
    assert by_quota(instance_type(), None, hosts=unseen) is None


def test_a_type_without_a_root_disk_has_no_number() -> None:
    """Its machines take as much disk as their image, unless the cloud boots them from volumes."""
    bare = instance_type(disk_gib=0.0)
    assert by_quota(bare, quotas(), hosts=Bound(7)) is None
    assert held_when_empty(bare, Capacity(hosts=(host(),)), ()) is None
    assert by_quota(replace(bare, boots_from_volume=True), quotas(), hosts=Bound(7)) == Startable(
        7, is_upper_bound=False
    )


def net(free: int | None, *projects: str) -> Network:
    """A network with so many free addresses, of all or of these projects."""
    ownership = Ownership.PROJECTS if projects else Ownership.PUBLIC
    return Network(id="n", addresses_free=free, ownership=ownership, projects=projects)


@pytest.mark.parametrize(
    ("networks", "machines"),
    [
        (None, 40),
        (Networks(), 40),
        (Networks(networks=(net(5),)), 5),
        (Networks(networks=(net(5), net(6, "p1"), net(7, "p2"))), 11),
        (Networks(networks=(net(5), net(None))), 40),
        (Networks(networks=(net(3, "p2"),)), 40),
        (Networks(networks=(net(5), replace(net(2), floating=True))), 5),
        (Networks(networks=(replace(net(2), floating=True),)), 40),
    ],
)
def test_each_machine_takes_an_address(networks: Networks | None, machines: int) -> None:
    """The free addresses of the project's networks bind, where every one of these tells them."""
    assert by_quota(instance_type(), quotas(), hosts=Bound(40), networks=networks) == Startable(
        machines, is_upper_bound=False
    )


def test_public_addresses_bind_where_every_machine_gets_one() -> None:
    """Their quota counts only then."""
    limits, used = quotas(public_addresses=4), usage(public_addresses=1)
    for given_, machines in (("always", 3), ("onrequest", 40)):
        networks = Networks(public_ipv4=given_)  # type: ignore[arg-type]  # a word of its list
        found = by_quota(instance_type(), limits, used, hosts=Bound(40), networks=networks)
        assert found == Startable(machines, is_upper_bound=False)


def test_each_machine_takes_a_port_where_ports_are_limited() -> None:
    """The quota of ports binds where it is known, and where it is not it makes nothing uncertain."""
    limits, used = quotas(network_ports=9), usage(network_ports=5)
    found = by_quota(instance_type(), limits, used, hosts=Bound(40))
    assert found == Startable(4, is_upper_bound=False)
    for unknown in (quotas(), quotas(network_ports="unlimited")):
        assert by_quota(instance_type(), unknown, used, hosts=Bound(40)) == Startable(40, is_upper_bound=False)


def test_ports_and_addresses_alone_make_no_number() -> None:
    """They say nothing of how many machines hosts hold: only that there are none left is known by them."""
    unread = Bound(math.inf, known=False)
    limits, networks = quotas(network_ports=500), Networks(networks=(net(5),))
    assert by_quota(instance_type(), limits, usage(network_ports=5), hosts=unread) is None
    assert by_quota(instance_type(), quotas(), hosts=unread, networks=networks) is None
    none_left = by_quota(instance_type(), limits, usage(network_ports=500), hosts=unread)
    assert none_left == Startable(0, is_upper_bound=False)


def test_devices_that_nobody_counts_leave_the_number_out() -> None:
    """Whatever quota and hosts leave: there may be none of them; that nothing is left at all is known without them."""
    special = instance_type(devices_are_told=False, placement_is_known=False)
    assert by_quota(special, quotas(instances=9), usage(instances=2), hosts=Bound(40, known=False)) is None
    none_left = by_quota(special, quotas(instances=2), usage(instances=2), hosts=Bound(40, known=False))
    assert none_left == Startable(0, is_upper_bound=False)


@pytest.mark.parametrize("is_upper_bound", [True, False])
def test_what_the_manager_says_of_a_type_goes_before_its_hosts(is_upper_bound: bool) -> None:
    """Its own count of room is taken as it is, exact or not, for that type alone."""
    room = Room(instance_type="special", machines=2, is_upper_bound=is_upper_bound)
    special = instance_type(id="special", placement_is_known=False)
    assert on(host(vcpus=8), of=special, room=(room,)) == (2, not is_upper_bound)
    assert on(host(vcpus=8), of=instance_type(id="other", vcpus=2), room=(room,)) == (4, True)


def test_quota_left_is_never_negative_and_keeps_unknown_apart() -> None:
    """Unlimited, known and unknown are three things."""
    assert (quota_left("unlimited", None), quota_left(3, 5), quota_left(None, 1), quota_left(3, None)) == (
        math.inf,
        0,
        None,
        None,
    )


def test_a_machines_local_disk_is_root_further_and_swap() -> None:
    """GiB; a root disk on a volume takes none, an unknown one makes the sum unknown."""
    asked = instance_type(disk_gib=20.0, ephemeral_gib=5.0, swap_mib=1500)
    assert needed_disk(asked) == 27.0
    assert needed_disk(replace(asked, boots_from_volume=True)) == 7.0
    assert needed_disk(replace(asked, disk_gib=None)) is None


# --- empty hosts -----------------------------------------------------------------------------------------------------


def test_the_whole_of_a_type_counts_all_hosts_as_if_they_were_empty() -> None:
    """Loaded hosts in whole, unusable ones as unavailable."""
    hosts = (host(vcpus_used=8, disk_used_gib=100.0), host(usable=False), host())
    assert held_when_empty(instance_type(vcpus=2), Capacity(hosts=hosts), ()) == (12, 4)


def test_the_whole_of_a_type_ends_with_a_common_store() -> None:
    """Three hosts of eight on a store for five."""
    capacity = Capacity(hosts=(host(), host(), host(usable=False)), disk_is_shared=True, disk_gib=50.0)
    assert held_when_empty(instance_type(), capacity, ()) == (5, 5)
    assert held_when_empty(instance_type(), replace(capacity, disk_gib=None), ()) is None


@pytest.mark.parametrize(
    ("capacity", "changes"),
    [
        (None, {}),
        (Capacity(), {}),
        (Capacity(hosts=(host(disk_gib=None),)), {}),
        (Capacity(hosts=(host(),)), {"placement_is_known": False}),
        (Capacity(hosts=(host(),)), {"accelerators": (Accelerator(type="GPU", number=1),)}),
        (Capacity(hosts=(host(pool=None),)), {"pools": ("gpu",)}),
    ],
)
def test_the_whole_of_a_type_is_left_out_where_hosts_do_not_tell(
    capacity: Capacity | None, changes: dict[str, Any]
) -> None:
    """No host rows, an unknown disk, devices or pool: a number would be a guess."""
    assert held_when_empty(instance_type(**changes), capacity, ()) is None


# --- properties ------------------------------------------------------------------------------------------------------


def hosts() -> st.SearchStrategy[HostCapacity]:
    """Any host, loaded or not, usable or not."""
    amount = st.integers(0, 64)
    return st.builds(
        lambda usable, vcpus, used, memory, disk, gpus: host(
            usable=usable,
            vcpus=vcpus,
            vcpus_used=used,
            memory_mib=memory * 512,
            disk_gib=None if disk is None else float(disk),
            disk_used_gib=None if disk is None else disk / 4,
            devices=(DeviceCount(type="GPU", total=gpus, used=0),),
        ),
        st.booleans(),
        amount,
        amount,
        amount,
        st.none() | amount,
        st.integers(0, 4),
    )


def asked_types() -> st.SearchStrategy[InstanceType]:
    """Any type, with a device or without."""
    return st.builds(
        lambda vcpus, memory, disk, gpus: instance_type(
            vcpus=vcpus,
            memory_mib=memory * 512,
            disk_gib=float(disk),
            accelerators=(Accelerator(type="GPU", number=gpus),) if gpus else (),
        ),
        st.integers(1, 16),
        st.integers(1, 16),
        st.integers(1, 32),
        st.integers(0, 2),
    )


LIMITS = st.none() | st.just("unlimited") | st.integers(0, 100)


@given(
    asked_types(),
    st.lists(hosts(), max_size=6),
    st.fixed_dictionaries({"instances": LIMITS, "vcpus": LIMITS}),
    st.fixed_dictionaries({"instances": st.none() | st.integers(0, 100), "vcpus": st.none() | st.integers(0, 100)}),
)
def test_the_number_is_never_above_any_single_bound(
    asked: InstanceType, rows: list[HostCapacity], limits: dict[str, Any], used: dict[str, Any]
) -> None:
    """Not above what a quota leaves, nor above what is free on the usable hosts of any one resource."""
    capacity = Capacity(hosts=tuple(rows)) if rows else None
    found = startable(asked, quotas(**limits), usage(**used), host_bound(asked, capacity, ()), None)
    if found is None:
        return
    assert found.machines >= 0
    for name, demand in (("instances", 1), ("vcpus", asked.vcpus)):
        if isinstance(limits[name], int) and used[name] is not None:
            assert found.machines * demand <= max(0, limits[name] - used[name])
    if rows:
        usable = [one for one in rows if one.usable]
        assert found.machines * asked.vcpus <= sum(max(0, one.vcpus - one.vcpus_used) for one in usable)
        assert found.machines * asked.memory_mib <= sum(one.memory_mib for one in usable)


@given(asked_types(), st.lists(hosts(), min_size=1, max_size=6), hosts())
def test_a_further_host_never_lowers_what_hosts_hold(
    asked: InstanceType, rows: list[HostCapacity], further: HostCapacity
) -> None:
    """More room is never less."""
    before = host_bound(asked, Capacity(hosts=tuple(rows)), ())
    after = host_bound(asked, Capacity(hosts=(*rows, further)), ())
    assert after.machines >= before.machines


@given(asked_types(), st.lists(hosts(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_hosts_changes_nothing(asked: InstanceType, rows: list[HostCapacity], random: Any) -> None:
    """A manager may list its hosts as it likes."""
    shuffled = random.sample(rows, len(rows))
    assert host_bound(asked, Capacity(hosts=tuple(rows)), ()) == host_bound(asked, Capacity(hosts=tuple(shuffled)), ())
