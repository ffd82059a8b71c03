"""The page of the channel `stomp` has every setting, and its examples are true."""

import json
import re
from pathlib import Path

import pytest
import yaml

from infoprovider.publishers.stomp import StompSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "publishers" / "stomp.md").read_text()
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def section(title: str) -> str:
    """The part of the page below a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_setting_has_its_row() -> None:
    """And none that does not exist; what must be written is marked."""
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| .*? \| (.*?) ?\|", section("Settings"), re.MULTILINE))
    fields = StompSettings.model_fields
    assert set(rows) == set(fields)
    assert {name for name, default in rows.items() if default == "**required**"} == {
        name for name, field in fields.items() if field.is_required()
    }


@pytest.mark.parametrize("text", [*BLOCKS, yaml.safe_load((ROOT / "examples" / "stomp.yaml").read_text())])
def test_settings_that_are_shown_can_be_copied(text: dict[str, list[dict[str, object]]]) -> None:
    """They are taken as they stand."""
    (channel,) = text["channels"]
    settings = StompSettings.model_validate_json(json.dumps(channel["settings"]))
    assert len(settings.brokers) == 2
