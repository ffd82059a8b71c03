"""The composed document on disk: kept whole, read back, and handed out no longer than it holds."""

import json
import os
import resource
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infoprovider.errors import ExitCode, StoreError
from infoprovider.glue.document import Document, Made, Pruned, Quarantined, Source, Withheld, close
from infoprovider.glue.entities import AdminDomain, ComputingShare, UserDomain
from infoprovider.store.document import DocumentStore, Entry

HOOK = Path(__file__).parents[2] / "bdii-hook" / "infoprovider-hook"
NOW = datetime.now(UTC)
OURS = Source(facet="configuration", observed_at=NOW - timedelta(hours=1), declared=True)
USAGE = Source(
    facet="usage", instance="north", part="p1", observed_at=NOW - timedelta(seconds=90.5), calls=("GET /usage",)
)
BODY = "dn: GLUE2GroupID=resource,o=glue\nobjectClass: GLUE2Group\nGLUE2EntityName: Zürich\n\n".encode()


def document() -> Document:
    """A centre and a community, the latter also made of a project's usage."""
    return close(
        [
            Made(AdminDomain(id="RC-ONE", creation_time=OURS.observed_at), (OURS,)),
            Made(UserDomain(id="vo.bio", creation_time=USAGE.observed_at), (USAGE, OURS)),
        ]
    )


@pytest.fixture
def store(tmp_path: Path) -> DocumentStore:
    """A store whose folders are not there yet."""
    return DocumentStore(tmp_path / "lib" / "state", tmp_path / "lib" / "public")


def keep(store: DocumentStore, seconds: float = 600, **renderings: bytes) -> None:
    """Keep the document and its renderings for so many seconds from now."""
    digests = {"RC-ONE": "d1", "vo.bio": "d2"}
    store.keep(document(), digests, renderings or {"resource": BODY}, NOW, NOW + timedelta(seconds=seconds))


def public(store: DocumentStore) -> Path:
    """The folder that a BDII's user reads."""
    return store.rendering_path("resource").parent


def test_what_was_kept_is_read_back_by_another_process(store: DocumentStore, tmp_path: Path) -> None:
    """Class, digest, stamp and sources of every entity; microseconds are not lost."""
    assert store.read().entries == {}
    keep(store)
    other = DocumentStore(tmp_path / "lib" / "state", tmp_path / "lib" / "public")
    assert other.read().entries == {
        "RC-ONE": Entry("AdminDomain", "d1", OURS.observed_at, (OURS,)),
        "vo.bio": Entry("UserDomain", "d2", USAGE.observed_at, (USAGE, OURS)),
    }
    assert other.rendering("resource") == BODY


def test_what_was_left_out_is_read_back(store: DocumentStore) -> None:
    """What is withheld or quarantined, which references were taken out, which trees stay as they were, and why."""
    withheld = Withheld("ComputingShare", "s1", "it lacks its Location", "Location")
    share = ComputingShare(id="s2", creation_time=NOW, endpoint_foreign_key=("gone",))
    quarantined = (Quarantined("ApplicationEnvironment", "i1", "too long", "site"),)
    kept = close([Made(AdminDomain(id="RC-ONE", creation_time=NOW), (OURS,)), Made(share, (OURS,))], [withheld])
    kept = replace(kept, quarantined=quarantined)
    digests = {made.entity.id: "d" for made in kept.made}
    store.keep(kept, digests, {"resource": BODY}, NOW, NOW + timedelta(hours=1), {"site": "no such template"})
    read = store.read()
    assert read.unchanged == {"site": "no such template"}
    assert read.withheld[0] == replace(withheld, lacks=None)
    assert {(one.entity, one.id, one.why) for one in read.withheld} == {
        (one.entity, one.id, one.why) for one in kept.withheld
    }
    assert read.quarantined == quarantined
    assert read.pruned == kept.pruned
    assert Pruned("s2", "EndpointForeignKey", "gone") in read.pruned


