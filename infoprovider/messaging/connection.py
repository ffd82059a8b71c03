"""One connection to a broker in STOMP 1.2: sign in, send with receipts, subscribe, receive, acknowledge.

stomp.py says how frames are written; its transport is not used, for it waits for ever where a broker refuses a
certificate under TLS 1.3, and does not see the end of a connection under TLS. Every wait here has an end.
"""

import logging
import os
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, PluginError, PublishError, Refused
from infoprovider.messaging import faults, wire
from infoprovider.messaging.broker import BrokerSettings, host_and_port
from infoprovider.messaging.frames import Frame, Frames, NotStomp

MOST_IN_FLIGHT = 64
"""Messages that are sent and not yet confirmed: two to four times what one at a time brings, and more add nothing."""

MOST_BYTES_IN_FLIGHT = 16 * 2**20

MOST_ANSWERED = 2**16
"""Bytes that a broker may say at once to somebody who has not subscribed."""

_FAREWELL_SECONDS = 2.0
_AT_ONCE = 0.0
_WORTH_WRITING = 2**14
"""Bytes; the broker has something to do while the next messages are made."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to be sent; `headers` go with it as they are."""

    destination: str
    headers: Mapping[str, str]
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message that came; its body is None where it is larger than was allowed, and `size` says how large it is.

    `sender` is who the broker says has sent it; empty where the broker does not say.
    """

    destination: str
    headers: Mapping[str, str]
    body: bytes | None
    size: int
    sender: str
    ack: str


class _Flight:
    """What is sent and not yet confirmed, by the ids of the receipts."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.confirmed = 0
        self.begun = time.monotonic()
        self.waiting: dict[str, Outgoing] = {}
        self._bytes = 0

    @property
    def first(self) -> Outgoing:
        """What was sent before all others."""
        return next(iter(self.waiting.values()))

    def has_room_for(self, message: Outgoing) -> bool:
        """Whether it may be sent before others are confirmed."""
        fits = len(self.waiting) < MOST_IN_FLIGHT and self._bytes + len(message.body) <= MOST_BYTES_IN_FLIGHT
        return fits or not self.waiting

    def begin(self, id_: str, message: Outgoing) -> None:
        """One more is on its way."""
        self.waiting[id_] = message
        self._bytes += len(message.body)

    def end(self, id_: str) -> None:
        """A receipt has come; one for something else is none of ours."""
        if message := self.waiting.pop(id_, None):
            self._bytes -= len(message.body)
            self.confirmed += 1


