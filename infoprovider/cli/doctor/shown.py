"""A diagnosis, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from infoprovider.cli.doctor.diagnosis import Finding
from infoprovider.cli.doctor.examination import Diagnosis
from infoprovider.views.tables import new_table, printable


def print_diagnosis(console: Console, diagnosis: Diagnosis, *, notes: bool) -> None:
    """A row for each cause, the first to be mended in front."""
    if diagnosis.causes:
        table = new_table("What is the matter")
        for heading in ("", "layer", "cause", "seen", "remedy"):
            table.add_column(heading, no_wrap=heading in ("", "layer"), overflow="fold")
        for one in diagnosis.causes:
            table.add_row(one.severity, one.layer, printable(one.cause), printable(_seen(one)), printable(one.remedy))
        console.print(table)
    for note in diagnosis.notes if notes else ():
        console.print(printable(f"note: {note}"))


def _seen(one: Finding) -> str:
    follows = f"; from it follows: {'; '.join(one.explained)}" if one.explained else ""
    return f"{one.seen}{follows}"


def plain(diagnosis: Diagnosis) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "ok": not diagnosis.causes,
        "findings": [_plain(one) for one in diagnosis.causes],
        "notes": diagnosis.notes,
    }


def _plain(one: Finding) -> dict[str, str | Sequence[str]]:
    return {
        "kind": one.kind,
        "layer": one.layer,
        "severity": str(one.severity),
        "about": sorted(one.about),
        "cause": one.cause,
        "seen": one.seen,
        "remedy": one.remedy,
        "explains": list(one.explained),
    }
