"""`infoprovider show`: what the centre publishes, read from the current rendering: what a broker will see."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from infoprovider.cli import site
from infoprovider.config.model import TemplateSet
from infoprovider.glue.entities import Entry
from infoprovider.query.entities import read_entities
from infoprovider.store.document import DocumentStore
from infoprovider.views.offers import offers_of, services_of
from infoprovider.views.tables import print_offers, print_services


def show(
    config: site.ConfigurationPath,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")] = False,
    template_set: Annotated[TemplateSet, typer.Option("--set", help="Which tree is read.")] = TemplateSet.RESOURCE,
) -> None:
    """Show what was published last, as tables: computed from what was rendered, so it is what a broker will see."""
    configuration = site.read_configuration(config)
    body = DocumentStore(configuration.state, configuration.public).rendering(template_set)
    print_centre(read_entities(body), site.now(), as_json=as_json)


def print_centre(entries: Sequence[Entry], now: datetime, *, as_json: bool) -> None:
    """Print the services and offers of a tree, as tables or as JSON."""
    services = services_of(entries)
    offers = offers_of(entries)
    if as_json:
        plain = {
            "services": [dataclasses.asdict(one) for one in services],
            "offers": [dataclasses.asdict(one) for one in offers],
        }
        print(json.dumps(plain, indent=2, default=datetime.isoformat))
        return
    # A pipe has no width of its own: tables are then as wide as they need to be.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    print_services(console, services, now)
    print_offers(console, offers)
