"""What one community may hold in one project, and how much of it could be started now."""

from dataclasses import replace
from typing import Any

import pytest

from infoprovider.config.model import ProjectMapping
from infoprovider.glue.document import Made
from infoprovider.glue.entities import ComputingShare, MappingPolicy
from infoprovider.inventory.model import (
    Capacity,
    Endorsement,
    Endorsements,
    Network,
    Networks,
    Ownership,
    Price,
    Prices,
    TrustPolicy,
)
from infoprovider.mapping.context import DYNAMIC, STATIC, InstanceFacts, Known
from infoprovider.mapping.share import map_shares
from tests.mapping.example import (
    LOADED,
    NOW,
    ago,
    capacity,
    community,
    facts,
    host,
    image,
    images,
    instance_type,
    keys,
    known,
    only,
    pool,
    pools,
    quotas,
    said,
    types,
    usage,
)

BIO = community("vo.bio", "p1")
SHARE = "urn:glue2:ComputingShare:rc-one:north:p1"


def shares(of: InstanceFacts) -> list[Made]:
    """The shares and policies of an instance."""
    return list(map_shares(of))


def share(**changes: Any) -> ComputingShare:
    """The share of a project of one community; its quotas are unlimited where nothing else is given."""
    return only(shares(facts([BIO], **({"quotas": (quotas(),)} | changes))), ComputingShare)


def test_a_share_is_named_by_its_community_and_keeps_the_projects_id() -> None:
    """The native id is what a user names when starting machines."""
    found = share()
    assert (found.id, found.name, said(found, "ProjectID")) == (SHARE, "vo.bio", ["p1"])
    assert found.service_foreign_key == found.computing_service_foreign_key == "urn:glue2:ComputingService:rc-one:north"
    assert found.endpoint_foreign_key == found.computing_endpoint_foreign_key
    assert found.endpoint_foreign_key == ("urn:glue2:ComputingEndpoint:rc-one:north:oidc:org.openstack.nova",)


def test_quotas_stand_where_readers_look() -> None:
    """Machines, vCPUs, memory, disk, addresses, accelerators, and how long a machine may live."""
    limits = quotas(
        instances=10,
        instances_per_user=3,
        vcpus=40,
        memory_mib=65536,
        disk_gib=1000.5,
        accelerators=2,
        public_addresses=4,
        max_run_time_s=86400,
        default_run_time_s=3600,
        preemptible=True,
    )
    found = share(quotas=(limits,))
    assert (found.max_total_jobs, found.max_running_jobs, found.max_user_running_jobs) == (10, 10, 3)
    assert (found.max_wall_time, found.default_wall_time, found.preemption) == (86400, 3600, "true")
    assert [said(found, key) for key in ("QuotaCPU", "QuotaMemory", "QuotaDisk", "QuotaPublicIP")] == [
        ["40"],
        ["65536"],
        ["1000.5"],
        ["4"],
    ]
    assert said(found, "AcceleratorMaxNumber") == ["2"]


@pytest.mark.parametrize("limit", ["unlimited", None])
def test_a_quota_without_a_number_is_left_out(limit: str | None) -> None:
    """Unlimited and unknown are no numbers: neither -1 nor 999999999."""
    names = ("instances", "vcpus", "memory_mib", "disk_gib", "accelerators", "public_addresses", "instances_per_user")
    found = share(quotas=(quotas(**dict.fromkeys(names, limit)),))
    assert (found.max_total_jobs, found.max_running_jobs, found.max_user_running_jobs) == (None, None, None)
    assert keys(found) == ["ProjectID"]


