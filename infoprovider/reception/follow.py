"""The receiver: listens to a broker, has the messages' sense kept, and has it shown; until it is told to stop.

It can be run as a process of its own (`infoprovider follow`) or inside of another, by `Following`.
"""

import logging
import random
import time
from collections.abc import Callable
from functools import partial

from infoprovider.clock import Clock
from infoprovider.config.following import FollowingFile
from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, InfoproviderError, PublishError, StoreError
from infoprovider.loop import Loop
from infoprovider.messaging.connection import Connection, connected
from infoprovider.reception.copies import Copies
from infoprovider.reception.held import PREFETCH
from infoprovider.reception.receiver import Receiver
from infoprovider.reception.records import ReceiverState
from infoprovider.reception.showing import Showing
from infoprovider.reception.tree import Tree

CONNECT_SECONDS = 30.0
"""For reaching one of the brokers, and for subscribing."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two connections; each pause is twice the former, and shortened at random by up to a half."""

PROVEN = 5.0
"""Seconds after which a connection has been a good one: the next pause is a short one again."""

LISTEN = 1.0
"""Seconds that one look for a message lasts, and so the longest till a word to stop is heard."""

SAVED_EVERY = 10.0
"""Seconds between two times that it is written down how we stand, where that is as it was."""

SHOWING_WITHIN = 900.0
"""Seconds that one turn of showing may take: an empty server is filled with a large centre."""

PATIENCE = 10.0
"""Seconds that showing, which has begun, has at the end."""

log = logging.getLogger(__name__)


class Following:
    """Follows what the settings name. `stop` may be called from any thread, or from the handler of a signal."""

    def __init__(self, settings: FollowingFile, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or Clock()
        self.copies = Copies(settings.folder)
        tree = Tree(settings.ldap) if settings.ldap else None
        compare_every = settings.ldap.compare_every if settings.ldap else 0.0
        self.showing = Showing(self.copies, settings.templates, tree, compare_every=compare_every)
        self.receiver = Receiver(settings, self.copies, self.showing, self._clock)
        self._loops = [
            Loop(
                f"showing in {place.name}",
                partial(self.showing.turn, place),
                within=SHOWING_WITHIN,
                wake=self.showing.wake,
                faulted=lambda _: None,
            )
            for place in self.showing.places
        ]
        self._stopped = False
        self._started = self._clock.read()
        self._looked_at = self._saved_at = 0.0
        self._saved: tuple[object, ...] = ()
        self._broker: str | None = None
        self._fault: str | None = None

    @property
    def broker(self) -> str | None:
        """The broker that we listen to now; None where there is none."""
        return self._broker

    @property
    def fault(self) -> str | None:
        """Why there is none."""
        return self._fault

    def stop(self) -> None:
        """Have `serve` return soon."""
        self._stopped = True

    def serve(self, lives: Callable[[], None] = lambda: None) -> bool:
        """Follow until we are stopped; whether everything has ended then. `lives` is called every second or so.

        Raises StoreError where the folder cannot be used, or somebody else does.
        """
        with self.copies.writing():
            self.receiver.load()
            self.showing.spare(self.receiver.centres)
            for loop in self._loops:
                loop.start()
            try:
                self._listen(lives)
            finally:
                for loop in self._loops:
                    loop.stop()
                until = Deadline.after(PATIENCE)
                has_ended = not [loop for loop in self._loops if not loop.join(until.remaining())]
                if has_ended:
                    self.showing.close()
                self._broker = None
                self._save()
        return has_ended

    def _listen(self, lives: Callable[[], None]) -> None:
        pause = FIRST_PAUSE
        while not self._stopped:
            began = time.monotonic()
            try:
                self._hear(lives)
            except (PublishError, StoreError, ConfigError) as error:
                if str(error) != self._fault:
                    log.error("%s", error)  # noqa: TRY400  (the traceback says no more)
                self._fault = str(error)
            except Exception:
                log.exception("a fault of this program while it listened; it goes on")
                self._fault = "a fault of this program; see the log"
            finally:
                self._broker = None
            if time.monotonic() - began >= PROVEN:
                pause = FIRST_PAUSE
            self._rest(pause * random.uniform(0.5, 1), lives)  # noqa: S311  (no secret)
            pause = min(LONGEST_PAUSE, 2 * pause)

    def _hear(self, lives: Callable[[], None]) -> None:
        """Listen to one connection for as long as it lasts. Raises PublishError, StoreError, ConfigError."""
        settings = self._settings
        deadline = Deadline.after(CONNECT_SECONDS)
        most = settings.limits.message_bytes
        # Two consumers of a queue may have one name, two durable subscribers may not.
        client_id = settings.subscription.name if settings.subscription.is_durable else ""
        with connected(settings.broker, deadline, client_id=client_id, most_bytes=most) as connection:
            self.receiver.begin()
            self._subscribe(connection)
            self._broker, self._fault = connection.address, None
            log.info("listening to %s", connection.address)
            while not self._stopped:
                message = connection.receive(Deadline.after(LISTEN))
                if message is not None:
                    for done in self.receiver.take(message):
                        connection.acknowledge(done)
                self._look_after(lives)

    def _subscribe(self, connection: Connection) -> None:
        subscription = self._settings.subscription
        for destination in filter(None, (subscription.documents, subscription.notices)):
            connection.subscribe(
                destination,
                Deadline.after(CONNECT_SECONDS),
                durable=subscription.durable(destination),
                selector=subscription.selector or "",
                prefetch=PREFETCH,
            )

    def _rest(self, seconds: float, lives: Callable[[], None]) -> None:
        """Wait before the next connection, and look after what there is."""
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            self._look_after(lives)
            time.sleep(min(left, LISTEN))

    def _look_after(self, lives: Callable[[], None]) -> None:
        """What has to be done whether messages come or not."""
        now = time.monotonic()
        if now - self._looked_at < LISTEN:
            return
        self._looked_at = now
        try:
            self.receiver.expire()
        except InfoproviderError as error:
            self.receiver.complain(error)
        if all(loop.is_turning for loop in self._loops):
            lives()
        if now - self._saved_at >= SAVED_EVERY or self._essence() != self._saved:
            self._save()

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        self._saved = self._essence()
        try:
            self.receiver.flush()
            self.copies.save_receiver(self.state())
        except StoreError as error:
            self.receiver.complain(error)

    def _essence(self) -> tuple[object, ...]:
        """What is written down as soon as it is something else."""
        return self._broker, self._fault, self.showing.shown()

    def state(self) -> ReceiverState:
        """How we stand."""
        return ReceiverState(
            at=self._clock.read(),
            started=self._started,
            broker=self._broker,
            fault=self._fault,
            messages=self.receiver.messages,
            counts=self.receiver.counts,
            remark=self.receiver.remark,
            shown=self.showing.shown(),
        )
