"""Every Python that finds this first sees clocks that run ahead, by as many seconds as two files say."""

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from infoprovider import clock

FOLDER = Path(os.environ["XDG_CACHE_HOME"])
read, wall, of = clock.Clock.read, time.time, time.clock_gettime


def ahead(name: str) -> int:
    """Seconds that this clock runs ahead."""
    return int((FOLDER / name).read_text())


def moved(self: clock.Clock) -> clock.Reading:
    """Both clocks."""
    found = read(self)
    return replace(found, wall=found.wall + timedelta(seconds=ahead("wall")))


clock.Clock.read = moved  # type: ignore[method-assign]
time.time = lambda: wall() + ahead("wall")
time.clock_gettime = lambda which: of(which) + (ahead("boot") if which == time.CLOCK_BOOTTIME else 0)
