"""A connection to brokers of a few lines on real sockets: what is said, what is waited for, and for how long."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from infoprovider.deadline import Deadline
from infoprovider.errors import ChannelUnreachable, PluginError, PublishError, Refused, Unconfirmed
from infoprovider.messaging import wire
from infoprovider.messaging.broker import BrokerSettings
from infoprovider.messaging.connection import MOST_IN_FLIGHT, Connection, Outgoing, connected
from infoprovider.secret import Secret
from tests.fakes.stomp_broker import Sent, confirm, confirm_only_sign_in, error, stomp_broker
from tests.messaging.page import is_on_the_page

LONG = 60.0
"""Seconds that no test should need."""

MESSAGE = Outgoing(destination="/topic/x", headers={"centre": "A"}, content_type="text/ldif", body=b"dn: o=x\n\0\n")


def settings(*addresses: str, **given: Any) -> BrokerSettings:
    """Without TLS, unless something else is given."""
    return BrokerSettings(brokers=addresses, **{"plain": True, **given})


def refusal(error_: type[PublishError], use: Callable[[], object]) -> str:
    """What is said; the whole must end long before a test would be given up."""
    begun = time.monotonic()
    with pytest.raises(error_) as raised:
        use()
    assert time.monotonic() - begun < LONG / 2
    assert is_on_the_page(str(raised.value))
    return str(raised.value)


def attempt(*addresses: str, seconds: float = LONG, messages: int = 1, **given: Any) -> None:
    """Connect to the first broker that takes us, and send."""
    deadline = Deadline.after(seconds)
    with connected(settings(*addresses, **given), deadline) as connection:
        connection.send([MESSAGE] * messages, deadline)


@contextmanager
def mute_port() -> Iterator[str]:
    """Takes connections, and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


# --- what goes over the line ---------------------------------------------------------------------------------------


def test_a_message_arrives_as_it_was_given_with_an_id_of_its_own() -> None:
    """Body, content type and headers are untouched, also with characters that STOMP escapes."""
    odd = Outgoing(destination="/topic/x", headers={"centre": "a:b\\c\nd\rü"}, content_type="x/y", body=b"\0\n\0")
    with stomp_broker() as broker:
        with connected(settings(broker.address), Deadline.after(LONG)) as connection:
            last = connection.send([MESSAGE, odd], Deadline.after(LONG))
        first, second = broker.messages
    assert (first.body, second.body) == (MESSAGE.body, odd.body)
    assert (first.headers["content-type"], second.headers["centre"]) == ("text/ldif", odd.headers["centre"])
    assert second.headers["receipt"] == second.headers["correlation-id"] == last != first.headers["receipt"]


def test_who_we_are_is_said_at_the_start_and_farewell_at_the_end() -> None:
    """User, password and client id go with the first frame, and the last one asks for a receipt."""
    us = settings("127.0.0.1:1", user="me", password=Secret(value="pass:word"))
    with stomp_broker() as broker:
        us = us.model_copy(update={"brokers": (broker.address,)})
        with connected(us, Deadline.after(LONG), client_id="reader") as connection:
            connection.subscribe("/topic/x", Deadline.after(LONG), durable="all", selector="kind = 'delta'", prefetch=3)
        connect, subscribe, disconnect = broker.frames
    assert connect.command == "CONNECT"
    said = ("accept-version", "host", "login", "passcode", "client-id", "heart-beat")
    assert [connect.headers[name] for name in said] == ["1.2", "127.0.0.1", "me", "pass:word", "reader", "10000,10000"]
    assert subscribe.headers["activemq.subscriptionName"] == "all"
    assert subscribe.headers["activemq.prefetchSize"] == "3"
    assert subscribe.headers["selector"] == "kind = 'delta'"
    assert subscribe.headers["ack"] == "client-individual"
    assert disconnect.command == "DISCONNECT"
    assert "receipt" in disconnect.headers


