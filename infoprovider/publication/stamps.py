"""Which CreationTime an entity is published with.

A stamp that moves at every composition would make every entry of every BDII above a modification at every cycle. So an
entity that says the same as before keeps its published stamp until its refresh grid has ticked; one that changed takes
its new stamp at once. No stamp is newer than the observation behind it.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from infoprovider.glue.document import Document, Made, content_digest
from infoprovider.mapping.context import DYNAMIC, refresh_period


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an entity said (its digest) and the CreationTime that it was published with."""

    digest: str
    creation_time: datetime


def stamped(document: Document, published: Mapping[str, Stamp]) -> tuple[Document, dict[str, Stamp]]:
    """The document with the CreationTimes to publish, and the stamps to remember, by ID."""
    stamps: dict[str, Stamp] = {}
    made = []
    for one in document.made:
        stamp = _stamp(one, published.get(one.entity.id))
        stamps[one.entity.id] = stamp
        made.append(_with(one, stamp.creation_time))
    return document.with_entities(made), stamps


def _stamp(made: Made, former: Stamp | None) -> Stamp:
    digest = content_digest(made.entity)
    observed_at = made.made_of[0].observed_at
    if former is not None and former.digest == digest and former.creation_time <= observed_at:
        period = refresh_period(made.entity.validity or DYNAMIC)
        if not has_ticked(made.entity.id, period, former.creation_time, observed_at):
            return former
    return Stamp(digest, observed_at)


def has_ticked(id_: str, period: int, since: datetime, until: datetime) -> bool:
    """Whether a grid of so many seconds, shifted by the entity's ID so that not all tick together, lies between."""
    shift = zlib.crc32(id_.encode()) % period
    return (since.timestamp() - shift) // period < (until.timestamp() - shift) // period


def _with(made: Made, creation_time: datetime) -> Made:
    if made.entity.creation_time == creation_time:
        return made
    return Made(replace(made.entity, creation_time=creation_time), made.made_of)
