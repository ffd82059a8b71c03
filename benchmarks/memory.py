"""Peak memory of a program with all that it starts: a collection is a process of its own, and counts as well."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PAUSE_SECONDS = 0.2
"""One look takes some 10 ms."""


class Peak:
    """The most that was seen so far."""

    def __init__(self) -> None:
        self.megabytes = 0.0

    def look(self, pid: int) -> None:
        """Add up what the process and its descendants hold now, of what they share each its part (Pss, proc(5))."""
        self.megabytes = max(self.megabytes, sum(map(_kilobytes, _tree(pid))) / 1024)


@contextmanager
def watching(pid: int) -> Iterator[Peak]:
    """Look at a process again and again while this lasts."""
    peak, is_over = Peak(), threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            peak.look(pid)
            is_over.wait(PAUSE_SECONDS)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        is_over.set()
        watcher.join()


def _tree(pid: int) -> Iterator[int]:
    """A process and its descendants; none that has ended meanwhile."""
    yield pid
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _tree(int(child))


def _kilobytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
