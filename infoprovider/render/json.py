r"""A document as plain GLUE 2.0 JSON: an object with one array for each class, one line for each entity.

Keys are GLUE's names, as the OGF's JSON rendering (2014/11) has them: an entity's own fields first, what it refers to
below `Associations`. Numbers are numbers; moments are text, in UTC to the second; a field that may have several values
is an array; what is not known is left out. `schemas/glue2.schema.json` states it all. A lone surrogate, which UTF-8
cannot hold, is spelt out (`\uD83D`). The same document gives the same bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeAlias

from infoprovider.glue.entities import Entity
from infoprovider.glue.fields import Attribute
from infoprovider.glue.json_layout import CLASS_ORDER, as_text, laid_out
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, json_name
from infoprovider.ldif import text

ASSOCIATIONS = "Associations"


def render_json(entities: Sequence[Entity]) -> bytes:
    """The entities of a document as UTF-8, by class in the order of the model; the order within a class is kept."""
    ordered = sorted(entities, key=lambda entity: CLASS_ORDER[type(entity).__name__])
    return laid_out((type(entity).__name__, as_text(to_json(entity)).encode()) for entity in ordered)


def to_json(entity: Entity) -> dict[str, Any]:
    """One entity as JSON has it; its class is not said in it."""
    plan = _PLANS[type(entity)]
    found = _known(plan.own, plan.own_values(entity))
    associations = _known(plan.associations, plan.association_values(entity))
    if associations:
        found[ASSOCIATIONS] = associations
    return found


Keys: TypeAlias = tuple[tuple[str, Callable[[Any], Any] | None], ...]
"""The key of each field, and what makes JSON of its value; None where it is that already."""


def _known(keys: Keys, values: Iterable[Any]) -> dict[str, Any]:
    return {
        key: value if convert is None else convert(value)
        for (key, convert), value in zip(keys, values, strict=True)
        if value is not None and value != ()
    }


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of an entity stands under which key."""

    own: Keys
    own_values: Callable[[Entity], tuple[Any, ...]]
    associations: Keys
    association_values: Callable[[Entity], tuple[Any, ...]]


def _plan(cls: type[Entity]) -> _Plan:
    own = [one for one in attributes_of(cls) if not one.target]
    associations = [one for one in attributes_of(cls) if one.target]
    return _Plan(
        tuple((json_name(one), _conversion(one)) for one in own),
        attrgetter(*(one.field for one in own)),
        tuple((json_name(one), _conversion(one)) for one in associations),
        _values_of(associations),
    )


def _values_of(attributes: Sequence[Attribute]) -> Callable[[Entity], tuple[Any, ...]]:
    if len(attributes) < 2:  # of one name alone, attrgetter makes no tuple
        return lambda entity: tuple(getattr(entity, one.field) for one in attributes)
    return attrgetter(*(one.field for one in attributes))


def _conversion(attribute: Attribute) -> Callable[[Any], Any] | None:
    if attribute.multiple:  # no such field holds moments
        return list
    if issubclass(attribute.type.python, StrEnum):
        return str
    return text if attribute.type.python is datetime else None


_PLANS = {cls: _plan(cls) for cls in ENTITY_CLASSES.values() if issubclass(cls, Entity)}
