"""Write schemas/follow.schema.json: what the settings of `infoprovider follow` may hold, for editors.

python tools/write_follow_schema.py            writes it
python tools/write_follow_schema.py --check    says whether it is current, and returns 1 if not
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pydantic import TypeAdapter

from infoprovider.config.following import FollowingFile
from tools.made_files import describe, renew, without_titles

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schemas" / "follow.schema.json"
PAGE = ROOT / "docs" / "following.md"
HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "The settings of infoprovider follow (docs/following.md)",
    "$comment": "Made by tools/write_follow_schema.py from infoprovider.config.following: change that, not this file.",
}
ROW = re.compile(r"^\| `([a-z_.]+)` \| .* \| .* \| (.+) \|$", re.MULTILINE)


def follow_schema() -> str:
    """The schema, with what the page says of each key."""
    schema: dict[str, Any] = HEAD | without_titles(TypeAdapter(FollowingFile).json_schema())
    describe(properties(schema, schema), dict(ROW.findall(PAGE.read_text(encoding="utf-8"))))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def properties(
    schema: dict[str, Any], node: dict[str, Any], path: str = ""
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every key below a node, but those of secrets: its path, and where its own schema stands."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    if node.get("writeOnly"):
        return
    for option in node.get("anyOf", ()):
        yield from properties(schema, option, path)
    for name, inner in node.get("properties", {}).items():
        yield path + name, node["properties"], name
        yield from properties(schema, inner, f"{path}{name}.")


def main(arguments: list[str]) -> int:
    """Write the schema, or say that it is not current."""
    return renew(
        SCHEMA, follow_schema(), arguments, name="schemas/follow.schema.json", by="tools/write_follow_schema.py"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
