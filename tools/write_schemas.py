"""Write schemas/GLUE20.schema (for slapd) and schemas/glue2.xsd from the facts that the fields of GLUE carry.

python tools/write_schemas.py            writes both
python tools/write_schemas.py --check    says which are not current, and returns 1
"""

import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lxml import etree

from infoprovider.glue import fields, names, xml_layout
from infoprovider.glue.entities import Entity, Entry, Extension
from infoprovider.glue.fields import Attribute, Type
from infoprovider.glue.names import ENTITY_CLASSES
from infoprovider.glue.vocabulary import CLOSED_ENUMERATIONS, OPEN_ENUMERATIONS
from tools.made_files import renew

SCHEMAS = Path(__file__).parents[1] / "schemas"

ORIGIN = "Made by tools/write_schemas.py from the fields of infoprovider.glue: change them, not this file."
DIRECTORY_STRING = "1.3.6.1.4.1.1466.115.121.1.15"
INTEGER = "1.3.6.1.4.1.1466.115.121.1.27"

WITHOUT_RULES = frozenset({"GLUE2UserDomainLevel"})
"""What the schema of the deployed servers gives no matching rules: a filter on it finds nothing there."""

XS = "http://www.w3.org/2001/XMLSchema"


def own_attributes(cls: type[Entry]) -> list[Attribute]:
    """The fields that a class declares itself, the identifier included if it is the class's own."""
    return [one for one in names.attributes_of(cls) if one.declared_by == cls.__name__]


# The LDAP schema


def ldap_schema() -> str:
    """Every attribute type and object class, parents before children, as slapd reads them."""
    definitions = [f"# GLUE 2.0 in its LDAP rendering. {ORIGIN}\n"]
    for cls in ENTITY_CLASSES.values():
        own = [one for one in own_attributes(cls) if one.ldap]
        definitions += [_attribute_type(one) for one in own]
        definitions.append(_object_class(cls, own))
    return "\n".join(definitions)


def _attribute_type(attribute: Attribute) -> str:
    quoted = [f"'{name}'" for name in (attribute.ldap, *attribute.aliases)]
    what = f"ID of {attribute.target}" if attribute.target else f"{attribute.type.name} {attribute.unit}".rstrip()
    lines = [
        f"attributetype ( {attribute.oid}",
        f"NAME {quoted[0]}" if len(quoted) == 1 else f"NAME ( {' '.join(quoted)} )",
        f"DESC '{what}'",
    ]
    if attribute.ldap in WITHOUT_RULES:
        lines.append(f"SYNTAX {INTEGER}")
    elif attribute.text_in_ldap:
        lines += ["EQUALITY caseExactMatch", "SUBSTR caseExactSubstringsMatch", f"SYNTAX {DIRECTORY_STRING}"]
    else:
        lines += ["EQUALITY integerMatch", "ORDERING integerOrderingMatch", f"SYNTAX {INTEGER}"]
    if not attribute.multiple:
        lines.append("SINGLE-VALUE")
    return "\n    ".join(lines) + " )\n"


def _object_class(cls: type[Entry], own: Iterable[Attribute]) -> str:
    lines = [f"objectclass ( {cls.glue.oid}", f"NAME '{names.object_class(cls)}'", f"DESC '{cls.__doc__}'"]
    if cls.__base__ is not object:
        lines.append(f"SUP {names.object_class(cls.__base__)}")
    lines.append("ABSTRACT" if cls is Entity else "STRUCTURAL")
    must = [one.ldap for one in own if one.must]
    may = [one.ldap for one in own if not one.must]
    lines += [f"{word} ( {' $ '.join(chosen)} )" for word, chosen in (("MUST", must), ("MAY", may)) if chosen]
    return "\n    ".join(lines) + " )\n"


# The XML schema


def xml_schema() -> str:
    """The document, its elements, the complex types of the classes and the simple types of their values."""
    schema = etree.Element(
        f"{{{XS}}}schema",
        {
            "targetNamespace": xml_layout.NAMESPACE,
            "elementFormDefault": "qualified",
            "attributeFormDefault": "unqualified",
        },
        nsmap={"xs": XS, "glue": xml_layout.NAMESPACE},
    )
    schema.append(etree.Comment(f" GLUE 2.0 in its XML rendering. {ORIGIN} "))
    families = [ENTITY_CLASSES[name] for name in xml_layout.ROOT_ORDER]
    _document(schema, families)
    for family in families:
        _elements(schema, family)
    _entity_types(schema)
    for family in families:
        _family_types(schema, family)
    _simple_types(schema)
    etree.indent(schema, "  ")
    return etree.tostring(schema, encoding="UTF-8", xml_declaration=True).decode() + "\n"


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{XS}}}{tag}", attributes)


def _occurs(mult: str) -> dict[str, str]:
    least, _, most = mult.rpartition("..")
    bounds = {"minOccurs": least or mult, "maxOccurs": "unbounded" if most == "*" else most}
    return {name: bound for name, bound in bounds.items() if bound != "1"}


def _type(xsd: str) -> str:
    return f"glue:{xsd}" if xsd.endswith("_t") else f"xs:{xsd}"


def _any_other(sequence: etree._Element) -> None:
    _add(sequence, "any", namespace="##other", processContents="lax", minOccurs="0", maxOccurs="unbounded")


