"""What `infoprovider run` is: the loops that collect, compose and deliver, and the one that listens to signals."""

import logging
import os
import queue
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from infoprovider.cli import logs, site
from infoprovider.cli.configured import Configured
from infoprovider.cli.control import Control
from infoprovider.cli.readiness import Readiness
from infoprovider.collection.collector import Collector
from infoprovider.collection.halt import Halt
from infoprovider.collection.supervisor import supervise
from infoprovider.collection.watch import Watches
from infoprovider.config.model import Channel, Configuration, Instance, TemplateSet
from infoprovider.errors import StoreError
from infoprovider.inventory.model import Facet
from infoprovider.loop import LONGEST_WAIT, Loop
from infoprovider.providers.contract import Answer, AnyProviderSpec, CollectContext
from infoprovider.publication.channels import Channels, Edition
from infoprovider.publication.composer import Composer
from infoprovider.publication.cycle import Current, Delivered, deliver_one, update
from infoprovider.store.daemon import DaemonStore
from infoprovider.store.deliveries import DeliveryStore
from infoprovider.store.document import DocumentStore
from infoprovider.store.snapshots import SnapshotStore
from infoprovider.views.exposition import Exposition
from infoprovider.views.metrics import Metrics

CONFIRMED_EVERY = 3600.0
"""Seconds between two looks at the configuration: what only the operator knows is as old as the last one."""

PATIENCE = 10.0
"""Seconds that deliveries which have begun have at the end."""

SPARE = 5.0
"""Seconds that the first answers may take beyond the longest deadline."""

log = logging.getLogger(__name__)


class Word(Enum):
    """What a signal says."""

    RELOAD = auto()
    STOP = auto()


_SIGNALS: Mapping[int, Word] = {signal.SIGTERM: Word.STOP, signal.SIGINT: Word.STOP, signal.SIGHUP: Word.RELOAD}


