"""docs/reliability.md names the tests that hold its rows, and each of them holds a row."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "reliability.md").read_text()
ROWS = re.findall(r"^\| (?!fault |---)(.+) \|$", PAGE.partition("## Faults")[2].partition("\n## ")[0], re.MULTILINE)
TEST = re.compile(r"`(test_\w+\.py)`|`(test_\w+)?(?:\[(\w+)\])?`")


def named() -> Iterator[tuple[str, str, str]]:
    """File, function and parameter of each test that the table names; each stands before what it is left out of."""
    for row in ROWS:
        file = function = ""
        for found in TEST.finditer(row.split(" | ")[4]):
            file, function = found[1] or file, found[2] or function
            if not found[1]:
                yield file, function, found[3] or ""


def there() -> Iterator[tuple[str, str, str]]:
    """File, function and parameter of each test of a fault."""
    for path in sorted(HERE.glob("test_*.py")):
        if path.name in ("test_page.py", "test_soak.py"):
            continue
        module = import_module(f"tests.reliability.{path.stem}")
        for name, function in vars(module).items():
            if name.startswith("test_"):
                marks = [one for one in getattr(function, "pytestmark", ()) if one.name == "parametrize"]
                given = [getattr(one, "__name__", one) for mark in marks for one in mark.args[1]] or [""]
                yield from ((path.name, name, str(one)) for one in given)


def test_each_row_is_held_and_each_test_holds_one() -> None:
    """By file, name and parameter; where the table gives no parameter, all of them are meant."""
    tests = set(there())
    whole = {(file, function) for file, function, parameter in named() if not parameter}
    assert {one for one in named() if one[2]} <= tests
    assert whole <= {one[:2] for one in tests}
    assert {one for one in tests if one[:2] not in whole} == {one for one in named() if one[2]}


def test_every_row_says_what_is_published_and_how_it_is_held() -> None:
    """No cell that matters is empty, and no fault stands twice."""
    cells = [row.split(" | ") for row in ROWS]
    assert {len(one) for one in cells} == {5}
    assert all(one[0] and one[1] and one[4] for one in cells)
    assert len({one[0] for one in cells}) == len(cells) > 20
