"""Watches VM managers that tell by themselves when something happens, so that they are asked at once.

Each watch is a process under a guard, as a collection is. It is started anew every hour, so that whatever a library
leaks is bounded. What is missed meanwhile, the next round of the rota sees: events only make it sooner.
"""

import logging
import math
import sys
import time
from collections.abc import Callable
from contextlib import closing

from infoprovider.collection.events import from_line
from infoprovider.collection.halt import Halt
from infoprovider.collection.process import Limits, Process
from infoprovider.collection.request import to_request
from infoprovider.collection.supervisor import Named
from infoprovider.config.model import Configuration, Instance
from infoprovider.deadline import Deadline
from infoprovider.errors import InfoproviderError, Malformed
from infoprovider.inventory.freshness import DYNAMIC
from infoprovider.inventory.model import Facet
from infoprovider.loop import Loop
from infoprovider.providers.contract import AnyProviderSpec

EVENTS = (sys.executable, "-P", "-m", "infoprovider.collection.events")
"""The program of a watch."""

LASTS = 3600.0
"""Seconds after which a watch is ended and started anew."""

LIMITS = Limits(output=2**30, line=2**16, lines=10_000_000)
"""What a watch may print in that time: a storm of events is no fault."""

SHORTEST = 60.0
"""Seconds that a watch has to last for the pauses after a failure to begin anew."""

LONGEST_PAUSE = 300.0
"""Seconds between two attempts at a watch that goes on failing."""

PATIENCE = 5.0
"""Seconds in which a watch that is stopped has to end."""

log = logging.getLogger(__name__)

Poke = Callable[[str, frozenset[Facet]], object]
"""Lets an instance be asked for facets at once."""


def pause_after(failures: int) -> float:
    """Seconds between a failure and the next attempt, by how many there were in a row: 1, 2, 4, … 300."""
    return min(LONGEST_PAUSE, 2.0 ** min(failures - 1, 16))


class Watches:
    """The watches of the instances whose managers tell of events, each in a thread of its own."""

    def __init__(self, provider: Callable[[str], AnyProviderSpec], poke: Poke, faulted: Callable[[str], None]) -> None:
        self._provider = provider
        self._poke = poke
        self._faulted = faulted
        self._watches: dict[str, _Watch] = {}

    def take(self, configuration: Configuration) -> None:
        """Watch these instances from now on: changed ones anew, unchanged ones go on as they are."""
        watched = {one.name: one for one in configuration.instances if self._is_watched(one)}
        self._end([one for name, one in self._watches.items() if watched.get(name) != one.instance])
        for name, instance in watched.items():
            if name not in self._watches:
                self._watches[name] = _Watch(instance, self._poke, self._faulted)

    def stop(self) -> None:
        """End all watches."""
        self._end(list(self._watches.values()))

    def _is_watched(self, instance: Instance) -> bool:
        spec = self._provider(instance.block.kind)
        return spec.watch is not None and spec.is_watched(instance.settings)

    def _end(self, watches: "list[_Watch]") -> None:
        for one in watches:
            one.stop()
        for one in watches:
            one.close()
            del self._watches[one.instance.name]


class _Watch:
    """The watch of one instance."""

    def __init__(self, instance: Instance, poke: Poke, faulted: Callable[[str], None]) -> None:
        self.instance = instance
        self._poke = poke
        self._failures = 0
        self._last_fault = ""
        self._halt = Halt()
        self._log = Named(log, {"instance": instance.name})
        name = f"events of {instance.name}"
        self._loop = Loop(name, self._turn, within=math.inf, wake=self._halt.call, faulted=faulted)
        self._loop.start()

    def stop(self) -> None:
        """End the process, and start no other."""
        self._loop.stop()

    def close(self) -> None:
        """Wait for its end."""
        if self._loop.join(PATIENCE):
            self._halt.close()
        else:
            self._log.error("its watch does not end")

    def _turn(self) -> None:
        """One process, and the pause after it where it failed."""
        began = time.monotonic()
        fault = self._watched()
        if time.monotonic() - began >= SHORTEST:
            self._failures = 0
        if not fault:
            return
        self._failures += 1
        if fault != self._last_fault:
            self._log.warning("its events are not seen, only what is asked for at its pace: %s", fault)
        self._last_fault = fault
        self._halt.wait(pause_after(self._failures))

    def _watched(self) -> str:
        """Pass on the events of one process until it ends; why it ended, or nothing where it was time."""
        deadline = Deadline.after(LASTS)
        block = self.instance.block
        try:
            given = to_request(block.kind, self.instance.settings, self.instance.name, deadline)
            process = Process(EVENTS, given, deadline, LIMITS, self._log, self._halt)
        except InfoproviderError as error:
            return str(error)
        except OSError as error:
            return f"its process could not be started: {error}"
        with closing(process):
            self._pass_on(process)
        is_time = process.is_halted or process.was_late or (process.ended_well and deadline.remaining() < SHORTEST)
        return "" if is_time else process.ending()[0]

    def _pass_on(self, process: Process) -> None:
        faults = 0
        for line in process.lines():
            try:
                changed = from_line(line.text)
            except Malformed as error:
                self._log.error("%s", error)
                faults += 1
                if faults > LIMITS.faults:
                    process.stop(f"its process printed more than {LIMITS.faults} lines that are no events")
                continue
            if self._last_fault:
                self._log.warning("its events are seen again")
                self._last_fault = ""
            self._poke(self.instance.name, changed or DYNAMIC)
