"""Which CreationTime an entity is published with.

A stamp that moves at every composition would make every entry of every BDII above a modification at every cycle. So an
entity that says the same as before keeps its published stamp until its refresh grid has ticked; one that changed takes
its new stamp at once. No stamp is newer than the observation behind it.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from infoprovider.glue.document import Document, Made, content_digest
from infoprovider.mapping.context import DYNAMIC, refresh_period
from infoprovider.publication.chain import LEVELS, PAUSE


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an entity said (its digest) and the CreationTime that it was published with."""

    digest: str
    creation_time: datetime


@dataclass(frozen=True, slots=True)
class Former:
    """The stamps of the document that was composed before, by ID, and when that was; empty before the first."""

    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    composed_at: datetime | None = None


def stamped(document: Document, former: Former, now: datetime) -> tuple[Document, dict[str, Stamp]]:
    """The document with the CreationTimes to publish at this moment, and the stamps to remember, by ID."""
    since = former.composed_at or now
    stamps: dict[str, Stamp] = {}
    made = []
    for one in document.made:
        stamp = _stamp(one, former.stamps.get(one.entity.id), since, now)
        stamps[one.entity.id] = stamp
        made.append(_with(one, stamp.creation_time))
    return document.with_entities(made), stamps


def _stamp(made: Made, former: Stamp | None, since: datetime, now: datetime) -> Stamp:
    digest = content_digest(made.entity)
    observed_at = made.made_of[0].observed_at
    if former is None or former.digest != digest or former.creation_time > observed_at:
        return Stamp(digest, observed_at)
    id_, validity = made.entity.id, made.entity.validity or DYNAMIC
    period = refresh_period(validity)
    if validity <= DYNAMIC:
        ticked = has_ticked(id_, period, former.creation_time, observed_at)
    else:
        # Slow facets are observed rarely and whole: if the moments of their observations decided, a third of their
        # entries would change in one cycle and none in the next ones. So the moments of composing decide.
        ticked = has_ticked(id_, period, since, now) or not _lasts(former.creation_time, id_, period, validity, now)
    return Stamp(digest, observed_at) if ticked else former


def _lasts(stamp: datetime, id_: str, period: int, validity: int, now: datetime) -> bool:
    """Whether a stamp will still be valid at a top BDII when its entity ticks next: after a long failure it is not."""
    until_next_tick = period - (now.timestamp() - _shift(id_, period)) % period
    return (now - stamp).total_seconds() + until_next_tick + LEVELS * PAUSE <= validity


def has_ticked(id_: str, period: int, since: datetime, until: datetime) -> bool:
    """Whether a grid of so many seconds, shifted by the entity's ID so that not all tick together, lies between."""
    shift = _shift(id_, period)
    return (since.timestamp() - shift) // period < (until.timestamp() - shift) // period


def _shift(id_: str, period: int) -> int:
    return zlib.crc32(id_.encode()) % period


def _with(made: Made, creation_time: datetime) -> Made:
    if made.entity.creation_time == creation_time:
        return made
    return Made(replace(made.entity, creation_time=creation_time), made.made_of)
