"""Write schemas/collection-line.schema.json: what one line of a collection may hold, the values of facets included.

python tools/write_line_schema.py            writes it
python tools/write_line_schema.py --check    says whether it is current, and returns 1 if not
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from infoprovider.inventory.codec import adapter
from infoprovider.inventory.model import Facet
from infoprovider.providers.lines import LINE

SCHEMA = Path(__file__).parents[1] / "schemas" / "collection-line.schema.json"
HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A line that a program of the provider `exec` prints (docs/providers/exec.md)",
    "$comment": "Made by tools/write_line_schema.py from infoprovider.inventory: change that, not this file.",
}
OTHERS = {"failed": "Failed", "not_offered": "NotOffered", "parts": "Parts"}


def line_schema() -> str:
    """The schema of a line. It goes by answer and facet, so that a validator names the key that is wrong in a line."""
    values = [(facet, "validation", adapter(facet)) for facet in Facet]
    places, made = TypeAdapter.json_schemas([*values, ("line", "validation", LINE)])
    definitions = {name.removeprefix("_"): _plain(schema) for name, schema in made["$defs"].items()}
    observed = definitions.pop("Observed")
    observations = {f"observed_{facet}": _of(observed, facet, places[facet, "validation"]) for facet in Facet}
    schema = {
        **HEAD,
        "type": "object",
        "required": ["answer", "facet"],
        "properties": {"answer": {"enum": ["observed", *OTHERS]}, "facet": {"$ref": "#/$defs/Facet"}},
        "allOf": [
            *(_where(f"observed_{facet}", answer="observed", facet=facet.value) for facet in Facet),
            *(_where(name, answer=answer) for answer, name in OTHERS.items()),
        ],
        "$defs": observations | definitions,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _where(name: str, **keys: str) -> dict[str, Any]:
    condition = {"properties": {key: {"const": value} for key, value in keys.items()}, "required": list(keys)}
    return {"if": condition, "then": {"$ref": f"#/$defs/{name}"}}


def _of(observed: dict[str, Any], facet: Facet, value: dict[str, Any]) -> dict[str, Any]:
    properties = observed["properties"] | {"facet": {"const": facet.value}, "value": _plain(value)}
    return observed | {"properties": properties}


def _plain(schema: Any) -> Any:
    """Without the titles, which repeat the names of keys."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _plain(item) for key, item in schema.items() if key != "title" or not isinstance(item, str)}


def main(arguments: list[str]) -> int:
    """Write the schema, or say that it is not current."""
    text = line_schema()
    if SCHEMA.exists() and SCHEMA.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in arguments:
        print(f"schemas/{SCHEMA.name}: not current; run tools/write_line_schema.py")
        return 1
    SCHEMA.write_text(text, encoding="utf-8")
    print(f"schemas/{SCHEMA.name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
