"""Write schemas/message.schema.json, what messages look like, from the models of `infoprovider.messaging.envelope`.

python tools/write_message_schema.py            writes it
python tools/write_message_schema.py --check    says if it is not current, and returns 1
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from infoprovider.glue.entities import Entity
from infoprovider.glue.names import ENTITY_CLASSES
from infoprovider.messaging.content import AMENDED, REMOVED
from infoprovider.messaging.envelope import ENVELOPE, NoticeContent
from tools.made_files import renew

SCHEMA = Path(__file__).parents[1] / "schemas" / "message.schema.json"
DOCUMENT = "glue2.schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> str:
    """The first line of a message at the root; below `$defs` the contents of its kinds, where they are JSON."""
    envelope = ENVELOPE.json_schema(ref_template="#/$defs/{model}")
    notice = NoticeContent.model_json_schema(ref_template="#/$defs/{model}")
    definitions = envelope.pop("$defs") | notice.pop("$defs")
    document = {
        "$schema": DRAFT,
        "title": "Envelope of a message",
        "description": "Made by tools/write_message_schema.py from infoprovider.messaging.envelope: change that.",
        **envelope,
        "$defs": definitions
        | {
            "ContentOfSnapshot": {"$ref": DOCUMENT},
            "ContentOfDelta": _delta(),
            "ContentOfNotice": notice,
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _delta() -> dict[str, Any]:
    """Entities as in a document, fields of others, and IDs of those that are gone."""
    classes = [name for name, cls in ENTITY_CLASSES.items() if issubclass(cls, Entity) and not cls.glue.abstract]
    some = {"type": "object", "required": ["ID"], "properties": {"ID": {"type": "string", "minLength": 1}}}
    amended = {name: {"type": "array", "minItems": 1, "items": some} for name in classes}
    return {
        "description": "Whole entities by class; below Amended the fields of others that are to be replaced.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            AMENDED: {"type": "object", "additionalProperties": False, "properties": amended},
            REMOVED: {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            **{name: {"$ref": f"{DOCUMENT}#/properties/{name}"} for name in classes},
        },
    }


def main(arguments: list[str]) -> int:
    """Write the schema, or say that it is not current."""
    return renew(SCHEMA, schema(), arguments, name="schemas/message.schema.json", by="tools/write_message_schema.py")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
