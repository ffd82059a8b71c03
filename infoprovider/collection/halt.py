"""A word to end that reaches collections in whatever threads they are read."""

import os
import select

from infoprovider.errors import InfoproviderError


class Halted(InfoproviderError):
    """A collection was given up because nobody wants its answers any more: says nothing of the manager."""


class Halt:
    """Something to wait for beside a process: its descriptor is readable from the moment when `call` was called."""

    def __init__(self) -> None:
        self._number = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self._number

    def call(self) -> None:
        """Tell everyone who waits, and everyone who will."""
        os.eventfd_write(self._number, 1)

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until it was called; whether it was."""
        poll = select.poll()
        poll.register(self._number, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def close(self) -> None:
        """Give the descriptor back; nobody waits any more."""
        os.close(self._number)
