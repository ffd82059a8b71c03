"""The attribute lines of many entities of one class at once.

A value is only safe to write after `ldif.safe` has looked at it, and looking at each of two million values takes longer
than writing them. So the values of one field are proven harmless together, by a few passes over their joined text that
run at the speed of memory; only where that fails is each of them looked at. What all of them have alike is looked at
and written once.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, TypeAlias

from infoprovider import ldif
from infoprovider.glue.entities import Entity
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import attributes_of
from infoprovider.glue.vocabulary import ExtendedBoolean

Column: TypeAlias = Sequence[Any]
"""What each of the entities has in one field."""

Part: TypeAlias = str | Iterable[str]
"""A text that all entities have, or a column with the text of each."""

Writer: TypeAlias = Callable[[Any], str]
"""From what an entity has in a field to its lines, each with the line feed before it; none for no value."""

ColumnWriter: TypeAlias = Callable[[Writer, Column], tuple[Part, ...]]
"""The same for many entities, from left to right; it is given the writer for those to be written one by one."""


class AttributeLines:
    """Writes the attribute lines of entities of one class; `uppercase` is for the values of extended booleans."""

    def __init__(self, cls: type[Entity], *, uppercase: bool = False) -> None:
        attributes = attributes_of(cls)
        self._values = attrgetter(*(attribute.field for attribute in attributes))
        identifier, *others = attributes
        self._identifier = identifier.ldap or identifier.name
        self._writers = [_writers_of(attribute, uppercase) for attribute in others]

    def of(self, entities: Iterable[Entity]) -> list[str]:
        """The lines of each entity, of which there is at least one, as one text without a line feed at its end."""
        identifiers, *columns = zip(*map(self._values, entities), strict=True)
        parts = [*_identifiers(self._identifier, identifiers)]
        for (write, write_many), column in zip(self._writers, columns, strict=True):
            alike = column.count(column[0]) == len(column)
            parts += (write(column[0]),) if alike else write_many(write, column)
        return _joined(parts)


def _joined(parts: Iterable[Part]) -> list[str]:
    """The text of each entity; the columns say how many there are, since what is shared never ends."""
    columns: list[Iterable[str]] = []
    shared = ""
    for part in parts:
        if isinstance(part, str):
            shared += part
        else:
            columns += repeat(shared), part
            shared = ""
    return list(map("".join, zip(*columns, repeat(shared))))


def _identifiers(name: str, column: Column) -> tuple[Part, ...]:
    """The first line; all others bring the line feed before them, so that any of them can be absent."""
    if ldif.harmless(column):
        return f"{name}: ", column
    return ([ldif.line(name, ldif.safe(value)) for value in column],)


def _writers_of(attribute: Attribute, uppercase: bool) -> tuple[Writer, ColumnWriter]:
    name = attribute.ldap or attribute.name
    if attribute.multiple:
        return partial(_lines, name), partial(_several, name)
    if attribute.enumeration is ExtendedBoolean and uppercase:
        return partial(_capitals, name), _repeated
    by_type: dict[type, ColumnWriter] = {
        str: partial(_texts, name),
        int: partial(_whole_numbers, name),
        datetime: partial(_moments, name),
    }
    return partial(_line, name), by_type.get(attribute.type.python, _repeated)


def _line(name: str, value: object) -> str:
    safe = "" if value is None else ldif.safe(ldif.text(value))
    return f"\n{ldif.line(name, safe)}" if safe else ""


def _capitals(name: str, value: str | None) -> str:
    return _line(name, value and value.upper())


def _lines(name: str, values: Iterable[str]) -> str:
    return "".join(f"\n{ldif.line(name, value)}" for value in ldif.safe_values(values))


def _one_by_one(write: Writer, column: Column) -> tuple[Part, ...]:
    return (list(map(write, column)),)


def _repeated(write: Writer, column: Column) -> tuple[Part, ...]:
    """Where the same values come again and again, as the words of an enumeration do."""
    lines = {value: write(value) for value in set(column)}
    return ([lines[value] for value in column],)


def _whole_numbers(name: str, write: Writer, column: Column) -> tuple[Part, ...]:
    return _one_by_one(write, column) if None in column else (f"\n{name}: ", map(str, column))


def _moments(name: str, write: Writer, column: Column) -> tuple[Part, ...]:
    if {value and value.tzinfo for value in column} != {UTC}:
        return _repeated(write, column)
    days = {day: f"\n{name}: {day}T" for day in set(map(datetime.date, column))}
    return ([f"{days[value.date()]}{value.time().isoformat('seconds')}Z" for value in column],)


def _texts(name: str, write: Writer, column: Column) -> tuple[Part, ...]:
    present = [value for value in column if value is not None]
    if not ldif.harmless(present):
        return _one_by_one(write, column)
    if len(present) == len(column):
        return f"\n{name}: ", column
    return (["" if value is None else f"\n{name}: {value}" for value in column],)


def _several(name: str, write: Writer, column: Column) -> tuple[Part, ...]:
    values = list(chain.from_iterable(column))
    if not ldif.harmless(values):
        return _one_by_one(write, column)
    if len(frozenset(values)) < len(values) and sum(map(len, map(frozenset, column))) < len(values):
        return _one_by_one(write, column)
    between = f"\n{name}: "
    return ([between + between.join(entries) if entries else "" for entries in column],)
