"""LDIF entries held against the LDAP schema of GLUE 2.0 and against what slapd and a BDII take.

slapd refuses an entry whole for one bad attribute, and a BDII does not say which: so this is checked before. The codes
in the findings are LDAP's result codes (RFC 4511), as slapd 2.5 with the GLUE 2.0 schema gives them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from infoprovider import ldif
from infoprovider.errors import RenderError
from infoprovider.glue.entities import Entry
from infoprovider.glue.names import attribute_of_ldap, attributes_of, class_of, object_classes_of, rdn_attribute_of
from infoprovider.validation.report import Finding
from infoprovider.validation.rule import Rule

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


RULES = {
    rule.id: rule
    for rule in (
        Rule(
            id="ldap.object-class",
            broken="an entry lists no class of GLUE 2.0, lacks one of those above its class, or names another",
            why="readers look for every class from GLUE2Entity down; slapd refuses an unknown one (21) and two "
            "branches (65)",
            remedy="write the classes of one GLUE class, all those above it included",
        ),
        Rule(
            id="ldap.unknown-attribute",
            broken="an attribute is none of the entry's class",
            why="slapd refuses the whole entry (17 or 65)",
            remedy="say it as GLUE2EntityOtherInfo: Key=value, or correct the name",
        ),
        Rule(
            id="ldap.mandatory",
            broken="an attribute that the LDAP schema demands is missing",
            why="the schema demands it, and slapd refuses the entry (65)",
            remedy="write it, or leave the entry out",
        ),
        Rule(
            id="ldap.single-value",
            broken="an attribute of one value has several",
            why="the schema allows one, and slapd refuses the entry (19)",
            remedy="write one of them",
        ),
        Rule(
            id="ldap.integer",
            broken="a value of an INTEGER is spelt in another way",
            why="it is no INTEGER as LDAP writes it, and slapd refuses the entry (21)",
            remedy="write digits only, without a plus sign, zeros in front or a fraction",
        ),
        Rule(
            id="ldap.empty-value",
            broken="a value is empty",
            why="slapd refuses the whole entry (21)",
            remedy="leave the line out",
        ),
        Rule(
            id="ldap.equal-values",
            broken="two values of an attribute are equal to a server",
            why="runs of blanks and other forms of one character do not count, and slapd refuses the entry (20)",
            remedy="write each value once",
        ),
        Rule(
            id="ldap.duplicate-dn",
            broken="a distinguished name stands twice, in whatever case",
            why="a BDII compares in lower case, keeps the first and drops the other",
            remedy="write each entry once",
        ),
        Rule(
            id="ldap.parent",
            broken="the entry above is not there",
            why="slapd refuses it (32)",
            remedy="write the entry above first, in the same spelling, or leave out what stands below it",
        ),
        Rule(
            id="ldap.rdn",
            broken="the relative name is not that of the entry's ID, or longer than 245 bytes, or not plain ASCII",
            why="slapd refuses it (64 or 80), or a BDII adds and deletes it in turns",
            remedy="name the entry by its identifier, at most 200 plain characters (in a template: dn(object, above))",
        ),
        Rule(
            id="bdii.unsafe-value",
            broken="a value has a control character, a blank at an end, or `dn:` in it",
            why="a BDII would cut the entry there, freeze it, or strip the value",
            remedy="write the value without it (in a template, line(attribute, value) makes it safe)",
        ),
    )
}
"""What is demanded of every entry, by id."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the schema says of entries of one GLUE class, by LDAP attribute name."""

    cls: type[Entry]
    naming: str
    object_classes: frozenset[str]
    allowed: frozenset[str]
    must: frozenset[str]
    single: frozenset[str]
    integers: frozenset[str]


@lru_cache(maxsize=256)
def rules_of(object_classes: tuple[str, ...]) -> Rules | None:
    """The rules for an entry with these object classes; None where they name no class that has entries."""
    cls = class_of(object_classes)
    if cls is None or cls.glue.abstract:
        return None
    attributes = [(attribute, attribute.ldap) for attribute in attributes_of(cls) if attribute.ldap is not None]
    names = frozenset(name for _, name in attributes)
    return Rules(
        cls=cls,
        naming=rdn_attribute_of(cls),
        object_classes=frozenset(object_classes_of(cls)),
        allowed=names | {"objectClass"},
        must=frozenset(name for attribute, name in attributes if attribute.must),
        single=frozenset(name for attribute, name in attributes if not attribute.multiple),
        integers=frozenset(name for attribute, name in attributes if not attribute.text_in_ldap),
    )


