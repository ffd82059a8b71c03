"""What stands below `Associations` in XML, as the references of the model.

An association stands in XML once where the model has it twice (a share's Endpoint and its ComputingEndpoint): both
fields are filled, the special one with those of the special class. A service's AdminDomain is read from the domain. A
StorageAccessProtocol has no ID in XML: its service names it, in the order of the document.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infoprovider.errors import QueryError
from infoprovider.glue.entities import Entity, Entry
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, xml_name
from infoprovider.glue.xml_layout import BARE, LINKS

_REFERENCES = {cls: tuple(one for one in attributes_of(cls) if one.target) for cls in ENTITY_CLASSES.values()}
_PAIRS = {name: frozenset(link.element for link in links if link.occurs == "2..2") for name, links in LINKS.items()}
"""Class name → elements that hold the two ends of a path: the first belongs to the first of the fields."""


@dataclass(slots=True)
class Found:
    """One entity as it stands in the document: its fields, and the IDs below Associations by element."""

    cls: type[Entity]
    line: int
    values: dict[str, Any]
    links: dict[str, list[str]] = field(default_factory=dict)

    def unreadable(self, why: str) -> QueryError:
        """What is wrong with this entity, and where."""
        name = f"{self.cls.__name__} {self.values['id']}".rstrip()
        return QueryError(f"cannot read the {name} in line {self.line}: {why}; tell whoever publishes it")


def resolved(found: list[Found]) -> Iterator[Entity]:
    """The entities with their references filled, each field by the class of what the document says it points to."""
    _name_protocols(found)
    classes: dict[str, type[Entry]] = {one.values["id"]: one.cls for one in found}
    domains: dict[str, list[str]] = {}
    for one in found:
        if one.cls.__name__ == "AdminDomain":
            for service in one.links.get("ServiceID", ()):
                domains.setdefault(service, []).append(one.values["id"])
    for one in found:
        for attribute in _REFERENCES[one.cls]:
            if xml_name(attribute) is None:
                ids = domains.get(one.values["id"], [])
            else:
                ids = _pointing_to(attribute, one, classes)
            if attribute.multiple:
                one.values[attribute.field] = tuple(ids)
            elif len(ids) > 1:
                raise one.unreadable(f"{xml_name(attribute)} has {len(ids)} values and may have one")
            else:
                one.values[attribute.field] = ids[0] if ids else None
        yield one.cls(**one.values)


def _pointing_to(attribute: Attribute, one: Found, classes: Mapping[str, type[Entry]]) -> list[str]:
    element = xml_name(attribute) or ""
    ids = one.links.get(element, [])
    target = ENTITY_CLASSES[attribute.target or ""]
    if element not in _PAIRS[one.cls.__name__]:
        return [id_ for id_ in ids if issubclass(classes.get(id_, target), target)]
    ends = [end for end in _REFERENCES[one.cls] if xml_name(end) == element]
    if len(ids) != len(ends):
        raise one.unreadable(f"{element} has {len(ids)} values and must have {len(ends)}")
    if not issubclass(classes.get(ids[0], ENTITY_CLASSES[ends[0].target or ""]), ENTITY_CLASSES[ends[0].target or ""]):
        ids = ids[::-1]
    return [ids[ends.index(attribute)]]


def _name_protocols(found: Iterable[Found]) -> None:
    """Give each StorageAccessProtocol the ID by which its service knows it."""
    names = {
        one.values["id"]: iter(one.links.get("StorageAccessProtocolID", ()))
        for one in found
        if one.cls.__name__ == "StorageService"
    }
    for one in found:
        if one.cls.__name__ in BARE:
            (service, *_) = one.links.get("ServiceID") or [""]
            id_ = next(names.get(service, iter(())), None)
            if id_ is None:
                raise one.unreadable(f"its service {service} names no StorageAccessProtocolID for it")
            one.values["id"] = id_
