"""A closed, sorted set of GLUE entities with what each was made of.

Closed means: every reference leads to an entity that is there, no ID stands twice, no entity lacks an attribute that
the LDAP schema demands. Pruning looks at the document, never at a rendering: a template set that leaves entities out
changes nothing here.
"""

import hashlib
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from infoprovider.errors import MappingError
from infoprovider.glue.entities import Entity, Entry
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of

E = TypeVar("E", bound=Entity)

_CLASS_ORDER = {name: position for position, name in enumerate(ENTITY_CLASSES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One thing that an entity was made of.

    `facet` is a facet's name, `configuration`, or `outcome` (how the last collection went); `instance` is the
    operator's name of the VM manager, empty for the centre's own configuration; `observed_at` is aware UTC.
    """

    facet: str
    instance: str = ""
    part: str = ""
    observed_at: datetime
    calls: tuple[str, ...] = ()
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """An entity with what it was made of; the first source is the defining one, whose moment is the CreationTime."""

    entity: Entity
    made_of: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """An entity that is not published: its class, its ID, why, and the mandatory attribute that it lacks, if any."""

    entity: str
    id: str
    why: str
    lacks: str | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that is left out because it fails where others of its kind pass: its class, its ID, and why.

    `tree` names the one rendering that leaves it out; empty where the whole document does.
    """

    entity: str
    id: str
    why: str
    tree: str = ""


@dataclass(frozen=True, slots=True)
class Pruned:
    """A reference that was taken out because what it names is not there."""

    id: str
    attribute: str
    target: str


@dataclass(frozen=True, slots=True)
class Document:
    """Entities sorted by class and ID, what each was made of, and what had to be left out."""

    made: tuple[Made, ...]
    withheld: tuple[Withheld, ...]
    pruned: tuple[Pruned, ...]
    by_id: Mapping[str, Made]
    quarantined: tuple[Quarantined, ...] = ()

    @property
    def entities(self) -> tuple[Entity, ...]:
        """All entities, sorted by class and ID."""
        return tuple(made.entity for made in self.made)

    def of(self, cls: type[E]) -> tuple[E, ...]:
        """The entities of exactly this class, sorted by ID."""
        return tuple(made.entity for made in self.made if type(made.entity) is cls)

    def with_entities(self, made: Iterable[Made]) -> "Document":
        """The same document with other values of the same entities, in the same order."""
        ordered = tuple(made)
        return replace(self, made=ordered, by_id=_by_id(ordered))

    def made_of(self, id: str) -> tuple[Source, ...]:  # noqa: A002  (GLUE's own name)
        """What the entity of this ID was made of. Raises KeyError where it is not in the document."""
        return self.by_id[id].made_of


def close(made: Iterable[Made], withheld: Iterable[Withheld] = ()) -> Document:
    """Make a document of entities: refuse double IDs, prune references, withhold what lacks a mandatory attribute.

    `withheld` is what the mapping itself had to leave out. Raises MappingError where two entities have one ID.
    """
    entities = _by_unique_id(made)
    left_out = list(withheld)
    pruned: list[Pruned] = []
    suspects = list(entities)
    while suspects:
        gone = set()
        for id_ in suspects:
            lacking = _prune(entities, id_, pruned)
            if lacking:
                cls = type(entities[id_].entity).__name__
                left_out.append(Withheld(cls, id_, f"{lacking} is not known, and GLUE 2.0 demands it", lacking))
                gone.add(id_)
        for id_ in gone:
            del entities[id_]
        # Whatever referred to an entity that has just gone must be looked at again.
        suspects = list(entities) if gone else []
    ordered = tuple(sorted(entities.values(), key=_sort_key))
    return Document(ordered, tuple(left_out), tuple(pruned), _by_id(ordered))


def content_digest(entity: Entity) -> str:
    """32 hex digits of BLAKE2b over everything that an entity says, its CreationTime apart."""
    values = (type(entity).__name__, *_RULES[type(entity)].content(entity))
    return hashlib.blake2b(repr(values).encode(), digest_size=16).hexdigest()


def _by_id(made: tuple[Made, ...]) -> Mapping[str, Made]:
    return MappingProxyType({one.entity.id: one for one in made})


def _sort_key(made: Made) -> tuple[int, str]:
    return _CLASS_ORDER[type(made.entity).__name__], made.entity.id


def _by_unique_id(made: Iterable[Made]) -> dict[str, Made]:
    entities: dict[str, Made] = {}
    spelt: dict[str, Made] = {}
    for one in made:
        # Aggregators compare distinguished names in lower case: two spellings of one ID are one ID to them.
        other = spelt.setdefault(one.entity.id.lower(), one)
        if other is not one:
            raise MappingError(
                f"two entities have the ID {one.entity.id}: {_described(other)} and {_described(one)}; "
                "rename one of them, or leave one out"
            )
        entities[one.entity.id] = one
    return entities


def _described(made: Made) -> str:
    source = made.made_of[0]
    origin = f"instance {source.instance}" if source.instance else "the configuration"
    return f"{type(made.entity).__name__} {made.entity.name or ''} of {origin}".replace("  ", " ")


def _prune(entities: dict[str, Made], id_: str, pruned: list[Pruned]) -> str:
    """Take dangling references out of one entity; the name of a mandatory attribute that it lacks, or nothing."""
    made = entities[id_]
    rules = _RULES[type(made.entity)]
    changes: dict[str, Any] = {}
    for name, field, multiple in rules.references:
        value = getattr(made.entity, field)
        if not value:
            continue
        dangling = [target for target in (value if multiple else (value,)) if target not in entities]
        if dangling:
            pruned.extend(Pruned(id_, name, target) for target in dangling)
            changes[field] = tuple(target for target in value if target in entities) if multiple else None
    if changes:
        made = entities[id_] = Made(replace(made.entity, **changes), made.made_of)
    for name, field in rules.mandatory:
        value = getattr(made.entity, field)
        if value is None or value == ():
            return name
    return ""


@dataclass(frozen=True, slots=True)
class _Rules:
    """Of one class: its references (GLUE name, field, multiple), what it must have, and its content in one tuple."""

    references: tuple[tuple[str, str, bool], ...]
    mandatory: tuple[tuple[str, str], ...]
    content: Callable[[object], tuple[Any, ...]]


def _rules(cls: type[Entry]) -> _Rules:
    attributes = attributes_of(cls)
    return _Rules(
        references=tuple((one.name, one.field, one.multiple) for one in attributes if one.target),
        mandatory=tuple((one.name, one.field) for one in attributes if one.must),
        content=operator.attrgetter(*(one.field for one in attributes if one.field != "creation_time")),
    )


_RULES = {cls: _rules(cls) for cls in ENTITY_CLASSES.values()}
