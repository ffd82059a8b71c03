"""Findings for people, programs and monitoring systems, whatever text is in them."""

import io

import pytest
from rich.console import Console

from infoprovider.validation.report import Finding, Level, Report
from infoprovider.views.findings import Examined, State, nagios, one_line, plain, print_findings, short, summary

HOSTILE = "\x1b[2J|a\nb\u202e[red]"


def examined(*levels: Level, count: int = 1, what: str = "is wrong", entries: int = 7) -> Examined:
    """A source with so many findings of a rule for each of these levels."""
    findings = [
        Finding(
            level=level, rule=f"some.{level}", object=f"GLUE2ServiceID=s{number},o=glue", what=what, why="w", remedy="r"
        )
        for level in levels
        for number in range(count)
    ]
    return Examined("a.ldif", entries, Report.of(findings))


def printed(*results: Examined) -> str:
    """What a terminal of 200 columns shows."""
    screen = io.StringIO()
    print_findings(Console(file=screen, width=200, markup=False), results)
    return screen.getvalue()


@pytest.mark.parametrize(
    ("levels", "state"),
    [
        ((), State.OK),
        ((Level.INFO,), State.OK),
        ((Level.INFO, Level.WARNING), State.WARNING),
        ((Level.WARNING, Level.ERROR), State.CRITICAL),
    ],
)
def test_the_worst_finding_decides_the_state(levels: tuple[Level, ...], state: State) -> None:
    """Notes are no reason to wake anybody, and the worst is named first."""
    found, line = nagios([examined(*levels)])
    assert found is state
    assert line.startswith(f"{state.name}: ")
    assert ("some.error" in line) == (Level.ERROR in levels)


def test_nothing_read_is_unknown() -> None:
    """A server that answers nothing is not sound."""
    assert nagios([examined(entries=0)]) == (State.UNKNOWN, "UNKNOWN: no entry was read from a.ldif")


def test_the_line_is_one_line_with_one_bar() -> None:
    """What publishers write cannot add figures, lines or control characters."""
    _, line = nagios([examined(Level.ERROR, what=HOSTILE)])
    assert line.isprintable()
    assert line.count("|") == 1
    assert len(one_line("x" * 5000)) == 1000


def test_a_table_shows_ten_of_a_rule_and_counts_the_rest() -> None:
    """Why and remedy stand there once."""
    shown = printed(examined(Level.ERROR, count=150))
    assert [f"s{number} " in shown for number in (0, 9, 10)] == [True, True, False]
    assert "and 140 more" in shown
    assert shown.count("some.error: w; r") == 1
    assert shown.endswith("a.ldif: 150 errors, 0 warnings, 0 notes in 7 entries\n")


def test_a_table_shows_hostile_text_as_escapes() -> None:
    """Neither the terminal nor the table's own markup obeys it."""
    shown = printed(examined(Level.ERROR, what=HOSTILE))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"\x1b[2J|a\nb\u202e[red]" in shown


def test_an_entry_is_named_by_its_id() -> None:
    """Escapes of a distinguished name are kept, and what is no such name too."""
    assert short(r"GLUE2ServiceID=a\2Cb,GLUE2DomainID=RC,o=glue") == r"a\2Cb"
    assert short("urn:glue2:x") == "urn:glue2:x"


def test_everything_is_there_for_programs() -> None:
    """The counts cover what was not kept."""
    told = plain([examined(Level.WARNING, count=120), examined()])
    assert told["ok"]
    assert [one["counts"] for one in told["sources"]] == [{"some.warning": 120}, {}]
    assert len(told["sources"][0]["findings"]) == 100
    assert summary([examined(Level.WARNING, entries=1)]) == "0 errors, 1 warning, 0 notes in 1 entry"
