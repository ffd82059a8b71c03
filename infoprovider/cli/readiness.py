"""What the service manager is told: that we are ready, how we are, that we live. See sd_notify(3) of systemd."""

import logging
import os
import socket
import time
from collections.abc import MutableMapping

log = logging.getLogger(__name__)


class Readiness:
    """The service manager that started this process; silent where there is none, or none that wants to be told.

    The variables that name it are taken out of the environment: they are for this process alone.
    """

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        address = environment.pop("NOTIFY_SOCKET", "")
        # A name that begins with @ is in no folder (unix(7), abstract).
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._ping_every = _half_of_watchdog(environment)
        self._pinged_at = 0.0

    def ready(self, status: str) -> None:
        """We serve, and this is how we are, in one line."""
        self._say("READY=1", f"STATUS={status.partition(chr(10))[0]}")

    def reloading(self) -> None:
        """The configuration is read again, until we are ready."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """We end."""
        self._say("STOPPING=1")

    def ping(self) -> None:
        """We live: told as often as the watchdog wants it, and best called every few seconds."""
        now = time.monotonic()
        if self._ping_every is not None and now - self._pinged_at >= self._ping_every:
            self._pinged_at = now
            self._say("WATCHDOG=1")

    def _say(self, *words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.setblocking(False)
                line.sendto("\n".join(words).encode(), self._address)
        except OSError as error:
            log.warning("the service manager cannot be told %s: %s", words[0], error)


def _half_of_watchdog(environment: MutableMapping[str, str]) -> float | None:
    """Seconds between two signs of life, None where nobody waits for them: see sd_watchdog_enabled(3)."""
    microseconds = environment.pop("WATCHDOG_USEC", "")
    pid = environment.pop("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdigit() or pid != str(os.getpid()):
        return None
    return int(microseconds) / 1e6 / 2
