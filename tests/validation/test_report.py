"""What a report says."""

import pytest

from infoprovider.errors import ValidationFailed
from infoprovider.validation.report import Finding, Level, Report

WARNING = Finding(
    level=Level.WARNING, rule="a.b", object="o=x", attribute="o", what="is odd", why="really", remedy="mend it"
)
ERROR = Finding(rule="c.d", what="is wrong", why="it breaks", remedy="remove it")


def test_a_finding_says_where_what_why_and_what_to_do() -> None:
    """One line has all of it, and no place where there is none."""
    assert str(WARNING) == "warning a.b: o=x: o is odd (really); mend it"
    assert str(ERROR) == "error c.d: is wrong (it breaks); remove it"


def test_only_errors_forbid_publishing() -> None:
    """A warning is kept in the report, and nothing is raised."""
    report = Report.of([WARNING])
    report.demand_no_errors()
    assert report.findings == (WARNING,)
    with pytest.raises(ValidationFailed, match=r"a\.b.*\n.*c\.d"):
        Report.of([WARNING, ERROR]).demand_no_errors()
