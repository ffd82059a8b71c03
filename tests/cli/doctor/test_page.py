"""The page of the doctor is made from its table of kinds and from the catalogue of faults."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_tables_of_the_page_are_current() -> None:
    """Whoever changes a kind or a fault writes the page anew."""
    page = runpy.run_path(str(ROOT / "tools" / "write_doctor_page.py"))["page"]
    text = (ROOT / "docs" / "doctor.md").read_text()
    assert page(text) == text
