"""IDs that are unique, and references that lead to an entry of the right class."""

from collections.abc import Iterator

from infoprovider import ldif
from infoprovider.glue.entities import Entity, Entry, Group
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of
from infoprovider.validation.ldap_schema import rules_of
from infoprovider.validation.report import Finding
from infoprovider.validation.rule import Rule

DUPLICATE_ID = Rule(
    id="glue.duplicate-id",
    broken="two entries have the same ID, in whatever case",
    why="an ID is unique in the world: a reference to it means either of them",
    remedy="rename one of them, or leave one out",
)
REFERENCE = Rule(
    id="glue.reference",
    broken="a reference names an entry that is not there; domains and services elsewhere are not asked for",
    why="readers that follow it find nothing",
    remedy="publish the entry, or take the reference out",
)
REFERENCE_CLASS = Rule(
    id="glue.reference-class",
    broken="a reference names an entry of another class",
    why="readers that follow it find something that they did not ask for",
    remedy="write the ID of an entry of the right class",
)
RULES = (DUPLICATE_ID, REFERENCE, REFERENCE_CLASS)

_ELSEWHERE = {
    ("AdminDomain", "AdminDomain"),
    ("UserDomain", "UserDomain"),
    ("Service", "Service"),
    ("ToStorageService", "StorageService"),
    ("ToComputingService", "ComputingService"),
}
"""Declaring class and target of references that may always lead out of what was read."""

_MAY_BE_ELSEWHERE = {
    ("Service", "AdminDomain"),
    ("Policy", "UserDomain"),
    ("Activity", "UserDomain"),
    ("Location", "Domain"),
    ("Contact", "Domain"),
}
"""Those that may where no entry of their target was read: a resource's tree has no domains, a site's has."""


_REFERENCES = {
    cls: tuple((one, one.ldap) for one in attributes_of(cls) if one.target is not None and one.ldap is not None)
    for cls in ENTITY_CLASSES.values()
}


class References:
    """IDs that stand twice, and references that lead nowhere; what is seen too early is looked at again at the end."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Entry]] = {}
        self._spelt: dict[str, str] = {}
        self._open: dict[tuple[str, str, str], Attribute] = {}

    def of_entry(self, record: ldif.Record) -> Iterator[Finding]:
        """What is known already when this entry is read."""
        rules = rules_of(tuple(record.attributes.get("objectClass", ())))
        if rules is None or rules.cls is Group:
            return
        id_ = record.attributes.get(rules.naming, ("",))[0]
        if id_ and issubclass(rules.cls, Entity):
            other = self._spelt.setdefault(id_.lower(), id_)
            if id_ in self._classes or other != id_:
                yield DUPLICATE_ID.found(record.dn or id_, f"is {id_!r}, which another entry has", rules.naming)
            self._classes[id_] = rules.cls
        place = record.dn or id_
        for attribute, name in _REFERENCES[rules.cls]:
            for target in record.attributes.get(name, ()):
                found = self._classes.get(target)
                if found is None:
                    self._open[place, name, target] = attribute
                elif not issubclass(found, ENTITY_CLASSES[attribute.target or ""]):
                    yield _of_other_class(place, attribute, target, found)

    def at_the_end(self) -> Iterator[Finding]:
        """What is left open when everything has been read."""
        present = set(self._classes.values())
        for (place, name, target), attribute in self._open.items():
            wanted = ENTITY_CLASSES[attribute.target or ""]
            found = self._classes.get(target)
            if found is not None:
                if not issubclass(found, wanted):
                    yield _of_other_class(place, attribute, target, found)
                continue
            whence = attribute.declared_by, attribute.target
            if whence in _ELSEWHERE or (
                whence in _MAY_BE_ELSEWHERE and not any(issubclass(one, wanted) for one in present)
            ):
                continue
            spelt = self._spelt.get(target.lower())
            meant = f"; {spelt!r} differs in letter case" if spelt else ""
            yield REFERENCE.found(place, f"names {target!r}, no {wanted.__name__} that was read{meant}", name)


def _of_other_class(place: str, attribute: Attribute, target: str, found: type[Entry]) -> Finding:
    return REFERENCE_CLASS.found(
        place, f"names {target!r}, which is a {found.__name__} and no {attribute.target}", attribute.ldap or ""
    )
