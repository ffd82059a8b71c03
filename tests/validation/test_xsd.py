"""Rendered XML against the XML schema."""

import re

import pytest
import xmlschema
from lxml import etree

from infoprovider import resources
from infoprovider.errors import ValidationFailed
from infoprovider.glue.xml_layout import NAMESPACE
from infoprovider.render.xml import render_xml
from infoprovider.validation.xsd import check_xml
from tests.publication.demo import document_of_the_demo


@pytest.fixture(scope="module")
def body() -> bytes:
    """The demo centre."""
    return render_xml(document_of_the_demo().entities)


def test_two_validators_find_nothing_in_the_demo_centre(body: bytes) -> None:
    """Ours with libxml2, and one written in Python."""
    assert check_xml(body).findings == ()
    schema = xmlschema.XMLSchema(resources.folder("schemas") / "glue2.xsd")
    assert [error.reason for error in schema.iter_errors(etree.fromstring(body))] == []


@pytest.mark.parametrize(
    ("change", "to", "rule", "named"),
    [
        (rb"<HealthState>.*?<", b"<HealthState>fine<", "xml.schema", "urn:glue2:ComputingEndpoint:[^ ]+: Element"),
        (rb' BaseType="Share"', b"", "xml.schema", "urn:glue2:ComputingShare:[^ ]+: Element 'ComputingShare'"),
        (rb"<AppName>.*?</AppName>", b"", "xml.schema", "urn:glue2:ApplicationEnvironment:[^ ]+: Element"),
        (rb"<Location(.*)</Location>\s*(<Contact.*?</Contact>)", rb"\2<Location\1</Location>", "xml.schema", "Locatio"),
        (rb"</GLUE2>", b"", "xml.malformed", "Premature end of data"),
        (rb".*", b"<a/>", "xml.schema", "Element 'a'"),
    ],
)
def test_what_breaks_the_schema_is_named_with_its_entity(
    body: bytes, change: bytes, to: bytes, rule: str, named: str
) -> None:
    """A wrong word, a missing attribute or element, a wrong order, a document cut short, another document."""
    broken = re.sub(change, to, body, count=1, flags=re.DOTALL)
    assert broken != body
    with pytest.raises(ValidationFailed, match=f"error {rule}: .*{named}") as caught:
        check_xml(broken)
    assert NAMESPACE not in str(caught.value)
