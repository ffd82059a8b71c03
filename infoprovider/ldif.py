r"""LDIF and distinguished names, written so that a BDII keeps them, and read back.

A BDII's updater joins the output of all its providers, cuts it at every text `dn:`, strips what it reads and writes
modifications without any encoding. So one value that is harmless on add can freeze its entry on modify, and one that
contains `dn:` takes its entry apart. `safe` and `safe_values` are what every value passes on its way out.

What is written here is plain UTF-8 with one unfolded line per value. Base64 stands for a value that begins with `:` or
`<` (RFC 2849 demands it, and it survives), never for a line break: the updater decodes it and writes it raw on modify.
"""

import base64
import binascii
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from infoprovider.errors import QueryError, RenderError

MAX_RDN_BYTES = 245
"""What slapd's mdb back end takes as one relative name, `GLUE2ServiceID=…` in whole; the next byte is error 80."""

MAX_RECORD_BYTES = 4 * 2**20 - 1
"""What slapd takes in one operation of a bound client (`sockbuf_max_incoming_auth`); more is never loaded."""

_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_MANGLED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|\A\s|\s\Z|(?<=dn):")
# For `harmless`: control characters become line feeds, and what the end of a value may not be becomes the separator.
# Two separators in a row are then an empty value, a blank at an end, a run of blanks, or a first character `:` or `<`.
_MARKS = bytes(ord("\n") if byte < 32 or byte == 127 else ord("|") if byte in b" :<|" else byte for byte in range(256))
_INDISTINCT = re.compile(r"[^\x00-\x7f]|(?<= ) ")
_PLAIN_RDN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}")
_SPECIAL_IN_RDN = re.compile(r'["+,;<=>\\]|\A[ #]| \Z')
_RDN_OF_DN = re.compile(r"(?:\\.|[^,\\])+")
_RDN_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)
_ATTRIBUTE = re.compile(rb"[A-Za-z][A-Za-z0-9-]*(?:;[A-Za-z0-9-]+)*")


# Values


def safe(value: str) -> str:
    r"""The value as every reader down to the top BDII can keep it: unchanged wherever that is possible.

    | what a value has | what becomes of it | what would happen |
    | --- | --- | --- |
    | printable text of any script, blanks and runs of blanks inside | kept | |
    | `:` or `<` as its first character | kept; the line is base64 | RFC 2849 reads it as base64 or as a URL |
    | no-break and other wide blanks inside | kept | |
    | line feed, carriage return, tab | `\n`, `\r`, `\t` | the entry freezes, or the rest is read as its own line |
    | any other control character, NUL and U+0085 among them | `\x00`, `\x85` | NUL freezes; some cut lines there |
    | U+2028, U+2029 | `\u2028`, `\u2029` | readers with Unicode line ends cut there |
    | a lone surrogate | `\uD83D` | not UTF-8: the whole provider is lost |
    | a blank of any kind first or last | `\x20`, `\xA0`, `\u3000` | stripped |
    | `dn:` | `dn\x3A` | the entry is cut in two; `DN:` and `Dn:` are not, and are kept |
    | nothing at all | the empty text, which `safe_values` leaves out | the whole entry is refused |

    A backslash stands for itself, so that the function changes nothing when it is applied again. No length is too
    much for a value; only relative names are limited (`rdn`).
    """
    if value.isprintable() and "dn:" not in value and value[:1] != " " and value[-1:] != " ":
        return value
    return _MANGLED.sub(_escaped, value)


def safe_values(values: Iterable[str]) -> tuple[str, ...]:
    r"""The values of one attribute as a server takes them together: each one safe, none empty, no two equal.

    A server compares after Unicode normalisation (NFKC) and with runs of blanks as one, and refuses the whole entry
    when two values are equal to it. Such values are spelt out: every character beyond ASCII and every blank after a
    blank as an escape, so that an é written as one character and one written as two are `\xE9` and `e\u0301`.
    """
    texts = [text for text in dict.fromkeys(map(safe, values)) if text]
    if len(texts) < 2:
        return tuple(texts)
    occurs = Counter(map(_as_compared, texts))
    if len(occurs) == len(texts):
        return tuple(texts)
    spelt = [_INDISTINCT.sub(_escaped, text) if occurs[_as_compared(text)] > 1 else text for text in texts]
    return tuple(dict.fromkeys(spelt))


