"""From text to the Python value of a GLUE field, the same for every rendering that keeps values as text."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from infoprovider.glue.fields import Type
from infoprovider.glue.vocabulary import ExtendedBoolean

_INTEGER = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

UNREADABLE = (ValueError, KeyError, OverflowError)
"""What a conversion raises for a text that is none of its type."""


def conversion(kind: Type) -> tuple[Callable[[str], Any] | None, str]:
    """From text to the Python value of a type (None where text stays text), and how to say what was expected."""
    if issubclass(kind.python, StrEnum):
        words = {word.value: word for word in kind.python}
        expected = f"one of {', '.join(words)}"
        if kind.python is ExtendedBoolean:
            # Publishers write them in capitals for older readers, and so does ours where it is told to.
            words |= {word.upper(): value for word, value in words.items()}
        return words.__getitem__, expected
    if kind.python is int:
        return _to_int, "a whole number"
    if kind.python is float:
        return _to_float, "a number"
    if kind.python is datetime:
        return to_datetime, "a moment such as 2025-01-31T12:00:00Z"
    return None, "text"


def to_datetime(text: str) -> datetime:
    """A moment in UTC, whatever its offset. Raises ValueError where it has none, OverflowError beyond the calendar."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


def _to_int(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _to_float(text: str) -> float:
    return finite(float(text) if _REAL.fullmatch(text) else float("nan"))


def finite(number: float) -> float:
    """The number itself. Raises ValueError where it is beyond all reals, or none."""
    if number - number != 0:
        raise ValueError(number)
    return float(number)
