"""Which messages make receivers have the document: snapshots, deltas and notices.

A receipt proves that the broker holds a message, not that a receiver does, and it can be lost. So a delta carries the
present state of every unit that was touched in any revision since the last one that the broker confirmed. It can be
applied to each of these revisions, and twice, and receivers that lost one of them find in the next what they lack.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from infoprovider.clock import Clock, Reading, age
from infoprovider.config.model import Channel, Configuration
from infoprovider.deadline import Deadline
from infoprovider.errors import PluginError
from infoprovider.glue.document import Document
from infoprovider.glue.entities import ComputingEndpoint, ComputingService
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
from infoprovider.store.acknowledged import Acknowledged, AcknowledgedStore, StreamRecord

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
    """What is sent to make receivers have a document: the units that are touched, or all of them.

    `base` is the revision that the broker confirmed last, None for a snapshot. `touched` are the keys that receivers
    may have in another state than the base once this was sent, `digests` the digest in hex of every unit.
    """

    number: int
    base: int | None
    content: Content
    touched: frozenset[str]
    digests: Mapping[str, str]
    digest: str


def next_revision(record: StreamRecord, units: Units, *, whole: bool, renewed: bool = False) -> Revision | None:
    """The revision that leads to these units; None where receivers have them, or will have from what was confirmed.

    `whole` asks for a snapshot in any case, `renewed` for a delta even where nothing has changed.
    """
    known = record.acknowledged
    found = digests_of(units)
    digests = {key: digest.hex() for key, digest in found.items()}
    changed = {key for key, digest in digests.items() if known.digests.get(key) != digest}
    touched = record.touched | changed | (known.digests.keys() - digests.keys())
    if not (touched or whole or renewed):
        return None
    is_snapshot = whole or known.base == 0 or len(touched) > MOST_OF_IT * len(digests)
    if is_snapshot:
        content = Content(units)
    else:
        removed = tuple(sorted(touched - digests.keys()))
        content = Content({key: unit for key, unit in units.items() if key in touched}, removed)
    base = None if is_snapshot else known.base
    return Revision(record.revision + 1, base, content, frozenset(touched), digests, document_digest(found))


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
    stream = _Stream(channel, configuration, document, CONTENT_TYPES[format_], expires, clock.read())
    store = AcknowledgedStore(configuration.state, channel.name)
    record = store.read(stream.now)
    units = units_of(body, stream.content_type)
    revision = next_revision(
        record, units, whole=stream.snapshot_is_due(record), renewed=stream.expiry_is_due(record.acknowledged)
    )
    news = tuple(notices(document, record.acknowledged.notable, stream.now.wall))
    if revision is None and not news:
        reference = f"revision {record.revision}"
        return Receipt(delivery=Delivery.UNCHANGED, at=stream.now.wall, reference=reference)
    number = revision.number if revision else record.revision
    store.attempt(record, number, revision.touched if revision else record.touched)
    messages = [stream.notice(record, number, one) for one in news]
    if revision:
        messages += stream.parts(record, revision)
    receipt = send(channel, spec, messages, wait=wait)
    confirmed = replace(record.acknowledged, notable=notable(document, stream.now.wall))
    if revision:
        confirmed = replace(
            confirmed,
            base=revision.number,
            digests=revision.digests,
            expires=expires,
            snapshot_at=stream.now if revision.base is None else confirmed.snapshot_at,
        )
    store.acknowledge(confirmed)
    return receipt


def withdraw_stream(
    channel: Channel, spec: MessengerSpec[Any], configuration: Configuration, *, wait: Wait, clock: Clock | None = None
) -> Receipt:
    """Tell receivers that the centre is published no more; whatever is sent after that begins with a snapshot.

    Raises PublishError where the broker did not confirm it, StoreError where nothing can be kept.
    """
    now = (clock or Clock()).read()
    stream = _Stream(channel, configuration, None, ContentType.JSON, now.wall, now)
    store = AcknowledgedStore(configuration.state, channel.name)
    record = store.read(now)
    number = record.revision + 1
    store.attempt(record, number, record.touched | record.acknowledged.digests.keys())
    told = NoticeContent(event=Event.CENTRE_WITHDRAWN, id=configuration.centre.name, at=now.wall)
    receipt = send(channel, spec, [stream.notice(record, number, told)], wait=wait)
    known = record.acknowledged
    store.acknowledge(Acknowledged(stream=known.stream, epoch=known.epoch, run=known.run))
    return receipt


@dataclass(frozen=True, slots=True)
class _Stream:
    """Makes the messages of one delivery."""

    channel: Channel
    configuration: Configuration
    document: Document | None
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
        at = record.acknowledged.snapshot_at
        return at is None or age(at, self.now).total_seconds() >= self.settings.snapshot_every

    def expiry_is_due(self, known: Acknowledged) -> bool:
        """Whether receivers have to learn how long the document holds, though it says the same as before."""
        if known.expires is None or self.expires == known.expires:
            return False
        soon = self.now.wall + timedelta(seconds=DELTA_LIVES * self.settings.snapshot_every)
        return self.expires < known.expires or known.expires < soon

    def parts(self, record: StreamRecord, revision: Revision) -> Iterator[Message]:
        """The messages of a revision."""
        contents = tuple(in_parts(revision.content.present, revision.content.removed, self.settings.part_bytes))
        for number, content in enumerate(contents, 1):
            said = {
                **self._said(record, revision.number),
                "expires": self.expires,
                "digest": revision.digest,
                "entities": len(revision.digests),
                "changed": len(revision.content.present),
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
            "stream": record.acknowledged.stream,
            "epoch": record.acknowledged.epoch,
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
            headers=headers_of(envelope, self._selectable()) | {"signed": "cms" if signature else "none"},
            content_type=envelope.content_type,
            body=body,
            lifetime=lifetime,
        )

    def _selectable(self) -> dict[str, tuple[str, ...]]:
        """What is in the document that a reader may look for."""
        if self.document is None:
            return {}
        types = {one.type for one in self.document.of(ComputingService) if one.type}
        interfaces = {one.interface_name for one in self.document.of(ComputingEndpoint) if one.interface_name}
        return {"service_types": tuple(sorted(types)), "interface_names": tuple(sorted(interfaces))}
