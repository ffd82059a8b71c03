"""LDAP entries back into GLUE entities, by the same field metadata that writes them.

Strict about values, lenient about the rest: attribute names and object classes count in any case, a GLUE class need
not name its parents, and attributes that are not GLUE's (those of the server) are passed over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from infoprovider.errors import QueryError
from infoprovider.glue.entities import Entry
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import attributes_of, class_of, identifier_of, object_class
from infoprovider.ldif import read
from infoprovider.query.values import UNREADABLE, conversion


def to_entity(dn: str, attributes: Mapping[str, Sequence[str]]) -> Entry:
    """Read one entry. Raises QueryError where it is no GLUE 2.0 entry or a value cannot be what GLUE says it is."""
    reader = _reader_of(dn, _object_classes(attributes))
    found: dict[str, Any] = {}
    for name, values in attributes.items():
        field = reader.fields.get(name) or reader.fields.get(name.lower())
        if field is None:
            if name[:5].lower() == "glue2":
                raise _unreadable(dn, f"{name} is no attribute of {object_class(reader.cls)}")
            continue
        if not field.multiple and len(values) != 1:
            raise _unreadable(dn, f"{name} has {len(values)} values and may have one")
        found[field.field] = field.read(dn, name, values)
    if reader.identifier not in found:
        lacking = identifier_of(reader.cls).ldap
        raise _unreadable(dn, f"it has no {lacking}" if lacking else "it names no class that has an identifier")
    return reader.cls(**found)


def read_entities(body: bytes) -> tuple[Entry, ...]:
    """Read every entry of a text of LDIF. Raises QueryError where the text or an entry cannot be read."""
    return tuple(to_entity(record.dn, record.attributes) for record in read(body))


def _unreadable(dn: str, why: str) -> QueryError:
    return QueryError(f"cannot read the entry {dn}: {why}; tell whoever publishes it")


def _object_classes(attributes: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    values = attributes.get("objectClass")
    if values is None:
        values = next((values for name, values in attributes.items() if name.lower() == "objectclass"), ())
    return tuple(values)


@dataclass(frozen=True, slots=True)
class _Field:
    """How to read the values of one LDAP attribute; `convert` is None where text stays text."""

    field: str
    multiple: bool
    convert: Callable[[str], Any] | None
    expected: str

    def read(self, dn: str, name: str, values: Sequence[str]) -> Any:
        """The Python value. Raises QueryError."""
        convert = self.convert
        if convert is None:
            return tuple(values) if self.multiple else values[0]
        try:
            return tuple(map(convert, values)) if self.multiple else convert(values[0])
        except UNREADABLE as error:
            seen = ", ".join(map(repr, values))
            raise _unreadable(dn, f"{name} is {seen}, which is not {self.expected}") from error


@dataclass(frozen=True, slots=True)
class _Reader:
    """What entries of one class are read with; `fields` has the LDAP names as published and in lower case."""

    cls: type[Entry]
    identifier: str
    fields: Mapping[str, _Field]


@lru_cache(maxsize=1024)
def _known_reader_of(object_classes: tuple[str, ...]) -> _Reader | None:
    cls = class_of(object_classes)
    if cls is None:
        return None
    fields = {}
    for attribute in attributes_of(cls):
        field = _field(attribute)
        for name in filter(None, (attribute.ldap, *attribute.aliases)):
            fields[name] = fields[name.lower()] = field
    return _Reader(cls, identifier_of(cls).field, fields)


def _reader_of(dn: str, object_classes: tuple[str, ...]) -> _Reader:
    reader = _known_reader_of(object_classes)
    if reader is None:
        raise _unreadable(dn, f"none of its object classes ({', '.join(object_classes)}) is of GLUE 2.0")
    return reader


def _field(attribute: Attribute) -> _Field:
    convert, expected = conversion(attribute.type)
    return _Field(attribute.field, attribute.multiple, convert, expected)
