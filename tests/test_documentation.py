"""The pages cannot fall behind the program: settings, places in GLUE, exit codes and commands."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from infoprovider.cli.main import app
from infoprovider.config.model import ConfigurationFile
from infoprovider.errors import ExitCode
from infoprovider.glue.entities import Entity
from infoprovider.glue.names import attributes_of
from infoprovider.mapping.places import PLACES, place_of
from infoprovider.providers.inventory_file import InventoryFile
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from tests.publication.demo import NOON, configuration, facets

DOCS = Path(__file__).parents[1] / "docs"
ROW = re.compile(r"^\| `([a-z0-9_.<>]+)` \| .* \| (\*\*required\*\*|`[^`]*`|) \| .+ \|$", re.MULTILINE)


def keys(schema: dict[str, Any], node: dict[str, Any], path: str = "") -> Iterator[tuple[str, bool]]:
    """Every key below a node of a JSON Schema, and whether it must be written."""
    node = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    for option in node.get("anyOf", ()):
        yield from keys(schema, option, path)
    if "items" in node:
        yield from keys(schema, node["items"], path)
    if isinstance(node.get("additionalProperties"), dict):
        yield from keys(schema, node["additionalProperties"], f"{path}<facet>.")
    for name, inner in node.get("properties", {}).items():
        yield path + name, name in node.get("required", ())
        yield from keys(schema, inner, f"{path}{name}.")


@pytest.mark.parametrize(
    ("page", "model"), [("configuration.md", ConfigurationFile), ("providers/static.md", InventoryFile)]
)
def test_every_key_has_its_row(page: str, model: type[BaseModel]) -> None:
    """Each key that holds a value has a row, which says whether it is required; no row is about anything else."""
    schema = TypeAdapter(model).json_schema()
    known = dict(keys(schema, schema))
    values = {key for key in known if not any(other.startswith(f"{key}.") for other in known)}
    rows = ROW.findall((DOCS / page).read_text())
    documented = {key: default == "**required**" for key, default in rows}
    assert len(documented) == len(rows)
    assert values <= documented.keys() <= known.keys()
    assert documented == {key: known[key] for key in documented}


ROOT = DOCS.parent


def test_the_tables_of_the_mapping_page_are_current() -> None:
    """They are made from the table of places: whoever changes that writes the page anew."""
    page = runpy.run_path(str(ROOT / "tools" / "write_mapping_page.py"))["page"]
    text = (DOCS / "mapping.md").read_text()
    assert page(text) == text


def test_the_tables_of_the_validation_page_are_current() -> None:
    """They are made from the rules: whoever changes one writes the page anew."""
    page = runpy.run_path(str(ROOT / "tools" / "write_rules_page.py"))["page"]
    text = (DOCS / "validation.md").read_text()
    assert page(text) == text


def test_every_place_stands_on_the_mapping_page() -> None:
    """With its entity, its fact and its unit."""
    sections = re.split(r"^### ", (DOCS / "mapping.md").read_text(), flags=re.MULTILINE)[1:]
    rows = {section.partition("\n")[0]: section for section in sections}
    assert set(rows) == {place.entity for place in PLACES}
    for place in PLACES:
        shown = f"`OtherInfo: {place.place}" if place.is_key else f"`{place.place}`"
        line = next(line for line in rows[place.entity].splitlines() if line.startswith(f"| {shown}"))
        assert f"| {place.fact} | " in line
        assert place.unit in line


def published() -> tuple[Entity, ...]:
    """The entities of the demonstration centre."""
    return compose(configuration(), facets(), Former(), NOON).document.entities


def test_nothing_is_published_that_the_table_of_places_does_not_know() -> None:
    """Every attribute and every key of the demonstration centre has its row."""
    for entity in published():
        name = type(entity).__name__
        for attribute in attributes_of(type(entity)):
            if attribute.name != "OtherInfo" and getattr(entity, attribute.field) not in (None, ()):
                assert place_of(name, attribute.name)
        for value in entity.other_info:
            assert place_of(name, value.partition("=")[0], is_key=True)


def test_every_exit_code_has_its_row() -> None:
    """Number and name as the program has them, and no other."""
    rows = re.findall(r"^\| (\d+) \| (\w+) \| \S.* \|.* \|$", (DOCS / "exit-codes.md").read_text(), re.MULTILINE)
    assert {(int(number), name) for number, name in rows} == {(code, code.name.lower()) for code in ExitCode}
    assert len(rows) == len(ExitCode)


@pytest.mark.parametrize("command", sorted(command.name or "" for command in app.registered_commands))
def test_every_command_is_documented(command: str) -> None:
    """The front page or another one shows how to call it."""
    pages = [ROOT / "README.md", *DOCS.rglob("*.md")]
    assert any(f"infoprovider {command}" in page.read_text() for page in pages)