def harmless(values: Iterable[str]) -> bool:
    """Whether every one of these values can be written as it is; where it says no, some of them still may.

    It looks at all of them together at the speed of memory, where `safe` looks at each.
    """
    joined = f"|{'|'.join(values)}|"
    if not joined.isascii() or (":" in joined and "dn:" in joined):
        return False
    marked = joined.encode().translate(_MARKS)
    return b"||" not in marked and b"\n" not in marked


def text(value: object) -> str:
    """A value of a GLUE field as LDAP has it: moments in UTC to the second, whole reals without a point."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo is UTC else value.astimezone(UTC)
        return moment.isoformat()[:19] + "Z"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def line(attribute: str, value: str) -> str:
    """One line of LDIF without its end; the value is one that `safe` returned."""
    if value[:1] in (":", "<"):
        return f"{attribute}:: {base64.b64encode(value.encode()).decode()}"
    return f"{attribute}: {value}"


def _escaped(match: re.Match[str]) -> str:
    # Hexadecimal digits are capitals, so that an escape and what follows it never read as `dn:`.
    code = ord(match[0])
    if match[0] in _ESCAPES:
        return _ESCAPES[match[0]]
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _as_compared(value: str) -> str:
    normal = value if value.isascii() else unicodedata.normalize("NFKC", value)
    return " ".join(part for part in normal.split(" ") if part)


# Distinguished names


def rdn(attribute: str, value: str) -> str:
    r"""A relative name, escaped exactly as slapd writes it back (`a\2Cb`), so that an updater sees no difference.

    Raises RenderError for a value that would not load, or load once and then come and go: empty, beyond ASCII, altered
    by `safe`, or too long.
    """
    if _PLAIN_RDN.fullmatch(value) and "dn:" not in value:
        return f"{attribute}={value}"
    if not value or not value.isascii() or safe(value) != value:
        raise RenderError(
            f"{attribute} {value!r} cannot name an entry: a BDII keeps only printable ASCII without 'dn:' in a "
            "distinguished name; change the identifier"
        )
    name = f"{attribute}={_SPECIAL_IN_RDN.sub(_hexadecimal, value)}"
    if len(name) > MAX_RDN_BYTES:
        raise RenderError(
            f"{attribute} {value!r} is too long to name an entry: {len(name)} bytes with its attribute, where slapd "
            f"takes {MAX_RDN_BYTES}; shorten the identifier"
        )
    return name


def split_dn(dn: str) -> tuple[tuple[str, str], ...]:
    """A distinguished name as pairs of attribute and value, the entry's own first, escapes undone.

    Raises QueryError where a part has no `=`, or an escape is cut off.
    """
    return tuple(_attribute_and_value(part, dn) for part in _parts(dn))


def parent_of(dn: str) -> str:
    """The distinguished name of the entry above, as it is spelt; empty above the last."""
    if "\\" not in dn:
        return dn.partition(",")[2].lstrip()
    return ",".join(_parts(dn)[1:]).lstrip()


def _hexadecimal(match: re.Match[str]) -> str:
    return f"\\{ord(match[0]):02X}"


def _parts(dn: str) -> list[str]:
    if "\\" not in dn:
        return dn.split(",")
    parts = _RDN_OF_DN.findall(dn)
    if len(",".join(parts)) != len(dn):
        raise QueryError(f"{dn!r} is no distinguished name: a part is empty or an escape is cut off; correct the entry")
    return parts


def _attribute_and_value(part: str, dn: str) -> tuple[str, str]:
    attribute, equals, value = (piece.lstrip() for piece in part.partition("="))
    if not equals:
        raise QueryError(f"{dn!r} is no distinguished name: {part!r} is not 'attribute=value'; correct the entry")
    if not value.endswith("\\ "):
        value = value.rstrip()
    if "\\" in value:
        raw = _RDN_ESCAPE.sub(
            lambda escape: bytes.fromhex(escape[1].decode()) if escape[1][1:] else escape[1], value.encode()
        )
        value = raw.decode("utf-8", "replace")
    return attribute.rstrip(), value


# Reading


class Record(NamedTuple):
    """One entry as it was read; attribute names are spelt as in the text, values are decoded, in their order."""

    dn: str
    attributes: dict[str, list[str]]


class NotLdif(QueryError):
    """A line of a text that is not LDIF content: its number, counted from 1, and what is wrong with it."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        self.what = what
        super().__init__(f"line {line} is not LDIF content: {what}; correct or remove the entry")


class Unreadable(NamedTuple):
    """What stands at a line instead of an entry (counted from 1, 0 where there are no lines), and what is wrong."""

    line: int
    what: str


