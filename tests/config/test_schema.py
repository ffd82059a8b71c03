"""The JSON Schema of the configuration: current, and of one mind with what reads configurations."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from infoprovider.errors import ConfigError
from infoprovider.yamlfile import read_file

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schemas" / "configuration.schema.json"
EXAMPLES = [file for file in sorted((ROOT / "examples").rglob("*.yaml")) if "instances" in read_file(file).data]
WRONG = sorted((ROOT / "tests" / "config" / "wrong").rglob("*.yaml"))

BEYOND_A_SCHEMA = {
    "centre_named_like_a_community",
    "circle",
    "clash_of_ids",
    "deep_1",
    "deep_2",
    "deep_3",
    "deep_4",
    "deep_5",
    "double_name",
    "downtime",
    "include_broken",
    "include_circle",
    "include_deep",
    "include_missing",
    "include_twice",
    "no_zone",
    "project_mapped_twice",
    "project_of_two_communities",
    "secret",
    "secret_in_the_file",
    "secret_nowhere",
    "unknown_instance",
    "unknown_kind",
}
"""Files in which only comparing, other files or other plug-ins tell what is wrong."""


@pytest.fixture
def tool() -> ModuleType:
    """tools/write_config_schema.py as a module."""
    spec = importlib.util.spec_from_file_location("write_config_schema", ROOT / "tools" / "write_config_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The schema as an editor uses it."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_schema_is_what_the_models_say(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """tools/write_config_schema.py --check finds nothing to write."""
    assert tool.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_a_schema_that_is_not_current_is_named(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--check writes nothing and fails; without it the file is written and then current."""
    monkeypatch.setattr(tool, "SCHEMA", tmp_path / SCHEMA.name)
    assert tool.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert said == "schemas/configuration.schema.json: not current; run tools/write_config_schema.py\n"
    assert not (tmp_path / SCHEMA.name).exists()
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_is_valid(validator: Draft202012Validator, file: Path) -> None:
    """What is shipped to start from pleases an editor."""
    validator.validate(read_file(file).data)


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_an_editor_sees_what_a_schema_can_see(validator: Draft202012Validator, file: Path) -> None:
    """Each wrong file is refused, unless its mistake is beyond any schema."""
    try:
        data = read_file(file, may_be_empty=True).data
    except ConfigError:
        return  # no YAML: the editor sees that by itself
    assert validator.is_valid(data) == (file.stem in BEYOND_A_SCHEMA or data == {})


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"instances": [{"name": "a", "kind": "static", "settings": {"fiel": "a"}}]}, "$.instances[0].settings"),
        ({"instances": [{"name": "a", "kind": "static"}]}, "$.instances[0]"),
        ({"instances": [{"name": "a", "kind": "x", "declared": {"usage": {}}}]}, "$.instances[0].declared"),
        ({"channels": [{"name": "a", "kind": "stdout", "settings": {"to": 1}}]}, "$.channels[0].settings"),
        ({"freshness": {"price": {}}}, "$.freshness"),
    ],
)
def test_settings_are_held_against_their_kind(validator: Draft202012Validator, data: Any, place: str) -> None:
    """The kind decides which settings there are, and the facet what can be declared."""
    assert place in {error.json_path for error in validator.iter_errors(data)}


def test_a_kind_of_another_package_has_settings_of_its_own(validator: Draft202012Validator) -> None:
    """The schema knows the shipped plug-ins only, and leaves the others alone."""
    assert validator.is_valid({"instances": [{"name": "a", "kind": "elsewhere", "settings": {"any": [1]}}]})


def test_keys_carry_what_the_page_says_of_them(validator: Draft202012Validator) -> None:
    """An editor shows the meaning of a key where it is written."""
    properties = validator.schema["$defs"]["FreshnessBlock"]["properties"]
    assert properties["fresh_for"]["description"] == "after this a facet counts as stale"
