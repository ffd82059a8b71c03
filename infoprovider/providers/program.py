"""One program that is run for the lines that it prints: bounded in time and size, and ended with all it started.

It runs in a session of its own: it cannot ask anything at a terminal, and its number is that of its process group.
No shell is between.
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, DeadlineExceeded, Malformed
from infoprovider.providers.program_faults import fault_of, found, unforeseen
from infoprovider.secret import HIDDEN

MOST_OUTPUT = 64 * 2**20
"""Bytes of standard output, after which a program is ended."""

MOST_REMARKS = 64 * 2**10
"""Characters of standard error that are logged, each line with the program's name; what comes after them is read and
dropped, except for its last line."""

MOST_OF_A_REMARK = 1000
"""Characters of one line of standard error."""

_CHUNK = 2**16
_TICK = 0.05  # seconds between two looks at whether the program has ended
_DYING = 0.5  # seconds that a process may take to die of SIGKILL


class Program:
    """A running program."""

    def __init__(
        self,
        name: str,
        process: "subprocess.Popen[bytes]",
        until: Deadline,
        log: "logging.LoggerAdapter[logging.Logger]",
        hidden: Collection[str],
    ) -> None:
        self.name = name
        self._process = process
        self._until = until
        self._hidden = hidden
        self._remarks = _Remarks(name, log, self.shown)

    def lines(self) -> Iterator[bytes]:
        """Each line of its standard output as it comes, without its end, until the program has ended.

        What it left running with its output in hand is not waited for. Raises DeadlineExceeded, and Malformed where
        it prints too much.
        """
        output = _Lines(self.name)
        with DefaultSelector() as selector:
            for stream in (self._process.stdout, self._process.stderr):
                selector.register(stream, EVENT_READ)  # type: ignore[arg-type]  # both are pipes
            while True:
                if not self._until.remaining():
                    raise DeadlineExceeded(f"{self.name} had not ended in time{self.last_words}")
                has_ended = self.exit_code is not None
                ready = selector.select(0 if has_ended else min(_TICK, self._until.remaining()))
                for key, _ in ready:
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is self._process.stdout:
                        yield from output.of(chunk)
                    else:
                        self._remarks.take(chunk)
                if has_ended and not ready:
                    break
        yield from output.rest()

    @property
    def exit_code(self) -> int | None:
        """What it returned, the negative number of the signal that killed it, or None while it runs."""
        return _exit_code(self._process)

    def shown(self, text: str) -> str:
        """The text without the secrets that the program was given, and without what disturbs a terminal or a log."""
        for secret in self._hidden:
            text = text.replace(secret, HIDDEN)
        return "".join(character if character.isprintable() else " " for character in text).strip()

    @property
    def last_words(self) -> str:
        """`: ` and the last line of its standard error, or nothing."""
        return f": {self._remarks.last}" if self._remarks.last else ""


@contextmanager
def running(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    given: bytes,
    deadline: Deadline,
    log: "logging.LoggerAdapter[logging.Logger]",
    hidden: Collection[str] = (),
) -> Iterator[Program]:
    """Start a program, hand it `given` (at most a pipe's 4096 bytes) on its standard input, and end it on leaving.

    Its remarks are logged and told without the texts in `hidden`. It is asked to end (SIGTERM) a little before the
    deadline, and ended (SIGKILL) before the deadline, with the whole of its process group. Raises ConfigError where it
    cannot be started.
    """
    remaining = deadline.remaining()
    spare = min(1.0, remaining / 5)
    process = _started(command, folder, environment)
    try:
        with suppress(BrokenPipeError), process.stdin:  # type: ignore[union-attr]  # it is a pipe
            process.stdin.write(given)  # type: ignore[union-attr]
        yield Program(command[0], process, Deadline(deadline.at - spare), log, hidden)
    finally:
        _end(process, spare / 2, log)


def _started(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    program = found(command[0], environment.get("PATH"))
    try:
        return subprocess.Popen(  # noqa: S603  (which program is run is what the operator writes)
            [program, *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigError([fault_of(program, folder) or unforeseen(program, error)]) from error


def _exit_code(process: "subprocess.Popen[bytes]") -> int | None:
    """Looks without collecting it: its number is not given away, so its group can still be ended by that number."""
    ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _end(process: "subprocess.Popen[bytes]", patience: float, log: "logging.LoggerAdapter[logging.Logger]") -> None:
    """End a program and its group: politely where it still runs, then by force; collect it and close its pipes."""
    if _exit_code(process) is None:
        _signal(process, signal.SIGTERM)
        until = Deadline.after(patience)
        while _exit_code(process) is None and until.remaining():
            time.sleep(min(_TICK, until.remaining()))
    _signal(process, signal.SIGKILL)
    for stream in (process.stdout, process.stderr):
        stream.close()  # type: ignore[union-attr]  # both are pipes
    with suppress(subprocess.TimeoutExpired):
        process.wait(_DYING)
        return
    # It runs as another user, or hangs in the kernel.
    log.error("process %d cannot be ended: %s", process.pid, process.args)


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


# --- what it prints ------------------------------------------------------------------------------------------------


class _Lines:
    """Cuts output into lines."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._size = 0
        self._begun: list[bytes] = []

    def of(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that this chunk completes."""
        self._size += len(chunk)
        if self._size > MOST_OUTPUT:
            raise Malformed(f"{self._name} printed more than {MOST_OUTPUT // 2**20} MiB; correct it to print less")
        first, *others = chunk.split(b"\n")
        self._begun.append(first)
        for begun in others:
            yield b"".join(self._begun)
            self._begun = [begun]

    def rest(self) -> Iterator[bytes]:
        """The last line, where it has no end."""
        if any(self._begun):
            yield b"".join(self._begun)


class _Remarks:
    """Logs what the program says for the operator, and remembers the last of it."""

    def __init__(self, name: str, log: "logging.LoggerAdapter[logging.Logger]", shown: Callable[[str], str]) -> None:
        self._name = name
        self._log = log
        self._shown = shown
        self._size = 0
        self._begun = b""
        self.last = ""

    def take(self, chunk: bytes) -> None:
        """Take what came on standard error."""
        *lines, begun = (self._begun + chunk).split(b"\n")
        self._begun = begun[: 4 * MOST_OF_A_REMARK]
        for line in lines:
            if text := self._text(line):
                self.last = text
                self._say(text)
        if text := self._text(begun):
            self.last = text

    def _text(self, line: bytes) -> str:
        return self._shown(line[: 4 * MOST_OF_A_REMARK].decode(errors="replace"))[:MOST_OF_A_REMARK]

    def _say(self, text: str) -> None:
        had_room = self._size < MOST_REMARKS
        self._size += len(self._name) + len(text)
        if self._size < MOST_REMARKS:
            self._log.info("%s: %s", self._name, text)
        elif had_room:
            self._log.warning("%s says more on standard error than is logged", self._name)
