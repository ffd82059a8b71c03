"""`infoprovider explain`: where a published value came from, from what is kept alone; no VM manager is asked."""

import dataclasses
import functools
import json
from datetime import datetime
from typing import Annotated

import typer

from infoprovider import ldif
from infoprovider.cli import site
from infoprovider.config.model import Configuration
from infoprovider.errors import QueryError
from infoprovider.glue.document import Source
from infoprovider.glue.entities import Entity
from infoprovider.inventory.model import Facet
from infoprovider.publication.cycle import trees_of
from infoprovider.query.entities import read_entities
from infoprovider.store.document import DocumentStore
from infoprovider.store.snapshots import SnapshotStore
from infoprovider.views.explain import explain, print_explained
from infoprovider.views.tables import new_console


def explain_command(
    config: site.ConfigurationPath,
    what: Annotated[str, typer.Argument(metavar="ID|DN", help="An entity's ID or distinguished name.")],
    attribute: Annotated[
        str | None, typer.Argument(metavar="ATTRIBUTE", help="One attribute or OtherInfo key; all of them if none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say where the values of a published entity came from: fact, facet, call, when observed, when withheld."""
    configuration = site.read_configuration(config)
    entity, made_of = _published(configuration, _id(what))
    explained = [
        one
        for one in explain(entity, made_of, functools.partial(_expires_at, configuration))
        if attribute is None or attribute.lower() in (one.attribute.lower(), one.attribute.split()[-1].lower())
    ]
    if not explained:
        raise QueryError(f"{entity.id} says nothing of {attribute}; leave the attribute out to see all that it says")
    if as_json:
        plain = {
            "id": entity.id,
            "class": type(entity).__name__,
            "values": [dataclasses.asdict(one) for one in explained],
        }
        print(json.dumps(plain, indent=2, default=datetime.isoformat))
    else:
        print_explained(new_console(), entity, explained, site.now())


def _id(what: str) -> str:
    """The ID of an entity, also where its distinguished name is given."""
    return ldif.split_dn(what)[0][1] if what.upper().startswith("GLUE2") and "=" in what else what


def _published(configuration: Configuration, id_: str) -> tuple[Entity, tuple[Source, ...]]:
    """An entity as it was rendered last, and what it was made of. Raises QueryError where it is not published."""
    store = DocumentStore(configuration.state, configuration.public)
    remembered = store.read()
    left_out = {one.id: one.why for one in remembered.withheld} | {one.id: one.why for one in remembered.quarantined}
    entry = remembered.entries.get(id_)
    if entry is None and id_ in left_out:
        raise QueryError(f"{id_} is left out: {left_out[id_]}")
    if entry is None:
        raise QueryError(f"{id_} is not in the current document; see what is with `infoprovider show`")
    for tree in trees_of(configuration.channels):
        for entity in read_entities(store.rendering(tree.name)):
            if isinstance(entity, Entity) and entity.id == id_:
                return entity, entry.made_of
    raise QueryError(f"{id_} is composed, but no channel's template set writes it: the set `site` writes all entities")


def _expires_at(configuration: Configuration, source: Source) -> datetime | None:
    """When a source must no longer be published; None where it does not expire by itself."""
    if source.declared or source.facet not in set(Facet):
        return None
    outcome = SnapshotStore(configuration.state, site.clock).outcome(source.instance)
    if outcome is not None and not outcome.measured:
        return None
    return configuration.freshness_of(Facet(source.facet)).expires_at(source.observed_at)
