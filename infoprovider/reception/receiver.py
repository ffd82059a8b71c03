"""What becomes of messages: whom they come from, whether they are believed, what they change in the copies.

A message is done with when what it has changed is on disk, or when it is clear that it changes nothing.
"""

import logging
from datetime import datetime, timedelta
from typing import Protocol

from infoprovider.clock import Clock
from infoprovider.config.following import FollowingFile
from infoprovider.deadline import Deadline
from infoprovider.errors import InfoproviderError, MessageRefused
from infoprovider.messaging.connection import Received
from infoprovider.messaging.envelope import Document, Event, Notice, Snapshot, from_frame
from infoprovider.messaging.signature import opened
from infoprovider.reception.apply import Copy, Verdict, applied, judge, judge_notice, withdraws
from infoprovider.reception.copies import Copies, is_name
from infoprovider.reception.diary import Diary, Terse
from infoprovider.reception.held import Held
from infoprovider.reception.parts import Parts
from infoprovider.reception.records import CentreState, Record, Remark

SIGNATURE_SECONDS = 30.0
"""How long a signature may take to be checked."""

REFUSED = "refused"
WAITING_FOR_PARTS = "part"

log = logging.getLogger(__name__)


class Audience(Protocol):
    """Who shows copies to readers."""

    def offer(self, copy: Copy) -> None:
        """The newest copy of a centre."""

    def withdraw(self, centre: str) -> None:
        """Readers are to find nothing of this centre."""


