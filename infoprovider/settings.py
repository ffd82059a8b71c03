"""What settings and inventory files are built from: strict models, durations and sizes with their units."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

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

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _amount(value: Any, units: Mapping[str, int], example: str) -> Any:
    """A text such as `5m` or `4 GiB` as its amount in the smallest unit; anything else goes on as it is.

    Raises ValueError (which pydantic turns into a finding) for an unknown unit.
    """
    if not isinstance(value, str):
        return None
    match = _QUANTITY.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is not a number with a unit, such as {example}")
    number, unit = match.groups()
    if unit not in units:
        raise ValueError(f"{unit!r} is not a unit: one of {', '.join(units)} is expected, as in {example}")
    return float(number) * units[unit]


def _duration(value: Any) -> Any:
    amount = _amount(value, SECONDS, "5m")
    return value if amount is None else amount


def _mebibytes(value: Any) -> Any:
    amount = _amount(value, BYTES, "4 GiB")
    if amount is None:
        return value
    if amount % BYTES["MiB"]:
        raise ValueError(f"{value!r} is not a whole number of MiB")
    return int(amount // BYTES["MiB"])


def _gibibytes(value: Any) -> Any:
    amount = _amount(value, BYTES, "20 GiB")
    return value if amount is None else amount / BYTES["GiB"]


Duration = Annotated[float, BeforeValidator(_duration), Field(ge=0)]
"""Seconds; written as a number of seconds or with a unit: `30s`, `5m`, `2h`, `7d`."""

Mebibytes = Annotated[int, BeforeValidator(_mebibytes), Field(ge=0)]
"""MiB, a whole number; written as such or with a unit: `4096`, `4 GiB`."""

Gibibytes = Annotated[float, BeforeValidator(_gibibytes), Field(ge=0)]
"""GiB; written as such or with a unit: `20`, `1.5`, `2 TiB`."""

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A number of things; GLUE 2.0 readers hold it in 32 bits."""
