"""The attribute lines of many entities of one class at once.

A value is only safe to write after `ldif.safe` has looked at it, and looking at each of two million values takes longer
than writing them. So the values of one field are proven harmless together, by a few passes over their joined text that
run at the speed of memory; only where that fails is each of them looked at.
"""

from collections.abc import Callable, Iterable, Sequence
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

Parts: TypeAlias = tuple[Iterable[str], ...]
"""What one field adds to each of the entities: columns of text, to be joined from left to right; none for no lines."""


class AttributeLines:
    """Writes the attribute lines of entities of one class; `uppercase` is for the values of extended booleans."""

    def __init__(self, cls: type[Entity], *, uppercase: bool = False) -> None:
        attributes = attributes_of(cls)
        self._values = attrgetter(*(attribute.field for attribute in attributes))
        identifier, *others = attributes
        first = partial(_identifiers, identifier.ldap or identifier.name)
        self._writers: list[Callable[[Column], Parts]] = [
            first,
            *(_writer_of(attribute, uppercase) for attribute in others),
        ]

    def of(self, entities: Iterable[Entity]) -> list[str]:
        """The lines of each entity, as one text without a line feed at its end."""
        columns = zip(*map(self._values, entities), strict=True)
        parts = [part for write, column in zip(self._writers, columns, strict=True) for part in write(column)]
        return list(map("".join, zip(*parts)))  # noqa: B905  (some of the parts never end)


def _identifiers(name: str, column: Column) -> Parts:
    """The first line; all others bring the line feed before them, so that any of them can be absent."""
    if ldif.harmless(column):
        return repeat(f"{name}: "), column
    return ([ldif.line(name, ldif.safe(value)) for value in column],)


def _writer_of(attribute: Attribute, uppercase: bool) -> Callable[[Column], Parts]:
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


def _spelt(name: str, text: Callable[[Any], str], column: Column) -> Parts:
    """A field whose values have a spelling of their own, in which nothing can need care."""
    lines = {value: "" if value is None else f"\n{name}: {text(value)}" for value in set(column)}
    return ([lines[value] for value in column],) if any(lines.values()) else ()


def _repeated(name: str, column: Column) -> Parts:
    """A field in which the same texts come again and again: a word of an enumeration, an association."""
    present = set(column) - {None}
    if not present:
        return ()
    lines = {value: f"\n{name}: {value}" for value in present}
    if not ldif.harmless(present):
        lines = {value: _line(name, value) for value in present}
    lines[None] = ""
    return ([lines[value] for value in column],)


def _whole_numbers(name: str, column: Column) -> Parts:
    if None not in column:
        return repeat(f"\n{name}: "), map(str, column)
    if column.count(None) == len(column):
        return ()
    return (["" if value is None else f"\n{name}: {value}" for value in column],)


def _texts(name: str, column: Column) -> Parts:
    present = [value for value in column if value is not None] if None in column else column
    if not present:
        return ()
    if not ldif.harmless(present):
        return (["" if value is None else _line(name, value) for value in column],)
    if present is column:
        return repeat(f"\n{name}: "), column
    return (["" if value is None else f"\n{name}: {value}" for value in column],)


def _several(name: str, column: Column) -> Parts:
    values = list(chain.from_iterable(column))
    if not values:
        return ()
    if ldif.harmless(values) and sum(map(len, map(frozenset, column))) == len(values):
        between = f"\n{name}: "
        return ([between + between.join(entries) if entries else "" for entries in column],)
    return (["".join(f"\n{ldif.line(name, value)}" for value in ldif.safe_values(entries)) for entries in column],)


def _line(name: str, value: str) -> str:
    safe = ldif.safe(value)
    return f"\n{ldif.line(name, safe)}" if safe else ""