def test_machines_are_counted_by_state() -> None:
    """Halted machines and those in error are no jobs; a state that is not told leaves the sum out."""
    used = usage(running=5, waiting=1, staging=0, suspended=2, halted=3, error=1, vcpus=20, mean_start_up_s=40)
    found = share(usage=(used,))
    assert (found.running_jobs, found.waiting_jobs, found.staging_jobs, found.suspended_jobs) == (5, 1, 0, 2)
    assert (found.total_jobs, found.used_slots) == (8, 20)
    assert (said(found, "VMHalted"), said(found, "VMError")) == (["3"], ["1"])
    assert (found.estimated_average_waiting_time, found.estimated_worst_waiting_time) == (40, None)
    assert share(usage=(replace(used, staging=None),)).total_jobs is None
    assert share().total_jobs is None


def test_a_share_names_the_types_that_its_project_may_use() -> None:
    """Public ones and its own, and the sizes of the largest and the smallest."""
    mine = instance_type(
        "mine", vcpus=8, memory_mib=2048, disk_gib=20.0, ownership=Ownership.PROJECTS, projects=("p1",)
    )
    theirs = instance_type("theirs", vcpus=64, memory_mib=1, ownership=Ownership.PROJECTS, projects=("p2",))
    both = [BIO, community("vo.phys", "p2")]
    of = facts(both, quotas=(quotas("p1"),), instance_types=types(instance_type(ephemeral_gib=15.9), mine, theirs))
    found = only(shares(of), ComputingShare)
    assert found.execution_environment_foreign_key == found.resource_foreign_key
    assert [one.rpartition(":")[2] for one in found.resource_foreign_key] == ["mine", "small"]
    assert (found.max_slots_per_job, found.max_main_memory, found.guaranteed_main_memory) == (8, 2048, 1024)
    assert found.max_disk_space == 25


def test_where_types_are_not_known_no_largest_one_is_said() -> None:
    """Neither is a largest disk where one type does not tell its own."""
    found = share()
    assert (found.max_slots_per_job, found.max_main_memory, found.max_disk_space) == (None, None, None)
    found = share(instance_types=types(instance_type(), instance_type("odd", disk_gib=None)))
    assert (found.max_slots_per_job, found.max_disk_space) == (1, None)


# --- startable now ---------------------------------------------------------------------------------------------------


def test_each_type_has_its_number_and_says_where_it_is_an_upper_bound() -> None:
    """`FreeInstances.<type>` by the type's local identifier; what qualifies a number stands before it."""
    found = share(
        instance_types=types(instance_type("M1 small"), instance_type("odd", disk_gib=None)),
        capacity=capacity(host()),
    )
    local = "m1-small-3c3c5779"
    assert f"urn:glue2:ExecutionEnvironment:rc-one:north:{local}" in found.resource_foreign_key
    assert [value for value in found.other_info if value.startswith("FreeInstances")] == [
        f"FreeInstances.{local}=8",
        "FreeInstances.UpperBound=odd",
        "FreeInstances.odd=8",
    ]


def test_a_type_that_cannot_be_known_has_no_number() -> None:
    """Unlimited quotas on hosts that nobody may see: nothing is said, neither 0 nor a placeholder."""
    found = share(instance_types=types(instance_type()))
    assert not [value for value in found.other_info if value.startswith("FreeInstances")]
    assert found.free_slots is None


@pytest.mark.parametrize("state", ["draining", "queueing", "closed"])
def test_a_service_that_takes_no_requests_starts_nothing(state: str) -> None:
    """The numbers are exactly 0, whatever is free."""
    found = share(block={"serving_state": state}, instance_types=types(instance_type()), capacity=capacity(host()))
    assert (found.free_slots, said(found, "FreeInstances.small"), found.serving_state) == (0, ["0"], state)
    assert said(found, "FreeInstances.UpperBound") == []


@pytest.mark.parametrize(("start", "end", "free"), [(1, 60, 8), (0, 60, 0), (-60, None, 0), (-60, 0, 8)])
def test_during_an_announced_interruption_nothing_can_be_started(start: float, end: float | None, free: int) -> None:
    """From its beginning to its end, by the clock alone; before and after it as much as ever."""
    downtime = {"start": ago(-start), "end": None if end is None else ago(-end)}
    found = share(
        block={"downtime": downtime},
        instance_types=types(instance_type()),
        capacity=capacity(host()),
        quotas=(quotas(),),
        usage=(usage(vcpus=0, instances=0),),
    )
    assert (found.free_slots, said(found, "FreeInstances.small")) == (free, [str(free)])
    assert found.serving_state == "production"


