"""LDIF of anybody, and of those who mean harm: what can be read is read, the rest is told, quickly."""

import io
import resource
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider import ldif
from infoprovider.ldif import MAX_RECORD_BYTES, Located, Record, Unreadable
from infoprovider.query.lenient import read_ldif

GIGABYTE = 2**30


def read(text: bytes) -> list[Located | Unreadable]:
    """Everything that is found in a text."""
    return list(read_ldif(io.BytesIO(text)))


def test_entries_come_with_the_line_on_which_they_begin() -> None:
    """Whatever stands before and between them."""
    text = b"version: 1\ndn: a\nx: 1\n\n\n\n# a remark\n\ndn: b\nx: long\n er\n\ndn: c\nx:: YQ=="
    assert read(text) == [
        Located(1, Record("a", {"x": ["1"]})),
        Located(9, Record("b", {"x": ["longer"]})),
        Located(13, Record("c", {"x": ["a"]})),
    ]
    assert read(text.replace(b"\n", b"\r\n")) == read(text)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.text("abc", min_size=1)), max_size=8), st.sampled_from([b"\n", b"\r\n"])
)
def test_what_is_sound_is_read_as_by_the_strict_reader(entries: list[tuple[int, str]], end: bytes) -> None:
    """Entry by entry, with any number of blank lines between."""
    text = b"".join(
        b"dn: " + value.encode() + end + b"x: " + value.encode() + end * (1 + blanks) for blanks, value in entries
    )
    assert [one.record for one in read(text) if isinstance(one, Located)] == list(ldif.read(text))


def test_a_line_end_may_fall_between_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the stream is cut, the text is the same."""
    text = b"dn: a\r\nx: 1\r\n\r\ndn: b\r\nx: 2\r\n"
    whole = read(text)
    for size in range(1, len(text)):
        monkeypatch.setattr("infoprovider.query.lenient._PIECE", size)
        assert read(text) == whole


@pytest.mark.parametrize(
    ("block", "line", "what"),
    [
        (b"dn: b\njpegPhoto:< file:///etc/passwd", 5, "a value by URL, which is never fetched"),
        (b"dn: b\nx:< http://127.0.0.1:1/", 5, "a value by URL, which is never fetched"),
        (b"dn: b\nx:: not base64", 5, "a value that is not base64"),
        (b"dn: b\nx: \xff\xfe", 5, "a value that is not UTF-8"),
        (b"dn: b\nchangetype: delete", 5, "a change record"),
        (b"dn: b\nx: 1\ndn: c\nx: 1", 6, "a second dn"),
        (b"Traceback (most recent call last):\n  File", 4, "a line that is not 'attribute: value'"),
        (b"error: no space", 4, "a line that belongs to no entry"),
        (b"nothing", 4, "a line that is not 'attribute: value'"),
    ],
)
def test_what_is_no_entry_is_told_with_its_line_and_the_rest_is_read(block: bytes, line: int, what: str) -> None:
    """Nothing is fetched, and the entries around it count."""
    first, broken, last = read(b"dn: a\nx: 1\n\n" + block + b"\n\ndn: z\nx: 1\n")
    assert isinstance(broken, Unreadable)
    assert broken.line == line
    assert broken.what.startswith(f"{what}: ")
    assert [one.record.dn for one in (first, last) if isinstance(one, Located)] == ["a", "z"]


def test_an_entry_that_no_server_takes_is_passed_over() -> None:
    """One beyond four megabytes; what stands behind it is read, with its true line."""
    text = b"dn: a\nx: 1\n\ndn: b\nx: " + b"y" * (2 * MAX_RECORD_BYTES) + b"\nz: 1\n\ndn: c\nx: 1\n"
    first, broken, last = read(text)
    assert isinstance(first, Located)
    assert broken == Unreadable(4, f"an entry of more than {MAX_RECORD_BYTES} bytes, which no server takes")
    assert last == Located(8, Record("c", {"x": ["1"]}))


def test_a_text_that_is_no_ldif_is_given_up() -> None:
    """After a thousand blocks that are nothing."""
    found = read(b"nothing\n\n" * 5000)
    assert len(found) == 1001
    assert found[-1] == Unreadable(1999, "1000 entries cannot be read: what follows is not read")


@pytest.mark.parametrize("begin", [b"dn: a\nx: ", b"", b"dn: a\nx: 1\n "], ids=["value", "nothing", "folded"])
def test_a_line_of_a_gigabyte_is_refused_quickly_in_little_memory(tmp_path: Path, begin: bytes) -> None:
    """The file is sparse, the reader has 200 MB in all, and no more than 64 MiB of the line are looked at."""
    path = tmp_path / "long.ldif"
    with path.open("wb") as file:
        file.write(begin)
        file.truncate(GIGABYTE)
    program = textwrap.dedent(
        """
        import resource, sys
        from infoprovider.query.lenient import read_ldif
        resource.setrlimit(resource.RLIMIT_AS, (200 * 2**20, 200 * 2**20))
        with open(sys.argv[1], "rb") as stream:
            for one in read_ldif(stream):
                print(one.line, one.what)
            print(stream.tell())
        """
    )
    before = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program, path], check=True, capture_output=True, text=True)
    assert time.monotonic() - before < 10
    *said, place = ended.stdout.splitlines()
    assert said == [
        f"1 an entry of more than {MAX_RECORD_BYTES} bytes, which no server takes",
        "1 no entry ends there: what follows is not read",
    ]
    assert int(place) < 100 * 2**20


def test_many_short_lines_in_one_entry_take_little_room() -> None:
    """Four megabytes of folded lines are one value, joined once."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    text = b"dn: a\nx: 1" + b"\n y" * (MAX_RECORD_BYTES // 3 - 10) + b"\n"
    (one,) = read(text)
    assert isinstance(one, Located)
    assert len(one.record.attributes["x"][0]) == MAX_RECORD_BYTES // 3 - 9
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 10
