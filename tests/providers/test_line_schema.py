"""The JSON Schema of a line: current, and of one mind with what reads lines."""

import importlib.util
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from infoprovider.deadline import Deadline
from infoprovider.errors import Malformed
from infoprovider.inventory.model import Facet
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed, Parts
from infoprovider.providers.lines import from_line, to_line
from infoprovider.providers.static import SPEC, StaticSettings

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schemas" / "collection-line.schema.json"


@pytest.fixture
def tool() -> ModuleType:
    """tools/write_line_schema.py as a module."""
    spec = importlib.util.spec_from_file_location("write_line_schema", ROOT / "tools" / "write_line_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The schema as any program uses it."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_schema_is_what_the_inventory_says(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """tools/write_line_schema.py --check finds nothing to write."""
    assert tool.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_a_schema_that_is_not_current_is_named(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--check writes nothing and fails; without it the file is written and then current."""
    monkeypatch.setattr(tool, "SCHEMA", tmp_path / SCHEMA.name)
    assert tool.main(["--check"]) == 1
    assert capsys.readouterr().out == (
        "schemas/collection-line.schema.json: not current; run tools/write_line_schema.py\n"
    )
    assert not (tmp_path / SCHEMA.name).exists()
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0


def test_it_takes_every_line_that_we_write(validator: Draft202012Validator) -> None:
    """All facets of the demonstration centre, and each of the other answers."""
    context = CollectContext(
        instance="north",
        wanted=frozenset(Facet),
        deadline=Deadline.after(30),
        now=lambda: datetime(2030, 1, 1, tzinfo=UTC),
        log=logging.LoggerAdapter(logging.getLogger("test"), {}),
    )
    answers: list[Answer] = list(SPEC.collect(StaticSettings(file=ROOT / "examples" / "demo" / "north.yaml"), context))
    answers += [
        Failed(facet=Facet.IMAGES, reason="HTTP 500", retryable=True),
        NotOffered(facet=Facet.USAGE, part="p1", reason="no right"),
        Parts(facet=Facet.USAGE, parts=frozenset({"p1"})),
    ]
    assert {answer.facet for answer in answers if isinstance(answer, Observed)} == set(Facet)
    for answer in answers:
        validator.validate(json.loads(to_line(answer)))


OBSERVED = {"answer": "observed", "facet": "capacity", "observed_at": "2026-11-21T11:59:00Z", "value": {"vcpus": 4}}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"value": {"vcpus": "4"}}, "$.value.vcpus"),
        ({"value": {"vcpus": -1}}, "$.value.vcpus"),
        ({"value": {"cpus": 4}}, "$.value"),
        ({"value": {"memory_mib": "4 parsecs"}}, "$.value.memory_mib"),
        ({"value": {"hosts": [{"usable": True}]}}, "$.value.hosts[0]"),
        ({"value": None}, "$.value"),
        ({"facet": "weather"}, "$.facet"),
        ({"answer": "unsure"}, "$.answer"),
        ({"parts": []}, "$"),
        ({"part": 5}, "$.part"),
    ],
)
def test_it_names_the_key_that_the_provider_would_not_take(
    validator: Draft202012Validator, change: dict[str, Any], place: str
) -> None:
    """What the schema refuses is what a collection refuses."""
    line = OBSERVED | change
    with pytest.raises(Malformed):
        from_line(json.dumps(line).encode())
    assert place in {error.json_path for error in validator.iter_errors(line)}


@pytest.mark.parametrize("change", [{}, {"part": "", "calls": ["a"], "notes": []}, {"value": {"memory_mib": "4 GiB"}}])
def test_it_takes_what_the_provider_takes(validator: Draft202012Validator, change: dict[str, Any]) -> None:
    """Keys that may be left out, and sizes with their unit."""
    line = OBSERVED | change
    assert isinstance(from_line(json.dumps(line).encode()), Observed)
    validator.validate(line)
