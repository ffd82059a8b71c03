"""Whose turn it is: which instance is to be asked for which facets, and when.

Knows no threads and no clock but the moments that it is told, in seconds of a clock that only goes forward. Each facet
of an instance has a grid of moments, its `every` apart and shifted by the instance's name: so many instances spread
over the time, whenever infoprovider was started, and facets whose moments fall together are asked for together.
"""

import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from infoprovider.inventory.model import Facet

TOGETHER = 1.0
"""Seconds by which a facet may come early to be asked for with others."""

_ROUNDING = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One collection that is to start now, and how many were missed since the last one, for lack of time or of room."""

    instance: str
    wanted: frozenset[Facet]
    missed: int


@dataclass(slots=True)
class _Turn:
    """An instance: how often each facet is asked for, when each is due next, and when it may be at the earliest."""

    every: Mapping[Facet, float]
    due: dict[Facet, float] = field(default_factory=dict)
    free_from: float = -math.inf

    @property
    def due_at(self) -> float:
        return max(self.free_from, min(self.due.values(), default=math.inf))


class Rota:
    """The instances' turns; `at_once` rounds may run side by side, and `pause` seconds lie between two of an instance.

    However often an instance is poked meanwhile, that makes one round: what is due is a set of facets.
    """

    def __init__(self, at_once: int, pause: float) -> None:
        self.at_once = at_once
        self.pause = pause
        self._turns: dict[str, _Turn] = {}
        self._running: set[str] = set()

    @property
    def instances(self) -> frozenset[str]:
        """Who has a turn."""
        return frozenset(self._turns)

    def paces(self, instance: str) -> Mapping[Facet, float]:
        """How often each facet of an instance is asked for."""
        return self._turns[instance].every

    def assign(self, instance: str, every: Mapping[Facet, float], asked: Mapping[Facet, float], now: float) -> None:
        """Give an instance its turns: what was never asked for is due at once, the rest when its time has passed.

        `asked` are the moments of the last attempts.
        """
        turn = self._turns.setdefault(instance, _Turn(every))
        turn.every = every
        turn.due = {
            facet: max(now, min(next_tick(instance, seconds, now), asked.get(facet, -math.inf) + seconds))
            for facet, seconds in every.items()
        }

    def dismiss(self, instance: str) -> None:
        """Take an instance's turns away; a round of it that runs, runs to its end."""
        self._turns.pop(instance, None)

    def poke(self, instance: str, facets: Iterable[Facet], now: float) -> frozenset[Facet]:
        """Make these facets due now, those of them that the instance is asked for at all: these are returned.

        Also where they are being asked for at this moment: what is read may be older than the poke.
        """
        turn = self._turns.get(instance)
        if turn is None:
            return frozenset()
        known = frozenset(facets) & turn.every.keys()
        turn.due.update({facet: min(now, turn.due[facet]) for facet in known})
        return known

    def rounds(self, now: float) -> list[Round]:
        """What is to start now; each counts as running until it has `ended`. Who has waited longest comes first."""
        waiting = sorted(
            (min(turn.due.values()), instance)
            for instance, turn in self._turns.items()
            if turn.due_at <= now and instance not in self._running
        )
        room = max(0, self.at_once - len(self._running))
        return [self._started(instance, now) for _, instance in waiting[:room]]

    def ended(self, instance: str, now: float) -> None:
        """The round of an instance is over."""
        self._running.discard(instance)
        if instance in self._turns:
            self._turns[instance].free_from = now + self.pause

    def wake_at(self) -> float:
        """When the next round may start, unless something happens before."""
        if len(self._running) >= self.at_once:
            return math.inf
        idle = (turn.due_at for instance, turn in self._turns.items() if instance not in self._running)
        return min(idle, default=math.inf)

    def _started(self, instance: str, now: float) -> Round:
        self._running.add(instance)
        turn = self._turns[instance]
        wanted = frozenset(facet for facet, due in turn.due.items() if due <= now + TOGETHER)
        missed = max(missed_ticks(instance, turn.every[facet], turn.due[facet], now) for facet in wanted)
        turn.due.update({facet: next_tick(instance, turn.every[facet], max(now, turn.due[facet])) for facet in wanted})
        return Round(instance=instance, wanted=wanted, missed=missed)


def next_tick(instance: str, every: float, now: float) -> float:
    """The first moment of a grid after this one."""
    return (_ticks(instance, every, now) + 1) * every + _shift(instance)


def missed_ticks(instance: str, every: float, due: float, now: float) -> int:
    """How many moments of a grid have passed since something was due, besides the one that is served now."""
    return max(0, _ticks(instance, every, now) - _ticks(instance, every, due - 2 * _ROUNDING) - 1)


def _ticks(instance: str, every: float, moment: float) -> int:
    return math.floor((moment + _ROUNDING - _shift(instance)) / every)


def _shift(instance: str) -> float:
    """The same at every start and on every machine, and for facets of every pace: multiples fall together."""
    return zlib.crc32(instance.encode()) / 1000
