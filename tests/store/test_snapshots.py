"""Last good parts on disk: whole or not at all, one writer, nothing lost."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infoprovider.clock import Reading
from infoprovider.errors import StoreError
from infoprovider.inventory.model import Capacity, Facet, Prices, Usage
from infoprovider.inventory.observation import Attempt, Observed, Outcome, Problem
from infoprovider.store.snapshots import SnapshotStore

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.reading = Reading(NOON, 1000.0, "boot-a")

    def read(self) -> Reading:
        """The moment that was set."""
        return self.reading


def usage(project: str, running: int = 1) -> Observed:
    """One project's usage, observed at noon."""
    value = Usage(project=project, running=running)
    return Observed(
        facet=Facet.USAGE, part=project, value=value, observed_at=NOON, calls=("GET /limits",), notes=("n",)
    )


CAPACITY = Observed(facet=Facet.CAPACITY, value=Capacity(vcpus=8), observed_at=NOON)


@pytest.fixture
def clock() -> FixedClock:
    """A clock at noon."""
    return FixedClock()


@pytest.fixture
def store(tmp_path: Path, clock: FixedClock) -> SnapshotStore:
    """An empty store."""
    return SnapshotStore(tmp_path / "state", clock)


def test_what_was_kept_is_read_back(store: SnapshotStore) -> None:
    """Values, stamps, calls and notes survive, each part on its own, in a stable order."""
    with store.writing():
        for observed in (usage("b"), CAPACITY, usage("a")):
            store.keep("cloud", observed)
    assert store.observations("cloud") == [CAPACITY, usage("a"), usage("b")]
    assert store.observations("other") == []


def test_a_newer_part_takes_the_place_of_the_former(store: SnapshotStore) -> None:
    """There is one last good value of a part."""
    store.keep("cloud", usage("a", 1))
    store.keep("cloud", usage("a", 2))
    assert store.observations("cloud") == [usage("a", 2)]


@pytest.mark.parametrize("part", ["../../etc", "a/b", "é", "x" * 300, ".", "~", "a b", "UPPER", "a\nb", "a.b"])
def test_a_part_may_have_any_name(store: SnapshotStore, tmp_path: Path, part: str) -> None:
    """A manager's word never names a path, and no two words share a file."""
    store.keep("cloud", usage(part))
    store.keep("cloud", usage("other"))
    assert {observed.part for observed in store.observations("cloud")} == {part, "other"}
    assert {path.parent for path in tmp_path.rglob("usage*")} == {tmp_path / "state" / "snapshots" / "cloud"}


def test_parts_that_are_no_longer_there_go(store: SnapshotStore) -> None:
    """Ending a facet removes the parts that it does not name, and no other facet's."""
    for observed in (usage("a"), usage("b"), CAPACITY):
        store.keep("cloud", observed)
    store.retain("cloud", Facet.USAGE, frozenset({"b", "c"}))
    assert store.observations("cloud") == [CAPACITY, usage("b")]


def test_an_outcome_survives(store: SnapshotStore) -> None:
    """How the last attempts went is read back whole; before the first there is nothing."""
    failed = (Problem(facet=Facet.IMAGES, part="x", reason="500"),)
    attempt = Attempt(facet=Facet.IMAGES, at=Reading(NOON, 1000.0, "boot-a"), answered=2, failed=failed)
    outcome = Outcome(measured=True, attempts=(attempt,))
    assert store.outcome("cloud") is None
    store.conclude("cloud", outcome)
    assert store.outcome("cloud") == outcome


def test_what_is_no_unicode_text_costs_nothing_else(store: SnapshotStore) -> None:
    """A lone surrogate in a name or a reason is spelt out, NUL is kept: what stands beside it can be read."""
    told = Problem(facet=Facet.USAGE, part="p\ud83d", reason="said \udcff\x00")
    at = Reading(NOON, 1000.0, "boot-a")
    store.conclude(
        "cloud", Outcome(measured=True, attempts=(Attempt(facet=Facet.USAGE, at=at, answered=0, failed=(told,)),))
    )
    store.keep("cloud", usage("p\ud83d"))
    outcome = store.outcome("cloud")
    assert outcome is not None
    assert outcome.failed == (Problem(facet=Facet.USAGE, part=r"p\uD83D", reason="said \\uDCFF\x00"),)
    assert [one.part for one in store.observations("cloud")] == [r"p\uD83D"]
    assert store.set_aside() == ()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version": 99}', b"\xff", b'{"version": 1, "facet": "weather"}', b'{"version": 1}'],
)
def test_what_cannot_be_read_is_set_aside_and_the_rest_goes_on(
    store: SnapshotStore, tmp_path: Path, content: bytes
) -> None:
    """A broken or newer file is moved out of the way and reported; it is neither lost nor does it stop anything."""
    store.keep("cloud", CAPACITY)
    broken = tmp_path / "state" / "snapshots" / "cloud" / "prices.json"
    broken.write_bytes(content)
    assert store.observations("cloud") == [CAPACITY]
    assert [one.path for one in store.set_aside()] == [broken.with_name("prices.json.unreadable")]
    assert broken.with_name("prices.json.unreadable").read_bytes() == content
    store.keep("cloud", Observed(facet=Facet.PRICES, value=Prices(prices=()), observed_at=NOON))
    assert len(store.observations("cloud")) == 2


