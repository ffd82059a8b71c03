"""What every mapper needs: units, sums that stay honest, disclosure, and where facts came from."""

from typing import Any

import pytest

from infoprovider.config.model import Centre
from infoprovider.inventory.model import Ownership
from infoprovider.mapping.context import DYNAMIC, SLOW, STATIC, Units, agreed, oldest_source, refresh_period, total
from tests.mapping.example import (
    CONFIGURATION,
    capacity,
    community,
    facts,
    host,
    image,
    images,
    instance_type,
    known,
    pool,
    pools,
    quotas,
    source,
    types,
    usage,
)


@pytest.mark.parametrize(("values", "sum_"), [([1, 2], 3), ([0], 0), ([], None), ([1, None], None), ([None], None)])
def test_a_sum_is_known_where_all_its_parts_are(values: list[int | None], sum_: int | None) -> None:
    """The known part of a sum is not the sum, and the sum of nothing is not 0."""
    assert total(values) == sum_


@pytest.mark.parametrize(("values", "value"), [(["a", "a"], "a"), (["a", "b"], None), (["a", None], None), ([], None)])
def test_a_value_is_agreed_where_all_have_it(values: list[str | None], value: str | None) -> None:
    """One that is not known agrees with nobody."""
    assert agreed(values) == value


def test_sizes_pass_as_managers_tell_them_or_are_converted() -> None:
    """MiB as MB by practice; with `si` rounded down to what is surely there."""
    assert (Units(si=False).memory(4096), Units(si=False).disk(1.5), Units(si=False).whole_disk(1.9)) == (4096, 1.5, 1)
    assert (Units(si=True).memory(4096), Units(si=True).whole_disk(10.0)) == (4294, 10)
    assert Units(si=True).disk(10.0) == pytest.approx(10.737, abs=0.001)
    assert (Units(si=True).memory(None), Units(si=True).disk(None), Units(si=True).whole_disk(None)) == (None,) * 3


@pytest.mark.parametrize(("validity", "period"), [(DYNAMIC, 150), (SLOW, 1800), (STATIC, 43200)])
def test_unchanged_entities_refresh_well_within_their_validity(validity: int, period: int) -> None:
    """Dynamic ones every two and a half minutes, the others after half of it."""
    assert refresh_period(validity) == period


def of(**centre: Any) -> Any:
    """An instance with public and private things of mapped and other projects."""
    things = (("open", Ownership.PUBLIC, ()), ("mine", Ownership.PROJECTS, ("p1", "p9")))
    things = (*things, ("theirs", Ownership.PROJECTS, ("p9",)), ("nobodys", Ownership.PROJECTS, ()))
    about = [{"id": id_, "ownership": ownership, "projects": projects} for id_, ownership, projects in things]
    return facts(
        [community("vo.bio", "p1")],
        centre=Centre.model_validate({"name": "RC-ONE", **centre}),
        instance_types=types(*(instance_type(**one) for one in about)),
        images=images(*(image(**one) for one in about)),
        capacity=capacity(host()),
    )


@pytest.mark.parametrize(("word", "names"), [("communities", ["mine", "open"]), ("none", ["open"])])
def test_what_is_private_is_published_for_mapped_projects_or_not_at_all(word: str, names: list[str]) -> None:
    """Images and types are disclosed apart; those of other projects never are."""
    instance = of(disclosure={"private_instance_types": word})
    assert [one.id for one in instance.published_types] == names
    assert [one.id for one in instance.published_images] == ["mine", "open"]
    instance = of(disclosure={"private_images": word})
    assert [one.id for one in instance.published_images] == names
    assert [one.id for one in instance.published_types] == ["mine", "open"]
    assert set(instance.host_bounds) == set(instance.type_ids) == {"mine", "open"}


def test_lists_are_taken_in_the_order_of_their_ids() -> None:
    """A manager may list its things as it likes: what names them does not change with it."""
    instance = facts(
        hypervisors=pools(pool("b"), pool("a")),
        instance_types=types(instance_type("b"), instance_type("a")),
        images=images(image("b"), image("a")),
    )
    for things in (instance.pools, instance.published_types, instance.published_images):
        assert [one.id for one in things] == ["a", "b"]


def test_a_project_is_known_by_its_quotas_or_by_its_usage() -> None:
    """A mapped project that neither knows is not there."""
    instance = facts(
        [community("vo.bio", "p1", "p2", "gone")], quotas=(quotas("p1"),), usage=(usage("p2"), usage("p9"))
    )
    assert instance.projects == {"p1", "p2", "p9"}
    assert [one.project for one in instance.mapped_and_there] == ["p1", "p2"]


def test_an_entity_names_its_sources_once_the_defining_one_first() -> None:
    """The configuration, which names everything, is the last."""
    manager = known(usage(), 5)
    instance = facts()
    assert instance.sources(source("images"), manager, None, manager) == (
        source("images"),
        manager.source,
        CONFIGURATION,
    )
    assert instance.sources(CONFIGURATION, manager) == (CONFIGURATION, manager.source)


def test_the_oldest_source_is_the_one_that_was_observed_first() -> None:
    """Of several observations the earliest."""
    assert oldest_source([known(usage(), 5), known(usage(), 50), known(usage(), 7)]) == source("usage", 50)
