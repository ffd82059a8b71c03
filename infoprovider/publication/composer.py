"""When to compose: soon after a change, when something expires, and every minute, for stamps tick by themselves."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from infoprovider.config.model import Configuration
from infoprovider.errors import InfoproviderError
from infoprovider.glue.document import Quarantined, Withheld
from infoprovider.loop import LONGEST_WAIT
from infoprovider.publication.channels import Edition
from infoprovider.publication.cycle import Current

SETTLE = 1.0
"""Seconds between a change and the composition that shows it: several come together as a rule."""

LONGEST_PAUSE = 60.0
"""Seconds between two compositions when nothing changes: ages grow, and stamps tick."""

LEISURE = 3.0
"""A composition is followed by a pause that is so many times as long as itself."""

MOST_NAMED = 20
"""Lines in the log for what one composition begins to leave out."""

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who counts what is composed."""

    def composed(
        self,
        *,
        entries: int,
        added: int,
        modified: int,
        deleted: int,
        quarantined: int,
        pruned: int,
        withheld: int,
        seconds: float,
    ) -> None:
        """A document was composed and kept."""
        ...

    def not_composed(self, reason: str) -> None:
        """No document could be composed, or it could not be kept."""
        ...


@dataclass(slots=True)
class Pace:
    """When the next composition is due, in seconds of the monotonic clock; knows no clock itself.

    `changed_at` is the first change since the last composition began, `expires_at` when the first of its facts is to be
    withheld. `ended_at` and `cost` are of the last composition.
    """

    ended_at: float = -math.inf
    cost: float = 0.0
    changed_at: float = math.inf
    expires_at: float = math.inf

    def changed(self, now: float) -> None:
        """Something is known that was not known before."""
        self.changed_at = min(self.changed_at, now)

    def began(self) -> None:
        """What is known by now will be in the document."""
        self.changed_at = math.inf

    def ended(self, now: float, cost: float, expires_at: float) -> None:
        """A composition has ended, well or not, and took so long."""
        self.ended_at, self.cost, self.expires_at = now, cost, expires_at

    @property
    def due_at(self) -> float:
        """When the next one is to begin."""
        wanted = min(self.changed_at + SETTLE, self.ended_at + LONGEST_PAUSE, self.expires_at)
        return max(wanted, self.ended_at + max(SETTLE, LEISURE * self.cost))


class Composer:
    """Composes the document of a configuration again and again, and offers each edition.

    `turn` is for a loop. `hold(is_complete, seconds)` lets it wait at the start until enough is known.
    """

    def __init__(
        self,
        configuration: Configuration,
        compose: Callable[[Configuration], Current],
        offer: Callable[[Edition], None],
        listener: Listener,
    ) -> None:
        self._configuration = configuration
        self._compose = compose
        self._offer = offer
        self._listener = listener
        self._pace = Pace()
        self._awake = threading.Condition()
        self._held_until = -math.inf
        self._is_complete: Callable[[], bool] = lambda: True
        self._last_fault = ""
        self._left_out: frozenset[str] = frozenset()

    def hold(self, is_complete: Callable[[], bool], seconds: float) -> None:
        """Compose nothing before this holds, or so much time has passed."""
        self._is_complete, self._held_until = is_complete, time.monotonic() + seconds

    def take(self, configuration: Configuration) -> None:
        """Compose by this configuration from now on, and soon."""
        with self._awake:
            self._configuration = configuration
        self.changed()

    def changed(self) -> None:
        """Something is known that was not known before."""
        with self._awake:
            self._pace.changed(time.monotonic())
            self._awake.notify_all()

    def wake(self) -> None:
        """End the waiting."""
        with self._awake:
            self._awake.notify_all()

    def turn(self) -> None:
        """Compose if that is due; else wait for it, or a little while."""
        with self._awake:
            wait = self._pace.due_at - time.monotonic()
            if wait > 0:
                self._awake.wait(min(LONGEST_WAIT, wait))
                return
            if self._is_held():
                self._awake.wait(SETTLE)
                return
            self._pace.began()
            configuration = self._configuration
        self._compose_by(configuration)

    def _is_held(self) -> bool:
        if time.monotonic() < self._held_until and not self._is_complete():
            return True
        self._held_until = -math.inf
        return False

    def _compose_by(self, configuration: Configuration) -> None:
        began = time.monotonic()
        expires_at = math.inf
        try:
            current = self._compose(configuration)
            expires_at = began + _seconds_left(current)
        except InfoproviderError as error:
            self._say(f"nothing new is published: {error}")
            self._listener.not_composed(str(error))
        except Exception as error:
            self._listener.not_composed(f"{type(error).__name__}: {error}")
            raise
        else:
            self._say(f"the document is handed out, but not kept: {current.not_kept}" if current.not_kept else "")
            self._say_left_out(current)
            self._offer(Edition(configuration, current, expires_at))
            if current.not_kept:
                self._listener.not_composed(str(current.not_kept))
            else:
                self._count(current, time.monotonic() - began)
        finally:
            now = time.monotonic()
            with self._awake:
                self._pace.ended(now, now - began, expires_at)

    def _say(self, fault: str) -> None:
        """Log what keeps the document from being composed when it begins and when it ends, not every minute."""
        if fault and fault != self._last_fault:
            log.error("%s", fault)
        elif self._last_fault and not fault:
            log.warning("the document is composed again")
        self._last_fault = fault

    def _say_left_out(self, current: Current) -> None:
        """Log what begins to be left out, not every minute that it still is."""
        found: tuple[Withheld | Quarantined, ...] = (*current.composition.document.withheld, *current.quarantined)
        new = {one.id: one for one in found if one.id not in self._left_out}
        for one in list(new.values())[:MOST_NAMED]:
            log.warning("%s %s is left out: %s", one.entity, one.id, one.why)
        if len(new) > MOST_NAMED:
            log.warning("%d more are left out; `infoprovider show --left-out` names them", len(new) - MOST_NAMED)
        self._left_out = frozenset(one.id for one in found)

    def _count(self, current: Current, seconds: float) -> None:
        document = current.composition.document
        self._listener.composed(
            entries=len(document.made),
            added=current.changes.added,
            modified=current.changes.modified,
            deleted=current.changes.deleted,
            quarantined=len(current.quarantined),
            pruned=len(document.pruned),
            withheld=len(document.withheld),
            seconds=seconds,
        )


def _seconds_left(current: Current) -> float:
    """How long the first of its facts still may be published."""
    return (current.composition.expires_at - current.composition.composed_at).total_seconds()
