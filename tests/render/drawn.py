"""Entities with drawn values, in a centre of every class whose references agree with each other."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from infoprovider.glue.entities import Entity
from infoprovider.glue.fields import LOCAL_ID, Attribute
from infoprovider.glue.names import attributes_of, xml_name
from tests.render.documents import Entities, centre

TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", include_characters="\t\n\r<&>]"),
    max_size=12,
)
ADDRESS = st.from_regex(r"[a-z]{1,5}:[a-zA-Z0-9/._-]{1,12}", fullmatch=True)
WHOLE = {"unsignedInt": 2**32 - 1, "unsignedLong": 2**64 - 1, "int": 2**31 - 1}
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
INFO = st.one_of(TEXT, st.builds("{}={}".format, st.sampled_from(["Key", "Image.Format", "a"]), TEXT))


def agreeing() -> Entities:
    """A centre in which every association says the same as the special one beside it."""
    document = centre()
    return Entities(tuple(_agreeing(entity) for entity in document.entities))


def _agreeing(entity: Entity) -> Entity:
    values = {one.field: getattr(entity, one.field) for one in attributes_of(type(entity))}
    special: dict[str | None, Any] = {}
    for one in reversed(attributes_of(type(entity))):
        if one.target and xml_name(one) and not type(entity).__name__.startswith("To"):
            named = values[one.field] if isinstance(values[one.field], tuple) else (values[one.field],)
            wanted = special.setdefault(xml_name(one), named)
            values[one.field] = wanted if one.multiple else wanted[0]
        elif one.type is LOCAL_ID or one.xsd == "anyURI":
            values[one.field] = ("urn",) if one.multiple else "urn"
    return type(entity)(**values)


def drawn(entity: Entity) -> st.SearchStrategy[Entity]:
    """The same entity with other values in all fields but its ID and its references."""
    values = {
        one.field: st.just(getattr(entity, one.field)) if one.target or one.field == "id" else values_of(one)
        for one in attributes_of(type(entity))
    }
    return st.builds(type(entity), **values)


def values_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    """Whatever the XML schema lets the field hold."""
    one = INFO if attribute.name == "OtherInfo" else _value(attribute)
    least = int(attribute.mult.startswith("1"))
    if attribute.multiple:
        return st.lists(one, min_size=least, max_size=4).map(tuple)
    return one if least else st.none() | one


def _value(attribute: Attribute) -> st.SearchStrategy[Any]:
    kind = attribute.type
    if issubclass(kind.python, StrEnum):
        return st.sampled_from(kind.python)
    if kind is LOCAL_ID:
        return st.from_regex(r"[a-zA-Z][a-zA-Z0-9_.:\-]{0,9}", fullmatch=True)
    if kind.python is str:
        return ADDRESS if attribute.xsd == "anyURI" else TEXT
    if kind.python is int:
        return st.integers(-(2**31) if kind.minimum else 0, WHOLE[attribute.xsd])
    if kind.python is float:
        # The schema's float has 32 bits; the bounds of a latitude are those of its type.
        return st.floats(-179 if kind.minimum != -90 else -90, 90, width=32)
    return MOMENTS
