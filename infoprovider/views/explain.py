"""Where a published value came from: value ← place ← facet ← call ← when observed ← when it expires."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from infoprovider.glue.document import Source
from infoprovider.glue.entities import Entity
from infoprovider.glue.names import attributes_of
from infoprovider.mapping.places import Place, place_of
from infoprovider.views.tables import age, new_table

DEFINING = "defining"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One thing that a value was read or computed from; `expires_at` is None where it does not expire by itself."""

    facet: str
    instance: str
    part: str
    calls: tuple[str, ...]
    declared: bool
    observed_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One published value of an entity, what it says, and where it came from."""

    attribute: str
    value: str
    fact: str
    unit: str
    origins: tuple[Origin, ...]


def explain(
    entity: Entity, made_of: Sequence[Source], expires_at: Callable[[Source], datetime | None]
) -> Iterator[Explained]:
    """Every value of an entity with its origin; `expires_at` says when a source must no longer be published.

    Raises KeyError for a value that the table of places does not know: nothing is published that is not in it.
    """
    cls = type(entity).__name__
    for attribute in attributes_of(type(entity)):
        value = getattr(entity, attribute.field)
        for one in value if attribute.multiple else (value,):
            if one is None:
                continue
            if attribute.name == "OtherInfo":
                key, _, text = str(one).partition("=")
                place = place_of(cls, key, is_key=True)
                name, shown = f"OtherInfo {key}", text
            else:
                place = place_of(cls, attribute.name)
                name, shown = attribute.name, _text(one)
            yield Explained(
                attribute=name,
                value=shown,
                fact=place.fact,
                unit=place.unit or attribute.unit,
                origins=tuple(_origin(source, expires_at) for source in _sources_of(place, made_of)),
            )


def _sources_of(place: Place, made_of: Sequence[Source]) -> Sequence[Source]:
    """The sources of an entity from which this place is filled."""
    if place.facets == (DEFINING,):
        return made_of[:1]
    return [source for source in made_of if source.facet in place.facets]


def _origin(source: Source, expires_at: Callable[[Source], datetime | None]) -> Origin:
    return Origin(
        facet=source.facet,
        instance=source.instance,
        part=source.part,
        calls=source.calls,
        declared=source.declared,
        observed_at=source.observed_at,
        expires_at=expires_at(source),
    )


def _text(value: object) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


def print_explained(console: Console, entity: Entity, explained: Sequence[Explained], now: datetime) -> None:
    """One row for each value, with what it was made of."""
    table = new_table(f"{type(entity).__name__} {entity.id}")
    for heading in ("attribute", "value", "what it says", "from"):
        table.add_column(heading, overflow="fold")
    for one in explained:
        origins = "\n".join(_from(origin, now) for origin in one.origins)
        table.add_row(one.attribute, f"{one.value} {one.unit}".rstrip(), one.fact, origins)
    console.print(table)


def _from(origin: Origin, now: datetime) -> str:
    if origin.facet == "configuration":
        return f"the configuration, read {age(origin.observed_at, now)}"
    words = [origin.facet if not origin.declared else f"{origin.facet} (declared)"]
    if origin.instance:
        words.append(f"of {origin.instance}")
    if origin.part:
        words.append(f"[{origin.part}]")
    if origin.calls:
        words.append(f"by {', '.join(origin.calls)}")
    expiry = f", withheld after {origin.expires_at:%Y-%m-%d %H:%M:%SZ}" if origin.expires_at else ""
    return f"{' '.join(words)}, observed {age(origin.observed_at, now)}{expiry}"
