"""What a message says of itself: one line of JSON before its content, and the headers that readers select by.

`schemas/message.schema.json` is written from the models here; docs/messages.md explains them.
"""

from collections.abc import Mapping
from datetime import UTC
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic import ValidationError as PydanticError

from infoprovider.errors import MessageRefused
from infoprovider.messaging.units import ContentType

VERSION = 1
"""Raised whenever an older receiver would misunderstand what is sent."""

MAX_ENVELOPE_BYTES = 64 * 2**10
MOST_SELECTED = 20
"""Kinds of service and interface that a header names; a reader of more reads the content."""

Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
StreamId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
CentreName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$")]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Whole = Annotated[int, Field(ge=0, le=2**63 - 1)]
Positive = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Compression(StrEnum):
    """What was done to the content."""

    GZIP = "gzip"
    NONE = "none"


class _Sent(BaseModel):
    """What every message says.

    `stream` is the random name of the record that its publisher keeps, `epoch` the milliseconds since 1970 at which
    that publisher's process began to publish (always more than before), `revision` the state of the document. Two
    messages of one centre are in the order of (epoch, revision).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    version: Literal[1]
    centre: CentreName
    stream: StreamId
    epoch: Positive
    revision: Positive
    created: Moment
    content_type: ContentType
    compression: Compression

    @property
    def order(self) -> tuple[int, int]:
        """Which of two messages is newer."""
        return self.epoch, self.revision


class _Documented(_Sent):
    """A message that makes a receiver's copy the document whose digest it names.

    `expires` is when that must not be shown any more, `entities` how many units it has; `changed` and `removed` are
    how many this revision carries, in all of its parts.
    """

    expires: Moment
    digest: Hex
    entities: Whole
    changed: Whole
    removed: Whole
    part: Positive
    parts: Annotated[int, Field(ge=1, le=10_000)]


class Snapshot(_Documented):
    """The whole document."""

    kind: Literal["snapshot"] = "snapshot"


class Delta(_Documented):
    """Every unit that was touched in any revision after `base`, as it is now.

    It may be applied to any revision of its stream from `base` to the one before its own.
    """

    kind: Literal["delta"] = "delta"
    base: Positive


class Event(StrEnum):
    """What a notice tells."""

    IMAGE_WITHDRAWN = "image_withdrawn"
    IMAGE_EXPIRED = "image_expired"
    DOWNTIME_ENTERED = "downtime_entered"
    DOWNTIME_LEFT = "downtime_left"
    CENTRE_WITHDRAWN = "centre_withdrawn"


class Notice(_Sent):
    """Something that readers want to know at once; its content is a `NoticeContent`."""

    kind: Literal["notice"] = "notice"
    event: Event


class NoticeContent(BaseModel):
    """What has happened, and when it was seen: to an image (with its name and manager), or to a service.

    `until` is when a downtime is to end, where that is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    event: Event
    id: str
    name: str | None = None
    manager: str | None = None
    at: Moment
    until: Moment | None = None
    info: str | None = None


Document: TypeAlias = Snapshot | Delta
Envelope: TypeAlias = Snapshot | Delta | Notice

ENVELOPE: TypeAdapter[Envelope] = TypeAdapter(Annotated[Snapshot | Delta | Notice, Field(discriminator="kind")])


def to_frame(envelope: Envelope, content: bytes) -> bytes:
    """What is sent: the envelope as one line of JSON, a line feed, the content."""
    return envelope.model_dump_json().encode() + b"\n" + content


def from_frame(frame: bytes) -> tuple[Envelope, bytes]:
    """Envelope and content of what came, from whoever that is. Raises MessageRefused where it is no message."""
    line, feed, content = frame.partition(b"\n")
    if not feed or len(line) > MAX_ENVELOPE_BYTES:
        raise MessageRefused(
            f"does not begin with an envelope: no line of up to {MAX_ENVELOPE_BYTES} bytes, but {line[:60]!r}"
        )
    try:
        return ENVELOPE.validate_json(line), content
    except PydanticError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise MessageRefused(f"has an envelope that is none: {place or 'it'}: {first['msg']}") from None


def headers_of(envelope: Envelope, selectable: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """What a reader's selector can ask for; names without hyphens, which no selector can name.

    `selectable` has several values by header; they are written `,a,b,`, so that `LIKE '%,a,%'` finds exactly that.
    """
    said: dict[str, Any] = {
        "centre": envelope.centre,
        "kind": envelope.kind,
        "stream": envelope.stream,
        "epoch": envelope.epoch,
        "revision": envelope.revision,
        "format_version": envelope.version,
    }
    if isinstance(envelope, Notice):
        said["event"] = envelope.event
    else:
        said |= {"part": envelope.part, "parts": envelope.parts}
    lists = {name: f",{','.join(values[:MOST_SELECTED])}," for name, values in selectable.items() if values}
    return {name: str(value) for name, value in said.items()} | lists
