"""`infoprovider explain`: where a published value came from, from what is kept alone; no VM manager is asked.

With -H a live server is asked what it serves of the same entity.
"""

import dataclasses
import difflib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Annotated, Any

import typer

from infoprovider import ldif
from infoprovider.cli import site
from infoprovider.config.model import Configuration
from infoprovider.errors import QueryError
from infoprovider.glue.document import Source
from infoprovider.glue.entities import Entity
from infoprovider.inventory.model import Facet
from infoprovider.publication.cycle import trees_of
from infoprovider.publication.stamps import next_tick
from infoprovider.query.entities import to_entity
from infoprovider.query.ldap import BASE, PORT, Server, names_entity, read_server
from infoprovider.query.said import account_of
from infoprovider.store.document import DocumentStore, Remembered
from infoprovider.store.snapshots import SnapshotStore
from infoprovider.views.diff import NOT_HANDED_ON
from infoprovider.views.explain import (
    Explained,
    Explanation,
    Kind,
    Meaning,
    Served,
    Stamps,
    Standing,
    State,
    beside,
    explain,
    meanings_of,
    print_explained,
    print_meanings,
    served,
)
from infoprovider.views.tables import new_console

_NEAREST = 3


def explain_command(
    config: site.ConfigurationPath,
    what: Annotated[
        str, typer.Argument(metavar="ID|DN|ATTRIBUTE", help="An entity's ID or distinguished name, or an attribute.")
    ],
    attribute: Annotated[
        str | None, typer.Argument(metavar="ATTRIBUTE", help="One attribute or OtherInfo key; all of them if none.")
    ] = None,
    host: Annotated[str | None, typer.Option("-H", "--hostname", help="A live LDAP server or BDII to ask too.")] = None,
    port: Annotated[int, typer.Option("-p", "--port", min=1, max=65535, help="Its port.")] = PORT,
    base: Annotated[str, typer.Option("-b", "--bind", "--base", help="Where the search begins.")] = BASE,
    timeout: Annotated[float, typer.Option("-t", "--timeout", min=0.1, help="Seconds for the whole answer.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say where the values of a published entity came from: fact, facet, call, when observed, when withheld."""
    configuration = site.read_configuration(config)
    id_ = _id(what)
    server = None if host is None else Server(host, port, base, timeout, names_entity(id_))
    kept = _Kept.of(configuration, id_)
    meanings = meanings_of(what) if attribute is None and not kept.is_known else ()
    if meanings:
        _say_meanings(meanings, as_json=as_json)
        return
    found = _explanation(configuration, kept, server)
    if attribute is not None:
        values = tuple(one for one in found.values if _is_called(one, attribute))
        if not values:
            raise QueryError(f"{found.id} says nothing of {attribute}; leave the attribute out to see all that it says")
        found = dataclasses.replace(found, values=values)
    if as_json:
        print(json.dumps(_plain(found), indent=2, default=datetime.isoformat))
    else:
        print_explained(new_console(), found, site.now())


def _id(what: str) -> str:
    """The ID of an entity, also where its distinguished name is given."""
    return ldif.split_dn(what)[0][1] if what.upper().startswith("GLUE2") and "=" in what else what


def _is_called(one: Explained, name: str) -> bool:
    """Whether a value is of this attribute: by GLUE's name, LDAP's, or the key of OtherInfo."""
    return name.lower() in (one.attribute.lower(), one.ldap.lower(), one.attribute.partition(" ")[2].lower())


# --- what is kept -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kept:
    """What is kept of an entity: how it was rendered, and in which tree, and why it is left out somewhere."""

    id: str
    remembered: Remembered
    entity: Entity | None
    tree: str
    path: str
    left_out: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, configuration: Configuration, id_: str) -> "_Kept":
        """Look for an entity in every tree. Raises StoreError, QueryError."""
        store = DocumentStore(configuration.state, configuration.public)
        remembered = store.read()
        left_out = [(one.entity, one.why) for one in remembered.withheld if one.id == id_]
        left_out += [
            (one.entity, f"{one.why} (tree {one.tree})" if one.tree else one.why)
            for one in remembered.quarantined
            if one.id == id_
        ]
        for tree in trees_of(configuration.channels):
            for record in ldif.read(store.rendering(tree.name)):
                if ldif.split_dn(record.dn)[0][1].lower() == id_.lower():
                    entity = to_entity(record.dn, record.attributes)
                    if isinstance(entity, Entity):
                        path = str(store.rendering_path(tree.name))
                        return cls(entity.id, remembered, entity, tree.name, path, tuple(left_out))
        return cls(id_, remembered, None, "", "", tuple(left_out))

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it."""
        return self.entity is not None or bool(self.left_out) or self.id in self.remembered.entries

    @property
    def entity_class(self) -> str:
        """The name of its class; empty where nothing is known of it."""
        if self.entity is not None:
            return type(self.entity).__name__
        entry = self.remembered.entries.get(self.id)
        return entry.entity if entry else next((cls for cls, _ in self.left_out), "")

    @property
    def state(self) -> State:
        """What has become of it."""
        if self.entity is not None:
            return State.PUBLISHED if self.id in self.remembered.entries else State.CARRIED_OVER
        if self.left_out:
            return State.LEFT_OUT
        return State.COMPOSED_ONLY if self.id in self.remembered.entries else State.NOT_OURS

    @property
    def why(self) -> str:
        """What led to its state."""
        match self.state:
            case State.CARRIED_OVER:
                why = "nothing is known of its manager since the state was lost or it could not be mapped"
                return "; ".join(reason for _, reason in self.left_out) or why
            case State.LEFT_OUT:
                return "; ".join(reason for _, reason in self.left_out)
            case State.COMPOSED_ONLY:
                return "no channel's template set writes it: the set `site` writes all entities"
            case _:
                return ""

    def notes(self) -> Iterator[str]:
        """What was done with it besides."""
        for one in self.remembered.pruned:
            if one.id == self.id:
                yield f"its {one.attribute} {one.target} was taken out: that is not in the document"
        if self.state is State.PUBLISHED:
            yield from (f"left out: {reason}" for _, reason in self.left_out)
        if self.tree in self.remembered.unchanged:
            yield f"the tree {self.tree} stays as it was: {self.remembered.unchanged[self.tree]}"


def _explanation(configuration: Configuration, kept: _Kept, server: Server | None) -> Explanation:
    """All that is known of an entity. Raises QueryError where it is neither published nor served."""
    now = site.now()
    there = None if server is None else _served(server, kept.id, now)
    if kept.entity is None and there is None:
        raise QueryError(_nothing(kept))
    entry = kept.remembered.entries.get(kept.id)
    values: Iterable[Explained] = ()
    if kept.entity is not None:
        is_described = cache(partial(_is_described, configuration))
        values = explain(kept.entity, entry.made_of if entry else (), partial(_standing, configuration, is_described))
    notes = list(kept.notes())
    cls = kept.entity_class or (there.said.cls if there else "")
    if server is not None and there is None and cls in NOT_HANDED_ON:
        notes.append(f"what pulls for the BDII of a site or the top leaves every {cls} out")
    return Explanation(
        id=kept.id,
        cls=cls,
        state=kept.state,
        why=kept.why,
        tree=kept.path,
        stamps=_stamps(kept.entity, now) if kept.entity is not None else None,
        notes=tuple(notes),
        server=None if server is None else str(server),
        served=there,
        values=tuple(values if there is None else beside(values, there)),
    )


def _nothing(kept: _Kept) -> str:
    if kept.state is State.LEFT_OUT:
        return f"{kept.id} is left out: {kept.why}"
    if kept.state is State.COMPOSED_ONLY:
        return f"{kept.id} is composed, but {kept.why}"
    nearest = _nearest(kept)
    remedy = f"did you mean {' or '.join(nearest)}?" if nearest else "see what is with `infoprovider show`"
    return f"{kept.id} is not in the current document; {remedy}"


def _nearest(kept: _Kept) -> list[str]:
    """The IDs most like one that is unknown: those that contain it, else those that differ in a few letters."""
    remembered = kept.remembered
    known = {*remembered.entries, *(one.id for one in remembered.withheld), *(one.id for one in remembered.quarantined)}
    wanted = kept.id.lower()
    within = sorted(id_ for id_ in known if wanted in id_.lower())
    if within:
        return within[:_NEAREST]
    # Most of an ID is alike in all of its class: only what is very near is meant.
    return difflib.get_close_matches(kept.id, sorted(known), _NEAREST, 0.9)


def _standing(configuration: Configuration, is_described: Callable[[str], bool], source: Source) -> Standing:
    """How a source is known, and when it must no longer be published."""
    if source.facet == "configuration":
        return Standing(Kind.CONFIGURED)
    if source.declared:
        return Standing(Kind.DECLARED)
    if is_described(source.instance):
        return Standing(Kind.DESCRIBED)
    if source.facet not in set(Facet):
        return Standing(Kind.MEASURED)
    return Standing(Kind.MEASURED, configuration.freshness_of(Facet(source.facet)).expires_at(source.observed_at))


def _is_described(configuration: Configuration, instance: str) -> bool:
    """Whether what is known of an instance was read from a description, which holds until it is changed."""
    outcome = SnapshotStore(configuration.state, site.clock).outcome(instance)
    return outcome is not None and not outcome.measured


def _stamps(entity: Entity, now: datetime) -> Stamps | None:
    if entity.creation_time is None:
        return None
    period, ticks = next_tick(entity.id, entity.validity or 0, now)
    holds_until = None if entity.validity is None else entity.creation_time + timedelta(seconds=entity.validity)
    return Stamps(
        creation_time=entity.creation_time,
        validity=entity.validity,
        holds_until=holds_until,
        period=period,
        next_tick=ticks.replace(microsecond=0),
    )


# --- what is served ---------------------------------------------------------------------------------------------------


def _served(server: Server, id_: str, now: datetime) -> Served | None:
    """What a server has of an entity. Raises QueryError where it cannot be asked."""
    account = account_of(str(server), read_server(server))
    found = (one for one in account.said.values() if one.id.lower() == id_.lower())
    return next((served(str(server), one, now) for one in found), None)


# --- for programs -----------------------------------------------------------------------------------------------------


def _plain(found: Explanation) -> dict[str, Any]:
    plain = dataclasses.asdict(dataclasses.replace(found, served=None))
    if found.served is not None:
        plain["served"] = {
            "dn": found.served.dn,
            "creation_time": found.served.creation_time,
            "holds_until": found.served.holds_until,
            "stale": found.served.stale,
        }
    return {"id": plain.pop("id"), "class": plain.pop("cls"), **plain}


def _say_meanings(meanings: tuple[Meaning, ...], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"places": [dataclasses.asdict(one) for one in meanings]}, indent=2))
    else:
        print_meanings(new_console(), meanings)
