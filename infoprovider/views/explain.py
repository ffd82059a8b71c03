"""Where a published value came from: value ← place ← facet ← call ← when observed ← when it expires.

Beside it what a live server serves, where somebody asks one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rich.console import Console

from infoprovider.glue.document import Source
from infoprovider.glue.entities import Entity
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of
from infoprovider.mapping.places import CONFIGURATION, PLACES, Place, place_of
from infoprovider.query.said import Said
from infoprovider.query.values import UNREADABLE, to_datetime
from infoprovider.views.tables import age, length, new_table, printable

DEFINING = "defining"
OF_A_TEMPLATE = "no fact of ours: a template of the site wrote it"
ONLY_SERVED = "no value of ours: it is served there only"


class Kind(StrEnum):
    """How something is known: the manager told it, a file describes it, the operator declares or configures it."""

    MEASURED = "measured"
    DESCRIBED = "described"
    DECLARED = "declared"
    CONFIGURED = "configured"


class State(StrEnum):
    """What has become of an entity; one that is composed only is written by no tree that a channel hands out."""

    PUBLISHED = "published"
    CARRIED_OVER = "carried over"
    COMPOSED_ONLY = "composed only"
    LEFT_OUT = "left out"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source is known, and when it must no longer be published; None where it does not expire by itself."""

    kind: Kind
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One thing that a value was read or computed from, and the keys of the configuration that say so, if any."""

    facet: str
    instance: str
    part: str
    kind: Kind
    settings: tuple[str, ...]
    calls: tuple[str, ...]
    observed_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One published value of an entity, what it says, and where it came from.

    `rule` is its row in the table of places, `facets` what that row is made of, `ldap` the attribute that carries it.
    `served` are all values that a server has of it; None where none was asked, `value` is None where only it has one.
    """

    attribute: str
    ldap: str
    value: str | None
    unit: str
    fact: str
    rule: str
    facets: tuple[str, ...]
    origins: tuple[Origin, ...]
    served: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """How old an entity says it is: `period` and `next_tick` are of the grid on which an unchanged one is renewed."""

    creation_time: datetime
    validity: int | None
    holds_until: datetime | None
    period: int
    next_tick: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An entity as a server has it; `stale` says that its Validity is over, None where it does not say how long."""

    server: str
    dn: str
    creation_time: datetime | None
    holds_until: datetime | None
    stale: bool | None
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that is known of an entity. `why` is what led to its state, `notes` are on what was done with it."""

    id: str
    cls: str
    state: State
    why: str
    tree: str
    stamps: Stamps | None
    notes: tuple[str, ...]
    server: str | None
    served: Served | None
    values: tuple[Explained, ...]


# --- values -----------------------------------------------------------------------------------------------------------


def explain(entity: Entity, made_of: Sequence[Source], standing: Callable[[Source], Standing]) -> Iterator[Explained]:
    """Every value of an entity with its origin; without sources, as of one that is carried over, with none."""
    cls = type(entity).__name__
    for attribute in attributes_of(type(entity)):
        value = getattr(entity, attribute.field)
        for one in value if attribute.multiple else (value,):
            if one is None:
                continue
            key, equals, text = str(one).partition("=")
            is_key = attribute.name == "OtherInfo" and bool(equals)
            place = _place(cls, key if is_key else attribute.name, is_key=is_key)
            yield Explained(
                attribute=f"OtherInfo {key}" if is_key else attribute.name,
                ldap=attribute.ldap or "",
                value=text if is_key else _text(one),
                unit=(place.unit if place else "") or attribute.unit,
                fact=place.fact if place else OF_A_TEMPLATE,
                rule=rule_of(place) if place else "",
                facets=place.facets if place else (),
                origins=tuple(_origin(source, place, standing(source)) for source in _sources_of(place, made_of)),
            )


def _place(cls: str, name: str, *, is_key: bool) -> Place | None:
    try:
        return place_of(cls, name, is_key=is_key)
    except KeyError:
        return None


