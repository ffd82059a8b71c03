"""A publisher and receivers over a broker that loses, repeats and reorders: whatever happens, nothing wrong is applied.

The publisher is the real one with its record on disk; the broker is a list. A receipt may be lost after the message
was stored, a message may be lost before, the publisher may be killed between sending and recording, and be restored
from a copy of its record.
"""

import json
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infoprovider.clock import Clock, Reading
from infoprovider.config.model import Centre, Channel, ChannelBlock, Configuration, Publication
from infoprovider.deadline import Deadline
from infoprovider.errors import MessageRefused, StoreError, Unconfirmed
from infoprovider.glue.document import close
from infoprovider.glue.json_layout import laid_out
from infoprovider.messaging.envelope import Notice, Snapshot, from_frame
from infoprovider.messaging.stream_settings import StreamSettings
from infoprovider.messaging.units import ContentType, document_of
from infoprovider.publication.stream import deliver_stream
from infoprovider.publishers.contract import Delivery, Format, Message, MessengerSpec, Receipt
from infoprovider.reception.apply import Copy, Verdict, applied, judge
from infoprovider.reception.parts import Parts
from infoprovider.store import acknowledged

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
SNAPSHOT_EVERY = 900.0
FIELDS = ("FreeSlots", "UsedSlots", "MaxVMs")


class Hand(Clock):
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def read(self) -> Reading:
        """The moment to which it was turned."""
        return Reading(NOON + timedelta(seconds=self.seconds), 1000 + self.seconds, "boot")


@dataclass
class Broker:
    """Keeps what it gets in its order; `stores` and `confirms` say what becomes of the next delivery."""

    held: list[Message] = field(default_factory=list)
    stores: bool = True
    confirms: bool = True

    def probe(self, _deadline: Deadline, /) -> None:
        """It is always there."""

    def send(self, messages: Sequence[Message], _deadline: Deadline, /) -> Receipt:
        """Store and confirm, or not."""
        if self.stores:
            self.held += messages
        if not self.confirms:
            raise Unconfirmed("no receipt came")
        return Receipt(delivery=Delivery.ACCEPTED, at=NOON, reference="x")


