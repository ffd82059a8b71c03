"""Retry and deadline around a publisher, which itself sends once and says truly what happened.

There is no queue of former documents: a late document of an information service is worse than none.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from infoprovider.config.model import Channel
from infoprovider.deadline import Deadline
from infoprovider.errors import InfoproviderError, PluginError, PublishError
from infoprovider.publishers.contract import (
    AnyChannelSpec,
    Format,
    Message,
    MessengerSpec,
    PublisherSpec,
    Receipt,
    Rendering,
)

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before the second, third, … attempt."""

log = logging.getLogger(__name__)


Wait = Callable[[float], bool]
"""Pauses for so many seconds; True where no further attempt is wanted (the `wait` of a `threading.Event` that is set
when the process shall end)."""


def deliver(channel: Channel, spec: PublisherSpec[Any], rendering: Rendering, *, wait: Wait) -> Receipt:
    """Hand the rendering to the channel and return what it answered.

    Raises PublishError when the channel did not take it, PluginError when the publisher broke its contract or does not
    take this format.
    """
    check_format(spec, channel, rendering.format)

    def attempt(deadline: Deadline) -> Receipt:
        with spec.open(channel.settings, deadline) as publisher:
            return publisher.publish(rendering, deadline)

    return _until_taken(channel, spec, attempt, wait)


def send(channel: Channel, spec: MessengerSpec[Any], messages: Sequence[Message], *, wait: Wait) -> Receipt:
    """Hand all messages to the channel, at each attempt all of them anew: readers take none twice.

    Raises PublishError where one of them may not have been taken, PluginError when the messenger broke its contract.
    """

    def attempt(deadline: Deadline) -> Receipt:
        with spec.open(channel.settings, deadline) as messenger:
            return messenger.send(messages, deadline)

    return _until_taken(channel, spec, attempt, wait)


def check_format(spec: AnyChannelSpec, channel: Channel, format_: Format) -> None:
    """Refuse a format that the channel's kind does not take. Raises PluginError."""
    if format_ not in spec.accepts:
        raise PluginError(
            f"channel {channel.name}: a publisher of kind {spec.kind} does not take {format_}",
            remedy=f"write format: {' or '.join(sorted(spec.accepts))} for the channel",
        )


def _until_taken(channel: Channel, spec: AnyChannelSpec, attempt: Callable[[Deadline], Receipt], wait: Wait) -> Receipt:
    """Attempt until one succeeds.

    Each attempt has the channel's deadline. Only a retryable PublishError is tried again, after growing pauses, and not
    beyond the channel's own rhythm: then a newer document is due.
    """
    newer_is_due = Deadline.after(channel.block.every)
    number = 1
    while True:
        try:
            return _once(channel, spec, attempt)
        except PublishError as error:
            pause = PAUSES[number - 1] if number <= len(PAUSES) else None
            if not error.retryable or pause is None or pause >= newer_is_due.remaining() or wait(pause):
                times = f" (attempt {number})" if number > 1 else ""
                raise type(error)(f"channel {channel.name}{times}: {error}") from error
            log.warning("channel %s, attempt %d: %s; next attempt after %g s", channel.name, number, error, pause)
            number += 1


def former(channel: Channel, spec: PublisherSpec[Any]) -> bytes | None:
    """What the channel hands out now, where it can tell. Raises PublishError."""
    deadline = Deadline.after(channel.block.deadline)
    try:
        with spec.open(channel.settings, deadline) as publisher:
            return publisher.former(deadline)
    except PublishError as error:
        raise type(error)(f"channel {channel.name}: {error}") from error


def _once(channel: Channel, spec: AnyChannelSpec, attempt: Callable[[Deadline], Receipt]) -> Receipt:
    try:
        return attempt(Deadline.after(channel.block.deadline))
    except InfoproviderError:
        raise
    except Exception as error:
        raise PluginError(
            f"channel {channel.name}: publisher {spec.kind} raised {type(error).__name__}, "
            f"which its contract does not allow: {error}",
            remedy="report it to the publisher's authors",
        ) from error
