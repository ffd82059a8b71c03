"""How `entities` states what is known of a GLUE 2.0 field and of a GLUE 2.0 class.

A field is written once, `main_memory_size: int | None = attribute("MainMemorySize", 15, UINT64, unit="MB", must=True)`:
LDIF, XML, JSON, validation, reading back and explaining all walk what is said there. The facts are those of OGF
GFD.147 (the model) and of its LDAP and XML renderings.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias

from infoprovider.glue.vocabulary import OpenEnumeration

OID_ROOT = "1.3.6.1.4.1.6757.100.1.1"
"""The arc of the GLUE 2.0 object classes; attributes are numbered below the class that declares them."""

METADATA_KEY = "glue"
"""Where a dataclass field keeps what `attribute` or `reference` was told."""


Words: TypeAlias = type[StrEnum] | OpenEnumeration
"""An enumeration: a closed one is a class of its words, an open one a list of those that are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """How the values of a field look.

    `name` is the model's word, `python` the class of a value, `xsd` the type in the XML schema (one of GLUE's own ends
    in `_t`). `minimum` and `maximum` bound a number and belong to it, but for an `open_minimum`; `pattern` is the XML
    schema's; `enumeration` holds the words of an enumerated type.
    """

    name: str
    python: type
    xsd: str
    minimum: int | None = None
    maximum: int | None = None
    open_minimum: bool = False
    pattern: str | None = None
    enumeration: Words | None = None


STRING = Type(name="string", python=str, xsd="string")
UINT32 = Type(name="uint32", python=int, xsd="unsignedInt", minimum=0, maximum=2**32 - 1)
UINT64 = Type(name="uint64", python=int, xsd="unsignedLong", minimum=0, maximum=2**64 - 1)
INT32 = Type(name="int32", python=int, xsd="int", minimum=-(2**31), maximum=2**31 - 1)
REAL32 = Type(name="real32", python=float, xsd="float")
LATITUDE = Type(name="real32", python=float, xsd="Latitude_t", minimum=-90, maximum=90)
LONGITUDE = Type(name="real32", python=float, xsd="Longitude_t", minimum=-180, maximum=180, open_minimum=True)
URI = Type(name="uri", python=str, xsd="anyURI")
URL = Type(name="url", python=str, xsd="anyURI")
ID = Type(name="uri", python=str, xsd="ID_t")
LOCAL_ID = Type(name="local_id", python=str, xsd="LocalID_t", pattern=r"[a-zA-Z][a-zA-Z0-9_.:\-]*")
DN = Type(name="dn", python=str, xsd="DN_t")
DATETIME = Type(name="datetime", python=datetime, xsd="DateTime_t")


def enumerated(words: Words) -> Type:
    """The type of a field that takes the words of an enumeration: only those of a closed one, any of an open one."""
    if isinstance(words, OpenEnumeration):
        return Type(name="enum", python=str, xsd=words.name, enumeration=words)
    return Type(name="enum", python=words, xsd=f"{words.__name__}_t", enumeration=words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One field of a GLUE class: its Python name, its GLUE name, and the facts that every rendering needs.

    `declared_by` is the GLUE class that names the LDAP attribute and `number` its place below that class's OID (`oid`
    is the whole). `ldap` is None for the identifier of the bare Entity, which the LDAP schema does not have.
    `multiple` and `must` are the LDAP schema's; `mult` is the model's multiplicity, empty where the model does not
    know the field. `target` is the GLUE class that an association points to. `xsd` is the XML schema's type;
    `text_in_ldap` marks a number that the LDAP schema keeps as text. `aliases` are further LDAP names.
    """

    field: str
    name: str
    declared_by: str
    number: int
    oid: str
    ldap: str | None
    type: Type
    multiple: bool = False
    must: bool = False
    mult: str
    unit: str = ""
    target: str | None = None
    xsd: str
    text_in_ldap: bool = True
    aliases: tuple[str, ...] = ()

    @property
    def enumeration(self) -> Words | None:
        """The words that the field takes, if it is an enumerated one."""
        return self.type.enumeration


def attribute(
    name: str,
    number: int,
    type: Type | Words = STRING,  # noqa: A002  (GLUE's own word)
    *,
    multiple: bool = False,
    must: bool = False,
    mult: str | None = None,
    unit: str = "",
    xsd: str | None = None,
    text_in_ldap: bool | None = None,
) -> Any:
    """Declare a field; `mult` and `xsd` are given where they do not follow from the rest."""
    kind = type if isinstance(type, Type) else enumerated(type)
    made = partial(
        Attribute,
        name=name,
        number=number,
        type=kind,
        multiple=multiple,
        must=must,
        mult=_multiplicity(multiple, must) if mult is None else mult,
        unit=unit,
        xsd=xsd or kind.xsd,
        text_in_ldap=kind.python is not int if text_in_ldap is None else text_in_ldap,
    )
    return field(default=() if multiple else None, metadata={METADATA_KEY: made})


def reference(target: str, number: int, *, multiple: bool = False, must: bool = False) -> Any:
    """Declare an association to entities of the class `target`, held as their identifiers."""
    made = partial(
        Attribute,
        name=f"{target}ForeignKey",
        number=number,
        type=ID,
        multiple=multiple,
        must=must,
        mult=_multiplicity(multiple, must),
        target=target,
        xsd=ID.xsd,
    )
    return field(default=() if multiple else None, metadata={METADATA_KEY: made})


def _multiplicity(multiple: bool, must: bool) -> str:
    if multiple:
        return "1..*" if must else "0..*"
    return "1" if must else "0..1"


@dataclass(frozen=True, slots=True)
class GlueClass:
    """Facts of a class: its number below the OID root, and whether the model has it only as a parent of others.

    `identifier` is the GLUE name of what names an entry, `identifier_aliases` are further LDAP names of it.
    """

    number: int
    abstract: bool = False
    identifier: str = "ID"
    identifier_aliases: tuple[str, ...] = ()

    @property
    def oid(self) -> str:
        """The object class's OID."""
        return f"{OID_ROOT}.{self.number}"
