"""The socket by which a running infoprovider is asked for something: one line of JSON there, one back.

    <state>/control

Only its owner, and root, may connect. So far the only wish is `{"poke": INSTANCE, "facets": [FACET, …]}`.
"""

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from infoprovider.errors import StoreError
from infoprovider.files import PRIVATE, fault
from infoprovider.loop import LONGEST_WAIT

PATIENCE = 2.0
"""Seconds that whoever connects has for each part of a question, and for taking the answer."""

ANSWERED_WITHIN = 15.0
"""Seconds that an answer may take: others may have been asking."""

LONGEST = 2**16
"""Bytes of a question or an answer."""

Question = Mapping[str, Any]
Answer = Mapping[str, Any]

log = logging.getLogger(__name__)


class Control:
    """The socket of a daemon. `turn` is for a loop: it serves who connects, one after the other."""

    def __init__(self, state: Path, answer: Callable[[Question], Answer]) -> None:
        self._state = state
        self._answer = answer
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Listen; what a dead daemon left there is removed. Raises StoreError."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            # Before there is a name by which anybody could connect: the mode of the file is taken from the socket.
            os.fchmod(listening.fileno(), PRIVATE)
            with _address(self._state) as address:
                Path(address).unlink(missing_ok=True)
                listening.bind(address)
            listening.listen()
            listening.settimeout(LONGEST_WAIT)
        except OSError as error:
            listening.close()
            raise StoreError(f"cannot listen in {self._state}: {fault(error)}") from error
        self._socket = listening

    def close(self) -> None:
        """Listen no more."""
        if self._socket is not None:
            self._socket.close()
        with suppress(OSError):
            (self._state / "control").unlink()

    def wake(self) -> None:
        """End the waiting for somebody who connects, by connecting."""
        with suppress(OSError), _connected(self._state):
            pass

    def turn(self) -> None:
        """Serve one who connects, or wait a while for one."""
        if self._socket is None:
            raise RuntimeError("the socket is not open")
        try:
            line, _ = self._socket.accept()
        except TimeoutError:
            return
        with line:
            line.settimeout(PATIENCE)
            try:
                question = json.loads(_received(line))
                line.sendall(json.dumps(self._answer(question)).encode() + b"\n")
            except (OSError, ValueError) as error:
                log.debug("a question could not be answered: %s", error)


def ask(state: Path, question: Question) -> Answer:
    """What the daemon of a state folder answers. Raises StoreError where there is none, or none that answers."""
    try:
        with _connected(state) as line:
            line.settimeout(ANSWERED_WITHIN)
            line.sendall(json.dumps(question).encode() + b"\n")
            answer: Answer = json.loads(_received(line))
            return answer
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise StoreError(
            f"no `infoprovider run` keeps {state}; start it, or ask the managers once by `infoprovider collect`"
        ) from error
    except OSError as error:
        raise StoreError(f"the `infoprovider run` of {state} cannot be asked: {fault(error)}") from error
    except ValueError as error:
        raise StoreError(f"the `infoprovider run` of {state} ended while it was asked; look at its log") from error


def is_answered(state: Path) -> bool:
    """Whether somebody listens there, within the usual patience; nothing is asked."""
    try:
        with _connected(state):
            return True
    except OSError:
        return False


def _received(line: socket.socket) -> bytes:
    """The first line that comes."""
    received = b""
    while b"\n" not in received and len(received) <= LONGEST:
        part = line.recv(LONGEST)
        if not part:
            break
        received += part
    return received.partition(b"\n")[0]


@contextmanager
def _connected(state: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as line, _address(state) as address:
        line.settimeout(PATIENCE)
        line.connect(address)
        yield line


@contextmanager
def _address(state: Path) -> Iterator[str]:
    """A short name of the socket: an address holds 107 bytes (unix(7)), and the path of a folder may be longer."""
    folder = os.open(state, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/control"
    finally:
        os.close(folder)
