"""Answers as lines of text, one JSON object each: how a collection's process, or any program, tells what it learnt.

    {"answer": "observed", "facet": "capacity", "observed_at": "2026-01-15T12:00:00Z", "value": {"vcpus": 128}}
    {"answer": "observed", "facet": "usage", "part": "p1", "observed_at": "…", "value": {"project": "p1", …},
     "calls": ["GET /limits"], "notes": ["for the operator only"]}
    {"answer": "failed", "facet": "images", "reason": "HTTP 500", "retryable": true}
    {"answer": "not_offered", "facet": "prices", "reason": "this manager has no prices"}
    {"answer": "parts", "facet": "usage", "parts": ["p1", "p2"]}

`part`, `calls` and `notes` may be left out. `value` is the facet's dataclass of `inventory/model.py`.

One name that is no Unicode text must not cost the facet that it stands in: a lone surrogate is spelt out as `ldif.safe`
spells it (backslash, `uD83D`), and so is a byte that is not UTF-8, as the surrogate that PEP 383 gives it (`uDCFF`).
"""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from infoprovider.errors import Malformed
from infoprovider.inventory.codec import from_json, to_plain
from infoprovider.inventory.model import Facet
from infoprovider.providers.contract import Answer, Failed, NotOffered, Observed, Parts
from infoprovider.settings import Settings


class _Observed(Settings):
    answer: Literal["observed"]
    facet: Facet
    part: str = ""
    observed_at: AwareDatetime
    value: dict[str, Any]
    calls: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class _Failed(Settings):
    answer: Literal["failed"]
    facet: Facet
    part: str = ""
    reason: str
    retryable: bool = True
    plug_in: bool = False


class _NotOffered(Settings):
    answer: Literal["not_offered"]
    facet: Facet
    part: str = ""
    reason: str


class _Parts(Settings):
    answer: Literal["parts"]
    facet: Facet
    parts: frozenset[str]


LINE: TypeAdapter[_Observed | _Failed | _NotOffered | _Parts] = TypeAdapter(
    Annotated[_Observed | _Failed | _NotOffered | _Parts, Field(discriminator="answer")]
)
"""What a line may hold; the values of facets are checked by the inventory's own types."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_MAY_HOLD_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F]")


def to_line(answer: Answer) -> bytes:
    """An answer as one line, its end included."""
    match answer:
        case Observed():
            plain: dict[str, Any] = {
                "answer": "observed",
                "facet": answer.facet,
                "part": answer.part,
                "observed_at": answer.observed_at.isoformat(),
                "value": to_plain(answer.facet, answer.value),
                "calls": answer.calls,
                "notes": answer.notes,
            }
        case Failed():
            plain = {
                "answer": "failed",
                "facet": answer.facet,
                "part": answer.part,
                "reason": answer.reason,
                "retryable": answer.retryable,
                "plug_in": answer.plug_in,
            }
        case NotOffered():
            plain = {"answer": "not_offered", "facet": answer.facet, "part": answer.part, "reason": answer.reason}
        case Parts():
            plain = {"answer": "parts", "facet": answer.facet, "parts": sorted(answer.parts)}
    return json.dumps(plain).encode() + b"\n"


def from_line(line: bytes) -> Answer:
    """The answer that a line holds. Raises Malformed with what is wrong and where in the line."""
    try:
        plain = LINE.validate_json(_as_unicode(line))
        match plain:
            case _Observed():
                return Observed(
                    facet=plain.facet,
                    part=plain.part,
                    value=from_json(plain.facet, json.dumps(plain.value)),
                    observed_at=plain.observed_at,
                    calls=plain.calls,
                    notes=plain.notes,
                )
            case _Failed():
                return Failed(
                    facet=plain.facet,
                    part=plain.part,
                    reason=plain.reason,
                    retryable=plain.retryable,
                    plug_in=plain.plug_in,
                )
            case _NotOffered():
                return NotOffered(facet=plain.facet, part=plain.part, reason=plain.reason)
            case _Parts():
                return Parts(facet=plain.facet, parts=plain.parts)
    except ValidationError as error:
        faults = "; ".join(f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False))
        raise Malformed(f"a line of the collection cannot be used: {faults}: {line[:200]!r}") from error


def _as_unicode(line: bytes) -> bytes:
    """The line in UTF-8 and without lone surrogates; as it is where that is no JSON."""
    try:
        line.decode()
    except UnicodeDecodeError:
        pass
    else:
        if not _MAY_HOLD_SURROGATES.search(line):
            return line
    try:
        plain = json.loads(line.decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        return line
    text = json.dumps(plain, ensure_ascii=False)
    # The backslash is doubled: it is text within a string of JSON.
    return _SURROGATE.sub(lambda lone: rf"\\u{ord(lone[0]):04X}", text).encode()


def _place(steps: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in steps) or "the whole line"
