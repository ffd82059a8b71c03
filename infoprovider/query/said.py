r"""What entries of anybody say, in one spelling, so that what is equal can be seen to be equal.

The entries come as they were read, however badly they are written. Names of attributes count in any letter case,
aliases as what they stand for; a value counts as what it means where its type has several spellings of that (`TRUE`, a
moment with an offset, `1.0`), else as LDAP has it (`ldif.safe_values`: XML and JSON keep a line feed that LDIF spells
`\n`). `OtherInfo: Key=value` is a value of `OtherInfo Key`. Groups and extensions are LDAP's own, and left out.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from infoprovider import ldif
from infoprovider.errors import QueryError
from infoprovider.glue.entities import Entity, Entry
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, class_of, family_of, identifier_of
from infoprovider.query.values import UNREADABLE, conversion

Key: TypeAlias = tuple[str, str]
"""The family of an entity and its ID in lower case, for so aggregators compare it."""

_CLASSES = "objectclass"
_OTHER_INFO = "OtherInfo"
_ATTRIBUTES: Mapping[type[Entry], Mapping[str, tuple[str, Callable[[str], Any] | None]]] = {
    cls: {
        ldap.lower(): (one.name, conversion(one.type)[0])
        for one in attributes_of(cls)
        for ldap in (one.ldap, *one.aliases)
        if ldap is not None
    }
    for cls in ENTITY_CLASSES.values()
}
"""By names in lower case: GLUE's name of an attribute, and how values are read that have several spellings."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one entry says: its values by GLUE's name of the attribute, sorted, each once and in one spelling.

    `dn` is empty where it stands in no tree; `moments` are when its facts were observed: CreationTime, and what
    OtherInfo says under `….ObservedAt`.
    """

    cls: str
    family: str
    id: str
    dn: str
    values: Mapping[str, tuple[str, ...]]
    moments: Mapping[str, tuple[str, ...]]

    @property
    def key(self) -> Key:
        """By which it is found elsewhere: distinguished names differ from level to level, this does not."""
        return self.family, self.id.lower()


@dataclass(frozen=True, slots=True)
class Account:
    """All that one source says, by key; what of it is no entry of GLUE 2.0, and what says something a second time."""

    name: str
    said: Mapping[Key, Said]
    unreadable: tuple[str, ...] = ()
    repeated: tuple[Said, ...] = ()


def account_of(name: str, read: Iterable[ldif.Located | ldif.Unreadable]) -> Account:
    """Everything that a source says. Raises QueryError where it cannot be read, or nothing of it."""
    said: dict[Key, Said] = {}
    unreadable: list[str] = []
    repeated: list[Said] = []
    for one in read:
        try:
            found = None if isinstance(one, ldif.Unreadable) else said_by(one.record)
        except QueryError as error:
            unreadable.append(f"{_line(one.line)}{error}")
            continue
        if isinstance(one, ldif.Unreadable):
            unreadable.append(f"{_line(one.line)}{one.what}")
        elif found is not None and said.setdefault(found.key, found) is not found:
            repeated.append(found)
    if unreadable and not said:
        raise QueryError(f"cannot read {name}: {unreadable[0]}; see whether it is what it is called")
    return Account(name, said, tuple(unreadable), tuple(repeated))


def said_by(record: ldif.Record) -> Said | None:
    """What an entry says; None where it only holds the tree. Raises QueryError where GLUE 2.0 has no such."""
    classes = [value for name, values in record.attributes.items() if name.lower() == _CLASSES for value in values]
    if "," not in record.dn and "organization" in map(str.lower, classes):
        return None
    cls = class_of(classes)
    if cls is None:
        raise QueryError(f"{_shown(record)} is no entry of GLUE 2.0: its classes are {', '.join(classes) or 'none'}")
    if not issubclass(cls, Entity):
        return None
    found = dict(_values(cls, record.attributes))
    (id_, *_) = found.get(identifier_of(cls).name) or [""]
    if not id_:
        raise QueryError(f"{_shown(record)} has no {identifier_of(cls).ldap}")
    values: dict[str, tuple[str, ...]] = {}
    moments: dict[str, tuple[str, ...]] = {}
    for name, said in found.items():
        if name == _OTHER_INFO:
            for key, ones in _by_key(said).items():
                (moments if key.endswith(".ObservedAt") else values)[key] = tuple(sorted(ones))
        else:
            (moments if name == "CreationTime" else values)[name] = tuple(sorted(said))
    return Said(cls.__name__, family_of(cls).__name__, id_, record.dn, values, moments)


def _values(cls: type[Entity], attributes: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, list[str]]]:
    """Each attribute that says something, by its name; several spellings of one name are one attribute."""
    known = _ATTRIBUTES[cls]
    found: dict[str, list[str]] = {}
    for spelt, values in attributes.items():
        name, convert = known.get(spelt.lower(), (spelt, None))
        if spelt.lower() != _CLASSES:
            meant = values if convert is None else [_meant(convert, value) for value in values]
            found.setdefault(name, []).extend(meant)
    for name, values in found.items():
        if safe := set(values) if ldif.harmless(values) else ldif.safe_values(values):
            yield name, list(safe)


def _meant(convert: Callable[[str], Any], value: str) -> str:
    try:
        return ldif.text(convert(value))
    except UNREADABLE:
        return value


def _by_key(values: Iterable[str]) -> Mapping[str, list[str]]:
    """The values of OtherInfo by what they are of; a value without a key is one of OtherInfo itself."""
    found: dict[str, list[str]] = {}
    for value in values:
        key, equals, said = value.partition("=")
        if equals:
            # Thousands of entries say something of one key.
            found.setdefault(sys.intern(f"{_OTHER_INFO} {key}"), []).append(said)
        else:
            found.setdefault(_OTHER_INFO, []).append(value)
    return found


def _shown(record: ldif.Record) -> str:
    return record.dn or "an entry"


def _line(number: int) -> str:
    return f"line {number}: " if number else ""
