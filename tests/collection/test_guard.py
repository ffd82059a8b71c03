"""The guard as a process of its own: what it starts has a fair start, and nothing of it is left behind."""

import ast
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infoprovider.collection import guard

PYTHON = (sys.executable, "-I", "-S", "-c")
SLEEP = (*PYTHON, "import time; print(flush=True); time.sleep(60)")


@contextmanager
def guarded(*command: str, seconds: float = 20) -> Iterator[tuple["subprocess.Popen[bytes]", socket.socket]]:
    """A program under a guard, and the line to the guard."""
    ours, theirs = socket.socketpair()
    deadline = repr(time.monotonic() + seconds)
    arguments = [sys.executable, "-I", "-S", guard.__file__, str(theirs.fileno()), deadline, *command]
    with ours, theirs:
        process = subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        with process:
            try:
                yield process, ours
            finally:
                process.kill()


def line_of(process: "subprocess.Popen[bytes]") -> str:
    """The next line that the program prints."""
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def is_there(pid: int) -> bool:
    """Whether this process is alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("program", "report"),
    [
        ("pass", b"itself 0\n"),
        ("raise SystemExit(7)", b"itself 7\n"),
        ("import os; os.kill(os.getpid(), 11)", b"itself -11\n"),
    ],
)
def test_how_the_program_ended_is_reported(program: str, report: bytes) -> None:
    """An exit code as it is, a signal as its negative number."""
    with guarded(*PYTHON, program) as (_, line):
        assert line.recv(100) == report


def test_a_program_that_is_not_there_is_reported_as_by_a_shell() -> None:
    """With 127, and in words on standard error."""
    with guarded("/nonexistent") as (process, line):
        assert line.recv(100) == b"itself 127\n"
        assert process.stderr is not None
        assert process.stderr.read() == b"/nonexistent cannot be started: No such file or directory\n"


def test_the_deadline_ends_the_program() -> None:
    """It is asked to end, and the report says why it did."""
    with guarded(*SLEEP, seconds=0.3) as (_, line):
        assert line.recv(100) == b"deadline -15\n"


def test_a_deadline_that_has_passed_holds() -> None:
    """The program hardly begins."""
    with guarded(*SLEEP, seconds=-5) as (_, line):
        assert line.recv(100) == b"deadline -15\n"


def test_the_end_of_the_line_ends_the_program() -> None:
    """Whoever holds its other end may close it, or be killed: nobody is left."""
    program = (
        "import os, time; child = os.fork(); child and print(child, flush=True); child or os.setsid(); time.sleep(60)"
    )
    with guarded(*PYTHON, program) as (process, line):
        child = int(line_of(process))
        assert is_there(child)
        line.close()
        process.wait(2)
        assert not is_there(child)


def test_half_of_the_line_may_be_closed_to_hear_the_report() -> None:
    """To end a program before its deadline."""
    with guarded(*SLEEP) as (process, line):
        line_of(process)
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b"line -15\n"


def test_nothing_is_reported_before_all_is_over() -> None:
    """The program has ended, but what it left is deaf: the report comes when that is gone, too."""
    program = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); child = os.fork(); "
        "child and (print(child, flush=True), os._exit(0)); os.setsid(); time.sleep(60)"
    )
    with guarded(*PYTHON, program) as (process, line):
        child = int(line_of(process))
        assert line.recv(100) == b"itself 0\n"
        assert not is_there(child)


def test_signals_that_end_a_service_do_not_end_the_guard() -> None:
    """They reach all processes of a service at once: the guard is still there to see the others end."""
    with guarded(*SLEEP, seconds=1) as (process, line):
        line_of(process)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process.send_signal(number)
        assert line.recv(100) == b"deadline -15\n"


def test_the_program_has_a_session_and_signals_of_its_own() -> None:
    """Whatever infoprovider ignores or blocks, its programs do not."""
    program = (
        "import os, signal; "
        "print(os.getsid(0) == os.getpid(), signal.pthread_sigmask(signal.SIG_BLOCK, ()), "
        "[one for one in (1, 2, 3, 15, 17) if signal.getsignal(one) == signal.SIG_IGN], os.listdir('/proc/self/fd'))"
    )
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with guarded(*PYTHON, program) as (process, _):
            assert line_of(process) == "True set() [] ['0', '1', '2', '3']"  # 3 is the folder that is listed
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def test_the_program_goes_with_its_guard() -> None:
    """Should the guard itself be killed, the kernel ends the program."""
    with guarded(*PYTHON, "import os, time; print(os.getpid(), flush=True); time.sleep(60)") as (process, _):
        pid = int(line_of(process))
        process.kill()
        process.wait(2)
        deadline = time.monotonic() + 2
        while is_there(pid):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_descendants_are_found_wherever_they_went() -> None:
    """Children and their children, in sessions of their own or not; nobody else."""
    program = "import os, time; os.fork(); os.setsid() if os.getpid() != os.getsid(0) else 0; os.fork(); time.sleep(60)"
    with subprocess.Popen([*PYTHON, program]) as process:
        try:
            deadline = time.monotonic() + 5
            while len(found := set(guard.descendants(process.pid))) < 3:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert len(found) == 3
            assert found < set(guard.descendants(os.getpid()))
            assert process.pid not in found
            assert os.getpid() not in set(guard.descendants(os.getpid()))
            assert 1 not in set(guard.descendants(os.getpid()))
        finally:
            for pid in {*guard.descendants(process.pid), process.pid}:
                os.kill(pid, signal.SIGKILL)


def test_the_guard_imports_next_to_nothing() -> None:
    """It is started for each collection: what it imports is built in, or imported by Python's own signal module."""
    tree = ast.parse(Path(guard.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names == {"ctypes", "os", "select", "signal", "sys", "time"}
