"""What has changed in a large document since it was written: some kilobytes on disk instead of hundreds of megabytes.

    {"record":{…},"present":[["key",11],…],"removed":[…]}
    <the units, one behind the other>

A journal begins with the record of the document that it continues, which has neither units nor removals. What was cut
off by a crash is passed over; whether the rest is right is told by the digest of what it leads to.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from infoprovider.errors import StoreError
from infoprovider.files import fault, replace_file
from infoprovider.reception.records import Record


@dataclass(frozen=True, slots=True)
class Step:
    """What leads to a record: units as they are then, and the keys of those that are gone."""

    record: Record
    present: Mapping[str, bytes]
    removed: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """As it stands in the file."""
        head = {
            "record": self.record.model_dump(mode="json"),
            "present": [[key, len(unit)] for key, unit in self.present.items()],
            "removed": self.removed,
        }
        line = json.dumps(head, separators=(",", ":")).encode()
        return b"".join((line, b"\n", *self.present.values(), b"\n"))


class Journal:
    """One file of steps, oldest first. All methods raise StoreError where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end: int | None = None

    def size(self) -> int:
        """Bytes of the steps that are whole; 0 where there are none."""
        if self._end is None:
            self.steps()
        return self._end or 0

    def append(self, step: Step) -> None:
        """Bring one more step to the disk; what a former attempt left half is cut off."""
        whole, body = self.size(), step.to_bytes()
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                os.ftruncate(descriptor, whole)
                file.seek(whole)
                view = memoryview(body)
                while view:
                    view = view[file.write(view) :]
                os.fsync(descriptor)
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {fault(error)}; what was there before still holds") from error
        self._end = whole + len(body)

    def steps(self) -> list[Step]:
        """All steps that are whole."""
        try:
            body = self.path.read_bytes()
        except FileNotFoundError:
            body = b""
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {fault(error)}") from error
        found = list(_read(body))
        self._end = found[-1][1] if found else 0
        return [step for step, _ in found]

    def begin(self, base: Record) -> None:
        """Continue another document: what led to it, and what is older, goes."""
        newer = [step for step in self.steps() if step.record.position.order > base.position.order]
        body = b"".join(step.to_bytes() for step in (Step(base, {}, ()), *newer))
        try:
            replace_file(self.path, body)
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {fault(error)}; the former file is untouched") from error
        self._end = len(body)

    def remove(self) -> None:
        """Forget everything."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot remove {self.path}: {fault(error)}") from error
        self._end = 0


def _read(body: bytes) -> Iterator[tuple[Step, int]]:
    """Every step that is whole, and where it ends."""
    at = 0
    while at < len(body):
        end = body.find(b"\n", at)
        try:
            head = json.loads(body[at:end])
            record = Record.model_validate_json(json.dumps(head["record"]))
            lengths = [(str(key), int(length)) for key, length in head["present"]]
            removed = tuple(map(str, head["removed"]))
        except (ValueError, KeyError, TypeError, ValidationError):
            return
        at = end + 1
        present = {}
        for key, length in lengths:
            present[key] = body[at : at + length]
            at += length
        if end < 0 or body[at : at + 1] != b"\n":
            return
        at += 1
        yield Step(record, present, removed), at
