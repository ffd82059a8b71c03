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

    def __init__(self, lines: int, bytes_of_line: int, log: "logging.LoggerAdapter[logging.Logger]") -> None:
        self._left = lines
        self._left_out = 0
        self._only_counts = False
        self._bytes_of_line = bytes_of_line
        self._lines = Lines(bytes_of_line)
        self._tail = b""
        self._log = log

    def feed(self, chunk: bytes) -> None:
        """Take what came."""
        self._tail = (self._tail + chunk)[-self._bytes_of_line :]
        if not self._left:  # there may be millions more: they are not worth being looked at one by one
            self._left_out += chunk.count(b"\n")
            self._only_counts = True
            return
        for line in self._lines.feed(chunk):
            self._take(line)

    def end(self) -> None:
        """Take what came without an end, and say how much was left out."""
        if self._only_counts:
            self._left_out += not self._tail.endswith(b"\n")
        else:
            for line in self._lines.rest():
                self._take(line)
        if self._left_out:
            self._log.warning("%d more lines on its standard error are not logged", self._left_out)

    @property
    def last(self) -> str:
        """The last line in which something stands, or nothing."""
        return next((text for line in reversed(self._tail.split(b"\n")) if (text := _shown(line))), "")

    def _take(self, line: Line) -> None:
        text = _shown(line.text)
        if not text:
            return
        if not self._left:
            self._left_out += 1
            return
        self._left -= 1
        # Our own process says how bad it is, as in `ERROR: …`.
        level = _LEVELS.get(text.partition(":")[0], logging.INFO)
        self._log.log(level, "%s%s", text, f" … ({line.missing} bytes more)" if line.missing else "")


_LEVELS = {
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}


def _shown(line: bytes) -> str:
    """As text that cannot disturb a terminal or a log."""
    return "".join(one if one.isprintable() else " " for one in line.decode(errors="replace")).strip()
