"""The page of provider `exec` is enough to write a program: nothing is missing in it, and its lines are true."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infoprovider.inventory.codec import adapter
from infoprovider.inventory.model import PARTED_BY_PROJECT, Facet
from infoprovider.providers import program, program_faults
from infoprovider.providers.contract import Failed, NotOffered, Observed, Parts
from infoprovider.providers.exec import ExecSettings
from infoprovider.providers.lines import LINE, from_line

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "providers" / "exec.md").read_text()
ROW = re.compile(r"^\| `([a-z0-9_.]+)` \| .* \| (\*\*required\*\*|`[^`]*`|) \| .+ \|$", re.MULTILINE)
LINES = [line for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def section(heading: str) -> str:
    """What stands below a heading, down to the next one."""
    return PAGE.partition(f"\n{heading}\n")[2].partition("\n#")[0]


def rows(text: str) -> dict[str, bool]:
    """Every key with a row, and whether it is required."""
    return {key: default == "**required**" for key, default in ROW.findall(text)}


def keys(schema: dict[str, Any], node: dict[str, Any], path: str = "") -> Iterator[tuple[str, bool]]:
    """Every key below a node of a JSON Schema that holds a value, and whether it must be written."""
    node = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    for option in node.get("anyOf", ()):
        yield from keys(schema, option, path)
    if "items" in node:
        yield from keys(schema, node["items"], path)
    for name, inner in node.get("properties", {}).items():
        below = list(keys(schema, inner, f"{path}{name}."))
        yield from below or [(path + name, name in node.get("required", ()))]


@pytest.mark.parametrize("facet", Facet)
def test_every_key_of_a_facet_has_its_row(facet: Facet) -> None:
    """Each key that holds a value is there, with whether it is required, and no other."""
    schema = adapter(facet).json_schema()
    assert rows(section(f"### {facet}")) == dict(keys(schema, schema))


def test_every_setting_has_its_row() -> None:
    """And none that does not exist."""
    settings = rows(PAGE.partition("\n## ")[0])
    assert settings == {name: field.is_required() for name, field in ExecSettings.model_fields.items()}


def test_every_key_of_a_line_has_its_row() -> None:
    """The keys that lines have, whatever they answer."""
    known = {key for definition in LINE.json_schema()["$defs"].values() for key in definition.get("properties", {})}
    text = section("## What the program prints")
    assert set(re.findall(r"^\| `([a-z_]+)` \| [^|]* \| [^|]* \|$", text, re.MULTILINE)) >= known - {"answer"}
    assert {"observed", "failed", "not_offered", "parts"} <= set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))


@pytest.mark.parametrize("line", LINES)
def test_a_line_on_the_page_is_taken(line: str) -> None:
    """What is shown can be copied, and says something."""
    answer = from_line(line.encode())
    if isinstance(answer, Observed):
        assert (answer.part != "") == (answer.facet in PARTED_BY_PROJECT)


def test_there_is_a_line_of_every_kind() -> None:
    """Each facet, and each answer."""
    answers = [from_line(line.encode()) for line in LINES]
    assert {answer.facet for answer in answers if isinstance(answer, Observed)} == set(Facet)
    assert {type(answer) for answer in answers} == {Observed, Failed, NotOffered, Parts}


def test_the_request_on_the_page_is_the_one_that_a_program_gets() -> None:
    """Its keys are all there, and explained."""
    text = section("## What the program gets")
    shown = json.loads(re.findall(r"```\n(.*?)```", text, re.DOTALL)[0])
    assert shown.keys() == {"instance", "wanted", "deadline_s"} == set(re.findall(r"^\| `([a-z_]+)` \|", text, re.M))


def test_every_message_has_its_row() -> None:
    """Each thing that can be wrong with starting a program, in the words of the program."""
    source = Path(program_faults.__file__).read_text() + Path(program.__file__).read_text()
    said = set(re.findall(r'_about\(\w+, f?"([^",{]+)', source)) | {"had not ended in time"}
    shown = set(re.findall(r"^\| `([^`]+)` \|", section("## How it ends"), re.MULTILINE))
    missing = {words for words in said if not any(words.strip().startswith(row) for row in shown)}
    assert missing == {"cannot be run: "}
    assert {row for row in shown if row not in source} == set()


@pytest.mark.parametrize("path", re.findall(r"`((?:examples|schemas)/[\w./-]+)`", PAGE))
def test_every_file_that_the_page_names_is_there(path: str) -> None:
    """A reader can open it."""
    assert (ROOT / path).is_file()
