"""Renderings to publish."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from infoprovider.publishers.contract import Format, Rendering

OBSERVED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def rendering() -> Callable[[bytes], Rendering]:
    """Makes a rendering of a body."""

    def make(body: bytes) -> Rendering:
        return Rendering(
            format=Format.LDIF,
            body=body,
            digest=hashlib.sha256(body).hexdigest(),
            oldest_observation=OBSERVED,
            expires_at=OBSERVED + timedelta(hours=6),
        )

    return make
