"""The table of providers says what the tests show, no more and no less."""

import runpy
from pathlib import Path

import pytest

from tests.conformance import EVIDENCE, FACTS, PROVIDERS, Shown, evidence, shown

ROOT = Path(__file__).parents[1]
EVERY_FACT = [fact for facts in FACTS.values() for fact in facts]


def test_the_table_of_providers_is_current() -> None:
    """It is made of the markers: whoever changes one writes the page anew."""
    page = runpy.run_path(str(ROOT / "tools" / "write_providers_page.py"))["page"]
    text = (ROOT / "docs" / "providers" / "index.md").read_text()
    assert page(text) == text


def test_every_marker_is_about_something() -> None:
    """It names a provider, facts of the table and a kind of evidence."""
    found = list(shown())
    assert found
    for one in found:
        assert one.provider in PROVIDERS, one
        assert one.by in EVIDENCE, one
        assert one.facts, one
        assert set(one.facts) <= set(EVERY_FACT), one


def test_what_is_called_real_needs_the_real_thing() -> None:
    """A test that shows a fact on a real system is marked with the service that it needs."""
    services = {"exec": "", "static": "", "openstack": "openstack", "libvirt": "libvirt", "vsphere": "vsphere"}
    for one in shown():
        if one.by == "real system" and services[one.provider]:
            text = (ROOT / "tests" / one.test.partition("::")[0]).read_text()
            assert f"pytest.mark.{services[one.provider]}" in text, one


def test_the_strongest_evidence_counts(tmp_path: Path) -> None:
    """Wherever the marker stands, on a function or for a whole file."""
    (tmp_path / "test_one.py").write_text(
        "import pytest\n"
        'pytestmark = [pytest.mark.slow, pytest.mark.shows("libvirt", "features", by="recorded")]\n'
        '@pytest.mark.shows("libvirt", "features", "prices", by="simulator")\n'
        "def test_it(): ...\n"
    )
    found = list(shown(tmp_path))
    assert found[0] == Shown("libvirt", ("features",), "recorded", "test_one.py")
    assert evidence(iter(found)) == {("libvirt", "features"): "simulator", ("libvirt", "prices"): "simulator"}


def test_a_marker_without_evidence_is_refused(tmp_path: Path) -> None:
    """The file and the test are named."""
    (tmp_path / "test_one.py").write_text('@pytest.mark.shows("libvirt", "features")\ndef test_it(): ...\n')
    with pytest.raises(ValueError, match=r"test_one.py::test_it: .* `by`"):
        list(shown(tmp_path))


def test_facts_have_one_name_each() -> None:
    """A marker names a fact without its facet."""
    assert len(set(EVERY_FACT)) == len(EVERY_FACT)