def rule_of(place: Place) -> str:
    """How a row of the table of places is called."""
    if not place.is_key:
        return f"{place.entity}.{place.place}"
    return f"{place.entity} OtherInfo: {place.place}{'<id>' if place.place.endswith('.') else ''}="


def _sources_of(place: Place | None, made_of: Sequence[Source]) -> Sequence[Source]:
    """The sources of an entity from which this place is filled."""
    if place is None:
        return ()
    if place.facets == (DEFINING,):
        return made_of[:1]
    return [source for source in made_of if source.facet in place.facets]


def _origin(source: Source, place: Place | None, standing: Standing) -> Origin:
    settings: tuple[str, ...] = ()
    if standing.kind is Kind.CONFIGURED and place is not None:
        settings = place.settings
    elif standing.kind is Kind.DECLARED:
        settings = (f"instances[{source.instance}].declared.{source.facet}",)
    return Origin(
        facet=source.facet,
        instance=source.instance,
        part=source.part,
        kind=standing.kind,
        settings=settings,
        calls=source.calls,
        observed_at=source.observed_at,
        expires_at=standing.expires_at,
    )


def _text(value: object) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


# --- what a server has ------------------------------------------------------------------------------------------------


def served(server: str, said: Said, now: datetime) -> Served:
    """What a server says of an entity, and whether that still holds."""
    stamp = _moment(said.moments.get("CreationTime", ()))
    validity = "".join(said.values.get("Validity", ()))
    holds_until = None
    if stamp is not None and validity.isdecimal():
        try:
            holds_until = stamp + timedelta(seconds=int(validity))
        except OverflowError:
            holds_until = datetime.max.replace(tzinfo=stamp.tzinfo)
    return Served(
        server=server,
        dn=said.dn,
        creation_time=stamp,
        holds_until=holds_until,
        stale=None if holds_until is None else holds_until < now,
        said=said,
    )


def beside(values: Iterable[Explained], one: Served) -> Iterator[Explained]:
    """The values, each with what is served of it; then what is served and we do not say."""
    everything = {**one.said.values, **one.said.moments}
    known = set()
    for value in values:
        known.add(value.attribute)
        yield replace(value, served=everything.get(value.attribute, ()))
    for name, texts in everything.items():
        if name not in known:
            empty = Explained(
                attribute=name, ldap="", value=None, unit="", fact=ONLY_SERVED, rule="", facets=(), origins=()
            )
            yield replace(empty, served=texts)


def _moment(texts: Iterable[str]) -> datetime | None:
    try:
        return to_datetime("".join(texts))
    except UNREADABLE:
        return None


# --- attributes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an attribute or key says wherever it is published: a row of the table of places, and LDAP's name of it."""

    rule: str
    ldap: str
    fact: str
    unit: str
    facets: tuple[str, ...]
    settings: tuple[str, ...]


def meanings_of(name: str) -> tuple[Meaning, ...]:
    """The rows of the table of places that an attribute, or a key of OtherInfo, has; in any letter case."""
    wanted = name.lower().removeprefix("otherinfo").lstrip(": ").partition("=")[0]
    found = []
    for place in PLACES:
        attribute = _attribute_of(place)
        names = {place.place.lower(), place.place.lower().rstrip("."), (attribute.ldap or "").lower()}
        is_of_family = place.is_key and place.place.endswith(".") and wanted.startswith(place.place.lower())
        # All keys are carried by one attribute, of which nobody wants to know.
        names -= {"glue2entityotherinfo"} if place.is_key else set()
        if wanted in names or is_of_family:
            unit = place.unit or ("" if place.is_key else attribute.unit)
            found.append(
                Meaning(
                    rule=rule_of(place),
                    ldap=attribute.ldap or "",
                    fact=place.fact,
                    unit=unit,
                    facets=place.facets,
                    settings=place.settings,
                )
            )
    return tuple(found)


def _attribute_of(place: Place) -> Attribute:
    name = "OtherInfo" if place.is_key else place.place
    return next(one for one in attributes_of(ENTITY_CLASSES[place.entity]) if one.name == name)


# --- for people -------------------------------------------------------------------------------------------------------


