"""The page for authors of plug-ins: its provider works, and its table names every argument."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infoprovider import plugins
from infoprovider.testing import check_messenger, check_provider, check_publisher

PAGE = (Path(__file__).parents[2] / "docs" / "plug-ins.md").read_text()


def test_the_provider_on_the_page_keeps_its_contract(register: Callable[[str, Any], None]) -> None:
    """Whoever copies it begins with something that works."""
    made: dict[str, Any] = {"__name__": "infoprovider_shelf"}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], made)  # noqa: S102
    register(plugins.PROVIDERS, made["SPEC"])
    assert check_provider(made["SPEC"], made["ShelfSettings"](url="https://cloud.example.org/")) == []


def test_every_argument_has_its_row() -> None:
    """And none that does not exist."""
    arguments = {
        name
        for check in (check_provider, check_publisher, check_messenger)
        for name, argument in inspect.signature(check).parameters.items()
        if argument.kind is argument.KEYWORD_ONLY
    }
    assert set(re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)) == arguments