def _document(schema: etree._Element, families: Iterable[type[Entry]]) -> None:
    _add(schema, "element", name="GLUE2", type="glue:GLUE2_t")
    sequence = _add(_add(schema, "complexType", name="GLUE2_t"), "sequence")
    for family in families:
        head = xml_layout.head_of(family) or family.__name__
        _add(sequence, "element", ref=f"glue:{head}", minOccurs="0", maxOccurs="unbounded")
    _any_other(sequence)


def _members(family: type[Entry]) -> list[type[Entry]]:
    return [cls for cls in ENTITY_CLASSES.values() if issubclass(cls, family) and xml_layout.has_element(cls)]


def _elements(schema: etree._Element, family: type[Entry]) -> None:
    head = xml_layout.head_of(family)
    if head:
        _add(schema, "element", name=head, type=f"glue:{family.__name__}Base_t", abstract="true")
    for cls in _members(family):
        element = _add(schema, "element", name=cls.__name__, type=f"glue:{cls.__name__}_t")
        if head:
            element.set("substitutionGroup", f"glue:{head}")


def _entity_types(schema: etree._Element) -> None:
    """The types of Extension, of the list of them, and of what every entity has."""
    sequence = _add(_add(schema, "complexType", name="Extension_t"), "sequence")
    _fields(sequence, own_attributes(Extension))
    _any_other(sequence)
    sequence = _add(_add(schema, "complexType", name="Extensions_t"), "sequence")
    _add(sequence, "element", name="Extension", type="glue:Extension_t", minOccurs="0", maxOccurs="unbounded")
    _any_other(sequence)
    entity = _add(schema, "complexType", name="Entity_t", abstract="true")
    sequence = _add(entity, "sequence")
    own = own_attributes(Entity)
    _fields(sequence, [one for one in own if one.name not in xml_layout.XML_ATTRIBUTES])
    _add(sequence, "element", name="Extensions", type="glue:Extensions_t", minOccurs="0")
    for one in own:
        if one.name in xml_layout.XML_ATTRIBUTES:
            _add(entity, "attribute", name=one.name, type=_type(one.xsd))


def _family_types(schema: etree._Element, family: type[Entry]) -> None:
    """The base type of a family of several, and the types of those of its classes that have an element."""
    several = xml_layout.head_of(family) is not None
    if several:
        base = _add(schema, "complexType", name=f"{family.__name__}Base_t", abstract="true")
        extension = _extension(base, "Entity_t")
        _fields(_add(extension, "sequence"), _contents(family))
        _add(extension, "attribute", name="BaseType", fixed=family.__name__, use="required")
    for cls in _members(family):
        made = _add(schema, "complexType", name=f"{cls.__name__}_t")
        if cls.__name__ not in xml_layout.BARE:
            made = _extension(made, f"{family.__name__}Base_t" if several else "Entity_t")
        sequence = _add(made, "sequence")
        _fields(sequence, [] if several and cls is family else _contents(cls))
        links = _add(_add(_add(sequence, "element", name="Associations"), "complexType"), "sequence")
        for link in xml_layout.LINKS[cls.__name__]:
            _add(links, "element", name=link.element, type=_type(link.xsd), **_occurs(link.occurs))


def _extension(made: etree._Element, base: str) -> etree._Element:
    return _add(_add(made, "complexContent"), "extension", base=f"glue:{base}")


def _contents(cls: type[Entry]) -> list[Attribute]:
    """A class's own fields without its identifier, which Entity's type has already."""
    identifier = names.identifier_of(cls)
    return [one for one in own_attributes(cls) if one != identifier]


def _fields(sequence: etree._Element, attributes: Iterable[Attribute]) -> None:
    for one in attributes:
        name = names.xml_name(one)
        if name and not one.target:
            _add(sequence, "element", name=name, type=_type(one.xsd), **_occurs(one.mult))


def _simple_types(schema: etree._Element) -> None:
    for name, words in sorted(CLOSED_ENUMERATIONS.items()):
        _words(_add(schema, "simpleType", name=name), [word.value for word in words])
    for name, listed in sorted(OPEN_ENUMERATIONS.items()):
        made = _add(schema, "simpleType", name=name)
        if listed.values:
            made = _add(_add(made, "union", memberTypes="xs:string"), "simpleType")
        _words(made, listed.values)
    for base, made_from in (
        ("anyURI", fields.ID),
        ("string", fields.LOCAL_ID),
        ("string", fields.DN),
        ("dateTime", fields.DATETIME),
        ("float", fields.LATITUDE),
        ("float", fields.LONGITUDE),
    ):
        _restriction(schema, base, made_from)


def _words(parent: etree._Element, values: Iterable[str]) -> None:
    restriction = _add(parent, "restriction", base="xs:string")
    for value in values:
        _add(restriction, "enumeration", value=value)


def _restriction(schema: etree._Element, base: str, made_from: Type) -> None:
    restriction = _add(_add(schema, "simpleType", name=made_from.xsd), "restriction", base=f"xs:{base}")
    if made_from.pattern is not None:
        _add(restriction, "pattern", value=made_from.pattern)
    if made_from.minimum is not None:
        _add(restriction, "minExclusive" if made_from.open_minimum else "minInclusive", value=str(made_from.minimum))
    if made_from.maximum is not None:
        _add(restriction, "maxInclusive", value=str(made_from.maximum))


def main(arguments: list[str]) -> int:
    """Write both schemas, or say which of them is not current."""
    made = {"GLUE20.schema": ldap_schema(), "glue2.xsd": xml_schema()}
    codes = [
        renew(SCHEMAS / name, text, arguments, name=f"schemas/{name}", by="tools/write_schemas.py")
        for name, text in made.items()
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
