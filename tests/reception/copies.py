"""Copies of centres as tests make them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from infoprovider.messaging.units import ContentType, digests_of, document_digest
from infoprovider.reception.apply import Copy, Position
from tests.reception.trees import CENTRE

CREATED = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
STREAM = "a" * 32


def copy_of(
    units: Mapping[str, bytes],
    content_type: ContentType = ContentType.JSON,
    *,
    revision: int = 1,
    epoch: int = 1,
    centre: str = CENTRE,
    expires: datetime = CREATED + timedelta(hours=1),
) -> Copy:
    """A proved copy that consists of these units."""
    digests = digests_of(units)
    position = Position(STREAM, epoch, revision, document_digest(digests), CREATED)
    return Copy(centre, position, content_type, dict(units), digests, expires)
