"""The current composed document on disk: its renderings, its stamps, and what each entity was made of.

    <state>/document.json            what was composed, and of what
    <public>/current.<set>.ldif      its renderings: what channels and the hook hand out
    <public>/current.xml, …          the same in other formats, where a channel hands one out
    <public>/current.expires         boot id, uptime and wall second after which the hook prints nothing
    <public>/current.<set>.expires   the same of a rendering that could not be renewed with the others

Every file is replaced in one step. The renderings are written before the stamps that go with them: after a crash
between the two, an entity may take its newer stamp once too early, never too late.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from infoprovider.clock import BOOT_ID
from infoprovider.errors import StoreError
from infoprovider.files import PRIVATE, PUBLIC, fault, replace_file
from infoprovider.glue.document import Document, Pruned, Quarantined, Source, Withheld, moments_of

FORMAT_VERSION = 1
"""Raised whenever an older reader would misunderstand what is written."""

_FILES = {"xml": "current.xml", "json": "current.json", "glue21": "current.glue21.json"}
"""Formats beside LDIF, each with the file of its rendering."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is remembered of a published entity: its class, what it said (digest), its stamps, and its sources."""

    entity: str
    digest: str
    creation_time: datetime
    made_of: tuple[Source, ...]
    moments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of the document that was composed last: its entries, when that was, and what was left out.

    `unchanged` are trees that could not be rendered with it and stay as they were, and why. `composed_by` names the
    rules of disclosure by which it was composed.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    composed_at: datetime | None = None
    withheld: tuple[Withheld, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    pruned: tuple[Pruned, ...] = ()
    unchanged: Mapping[str, str] = field(default_factory=dict)
    composed_by: str = ""


class DocumentStore:
    """One centre's composed document below its state and public folders."""

    def __init__(self, state: Path, public: Path) -> None:
        self._state = state
        self._public = public

    @property
    def path(self) -> Path:
        """The file that says what was composed, and of what."""
        return self._state / "document.json"

    def rendering_path(self, name: str) -> Path:
        """Where the rendering of a template set, or in another format, stands."""
        return self._public / _FILES.get(name, f"current.{name}.ldif")

    def read(self) -> Remembered:
        """What was composed last; empty before the first time.

        Raises StoreError where the file cannot be read or was written by a newer version.
        """
        try:
            plain = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return Remembered()
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {fault(error)}") from error
        except ValueError as error:
            raise self._unreadable(f"is no JSON: {error}") from error
        try:
            if plain["version"] != FORMAT_VERSION:
                raise self._unreadable(f"is of format {plain['version']}, this version reads {FORMAT_VERSION}")
            sources = [_to_source(one) for one in plain["sources"]]
            entries = {id_: _to_entry(one, sources) for id_, one in plain["entities"].items()}
            return Remembered(
                entries,
                _moment(plain["composed_at"]),
                withheld=tuple(Withheld(*one) for one in plain["withheld"]),
                quarantined=tuple(Quarantined(*one) for one in plain.get("quarantined", ())),
                pruned=tuple(Pruned(*one) for one in plain["pruned"]),
                unchanged=dict(plain.get("unchanged", {})),
                composed_by=plain.get("composed_by", ""),
            )
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise self._unreadable(f"is not what this program writes: {error!r}") from error

    def set_aside(self) -> Path:
        """Put what cannot be read under another name, so that the rest goes on; returns that name.

        Raises StoreError where the state folder cannot be written.
        """
        aside = self.path.with_name(f"{self.path.name}.unreadable")
        try:
            return self.path.replace(aside)
        except OSError as error:
            raise StoreError(f"cannot rename {self.path} to {aside.name}: {fault(error)}") from error

    def keep(
        self,
        document: Document,
        digests: Mapping[str, str],
        renderings: Mapping[str, bytes],
        composed_at: datetime,
        expires_at: datetime,
        unchanged: Mapping[str, str] = MappingProxyType({}),
        composed_by: str = "",
    ) -> None:
        """Write the renderings, by template set or format, and then what they were made of.

        Renderings that are `unchanged` (and why) stay with the expiry that they had, until that has come.
        All others are removed: the expiry would speak for them as well. Raises StoreError where a folder
        cannot be written; a file that was there is then untouched.
        """
        self._make_folders()
        for template_set in unchanged:
            self._keep_expiry(template_set)
        lasting = {one for one in unchanged if not _has_come(self._own_expiry(one))}
        self._remove_others({*renderings, *lasting}, lasting)
        for template_set, body in renderings.items():
            _write(self.rendering_path(template_set), body, PUBLIC)
        _write(self._public / "current.expires", _expiry_line(expires_at, composed_at).encode(), PUBLIC)
        _write(self.path, _to_json(document, digests, composed_at, unchanged, composed_by), PRIVATE)

    def rendering(self, template_set: str) -> bytes:
        """The current rendering of a template set. Raises StoreError where there is none yet."""
        path = self.rendering_path(template_set)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise StoreError(f"{path} is not there: nothing was published yet; run `infoprovider publish`") from error
        except OSError as error:
            raise StoreError(f"cannot read {path}: {fault(error)}") from error

    def former(self, template_set: str) -> bytes | None:
        """The rendering that stands now; None where there is none, or where it cannot be read."""
        try:
            return self.rendering(template_set)
        except StoreError:
            return None

    def rendering_has_expired(self, name: str) -> bool:
        """Whether a rendering may no longer be handed out; so it is where nobody can tell, as the hook has it too."""
        own = self._own_expiry(name)
        return _has_come(own if own.exists() else self._public / "current.expires")

    def _unreadable(self, why: str) -> StoreError:
        return StoreError(f"{self.path} {why}; `infoprovider publish` sets it aside, and stamps begin anew")

    def _make_folders(self) -> None:
        for folder, mode in ((self._state, 0o700), (self._public, 0o755)):
            if folder.is_dir():
                continue
            try:
                folder.mkdir(mode=mode, parents=True)
                # Whatever the umask says: another user reads the public folder, and nobody the other.
                folder.chmod(mode)
            except OSError as error:
                raise StoreError(f"cannot make the folder {folder}: {fault(error)}") from error

    def _own_expiry(self, template_set: str) -> Path:
        """The expiry of a rendering that stayed when others were renewed; the hook reads it before the common one."""
        return self._public / f"current.{template_set}.expires"

    def _keep_expiry(self, template_set: str) -> None:
        """Give a rendering, that is to stay as it is, the expiry that it has until now."""
        path = self._own_expiry(template_set)
        if path.exists() or not self.rendering_path(template_set).exists():
            return
        try:
            line = (self._public / "current.expires").read_bytes()
        except OSError:
            line = b""  # of which nobody knows how long it holds is not handed out
        _write(path, line, PUBLIC)

    def _remove_others(self, renderings: Iterable[str], lasting: Iterable[str]) -> None:
        kept = {self.rendering_path(template_set) for template_set in renderings}
        kept |= {self._own_expiry(template_set) for template_set in lasting}
        there = {path for ending in ("ldif", "expires") for path in self._public.glob(f"current.*.{ending}")}
        there |= {path for name in _FILES.values() if (path := self._public / name).exists()}
        for path in there - kept:
            try:
                path.unlink()
            except OSError as error:
                raise StoreError(f"cannot remove {path}, which is no longer rendered: {fault(error)}") from error


def _write(path: Path, body: bytes, mode: int) -> None:
    try:
        replace_file(path, body, mode=mode)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {fault(error)}; the former file is untouched") from error


def _expiry_line(expires_at: datetime, now: datetime) -> str:
    """Boot id, uptime and wall second of an expiry: uptime counts within one boot, whatever happens to the clock."""
    uptime = time.clock_gettime(time.CLOCK_BOOTTIME) + (expires_at - now).total_seconds()
    return f"{BOOT_ID.read_text().strip()} {int(uptime)} {int(expires_at.timestamp())}\n"


def _has_come(path: Path) -> bool:
    """Whether an expiry has come, or cannot be read."""
    try:
        boot, uptime, wall = path.read_text().split()
        if boot == BOOT_ID.read_text().strip():
            return time.clock_gettime(time.CLOCK_BOOTTIME) >= int(uptime)
        return time.time() >= int(wall)
    except (OSError, ValueError):
        return True


def _to_json(
    document: Document,
    digests: Mapping[str, str],
    composed_at: datetime,
    unchanged: Mapping[str, str],
    composed_by: str,
) -> bytes:
    """Sources are written once and referred to by number: most entities share them."""
    numbers: dict[Source, int] = {}
    entities = {
        made.entity.id: [
            type(made.entity).__name__,
            digests[made.entity.id],
            _iso(made.entity.creation_time),
            [numbers.setdefault(source, len(numbers)) for source in made.made_of],
            *moments_of(made.entity),
        ]
        for made in document.made
    }
    plain = {
        "version": FORMAT_VERSION,
        "composed_at": _iso(composed_at),
        "composed_by": composed_by,
        "sources": [_from_source(source) for source in numbers],
        "entities": entities,
        "withheld": [[one.entity, one.id, one.why] for one in document.withheld],
        "quarantined": [[one.entity, one.id, one.why, one.tree] for one in document.quarantined],
        "pruned": [[one.id, one.attribute, one.target] for one in document.pruned],
        "unchanged": dict(unchanged),
    }
    return json.dumps(plain, separators=(",", ":")).encode()


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _from_source(source: Source) -> dict[str, Any]:
    return {
        "facet": source.facet,
        "instance": source.instance,
        "part": source.part,
        "observed_at": _iso(source.observed_at),
        "calls": source.calls,
        "declared": source.declared,
    }


def _to_source(plain: Mapping[str, Any]) -> Source:
    return Source(
        facet=plain["facet"],
        instance=plain["instance"],
        part=plain["part"],
        observed_at=_moment(plain["observed_at"]),
        calls=tuple(plain["calls"]),
        declared=plain["declared"],
    )


def _to_entry(plain: Iterable[Any], sources: list[Source]) -> Entry:
    entity, digest, creation_time, numbers, *moments = plain
    made_of = tuple(sources[number] for number in numbers)
    return Entry(entity, digest, _moment(creation_time), made_of, tuple(map(str, moments)))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
