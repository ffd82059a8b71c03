"""`infoprovider withdraw`: receivers are told, and whatever comes after it begins anew."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from infoprovider.cli import site
from infoprovider.deadline import Deadline
from infoprovider.errors import ChannelUnreachable, ExitCode
from infoprovider.messaging.envelope import Event, Notice, Snapshot, from_frame
from infoprovider.messaging.stream_settings import StreamSettings
from infoprovider.publishers.contract import Delivery, Format, Message, MessengerSpec, Receipt
from infoprovider.store.snapshots import SnapshotStore
from tests.cli.conftest import Centre, Program


@dataclass
class Taken:
    """Takes every message, or none."""

    messages: list[Message] = field(default_factory=list)
    is_there: bool = True

    def probe(self, _deadline: Deadline, /) -> None:
        """Nothing to prove."""

    def send(self, messages: Sequence[Message], _deadline: Deadline, /) -> Receipt:
        """Keep them, or say that nobody is there."""
        if not self.is_there:
            raise ChannelUnreachable("nobody listens; start the broker")
        self.messages += messages
        return Receipt(delivery=Delivery.ACCEPTED, at=site.now(), reference="m-1")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    """A broker of the kind `taken`."""
    broker = Taken()

    @contextmanager
    def opened(_settings: Any, _deadline: Deadline, /) -> Iterator[Taken]:
        yield broker

    spec = MessengerSpec(kind="taken", settings=StreamSettings, accepts=frozenset({Format.JSON}), open=opened)
    installed = site.publisher
    monkeypatch.setattr(site, "publisher", lambda kind: spec if kind == "taken" else installed(kind))
    return broker


MESSAGES = {"name": "broker", "kind": "taken", "format": "json", "every": 0.5}


def test_receivers_are_told_and_what_follows_begins_with_a_snapshot(
    centre: Centre, program: Program, taken: Taken
) -> None:
    """A later revision than all before, so that nothing older brings the centre back."""
    centre.change(channels=[MESSAGES])
    assert program("publish", "--quiet", centre.config).code == 0
    ended = program("withdraw", centre.config)
    assert (ended.code, ended.out) == (0, "channel broker: withdrawn, confirmed as m-1\n")
    assert program("publish", "--quiet", centre.config).code == 0
    first, notice, again = (from_frame(message.body)[0] for message in taken.messages)
    assert isinstance(first, Snapshot)
    assert isinstance(notice, Notice)
    assert isinstance(again, Snapshot)
    assert notice.event is Event.CENTRE_WITHDRAWN
    assert first.order < notice.order < again.order


def test_a_broker_that_is_not_there_is_said(centre: Centre, program: Program, taken: Taken) -> None:
    """Nobody was told, and the exit code says so."""
    centre.change(channels=[MESSAGES])
    taken.is_there = False
    ended = program("withdraw", centre.config)
    assert ended.code == ExitCode.PUBLISH
    assert "channel broker: nobody listens; start the broker" in ended.err


@pytest.mark.usefixtures("taken")
def test_other_channels_are_named(centre: Centre, program: Program) -> None:
    """A folder has no receivers that could be told."""
    centre.change(channels=[MESSAGES, {"name": "paper", "kind": "stdout"}])
    ended = program("withdraw", centre.config)
    assert ended.code == 0
    assert "channel paper: a stdout keeps no receivers" in ended.err
    centre.change(channels=[{"name": "paper", "kind": "stdout"}])
    ended = program("withdraw", centre.config)
    assert ended.code == ExitCode.PUBLISH
    assert "nobody was told" in ended.err


def test_a_centre_that_is_being_published_is_not_withdrawn(centre: Centre, program: Program, taken: Taken) -> None:
    """The daemon would publish it again at once."""
    centre.change(channels=[MESSAGES])
    with SnapshotStore(site.read_configuration(centre.config).state, site.clock).writing():
        ended = program("withdraw", centre.config)
    assert ended.code == ExitCode.STORE
    assert taken.messages == []
