"""Parts of a revision in any order, twice, missing, contradicting, too large."""

import gzip
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from infoprovider.errors import MessageRefused
from infoprovider.messaging.content import Content, in_parts, packed
from infoprovider.messaging.envelope import Compression, Snapshot
from infoprovider.messaging.units import ContentType, json_unit
from infoprovider.reception.parts import MOST_UNFINISHED, Parts

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
UNITS = {f"urn:{number}": json_unit("ComputingShare", b'{"ID":"urn:%d"}' % number) for number in range(6)}
REMOVED = ("urn:gone",)


def envelope(**changed: Any) -> Snapshot:
    """An envelope of these units."""
    plain: dict[str, Any] = {
        "version": 1,
        "centre": "rc-one",
        "stream": "a" * 32,
        "epoch": 5,
        "revision": 7,
        "created": NOON,
        "expires": NOON,
        "content_type": ContentType.JSON,
        "compression": Compression.GZIP,
        "digest": "0" * 64,
        "entities": len(UNITS),
        "changed": len(UNITS),
        "removed": len(REMOVED),
        "part": 1,
        "parts": 3,
    }
    return Snapshot(**(plain | changed))


def messages() -> list[tuple[Snapshot, bytes]]:
    """The units in three parts."""
    contents = list(in_parts(Content(UNITS, removed=REMOVED), 100))
    assert len(contents) == 3
    return [(envelope(part=number), packed(one, ContentType.JSON)) for number, one in enumerate(contents, 1)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_part_completes_the_revision_in_any_order(order: tuple[int, ...]) -> None:
    """Each may come twice; what comes out is what was taken apart."""
    parts, sent = Parts(10_000), messages()
    for number in order[:-1]:
        assert parts.add(*sent[number]) is None
        assert parts.add(*sent[number]) is None
    assert parts.add(*sent[order[-1]]) == Content(UNITS, removed=REMOVED)


def test_revisions_that_are_never_finished_give_way() -> None:
    """A sender of first parts only cannot fill the memory."""
    parts, (_, first), (_, second), (_, third) = Parts(10_000), *messages()
    for revision in range(1, MOST_UNFINISHED + 2):
        assert parts.add(envelope(revision=revision), first) is None
    assert parts.add(envelope(revision=1, part=2), second) is None
    assert parts.add(envelope(revision=1, part=3), third) is None
    newest = MOST_UNFINISHED + 1
    assert parts.add(envelope(revision=newest, part=2), second) is None
    assert parts.add(envelope(revision=newest, part=3), third) is not None


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (envelope(part=2, digest="1" * 64), "contradicts part 1"),
        (envelope(part=2, changed=9), "contradicts part 1"),
    ],
)
def test_a_part_that_contradicts_another_is_refused(second: Snapshot, said: str) -> None:
    """So is the revision: the parts that came before are given up."""
    parts, sent = Parts(10_000), messages()
    parts.add(*sent[0])
    with pytest.raises(MessageRefused, match=said):
        parts.add(second, sent[1][1])
    assert parts.add(*sent[1]) is None
    assert parts.add(*sent[2]) is None


def test_more_than_the_limit_is_refused_before_it_is_unpacked() -> None:
    """Of a bomb, too, which is small as it comes."""
    bomb = gzip.compress(b" " * 10_000_000)
    with pytest.raises(MessageRefused, match="more than 1000 bytes"):
        Parts(1000).add(envelope(parts=1), bomb)
    parts, (first, second, _) = Parts(100), messages()
    parts.add(*first)
    with pytest.raises(MessageRefused, match="bytes of content, which is the limit"):
        parts.add(*second)


def test_what_parts_carry_must_be_what_the_envelope_counts() -> None:
    """And no unit may stand in two of them."""
    once = packed(Content(UNITS), ContentType.JSON)
    with pytest.raises(MessageRefused, match="carries 6 units and 0 removals, and says 6 and 1"):
        Parts(10_000).add(envelope(parts=1), once)
    parts = Parts(10_000)
    parts.add(envelope(parts=2), once)
    with pytest.raises(MessageRefused, match="names a unit in two places"):
        parts.add(envelope(parts=2, part=2), once)
