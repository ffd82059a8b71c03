"""The contract checks for publishers: an honest one passes, and every planted breach is seen."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infoprovider import plugins
from infoprovider.deadline import Deadline
from infoprovider.errors import ChannelUnreachable, Refused
from infoprovider.publishers.contract import Delivery, Format, PublisherSpec, Receipt, Rendering
from infoprovider.settings import Settings
from infoprovider.testing import check_publisher


class Shelf:
    """A channel that keeps what it is given."""

    def __init__(self) -> None:
        self.held: bytes | None = None

    def probe(self, _deadline: Deadline, /) -> None:
        """It always could."""

    def former(self, _deadline: Deadline, /) -> bytes | None:
        """What it keeps."""
        return self.held

    def publish(self, rendering: Rendering, _deadline: Deadline, /) -> Receipt:
        """Keep it."""
        unchanged = self.held == rendering.body
        self.held = rendering.body
        delivery = Delivery.UNCHANGED if unchanged else Delivery.ACCEPTED
        return Receipt(delivery=delivery, at=datetime.now(UTC), reference="the shelf")


def spec_of(shelf: Any, **others: Any) -> PublisherSpec[Any]:
    """A publisher with this channel."""

    @contextmanager
    def opened(_settings: Settings, _deadline: Deadline, /) -> Iterator[Any]:
        yield shelf

    given = {"kind": "planted", "settings": Settings, "accepts": frozenset(Format), "open": opened} | others
    return PublisherSpec(**given)


class Checker:
    """Checks planted publishers as an author would."""

    def __init__(self, register: Callable[[str, Any], None]) -> None:
        self._register = register

    def __call__(self, spec: PublisherSpec[Any], **options: Any) -> list[str]:
        """The breaches of a publisher that is installed."""
        self._register(plugins.PUBLISHERS, spec)
        return check_publisher(spec, Settings(), **options)

    def ldif(self, shelf: Any, **options: Any) -> list[str]:
        """The breaches of a channel that takes LDIF alone."""
        return self(spec_of(shelf, accepts=frozenset({Format.LDIF})), **options)


@pytest.fixture
def check(register: Callable[[str, Any], None]) -> Checker:
    """The check, for planted publishers."""
    return Checker(register)


def test_an_honest_publisher_has_no_breach(check: Checker) -> None:
    """In every format that it accepts."""
    shelf = Shelf()
    assert check(spec_of(shelf)) == []
    assert shelf.held is not None
    assert shelf.held.startswith(b"<?xml")


def test_a_publisher_of_no_format_is_seen(check: Checker) -> None:
    """Nothing could be published there."""
    assert check(spec_of(Shelf(), accepts=frozenset())) == ["the spec accepts no format"]


def test_a_probe_that_publishes_is_seen(check: Checker) -> None:
    """A probe proves that it could, and does not."""

    class Eager(Shelf):
        def probe(self, _deadline: Deadline, /) -> None:
            self.held = (self.held or b"") + b"probe"

    assert "ldif: probe changed what the channel hands out" in check.ldif(Eager())


def test_a_channel_that_hands_out_something_else_is_seen(check: Checker) -> None:
    """It said that it took the document."""

    class Mangling(Shelf):
        def former(self, _deadline: Deadline, /) -> bytes | None:
            return self.held and self.held.upper()

    assert "ldif: after a publication the channel hands out something else" in check.ldif(Mangling())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"at": datetime(2026, 1, 1)}, "its receipt's moment is not in UTC: 2026-01-01T00:00:00"),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, "its receipt's moment is not that of the publication: 2026-01-01"),
        ({"at": datetime.now(UTC) + timedelta(hours=1)}, "its receipt's moment is not that of the publication: "),
        ({"reference": ""}, "its receipt has no reference"),
        ({"delivery": "accepted"}, "its receipt says 'accepted' where a Delivery belongs"),
    ],
    ids=["naive", "past", "future", "no reference", "text"],
)
def test_a_wrong_receipt_is_seen(check: Checker, change: dict[str, Any], said: str) -> None:
    """It is what `show` tells of a delivery."""

    class Careless(Shelf):
        def publish(self, rendering: Rendering, deadline: Deadline, /) -> Receipt:
            return replace(super().publish(rendering, deadline), **change)

    (breach,) = check.ldif(Careless())
    assert breach.startswith(f"ldif: {said}")


def test_no_receipt_at_all_is_seen(check: Checker) -> None:
    """A publisher says truly what happened."""

    class Mute(Shelf):
        def publish(self, rendering: Rendering, deadline: Deadline, /) -> Receipt:
            super().publish(rendering, deadline)
            return None  # type: ignore[return-value]

    assert check.ldif(Mute()) == ["ldif: it returned NoneType where a Receipt belongs"]


def failing(error: Exception) -> Shelf:
    """A channel that takes nothing."""

    class Failing(Shelf):
        def publish(self, _rendering: Rendering, _deadline: Deadline, /) -> Receipt:
            raise error

    return Failing()


def test_a_foreign_error_is_seen(check: Checker) -> None:
    """It would be told as a fault of the publisher."""
    (breach,) = check.ldif(failing(TimeoutError("timed out")))
    assert breach == (
        "ldif: it raised TimeoutError: timed out; only PublishError and those derived from it may leave a publisher"
    )


def test_a_channel_that_takes_nothing_checks_nothing(check: Checker) -> None:
    """An author whose settings are wrong must not believe that all is well."""
    assert check.ldif(failing(ChannelUnreachable("nobody answers"))) == [
        "ldif: the channel took nothing, so little could be checked: nobody answers"
    ]


def test_a_refusal_without_time_is_no_breach(check: Checker) -> None:
    """A deadline that has passed may be said."""

    class Punctual(Shelf):
        def probe(self, deadline: Deadline, /) -> None:
            if not deadline.remaining():
                raise Refused("too late")

    assert check.ldif(Punctual()) == []


def test_a_publisher_that_does_not_look_at_its_deadline_is_seen(check: Checker) -> None:
    """A hung broker must not keep the others waiting."""

    class Slow(Shelf):
        def probe(self, _deadline: Deadline, /) -> None:
            time.sleep(1.2)

    assert check.ldif(Slow()) == ["ldif: it was told to be done in 0 s, and still ran 1 s after that"]


def test_what_is_printed_is_seen(check: Checker) -> None:
    """Unless that is the channel."""

    class Talkative(Shelf):
        def probe(self, _deadline: Deadline, /) -> None:
            print("probing")

    assert check.ldif(Talkative()) == ["ldif: it wrote to standard output: 'probing\\n'"]
    assert check.ldif(Talkative(), may_print=True) == []


def test_a_secret_that_shows_is_seen(check: Checker) -> None:
    """In a receipt, or in what is logged."""

    class Telling(Shelf):
        def publish(self, rendering: Rendering, deadline: Deadline, /) -> Receipt:
            return replace(super().publish(rendering, deadline), reference="stomp://user:s3cr3t@broker")

    assert check.ldif(Telling(), secrets=["s3cr3t"]) == [
        "the text of a secret shows in what it answered, logged, raised or printed"
    ]