def test_a_broken_outcome_is_set_aside(store: SnapshotStore, tmp_path: Path) -> None:
    """An outcome that says something unknown counts as none."""
    folder = tmp_path / "state" / "snapshots" / "cloud"
    folder.mkdir(parents=True)
    (folder / "outcome.json").write_text('{"version": 1, "outcome": {"colour": 1}}')
    assert store.outcome("cloud") is None
    assert len(store.set_aside()) == 1


def test_one_writer_at_a_time(store: SnapshotStore, tmp_path: Path, clock: FixedClock) -> None:
    """A second writer is refused with what to do, a reader is not, and the lock goes with its holder."""
    other = SnapshotStore(tmp_path / "state", clock)
    with store.writing():
        store.keep("cloud", CAPACITY)
        assert other.observations("cloud") == [CAPACITY]
        with pytest.raises(StoreError, match="another infoprovider is writing"), other.writing():
            pass
    with other.writing():
        pass


def test_nobody_else_may_read_the_state(store: SnapshotStore, tmp_path: Path) -> None:
    """Folders are 0700 and files 0600: what is in them is for the centre alone."""
    with store.writing():
        store.keep("cloud", CAPACITY)
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    folders = [tmp_path / "state" / "snapshots", tmp_path / "state" / "snapshots" / "cloud"]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, clock: FixedClock) -> None:
    """The message names the folder, what was seen and what to do."""
    (tmp_path / "file").write_text("")
    store = SnapshotStore(tmp_path / "file" / "state", clock)
    with pytest.raises(StoreError, match=r"cannot use the state folder .*file/state: not a directory; name a folder"):
        store.writing().__enter__()


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_jump_makes_nothing_older_or_newer(store: SnapshotStore, clock: FixedClock, jump: int) -> None:
    """The stamp moves along with the wall clock: the age stays, and nothing lies in the future."""
    store.keep("cloud", CAPACITY)
    clock.reading = Reading(NOON + timedelta(seconds=60 + jump), 1060.0, "boot-a")
    assert clock.reading.wall - store.observations("cloud")[0].observed_at == timedelta(seconds=60)


WRITER = """
import os, signal, sys
from pathlib import Path
from datetime import UTC, datetime
import infoprovider.files as files
from infoprovider.clock import Clock
from infoprovider.inventory.model import Facet, Usage
from infoprovider.inventory.observation import Observed, Outcome
from infoprovider.store.snapshots import SnapshotStore

fatal, calls = int(sys.argv[2]), 0

def dying(function):
    def wrapper(*arguments, **keywords):
        global calls
        calls += 1
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **keywords)
    return wrapper

for name in ("fdopen", "fchmod", "fsync", "open", "close"):
    setattr(files.os, name, dying(getattr(os, name)))
files.tempfile.mkstemp = dying(files.tempfile.mkstemp)
Path.replace = dying(Path.replace)
Path.unlink = dying(Path.unlink)

store = SnapshotStore(Path(sys.argv[1]), Clock())
now = datetime.now(UTC)
with store.writing():
    for part in ("a", "b"):
        value = Usage(project=part, running=2)
        store.keep("cloud", Observed(facet=Facet.USAGE, part=part, value=value, observed_at=now))
    store.retain("cloud", Facet.USAGE, frozenset({"a", "b"}))
    store.conclude("cloud", Outcome(measured=True, attempts=()))
print(calls)
"""


def test_a_writer_that_is_killed_anywhere_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL at every call that touches the disk: a reader finds each part whole, the former or the new one."""
    from infoprovider.clock import Clock

    store = SnapshotStore(tmp_path, Clock())
    fatal, seen = 0, set()
    while True:
        fatal += 1
        with store.writing():
            for part in ("a", "b"):
                store.keep("cloud", usage(part, running=1))
        ended = subprocess.run(
            [sys.executable, "-c", WRITER, str(tmp_path), str(fatal)], capture_output=True, text=True
        )
        found = {observed.part: observed.value.running for observed in store.observations("cloud")}
        assert found.keys() == {"a", "b"}
        assert set(found.values()) <= {1, 2}
        seen.add(tuple(found.values()))
        assert store.set_aside() == ()
        with store.writing():
            assert list(tmp_path.rglob("*.new")) == []
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert fatal > int(ended.stdout) > 10
    assert seen == {(1, 1), (2, 1), (2, 2)}
    assert json.loads((tmp_path / "snapshots" / "cloud" / "outcome.json").read_text())["version"] == 1


def test_who_wants_to_know_hears_what_was_set_aside(tmp_path: Path, clock: FixedClock) -> None:
    """A facet by its name, everything where it is not known how the attempts went."""
    heard: list[tuple[str, frozenset[Facet]]] = []
    store = SnapshotStore(tmp_path, clock, lambda instance, facets: heard.append((instance, facets)))
    store.keep("cloud", usage("a"))
    for name in ("usage.a.json", "outcome.json"):
        (tmp_path / "snapshots" / "cloud" / name).write_text("{")
    assert store.observations("cloud") == []
    assert store.outcome("cloud") is None
    assert heard == [("cloud", frozenset({Facet.USAGE})), ("cloud", frozenset(Facet))]
