"""Each channel in a thread of its own: its rhythm, its failures, and the newest document only."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from infoprovider.config.model import Channel, ChannelBlock, Configuration
from infoprovider.errors import Refused
from infoprovider.publication import channels as channels_module
from infoprovider.publication.channels import Channels, Edition
from infoprovider.publication.cycle import Current, Delivered, update
from infoprovider.publishers.contract import Delivery, Receipt
from infoprovider.publishers.stdout import StdoutSettings
from infoprovider.store.document import DocumentStore
from tests.publication import demo


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Current:
    """The document of the demonstration centre."""
    folder = tmp_path_factory.mktemp("public")
    return update(demo.configuration(), demo.facets(), DocumentStore(folder, folder), demo.NOON)


def centre(*, deadline: float = 30.0, **every: float) -> Configuration:
    """A centre with these channels, each with its pause."""
    channels = tuple(
        Channel(
            block=ChannelBlock(name=name, kind="stdout", every=seconds, deadline=deadline), settings=StdoutSettings()
        )
        for name, seconds in every.items()
    )
    return replace(demo.configuration(), channels=channels)


@dataclass
class Bench:
    """Channels whose publisher is a function of the test."""

    deliver: Callable[[Channel, Edition, Callable[[float], bool]], None] = lambda *_: None
    begun: list[tuple[str, Edition, float]] = field(default_factory=list)
    heard: list[tuple[str, str | None]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    over: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        self.channels = Channels(self.hand_out, self)

    def hand_out(self, channel: Channel, edition: Edition, wait: Callable[[float], bool]) -> Delivered:
        """What the channels call."""
        self.begun.append((channel.name, edition, time.monotonic()))
        try:
            self.deliver(channel, edition, wait)
        except Refused as error:
            return Delivered(channel.name, None, error)
        return Delivered(channel.name, Receipt(delivery=Delivery.ACCEPTED, at=datetime.now(UTC), reference="here"))

    def delivered(self, channel: str, delivery: str | None, seconds: float) -> None:
        """Heard by the listener."""
        assert seconds >= 0
        self.heard.append((channel, delivery))
        self.over.release()

    def fault(self, where: str) -> None:
        """Heard by the listener."""
        self.faults.append(where)

    def wait(self, deliveries: int = 1) -> None:
        """Until so many deliveries are over."""
        for _ in range(deliveries):
            assert self.over.acquire(timeout=20)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A bench whose threads are ended afterwards."""
    made = Bench()
    yield made
    made.channels.stop()
    assert made.channels.join(20) == ()


def test_a_channel_that_hangs_keeps_no_other_from_its_own(bench: Bench, current: Current) -> None:
    """Each waits for its own publisher only, and a stop says who is not ready."""
    let_go = threading.Event()
    bench.deliver = lambda channel, *_: let_go.wait(20) and None if channel.name == "slow" else None
    edition = Edition(centre(slow=0.01, quick=0.01), current, math.inf)
    bench.channels.offer(edition)
    bench.wait()
    bench.channels.offer(edition)
    bench.wait()
    assert bench.heard == [("quick", "accepted")] * 2
    bench.channels.stop()
    assert bench.channels.join(0.1) == ("slow",)
    let_go.set()
    bench.wait()


def test_only_the_newest_document_is_delivered(bench: Bench, current: Current) -> None:
    """What came in between while the channel was busy is never handed out, and its pause is kept."""
    configuration = centre(site=0.4)
    editions = [Edition(configuration, current, math.inf) for _ in range(4)]
    bench.channels.offer(editions[0])
    bench.wait()
    for edition in editions[1:]:
        bench.channels.offer(edition)
    bench.wait()
    (_, first, began), (_, second, again) = bench.begun
    assert first is editions[0]
    assert second is editions[3]
    assert again - began >= 0.39
    assert not bench.over.acquire(timeout=0.5)


