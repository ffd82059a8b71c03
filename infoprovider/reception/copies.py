"""A verified copy of each centre on disk, which survives being killed at any moment.

    <folder>/<centre>.json          the document of a stream of JSON, byte for byte the publisher's `current.json`
    <folder>/<centre>.ldif          the tree as a top-level BDII reads it: below `GLUE2GroupID=grid,o=glue`
    <folder>/<centre>.state.json    up to which message, and how it stands (`records.CentreState`)
    <folder>/<centre>.journal       what has changed in a large document since it was written

The document of a stream of LDIF is the `.ldif` itself; that of a stream of JSON is rendered to it. A document counts
only when its own digest is one that the state or the journal names, and what the journal makes of it only when that has
the digest of the journal's last record: what a disk has made of them is never shown, and never built upon.
"""

import fcntl
import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from infoprovider.errors import StoreError
from infoprovider.files import fault, remove_leftovers, replace_file
from infoprovider.messaging.units import ContentType, digests_of, document_digest, document_of, units_of
from infoprovider.reception.apply import Copy
from infoprovider.reception.journal import Journal, Step
from infoprovider.reception.names import all_published, all_served
from infoprovider.reception.records import CENTRE_STATE, RECEIVER_STATE, CentreState, ReceiverState, Record

STATE = ".state.json"
RECEIVER = "_receiver.json"
LOCK = "_lock"
WHOLE_BYTES = 16 * 2**20
"""The size from which on a document is large: a smaller one is written in a tenth of a second."""

MOST_OF_IT = 0.5
"""The share of a document that its journal may have before all is written at once."""

_CENTRE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}")
_ENDINGS = {ContentType.JSON: ".json", ContentType.LDIF: ".ldif"}

T = TypeVar("T")

log = logging.getLogger(__name__)


def is_name(centre: str) -> bool:
    """Whether a centre of this name can have files of its own: what others write never becomes a path by itself."""
    return _CENTRE.fullmatch(centre) is not None and not f"{centre}.json".endswith(STATE)


