"""Notices as they come, one line each in a file that does not grow without end; and log lines that do not flood."""

import json
import logging
import os
import time
from collections import OrderedDict
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from infoprovider.errors import MessageRefused, StoreError
from infoprovider.files import fault
from infoprovider.messaging.envelope import Notice, NoticeContent

FILE, FORMER = "notices.jsonl", "notices.former.jsonl"
MOST_BYTES = 4 * 2**20
"""Of the file; then it becomes the former one, and a new one begins."""

MOST_NOTICE_BYTES = 16 * 2**10
REMEMBERED = 4096
LINES_A_MINUTE = 20

log = logging.getLogger(__name__)


class Diary:
    """`<folder>/notices.jsonl`: what every notice said, with its centre and when it came."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._former = folder / FORMER
        self._seen: OrderedDict[tuple[str, str, int, int, str, str], None] = OrderedDict()
        self._terse = Terse(log)

    def write(self, notice: Notice, body: bytes, now: datetime) -> bool:
        """Note it, unless it has been noted already; whether it is new.

        Raises MessageRefused where it is no notice, StoreError where it cannot be kept.
        """
        if len(body) > MOST_NOTICE_BYTES:
            raise MessageRefused(f"is a notice of {len(body)} bytes, where one has {MOST_NOTICE_BYTES} at most")
        try:
            content = NoticeContent.model_validate_json(body)
        except ValidationError:
            raise MessageRefused("is a notice whose content is none") from None
        if content.event is not notice.event:
            raise MessageRefused(f"is a notice of {notice.event} whose content tells {content.event}")
        key = (notice.centre, notice.stream, notice.epoch, notice.revision, notice.event.value, content.id)
        if key in self._seen:
            return False
        told = {"centre": notice.centre, **content.model_dump(mode="json", exclude_none=True)}
        line = json.dumps(told | {"received": now.isoformat()}, ensure_ascii=True) + "\n"
        self._append(line.encode())
        self._seen[key] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        self._terse.info(f"{notice.centre}: {notice.event} {content.id}")
        return True

    def _append(self, line: bytes) -> None:
        try:
            if self._path.exists() and self._path.stat().st_size + len(line) > MOST_BYTES:
                self._path.replace(self._former)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            with os.fdopen(descriptor, "ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {fault(error)}") from error


class Terse:
    """A log that takes some lines a minute, and then says how many there would have been."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._since = time.monotonic()
        self._said = 0

    def warn(self, what: str) -> None:
        """Say it, if there is room."""
        self._say(logging.WARNING, what)

    def info(self, what: str) -> None:
        """The same, of something usual."""
        self._say(logging.INFO, what)

    def flush(self) -> None:
        """At the end of a minute, say how many lines were left out."""
        if time.monotonic() - self._since < 60:
            return
        if self._said > LINES_A_MINUTE:
            self._log.warning("%d more of this kind were left out of the log", self._said - LINES_A_MINUTE)
        self._since, self._said = time.monotonic(), 0

    def _say(self, level: int, what: str) -> None:
        self.flush()
        self._said += 1
        if self._said <= LINES_A_MINUTE:
            self._log.log(level, "%s", what)
