"""The profile's rules on domains, services and endpoints: where they are, what they are called, when they are down."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from infoprovider import ldif
from infoprovider.validation.freshness import AHEAD, OLD, moment_of
from infoprovider.validation.profile.row import Check, Row, row, value_of

_DOMAIN = re.compile(r"(?:^|,)GLUE2DomainID=((?:\\.|[^,\\])*)")
_YEAR, _WEEK = timedelta(days=365), timedelta(days=7)
_START, _END = "GLUE2EndpointDowntimeStart", "GLUE2EndpointDowntimeEnd"


def _other_domain(value: str, record: ldif.Record, now: datetime) -> str | None:
    del now
    found = _DOMAIN.search(record.dn)
    if found is None or value_of(record, "GLUE2ServiceType") == "SRM":
        return None
    named = next(text for name, text in ldif.split_dn(found[0].lstrip(",")) if name == "GLUE2DomainID")
    return None if value == named else f"is {value!r}, and the entry stands below {named!r}"


def _of_domain(subject: str) -> Row:
    return row(
        "E026",
        subject,
        "it differs, letter case included, from the GLUE2DomainID in the distinguished name",
        _other_domain,
        why="readers that go from the domain to what is in it, and back, come to another one",
        remedy="write one spelling of the site's name everywhere",
    )


def _outside(code: str, attribute: str, limit: int) -> Row:
    return row(
        code,
        f"Location.{attribute}",
        f"it is not between -{limit} and {limit}",
        lambda value, *_: None if -limit < float(value) < limit else f"is {value}",
        why="there is no such place on Earth",
        remedy="write degrees, south and west as negative numbers",
    )


def _underscore(code: str, subject: str) -> Row:
    return row(
        code,
        subject,
        "it begins with an underscore",
        lambda value, *_: f"is {value!r}" if value.startswith("_") else None,
        why="it was made of a name that was empty when it was made",
        remedy="configure what the ID is made of",
    )


def _when(
    code: str,
    attribute: str,
    broken: str,
    is_broken: Callable[[datetime, datetime, ldif.Record], bool],
    why: str,
    remedy: str,
    *,
    known_issue: bool = True,
) -> Row:
    """A row on a moment; one that is not spelt as the profile wants it is not judged."""

    def check(value: str, record: ldif.Record, now: datetime) -> str | None:
        moment = moment_of(value)
        return f"is {value}" if moment is not None and is_broken(moment, now, record) else None

    return row(code, f"Endpoint.{attribute}", broken, check, why=why, remedy=remedy, known_issue=known_issue)


def _ends_before(start: datetime, now: datetime, record: ldif.Record) -> bool:
    del now
    end = moment_of(value_of(record, _END) or "")
    return end is not None and end < start


def _lacks(name: str) -> Check:
    shown = name.removeprefix("GLUE2Endpoint")

    def check(value: str, record: ldif.Record, now: datetime) -> str | None:
        del now
        return None if name in record.attributes else f"is {value}, without {shown}"

    return check


_FORGOTTEN = "somebody forgot to take the announcement away, or it has a wrong year"
_CORRECT = "correct the announcement, or take it away"
_HALF = "nobody knows when it begins or ends"

ROWS: tuple[Row, ...] = (
    _of_domain("Location.DomainForeignKey"),
    _of_domain("Contact.DomainForeignKey"),
    _of_domain("Service.AdminDomainForeignKey"),
    _outside("E008", "Longitude", 180),
    _outside("E009", "Latitude", 90),
    _underscore("W039", "Service.ID"),
    _underscore("W040", "Endpoint.ID"),
    row(
        "W041",
        "Endpoint.ImplementationVersion",
        'it has the words "is not installed"',
        lambda value, *_: f"is {value[:60]!r}" if "is not installed" in value else None,
        why="it is the message of a package manager, no version",
        remedy="have the publisher ask for the package that is installed",
        known_issue=True,
    ),
    _when(
        "E010",
        "StartTime",
        "it lies more than 120 s in the future",
        lambda moment, now, _: moment > now + AHEAD,
        "what has not been started cannot serve",
        "set the publisher's clock by NTP, and write the time in UTC",
        known_issue=False,
    ),
    _when(
        "W006",
        "StartTime",
        "it is older than 730 days",
        lambda moment, now, _: moment < now - OLD,
        "hardly any service runs so long without an update",
        "publish when it was started last",
        known_issue=False,
    ),
    row(
        "I019",
        "Endpoint.IssuerCA",
        "it is the word unknown",
        lambda value, *_: "is 'unknown'" if value == "unknown" else None,
        why="readers take it for the name of a certification authority",
        remedy="publish the name, or leave the attribute out",
    ),
    row(
        "I020",
        "Endpoint.TrustedCA",
        "its first value is the word unknown",
        lambda value, *_: "is 'unknown'" if value == "unknown" else None,
        why="readers take it for the name of a certification authority",
        remedy="publish the names, or leave the attribute out",
    ),
    _when(
        "E011",
        "DowntimeAnnounce",
        "it lies more than 120 s in the future",
        lambda moment, now, _: moment > now + AHEAD,
        "what is published has been announced",
        _CORRECT,
    ),
    _when(
        "W007",
        "DowntimeAnnounce",
        "it is older than 365 days",
        lambda moment, now, _: moment < now - _YEAR,
        _FORGOTTEN,
        _CORRECT,
    ),
    row(
        "W008",
        "Endpoint.DowntimeAnnounce",
        "it is published without DowntimeStart",
        _lacks(_START),
        why=_HALF,
        remedy=_CORRECT,
        known_issue=True,
    ),
    _when(
        "E012",
        "DowntimeStart",
        "DowntimeEnd is earlier (glue-validator's message says the opposite)",
        _ends_before,
        "it ends before it begins",
        _CORRECT,
    ),
    _when(
        "W009",
        "DowntimeStart",
        "it is more than 365 days ahead, and there is no DowntimeEnd",
        lambda moment, now, record: _END not in record.attributes and moment > now + _YEAR,
        _FORGOTTEN,
        _CORRECT,
    ),
    _when(
        "W010",
        "DowntimeStart",
        "it is more than 365 days past, and there is no DowntimeEnd",
        lambda moment, now, record: _END not in record.attributes and moment < now - _YEAR,
        _FORGOTTEN,
        _CORRECT,
    ),
    row(
        "E013",
        "Endpoint.DowntimeEnd",
        "it is published without DowntimeStart",
        _lacks(_START),
        why=_HALF,
        remedy=_CORRECT,
        known_issue=True,
    ),
    _when(
        "W011",
        "DowntimeEnd",
        "it is more than 365 days ahead",
        lambda moment, now, _: moment > now + _YEAR,
        _FORGOTTEN,
        _CORRECT,
    ),
    _when(
        "W012",
        "DowntimeEnd",
        "it is more than 7 days past",
        lambda moment, now, _: moment < now - _WEEK,
        _FORGOTTEN,
        _CORRECT,
    ),
)
