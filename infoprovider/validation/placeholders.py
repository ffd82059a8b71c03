"""Values that stand for "not known": GLUE 2.0 names them, and a broker takes them for facts.

The model (appendix A of GFD.147) has a placeholder for every type, for attributes that a schema demands. The EGI
profile's own rules on defaults that were never filled in (I026 to I034, E022 to E024 and others) are in the profile.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from infoprovider import ldif
from infoprovider.glue.entities import Entry
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of
from infoprovider.validation.ldap_schema import rules_of
from infoprovider.validation.profile.values import PLACEHOLDER_ATTRIBUTES
from infoprovider.validation.report import Finding, Level
from infoprovider.validation.rule import Rule

_WHY = "a reader takes it for a fact"
_REMEDY = "configure the value, or leave the attribute out where the schema allows that"

TEXT = Rule(
    id="placeholder.text",
    level=Level.WARNING,
    broken="a text is UNDEFINEDVALUE, an undefined path, or the undefined user",
    why=_WHY,
    remedy=_REMEDY,
)
NUMBER = Rule(
    id="placeholder.number",
    level=Level.WARNING,
    broken="a number is 999999999, or 999999999999999999 where 64 bits are kept, and no profile rule says so of it",
    why=_WHY,
    remedy=_REMEDY,
)
ADDRESS = Rule(
    id="placeholder.address",
    level=Level.WARNING,
    broken="a host is below .invalid, an address is 192.0.2.250 or 2001:DB8::FFFF, or mail goes to user@example.org",
    why="nobody can reach it",
    remedy=_REMEDY,
)
POSITION = Rule(
    id="placeholder.position",
    level=Level.WARNING,
    broken="latitude and longitude are both 0",
    why="no resource centre swims in the Gulf of Guinea",
    remedy="configure both, or leave both out",
)
RULES = (TEXT, NUMBER, ADDRESS, POSITION)

_TEXT = re.compile(r"UNDEFINEDVALUE(:.*)?|[/\\]UNDEFINEDPATH|.*CN=UNDEFINEDUSER", re.DOTALL)
_ADDRESS = re.compile(
    r"[^\s/@=]+\.invalid|(\w[\w+.-]*:(//)?)?([^\s/@]*@)?([\w-]+\.)*invalid(:\d+)?(/.*)?|"
    r"(mailto:)?user@example\.org|(\w[\w+.-]*://)?192\.0\.2\.250([:/].*)?|(\w[\w+.-]*://)?\[?2001:DB8::FFFF\]?([:/].*)?",
    re.DOTALL | re.IGNORECASE,
)
_MARKS = ("UNDEFINED", "invalid", "192.0.2.250", "user@example.org", "999999999")
_NUMBERS = frozenset({"999999999", "999999999999999999"})
_LATITUDE, _LONGITUDE = "GLUE2LocationLatitude", "GLUE2LocationLongitude"


def of_entry(record: ldif.Record) -> Iterator[Finding]:
    """The placeholders of an entry."""
    rules = rules_of(tuple(record.attributes.get("objectClass", ())))
    if rules is None:
        return
    attributes = record.attributes
    if _may_have_any(attributes):
        numbers = _NUMBERS_OF[rules.cls]
        for name, values in attributes.items():
            for value in values:
                if rule := _of_value(value, name in numbers):
                    yield rule.found(record.dn, f"is {value[:60]!r}", name)
    if _LATITUDE in attributes and all(map(_is_zero, (*attributes[_LATITUDE], *attributes.get(_LONGITUDE, "-")))):
        yield POSITION.found(record.dn, "and longitude are both 0", _LATITUDE)


def _may_have_any(attributes: Mapping[str, Sequence[str]]) -> bool:
    """Looks at all values together: of most entries nothing else has to be asked."""
    text = "\n".join(chain.from_iterable(attributes.values()))
    return any(mark in text for mark in _MARKS) or "2001:db8" in text.lower()


def _of_value(value: str, is_number: bool) -> Rule | None:
    if value in _NUMBERS:
        return NUMBER if is_number else None
    if _TEXT.fullmatch(value):
        return TEXT
    return ADDRESS if _ADDRESS.fullmatch(value) else None


def _is_zero(value: str) -> bool:
    try:
        return float(value) == 0
    except ValueError:
        return False


def _numbers_of(cls: type[Entry]) -> frozenset[str]:
    """The attributes that hold whole numbers, those apart of which the profile says it already."""

    def holds(attribute: Attribute) -> bool:
        return attribute.type.python is int and attribute.ldap not in PLACEHOLDER_ATTRIBUTES

    return frozenset(attribute.ldap or "" for attribute in attributes_of(cls) if holds(attribute))


_NUMBERS_OF = {cls: _numbers_of(cls) for cls in ENTITY_CLASSES.values()}
