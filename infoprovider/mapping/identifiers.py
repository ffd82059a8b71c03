"""How entities are named: `urn:glue2:<Class>:<centre>:<instance>[:<local>]`.

Identifiers are made of the operator's names and of the manager's own stable ids, never of time, order or display names,
so that they survive restarts and renamed flavours. Only letters, digits, `.`, `_`, `-` and `:` occur, so they are valid
URIs, need no escaping in a distinguished name, and satisfy the XSD's LocalID_t.
"""

import hashlib
import re

_OUTSIDE = re.compile(r"[^a-z0-9._-]")
MAX_RDN_BYTES = 200
"""The longest RDN that we make; slapd's back-mdb refuses more than 245 bytes."""

MAX_SCOPE_PART = 40
"""How much of an identifier the name of the centre, and that of the instance, may take."""

_LONGEST_RDN_ATTRIBUTE = len("GLUE2ApplicationEnvironmentID=")


def slug(name: str) -> str:
    """A name in lower case with everything but letters, digits, `.`, `_` and `-` replaced by `-`."""
    return _OUTSIDE.sub("-", name.lower())


def _with_hash(text: str, raw: str, room: int) -> str:
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{text[: max(0, room - 9)]}-{digest}"


def _is_safe(text: str, room: int) -> bool:
    """Whether a part fits and can be followed by a colon: aggregators cut an entry at `dn:`."""
    return 0 < len(text) <= room and not text.endswith("dn")


def local_id(raw: str, room: int = MAX_RDN_BYTES) -> str:
    """A manager's own id as the last part of an identifier of at most `room` characters.

    Eight hex digits of its SHA-256 are appended whenever the slug differs from the raw id or does not fit, so that two
    ids never become one.
    """
    text = slug(raw)
    return text if text == raw and _is_safe(text, room) else _with_hash(text, raw, room)


def _scope_part(name: str) -> str:
    """The operator's name in identifiers; that only its case is lost needs no hash, for names differ in more."""
    text = slug(name)
    return text if _is_safe(text, MAX_SCOPE_PART) else _with_hash(text, name.lower(), MAX_SCOPE_PART)


class Identifiers:
    """Names the entities of one instance of one centre."""

    __slots__ = ("_scope",)

    def __init__(self, centre: str, instance: str = "") -> None:
        self._scope = ":".join(_scope_part(part) for part in (centre, instance) if part)

    def of(self, entity: str, *local: str, prefix: str = "") -> str:
        """The identifier of an entity of this GLUE class; `prefix` is put before the local part as it is."""
        head = ":".join(part for part in (f"urn:glue2:{entity}:{self._scope}", prefix) if part)
        room = (MAX_RDN_BYTES - _LONGEST_RDN_ATTRIBUTE - len(head)) // max(1, len(local)) - 1
        return ":".join([head, *(local_id(part, room) for part in local)])


def local_part(id_: str) -> str:
    """What an identifier has after its last colon: the manager's own id of what it names."""
    return id_.rpartition(":")[2]


def policy_of(id_: str) -> str:
    """The identifier of the policy that governs an endpoint or a share."""
    return f"{id_}:policy"


def url_hash(url: str) -> str:
    """Eight hex digits that tell two URLs of one interface apart."""
    return hashlib.sha256(url.encode()).hexdigest()[:8]
