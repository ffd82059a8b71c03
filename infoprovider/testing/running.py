"""Runs a plug-in's code in bounded time, and notes what it does beside answering: what it prints, logs and raises."""

import io
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field

PATIENCE = 1.0
"""Seconds after a deadline in which whoever was given it has to be done."""


@dataclass(slots=True)
class Noted:
    """What was seen: `printed` on standard output, `logged` anywhere, and what was raised."""

    printed: str = ""
    logged: list[str] = field(default_factory=list)
    error: BaseException | None = None
    is_over: bool = True


def run(function: Callable[[], None], seconds: float) -> Noted:
    """Run a function that has so many seconds, and a little patience; it is left to itself where it needs more."""
    noted = Noted()

    def body() -> None:
        try:
            function()
        except BaseException as error:  # what it is, is for the check to judge
            noted.error = error

    # A daemon: a function that never ends must not keep the tests from ending.
    thread = threading.Thread(target=body, daemon=True)
    with _logs(noted.logged), _standard_output(noted):
        thread.start()
        thread.join(seconds + PATIENCE)
        noted.is_over = not thread.is_alive()
    return noted


class Noting(logging.Handler):
    """Notes every record that is logged, with its traceback, as text."""

    def __init__(self, logged: list[str]) -> None:
        super().__init__()
        self._logged = logged
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Note a record."""
        self._logged.append(self.format(record))


@contextmanager
def _logs(logged: list[str]) -> Iterator[None]:
    handler = Noting(logged)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


@contextmanager
def _standard_output(noted: Noted) -> Iterator[None]:
    """Python's standard output and the process's, which a library in C or a child process would write to."""
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            with io.TextIOWrapper(os.fdopen(os.dup(1), "wb"), write_through=True) as text, redirect_stdout(text):
                yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            file.seek(0)
            noted.printed = file.read().decode(errors="replace")
