"""Units in messages: as the document's own format, in parts, compressed; and back, without trust in who wrote them.

A snapshot's content is the document, or a part of it with whole units. A delta's has the units that were touched, as
they are now, and names those that are gone: JSON below the key `Removed`, LDIF as records `changetype: delete`.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infoprovider import ldif
from infoprovider.errors import MessageRefused, QueryError
from infoprovider.glue.json_layout import CLASS_ORDER, as_text
from infoprovider.messaging.envelope import Compression
from infoprovider.messaging.units import ContentType, Units, document_of, json_unit, name_of

REMOVED = "Removed"

LEVEL = 6
"""Of compression: beyond it, time grows and size hardly shrinks."""

_DELETE = b"changetype: delete"


@dataclass(frozen=True, slots=True)
class Content:
    """What one message carries: units as they are now, and the keys of those that are gone."""

    present: Mapping[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


# Writing


def in_parts(units: Units, removed: Sequence[str], most_bytes: int) -> Iterator[Content]:
    """The same in one part or several, none of which has more bytes than that unless a single unit has."""
    present: dict[str, bytes] = {}
    gone: list[str] = []
    size = 0
    for key, unit in (*((key, b"") for key in removed), *units.items()):
        cost = len(unit) + len(key) + 8
        if size and size + cost > most_bytes:
            yield Content(present, tuple(gone))
            present, gone, size = {}, [], 0
        size += cost
        if unit:
            present[key] = unit
        else:
            gone.append(key)
    yield Content(present, tuple(gone))


def packed(content: Content, content_type: ContentType) -> bytes:
    """The bytes of a part, compressed; the same content gives the same bytes."""
    plain = _json(content) if content_type is ContentType.JSON else _ldif(content)
    return gzip.compress(plain, LEVEL, mtime=0)


def _json(content: Content) -> bytes:
    body = document_of(content.present, ContentType.JSON)
    if not content.removed:
        return body
    removed = b'"%s": %s' % (REMOVED.encode(), as_text(list(content.removed)).encode())
    return b"{\n" + removed + (b",\n" + body.removeprefix(b"{\n") if content.present else b"\n}\n")


def _ldif(content: Content) -> bytes:
    gone = b"".join(b"dn: %s\n%s\n\n" % (name.encode(), _DELETE) for name in content.removed)
    return document_of(content.present, ContentType.LDIF) + gone


# Reading


def unpacked(body: bytes, content_type: ContentType, compression: Compression, most_bytes: int) -> Content:
    """What a part carries. Raises MessageRefused where it is broken, too large, or not what it says it is."""
    plain = _decompressed(body, most_bytes) if compression is Compression.GZIP else body
    if len(plain) > most_bytes:
        raise _too_large(most_bytes)
    return _from_json(plain) if content_type is ContentType.JSON else _from_ldif(plain)


def _too_large(most_bytes: int) -> MessageRefused:
    return MessageRefused(f"has more than {most_bytes} bytes of content, which is the limit here")


def _decompressed(body: bytes, most_bytes: int) -> bytes:
    """Never more than the limit and a byte, whatever it would become."""
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = stream.decompress(body, most_bytes + 1)
    except zlib.error as error:
        raise MessageRefused(f"has content that cannot be decompressed: {error}") from None
    if len(plain) > most_bytes:
        raise _too_large(most_bytes)
    if not stream.eof or stream.unused_data:
        raise MessageRefused("has content that is cut off, or goes on after its end")
    return plain


def _from_json(plain: bytes) -> Content:
    try:
        document = json.loads(plain, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError:
        raise MessageRefused("has content that is nested too deeply") from None
    except ValueError as error:
        raise MessageRefused(f"has content that is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise MessageRefused("has content that is no object")
    removed = document.pop(REMOVED, [])
    if not isinstance(removed, list) or not all(isinstance(key, str) for key in removed):
        raise MessageRefused(f"has content whose {REMOVED} is no array of IDs")
    present: dict[str, bytes] = {}
    for name, members in document.items():
        for key, unit in _units_of_class(name, members):
            if key in present:
                raise MessageRefused(f"has two entities with the ID {key!r:.120}")
            present[key] = unit
    return Content(present, tuple(removed))


def _units_of_class(name: str, members: Any) -> Iterator[tuple[str, bytes]]:
    if name not in CLASS_ORDER:
        raise MessageRefused(f"has entities of {name!r:.60}, which is no class of GLUE 2.0")
    if not isinstance(members, list):
        raise MessageRefused(f"has {name} that is no array")
    for entity in members:
        key = entity.get("ID") if isinstance(entity, dict) else None
        if not isinstance(key, str) or not key:
            raise MessageRefused(f"has a {name} without an ID")
        yield key, json_unit(name, as_text(entity).encode())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _from_ldif(plain: bytes) -> Content:
    """Entries and records of deletion with plain lines, as this program writes them: a unit is the lines themselves."""
    blocks = [block for block in plain.split(b"\n\n") if block]
    gone = [block for block in blocks if block.endswith(b"\n" + _DELETE)]
    entries = [block for block in blocks if not block.endswith(b"\n" + _DELETE)]
    try:
        read = [record.dn for record in ldif.read(b"\n\n".join(entries))]
        present = {name_of(entry): entry for entry in entries}
        removed = tuple(map(name_of, gone))
    except (QueryError, UnicodeDecodeError) as error:
        raise MessageRefused(f"has content that is no LDIF: {error}") from None
    if b"\r" in plain or any(block.count(b"\n") != 1 for block in gone) or list(present) != read:
        raise MessageRefused("has LDIF with folded lines, comments, encoded names, or two entries of one name")
    return Content(present, removed)
