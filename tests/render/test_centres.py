"""Whole centres in every format beside LDIF: valid, and the same when they are read back."""

import json

import pytest
from jsonschema import Draft202012Validator

from benchmarks import synthetic
from infoprovider import resources
from infoprovider.glue.document import Document
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.query.json_entities import read_json
from infoprovider.query.xml_entities import read_xml
from infoprovider.render.glue21 import render_glue21
from infoprovider.render.json import render_json
from infoprovider.render.xml import render_xml
from infoprovider.validation.xsd import check_xml
from tests.publication import demo
from tests.validation.test_centres import openstack

__all__ = ["openstack"]


@pytest.fixture(scope="module", params=["demo", "openstack", "synthetic"])
def document(request: pytest.FixtureRequest, openstack: Document) -> Document:
    """The described demo, an OpenStack as it was recorded, and a thousand entities of a dozen managers."""
    if request.param == "openstack":
        return openstack
    if request.param == "demo":
        return demo.document_of_the_demo()
    return compose(*synthetic.centre(1000), Former(), synthetic.NOW).document


def test_xml_is_valid_and_comes_back(document: Document) -> None:
    """Every entity with every value."""
    body = render_xml(document.entities)
    assert check_xml(body).findings == ()
    found = read_xml(body)
    assert len(found) == len(document.entities) > 40
    assert {one.id: one for one in found} == {one.id: one for one in document.entities}


def test_json_is_valid_and_comes_back(document: Document) -> None:
    """Every entity with every value, in its order."""
    body = render_json(document.entities)
    schema = json.loads((resources.folder("schemas") / "glue2.schema.json").read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(json.loads(body))) == []
    assert read_json(body) == document.entities


def test_glue21_has_no_id_twice(document: Document) -> None:
    """Also where many managers use the same ids."""
    ids = [one["ID"] for objects in json.loads(render_glue21(document.entities)).values() for one in objects]
    assert len(ids) == len(set(ids)) > 20
