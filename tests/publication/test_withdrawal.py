"""What has expired is withdrawn, each facet by itself: its entries go, and what it only decorates stays without it."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from infoprovider.config.model import Configuration, Defaults
from infoprovider.glue.document import Document
from infoprovider.glue.entities import (
    ApplicationEnvironment,
    ComputingEndpoint,
    ComputingManager,
    ComputingService,
    ComputingShare,
    Entity,
    ExecutionEnvironment,
)
from infoprovider.inventory.freshness import default_freshness
from infoprovider.inventory.model import Facet, TrustPolicy
from infoprovider.inventory.observation import Observed
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.store.facets import MemoryFacets
from tests.publication.demo import NOON, configuration, facets, outcome

NORTH = "demo-north"


def plain() -> Configuration:
    """The demonstration centre with what is usual for its facets, and nothing declared but what GLUE demands."""
    defaults = Defaults(platform="amd64", os_family="linux")
    instances = tuple(
        replace(one, declared={}, block=one.block.model_copy(update={"defaults": defaults}))
        for one in configuration().instances
    )
    return replace(configuration(), freshness={}, every={}, instances=instances)


def known(facet: Facet, *, seconds_left: float, part: str | None = None) -> MemoryFacets:
    """The centre as it was just measured, but for one facet of demo-north, which expires in so many seconds."""
    at = NOON - timedelta(seconds=default_freshness(facet).publish_for - seconds_left)
    kept = facets()
    kept.keep(NORTH, Observed(facet=Facet.TRUST, value=TrustPolicy(model="site"), observed_at=NOON))
    for one in kept.observations(NORTH):
        is_meant = one.facet is facet and part in (None, one.part)
        kept.keep(NORTH, replace(one, observed_at=at if is_meant else NOON))
    for instance in configuration().instances:
        kept.conclude(instance.name, outcome(NOON, measured=True))
    return kept


def published(facet: Facet, *, seconds_left: float, part: str | None = None) -> Document:
    """What is published at noon."""
    return compose(plain(), known(facet, seconds_left=seconds_left, part=part), Former(), NOON).document


def of_north(document: Document) -> dict[str, Entity]:
    """The entities of demo-north, by ID."""
    return {one.id: one for one in document.entities if f":{NORTH}" in one.id}


@dataclass(frozen=True)
class Loss:
    """What goes with a facet: whole kinds of entities, and what is said of others."""

    kinds: tuple[str, ...] = ()
    words: tuple[tuple[type[Entity], str], ...] = ()


LOSSES = {
    Facet.MANAGER: Loss(("ComputingService", "ComputingManager", "ComputingEndpoint", "ComputingShare")),
    Facet.HYPERVISORS: Loss(("host-pool", "Benchmark"), ((ComputingManager, "HypervisorName="),)),
    Facet.CAPACITY: Loss(words=((ComputingManager, "total_slots"), (ComputingManager, "TotalMemory="))),
    Facet.INSTANCE_TYPES: Loss(("instance-type",), ((ComputingShare, "resource_foreign_key"),)),
    Facet.IMAGES: Loss(("ApplicationEnvironment",), ((ComputingShare, "Image="),)),
    Facet.QUOTAS: Loss(words=((ComputingShare, "max_total_jobs"), (ComputingShare, "QuotaCPU="))),
    Facet.USAGE: Loss(words=((ComputingService, "running_jobs"), (ComputingShare, "used_slots"))),
    Facet.NETWORKS: Loss(words=((ExecutionEnvironment, "PublicIPv4="), (ComputingShare, "PublicNetworkName="))),
    Facet.TRUST: Loss(words=((ComputingEndpoint, "ImageTrust.Model="),)),
    Facet.ENDORSEMENTS: Loss(words=((ApplicationEnvironment, "state"), (ApplicationEnvironment, "Image.Endorser="))),
    Facet.PRICES: Loss(words=((ExecutionEnvironment, "Price.Currency="),)),
    Facet.MACHINES: Loss(),
}


def kind(entity: Entity) -> str:
    """The class of an entity, instance types and host classes apart."""
    if isinstance(entity, ExecutionEnvironment):
        return "host-pool" if ":host-pool:" in entity.id else "instance-type"
    return type(entity).__name__


def says(entities: dict[str, Entity], cls: type[Entity], word: str) -> bool:
    """Whether an entity of a class has an attribute, or a key of OtherInfo where the word ends in `=`."""
    ours = [one for one in entities.values() if type(one) is cls]
    if word.endswith("="):
        return any(value.startswith(word) for one in ours for value in one.other_info)
    return any(getattr(one, word) not in (None, ()) for one in ours)


def test_every_facet_has_its_loss() -> None:
    """None is forgotten here."""
    assert set(LOSSES) == set(Facet)


@pytest.mark.parametrize("facet", list(Facet))
def test_until_it_expires_everything_is_there(facet: Facet) -> None:
    """A second before."""
    there = of_north(published(facet, seconds_left=1))
    loss = LOSSES[facet]
    assert set(loss.kinds) <= {kind(one) for one in there.values()}
    for cls, word in loss.words:
        assert says(there, cls, word), word


@pytest.mark.parametrize("facet", list(Facet))
def test_when_it_expires_its_entries_go_and_others_lose_what_it_said(facet: Facet) -> None:
    """And nothing else: no other kind of entity, none of the other instance."""
    whole, left = published(facet, seconds_left=1), published(facet, seconds_left=0)
    before, after = of_north(whole), of_north(left)
    loss = LOSSES[facet]
    gone = {kind(one) for one in before.values()} - {kind(one) for one in after.values()}
    assert gone >= set(loss.kinds)
    if facet is Facet.MANAGER:
        assert after == {}
    else:
        assert gone == set(loss.kinds)
        kept = {id_ for id_, one in before.items() if kind(one) not in loss.kinds}
        assert after.keys() == kept
    for cls, word in loss.words:
        assert not says(after, cls, word), word
    others = [{one for one in document.entities if ":demo-south" in one.id} for document in (whole, left)]
    assert others[0] == others[1]


def test_of_a_project_that_expired_nothing_is_said_and_sums_are_unknown() -> None:
    """One project of several that stopped answering: its share goes, and no sum over the others stands for all."""
    project = configuration().communities[0].projects[0].project
    both = known(Facet.USAGE, seconds_left=0, part=project)
    for one in both.observations(NORTH):
        if one.facet is Facet.QUOTAS and one.part == project:
            both.keep(NORTH, replace(one, observed_at=NOON - timedelta(hours=6)))
    before = of_north(published(Facet.USAGE, seconds_left=1))
    document = compose(plain(), both, Former(), NOON).document
    after = of_north(document)
    share = f"urn:glue2:ComputingShare:rc-demo:{NORTH}:{project}"
    assert before.keys() - after.keys() == {share, f"{share}:policy"}
    services = [one for one in after.values() if isinstance(one, ComputingService)]
    assert [one.running_jobs for one in services] == [None]
    (withheld,) = [one for one in document.withheld if one.id == share]
    assert withheld.why.endswith("what it told of it last, at 2026-11-21 06:00:00Z, has expired")
