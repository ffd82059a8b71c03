"""Retry and deadline around a publisher."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from infoprovider.config.model import Channel, ChannelBlock
from infoprovider.deadline import Deadline
from infoprovider.errors import ChannelUnreachable, PluginError, PublishError, Refused, Unconfirmed
from infoprovider.publication.delivery import deliver
from infoprovider.publishers.contract import AnyChannelSpec, Delivery, Format, PublisherSpec, Receipt, Rendering
from infoprovider.settings import Settings

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RENDERING = Rendering(format=Format.LDIF, body=b"dn: o=glue\n\n", digest="d", oldest_observation=NOW, expires_at=NOW)
RECEIPT = Receipt(delivery=Delivery.ACCEPTED, at=NOW, reference="somewhere")


class FakePublisher:
    """Answers from a list, one answer per attempt: raises what is an exception, returns what is a receipt."""

    def __init__(self, *answers: Exception | Receipt) -> None:
        self.answers = list(answers)
        self.deadlines: list[float] = []
        self.closed = 0

    def probe(self, deadline: Deadline, /) -> None:
        """Nothing is proved here."""

    def publish(self, rendering: Rendering, deadline: Deadline, /) -> Receipt:
        """The next answer."""
        assert rendering is RENDERING
        self.deadlines.append(deadline.remaining())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @contextmanager
    def open(self, _settings: Settings, _deadline: Deadline, /) -> Iterator["FakePublisher"]:
        """The channel, which counts how often it was closed."""
        try:
            yield self
        finally:
            self.closed += 1


def spec_of(publisher: FakePublisher) -> AnyChannelSpec:
    """A kind of publisher that opens this one."""
    opened: Callable[[Settings, Deadline], AbstractContextManager[FakePublisher]] = publisher.open
    return PublisherSpec(kind="fake", settings=Settings, accepts=frozenset(Format), open=opened)


def test_a_format_that_a_publisher_does_not_take_is_never_sent() -> None:
    """The message says what to write; nothing is opened."""
    publisher = FakePublisher(RECEIPT)
    spec = replace(spec_of(publisher), accepts=frozenset({Format.XML, Format.JSON}))
    with pytest.raises(PluginError) as caught:
        deliver(channel(), spec, RENDERING, wait=lambda _: True)
    assert str(caught.value) == (
        "channel site-bdii: a publisher of kind fake does not take ldif; write format: json or xml for the channel"
    )
    assert (len(publisher.answers), publisher.closed) == (1, 0)


def channel(**settings: float) -> Channel:
    """A channel of that kind."""
    return Channel(block=ChannelBlock(name="site-bdii", kind="fake", **settings), settings=Settings())


class Pauses:
    """Stands for waiting: notes how long, lets that time pass, and may be told to end the process."""

    def __init__(self, clock: FrozenDateTimeFactory, *, stop_after: int | None = None) -> None:
        self.clock = clock
        self.stop_after = stop_after
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> bool:
        """Whether the process is to end."""
        self.seconds.append(seconds)
        self.clock.tick(seconds)
        return self.stop_after is not None and len(self.seconds) >= self.stop_after


@pytest.fixture
def clock() -> Iterator[FrozenDateTimeFactory]:
    """Time stands still except where a test moves it."""
    with freeze_time(NOW) as frozen:
        yield frozen


def test_a_channel_that_takes_it_is_asked_once(clock: FrozenDateTimeFactory) -> None:
    """The publisher's receipt comes back as it is, after one attempt with the channel's deadline and no pause."""
    publisher, pauses = FakePublisher(RECEIPT), Pauses(clock)
    assert deliver(channel(deadline=30.0), spec_of(publisher), RENDERING, wait=pauses) is RECEIPT
    assert (publisher.deadlines, pauses.seconds, publisher.closed) == ([30.0], [], 1)


def test_what_may_pass_is_tried_again_after_growing_pauses(
    clock: FrozenDateTimeFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt gets a whole deadline and a channel of its own, and each failure is logged with the pause."""
    publisher = FakePublisher(ChannelUnreachable("no answer"), Unconfirmed("no receipt"), RECEIPT)
    pauses = Pauses(clock)
    with caplog.at_level(logging.WARNING):
        assert deliver(channel(deadline=30.0), spec_of(publisher), RENDERING, wait=pauses) is RECEIPT
    assert (publisher.deadlines, pauses.seconds, publisher.closed) == ([30.0] * 3, [1.0, 2.0], 3)
    assert caplog.messages == [
        "channel site-bdii, attempt 1: no answer; next attempt after 1 s",
        "channel site-bdii, attempt 2: no receipt; next attempt after 2 s",
    ]


def test_a_refusal_is_final(clock: FrozenDateTimeFactory) -> None:
    """What someone must mend is not tried again, and the message names the channel."""
    publisher, pauses = FakePublisher(Refused("cannot write it")), Pauses(clock)
    with pytest.raises(Refused) as caught:
        deliver(channel(), spec_of(publisher), RENDERING, wait=pauses)
    assert str(caught.value) == "channel site-bdii: cannot write it"
    assert pauses.seconds == []


def test_attempts_come_to_an_end(clock: FrozenDateTimeFactory) -> None:
    """A channel that never answers is left after the last pause, with the last error and the number of attempts."""
    publisher, pauses = FakePublisher(*[ChannelUnreachable("no answer")] * 5), Pauses(clock)
    with pytest.raises(ChannelUnreachable) as caught:
        deliver(channel(), spec_of(publisher), RENDERING, wait=pauses)
    assert str(caught.value) == "channel site-bdii (attempt 5): no answer"
    assert pauses.seconds == [1.0, 2.0, 4.0, 8.0]


def test_nothing_is_tried_beyond_the_moment_when_a_newer_document_is_due(clock: FrozenDateTimeFactory) -> None:
    """Attempts end with the channel's rhythm: a late document is worse than none."""
    publisher, pauses = FakePublisher(*[ChannelUnreachable("no answer")] * 5), Pauses(clock)
    with pytest.raises(ChannelUnreachable, match=r"\(attempt 3\)"):
        deliver(channel(every=6.0), spec_of(publisher), RENDERING, wait=pauses)
    assert pauses.seconds == [1.0, 2.0]


def test_a_process_that_is_to_end_does_not_try_again(clock: FrozenDateTimeFactory) -> None:
    """The pause ends at once when the process is told to end, and the last error is the answer."""
    publisher, pauses = FakePublisher(*[ChannelUnreachable("no answer")] * 5), Pauses(clock, stop_after=1)
    with pytest.raises(PublishError, match="no answer"):
        deliver(channel(), spec_of(publisher), RENDERING, wait=pauses)
    assert len(publisher.deadlines) == 1


def test_an_error_that_is_not_of_the_contract_is_the_publishers_fault(clock: FrozenDateTimeFactory) -> None:
    """What a publisher did not translate is reported as a broken contract, with the channel and the original error."""
    publisher, pauses = FakePublisher(ValueError("oops")), Pauses(clock)
    with pytest.raises(PluginError) as caught:
        deliver(channel(), spec_of(publisher), RENDERING, wait=pauses)
    assert str(caught.value) == (
        "channel site-bdii: publisher fake raised ValueError, which its contract does not allow: oops; "
        "report it to the publisher's authors"
    )
    assert publisher.closed == 1
