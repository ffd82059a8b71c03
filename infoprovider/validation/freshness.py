"""How old an entry is and how long it holds: stamps in the future, past their Validity, or absurd.

The profile's rules on CreationTime and Validity (E001, E002, W001, W002) are here, with those that it lacks.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from infoprovider import ldif
from infoprovider.validation.report import Finding, Level
from infoprovider.validation.rule import Rule

CREATION_TIME, VALIDITY = "GLUE2EntityCreationTime", "GLUE2EntityValidity"
AHEAD = timedelta(seconds=120)
"""How far a stamp may lie in the future: clocks differ."""
_SECONDS = re.compile("[0-9]{1,20}")
OLD = timedelta(days=730)
LONGEST_VALIDITY = 366 * 86400

FUTURE = Rule(
    id="egi.E001",
    subject="Entity.CreationTime",
    broken="it lies more than 120 s in the future",
    why="nobody can tell how old the entry is: a clock is wrong, or the time is not UTC",
    remedy="set the publisher's clock by NTP, and write the time in UTC",
)
ANCIENT = Rule(
    id="egi.W001",
    subject="Entity.CreationTime",
    level=Level.WARNING,
    broken="it is older than 730 days (glue-validator's message speaks of one year)",
    why="what is so old has hardly been looked at since",
    remedy="have the publisher state when it observed what it publishes",
)
WITHOUT_CREATION_TIME = Rule(
    id="egi.W002",
    subject="Entity.Validity",
    level=Level.WARNING,
    broken="it is published without CreationTime",
    why="nobody knows from when on it counts",
    remedy="publish CreationTime too",
)
EXPIRED = Rule(
    id="egi.E002",
    subject="Entity.Validity",
    broken="CreationTime and Validity together lie in the past (a Validity of 60 counts as 600)",
    why="the entry itself says that it no longer holds, and readers drop it",
    remedy="see whether the publisher still runs and every BDII on the way still updates; lengthen Validity if both do",
)
ABSURD = Rule(
    id="freshness.absurd-validity",
    level=Level.WARNING,
    broken="Validity is 0, or longer than 366 days",
    why="an entry that never holds, or always, says nothing about its age",
    remedy="write the seconds until it must have been observed again",
)
UNSTAMPED = Rule(
    id="freshness.unstamped",
    level=Level.WARNING,
    broken="CreationTime or Validity is missing",
    why="readers cannot tell it from what a dead publisher left behind",
    remedy="publish both",
)
RULES = (FUTURE, ANCIENT, WITHOUT_CREATION_TIME, EXPIRED, ABSURD, UNSTAMPED)


class Freshness:
    """Looks at the stamps of entries, as they are at one moment; equal stamps are looked at once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: dict[tuple[str | None, str | None], tuple[tuple[Rule, str, str], ...]] = {}

    def of_entry(self, record: ldif.Record) -> Iterator[Finding]:
        """What is wrong with its stamps."""
        if "GLUE2Entity" not in record.attributes.get("objectClass", ()):
            return
        stamps = _first(record, CREATION_TIME), _first(record, VALIDITY)
        breaches = self._known.get(stamps)
        if breaches is None:
            breaches = tuple(_of_stamps(*stamps, self._now))
            if len(self._known) < 4096:
                self._known[stamps] = breaches
        for rule, what, attribute in breaches:
            yield rule.found(record.dn, what, attribute)


def _first(record: ldif.Record, name: str) -> str | None:
    return next(iter(record.attributes.get(name, ())), None)


def _of_stamps(created: str | None, validity: str | None, now: datetime) -> Iterator[tuple[Rule, str, str]]:
    if created is None and validity is not None:
        yield WITHOUT_CREATION_TIME, "stands without CreationTime", VALIDITY
    if created is None or validity is None:
        yield UNSTAMPED, "is missing", CREATION_TIME if created is None else VALIDITY
    moment = None if created is None else moment_of(created)
    seconds = int(validity) if validity is not None and _SECONDS.fullmatch(validity) else None
    if moment is not None and moment > now + AHEAD:
        yield FUTURE, f"is {created}, {_spell(moment - now)} ahead", CREATION_TIME
    if moment is not None and moment < now - OLD:
        yield ANCIENT, f"is {created}, {_spell(now - moment)} ago", CREATION_TIME
    if seconds is not None and not 0 < seconds <= LONGEST_VALIDITY:
        yield ABSURD, f"is {validity} s", VALIDITY
    if moment is not None and seconds is not None:
        # ARC publishes 60 where it means more; glue-validator lets that pass.
        age = (now - moment).total_seconds()
        holds = 600 if seconds == 60 else seconds
        if age > holds:
            yield EXPIRED, f"ended {_spell(timedelta(seconds=age - holds))} ago: {created} and {seconds} s", VALIDITY


def moment_of(text: str) -> datetime | None:
    """A moment spelt as the profile wants it, in UTC with a Z; None for any other, which `glue.type` judges."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _spell(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 7200:
        return f"{seconds} s"
    return f"{seconds // 3600} h" if seconds < 172800 else f"{seconds // 86400} days"
