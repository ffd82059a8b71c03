"""The entries of a live LDAP server or BDII, read anonymously, page by page where the server offers that.

Nothing is trusted: the whole reading has one deadline, referrals are not followed, and there is a limit to what is
taken. ldap3 is imported when a server is asked, for nothing else needs it.
"""

import contextlib
import math
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infoprovider.deadline import Deadline
from infoprovider.errors import QueryError
from infoprovider.glue.entities import Entity
from infoprovider.glue.names import ENTITY_CLASSES, identifier_of
from infoprovider.ldif import Located, Record, Unreadable

PORT = 2170
"""Where BDIIs listen."""
BASE = "o=glue"
MAX_ENTRIES = 2_000_000
MAX_BYTES = 4 * 2**30
"""Of values, over a whole reading."""
_PAGE = 1000
_PAGED_RESULTS = "1.2.840.113556.1.4.319"
_SUCCESS, _NO_SUCH_OBJECT = 0, 32
_IDENTIFIERS = sorted(
    {name for cls in ENTITY_CLASSES.values() if issubclass(cls, Entity) and (name := identifier_of(cls).ldap)}
)
_LIMITS = {3: "its time limit", 4: "its size limit", 11: "an administrative limit"}
"""Result codes of RFC 4511 with which a server ends before it has sent everything."""


@dataclass(frozen=True, slots=True)
class Server:
    """What is asked, and for how many seconds in all; `attributes` as LDAP names them, `+` for those of operation."""

    host: str
    port: int = PORT
    base: str = BASE
    timeout: float = 60.0
    search_filter: str = "(objectClass=*)"
    attributes: tuple[str, ...] = ("*",)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ldap://{host}:{self.port}/{self.base}"


def names_entity(id_: str) -> str:
    """The filter of RFC 4515 that finds the entities of an ID, of whatever class."""
    value = re.sub(r"[\\*()\x00]", lambda special: f"\\{ord(special[0]):02x}", id_)
    return f"(|{''.join(f'({name}={value})' for name in _IDENTIFIERS)})"


def read_server(server: Server) -> Iterator[Located | Unreadable]:
    """Every entry below the base, as the server has it; an entry whose values are no text is told instead.

    Raises QueryError where the server cannot be reached, refuses, answers too slowly, or ends before it has sent all.
    """
    import ldap3.core.exceptions as faults

    deadline = Deadline.after(server.timeout)
    connection = _connection(server)
    # A server that sends a byte now and then would never time out: at the deadline the line is cut.
    watch = threading.Timer(deadline.remaining(), _cut, [connection])
    watch.daemon = True
    watch.start()
    try:
        connection.open()
        yield from _pages(server, connection, deadline)
    except faults.LDAPException as error:
        raise _failed(server, error, deadline) from error
    finally:
        watch.cancel()
        _cut(connection)
        if connection.socket is not None:
            connection.socket.close()


def _connection(server: Server) -> Any:
    import ldap3

    address = ldap3.Server(server.host, port=server.port, get_info=ldap3.NONE, connect_timeout=server.timeout)
    return ldap3.Connection(
        address,
        auto_referrals=False,
        read_only=True,
        receive_timeout=math.ceil(server.timeout),
        return_empty_attributes=False,
        check_names=False,
    )


def _cut(connection: Any) -> None:
    line: socket.socket | None = connection.socket
    if line is not None:
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)


def _pages(server: Server, connection: Any, deadline: Deadline) -> Iterator[Located | Unreadable]:
    entries = taken = 0
    cookie: bytes | None = None
    while True:
        connection.search(
            server.base,
            server.search_filter,
            attributes=list(server.attributes),
            paged_size=_PAGE,
            paged_criticality=False,
            paged_cookie=cookie,
        )
        result: Mapping[str, Any] = connection.result or {}
        for response in connection.response or ():
            if response.get("type") == "searchResEntry":
                entries += 1
                taken += sum(len(value) for values in response["raw_attributes"].values() for value in values)
                yield _entry(response["dn"], response["raw_attributes"])
        code = result.get("result")
        if code in _LIMITS:
            raise _refused(server, f"it stopped at {_LIMITS[code]} after {entries} entries", "ask below a smaller base")
        if code == _NO_SUCH_OBJECT:
            raise _refused(server, "there is no such entry", "correct the base")
        if code != _SUCCESS:
            said = result.get("message") or result.get("description")
            raise _refused(server, f"it answered {code}, {said}", "see whether it lets anybody read")
        if entries > MAX_ENTRIES or taken > MAX_BYTES:
            raise _refused(server, f"it has more than {MAX_ENTRIES} entries or {MAX_BYTES} bytes", "ask a smaller base")
        cookie = result.get("controls", {}).get(_PAGED_RESULTS, {}).get("value", {}).get("cookie")
        if not cookie:
            return
        if not deadline.remaining():
            raise _too_slow(server)


def _entry(dn: str, raw: Mapping[str, Sequence[bytes]]) -> Located | Unreadable:
    try:
        return Located(0, Record(dn, {name: [value.decode() for value in values] for name, values in raw.items()}))
    except UnicodeDecodeError:
        return Unreadable(0, f"{dn} has a value that is not UTF-8")


def _failed(server: Server, error: Exception, deadline: Deadline) -> QueryError:
    if not deadline.remaining():
        return _too_slow(server)
    return _refused(server, str(error) or type(error).__name__, "see whether it runs and can be reached from here")


def _too_slow(server: Server) -> QueryError:
    return _refused(server, f"no whole answer within {server.timeout:g} s", "allow more time with -t")


def _refused(server: Server, why: str, remedy: str) -> QueryError:
    return QueryError(f"cannot read {server}: {why}; {remedy}")
