"""Facets to and from JSON: nothing is lost, nothing unknown is taken."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from infoprovider.inventory.codec import from_json, to_json, to_plain
from infoprovider.inventory.model import (
    FACET_TYPES,
    Capacity,
    Endorsement,
    Endorsements,
    Facet,
    HostCapacity,
    InstanceType,
    InstanceTypes,
    Ownership,
    Price,
    Prices,
    Quotas,
)

counts = st.none() | st.integers(min_value=0, max_value=2**31 - 1)
sizes = st.none() | st.floats(min_value=0, max_value=1e9)
limits = counts | st.just("unlimited")
texts = st.text(max_size=20)
moments = st.none() | st.datetimes(min_value=datetime(2000, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))

hosts = st.builds(
    HostCapacity,
    pool=st.none() | texts,
    usable=st.booleans(),
    vcpus=st.integers(0, 1000),
    vcpus_used=st.integers(0, 1000),
    memory_mib=st.integers(0, 2**31),
    memory_used_mib=st.integers(0, 2**31),
    disk_gib=sizes,
)
VALUES: dict[Facet, st.SearchStrategy[Any]] = {
    Facet.CAPACITY: st.builds(
        Capacity, vcpus=counts, disk_gib=sizes, disk_is_shared=st.none() | st.booleans(), hosts=st.tuples(hosts)
    ),
    Facet.QUOTAS: st.builds(Quotas, project=texts, instances=limits, vcpus=limits, max_run_time_s=counts),
    Facet.INSTANCE_TYPES: st.builds(
        InstanceTypes,
        instance_types=st.tuples(
            st.builds(
                InstanceType,
                id=texts,
                vcpus=st.integers(0, 99),
                memory_mib=st.integers(0, 2**31),
                ownership=st.sampled_from(Ownership),
                projects=st.tuples(texts),
                pools=st.none() | st.just(()) | st.tuples(texts),
            )
        ),
    ),
    Facet.ENDORSEMENTS: st.builds(
        Endorsements,
        endorsements=st.tuples(st.builds(Endorsement, identifier=texts, endorser=texts, expires_at=moments)),
    ),
    Facet.PRICES: st.builds(
        Prices, prices=st.tuples(st.builds(Price, resource=texts, currency=texts, fix_fee=sizes, valid_until=moments))
    ),
}


@settings(deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_again(data: st.DataObject) -> None:
    """None, zero and empty stay apart, and so do moments, limits and enumerations."""
    facet = data.draw(st.sampled_from(sorted(VALUES)))
    value = data.draw(VALUES[facet])
    assert from_json(facet, to_json(facet, value)) == value


def test_a_facet_is_one_line() -> None:
    """Line by line is how answers travel."""
    text = to_json(Facet.PRICES, Prices(prices=(Price(resource="a\nb", currency="EUR"),)))
    assert b"\n" not in text


def test_plain_data_are_those_of_json() -> None:
    """Enumerations and moments are text, tuples are lists."""
    plain = to_plain(Facet.INSTANCE_TYPES, InstanceTypes(instance_types=(InstanceType(id="a", vcpus=1, memory_mib=2),)))
    assert isinstance(plain["instance_types"], list)
    assert type(plain["instance_types"][0]["ownership"]) is str


@pytest.mark.parametrize(
    ("facet", "text"),
    [
        (Facet.QUOTAS, '{"project": "a", "vcpu": 3}'),
        (Facet.QUOTAS, '{"vcpus": 3}'),
        (Facet.QUOTAS, '{"project": "a", "vcpus": "3"}'),
        (Facet.QUOTAS, '{"project": "a", "vcpus": -1}'),
        (Facet.CAPACITY, "[]"),
        (Facet.ENDORSEMENTS, '{"endorsements": [{"identifier": "a", "endorser": "b", "expires_at": "2030-01-01"}]}'),
    ],
    ids=["unknown key", "missing key", "text for a number", "negative", "another shape", "moment without a zone"],
)
def test_what_is_not_the_facet_is_refused(facet: Facet, text: str) -> None:
    """A provider in another language is told that it is wrong, before anything is published."""
    with pytest.raises(ValidationError):
        from_json(facet, text)


def test_every_facet_has_a_value_type_of_its_own() -> None:
    """A facet is known by its value, so no two share a type and none is left out."""
    assert set(FACET_TYPES) == set(Facet)
    assert len(set(FACET_TYPES.values())) == len(Facet)
