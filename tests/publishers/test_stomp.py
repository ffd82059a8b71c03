"""The publisher `stomp`, against brokers of a few lines on real sockets."""

import json
import logging
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infoprovider import plugins
from infoprovider.deadline import Deadline
from infoprovider.errors import ChannelUnreachable, PublishError, Refused, Unconfirmed
from infoprovider.publishers.contract import Delivery, Message, MessengerSpec, Receipt
from infoprovider.publishers.stomp import SPEC, StompSettings
from tests.fakes.stomp_broker import Sent, confirm, confirm_only_sign_in, error, stomp_broker

LONG = 60.0
CERTIFICATE = Path(__file__).parents[2] / "tools" / "testbeds" / "activemq" / "certificate"


def settings(*addresses: str, **given: Any) -> StompSettings:
    """As from a file, without TLS."""
    return StompSettings.model_validate_json(json.dumps({"brokers": addresses, "plain": True} | given))


def message(kind: str = "snapshot", centre: str = "RC-ONE", serial: int = 0) -> Message:
    """One to be sent."""
    headers = {"centre": centre, "kind": kind, "revision": str(serial)}
    return Message(kind=kind, headers=headers, content_type="application/json", body=b"{}\n%d" % serial, lifetime=60)


def send(given: StompSettings, *messages: Message, seconds: float = LONG) -> Receipt:
    """Open the channel, send, close it."""
    deadline = Deadline.after(seconds)
    with SPEC.open(given, deadline) as messenger:
        return messenger.send(messages, deadline)


def probe(given: StompSettings, seconds: float = LONG) -> None:
    """What `infoprovider check` does."""
    deadline = Deadline.after(seconds)
    with SPEC.open(given, deadline) as messenger:
        messenger.probe(deadline)


def test_it_is_found_by_its_kind() -> None:
    """The entry point leads to the spec."""
    assert plugins.load(plugins.PUBLISHERS, "stomp", MessengerSpec) is SPEC


def test_documents_and_notices_go_to_their_destinations_to_stay_until_they_end() -> None:
    """Every message is persistent, has an end, and the headers that readers select by; the last one's id is told."""
    with stomp_broker() as broker:
        before = time.time()
        receipt = send(settings(broker.address), message("snapshot"), message("delta"), message("notice"))
        after = time.time()
        sent = broker.messages
    assert [frame.headers["destination"] for frame in sent] == [
        "/topic/glue2.documents.RC-ONE",
        "/topic/glue2.documents.RC-ONE",
        "/topic/glue2.notices.RC-ONE",
    ]
    assert {frame.headers["persistent"] for frame in sent} == {"true"}
    assert all(before + 59.9 <= int(frame.headers["expires"]) / 1000 <= after + 60.1 for frame in sent)
    assert [frame.headers["kind"] for frame in sent] == ["snapshot", "delta", "notice"]
    assert (sent[0].body, sent[0].headers["content-type"]) == (b"{}\n0", "application/json")
    assert (receipt.delivery, receipt.reference) == (Delivery.ACCEPTED, sent[2].headers["receipt"])


def test_destinations_are_as_written_and_no_centre_can_widen_them() -> None:
    """A name with signs that mean several destinations to a broker stays one name."""
    given = {"destination": "/queue/x.{centre}.y", "notices": "/topic/all"}
    with stomp_broker() as broker:
        send(settings(broker.address, **given), message(centre="A,B>*? c"), message("notice"))
        found = [frame.headers["destination"] for frame in broker.messages]
    assert found == ["/queue/x.A_B____c.y", "/topic/all"]


@pytest.mark.parametrize(
    "destination", ["glue2", "/topic/", "/topic/a.>", "/topic/a,b", "/topic/{name}", "/temp-queue/a"]
)
def test_a_destination_that_is_none_is_refused(destination: str) -> None:
    """Wildcards are for readers."""
    with pytest.raises(ValidationError, match="should match pattern"):
        settings("127.0.0.1:1", destination=destination)


def test_many_messages_arrive_in_their_order() -> None:
    """Several are in flight, and none overtakes another."""
    with stomp_broker() as broker:
        send(settings(broker.address), *(message(serial=serial) for serial in range(500)))
        assert [int(frame.headers["revision"]) for frame in broker.messages] == list(range(500))


def test_the_next_broker_gets_all_of_them_when_one_breaks_in_the_middle(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads from the second must not miss what only the first had."""

    def breaking(frame: Sent) -> bytes | None:
        return None if frame.headers.get("revision") == "5" else confirm(frame)

    messages = [message(serial=serial) for serial in range(10)]
    with stomp_broker(breaking) as broken, stomp_broker() as whole, caplog.at_level(logging.WARNING):
        send(settings(broken.address, whole.address), *messages)
        assert [frame.headers["revision"] for frame in whole.messages] == [str(serial) for serial in range(10)]
        assert broken.connections == 1
    assert "broke" in caplog.text
    assert "the next broker is tried" in caplog.text


def test_a_broker_that_confirms_nothing_leaves_time_for_the_next() -> None:
    """It signs us in and hangs; the second one confirms before the deadline of both."""
    with stomp_broker(confirm_only_sign_in) as hanging, stomp_broker() as whole:
        send(settings(hanging.address, whole.address), message(), seconds=8)
        assert len(whole.messages) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (confirm_only_sign_in, Unconfirmed),
        (error("User x is not authorized to write to\\c topic", at="SEND"), Refused),
        (lambda frame: None if frame.command == "SEND" else confirm(frame), ChannelUnreachable),
    ],
)
def test_what_may_be_tried_again_is_told_from_what_may_not(answer: Any, expected: type[PublishError]) -> None:
    """A missing receipt and a broken line may be tried again; a refusal needs somebody."""
    with stomp_broker(answer) as broker, pytest.raises(expected):
        send(settings(broker.address), message(), seconds=2)


def test_when_one_of_several_may_be_tried_again_all_may() -> None:
    """One refuses and one hangs: the next attempt may succeed."""
    with (
        stomp_broker(error("no", at="CONNECT")) as refusing,
        stomp_broker(confirm_only_sign_in) as hanging,
        pytest.raises(Unconfirmed, match="none of the brokers could be used"),
    ):
        send(settings(refusing.address, hanging.address), message(), seconds=2)


def test_a_probe_signs_in_and_sends_nothing() -> None:
    """What `infoprovider check` does leaves nothing behind."""
    with stomp_broker() as broker:
        probe(settings(broker.address))
        assert [frame.command for frame in broker.frames] == ["CONNECT", "DISCONNECT"]


def test_a_probe_fails_as_sending_would() -> None:
    """A wrong password is told without a message that needs it."""
    refusing = error("User name [x] or password is invalid.", at="CONNECT")
    with stomp_broker(refusing) as broker, pytest.raises(Refused, match="does not know us as"):
        probe(settings(broker.address))


def test_a_probe_also_sees_what_could_not_be_signed_with(tmp_path: Path) -> None:
    """A certificate that has expired would make every message one that nobody believes."""
    words: dict[str, list[str]] = {
        "authority": ["/CN=authority"],
        "host": ["/CN=host", "--authority", "authority", "--expired"],
    }
    for name, said in words.items():
        subprocess.run([CERTIFICATE, tmp_path, name, *said], check=True, capture_output=True)
    signature = {"certificate": str(tmp_path / "host.pem"), "key": str(tmp_path / "host.key")}
    with stomp_broker() as broker, pytest.raises(Refused, match="has expired; renew it"):
        probe(settings(broker.address, signature=signature))
