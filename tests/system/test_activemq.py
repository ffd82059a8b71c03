"""The publisher `stomp` and a real ActiveMQ with the configuration that is shipped."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infoprovider.deadline import Deadline
from infoprovider.errors import ChannelUnreachable, PublishError, Refused, Unconfirmed
from infoprovider.messaging.broker import BrokerSettings
from infoprovider.messaging.connection import Connection, Received, connected
from infoprovider.publishers.contract import Message, Receipt
from infoprovider.publishers.stomp import SPEC, StompSettings
from tests.fakes.fault_proxy import fault_proxy
from tests.messaging.page import is_on_the_page
from tests.system.activemq import Broker, running, settings_of

pytestmark = pytest.mark.activemq

LONG = 60.0
TOPIC = "/topic/glue2.documents.{}"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One that all tests share; each uses a centre of its own."""
    with running(tmp_path_factory.mktemp("broker")) as running_broker:
        yield running_broker


def message(centre: str, serial: int = 0, *, size: int = 0, lifetime: float = 600.0, **headers: str) -> Message:
    """A document of a centre."""
    body = b"%d\n\0" % serial + b"x" * size
    said = {"centre": centre, "kind": "snapshot", "revision": str(serial), **headers}
    return Message(kind="snapshot", headers=said, content_type="application/json", body=body, lifetime=lifetime)


def send(given: dict[str, Any], *messages: Message, seconds: float = LONG) -> Receipt:
    """Through the channel, as the daemon does."""
    deadline = Deadline.after(seconds)
    with SPEC.open(settings_of(StompSettings, given), deadline) as messenger:
        return messenger.send(messages, deadline)


def probe(given: dict[str, Any], seconds: float = LONG) -> None:
    """What `infoprovider check` does."""
    deadline = Deadline.after(seconds)
    with SPEC.open(settings_of(StompSettings, given), deadline) as messenger:
        messenger.probe(deadline)


class Reader:
    """A receiver with a durable subscription to the topics of one centre; it takes everything that is there."""

    def __init__(self, broker: Broker, centre: str, *, destination: str = "", **options: Any) -> None:
        self._settings = settings_of(BrokerSettings, broker.with_certificate("receiver"))
        self._centre = centre
        self._destination = destination or TOPIC.format(centre)
        self._durable = self._destination.startswith("/topic/")
        self._options = options

    def subscribe(self, connection: Connection) -> None:
        """Begin to read, or go on after having been away."""
        durable = {"durable": "all"} if self._durable else {}
        connection.subscribe(self._destination, Deadline.after(LONG), **durable, **self._options)

    def come_and_go(self) -> None:
        """Subscribe, and be away."""
        self.read(0)

    def read(self, number: int, *, then_wait: float = 0.0) -> list[Received]:
        """So many messages, acknowledged, and whatever else comes within some seconds."""
        deadline = Deadline.after(LONG)
        with connected(self._settings, deadline, client_id=self._centre, most_bytes=2**24) as connection:
            self.subscribe(connection)
            found: list[Received] = []
            while len(found) < number and (one := connection.receive(deadline)) is not None:
                found.append(one)
                connection.acknowledge(one)
            after = Deadline.after(then_wait)
            while (one := connection.receive(after)) is not None:
                found.append(one)
                connection.acknowledge(one)
        assert len(found) >= number, f"only {len(found)} of {number} came"
        return found


def serials(found: list[Received]) -> list[int]:
    """The revisions that came."""
    return [int(one.headers["revision"]) for one in found]


# --- it works ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["certificate", "password"])
def test_what_is_sent_arrives_and_the_broker_says_who_sent_it(broker: Broker, way: str) -> None:
    """With a certificate over TLS and with a password, the sender's name is the broker's word, not the message's."""
    centre = f"ARRIVES-{way}"
    given = broker.with_certificate() if way == "certificate" else broker.with_password()
    reader = Reader(broker, centre)
    reader.come_and_go()
    send(given, message(centre, 7, JMSXUserID="somebody-else", odd="a:b\\c\nü"))
    [found] = reader.read(1, then_wait=0.2)
    assert (found.body, found.sender) == (b"7\n\0", "publisher")
    assert (found.headers["content-type"], found.headers["odd"]) == ("application/json", "a:b\\c\nü")
    assert found.headers["persistent"] == "true"


