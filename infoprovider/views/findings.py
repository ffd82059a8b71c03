"""What a validation found, for people, for programs and for a monitoring system."""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.text import Text

from infoprovider.validation.report import Finding, Level, Report
from infoprovider.validation.rule import Rule
from infoprovider.views.tables import new_table, printable

_SHOWN_PER_RULE = 10
_COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.INFO: "cyan"}
_FIRST_NAME = re.compile(r"[A-Za-z0-9]+=((?:\\.|[^,\\])*)")
_WORDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "note"}


class State(IntEnum):
    """What a monitoring plug-in returns."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Examined:
    """One source with what was found in it, and in how many entries."""

    source: str
    entries: int
    report: Report


def counted(results: Iterable[Examined], level: Level) -> int:
    """How many findings of a level there are in all sources."""
    return sum(one.report.count(level) for one in results)


def summary(results: Sequence[Examined]) -> str:
    """`2 errors, 1 warning, 0 notes in 131 entries`."""
    entries = sum(one.entries for one in results)
    counts = [_number(counted(results, level), _WORDS[level]) for level in Level]
    return f"{', '.join(counts)} in {entries} {'entry' if entries == 1 else 'entries'}"


def print_findings(console: Console, results: Sequence[Examined]) -> None:
    """A row for each finding, at most ten of a rule; then what every broken rule means and what to do."""
    for one in results:
        if one.report.findings:
            _print_table(console, one)
    for finding in {finding.rule: finding for one in results for finding in one.report.findings}.values():
        console.print(Text.assemble((finding.rule, _COLOURS[finding.level]), f": {finding.why}; {finding.remedy}"))
    console.print(f"{', '.join(one.source for one in results)}: {summary(results)}", highlight=False, markup=False)


def _print_table(console: Console, one: Examined) -> None:
    table = new_table(one.source)
    for heading in ("", "rule", "line", "entry", "attribute", "what"):
        table.add_column(heading, no_wrap=heading in ("", "rule"), overflow="fold")
    shown: dict[str, int] = {}
    for finding in one.report.findings:
        shown[finding.rule] = shown.get(finding.rule, 0) + 1
        if shown[finding.rule] <= _SHOWN_PER_RULE:
            table.add_row(*_cells(finding))
    for rule, number in one.report.counts.items():
        if number > _SHOWN_PER_RULE:
            table.add_row("", rule, "", "", "", f"and {number - _SHOWN_PER_RULE} more")
    console.print(table)


def _cells(finding: Finding) -> tuple[Text, ...]:
    return (
        Text(_WORDS[finding.level], style=_COLOURS[finding.level]),
        Text(finding.rule),
        Text(str(finding.line or "")),
        Text(printable(short(finding.object))),
        Text(printable(finding.attribute.removeprefix("GLUE2"))),
        Text(printable(finding.what)),
    )


def short(name: str) -> str:
    """The ID in a distinguished name; any other name as it is."""
    match = _FIRST_NAME.match(name)
    return match[1] if match else name


def plain(results: Sequence[Examined]) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "ok": not counted(results, Level.ERROR),
        "sources": [
            {
                "source": one.source,
                "entries": one.entries,
                "counts": one.report.counts,
                "findings": [dataclasses.asdict(finding) for finding in one.report.findings],
            }
            for one in results
        ],
    }


def nagios(results: Sequence[Examined]) -> tuple[State, str]:
    """The state and the one line of a monitoring plug-in, with its performance data."""
    errors, warnings, notes = (counted(results, level) for level in Level)
    entries = sum(one.entries for one in results)
    if not entries:
        return State.UNKNOWN, one_line(f"UNKNOWN: no entry was read from {', '.join(one.source for one in results)}")
    state = State.CRITICAL if errors else State.WARNING if warnings else State.OK
    worst = [finding for one in results for finding in one.report.findings if finding.level is not Level.INFO]
    worst.sort(key=lambda finding: list(Level).index(finding.level))
    first = f": {worst[0].rule} {short(worst[0].object)} {worst[0].attribute} {worst[0].what}" if worst else ""
    figures = f"errors={errors} warnings={warnings} info={notes} entries={entries}"
    return state, f"{state.name}: {one_line(summary(results) + first)} | {figures}"


def one_line(text: str) -> str:
    """A text as a monitoring system takes it: one line, without the sign that begins the figures."""
    return printable(" ".join(text.replace("|", "/").split()))[:1000]


def print_rules(console: Console, rules: Sequence[Rule], chosen: Iterable[tuple[str, str]]) -> None:
    """The table of rules, and which of them are applied."""
    table = new_table("Rules")
    for heading in ("", "rule", "of", "level", "broken where"):
        table.add_column(heading, no_wrap=heading == "rule", overflow="fold")
    applied = frozenset(chosen)
    for rule in rules:
        mark = "on" if rule.key in applied else "off"
        table.add_row(mark, *(Text(part) for part in (rule.id, rule.subject, rule.level, rule.broken)))
    console.print(table)


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
