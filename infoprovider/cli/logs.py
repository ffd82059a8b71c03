"""How the log is written: plain lines for people and for the journal, or one JSON object a line for programs.

Whatever a message holds, it stays within its line: characters that could end the line, or turn a terminal's text
around, are written as escapes.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any, Literal

from infoprovider.views.tables import printable

Format = Literal["plain", "json"]

FIELDS = ("instance", "channel")
"""What a logger may tell beside its message (`extra`)."""

_PRIORITIES = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"), (logging.NOTSET, "<7>"))
"""From which level on the journal is told which priority: sd-daemon(3)."""


class PlainLines(logging.Formatter):
    """`LEVEL: message`, for the journal with a priority before each line; where something was raised only if `full`."""

    def __init__(self, *, full: bool, for_journal: bool) -> None:
        super().__init__("%(levelname)s: %(message)s")
        self._full = full
        self._for_journal = for_journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (the library's name)
        """The line, its message made printable."""
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802  (the library's name)
        """A traceback where it is wanted: for others, the message itself says what to do."""
        if not self._full:
            return ""
        return "\n".join(map(printable, super().formatException(ei).split("\n")))

    def format(self, record: logging.LogRecord) -> str:
        """All lines of a record."""
        lines = super().format(record).split("\n")
        prefix = _priority(record.levelno) if self._for_journal else ""
        return "\n".join(prefix + line for line in lines if line)


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message; instance, channel and exception where there are such."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of plain ASCII."""
        moment = datetime.fromtimestamp(record.created, UTC)
        plain: dict[str, str] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        plain |= {name: str(getattr(record, name)) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            plain["exception"] = self.formatException(record.exc_info)
        return json.dumps(plain)


class _Handler(logging.StreamHandler[Any]):
    """Ours; `chosen` is what the command line wants, None where it says nothing."""

    def __init__(self, chosen: Format | None) -> None:
        super().__init__(sys.stderr)
        self._chosen = chosen

    def write_as(self, format_: Format, *, full: bool) -> None:
        as_json = (self._chosen or format_) == "json"
        self.setFormatter(JsonLines() if as_json else PlainLines(full=full, for_journal=_is_journal()))


def set_up(chosen: Format | None, *, verbose: bool) -> None:
    """Write the log of a command to standard error: errors, or where it is `verbose` everything and in full."""
    handler = _Handler(chosen)
    handler.write_as("plain", full=verbose)
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, handlers=[handler])


def follow(format_: Format) -> None:
    """Write the log of the daemon: everything and in full, as the configuration wants it where no option stands before.

    To be called again whenever the configuration was read anew.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for handler in root.handlers:
        if isinstance(handler, _Handler):
            handler.write_as(format_, full=True)


def _is_journal() -> bool:
    """Whether standard error is a line to the journal: systemd.exec(5), JOURNAL_STREAM."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _priority(level: int) -> str:
    return next(prefix for least, prefix in _PRIORITIES if level >= least)
