"""What the broker is known to hold of a channel's stream, and what it may hold.

    <state>/acknowledged/<channel>.json           the last revision that the broker acknowledged, unit by unit
    <state>/acknowledged/<channel>.attempt.json   written before anything is sent: what else it may hold by now

A receipt can be lost after the broker has stored the message, and this process can end between the two. So the attempt
is written first, and read back as something that may have happened.
"""

import logging
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from infoprovider.clock import Reading
from infoprovider.errors import StoreError
from infoprovider.files import PRIVATE, fault, replace_file

T = TypeVar("T")

RUN = secrets.token_hex(8)
"""Of this process, told apart from every other."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A stream as far as the broker has confirmed it.

    `stream` is its name, `epoch` that of the process that wrote this, which is named by `run`. `base` is the revision
    that was acknowledged last, 0 before the first; `digests` has key → SHA-256 in hex of each of its units.
    `snapshot_at` is when the last snapshot was acknowledged, `expires` what the last message said of that.
    `notable` is what notices were told of: key → state.
    """

    stream: str
    epoch: int
    run: str
    base: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    snapshot_at: Reading | None = None
    expires: datetime | None = None
    notable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What was sent after the base, confirmed or not: the newest revision, and every key touched since the base."""

    stream: str
    epoch: int
    revision: int
    touched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """Both, as they hold now: `touched` may be at receivers in another state than the base has."""

    acknowledged: Acknowledged
    revision: int
    touched: frozenset[str] = frozenset()


_ACKNOWLEDGED: TypeAdapter[Acknowledged] = TypeAdapter(Acknowledged)
_ATTEMPT: TypeAdapter[Attempt] = TypeAdapter(Attempt)


class AcknowledgedStore:
    """The record of one channel's stream below a state folder."""

    def __init__(self, state: Path, channel: str) -> None:
        self._path = state / "acknowledged" / f"{channel}.json"
        self._attempt = self._path.with_name(f"{channel}.attempt.json")

    def read(self, now: Reading) -> StreamRecord:
        """What holds; a new stream where nothing legible is kept. Raises StoreError where a file cannot be read.

        A process that finds another's record begins an epoch of its own, later than the former whatever the clock says.
        """
        kept = self._read(self._path, _ACKNOWLEDGED)
        attempt = self._read(self._attempt, _ATTEMPT)
        milliseconds = int(now.wall.timestamp() * 1000)
        if kept is None:
            begun = Acknowledged(stream=secrets.token_hex(16), epoch=milliseconds, run=RUN)
            return StreamRecord(begun, 0)
        if attempt is None or attempt.stream != kept.stream:
            attempt = Attempt(stream=kept.stream, epoch=kept.epoch, revision=kept.base)
        if kept.run != RUN:
            latest = max(kept.epoch, attempt.epoch)
            kept = replace(kept, epoch=max(milliseconds, latest + 1), run=RUN)
        pending = attempt.revision > kept.base
        return StreamRecord(kept, max(attempt.revision, kept.base), frozenset(attempt.touched if pending else ()))

    def attempt(self, record: StreamRecord, revision: int, touched: Collection[str]) -> None:
        """Keep, before it is sent, what receivers may have soon. Raises StoreError; then nothing must be sent."""
        kept = record.acknowledged
        if not self._path.exists():
            self._write(self._path, _ACKNOWLEDGED.dump_json(kept))
        attempt = Attempt(stream=kept.stream, epoch=kept.epoch, revision=revision, touched=tuple(sorted(touched)))
        self._write(self._attempt, _ATTEMPT.dump_json(attempt))

    def acknowledge(self, acknowledged: Acknowledged) -> None:
        """Keep what the broker has confirmed. Raises StoreError; what was kept before then still holds."""
        self._write(self._path, _ACKNOWLEDGED.dump_json(acknowledged))

    def _read(self, path: Path, adapter: TypeAdapter[T]) -> T | None:
        try:
            return adapter.validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {path}: {fault(error)}") from error
        except ValidationError:
            log.warning("%s is not what this program writes; a new stream begins", path)
            return None

    def _write(self, path: Path, body: bytes) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, body, mode=PRIVATE)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {fault(error)}; the former file is untouched") from error
