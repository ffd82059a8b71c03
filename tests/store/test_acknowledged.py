"""What a stream's record keeps: after a crash, in another process, damaged, on a full disk."""

import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infoprovider.clock import Reading
from infoprovider.errors import StoreError
from infoprovider.store import acknowledged
from infoprovider.store.acknowledged import AcknowledgedStore, Confirmed, StreamRecord

NOON = Reading(datetime(2026, 1, 15, 12, tzinfo=UTC), 100.0, "boot")
LATER = NOON.after(60)
UNITS = {"a": (b"1" * 32, b"one"), "b": (b"2" * 32, b"two")}


@pytest.fixture
def store(tmp_path: Path) -> AcknowledgedStore:
    """The record of a channel."""
    return AcknowledgedStore(tmp_path / "state", "broker")


def confirmed(store: AcknowledgedStore) -> StreamRecord:
    """The record after a first snapshot."""
    begun = store.read(NOON)
    store.attempt(begun, 1, dict.fromkeys(UNITS))
    store.acknowledge(
        Confirmed(revision=1, changed=UNITS, snapshot_at=NOON, expires=LATER.wall, notable={"image": "published"})
    )
    return store.read(NOON)


def test_what_was_confirmed_is_the_base(store: AcknowledgedStore) -> None:
    """With its units and when all that was; nothing is touched any more."""
    record = confirmed(store)
    assert (record.base, record.revision, record.touched) == (1, 1, {})
    assert record.digests == {key: digest for key, (digest, _) in UNITS.items()}
    assert store.units(["b", "none"]) == {"b": b"two"}
    assert (record.snapshot_at, record.expires, record.notable) == (NOON, LATER.wall, {"image": "published"})


def test_an_attempt_may_have_happened(store: AcknowledgedStore) -> None:
    """Whatever became of it: the number is used, and what it touched is remembered until a revision is confirmed."""
    before = confirmed(store)
    store.attempt(before, 2, {"a": frozenset({"FreeSlots"}), "c": None})
    record = store.read(NOON)
    assert (record.base, record.revision) == (1, 2)
    assert record.touched == {"a": {"FreeSlots"}, "c": None}
    store.acknowledge(Confirmed(revision=3, changed={"c": (b"3" * 32, b"three")}, removed=["a"]))
    record = store.read(NOON)
    assert record.touched == {}
    assert record.digests == {"b": b"2" * 32, "c": b"3" * 32}


def test_another_process_has_a_later_epoch(store: AcknowledgedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the clock was set back; the same process keeps its own."""
    first = confirmed(store)
    assert store.read(LATER).epoch == first.epoch
    monkeypatch.setattr(acknowledged, "RUN", "another")
    assert store.read(LATER).epoch == int(LATER.wall.timestamp() * 1000)
    early = Reading(datetime(2020, 1, 1, tzinfo=UTC), 5.0, "other boot")
    assert store.read(early).epoch == first.epoch + 1
    assert store.read(early).stream == first.stream


def test_a_withdrawn_centre_has_no_base(store: AcknowledgedStore) -> None:
    """What comes next is a snapshot, of a later revision of the same stream."""
    before = confirmed(store)
    store.attempt(before, 2, {})
    store.acknowledge(Confirmed(revision=0))
    record = store.read(NOON)
    assert (record.stream, record.base, record.revision) == (before.stream, 0, 2)
    assert (record.digests, record.snapshot_at, record.expires, record.notable) == ({}, None, None, {})


@pytest.mark.parametrize("content", [b"soup " * 1000, b""])
def test_what_is_no_record_begins_a_new_stream(store: AcknowledgedStore, tmp_path: Path, content: bytes) -> None:
    """What was there is put aside where it is anything at all."""
    before = confirmed(store)
    path = tmp_path / "state" / "acknowledged" / "broker.sqlite"
    path.write_bytes(content)
    record = store.read(LATER)
    assert (record.base, record.digests) == (0, {})
    assert record.stream != before.stream
    aside = path.with_name("broker.sqlite.unreadable")
    assert (aside.read_bytes() if aside.exists() else b"") == content


def test_values_of_another_kind_begin_a_new_stream(store: AcknowledgedStore, tmp_path: Path) -> None:
    """Whoever wrote them."""
    before = confirmed(store)
    path = tmp_path / "state" / "acknowledged" / "broker.sqlite"
    database = sqlite3.connect(path)
    with database:
        database.execute("update said set value = '\"soup\"' where name = 'epoch'")
    database.close()
    assert store.read(LATER).stream != before.stream


def test_nobody_else_reads_it(store: AcknowledgedStore, tmp_path: Path) -> None:
    """It holds the whole document, private images too."""
    confirmed(store)
    folder = tmp_path / "state" / "acknowledged"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "broker.sqlite").stat().st_mode) == 0o600


def test_where_nothing_can_be_kept_nothing_is_begun(tmp_path: Path) -> None:
    """With the path and what to do."""
    (tmp_path / "state").write_text("a file")
    store = AcknowledgedStore(tmp_path / "state", "broker")
    record = store.read(NOON)
    with pytest.raises(StoreError, match=r"cannot write .*broker.sqlite"):
        store.attempt(record, 1, {})


def test_a_full_disk_leaves_what_was_kept(store: AcknowledgedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt is kept whole or not at all."""
    before = confirmed(store)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(acknowledged, "_say", full)
    with pytest.raises(StoreError, match="disk is full; see that this user may write there, and that there is space"):
        store.attempt(before, 2, {"a": None})
    monkeypatch.undo()
    assert store.read(NOON) == before
