"""`infoprovider show`: what the centre publishes, read from the current rendering: what a broker will see."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from infoprovider.cli import site
from infoprovider.config.model import TemplateSet
from infoprovider.glue.entities import Entry
from infoprovider.query.entities import read_entities
from infoprovider.store.document import DocumentStore
from infoprovider.store.snapshots import SnapshotStore
from infoprovider.views.offers import Offer, ServiceView, offers_of, services_of
from infoprovider.views.status import PartStatus, print_status, status_of
from infoprovider.views.tables import new_console, print_offers, print_services


def show(
    config: site.ConfigurationPath,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only what is known, and how old it is.")] = False,
    template_set: Annotated[TemplateSet, typer.Option("--set", help="Which tree is read.")] = TemplateSet.RESOURCE,
) -> None:
    """Show what was published last, computed from what was rendered, and the state of every facet behind it."""
    configuration = site.read_configuration(config)
    now = site.now()
    entries: Sequence[Entry] = ()
    if not status:
        entries = read_entities(DocumentStore(configuration.state, configuration.public).rendering(template_set))
    store = SnapshotStore(configuration.state, site.clock)
    parts = status_of(configuration, store, now)
    if as_json:
        _print_json({"facets": parts} if status else {**seen(entries), "facets": parts})
        return
    console = new_console()
    if not status:
        print_centre(console, entries, now)
    print_status(console, parts, now)
    for one in store.set_aside():
        console.print(f"{one.path}: {one.why}; look at it, then remove it")


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


def _print_json(groups: Mapping[str, Sequence[ServiceView | Offer | PartStatus]]) -> None:
    plain = {name: [dataclasses.asdict(one) for one in group] for name, group in groups.items()}
    print(json.dumps(plain, indent=2, default=datetime.isoformat))
