"""What settings and inventory files are built from: strict models, durations and sizes with units, paths, moments.

The descriptions in the types are read by `yamlcheck.py`: they complete the sentence "write …" in a finding.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
    "PiB": 2**50,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "PB": 10**15,
}
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


class Settings(BaseModel):
    """A model of something the operator writes: immutable, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


def _amount(value: Any, units: Mapping[str, int]) -> Any:
    """A text such as `5m` or `4 GiB` as its amount in the smallest unit; anything else goes on as it is.

    Raises ValueError (which pydantic turns into a finding) for an unknown unit.
    """
    if not isinstance(value, str):
        return None
    match = _QUANTITY.fullmatch(value)
    if match is None:
        raise ValueError("it is no number with a unit")
    number, unit = match.groups()
    if unit not in units:
        raise ValueError(f"{unit} is not one of the units {', '.join(units)}")
    return float(number) * units[unit]


def _duration(value: Any) -> Any:
    amount = _amount(value, SECONDS)
    return value if amount is None else amount


def _mebibytes(value: Any) -> Any:
    amount = _amount(value, BYTES)
    if amount is None:
        return value
    if amount % BYTES["MiB"]:
        raise ValueError("it is no whole number of MiB")
    return int(amount // BYTES["MiB"])


def _gibibytes(value: Any) -> Any:
    amount = _amount(value, BYTES)
    return value if amount is None else amount / BYTES["GiB"]


def resolved(path: Path, info: ValidationInfo) -> Path:
    """The path as seen from the folder of the configuration file, where the validation context tells that folder."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path


def _as_text(value: Any) -> Any:
    """A path as it would be written: defaults are checked as if they stood in the file."""
    return str(value) if isinstance(value, Path) else value


def _schema(kind: str, description: str, *units: str, least: str = "minimum") -> WithJsonSchema:
    """How a quantity is written, for editors and for findings: a number, or a text with a unit."""
    text = rf"^\s*\d+(\.\d+)?\s*({'|'.join(units)})\s*$"
    options = [{"type": kind, least: 0}, {"type": "string", "pattern": text}]
    return WithJsonSchema({"anyOf": options, "description": description}, mode="validation")


Duration = Annotated[
    float,
    BeforeValidator(_duration),
    Field(gt=0),
    _schema(
        "number", "a number of seconds, or a duration such as 30s, 5m, 2h or 7d", *SECONDS, least="exclusiveMinimum"
    ),
]
"""Seconds, more than none; written as a number of seconds or with a unit: `30s`, `5m`, `2h`, `7d`."""

Mebibytes = Annotated[
    int,
    BeforeValidator(_mebibytes),
    Field(ge=0),
    _schema("integer", "a whole number of MiB, or a size such as 4 GiB", *BYTES),
]
"""MiB, a whole number; written as such or with a unit: `4096`, `4 GiB`."""

Gibibytes = Annotated[
    float,
    BeforeValidator(_gibibytes),
    Field(ge=0),
    _schema("number", "a number of GiB, or a size such as 20 GiB or 2 TiB", *BYTES),
]
"""GiB; written as such or with a unit: `20`, `1.5`, `2 TiB`."""

Count = Annotated[int, Field(ge=0, le=2**31 - 1, description="a whole number, 0 or more")]
"""A number of things; GLUE 2.0 readers hold it in 32 bits."""

Moment = Annotated[
    AwareDatetime,
    AfterValidator(lambda moment: moment.astimezone(UTC)),
    Field(description="a moment with its time zone, such as 2030-01-31T12:00:00Z"),
]
"""A moment in UTC; written with its time zone."""

FilePath = Annotated[
    Path,
    BeforeValidator(_as_text),
    AfterValidator(resolved),
    Field(strict=False, description="the path of a file"),
]
"""A file; a relative path is seen from the folder of the configuration file (validation context `folder`)."""

FolderPath = Annotated[
    Path,
    BeforeValidator(_as_text),
    AfterValidator(resolved),
    Field(strict=False, description="the path of a folder"),
]
"""A folder; a relative path is seen from the folder of the configuration file (validation context `folder`)."""
