"""`infoprovider show`: what the centre publishes, read from the current rendering, and how it stands with that."""

import dataclasses
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from infoprovider.cli import site
from infoprovider.cli.probe import probe
from infoprovider.config.model import Configuration, TemplateSet
from infoprovider.errors import ExitCode
from infoprovider.glue.entities import Entry
from infoprovider.query.entities import read_entities
from infoprovider.store.document import DocumentStore
from infoprovider.views.metrics import state_text
from infoprovider.views.offers import Offer, ServiceView, offers_of, services_of
from infoprovider.views.overview import Overview, overview_of
from infoprovider.views.standing import print_left_out, print_standing
from infoprovider.views.status import print_status
from infoprovider.views.tables import new_console, print_offers, print_services

PAUSE = 5.0
"""Seconds between two looks."""


def show(
    config: site.ConfigurationPath,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only what is known, and how old it is.")] = False,
    left_out: Annotated[bool, typer.Option("--left-out", help="Name what the document leaves out, and why.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every few seconds, until interrupted.")] = False,
    nagios: Annotated[bool, typer.Option("--nagios", help="Be a probe: one line, exit code 0 to 3.")] = False,
    warning: Annotated[
        str | None, typer.Option("--warning", "-w", metavar="DURATION", help="Of the probe: how late is a warning.")
    ] = None,
    critical: Annotated[
        str | None, typer.Option("--critical", "-c", metavar="DURATION", help="Of the probe: how late is critical.")
    ] = None,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="Print metrics of what is kept.")] = False,
    template_set: Annotated[TemplateSet, typer.Option("--set", help="Which tree is read.")] = TemplateSet.RESOURCE,
) -> None:
    """Show what was published last, computed from what was rendered, and the state of every facet behind it."""
    if nagios:
        verdict = probe(config, warning, critical)
        print(verdict.line)
        raise typer.Exit(verdict.level)
    configuration = site.read_configuration(config)
    if prometheus:
        sys.stdout.write(state_text(configuration, site.clock).decode())
        return
    tree = None if status or left_out else template_set
    code = _look(configuration, tree, as_json=as_json, names=left_out)
    # An interruption is how watching ends.
    with suppress(KeyboardInterrupt):
        while watch:
            time.sleep(PAUSE)
            new_console().clear()
            code = _look(configuration, tree, as_json=as_json, names=left_out)
    raise typer.Exit(code)


def seen(entries: Sequence[Entry]) -> dict[str, Sequence[ServiceView | Offer]]:
    """What a broker will see in a tree."""
    return {"services": services_of(entries), "offers": offers_of(entries)}


def print_centre(console: Console, entries: Sequence[Entry], now: datetime) -> None:
    """Print what a broker will see in a tree as tables."""
    print_services(console, services_of(entries), now)
    print_offers(console, offers_of(entries))


def print_json_of(entries: Sequence[Entry]) -> None:
    """Print what a broker will see in a tree as JSON."""
    _print_json(seen(entries))


def _look(configuration: Configuration, tree: TemplateSet | None, *, as_json: bool, names: bool) -> ExitCode:
    """Read everything and print it; without a tree, only how things stand."""
    store = DocumentStore(configuration.state, configuration.public)
    entries = None if tree is None else read_entities(store.rendering(tree))
    overview = overview_of(configuration, site.clock)
    if as_json:
        _print_json({**(seen(entries) if entries is not None else {}), **_standing(overview)})
    else:
        _print(entries, overview, names=names)
    for fault in overview.unreadable:
        site.warn(fault)
    return ExitCode.STORE if overview.unreadable else ExitCode.SUCCESS


def _print(entries: Sequence[Entry] | None, overview: Overview, *, names: bool) -> None:
    console = new_console()
    if names:
        print_left_out(console, overview.document)
        return
    if entries is not None:
        print_centre(console, entries, overview.now)
    print_status(console, overview.parts, overview.now)
    print_standing(console, overview)


def _standing(overview: Overview) -> dict[str, Any]:
    document = overview.document
    return {
        "facets": overview.parts,
        "channels": overview.channels,
        "document": {
            "composed_at": document.composed_at,
            "entries": len(document.entries),
            "withheld": document.withheld,
            "quarantined": document.quarantined,
            "pruned": document.pruned,
            "unchanged": document.unchanged,
        },
        "daemon": overview.daemon,
        "set_aside": overview.set_aside,
        "unreadable": overview.unreadable,
    }


def _print_json(groups: Mapping[str, Any]) -> None:
    print(json.dumps(groups, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
