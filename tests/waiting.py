"""Waiting for what other processes and threads do: for a condition, and never without an end."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 120.0
"""Seconds that anything may take: the machine may be busy with other things."""

T = TypeVar("T")


def until(holds: Callable[[], T], what: str = "it has not come to that", patience: float = PATIENCE) -> T:
    """Wait for something to come true."""
    end = time.monotonic() + patience
    while not (found := holds()):
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.05)
    return found
