"""The attribute lines of many entities of one class at once.

A value is only safe to write after `ldif.safe` has looked at it, and looking at each of two million values takes longer
than writing them. So the values of one field are proven harmless together, by a few passes over their joined text that
run at the speed of memory; only where that fails is each of them looked at.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Any, TypeAlias

from infoprovider import ldif
from infoprovider.glue.entities import Entity
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import attributes_of
from infoprovider.glue.vocabulary import ExtendedBoolean

Column: TypeAlias = Sequence[Any]
Piece: TypeAlias = tuple[str, Column]
"""What one field adds to the pattern of an entry, and the value of each entity that the pattern asks for."""


class AttributeLines:
    """Writes the attribute lines of entities of one class; `uppercase` is for the values of extended booleans."""

    def __init__(self, cls: type[Entity], *, uppercase: bool = False) -> None:
        attributes = attributes_of(cls)
        self._values = attrgetter(*(attribute.field for attribute in attributes))
        self._writers = [_writer_of(attribute, uppercase) for attribute in attributes]

    def of(self, entities: Iterable[Entity]) -> list[str]:
        """The lines of each entity, as one text without a line feed at its end."""
        columns = zip(*map(self._values, entities), strict=True)
        pieces = [write(column) for write, column in zip(self._writers, columns, strict=True)]
        filled = [piece for piece in pieces if piece is not None]
        pattern = "".join(part for part, _ in filled)
        # Each part begins with its line feed, so that one can be absent; the first has nothing to end.
        return [(pattern % row)[1:] for row in zip(*(values for _, values in filled), strict=True)]


def _writer_of(attribute: Attribute, uppercase: bool) -> Callable[[Column], Piece | None]:
    name = attribute.ldap or attribute.name
    if attribute.multiple:
        return partial(_several, name)
    if attribute.enumeration is ExtendedBoolean and uppercase:
        return partial(_spelt, name, str.upper)
    if attribute.target is not None or attribute.enumeration is not None:
        return partial(_repeated, name)
    if attribute.type.python is int:
        return partial(_whole_numbers, name)
    return partial(_texts, name) if attribute.type.python is str else partial(_spelt, name, ldif.text)


def _spelt(name: str, text: Callable[[Any], str], column: Column) -> Piece | None:
    """A field whose values have a spelling of their own, in which nothing can need care."""
    lines = {value: "" if value is None else f"\n{name}: {text(value)}" for value in set(column)}
    return ("%s", [lines[value] for value in column]) if any(lines.values()) else None


def _repeated(name: str, column: Column) -> Piece | None:
    """A field in which the same texts come again and again: a word of an enumeration, an association."""
    present = set(column) - {None}
    if not present:
        return None
    lines = {value: f"\n{name}: {value}" for value in present}
    if not ldif.harmless(present):
        lines = {value: _line(name, value) for value in present}
    lines[None] = ""
    return "%s", [lines[value] for value in column]


def _whole_numbers(name: str, column: Column) -> Piece | None:
    if None not in column:
        return f"\n{name}: %s", column
    if column.count(None) == len(column):
        return None
    return "%s", ["" if value is None else f"\n{name}: {value}" for value in column]


def _texts(name: str, column: Column) -> Piece | None:
    present = [value for value in column if value is not None] if None in column else column
    if not present:
        return None
    if not ldif.harmless(present):
        return "%s", ["" if value is None else _line(name, value) for value in column]
    if present is column:
        return f"\n{name}: %s", column
    return "%s", ["" if value is None else f"\n{name}: {value}" for value in column]


def _several(name: str, column: Column) -> Piece | None:
    values = list(chain.from_iterable(column))
    if not values:
        return None
    if ldif.harmless(values) and sum(map(len, map(frozenset, column))) == len(values):
        between = f"\n{name}: "
        return "%s", [between + between.join(entries) if entries else "" for entries in column]
    return "%s", ["".join(f"\n{ldif.line(name, value)}" for value in ldif.safe_values(entries)) for entries in column]


def _line(name: str, value: str) -> str:
    safe = ldif.safe(value)
    return f"\n{ldif.line(name, safe)}" if safe else ""
