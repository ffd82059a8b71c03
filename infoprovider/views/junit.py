"""What a validation found as a JUnit report, for automation: one suite for each source, one case for each rule."""

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from infoprovider.validation.report import Finding, Level
from infoprovider.validation.rule import Rule
from infoprovider.views.findings import Examined

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHOWN = 20


def junit(results: Sequence[Examined], rules: Iterable[Rule]) -> bytes:
    """A rule of level error that is broken has failed; what warnings and notes say stands beside the cases."""
    levels = {rule.id: rule.level for rule in rules}
    root = ElementTree.Element("testsuites", name="infoprovider validate")
    for one in results:
        by_rule: dict[str, list[Finding]] = {}
        for finding in one.report.findings:
            by_rule.setdefault(finding.rule, []).append(finding)
        failed = sum(findings[0].level is Level.ERROR for findings in by_rule.values())
        names = sorted(levels.keys() | by_rule.keys())
        suite = ElementTree.SubElement(
            root, "testsuite", name=_text(one.source), tests=str(len(names)), failures=str(failed), errors="0"
        )
        for name in names:
            _add_case(suite, name, by_rule.get(name, []), one.report.counts.get(name, 0))
    ElementTree.indent(root)
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _add_case(suite: ElementTree.Element, rule: str, findings: Sequence[Finding], count: int) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=rule.partition(".")[0], name=rule)
    if not findings:
        return
    lines = [_line(finding) for finding in findings[:_SHOWN]]
    if count > _SHOWN:
        lines.append(f"and {count - _SHOWN} more")
    if findings[0].level is Level.ERROR:
        place = ElementTree.SubElement(case, "failure", type=rule, message=_text(f"{count} times: {findings[0].what}"))
    else:
        place = ElementTree.SubElement(case, "system-out")
    place.text = _text("\n".join([*lines, f"{findings[0].why}; {findings[0].remedy}"]))


def _line(finding: Finding) -> str:
    line = f"line {finding.line} " if finding.line else ""
    return f"{finding.level} {line}{finding.object} {finding.attribute} {finding.what}"


def _text(text: str) -> str:
    """Characters that XML cannot hold are spelt out."""
    return _NOT_XML.sub(lambda match: f"\\x{ord(match[0]):02X}", text)
