"""Plain GLUE 2.0 JSON back into GLUE entities (see `render.json`), without trust in who wrote it.

Strict: a key that the class has not, a value of another type or a key that stands twice is refused, for whatever is
passed over here is lost for those who rely on it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infoprovider.errors import QueryError
from infoprovider.glue.entities import Entity
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, json_name
from infoprovider.query.values import UNREADABLE, conversion, finite

MAX_BYTES = 2**30
"""No centre writes more; 100,000 entities are a quarter of it."""

_ASSOCIATIONS = "Associations"


def read_json(body: bytes) -> tuple[Entity, ...]:
    """The entities of a document in its order. Raises QueryError where it, or a value in it, cannot be read."""
    if len(body) > MAX_BYTES:
        raise _refused(f"it has {len(body)} bytes, where no centre needs more than {MAX_BYTES}")
    try:
        plain = json.loads(body, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError as error:
        raise _refused("it is nested too deeply") from error
    except ValueError as error:
        raise _refused(f"it is no JSON: {error}") from error
    if not isinstance(plain, dict):
        raise _refused(f"it is {_named(plain)} instead of an object")
    return tuple(from_json(name, one) for name, members in plain.items() for one in _array(name, members))


def from_json(class_name: str, plain: object) -> Entity:
    """One entity of a class. Raises QueryError."""
    reader = _READERS.get(class_name)
    if reader is None:
        raise _refused(f"{class_name} is no entity of GLUE 2.0")
    if not isinstance(plain, dict):
        raise _refused(f"a {class_name} is {_named(plain)} instead of an object")
    values = dict(plain)
    where = f"{class_name} {values.get('ID', 'without an ID')}"
    associations = values.pop(_ASSOCIATIONS, {})
    if not isinstance(associations, dict):
        raise _unreadable(where, f"{_ASSOCIATIONS} is {_named(associations)} instead of an object")
    found = dict(reader.own[key].value(where, key, value) for key, value in _known(values, reader.own, where))
    found |= (
        reader.associations[key].value(where, key, value)
        for key, value in _known(associations, reader.associations, where)
    )
    if not found.get("id"):
        raise _unreadable(where, "it must have one")
    return reader.cls(**found)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in found if names.count(name) > 1)!r} stands twice in an object")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _array(name: str, members: object) -> list[Any]:
    if not isinstance(members, list):
        raise _refused(f"{name} is {_named(members)} instead of an array")
    return members


def _known(values: Mapping[str, Any], fields: Mapping[str, "_Field"], where: str) -> list[tuple[str, Any]]:
    for key in values:
        if key not in fields:
            raise _unreadable(where, f"{key} is no key of it")
    return list(values.items())


def _refused(why: str) -> QueryError:
    return QueryError(f"cannot read the JSON document: {why}; tell whoever publishes it")


def _unreadable(where: str, why: str) -> QueryError:
    return QueryError(f"cannot read the {where}: {why}; tell whoever publishes it")


def _named(value: object) -> str:
    """A value in a message, not longer than a line."""
    shown = json.dumps(value, default=str)
    return shown if len(shown) <= 80 else f"{shown[:80]}…"


@dataclass(frozen=True, slots=True)
class _Field:
    """How the value of one key becomes that of a field."""

    field: str
    multiple: bool
    type: type
    convert: Callable[[Any], Any] | None
    expected: str

    def value(self, where: str, key: str, value: object) -> tuple[str, Any]:
        """The field and its value. Raises QueryError."""
        if not self.multiple:
            return self.field, self._one(where, key, value)
        if not isinstance(value, list):
            raise _unreadable(where, f"{key} is {_named(value)} instead of an array")
        return self.field, tuple(self._one(where, key, one) for one in value)

    def _one(self, where: str, key: str, value: Any) -> Any:
        # A whole number is a number; true is none, though Python says so.
        fits = type(value) is self.type or (self.type is float and type(value) is int)
        try:
            if fits:
                return value if self.convert is None else self.convert(value)
        except UNREADABLE:
            pass
        raise _unreadable(where, f"{key} is {_named(value)}, which is not {self.expected}")


def _field(attribute: Attribute) -> _Field:
    convert: Callable[[Any], Any] | None
    convert, expected = conversion(attribute.type)
    python = attribute.type.python
    if python is int:
        convert = None
    elif python is float:
        convert = finite
    in_json = str if issubclass(python, str) or python is datetime else python
    return _Field(attribute.field, attribute.multiple, in_json, convert, expected)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What the entities of one class are read with, by key."""

    cls: type[Entity]
    own: Mapping[str, _Field]
    associations: Mapping[str, _Field]


def _reader(cls: type[Entity]) -> _Reader:
    attributes = attributes_of(cls)
    return _Reader(
        cls,
        {json_name(one): _field(one) for one in attributes if not one.target},
        {json_name(one): _field(one) for one in attributes if one.target},
    )


_READERS = {
    name: _reader(cls) for name, cls in ENTITY_CLASSES.items() if issubclass(cls, Entity) and not cls.glue.abstract
}
