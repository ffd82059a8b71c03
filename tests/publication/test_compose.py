"""The current document: the same facets give the same bytes, and a changed number changes what states it."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest

from infoprovider.config.model import TemplateSet
from infoprovider.glue.document import content_digest
from infoprovider.glue.entities import ComputingEndpoint, ComputingShare
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Observed
from infoprovider.publication.compose import Composition, compose
from infoprovider.publication.cycle import Tree, render
from infoprovider.publication.stamps import Former
from infoprovider.store.facets import MemoryFacets
from tests.publication.demo import LOADED, NOON, OBSERVED, changing, configuration, facets, observations, outcome

T = TypeVar("T")

BIOLOGY, CLIMATE, PHYSICS, STAFF = (f"5f1c7c1e9d0a4a7f8a7d3c1b2e60400{digit}" for digit in "1239")


def composed(given: MemoryFacets | None = None) -> Composition:
    """The document of the demonstration centre at noon, as if nothing had been published before."""
    return compose(configuration(), given or facets(), Former(), NOON)


def contents(composition: Composition) -> dict[str, str]:
    """What each entity says, its stamp apart, by a short form of its identifier."""
    return {
        entity.id.removeprefix("urn:glue2:").replace("rc-demo:demo-", ""): content_digest(entity)
        for entity in composition.document.entities
    }


def at(things: tuple[T, ...], number: int, change: Callable[[T], T]) -> tuple[T, ...]:
    """The same things with one of them changed."""
    return (*things[:number], change(things[number]), *things[number + 1 :])


def named(things: tuple[T, ...], id_: str, **changes: Any) -> tuple[T, ...]:
    """The same things, that of this id with other values."""
    return tuple(replace(one, **changes) if one.id == id_ else one for one in things)  # type: ignore[attr-defined, type-var]


def host(number: int, **more: int) -> Callable[[Any], Any]:
    """So much more in use on one host, and in the sums."""

    def change(capacity: Any) -> Any:
        def used(holder: Any) -> Any:
            return replace(holder, **{name: getattr(holder, name) + value for name, value in more.items()})

        return replace(used(capacity), hosts=at(capacity.hosts, number, used))

    return change


NORTH = [f"ComputingShare:north:{project}" for project in (BIOLOGY, CLIMATE, PHYSICS)]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        pytest.param(
            # 100 vCPUs of the emptiest host but one: what each project could start of the larger types.
            (Facet.CAPACITY, host(9, vcpus_used=100)),
            NORTH,
            id="vcpus used on one host",
        ),
        pytest.param(
            # 60 GiB there: the free memory of all, and one machine of 128 GiB less for the project without other bound.
            (Facet.CAPACITY, host(9, memory_used_mib=61440)),
            ["ComputingManager:north", f"ComputingShare:north:{CLIMATE}"],
            id="memory used on one host",
        ),
        pytest.param(
            (Facet.CAPACITY, lambda value: replace(value, vcpus=value.vcpus + 1)),
            ["ComputingManager:north"],
            id="vcpus of all hosts",
        ),
        pytest.param(
            (Facet.QUOTAS, lambda value: replace(value, instances=value.instances + 1), BIOLOGY),
            [f"ComputingShare:north:{BIOLOGY}"],
            id="one project's quota of machines",
        ),
        pytest.param(
            (Facet.QUOTAS, lambda value: replace(value, instances=value.instances + 1), STAFF),
            [],
            id="the quota of a project that is not published",
        ),
        pytest.param(
            # The smallest type: its memory is also what every share guarantees.
            (
                Facet.INSTANCE_TYPES,
                lambda value: replace(value, instance_types=named(value.instance_types, "c1.tiny", memory_mib=3072)),
            ),
            [*NORTH, "ExecutionEnvironment:north:c1.tiny"],
            id="memory of the smallest type",
        ),
        pytest.param(
            # One project's own type, the largest that it may use.
            (
                Facet.INSTANCE_TYPES,
                lambda value: replace(value, instance_types=named(value.instance_types, "b1.genome", memory_mib=2**18)),
            ),
            [NORTH[0], "ExecutionEnvironment:north:b1.genome"],
            id="memory of a project's own type",
        ),
        pytest.param(
            (
                Facet.IMAGES,
                lambda value: replace(
                    value, images=named(value.images, "0a6f3c52-1f0e-4b7e-9d53-0f6f1a3de001", min_memory_mib=8192)
                ),
            ),
            ["ApplicationEnvironment:north:0a6f3c52-1f0e-4b7e-9d53-0f6f1a3de001"],
            id="memory that an image needs",
        ),
        pytest.param(
            # No type is that large any more: no project can start it.
            (
                Facet.IMAGES,
                lambda value: replace(
                    value, images=named(value.images, "0a6f3c52-1f0e-4b7e-9d53-0f6f1a3de001", min_memory_mib=2**20)
                ),
            ),
            ["ApplicationEnvironment:north:0a6f3c52-1f0e-4b7e-9d53-0f6f1a3de001", *NORTH],
            id="more memory than any type has",
        ),
        pytest.param(
            (Facet.PRICES, lambda value: replace(value, prices=at(value.prices, 0, _dearer))),
            ["ExecutionEnvironment:north:c1.tiny"],
            id="the price of a type",
        ),
        pytest.param(
            (Facet.PRICES, lambda value: replace(value, prices=at(value.prices, 6, _dearer))),
            NORTH,
            id="the price of storage",
        ),
        pytest.param(
            (Facet.USAGE, lambda value: replace(value, running=value.running + 1), BIOLOGY),
            ["ComputingService:north", NORTH[0]],
            id="running machines of a project",
        ),
        pytest.param(
            (Facet.USAGE, lambda value: replace(value, running=value.running + 1), STAFF),
            ["ComputingService:north"],
            id="running machines of a project that is not published",
        ),
        pytest.param(
            (Facet.USAGE, lambda value: replace(value, vcpus=value.vcpus + 1), PHYSICS),
            ["ComputingManager:north", NORTH[2]],
            id="vcpus of a project",
        ),
        pytest.param(
            (Facet.USAGE, lambda value: replace(value, holding=value.holding | {"c1.large": 21}), BIOLOGY),
            ["ExecutionEnvironment:north:c1.large"],
            id="machines of a type",
        ),
        pytest.param(
            (Facet.MANAGER, lambda value: replace(value, version="2025.1")),
            [
                "ComputingEndpoint:north:oidc:org.openstack.nova",
                "ComputingEndpoint:north:token:com.amazon.ec2",
                "ComputingEndpoint:north:x509-voms:org.openstack.nova",
                "ComputingManager:north",
            ],
            id="the manager's version",
        ),
        pytest.param(
            (Facet.HYPERVISORS, lambda value: replace(value, pools=at(value.pools, 0, _busier))),
            ["ExecutionEnvironment:north:host-pool:compute"],
            id="hosts in use",
        ),
        pytest.param(
            (Facet.HYPERVISORS, lambda value: replace(value, pools=at(value.pools, 0, _faster))),
            ["Benchmark:north:compute:hep-spec06"],
            id="a benchmark",
        ),
        pytest.param(
            # All types but the two that have a bandwidth of their own.
            (Facet.NETWORKS, lambda value: replace(value, bandwidth_mbps=1)),
            [
                f"ExecutionEnvironment:north:{name}"
                for name in (
                    *("c1.tiny", "c1.small", "c1.medium", "c1.large", "c1.xlarge"),
                    *("m1.large", "d1.large", "v1.medium", "b1.genome"),
                )
            ],
            id="a bandwidth",
        ),
        pytest.param((Facet.MACHINES, lambda value: replace(value, machines=())), [], id="who runs what"),
    ],
)
def test_a_changed_number_changes_exactly_what_states_it_or_follows_from_it(
    change: tuple[Any, ...], changed: list[str]
) -> None:
    """Every other entry stays as it is, so that no BDII above has to touch it."""
    before, after = contents(composed()), contents(composed(changing(*change)))
    assert {id_ for id_ in before | after if before.get(id_) != after.get(id_)} == set(changed)


def _dearer(price: Any) -> Any:
    return replace(price, consumption_fee=price.consumption_fee + 0.001)


def _busier(pool: Any) -> Any:
    return replace(pool, hosts_in_use=pool.hosts_in_use - 1)


def _faster(pool: Any) -> Any:
    (benchmark,) = pool.benchmarks
    return replace(pool, benchmarks=(replace(benchmark, value=benchmark.value + 0.1),))


def body(composition: Composition) -> bytes:
    """The document as the BDII gets it."""
    return render(composition, Tree(TemplateSet.SITE), "lower")


def test_the_same_facets_give_the_same_bytes() -> None:
    """Composed twice, with the stamps of the first time or without."""
    first = composed()
    again = compose(configuration(), facets(), Former(first.stamps, NOON), NOON)
    assert first.document == composed().document == again.document
    assert body(first) == body(composed()) == body(again)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_things_were_observed_changes_nothing(seed: int) -> None:
    """Neither that of the observations, nor that in which a manager lists its images, types, pools and hosts."""
    chance = random.Random(seed)  # noqa: S311  (no secret hangs on it)

    def mixed(values: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(chance.sample(values, len(values)))

    lists = {
        Facet.IMAGES: "images",
        Facet.INSTANCE_TYPES: "instance_types",
        Facet.HYPERVISORS: "pools",
        Facet.CAPACITY: "hosts",
        Facet.ENDORSEMENTS: "endorsements",
    }
    shuffled = MemoryFacets()
    for instance, found in observations().items():
        for one in mixed(found):
            value: Any = one.value
            if one.facet in lists:
                value = replace(value, **{lists[one.facet]: mixed(getattr(value, lists[one.facet]))})
            if one.facet is Facet.USAGE and value.holding:
                value = replace(value, holding=dict(mixed(tuple(value.holding.items()))))
            shuffled.keep(instance, replace(one, value=value))
        shuffled.conclude(instance, outcome())
    assert body(composed(shuffled)) == body(composed())


def test_every_entity_knows_what_it_was_made_of() -> None:
    """The first source is the one whose moment it carries; the configuration is always among them."""
    document = composed().document
    for made in document.made:
        assert made.made_of[0].observed_at == made.entity.creation_time
        assert [source for source in made.made_of if source.facet == "configuration"]
        assert len(set(made.made_of)) == len(made.made_of)
    share = next(one for one in document.of(ComputingShare) if one.id.endswith(BIOLOGY))
    assert {(source.facet, source.part) for source in document.made_of(share.id)} >= {
        ("quotas", BIOLOGY),
        ("usage", BIOLOGY),
        ("capacity", ""),
        ("images", ""),
    }
    assert not [source for made in document.made for source in made.made_of if source.facet == "machines"]


def test_the_demonstration_centre_is_whole() -> None:
    """Nothing is withheld and nothing dangles; no project but the mapped ones is named."""
    document = composed().document
    assert (document.withheld, document.pruned) == ((), ())
    shown = repr(document.entities)
    assert STAFF not in shown
    assert "Staff desktop" not in shown


def test_no_stamp_lies_in_the_future_or_is_newer_than_what_is_behind_it() -> None:
    """Every CreationTime is the observation of a defining source, at the latest now."""
    for made in composed().document.made:
        assert made.entity.creation_time in (OBSERVED, LOADED)


def test_the_document_is_as_old_as_the_oldest_fact_in_it() -> None:
    """What channels are told of its age."""
    assert composed().oldest_observation == LOADED


FAST = (Facet.CAPACITY, Facet.QUOTAS, Facet.USAGE, Facet.MACHINES)


@pytest.mark.parametrize(
    ("change", "expires_at"),
    [
        (lambda one: one, OBSERVED + timedelta(hours=6)),  # capacity
        (lambda one: None if one.facet in FAST else one, OBSERVED + timedelta(days=1)),  # manager
        (
            lambda one: replace(one, observed_at=NOON - timedelta(days=6)) if one.facet is Facet.PRICES else None,
            NOON + timedelta(days=1),
        ),
        # What has expired already is not in the document, and its expiry is not the document's.
        (
            lambda one: replace(one, observed_at=NOON - timedelta(days=9)) if one.facet is Facet.CAPACITY else one,
            OBSERVED + timedelta(hours=6),
        ),
        (lambda _: None, NOON + timedelta(days=1)),
    ],
)
def test_a_document_expires_with_the_first_of_its_facets(
    change: Callable[[Observed], Observed | None], expires_at: datetime
) -> None:
    """What is handed out then holds something that is to be withheld; without any facet it lasts a day."""
    given = facets(change)
    for instance in observations():
        given.conclude(instance, outcome(measured=True))
    assert compose(replace(configuration(), freshness={}), given, Former(), NOON).expires_at == expires_at


def test_a_description_does_not_expire_while_it_is_read() -> None:
    """It ages from when it was last read, not from when it was written."""
    old = facets(lambda one: replace(one, observed_at=NOON - timedelta(days=9)))
    composition = compose(replace(configuration(), freshness={}), old, Former(), NOON)
    assert composition.expires_at == NOON + timedelta(hours=6)
    assert len(composition.document.made) == len(composed().document.made)


def test_health_is_what_was_declared_or_not_known() -> None:
    """Reading a file is no measurement: one of the two managers has its operator's word, the other has nothing."""
    endpoints = composed().document.of(ComputingEndpoint)
    assert {(one.id.split(":")[4], one.health_state, one.health_state_info) for one in endpoints} == {
        ("demo-north", "ok", "looked at by the operators every morning"),
        ("demo-south", "unknown", None),
    }
