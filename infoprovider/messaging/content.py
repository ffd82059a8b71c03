"""Units in messages: as the document's own format, in parts, compressed; and back, without trust in who wrote them.

A snapshot's content is the document, or a part of it with whole units. A delta's has what was touched as it is now:

    whole units         as in the document
    fields of units     JSON: the same below the key `Amended`; LDIF: records `changetype: modify` that replace
    what is gone        JSON: the array `Removed` of IDs; LDIF: records `changetype: delete`
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeGuard

from infoprovider import ldif
from infoprovider.errors import MessageRefused, QueryError
from infoprovider.glue.json_layout import CLASS_ORDER, as_text
from infoprovider.messaging.envelope import Compression
from infoprovider.messaging.units import ContentType, document_of, json_unit, name_of

AMENDED = "Amended"
REMOVED = "Removed"

LEVEL = 6
"""Of compression: beyond it, time grows and size hardly shrinks."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_DELETE = b"changetype: delete"
_MODIFY = b"changetype: modify"
_FOREIGN = (b"\r", b"\n ", b"\n#")
"""What this program never writes into LDIF: other ends of lines, folded lines, comments."""


@dataclass(frozen=True, slots=True)
class Content:
    """What one message carries: units as they are now, fields of others as they are now, and keys that are gone."""

    present: Mapping[str, bytes] = field(default_factory=dict)
    amended: Mapping[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


# Writing


def in_parts(content: Content, most_bytes: int) -> Iterator[Content]:
    """The same in one part or several, none of which has more bytes than that unless a single unit has."""
    present: dict[str, bytes] = {}
    amended: dict[str, bytes] = {}
    removed: dict[str, bytes] = {}
    size = 0
    pieces = ((content.present, present), (content.amended, amended), (dict.fromkeys(content.removed, b""), removed))
    for units, part in pieces:
        for key, unit in units.items():
            cost = len(unit) + len(key) + 8
            if size and size + cost > most_bytes:
                yield Content(dict(present), dict(amended), tuple(removed))
                for full in (present, amended, removed):
                    full.clear()
                size = 0
            size += cost
            part[key] = unit
    yield Content(present, amended, tuple(removed))


def packed(content: Content, content_type: ContentType) -> bytes:
    """The bytes of a part, compressed; the same content gives the same bytes."""
    plain = _json(content) if content_type is ContentType.JSON else _ldif(content)
    return gzip.compress(plain, LEVEL, mtime=0)


def _json(content: Content) -> bytes:
    body = document_of(content.present, ContentType.JSON)
    changes = []
    if content.amended:
        changes.append(b'"%s": %s' % (AMENDED.encode(), document_of(content.amended, ContentType.JSON).rstrip()))
    if content.removed:
        changes.append(b'"%s": %s' % (REMOVED.encode(), as_text(list(content.removed)).encode()))
    if not changes:
        return body
    rest = b",\n" + body.removeprefix(b"{\n") if content.present else b"\n}\n"
    return b"{\n" + b",\n".join(changes) + rest


def _ldif(content: Content) -> bytes:
    amended = b"".join(_modification(unit) for unit in content.amended.values())
    gone = b"".join(b"dn: %s\n%s\n\n" % (name.encode(), _DELETE) for name in content.removed)
    return document_of(content.present, ContentType.LDIF) + amended + gone


def _modification(amendment: bytes) -> bytes:
    """The record of RFC 2849 that replaces all values of these attributes."""
    name, *lines = amendment.split(b"\n")
    pieces = [name, _MODIFY]
    for attribute, values in groupby(lines, key=_attribute_of):
        pieces += [b"replace: " + attribute, *values, b"-"]
    return b"\n".join(pieces) + b"\n\n"


def _attribute_of(line: bytes) -> bytes:
    return line.partition(b":")[0]


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
    removed, changes = document.pop(REMOVED, []), document.pop(AMENDED, {})
    if not isinstance(removed, list) or not all(map(_is_key, removed)):
        raise MessageRefused(f"has content whose {REMOVED} is no array of IDs")
    if not isinstance(changes, dict):
        raise MessageRefused(f"has content whose {AMENDED} is no object")
    return Content(_units_of(document), _units_of(changes), tuple(removed))


def _units_of(document: Mapping[str, Any]) -> dict[str, bytes]:
    units: dict[str, bytes] = {}
    for name, members in document.items():
        for key, unit in _units_of_class(name, members):
            if key in units:
                raise MessageRefused(f"has two entities with the ID {key!r:.120}")
            units[key] = unit
    return units


def _units_of_class(name: str, members: Any) -> Iterator[tuple[str, bytes]]:
    if name not in CLASS_ORDER:
        raise MessageRefused(f"has entities of {name!r:.60}, which is no class of GLUE 2.0")
    if not isinstance(members, list):
        raise MessageRefused(f"has {name} that is no array")
    for entity in members:
        key = entity.get("ID") if isinstance(entity, dict) else None
        if not _is_key(key):
            raise MessageRefused(f"has a {name} without an ID")
        yield key, json_unit(name, as_text(entity).encode())


def _is_key(key: Any) -> TypeGuard[str]:
    """Whether this is text that UTF-8 can hold: JSON can spell lone surrogates."""
    return isinstance(key, str) and key != "" and not _SURROGATE.search(key)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _from_ldif(plain: bytes) -> Content:
    """Entries and change records with plain lines, as this program writes them: a unit is the lines themselves."""
    entries, amended, gone = [], [], []
    for block in plain.split(b"\n\n"):
        second = block.split(b"\n", 2)[1:2]
        if second == [_DELETE]:
            gone.append(block)
        elif second == [_MODIFY]:
            amended.append(_amendment(block))
        elif block:
            entries.append(block)
    try:
        read = [record.dn for record in ldif.read(b"\n\n".join([*entries, *amended]))]
        present, changes = ({name_of(unit): unit for unit in units} for units in (entries, amended))
        removed = tuple(map(name_of, gone))
    except (QueryError, UnicodeDecodeError) as error:
        raise MessageRefused(f"has content that is no LDIF: {error}") from None
    if (
        any(mark in plain for mark in _FOREIGN)
        or any(block.count(b"\n") != 1 for block in gone)
        or [*present, *changes] != read
    ):
        raise MessageRefused("has LDIF with folded lines, comments, encoded names, or two entries of one name")
    return Content(present, changes, removed)


def _amendment(record: bytes) -> bytes:
    """The lines that a record of modification brings. Raises MessageRefused where it does anything but replace."""
    name, _, *lines = record.split(b"\n")
    kept: list[bytes] = []
    attribute = b""
    for line in lines:
        if not attribute and line.startswith(b"replace: "):
            attribute = line.removeprefix(b"replace: ")
        elif attribute and line == b"-":
            attribute = b""
        elif attribute and _attribute_of(line) == attribute:
            kept.append(line)
        else:
            raise MessageRefused(f"has a record of modification with {line!r:.80}, where only values are replaced")
    if attribute:
        raise MessageRefused("has a record of modification that does not end")
    return b"\n".join([name, *kept])