class Receiver:
    """The copies of all centres, and what messages do to them. Used by one thread."""

    def __init__(self, settings: FollowingFile, copies: Copies, audience: Audience, clock: Clock) -> None:
        self._settings = settings
        self._copies = copies
        self._audience = audience
        self._clock = clock
        self._parts = Parts(settings.limits.document_bytes)
        self._held = Held()
        self._diary = Diary(settings.folder)
        self._terse = Terse(log)
        self._kept: dict[str, Copy] = {}
        self._states: dict[str, CentreState] = {}
        self._unsaved: set[str] = set()
        self.messages = 0
        self.counts: dict[str, int] = {}
        self.remark: Remark | None = None

    @property
    def centres(self) -> frozenset[str]:
        """The centres that readers may be shown."""
        return frozenset(name for name, state in self._states.items() if state.is_shown)

    def revision_of(self, centre: str) -> int | None:
        """The revision of a centre's copy; None where there is none."""
        copy = self._kept.get(centre)
        return copy.position.revision if copy else None

    def load(self) -> None:
        """Prove what is on disk, and show it. Raises StoreError."""
        for state in self._copies.states():
            self._states[state.centre] = state
            found = self._copies.proved(state)
            if found is not None:
                copy, self._states[state.centre] = found
                self._kept[state.centre] = copy
                if state.is_shown:
                    self._audience.offer(copy)
            elif state.is_kept:
                self._lose(state)

    def _lose(self, state: CentreState) -> None:
        """The copy cannot be proved. What the LDAP server has of it was proved once, and stays until it expires."""
        what = "the copy on disk is not what was kept; the next snapshot makes it anew"
        log.warning("%s: %s", state.centre, what)
        lost = self._copies.hide(state).model_copy(
            update={"is_shown": state.is_shown, "is_kept": False, "is_waiting": True}
        )
        self._states[state.centre] = lost.model_copy(update={"record": state.latest, "pending": None})
        self._note(state.centre, what)

    def take(self, message: Received) -> list[Received]:
        """Do what a message says; the messages, this one or earlier ones, that need not come again.

        Raises StoreError where nothing can be kept, ConfigError where no signature can be checked for want of
        authorities; then it must come again.
        """
        self.messages += 1
        try:
            return self._taken(message)
        except MessageRefused as error:
            self._refuse(message, error)
        except InfoproviderError:
            raise
        except Exception:
            # It would come again for ever, and keep all others from being read.
            log.exception("a fault of this program; a message to %s is passed over", message.destination)
            self._count("fault")
        return [message]

    def begin(self) -> None:
        """On another connection, whatever was not done with comes again."""
        self._held.clear()

    def complain(self, error: InfoproviderError) -> None:
        """Say what does not work, but not every second."""
        self._terse.warn(str(error))

    def expire(self) -> None:
        """Take from readers what must not be shown any more. Raises StoreError."""
        now = self._clock.read().wall
        for centre, state in list(self._states.items()):
            if state.is_shown and state.latest is not None and self._is_over(state.latest.expires, now):
                log.warning("%s has sent nothing since it expired at %s: it is withdrawn", centre, state.latest.expires)
                self._states[centre] = self._copies.hide(state)
                self._note(centre, "nothing came before it expired: readers are given nothing of it")
                self._audience.withdraw(centre)

    def flush(self) -> None:
        """Keep what was counted since. Raises StoreError."""
        self._terse.flush()
        for centre in list(self._unsaved):
            self._copies.save(self._states[centre])
            self._unsaved.discard(centre)

    # --- whom it comes from ----------------------------------------------------------------------------------------

    def _taken(self, message: Received) -> list[Received]:
        if message.body is None:
            raise MessageRefused(f"has {message.size} bytes, where limits.message_bytes is what one may have")
        frame, signer = self._opened(message.body)
        envelope, content = from_frame(frame)
        self._check_centre(envelope.centre, signer)
        if isinstance(envelope, Notice):
            self._notice(envelope, content)
            return [message]
        return self._document(envelope, content, message, signer)

    def _opened(self, body: bytes) -> tuple[bytes, str | None]:
        """What was sent, and who signed it. Raises MessageRefused."""
        trust = self._settings.signatures
        is_signed = body[:1] == b"\x30"
        if trust is None:
            if is_signed:
                raise MessageRefused("is signed, and nothing says whose signatures are believed: write signatures")
            return body, None
        if not is_signed:
            if trust.required:
                raise MessageRefused("is not signed")
            return body, None
        found = opened(body, trust, Deadline.after(SIGNATURE_SECONDS))
        return found.frame, found.signer

    def _check_centre(self, centre: str, signer: str | None) -> None:
        """Raises MessageRefused for a centre that is not followed, or for which this signer may not speak."""
        if not is_name(centre) or (self._settings.centres and centre not in self._settings.centres):
            raise MessageRefused(f"is of {centre!r:.130}, which is not followed")
        trust = self._settings.signatures
        if trust is not None and (signer or centre in trust.signers) and not trust.may_speak(signer or "", centre):
            who = f"signed by {signer}" if signer else "not signed"
            raise MessageRefused(f"is of {centre} and {who}, who is none of its signers")
        if centre not in self._states and len(self._states) >= self._settings.limits.centres:
            raise MessageRefused(f"is of {centre}, one more than limits.centres lets there be")

    def _refuse(self, message: Received, error: MessageRefused) -> None:
        claimed = message.headers.get("centre", "")
        sender = message.sender or "an unnamed sender"
        what = f"refused a message from {sender} to {message.destination}: it {error}"
        self._terse.warn(what)
        if claimed in self._states:
            self._count(REFUSED, claimed)
            self._note(claimed, what)
        else:
            self._count(REFUSED)
            self.remark = Remark(at=self._clock.read().wall, what=what)

    # --- documents -------------------------------------------------------------------------------------------------

    def _document(self, envelope: Document, body: bytes, message: Received, signer: str | None) -> list[Received]:
        centre = envelope.centre
        verdict = self._judged(envelope)
        if verdict is not Verdict.TAKE:
            self._count(verdict, centre)
            self._remark_on(verdict, envelope, message)
            return [message]
        try:
            content = self._parts.add(envelope, body)
            if content is None:
                return self._held.add(envelope, message)
            former = None if isinstance(envelope, Snapshot) else self._kept.get(centre)
            copy = applied(former, envelope, content)
            self._check_size(copy)
        except MessageRefused as error:
            done = self._held.release(envelope)
            self._refuse(message, error)
            self._update(centre, is_waiting=True)
            return [*done, message]
        self._keep(copy, signer)
        self._parts.forget(envelope)
        return [*self._held.release(envelope), message]

    def _judged(self, envelope: Document) -> Verdict:
        state = self._states.get(envelope.centre)
        record = state.latest if state else None
        verdict = judge(record.position if record else None, envelope)
        if envelope.centre in self._kept or state is None:
            return verdict
        if not isinstance(envelope, Snapshot):
            return Verdict.GAP if verdict is Verdict.TAKE else verdict
        # What was followed is known, but its copy is lost: the same again helps.
        return Verdict.TAKE if verdict is Verdict.DUPLICATE and not state.is_withdrawn else verdict

    def _check_size(self, copy: Copy) -> None:
        size = sum(map(len, copy.units.values()))
        if size > self._settings.limits.document_bytes:
            raise MessageRefused(f"leads to a document of {size} bytes, more than limits.document_bytes lets it have")

    def _keep(self, copy: Copy, signer: str | None) -> None:
        now = self._clock.read()
        centre = copy.centre
        state = self._states.get(centre) or CentreState(centre=centre)
        record = Record.of(copy, now, signer)
        is_over = self._is_over(copy.expires, now.wall)
        new = state.counted(Verdict.TAKE).model_copy(
            update={"pending": record, "is_shown": not is_over, "is_withdrawn": False, "is_waiting": False}
        )
        settled = self._copies.keep(copy, new, self._kept.get(centre))
        if _flags(settled) != _flags(state):
            self._copies.save(settled)
        self._states[centre] = self._copies.hide(settled) if is_over else settled
        self._kept[centre] = copy
        self._unsaved.add(centre)
        if is_over:
            self._note(centre, f"what came had expired at {copy.expires} already: it is not shown")
            self._audience.withdraw(centre)
        else:
            self._audience.offer(copy)

    def _remark_on(self, verdict: Verdict, envelope: Document, message: Received) -> None:
        """Say what an operator has to know of a message that changes nothing."""
        state = self._states.get(envelope.centre)
        record = state.latest if state else None
        if verdict is Verdict.GAP:
            have = f"revision {record.revision}" if record and envelope.centre in self._kept else "nothing"
            what = (
                f"revision {envelope.revision} builds on what has not come (here is {have}): the next snapshot has it"
            )
            if state is not None:
                self._update(envelope.centre, is_waiting=True)
        elif verdict is Verdict.CONFLICT and record is not None:
            what = (
                f"two publishers: a message of stream {envelope.stream[:8]}, epoch {envelope.epoch}, revision "
                f"{envelope.revision}, from {message.sender or 'an unnamed sender'}, while stream {record.stream[:8]}, "
                f"epoch {record.epoch} is followed; see that one publishes this centre alone"
            )
        else:
            return
        self._terse.warn(f"{envelope.centre}: {what}")
        self._note(envelope.centre, what)

    # --- notices ---------------------------------------------------------------------------------------------------

    def _notice(self, notice: Notice, body: bytes) -> None:
        state = self._states.get(notice.centre)
        position = state.latest.position if state and state.latest else None
        verdict = judge_notice(position, notice)
        if verdict is not Verdict.TAKE:
            self._count(f"notice {verdict}", notice.centre)
            return
        if self._diary.write(notice, body, self._clock.read().wall):
            self._count("notice", notice.centre)
        if notice.event is Event.CENTRE_WITHDRAWN and state is not None and withdraws(position, notice):
            self._withdraw(state, notice)

    def _withdraw(self, state: CentreState, notice: Notice) -> None:
        self._terse.warn(f"{notice.centre} has withdrawn itself: its copy and its entries go")
        followed = Record(
            stream=notice.stream,
            epoch=notice.epoch,
            revision=notice.revision,
            digest="",
            created=notice.created,
            content_type=notice.content_type,
            expires=notice.created,
            entities=0,
            received=self._clock.read(),
        )
        gone = state.model_copy(update={"record": followed, "pending": None, "is_waiting": False})
        self._states[notice.centre] = self._copies.withdraw(gone)
        self._kept.pop(notice.centre, None)
        self._note(notice.centre, "the centre has withdrawn itself")
        self._audience.withdraw(notice.centre)

    # --- counting --------------------------------------------------------------------------------------------------

    def _is_over(self, expires: datetime, now: datetime) -> bool:
        return now > expires + timedelta(seconds=self._settings.grace)

    def _count(self, what: str, centre: str = "") -> None:
        state = self._states.get(centre)
        if state is None:
            self.counts[what] = self.counts.get(what, 0) + 1
        else:
            self._states[centre] = state.counted(what)
            self._unsaved.add(centre)

    def _note(self, centre: str, what: str) -> None:
        self._update(centre, remark=Remark(at=self._clock.read().wall, what=what))

    def _update(self, centre: str, **what: object) -> None:
        state = self._states.get(centre)
        if state is not None:
            self._states[centre] = state.model_copy(update=what)
            self._unsaved.add(centre)


def _flags(state: CentreState) -> tuple[bool, ...]:
    """What must be right on disk at once, where counts may be some seconds old."""
    return state.is_kept, state.is_shown, state.is_waiting, state.is_withdrawn
