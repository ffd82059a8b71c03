"""Collects every instance when it is its turn: one thread that decides, and one for each collection that runs."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from infoprovider.clock import Clock, age
from infoprovider.collection.cycle import Keeper, Run, collect_instance
from infoprovider.collection.halt import Halted
from infoprovider.collection.rota import Rota, Round
from infoprovider.config.model import Configuration, Instance
from infoprovider.errors import InfoproviderError, StoreError
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Outcome
from infoprovider.loop import LONGEST_WAIT
from infoprovider.providers.contract import AnyProviderSpec

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who counts what is collected."""

    def collected(self, instance: str, outcome: Outcome, seconds: float) -> None:
        """A collection took so long and is kept."""
        ...

    def skipped(self, instance: str) -> None:
        """A round was left out: the former one took too long, or too many others were running."""
        ...

    def fault(self, where: str) -> None:
        """Something happened that nobody foresaw."""
        ...


class Collector:
    """The instances of a configuration, each collected at its own pace and when it is poked.

    `turn` is for a loop: it starts what is due, and waits for what is due next. `changed` is called after every
    collection, from any thread.
    """

    def __init__(
        self,
        provider: Callable[[str], AnyProviderSpec],
        keeper: Keeper,
        run: Run,
        clock: Clock,
        listener: Listener,
        changed: Callable[[], None],
    ) -> None:
        self._provider = provider
        self._keeper = keeper
        self._run = run
        self._clock = clock
        self._listener = listener
        self._changed = changed
        self._instances: dict[str, Instance] = {}
        self._rota = Rota(at_once=1, pause=0)
        self._awake = threading.Condition()
        self._threads: set[threading.Thread] = set()

    def take(self, configuration: Configuration) -> None:
        """Collect these instances from now on: new and changed ones at once, unchanged ones go on as they are.

        A collection of a former instance runs to its end.
        """
        with self._awake:
            former = self._instances
            self._instances = {instance.name: instance for instance in configuration.instances}
            self._rota.at_once = configuration.collection.at_once
            self._rota.pause = configuration.collection.pause
            for name in self._rota.instances - self._instances.keys():
                self._rota.dismiss(name)
            now = self._now()
            for name, instance in self._instances.items():
                every = paces(configuration, instance, self._provider(instance.block.kind))
                if name in former and former[name] != instance:
                    self._rota.assign(name, every, {}, now)
                elif name not in former or self._rota.paces(name) != every:
                    self._rota.assign(name, every, self._asked(name, now), now)
            self._awake.notify_all()

    def poke(self, instance: str, facets: Iterable[Facet] | None = None) -> frozenset[Facet]:
        """Ask for these facets as soon as may be, for all without any; which of them the instance is asked for.

        None for an instance that is not collected.
        """
        with self._awake:
            wanted = self._rota.poke(instance, frozenset(Facet) if facets is None else facets, self._now())
            self._awake.notify_all()
        return wanted

    @property
    def instances(self) -> frozenset[str]:
        """Who is collected."""
        with self._awake:
            return frozenset(self._instances)

    def turn(self) -> None:
        """Start what is due, and wait for what is due next, or a little while."""
        with self._awake:
            rounds = self._rota.rounds(self._now())
            if not rounds:
                self._awake.wait(min(LONGEST_WAIT, max(0.0, self._rota.wake_at() - self._now())))
        for one in rounds:
            self._start(one)

    def wake(self) -> None:
        """End the waiting."""
        with self._awake:
            self._awake.notify_all()

    def join(self, seconds: float) -> list[str]:
        """Wait so long for the collections that still run; those that have not ended."""
        until = time.monotonic() + seconds
        with self._awake:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return [thread.name for thread in threads if thread.is_alive()]

    def _start(self, one: Round) -> None:
        with self._awake:
            instance = self._instances.get(one.instance)
        thread = threading.Thread(
            target=self._collect, args=(instance, one), name=f"collection of {one.instance}", daemon=True
        )
        with self._awake:
            self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError as error:  # too many threads on this machine
            log.error("%s cannot be collected now: %s", one.instance, error)  # noqa: TRY400
            self._ended(one, thread)

    def _collect(self, instance: Instance | None, one: Round) -> None:
        try:
            if instance is not None:
                self._collect_and_say(instance, one)
        except Halted:
            return
        except InfoproviderError as error:
            log.error("%s: what was collected is not kept: %s", one.instance, error)  # noqa: TRY400
        except Exception:
            log.exception("a fault of this program in the collection of %s; it goes on", one.instance)
            self._listener.fault("collection")
        finally:
            self._ended(one, threading.current_thread())
        self._changed()

    def _collect_and_say(self, instance: Instance, one: Round) -> None:
        about = {"instance": instance.name}
        for _ in range(one.missed):
            self._listener.skipped(instance.name)
        if one.missed:
            log.warning("%s: rounds that were left out: %d", instance.name, one.missed, extra=about)
        began = time.monotonic()
        spec = self._provider(instance.block.kind)
        outcome = collect_instance(instance, spec, one.wanted, self._keeper, self._run, self._clock)
        seconds = time.monotonic() - began
        failed = [problem for problem in outcome.failed if problem.facet in one.wanted]
        for reason in dict.fromkeys(problem.reason for problem in failed):
            facets = dict.fromkeys(problem.facet for problem in failed if problem.reason == reason)
            log.warning("%s: %s not collected: %s", instance.name, ", ".join(facets), reason, extra=about)
        asked = ", ".join(sorted(one.wanted))
        log.info("%s: asked for %s in %.1f s", instance.name, asked, seconds, extra=about)
        self._listener.collected(instance.name, outcome, seconds)

    def _ended(self, one: Round, thread: threading.Thread) -> None:
        with self._awake:
            self._threads.discard(thread)
            self._rota.ended(one.instance, self._now())
            self._awake.notify_all()

    def _asked(self, instance: str, now: float) -> dict[Facet, float]:
        """When each facet was asked for last, on the clock of the boot, also where that was before it."""
        try:
            outcome = self._keeper.outcome(instance)
        except StoreError as error:
            log.error("%s: %s", instance, error, extra={"instance": instance})  # noqa: TRY400
            return {}
        reading = self._clock.read()
        attempts = outcome.attempts if outcome else ()
        return {attempt.facet: now - age(attempt.at, reading).total_seconds() for attempt in attempts}

    def _now(self) -> float:
        return self._clock.read().uptime


def paces(configuration: Configuration, instance: Instance, spec: AnyProviderSpec) -> dict[Facet, float]:
    """How often each facet of an instance is asked for, in seconds; what the operator declares is not.

    A description costs nothing to read: it is read whole, as often as its most frequent facet.
    """
    every = {
        facet: configuration.every_of(instance, facet) for facet in sorted(spec.facets - frozenset(instance.declared))
    }
    if spec.measures or not every:
        return every
    return dict.fromkeys(every, min(every.values()))
