"""One row of the profile: an attribute, and what its first value must not be; with the few forms that rows have."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from infoprovider import ldif
from infoprovider.validation.report import Level
from infoprovider.validation.rule import Rule

Check: TypeAlias = Callable[[str, ldif.Record, datetime], str | None]
"""From the first value, its entry and the moment to what is wrong; ValueError where the value is of another type."""

_LEVELS = {"E": Level.ERROR, "W": Level.WARNING, "I": Level.INFO}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Rule):
    """A rule on the first value of one attribute, judged where that is published."""

    attribute: str
    check: Check


def row(
    code: str,
    subject: str,
    broken: str,
    check: Check,
    *,
    why: str,
    remedy: str,
    wrong: str = "",
    known_issue: bool = False,
    note: str = "",
) -> Row:
    """A row by the profile's code and `Class.Attribute`; `wrong` says why it is off, `note` tells rows apart."""
    entity, _, attribute = subject.partition(".")
    return Row(
        id=f"egi.{code}",
        subject=f"{subject} {note}".strip(),
        level=_LEVELS[code[0]],
        broken=broken,
        why=why,
        remedy=remedy,
        off=wrong,
        wrong=bool(wrong),
        known_issue=known_issue,
        attribute=f"GLUE2{entity}{attribute}",
        check=check,
    )


def value_of(record: ldif.Record, name: str) -> str | None:
    """The first value of an attribute."""
    values = record.attributes.get(name)
    return values[0] if values else None


def number_of(record: ldif.Record, name: str) -> int | None:
    """The first value as a number. Raises ValueError where it is none."""
    value = value_of(record, name)
    return None if value is None else int(value)


def at_least(code: str, subject: str, limit: int, *, wrong: str = "", known_issue: bool = False) -> Row:
    """Flagged from a limit on: `INFO: not below`."""
    return row(
        code,
        subject,
        f"it is {limit} or more",
        lambda value, *_: f"is {value}" if int(value) >= limit else None,
        why="a number of this size is mostly a mistaken unit, or a default",
        remedy="look whether it is true and in GLUE's unit",
        wrong=wrong,
        known_issue=known_issue,
    )


def above(code: str, subject: str, limit: int, *, wrong: str = "", known_issue: bool = False, unit: str = "") -> Row:
    """Flagged beyond a limit."""
    return row(
        code,
        subject,
        f"it is above {limit}{unit}",
        lambda value, *_: f"is {value}" if int(value) > limit else None,
        why="a number of this size is mostly a mistaken unit, or a default",
        remedy="look whether it is true and in GLUE's unit",
        wrong=wrong,
        known_issue=known_issue,
    )


def below(code: str, subject: str, limit: int, *, wrong: str = "", known_issue: bool = False, unit: str = "") -> Row:
    """Flagged under a limit."""
    return row(
        code,
        subject,
        f"it is below {limit}{unit}",
        lambda value, *_: f"is {value}" if int(value) < limit else None,
        why="a number as small as this is mostly a mistaken unit, or a default",
        remedy="look whether it is true and in GLUE's unit",
        wrong=wrong,
        known_issue=known_issue,
    )


def equal(code: str, subject: str, default: int) -> Row:
    """Flagged where a number is a default that nobody filled in."""
    return row(
        code,
        subject,
        f"it is {default}",
        lambda value, *_: f"is {value}" if int(value) == default else None,
        why="it is what publishers write where nothing is known, and readers take it for a fact",
        remedy="publish the true number, or leave the attribute out",
    )


def against(
    code: str,
    subject: str,
    relation: str,
    other: str,
    *,
    times: int = 1,
    wrong: str = "",
    known_issue: bool = False,
) -> Row:
    """Flagged where a number stands in a relation (`above`, `below`, `not below`) to another one of its class."""
    entity, _, attribute = subject.partition(".")
    name = f"GLUE2{entity}{other}"
    broken = _RELATIONS[relation]

    def check(value: str, record: ldif.Record, now: datetime) -> str | None:
        del now
        limit = number_of(record, name)
        if limit is None or not broken(int(value), times * limit):
            return None
        return f"is {value}, and {other} is {limit}"

    many = f"{times} times " if times > 1 else ""
    return row(
        code,
        subject,
        f"it is {relation} {many}{other}",
        check,
        why="the two contradict each other, so readers can trust neither",
        remedy=f"look where {attribute} and {other} come from, and whether they mean the same things",
        wrong=wrong,
        known_issue=known_issue,
        note=f"against {other}" if code == "W021" else "",
    )


_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "above": lambda value, limit: value > limit,
    "below": lambda value, limit: value < limit,
    "not below": lambda value, limit: value >= limit,
}


def total_jobs(code: str, entity: str) -> Row:
    """Flagged where a total differs by more than a tenth from the sum of its parts; absent parts count as 0."""
    parts = [f"GLUE2{entity}{part}Jobs" for part in ("Running", "Waiting", "Staging", "Suspended", "PreLRMSWaiting")]

    def check(value: str, record: ldif.Record, now: datetime) -> str | None:
        del now
        total, parted = int(value), sum(number_of(record, part) or 0 for part in parts)
        return f"is {total}, its parts are {parted} together" if abs(total - parted) > 0.1 * total else None

    return row(
        code,
        f"{entity}.TotalJobs",
        "it differs by more than 10 % from running, waiting, staging, suspended and pre-LRMS waiting jobs together",
        check,
        why="jobs are counted twice, or in no state at all",
        remedy="publish the sum of the states",
    )


def sizes(code: str, entity: str, *, without_equal_reserve: bool) -> Row:
    """Flagged where a size differs from the sum of its parts by more than 0.5 % and 1."""

    def check(value: str, record: ldif.Record, now: datetime) -> str | None:
        del now
        total = int(value)
        free, used, reserved = (
            number_of(record, f"GLUE2{entity}{part}Size") or 0 for part in ("Free", "Used", "Reserved")
        )
        parted = free + used + (0 if without_equal_reserve and reserved == total else reserved)
        return f"is {total}, its parts are {parted} together" if abs(total - parted) > 0.005 * total + 1 else None

    return row(
        code,
        f"{entity}.TotalSize",
        "free, used and reserved size together differ from it by more than 0.5 % and 1",
        check,
        why="space is counted twice, or not at all",
        remedy="publish the sum of the parts",
        known_issue=True,
    )
