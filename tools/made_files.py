"""Files that are made of the code: each is written by a tool of its own, and held against the code by `--check`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")


def renew(path: Path, text: str, arguments: Sequence[str], *, name: str, by: str) -> int:
    """Write the file unless it is current; with `--check` among the arguments only say that it is not, and return 1.

    `name` is what the file is called in the project, `by` how its tool is run.
    """
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in arguments:
        print(f"{name}: not current; run {by}")
        return 1
    path.write_text(text, encoding="utf-8")
    print(f"{name}: written")
    return 0


def without_titles(schema: Any) -> Any:
    """A JSON Schema without the titles that pydantic gives it, which repeat the names of keys."""
    if isinstance(schema, list):
        return [without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: without_titles(item) for key, item in schema.items() if key != "title" or not isinstance(item, str)}


def describe(properties: Iterable[tuple[str, dict[str, Any], str]], meanings: Mapping[str, str]) -> None:
    """Give each key what a page says of it: editors show it where the key is written.

    A property is its path, the object in which its schema stands, and its name there.
    """
    for path, holder, name in list(properties):
        if path in meanings:
            holder[name] = holder[name] | {"description": _LINK.sub(r"\1", meanings[path])}
