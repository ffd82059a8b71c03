"""What is kept of each centre beside its copy, and of the receiver as a whole; read by it and by `--status`."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from infoprovider.clock import Reading
from infoprovider.messaging.units import ContentType
from infoprovider.reception.apply import Copy, Position


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Record(_Kept):
    """Up to which message a centre was followed, and what its copy then was.

    `expires` is when it must not be shown any more, `signer` the subject of who signed the message, if anybody did.
    """

    stream: str
    epoch: int
    revision: int
    digest: str
    created: datetime
    content_type: ContentType
    expires: datetime
    entities: int
    received: Reading
    signer: str | None = None

    @classmethod
    def of(cls, copy: Copy, received: Reading, signer: str | None) -> "Record":
        """The record of a copy that has just been made."""
        position = copy.position
        return cls(
            stream=position.stream,
            epoch=position.epoch,
            revision=position.revision,
            digest=position.digest,
            created=position.created,
            content_type=copy.content_type,
            expires=copy.expires,
            entities=len(copy.units),
            received=received,
            signer=signer,
        )

    @property
    def position(self) -> Position:
        """The same as messages are judged by."""
        return Position(self.stream, self.epoch, self.revision, self.digest, self.created)


class Remark(_Kept):
    """What was noticed last, and when."""

    at: datetime
    what: str


class CentreState(_Kept):
    """`<centre>.state.json`.

    Before a document is replaced, `pending` says what it will be; the document's own digest says whether it is that
    already, or still `record`. `is_kept` is whether there is a copy, `is_shown` whether readers are given it: not when
    it has expired or its centre was withdrawn. `is_waiting` is whether something was missed that the next snapshot has.
    `counts` has the messages by what became of them.
    """

    version: int = 1
    centre: str
    record: Record | None = None
    pending: Record | None = None
    is_kept: bool = False
    is_shown: bool = False
    is_withdrawn: bool = False
    is_waiting: bool = False
    counts: dict[str, int] = {}
    remark: Remark | None = None

    def counted(self, what: str) -> "CentreState":
        """With one more message of which this became."""
        return self.model_copy(update={"counts": self.counts | {what: self.counts.get(what, 0) + 1}})

    @property
    def latest(self) -> Record | None:
        """What the copy is, once the document that is pending is there."""
        return self.pending or self.record


class Shown(_Kept):
    """What readers are given: of each centre which revision, and what is not right with it, in words.

    `fault` is why nothing can be brought into the LDAP server.
    """

    revisions: dict[str, int] = {}
    remarks: dict[str, str] = {}
    fault: str | None = None


class ReceiverState(_Kept):
    """`_receiver.json`: how the receiver stands.

    `fault` is why there is no connection to a broker. `counts` has the messages that belong to no centre that is known,
    by what became of them; `remark` is about the last of them.
    """

    version: int = 1
    at: Reading
    started: Reading
    broker: str | None = None
    fault: str | None = None
    messages: Annotated[int, Field(ge=0)] = 0
    counts: dict[str, int] = {}
    remark: Remark | None = None
    shown: Shown = Shown()


CENTRE_STATE: TypeAdapter[CentreState] = TypeAdapter(CentreState)
RECEIVER_STATE: TypeAdapter[ReceiverState] = TypeAdapter(ReceiverState)
