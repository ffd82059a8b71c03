"""Frames cut out of what a broker says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider.messaging.frames import MOST_PREAMBLE, Frame, Frames, NotStomp

RECEIPT = b"RECEIPT\nreceipt-id:1\n\n\0"
MESSAGE = b"MESSAGE\nmessage-id:a\\cb\ncontent-length:5\n\n\0\nx\0\0\0"
UNMEASURED = b"ERROR\nmessage:no\n\nwhy it is so\0"


def cut(said: bytes, pieces: list[int], most_bytes: int = 100) -> list[Frame]:
    """The frames in what was said in pieces of these sizes, and the rest."""
    frames, found, start = Frames(most_bytes), [], 0
    for size in (*pieces, len(said)):
        found += frames.of(said[start : start + size])
        start += size
    return found


@given(
    st.lists(st.sampled_from([RECEIPT, MESSAGE, UNMEASURED, b"\n", b"\r\n"]), max_size=6), st.lists(st.integers(1, 40))
)
def test_frames_are_the_same_in_whatever_pieces_they_come(said: list[bytes], pieces: list[int]) -> None:
    """Bodies with NUL, bodies without a length and heartbeats between frames are told apart, wherever a piece ends."""
    expected = {
        RECEIPT: Frame("RECEIPT", {"receipt-id": "1"}, b"", 0),
        MESSAGE: Frame("MESSAGE", {"message-id": "a:b", "content-length": "5"}, b"\0\nx\0\0", 5),
        UNMEASURED: Frame("ERROR", {"message": "no"}, b"why it is so", 12),
    }
    found = cut(b"".join(said), pieces)
    assert found == [expected[one] for one in said if one.strip(b"\r\n")]


@given(st.lists(st.integers(1, 40)), st.booleans())
def test_a_body_that_is_too_large_is_dropped_and_the_next_frame_read(pieces: list[int], has_length: bool) -> None:
    """Nothing of it is kept, its size is told, and what follows is read, with a length in its headers or without."""
    length = b"content-length:150\n" if has_length else b""
    found = cut(b"MESSAGE\n" + length + b"\n" + b"x" * 150 + b"\0" + RECEIPT, pieces)
    assert [(frame.command, frame.body, frame.size) for frame in found] == [("MESSAGE", None, 150), ("RECEIPT", b"", 0)]


def test_memory_is_bounded_while_a_large_body_comes() -> None:
    """A body of 50 MB leaves no more behind than a piece of it."""
    frames = Frames(1000)
    list(frames.of(b"MESSAGE\ncontent-length:50000000\n\n"))
    for _ in range(50):
        list(frames.of(b"x" * 1_000_000))
        assert len(frames._rest) <= 1_000_000
    assert [(frame.body, frame.size) for frame in frames.of(b"\0")] == [(None, 50_000_000)]


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x03\x00\x02",
        b"CONNECTEDx\n\n\0"[:3] + b"x",
        b"RECEIPT\nreceipt-id:1\ncontent-length:1\n\nxyz",
        b"ERROR\n" + b"a:b\n" * MOST_PREAMBLE,
    ],
)
def test_what_is_no_frame_is_told_at_once(said: bytes) -> None:
    """Other protocols, a body that is longer than it says, and headers without an end are not waited for."""
    with pytest.raises(NotStomp):
        list(Frames(100).of(said))
