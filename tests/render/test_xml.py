"""GLUE 2.0 XML: valid, flat, the same bytes again, and nothing lost that XML can say."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from infoprovider.glue import entities as glue
from infoprovider.glue.entities import Entity
from infoprovider.glue.xml_layout import NAMESPACE
from infoprovider.query.xml_entities import read_xml
from infoprovider.render.xml import render_xml
from infoprovider.validation.xsd import check_xml
from tests.publication.demo import document_of_the_demo
from tests.render.documents import Entities, centre
from tests.render.drawn import agreeing, drawn

Q = f"{{{NAMESPACE}}}"
CENTRE = agreeing()
KEPT = [one for one in CENTRE.entities if type(one) is not glue.StorageAccessProtocol]


def by_id(entities: tuple[Entity, ...]) -> dict[str, Entity]:
    """Entities by their IDs, each of which stands once."""
    found = {one.id: one for one in entities}
    assert len(found) == len(entities)
    return found


def with_one(document: Entities, other: Entity) -> tuple[Entity, ...]:
    """The same centre with one entity exchanged."""
    return tuple(other if one.id == other.id else one for one in document.entities)


@pytest.mark.parametrize("entity", KEPT, ids=lambda one: f"{type(one).__name__}-{one.id}")
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_entity_of_any_class_comes_back_as_it_went(entity: Entity, data: st.DataObject) -> None:
    """Whatever its fields hold: the document is valid, read again it is the same, written again the same bytes."""
    entities = with_one(CENTRE, data.draw(drawn(entity)))
    body = render_xml(entities)
    check_xml(body)
    expected = by_id(entities)
    found = by_id(read_xml(body))
    protocol = expected.pop("urn:protocol")
    assert found.pop("urn:protocol") == replace(protocol, name=None, other_info=(), creation_time=None, validity=None)
    assert found == expected
    assert render_xml(entities) == body


def test_the_demo_centre_is_valid_and_comes_back() -> None:
    """Every entity with every fact, the ages among them."""
    document = document_of_the_demo()
    body = render_xml(document.entities)
    check_xml(body)
    assert by_id(read_xml(body)) == by_id(document.entities)


def test_entities_are_flat_and_in_the_order_of_the_schema() -> None:
    """Below the root: family after family, each with its base type, in a family as the document has them."""
    root = etree.fromstring(render_xml(CENTRE.entities))
    assert [child.tag.removeprefix(Q) for child in root] == [
        *("Location", "Contact", "AdminDomain", "UserDomain", "Service", "ComputingService", "StorageService"),
        *("Endpoint", "ComputingEndpoint", "StorageEndpoint", "ComputingShare", "StorageShare"),
        *("ComputingManager", "StorageManager", "ExecutionEnvironment", "ExecutionEnvironment", "DataStore"),
        *("AccessPolicy", "MappingPolicy", "Benchmark", "Benchmark", "ApplicationEnvironment"),
        *("ToComputingService", "ToStorageService", "StorageAccessProtocol", "StorageServiceCapacity"),
        *("StorageShareCapacity", "ApplicationHandle"),
    ]
    assert {child.tag.removeprefix(Q): child.get("BaseType") for child in root if "Share" in child.tag} == {
        "ComputingShare": "Share",
        "StorageShare": "Share",
        "StorageShareCapacity": None,
    }


def test_an_association_is_stated_from_both_sides() -> None:
    """What a service consists of stands at the service as well, though the model says it only of the parts."""
    root = etree.fromstring(render_xml(centre().entities))
    [service] = root.iterfind(f"{Q}ComputingService")
    stated = [(one.tag.removeprefix(Q), one.text) for one in service.find(f"{Q}Associations")]
    assert stated == [
        ("EndpointID", "urn:nova"),
        ("ShareID", "urn:share"),
        ("ManagerID", "urn:manager"),
        ("ServiceID", "urn:glue2:ComputingService:rc-one:north"),
        ("ContactID", "urn:contact"),
        ("LocationID", "urn:location"),
    ]


def test_a_key_and_its_value_become_an_extension_and_the_schema_s_spelling_is_kept() -> None:
    """Other texts stay OtherInfo; MaxStageInStreams is misspelt in the schema, LocalStagingJobs forgotten."""
    info = ("plain", "Image=https://x/?a=b", "=", "Key=", "http://x?a=b", "Image=2")
    share = glue.ComputingShare(id="s", other_info=info, max_stage_in_streams=3, local_staging_jobs=4)
    [element] = etree.fromstring(render_xml([share]))
    assert [one.text for one in element.iterfind(f"{Q}OtherInfo")] == ["plain", "=", "Key=", "http://x?a=b"]
    extensions = [[part.text for part in one] for one in element.iter(f"{Q}Extension")]
    assert extensions == [
        ["x2", "Image", "https://x/?a=b"],
        ["x6", "Image", "2"],
        ["LocalStagingJobs", "LocalStagingJobs", "4"],
    ]
    assert element.findtext(f"{Q}MaxStateInStreams") == "3"


def test_what_no_xml_can_hold_is_spelt_out() -> None:
    """A control character, a lone surrogate and a non-character; line ends and other scripts stay."""
    location = glue.Location(id="l", place="a\x00\x1b\ud83d\uffff", address="Genève\r\n\t\u0085日本")
    [found] = read_xml(render_xml([location]))
    assert found == replace(location, place=r"a\x00\x1B\uD83D\uFFFF")


def test_an_address_with_a_blank_does_not_spoil_the_document() -> None:
    """It is encoded, as is what else no address holds; what is encoded already stays."""
    urls = ("http://[::1]:80/a%20b?c=d#e", "http://x/a b\r\n<é>", "100%", "https://example.org/\ud83d")
    domain = glue.AdminDomain(id="d", www=urls)
    body = render_xml([domain])
    check_xml(body)
    [found] = read_xml(body)
    assert found == replace(
        domain, www=(urls[0], "http://x/a%20b%0D%0A%3C%C3%A9%3E", "100%25", "https://example.org/%3F")
    )
