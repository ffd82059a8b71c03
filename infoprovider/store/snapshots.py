"""Last good parts of facets on disk, and how each instance's last attempts went.

    <state>/snapshots/<instance>/<facet>[.<part>].json   one part: its value, when it was observed, by which calls
    <state>/snapshots/<instance>/outcome.json            how the last attempt at every facet went

Every file is replaced in one step, so a reader, or a start after a crash, finds the former part or the new one. A file
that cannot be read, or that a newer version wrote, is set aside as `….unreadable` and reported; the rest goes on. One
process writes (`writing`), any number may read.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from infoprovider.clock import Clock, Reading, as_seen_now
from infoprovider.errors import StoreError
from infoprovider.files import PRIVATE, fault, remove_leftovers, replace_file
from infoprovider.inventory.codec import FORMAT_VERSION, from_json, to_plain
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Observed, Outcome

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_OUTCOME_FILE = "outcome.json"
UNREADABLE = ".unreadable"
_SURROGATE = re.compile("[\ud800-\udfff]")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that could not be used, where it is now, and why."""

    path: Path
    why: str


class SnapshotStore:
    """The facets of all instances below a state folder.

    `lost` hears of which instance which facets had to be set aside, in whatever thread that is seen.
    """

    def __init__(
        self, state: Path, clock: Clock, lost: Callable[[str, frozenset[Facet]], object] | None = None
    ) -> None:
        self._state = state
        self._folder = state / "snapshots"
        self._clock = clock
        self._lost = lost

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one writer. Raises StoreError where another process is, or where the folder cannot be made."""
        path = self._state / "lock"
        try:
            self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        except OSError as error:
            raise StoreError(f"cannot use the state folder {self._state}: {fault(error)}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(
                f"another infoprovider is writing to {self._state}; if it is `infoprovider run`, have it collect by "
                "`infoprovider poke`, else wait for it"
            ) from error
        else:
            for folder in (self._state, *self._state.glob("*/"), *self._folder.glob("*/")):
                remove_leftovers(folder)
            yield
        finally:
            os.close(descriptor)

    # --- writing --------------------------------------------------------------------------------------------------

    def keep(self, instance: str, observed: Observed) -> None:
        """Write an observation in the place of the former one of its part. Raises StoreError; the former then stays."""
        now = self._clock.read()
        plain = {
            "version": FORMAT_VERSION,
            "facet": observed.facet,
            "part": observed.part,
            "observed_at": observed.observed_at.isoformat(),
            "kept": _from_reading(now),
            "calls": observed.calls,
            "notes": observed.notes,
            "value": to_plain(observed.facet, observed.value),
        }
        self._write(self._folder / instance / _file_name(observed.facet, observed.part), plain)

    def retain(self, instance: str, facet: Facet, parts: frozenset[str]) -> None:
        """Remove the parts of a facet that are no longer there. Raises StoreError where one cannot be removed."""
        kept = {_file_name(facet, part) for part in parts}
        for path in self._files(instance):
            if path.name.startswith(f"{facet}.") and path.name not in kept:
                self._remove(path)

    def conclude(self, instance: str, outcome: Outcome) -> None:
        """Write how the last collection went. Raises StoreError; the former outcome then stays."""
        plain = {"version": FORMAT_VERSION, "outcome": _OUTCOME.dump_python(outcome, mode="json")}
        self._write(self._folder / instance / _OUTCOME_FILE, plain)

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot remove {path}, which is no longer there at its manager: {fault(error)}"
            ) from error

    def _write(self, path: Path, plain: Any) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, _to_bytes(plain), mode=PRIVATE)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {fault(error)}; the former file is untouched") from error

    # --- reading --------------------------------------------------------------------------------------------------

    def observations(self, instance: str) -> Sequence[Observed]:
        """The last good parts of all facets of an instance, by facet and part, as seen on today's wall clock.

        Raises StoreError where a file cannot be opened at all.
        """
        now = self._clock.read()
        found = [
            observed
            for path in self._files(instance)
            if path.name != _OUTCOME_FILE and (observed := self._read(path, now)) is not None
        ]
        return sorted(found, key=lambda observed: (observed.facet, observed.part))

    def outcome(self, instance: str) -> Outcome | None:
        """How the last attempts at an instance went; None before the first."""
        path = self._folder / instance / _OUTCOME_FILE
        plain = self._plain(path)
        if plain is None:
            return None
        try:
            outcome = _OUTCOME.validate_json(json.dumps(plain["outcome"]))
        except (KeyError, ValidationError) as error:
            self._set_aside(path, error)
            return None
        now = self._clock.read()
        attempts = (
            replace(one, at=replace(one.at, wall=as_seen_now(one.at.wall, one.at, now))) for one in outcome.attempts
        )
        return replace(outcome, attempts=tuple(attempts))

    def set_aside(self) -> tuple[SetAside, ...]:
        """Files that could not be used, and lie beside the others until somebody looks at them."""
        return tuple(
            SetAside(path, "it could not be read, or a newer version wrote it")
            for path in sorted(self._folder.glob(f"*/*{UNREADABLE}"))
        )

    def _files(self, instance: str) -> list[Path]:
        folder = self._folder / instance
        # Dot-files are being written, or were when something ended their writer.
        return [path for path in sorted(folder.glob("*.json")) if not path.name.startswith(".")]

    def _read(self, path: Path, now: Reading) -> Observed | None:
        plain = self._plain(path)
        if plain is None:
            return None
        try:
            facet = Facet(plain["facet"])
            observed_at = datetime.fromisoformat(plain["observed_at"]).astimezone(UTC)
            return Observed(
                facet=facet,
                part=plain["part"],
                value=from_json(facet, json.dumps(plain["value"])),
                observed_at=as_seen_now(observed_at, _to_reading(plain["kept"]), now),
                calls=tuple(plain["calls"]),
                notes=tuple(plain["notes"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            self._set_aside(path, error)
            return None

    def _plain(self, path: Path) -> dict[str, Any] | None:
        """A file's content, None where it is not there or had to be set aside."""
        try:
            plain = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {path}: {fault(error)}") from error
        except ValueError as error:
            self._set_aside(path, error)
            return None
        if not isinstance(plain, dict) or plain.get("version") != FORMAT_VERSION:
            self._set_aside(path, ValueError("not of this format version"))
            return None
        return plain

    def _set_aside(self, path: Path, why: Exception) -> None:
        try:
            path.replace(path.with_name(path.name + UNREADABLE))
        except OSError as error:
            log.warning("%s cannot be used (%s), nor set aside: %s", path, why, fault(error))
            return
        log.warning("%s cannot be used and was set aside: %s", path, why)
        if self._lost is not None:
            # How the attempts went is lost for all of them.
            named = frozenset(facet for facet in Facet if path.name.startswith(f"{facet}."))
            self._lost(path.parent.name, named or frozenset(Facet))


def _file_name(facet: Facet, part: str) -> str:
    """The file of a part, whose name is the manager's word: spelt as a hash where a file name could not hold it."""
    if not part:
        return f"{facet}.json"
    if len(part) <= 100 and part.replace("-", "").replace("_", "").isalnum() and part.isascii():
        return f"{facet}.{part}.json"
    return f"{facet}.~{hashlib.sha256(part.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"


def _to_bytes(plain: Any) -> bytes:
    """As JSON in UTF-8. A lone surrogate, with which nothing of the file could be read again, is spelt out."""
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    # The backslash is doubled: it is text within a string of JSON.
    return _SURROGATE.sub(lambda lone: rf"\\u{ord(lone[0]):04X}", text).encode()


def _from_reading(reading: Reading) -> dict[str, Any]:
    return {"wall": reading.wall.isoformat(), "uptime": reading.uptime, "boot": reading.boot}


def _to_reading(plain: dict[str, Any]) -> Reading:
    return Reading(datetime.fromisoformat(plain["wall"]).astimezone(UTC), float(plain["uptime"]), str(plain["boot"]))
