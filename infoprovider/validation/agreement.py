r"""Renderings of one document say the same: the same entities, of the same classes, with the same values.

Values are compared as `ldif.safe_values` leaves them, which is how LDAP has them: XML and JSON keep a line feed that
LDIF spells `\n`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infoprovider import ldif
from infoprovider.glue.entities import Entity, Entry
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import attributes_of
from infoprovider.validation.report import Finding
from infoprovider.validation.rule import Rule

_WHY = "readers of one rendering learn something else than readers of the other"
_REMEDY = "publish both from one document, at one moment"

ABSENT = Rule(
    id="agreement.absent",
    broken="an entity of one rendering is not in the other",
    why=_WHY,
    remedy="publish both from one document; a template set may leave entities out, name the same set for both",
)
CLASS = Rule(id="agreement.class", broken="an ID has another class in the other rendering", why=_WHY, remedy=_REMEDY)
VALUE = Rule(
    id="agreement.value", broken="an attribute has other values in the other rendering", why=_WHY, remedy=_REMEDY
)
RULES = (ABSENT, CLASS, VALUE)


def disagreements(
    name: str, entries: Iterable[Entry], other: str, others: Iterable[Entry], *, is_part: bool = False
) -> Iterator[Finding]:
    """Where two renderings differ, each with a name for messages; groups and extensions are LDAP's own.

    The first may leave entities out where it is a part of the other.
    """
    ours, theirs = _by_id(entries), _by_id(others)
    for id_ in ours.keys() - theirs.keys():
        yield ABSENT.found(id_, f"is in {name} and not in {other}")
    for id_ in () if is_part else theirs.keys() - ours.keys():
        yield ABSENT.found(id_, f"is in {other} and not in {name}")
    for id_, entity in ours.items():
        counterpart = theirs.get(id_)
        if counterpart is None or entity == counterpart:
            continue
        if type(entity) is not type(counterpart):
            classes = type(entity).__name__, type(counterpart).__name__
            yield CLASS.found(id_, f"is a {classes[0]} in {name} and a {classes[1]} in {other}")
            continue
        for attribute in attributes_of(type(entity)):
            one, another = _values(attribute, entity), _values(attribute, counterpart)
            if one != another:
                what = f"{name} has {_shown(one - another)}, {other} has {_shown(another - one)}"
                yield VALUE.found(id_, what, attribute.name)


def _by_id(entries: Iterable[Entry]) -> Mapping[str, Entity]:
    return {entry.id: entry for entry in entries if isinstance(entry, Entity)}


def _values(attribute: Attribute, entity: Entity) -> frozenset[str]:
    value: Any = getattr(entity, attribute.field)
    if value is None:
        return frozenset()
    texts = map(ldif.text, value if attribute.multiple else (value,))
    return frozenset(ldif.safe_values(texts))


def _shown(values: frozenset[str]) -> str:
    return ", ".join(repr(value[:60]) for value in sorted(values)[:3]) or "nothing"
