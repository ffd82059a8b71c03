"""A document as LDIF, by templates that own the tree.

A template set is a folder of `ldif-templates/` with a `tree.ldif` that writes the group and includes one template per
class. Such a template writes distinguished names and object classes and decides which entities appear. It is offered:

`objects(class, below=path)`
    the entities of a class, sorted by ID. With `below`, pairs of an entity and the distinguished name of the one that
    the path of associations leads to; an entity whose upper entity was not written does not appear, so that whatever
    a template leaves out takes its children with it.
`dn(entity, above)`
    the entity's distinguished name below another one, escaped; it counts as written from then on.
`attributes(entity)`
    the attribute lines, by the fields of the model, each value as `ldif.safe` leaves it.
`line(attribute, value)`
    one more line, its value as `ldif.safe` leaves it.
`written`
    ID → distinguished name of everything that was written so far.
"""

import io
import traceback
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType, MethodType
from typing import Any, Protocol

import jinja2

from infoprovider import ldif, resources
from infoprovider.errors import RenderError
from infoprovider.glue.entities import Entity
from infoprovider.glue.names import ENTITY_CLASSES, rdn_attribute_of
from infoprovider.render.attributes import AttributeLines

_SHARED = "entries"
_AT_ONCE = 256
"""Entities whose lines are made at once: more do not fit into the processor's cache, fewer cost overhead."""
_PIECES = 1024


class HasEntities(Protocol):
    """What is rendered: a closed document of entities with unique IDs."""

    @property
    def entities(self) -> tuple[Entity, ...]:
        """All entities."""
        ...


class LdifRenderer:
    """Writes documents as LDIF; made once for a template set, with a site's own templates in front of the shipped ones.

    `overrides` is a folder in which a file replaces the template of the same name; a name that begins with `_` is free
    for what these share. `boolean_case` is `lower` (the model's) or `upper` (of extended booleans only).
    Raises RenderError where the set or a template's name is not known.
    """

    def __init__(self, template_set: str, overrides: Path | None = None, boolean_case: str = "lower") -> None:
        root = resources.folder("ldif-templates")
        sets = sorted(path.parent.name for path in root.glob("*/tree.ldif"))
        if template_set not in sets:
            raise RenderError(f"there is no template set {template_set!r}; write one of {', '.join(sets)}")
        folders = [root / template_set, root / _SHARED, root]
        if overrides is not None:
            _check_names(overrides, folders)
            folders.insert(0, overrides)
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folders),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701  (the output is LDIF, and `line` and `attributes` make values safe)
        )
        self._environment.context_class = _Context
        uppercase = boolean_case == "upper"
        self._lines = {
            cls: AttributeLines(cls, uppercase=uppercase)
            for cls in ENTITY_CLASSES.values()
            if issubclass(cls, Entity) and not cls.glue.abstract
        }

    def render(self, document: HasEntities) -> bytes:
        """The document as UTF-8, from its first `dn:` to the blank line after its last entry.

        Raises RenderError with the template, the line and what to do.
        """
        tree = _Tree(document, self._lines)
        body = io.BytesIO()
        try:
            offered = {name: getattr(tree, name) for name in ("objects", "dn", "attributes", "line", "written")}
            pieces = self._environment.get_template("tree.ldif").generate(offered)
            while block := list(islice(pieces, _PIECES)):
                body.write("".join(block).encode())
        except jinja2.TemplateSyntaxError as error:
            raise RenderError(f"{error.filename}:{error.lineno}: {error.message}; correct the template") from error
        except jinja2.TemplateNotFound as error:
            raise RenderError(f"there is no template {error.name}; correct the name where it is included") from error
        except RenderError as error:
            raise RenderError(f"{_place_of(error)}: {error}", entity=tree.current) from error
        except Exception as error:
            raise RenderError(
                f"{_place_of(error)}: {error}; correct the template, or what it is given", entity=tree.current
            ) from error
        return _whole(body.getvalue())


def _whole(body: bytes) -> bytes:
    """The text itself, if a BDII can take it between the outputs of other providers."""
    if not body.startswith(b"dn: "):
        raise RenderError(
            f"the templates' output begins with {body[:40]!r} instead of 'dn: ': a BDII would add that to an entry of "
            "somebody else; remove what stands before the first entry of tree.ldif"
        )
    return body if body.endswith(b"\n\n") else body.rstrip(b"\n") + b"\n\n"


