"""The page of provider `openstack` has every setting, and its examples are true."""

import json
import re
from pathlib import Path

import pytest
import yaml

from infoprovider.providers.openstack.settings import OpenStackSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "providers" / "openstack.md").read_text()
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def test_every_setting_has_its_row() -> None:
    """And none that does not exist."""
    section = PAGE.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)
    assert rows == list(dict.fromkeys(rows))
    assert set(rows) == set(OpenStackSettings.model_fields)


@pytest.mark.parametrize("block", [block for block in BLOCKS if "settings" in block])
def test_settings_on_the_page_can_be_copied(block: dict[str, object]) -> None:
    """They are taken as they stand."""
    assert OpenStackSettings.model_validate_json(json.dumps(block["settings"])).is_given


def test_the_example_can_be_used() -> None:
    """Its instance has settings that are taken."""
    example = yaml.safe_load((ROOT / "examples" / "openstack.yaml").read_text())
    (instance,) = example["instances"]
    assert OpenStackSettings.model_validate_json(json.dumps(instance["settings"])).cloud == "admin"
