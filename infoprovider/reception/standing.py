"""How a receiver stands, from what it keeps in its folder: each centre, the broker, the LDAP server."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from infoprovider.clock import Reading, age
from infoprovider.reception.copies import Copies
from infoprovider.reception.records import CentreState, ReceiverState, Remark

SILENT_AFTER = timedelta(seconds=60)
"""How long after its last sign a receiver that runs counts as one that hangs."""


class Standing(StrEnum):
    """How it is with a centre."""

    CURRENT = "current"
    WAITING = "waiting"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreStanding:
    """A centre: up to which message it is followed, and what of it readers are given.

    `age` is seconds since the last message that was taken; `served` is the revision that readers are given.
    """

    centre: str
    standing: Standing
    stream: str
    epoch: int
    revision: int
    served: int | None
    entities: int
    age: float
    created: datetime
    expires: datetime
    signer: str | None
    counts: Mapping[str, int]
    remark: Remark | None
    trouble: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverStanding:
    """The whole: all centres by name, and what is wrong with what they have in common."""

    centres: tuple[CentreStanding, ...]
    is_running: bool
    receiver: ReceiverState | None
    troubles: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether there is nothing that somebody has to look at."""
        return not self.troubles and all(one.trouble is None for one in self.centres)


def standing_of(copies: Copies, now: Reading) -> ReceiverStanding:
    """How everything stands now. Raises StoreError where the folder cannot be read."""
    receiver = copies.receiver()
    is_running = copies.is_written()
    centres = tuple(one for state in copies.states() if (one := _centre(state, receiver, now)) is not None)
    return ReceiverStanding(
        centres=centres,
        is_running=is_running,
        receiver=receiver,
        troubles=tuple(_troubles(receiver, is_running=is_running, now=now)),
    )


def _troubles(receiver: ReceiverState | None, *, is_running: bool, now: Reading) -> list[str]:
    if not is_running:
        return ["no receiver runs; start it, and see its log"]
    if receiver is None:
        return ["the receiver has just been started"]
    found = []
    silent = age(receiver.at, now)
    if silent > SILENT_AFTER:
        found.append(f"the receiver has said nothing for {silent.total_seconds():.0f} s; see its log")
    if receiver.broker is None:
        found.append(f"no broker: {receiver.fault or 'not connected yet'}")
    if receiver.shown.fault:
        found.append(f"nothing new is shown: {receiver.shown.fault}")
    return found


def _centre(state: CentreState, receiver: ReceiverState | None, now: Reading) -> CentreStanding | None:
    record = state.latest
    if record is None:
        return None
    shown = receiver.shown if receiver else None
    served = shown.revisions.get(state.centre) if shown else None
    standing = _standing(state)
    return CentreStanding(
        centre=state.centre,
        standing=standing,
        stream=record.stream,
        epoch=record.epoch,
        revision=record.revision,
        served=served,
        entities=record.entities,
        age=age(record.received, now).total_seconds(),
        created=record.created,
        expires=record.expires,
        signer=record.signer,
        counts=state.counts,
        remark=state.remark,
        trouble=_trouble(state, standing, shown.remarks.get(state.centre) if shown else None),
    )


def _standing(state: CentreState) -> Standing:
    if state.is_withdrawn:
        return Standing.WITHDRAWN
    if state.is_waiting:
        return Standing.WAITING
    return Standing.CURRENT if state.is_shown else Standing.EXPIRED


def _trouble(state: CentreState, standing: Standing, remark: str | None) -> str | None:
    """What somebody has to look at; a centre that withdrew itself is no trouble."""
    if standing is Standing.EXPIRED:
        return "nothing came before it expired: see whether the centre publishes"
    if standing is Standing.WAITING:
        return state.remark.what if state.remark else "the next snapshot is waited for"
    return remark
