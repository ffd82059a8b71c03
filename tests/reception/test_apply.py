"""What becomes of each message, by where the copy is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infoprovider.errors import MessageRefused
from infoprovider.messaging.content import Content
from infoprovider.messaging.envelope import Compression, Delta, Event, Notice, Snapshot
from infoprovider.messaging.units import ContentType, digests_of, document_digest
from infoprovider.reception.apply import Copy, Position, Verdict, applied, judge, judge_notice, position_of, withdraws

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
LATER, EARLIER = NOON + timedelta(minutes=1), NOON - timedelta(minutes=1)
OURS, OTHER = "a" * 32, "b" * 32
POSITION = Position(stream=OURS, epoch=5, revision=7, digest="0" * 64, created=NOON)


def said(**changed: Any) -> dict[str, Any]:
    """What every message says, a little newer than the copy."""
    plain: dict[str, Any] = {
        "version": 1,
        "centre": "rc-one",
        "stream": OURS,
        "epoch": 5,
        "revision": 8,
        "created": LATER,
        "content_type": ContentType.JSON,
        "compression": Compression.GZIP,
    }
    return plain | changed


def documented(**changed: Any) -> dict[str, Any]:
    """What a snapshot says."""
    counts = {"entities": 0, "changed": 0, "removed": 0, "part": 1, "parts": 1}
    return said(expires=LATER, digest="1" * 64, **counts) | changed


def snapshot(**changed: Any) -> Snapshot:
    """A snapshot, the next one where nothing else is said."""
    return Snapshot(**documented(**changed))


def delta(base: int = 7, **changed: Any) -> Delta:
    """A delta, the next one where nothing else is said."""
    return Delta(**documented(**changed), base=base)


def notice(**changed: Any) -> Notice:
    """A notice."""
    return Notice(**(said(event=Event.CENTRE_WITHDRAWN) | changed))


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        (snapshot(), Verdict.TAKE),
        (snapshot(revision=70), Verdict.TAKE),
        (snapshot(epoch=6, revision=1), Verdict.TAKE),
        (snapshot(revision=7, digest="0" * 64), Verdict.DUPLICATE),
        (snapshot(revision=7), Verdict.CONFLICT),
        (snapshot(revision=6), Verdict.OLD),
        (snapshot(epoch=4, revision=70, created=EARLIER), Verdict.OLD),
        (snapshot(epoch=4, revision=70), Verdict.CONFLICT),
        (snapshot(stream=OTHER, epoch=6), Verdict.TAKE),
        (snapshot(stream=OTHER, epoch=4, created=EARLIER), Verdict.OLD),
        (snapshot(stream=OTHER, epoch=4), Verdict.CONFLICT),
        (snapshot(stream=OTHER, epoch=5), Verdict.CONFLICT),
        (delta(), Verdict.TAKE),
        (delta(base=1), Verdict.TAKE),
        (delta(base=8, revision=9), Verdict.GAP),
        (delta(epoch=6), Verdict.TAKE),
        (delta(epoch=6, base=3, revision=7), Verdict.GAP),
        (delta(base=3, revision=7, digest="0" * 64), Verdict.DUPLICATE),
        (delta(base=3, revision=6), Verdict.OLD),
        (delta(stream=OTHER, epoch=6), Verdict.GAP),
        (delta(stream=OTHER, epoch=4), Verdict.CONFLICT),
    ],
)
def test_a_message_is_judged_by_where_the_copy_is(message: Snapshot | Delta, verdict: Verdict) -> None:
    """By stream, epoch and revision, and by when it was made where somebody else may have made it."""
    assert judge(POSITION, message) is verdict


def test_without_a_copy_only_a_snapshot_helps() -> None:
    """Whoever it is of."""
    assert judge(None, snapshot(stream=OTHER)) is Verdict.TAKE
    assert judge(None, delta()) is Verdict.GAP


@pytest.mark.parametrize(
    ("message", "verdict", "is_newer"),
    [
        (notice(), Verdict.TAKE, True),
        (notice(revision=7), Verdict.TAKE, False),
        (notice(epoch=4), Verdict.TAKE, False),
        (notice(stream=OTHER, epoch=6), Verdict.TAKE, True),
        (notice(stream=OTHER, epoch=4), Verdict.CONFLICT, False),
        (notice(stream=OTHER, epoch=4, created=EARLIER), Verdict.OLD, False),
    ],
)
def test_a_notice_is_told_in_any_order_and_withdraws_only_what_is_older(
    message: Notice, verdict: Verdict, is_newer: bool
) -> None:
    """It has a way of its own through the broker: the document that it goes with may be here before it."""
    assert judge_notice(POSITION, message) is verdict
    assert withdraws(POSITION, message) is is_newer
    assert withdraws(None, message)


def test_a_delta_that_leads_elsewhere_is_refused() -> None:
    """With what it named and what came out, and the copy of before is as it was."""
    units = {"urn:1": b'ComputingShare {"ID":"urn:1","FreeSlots":1}', "urn:2": b'ComputingShare {"ID":"urn:2"}'}
    copy = Copy("rc-one", POSITION, ContentType.JSON, units, digests_of(units), NOON)
    after = {"urn:1": b'ComputingShare {"ID":"urn:1","FreeSlots":2}'}
    change = Content(amended={"urn:1": after["urn:1"]}, removed=("urn:2",))
    right = delta(digest=document_digest(digests_of(after)), entities=1)
    made = applied(copy, right, change)
    assert (made.units, made.digests, made.position) == (after, digests_of(after), position_of(right))
    for wrong in (replace(change, removed=()), replace(change, amended={})):
        with pytest.raises(MessageRefused, match="leads to a document of"):
            applied(copy, right, wrong)
    with pytest.raises(MessageRefused, match="amends a unit that is not there"):
        applied(replace(copy, units={}, digests={}), right, change)
    assert copy.units == units
