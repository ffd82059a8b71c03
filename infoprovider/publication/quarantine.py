"""One bad thing stays one bad thing: what cannot be mapped or rendered is left out and named, and the rest goes out.

Nothing of this costs anything while all is well: it begins where something has failed.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infoprovider.errors import InfoproviderError, MappingError, RenderError, ValidationFailed
from infoprovider.glue.document import Document, Made, Quarantined, Withheld, without
from infoprovider.glue.entities import ComputingService, Entity
from infoprovider.inventory.model import Facet
from infoprovider.mapping.centre import map_instance
from infoprovider.mapping.context import InstanceFacts, Known
from infoprovider.validation.rendering import check_rendering, faulty_entities

log = logging.getLogger(__name__)

MOST_TRIALS = 400
"""How often an instance is mapped anew to find what cannot be: enough for a dozen among ten thousand."""

ROUNDS = 8
"""How often a tree is rendered anew without what failed."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What an instance became: its entities, what is not known, and what was left out."""

    made: tuple[Made, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()


def mapped(facts: InstanceFacts) -> Mapped:
    """The entities of an instance, without those objects of which one cannot be mapped.

    Raises whatever the mapping raises where it cannot be mapped without any of them either.
    """
    try:
        return Mapped(*map_instance(facts))
    except Exception as error:  # whatever it is, it must not take other instances along
        log.exception("instance %s cannot be mapped whole", facts.block.name)
        return _Search(facts).result(error)


# --- what cannot be mapped -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Object:
    """One thing of a facet: an image, a type, a host class, a project; or a facet as a whole, where it is not `of`."""

    facet: Facet
    id: str = ""


_LISTS = {
    Facet.HYPERVISORS: "pools",
    Facet.INSTANCE_TYPES: "instance_types",
    Facet.IMAGES: "images",
}
"""The facets that are lists of objects, each with its field."""

_WHOLE = (Facet.CAPACITY, Facet.NETWORKS, Facet.TRUST, Facet.ENDORSEMENTS, Facet.PRICES)
"""The facets that are taken or left as a whole: they decorate what others define."""


class _Search:
    """Finds the objects without which an instance can be mapped: puts them in again, half by half."""

    def __init__(self, facts: InstanceFacts) -> None:
        self._facts = facts
        self._trials = 0
        self._out: dict[_Object, str] = {}
        lists = {facet: getattr(facts, facet) for facet in _LISTS if getattr(facts, facet) is not None}
        whole = (facet for facet in (*_LISTS, *_WHOLE) if getattr(facts, facet) is not None)
        projects = sorted(facts.projects - facts.withheld_projects.keys())
        self._groups = [
            *([_Object(facet)] for facet in whole),
            [_Object(Facet.QUOTAS, project) for project in projects],
            *(
                [_Object(facet, one.id) for one in getattr(known.value, _LISTS[facet])]
                for facet, known in lists.items()
            ),
        ]
        self._projects = frozenset(projects)

    def result(self, error: Exception) -> Mapped:
        """What can be mapped; raises the error where nothing can, or where too much would have to be left out."""
        taken: frozenset[_Object] = frozenset()
        if self._why_not(taken) is not None:
            raise error
        for group in self._groups:
            self._find(taken, group)
            left = taken.union(group) - self._out.keys()
            # Where objects fail only together, those that come later go.
            taken = left if self._why_not(left) is None else self._one_by_one(taken, group)
        made, withheld = map_instance(self._with(taken))
        return Mapped(made, withheld, tuple(self._named(one, why) for one, why in self._out.items()))

    def _find(self, taken: frozenset[_Object], group: Sequence[_Object]) -> None:
        """Note those of a group that cannot be mapped beside what was taken before: half by half."""
        why = self._why_not(taken.union(group)) if group else None
        if why is None:
            return
        if len(group) == 1:
            self._out[group[0]] = f"{type(why).__name__}: {why}"
            return
        half = len(group) // 2
        self._find(taken, group[:half])
        self._find(taken, group[half:])

    def _one_by_one(self, taken: frozenset[_Object], group: Sequence[_Object]) -> frozenset[_Object]:
        """What of a group can be mapped together, on top of what was taken before."""
        for one in group:
            if one not in self._out:
                self._find(taken, [one])
                taken = taken.union([one]) - self._out.keys()
        return taken

    def _why_not(self, taken: frozenset[_Object]) -> Exception | None:
        self._trials += 1
        if self._trials > MOST_TRIALS:
            raise MappingError("too many objects of the instance cannot be mapped; see the log")
        try:
            map_instance(self._with(taken))
        except Exception as error:
            return error
        return None

    def _with(self, taken: frozenset[_Object]) -> InstanceFacts:
        """The facts with these objects alone; of a project that is left out it is known that it is there."""
        facts: Any = self._facts
        changes: dict[str, Any] = {
            facet: None for facet in (*_LISTS, *_WHOLE) if _Object(facet) not in taken and getattr(facts, facet)
        }
        for facet, field in _LISTS.items():
            known = getattr(facts, facet)
            if known is not None and facet not in changes:
                objects = tuple(one for one in getattr(known.value, field) if _Object(facet, one.id) in taken)
                changes[facet] = Known(replace(known.value, **{field: objects}), known.source)
        left_out = {project for project in self._projects if _Object(Facet.QUOTAS, project) not in taken}
        for by_project in ("quotas", "usage"):
            known = getattr(facts, by_project)
            changes[by_project] = {id_: one for id_, one in known.items() if id_ not in left_out}
        changes["withheld_projects"] = {**facts.withheld_projects, **dict.fromkeys(left_out, "")}
        return replace(self._facts, **{str(name): value for name, value in changes.items()})

    def _named(self, one: _Object, why: str) -> Quarantined:
        """An object by the entity that it would have become; a whole facet by the service that it is of."""
        facts = self._facts
        if not one.id:
            return Quarantined(one.facet, facts.service_id, why)
        entity = _ENTITY[one.facet]
        id_ = facts.pool_id(one.id) if one.facet is Facet.HYPERVISORS else facts.ids.of(entity, one.id)
        return Quarantined(entity, id_, why)


_ENTITY = {
    Facet.HYPERVISORS: "ExecutionEnvironment",
    Facet.INSTANCE_TYPES: "ExecutionEnvironment",
    Facet.IMAGES: "ApplicationEnvironment",
    Facet.QUOTAS: "ComputingShare",
}


# --- what cannot be rendered -----------------------------------------------------------------------------------------


def rendered(
    document: Document, write: Callable[[Document], bytes], tree: str, *, overridden: bool
) -> tuple[bytes, tuple[Quarantined, ...]]:
    """A document as one tree, read back and checked, without those entities that fail there.

    `overridden` is whether templates of the site's own are used: where all entities of a class fail with these, they
    are at fault. Raises RenderError or ValidationFailed where the tree cannot be rendered whole, nor without a few.
    """
    failed: dict[str, str] = {}
    remaining = document
    cause: InfoproviderError
    for _ in range(ROUNDS):
        try:
            body = write(remaining)
            check_rendering(remaining, body)
        except RenderError as error:
            if not error.entity or error.entity not in remaining.by_id:
                raise
            found, cause = {error.entity: str(error)}, error
        except ValidationFailed as error:
            found, cause = faulty_entities(remaining, body), error
            if not found:
                raise
        else:
            return body, tuple(one for one in remaining.quarantined if one.tree == tree)
        failed |= found
        remaining = without(remaining, found, tree)
        if _is_nothing_left(document, remaining) or (overridden and _is_a_class_gone(document, failed)):
            raise cause
        log.error("tree %s is rendered without %s", tree, ", ".join(sorted(found)))
    raise cause


def _is_nothing_left(document: Document, remaining: Document) -> bool:
    return bool(document.of(ComputingService)) and not remaining.of(ComputingService)


def _is_a_class_gone(document: Document, failed: Iterable[str]) -> bool:
    """Whether every entity of a class has failed by itself."""
    classes: dict[type[Entity], int] = {}
    for id_ in failed:
        cls = type(document.by_id[id_].entity)
        classes[cls] = classes.get(cls, 0) + 1
    return any(len(document.of(cls)) == number for cls, number in classes.items())
