"""LDAP messages as bytes (RFC 4511): the few that keeping a tree takes, written and read directly.

ldap3 encodes an addition by a general ASN.1 library, and then writes a thousand entries a second, where the server
takes six times that; and it waits for each answer. Connecting, TLS and signing in remain ldap3's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from infoprovider.errors import PublishError

Attributes: TypeAlias = Mapping[str, Sequence[str]]
"""Names as they are spelt, and their values."""

SUCCESS, NO_SUCH_OBJECT, NOT_ON_NON_LEAF, ALREADY_EXISTS = 0, 32, 66, 68
ENTRY, SEARCH_DONE = 0x64, 0x65
SUBTREE, ONE_LEVEL, BASE = 2, 1, 0
MAX_MESSAGE_BYTES = 64 * 2**20
"""Of what a server sends in one message; an entry is some kilobytes."""

_INTEGER, _OCTETS, _ENUMERATED, _SEQUENCE, _SET = 0x02, 0x04, 0x0A, 0x30, 0x31
_SEARCH, _MODIFY, _ADD, _DELETE = 0x63, 0x66, 0x68, 0x4A
_CONTROLS, _PRESENT = 0xA0, 0x87
_PAGED_RESULTS = b"1.2.840.113556.1.4.319"
_REPLACE = b"\x0a\x01\x02"
_NEVER, _NO = b"\x0a\x01\x00", b"\x01\x01\x00"


class NotLdap(PublishError):
    """What came is no message of LDAP."""


# Writing


def add(dn: str, attributes: Attributes) -> bytes:
    """The request to add an entry."""
    body = b"".join(_attribute(name, values) for name, values in attributes.items())
    return _tlv(_ADD, _octets(dn.encode()) + _tlv(_SEQUENCE, body))


def modify(dn: str, replacements: Attributes) -> bytes:
    """The request to give these attributes of an entry these values; one without values is removed."""
    body = b"".join(_tlv(_SEQUENCE, _REPLACE + _attribute(name, values)) for name, values in replacements.items())
    return _tlv(_MODIFY, _octets(dn.encode()) + _tlv(_SEQUENCE, body))


def delete(dn: str) -> bytes:
    """The request to delete an entry that has none below it."""
    return _tlv(_DELETE, dn.encode())


def search(base: str, scope: int, attributes: Iterable[str]) -> bytes:
    """The request for all entries of a scope."""
    wanted = b"".join(_octets(name.encode()) for name in attributes)
    parts = (
        _octets(base.encode()),
        bytes((_ENUMERATED, 1, scope)),
        _NEVER,
        _integer(0) + _integer(0),  # no limit of entries, none of seconds
        _NO,
        _tlv(_PRESENT, b"objectClass"),
        _tlv(_SEQUENCE, wanted),
    )
    return _tlv(_SEARCH, b"".join(parts))


def page(size: int, cookie: bytes) -> bytes:
    """The control that asks for so many entries, after those that the cookie stands for (RFC 2696)."""
    value = _tlv(_SEQUENCE, _integer(size) + _octets(cookie))
    return _tlv(_CONTROLS, _tlv(_SEQUENCE, _octets(_PAGED_RESULTS) + _octets(value)))


def message(number: int, request: bytes, controls: bytes = b"") -> bytes:
    """The whole message that goes out."""
    return _tlv(_SEQUENCE, _integer(number) + request + controls)


def _attribute(name: str, values: Sequence[str]) -> bytes:
    inner = b"".join([_octets(value.encode()) for value in values])
    return _tlv(_SEQUENCE, _octets(name.encode()) + _tlv(_SET, inner))


def _octets(value: bytes) -> bytes:
    return _tlv(_OCTETS, value)


def _integer(value: int) -> bytes:
    return _tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


# Reading


@dataclass(frozen=True, slots=True)
class Answer:
    """One message of the server: the number of the request, what it is, and what is in it; controls come behind it."""

    number: int
    tag: int
    content: bytes
    controls: bytes

    def result(self) -> tuple[int, str]:
        """The code and the words with which an operation ended."""
        code, _, said, *_ = (content for _, content in _parts(self.content))
        return int.from_bytes(code, "big"), said.decode(errors="replace")

    def entry(self) -> tuple[str, dict[str, list[str]]]:
        """An entry that was found; bytes that are no text are spelt out."""
        (_, dn), (_, attributes) = _parts(self.content)
        found: dict[str, list[str]] = {}
        for _, attribute in _parts(attributes):
            (_, name), (_, values) = _parts(attribute)
            found[name.decode()] = [value.decode(errors="backslashreplace") for _, value in _parts(values)]
        return dn.decode(errors="backslashreplace"), found

    def cookie(self) -> bytes:
        """What the next page is asked for with; empty after the last."""
        for _, control in _parts(self.controls):
            oid, *_, value = (content for _, content in _parts(control))
            if oid == _PAGED_RESULTS:
                [(_, inner)] = _parts(value)
                return [content for _, content in _parts(inner)][1]
        return b""


class Incoming:
    """Bytes as they come, cut into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, more: bytes) -> Iterator[Answer]:
        """The messages that are complete now. Raises NotLdap."""
        self._bytes += more
        at = 0
        while (stop := self._end(at)) is not None:
            [(_, content)] = _parts(bytes(self._bytes[at:stop]))
            at = stop
            (_, number), (tag, body), *controls = _parts(content)
            yield Answer(int.from_bytes(number, "big"), tag, body, controls[0][1] if controls else b"")
        del self._bytes[:at]

    def _end(self, at: int) -> int | None:
        """Where the message that begins here ends; None where it is not whole yet."""
        head = self._bytes[at : at + 6]
        if len(head) < 2:
            return None
        size = head[1] & 0x7F if head[1] & 0x80 else 0
        if head[0] != _SEQUENCE or head[1] == 0x80 or size > 4:
            raise NotLdap("what the server sends is no LDAP; see what listens at this address")
        if len(head) < 2 + size:
            return None
        length = int.from_bytes(head[2 : 2 + size], "big") if size else head[1]
        if length > MAX_MESSAGE_BYTES:
            raise NotLdap(f"the server sends a message of more than {MAX_MESSAGE_BYTES} bytes; see what listens there")
        end = at + 2 + size + length
        return end if len(self._bytes) >= end else None


def _parts(content: bytes) -> list[tuple[int, bytes]]:
    """The elements of a sequence: tag and content."""
    found = []
    at, end = 0, len(content)
    try:
        while at < end:
            tag, length = content[at], content[at + 1]
            at += 2
            if length & 0x80:
                size = length & 0x7F
                length = int.from_bytes(content[at : at + size], "big")
                at += size
            if at + length > end:
                raise NotLdap("a message of the server is cut off; see what listens at this address")
            found.append((tag, content[at : at + length]))
            at += length
    except IndexError:
        raise NotLdap("a message of the server is cut off; see what listens at this address") from None
    return found
