"""The entries of a centre's tree, of whatever its stream is made: rendered anew only where the document has changed.

In the shipped template sets an entry depends on its entity and on the name of the one above, to which that refers by
the path in `objects(class, below=path)`. So the entries of some entities are those of a small document: these, those
above them, and so on.
"""

import json
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from infoprovider import ldif, resources
from infoprovider.glue.entities import AdminDomain, Entity
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, json_name
from infoprovider.messaging.units import ContentType, Units, json_lines, units_of
from infoprovider.query.json_entities import from_json
from infoprovider.reception.apply import Copy
from infoprovider.render.json import ASSOCIATIONS
from infoprovider.render.ldif import LdifRenderer

MOST_OF_IT = 0.2
"""The share of changed units from which on all is rendered: it costs no more then."""


_PLACED = re.compile(r'objects\("(\w+)", *below="([\w.]+)"\)')
_DOMAIN = f"{AdminDomain.__name__} ".encode()


@dataclass(frozen=True, slots=True)
class _Document:
    """What is rendered."""

    entities: tuple[Entity, ...]


@dataclass(slots=True)
class _Rendered:
    """What was rendered last of a centre; `names` has the entry of each entity that is in the tree."""

    units: Units
    entries: dict[str, bytes]
    names: dict[str, str]


class Renderings:
    """The entries of all centres; for several threads."""

    def __init__(self, template_set: str) -> None:
        self._template_set = template_set
        self._renderer = LdifRenderer(template_set)
        self._former: dict[str, _Rendered] = {}
        self._lock = threading.Lock()

    def entries(self, copy: Copy) -> Mapping[str, bytes]:
        """Name → lines of every entry of a copy.

        Raises QueryError where an entity cannot be read, RenderError where it cannot be written.
        """
        if copy.content_type is ContentType.LDIF:
            self.forget(copy.centre)
            return copy.units
        with self._lock:
            former = self._former.get(copy.centre)
            if former is None or former.units is not copy.units:
                former = (former and self._updated(former, copy.units)) or self._anew(copy.units)
                self._former[copy.centre] = former
            return former.entries

    def forget(self, centre: str) -> None:
        """A centre that has gone."""
        self._former.pop(centre, None)

    def _anew(self, units: Units) -> _Rendered:
        entries = self._rendered(units, units)
        return _Rendered(units, entries, _by_entity(entries))

    def _rendered(self, units: Units, ids: Iterable[str]) -> dict[str, bytes]:
        """The entries of a document of these entities."""
        found = json_lines(units[id_] for id_ in ids)
        entities = tuple(from_json(name, json.loads(line)) for name, line in found)
        return units_of(self._renderer.render(_Document(entities)), ContentType.LDIF)

    def _updated(self, former: _Rendered, units: Units) -> _Rendered | None:
        """What was rendered, with what has changed since; None where more than single entries may have changed."""
        known = former.units
        changed = {id_ for id_, unit in units.items() if known.get(id_) is not unit and known.get(id_) != unit}
        removed = known.keys() - units.keys()
        touched = changed | removed
        if len(touched) > MOST_OF_IT * len(units):
            return None
        if any(_is_domain(units.get(id_)) or _is_domain(known.get(id_)) for id_ in touched):
            return None
        domains = [id_ for id_, unit in units.items() if _is_domain(unit)]
        closure = _closure(units, [*changed, *domains], _ways_up(self._template_set))
        entries = self._rendered(units, closure) if changed else {}
        names = _by_entity(entries)
        if any(former.names.get(id_) != names.get(id_) for id_ in changed & known.keys()):
            return None  # it has moved, and what is below it with it
        gone = {former.names[id_] for id_ in removed & former.names.keys()}
        after = {dn: text for dn, text in former.entries.items() if dn not in gone} if gone else dict(former.entries)
        if gone and any(ldif.parent_of(dn) in gone for dn in after):
            return None
        after.update((names[id_], entries[names[id_]]) for id_ in changed & names.keys())
        lasting = {id_: dn for id_, dn in former.names.items() if id_ not in removed}
        return _Rendered(units, after, lasting | {id_: names[id_] for id_ in changed & names.keys()})


def _is_domain(unit: bytes | None) -> bool:
    """Whether this is the centre itself, below whose name all others are."""
    return unit is not None and unit.startswith(_DOMAIN)


def _closure(units: Units, ids: Iterable[str], ways: Mapping[str, frozenset[str]]) -> list[str]:
    """These entities, those above them, and so on."""
    found = dict.fromkeys(ids)
    waiting = list(found)
    while waiting:
        name, _, line = units[waiting.pop()].partition(b" ")
        associations = json.loads(line).get(ASSOCIATIONS, {})
        for way in ways[name.decode()] & associations.keys():
            targets = associations[way]
            for target in [targets] if isinstance(targets, str) else targets:
                if target in units and target not in found:
                    found[target] = None
                    waiting.append(target)
    return list(found)


@cache
def _ways_up(template_set: str) -> Mapping[str, frozenset[str]]:
    """Of each class, the associations (by their keys in JSON) by which templates find what is above an entity."""
    root = resources.folder("ldif-templates")
    texts = [path.read_text() for name in (template_set, "entries") for path in (root / name).glob("*.ldif")]
    paths = [(name, path.split(".")) for text in texts for name, path in _PLACED.findall(text)]
    first = {(name, steps[0]) for name, steps in paths}
    further = {step for _, steps in paths for step in steps[1:]}
    return {
        name: frozenset(
            json_name(one) for one in attributes_of(cls) if (name, one.field) in first or one.field in further
        )
        for name, cls in ENTITY_CLASSES.items()
    }


def _by_entity(entries: Iterable[str]) -> dict[str, str]:
    """The names of entries by the entities' IDs; groups are no entities."""
    return {_naming_value(dn): dn for dn in entries if not dn.startswith("GLUE2GroupID=")}


def _naming_value(dn: str) -> str:
    if "\\" in dn:
        return ldif.split_dn(dn)[0][1]
    return dn[dn.index("=") + 1 : dn.index(",")]
