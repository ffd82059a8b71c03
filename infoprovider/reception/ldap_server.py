"""One connection to the LDAP server that a tree is kept in: ldap3 opens it, what follows goes out many at a time.

Nothing waits without a limit. Whatever goes wrong closes the connection; the next one is opened anew.
"""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from infoprovider.config.following import LdapSettings
from infoprovider.deadline import Deadline
from infoprovider.errors import ChannelUnreachable, PublishError, Refused
from infoprovider.reception import ldap_messages as ldap
from infoprovider.reception.ldap_messages import Answer, Incoming, NotLdap

T = TypeVar("T")

IN_FLIGHT = 200
"""Requests that wait for an answer; slapd ends the connection of one who has a thousand (conn_max_pending_auth)."""

BYTES_IN_FLIGHT = 2**20
PAGE = 1000
RECEIVED_AT_ONCE = 2**18


@dataclass(frozen=True, slots=True)
class Operation:
    """One request to change an entry."""

    dn: str
    request: bytes


Failures: TypeAlias = dict[str, tuple[int, str]]
"""Distinguished name → the code and the words of what the server did not do."""


class LdapServer:
    """The server, reached when it is needed. One thread at a time may use it."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._connection: Any = None
        self._incoming = Incoming()
        self._number = 0

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection; whether it still holds is seen when it is used."""
        return self._connection is not None

    def connect(self, deadline: Deadline) -> None:
        """Open and sign in. Raises ChannelUnreachable or Refused."""
        connection = _prepared(self._settings)
        # A server that sends a byte now and then would never time out: at the deadline the line is cut.
        watch = threading.Timer(deadline.remaining(), _cut, [connection])
        watch.daemon = True
        watch.start()
        try:
            _open(connection, self._settings)
        except BaseException:
            _end(connection)
            raise
        finally:
            watch.cancel()
        self._connection, self._incoming, self._number = connection, Incoming(), 1000

    def close(self) -> None:
        """End the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _end(connection)

    def entries(
        self, base: str, scope: int, attributes: Sequence[str], deadline: Deadline
    ) -> Iterator[tuple[str, dict[str, list[str]]]]:
        """What the server has there, page by page; nothing where the base is not there.

        Raises ChannelUnreachable, or Refused where the server ends before it has sent all.
        """
        cookie = b""
        while True:
            request = ldap.message(self._next(), ldap.search(base, scope, attributes), ldap.page(PAGE, cookie))
            self._send(request, deadline)
            for answer in self._answers(self._number, deadline):
                if answer.tag == ldap.ENTRY:
                    yield self._read(answer.entry)
                elif answer.tag == ldap.SEARCH_DONE:
                    code, said = self._read(answer.result)
                    if code == ldap.NO_SUCH_OBJECT:
                        return
                    if code != ldap.SUCCESS:
                        self.close()
                        raise Refused(f"{self._settings.url} does not list {base}: it answered {code} {said}".rstrip())
                    cookie = self._read(answer.cookie)
                    break
            if not cookie:
                return

    def run(self, operations: Sequence[Operation], deadline: Deadline) -> Failures:
        """Send all of them, in this order but without waiting for each; what the server did not do, and why.

        The server works on several at once, so none of them may need another. Raises ChannelUnreachable, after which
        nobody knows which of them were done.
        """
        waiting: dict[int, tuple[str, int]] = {}
        failed: Failures = {}
        out: list[bytes] = []
        size = 0
        left = iter(operations)
        following = next(left, None)
        while following is not None or waiting:
            while following is not None and len(waiting) < IN_FLIGHT and size < BYTES_IN_FLIGHT:
                number = self._next()
                request = ldap.message(number, following.request)
                waiting[number] = following.dn, len(request)
                size += len(request)
                out.append(request)
                following = next(left, None)
            self._send(b"".join(out), deadline)
            out.clear()
            for answer in self._received(deadline):
                dn, length = waiting.pop(answer.number, ("", 0))
                size -= length
                code, said = self._read(answer.result)
                if not answer.number:
                    raise self._lost(f"it ended the connection: {code} {said}".rstrip())
                if code != ldap.SUCCESS:
                    failed[dn] = code, said
        return failed

    # --- bytes -----------------------------------------------------------------------------------------------------

    def _next(self) -> int:
        self._number = self._number + 1 if self._number < 2**31 - 1 else 1
        return self._number

    def _answers(self, number: int, deadline: Deadline) -> Iterator[Answer]:
        while True:
            for answer in self._received(deadline):
                if answer.number == number:
                    yield answer

    def _send(self, body: bytes, deadline: Deadline) -> None:
        if not body:
            return
        try:
            line = self._line(deadline)
            line.sendall(body)
        except OSError as error:
            raise self._lost(_words(error)) from error

    def _received(self, deadline: Deadline) -> list[Answer]:
        """The answers that have come whole, at least one read from the line."""
        try:
            more = self._line(deadline).recv(RECEIVED_AT_ONCE)
            if not more:
                raise self._lost("it closed the connection")
            return list(self._incoming.feed(more))
        except OSError as error:
            raise self._lost(_words(error)) from error
        except (NotLdap, ValueError) as error:
            raise self._lost(str(error)) from error

    def _read(self, reading: Callable[[], T]) -> T:
        try:
            return reading()
        except (NotLdap, ValueError) as error:
            raise self._lost("what it sends is no LDAP") from error

    def _line(self, deadline: Deadline) -> Any:
        if self._connection is None:
            raise ChannelUnreachable(f"{self._settings.url}: there is no connection; it is opened anew")
        remaining = deadline.remaining()
        if not remaining:
            raise TimeoutError
        line = self._connection.socket
        line.settimeout(remaining)
        return line

    def _lost(self, why: str) -> PublishError:
        self.close()
        return ChannelUnreachable(f"{self._settings.url}: {why}; see whether the LDAP server runs, and its log")


def _words(error: OSError) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()


def _prepared(settings: LdapSettings) -> Any:
    import ldap3

    tls = None
    if settings.is_encrypted:
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=str(settings.ca_file) if settings.ca_file else None,
            ca_certs_path=str(settings.ca_path) if settings.ca_path else None,
        )
    server = ldap3.Server(
        settings.host,
        port=settings.port,
        use_ssl=settings.scheme == "ldaps",
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=settings.timeout,
    )
    return ldap3.Connection(
        server,
        user=settings.bind_dn,
        password=settings.password.reveal() if settings.password else None,
        auto_referrals=False,
        check_names=False,
    )


def _open(connection: Any, settings: LdapSettings) -> None:
    import ldap3.core.exceptions as faults

    try:
        connection.open(read_server_info=False)
        if settings.start_tls:
            connection.start_tls(read_server_info=False)
        signed_in = connection.bind(read_server_info=False)
    except (faults.LDAPStartTLSError, faults.LDAPSSLConfigurationError, faults.LDAPCertificateError) as error:
        raise Refused(f"{settings.url}: no encrypted connection: {error}; see its certificate and ca_file") from error
    except (faults.LDAPException, OSError) as error:
        said = str(error) or type(error).__name__
        if "certificate" in said.lower() or "ssl" in said.lower():
            raise Refused(
                f"{settings.url}: no encrypted connection: {said}; see its certificate, and ca_file"
            ) from error
        raise ChannelUnreachable(
            f"{settings.url}: {said}; see whether the LDAP server runs and can be reached from here"
        ) from error
    if not signed_in:
        result = connection.result or {}
        raise Refused(
            f"{settings.url} does not let {settings.bind_dn or 'anybody'} sign in: "
            f"{result.get('description')} {result.get('message') or ''}".rstrip()
            + "; see bind_dn and the password, which the server's configuration has as rootdn and rootpw"
        )


def _cut(connection: Any) -> None:
    line = connection.socket
    if line is not None:
        with contextlib.suppress(OSError):
            line.shutdown(2)


def _end(connection: Any) -> None:
    _cut(connection)
    if connection.socket is not None:
        connection.socket.close()
