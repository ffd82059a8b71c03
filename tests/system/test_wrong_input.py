"""What `infoprovider publish` says where it cannot write: the whole message, without root and without a mount."""

import ctypes
import resource
from pathlib import Path

import pytest
import yaml

from infoprovider.errors import ExitCode
from tests.system.answers import read_ldif
from tests.system.demo import bdii_channel, demo_in

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
"""From linux/prctl.h and linux/capability.h."""


REMEDY = "create the folder or name another one"


def without_override() -> None:
    """In the child: let permissions hold for root as well; whoever is not root cannot and need not do so."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)


def with_small_files() -> None:
    """In the child: no file grows beyond 64 KiB, as on a disk that is full by then."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))


@pytest.fixture
def ldif(tmp_path: Path) -> Path:
    """A folder that a BDII reads."""
    folder = tmp_path / "ldif"
    folder.mkdir()
    return folder


def test_a_folder_that_may_not_be_written(tmp_path: Path, ldif: Path) -> None:
    """The channel is named with what failed, what the system said and what to do; with --quiet as well."""
    ldif.chmod(0o555)
    demo = demo_in(tmp_path / "demo", bdii_channel(ldif))
    done = demo.publish("--quiet", preexec_fn=without_override)
    assert (done.returncode, done.stdout) == (ExitCode.PUBLISH, "")
    assert done.stderr == (
        f"infoprovider: channel resource-bdii: cannot write {ldif}/resource.ldif: permission denied; "
        "give this user the right to write there; the former file is untouched\n"
    )
    assert list(ldif.iterdir()) == []


def test_a_folder_that_is_a_file_does_not_keep_the_others_from_theirs(tmp_path: Path, ldif: Path) -> None:
    """One channel fails, the other one delivers, and the exit code says that it was not all."""
    (tmp_path / "file").write_text("no folder\n")
    demo = demo_in(tmp_path / "demo", bdii_channel(tmp_path / "file" / "ldif"), bdii_channel(ldif, "cloud"))
    done = demo.publish("--quiet")
    assert done.returncode == ExitCode.PARTLY
    assert done.stderr == (
        f"infoprovider: channel resource-bdii: cannot read {tmp_path}/file/ldif: not a directory; name a folder\n"
    )
    assert read_ldif((ldif / "cloud.ldif").read_text())


def test_the_report_names_every_channel(tmp_path: Path, ldif: Path) -> None:
    """Without --quiet there is a line for every channel, and the message is whole below them."""
    absent = tmp_path / "absent"
    demo = demo_in(tmp_path / "demo", bdii_channel(absent), bdii_channel(ldif, "cloud"))
    done = demo.publish()
    lines = [line.rstrip() for line in done.stderr.splitlines()]
    assert lines[1:] == [
        "channel        result    where",
        "resource-bdii  failed",
        f"cloud-bdii     accepted  {ldif}/cloud.ldif",
        f"infoprovider: channel resource-bdii: cannot read {absent}: no such file or directory; {REMEDY}",
    ]


def test_a_full_disk_leaves_what_was_published(tmp_path: Path, ldif: Path) -> None:
    """Files that cannot grow are named, one line for each, and every former file is still whole."""
    demo = demo_in(tmp_path / "demo", bdii_channel(ldif))
    assert demo.publish().returncode == ExitCode.SUCCESS
    published = ldif / "resource.ldif"
    rendering = demo.public / "current.resource.ldif"
    before = {file: file.read_bytes() for file in (published, rendering)}
    demo.describe(lambda described: described["projects"][0]["quotas"].update(instances=81))
    done = demo.publish(preexec_fn=with_small_files)
    assert (done.returncode, done.stdout) == (ExitCode.STORE, "")
    why = "file too large; raise the limit on the size of files (ulimit -f); the former file is untouched"
    assert [line for line in done.stderr.splitlines() if line.startswith("infoprovider: ")] == [
        f"infoprovider: the document is handed out, but not kept: cannot write {rendering}: {why}",
        f"infoprovider: channel resource-bdii: cannot write {published}: {why}",
    ]
    assert {file: file.read_bytes() for file in before} == before
    left = {file.name for folder in (ldif, demo.public) for file in folder.iterdir()}
    assert left == {"resource.ldif", "current.resource.ldif", "current.expires"}


def test_a_full_standard_output(tmp_path: Path) -> None:
    """A pipe or device that takes nothing more is a failed channel, not a broken program."""
    demo = demo_in(tmp_path / "demo", {"name": "screen", "kind": "stdout"})
    with Path("/dev/full").open("w") as full:
        done = demo.publish("--quiet", capture_output=False, stdout=full, stderr=-1)
    assert done.returncode == ExitCode.PUBLISH
    assert done.stderr == (
        "infoprovider: channel screen: cannot write to standard output: no space left on device; "
        "free some space there\n"
    )


def test_a_state_folder_that_cannot_be_made(tmp_path: Path, ldif: Path) -> None:
    """Without a place for the state nothing is handed out."""
    (tmp_path / "file").write_text("no folder\n")
    demo = demo_in(tmp_path / "demo", bdii_channel(ldif))
    written = yaml.safe_load(demo.config.read_text())
    demo.config.write_text(yaml.safe_dump(written | {"state": str(tmp_path / "file" / "state")}))
    done = demo.publish()
    assert (done.returncode, done.stdout) == (ExitCode.STORE, "")
    assert done.stderr == (
        f"infoprovider: cannot use the state folder {tmp_path}/file/state: not a directory; name a folder\n"
    )
    assert list(ldif.iterdir()) == []
