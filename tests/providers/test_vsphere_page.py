"""The page of provider `vsphere` has every setting, and its examples are true."""

import json
import re
from pathlib import Path

import yaml

from infoprovider.cli import site
from infoprovider.providers.vsphere import VSphereSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "providers" / "vsphere.md").read_text()


def test_every_setting_has_its_row() -> None:
    """Which says whether it is required; no row is about anything else."""
    section = PAGE.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| .*? \| (.*?) \|", section, re.MULTILINE))
    assert rows.keys() == VSphereSettings.model_fields.keys()
    required = {name for name, field in VSphereSettings.model_fields.items() if field.is_required()}
    assert {name for name, default in rows.items() if default == "**required**"} == required


def test_settings_on_the_page_can_be_copied() -> None:
    """They are taken as they stand."""
    [written] = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(instances:.*?)```", PAGE, re.DOTALL)]
    [instance] = written["instances"]
    assert VSphereSettings.model_validate_json(json.dumps(instance["settings"])).url == "https://vcenter.example.org"


def test_the_example_can_be_used() -> None:
    """The whole of it, with what is declared."""
    [instance] = site.read_configuration(ROOT / "examples" / "vsphere.yaml").instances
    assert instance.block.kind == "vsphere"
    assert [one.id for one in instance.declared["instance_types"].instance_types] == ["small", "large"]  # type: ignore[index, union-attr]