class SchemaCheck:
    """Checks the entries of one text, in their order; `roots` are entries that the server has already."""

    def __init__(self, roots: Iterable[str] = ("o=glue",)) -> None:
        self._spelt = {root.lower(): root for root in roots}

    def findings(self, record: ldif.Record) -> Iterator[Finding]:
        """What is wrong with the next entry."""
        yield from self._in_the_tree(record.dn)
        yield from of_entry(record)

    def _in_the_tree(self, dn: str) -> Iterator[Finding]:
        if self._spelt.setdefault(dn.lower(), dn) is not dn:
            yield _finding("ldap.duplicate-dn", dn, "stands twice in the text")
        above = ldif.parent_of(dn)
        if self._spelt.get(above.lower()) != above:
            yield _finding("ldap.parent", dn, f"{above or 'nothing'} above it has not been written before")


def of_entry(record: ldif.Record) -> Iterator[Finding]:
    """What is wrong with an entry in itself; one that comes from no tree has no distinguished name."""
    object_classes = tuple(record.attributes.get("objectClass", ()))
    rules = rules_of(object_classes)
    if rules is None:
        named = ", ".join(object_classes) or "there is none"
        yield _finding("ldap.object-class", record.dn, f"no class of GLUE 2.0 that has entries: {named}", "objectClass")
        return
    yield from _of_names(record, rules)
    yield from _of_values(record, rules)
    if record.dn:
        yield from _of_rdn(record, rules)


def _finding(rule: str, dn: str, what: str, attribute: str = "") -> Finding:
    return RULES[rule].found(dn, what, attribute)


def _of_names(record: ldif.Record, rules: Rules) -> Iterator[Finding]:
    present = record.attributes.keys()
    for name in sorted(present - rules.allowed):
        yield _finding("ldap.unknown-attribute", record.dn, f"is no attribute of {rules.cls.__name__}", name)
    for name in sorted(rules.must - present):
        yield _finding("ldap.mandatory", record.dn, "is missing", name)
    written = frozenset(record.attributes["objectClass"])
    if written != rules.object_classes:
        lacking, others = rules.object_classes - written, written - rules.object_classes
        what = f"lacks {', '.join(sorted(lacking))}" if lacking else f"also names {', '.join(sorted(others))}"
        yield _finding("ldap.object-class", record.dn, what, "objectClass")


def _of_values(record: ldif.Record, rules: Rules) -> Iterator[Finding]:
    attributes = record.attributes
    for name, values in attributes.items():
        if len(values) > 1:
            if name in rules.single:
                yield _finding("ldap.single-value", record.dn, f"has {len(values)} values", name)
            if _equal_to_a_server(values):
                yield _finding("ldap.equal-values", record.dn, f"has values that are equal to it: {values}", name)
    for name in rules.integers & attributes.keys():
        if not _INTEGER.fullmatch(attributes[name][0]):
            yield _finding("ldap.integer", record.dn, f"is {attributes[name][0]!r}", name)
    if record.dn and not ldif.harmless(chain.from_iterable(attributes.values())):
        for name, values in attributes.items():
            yield from _of_unsafe(record.dn, name, values)


def _equal_to_a_server(values: list[str]) -> bool:
    if len(set(values)) == len(values) and ldif.harmless(values):
        return False
    present = [value for value in values if value]
    return ldif.safe_values(present) != tuple(ldif.safe(value) for value in present)


def _of_unsafe(dn: str, name: str, values: list[str]) -> Iterator[Finding]:
    for value in values:
        if not value:
            yield _finding("ldap.empty-value", dn, "is empty", name)
        elif ldif.safe(value) != value:
            yield _finding("bdii.unsafe-value", dn, f"is {value[:60]!r}", name)


def _of_rdn(record: ldif.Record, rules: Rules) -> Iterator[Finding]:
    values = record.attributes.get(rules.naming)
    if values is None:
        return
    try:
        expected = ldif.rdn(rules.naming, values[0])
    except RenderError as error:
        yield _finding("ldap.rdn", record.dn, str(error).partition(";")[0], rules.naming)
        return
    found = record.dn.partition(",")[0]
    if found != expected and not _spells(found, expected):
        yield _finding("ldap.rdn", record.dn, f"does not begin with {expected}, which the entry states", rules.naming)


def _spells(found: str, expected: str) -> bool:
    """Whether only the attribute's name is spelt in another way: in other letters, or as one of its aliases."""
    (name, _, value), (naming, _, identifier) = found.partition("="), expected.partition("=")
    attribute = attribute_of_ldap(name)
    return value == identifier and attribute is not None and attribute.ldap == naming
