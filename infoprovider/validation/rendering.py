"""A rendering read back and held against the document that it was made of.

Templates belong to the site: they may leave entities out and add lines, and nothing else. What they wrote must be LDIF
that a BDII takes, every entry one of the document with at least its attributes, every line allowed by the schema.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Protocol

from infoprovider import ldif
from infoprovider.errors import QueryError
from infoprovider.glue.entities import Entity, Entry, Group
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of
from infoprovider.glue.vocabulary import ExtendedBoolean
from infoprovider.validation.ldap_schema import SchemaCheck, rules_of
from infoprovider.validation.report import Finding, Report

_VALUES: dict[type[Entry], Callable[[Any], tuple[Any, ...]]] = {
    cls: attrgetter(*(field.field for field in attributes_of(cls)))
    for cls in ENTITY_CLASSES.values()
    if issubclass(cls, Entity)
}


class HasEntities(Protocol):
    """What was rendered."""

    @property
    def entities(self) -> tuple[Entity, ...]:
        """All entities, each ID once."""
        ...


def check_rendering(document: HasEntities, body: bytes) -> Report:
    """Hold the LDIF of a document against it; the report holds what was noticed and forbids nothing.

    Raises ValidationFailed, with the whole report as its message, where the text must not be published.
    """
    report = Report.of(_findings(document, body))
    report.demand_no_errors()
    return report


def faulty_entities(document: HasEntities, body: bytes) -> dict[str, str]:
    """What is wrong with which entity, by ID, in a text that must not be published.

    Lines that cannot be read, and entries of nobody, belong to the entity that was written last. Where anything else is
    wrong, an entry without its parent is taken for a consequence. Empty where something is wrong that belongs to none.
    """
    known = {entity.id: entity for entity in document.entities}
    missing = dict(known)
    schema = SchemaCheck()
    faults: dict[str, str] = {}
    orphans: dict[str, str] = {}
    owner = ""
    if any(True for _ in _of_the_text(body)):
        return {}
    for block in body.split(b"\n\n"):
        try:
            records = list(ldif.read(block))
            findings = []
            for record in records:
                id_ = _id_of(record)
                owner = id_ if id_ in known else owner
                findings += [*schema.findings(record), *_of_the_entity(record, missing)]
        except QueryError as error:
            name = block.partition(b"\n")[0].removeprefix(b"dn: ").decode("utf-8", "replace")
            id_ = _first_value(name)
            owner = id_ if id_ in known else owner
            findings = [_malformed(error)]
        for finding in findings:
            if not owner:
                return {}
            (orphans if finding.rule == "ldap.parent" else faults).setdefault(owner, str(finding))
    return faults or orphans


def _id_of(record: ldif.Record) -> str:
    rules = rules_of(tuple(record.attributes.get("objectClass", ())))
    return record.attributes.get(rules.naming, [""])[0] if rules else _first_value(record.dn)


def _first_value(dn: str) -> str:
    """The value by which a distinguished name begins, as far as it has one."""
    try:
        return ldif.split_dn(dn)[0][1]
    except QueryError:
        return ""


def _findings(document: HasEntities, body: bytes) -> Iterator[Finding]:
    yield from _of_the_text(body)
    entities = {entity.id: entity for entity in document.entities}
    schema = SchemaCheck()
    try:
        for record in ldif.read(body):
            yield from schema.findings(record)
            yield from _of_the_entity(record, entities)
    except QueryError as error:
        yield _malformed(error)


def _malformed(error: QueryError) -> Finding:
    return Finding(
        rule="ldif.malformed",
        what=str(error).rpartition(";")[0],
        why="what follows cannot be read",
        remedy="correct the template that wrote this line",
    )


def _of_the_text(body: bytes) -> Iterator[Finding]:
    if not body.startswith(b"dn: "):
        yield Finding(
            rule="bdii.beginning",
            what=f"begins with {body[:40]!r} instead of 'dn: '",
            why="a BDII adds it to the last entry of another provider, which is then refused",
            remedy="remove what stands before the first entry",
        )
    if not body.endswith(b"\n\n"):
        yield Finding(
            rule="bdii.end",
            what="does not end with a blank line",
            why="the output of the next provider would continue the last entry",
            remedy="end the last entry with a blank line",
        )


def _of_the_entity(record: ldif.Record, entities: dict[str, Entity]) -> Iterator[Finding]:
    """What is wrong with an entry as a statement of the document; a written entity is taken out of `entities`."""
    rules = rules_of(tuple(record.attributes.get("objectClass", ())))
    if rules is None or rules.cls is Group:
        return
    id_ = record.attributes.get(rules.naming, [""])[0]
    entity = entities.pop(id_, None)
    if entity is None or type(entity) is not rules.cls:
        yield Finding(
            rule="document.entry",
            object=record.dn,
            what=f"is no {rules.cls.__name__} of the document, or stands twice",
            why="what is published must have been composed, or nobody can say where it comes from",
            remedy="remove it from the template; what must be added belongs on an entry of the document",
        )
        return
    for field, value in zip(attributes_of(rules.cls), _VALUES[rules.cls](entity), strict=True):
        if value is None:
            continue
        if field.multiple:
            texts = list(map(ldif.text, value))
        else:
            texts = [value if isinstance(value, str) else ldif.text(value)]
        found = record.attributes.get(field.ldap or "", [])
        if found != texts:
            yield from _of_lost_values(record.dn, field, texts, found)


def _of_lost_values(dn: str, field: Attribute, texts: list[str], found: list[str]) -> Iterator[Finding]:
    lost = set(ldif.safe_values(texts)).difference(found)
    if field.enumeration is ExtendedBoolean:
        lost -= {value.lower() for value in found}
    if lost:
        yield Finding(
            rule="document.attribute",
            object=dn,
            attribute=field.ldap or "",
            what=f"lacks {', '.join(map(repr, sorted(lost)))}",
            why="an entry carries at least what the document says of it",
            remedy="write {{ attributes(object) }} below the object classes of the entry",
        )
