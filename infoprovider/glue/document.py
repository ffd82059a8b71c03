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
    """An entity that is not published: its class, its ID, why, and the mandatory attribute that it lacks, if any.

    `expired` is whether it would be published but for the age of what is known of it.
    """

    entity: str
    id: str
    why: str
    lacks: str | None = None
    expired: bool = False


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


def close(made: Iterable[Made], withheld: Iterable[Withheld] = (), quarantined: Iterable[Quarantined] = ()) -> Document:
    """Make a document of entities: each ID once, references pruned, what lacks a mandatory attribute withheld.

    `withheld` and `quarantined` are what was left out before. Of two different entities with one ID the one of the
    class that comes first in GLUE stays, then of the instance whose name comes first, then of the smaller digest:
    whatever the order in which they come, the same one.
    """
    clashing: list[Quarantined] = []
    entities = _by_unique_id(made, clashing)
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
    return Document(ordered, tuple(left_out), tuple(pruned), _by_id(ordered), (*quarantined, *clashing))


def without(document: Document, gone: Mapping[str, str], tree: str = "") -> Document:
    """The document without these entities (ID → why) and their children, all named as quarantined.

    A child is what names one of them where only one can be named, or names nothing else where something must be named:
    a policy of a share that has gone governs nothing. Every other reference to them is pruned.
    """
    reasons = dict(gone)
    above = reasons
    while above:
        above = {
            one.entity.id: f"it belongs to {parent}, which is left out"
            for one in document.made
            if one.entity.id not in reasons and (parent := _lost_parent(one.entity, reasons))
        }
        reasons |= above
    left_out = [
        Quarantined(type(one.entity).__name__, one.entity.id, reasons[one.entity.id], tree)
        for one in document.made
        if one.entity.id in reasons
    ]
    remaining = (one for one in document.made if one.entity.id not in reasons)
    closed = close(remaining, document.withheld, (*document.quarantined, *left_out))
    return replace(closed, pruned=(*document.pruned, *closed.pruned))


def _lost_parent(entity: Entity, gone: Mapping[str, str]) -> str | None:
    """Which of those that go an entity cannot be without."""
    rules = _RULES[type(entity)]
    mandatory = {field for _, field in rules.mandatory}
    for _, field, multiple in rules.references:
        value = getattr(entity, field)
        if not value or (multiple and field not in mandatory):
            continue
        targets = value if multiple else (value,)
        if all(target in gone for target in targets):
            return str(targets[0])
    return None


def content_digest(entity: Entity) -> str:
    """32 hex digits of BLAKE2b over all that an entity says, but when its facts were observed (`moments_of`)."""
    if moments_of(entity):
        entity = with_moments(entity, ())
    values = (type(entity).__name__, *_RULES[type(entity)].content(entity))
    return hashlib.blake2b(repr(values).encode(), digest_size=16).hexdigest()


def moments_of(entity: Entity) -> tuple[str, ...]:
    """What an entity says of when its facts were observed, its CreationTime apart: `OtherInfo: <Key>.ObservedAt=…`."""
    if _MOMENT not in "\n".join(entity.other_info):
        return ()
    return tuple(value for value in entity.other_info if _is_moment(value))


def with_moments(entity: Entity, moments: tuple[str, ...]) -> Entity:
    """The entity with these moments behind everything else that it says, in the place of its own."""
    return replace(entity, other_info=(*(value for value in entity.other_info if not _is_moment(value)), *moments))


_MOMENT = ".ObservedAt="


def _is_moment(value: str) -> bool:
    return _MOMENT in value and value.partition("=")[0].endswith(_MOMENT[:-1])


def _by_id(made: tuple[Made, ...]) -> Mapping[str, Made]:
    return MappingProxyType({one.entity.id: one for one in made})


def _sort_key(made: Made) -> tuple[int, str]:
    return _CLASS_ORDER[type(made.entity).__name__], made.entity.id


def _by_unique_id(made: Iterable[Made], clashing: list[Quarantined]) -> dict[str, Made]:
    entities: dict[str, Made] = {}
    spelt: dict[str, Made] = {}
    for one in made:
        # Aggregators compare distinguished names in lower case: two spellings of one ID are one ID to them.
        other = spelt.setdefault(one.entity.id.lower(), one)
        if other is one:
            entities[one.entity.id] = one
            continue
        stays, goes = sorted((other, one), key=_rank)
        spelt[one.entity.id.lower()] = stays
        del entities[other.entity.id]
        entities[stays.entity.id] = stays
        if _rank(stays) != _rank(goes):
            clashing.append(
                Quarantined(
                    type(goes.entity).__name__,
                    goes.entity.id,
                    f"two entities have this ID: {_described(stays)}, which is published, and {_described(goes)}; "
                    "rename one of them, or leave one out",
                )
            )
    return entities


def _rank(made: Made) -> tuple[int, str, str, str]:
    """What decides between two entities of one ID; equal only for entities that say the same."""
    entity = made.entity
    return _CLASS_ORDER[type(entity).__name__], made.made_of[0].instance, entity.id, content_digest(entity)


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
        # An empty text cannot be said in LDAP: it is as good as none.
        if value is None or value in ("", ()):
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
