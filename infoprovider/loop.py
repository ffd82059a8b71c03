"""A thread of ours that goes round until it is told to stop, and by which can be seen whether it still does."""

import logging
import threading
import time
from collections.abc import Callable

LONGEST_WAIT = 5.0
"""Seconds that a turn may wait for something to happen: then it returns, and shows by that that the loop lives."""

AFTER_A_FAULT = 1.0
"""Seconds before the next turn when one has failed: a fault that comes back at once must not take a whole processor."""

log = logging.getLogger(__name__)


class Loop:
    """Calls `turn` again and again, in a thread of its own.

    `within` is how many seconds a turn may take; one that takes longer hangs. `wake` ends the waiting inside of a turn.
    An exception that a turn lets through is a fault of ours: it is logged in full, `faulted` is told the loop's name,
    and the loop goes on.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], None],
        *,
        within: float,
        wake: Callable[[], None],
        faulted: Callable[[str], None],
    ) -> None:
        self.name = name
        self._faulted = faulted
        self._turn = turn
        self._within = within
        self._wake = wake
        self._stopped = threading.Event()
        self._turned_at = time.monotonic()
        # A library that hangs for good must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._turned_at = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Let no further turn begin, and do not wait for the present one."""
        self._stopped.set()
        self._wake()

    def join(self, seconds: float) -> bool:
        """Wait so long for the last turn of a loop that was stopped; whether it has ended."""
        until = time.monotonic() + seconds
        while self._thread.is_alive() and (left := until - time.monotonic()) > 0:
            # It may have begun to wait just after it was woken.
            self._wake()
            self._thread.join(min(left, 0.1))
        return not self._thread.is_alive()

    @property
    def is_stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped.is_set()

    @property
    def is_turning(self) -> bool:
        """Whether it lives, and its present turn takes no longer than one may."""
        return self._thread.is_alive() and time.monotonic() - self._turned_at <= self._within

    def pause(self, seconds: float) -> bool:
        """Sleep inside of a turn; whether the loop is to stop, which ends the sleep."""
        return self._stopped.wait(seconds)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._turned_at = time.monotonic()
            try:
                self._turn()
            except Exception:
                log.exception("a fault of this program in %s; it goes on", self.name)
                self._faulted(self.name)
                self._stopped.wait(AFTER_A_FAULT)