def _check_names(overrides: Path, folders: list[Path]) -> None:
    """Refuse a folder that is not there, and a template in it that replaces none and would never be read."""
    if not overrides.is_dir():
        raise RenderError(f"{overrides} is no folder of templates; correct the channel's setting 'templates'")
    known = {path.name for folder in folders for path in folder.glob("*.ldif")}
    for path in sorted(overrides.glob("*.ldif")):
        if path.name not in known and not path.name.startswith("_"):
            near = get_close_matches(path.name, known, n=1)
            meant = f"perhaps {near[0]} is meant" if near else f"the names are {', '.join(sorted(known))}"
            raise RenderError(f"{path} replaces no template of this set and would never be read; {meant}")


def _place_of(error: Exception) -> str:
    """File and line of the template in which something was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".ldif")]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "the LDIF templates"


class _Context(jinja2.runtime.Context):
    """Calls our own functions at once: Jinja would first ask each whether it wants the context, for every entry."""

    def call(self, function: Any, *args: Any, _loop_vars: Any = None, _block_vars: Any = None, **kwargs: Any) -> Any:
        if type(function) is MethodType:
            return function(*args, **kwargs)
        return super().call(function, *args, _loop_vars=_loop_vars, _block_vars=_block_vars, **kwargs)


class _Tree:
    """What templates are offered while one document is rendered."""

    def __init__(self, document: HasEntities, writers: Mapping[type[Entity], AttributeLines]) -> None:
        self._by_id = {entity.id: entity for entity in document.entities}
        self._of: dict[str, list[Entity]] = {}
        for entity in sorted(document.entities, key=attrgetter("id")):
            self._of.setdefault(type(entity).__name__, []).append(entity)
        self._writers = writers
        self._prepared: dict[str, str] = {}
        self._places: dict[str, str] = {}
        self._naming = {cls: rdn_attribute_of(cls) for cls in writers}
        self.written: Mapping[str, str] = MappingProxyType(self._places)
        self.current = ""
        """The ID of the entity that a template was given last: it is at fault where the template fails."""

    def objects(self, name: str, below: str = "") -> Iterator[Any]:
        if name not in ENTITY_CLASSES:
            near = get_close_matches(name, ENTITY_CLASSES, n=1)
            meant = f"perhaps {near[0]} is meant" if near else "the names are those of infoprovider/glue/entities.py"
            raise RenderError(f"{name} is no class of GLUE 2.0; {meant}")
        entities = self._of.get(name, [])
        return self._placed(entities, below.split(".")) if below else self._given(entities)

    def _given(self, entities: list[Entity]) -> Iterator[Entity]:
        for entity in entities:
            self.current = entity.id
            yield entity
        self.current = ""

    def _placed(self, entities: list[Entity], path: list[str]) -> Iterator[tuple[Entity, str]]:
        association, *further = path
        places: dict[Any, str | None] = {}
        for entity in entities:
            targets = getattr(entity, association)
            if targets not in places:
                places[targets] = self._place_of(targets, further)
            above = places[targets]
            if above is not None:
                self.current = entity.id
                yield entity, above
        self.current = ""

    def _place_of(self, targets: str | tuple[str, ...] | None, path: list[str]) -> str | None:
        """The name of the first of the targets, or of what the path leads to from there, that has been written."""
        for target in targets if isinstance(targets, tuple) else (targets,):
            if target is None:
                continue
            if not path:
                above = self._places.get(target)
            else:
                above = self._place_of(getattr(self._by_id[target], path[0]), path[1:])
            if above is not None:
                return above
        return None

    def dn(self, entity: Entity, above: str) -> str:
        name = f"{ldif.rdn(self._naming[type(entity)], entity.id)},{above}"
        self._places[entity.id] = name
        return name

    def attributes(self, entity: Entity) -> str:
        lines = self._prepared.get(entity.id)
        if lines is None:
            self._prepare(entity)
            lines = self._prepared[entity.id]
        return lines

    def _prepare(self, entity: Entity) -> None:
        """Make the lines of this entity and of those that come next: templates walk through a class in order."""
        entities = self._of[type(entity).__name__]
        start = bisect_left(entities, entity.id, key=attrgetter("id"))
        batch = entities[start : start + _AT_ONCE]
        try:
            lines = self._writers[type(entity)].of(batch)
        except Exception:
            # It may be one of those that come next: that one will say so when it is its turn.
            batch, lines = [entity], self._writers[type(entity)].of([entity])
        self._prepared = {one.id: text for one, text in zip(batch, lines, strict=True)}

    def line(self, attribute: str, value: object) -> str:
        return ldif.line(attribute, ldif.safe(ldif.text(value)))
