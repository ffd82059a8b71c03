"""Write schemas/configuration.schema.json: what a configuration may hold, for editors, the shipped plug-ins included.

python tools/write_config_schema.py            writes it
python tools/write_config_schema.py --check    says whether it is current, and returns 1 if not
"""

import importlib
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pydantic import TypeAdapter

from infoprovider.config.model import ConfigurationFile
from infoprovider.inventory.codec import adapter
from infoprovider.inventory.model import Facet
from tools.made_files import describe, renew, without_titles

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schemas" / "configuration.schema.json"
PAGE = ROOT / "docs" / "configuration.md"
HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "The configuration of infoprovider (docs/configuration.md)",
    "$comment": "Made by tools/write_config_schema.py from infoprovider.config: change that, not this file.",
}
SECTIONS = {"instances": ("InstanceBlock", "providers"), "channels": ("ChannelBlock", "publishers")}
ROW = re.compile(r"^\| `([a-z0-9_.<>]+)` \| .* \| .* \| (.+) \|$", re.MULTILINE)


def configuration_schema() -> str:
    """The schema of a configuration, or of a part of it that another file includes.

    So no section is required at the top: whether all are there is seen by `infoprovider check`.
    """
    declarable = sorted(set(Facet) - {Facet.USAGE})
    specs = {(section, spec.kind): spec for section, (_, group) in SECTIONS.items() for spec in _specs(group)}
    places, made = TypeAdapter.json_schemas(
        [
            ("file", "validation", TypeAdapter(ConfigurationFile)),
            *((key, "validation", TypeAdapter(spec.settings)) for key, spec in specs.items()),
            *((facet, "validation", adapter(facet)) for facet in declarable),
        ]
    )
    definitions = without_titles(made["$defs"])
    file = definitions.pop("ConfigurationFile")
    file.pop("required")
    for section, (block, _) in SECTIONS.items():
        kinds = sorted(kind for within, kind in specs if within == section)
        _choose_settings(
            definitions[block],
            {kind: _settings(specs[section, kind], places[(section, kind), "validation"]) for kind in kinds},
        )
    definitions["InstanceBlock"]["properties"]["declared"] = {
        "type": "object",
        "properties": {facet.value: without_titles(places[facet, "validation"]) for facet in declarable}
        | {"quotas": {"type": "object", "additionalProperties": _of_a_named_project(definitions["Quotas"])}},
        "additionalProperties": False,
        "default": {},
    }
    schema = HEAD | file | {"$defs": definitions}
    describe(_properties(schema, schema, ""), dict(ROW.findall(PAGE.read_text(encoding="utf-8"))))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _of_a_named_project(quotas: dict[str, Any]) -> dict[str, Any]:
    """Quotas that stand below the name of their project, and need not repeat it."""
    return quotas | {"required": [key for key in quotas["required"] if key != "project"]}


def _specs(group: str) -> Iterator[Any]:
    """The shipped plug-ins; those of other packages are told by `infoprovider check`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for place in project["entry-points"][f"infoprovider.{group}"].values():
        module, _, name = place.partition(":")
        yield getattr(importlib.import_module(module), name)


def _choose_settings(block: dict[str, Any], settings: dict[str, Any]) -> None:
    """Which settings belong to a kind; editors offer the shipped kinds, and others are none of our business."""
    kind = block["properties"]["kind"]
    kind.pop("type")
    kind["anyOf"] = [{"enum": list(settings)}, {"type": "string"}]
    block["allOf"] = [
        {"if": {"properties": {"kind": {"const": name}}, "required": ["kind"]}, "then": then}
        for name, then in settings.items()
    ]


def _settings(spec: Any, place: dict[str, Any]) -> dict[str, Any]:
    """What a block of this kind has: its settings, which must be there if one of them must."""
    must = any(field.is_required() for field in spec.settings.model_fields.values())
    return {"properties": {"settings": place}} | ({"required": ["settings"]} if must else {})


def _properties(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterable[tuple[str, dict[str, Any], str]]:
    """Every key below a node that is no plug-in's: its path, and where its own schema stands."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    for option in node.get("anyOf", ()):
        yield from _properties(schema, option, path)
    if "items" in node:
        yield from _properties(schema, node["items"], path)
    if isinstance(node.get("additionalProperties"), dict):
        yield from _properties(schema, node["additionalProperties"], f"{path}<facet>.")
    for name, inner in node.get("properties", {}).items():
        yield path + name, node["properties"], name
        if name != "declared":
            yield from _properties(schema, inner, f"{path}{name}.")


def main(arguments: list[str]) -> int:
    """Write the schema, or say that it is not current."""
    return renew(
        SCHEMA,
        configuration_schema(),
        arguments,
        name="schemas/configuration.schema.json",
        by="tools/write_config_schema.py",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