class Connection:
    """An open connection, signed in. All methods raise PublishError where the broker refuses, or is gone."""

    def __init__(self, wire_: wire.Wire, settings: BrokerSettings, most_bytes: int) -> None:
        self.address = wire_.address
        self._wire = wire_
        self._settings = settings
        self._frames = Frames(most_bytes)
        self._came: deque[Frame] = deque()
        self._inbox: deque[Received] = deque()
        self._silence = float("inf")
        self._protocol = _protocol(wire_)

    # --- signing in and out ----------------------------------------------------------------------------------------

    def sign_in(self, deadline: Deadline, client_id: str = "") -> None:
        """Say who we are, and agree on heartbeats. Raises PublishError."""
        beat = round(self._settings.heartbeat * 1000)
        headers = {"heart-beat": f"{beat},{beat}"} | ({"client-id": client_id} if client_id else {})
        password = self._password()
        begun = time.monotonic()
        self._protocol.connect(self._settings.user, password, headers=headers, with_connect_command=True)
        frame = self._frame(deadline, "signing in")
        if frame is None:
            raise faults.silent(self.address, self._settings, "no answer to our sign-in", time.monotonic() - begun)
        if frame.command != "CONNECTED":
            raise faults.other_protocol(self.address, self._settings, frame.command.encode())
        # What it says first: how often it can speak, and how often it wants to hear.
        speaks, hears = (int(part) for part in frame.headers.get("heart-beat", "0,0").split(","))
        if speaks:
            self._silence = 2 * max(speaks, beat) / 1000
        if hears:
            self._wire.pulse(max(hears, beat) / 1000 / 2)

    def _password(self) -> str | None:
        try:
            password = None if self._settings.password is None else self._settings.password.reveal()
        except ConfigError as error:
            raise Refused(f"no password for {self._settings.user} at {self.address}: {error}") from error
        if password is not None and not password.isprintable():
            raise Refused("the password has a line break or a control character in it; write it in one line")
        return password

    def close(self) -> None:
        """Say farewell, so that everything before it is done, and let go."""
        farewell = Deadline.after(_FAREWELL_SECONDS)
        receipt = _new_id()
        try:
            self._protocol.send_frame("DISCONNECT", {"receipt": receipt})
            self._await_receipts({receipt}, farewell, "signing out")
        except PublishError as error:
            log.debug("%s", error)
        finally:
            self._wire.close()

    def abandon(self) -> None:
        """Let go without a word."""
        self._wire.close()

    # --- sending ---------------------------------------------------------------------------------------------------

    def send(self, messages: Sequence[Outgoing], deadline: Deadline) -> str:
        """Send all in this order, some of them in flight; return the last one's id when each one is confirmed.

        Each message bears its id as `correlation-id`. Raises Unconfirmed where a receipt is missing at the deadline,
        Refused where the broker says no.
        """
        flight = _Flight(len(messages))
        id_ = ""
        for message in messages:
            while not flight.has_room_for(message):
                self._take_receipt(flight, deadline)
            id_ = _new_id()
            headers = {**message.headers, "receipt": id_, "correlation-id": id_, "content-length": len(message.body)}
            self._protocol.send(message.destination, message.body, message.content_type, headers)
            flight.begin(id_, message)
            if self._wire.unsent > _WORTH_WRITING:
                self._look(Deadline.after(_AT_ONCE))
        while flight.waiting:
            self._take_receipt(flight, deadline)
        return id_

    def _take_receipt(self, flight: "_Flight", deadline: Deadline) -> None:
        frame = self._frame(deadline, f"sending to {flight.first.destination}")
        if frame is None:
            raise faults.unconfirmed(self.address, flight.confirmed, flight.total, time.monotonic() - flight.begun)
        if frame.command == "RECEIPT":
            flight.end(frame.headers.get("receipt-id", ""))

    # --- receiving -------------------------------------------------------------------------------------------------

    def subscribe(
        self,
        destination: str,
        deadline: Deadline,
        *,
        durable: str = "",
        selector: str = "",
        prefetch: int = 10,
    ) -> None:
        """Have messages come, each of them until it is acknowledged; at most `prefetch` are on their way at a time.

        With `durable`, the name of the subscription, and a connection with a client id, the broker keeps what comes to
        a topic while we are away.
        """
        receipt = _new_id()
        headers = {"receipt": receipt, "activemq.prefetchSize": str(prefetch)}
        headers |= {"activemq.subscriptionName": durable} if durable else {}
        headers |= {"selector": selector} if selector else {}
        self._protocol.subscribe(destination, id=destination, ack="client-individual", headers=headers)
        self._await_receipts({receipt}, deadline, f"subscribing to {destination}")

    def unsubscribe(self, destination: str, deadline: Deadline, *, durable: str = "") -> None:
        """Have no more of it; with `durable`, also let the broker forget the subscription and what it kept."""
        # ActiveMQ forgets one only when nobody reads from it any more.
        for name in ("", durable) if durable else ("",):
            receipt = _new_id()
            headers = {"receipt": receipt} | ({"activemq.subscriptionName": name} if name else {})
            self._protocol.unsubscribe(id=destination, headers=headers)
            self._await_receipts({receipt}, deadline, f"unsubscribing from {destination}")

    def receive(self, deadline: Deadline) -> Received | None:
        """The next message; None where none has come by then."""
        while not self._inbox:
            if self._frame(deadline, "receiving") is None:
                return None
        return self._inbox.popleft()

    def acknowledge(self, message: Received) -> None:
        """Tell the broker that we need this message no more; should that be lost, it comes again."""
        self._protocol.ack(message.ack)
        self._look(Deadline.after(_AT_ONCE))

    # --- frames ----------------------------------------------------------------------------------------------------

    def _await_receipts(self, waiting: set[str], deadline: Deadline, doing: str) -> None:
        begun = time.monotonic()
        while waiting:
            frame = self._frame(deadline, doing)
            if frame is None:
                raise faults.silent(self.address, self._settings, f"no receipt for {doing}", time.monotonic() - begun)
            if frame.command == "RECEIPT":
                waiting.discard(frame.headers.get("receipt-id", ""))

    def _frame(self, deadline: Deadline, doing: str) -> Frame | None:
        """The next frame, of which messages also go to the inbox; None at the deadline. Raises PublishError."""
        while not self._came:
            self._look(Deadline(min(deadline.at, time.monotonic() + self._silence - self._wire.quiet)))
            if self._wire.quiet >= self._silence:
                raise faults.silent(self.address, self._settings, "not even a heartbeat", self._silence)
            if not self._came and not deadline.remaining():
                return None
        frame = self._came.popleft()
        if frame.command == "ERROR":
            body = (frame.body or b"").decode(errors="replace")
            user = self._settings.user or f"{self._settings.certificate or 'nobody'}"
            raise faults.refused(self.address, user, doing, frame.headers.get("message") or body)
        if frame.command == "MESSAGE":
            self._inbox.append(_received(frame))
        return frame

    def _look(self, until: Deadline) -> None:
        """Write what waits, and take what has come."""
        data = self._wire.step(until)
        try:
            self._came.extend(self._frames.of(data) if data else ())
        except NotStomp as error:
            raise faults.other_protocol(self.address, self._settings, error.args[0]) from None


