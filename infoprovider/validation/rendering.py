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


def _findings(document: HasEntities, body: bytes) -> Iterator[Finding]:
    yield from _of_the_text(body)
    entities = {entity.id: entity for entity in document.entities}
    schema = SchemaCheck()
    try:
        for record in ldif.read(body):
            yield from schema.findings(record)
            yield from _of_the_entity(record, entities)
    except QueryError as error:
        yield Finding(
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
