"""Messages that are not acknowledged yet: the parts of revisions whose other parts have not come."""

from typing import TypeAlias

from infoprovider.messaging.connection import Received
from infoprovider.messaging.envelope import Document

PREFETCH = 200
"""Messages that a broker sends before the first of them is acknowledged."""

MOST_HELD = 100
"""So that others go on coming meanwhile; who loses parts by that takes the next snapshot."""

_Key: TypeAlias = tuple[str, tuple[int, int]]


class Held:
    """Parts that wait for others, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[_Key, list[Received]] = {}

    def add(self, envelope: Document, message: Received) -> list[Received]:
        """Hold a part back; those that are not held any longer, for there are too many."""
        self._waiting.setdefault((envelope.centre, envelope.order), []).append(message)
        if sum(map(len, self._waiting.values())) <= MOST_HELD:
            return []
        return self._waiting.pop(next(iter(self._waiting)))

    def release(self, envelope: Document) -> list[Received]:
        """All that belongs to this revision of a centre, or to an older one."""
        done = [key for key in self._waiting if key[0] == envelope.centre and key[1] <= envelope.order]
        return [message for key in done for message in self._waiting.pop(key)]

    def clear(self) -> None:
        """Forget all: on another connection they come again."""
        self._waiting.clear()