def test_a_rendering_that_was_never_made_is_said_with_what_to_do(store: DocumentStore) -> None:
    """The first `show` before the first `publish`."""
    with pytest.raises(StoreError) as caught:
        store.rendering("resource")
    assert str(caught.value) == (
        f"{public(store)}/current.resource.ldif is not there: nothing was published yet; run `infoprovider publish`"
    )
    assert caught.value.exit_code is ExitCode.STORE


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_only_what_the_bdii_serves_is_readable_by_others(store: DocumentStore, umask: int) -> None:
    """Whatever the umask says: renderings are public, what they are made of is not."""
    former = os.umask(umask)
    try:
        keep(store)
    finally:
        os.umask(former)
    modes = {
        path.name: oct(stat.S_IMODE(path.stat().st_mode))
        for path in (store.path.parent, store.path, public(store), *public(store).iterdir())
    }
    assert modes == {
        "state": "0o700",
        "document.json": "0o600",
        "public": "0o755",
        "current.resource.ldif": "0o644",
        "current.expires": "0o644",
    }


def test_folders_that_are_there_keep_their_modes(store: DocumentStore) -> None:
    """Who may read them is the operator's choice."""
    public(store).mkdir(parents=True)
    public(store).chmod(0o750)
    keep(store)
    assert stat.S_IMODE(public(store).stat().st_mode) == 0o750


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"\xff", "is no JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"version": 2}', "is of format 2, this version reads 1"),
        (b'{"version": 1, "sources": []}', "is not what this program writes: KeyError('entities')"),
        (b"[]", "is not what this program writes: TypeError('list indices must be integers or slices, not str')"),
        (
            b'{"version": 1, "sources": [], "entities": {"a": ["X", "d", "2026-11-21T00:00:00+00:00", [7]]}}',
            "is not what this program writes: IndexError('list index out of range')",
        ),
    ],
)
def test_a_file_that_cannot_be_read_or_is_newer_is_said_and_set_aside(
    store: DocumentStore, content: bytes, why: str
) -> None:
    """It is never overwritten: who goes back to the newer version finds it under its other name."""
    keep(store)
    store.path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        store.read()
    assert str(caught.value) == (f"{store.path} {why}; `infoprovider publish` sets it aside, and stamps begin anew")
    aside = store.set_aside()
    assert (aside.name, aside.read_bytes()) == ("document.json.unreadable", content)
    assert store.read().entries == {}


def test_a_rendering_that_is_no_longer_made_is_removed(store: DocumentStore) -> None:
    """The expiry speaks for all of them, and nobody would renew that one."""
    keep(store, resource=BODY, site=BODY)
    (public(store) / "readme").write_text("of the operator")
    keep(store, resource=BODY)
    assert sorted(path.name for path in public(store).iterdir()) == [
        "current.expires",
        "current.resource.ldif",
        "readme",
    ]


