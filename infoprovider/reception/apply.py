"""What a message does to the copy of a centre: nothing here waits, reads or writes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from infoprovider.errors import MessageRefused
from infoprovider.messaging.amendments import amended
from infoprovider.messaging.content import Content
from infoprovider.messaging.envelope import Delta, Document, Envelope, Notice, Snapshot
from infoprovider.messaging.units import ContentType, Digests, Units, digests_of, document_digest


@dataclass(frozen=True, slots=True)
class Position:
    """Up to which message a centre was followed; it outlives the copy where the centre was withdrawn."""

    stream: str
    epoch: int
    revision: int
    digest: str
    created: datetime

    @property
    def order(self) -> tuple[int, int]:
        """Which of two positions is newer."""
        return self.epoch, self.revision


@dataclass(frozen=True, slots=True)
class Copy:
    """A centre's document as it was proved: its units, their digests, and when it must not be shown any more."""

    centre: str
    position: Position
    content_type: ContentType
    units: Units
    digests: Digests
    expires: datetime


class Verdict(StrEnum):
    """What becomes of a message."""

    TAKE = "take"
    DUPLICATE = "duplicate"
    OLD = "old"
    GAP = "gap"
    CONFLICT = "conflict"


def judge(position: Position | None, envelope: Document) -> Verdict:
    """Whether a message is the next for a centre that was followed so far.

    `GAP`: revisions in between have not come, the next snapshot has them. `CONFLICT`: somebody else publishes this
    centre, or publishes it with a copy of its record: older by its epoch, and yet sent after what we have.
    """
    if position is None:
        return Verdict.GAP if isinstance(envelope, Delta) else Verdict.TAKE
    if envelope.stream == position.stream and envelope.order == position.order:
        return Verdict.DUPLICATE if envelope.digest == position.digest else Verdict.CONFLICT
    if not _is_newer(position, envelope):
        return _of_old(position, envelope)
    if isinstance(envelope, Delta):
        follows = envelope.stream == position.stream and envelope.base <= position.revision < envelope.revision
        return Verdict.TAKE if follows else Verdict.GAP
    return Verdict.TAKE


def judge_notice(position: Position | None, notice: Notice) -> Verdict:
    """Whether a notice is of whom is followed; it may come before and after the document that it goes with."""
    if position is None or notice.stream == position.stream or notice.epoch > position.epoch:
        return Verdict.TAKE
    return _of_old(position, notice)


def withdraws(position: Position | None, notice: Notice) -> bool:
    """Whether a notice takes away what is there: nothing newer was told since."""
    return position is None or _is_newer(position, notice)


def _is_newer(position: Position, envelope: Envelope) -> bool:
    if envelope.stream == position.stream:
        return envelope.order > position.order
    return envelope.epoch > position.epoch


def _of_old(position: Position, envelope: Envelope) -> Verdict:
    is_of_another = envelope.stream != position.stream or envelope.epoch < position.epoch
    return Verdict.CONFLICT if is_of_another and envelope.created > position.created else Verdict.OLD


def applied(copy: Copy | None, envelope: Document, content: Content) -> Copy:
    """The copy after a message that `judge` takes.

    Raises MessageRefused where the outcome is not the document that the message names: then the copy of before holds,
    until the next snapshot.
    """
    before = None if isinstance(envelope, Snapshot) else copy
    units = dict(before.units) if before else {}
    digests = dict(before.digests) if before else {}
    changed = dict(content.present)
    for key, amendment in content.amended.items():
        changed[key] = amended(units.get(key), amendment, envelope.content_type)
    units.update(changed)
    digests.update(digests_of(changed))
    for key in content.removed:
        units.pop(key, None)
        digests.pop(key, None)
    digest = document_digest(digests)
    if (digest, len(units)) != (envelope.digest, envelope.entities):
        raise MessageRefused(
            f"leads to a document of {len(units)} units with the digest {digest[:16]}…, and names one of "
            f"{envelope.entities} with {envelope.digest[:16]}…"
        )
    return Copy(envelope.centre, position_of(envelope), envelope.content_type, units, digests, envelope.expires)


def position_of(envelope: Document) -> Position:
    """Where a copy is after this message."""
    return Position(envelope.stream, envelope.epoch, envelope.revision, envelope.digest, envelope.created)
