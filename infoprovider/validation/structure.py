"""What GLUE 2.0 says of single values: types with their ranges, and the words of enumerations.

What LDAP says of the same entries (classes, names, how many values) is in `ldap_schema`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from infoprovider import ldif
from infoprovider.glue.entities import Entry
from infoprovider.glue.fields import Type
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of
from infoprovider.glue.vocabulary import ExtendedBoolean, OpenEnumeration
from infoprovider.validation.ldap_schema import rules_of
from infoprovider.validation.report import Finding, Level
from infoprovider.validation.rule import Rule

TYPE = Rule(
    id="glue.type",
    broken="a value is not of the type that GLUE 2.0 gives its attribute, or out of its range",
    why="LDAP keeps it as text, and every reader that computes with it fails or misreads it",
    remedy="write it as the model says, in its unit, or leave it out",
)
ENUMERATION = Rule(
    id="glue.enumeration",
    broken="a value is none of the words of a closed enumeration",
    why="the list is closed: readers know no other word, and XML refuses it",
    remedy="write one of the words, in its letter case",
)
SPELLING = Rule(
    id="glue.spelling",
    level=Level.WARNING,
    broken="a value of an open enumeration is a known word in another letter case",
    why="searches compare letter case, and do not find it",
    remedy="write the word as the vocabulary does",
)
RULES = (TYPE, ENUMERATION, SPELLING)

_DIGITS = re.compile(r"-?[0-9]{1,20}")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")


def of_entry(record: ldif.Record) -> Iterator[Finding]:
    """Values that are not what GLUE says they are."""
    rules = rules_of(tuple(record.attributes.get("objectClass", ())))
    if rules is None:
        return
    attributes = record.attributes
    for name, test in _TESTS[rules.cls].items():
        values = attributes.get(name)
        if values is None:
            continue
        for value in values:
            if value and value not in test.known and (found := test.judge(value)):
                rule, what = found
                yield rule.found(record.dn, what, name)
            elif len(test.known) < _REMEMBERED:
                test.known.add(value)


_REMEMBERED = 4096
"""Good values that are remembered of an attribute: stamps, versions, words and small numbers repeat themselves."""


class _Test(NamedTuple):
    """How the values of one attribute are judged; `known` are values that were found good."""

    judge: Callable[[str], tuple[Rule, str] | None]
    known: set[str]


def _tests_of(cls: type[Entry]) -> dict[str, _Test]:
    tests = {}
    for attribute in attributes_of(cls):
        judge = _judge_of(attribute.type)
        if judge is not None and attribute.ldap is not None and attribute.target is None:
            tests[attribute.ldap] = _Test(judge, set())
    return tests


def _judge_of(kind: Type) -> Callable[[str], tuple[Rule, str] | None] | None:
    """What is wrong with a value of this type; None for a type that takes any text."""
    words = kind.enumeration
    if isinstance(words, OpenEnumeration):
        return _open(words)
    if words is not None:
        return _closed(words)
    if kind.python in (int, float):
        return _number(kind)
    if kind.python is datetime:
        return lambda value: None if _is_moment(value) else (TYPE, f"is {value[:60]!r}, no moment with its time zone")
    if kind.name == "url":
        return lambda value: None if _URL.fullmatch(value) else (TYPE, f"is {value[:60]!r}, no URL with a scheme")
    if kind.pattern is not None:
        pattern = re.compile(kind.pattern)
        return lambda value: None if pattern.fullmatch(value) else (TYPE, f"is {value[:60]!r}, no {kind.name}")
    return None


def _open(words: OpenEnumeration) -> Callable[[str], tuple[Rule, str] | None] | None:
    known = {word.lower(): word for word in reversed(words.known)}
    exact = frozenset(words.known)

    def judge(value: str) -> tuple[Rule, str] | None:
        meant = known.get(value.lower())
        if meant is None or value in exact:
            return None
        return SPELLING, f"is {value!r}, where {words.name} has {meant!r}"

    return judge if words.known else None


def _closed(words: type[StrEnum]) -> Callable[[str], tuple[Rule, str] | None]:
    exact = frozenset(word.value for word in words)

    def judge(value: str) -> tuple[Rule, str] | None:
        # Publishers for older readers write extended booleans in capitals, and every reader knows that.
        if value in exact or (words is ExtendedBoolean and value.lower() in exact):
            return None
        return ENUMERATION, f"is {value[:60]!r}, none of {', '.join(words)}"

    return judge


def _number(kind: Type) -> Callable[[str], tuple[Rule, str] | None]:
    form, convert = (_DIGITS, int) if kind.python is int else (_REAL, float)
    low = float("-inf") if kind.minimum is None else kind.minimum
    high = float("inf") if kind.maximum is None else kind.maximum

    def judge(value: str) -> tuple[Rule, str] | None:
        if not form.fullmatch(value):
            return TYPE, f"is {value[:60]!r}, no {kind.name}"
        number = convert(value)
        if low <= number <= high and not (kind.open_minimum and number == low):
            return None
        return TYPE, f"is {value}, and a {kind.name} lies from {kind.minimum} to {kind.maximum}"

    return judge


def _is_moment(value: str) -> bool:
    if not _MOMENT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


_TESTS = {cls: _tests_of(cls) for cls in ENTITY_CLASSES.values()}