def test_no_more_is_in_flight_than_is_allowed() -> None:
    """Without a receipt, not one message more is sent."""
    with stomp_broker(confirm_only_sign_in) as broker:
        refusal(Unconfirmed, lambda: attempt(broker.address, seconds=2, messages=3 * MOST_IN_FLIGHT))
        assert len(broker.messages) == MOST_IN_FLIGHT


def test_a_receipt_for_something_else_confirms_nothing() -> None:
    """Receipts are matched by the id that we gave."""

    def other(frame: Sent) -> bytes:
        return b"RECEIPT\nreceipt-id:other\n\n\0" if frame.command == "SEND" else confirm(frame)

    with stomp_broker(other) as broker:
        message = refusal(Unconfirmed, lambda: attempt(broker.address, seconds=2, messages=2))
    assert "confirmed 0 of 2 messages within" in message


def test_messages_come_with_their_sender_and_are_acknowledged_one_by_one() -> None:
    """What the broker names as sender and id is handed on, a body that is too large is not."""
    small = b"MESSAGE\ndestination:/topic/x\nack:7\nJMSXUserID:someone\ncontent-length:3\n\na\0b\0"
    large = b"MESSAGE\ndestination:/topic/x\nack:8\ncontent-length:2000\n\n" + b"x" * 2000 + b"\0"

    def answer(frame: Sent) -> bytes:
        return confirm(frame) + (small + large if frame.command == "SUBSCRIBE" else b"")

    deadline = Deadline.after(LONG)
    with stomp_broker(answer) as broker:
        with connected(settings(broker.address), deadline, most_bytes=1000) as connection:
            connection.subscribe("/topic/x", deadline)
            first, second = connection.receive(deadline), connection.receive(deadline)
            assert connection.receive(Deadline.after(0.05)) is None
            assert first is not None
            assert second is not None
            connection.acknowledge(first)
        acknowledged = [frame.headers["id"] for frame in broker.frames if frame.command == "ACK"]
    assert (first.body, first.sender, first.size) == (b"a\0b", "someone", 3)
    assert (second.body, second.sender, second.size) == (None, "", 2000)
    assert acknowledged == ["7"]


def test_what_is_there_is_received_by_whoever_does_not_wait() -> None:
    """A look without any time finds what has come; being busy for long is not taken for the broker's silence."""
    message = b"MESSAGE\ndestination:/topic/x\nack:7\n\nbody\0"

    def answer(frame: Sent) -> bytes:
        if frame.command == "CONNECT":
            return b"CONNECTED\nversion:1.2\nheart-beat:1000,0\n\n\0"
        return confirm(frame) + (message if frame.command == "SUBSCRIBE" else b"")

    deadline = Deadline.after(LONG)
    with stomp_broker(answer) as broker, connected(settings(broker.address, heartbeat=1.0), deadline) as connection:
        connection.subscribe("/topic/x", deadline)
        time.sleep(2.5)
        found = connection.receive(Deadline.after(0))
    assert found is not None
    assert found.body == b"body"


def test_heartbeats_go_on_while_we_are_busy_with_something_else() -> None:
    """A broker that wants to hear from us hears, though nobody calls anything meanwhile."""
    heard = threading.Event()

    def listen(server: socket.socket) -> None:
        line, _ = server.accept()
        with line:
            line.recv(2**16)
            line.sendall(b"CONNECTED\nversion:1.2\nheart-beat:0,200\n\n\0")
            if line.recv(2**16) == b"\n":
                heard.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=listen, args=(server,), daemon=True).start()
        given = settings(f"127.0.0.1:{server.getsockname()[1]}", heartbeat=1.0)
        with connected(given, Deadline.after(LONG)):
            assert heard.wait(LONG)


# --- what is said when it goes wrong -------------------------------------------------------------------------------


