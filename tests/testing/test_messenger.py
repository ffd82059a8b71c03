"""The contract check for messengers: an honest one passes, and every planted breach is seen."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infoprovider import plugins
from infoprovider.deadline import Deadline
from infoprovider.errors import ChannelUnreachable, Unconfirmed
from infoprovider.publishers.contract import Delivery, Format, Message, MessengerSpec, Receipt
from infoprovider.settings import Settings
from infoprovider.testing import check_messenger


class Post:
    """A channel that takes every message, unless there is no time."""

    def __init__(self) -> None:
        self.taken: list[Message] = []

    def probe(self, deadline: Deadline, /) -> None:
        """It could, given time."""
        if not deadline.remaining():
            raise Unconfirmed("there is no time; give it some")

    def send(self, messages: Sequence[Message], deadline: Deadline, /) -> Receipt:
        """Take them."""
        self.probe(deadline)
        self.taken += messages
        return self.receipt()

    def receipt(self) -> Receipt:
        """What it answers."""
        return Receipt(delivery=Delivery.ACCEPTED, at=datetime.now(UTC), reference="7")


Check = Callable[..., list[str]]


@pytest.fixture
def check(register: Callable[[str, Any], None]) -> Check:
    """The breaches of a messenger with this channel, which is installed."""

    def checked(post: Post, accepts: frozenset[Format] = frozenset({Format.JSON}), **options: Any) -> list[str]:
        @contextmanager
        def opened(_settings: Settings, _deadline: Deadline, /) -> Iterator[Post]:
            yield post

        spec = MessengerSpec(kind="planted", settings=Settings, accepts=accepts, open=opened)
        register(plugins.PUBLISHERS, spec)
        return check_messenger(spec, Settings(), **options)

    return checked


def test_an_honest_messenger_has_no_breach(check: Check) -> None:
    """It is given one message of each kind."""
    post = Post()
    assert check(post) == []
    assert [message.kind for message in post.taken] == ["snapshot", "delta", "notice"]


def test_a_messenger_of_no_format_is_seen(check: Check) -> None:
    """No channel could use it."""
    assert check(Post(), frozenset()) == ["the spec accepts no format"]


@pytest.mark.parametrize(
    ("receipt", "said"),
    [
        (None, "it returned NoneType where a Receipt belongs"),
        (Receipt(delivery=Delivery.ACCEPTED, at=datetime(2020, 1, 1, tzinfo=UTC), reference="7"), "not that of the"),
        (Receipt(delivery=Delivery.ACCEPTED, at=datetime.now(UTC) + timedelta(hours=1), reference=""), "no reference"),
        (Receipt(delivery=Delivery.UNCHANGED, at=datetime.now(UTC), reference="7"), "says that nothing changed"),
    ],
)
def test_a_wrong_receipt_is_seen(check: Check, monkeypatch: pytest.MonkeyPatch, receipt: Any, said: str) -> None:
    """A receipt is the only proof that there is."""
    post = Post()
    monkeypatch.setattr(post, "receipt", lambda: receipt)
    assert any(said in breach for breach in check(post))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("odd"), "it raised ValueError: odd; only PublishError"),
        (ChannelUnreachable("nobody is there; call somebody"), "the channel took nothing, so little could be checked"),
    ],
)
def test_an_error_is_told(check: Check, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str) -> None:
    """A foreign one as a breach, and one of the contract as a check that says little."""
    post = Post()

    def fail(*_: Any) -> Receipt:
        raise error

    monkeypatch.setattr(post, "send", fail)
    assert any(said in breach for breach in check(post))


def test_a_messenger_that_does_not_look_at_its_deadline_is_seen(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hold up the delivery."""
    post = Post()
    monkeypatch.setattr(post, "probe", lambda _: time.sleep(3))
    assert any("still ran 1 s after that" in breach for breach in check(post, deadline=0.5))


def test_what_is_printed_and_a_secret_that_shows_are_seen(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output is the document's, and a secret nobody's."""
    post = Post()
    monkeypatch.setattr(post, "probe", lambda _: print("hush"))
    monkeypatch.setattr(
        post, "receipt", lambda: Receipt(delivery=Delivery.ACCEPTED, at=datetime.now(UTC), reference="hush")
    )
    found = check(post, secrets=["hush"])
    assert any("it wrote to standard output" in breach for breach in found)
    assert any("secret" in breach for breach in found)
