"""Which CreationTime an entity is published with.

A stamp that moves at every composition would make every entry of every BDII above a modification at every cycle. So an
entity that says the same as before keeps its published stamp until its refresh grid has ticked; one that changed takes
its new stamp at once. No stamp is newer than the observation behind it. What an entity says under `….ObservedAt` is
part of its stamp: prices that are told anew each hour do not change all types at once.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from infoprovider.glue.document import Document, Made, content_digest, moments_of, with_moments
from infoprovider.mapping.context import DYNAMIC, refresh_period
from infoprovider.publication.chain import LEVELS, PAUSE


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an entity said (its digest), the CreationTime that it was published with, and other moments of its facts."""

    digest: str
    creation_time: datetime
    moments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Former:
    """The stamps of the document that was composed before, by ID, and when that was; empty before the first."""

    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    composed_at: datetime | None = None


def stamped(document: Document, former: Former, now: datetime) -> tuple[Document, dict[str, Stamp]]:
    """The document with the moments to publish now, and the stamps to remember, by ID."""
    since = former.composed_at or now
    stamps: dict[str, Stamp] = {}
    made = []
    for one in document.made:
        stamp = _stamp(one, former.stamps.get(one.entity.id), since, now)
        stamps[one.entity.id] = stamp
        made.append(_with(one, stamp))
    return document.with_entities(made), stamps


def _stamp(made: Made, former: Stamp | None, since: datetime, now: datetime) -> Stamp:
    digest = content_digest(made.entity)
    observed_at = made.made_of[0].observed_at
    newer = Stamp(digest, observed_at, moments_of(made.entity))
    if former is None or former.digest != digest or former.creation_time > observed_at:
        return newer
    id_, validity = made.entity.id, made.entity.validity or DYNAMIC
    period = refresh_period(validity)
    if validity <= DYNAMIC:
        ticked = has_ticked(id_, period, former.creation_time, observed_at)
    else:
        # Slow facets are observed rarely and whole: if the moments of their observations decided, a third of their
        # entries would change in one cycle and none in the next ones. So the moments of composing decide.
        ticked = has_ticked(id_, period, since, now) or not _lasts(former.creation_time, id_, period, validity, now)
    return newer if ticked else former


def _lasts(stamp: datetime, id_: str, period: int, validity: int, now: datetime) -> bool:
    """Whether a stamp will still be valid at a top BDII when its entity ticks next: after a long failure it is not."""
    return (now - stamp).total_seconds() + _until_tick(id_, period, now) + LEVELS * PAUSE <= validity


def next_tick(id_: str, validity: int, now: datetime) -> tuple[int, datetime]:
    """The pace of an entity's refresh grid in seconds, and when it ticks next."""
    period = refresh_period(validity)
    return period, now + timedelta(seconds=_until_tick(id_, period, now))


def _until_tick(id_: str, period: int, now: datetime) -> float:
    return period - (now.timestamp() - _shift(id_, period)) % period


def has_ticked(id_: str, period: int, since: datetime, until: datetime) -> bool:
    """Whether a grid of so many seconds, shifted by the entity's ID so that not all tick together, lies between."""
    shift = _shift(id_, period)
    return (since.timestamp() - shift) // period < (until.timestamp() - shift) // period


def _shift(id_: str, period: int) -> int:
    return zlib.crc32(id_.encode()) % period


def _with(made: Made, stamp: Stamp) -> Made:
    entity = made.entity
    if entity.creation_time != stamp.creation_time:
        entity = replace(entity, creation_time=stamp.creation_time)
    if stamp.moments or moments_of(entity):
        entity = with_moments(entity, stamp.moments)
    return made if entity is made.entity else Made(entity, made.made_of)
