"""Messages as a publisher of one centre sends them and as a connection hands them over."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from infoprovider.messaging.connection import Received
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
    to_frame,
)
from infoprovider.messaging.units import ContentType, digests_of, document_digest
from tests.reception.trees import CENTRE

_ACKS = itertools.count(1)


def now() -> datetime:
    """In whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def received(body: bytes | None, *, centre: str = CENTRE, sender: str = "publisher", size: int = 0) -> Received:
    """A message that has come."""
    return Received(
        destination=f"/topic/glue2.documents.{centre}",
        headers={"centre": centre},
        body=body,
        size=size or len(body or b""),
        sender=sender,
        ack=str(next(_ACKS)),
    )


class Publisher:
    """One publisher of a centre; `units` is what it has sent last."""

    def __init__(
        self,
        centre: str = CENTRE,
        content_type: ContentType = ContentType.LDIF,
        *,
        stream: str = "a" * 32,
        epoch: int = 1,
    ) -> None:
        self.centre = centre
        self.content_type = content_type
        self.stream = stream
        self.epoch = epoch
        self.revision = 0
        self.units: dict[str, bytes] = {}
        self.lives = timedelta(hours=1)
        self.created = now()

    def snapshot(self, units: Mapping[str, bytes], *, part_bytes: int = 2**20, **more: Any) -> list[Received]:
        """The whole document."""
        self.revision += 1
        self.units = dict(units)
        parts = list(in_parts(Content(self.units), part_bytes))
        return [
            self._document(Snapshot, part, number, len(parts), changed=len(units), removed=0, **more)
            for number, part in enumerate(parts, start=1)
        ]

    def delta(self, units: Mapping[str, bytes], **more: Any) -> Received:
        """What differs from what was sent last."""
        before, base = self.units, self.revision
        self.revision += 1
        self.units = dict(units)
        content = Content(
            present={key: unit for key, unit in units.items() if before.get(key) != unit},
            removed=tuple(sorted(before.keys() - units.keys())),
        )
        counts = {"changed": len(content.present), "removed": len(content.removed)}
        return self._document(Delta, content, 1, 1, **counts, **{"base": base, **more})

    def notice(self, event: Event, id_: str = "", **more: Any) -> Received:
        """Something has happened."""
        self.revision += event is Event.CENTRE_WITHDRAWN
        content = NoticeContent(event=event, id=id_ or self.centre, at=now())
        said = self._said() | {"content_type": ContentType.JSON, "compression": Compression.NONE, "event": event} | more
        return self._sent(Notice(**said), content.model_dump_json(exclude_none=True).encode())

    def _said(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "centre": self.centre,
            "stream": self.stream,
            "epoch": self.epoch,
            "revision": max(1, self.revision),
            "created": self.created,
            "content_type": self.content_type,
            "compression": Compression.GZIP,
        }

    def _document(self, kind: type[Any], content: Content, part: int, parts: int, **more: Any) -> Received:
        digest = document_digest(digests_of(self.units))
        whole = {"expires": self.created + self.lives, "digest": digest, "entities": len(self.units)}
        envelope = kind(**(self._said() | whole | {"part": part, "parts": parts} | more))
        return self._sent(envelope, packed(content, self.content_type))

    def _sent(self, envelope: Envelope, content: bytes) -> Received:
        return received(to_frame(envelope, content), centre=self.centre)
