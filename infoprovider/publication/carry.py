"""Carries the entries of a VM manager that has not answered yet over from what was handed out before.

After the state folder was lost, or on the first start beside a BDII that is already filled, nothing is known of a
manager that happens to be down. Its entries must not vanish for that: they stay as they are, with their old stamps,
until they would have been withheld anyway.
"""

from collections.abc import Iterator
from datetime import datetime

from infoprovider import ldif
from infoprovider.errors import QueryError

_SERVICE = "GLUE2ServiceID"


def carried_over(former: bytes, services: frozenset[str], oldest: datetime) -> bytes:
    """The entries of these services in a former rendering, as LDIF; nothing of a service stamped before `oldest`.

    A former text that cannot be read carries nothing.
    """
    try:
        records = list(ldif.read(former))
    except QueryError:
        return b""
    living = frozenset(_living(records, services, oldest))
    return b"".join(_block(record) for record in records if _service_of(record.dn) in living)


def services_in(body: bytes, services: frozenset[str]) -> frozenset[str]:
    """Which of these services have an entry in a rendering."""
    return frozenset(id_ for id_ in services if f"\n{_SERVICE}: {id_}\n".encode() in body)


def _living(records: list[ldif.Record], services: frozenset[str], oldest: datetime) -> Iterator[str]:
    for record in records:
        id_ = record.attributes.get(_SERVICE, [""])[0]
        if id_ in services:
            stamps = record.attributes.get("GLUE2EntityCreationTime", [])
            if stamps and datetime.fromisoformat(stamps[0]) >= oldest:
                yield id_


def _service_of(dn: str) -> str:
    """The service that an entry is, or stands below."""
    return next((value for name, value in ldif.split_dn(dn) if name == _SERVICE), "")


def _block(record: ldif.Record) -> bytes:
    lines = [ldif.line("dn", record.dn)]
    lines += [ldif.line(name, value) for name, values in record.attributes.items() for value in values]
    return "\n".join((*lines, "", "")).encode()
