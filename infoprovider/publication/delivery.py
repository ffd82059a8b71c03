"""Retry and deadline around a publisher, which itself sends once and says truly what happened.

There is no queue of former documents: a late document of an information service is worse than none.
"""

import logging
from collections.abc import Callable

from infoprovider.config.model import Channel
from infoprovider.deadline import Deadline
from infoprovider.errors import InfoproviderError, PluginError, PublishError
from infoprovider.publishers.contract import AnyPublisherSpec, Receipt, Rendering

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before the second, third, … attempt."""

log = logging.getLogger(__name__)


def deliver(
    channel: Channel, spec: AnyPublisherSpec, rendering: Rendering, *, wait: Callable[[float], bool]
) -> Receipt:
    """Hand the rendering to the channel and return what it answered.

    Each attempt has the channel's deadline. Only a retryable PublishError is tried again, after growing pauses, and not
    beyond the channel's own rhythm: then a newer document is due. `wait` pauses for so many seconds and returns True
    where no further attempt is wanted (the `wait` of a `threading.Event` that is set when the process shall end).
    Raises PublishError when the channel did not take it, PluginError when the publisher broke its contract or does not
    take this format.
    """
    if rendering.format not in spec.accepts:
        raise PluginError(
            f"channel {channel.name}: a publisher of kind {spec.kind} does not take {rendering.format}",
            remedy=f"write format: {' or '.join(sorted(spec.accepts))} for the channel",
        )
    newer_is_due = Deadline.after(channel.block.every)
    attempt = 1
    while True:
        try:
            return _attempt(channel, spec, rendering)
        except PublishError as error:
            pause = PAUSES[attempt - 1] if attempt <= len(PAUSES) else None
            if not error.retryable or pause is None or pause >= newer_is_due.remaining() or wait(pause):
                times = f" (attempt {attempt})" if attempt > 1 else ""
                raise type(error)(f"channel {channel.name}{times}: {error}") from error
            log.warning("channel %s, attempt %d: %s; next attempt after %g s", channel.name, attempt, error, pause)
            attempt += 1


def former(channel: Channel, spec: AnyPublisherSpec) -> bytes | None:
    """What the channel hands out now, where it can tell. Raises PublishError."""
    deadline = Deadline.after(channel.block.deadline)
    try:
        with spec.open(channel.settings, deadline) as publisher:
            return publisher.former(deadline)
    except PublishError as error:
        raise type(error)(f"channel {channel.name}: {error}") from error


def _attempt(channel: Channel, spec: AnyPublisherSpec, rendering: Rendering) -> Receipt:
    deadline = Deadline.after(channel.block.deadline)
    try:
        with spec.open(channel.settings, deadline) as publisher:
            return publisher.publish(rendering, deadline)
    except InfoproviderError:
        raise
    except Exception as error:
        raise PluginError(
            f"channel {channel.name}: publisher {spec.kind} raised {type(error).__name__}, "
            f"which its contract does not allow: {error}",
            remedy="report it to the publisher's authors",
        ) from error