@contextmanager
def connected(
    settings: BrokerSettings, deadline: Deadline, *, client_id: str = "", most_bytes: int = MOST_ANSWERED
) -> Iterator[Connection]:
    """A connection to the first broker that takes us, closed in the end.

    Each broker gets a share of the time. `most_bytes` bounds the body of what comes. Raises PublishError.
    """
    failures: list[PublishError] = []
    for address, _, soon in turns(settings, deadline):
        try:
            connection = _signed_in(settings, address, soon, client_id, most_bytes)
        except PublishError as error:
            failures.append(error)
            continue
        with _held(connection):
            yield connection
        return
    raise together(failures)


@contextmanager
def connected_to(settings: BrokerSettings, address: str, deadline: Deadline) -> Iterator[Connection]:
    """A connection to this broker, to send by, closed in the end. Raises PublishError."""
    with _held(_signed_in(settings, address, deadline, "", MOST_ANSWERED)) as connection:
        yield connection


def turns(settings: BrokerSettings, deadline: Deadline) -> Iterator[tuple[str, Deadline, Deadline]]:
    """Every broker once, with the end of its turn, and when we must be signed in there.

    Each has an equal share of what is left, so that one that hangs leaves time for the others.
    """
    for number, address in enumerate(settings.brokers):
        share = deadline.remaining() / (len(settings.brokers) - number)
        yield address, Deadline.after(share), Deadline.after(share / 2)


def together(failures: Sequence[PublishError]) -> PublishError:
    """What several brokers said, as one error that may be retried where any of them may."""
    first = next((error for error in failures if error.retryable), failures[0])
    told = dict.fromkeys(map(str, failures))
    return failures[0] if len(told) == 1 else type(first)("none of the brokers could be used: " + " | ".join(told))


@contextmanager
def _held(connection: Connection) -> Iterator[Connection]:
    """Closed with a farewell; without one where something went wrong."""
    try:
        yield connection
    except BaseException:
        connection.abandon()
        raise
    connection.close()


def _signed_in(
    settings: BrokerSettings, address: str, deadline: Deadline, client_id: str, most_bytes: int
) -> Connection:
    line = wire.opened(settings, address, deadline)
    try:
        connection = Connection(line, settings, most_bytes)
        connection.sign_in(deadline, client_id)
    except BaseException:
        line.close()
        raise
    return connection


def _protocol(wire_: wire.Wire) -> Any:
    """The library's STOMP 1.2, which writes to our wire."""
    # Else the library asks for the names of this machine when it is imported, which may take a resolver's patience.
    os.environ.setdefault("STOMP_SKIP_HOSTNAME_SCAN", "1")
    try:
        from stomp.protocol import Protocol12
        from stomp.utils import convert_frame, pack
    except ModuleNotFoundError as error:
        raise PluginError("stomp.py is not installed", remedy="install the extra: infoprovider[stomp]") from error

    transport = SimpleNamespace(
        vhost=None,
        current_host_and_port=host_and_port(wire_.address),
        set_listener=lambda *_: None,
        transmit=lambda frame: wire_.put(pack(convert_frame(frame))),
    )
    return Protocol12(transport, auto_content_length=False)


def _received(frame: Frame) -> Received:
    headers = frame.headers
    return Received(
        destination=headers.get("destination", ""),
        headers=headers,
        body=frame.body,
        size=frame.size,
        sender=headers.get("JMSXUserID", ""),
        ack=headers.get("ack", ""),
    )


def _new_id() -> str:
    return uuid.uuid4().hex