class Publisher:
    """The real publisher with a record of its own and a document of numbers."""

    def __init__(self, folder: Path, broker: Broker, clock: Hand, part_bytes: int = 2**16) -> None:
        self.folder, self.broker, self.clock = folder, broker, clock
        block = ChannelBlock(name="mq", kind="list", format="json")
        self.channel = Channel(block=block, settings=StreamSettings(part_bytes=part_bytes))
        self.facts = {number: dict.fromkeys(FIELDS, 0) for number in range(8)}
        self.published: dict[str, bytes] = {}
        self.run = "first"

        @contextmanager
        def opened(_settings: Any, _deadline: Deadline, /) -> Iterator[Broker]:
            yield broker

        self.spec = MessengerSpec(kind="list", settings=StreamSettings, accepts=frozenset({Format.JSON}), open=opened)

    @property
    def body(self) -> bytes:
        """Its document as GLUE JSON."""
        return laid_out(
            ("ComputingShare", json.dumps({"ID": f"urn:{key:03}"} | facts, separators=(",", ":")).encode())
            for key, facts in sorted(self.facts.items())
        )

    def publish(self, *, killed: str = "") -> None:
        """Deliver the document; `killed` names the step of the record at which the process ends."""
        configuration = Configuration(
            centre=Centre(name="rc-one"),
            communities=(),
            instances=(),
            channels=(self.channel,),
            freshness={},
            publication=Publication(),
            state=self.folder,
            public=self.folder,
            loaded_at=NOON,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(acknowledged, "RUN", self.run)
            if killed:
                patch.setattr(acknowledged.AcknowledgedStore, killed, _killed)
            try:
                deliver_stream(
                    self.channel,
                    self.spec,
                    configuration,
                    close([]),
                    self.body,
                    self.clock.read().wall + timedelta(hours=6),
                    wait=lambda _: True,
                    clock=self.clock,
                )
            except Unconfirmed:
                pass
            except StoreError:
                self.restart()

    def restart(self) -> None:
        """Be another process."""
        self.run = f"{self.run}+"


def _killed(*_: Any) -> None:
    raise StoreError("killed")


class Receiver:
    """Takes frames, keeps a copy, and never believes the wrong one."""

    def __init__(self, truth: set[bytes]) -> None:
        self.copy: Copy | None = None
        self.parts = Parts(10**7)
        self.truth = truth
        self.verdicts: list[Verdict] = []

    def take(self, message: Message) -> None:
        """What `follow` does with a message."""
        envelope, content = from_frame(message.body)
        assert not isinstance(envelope, Notice)
        position = self.copy.position if self.copy else None
        verdict = judge(position, envelope)
        self.verdicts.append(verdict)
        if verdict is not Verdict.TAKE:
            return
        whole = self.parts.add(envelope, content)
        if whole is None:
            return
        try:
            after = applied(self.copy, envelope, whole)
        except MessageRefused:
            assert not isinstance(envelope, Snapshot)
            raise
        if position and envelope.stream == position.stream:
            assert after.position.order > position.order
        assert document_of(after.units, ContentType.JSON) in self.truth
        self.copy = after

    @property
    def document(self) -> bytes:
        """What it would show."""
        return document_of(self.copy.units, ContentType.JSON) if self.copy else b""


STEPS = st.lists(
    st.sampled_from(
        [
            "change",
            "change",
            "unlearn",
            "remove",
            "add",
            "publish",
            "unstored",
            "unconfirmed",
            "killed before",
            "killed after",
        ]
        + ["wait", "restart", "deliver", "deliver one", "deliver reordered", "deliver again", "lose"]
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=150)
@given(STEPS, st.integers(0, 2**32), st.sampled_from([2**16, 2**30]))
def test_whatever_happens_nothing_wrong_is_applied_and_a_snapshot_mends_all(
    steps: list[str], seed: int, part_bytes: int
) -> None:
    """Two receivers, one of which misses what is delivered to the other, end with the publisher's document."""
    chance = random.Random(seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        broker, clock = Broker(), Hand()
        publisher = Publisher(Path(folder), broker, clock, part_bytes)
        truth: set[bytes] = set()
        one, other = Receiver(truth), Receiver(truth)
        for step in steps:
            _step(step, publisher, (one, other), truth, chance)
        clock.seconds += SNAPSHOT_EVERY
        broker.held.clear()
        truth.add(publisher.body)
        publisher.publish()
        for receiver in (one, other):
            for message in broker.held:
                receiver.take(message)
            assert receiver.document == publisher.body
            assert Verdict.CONFLICT not in receiver.verdicts


def _step(
    step: str, publisher: Publisher, receivers: tuple[Receiver, Receiver], truth: set[bytes], chance: random.Random
) -> None:
    broker, facts = publisher.broker, publisher.facts
    publisher.clock.seconds += 10
    truth.add(publisher.body)
    if step == "change" and facts:
        facts[chance.choice(sorted(facts))][chance.choice(FIELDS)] = chance.randrange(3)
    elif step == "unlearn" and facts:
        facts[chance.choice(sorted(facts))].pop(chance.choice(FIELDS), None)
    elif step == "remove" and facts:
        facts.pop(chance.choice(sorted(facts)))
    elif step == "add":
        facts[chance.randrange(12)] = {name: chance.randrange(3) for name in FIELDS}
    elif step in ("publish", "unstored", "unconfirmed"):
        broker.stores, broker.confirms = step != "unstored", step == "publish"
        publisher.publish()
        broker.stores = broker.confirms = True
    elif step.startswith("killed"):
        publisher.publish(killed="attempt" if step == "killed before" else "acknowledge")
    elif step == "wait":
        publisher.clock.seconds += chance.choice([60, SNAPSHOT_EVERY])
    elif step == "restart":
        publisher.restart()
    elif step == "lose" and broker.held:
        broker.held.pop(chance.randrange(len(broker.held)))
    elif step.startswith("deliver"):
        messages = list(broker.held)
        if step == "deliver reordered":
            chance.shuffle(messages)
        for receiver in receivers[: 1 if step == "deliver one" else 2]:
            for message in messages:
                receiver.take(message)
        if step == "deliver":
            broker.held.clear()


@pytest.mark.parametrize("others", [0, 1])
def test_an_unconfirmed_delta_is_carried_again_by_the_next(tmp_path: Path, others: int) -> None:
    """A receiver that got it, and one that did not, both take the next one; nobody waits for a snapshot.

    Also where it brings another field of the same entity.
    """
    broker, clock = Broker(), Hand()
    publisher = Publisher(tmp_path, broker, clock)
    publisher.publish()
    truth = {publisher.body}
    had, missed = Receiver(truth), Receiver(truth)
    for receiver in (had, missed):
        receiver.take(broker.held[0])
    publisher.facts[3]["FreeSlots"] = 1
    truth.add(publisher.body)
    broker.confirms = False
    publisher.publish()
    had.take(broker.held[1])
    # Back to what the base has: to those who got the message in between it is a change all the same.
    publisher.facts[3] |= {"FreeSlots": 0, "UsedSlots": others}
    truth.add(publisher.body)
    broker.confirms = True
    publisher.publish()
    for receiver in (had, missed):
        receiver.take(broker.held[2])
        assert receiver.document == publisher.body
        assert set(receiver.verdicts) == {Verdict.TAKE}


def test_two_publishers_of_one_centre_are_named(tmp_path: Path) -> None:
    """With records of their own, and with a copy of one record; the copy stays with the one that began later."""
    broker, clock = Broker(), Hand()
    one = Publisher(tmp_path / "one", broker, clock)
    one.publish()
    shutil.copytree(tmp_path / "one", tmp_path / "copied")
    clock.seconds += 60
    other, copied = Publisher(tmp_path / "two", broker, clock), Publisher(tmp_path / "copied", broker, clock)
    for number, second in enumerate((other, copied)):
        second.run = f"second {number}"
        receiver = Receiver({one.body})
        broker.held.clear()
        for publisher in (one, second, one):
            clock.seconds += SNAPSHOT_EVERY
            publisher.publish()
        for message in broker.held:
            receiver.take(message)
        assert receiver.verdicts == [Verdict.TAKE, Verdict.TAKE, Verdict.CONFLICT]
        second.restart()


def test_a_record_restored_from_a_backup_is_followed_at_once(tmp_path: Path) -> None:
    """Its revisions go back, its epoch does not: the next snapshot is taken, and no delta before it."""
    broker, clock = Broker(), Hand()
    publisher = Publisher(tmp_path / "state", broker, clock)
    publisher.publish()
    shutil.copytree(tmp_path / "state", tmp_path / "backup")
    truth = {publisher.body}
    receiver = Receiver(truth)
    for number in range(5):
        clock.seconds += 10
        publisher.facts[0]["FreeSlots"] = number + 1
        truth.add(publisher.body)
        publisher.publish()
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "backup").rename(tmp_path / "state")
    publisher.restart()
    for number in range(3):
        clock.seconds += 10
        publisher.facts[1]["UsedSlots"] = number + 1
        truth.add(publisher.body)
        publisher.publish()
    clock.seconds += SNAPSHOT_EVERY
    publisher.publish()
    for message in broker.held:
        receiver.take(message)
    assert receiver.document == publisher.body
    assert receiver.verdicts == [Verdict.TAKE] * 6 + [Verdict.GAP] * 3 + [Verdict.TAKE]
