"""From what was last known of an instance to facts: what expired is left out, what is declared stands first."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from infoprovider.config.model import Configuration, Instance
from infoprovider.glue.document import Source, Withheld
from infoprovider.inventory.freshness import Freshness
from infoprovider.inventory.model import (
    Facet,
    FacetValue,
    Image,
    Images,
    Machines,
    Network,
    Networks,
    TrustPolicy,
    Usage,
)
from infoprovider.inventory.observation import Observed, Outcome
from infoprovider.mapping.context import CentreContext, InstanceFacts
from infoprovider.publication.facts import facts_of
from infoprovider.store.facets import MemoryFacets
from tests.mapping.example import MANAGER, context, quotas, usage
from tests.publication.demo import LOADED, NOON, configuration, outcome

NORTH = "demo-north"


def instance(**changes: Any) -> Instance:
    """The instance demo-north without anything declared, but for what is given."""
    declared = changes.pop("declared", {})
    whole = configuration().instances[0]
    block = whole.block.model_copy(update={"health": None} | changes)
    return replace(whole, block=block, declared=declared)


def seen(value: FacetValue, facet: Facet, age: timedelta = timedelta(minutes=1), part: str = "") -> Observed:
    """What was observed so long before noon."""
    return Observed(facet=facet, value=value, part=part, observed_at=NOON - age, calls=(f"GET {facet}",))


def known(
    *observed: Observed,
    how: Outcome | None = None,
    of: Instance | None = None,
    at: Configuration | None = None,
    with_manager: bool = True,
) -> InstanceFacts | Withheld:
    """The facts at noon of an instance of which these things were observed."""
    facets = MemoryFacets()
    manager = (seen(MANAGER, Facet.MANAGER),) if with_manager else ()
    for one in (*manager, *observed):
        facets.keep(NORTH, one)
    if how is not None:
        facets.conclude(NORTH, how)
    plain = at or replace(configuration(), freshness={})
    now: CentreContext = replace(context(), now=NOON)
    return facts_of(of or instance(), plain, now, facets)


def facts(*observed: Observed, **about: Any) -> InstanceFacts:
    """The same, where the manager is known."""
    found = known(*observed, **about)
    assert isinstance(found, InstanceFacts)
    return found


def test_declared_quotas_stand_before_what_was_told_of_the_same_project() -> None:
    """Those of other projects stay as they were told."""
    of = replace(instance(), quotas={"p1": quotas("p1", instances=3)})
    told = (seen(quotas(one, instances=9), Facet.QUOTAS, part=one) for one in ("p1", "p2"))
    found = facts(*told, of=of)
    assert {project: one.value.instances for project, one in found.quotas.items()} == {"p1": 3, "p2": 9}
    assert {project: one.source.declared for project, one in found.quotas.items()} == {"p1": True, "p2": False}


def test_what_hosts_tell_of_a_project_is_added_up() -> None:
    """A host of which it is too old no longer counts; a project of which all is too old is withheld."""
    at = replace(configuration(), freshness={Facet.USAGE: Freshness(fresh_for=60, publish_for=600)})
    old = timedelta(minutes=11)
    found = facts(
        seen(Usage(project="p1", running=2), Facet.USAGE, part="p1 on a"),
        seen(Usage(project="p1", running=3), Facet.USAGE, part="p1 on b"),
        seen(Usage(project="p1", running=9), Facet.USAGE, old, part="p1 on c"),
        seen(Usage(project="p2", running=1), Facet.USAGE, old, part="p2 on c"),
        at=at,
    )
    assert {project: one.value.running for project, one in found.usage.items()} == {"p1": 5}
    assert set(found.withheld_projects) == {"p2"}


def test_a_fact_keeps_where_it_came_from() -> None:
    """Facet, instance, project, calls and moment."""
    found = facts(seen(quotas("p1"), Facet.QUOTAS, part="p1"), seen(usage("p2"), Facet.USAGE, part="p2"))
    assert found.quotas["p1"].source == Source(
        facet="quotas",
        instance=NORTH,
        part="p1",
        observed_at=NOON - timedelta(minutes=1),
        calls=("GET quotas",),
    )
    assert (set(found.quotas), set(found.usage)) == ({"p1"}, {"p2"})
    assert (found.images, found.capacity, found.prices) == (None, None, None)


@pytest.mark.parametrize(("age", "there"), [(timedelta(hours=23), True), (timedelta(hours=24), False)])
def test_an_expired_fact_is_not_a_fact(age: timedelta, there: bool) -> None:
    """Images that were not told of for a day are withheld; the rest is published."""
    found = facts(seen(Images(images=()), Facet.IMAGES, age), how=outcome(measured=True))
    assert (found.images is not None) is there


def test_each_project_expires_by_itself() -> None:
    """One project that stopped answering takes no other along."""
    found = facts(
        seen(usage("p1"), Facet.USAGE, timedelta(hours=7), "p1"),
        seen(usage("p2"), Facet.USAGE, timedelta(hours=5), "p2"),
        how=outcome(measured=True),
    )
    assert set(found.usage) == {"p2"}


def test_the_operator_says_how_long_a_fact_holds() -> None:
    """Instead of what is usual."""
    patient = replace(configuration(), freshness={Facet.IMAGES: Freshness(fresh_for=60, publish_for=7 * 86400)})
    old = seen(Images(images=()), Facet.IMAGES, timedelta(days=6))
    assert facts(old, how=outcome(measured=True), at=patient).images is not None


def test_a_description_holds_until_it_is_changed() -> None:
    """What was read from a file ages from when it was last read; its stamp stays its own."""
    found = facts(seen(Images(images=()), Facet.IMAGES, timedelta(days=400)), how=outcome(measured=False))
    assert found.images is not None
    assert found.images.source.observed_at == NOON - timedelta(days=400)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (None, "nothing is known of the VM manager of instance demo-north: it was never asked"),
        (
            outcome(measured=True, failed=(Facet.MANAGER,)),
            "nothing is known of the VM manager of instance demo-north: refused",
        ),
        (outcome(measured=True), "nothing is known of the VM manager of instance demo-north"),
    ],
)
def test_without_its_manager_an_instance_is_withheld_with_the_reason(how: Outcome | None, why: str) -> None:
    """Whatever else is known of it: nothing could be said of how to reach it."""
    found = known(seen(Images(images=()), Facet.IMAGES), how=how, with_manager=False)
    assert found == Withheld("ComputingService", "urn:glue2:ComputingService:rc-demo:demo-north", why)


def test_what_is_declared_stands_before_what_was_told() -> None:
    """It is as old as the configuration, and says that it is declared."""
    told, declared = TrustPolicy(model="user"), TrustPolicy(model="site")
    found = facts(seen(told, Facet.TRUST), of=instance(declared={Facet.TRUST: declared}))
    assert found.trust is not None
    assert found.trust.value == declared
    assert found.trust.source == Source(facet="trust", instance=NORTH, observed_at=LOADED, declared=True)


def test_a_manager_that_cannot_be_asked_may_be_declared() -> None:
    """Then it needs no observation."""
    found = facts(of=instance(declared={Facet.MANAGER: MANAGER}), with_manager=False)
    assert found.manager.source.declared


def test_parts_of_one_facet_become_one_fact_as_old_as_the_oldest() -> None:
    """What two parts tell alike is one thing, so that a public image does not clash with itself."""
    both = Image(id="a", name="Debian")
    found = facts(
        seen(Images(images=(both, Image(id="b", name="Alma"))), Facet.IMAGES, timedelta(minutes=9), "r1"),
        seen(Images(images=(both,)), Facet.IMAGES, timedelta(minutes=3), "r2"),
    )
    assert found.images is not None
    assert [one.id for one in found.images.value.images] == ["a", "b"]
    assert found.images.source.observed_at == NOON - timedelta(minutes=9)


def test_networks_of_several_parts_are_taken_together() -> None:
    """Each part adds its own."""
    parts = [seen(Networks(networks=(Network(id=id_),)), Facet.NETWORKS, part=id_) for id_ in ("r1", "r2")]
    found = facts(*parts)
    assert found.networks is not None
    assert [one.id for one in found.networks.value.networks] == ["r1", "r2"]


def test_who_runs_what_is_no_fact_for_publishing() -> None:
    """Single machines are for the centre's own operator."""
    found = facts(seen(Machines(machines=()), Facet.MACHINES))
    assert not hasattr(found, "machines")