def test_a_broker_that_falls_silent_is_given_up() -> None:
    """One that promised heartbeats and sends none is gone, however often and however briefly one listens."""

    def listen(connection: Connection) -> None:
        ends = Deadline.after(LONG)
        while ends.remaining():
            connection.receive(Deadline.after(0.1))

    with stomp_broker(lambda _: b"CONNECTED\nversion:1.2\nheart-beat:1000,0\n\n\0") as broker:
        given = settings(broker.address, heartbeat=1.0)
        with connected(given, Deadline.after(LONG)) as connection:
            message = refusal(ChannelUnreachable, lambda: listen(connection))
    assert "is silent: not even a heartbeat within 2 s; see whether" in message


@pytest.mark.parametrize(
    ("greeting", "spoken"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "SSH"),
        (b"220 mail.example.org ESMTP\r\n", "SMTP or FTP"),
        (b"AMQP\x00\x01\x00\x00", "AMQP"),
        (b"\x00\x00\x01\x06\x01ActiveMQ", "OpenWire"),
        (b"hello\n", "something else"),
    ],
)
def test_a_port_that_speaks_something_else_is_told_by_name(greeting: bytes, spoken: str) -> None:
    """What came first is shown, and what it probably is."""
    with stomp_broker(greeting=greeting) as broker:
        message = refusal(ChannelUnreachable, lambda: attempt(broker.address))
    assert f"speaks {spoken}, not STOMP: it began with {repr(greeting[:40])[:-1]}" in message
    assert "name the broker's port for STOMP in brokers" in message


