"""Which messages make receivers have the document: snapshots, deltas and notices.

A receipt proves that the broker holds a message, not that a receiver does, and it can be lost. So a delta carries the
present state of every field that was touched in any revision since the last one that the broker confirmed. It can be
applied to each of these revisions, and twice, and receivers that lost one of them find in the next what they lack.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from infoprovider.clock import Clock, Reading, age
from infoprovider.config.model import Channel, Configuration
from infoprovider.deadline import Deadline
from infoprovider.errors import PluginError
from infoprovider.glue.document import Document
from infoprovider.glue.entities import ComputingEndpoint, ComputingService
from infoprovider.messaging.amendments import amendment_of, touched_fields
from infoprovider.messaging.content import Content, in_parts, packed
from infoprovider.messaging.envelope import (
    VERSION,
    Compression,
    Delta,
    Envelope,
    Event,
    Notice,
    NoticeContent,
    Snapshot,
    headers_of,
    to_frame,
)
from infoprovider.messaging.signature import sign
from infoprovider.messaging.stream_settings import StreamSettings
from infoprovider.messaging.units import ContentType, Units, digests_of, document_digest, units_of
from infoprovider.publication.delivery import Wait, check_format, send
from infoprovider.publication.notices import notable, notices
from infoprovider.publishers.contract import Delivery, Format, Message, MessengerSpec, Receipt
from infoprovider.store.acknowledged import AcknowledgedStore, Confirmed, StreamRecord, Touched

CONTENT_TYPES: Mapping[Format, ContentType] = {Format.JSON: ContentType.JSON, Format.LDIF: ContentType.LDIF}
"""The formats whose documents can be taken apart."""

SNAPSHOT_LIVES = 3.0
DELTA_LIVES = 2.0
"""Snapshot intervals after which the broker may drop a message: a newer snapshot is there then."""

NOTICE_LIVES = 86400.0
"""Seconds."""

MOST_OF_IT = 0.5
"""Where so much of the document is touched, it is sent as a whole."""


@dataclass(frozen=True, slots=True)
class Revision:
    """What is sent to make receivers have a document: what is touched, or all of it.

    `base` is the revision that the broker confirmed last, None for a snapshot. `touched` is what receivers may have in
    another state than the base once this was sent. `changed` are the units that differ from the base, with their
    digests, and `removed` are those that it has and the document has not; `digest` and `entities` are the document's.
    """

    number: int
    base: int | None
    content: Content
    touched: Touched
    changed: Mapping[str, tuple[bytes, bytes]]
    removed: frozenset[str]
    digest: str
    entities: int


def next_revision(
    record: StreamRecord,
    units: Units,
    content_type: ContentType,
    base_units: Callable[[Iterable[str]], Units],
    *,
    whole: bool,
    renewed: bool = False,
) -> Revision | None:
    """The revision that leads to these units; None where receivers have them, or will have from what was confirmed.

    `base_units` reads units of the base. `whole` asks for a snapshot in any case, `renewed` for a delta even where
    nothing has changed.
    """
    digests = digests_of(units)
    changed = [key for key, digest in digests.items() if record.digests.get(key) != digest]
    removed = frozenset(record.digests.keys() - digests.keys())
    before = base_units(key for key in changed if key in record.digests)
    touched = dict(record.touched) | dict.fromkeys(removed)
    for key in changed:
        fields = touched_fields(before[key], units[key], content_type) if key in before else None
        former = record.touched.get(key, frozenset())
        touched[key] = None if fields is None or former is None else fields | former
    if not (touched or whole or renewed):
        return None
    is_snapshot = whole or record.base == 0 or len(touched) > MOST_OF_IT * len(digests)
    return Revision(
        number=record.revision + 1,
        base=None if is_snapshot else record.base,
        content=Content(units) if is_snapshot else _content(units, touched, content_type),
        touched=touched,
        changed={key: (digests[key], units[key]) for key in changed},
        removed=removed,
        digest=document_digest(digests),
        entities=len(digests),
    )


def _content(units: Units, touched: Touched, content_type: ContentType) -> Content:
    """The present state of what is touched, in the order of the document."""
    present: dict[str, bytes] = {}
    amended: dict[str, bytes] = {}
    for key, unit in units.items():
        if key in touched:
            fields = touched[key]
            if fields is None:
                present[key] = unit
            else:
                amended[key] = amendment_of(unit, fields, content_type)
    return Content(present, amended, tuple(sorted(touched.keys() - units.keys())))


def deliver_stream(
    channel: Channel,
    spec: MessengerSpec[Any],
    configuration: Configuration,
    document: Document,
    body: bytes,
    expires: datetime,
    *,
    wait: Wait,
    clock: Clock | None = None,
) -> Receipt:
    """Send what receivers need to have this rendering of the document, and what has happened meanwhile.

    What may be at receivers is kept before it is sent, what the broker has confirmed after it. Raises PublishError
    where the broker did not confirm all of it, PluginError where its kind does not take the format, StoreError
    where nothing can be kept.
    """
    format_ = Format(channel.block.format)
    check_format(spec, channel, format_)
    if format_ not in CONTENT_TYPES:
        raise PluginError(f"channel {channel.name}: {format_} has no units", remedy="write format: json or ldif")
    clock = clock or Clock()
    stream = _Stream(channel, configuration, _selectable_in(document), CONTENT_TYPES[format_], expires, clock.read())
    store = AcknowledgedStore(configuration.state, channel.name)
    record = store.read(stream.now)
    revision = next_revision(
        record,
        units_of(body, stream.content_type),
        stream.content_type,
        store.units,
        whole=stream.snapshot_is_due(record),
        renewed=stream.expiry_is_due(record),
    )
    news = tuple(notices(document, record.notable, stream.now.wall))
    if revision is None and not news:
        reference = f"revision {record.revision}"
        return Receipt(delivery=Delivery.UNCHANGED, at=stream.now.wall, reference=reference)
    number = revision.number if revision else record.revision
    store.attempt(record, number, revision.touched if revision else record.touched)
    messages = [stream.notice(record, number, one) for one in news]
    if revision:
        messages += stream.parts(record, revision)
    receipt = send(channel, spec, messages, wait=wait)
    told = notable(document, stream.now.wall)
    if revision is None:
        store.acknowledge(Confirmed(revision=record.base, notable=told))
        return receipt
    store.acknowledge(
        Confirmed(
            revision=revision.number,
            changed=revision.changed,
            removed=revision.removed,
            snapshot_at=stream.now if revision.base is None else None,
            expires=expires,
            notable=told,
        )
    )
    return receipt


def withdraw_stream(
    channel: Channel, spec: MessengerSpec[Any], configuration: Configuration, *, wait: Wait, clock: Clock | None = None
) -> Receipt:
    """Tell receivers that the centre is published no more; whatever is sent after that begins with a snapshot.

    Raises PublishError where the broker did not confirm it, StoreError where nothing can be kept.
    """
    now = (clock or Clock()).read()
    stream = _Stream(channel, configuration, {}, ContentType.JSON, now.wall, now)
    store = AcknowledgedStore(configuration.state, channel.name)
    record = store.read(now)
    number = record.revision + 1
    store.attempt(record, number, dict(record.touched) | dict.fromkeys(record.digests))
    told = NoticeContent(event=Event.CENTRE_WITHDRAWN, id=configuration.centre.name, at=now.wall)
    receipt = send(channel, spec, [stream.notice(record, number, told)], wait=wait)
    store.acknowledge(Confirmed(revision=0))
    return receipt


def _selectable_in(document: Document) -> dict[str, tuple[str, ...]]:
    """What a reader of the document may select its messages by: header → values, sorted."""
    types = {one.type for one in document.of(ComputingService) if one.type}
    interfaces = {one.interface_name for one in document.of(ComputingEndpoint) if one.interface_name}
    return {"service_types": tuple(sorted(types)), "interface_names": tuple(sorted(interfaces))}


@dataclass(frozen=True, slots=True)
class _Stream:
    """Makes the messages of one delivery."""

    channel: Channel
    configuration: Configuration
    selectable: Mapping[str, tuple[str, ...]]
    content_type: ContentType
    expires: datetime
    now: Reading

    @property
    def settings(self) -> StreamSettings:
        settings = self.channel.settings
        if not isinstance(settings, StreamSettings):
            raise PluginError(
                f"channel {self.channel.name}: the settings of a messenger are StreamSettings, "
                f"not {type(settings).__name__}",
                remedy="report it to the publisher's authors",
            )
        return settings

    def snapshot_is_due(self, record: StreamRecord) -> bool:
        at = record.snapshot_at
        return at is None or age(at, self.now).total_seconds() >= self.settings.snapshot_every

    def expiry_is_due(self, known: StreamRecord) -> bool:
        """Whether receivers have to learn how long the document holds, though it says the same as before."""
        if known.expires is None or self.expires == known.expires:
            return False
        soon = self.now.wall + timedelta(seconds=DELTA_LIVES * self.settings.snapshot_every)
        return self.expires < known.expires or known.expires < soon

    def parts(self, record: StreamRecord, revision: Revision) -> Iterator[Message]:
        """The messages of a revision."""
        contents = tuple(in_parts(revision.content, self.settings.part_bytes))
        for number, content in enumerate(contents, 1):
            said = {
                **self._said(record, revision.number),
                "expires": self.expires,
                "digest": revision.digest,
                "entities": revision.entities,
                "changed": len(revision.content.present) + len(revision.content.amended),
                "removed": len(revision.content.removed),
                "part": number,
                "parts": len(contents),
            }
            envelope = Snapshot(**said) if revision.base is None else Delta(**said, base=revision.base)
            lifetime = (SNAPSHOT_LIVES if revision.base is None else DELTA_LIVES) * self.settings.snapshot_every
            yield self._message(envelope, packed(content, self.content_type), lifetime)

    def notice(self, record: StreamRecord, revision: int, content: NoticeContent) -> Message:
        """The message of a notice."""
        said = self._said(record, revision) | {"content_type": ContentType.JSON, "compression": Compression.NONE}
        body = content.model_dump_json(exclude_none=True).encode() + b"\n"
        return self._message(Notice(**said, event=content.event), body, NOTICE_LIVES)

    def _said(self, record: StreamRecord, revision: int) -> dict[str, Any]:
        return {
            "version": VERSION,
            "centre": self.configuration.centre.name,
            "stream": record.stream,
            "epoch": record.epoch,
            "revision": revision,
            "created": self.now.wall,
            "content_type": self.content_type,
            "compression": Compression.GZIP,
        }

    def _message(self, envelope: Envelope, content: bytes, lifetime: float) -> Message:
        body = to_frame(envelope, content)
        signature = self.settings.signature
        if signature is not None:
            body = sign(body, signature, Deadline.after(self.channel.block.deadline))
        return Message(
            kind=envelope.kind,
            headers=headers_of(envelope, self.selectable) | {"signed": "cms" if signature else "none"},
            content_type=envelope.content_type,
            body=body,
            lifetime=lifetime,
        )
