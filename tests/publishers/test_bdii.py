"""The file in a BDII's folder of static LDIF."""

import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from infoprovider.deadline import Deadline
from infoprovider.errors import Refused
from infoprovider.publishers.bdii import SPEC, BdiiSettings
from infoprovider.publishers.contract import Delivery, Receipt, Rendering

MakeRendering = Callable[[bytes], Rendering]
BODY = b"dn: GLUE2GroupID=resource,o=glue\nobjectClass: GLUE2Group\nGLUE2GroupID: resource\n\n"


def publish(folder: Path, rendering: Rendering) -> Receipt:
    """Open the channel and publish once."""
    deadline = Deadline.after(5)
    with SPEC.open(BdiiSettings(folder=folder), deadline) as publisher:
        return publisher.publish(rendering, deadline)


def probe(folder: Path) -> None:
    """Open the channel and ask whether publishing could succeed."""
    deadline = Deadline.after(5)
    with SPEC.open(BdiiSettings(folder=folder), deadline) as publisher:
        publisher.probe(deadline)


def test_the_document_becomes_a_file_of_the_folder(tmp_path: Path, rendering: MakeRendering) -> None:
    """The first publication is accepted and the file holds exactly the rendering."""
    receipt = publish(tmp_path, rendering(BODY))
    assert receipt.delivery is Delivery.ACCEPTED
    assert receipt.reference == str(tmp_path / "infoprovider.ldif")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("infoprovider.ldif", BODY)]


def test_the_same_document_is_not_written_again(tmp_path: Path, rendering: MakeRendering) -> None:
    """A file that holds these bytes already is left as it is, its time of modification included."""
    publish(tmp_path, rendering(BODY))
    before = (tmp_path / "infoprovider.ldif").stat()
    assert publish(tmp_path, rendering(BODY)).delivery is Delivery.UNCHANGED
    after = (tmp_path / "infoprovider.ldif").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_changed_document_of_equal_length_is_written(tmp_path: Path, rendering: MakeRendering) -> None:
    """Sameness is of the bytes, not of their number."""
    publish(tmp_path, rendering(BODY))
    changed = BODY.replace(b"resource\n\n", b"resourcf\n\n")
    assert publish(tmp_path, rendering(changed)).delivery is Delivery.ACCEPTED
    assert (tmp_path / "infoprovider.ldif").read_bytes() == changed


@pytest.mark.parametrize("empty", [b"", b"\n\n"])
def test_an_empty_document_never_takes_the_place_of_a_full_one(
    tmp_path: Path, rendering: MakeRendering, empty: bytes
) -> None:
    """Emptiness would delete every entry of the BDII, so it is refused and the former file stays."""
    publish(tmp_path, rendering(BODY))
    with pytest.raises(Refused, match=r"is empty, and a BDII deletes what it no longer finds"):
        publish(tmp_path, rendering(empty))
    assert (tmp_path / "infoprovider.ldif").read_bytes() == BODY


def test_a_full_disk_is_refused_and_leaves_the_former_file(tmp_path: Path, rendering: MakeRendering) -> None:
    """The whole message says what failed, what was seen and what to do; nothing is lost or left over."""
    publish(tmp_path, rendering(BODY))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(Refused) as caught:
            publish(tmp_path, rendering(BODY * 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(caught.value) == (
        f"cannot write {tmp_path}/infoprovider.ldif: file too large; raise the limit on the size of files (ulimit -f); "
        "the former file is untouched"
    )
    assert not caught.value.retryable
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("infoprovider.ldif", BODY)]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, rendering: MakeRendering) -> None:
    """The message of a missing folder names it, for probe and publication alike."""
    message = f"cannot read {tmp_path}/absent: no such file or directory; create the folder or name another one"
    with pytest.raises(Refused) as caught:
        publish(tmp_path / "absent", rendering(BODY))
    assert str(caught.value) == message
    with pytest.raises(Refused) as caught:
        probe(tmp_path / "absent")
    assert str(caught.value) == message


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A file where the folder should be is said to be none."""
    (tmp_path / "ldif").write_bytes(b"")
    with pytest.raises(Refused, match="not a directory; name a folder"):
        probe(tmp_path / "ldif")


def test_an_unwritable_folder_is_refused(rendering: MakeRendering) -> None:
    """Where nobody may create a file, root included, the message says so."""
    with pytest.raises(Refused, match=r"^cannot write into /proc/self/task: ") as caught:
        probe(Path("/proc/self/task"))
    assert not caught.value.retryable
    with pytest.raises(Refused, match=r"^cannot write /proc/self/task/infoprovider\.ldif: "):
        publish(Path("/proc/self/task"), rendering(BODY))


def test_a_folder_of_programs_is_refused(tmp_path: Path, rendering: MakeRendering) -> None:
    """A BDII runs every file of its provider folder, so nothing is ever written there."""
    program = tmp_path / "glite-info-provider"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    with pytest.raises(
        Refused, match="looks like a BDII's folder of providers: glite-info-provider in it is a program"
    ):
        publish(tmp_path, rendering(BODY))
    with pytest.raises(Refused, match="name the folder of static LDIF"):
        probe(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["glite-info-provider"]


def test_folders_and_broken_links_beside_the_file_are_no_programs(tmp_path: Path, rendering: MakeRendering) -> None:
    """A folder has execute bits and a link may lead nowhere: neither makes the folder one of providers."""
    (tmp_path / "archive").mkdir()
    (tmp_path / "old.ldif").symlink_to(tmp_path / "gone")
    assert publish(tmp_path, rendering(BODY)).delivery is Delivery.ACCEPTED


def test_a_probe_publishes_nothing(tmp_path: Path) -> None:
    """A successful probe leaves the folder as it was."""
    probe(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["site", ".site.ldif", "#site.ldif", "../site.ldif", "a b.ldif"])
def test_a_name_that_the_bdii_would_not_read_is_a_mistake(tmp_path: Path, name: str) -> None:
    """bdii-update skips files without `.ldif` and those beginning with `.` or `#`; a blank or a path breaks others."""
    with pytest.raises(ValidationError, match="should match pattern"):
        BdiiSettings(folder=tmp_path, file=name)


def test_the_folder_may_be_written_as_text() -> None:
    """Configuration files hold texts, which are taken as paths."""
    assert BdiiSettings.model_validate({"folder": "ldif"}).folder == Path("ldif")


def test_what_a_killed_writer_left_is_removed(tmp_path: Path, rendering: MakeRendering) -> None:
    """With the next document; nothing else of the folder is touched."""
    left, others = tmp_path / ".infoprovider.ldif.abc123.new", tmp_path / ".others.ldif.abc123.new"
    for path in (left, others):
        path.write_text("dn: ")
    publish(tmp_path, rendering(BODY))
    assert not left.exists()
    assert others.exists()