def test_a_password_is_taken_over_tls_where_the_broker_wants_no_certificates(tmp_path: Path) -> None:
    """The other way in that the configuration names in a comment."""
    with running(tmp_path, "--passwords") as broker:
        tls = {"brokers": [broker.tls], "plain": False, "ca_file": str(broker.pki / "authority.pem")}
        send(broker.with_password(**tls), message("PASSWORDS"))
        with pytest.raises(Refused, match="does not know us as publisher"):
            probe(broker.with_password("publisher", "nonsense", **tls))


def test_a_selector_chooses_by_headers(broker: Broker) -> None:
    """Readers take what they need: by kind, by one of several interfaces, by number."""
    reader = Reader(broker, "SELECTOR", selector="interface_names LIKE '%,a.b,%' AND revision > 1")
    reader.come_and_go()
    messages = [message("SELECTOR", serial, interface_names=names) for serial, names in ((1, ",a.b,"), (2, ",a.bc,"))]
    send(broker.with_certificate(), *messages, message("SELECTOR", 3, interface_names=",x,a.b,"))
    assert serials(reader.read(1, then_wait=0.3)) == [3]


def test_a_queue_behind_the_topic_is_filled_for_those_who_share_the_work(broker: Broker) -> None:
    """A topic is virtual: what goes there also fills the queue of each service that reads from one."""
    reader = Reader(broker, "QUEUE", destination="/queue/Consumer.INDEX.glue2.documents.QUEUE")
    reader.come_and_go()
    send(broker.with_certificate(), *(message("QUEUE", serial) for serial in range(3)))
    assert serials(reader.read(3)) == [0, 1, 2]


def test_what_is_not_acknowledged_comes_again(broker: Broker) -> None:
    """A reader that dies before it has kept a message gets it once more."""
    reader = Reader(broker, "AGAIN")
    reader.come_and_go()
    send(broker.with_certificate(), message("AGAIN", 1), message("AGAIN", 2))
    us = settings_of(BrokerSettings, broker.with_certificate("receiver"))
    with connected(us, Deadline.after(LONG), client_id="AGAIN") as connection:
        reader.subscribe(connection)
        first, second = (connection.receive(Deadline.after(LONG)) for _ in range(2))
        assert first is not None
        assert second is not None
        connection.acknowledge(second)
    assert serials(reader.read(1, then_wait=0.3)) == [1]


def test_what_has_ended_is_not_delivered_any_more(broker: Broker) -> None:
    """A reader that was away too long gets nothing old, and nobody finds it in a queue of dead letters."""
    reader = Reader(broker, "ENDED")
    reader.come_and_go()
    send(broker.with_certificate(), message("ENDED", 1, lifetime=0.3), message("ENDED", 2))
    time.sleep(0.5)
    assert serials(reader.read(1, then_wait=0.3)) == [2]
    assert "DLQ" not in broker.log


def test_an_idle_connection_stays_and_a_dead_one_is_seen(broker: Broker) -> None:
    """Heartbeats keep it open for many times their interval; when they stop to come, that is told."""
    with fault_proxy(broker.port) as proxy:
        given = broker.with_certificate("receiver", brokers=[proxy.address], heartbeat=2)
        with connected(settings_of(BrokerSettings, given), Deadline.after(LONG), client_id="IDLE") as connection:
            Reader(broker, "IDLE").subscribe(connection)
            time.sleep(5)
            assert connection.receive(Deadline.after(0.5)) is None
            send(broker.with_certificate(), message("IDLE", 1))
            found = connection.receive(Deadline.after(LONG))
            assert found is not None
            connection.acknowledge(found)
            proxy.hold()
            with pytest.raises(ChannelUnreachable, match="not even a heartbeat"):
                connection.receive(Deadline.after(LONG))
            proxy.release()


