"""Write schemas/glue2.schema.json, what GLUE 2.0 JSON looks like, from the facts that the fields of GLUE carry.

python tools/write_json_schema.py            writes it
python tools/write_json_schema.py --check    says if it is not current, and returns 1
"""

import json
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from infoprovider.glue.entities import Entity
from infoprovider.glue.fields import Attribute, Type
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, json_name
from infoprovider.render.json import ASSOCIATIONS
from tools.made_files import renew

SCHEMA = Path(__file__).parents[1] / "schemas" / "glue2.schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> str:
    """The whole schema: an array for each class, and what an entity of it has."""
    classes = {name: cls for name, cls in ENTITY_CLASSES.items() if issubclass(cls, Entity) and not cls.glue.abstract}
    document = {
        "$schema": DRAFT,
        "title": "GLUE 2.0 document in JSON",
        "description": "Made by tools/write_json_schema.py from the fields of infoprovider.glue: change them.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/{name}"}} for name in classes
        },
        "$defs": {name: _entity(cls) for name, cls in classes.items()},
    }
    return json.dumps(document, indent=2) + "\n"


def _entity(cls: type[Entity]) -> dict[str, Any]:
    """An entity as it is published: what the LDAP schema demands is there."""
    own = [one for one in attributes_of(cls) if not one.target]
    associations = [one for one in attributes_of(cls) if one.target]
    entity = _object(own)
    entity["description"] = (cls.__doc__ or "").partition("\n")[0]
    if associations:
        entity["properties"][ASSOCIATIONS] = _object(associations)
        if any(one.must for one in associations):
            entity["required"].append(ASSOCIATIONS)
    return entity


def _object(attributes: list[Attribute]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {json_name(one): _property(one) for one in attributes},
        "required": [json_name(one) for one in attributes if one.must],
    }


def _property(attribute: Attribute) -> dict[str, Any]:
    one = _value(attribute.type)
    made = {"type": "array", "minItems": 1, "items": one} if attribute.multiple else one
    if attribute.unit:
        made["description"] = attribute.unit
    return made


def _value(kind: Type) -> dict[str, Any]:
    if issubclass(kind.python, StrEnum):
        return {"enum": [word.value for word in kind.python]}
    if kind.python is datetime:
        return {"type": "string", "format": "date-time"}
    if kind.python is str:
        return {"type": "string", "pattern": f"^{kind.pattern}$"} if kind.pattern else {"type": "string"}
    least = "exclusiveMinimum" if kind.open_minimum else "minimum"
    bounds = {least: kind.minimum, "maximum": kind.maximum}
    return {"type": "integer" if kind.python is int else "number"} | {
        name: bound for name, bound in bounds.items() if bound is not None
    }


def main(arguments: list[str]) -> int:
    """Write the schema, or say that it is not current."""
    return renew(SCHEMA, schema(), arguments, name="schemas/glue2.schema.json", by="tools/write_json_schema.py")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
