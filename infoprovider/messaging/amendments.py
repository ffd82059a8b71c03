"""A unit by its fields, so that a delta can carry those that were touched and leave out the others.

An amendment is a unit with some of its fields only: whoever has the unit puts them in the place of its own. That works
where the unit has the same fields before and after, in the same order; every other change carries the whole unit.
Fields are the keys of an entity of JSON (`Associations` is one), or the attributes of an entry of LDIF.
"""

import json
from collections.abc import Collection
from typing import Any, TypeAlias

from infoprovider.errors import MessageRefused
from infoprovider.glue.json_layout import as_text
from infoprovider.messaging.units import ContentType

_Fields: TypeAlias = dict[str, Any]


def touched_fields(before: bytes, after: bytes, content_type: ContentType) -> frozenset[str] | None:
    """The fields in which two states of a unit differ; None where they have not the same ones."""
    (head, old), (new_head, new) = _taken_apart(before, content_type), _taken_apart(after, content_type)
    if head != new_head or list(old) != list(new):
        return None
    return frozenset(name for name, value in new.items() if old[name] != value)


def amendment_of(unit: bytes, fields: Collection[str], content_type: ContentType) -> bytes:
    """The unit with nothing but these fields, and what names it."""
    head, found = _taken_apart(unit, content_type)
    kept = {name: value for name, value in found.items() if name in fields or name == "ID"}
    return _put_together(head, kept, content_type)


def amended(unit: bytes | None, amendment: bytes, content_type: ContentType) -> bytes:
    """The unit with the fields of an amendment. Raises MessageRefused where it has not all of them."""
    if unit is None:
        raise MessageRefused("amends a unit that is not there")
    (head, fields), (its_head, its_fields) = _taken_apart(unit, content_type), _taken_apart(amendment, content_type)
    if head != its_head or not its_fields.keys() <= fields.keys():
        raise MessageRefused("amends what the unit does not have")
    return _put_together(head, fields | its_fields, content_type)


def _taken_apart(unit: bytes, content_type: ContentType) -> tuple[bytes, _Fields]:
    """What names the unit, and its fields in their order. Attributes whose lines stand apart make no fields."""
    if content_type is ContentType.JSON:
        name, _, line = unit.partition(b" ")
        return name, json.loads(line)
    first, *lines = unit.split(b"\n")
    fields: _Fields = {}
    last = ""
    for line in lines:
        attribute = line.partition(b":")[0].decode()
        if attribute == last:
            fields[attribute].append(line)
        elif attribute in fields:
            return unit, {}
        else:
            fields[attribute] = [line]
        last = attribute
    return first, fields


def _put_together(head: bytes, fields: _Fields, content_type: ContentType) -> bytes:
    if content_type is ContentType.JSON:
        return head + b" " + as_text(fields).encode()
    return b"\n".join([head, *(line for lines in fields.values() for line in lines)])
