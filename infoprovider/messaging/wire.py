"""Bytes to and from one broker, through TLS or without: no wait here is longer than its caller allows.

One thread reads and writes. A second one only says, while the first is busy with something else, that we are still
there; a lock keeps the two from the TLS library at the same time.
"""

import math
import select
import socket
import ssl
import threading
import time
from collections import deque
from contextlib import suppress

from infoprovider.deadline import Deadline
from infoprovider.messaging import faults
from infoprovider.messaging.broker import BrokerSettings, host_and_port

MOST_AT_ONCE = 2**20
_CHUNK = 2**16
_HEARTBEAT = b"\n"


class Wire:
    """A connection that is open. Whatever breaks it is raised as a PublishError that names the broker."""

    def __init__(self, line: socket.socket, settings: BrokerSettings, address: str) -> None:
        line.setblocking(False)
        self.address = address
        self.quiet = 0.0
        """Seconds that we have listened since something came; while we are busy with something else, nobody listens."""
        self._spoke_at = time.monotonic()
        self._line = line
        self._settings = settings
        self._outbox: deque[memoryview] = deque()
        self.unsent = 0
        """Bytes that wait to be written."""
        self._has_more = False
        self._has_answered = False
        self._lock = threading.Lock()
        self._end = threading.Event()

    def put(self, data: bytes) -> None:
        """Take something to be written by the next steps."""
        with self._lock:
            self._outbox.append(memoryview(data))
            self.unsent += len(data)

    def step(self, until: Deadline) -> bytes:
        """Write what can be written and return what has come, if only at `until`; then it may be nothing.

        Raises ChannelUnreachable, and Refused where the other side refuses our certificate.
        """
        begun = time.monotonic()
        if not self._has_more:
            _wait(self._line, select.POLLIN | (select.POLLOUT if self._outbox else 0), until)
        try:
            with self._lock:
                came = self._exchange()
        except OSError as error:
            raise faults.lost(self.address, self._settings, error, has_answered=self._has_answered) from error
        self.quiet = 0.0 if came else self.quiet + time.monotonic() - begun
        self._has_answered = self._has_answered or bool(came)
        return came

    def pulse(self, seconds: float) -> None:
        """Write a heartbeat whenever nothing else was written for so long, until the wire is closed."""
        threading.Thread(target=self._pulse, args=(seconds,), name="heartbeat", daemon=True).start()

    def close(self) -> None:
        """Let go of the connection; no farewell is waited for."""
        self._end.set()
        with self._lock, suppress(OSError):
            self._line.close()

    def _exchange(self) -> bytes:
        """Write and read; whoever ends a connection says why before, and that can be read where writing fails."""
        try:
            self._write()
        except OSError:
            if said := self._read():
                return said
            raise
        return self._read()

    def _write(self) -> None:
        while self._outbox:
            first = self._first()
            try:
                written = self._line.send(first[:_CHUNK])
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return
            self._spoke_at = time.monotonic()
            self.unsent -= written
            if written == len(first):
                self._outbox.popleft()
            else:
                self._outbox[0] = first[written:]

    def _first(self) -> memoryview:
        """What is to be written next; small pieces become one, which costs less than a record of TLS for each."""
        pieces: list[memoryview] = []
        size = 0
        for piece in self._outbox:
            size += len(piece)
            if size > _CHUNK:
                break
            pieces.append(piece)
        if len(pieces) > 1:
            for _ in pieces:
                self._outbox.popleft()
            self._outbox.appendleft(memoryview(b"".join(pieces)))
        return self._outbox[0]

    def _read(self) -> bytes:
        """All that has come, in bounds. What came before the end is returned before the end is raised."""
        came = bytearray()
        self._has_more = False
        while len(came) < MOST_AT_ONCE:
            try:
                chunk = self._line.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return bytes(came)
            except OSError:
                if came:
                    break
                raise
            if not chunk:
                if came:
                    break
                raise ConnectionResetError("it closed the connection")
            came += chunk
        self._has_more = True
        return bytes(came)

    def _pulse(self, seconds: float) -> None:
        while not self._end.wait(seconds / 2):
            # What breaks the connection is seen, and said, by the other thread.
            with self._lock, suppress(OSError):
                if not self._outbox and time.monotonic() - self._spoke_at >= seconds / 2:
                    self._outbox.append(memoryview(_HEARTBEAT))
                    self.unsent += len(_HEARTBEAT)
                    self._write()


def opened(settings: BrokerSettings, address: str, deadline: Deadline) -> Wire:
    """A connection to a broker, secured unless the settings say otherwise. Raises PublishError."""
    host, port = host_and_port(address)
    context = None if settings.plain else _context(settings)
    line = _connected(address, host, port, deadline)
    try:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is None:
            return Wire(line, settings, address)
        return Wire(_secured(line, context, host, deadline), settings, address)
    except OSError as error:
        line.close()
        raise faults.no_tls(address, host, settings, error) from error
    except BaseException:
        line.close()
        raise


def _secured(line: socket.socket, context: ssl.SSLContext, host: str, deadline: Deadline) -> ssl.SSLSocket:
    """The line under TLS; each step of the handshake has what is left of the time, not the time anew."""
    secured = context.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
    secured.setblocking(False)
    try:
        while deadline.remaining():
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                _wait(secured, select.POLLIN, deadline)
            except ssl.SSLWantWriteError:
                _wait(secured, select.POLLOUT, deadline)
            else:
                return secured
        raise TimeoutError("timed out")
    except OSError:
        secured.close()
        raise


def _wait(line: socket.socket, events: int, until: Deadline) -> None:
    """Return when the line is ready for one of these, broken, or it is time."""
    poll = select.poll()
    poll.register(line, events)
    poll.poll(math.ceil(until.remaining() * 1000))


def _context(settings: BrokerSettings) -> ssl.SSLContext:
    """Judges the broker by its name and its authorities, and shows our certificate. Raises Refused."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file, capath=settings.ca_path)
    except OSError as error:  # an SSLError is one too
        raise faults.unusable_authorities(settings, error) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    if settings.certificate is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.key, password=_no_password)
        except (OSError, ValueError) as error:
            raise faults.unusable_certificate(settings, error) from error
    return context


def _no_password() -> str:
    """Without this, the library would ask at the terminal."""
    raise ValueError("the key is encrypted")


def _connected(address: str, host: str, port: int, deadline: Deadline) -> socket.socket:
    """A connection to the first address of this name that takes one; each gets a share of the time."""
    found = _resolved(address, host, port, deadline)
    for number, (family, kind, protocol, _, place) in enumerate(found):
        line = socket.socket(family, kind, protocol)
        line.settimeout(max(deadline.remaining() / (len(found) - number), 0.01))
        try:
            line.connect(place)
        except OSError as error:
            line.close()
            last = error
        else:
            return line
    raise faults.nobody(address, last) from last


def _resolved(
    address: str, host: str, port: int, deadline: Deadline
) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    """The addresses of a name. The system's resolver knows no deadline, so it is asked in a thread of its own."""
    answer: list[list[tuple[int, int, int, str, tuple[str, int]]]] = []
    failure: list[OSError] = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))  # type: ignore[arg-type]
        except OSError as error:
            failure.append(error)

    asking = threading.Thread(target=ask, name="resolver", daemon=True)
    asking.start()
    asking.join(deadline.remaining())
    if answer:
        return answer[0]
    raise faults.unknown_name(address, failure[0] if failure else TimeoutError("no answer in time"))
