"""Plain GLUE 2.0 JSON: as its schema says, the same bytes again, and nothing lost."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from infoprovider.glue import entities as glue
from infoprovider.glue.entities import Entity
from infoprovider.query.json_entities import from_json, read_json
from infoprovider.render.json import render_json, to_json
from tests.publication.demo import document_of_the_demo
from tests.render.documents import MOMENT, centre
from tests.render.drawn import agreeing, drawn

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "glue2.schema.json").read_text(encoding="utf-8"))
CENTRE = agreeing()


def faults(body: bytes) -> list[str]:
    """What a document breaks of the schema."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(json.loads(body))]


@pytest.mark.parametrize("entity", CENTRE.entities, ids=lambda one: f"{type(one).__name__}-{one.id}")
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_entity_of_any_class_comes_back_as_it_went(entity: Entity, data: st.DataObject) -> None:
    """Whatever its fields hold: what is written is as the schema says, and read again it is the same."""
    other = data.draw(drawn(entity))
    body = render_json([other])
    assert read_json(body) == (other,)
    assert from_json(type(other).__name__, to_json(other)) == other
    assert faults(body) == []


def test_the_demo_centre_comes_back_in_its_order() -> None:
    """Every entity with every fact, valid by the schema."""
    document = document_of_the_demo()
    body = render_json(document.entities)
    assert read_json(body) == document.entities
    assert faults(body) == []
    assert render_json(read_json(body)) == body


def test_values_are_typed_and_what_is_not_known_is_left_out() -> None:
    """Numbers, moments, lists, enumerations, and references below Associations by the OGF's names."""
    share = glue.ComputingShare(
        id="urn:s",
        creation_time=MOMENT,
        validity=60,
        other_info=("é=1",),
        free_slots=0,
        preemption=glue.ExtendedBoolean.TRUE,
        service_foreign_key="urn:c",
        computing_service_foreign_key="urn:c",
        endpoint_foreign_key=("urn:e",),
    )
    location = glue.Location(id="urn:l", latitude=46.5, longitude=6.0)
    # In the model a Location stands before a ComputingShare; each entity is one line.
    assert render_json([share, location]).decode() == (
        '{\n"Location": [\n'
        '{"ID":"urn:l","Latitude":46.5,"Longitude":6.0}\n'
        '],\n"ComputingShare": [\n'
        '{"ID":"urn:s","OtherInfo":["é=1"],"CreationTime":"2026-01-15T12:00:00Z","Validity":60,"Preemption":"true",'
        '"FreeSlots":0,"Associations":{"EndpointID":["urn:e"],"ServiceID":"urn:c","ComputingServiceID":"urn:c"}}\n'
        "]\n}\n"
    )


def test_an_empty_document_is_an_empty_object() -> None:
    """Which is read again."""
    assert render_json([]) == b"{\n}\n"
    assert read_json(b"{\n}\n") == ()


def test_a_lone_surrogate_is_spelt_out() -> None:
    """UTF-8 has no bytes for it; all else stays as it is."""
    body = render_json([glue.Location(id="l", place='\ud83d"\x00\u2028')])
    assert read_json(body) == (glue.Location(id="l", place='\\uD83D"\x00\u2028'),)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"Latitude": 91}, "91 is greater than the maximum of 90"),
        ({"Longitude": -180}, "-180 is less than or equal to the minimum of -180"),
        ({"Validity": -1}, "-1 is less than the minimum of 0"),
        ({"Validity": 1.5}, "1.5 is not of type 'integer'"),
        ({"Place": None}, "None is not of type 'string'"),
        ({"Town": "x"}, "Additional properties are not allowed ('Town' was unexpected)"),
        ({"OtherInfo": []}, "[] should be non-empty"),
        ({"ID": ...}, "'ID' is a required property"),
    ],
)
def test_the_schema_refuses_what_is_none_of_ours(change: dict[str, Any], fault: str) -> None:
    """It is no schema that takes everything."""
    [location] = [to_json(one) for one in centre().entities if type(one) is glue.Location]
    changed = {key: value for key, value in (location | change).items() if value is not ...}
    assert faults(json.dumps({"Location": [changed]}).encode())[0].startswith(fault)


@pytest.fixture
def tool() -> ModuleType:
    """tools/write_json_schema.py as a module."""
    spec = importlib.util.spec_from_file_location("write_json_schema", ROOT / "tools" / "write_json_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_schema_is_what_the_fields_say(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tool finds nothing to write; where the file is not current, it says so or writes it."""
    Draft202012Validator.check_schema(SCHEMA)
    assert tool.main(["--check"]) == 0
    monkeypatch.setattr(tool, "SCHEMA", tmp_path / "glue2.schema.json")
    assert tool.main(["--check"]) == 1
    assert "not current" in capsys.readouterr().out
    assert tool.main([]) == tool.main(["--check"]) == 0
