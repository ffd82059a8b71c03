"""The pages of settings cannot fall behind the models: every key is there, and none that does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from infoprovider.config.model import ConfigurationFile
from infoprovider.providers.inventory_file import InventoryFile

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
