"""Rendered XML held against our own schemas/glue2.xsd, which a test holds against the model."""

import io
from collections.abc import Iterator
from functools import cache

from lxml import etree

from infoprovider import resources
from infoprovider.glue.xml_layout import NAMESPACE
from infoprovider.validation.report import Finding, Report

_ENTITIES = f"{{{NAMESPACE}}}*"


def check_xml(body: bytes) -> Report:
    """Hold a document against the XML schema.

    Raises ValidationFailed, with the whole report as its message, where it is not valid.
    """
    report = Report.of(() if _is_valid(body) else _findings(body))
    report.demand_no_errors()
    return report


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(resources.folder("schemas") / "glue2.xsd"))


def _is_valid(body: bytes) -> bool:
    """One pass that keeps nothing of the document; it cannot tell where a fault is."""
    is_whole = False
    try:
        for _, element in etree.iterparse(
            io.BytesIO(body), tag=_ENTITIES, schema=_schema(), no_network=True, resolve_entities=False
        ):
            parent = element.getparent()
            if parent is None:
                is_whole = True
            elif parent.getparent() is None:
                element.clear()
                while element.getprevious() is not None:
                    del parent[0]
    except etree.XMLSyntaxError:
        return False
    return is_whole


def _findings(body: bytes) -> Iterator[Finding]:
    """What is wrong, with line and entity: the whole document is read for it."""
    try:
        tree = etree.parse(io.BytesIO(body), etree.XMLParser(no_network=True, resolve_entities=False))
    except etree.XMLSyntaxError as error:
        yield Finding(
            rule="xml.malformed",
            what=str(error.msg),
            why="what follows cannot be read",
            remedy="report it: no document should come out like this",
        )
        return
    schema = _schema()
    if schema.validate(tree):
        return
    for entry in schema.error_log:
        yield Finding(
            rule="xml.schema",
            object=_entity_at(tree, entry.path, entry.line),
            what=entry.message.replace(f"{{{NAMESPACE}}}", ""),
            why="readers validate against the GLUE 2.0 XML schema and refuse the whole document",
            remedy="correct the fact where it comes from (`infoprovider explain` says where), or report it",
        )


def _entity_at(tree: etree._ElementTree, path: str | None, line: int) -> str:
    """The ID of the entity that a path leads into; the line where there is none, as outside all entities."""
    found = tree.xpath("/".join(path.split("/")[:3])) if path else []
    return (found[0].findtext(f"{{{NAMESPACE}}}ID") if found else None) or f"line {line}"
