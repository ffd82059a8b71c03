"""GLUE 2.0 XML back into GLUE entities, from anybody: read in one pass, without trust in who wrote it.

Nothing is fetched and nothing expanded: a document type is refused, with it all entities; so are a body, a text or a
nesting beyond what any centre has. Elements of foreign namespaces are passed over where the XML schema allows them.

What XML keeps in an Extension goes back where it was (see `render.xml`).
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from infoprovider.errors import QueryError
from infoprovider.glue.entities import Entity
from infoprovider.glue.fields import ID, Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, xml_name
from infoprovider.glue.xml_layout import BARE, NAMESPACE, XML_ATTRIBUTES, has_element
from infoprovider.query.associations import Found, resolved
from infoprovider.query.values import UNREADABLE, conversion

MAX_BYTES = 2**30
"""No centre writes more; 100,000 entities are a quarter of it."""

_Q = f"{{{NAMESPACE}}}"
_ROOT = f"{_Q}GLUE2"
_CLASSES: Mapping[str, type[Entity]] = {
    f"{_Q}{name}": cls for name, cls in ENTITY_CLASSES.items() if issubclass(cls, Entity) and has_element(cls)
}
_PLACE = re.compile(r"x([1-9][0-9]{0,8})")
_ADDRESSES = frozenset({"anyURI", ID.xsd})


def read_xml(body: bytes) -> tuple[Entity, ...]:
    """The entities of a document in its order. Raises QueryError where it, or a value in it, cannot be read."""
    return tuple(resolved(list(_elements(body))))


# --- the document ---------------------------------------------------------------------------------------------------


def _elements(body: bytes) -> Iterator[Found]:
    """Each entity of a document, forgotten as soon as it is read."""
    if len(body) > MAX_BYTES:
        raise _refused(f"it has {len(body)} bytes, where no centre needs more than {MAX_BYTES}")
    # Also in UTF-16 and UTF-32. What else hides a document type is seen when the root begins.
    if b"<!DOCTYPE" in (body if b"\0" not in body else body.replace(b"\0", b"")):
        raise _refused("it has a document type, and GLUE 2.0 has none")
    events = etree.iterparse(
        io.BytesIO(body),
        events=("start", "end"),
        tag=(_ROOT, *_CLASSES),
        load_dtd=False,
        no_network=True,
        resolve_entities=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    root = None
    try:
        for event, element in events:
            if root is None:
                root = _begun(element)
            elif event == "start" and element.getparent() is not root:
                raise _refused(f"line {element.sourceline}: an entity stands within another; the list is flat")
            elif event == "end" and element is not root:
                yield _found(element)
                _forget(element, root)
    except etree.XMLSyntaxError as error:
        # The exception itself may only say that nothing came out of it.
        first = events.error_log[0] if len(events.error_log) else None
        why = f"line {first.line}: {first.message}" if first else error.msg
        raise _refused(f"it is no XML: {why}") from error
    if root is None:
        raise _refused(f"its root is not GLUE2 of the namespace {NAMESPACE}")
    _refuse_unknown(root)


def _begun(root: etree._Element) -> etree._Element:
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refused("it has a document type, and GLUE 2.0 has none")
    if root.tag != _ROOT or root.getparent() is not None:
        raise _refused(f"its root is not GLUE2 of the namespace {NAMESPACE}")
    return root


def _forget(element: etree._Element, root: etree._Element) -> None:
    """Give the memory back; what stands before an entity and is none is looked at first."""
    element.clear()
    while (before := element.getprevious()) is not None:
        _refuse_unknown(before)
        root.remove(before)


def _refuse_unknown(*elements: etree._Element) -> None:
    for element in elements:
        for one in (element, *element) if element.tag == _ROOT else (element,):
            if one.tag.startswith(_Q) and one.tag != _ROOT and one.tag not in _CLASSES:
                raise _refused(f"line {one.sourceline}: {_plain(one)} is no entity of GLUE 2.0")


def _refused(why: str) -> QueryError:
    return QueryError(f"cannot read the XML document: {why}; tell whoever publishes it")


def _plain(element: etree._Element) -> str:
    return str(element.tag).removeprefix(_Q)


# --- one entity -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Field:
    """How the texts of one element become the values of a field."""

    field: str
    multiple: bool
    is_stripped: bool
    convert: Callable[[str], Any] | None
    expected: str

    def value(self, found: Found, name: str, texts: Sequence[str]) -> Any:
        if not self.multiple and len(texts) != 1:
            raise found.unreadable(f"{name} has {len(texts)} values and may have one")
        read = [text.strip() for text in texts] if self.is_stripped else texts
        convert = self.convert
        if convert is not None:
            try:
                read = [convert(text) for text in read]
            except UNREADABLE as error:
                seen = ", ".join(map(repr, texts))
                raise found.unreadable(f"{name} is {seen}, which is not {self.expected}") from error
        return tuple(read) if self.multiple else read[0]


def _field(attribute: Attribute) -> _Field:
    convert, expected = conversion(attribute.type)
    # Blanks at the ends count in a text only: what writes a document with indents adds them to anything else.
    is_stripped = attribute.type.python is not str or attribute.xsd in _ADDRESSES
    return _Field(attribute.field, attribute.multiple, is_stripped, convert, expected)


_FIELDS: Mapping[type[Entity], Mapping[str, _Field]] = {
    cls: {xml_name(one) or one.name: _field(one) for one in attributes_of(cls) if not one.target}
    for cls in _CLASSES.values()
}
"""By name of the element or the XML attribute; what XML forgot goes by the name of the field itself."""


def _found(element: etree._Element) -> Found:
    cls = _CLASSES[element.tag]
    found = Found(cls, element.sourceline, {"id": (element.findtext(f"{_Q}ID") or "").strip()})
    texts: dict[str, list[str]] = {name: [element.get(name, "")] for name in XML_ATTRIBUTES if name in element.attrib}
    extensions: list[tuple[str, str, str]] = []
    for child in element:
        name = _plain(child)
        if name == "Associations":
            for link in child:
                found.links.setdefault(_plain(link), []).append(_text_of(link, found).strip())
        elif name == "Extensions":
            extensions += (_extension(one, found) for one in child if one.tag == f"{_Q}Extension")
        else:
            texts.setdefault(name, []).append(_text_of(child, found))
    fields = _FIELDS[cls]
    for local_id, key, value in extensions:
        if local_id == key and key in fields and key not in texts:
            texts[key] = [value]
    others = [one for one in extensions if one[0] != one[1] or one[1] not in fields]
    plain = texts.pop("OtherInfo", [])
    for name in texts:
        if name not in fields or (cls.__name__ in BARE and name in ("ID", "Name")):
            raise found.unreadable(f"{name} is no element of {cls.__name__}")
        found.values[fields[name].field] = fields[name].value(found, name, texts[name])
    if cls.__name__ not in BARE:
        if not found.values["id"]:
            raise found.unreadable("it has no ID")
        found.values["other_info"] = _in_order(plain, others)
    return found


def _text_of(element: etree._Element, found: Found) -> str:
    if len(element):
        raise found.unreadable(f"{_plain(element)} holds other elements instead of a text")
    return element.text or ""


def _extension(element: etree._Element, found: Found) -> tuple[str, str, str]:
    parts = {_plain(part): _text_of(part, found) for part in element if str(part.tag).startswith(_Q)}
    try:
        return parts["LocalID"].strip(), parts["Key"], parts["Value"]
    except KeyError as error:
        raise found.unreadable(f"an Extension has no {error.args[0]}") from error


def _in_order(plain: Iterable[str], extensions: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    """All OtherInfo values: an Extension `x3` is the third of them, all else takes the places that are left."""
    placed: dict[int, str] = {}
    unplaced = list(plain)
    for local_id, key, value in extensions:
        match = _PLACE.fullmatch(local_id)
        if match and int(match[1]) not in placed:
            placed[int(match[1])] = f"{key}={value}"
        else:
            unplaced.append(f"{key}={value}")
    found: list[str] = []
    while placed:
        number = len(found) + 1
        # Where the numbers have gaps, what comes next closes them.
        if number in placed or not unplaced:
            found.append(placed.pop(number if number in placed else min(placed)))
        else:
            found.append(unplaced.pop(0))
    return (*found, *unplaced)