@pytest.mark.parametrize(
    ("limits", "used", "whole", "slots"),
    [
        ({"vcpus": 20}, {"vcpus": 15}, Capacity(vcpus=100, vcpus_used=10), 5),
        ({"vcpus": 20}, {"vcpus": 15}, Capacity(vcpus=100, vcpus_used=98), 2),
        ({}, {}, Capacity(vcpus=100, vcpus_used=10), 90),
        ({"vcpus": 20}, {"vcpus": 25}, Capacity(vcpus=100, vcpus_used=10), 0),
        ({"vcpus": 20}, {"vcpus": 20}, None, 0),
        ({"instances": 3}, {"instances": 3}, None, 0),
        ({"vcpus": None}, {}, Capacity(vcpus=100, vcpus_used=101), 0),
        ({"vcpus": None}, {}, Capacity(vcpus=100, vcpus_used=10), None),
        ({"instances": None}, {}, Capacity(vcpus=100, vcpus_used=10), None),
        ({"vcpus": 20}, {"vcpus": 15}, None, None),
        ({"vcpus": 20}, {"vcpus": 15}, Capacity(vcpus=100), None),
        ({"vcpus": 20}, {}, Capacity(vcpus=100, vcpus_used=10), None),
    ],
)
def test_free_slots_are_the_least_of_quota_and_hosts(
    limits: dict[str, Any], used: dict[str, Any], whole: Capacity | None, slots: int | None
) -> None:
    """Left out where one of the two cannot be read, because too large a number would win; none left is none."""
    facet = {} if whole is None else {"capacity": whole}
    assert share(quotas=(quotas(**limits),), usage=(usage(**used),), **facet).free_slots == slots


@pytest.mark.parametrize(("age", "noted"), [(60, []), (210, []), (211, ["2026-11-21T11:56:29Z"])])
def test_numbers_from_an_old_capacity_say_how_old_it_is(age: int, noted: list[str]) -> None:
    """Beyond the two and a half minutes in which the share itself may be older than its facts."""
    found = share(capacity=known(capacity(host()), age), instance_types=types(instance_type()))
    assert said(found, "FreeInstances.ObservedAt") == noted


def test_a_share_says_which_host_classes_it_draws_from() -> None:
    """Those of the types that its project may use: numbers of shares on one class must not be added."""
    found = share(
        hypervisors=pools(pool("gpu"), pool("compute")), instance_types=types(instance_type(pools=("compute",)))
    )
    assert said(found, "HostPool") == ["urn:glue2:ExecutionEnvironment:rc-one:north:host-pool:compute"]


# --- images, networks, prices ----------------------------------------------------------------------------------------


def test_images_travel_on_the_share() -> None:
    """By marketplace URI, else native id; not those of others, nor those that fit none of the project's types."""
    found = share(
        instance_types=types(instance_type()),
        images=images(
            image("a", marketplace_uri="https://market/a"),
            image("b"),
            image("c", ownership=Ownership.PROJECTS, projects=("p9",)),
            image("d", min_memory_mib=4096),
            image("e", ownership=Ownership.PROJECTS, projects=("p1",)),
        ),
    )
    assert said(found, "Image") == ["https://market/a", "b", "e"]


def test_where_types_are_not_known_no_image_is_ruled_out() -> None:
    """What cannot be compared may still be started."""
    assert said(share(images=images(image("a", min_memory_mib=4096))), "Image") == ["a"]
    assert said(share(images=images(image("a")), instance_types=types()), "Image") == []


