"""Write schemas/collection-line.schema.json: what one line of a collection may hold, the values of facets included.

python tools/write_line_schema.py            writes it
python tools/write_line_schema.py --check    says whether it is current, and returns 1 if not
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pydantic import TypeAdapter

from infoprovider.inventory.codec import adapter
from infoprovider.inventory.model import Facet
from infoprovider.providers.lines import LINE
from tools.made_files import renew, without_titles

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
    definitions = {name.removeprefix("_"): without_titles(schema) for name, schema in made["$defs"].items()}
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
    properties = observed["properties"] | {"facet": {"const": facet.value}, "value": without_titles(value)}
    return observed | {"properties": properties}


def main(arguments: list[str]) -> int:
    """Write the schema, or say that it is not current."""
    return renew(
        SCHEMA, line_schema(), arguments, name="schemas/collection-line.schema.json", by="tools/write_line_schema.py"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
