"""The offers of a centre as tables for people."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from infoprovider.views.offers import Offer, ServiceView

UNKNOWN = "?"


def print_services(console: Console, services: Sequence[ServiceView], now: datetime) -> None:
    """One row for each service, and one line for each way into it."""
    table = new_table("What the centre runs")
    for heading in ("service", "manager", "hypervisor", "hosts", "vCPU used/all", "memory free/all GB", "running"):
        table.add_column(heading, justify="left" if heading in ("service", "manager", "hypervisor") else "right")
    table.add_column("types", justify="right")
    table.add_column("images", justify="right")
    table.add_column("observed", justify="right")
    for service in services:
        table.add_row(
            service.name or service.id,
            " ".join(part for part in (service.product, service.version) if part) or UNKNOWN,
            ", ".join(service.hypervisors) or UNKNOWN,
            _text(service.hosts),
            f"{_text(service.slots_used)} / {_text(service.slots)}",
            f"{_gigabytes(service.memory_free)} / {_gigabytes(service.memory)}",
            _text(service.running),
            str(service.instance_types),
            str(service.images),
            age(service.observed_at, now),
        )
    console.print(table)
    ways = new_table("How to reach it")
    for heading in ("service", "interface", "sign-in", "health", "URL"):
        ways.add_column(heading, no_wrap=heading != "URL")
    for service in services:
        for endpoint in service.endpoints:
            ways.add_row(
                service.name or service.id,
                endpoint.interface,
                endpoint.sign_in or UNKNOWN,
                endpoint.health,
                endpoint.url,
            )
    console.print(ways)


def print_offers(console: Console, offers: Sequence[Offer]) -> None:
    """One row for each instance type of each community."""
    table = new_table("Who can start how many now")
    table.add_column("community")
    table.add_column("service")
    table.add_column("instance type")
    for heading in ("vCPU", "memory GB", "disk GB"):
        table.add_column(heading, justify="right")
    table.add_column("accelerators")
    table.add_column("startable now", justify="right", style="bold")
    table.add_column("price")
    former = None
    for offer in offers:
        group = (offer.community, offer.service)
        if former not in (None, group):
            table.add_section()
        shown = group if group != former else ("", "")
        former = group
        table.add_row(
            shown[0],
            shown[1],
            offer.name or offer.instance_type,
            _text(offer.vcpus),
            _gigabytes(offer.memory),
            offer.disk or UNKNOWN,
            offer.accelerators or "",
            _startable(offer),
            offer.price or "",
        )
    console.print(table)


def new_console(*, stderr: bool = False) -> Console:
    """Where tables are printed; what cloud users named is text, never markup, and a pipe gets whole lines."""
    options: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False, "stderr": stderr}
    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(**options) if is_terminal else Console(width=200, **options)


def printable(text: str) -> str:
    """The text within its line: whatever could end that, or turn the text of a terminal around, as an escape."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest whole unit."""
    return UNKNOWN if moment is None else f"{length((now - moment).total_seconds())} ago"


def length(seconds: float) -> str:
    """A length of time in its largest whole unit."""
    whole = max(0, int(seconds))
    for unit, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= unit:
            return f"{whole // unit} {word}"
    return f"{whole} s"


def new_table(title: str) -> Table:
    """An empty table as all of ours look; whatever a cell holds, it stays within its cell."""
    return _Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)


class _Table(Table):
    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*(_lines(cell) if isinstance(cell, str) else cell for cell in cells), **options)


def _lines(cell: str) -> str:
    return cell if cell.isprintable() else "\n".join(map(printable, cell.split("\n")))


def _startable(offer: Offer) -> str:
    if offer.startable is None:
        return UNKNOWN
    return f"≤ {offer.startable}" if offer.is_upper_bound else str(offer.startable)


def _text(number: int | None) -> str:
    return UNKNOWN if number is None else str(number)


def _gigabytes(megabytes: int | None) -> str:
    return UNKNOWN if megabytes is None else f"{megabytes / 1024:.4g}"
