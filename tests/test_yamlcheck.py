"""Parts of a document through pydantic: whatever an operator writes comes out as a value or as plain words."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from infoprovider.config.model import ConfigurationFile
from infoprovider.errors import ConfigError, Finding
from infoprovider.providers.inventory_file import InventoryFile
from infoprovider.yamlcheck import choice, gathered, in_order, nearest, validate
from infoprovider.yamlfile import Steps, read, read_file

EXAMPLES = Path(__file__).parents[1] / "examples"
INVENTORY = read_file(EXAMPLES / "demo" / "north.yaml").data
CONFIGURATION = read_file(EXAMPLES / "demo.yaml").data
JARGON = ("pydantic", "Input should", "validat", "http://errors", "https://errors", "constrained", "dict", "NoneType")


def places(data: Any, steps: Steps = ()) -> list[Steps]:
    """The way to every value."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [steps, *(place for key, value in inner for place in places(value, (*steps, key)))]


def spoilt(data: Any, steps: Steps, value: Any) -> Any:
    """A copy with another value at this place."""
    if not steps:
        return value
    data = copy.deepcopy(data)
    holder = data
    for step in steps[:-1]:
        holder = holder[step]
    holder[steps[-1]] = value
    return data


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
junk = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=5), scalars, max_size=2)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_anything_becomes_a_value_or_findings_in_plain_words(data: st.DataObject) -> None:
    """Whatever stands wherever: no other error comes out, and each finding has a place, a remedy and no jargon."""
    whole, model = data.draw(st.sampled_from([(INVENTORY, InventoryFile), (CONFIGURATION, ConfigurationFile)]))
    text = json.dumps(spoilt(whole, data.draw(st.sampled_from(places(whole))), data.draw(junk)))
    findings: list[Finding] = []
    with gathered(findings):
        validate(read(text.encode(), "a.yaml"), TypeAdapter(model))
        return
    assert findings
    for finding in findings:
        assert (finding.line, finding.what != "", finding.remedy != "") == (1, True, True)
        said = f"{finding.why} {finding.remedy}"
        assert not any(word in said for word in JARGON), said


def test_a_part_that_was_not_written_is_an_empty_mapping() -> None:
    """Settings that all have defaults need not be mentioned."""
    document = read(b"a: 1\n", "a.yaml")
    assert validate(document, TypeAdapter(dict[str, int]), ("settings",)) == {}


def test_findings_of_several_checks_are_gathered_in_the_order_of_the_file() -> None:
    """One mistake hides no other, and none is told twice."""
    first = Finding(file="a", line=2, column=9, what="x", remedy="y")
    second = Finding(file="a", line=10, column=1, what="x", remedy="y")
    findings: list[Finding] = []
    for error in (ConfigError([second]), ConfigError([first, second])):
        with gathered(findings):
            raise error
    assert in_order(findings) == [first, second]


def test_the_nearest_name_is_suggested_whatever_its_case() -> None:
    """A slip of the finger or of the shift key is corrected; a guess that is far off is not made."""
    assert nearest("Locaton", ["location", "name"]) == "location"
    assert nearest("CAPACITY", ["capacity"]) == "capacity"
    assert nearest("xyzzy", ["location", "name"]) is None
    assert choice("xyzzy", ["name", "location"]) == "write one of location, name"
    assert choice("xyzzy", []) == "remove it"
