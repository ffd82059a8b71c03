"""From a GLUE class or field to its names in Python, LDAP, XML and JSON, and back: by rule, with few exceptions.

LDAP: `GLUE2` + the class that declares the field + the field's GLUE name. XML and JSON: the GLUE name itself; an
association is an element or a key below `Associations`, named after the family of what it points to.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import partial
from types import MappingProxyType

from infoprovider.glue import entities
from infoprovider.glue.entities import Entity, Entry
from infoprovider.glue.fields import ID, LOCAL_ID, METADATA_KEY, Attribute, GlueClass

_WORD = re.compile(r"[A-Z]{2,}s(?=[A-Z]|$)|[A-Z]+(?=[A-Z][a-z]|$)|[A-Z][a-z0-9]*")


def python_name(name: str) -> str:
    """GLUE's name in snake case: `OSFamily` gives `os_family`, `LogicalCPUs` gives `logical_cpus`."""
    return "_".join(_WORD.findall(name)).lower()


ENTITY_CLASSES: Mapping[str, type[Entry]] = MappingProxyType(
    {
        name: kind
        for name, kind in vars(entities).items()
        if isinstance(kind, type) and isinstance(vars(kind).get("glue"), GlueClass)
    }
)
"""GLUE class name → Python class, parents before children: all 36 of the LDAP schema."""


def family_of(cls: type[Entry]) -> type[Entry]:
    """The topmost class below Entity: what names the identifier, and an association in XML."""
    lineage = _lineage(cls)
    return lineage[1] if len(lineage) > 1 else cls


def _lineage(cls: type[Entry]) -> list[type[Entry]]:
    return [kind for kind in reversed(cls.__mro__) if kind is not object]


def _identifier(cls: type[Entry], field: str) -> Attribute:
    """The identifier as it stands on a class: declared by the family, absent from the LDAP schema for bare Entity."""
    family = family_of(cls)
    name, number = family.glue.identifier, 1
    return Attribute(
        field=field,
        name=name,
        declared_by=family.__name__,
        number=number,
        oid=f"{family.glue.oid}.{number}",
        ldap=None if cls is Entity else f"GLUE2{family.__name__}{name}",
        type=ID if name == "ID" else LOCAL_ID,
        must=True,
        mult="1",
        xsd=ID.xsd if name == "ID" else LOCAL_ID.xsd,
        aliases=family.glue.identifier_aliases,
    )


def _attributes(cls: type[Entry]) -> tuple[Attribute, ...]:
    declared_by = {field: kind for kind in _lineage(cls) for field in vars(kind)["__slots__"]}
    found = []
    for field in fields(cls):
        kind = declared_by[field.name]
        if METADATA_KEY not in field.metadata:
            found.append(_identifier(cls, field.name))
            continue
        made: partial[Attribute] = field.metadata[METADATA_KEY]
        number, name = made.keywords["number"], made.keywords["name"]
        found.append(
            made(
                field=field.name,
                declared_by=kind.__name__,
                oid=f"{kind.glue.oid}.{number}",
                ldap=f"GLUE2{kind.__name__}{name}",
            )
        )
    return tuple(found)


_ATTRIBUTES = {cls: _attributes(cls) for cls in ENTITY_CLASSES.values()}


def attributes_of(cls: type[Entry]) -> tuple[Attribute, ...]:
    """Every field of a class, the identifier first, then those of Entity, of each parent, and its own."""
    return _ATTRIBUTES[cls]


def identifier_of(cls: type[Entry]) -> Attribute:
    """The field that names an entry: `id`, for an Extension `local_id`."""
    return _ATTRIBUTES[cls][0]


def rdn_attribute_of(cls: type[Entry]) -> str:
    """The LDAP attribute that names an entry: that of the family, `GLUE2ShareID` for a ComputingShare."""
    ldap = identifier_of(cls).ldap
    if ldap is None:
        raise ValueError(f"{cls.__name__} is never published as an entry")
    return ldap


def object_class(cls: type[Entry]) -> str:
    """The LDAP object class of a GLUE class."""
    return f"GLUE2{cls.__name__}"


def object_classes_of(cls: type[Entry]) -> tuple[str, ...]:
    """The object classes of an entry as published, from Entity down to the class itself."""
    return tuple(object_class(kind) for kind in _lineage(cls))


_BY_OBJECT_CLASS = {object_class(cls).lower(): cls for cls in ENTITY_CLASSES.values()}

_BY_LDAP_NAME = {
    name.lower(): attribute
    for attributes in _ATTRIBUTES.values()
    for attribute in attributes
    for name in (attribute.ldap, *attribute.aliases)
    if name is not None
}


def attribute_of_ldap(name: str) -> Attribute | None:
    """The field of an LDAP attribute's name or alias in any case; None if GLUE 2.0 has no such attribute."""
    return _BY_LDAP_NAME.get(name.lower())


def class_of(object_classes: Iterable[str]) -> type[Entry] | None:
    """The most special GLUE class among the object classes of an entry, in any case; None if there is none."""
    found = [_BY_OBJECT_CLASS[name.lower()] for name in object_classes if name.lower() in _BY_OBJECT_CLASS]
    return max(found, key=lambda cls: len(cls.__mro__), default=None)


_IN_XML = {
    ("ComputingShare", "MaxStageInStreams"): "MaxStateInStreams",
    ("ComputingShare", "LocalStagingJobs"): None,
    ("AdminDomain", "AdminDomainForeignKey"): "ParentDomainID",
    ("UserDomain", "UserDomainForeignKey"): "ParentDomainID",
    ("Service", "AdminDomainForeignKey"): None,
    ("Extension", "EntityForeignKey"): None,
}
"""Where the XML schema has another name, or none: a service's domain is stated by the domain, an extension's entity
holds it."""

_IN_JSON = {
    ("Location", "PostCode"): "PostalCode",
    ("ComputingShare", "SchedulingPolicy"): "ScheduingPolicy",
    ("ComputingManager", "LogicalCPUDistribution"): "LocalCPUDistribution",
    ("ComputingActivity", "UsedTotalCPUTime"): "UsedTotalCpuTime",
    ("AdminDomain", "AdminDomainForeignKey"): "ParentDomainID",
    ("UserDomain", "UserDomainForeignKey"): "ParentDomainID",
}
"""Where the OGF's JSON schemas (2014/11) spell a name in another way."""


def xml_name(attribute: Attribute) -> str | None:
    """The XML element (for CreationTime and Validity the XML attribute) of a field; None if XML has none."""
    rule = attribute.name
    if attribute.target is not None:
        rule = f"{family_of(ENTITY_CLASSES[attribute.target]).__name__}ID"
    return _IN_XML.get((attribute.declared_by, attribute.name), rule)


def json_name(attribute: Attribute) -> str:
    """The key of a field in JSON; an association's names its target and stands below `Associations`."""
    rule = attribute.name if attribute.target is None else f"{attribute.target}ID"
    return _IN_JSON.get((attribute.declared_by, attribute.name), rule)
