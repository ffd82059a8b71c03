"""What the broker is known to hold of a channel's stream, and what it may hold.

    <state>/acknowledged/<channel>.sqlite

A receipt can be lost after the broker has stored the message, and this process can end between the two. So each
attempt is kept before anything is sent, and read back as something that may have happened.

The units are those of the *base*, the revision that was acknowledged last. It is a database because of a large
centre's hundred thousand units few change at a time.
"""

import json
import logging
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from infoprovider.clock import Reading
from infoprovider.errors import StoreError
from infoprovider.files import PRIVATE, fault

RUN = secrets.token_hex(8)
"""Of this process, told apart from every other."""

Touched: TypeAlias = Mapping[str, frozenset[str] | None]
"""Key → the fields that were touched; None for all of it, also where it came or went."""

log = logging.getLogger(__name__)

_SCHEMA = """
create table if not exists said (name text primary key, value text not null) without rowid;
create table if not exists units (key text primary key, digest blob not null, unit blob not null);
create table if not exists touched (key text primary key, fields text) without rowid;
create table if not exists notable (key text primary key, state text not null) without rowid;
"""
_AT_ONCE = 500
"""Keys in one question: SQLite takes at least 999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRecord:
    """A stream as far as it is known.

    `stream` is its name, `epoch` that of this process. `base` is the revision that was acknowledged last, 0 before the
    first, `digests` the SHA-256 of each of its units. `revision` is the one that was attempted last, and `touched` what
    receivers may have by now in another state than the base. `snapshot_at` is when the last snapshot was acknowledged,
    `expires` what the last message said of that. `notable` is what notices were told of: key → state.
    """

    stream: str
    epoch: int
    base: int = 0
    revision: int = 0
    digests: Mapping[str, bytes] = field(default_factory=dict)
    touched: Touched = field(default_factory=dict)
    snapshot_at: Reading | None = None
    expires: datetime | None = None
    notable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What the broker has confirmed: a revision, which units it changed (with their digests) and removed.

    `snapshot_at` is given where it was a snapshot, `revision` is 0 where receivers have nothing any more.
    """

    revision: int
    changed: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)
    removed: Iterable[str] = ()
    snapshot_at: Reading | None = None
    expires: datetime | None = None
    notable: Mapping[str, str] = field(default_factory=dict)


class AcknowledgedStore:
    """The record of one channel's stream below a state folder."""

    def __init__(self, state: Path, channel: str) -> None:
        self._path = state / "acknowledged" / f"{channel}.sqlite"

    def read(self, now: Reading) -> StreamRecord:
        """What holds; a new stream where nothing legible is kept. Raises StoreError where the file cannot be read.

        A process that finds another's record begins an epoch of its own, later than the former whatever the clock says.
        """
        try:
            return self._read(now)
        except _Illegible as error:
            aside = self._path.with_name(f"{self._path.name}.unreadable")
            log.warning("%s: %s; it is now %s, and a new stream begins", self._path, error, aside.name)
            try:
                self._path.replace(aside)
            except OSError as why:
                raise StoreError(f"cannot rename {self._path} to {aside.name}: {fault(why)}") from why
            return self._read(now)

    def units(self, keys: Iterable[str]) -> dict[str, bytes]:
        """These units of the base. Raises StoreError."""
        wanted, found = list(keys), dict[str, bytes]()
        if not wanted:
            return found
        with self._open() as database:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                places = ",".join("?" * len(some))
                found.update(database.execute(f"select key, unit from units where key in ({places})", some))  # noqa: S608
        return found

    def attempt(self, record: StreamRecord, revision: int, touched: Touched) -> None:
        """Keep, before it is sent, what receivers may have soon. Raises StoreError; then nothing must be sent."""
        fields = ((key, None if names is None else json.dumps(sorted(names))) for key, names in touched.items())
        with self._open() as database:
            said = {"stream": record.stream, "epoch": record.epoch, "run": RUN, "revision": revision}
            _say(database, said)
            database.execute("delete from touched")
            database.executemany("insert into touched values (?, ?)", fields)

    def acknowledge(self, confirmed: Confirmed) -> None:
        """Keep what the broker has confirmed. Raises StoreError; what was kept before then still holds."""
        units = ((key, digest, unit) for key, (digest, unit) in confirmed.changed.items())
        with self._open() as database:
            said: dict[str, Any] = {"base": confirmed.revision}
            if confirmed.expires is not None:
                said["expires"] = confirmed.expires.isoformat()
            at = confirmed.snapshot_at
            if at is not None:
                said["snapshot_at"] = [at.wall.isoformat(), at.uptime, at.boot]
            _say(database, said)
            if not confirmed.revision:
                database.execute("delete from units")
                database.execute("delete from said where name in ('snapshot_at', 'expires')")
            database.executemany("insert or replace into units values (?, ?, ?)", units)
            database.executemany("delete from units where key = ?", ((key,) for key in confirmed.removed))
            database.execute("delete from touched")
            database.execute("delete from notable")
            database.executemany("insert into notable values (?, ?)", confirmed.notable.items())

    def _read(self, now: Reading) -> StreamRecord:
        milliseconds = int(now.wall.timestamp() * 1000)
        if not self._path.exists():
            return StreamRecord(stream=secrets.token_hex(16), epoch=milliseconds)
        with self._open() as database:
            try:
                return _record(database, milliseconds)
            except (KeyError, TypeError, ValueError) as error:
                raise _Illegible(f"is not what this program writes ({error!r})") from error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The database in a transaction: all of it is kept, or nothing."""
        try:
            if not self._path.exists():
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, PRIVATE))
            with closing(sqlite3.connect(self._path)) as database:
                database.executescript(_SCHEMA)
                with database:
                    yield database
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {fault(error)}") from error
        except sqlite3.OperationalError as error:
            raise StoreError(
                f"cannot use {self._path}: {error}; see that this user may write there, and that there is space"
            ) from error
        except sqlite3.DatabaseError as error:
            raise _Illegible(f"is no database ({error})") from error


class _Illegible(StoreError):
    """What is kept cannot be read as what this program writes."""


def _say(database: sqlite3.Connection, said: Mapping[str, Any]) -> None:
    rows = ((name, json.dumps(value)) for name, value in said.items())
    database.executemany("insert or replace into said values (?, ?)", rows)


def _record(database: sqlite3.Connection, milliseconds: int) -> StreamRecord:
    said = {name: json.loads(value) for name, value in database.execute("select name, value from said")}
    if not said:
        return StreamRecord(stream=secrets.token_hex(16), epoch=milliseconds)
    epoch = int(said["epoch"])
    touched = database.execute("select key, fields from touched")
    at = said.get("snapshot_at")
    return StreamRecord(
        stream=said["stream"],
        epoch=epoch if said["run"] == RUN else max(milliseconds, epoch + 1),
        base=int(said.get("base", 0)),
        revision=int(said["revision"]),
        digests=dict(database.execute("select key, digest from units")),
        touched={key: None if fields is None else frozenset(json.loads(fields)) for key, fields in touched},
        snapshot_at=at and Reading(datetime.fromisoformat(at[0]), at[1], at[2]),
        expires=datetime.fromisoformat(said["expires"]) if "expires" in said else None,
        notable=dict(database.execute("select key, state from notable")),
    )
