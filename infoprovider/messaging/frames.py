"""What a broker says, cut into frames of STOMP 1.2, in bounds.

How a frame is written and read is the library's business (stomp.py); where one ends is found here, because what comes
may be too large to be kept.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

COMMANDS = (b"CONNECTED", b"MESSAGE", b"RECEIPT", b"ERROR")

MOST_PREAMBLE = 2**16
"""Bytes of a frame's command and headers."""

_PREAMBLE_END = re.compile(rb"\r?\n\r?\n")
_NEWLINES = b"\r\n"


class NotStomp(Exception):
    """What came is no frame; the argument is how it begins."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; its body is None where it is larger than was allowed, and `size` says how large it is."""

    command: str
    headers: Mapping[str, str]
    body: bytes | None
    size: int


@dataclass(slots=True)
class _Begun:
    """A frame whose headers are read."""

    command: str
    headers: Mapping[str, str]
    length: int | None
    seen: int = 0
    """Bytes of the body that have come, of which none is kept once it is too large."""


class Frames:
    """Cuts what comes into frames, and keeps of a body no more than `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._rest = bytearray()
        self._begun: _Begun | None = None
        self._is_dropping = False

    def of(self, data: bytes) -> Iterator[Frame]:
        """The frames that this completes. Raises NotStomp."""
        self._rest += data
        while True:
            if self._begun is None:
                self._begun = self._preamble()
            if self._begun is None:
                return
            frame = self._whole(self._begun)
            if frame is None:
                return
            self._begun = None
            yield frame

    def _preamble(self) -> _Begun | None:
        """Command and headers of the next frame, when they are there; line ends before it are heartbeats."""
        heartbeats = len(self._rest) - len(self._rest.lstrip(_NEWLINES))
        del self._rest[:heartbeats]
        start = bytes(self._rest[:MOST_PREAMBLE])
        if not any(start.startswith(command[: len(start)]) for command in COMMANDS):
            raise NotStomp(start[:60])
        end = _PREAMBLE_END.search(start)
        if end is None:
            if len(start) == MOST_PREAMBLE:
                raise NotStomp(start[:60])
            return None
        del self._rest[: end.end()]
        command, headers = _read(start[: end.end()])
        length = headers.get("content-length", "")
        return _Begun(command, headers, int(length) if length.isascii() and length.isdigit() else None)

    def _whole(self, begun: _Begun) -> Frame | None:
        """The frame when its end has come: after so many bytes as it says, else at the first NUL."""
        end = begun.length - begun.seen if begun.length is not None else self._rest.find(b"\0")
        is_there = 0 <= end < len(self._rest)
        size = begun.seen + (end if is_there else len(self._rest))
        self._is_dropping = self._is_dropping or (begun.length or size) > self._most_bytes
        if is_there:
            if self._rest[end] != 0:
                raise NotStomp(bytes(self._rest[end : end + 60]))
            body = None if self._is_dropping else bytes(self._rest[:end])
            del self._rest[: end + 1]
            self._is_dropping = False
            return Frame(begun.command, begun.headers, body, size)
        if self._is_dropping:
            begun.seen = size if begun.length is None else min(size, begun.length)
            del self._rest[: len(self._rest)]
        return None


def _read(preamble: bytes) -> tuple[str, Mapping[str, str]]:
    # Else the library asks for the names of this machine when it is imported, which may take a resolver's patience.
    os.environ.setdefault("STOMP_SKIP_HOSTNAME_SCAN", "1")
    from stomp.utils import parse_frame

    frame = parse_frame(preamble)
    return frame.cmd, frame.headers
