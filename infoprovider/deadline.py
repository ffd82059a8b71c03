"""How long is left, on the monotonic clock."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock (seconds of `time.monotonic`) by which something must have ended."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The moment that lies so many seconds ahead."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds that are left; never negative."""
        return max(0.0, self.at - time.monotonic())