def test_the_renderings_are_there_before_their_stamps(store: DocumentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash between the two an entity takes a newer stamp too early, never too late."""
    written = []
    replace = Path.replace

    def noting(self: Path, target: Path) -> Path:
        written.append(Path(target).name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", noting)
    keep(store)
    assert written == ["current.resource.ldif", "current.expires", "document.json"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """As on a full disk, without being root: no file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_former_files(store: DocumentStore) -> None:
    """The message names the file, what was seen and what to do; nothing half-written is left beside."""
    keep(store)
    before = {path: path.read_bytes() for path in (store.path, *public(store).iterdir())}
    with largest_file(1000), pytest.raises(StoreError) as caught:
        keep(store, resource=BODY * 100)
    assert str(caught.value) == (
        f"cannot write {public(store)}/current.resource.ldif: file too large; raise the limit on the size of files "
        "(ulimit -f); the former file is untouched"
    )
    assert {path: path.read_bytes() for path in (*store.path.parent.iterdir(), *public(store).iterdir())} == before


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """Where a file stands in the place of a folder, root or not."""
    (tmp_path / "lib").write_text("a file")
    with pytest.raises(StoreError) as caught:
        keep(DocumentStore(tmp_path / "lib" / "state", tmp_path / "public"))
    assert str(caught.value) == f"cannot make the folder {tmp_path}/lib/state: not a directory; name a folder"


def hook(store: DocumentStore, template_set: str = "resource") -> "subprocess.CompletedProcess[bytes]":
    """What a BDII gets from the hook."""
    command = ["/bin/sh", str(HOOK), str(public(store)), template_set]
    return subprocess.run(command, capture_output=True, check=False, env={})


@pytest.mark.parametrize(("seconds", "printed"), [(86400, True), (-60, False)])
@pytest.mark.parametrize("same_boot", [True, False])
def test_the_hook_reads_the_expiry_that_the_store_writes(
    store: DocumentStore, seconds: int, printed: bool, same_boot: bool
) -> None:
    """Within this boot by uptime, after a reboot by the wall clock: both were written for the same moment."""
    keep(store, seconds)
    expires = public(store) / "current.expires"
    if not same_boot:
        expires.write_text("another-boot " + expires.read_text().partition(" ")[2])
    result = hook(store)
    assert (result.returncode, result.stdout) == ((0, BODY) if printed else (1, b""))


def test_an_expiry_that_was_written_late_counts_from_the_composition(
    store: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uptime and wall second mean the same moment, to the second."""
    monkeypatch.setattr("time.clock_gettime", lambda _: 1000.25)
    keep(store, 600)
    boot, uptime, wall = (public(store) / "current.expires").read_text().split()
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert (int(uptime), int(wall)) == (1600, int((NOW + timedelta(seconds=600)).timestamp()))


def test_sources_are_written_once(store: DocumentStore) -> None:
    """A hundred thousand entities share a handful of them."""
    keep(store)
    plain = json.loads(store.path.read_bytes())
    assert (len(plain["sources"]), plain["entities"]["vo.bio"][3]) == (2, [1, 0])


def test_a_rendering_that_could_not_be_renewed_stays_till_it_expires(store: DocumentStore) -> None:
    """With the expiry that it had, not with that of the others; when renewed, it is as long-lived as they."""
    keep(store, 600, resource=BODY, site=BODY)
    digests = {"RC-ONE": "d1", "vo.bio": "d2"}
    for seconds in (900, 1200):
        store.keep(
            document(),
            digests,
            {"resource": BODY},
            NOW,
            NOW + timedelta(seconds=seconds),
            unchanged={"site": "no such template"},
        )
        common, own = ((public(store) / f"current.{name}expires").read_text().split() for name in ("", "site."))
        assert int(common[2]) - int(own[2]) == seconds - 600
        assert store.rendering("site") == BODY
        assert hook(store, "site").stdout == BODY
    keep(store, 1200, resource=BODY, site=BODY)
    assert sorted(path.name for path in public(store).glob("*.expires")) == ["current.expires"]


def test_a_rendering_that_could_not_be_renewed_leaves_when_it_expires(store: DocumentStore) -> None:
    """And the others do not go with it."""
    keep(store, 600, resource=BODY, site=BODY)
    digests = {"RC-ONE": "d1", "vo.bio": "d2"}
    store.keep(
        document(),
        digests,
        {"resource": BODY},
        NOW,
        NOW + timedelta(seconds=900),
        unchanged={"site": "no such template"},
    )
    boot, _, _ = (public(store) / "current.site.expires").read_text().split()
    (public(store) / "current.site.expires").write_text(f"{boot} 1 1\n")
    assert hook(store, "site").stdout == b""
    store.keep(
        document(),
        digests,
        {"resource": BODY},
        NOW,
        NOW + timedelta(seconds=900),
        unchanged={"site": "no such template"},
    )
    assert sorted(path.name for path in public(store).iterdir()) == ["current.expires", "current.resource.ldif"]
    assert hook(store, "resource").stdout == BODY


def test_a_rendering_that_never_was_cannot_stay(store: DocumentStore) -> None:
    """A tree that fails from the start leaves no file."""
    digests = {"RC-ONE": "d1", "vo.bio": "d2"}
    store.keep(
        document(),
        digests,
        {"resource": BODY},
        NOW,
        NOW + timedelta(seconds=900),
        unchanged={"site": "no such template"},
    )
    assert sorted(path.name for path in public(store).iterdir()) == ["current.expires", "current.resource.ldif"]
