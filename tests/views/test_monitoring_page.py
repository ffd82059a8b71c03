"""docs/monitoring.md cannot fall behind the metrics."""

import re
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Problem
from infoprovider.views import nagios
from infoprovider.views.metrics import Metrics
from tests.views.centre import MANAGER, Kept

PAGE = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text()
ROW = re.compile(r"^\| `(infoprovider_[a-z_]+)` \| (\w+) \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)
USED = re.compile(r"\binfoprovider_[a-z_]+[a-z]\b")


def metrics(kept: Kept) -> dict[str, tuple[str, str, str]]:
    """Every metric of a centre in which everything has happened: its type, its labels, what it says."""
    kept.settle()
    counted = Metrics(kept.configuration, kept.clock)
    counted.collected(MANAGER, kept.attempt(Problem(facet=Facet.IMAGES, reason="timed out")), 1)
    counted.fault("composer")
    found = {}
    for family in text_string_to_metric_families(counted.text().decode()):
        (labels,) = {frozenset(sample.labels) - {"le"} for sample in family.samples}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, ", ".join(f"`{label}`" for label in sorted(labels)), family.documentation)
    return found


def test_every_metric_has_its_row(kept: Kept) -> None:
    """With type, labels and meaning as Prometheus is told them; no row is about anything else."""
    rows = {name: (type_, labels, meaning) for name, type_, labels, meaning in ROW.findall(PAGE)}
    found = metrics(kept)
    assert rows.keys() == found.keys()
    assert rows == found


def test_the_rules_use_metrics_that_there_are(kept: Kept) -> None:
    """They are YAML as Prometheus reads it, and name nothing that is not told."""
    (text,) = (block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if block.startswith("groups:"))
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    assert len(rules) >= 8
    known = metrics(kept)
    for rule in rules:
        assert {"alert", "expr", "labels", "annotations"} <= rule.keys()
        used = USED.findall(rule["expr"])
        assert used
        assert set(used) <= known.keys()


def test_the_limits_of_the_probe_stand_on_the_page() -> None:
    """In minutes, as they are in the program."""
    assert f"{nagios.DOCUMENT_WITHIN / 60:.0f} minutes" in PAGE
    assert f"{nagios.CRITICAL_AFTER / 60:.0f} minutes" in PAGE