def test_a_failed_delivery_is_tried_again_without_a_newer_document(
    bench: Bench, current: Current, caplog: pytest.LogCaptureFixture
) -> None:
    """After the channel's pause; the log says when it begins and when it is over."""
    failures = [Refused("the disk is full; free some space there")] * 2

    def deliver(*_: object) -> None:
        if failures:
            raise failures.pop()

    bench.deliver = deliver
    with caplog.at_level(logging.WARNING):
        bench.channels.offer(Edition(centre(site=0.05), current, math.inf))
        bench.wait(3)
    assert bench.heard == [("site", None), ("site", None), ("site", "accepted")]
    bench.channels.stop()
    bench.channels.join(20)
    assert [record.getMessage() for record in caplog.records] == [
        "the disk is full; free some space there",
        "channel site takes the document again",
    ]


def test_a_document_that_has_expired_is_not_delivered_late(bench: Bench, current: Current) -> None:
    """Where nothing newer comes, a channel that failed gets nothing rather than what is to be withheld."""

    def deliver(*_: object) -> None:
        raise Refused("not now")

    bench.deliver = deliver
    bench.channels.offer(Edition(centre(site=0.3), current, time.monotonic() + 0.2))
    bench.wait()
    assert not bench.over.acquire(timeout=0.6)


def test_a_fault_of_ours_ends_no_channel(bench: Bench, current: Current) -> None:
    """It counts as a failed delivery, and the next one comes."""
    faults = [KeyError("unforeseen")]

    def deliver(*_: object) -> None:
        if faults:
            raise faults.pop()

    bench.deliver = deliver
    bench.channels.offer(Edition(centre(site=0.05), current, math.inf))
    bench.wait(2)
    assert bench.heard == [("site", None), ("site", "accepted")]
    assert bench.faults == ["channel site"]


def test_a_channel_that_is_no_longer_named_is_served_no_more(bench: Bench, current: Current) -> None:
    """And its thread ends; a new one begins with the edition that names it."""
    bench.channels.offer(Edition(centre(old=0.01), current, math.inf))
    bench.wait()
    bench.channels.offer(Edition(centre(new=0.01), current, math.inf))
    bench.wait()
    bench.channels.offer(Edition(centre(new=0.01), current, math.inf))
    bench.wait()
    assert bench.heard == [("old", "accepted"), ("new", "accepted"), ("new", "accepted")]
    until = time.monotonic() + 10
    while any(thread.name == "channel old" for thread in threading.enumerate()) and time.monotonic() < until:
        time.sleep(0.01)
    assert [one.name for one in threading.enumerate() if one.name.startswith("channel")] == ["channel new"]


def test_a_publisher_that_keeps_no_deadline_is_seen(
    bench: Bench, current: Current, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it hangs, and not before its time is over."""
    monkeypatch.setattr(channels_module, "SPARE", 0.1)
    let_go = threading.Event()
    bench.deliver = lambda *_: let_go.wait(20) and None
    bench.channels.offer(Edition(centre(site=0.1, deadline=0.1), current, math.inf))
    assert bench.channels.overdue() == {}
    until = time.monotonic() + 20
    while not bench.channels.overdue() and time.monotonic() < until:
        time.sleep(0.02)
    assert bench.channels.overdue().keys() == {"site"}
    assert bench.channels.overdue()["site"] >= 0.4
    let_go.set()
    bench.wait()
    assert bench.channels.overdue() == {}


def test_a_stop_ends_the_pause_between_two_attempts(bench: Bench, current: Current) -> None:
    """A delivery that waits for its next attempt gives up at once."""
    waiting = threading.Event()
    gave_up = []

    def deliver(_channel: Channel, _edition: Edition, wait: Callable[[float], bool]) -> None:
        waiting.set()
        gave_up.append(wait(60))

    bench.deliver = deliver
    bench.channels.offer(Edition(centre(site=60), current, math.inf))
    assert waiting.wait(20)
    bench.channels.stop()
    assert bench.channels.join(20) == ()
    assert gave_up == [True]
    bench.channels.offer(Edition(centre(late=60), current, math.inf))
    assert [name for name, _, _ in bench.begun] == ["site"]