# --- faults --------------------------------------------------------------------------------------------------------


def test_a_receipt_that_gets_lost_is_missed_and_the_message_is_there(broker: Broker) -> None:
    """The sender cannot know, says so, and sends again; the reader gets both and can tell."""
    reader = Reader(broker, "LOST")
    reader.come_and_go()
    with fault_proxy(broker.port + 1) as proxy:
        given = broker.with_password(brokers=[proxy.address])
        proxy.lose_receipts(1)
        with pytest.raises(Unconfirmed, match="confirmed 2 of 3 messages"):
            send(given, *(message("LOST", serial) for serial in range(3)), seconds=4)
        assert proxy.receipts_lost == 1
        send(given, *(message("LOST", serial) for serial in range(3)))
    assert serials(reader.read(6)) == [0, 1, 2, 0, 1, 2]


def test_a_line_that_is_cut_is_told_at_once(broker: Broker) -> None:
    """Through TLS as well, where the library alone would wait for ever."""
    with fault_proxy(broker.port) as proxy:
        us = settings_of(BrokerSettings, broker.with_certificate("receiver", brokers=[proxy.address]))
        with connected(us, Deadline.after(LONG)) as connection:
            Reader(broker, "CUT").subscribe(connection)
            proxy.cut()
            begun = time.monotonic()
            with pytest.raises(ChannelUnreachable, match="broke: it closed the connection; see the broker's log"):
                connection.receive(Deadline.after(LONG))
        assert time.monotonic() - begun < LONG / 2


def test_a_slow_line_is_no_fault(broker: Broker) -> None:
    """What takes longer than usual and less than the deadline is taken."""
    with fault_proxy(broker.port) as proxy:
        proxy.delay(0.1)
        send(broker.with_certificate(brokers=[proxy.address]), *(message("SLOW", serial) for serial in range(5)))


def test_confirmed_messages_survive_a_crash_and_a_restart(tmp_path: Path) -> None:
    """Whatever was confirmed before the broker was killed is delivered, in order, when it is back."""
    with running(tmp_path) as broker:
        reader = Reader(broker, "CRASH")
        reader.come_and_go()
        send(broker.with_certificate(), *(message("CRASH", serial, size=2000) for serial in range(200)))
        broker.kill()
        with pytest.raises(ChannelUnreachable, match="nobody is there"):
            probe(broker.with_certificate())
        broker.start()
        send(broker.with_certificate(), message("CRASH", 200))
        broker.restart()
        assert serials(reader.read(201)) == list(range(201))


# --- what is said --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told_of(broker: Broker) -> Broker:
    """The broker, with a certificate of ours that has expired."""
    subject = "/DC=org/DC=example/OU=Robots/CN=publisher"
    broker.make_certificate("expired", subject, "--authority", "authority", "--expired")
    return broker


def refusal(error: type[PublishError], given: dict[str, Any], *messages: Message, seconds: float = LONG) -> str:
    """What is said to who sends these, or only probes; long before anybody would lose patience."""
    begun = time.monotonic()
    with pytest.raises(error) as raised:
        send(given, *messages, seconds=seconds) if messages else probe(given, seconds)
    assert time.monotonic() - begun < LONG / 2
    assert is_on_the_page(str(raised.value))
    return str(raised.value)


def test_a_wrong_password(told_of: Broker) -> None:
    """Who we said we were, and what the broker said."""
    said = refusal(Refused, told_of.with_password("publisher", "nonsense"))
    assert (
        f"the broker {told_of.plain} does not know us as publisher: User name [publisher] or password is invalid"
        in said
    )
    assert "correct user and password" in said


def test_a_broker_that_is_not_trusted(told_of: Broker) -> None:
    """By which authorities it was judged, and where its own can be seen."""
    judges = told_of.pki / "other-authority.pem"
    said = refusal(ChannelUnreachable, told_of.with_certificate(ca_file=str(judges)))
    assert f"the broker {told_of.tls} is not trusted" in said
    assert f"judged by {judges}; name the certificate of its authority as ca_file" in said