def test_an_image_that_the_centre_refuses_does_not_travel() -> None:
    """Its endorsement has ended, and expiry is honoured."""
    endorsements = Endorsements(endorsements=(Endorsement(identifier="a", endorser="CN=E", expires_at=NOW),))
    around = {"images": images(image("a"), image("b")), "endorsements": endorsements}
    assert said(share(**around, trust=TrustPolicy(model="endorsed", honours_expiry=True)), "Image") == ["b"]
    assert said(share(**around, trust=TrustPolicy(model="endorsed")), "Image") == ["a", "b"]


def test_a_share_names_the_public_networks_of_its_project() -> None:
    """Not those of other projects, nor private ones."""
    networks = Networks(
        default_type="private",
        networks=(
            Network(id="1", name="public", is_public=True),
            Network(id="2", is_public=True, ownership=Ownership.PROJECTS, projects=("p1",)),
            Network(id="3", name="theirs", is_public=True, ownership=Ownership.PROJECTS, projects=("p9",)),
            Network(id="4", name="inside", is_public=False),
            Network(id="5", name="unknown"),
        ),
    )
    found = share(networks=networks)
    assert (said(found, "DefaultNetworkType"), said(found, "PublicNetworkName")) == (["private"], ["public", "2"])


def test_prices_of_resources_stand_on_the_share() -> None:
    """A type's own price stands on the type."""
    prices = Prices(
        prices=(
            Price(resource="cpu", currency="EUR"),
            Price(resource="flavour", instance_type="small", currency="EUR"),
        )
    )
    assert said(share(prices=prices), "Price.Resource") == ["cpu"]


# --- stamps and policies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "age"),
    [
        ({"known_quotas": {"p1": known(quotas(), 600)}, "known_usage": {"p1": known(usage(), 20)}}, 600),
        ({"known_quotas": {"p1": known(quotas(), 20)}, "known_usage": {"p1": known(usage(), 30)}}, 30),
        ({"known_usage": {"p1": known(usage(), 30)}}, 30),
        ({"known_quotas": {"p1": known(quotas(), 20)}}, 20),
    ],
)
def test_a_share_is_as_old_as_the_older_of_its_quotas_and_its_usage(changes: dict[str, Any], age: int) -> None:
    """It holds for twenty minutes from then."""
    found = only(shares(facts([BIO], **changes)), ComputingShare)
    assert (found.creation_time, found.validity) == (ago(age), DYNAMIC)


def test_quotas_that_are_declared_make_a_share_no_older() -> None:
    """They hold as long as the configuration says so."""
    said = known(quotas(), 86400)
    declared = Known(said.value, replace(said.source, declared=True))
    of = facts([BIO], known_quotas={"p1": declared}, known_usage={"p1": known(usage(), 30)})
    assert only(shares(of), ComputingShare).creation_time == ago(30)


def test_each_share_has_exactly_one_policy() -> None:
    """For one share only, with the rules of its one community."""
    mappings = tuple(
        ProjectMapping(instance="north", project="p1", group=group, role=role)
        for group, role in (("/vo.bio/lab", None), ("/vo.bio/lab", "admin"))
    )
    made = shares(facts([community("vo.bio", projects=mappings)], quotas=(quotas("p1"), quotas("p9"))))
    assert only(made, MappingPolicy) == MappingPolicy(
        id=f"{SHARE}:policy",
        scheme="org.glite.standard",
        rule=("VO:vo.bio", "VOMS:/vo.bio/lab", "VOMS:/vo.bio/lab/Role=admin"),
        share_foreign_key=(SHARE,),
        user_domain_foreign_key=("vo.bio",),
        creation_time=LOADED,
        validity=STATIC,
    )


def test_only_projects_that_are_mapped_and_there_become_shares() -> None:
    """Neither a project that no community works in, nor one that the manager does not know."""
    of = facts([community("vo.bio", "p1", "gone"), community("vo.phys", "p2")], quotas=(quotas("p1"), quotas("p9")))
    of = replace(of, usage={"p2": known(usage("p2"))})
    assert [one.entity.id.rpartition(":")[2] for one in shares(of) if type(one.entity) is ComputingShare] == [
        "p1",
        "p2",
    ]
