"""The clocks: the wall clock gives stamps, the boot-time clock gives ages.

The wall clock may jump, by hand or by a time server; the boot-time clock only goes forward, in suspension too, and is
told apart from that of another boot by the boot's id. So a jump of the wall clock makes nothing look old or new.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TOLERATED = timedelta(seconds=5)
"""How far the two clocks may drift apart, by the slewing of a time server, before that counts as a jump."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment on both clocks: `wall` is aware UTC, `uptime` seconds since the boot named by `boot`."""

    wall: datetime
    uptime: float
    boot: str

    def after(self, seconds: float) -> "Reading":
        """The moment so many seconds later."""
        return Reading(self.wall + timedelta(seconds=seconds), self.uptime + seconds, self.boot)


class Clock:
    """Reads both clocks of this machine."""

    def read(self) -> Reading:
        """The present moment, the wall clock in whole seconds as GLUE writes it."""
        wall = datetime.now(UTC).replace(microsecond=0)
        return Reading(wall, time.clock_gettime(time.CLOCK_BOOTTIME), BOOT_ID.read_text().strip())


def age(then: Reading, now: Reading) -> timedelta:
    """How long ago a moment was; never negative. After a reboot only the wall clock is left to tell."""
    if then.boot == now.boot:
        return max(timedelta(0), timedelta(seconds=now.uptime - then.uptime))
    return max(timedelta(0), now.wall - then.wall)


def as_seen_now(moment: datetime, kept: Reading, now: Reading) -> datetime:
    """A moment that was noted at `kept`, on the wall clock as it goes now.

    The moment itself, unless the wall clock has jumped since: then it is moved along with the clock, so that its age
    stays what it is. Never in the future.
    """
    if kept.boot == now.boot:
        jump = (now.wall - kept.wall) - age(kept, now)
        if abs(jump) > TOLERATED:
            moment += jump
    return min(moment, now.wall)
