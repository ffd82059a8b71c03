"""The JUnit report: well-formed whatever is in it, with a case for every rule."""

from xml.etree import ElementTree

from infoprovider.validation.report import Finding, Level, Report
from infoprovider.validation.rule import Rule
from infoprovider.views.findings import Examined
from infoprovider.views.junit import junit

RULE = Rule(id="some.rule", broken="", why="", remedy="")


def test_what_xml_cannot_hold_is_spelt_out() -> None:
    """Control characters and markup come back as text."""
    finding = Finding(rule="some.rule", object="<&]]>", what="\x00\x1b\ufffe\ud800", why="w", remedy="r", line=7)
    (suite,) = ElementTree.fromstring(junit([Examined("a", 1, Report.of([finding]))], [RULE]))  # noqa: S314
    ((failure,),) = suite
    assert failure.text == "error line 7 <&]]>  \\x00\\x1B\\xFFFE\\xD800\nw; r"
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("1", "1")


def test_many_findings_of_a_rule_are_one_failed_case() -> None:
    """Twenty are shown, all are counted; a rule that holds has passed."""
    findings = [Finding(rule="some.rule", what=str(number), why="w", remedy="r") for number in range(130)]
    other = Rule(id="other.rule", level=Level.WARNING, broken="", why="", remedy="")
    (suite,) = ElementTree.fromstring(junit([Examined("a", 1, Report.of(findings))], [RULE, other]))  # noqa: S314
    passed, failed = suite
    assert (passed.attrib["name"], len(passed)) == ("other.rule", 0)
    assert failed[0].attrib["message"] == "130 times: 0"
    assert (failed[0].text or "").splitlines()[-2:] == ["and 110 more", "w; r"]
