r"""A document as GLUE 2.0 XML (OGF, 2009/03, r1): one flat list of entities, valid against schemas/glue2.xsd.

An `OtherInfo` value `Key=value` becomes an `Extension` of that key, for which XML has a place and LDAP has not at the
price of an entry. Its LocalID `x3` says that it is the third of the values, so that a reader has them back in their
order. A field that the XML schema forgot is an Extension as well, with the field's name as LocalID and as Key.

Texts are kept as they are, but for what no XML document can hold: control characters and lone surrogates are spelt
out (`\x00`, `\uD83D`), and in an address what belongs into none is encoded (`%20`), for one blank there would make the
whole document invalid. The same document gives the same bytes.
"""

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import quote

from lxml import etree

from infoprovider.glue.entities import Entity, Entry
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, family_of, xml_name
from infoprovider.glue.xml_layout import BARE, LINKS, NAMESPACE, ROOT_ORDER, XML_ATTRIBUTES, has_element, has_subclasses
from infoprovider.ldif import text

_KEY_AND_VALUE = re.compile(r"([A-Za-z][A-Za-z0-9._:-]*)=(.+)", re.DOTALL)
_NOT_IN_URI = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Referring: TypeAlias = Mapping[str, Mapping[type[Entry], Sequence[str]]]
"""Of each ID: which entities refer to it, by their class."""


def render_xml(entities: Sequence[Entity]) -> bytes:
    """The entities of a closed document as UTF-8, written one after the other; the order within a family is kept."""
    referring = _referring(entities)
    families: dict[str, list[Entity]] = {name: [] for name in ROOT_ORDER}
    for entity in entities:
        families[family_of(type(entity)).__name__].append(entity)
    body = io.BytesIO()
    with etree.xmlfile(body, encoding="UTF-8") as file:
        file.write_declaration()
        with file.element(f"{{{NAMESPACE}}}GLUE2", nsmap={None: NAMESPACE}):
            file.write("\n")
            for members in families.values():
                for entity in members:
                    file.write(_LAYOUTS[type(entity)].element_of(entity, referring), pretty_print=True)
    body.write(b"\n")
    return body.getvalue()


def _referring(entities: Iterable[Entity]) -> Referring:
    found: dict[str, dict[type[Entry], list[str]]] = {}
    for entity in entities:
        cls = type(entity)
        for target in dict.fromkeys(_LAYOUTS[cls].targets_of(entity)):
            found.setdefault(target, {}).setdefault(cls, []).append(entity.id)
    return found


@dataclass(frozen=True, slots=True)
class _Link:
    """An element below Associations: from these fields of the entity, or from those of these classes that name it."""

    element: str
    fields: tuple[tuple[str, bool], ...]
    classes: tuple[type[Entry], ...]

    def ids_for(self, entity: Entity, referring: Mapping[type[Entry], Sequence[str]]) -> Iterable[str]:
        """What it points to, each once."""
        if not self.fields:
            return [id_ for cls in self.classes for id_ in referring.get(cls, ())]
        return dict.fromkeys(_named_by(entity, self.fields))


def _named_by(entity: Entity, fields: Iterable[tuple[str, bool]]) -> list[str]:
    found: list[str] = []
    for field, multiple in fields:
        value = getattr(entity, field)
        if value:
            found += value if multiple else (value,)
    return found


class _Layout:
    """How entities of one class are written.

    Elements are made without a namespace and fall into the root's: with one of their own, each would declare it again.
    """

    def __init__(self, cls: type[Entity]) -> None:
        self._tag = cls.__name__
        self._bare = self._tag in BARE
        family = family_of(cls)
        self._base = family.__name__ if has_subclasses(family) else ""
        own = [one for one in attributes_of(cls)[1:] if one.declared_by != "Entity"]
        plain = [one for one in own if not one.target]
        self._columns = [(str(name), one.field, _texts_of(one)) for one in plain if (name := xml_name(one))]
        self._forgotten = [(one.name, one.field) for one in plain if not xml_name(one)]
        self._references = tuple((one.field, one.multiple) for one in own if one.target)
        self._links = [_link(own, link.element, link.target) for link in LINKS[self._tag]]

    def targets_of(self, entity: Entity) -> list[str]:
        """Every ID that an entity refers to."""
        return _named_by(entity, self._references)

    def element_of(self, entity: Entity, referring: Referring) -> etree._Element:
        """The entity with what stands below it."""
        element = etree.Element(self._tag)
        if not self._bare:
            self._add_entity(element, entity)
        for name, field, texts in self._columns:
            value = getattr(entity, field)
            if value is not None:
                for one in texts(value):
                    etree.SubElement(element, name).text = one
        associations = etree.SubElement(element, "Associations")
        known = referring.get(entity.id, {})
        for link in self._links:
            for id_ in link.ids_for(entity, known):
                etree.SubElement(associations, link.element).text = _known_to_xml(id_)
        return element

    def _add_entity(self, element: etree._Element, entity: Entity) -> None:
        """What every entity has: the XML attributes, ID, Name, OtherInfo and Extensions."""
        for name, value in zip(XML_ATTRIBUTES, (entity.creation_time, entity.validity), strict=True):
            if value is not None:
                element.set(name, text(value))
        if self._base:
            element.set("BaseType", self._base)
        etree.SubElement(element, "ID").text = _known_to_xml(entity.id)
        if entity.name is not None:
            etree.SubElement(element, "Name").text = _known_to_xml(entity.name)
        extensions: list[tuple[str, str, str]] = []
        for number, info in enumerate(entity.other_info, start=1):
            pair = _KEY_AND_VALUE.fullmatch(info)
            if pair:
                extensions.append((f"x{number}", pair[1], pair[2]))
            else:
                etree.SubElement(element, "OtherInfo").text = _known_to_xml(info)
        forgotten = [(name, value) for name, field in self._forgotten if (value := getattr(entity, field)) is not None]
        extensions += [(name, name, text(value)) for name, value in forgotten]
        if extensions:
            _add_extensions(etree.SubElement(element, "Extensions"), extensions)


def _add_extensions(parent: etree._Element, extensions: Iterable[tuple[str, str, str]]) -> None:
    for local_id, key, value in extensions:
        extension = etree.SubElement(parent, "Extension")
        etree.SubElement(extension, "LocalID").text = local_id
        etree.SubElement(extension, "Key").text = key
        etree.SubElement(extension, "Value").text = _known_to_xml(value)


def _link(own: Iterable[Attribute], element: str, target: str) -> _Link:
    fields = tuple((one.field, one.multiple) for one in own if one.target and xml_name(one) == element)
    seen_from = ENTITY_CLASSES[target]
    return _Link(element, fields, tuple(cls for cls in ENTITY_CLASSES.values() if issubclass(cls, seen_from)))


def _texts_of(attribute: Attribute) -> Callable[[Any], Iterable[str]]:
    one: Callable[[Any], str] = _as_uri if attribute.xsd == "anyURI" else _known_to_xml
    if not issubclass(attribute.type.python, str):
        one = text
    return partial(map, one) if attribute.multiple else lambda value: (one(value),)


def _known_to_xml(value: str) -> str:
    return value if value.isprintable() else _NOT_IN_XML.sub(_spelt_out, value)


def _as_uri(value: str) -> str:
    if not _NOT_IN_URI.search(value):
        return value
    return _NOT_IN_URI.sub(lambda match: quote(match[0], safe="", errors="replace"), value)


def _spelt_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}"


_LAYOUTS = {cls: _Layout(cls) for cls in ENTITY_CLASSES.values() if issubclass(cls, Entity) and has_element(cls)}
