"""How a centre stands with publishing: its channels, what its document leaves out, and the daemon that keeps it."""

from datetime import datetime

from rich.console import Console

from infoprovider.store.document import Remembered
from infoprovider.views.overview import DaemonStatus, Overview
from infoprovider.views.tables import UNKNOWN, age, new_table, printable


def print_standing(console: Console, overview: Overview) -> None:
    """One row for each channel, and a line on each of the rest."""
    now = overview.now
    if overview.channels:
        table = new_table("Where it goes")
        for heading in ("channel", "kind", "taken", "result", "where", "failed", "why"):
            table.add_column(heading, overflow="fold")
        for one in overview.channels:
            failed = age(one.failed_at, now) if one.failed_at else ""
            table.add_row(
                one.channel,
                one.kind,
                age(one.delivered_at, now) if one.delivered_at else "never",
                one.delivery or "",
                one.reference or "",
                f"{failed}, {one.failures} in a row" if one.failures else failed,
                one.why or "",
            )
        console.print(table)
    console.print(_document(overview.document, now))
    for tree, why in overview.document.unchanged.items():
        console.print(printable(f"the tree {tree} stays as it was: {why}"))
    console.print(_daemon(overview.daemon, now))
    if overview.daemon is not None:
        for fault in overview.daemon.faults:
            console.print(printable(f"not taken: {fault}"))
    for aside in overview.set_aside:
        console.print(f"{aside.path}: {aside.why}; look at it, then remove it")


def print_left_out(console: Console, document: Remembered) -> None:
    """One row for each thing that the document leaves out."""
    table = new_table("What is left out")
    for heading in ("", "entity", "ID", "why"):
        table.add_column(heading, overflow="fold")
    for held in document.withheld:
        table.add_row("withheld", held.entity, held.id, held.why)
    for one in document.quarantined:
        table.add_row("quarantined", one.entity, one.id, f"{one.why} (tree {one.tree})" if one.tree else one.why)
    for reference in document.pruned:
        entity = document.entries.get(reference.id)
        why = f"its {reference.attribute} {reference.target} is not there"
        table.add_row("pruned", entity.entity if entity else UNKNOWN, reference.id, why)
    console.print(table)


def _document(document: Remembered, now: datetime) -> str:
    if document.composed_at is None:
        return "document: nothing was composed yet"
    left_out = {
        "entries withheld": len(document.withheld),
        "entries quarantined": len(document.quarantined),
        "references pruned": len(document.pruned),
    }
    counted = ", ".join(f"{count} {words}" for words, count in left_out.items())
    names = " (named by --left-out)" if any(left_out.values()) else ""
    return f"document: {len(document.entries)} entries, composed {age(document.composed_at, now)}; {counted}{names}"


def _daemon(daemon: DaemonStatus | None, now: datetime) -> str:
    if daemon is None:
        return "daemon: none is running"
    if not daemon.is_running:
        return f"daemon: process {daemon.pid} died; it was started {age(daemon.started_at, now)}"
    return (
        f"daemon: process {daemon.pid}, started {age(daemon.started_at, now)}, "
        f"its configuration in force since {age(daemon.configured_at, now).removesuffix(' ago')}"
    )
