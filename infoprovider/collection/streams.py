"""What a process prints, cut into lines of bounded length, and what of it the log gets."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end; `missing` is how many bytes of it were over the limit and are not there."""

    text: bytes
    missing: int


class Lines:
    """Cuts a stream into lines and holds no more of one than the limit, in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._missing = 0

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that this chunk completes."""
        first, *others = chunk.split(b"\n")
        self._take(first)
        for other in others:
            yield self._ended()
            self._take(other)

    def rest(self) -> Iterator[Line]:
        """At the end of the stream: the last line, where it has no end."""
        if self._held:
            yield self._ended()

    def _take(self, piece: bytes) -> None:
        room = self._limit - len(self._held)
        self._held += piece[:room]
        self._missing += max(0, len(piece) - room)

    def _ended(self) -> Line:
        line = Line(bytes(self._held), self._missing)
        self._held.clear()
        self._missing = 0
        return line


class Remarks:
    """Logs the first lines that a process says on standard error, counts the others, and remembers the last."""

    def __init__(self, limit: int, log: "logging.LoggerAdapter[logging.Logger]") -> None:
        self._left = limit
        self._left_out = 0
        self._log = log
        self.last = ""

    def take(self, line: Line) -> None:
        """Take a line."""
        text = _shown(line)
        if not text:
            return
        self.last = text
        if not self._left:
            self._left_out += 1
            return
        self._left -= 1
        # Our own process says how bad it is, as in `ERROR: …`.
        level = _LEVELS.get(text.partition(":")[0], logging.INFO)
        self._log.log(level, "%s", text)

    def end(self) -> None:
        """Say how much was left out."""
        if self._left_out:
            self._log.warning("%d more lines on its standard error are not logged", self._left_out)


_LEVELS = {
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}


def _shown(line: Line) -> str:
    """As text that cannot disturb a terminal or a log."""
    text = "".join(one if one.isprintable() else " " for one in line.text.decode(errors="replace")).strip()
    return f"{text} … ({line.missing} bytes more)" if line.missing else text
