"""The attribute lines of many entities at once: the same as one value at a time, whatever the values are."""

from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider import ldif
from infoprovider.glue import entities as glue
from infoprovider.glue.entities import Entity
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of
from infoprovider.glue.vocabulary import ExtendedBoolean
from infoprovider.render.attributes import AttributeLines
from tests.render.documents import MOMENT, filled

TEXTS = st.sampled_from(
    ["plain", "two words", "", " lead", "trail ", ":x", "<x", "dn: x", "a\nb", "é", "e\u0301", "a  b", "a b", "100%"]
)

MOMENTS = (
    MOMENT,
    MOMENT + timedelta(days=1, seconds=1),
    MOMENT + timedelta(microseconds=999_999),
    MOMENT.astimezone(timezone(timedelta(hours=-13))),
)


def values_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    """Whatever the field may hold, trouble included."""
    python = attribute.type.python
    one: st.SearchStrategy[Any] = TEXTS
    if issubclass(python, StrEnum):
        one = st.sampled_from(python)
    elif python is int:
        one = st.integers(0, 10**6)
    elif python is float:
        one = st.floats(allow_nan=False, allow_infinity=False)
    elif python is datetime:
        one = st.sampled_from(MOMENTS)
    return st.lists(one, max_size=3).map(tuple) if attribute.multiple else st.none() | one


def entities_of(cls: type[Entity]) -> st.SearchStrategy[Entity]:
    """Entities of one class with anything in any field."""
    fields = {attribute.field: values_of(attribute) for attribute in attributes_of(cls)[1:]}
    return st.builds(cls, id=st.from_regex("urn:[a-z]{1,8}", fullmatch=True), **fields)


def one_by_one(entity: Entity, *, uppercase: bool = False) -> str:
    """The lines of an entity, field by field."""
    lines = []
    for attribute in attributes_of(type(entity)):
        value = getattr(entity, attribute.field)
        values = value if attribute.multiple else () if value is None else (value,)
        upper = uppercase and attribute.enumeration is ExtendedBoolean
        texts = ldif.safe_values(ldif.text(one).upper() if upper else ldif.text(one) for one in values)
        lines += [ldif.line(str(attribute.ldap), text) for text in texts]
    return "\n".join(lines)


@pytest.mark.parametrize("cls", [glue.ExecutionEnvironment, glue.AdminDomain, glue.ComputingEndpoint])
@given(data=st.data())
def test_a_batch_is_written_as_one_by_one(cls: type[Entity], data: st.DataObject) -> None:
    """Looking at the values of a field together changes no byte of what is written."""
    entities = data.draw(st.lists(entities_of(cls), min_size=1, max_size=4))
    uppercase = data.draw(st.booleans())
    expected = [one_by_one(entity, uppercase=uppercase) for entity in entities]
    assert AttributeLines(cls, uppercase=uppercase).of(entities) == expected


@pytest.mark.parametrize(
    "cls", [cls for cls in ENTITY_CLASSES.values() if issubclass(cls, Entity) and not cls.glue.abstract]
)
def test_every_class_is_written_in_the_order_of_its_fields(cls: type[Entity]) -> None:
    """With every field filled, each attribute of the class has its line, the identifier first."""
    (text,) = AttributeLines(cls).of([filled(cls, "urn:x")])
    assert [line.partition(":")[0] for line in text.split("\n")] == [one.ldap for one in attributes_of(cls)]