class Daemon:
    """Keeps one centre published."""

    def __init__(self, path: Path, configuration: Configuration) -> None:
        self._configured = Configured(path, configuration, site.read_configuration)
        self._started = self._taken = site.clock.read()
        self._confirmed_at = time.monotonic()
        self._readiness = Readiness(os.environ)
        self._metrics = Metrics(configuration, site.clock)
        self._exposition = Exposition(self._metrics.registry)
        self._hanging: set[str] = set()
        self._halt = Halt()
        self._facets = SnapshotStore(configuration.state, site.clock, self._ask_anew)
        self._channels = Channels(self._deliver, self._metrics)
        self._composer = Composer(configuration, self._compose, self._channels.offer, self._metrics)
        self._collector = Collector(
            site.provider, self._facets, self._ask, site.clock, self._metrics, self._composer.changed
        )
        self._watches = Watches(site.provider, self._collector.poke, self._metrics.fault)
        self._control = Control(configuration.state, self._answer)
        self._loops = (
            self._loop("collector", self._collector.turn, self._collector.wake, within=60),
            # A site's own templates may take their time.
            self._loop("composer", self._composer.turn, self._composer.wake, within=300),
            self._loop("control", self._control.turn, self._control.wake, within=60),
        )

    def serve(self) -> bool:
        """Publish until a signal says stop; whether everything has ended then.

        Raises StoreError where another process keeps the state folder, or where it cannot be used.
        """
        with self._facets.writing(), _signals() as words:
            self._begin()
            try:
                while (word := _next(words)) is not Word.STOP:
                    self._turn(word)
            finally:
                has_ended = self._end()
        return has_ended

    # --- beginning, going on, ending -------------------------------------------------------------------------------

    def _begin(self) -> None:
        configuration = self._configured.configuration
        self._control.open()
        self._exposition.open(configuration.metrics)
        self._hold_the_first(configuration)
        self._collector.take(configuration)
        self._watches.take(configuration)
        for loop in self._loops:
            loop.start()
        self._tell()

    def _hold_the_first(self, configuration: Configuration) -> None:
        """Wait for everybody's answer where nothing was ever published, or nothing for so long that it has expired.

        Half a centre would be no news, and what some seconds can renew need not be withdrawn before.
        """
        document = DocumentStore(configuration.state, configuration.public)
        is_first = document.former(TemplateSet.RESOURCE) is None
        if not is_first and not document.rendering_has_expired(TemplateSet.RESOURCE):
            return
        has_answered = self._has_answered if is_first else self._has_answered_now
        longest = max(instance.block.deadline for instance in configuration.instances)
        self._composer.hold(lambda: all(map(has_answered, configuration.instances)), longest + SPARE)

    def _has_answered(self, instance: Instance) -> bool:
        try:
            return self._facets.outcome(instance.name) is not None
        except StoreError:  # who cannot be read is not waited for
            return True

    def _has_answered_now(self, instance: Instance) -> bool:
        """Whether it was asked since this daemon was started."""
        try:
            outcome = self._facets.outcome(instance.name)
        except StoreError:
            return True
        moments = [one.at for one in outcome.attempts] if outcome else []
        began = self._started
        return any(at.boot == began.boot and at.uptime >= began.uptime for at in moments)

    def _turn(self, word: Word | None) -> None:
        """One round of the main loop: nothing that fails here ends it."""
        try:
            if word is Word.RELOAD:
                self._readiness.reloading()
                self._reload()
            elif time.monotonic() - self._confirmed_at >= CONFIRMED_EVERY:
                self._confirm()
        except Exception:
            log.exception("a fault of this program while the configuration was read; it goes on")
            self._metrics.fault("configuration")
        self._look_after_the_loops()

    def _look_after_the_loops(self) -> None:
        """Tell the service manager that we live, if we do; say once what hangs."""
        hanging = {loop.name for loop in self._loops if not loop.is_turning}
        if not hanging:
            self._readiness.ping()
        for name in sorted(hanging - self._hanging):
            log.critical("a fault of this program: the %s does not go on", name)
        overdue = self._channels.overdue()
        for name in sorted(overdue.keys() - self._hanging):
            log.error(
                "channel %s: its publisher has been delivering for %.0f s and keeps no deadline; see what it waits for",
                name,
                overdue[name],
                extra={"channel": name},
            )
        self._hanging = hanging | overdue.keys()

    def _reload(self) -> None:
        self._confirmed_at = time.monotonic()
        if self._configured.reload():
            configuration = self._configured.configuration
            self._taken = site.clock.read()
            logs.follow(configuration.log.format)
            self._metrics.configured(configuration)
            self._exposition.open(configuration.metrics)
            self._collector.take(configuration)
            self._watches.take(configuration)
            self._composer.take(configuration)
        self._tell()

    def _confirm(self) -> None:
        self._confirmed_at = time.monotonic()
        if self._configured.confirm():
            self._composer.take(self._configured.configuration)
        self._tell()

    def _tell(self) -> None:
        """Say how we are, to the service manager and to those who look at the state folder."""
        configuration = self._configured.configuration
        counted = f"{len(configuration.instances)} instances, {len(configuration.channels)} channels"
        self._readiness.ready(self._configured.remark or counted)
        try:
            DaemonStore(configuration.state).keep(self._started, self._taken, self._configured.faults)
        except StoreError as error:
            log.error("%s", error)  # noqa: TRY400  (the traceback says no more)

    def _end(self) -> bool:
        """End what runs: collections at once, deliveries within their patience; whether all has ended."""
        self._readiness.stopping()
        log.info("ending")
        until = time.monotonic() + PATIENCE
        self._halt.call()
        for loop in self._loops:
            loop.stop()
        self._channels.stop()
        self._watches.stop()
        late = list(self._channels.join(PATIENCE))
        late += [loop.name for loop in self._loops if not loop.join(max(0.0, until - time.monotonic()))]
        late += self._collector.join(max(1.0, until - time.monotonic()))
        if late:
            log.warning("not waited for any longer: %s", ", ".join(late))
        self._control.close()
        self._exposition.close()
        try:
            DaemonStore(self._configured.configuration.state).remove()
        except StoreError as error:
            log.error("%s", error)  # noqa: TRY400  (the traceback says no more)
        return not late

    def _loop(self, name: str, turn: Callable[[], None], wake: Callable[[], None], *, within: float) -> Loop:
        return Loop(name, turn, within=within, wake=wake, faulted=self._metrics.fault)

    # --- what the loops do -----------------------------------------------------------------------------------------

    def _ask(self, spec: AnyProviderSpec, settings: BaseModel, context: CollectContext, /) -> Iterator[Answer]:
        return supervise(
            spec.kind,
            settings,
            context,
            halt=self._halt,
            killed=lambda: self._metrics.killed(context.instance),
        )

    def _ask_anew(self, instance: str, facets: frozenset[Facet]) -> None:
        """What stood in a file that cannot be used is asked for at once, not when it is due."""
        self._collector.poke(instance, facets)

    def _compose(self, configuration: Configuration) -> Current:
        document = DocumentStore(configuration.state, configuration.public)
        return update(configuration, self._facets, document, site.now())

    def _deliver(self, channel: Channel, edition: Edition, wait: Callable[[float], bool]) -> Delivered:
        delivered = deliver_one(channel, edition.configuration, edition.current, site.publisher, wait)
        deliveries = DeliveryStore(edition.configuration.state)
        now = site.clock.read()
        try:
            if delivered.receipt is not None:
                receipt = delivered.receipt
                deliveries.succeeded(channel.name, now, receipt.delivery, receipt.reference)
            else:
                deliveries.failed(channel.name, now, str(delivered.error))
        except StoreError as error:
            log.error("%s", error)  # noqa: TRY400  (the traceback says no more)
        return delivered

    def _answer(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer who asks by the socket. Raises ValueError for what is no question."""
        try:
            instance, facets = str(question["poke"]), frozenset(Facet(name) for name in question["facets"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no question: {question!r:.200}") from error
        known = self._collector.instances
        if instance not in known:
            return {"error": f"there is no instance {instance}", "remedy": f"name one of {', '.join(sorted(known))}"}
        poked = self._collector.poke(instance, facets)
        if not poked:
            return {
                "error": f"{instance} is not asked for {', '.join(sorted(facets))}",
                "remedy": "name facets that its manager can tell and that are not declared",
            }
        return {"poked": sorted(poked)}


@contextmanager
def _signals() -> Iterator["queue.SimpleQueue[Word]"]:
    """What signals say, in their order, until they mean again what they meant before."""
    words: queue.SimpleQueue[Word] = queue.SimpleQueue()
    # SimpleQueue.put may be called from the handler of a signal, whatever it interrupts.
    former = {number: signal.signal(number, lambda number, _: words.put(_SIGNALS[number])) for number in _SIGNALS}
    try:
        yield words
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _next(words: "queue.SimpleQueue[Word]") -> Word | None:
    """The next word, or None after a while in which there was none."""
    try:
        return words.get(timeout=LONGEST_WAIT)
    except queue.Empty:
        return None
