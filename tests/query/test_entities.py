"""LDAP entries back into GLUE entities."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infoprovider.errors import QueryError
from infoprovider.glue import entities
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, identifier_of, object_classes_of, rdn_attribute_of
from infoprovider.glue.vocabulary import ExtendedBoolean, ServingState
from infoprovider.query.entities import to_entity

DN = "GLUE2ShareID=urn:s,o=glue"
PUBLISHED = [cls for cls in ENTITY_CLASSES.values() if cls is not entities.Entity]

TEXT = st.text(min_size=1, max_size=12)
VALUES: dict[type, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)),
}


def values_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    """Whatever the field may hold."""
    python = attribute.type.python
    one = st.sampled_from(python) if issubclass(python, StrEnum) else VALUES[python]
    if attribute.multiple:
        return st.lists(one, max_size=3).map(tuple)
    return one if attribute.ldap and attribute.name in ("ID", "LocalID") else st.none() | one


def entities_of(cls: type[entities.Entry]) -> st.SearchStrategy[entities.Entry]:
    """Entities of a class with any of its fields."""
    return st.builds(cls, **{attribute.field: values_of(attribute) for attribute in attributes_of(cls)})


def text_of(value: Any) -> str:
    """A value as LDAP has it."""
    if isinstance(value, datetime):
        return value.strftime("%4Y-%m-%dT%H:%M:%SZ")
    return repr(value) if isinstance(value, float) else str(value)


def as_entry(entity: entities.Entry) -> dict[str, list[str]]:
    """The attributes of an entity's LDAP entry."""
    entry = {"objectClass": list(object_classes_of(type(entity)))}
    for attribute in attributes_of(type(entity)):
        value = getattr(entity, attribute.field)
        values = value if attribute.multiple else () if value is None else (value,)
        if values:
            entry[str(attribute.ldap)] = [text_of(one) for one in values]
    return entry