class Copies:
    """The folder of copies. One process writes there; whoever may read the files reads them at any time."""

    def __init__(self, folder: Path, whole_bytes: int = WHOLE_BYTES) -> None:
        self.whole_bytes = whole_bytes
        self._folder = folder
        self._lock = threading.Lock()
        self._types: dict[str, ContentType] = {}
        """The kind of document that each centre has which is shown."""
        self._journals: dict[str, Journal] = {}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep others from writing there meanwhile. Raises StoreError where somebody does, or nobody can."""
        try:
            self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            descriptor = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"cannot write into {self._folder}: {fault(error)}") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise StoreError(
                    f"another `infoprovider follow` keeps its copies in {self._folder}; end it, or name another folder"
                ) from error
            remove_leftovers(self._folder)
            yield
        finally:
            os.close(descriptor)

    # --- reading ---------------------------------------------------------------------------------------------------

    def states(self) -> list[CentreState]:
        """How every centre stands, by name. Raises StoreError where the folder cannot be read."""
        try:
            names = sorted(path.name for path in self._folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"cannot read {self._folder}: {fault(error)}") from error
        found = (self.state_of(name.removesuffix(STATE)) for name in names if name.endswith(STATE))
        return [state for state in found if state is not None]

    def state_of(self, centre: str) -> CentreState | None:
        """How one centre stands; None where nothing, or nothing legible, is kept. Raises StoreError."""
        state = _read(self._folder / f"{centre}{STATE}", CENTRE_STATE) if is_name(centre) else None
        return state if state is not None and state.centre == centre else None

    def is_written(self) -> bool:
        """Whether a process keeps copies there now. Raises StoreError."""
        try:
            descriptor = os.open(self._folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreError(f"cannot read {self._folder / LOCK}: {fault(error)}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def receiver(self) -> ReceiverState | None:
        """How the receiver stood last; None where it was never there. Raises StoreError."""
        return _read(self._folder / RECEIVER, RECEIVER_STATE)

    def proved(self, state: CentreState) -> tuple[Copy, CentreState] | None:
        """The copy on disk, if its digest is one that the state names, and the state that it proves.

        Raises StoreError where there is a file that cannot be read.
        """
        if not state.is_kept:
            return None
        steps = self._journal(state.centre).steps()
        known = [one for one in (state.pending, state.record, *(step.record for step in steps)) if one is not None]
        newest_first = sorted(known, key=lambda one: one.position.order, reverse=True)
        for content_type in dict.fromkeys(one.content_type for one in newest_first):
            units = self._units(state.centre, content_type)
            if units is None:
                continue
            digest = document_digest(digests_of(units))
            base = next((one for one in newest_first if (one.content_type, one.digest) == (content_type, digest)), None)
            if base is not None:
                return self._continued(state, base, dict(units), steps)
        return None

    def _continued(
        self, state: CentreState, record: Record, units: dict[str, bytes], steps: Iterable[Step]
    ) -> tuple[Copy, CentreState] | None:
        """What the journal makes of the document of a record, if that is what its last record says."""
        for step in steps:
            if step.record.position.order > record.position.order:
                units.update(step.present)
                for key in step.removed:
                    units.pop(key, None)
                record = step.record
        digests = digests_of(units)
        if document_digest(digests) != record.digest:
            return None
        if state.is_shown:
            self._types[state.centre] = record.content_type
        copy = Copy(state.centre, record.position, record.content_type, units, digests, record.expires)
        return copy, state.model_copy(update={"record": record, "pending": None})

    # --- writing ---------------------------------------------------------------------------------------------------

    def keep(self, copy: Copy, state: CentreState, former: Copy | None = None) -> CentreState:
        """Replace the copy of a centre; the state then. `state` is that of before, with a new `pending`.

        Of a large document only what differs from `former`, which is on disk, is written now, and the document itself
        by `settle`. Raises StoreError; then the state of before holds, and `proved` finds out what is on disk.
        """
        record = state.pending
        if record is None:
            raise ValueError("nothing is pending")
        settled = state.model_copy(update={"record": record, "pending": None, "is_kept": True})
        if (
            former is not None
            and state.is_kept
            and state.record
            and self._continues(former, copy, state.record, record)
        ):
            self._types[copy.centre] = copy.content_type
            return settled
        if state.record is None or not state.is_kept or not _is_same(state.record, record):
            self.save(state.model_copy(update={"is_kept": True}))
            self._write_document(copy)
            if copy.content_type is ContentType.LDIF:
                self._remove(self._document(copy.centre, ContentType.JSON))
        self._types[copy.centre] = copy.content_type
        self.save(settled)
        return settled

    def settle(self, copy: Copy) -> None:
        """Write the document of a copy that only a journal leads to. Raises StoreError."""
        centre, journal = copy.centre, self._journal(copy.centre)
        with self._lock:
            record = next((one.record for one in journal.steps()[1:] if one.record.position == copy.position), None)
        if record is None:
            return
        path = self._document(centre, copy.content_type)
        beside = path.with_name(f".{path.name}.settled.new")
        # Messages are taken meanwhile.
        self._write(beside, _body_of(copy))
        with self._lock:
            if self._types.get(centre) is copy.content_type and journal.size():
                self._rename(beside, path)
                journal.begin(record)
            else:
                self._remove(beside)

    def _continues(self, former: Copy, copy: Copy, before: Record, record: Record) -> bool:
        """Note in the journal what leads from one copy to the next, where that is much less than the document."""
        if former.content_type is not copy.content_type or _size(copy.units) < self.whole_bytes:
            return False
        changed = (key for key, digest in copy.digests.items() if former.digests.get(key) != digest)
        present = {key: copy.units[key] for key in changed}
        removed = tuple(former.digests.keys() - copy.digests.keys())
        with self._lock:
            journal = self._journal(copy.centre)
            if journal.size() + _size(present) > MOST_OF_IT * _size(copy.units):
                return False
            if not journal.size():
                journal.begin(before)
            journal.append(Step(record, present, removed))
        return True

    def _write_document(self, copy: Copy) -> None:
        """The whole document, and nothing that continues it."""
        body = _body_of(copy)
        with self._lock:
            self._write(self._document(copy.centre, copy.content_type), body)
            journal = self._journal(copy.centre)
            if journal.size():
                journal.remove()

    def save(self, state: CentreState) -> None:
        """Keep how a centre stands. Raises StoreError."""
        self._write(self._folder / f"{state.centre}{STATE}", CENTRE_STATE.dump_json(state))

    def save_receiver(self, state: ReceiverState) -> None:
        """Keep how the receiver stands. Raises StoreError."""
        self._write(self._folder / RECEIVER, RECEIVER_STATE.dump_json(state))

    def show(self, centre: str, entries: Mapping[str, bytes]) -> None:
        """Write what was rendered of a stream of JSON as readers of LDIF are given it. Raises StoreError.

        The file of a stream of LDIF is its copy, and is there already; what is hidden meanwhile stays so.
        """
        if self._types.get(centre) is not ContentType.JSON:
            return
        body = document_of(all_served(centre, entries), ContentType.LDIF)
        with self._lock:
            if self._types.get(centre) is ContentType.JSON:
                self._write(self._document(centre, ContentType.LDIF), body)

    def hide(self, state: CentreState) -> CentreState:
        """Give readers nothing of a centre any more: for a stream of LDIF, its copy goes. Raises StoreError."""
        with self._lock:
            self._types.pop(state.centre, None)
            self._remove(self._document(state.centre, ContentType.LDIF))
            if state.record is None or state.record.content_type is ContentType.LDIF:
                self._journal(state.centre).remove()
        is_kept = state.is_kept and state.record is not None and state.record.content_type is ContentType.JSON
        hidden = state.model_copy(update={"is_shown": False, "is_kept": is_kept})
        self.save(hidden)
        return hidden

    def withdraw(self, state: CentreState) -> CentreState:
        """Remove the copy of a centre; only how far it was followed stays. Raises StoreError."""
        with self._lock:
            self._types.pop(state.centre, None)
            for content_type in ContentType:
                self._remove(self._document(state.centre, content_type))
            self._journal(state.centre).remove()
        gone = state.model_copy(update={"is_shown": False, "is_kept": False, "is_withdrawn": True})
        self.save(gone)
        return gone

    # --- files -----------------------------------------------------------------------------------------------------

    def _journal(self, centre: str) -> Journal:
        return self._journals.setdefault(centre, Journal(self._folder / f"{centre}.journal"))

    def _document(self, centre: str, content_type: ContentType) -> Path:
        return self._folder / f"{centre}{_ENDINGS[content_type]}"

    def _units(self, centre: str, content_type: ContentType) -> Mapping[str, bytes] | None:
        """What the document of a centre consists of; None where there is none, or nothing that is one."""
        path = self._document(centre, content_type)
        try:
            units = units_of(path.read_bytes(), content_type)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {path}: {fault(error)}") from error
        except (ValueError, KeyError, TypeError):  # not what was written there
            return None
        return units if content_type is ContentType.JSON else all_published(centre, units)

    def _write(self, path: Path, body: bytes) -> None:
        try:
            replace_file(path, body)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {fault(error)}; the former file is untouched") from error

    def _rename(self, path: Path, target: Path) -> None:
        try:
            path.replace(target)
        except OSError as error:
            raise StoreError(f"cannot write {target}: {fault(error)}; the former file is untouched") from error

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot remove {path}: {fault(error)}") from error


def _body_of(copy: Copy) -> bytes:
    """The copy's file."""
    if copy.content_type is ContentType.JSON:
        return document_of(copy.units, copy.content_type)
    return document_of(all_served(copy.centre, copy.units), copy.content_type)


def _size(units: Mapping[str, bytes]) -> int:
    return sum(map(len, units.values()))


def _is_same(former: Record, new: Record) -> bool:
    """Whether two records are of the same bytes: where only the expiry is new, no document has to be written."""
    return (former.digest, former.content_type) == (new.digest, new.content_type)


def _read(path: Path, adapter: TypeAdapter[T]) -> T | None:
    try:
        return adapter.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {fault(error)}") from error
    except ValidationError:
        log.warning("%s is not what this program writes; the next snapshot makes it anew", path)
        return None