def test_a_port_without_tls_is_told_from_one_with() -> None:
    """Where TLS is expected and something else answers, the settings to change are named."""
    with stomp_broker(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n") as broker:
        message = refusal(ChannelUnreachable, lambda: attempt(broker.address, plain=False))
    assert "does not speak TLS" in message
    assert "plain: true" in message


@pytest.mark.parametrize(("plain", "what"), [(True, "no answer to our sign-in"), (False, "says nothing in TLS")])
def test_a_port_that_says_nothing_is_not_waited_for(plain: bool, what: str) -> None:
    """It takes the connection and is mute, with TLS or without."""
    with mute_port() as address:
        assert what in refusal(ChannelUnreachable, lambda: attempt(address, seconds=2, plain=plain))


def test_nobody_there_is_told() -> None:
    """Nothing listens at the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    message = refusal(ChannelUnreachable, lambda: attempt(address))
    assert f"nobody is there at {address}: connection refused; start the broker, or correct the port" in message


def test_a_name_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver's words, and what to correct."""

    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    message = refusal(ChannelUnreachable, lambda: attempt("mq.example.org:61612"))
    assert "cannot find the broker mq.example.org:61612: name or service not known; correct the name" in message


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own patience does not count."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(3))
    assert "no answer in time" in refusal(ChannelUnreachable, lambda: attempt("mq.example.org:61612", seconds=1))


def test_a_broker_that_never_confirms_is_told() -> None:
    """It signs us in and hangs."""
    with stomp_broker(confirm_only_sign_in) as broker:
        message = refusal(Unconfirmed, lambda: attempt(broker.address, seconds=2, messages=3))
    assert f"the broker {broker.address} confirmed 0 of 3 messages within" in message
    assert "give the channel a longer deadline" in message


def test_a_connection_that_ends_is_told() -> None:
    """In the middle of sending, and before anything was said."""
    with stomp_broker(lambda frame: None if frame.command == "SEND" else confirm(frame)) as broker:
        assert "the connection to the broker" in refusal(ChannelUnreachable, lambda: attempt(broker.address))
    with stomp_broker(lambda _: None) as broker:
        message = refusal(ChannelUnreachable, lambda: attempt(broker.address))
    assert "ended the connection before it answered" in message
    assert "not a broker for STOMP" in message


@pytest.mark.parametrize(
    ("at", "said", "expected"),
    [
        ("CONNECT", "User name [me] or password is invalid.", "does not know us as nobody"),
        ("SEND", "User me is not authorized to write to: topic://x", "does not allow us sending to /topic/x"),
        ("SEND", "The maximum frame size was exceeded", "refuses a message as too large"),
        ("SEND", "Persistent store is Full, 100% of 1", "is full (sending to /topic/x)"),
        ("CONNECT", "Broker: b - Client: c already connected from tcp", "has another connection in our name"),
        ("SEND", "An odd thing", "refuses (sending to /topic/x): An odd thing"),
    ],
)
def test_what_a_broker_refuses_is_put_into_words(at: str, said: str, expected: str) -> None:
    """What it said is there, and what to do."""
    with stomp_broker(error(said.replace(":", "\\c"), at=at)) as broker:
        message = refusal(Refused, lambda: attempt(broker.address))
    assert expected in message
    assert f"{said}; " in message


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever installed without the extra learns its name."""
    import sys

    monkeypatch.setitem(sys.modules, "stomp.protocol", None)
    with stomp_broker() as broker, pytest.raises(PluginError, match=r"install the extra: infoprovider\[stomp\]"):
        attempt(broker.address)


# --- several brokers -----------------------------------------------------------------------------------------------


def test_a_broker_that_hangs_leaves_time_for_the_next() -> None:
    """The first takes the connection and is mute; the second one gets the message, and the first is asked once."""
    with mute_port() as mute, stomp_broker() as broker:
        attempt(mute, broker.address, seconds=8)
        assert len(broker.messages) == 1


def test_when_none_takes_us_all_are_told_and_each_was_asked_once() -> None:
    """The message has every broker's own words."""
    with stomp_broker(error("An odd thing", at="CONNECT")) as odd, stomp_broker(lambda _: None) as closing:
        message = refusal(ChannelUnreachable, lambda: attempt(odd.address, closing.address, odd.address))
        assert (odd.connections, closing.connections) == (2, 1)
    assert "none of the brokers could be used" in message
    assert "An odd thing" in message
    assert "ended the connection" in message


def test_nothing_stays_open() -> None:
    """However it ends, no socket and no thread is left."""

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (the folder changes while it is read)

    before, threads = open_files(), threading.active_count()
    for answer in (confirm, confirm_only_sign_in, error("no", at="SEND"), error("no", at="CONNECT"), lambda _: None):
        with stomp_broker(answer) as broker, suppress(PublishError):
            attempt(broker.address, seconds=0.3)
    waited = Deadline.after(LONG)
    while (open_files() > before or threading.active_count() > threads) and waited.remaining():
        time.sleep(0.05)
    assert open_files() <= before
    assert threading.active_count() <= threads


def test_a_long_body_is_written_while_receipts_are_read() -> None:
    """A broker that does not read on before its answers are taken does not stall us."""
    body = os.urandom(8 * 2**20)
    with stomp_broker() as broker:
        with connected(settings(broker.address), Deadline.after(LONG)) as connection:
            message = Outgoing(destination="/queue/x", headers={}, content_type="x/y", body=body)
            connection.send([message] * 4, Deadline.after(LONG))
        assert [frame.body == body for frame in broker.messages] == [True] * 4


def test_a_password_that_is_not_there_is_told(tmp_path: Path) -> None:
    """It is the channel's fault, and no reason for the daemon to stop."""
    password = Secret(file=tmp_path / "nowhere")
    with stomp_broker() as broker:
        message = refusal(Refused, lambda: attempt(broker.address, user="me", password=password))
        assert broker.frames == []
    assert f"no password for me at {broker.address}: the file {tmp_path / 'nowhere'}: cannot be read" in message


def test_a_password_in_several_lines_is_refused_before_it_is_said() -> None:
    """A line break in it would begin another header."""
    with stomp_broker() as broker:
        given = settings(broker.address, user="me", password=Secret(value="a\nclient-id:b"))
        line = wire.opened(given, broker.address, Deadline.after(LONG))
        with pytest.raises(Refused, match="the password has a line break"):
            Connection(line, given, 100).sign_in(Deadline.after(LONG))
        line.close()
        assert broker.frames == []
