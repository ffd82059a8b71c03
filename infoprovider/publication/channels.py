"""One thread for each channel: each has its own rhythm, gets the newest document only, and waits for no other."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from infoprovider.config.model import Channel, Configuration
from infoprovider.loop import LONGEST_WAIT, Loop
from infoprovider.publication.cycle import Current, Delivered

SPARE = 5.0
"""Seconds that a publisher may take beyond its deadlines before that is said."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Edition:
    """A composed document, and the configuration by which it was composed: it says where it goes.

    `expires_at` is when it must not be handed out any more, in seconds of the monotonic clock.
    """

    configuration: Configuration
    current: Current
    expires_at: float


Deliver = Callable[[Channel, Edition, Callable[[float], bool]], Delivered]
"""Hands one channel an edition; the function that it gets pauses, and returns True where nothing more is wanted."""


class Listener(Protocol):
    """Who counts and keeps what is delivered."""

    def delivered(self, channel: str, delivery: str | None, seconds: float) -> None:
        """A channel took a document, or did not (None)."""
        ...

    def fault(self, where: str) -> None:
        """Something happened that nobody foresaw."""
        ...


class Channels:
    """The channels of the newest edition, each served by a thread of its own."""

    def __init__(self, deliver: Deliver, listener: Listener) -> None:
        self._deliver = deliver
        self._listener = listener
        self._posts: dict[str, _Post] = {}
        self._is_stopped = False
        self._changing = threading.Lock()

    def offer(self, edition: Edition) -> None:
        """Hand this out from now on; channels that it does not name are served no more."""
        with self._changing:
            if self._is_stopped:
                return
            named = {channel.name: channel for channel in edition.configuration.channels}
            for name in self._posts.keys() - named.keys():
                self._posts.pop(name).stop()
            for name, channel in named.items():
                if name not in self._posts:
                    self._posts[name] = _Post(name, self._deliver, self._listener)
                self._posts[name].offer(channel, edition)

    def overdue(self) -> dict[str, float]:
        """The channels whose publisher keeps none of its deadlines, and since how many seconds it delivers."""
        now = time.monotonic()
        with self._changing:
            posts = tuple(self._posts.items())
        return {name: now - post.began for name, post in posts if now > post.over_by}

    def stop(self) -> None:
        """Begin no further delivery."""
        with self._changing:
            self._is_stopped = True
            for post in self._posts.values():
                post.stop()

    def join(self, seconds: float) -> tuple[str, ...]:
        """Wait so long for deliveries that have begun; the channels whose delivery has not ended."""
        until = time.monotonic() + seconds
        return tuple(name for name, post in self._posts.items() if not post.join(max(0.0, until - time.monotonic())))


class _Post:
    """Serves one channel."""

    def __init__(self, name: str, deliver: Deliver, listener: Listener) -> None:
        self._deliver = deliver
        self._listener = listener
        self._awake = threading.Condition()
        self._offered: tuple[Channel, Edition] | None = None
        self._is_wanted = False
        self._not_before = -math.inf
        self.began = -math.inf
        self.over_by = math.inf
        self._last_fault = ""
        self._loop = Loop(f"channel {name}", self._turn, within=math.inf, wake=self._wake, faulted=listener.fault)
        self._loop.start()

    def offer(self, channel: Channel, edition: Edition) -> None:
        """Deliver this from now on."""
        with self._awake:
            self._offered = channel, edition
            self._is_wanted = True
            self._awake.notify_all()

    def stop(self) -> None:
        self._loop.stop()

    def join(self, seconds: float) -> bool:
        return self._loop.join(seconds)

    def _wake(self) -> None:
        with self._awake:
            self._awake.notify_all()

    def _turn(self) -> None:
        """Deliver if there is something to deliver and the channel's pause is over; else wait for it, or a while."""
        with self._awake:
            wait = self._wait()
            if wait > 0 or self._offered is None:
                self._awake.wait(min(LONGEST_WAIT, wait))
                return
            channel, edition = self._offered
            self._is_wanted = False
        self.began = time.monotonic()
        self._not_before = self.began + channel.block.every
        # What the channel hands out now is read first, and the last attempt may begin when the next delivery is due.
        self.over_by = self.began + channel.block.every + 2 * channel.block.deadline + SPARE
        delivered = None
        try:
            delivered = self._deliver(channel, edition, self._loop.pause)
        finally:
            self.over_by = math.inf
            self._conclude(channel, delivered, time.monotonic() - self.began)

    def _wait(self) -> float:
        """Seconds till the next delivery; endless where nothing newer was offered, or what was is too old by now."""
        if self._offered is None or not self._is_wanted or self._offered[1].expires_at <= time.monotonic():
            return math.inf
        return self._not_before - time.monotonic()

    def _conclude(self, channel: Channel, delivered: Delivered | None, seconds: float) -> None:
        receipt = delivered.receipt if delivered else None
        if receipt is None:
            with self._awake:
                self._is_wanted = True
        self._listener.delivered(channel.name, None if receipt is None else receipt.delivery, seconds)
        fault = str(delivered.error) if delivered and delivered.error else ""
        if fault and fault != self._last_fault:
            log.error("%s", fault, extra={"channel": channel.name})
        elif receipt is not None and self._last_fault:
            log.warning("channel %s takes the document again", channel.name, extra={"channel": channel.name})
        self._last_fault = fault