class Located(NamedTuple):
    """An entry and the line on which it begins, counted from 1; 0 where it comes from no text."""

    line: int
    record: Record


def read(body: bytes) -> Iterator[Record]:
    """The entries of LDIF content (RFC 2849): folded lines, base64, comments and a version line are understood.

    Raises QueryError with the line's number for anything else: change records, values by URL (nothing is ever fetched),
    text that is not UTF-8, lines without an entry, and an entry that no server would take for its size.
    """
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    known: set[str] = set()
    start, end, number = 0, len(body), 1
    while start < end:
        if body.startswith(b"\n", start):
            start, number = start + 1, number + 1
            continue
        stop = body.find(b"\n\n", start)
        stop = end if stop < 0 else stop
        block = body[start:stop]
        record = read_block(block, number, known)
        if record is not None:
            yield record
        start, number = stop + 2, number + block.count(b"\n") + 2


def read_block(block: bytes, number: int, known: set[str]) -> Record | None:
    """The entry of one block of lines (ends as line feeds, none of them blank) that begins at a line's number.

    `known` remembers the names of attributes from block to block. None where the block holds comments only. Raises
    QueryError as `read` does.
    """
    record = _read_plain(block, known)
    if record is None:
        record = _read_carefully(block, number)
    if record is not None:
        known.update(record.attributes)
    return record


def _read_plain(block: bytes, known: set[str]) -> Record | None:
    """A block in which every line is `name: value` with a name that is known; None for any other.

    In a folded line, a comment, base64 and all else that is special, what stands before `: ` is no attribute's name.
    """
    if len(block) > MAX_RECORD_BYTES or b":  " in block:
        return None
    try:
        first, *lines = block.decode().split("\n")
    except UnicodeDecodeError:
        return None
    attributes: dict[str, list[str]] = {}
    for text in lines:
        name, colon, value = text.partition(": ")
        if name in attributes:
            attributes[name].append(value)
        elif colon:
            attributes[name] = [value]
        else:
            return None
    if not first.startswith("dn: ") or not attributes.keys() <= known:
        return None
    return Record(first[4:], attributes)


def _read_carefully(block: bytes, number: int) -> Record | None:
    """A block that starts at line `number`, by the whole grammar; None where it holds no entry at all."""
    if len(block) > MAX_RECORD_BYTES:
        raise _malformed(number, block, f"an entry of {len(block)} bytes, where servers take {MAX_RECORD_BYTES}")
    lines = [(at, text) for at, text in _unfolded(block, number) if text and not text.startswith(b"#")]
    if lines and lines[0][1].startswith(b"version:"):
        del lines[0]
    if not lines:
        return None
    name, dn = _name_and_value(*lines[0])
    if name.lower() != "dn":
        raise _malformed(*lines[0], "a line that belongs to no entry")
    attributes: dict[str, list[str]] = {}
    for at, text in lines[1:]:
        name, value = _name_and_value(at, text)
        if name.lower() in ("dn", "changetype"):
            raise _malformed(at, text, "a second dn" if name.lower() == "dn" else "a change record")
        attributes.setdefault(name, []).append(value)
    return Record(dn, attributes)


def _unfolded(block: bytes, number: int) -> Iterator[tuple[int, bytes]]:
    """The logical lines of a block, each with the number of its first line."""
    pieces: list[bytes] = []
    begun = number
    for at, text in enumerate(block.split(b"\n"), start=number):
        if text.startswith(b" ") and pieces:
            pieces.append(text[1:])
            continue
        if pieces:
            yield begun, b"".join(pieces)
        pieces, begun = [text], at
    yield begun, b"".join(pieces)


def _name_and_value(number: int, line: bytes) -> tuple[str, str]:
    name, colon, rest = line.partition(b":")
    if not colon or not _ATTRIBUTE.fullmatch(name):
        raise _malformed(number, line, "a line that is not 'attribute: value'")
    if rest.startswith(b"<"):
        raise _malformed(number, line, "a value by URL, which is never fetched")
    try:
        value = base64.b64decode(rest[1:].strip(), validate=True) if rest.startswith(b":") else rest.lstrip(b" ")
        return name.decode(), value.decode()
    except binascii.Error:
        raise _malformed(number, line, "a value that is not base64") from None
    except UnicodeDecodeError:
        raise _malformed(number, line, "a value that is not UTF-8") from None


def _malformed(number: int, line: bytes, what: str) -> NotLdif:
    return NotLdif(number, f"{what}: {line[:60].decode('utf-8', 'backslashreplace')!r}")
