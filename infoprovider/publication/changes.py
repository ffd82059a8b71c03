"""What differs between two renderings of a tree, entry by entry, as a BDII that compares them will see it."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Changes:
    """How many entries are new, say something else than before, or are gone."""

    added: int = 0
    modified: int = 0
    deleted: int = 0


def changes_between(former: bytes | None, body: bytes) -> Changes:
    """The differences of two renderings of our own; without a former one, every entry is new."""
    before = dict(_entries(former or b""))
    added = modified = 0
    for dn, digest in _entries(body):
        known = before.pop(dn, None)
        added += known is None
        modified += known is not None and known != digest
    return Changes(added=added, modified=modified, deleted=len(before))


def _entries(body: bytes) -> Iterator[tuple[bytes, int]]:
    """The first line of each entry, which names it, with a hash of all its lines."""
    start = 0
    while start < len(body):
        stop = body.find(b"\n\n", start)
        entry = body[start:] if stop < 0 else body[start:stop]
        yield entry.partition(b"\n")[0], hash(entry)
        start += len(entry) + 2
