"""Files that another program reads."""

import errno
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infoprovider.files import PRIVATE, check_writable, fault, replace_file


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """As on a full disk, without being root: no file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_new_file_holds_the_bytes_and_everybody_may_read_it(tmp_path: Path) -> None:
    """Written once, the file is there with its content, readable by other users of the machine."""
    path = tmp_path / "site.ldif"
    replace_file(path, b"dn: o=glue\n")
    assert path.read_bytes() == b"dn: o=glue\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_mode_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    """A private file is never readable by others, also where a public one was there before."""
    path = tmp_path / "state.json"
    replace_file(path, b"{}")
    replace_file(path, b"[]", mode=PRIVATE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_open_reader_keeps_the_former_file_whole(tmp_path: Path) -> None:
    """Who opened the former file reads it to its end: the new one takes its name, not its content."""
    path = tmp_path / "site.ldif"
    replace_file(path, b"former")
    with path.open("rb") as reader:
        replace_file(path, b"new")
        assert reader.read() == b"former"
    assert path.read_bytes() == b"new"


def test_a_full_disk_leaves_the_former_file_and_nothing_beside_it(tmp_path: Path) -> None:
    """Where the new content does not fit, the former one stays and no part of the new one is left."""
    path = tmp_path / "site.ldif"
    replace_file(path, b"former")
    with largest_file(4096), pytest.raises(OSError, match="too large") as caught:
        replace_file(path, b"x" * 5000)
    assert path.read_bytes() == b"former"
    assert [entry.name for entry in tmp_path.iterdir()] == ["site.ldif"]
    assert fault(caught.value) == "file too large; raise the limit on the size of files (ulimit -f)"


def test_a_folder_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    """A missing folder is reported in words that an operator can act on."""
    with pytest.raises(FileNotFoundError) as caught:
        replace_file(tmp_path / "absent" / "site.ldif", b"dn: o=glue\n")
    assert fault(caught.value) == "no such file or directory; create the folder or name another one"


def test_a_fault_without_a_known_remedy_says_what_was_seen() -> None:
    """An unusual error is still told in the system's words."""
    assert fault(OSError(errno.EIO, "Input/output error")) == "input/output error"


def test_a_check_of_the_folder_leaves_nothing_there(tmp_path: Path) -> None:
    """Proving that a folder can be written into puts nothing into it."""
    check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        check_writable(tmp_path / "absent")