def test_a_certificate_of_ours_that_the_broker_refuses(told_of: Broker) -> None:
    """Under TLS 1.3 the refusal comes late, and is told all the same: whose certificate, from whom, till when."""
    said = refusal(Refused, told_of.with_certificate("stranger"))
    assert f"the broker {told_of.tls} refuses our certificate {told_of.pki / 'stranger.pem'}" in said
    assert "subject CN=publisher,OU=Robots,DC=elsewhere,DC=org, issued by CN=Another authority" in said


def test_a_certificate_of_ours_that_has_expired(told_of: Broker) -> None:
    """It is said that it has, and when."""
    said = refusal(Refused, told_of.with_certificate("expired"))
    assert "refuses our certificate" in said
    assert "renew it (subject CN=publisher,OU=Robots" in said
    assert "it ended on " in said


def test_no_certificate_where_one_is_wanted(told_of: Broker) -> None:
    """What the broker wants is named, not only that it closed the connection."""
    said = refusal(Refused, told_of.with_certificate(certificate=None, key=None))
    assert f"the broker {told_of.tls} wants a certificate from us" in said
    assert "name certificate and key in the settings" in said


def test_no_permission(told_of: Broker) -> None:
    """Signed in and not allowed: what we were at, and as whom."""
    said = refusal(Refused, told_of.with_certificate("nobody"), message("RIGHTS"))
    assert "does not allow us sending to /topic/glue2.documents.RIGHTS" in said
    assert "User CN=nobody, OU=Robots, DC=example, DC=org is not authorized to write to" in said
    assert "ask its administrators for the right" in said


def test_a_port_with_tls_where_none_is_expected_and_the_other_way_round(told_of: Broker) -> None:
    """Either way, the setting to change is named."""
    plain_to_tls = refusal(ChannelUnreachable, told_of.with_password(brokers=[told_of.tls]))
    assert "speaks TLS, not STOMP" in plain_to_tls
    assert "take out plain: true" in plain_to_tls
    tls_to_plain = refusal(ChannelUnreachable, told_of.with_certificate(brokers=[told_of.plain]), seconds=4)
    assert "says nothing in TLS; name the port for STOMP over TLS in brokers, or write plain: true" in tls_to_plain


def test_a_full_broker_and_a_message_that_is_too_large(tmp_path: Path) -> None:
    """The broker's own limits are told as such, and what can be done about them."""
    with running(tmp_path, "--frame", "65536", "--store", "36") as broker:
        Reader(broker, "FULL").come_and_go()
        said = refusal(Refused, broker.with_certificate(), message("FULL", size=70_000))
        assert "refuses a message as too large" in said
        assert "The maximum frame size was exceeded; write a smaller part_bytes" in said
        said = refusal(Refused, broker.with_certificate(), *[message("FULL", size=60_000)] * 1000)
        assert f"the broker {broker.tls} is full (sending to /topic/glue2.documents.FULL)" in said
        assert "Persistent store is Full" in said
        assert "its administrators must free or enlarge its store" in said


@pytest.mark.parametrize(
    ("names", "options", "expected"),
    [
        ("DNS:mq.example.org", (), "is made out to another name than 127.0.0.1"),
        ("DNS:localhost,IP:127.0.0.1", ("--expired",), "or of an authority above it, has expired"),
    ],
)
def test_a_certificate_of_the_broker_that_cannot_be_right(
    tmp_path: Path, names: str, options: tuple[str, ...], expected: str
) -> None:
    """Made out to another name, also on loopback, and expired."""
    with running(tmp_path) as broker:
        broker.stop()
        words = ("--authority", "authority", "--names", names, *options)
        broker.make_certificate("wrong", "/DC=org/DC=example/CN=mq.example.org", *words)
        broker.start("--certificate", "wrong")
        said = refusal(ChannelUnreachable, broker.with_certificate())
    assert f"the certificate of the broker {broker.tls}" in said
    assert expected in said
    assert f"openssl s_client -connect {broker.tls}" in said
