"""LDIF of anybody, read entry by entry from a stream of any length: what cannot be read is told, and the rest is read.

Nothing is ever fetched, and no more than one entry is held at a time: an entry that no server would take for its size
is passed over, a text that goes on like that is given up.
"""

from collections.abc import Iterator
from typing import BinaryIO

from infoprovider.ldif import MAX_RECORD_BYTES, Located, NotLdif, Unreadable, read_block

_PIECE = 2**20
_PASSED_OVER = 64 * 2**20
"""Bytes without a blank line after which nobody looks for the end of an entry any more."""
_PATIENCE = 1000
"""Unreadable blocks after which a text is no LDIF."""


def read_ldif(stream: BinaryIO) -> Iterator[Located | Unreadable]:
    """Each entry, or what stands in its place; folded lines, base64, comments and either line end are understood.

    Raises OSError where the stream does.
    """
    known: set[str] = set()
    unreadable = 0
    for number, block in _blocks(stream):
        if isinstance(block, Unreadable):
            yield block
            continue
        try:
            record = read_block(block, number, known)
        except NotLdif as error:
            yield Unreadable(error.line, error.what)
            unreadable += 1
            if unreadable == _PATIENCE:
                yield Unreadable(error.line, f"{_PATIENCE} entries cannot be read: what follows is not read")
                return
            continue
        if record is not None:
            yield Located(number, record)


def _blocks(stream: BinaryIO) -> Iterator[tuple[int, bytes | Unreadable]]:
    """What stands between blank lines, with the number of its first line, line ends as line feeds."""
    number, pending = 1, b""
    for piece in _pieces(stream):
        *whole, pending = (pending + piece).split(b"\n\n")
        for block in whole:
            begin = len(block) - len(block.lstrip(b"\n"))
            if begin < len(block):
                yield number + begin, block[begin:]
            number += block.count(b"\n") + 2
        if len(pending) > MAX_RECORD_BYTES:
            yield number, Unreadable(number, f"an entry of more than {MAX_RECORD_BYTES} bytes, which no server takes")
            lines, rest = _after_the_next_blank_line(stream, pending)
            if rest is None:
                yield number, Unreadable(number, "no entry ends there: what follows is not read")
                return
            number, pending = number + lines, rest
    if pending.strip(b"\n"):
        begin = len(pending) - len(pending.lstrip(b"\n"))
        yield number + begin, pending[begin:]


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The text in pieces with line feeds as line ends; a piece never ends between the two bytes of a line end."""
    while piece := stream.read(_PIECE):
        if piece.endswith(b"\r"):
            piece += stream.read(1)
        yield piece.replace(b"\r\n", b"\n") if b"\r" in piece else piece


def _after_the_next_blank_line(stream: BinaryIO, begun: bytes) -> tuple[int, bytes | None]:
    """How many lines are passed over, and what is read beyond them; None where there is no end in sight."""
    lines, passed, last = begun.count(b"\n"), len(begun), begun[-1:]
    for piece in _pieces(stream):
        end = (last + piece).find(b"\n\n")
        if end >= 0:
            rest = (last + piece)[end + 2 :]
            return lines + (last + piece)[len(last) : end + 2].count(b"\n"), rest
        passed += len(piece)
        if passed > _PASSED_OVER:
            break
        lines, last = lines + piece.count(b"\n"), piece[-1:]
    return lines, None
