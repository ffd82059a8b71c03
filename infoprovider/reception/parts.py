"""Puts the parts of a revision together again, in whatever order and however often they come."""

from dataclasses import dataclass, field
from typing import TypeAlias

from infoprovider.errors import MessageRefused
from infoprovider.messaging.content import Content, unpacked
from infoprovider.messaging.envelope import Document

MOST_UNFINISHED = 4
"""Revisions of one centre of which parts are waited for; the oldest gives way."""

_Key: TypeAlias = tuple[str, str, int, int, str]


@dataclass(slots=True)
class _Unfinished:
    """What has come of a revision."""

    first: Document
    contents: dict[int, Content] = field(default_factory=dict)
    size: int = 0


class Parts:
    """The unfinished revisions of all centres; `most_bytes` bounds what one revision may have, decompressed."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._unfinished: dict[_Key, _Unfinished] = {}

    def add(self, envelope: Document, body: bytes) -> Content | None:
        """What the revision carries, once the last of its parts has come; None until then.

        Raises MessageRefused where the part is broken, too large, or contradicts another one; then the revision is
        given up.
        """
        key = (envelope.centre, envelope.stream, envelope.epoch, envelope.revision, envelope.kind)
        whole = self._unfinished.get(key)
        if whole is None:
            whole = self._unfinished[key] = _Unfinished(envelope)
            self._give_up_the_oldest(envelope.centre)
        try:
            return self._completed(key, whole, envelope, body)
        except MessageRefused:
            self._unfinished.pop(key, None)
            raise

    def forget(self, envelope: Document) -> None:
        """Wait no more for this revision, nor for older ones of its centre."""
        for key, whole in list(self._unfinished.items()):
            if whole.first.centre == envelope.centre and whole.first.order <= envelope.order:
                del self._unfinished[key]

    def _completed(self, key: _Key, whole: _Unfinished, envelope: Document, body: bytes) -> Content | None:
        if _but_for_the_part(envelope) != _but_for_the_part(whole.first):
            raise MessageRefused(f"contradicts part {whole.first.part} of the same revision")
        if envelope.part > envelope.parts:
            raise MessageRefused(f"is part {envelope.part} of {envelope.parts}")
        if envelope.part not in whole.contents:
            content = unpacked(body, envelope.content_type, envelope.compression, self._most_bytes - whole.size)
            sizes = (*map(len, content.present.values()), *map(len, content.amended.values()))
            whole.size += sum(sizes) + sum(map(len, content.removed))
            whole.contents[envelope.part] = content
        if len(whole.contents) < envelope.parts:
            return None
        del self._unfinished[key]
        return _joined(envelope, [whole.contents[number] for number in sorted(whole.contents)])

    def _give_up_the_oldest(self, centre: str) -> None:
        waiting = [(whole.first.order, key) for key, whole in self._unfinished.items() if whole.first.centre == centre]
        for _, key in sorted(waiting)[:-MOST_UNFINISHED]:
            del self._unfinished[key]


def _but_for_the_part(envelope: Document) -> Document:
    return envelope.model_copy(update={"part": 1})


def _joined(envelope: Document, contents: list[Content]) -> Content:
    """One content of all. Raises MessageRefused where parts name a unit twice, or not as many as is said."""
    present = {key: unit for content in contents for key, unit in content.present.items()}
    amended = {key: unit for content in contents for key, unit in content.amended.items()}
    removed = tuple(key for content in contents for key in content.removed)
    pieces = sum(len(content.present) + len(content.amended) for content in contents)
    if len({*present, *amended, *removed}) != pieces + len(removed):
        raise MessageRefused("names a unit in two places")
    if (pieces, len(removed)) != (envelope.changed, envelope.removed):
        raise MessageRefused(
            f"carries {pieces} units and {len(removed)} removals, and says {envelope.changed} and {envelope.removed}"
        )
    return Content(present, amended, removed)
