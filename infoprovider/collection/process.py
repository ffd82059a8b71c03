"""A process under its guard: what it is told, the lines that it prints, and how it ended."""

import logging
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from infoprovider.collection.halt import Halt
from infoprovider.collection.streams import Line, Lines, Remarks
from infoprovider.deadline import Deadline

INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|LD_LIBRARY_PATH|PYTHONPATH|VIRTUAL_ENV|"
    r"XDG_(CONFIG_HOME|CACHE_HOME|RUNTIME_DIR)|KRB5_CONFIG|KRB5CCNAME|X509_(CERT_DIR|VOMS_DIR|USER_PROXY)|"
    r"SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy"
)
"""The variables of the environment that a collection gets.

The others may be secrets of infoprovider or of other instances; an instance has what it needs in its settings.
"""

PATIENCE = 1.5
"""Seconds after the deadline, or after a process was stopped, in which its guard has to have done its work."""

_GUARD = Path(__file__).with_name("guard.py")
_CHUNK = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a collection may print.

    `output` and `line` are bytes of standard output, in all and in one line; `lines` is how many there may be, `faults`
    how many of them may be no answers, or answers that nobody asked for. `errors` is bytes of standard error; `remarks`
    is how many lines of it are logged, `remark` how many bytes of each.
    """

    output: int = 64 * 2**20
    line: int = 16 * 2**20
    lines: int = 100_000
    faults: int = 100
    errors: int = 16 * 2**20
    remarks: int = 200
    remark: int = 1000


class Process:
    """A process in a session of its own, ended with all descendants at its deadline, or when this process dies.

    It is started with the object, and told `given` on its standard input. `halt` stops it from any thread, and
    `is_halted` is whether it did. Raises OSError where it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        given: bytes,
        deadline: Deadline,
        limits: Limits,
        log: "logging.LoggerAdapter[logging.Logger]",
        halt: Halt | None = None,
    ) -> None:
        self._given = memoryview(given)
        self._halt = halt
        self.is_halted = False
        self._log = log
        self._time = deadline.remaining()
        self._until = Deadline(deadline.at + PATIENCE)
        self._stopped = ""
        self._report = b""
        self._printed = Lines(limits.line)
        self._remarks = Remarks(limits.remarks, limits.remark, log)
        self._limits = limits
        self._sizes = {"standard output": 0, "standard error": 0}
        self._line, self._guard = _start(command, deadline)
        self._input, self._output, self._errors = (cast(IO[bytes], pipe) for pipe in _pipes(self._guard))
        self._selector = selectors.DefaultSelector()
        os.set_blocking(self._input.fileno(), False)
        self._selector.register(self._input, selectors.EVENT_WRITE, self._tell)
        self._selector.register(self._output, selectors.EVENT_READ, self._hear_output)
        self._selector.register(self._errors, selectors.EVENT_READ, self._hear_errors)
        self._selector.register(self._line, selectors.EVENT_READ, self._hear_guard)
        if halt is not None:
            self._selector.register(halt, selectors.EVENT_READ, self._hear_halt)

    def lines(self) -> Iterator[Line]:
        """The lines of its standard output as they come, until it has ended with all that it started.

        A process that cannot be ended, because it runs as another user or hangs in the kernel, is not waited for.
        """
        while any(key.fileobj is not self._halt for key in self._selector.get_map().values()):
            ready = self._selector.select(self._until.remaining())
            if not ready and not self._until.remaining():
                return
            for key, _ in ready:
                yield from key.data()

    def stop(self, reason: str) -> None:
        """End it now, with all that it started; nothing of what it still prints is wanted."""
        if not self._stopped:
            self._stopped = reason
            self._until = min(self._until, Deadline.after(PATIENCE), key=lambda until: until.at)
            self._line.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End it, if it has not ended, wait for its guard, and give back what it holds of this process."""
        self._remarks.end()
        self._line.close()
        for pipe in (self._input, self._output, self._errors):
            pipe.close()
        self._selector.close()
        try:
            self._guard.wait(min(PATIENCE, self._until.remaining()))
        except subprocess.TimeoutExpired:
            # It has ended what it could. Should it be held up itself, the process goes with it.
            self._guard.kill()
            self._guard.wait()
            self._log.warning("something that its process started could not be ended, and may run on")

    def ending(self) -> tuple[str, bool]:
        """Why nothing more comes, in words, and whether the next time may go better."""
        if self._stopped:
            return f"{self._stopped}, and was ended", False
        _, _, status = self._report.decode().strip().partition(" ")
        if self.was_late:
            remedy = "find out what keeps its manager, or give it a longer deadline"
            return f"its process had not ended by its deadline of {round(self._time, 1):g} s; {remedy}", True
        if not status:
            return f"its guard ended before it{self._last_words}", True
        code = int(status)
        if code < 0:
            # Nobody sends these but the kernel where memory ends, or an administrator.
            from_outside = -code in (signal.SIGKILL, signal.SIGTERM)
            return f"its process died by signal {_name(-code)}{self._last_words}", from_outside
        if code > 0:
            return f"its process ended with exit code {code}{self._last_words}", False
        return "its process ended without answering this", False

    @property
    def was_late(self) -> bool:
        """Whether it was ended at its deadline: as a rule it is the manager that does not answer."""
        why, _, status = self._report.decode().strip().partition(" ")
        return not self._stopped and (why == "deadline" or (not status and not self._until.remaining()))

    @property
    def was_killed(self) -> bool:
        """Whether it had to be ended: it had not done so by its deadline, or printed too much."""
        return not self.is_halted and (bool(self._stopped) or not self._report.startswith(b"itself"))

    @property
    def ended_well(self) -> bool:
        """Whether it ended by itself and with 0."""
        return self._report == b"itself 0\n"

    @property
    def _last_words(self) -> str:
        return f": {self._remarks.last}" if self._remarks.last else ""

    def _tell(self) -> Iterable[Line]:
        try:
            told = os.write(self._input.fileno(), self._given[:_CHUNK])
            self._given = self._given[told:]
        except BrokenPipeError:  # it does not want to know more
            self._given = self._given[:0]
        if not self._given:
            self._end(self._input)
        return ()

    def _hear_output(self) -> Iterable[Line]:
        chunk = self._read(self._output, "standard output", self._limits.output)
        for line in self._printed.feed(chunk) if chunk else self._printed.rest():
            if not self._stopped:
                yield line

    def _hear_errors(self) -> Iterable[Line]:
        self._remarks.feed(self._read(self._errors, "standard error", self._limits.errors))
        return ()

    def _hear_guard(self) -> Iterable[Line]:
        part = self._line.recv(_CHUNK)
        self._report += part
        if not part:
            self._selector.unregister(self._line)
        return ()

    def _hear_halt(self) -> Iterable[Line]:
        self.is_halted = True
        self.stop("nobody wants its answers any more")
        if self._halt is not None:
            self._selector.unregister(self._halt)
        return ()

    def _read(self, pipe: IO[bytes], name: str, limit: int) -> bytes:
        """What is there; nothing at its end, or where it is more than there may be."""
        chunk = os.read(pipe.fileno(), _CHUNK)
        self._sizes[name] += len(chunk)
        if not chunk:
            self._end(pipe)
        elif self._sizes[name] > limit:
            self.stop(f"its process printed more than {limit / 2**20:.3g} MiB on {name}")
            return b""
        return chunk

    def _end(self, pipe: IO[bytes]) -> None:
        self._selector.unregister(pipe)
        pipe.close()


def _start(command: Sequence[str], deadline: Deadline) -> "tuple[socket.socket, subprocess.Popen[bytes]]":
    """Start a program under a guard; the line to the guard, and the guard."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            guard = subprocess.Popen(  # noqa: S603  (no shell, and nothing of it comes from outside)
                [sys.executable, "-I", "-S", str(_GUARD), str(theirs.fileno()), repr(deadline.at), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=(theirs.fileno(),),
                env={name: value for name, value in os.environ.items() if INHERITED.fullmatch(name)},
                # Not ended by what a terminal sends to its group: this process is, and then the guard ends its own.
                start_new_session=True,
            )
    except BaseException:
        ours.close()
        raise
    return ours, guard


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes] | None, ...]:
    return process.stdin, process.stdout, process.stderr


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # the kernel has more of them than have names
        return str(number)
