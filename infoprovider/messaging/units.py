"""A document as the units that messages carry: one for each entity of JSON, one for each entry of LDIF.

    stream of   key                          unit
    JSON        the entity's ID              its class, a blank, its line of the document
    LDIF        the distinguished name       the lines of the entry

Units have one order, so that everybody who has the same units has the same document, byte for byte: JSON by class and
ID as it is published, LDIF by depth and name, which puts parents first.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TypeAlias

from infoprovider.glue.json_layout import CLASS_ORDER, laid_out, lines_of
from infoprovider.ldif import split_dn

Units: TypeAlias = Mapping[str, bytes]
"""Key → unit."""

Digests: TypeAlias = Mapping[str, bytes]
"""Key → SHA-256 of its unit, 32 bytes."""


class ContentType(StrEnum):
    """What the units of a stream are written in."""

    JSON = "application/json"
    LDIF = "text/ldif"


_BLANK_LINE = re.compile(rb"\n\n")
"""Finds twice as fast as `bytes.split`, in hundreds of megabytes."""


def units_of(body: bytes, content_type: ContentType) -> dict[str, bytes]:
    """The units of a rendering of our own, in its order; what others wrote is read by `content.py`."""
    return dict(_json_units(body) if content_type is ContentType.JSON else _ldif_units(body))


def document_of(units: Units, content_type: ContentType) -> bytes:
    """The document of these units."""
    if content_type is ContentType.JSON:
        return laid_out(json_lines(units[key] for key in sorted(units, key=lambda key: _json_order(key, units[key]))))
    return b"".join(units[name] + b"\n\n" for name in sorted(units, key=_ldif_order))


def json_unit(name: str, line: bytes) -> bytes:
    """The unit of an entity: its class and its line."""
    return name.encode() + b" " + line


def json_lines(units: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Class and line of each unit of JSON."""
    for unit in units:
        name, _, line = unit.partition(b" ")
        yield name.decode(), line


def digests_of(units: Units) -> dict[str, bytes]:
    """What each unit is recognised by."""
    sha256 = hashlib.sha256
    return {key: sha256(unit).digest() for key, unit in units.items()}


def document_digest(digests: Digests) -> str:
    """What a document is recognised by, in hex: SHA-256 of each key as UTF-8, a NUL and its digest, sorted by key."""
    pieces = [b"%s\0%s" % (key.encode(), digests[key]) for key in sorted(digests)]
    return hashlib.sha256(b"".join(pieces)).hexdigest()


def _json_units(body: bytes) -> Iterator[tuple[str, bytes]]:
    opening = b'{"ID":"'
    for name, line in lines_of(body):
        end = line.find(b'"', len(opening))
        plain = line[len(opening) : end] if line.startswith(opening) else b"\\"
        key = json.loads(line)["ID"] if b"\\" in plain else plain.decode()
        yield key, json_unit(name, line)


def _ldif_units(body: bytes) -> Iterator[tuple[str, bytes]]:
    for entry in _BLANK_LINE.split(body):
        if entry:
            yield name_of(entry), entry


def name_of(entry: bytes) -> str:
    """The distinguished name in the first line of an entry of our own, which is never folded nor base64."""
    return entry.partition(b"\n")[0].removeprefix(b"dn: ").decode()


def _json_order(key: str, unit: bytes) -> tuple[int, str]:
    return CLASS_ORDER[unit.partition(b" ")[0].decode()], key


def _ldif_order(name: str) -> tuple[int, str]:
    return _depth(name), name


def _depth(name: str) -> int:
    """How many entries are above it."""
    return name.count(",") if "\\" not in name else len(split_dn(name)) - 1
