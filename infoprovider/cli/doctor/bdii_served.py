"""What the BDII of this machine really serves: a sample of our entries, and when its last cycle ended."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from infoprovider.cli.doctor.bdii_machine import BdiiMachine
from infoprovider.cli.doctor.diagnosis import Finding
from infoprovider.errors import QueryError
from infoprovider.ldif import Record, Unreadable, read
from infoprovider.query.ldap import Server, read_server
from infoprovider.views.tables import length

TIMEOUT = 10.0
SAMPLE = 40
"""Entries that are asked for: of a tree that came in only partly, some are missing."""
TOLERATED_MISSING = 0.1
HUNG_AFTER = 1200.0
"""Seconds without a finished cycle, as monitoring of BDIIs counts (modifyTimestamp of UpdateStats)."""
CYCLES_TO_LOAD = 3

_STAMP, _VALIDITY = "GLUE2EntityCreationTime", "GLUE2EntityValidity"
_ID = re.compile(r"(GLUE2(?!Group)\w+ID)=")
_SPECIAL = re.compile(r"[*()\\\x00]")


def served(machine: BdiiMachine, rendering: Path) -> Iterator[Finding]:
    """What is wrong with what it serves; nothing where it serves us well."""
    host, port = machine.address
    server = Server(host=host, port=port, timeout=TIMEOUT)
    try:
        cycle = _last_cycle(server)
        sample = _sample(rendering)
        stamps = _stamps(server, sample)
    except QueryError as error:
        yield Finding(
            kind="bdii-silent",
            cause=f"the BDII's server does not answer at {host}:{port}",
            seen=str(error).partition("; ")[0],
            remedy=f"systemctl restart bdii; then ldapsearch -x -H ldap://{host}:{port} -b o=glue -s base",
        )
        return
    if cycle is not None and (age := (datetime.now(UTC) - cycle).total_seconds()) > HUNG_AFTER:
        yield Finding(
            kind="bdii-hangs",
            cause=f"the BDII's updater hangs: its last cycle ended {length(age)} ago",
            seen=f"modifyTimestamp of its statistics below o=infosys at {host}:{port}",
            remedy="systemctl restart bdii; /var/log/bdii/bdii-update.log says where it stands",
        )
    yield from _compared(machine, sample, stamps)


def _last_cycle(server: Server) -> datetime | None:
    """When the updater last wrote its statistics; None where it has none."""
    asked = replace(
        server, base="o=infosys", search_filter="(objectClass=UpdateStats)", attributes=("modifyTimestamp",)
    )
    for record in _records(asked):
        for value in record.attributes.get("modifyTimestamp", ()):
            return datetime.strptime(value[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return None


def _sample(rendering: Path) -> Sequence[Record]:
    ours = [record for record in read(rendering.read_bytes()) if _ID.match(record.dn)]
    return ours[:: max(1, len(ours) // SAMPLE)][:SAMPLE]


def _stamps(server: Server, sample: Sequence[Record]) -> Mapping[str, str]:
    """The stamps of those entries of the sample that are served, by their names."""
    terms = []
    for record in sample:
        key = record.dn.partition("=")[0]
        terms.append(f"({key}={_escaped(record.attributes[key][0])})")
    asked = replace(server, search_filter=f"(|{''.join(terms)})", attributes=(_STAMP,))
    return {_plain(record.dn): next(iter(record.attributes.get(_STAMP, ())), "") for record in _records(asked)}


def _records(server: Server) -> Iterator[Record]:
    """What is found; nothing where the server has no such base."""
    try:
        for found in read_server(server):
            if not isinstance(found, Unreadable):
                yield found.record
    except QueryError as error:
        if "there is no such entry" not in str(error):
            raise


def _compared(machine: BdiiMachine, sample: Sequence[Record], stamps: Mapping[str, str]) -> Iterator[Finding]:
    missing = [record for record in sample if _plain(record.dn) not in stamps]
    host, port = machine.address
    ask = f"ldapsearch -x -H ldap://{host}:{port} -b o=glue '(objectClass=GLUE2ComputingService)'"
    if len(missing) == len(sample):
        yield Finding(
            kind="bdii-without-ours",
            cause="the BDII runs and serves none of our entries",
            seen=f"0 of {len(sample)} that were asked for",
            remedy=f"wait {machine.breathe} s for its next cycle, then {ask}; else see /var/log/bdii/bdii-update.log",
        )
    elif len(missing) > TOLERATED_MISSING * len(sample):
        yield Finding(
            kind="bdii-partly",
            cause="the BDII serves our entries only in part",
            seen=f"{len(sample) - len(missing)} of {len(sample)} that were asked for; {missing[0].dn} is not there",
            remedy="/var/log/bdii/bdii-update.log says which are refused; infoprovider validate -H says what it serves",
        )
    late = max(
        (_late(record, stamps[_plain(record.dn)]) for record in sample if _plain(record.dn) in stamps), default=0
    )
    if late > CYCLES_TO_LOAD * machine.breathe:
        yield Finding(
            kind="bdii-old",
            cause="the BDII serves old entries of ours",
            seen=f"some are {length(late)} older than they may be beside ours",
            remedy="systemctl restart bdii; /var/log/bdii/bdii-update.log says why it does not modify them",
        )


def _late(ours: Record, stamp: str) -> float:
    """By how many seconds a served entry is older than ours, beyond its Validity."""
    try:
        apart = datetime.fromisoformat(ours.attributes[_STAMP][0]) - datetime.fromisoformat(stamp)
        return apart.total_seconds() - int(ours.attributes[_VALIDITY][0])
    except (KeyError, ValueError):
        return 0.0


def _escaped(value: str) -> str:
    """A value in a filter: RFC 4515."""
    return _SPECIAL.sub(lambda found: f"\\{ord(found[0]):02x}", value)


def _plain(dn: str) -> str:
    return re.sub(r"\s*,\s*", ",", dn).lower()
