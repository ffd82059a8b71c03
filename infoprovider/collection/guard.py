"""The small process between infoprovider and a collection: it leaves nothing of the collection behind.

    python -I -S guard.py LINE DEADLINE PROGRAM [ARGUMENT…]

It starts the program in a session of its own, and ends it with all descendants at DEADLINE (seconds of the monotonic
clock), or at once where LINE comes to its end: LINE is the number of a socket whose other end only infoprovider holds,
so its death, by whatever signal, is seen here. What the program leaves running when it has ended is ended too. Then one
line is written to LINE: why it ended (`itself`, `deadline` or `line`) and how (its exit code, or the negative number of
a signal).

A descendant whose parent has died becomes a child of this process (PR_SET_CHILD_SUBREAPER, prctl(2)), wherever it made
a session of its own. So no descendant is left once this process has no child. Standard library only: the guard is
started for each collection, and must cost next to nothing (pathlib alone takes as long to import as the rest).
"""

import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Iterator

PATIENCE = 0.5
"""Seconds between asking to end (SIGTERM) and ending (SIGKILL)."""

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

CANNOT_BE_STARTED = 127
"""The exit code of a program that cannot be started, as in a shell."""


class Guard:
    """A program, and what it left to us."""

    def __init__(self, line: int, deadline: float, command: list[str]) -> None:
        self._line = line
        self._deadline = deadline
        self._status: int | None = None
        self._awake, wake = os.pipe()
        os.set_blocking(self._awake, False)
        os.set_blocking(wake, False)
        self._program = _started(command)
        # A signal to all processes of a service must not end the one that sees to it that the others end.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def watch(self) -> str:
        """Wait until the program has to end, or has ended; which of the two, and why."""
        while self._reap() and self._status is None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                return "deadline"
            if self._wait(left, self._line):
                return "line"
        return "itself"

    def end_all(self) -> int:
        """End all descendants; how the program ended. Returns when none is left, however long that takes."""
        if self._reap():
            signal_descendants(signal.SIGTERM)
        kill_at = time.monotonic() + PATIENCE
        while self._reap() and (left := kill_at - time.monotonic()) > 0:
            self._wait(left)
        pause = 0.005
        while self._reap():
            signal_descendants(signal.SIGKILL)
            # One that runs as another user, or hangs in the kernel, is waited for without haste.
            self._wait(pause)
            pause = min(1.0, pause * 1.2)
        return CANNOT_BE_STARTED if self._status is None else os.waitstatus_to_exitcode(self._status)

    def _reap(self) -> bool:
        """Collect the children that have ended; whether any is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return True
                if pid == self._program:
                    self._status = status
        except ChildProcessError:
            return False

    def _wait(self, seconds: float, line: int | None = None) -> bool:
        """Sleep until a child has ended, or the line, or this time; whether the line has."""
        poll = select.poll()
        poll.register(self._awake, select.POLLIN)
        if line is not None:
            poll.register(line, select.POLLIN)
        ready = dict(poll.poll(seconds * 1000))
        if self._awake in ready:
            os.read(self._awake, 4096)
        return line in ready


def _started(command: list[str]) -> int:
    """Start a program as a login would: a session of its own, signals as they are by default. Its process id."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    guard = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        # Should the guard itself be killed, the program at least goes with it.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != guard:
            os._exit(CANNOT_BE_STARTED)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvp(command[0], command)  # noqa: S606  (no shell is wanted)
    except OSError as error:
        os.write(2, f"{command[0]} cannot be started: {error.strerror}\n".encode())
    finally:
        os._exit(CANNOT_BE_STARTED)


def signal_descendants(number: int) -> None:
    """Send a signal to all descendants, each with its process group.

    The kernel signals a whole group at once: none of it can slip away by forking meanwhile. A group cannot hold
    anything but descendants, since it lies in one session, and they have no session but those that they made.
    """
    own = os.getpgrp()
    signalled: set[int] = set()
    for pid in descendants(os.getpid()):
        try:
            group = os.getpgid(pid)
            if group == own:  # it has not come to make its session yet
                os.kill(pid, number)
            elif group not in signalled:
                signalled.add(group)
                os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            continue


def descendants(ancestor: int) -> Iterator[int]:
    """The ids of all processes below this one, each as soon as it is found, perhaps more than once."""
    known = {ancestor: True}
    for pid in _processes():
        chain = []
        above = pid
        while above > 1 and above not in known:
            known[above] = False
            chain.append(above)
            above = _parent(above)
        known.update(dict.fromkeys(chain, known.get(above, False)))
        if pid != ancestor and known.get(pid):
            yield pid


def _processes() -> Iterator[int]:
    """The ids of all processes, and first of those that were started last, which may be gone before they are reached.

    Not every kernel lists a process's children (CONFIG_PROC_CHILDREN), so all processes have to be looked at. The last
    number of /proc/loadavg is the id of the process that was started last (proc(5)).
    """
    with open("/proc/loadavg", "rb") as file:  # noqa: PTH123
        last = int(file.read().split()[-1])
    yield from range(last, max(last - 16, 1), -1)
    yield from (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208


def _parent(pid: int) -> int:
    """The id of a process's parent, 0 where there is no such process (any more)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            # pid (name) state parent …: the name may hold anything (proc(5)).
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def main(arguments: list[str]) -> None:
    """Run what the command line says and report on the line how it ended."""
    line = int(arguments[0])
    os.set_inheritable(line, False)
    guard = Guard(line, float(arguments[1]), arguments[2:])
    # The pipes are the program's: they have to end when it has.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    why = guard.watch()
    code = guard.end_all()
    try:
        os.write(line, f"{why} {code}\n".encode())
    except BrokenPipeError:  # nobody is left to be told
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