@pytest.mark.parametrize("cls", PUBLISHED, ids=lambda cls: cls.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_an_entity_comes_back_as_it_went(cls: type[entities.Entry], data: st.DataObject) -> None:
    """Of every class, with any values: written as an LDAP entry and read again it is the same."""
    entity = data.draw(entities_of(cls))
    assert to_entity("o=glue", as_entry(entity)) == entity


def share(**changes: Sequence[str]) -> dict[str, Sequence[str]]:
    """An entry of a share with some attributes changed."""
    entry: dict[str, Sequence[str]] = {
        "objectClass": ["GLUE2Entity", "GLUE2Share", "GLUE2ComputingShare"],
        "GLUE2ShareID": ["urn:s"],
    }
    return entry | changes


def test_names_count_in_any_case_and_the_server_s_own_attributes_do_not_count() -> None:
    """A reader takes what servers and tools return: other capitals, `top`, operational attributes, leaf class only."""
    entry = {
        "OBJECTCLASS": ["top", "glue2computingshare"],
        "glue2shareid": ["urn:s"],
        "GLUE2COMPUTINGSHARESERVINGSTATE": ["draining"],
        "Glue2ComputingSharePreemption": ["undefined"],
        "GLUE2EntityOtherInfo": ["b", "a"],
        "entryDN": [DN],
        "structuralObjectClass": ["GLUE2ComputingShare"],
    }
    assert to_entity(DN, entry) == entities.ComputingShare(
        id="urn:s",
        serving_state=ServingState.DRAINING,
        preemption=ExtendedBoolean.UNDEFINED,
        other_info=("b", "a"),
    )


def test_a_group_may_go_by_an_older_name() -> None:
    """GLUE2GroupName is an alias of GLUE2GroupID."""
    assert to_entity("x", {"objectClass": ["GLUE2Group"], "GLUE2GroupName": ["grid"]}) == entities.Group(id="grid")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-01-31T12:00:00Z", datetime(2025, 1, 31, 12, tzinfo=UTC)),
        ("2025-01-31T13:00:00+01:00", datetime(2025, 1, 31, 12, tzinfo=UTC)),
        ("2025-01-31T12:00:00.5Z", datetime(2025, 1, 31, 12, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_utc(text: str, moment: datetime) -> None:
    """Whatever offset it was written with."""
    read = to_entity(DN, share(GLUE2EntityCreationTime=[text]))
    assert isinstance(read, entities.ComputingShare)
    assert read.creation_time == moment
    assert read.creation_time.tzinfo is UTC


UNREADABLE: list[tuple[Mapping[str, Sequence[str]], str]] = [
    (
        share(GLUE2ComputingShareTotalJobs=["many"]),
        "GLUE2ComputingShareTotalJobs is 'many', which is not a whole number",
    ),
    (share(GLUE2EntityValidity=["1_000"]), "GLUE2EntityValidity is '1_000', which is not a whole number"),
    (share(GLUE2EntityValidity=["٣"]), "GLUE2EntityValidity is '٣', which is not a whole number"),
    (
        share(GLUE2ComputingShareServingState=["Production"]),
        "GLUE2ComputingShareServingState is 'Production', which is not one of closed, draining, production, queueing",
    ),
    (
        share(GLUE2EntityCreationTime=["2025-01-31T12:00:00"]),
        "GLUE2EntityCreationTime is '2025-01-31T12:00:00', which is not a moment such as 2025-01-31T12:00:00Z",
    ),
    (
        share(GLUE2EntityCreationTime=["0001-01-01T00:00:00+01:00"]),
        "GLUE2EntityCreationTime is '0001-01-01T00:00:00+01:00', which is not a moment such as 2025-01-31T12:00:00Z",
    ),
    (
        {"objectClass": ["GLUE2Benchmark"], "GLUE2BenchmarkID": ["b"], "GLUE2BenchmarkValue": ["nan"]},
        "GLUE2BenchmarkValue is 'nan', which is not a number",
    ),
    (
        {"objectClass": ["GLUE2Benchmark"], "GLUE2BenchmarkID": ["b"], "GLUE2BenchmarkValue": ["1e999"]},
        "GLUE2BenchmarkValue is '1e999', which is not a number",
    ),
    (share(GLUE2ShareDescription=["a", "b"]), "GLUE2ShareDescription has 2 values and may have one"),
    (share(GLUE2ShareDescription=[]), "GLUE2ShareDescription has 0 values and may have one"),
    (share(GLUE2EndpointURL=["https://x"]), "GLUE2EndpointURL is no attribute of GLUE2ComputingShare"),
    ({"objectClass": ["GLUE2Share"]}, "it has no GLUE2ShareID"),
    ({"objectClass": ["GLUE2Entity"], "GLUE2EntityName": ["n"]}, "it names no class that has an identifier"),
    ({"objectClass": ["organization"], "o": ["glue"]}, "none of its object classes (organization) is of GLUE 2.0"),
    ({"o": ["glue"]}, "none of its object classes () is of GLUE 2.0"),
]


@pytest.mark.parametrize(("entry", "why"), UNREADABLE, ids=[why for _, why in UNREADABLE])
def test_what_cannot_be_read_is_named(entry: Mapping[str, Sequence[str]], why: str) -> None:
    """The message has the entry's name, the attribute, the value, and what was expected."""
    with pytest.raises(
        QueryError, match=f"^cannot read the entry {re.escape(DN)}: {re.escape(why)}; tell whoever publishes it$"
    ):
        to_entity(DN, entry)


@pytest.mark.parametrize("cls", PUBLISHED, ids=lambda cls: cls.__name__)
def test_every_class_is_known_by_its_own_object_class_alone(cls: type[entities.Entry]) -> None:
    """The parents need not be named."""
    entry = {"objectClass": [object_classes_of(cls)[-1]], rdn_attribute_of(cls): ["urn:x"]}
    assert to_entity("x", entry) == cls(**{identifier_of(cls).field: "urn:x"})
