"""A program in a collection's place that answers one facet as it should and then misbehaves.

    python -I -S hostile.py WAY MARK

MARK is nothing to it: it stands in the command line of each of its processes, by which a test finds them.
"""

import os
import signal
import sys
import time
from collections.abc import Callable

CAPACITY = (
    b'{"answer": "observed", "facet": "capacity", "observed_at": "2026-01-15T12:00:00Z", "value": {"vcpus": 128}}\n'
)
MEBIBYTE = b"x" * 2**20


def write(text: bytes, stream: int = 1) -> None:
    """Write all of it."""
    while text:
        text = text[os.write(stream, text) :]


def hang() -> None:
    """Do nothing, for ever."""
    while True:
        time.sleep(60)


def forks(then: Callable[[], None], *, session: bool = False) -> None:
    """Start a process of its own that does this."""
    if os.fork() == 0:
        if session:
            os.setsid()
        then()
        os._exit(0)


def mute() -> None:
    """Say nothing more."""
    hang()


def drip() -> None:
    """Send a line byte by byte, each of them long before anybody loses patience."""
    while True:
        write(b"{")
        time.sleep(0.05)


def family() -> None:
    """Start processes that start processes."""
    forks(lambda: (forks(hang), forks(hang), hang()))
    forks(hang)
    hang()


def session() -> None:
    """Start a process in a session of its own, which is deaf to SIGTERM."""
    forks(deaf, session=True)
    hang()


def daemon() -> None:
    """Start a daemon, as daemons are started, and end well."""
    forks(lambda: forks(hang), session=True)
    os.wait()


def deaf() -> None:
    """Ignore what asks to end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    hang()


def breeding() -> None:
    """Start processes all the time, deaf ones, in sessions of their own."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        forks(lambda: time.sleep(0.2), session=True)
        time.sleep(0.005)


def hopping() -> None:
    """Start a process that goes on as its own child all the time, deaf: whoever is seen is gone."""
    forks(hop)
    hang()


def hopping_sessions() -> None:
    """Start one that does so, each time in a session of its own."""
    forks(lambda: hop(os.setsid))
    hang()


def hop(then: Callable[[], None] = lambda: None) -> None:
    """Go on as one's own child."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        if os.fork():
            os._exit(0)
        then()


def flood() -> None:
    """Print gigabytes of lines."""
    lines = MEBIBYTE[:-1] + b"\n"
    while True:
        write(lines)


def chatter() -> None:
    """Print short lines that say nothing."""
    while True:
        write(b"still there\n" * 1000)


def endless() -> None:
    """Print gigabytes without a line's end, deaf to whoever wants it to stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        write(MEBIBYTE)


def long_line() -> None:
    """Print a line of 100 MB."""
    for _ in range(100):
        write(MEBIBYTE)
    hang()


def boasting() -> None:
    """Print a line of 20 kB, then what is right."""
    write(b"[" * 20_000 + b"\n" + CAPACITY.replace(b"capacity", b"images").replace(b'"vcpus": 128', b'"images": []'))


def many_answers() -> None:
    """Print ever more answers that are right."""
    number = 0
    while True:
        number += 1
        parts = range(1000 * number, 1000 * (number + 1))
        write(
            b"".join(b'{"answer": "not_offered", "facet": "usage", "part": "p%d", "reason": ""}\n' % n for n in parts)
        )


def rubbish() -> None:
    """Print what is no answer, of all sorts."""
    write(b'hello\n\n{}\n[]\n\xff\xfe\0\n{"answer": "observed"}\n{"answer": "observed", "facet": "cellar"}\n')
    write(b'{"answer": "failed", "facet": "images", "reason": 5}\n' + b"[" * 100_000 + b"\n")
    write(CAPACITY.replace(b"capacity", b"prices") + CAPACITY + b'{"answer": "not_offered", "facet": "ima')


def shouting() -> None:
    """Say gigabytes on standard error."""
    while True:
        write(b"y\n" * 2**15, 2)


def remarks() -> None:
    """Say more than anybody wants to read, some of it in colour, and fail."""
    write(b"ERROR: the first\n\x1b[31mred\x07\n\n" + b"z" * 5000 + b"\n", 2)
    write(b"".join(b"remark %d\n" % number for number in range(500)), 2)
    write(b"the reason, at last", 2)
    sys.exit(3)


def dies() -> None:
    """Die as of a fault in a library."""
    os.kill(os.getpid(), signal.SIGSEGV)


def killed() -> None:
    """Die as of a lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def kills_guard() -> None:
    """End the guard, by force."""
    os.kill(os.getppid(), signal.SIGKILL)
    hang()


def stops_guard() -> None:
    """Hold the guard up, as nothing else can."""
    os.kill(os.getppid(), signal.SIGSTOP)
    hang()


def silent() -> None:
    """Close everything and live on."""
    os.closerange(0, 3)
    hang()


def well() -> None:
    """End well, without a word on the rest."""


def main() -> None:
    """Answer, then misbehave."""
    if sys.argv[1] != "silent":  # that one does not even listen
        sys.stdin.buffer.read()
    write(CAPACITY)
    globals()[sys.argv[1]]()


if __name__ == "__main__":
    main()