def print_meanings(console: Console, meanings: Sequence[Meaning]) -> None:
    """One row for each class that has the attribute."""
    table = new_table("What it says")
    for heading in ("place", "LDAP", "what it says", "unit", "made of", "settings"):
        table.add_column(heading, overflow="fold")
    for one in meanings:
        table.add_row(one.rule, one.ldap, one.fact, one.unit, ", ".join(one.facets), "\n".join(one.settings))
    console.print(table)


def print_explained(console: Console, found: Explanation, now: datetime) -> None:
    """What has become of the entity, then one row for each value, with what it was made of."""
    console.print(printable(f"{found.cls} {found.id}: {found.state}{f', {found.why}' if found.why else ''}"))
    if found.tree:
        console.print(printable(f"written in {found.tree}"))
    if found.stamps:
        console.print(_on_stamps(found.stamps, now))
    if found.server is not None:
        console.print(printable(_on_served(found.server, found.served, found.stamps, now)))
    for note in found.notes:
        console.print(printable(note))
    table = new_table("Values")
    headings = ("attribute", "value", *(("served there",) if found.served else ()), "what it says", "from")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    ours = {(one.attribute, one.value) for one in found.values}
    for one in found.values:
        value = "" if one.value is None else f"{one.value} {one.unit}".rstrip()
        there = (_there(one, ours),) if found.served else ()
        table.add_row(one.attribute, value, *there, one.fact, "\n".join(_origins(one, now)))
    console.print(table)


def _on_stamps(stamps: Stamps, now: datetime) -> str:
    until = f", holds until {stamps.holds_until:%Y-%m-%d %H:%M:%SZ}" if stamps.holds_until else ""
    return (
        f"CreationTime is {age(stamps.creation_time, now)}{until}; it moves when the entity says something else, "
        f"otherwise on its grid of {stamps.period} s, which ticks next at {stamps.next_tick:%H:%M:%SZ}"
    )


def _on_served(server: str, one: Served | None, stamps: Stamps | None, now: datetime) -> str:
    if one is None:
        return f"{server} does not serve it"
    if one.creation_time is None:
        return f"{server} serves {one.dn}, without a CreationTime"
    holds = {None: "for how long it holds is not said", True: "it holds no longer", False: "it still holds"}[one.stale]
    behind = ""
    if stamps is not None and one.creation_time != stamps.creation_time:
        seconds = (stamps.creation_time - one.creation_time).total_seconds()
        behind = f", {length(abs(seconds))} {'older' if seconds > 0 else 'newer'} than ours"
    return f"{server} serves {one.dn}: CreationTime is {age(one.creation_time, now)}{behind}; {holds}"


def _there(one: Explained, ours: set[tuple[str, str | None]]) -> str:
    """What a server has instead of this value: nothing to read where it has the same."""
    texts = one.served or ()
    if one.value in texts:
        return "the same"
    others = [text for text in texts if (one.attribute, text) not in ours]
    return "\n".join(map(printable, others)) if others else "nothing"


def _origins(one: Explained, now: datetime) -> Iterator[str]:
    for origin in one.origins:
        yield _from(origin, now)
    if not one.origins and one.facets:
        yield f"{', '.join(one.facets)}; when it was handed out before"


def _from(origin: Origin, now: datetime) -> str:
    settings = f" {', '.join(origin.settings)}" if origin.settings else ""
    if origin.facet == CONFIGURATION:
        return f"the configuration{settings}, read {age(origin.observed_at, now)}"
    kind = "" if origin.kind is Kind.MEASURED else f" ({origin.kind}{settings})"
    words = [f"{origin.facet}{kind}"]
    if origin.instance:
        words.append(f"of {origin.instance}")
    if origin.part:
        words.append(f"[{origin.part}]")
    if origin.calls:
        words.append(f"by {', '.join(origin.calls)}")
    expiry = f", withheld after {origin.expires_at:%Y-%m-%d %H:%M:%SZ}" if origin.expires_at else ""
    return f"{' '.join(words)}, observed {age(origin.observed_at, now)}{expiry}"
