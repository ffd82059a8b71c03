"""The page of provider `libvirt` has every setting, and its examples are true."""

import json
import re
from pathlib import Path

import pytest
import yaml

from infoprovider.providers.libvirt import LibvirtSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "providers" / "libvirt.md").read_text()
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def test_every_setting_has_its_row() -> None:
    """And none that does not exist."""
    section = PAGE.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)
    assert rows == list(LibvirtSettings.model_fields)


@pytest.mark.parametrize("text", [*BLOCKS, yaml.safe_load((ROOT / "examples" / "libvirt.yaml").read_text())])
def test_settings_that_are_shown_can_be_copied(text: dict[str, list[dict[str, object]]]) -> None:
    """They are taken as they stand."""
    (instance,) = text["instances"]
    settings = LibvirtSettings.model_validate_json(json.dumps(instance["settings"]))
    assert len(settings.hosts) == 2


def test_what_it_costs_is_what_is_said() -> None:
    """The calls that tests/providers/test_libvirt.py counts."""
    section = PAGE.partition("\n## What it costs\n")[2]
    named = re.findall(r"\b(?:open|get)[A-Z]\w+", section)
    assert section.strip().startswith("Nine calls")
    assert len(named) == len(set(named)) == 9
