"""Signatures from a configured channel to a receiver that wants them, with others who may send to the same broker."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider.deadline import Deadline
from infoprovider.messaging.signature import SignatureSettings, sign
from infoprovider.messaging.units import ContentType
from infoprovider.reception.follow import Following
from tests.reception.messages import Publisher, received
from tests.system.activemq import Broker, running
from tests.system.demo import Demo, demo_in
from tests.system.test_follow import followed, send
from tests.waiting import until

pytestmark = pytest.mark.activemq

CENTRE = "RC-DEMO"
FORGED = {"RC-DEMO": b'AdminDomain {"ID":"RC-DEMO","Name":"forged"}'}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Who publishes there, and who may as well, have certificates of one authority."""
    with running(tmp_path_factory.mktemp("broker")) as found:
        yield found


@pytest.fixture
def demo(tmp_path: Path, broker: Broker) -> Demo:
    """The demo centre, which signs what it sends."""
    own = {"certificate": str(broker.pki / "publisher.pem"), "key": str(broker.pki / "publisher.key")}
    settings = broker.with_certificate("publisher", signature=own)
    folder = tmp_path / "demo-centre"
    folder.mkdir()
    return demo_in(folder, {"name": "mq", "kind": "stomp", "format": "json", "settings": settings})


@pytest.fixture
def following(tmp_path: Path, broker: Broker) -> Iterator[Following]:
    """A receiver that believes of the demo centre only what its publisher has signed."""
    settings = {
        "broker": broker.with_certificate("receiver"),
        "folder": "copies",
        "subscription": {"name": "strict"},
        "limits": {"message_bytes": 2**17},
        "signatures": {
            "ca_file": str(broker.pki / "authority.pem"),
            "signers": {CENTRE: ["CN=publisher,OU=Robots,DC=example,DC=org"]},
        },
    }
    file = tmp_path / "follow.yaml"
    file.write_text(yaml.safe_dump(settings))
    with followed(file) as found:
        yield found


def forged(broker: Broker, who: str | None, **more: Any) -> Any:
    """A well-formed snapshot, newer than everything, as somebody else would make it."""
    [message] = Publisher(CENTRE, ContentType.JSON, stream="b" * 32, epoch=2**50).snapshot(FORGED, **more)
    if who is None:
        return message
    settings = SignatureSettings(certificate=broker.pki / f"{who}.pem", key=broker.pki / f"{who}.key")
    return received(sign(message.body or b"", settings, Deadline.after(30)), centre=CENTRE)


def test_only_the_centres_own_signature_is_believed(demo: Demo, broker: Broker, following: Following) -> None:
    """Whoever else may send is refused, and named by the broker and by his own signature; the copy stays as it was."""
    assert demo.publish().returncode == 0
    until(lambda: following.receiver.revision_of(CENTRE) == 1)
    copy = following.copies.state_of(CENTRE)
    assert copy is not None
    assert copy.record is not None
    assert copy.record.signer is not None
    assert "CN=publisher" in copy.record.signer
    whole = forged(broker, "other-publisher").body
    refused = {
        "signed by CN=other-publisher": forged(broker, "other-publisher"),
        "it is not signed": forged(broker, None),
        "has a signature that does not hold": received(whole[:-200] + bytes(200), centre=CENTRE),
        "where limits.message_bytes is what one may have": received(os.urandom(2**18), centre=CENTRE),
    }
    for number, (why, message) in enumerate(refused.items(), start=1):
        send(broker, [message], "other-publisher")
        until(lambda number=number: _refused(following) == number)  # type: ignore[misc]
        assert why in _remark(following)
        assert "from other-publisher" in _remark(following) or "CN=other-publisher" in _remark(following)
        assert following.receiver.revision_of(CENTRE) == 1
    assert demo.publish().returncode == 0
    document = demo.public / "current.json"
    shown = demo.config.parent.parent / "copies" / f"{CENTRE}.json"
    until(lambda: shown.read_bytes() == document.read_bytes())


def _refused(following: Following) -> int:
    return _state(following).counts.get("refused", 0)


def _remark(following: Following) -> str:
    return str(_state(following).remark.what)


def _state(following: Following) -> Any:
    """What the receiver has written down of the centre."""
    return following.copies.state_of(CENTRE)
