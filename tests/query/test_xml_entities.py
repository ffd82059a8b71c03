"""GLUE 2.0 XML of anybody back into entities: what is understood, and what is refused."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infoprovider.errors import QueryError
from infoprovider.glue import entities as glue
from infoprovider.glue.vocabulary import ServingState
from infoprovider.glue.xml_layout import NAMESPACE
from infoprovider.query import xml_entities
from infoprovider.query.xml_entities import read_xml

SHARE = "<ComputingShare BaseType='Share'><ID>s</ID>{}<Associations>{}</Associations></ComputingShare>"


def document(*entities: str) -> bytes:
    """Entities below the root."""
    return f"<GLUE2 xmlns='{NAMESPACE}'>{''.join(entities)}</GLUE2>".encode()


def refused(body: bytes) -> str:
    """Why a document cannot be read, without the frame of the message."""
    with pytest.raises(QueryError, match=r"; tell whoever publishes it$") as caught:
        read_xml(body)
    return str(caught.value).removesuffix("; tell whoever publishes it").removeprefix("cannot read the ")


def test_a_document_with_indents_comments_and_another_prefix_is_understood() -> None:
    """Blanks count in texts only; comments and what is foreign at the end are passed over."""
    body = f"""<?xml version="1.0"?>
    <g:GLUE2 xmlns:g="{NAMESPACE}" xmlns:o="urn:other"><!-- ours -->
      <g:ComputingShare BaseType="Share" CreationTime=" 2025-01-31T13:00:00+01:00 " Validity=" 60 ">
        <g:ID> s </g:ID>
        <g:Name>a <!-- x -->b </g:Name>
        <g:Extensions>
          <g:Extension><g:LocalID>k</g:LocalID><g:Key>K</g:Key><g:Value>v</g:Value><o:more/></g:Extension><o:any/>
        </g:Extensions>
        <g:FreeSlots> 7 </g:FreeSlots>
        <g:ServingState> draining </g:ServingState>
        <g:Associations><g:ServiceID> svc </g:ServiceID></g:Associations>
      </g:ComputingShare>
      <o:other><o:deep/></o:other>
    </g:GLUE2>""".encode()
    assert read_xml(body) == (
        glue.ComputingShare(
            id="s",
            name="a b ",
            other_info=("K=v",),
            creation_time=datetime(2025, 1, 31, 12, tzinfo=UTC),
            validity=60,
            free_slots=7,
            serving_state=ServingState.DRAINING,
            service_foreign_key="svc",
            computing_service_foreign_key="svc",
        ),
    )


def test_an_empty_document_has_no_entities() -> None:
    """It is a document all the same."""
    assert read_xml(document()) == ()


def test_extensions_that_are_not_ours_follow_the_texts() -> None:
    """Numbers may be missing, stand twice, or be no numbers: no value is lost."""
    parts = "".join(
        f"<Extension><LocalID>{local_id}</LocalID><Key>K</Key><Value>{local_id}</Value></Extension>"
        for local_id in ("x9", "x2", "x2", "other", "x0")
    )
    body = document(SHARE.format(f"<OtherInfo>a</OtherInfo><Extensions>{parts}</Extensions>", ""))
    [share] = read_xml(body)
    assert share.other_info == ("a", "K=x2", "K=x2", "K=other", "K=x0", "K=x9")


def test_a_special_field_holds_what_is_of_the_special_class() -> None:
    """Where the document knows it; what it does not know may be of any class."""
    endpoints = "<EndpointID>plain</EndpointID><EndpointID>special</EndpointID><EndpointID>elsewhere</EndpointID>"
    body = document(
        "<Endpoint BaseType='Endpoint'><ID>plain</ID><Associations/></Endpoint>",
        "<ComputingEndpoint BaseType='Endpoint'><ID>special</ID><Associations/></ComputingEndpoint>",
        SHARE.format("", endpoints),
    )
    share = read_xml(body)[-1]
    assert isinstance(share, glue.ComputingShare)
    assert share.endpoint_foreign_key == ("plain", "special", "elsewhere")
    assert share.computing_endpoint_foreign_key == ("special", "elsewhere")


@pytest.mark.parametrize("ends", [("c", "s"), ("s", "c"), ("c", "elsewhere")])
def test_the_ends_of_a_path_are_told_apart_by_class_else_by_order(ends: tuple[str, str]) -> None:
    """XML calls both ServiceID."""
    links = "".join(f"<ServiceID>{end}</ServiceID>" for end in ends)
    body = document(
        "<ComputingService BaseType='Service'><ID>c</ID><Associations/></ComputingService>",
        "<StorageService BaseType='Service'><ID>s</ID><Associations/></StorageService>",
        f"<ToStorageService><ID>t</ID><Associations>{links}</Associations></ToStorageService>",
    )
    path = read_xml(body)[-1]
    assert isinstance(path, glue.ToStorageService)
    assert (path.computing_service_foreign_key, path.storage_service_foreign_key) == (
        "c",
        "elsewhere" if "elsewhere" in ends else "s",
    )


UNREADABLE = [
    (document("<Nothing/>"), "XML document: line 1: Nothing is no entity of GLUE 2.0"),
    (document("<Nothing/>", SHARE.format("", "")), "XML document: line 1: Nothing is no entity of GLUE 2.0"),
    (document("<Share><ID>s</ID></Share>"), "XML document: line 1: Share is no entity of GLUE 2.0"),
    (
        document(SHARE.format("", "<Service><ID>n</ID></Service>")),
        "XML document: line 1: an entity stands within another; the list is flat",
    ),
    (b"<GLUE2/>", f"XML document: its root is not GLUE2 of the namespace {NAMESPACE}"),
    (b"<a>" + document() + b"</a>", f"XML document: its root is not GLUE2 of the namespace {NAMESPACE}"),
    (b"", "XML document: it is no XML: no element found"),
    (b"dn: o=glue\n", "XML document: it is no XML: line 1: Start tag expected, '<' not found"),
    (
        document("<Contact><ID>c</ID>"),
        "XML document: it is no XML: line 1: Opening and ending tag mismatch: Contact line 1 and GLUE2",
    ),
    (document("<Contact><Type>x</Type></Contact>"), "Contact in line 1: it has no ID"),
    (document("<Contact><ID> </ID></Contact>"), "Contact in line 1: it has no ID"),
    (document("<Contact><ID>c</ID><Kind>x</Kind></Contact>"), "Contact c in line 1: Kind is no element of Contact"),
    (
        document("<Contact><ID>c</ID><Type><b/></Type></Contact>"),
        "Contact c in line 1: Type holds other elements instead of a text",
    ),
    (
        document("<Contact><ID>c</ID><Type>x</Type><Type>y</Type></Contact>"),
        "Contact c in line 1: Type has 2 values and may have one",
    ),
    (
        document(SHARE.format("<FreeSlots>many</FreeSlots>", "")),
        "ComputingShare s in line 1: FreeSlots is 'many', which is not a whole number",
    ),
    (
        document("<Contact Validity='soon'><ID>c</ID></Contact>"),
        "Contact c in line 1: Validity is 'soon', which is not a whole number",
    ),
    (
        document(SHARE.format("<Extensions><Extension><Key>K</Key></Extension></Extensions>", "")),
        "ComputingShare s in line 1: an Extension has no LocalID",
    ),
    (
        document(SHARE.format("", "<ServiceID>a</ServiceID><ServiceID>b</ServiceID>")),
        "ComputingShare s in line 1: ServiceID has 2 values and may have one",
    ),
    (
        document(
            "<ToStorageService><ID>t</ID><Associations><ServiceID>a</ServiceID></Associations></ToStorageService>"
        ),
        "ToStorageService t in line 1: ServiceID has 1 values and must have 2",
    ),
    (
        document(
            "<StorageAccessProtocol><Type>nfs</Type><Associations><ServiceID>s</ServiceID></Associations>"
            "</StorageAccessProtocol>"
        ),
        "StorageAccessProtocol in line 1: its service s names no StorageAccessProtocolID for it",
    ),
]


@pytest.mark.parametrize(("body", "why"), UNREADABLE, ids=[why[:60] for _, why in UNREADABLE])
def test_what_cannot_be_read_is_named(body: bytes, why: str) -> None:
    """The message has the entity, its line, the element, the value, and what was expected."""
    assert refused(body) == why


LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
BILLION = f"<!DOCTYPE GLUE2 [<!ENTITY l0 'lol'>{LAUGHS}]><GLUE2 xmlns='{NAMESPACE}' a='&l11;'>&l11;</GLUE2>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "utf-16-be", "utf-32-le"])
def test_a_document_type_is_refused_in_any_encoding(encoding: str) -> None:
    """With it go all entities: nothing is expanded, neither in texts nor in attributes."""
    began = time.monotonic()
    assert refused(BILLION.encode(encoding)) == "XML document: it has a document type, and GLUE 2.0 has none"
    assert time.monotonic() - began < 5


def test_a_document_type_in_an_encoding_that_hides_it_is_refused() -> None:
    """In UTF-7 the signs of it have other bytes: then the parser itself finds it."""
    body = b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE GLUE2>" + document()
    assert refused(body) == "XML document: it has a document type, and GLUE 2.0 has none"


@pytest.mark.parametrize("what", ["SYSTEM", "PUBLIC 'x'"])
def test_nothing_is_fetched(tmp_path: Path, what: str) -> None:
    """Neither by an outer document type nor by an inclusion."""
    secret = tmp_path / "secret"
    secret.write_text("root:x:0")
    outer = f"<!DOCTYPE GLUE2 [<!ENTITY e {what} '{secret.as_uri()}'>]><GLUE2 xmlns='{NAMESPACE}'>&e;</GLUE2>"
    assert "document type" in refused(outer.encode())
    included = f"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{secret.as_uri()}' parse='text'/>"
    [share] = read_xml(document(SHARE.format("", ""), included))
    assert share == glue.ComputingShare(id="s")


def test_an_undeclared_entity_is_refused() -> None:
    """There is nothing it could stand for."""
    assert "Entity 'lol' not defined" in refused(document("<Contact><ID>&lol;</ID></Contact>"))


def test_deep_nesting_is_refused_quickly() -> None:
    """A million elements within each other."""
    began = time.monotonic()
    assert "xcessive depth" in refused(document("<a xmlns='urn:x'>" * 1_000_000))
    assert time.monotonic() - began < 10


def test_a_huge_text_is_refused() -> None:
    """A line of 20 million letters, and one beyond all bounds without looking at it."""
    assert "it is no XML" in refused(document(f"<Contact><ID>{'a' * 20_000_000}</ID></Contact>"))


def test_a_huge_document_is_refused_without_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is far above what a centre writes."""
    monkeypatch.setattr(xml_entities, "MAX_BYTES", 1000)
    assert refused(b" " * 1001) == "XML document: it has 1001 bytes, where no centre needs more than 1000"
