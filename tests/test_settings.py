"""Quantities, moments and paths as operators write them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from infoprovider.settings import Count, Duration, FilePath, Gibibytes, Mebibytes, Moment


@pytest.mark.parametrize(
    ("type_", "written", "value"),
    [
        (Duration, 90, 90.0),
        (Duration, "30s", 30.0),
        (Duration, "1.5 m", 90.0),
        (Duration, "2h", 7200.0),
        (Duration, "7d", 604800.0),
        (Mebibytes, 4096, 4096),
        (Mebibytes, "4 GiB", 4096),
        (Mebibytes, "1.5GiB", 1536),
        (Mebibytes, "1 PiB", 2**30),
        (Mebibytes, "1048576 MB", 1000000),
        (Gibibytes, 20, 20.0),
        (Gibibytes, "2 TiB", 2048.0),
        (Gibibytes, "512 MiB", 0.5),
        (Gibibytes, "1 GB", 1e9 / 2**30),
    ],
)
def test_a_quantity_is_read_with_its_unit(type_: Any, written: object, value: float) -> None:
    """A bare number is in the unit of the name; a text names its own."""
    assert TypeAdapter(type_).validate_python(written) == value


@pytest.mark.parametrize(
    ("type_", "written"),
    [
        (Duration, 0),
        (Duration, -1),
        (Duration, "5"),
        (Duration, "5 M"),
        (Duration, "-5m"),
        (Duration, "five m"),
        (Duration, True),
        (Mebibytes, 1.5),
        (Mebibytes, "1 MB"),
        (Mebibytes, "4 G"),
        (Mebibytes, "4 gib"),
        (Mebibytes, -1),
        (Gibibytes, "20"),
        (Gibibytes, [20]),
        (Count, 2**31),
        (Count, -1),
        (Count, "1"),
    ],
)
def test_what_could_mean_something_else_is_refused(type_: Any, written: object) -> None:
    """No unit is guessed, no text taken for a number, no number rounded."""
    with pytest.raises(ValidationError):
        TypeAdapter(type_, config={"strict": True}).validate_python(written)


def test_a_moment_is_kept_in_utc_and_needs_its_zone() -> None:
    """The same moment in two zones is one value; without a zone it is none."""
    moment = TypeAdapter(Moment)
    assert moment.validate_json('"2030-01-31T13:00:00+01:00"') == datetime(2030, 1, 31, 12, tzinfo=UTC)
    assert moment.validate_json('"2030-01-31T13:00:00+01:00"').tzinfo is UTC
    with pytest.raises(ValidationError):
        moment.validate_json('"2030-01-31T13:00:00"')


def test_a_path_is_seen_from_the_folder_that_is_told() -> None:
    """Without a folder, as for settings that were resolved before, it stays as it is."""
    path = TypeAdapter(FilePath)
    assert path.validate_json('"a/b"', context={"folder": Path("/etc/x")}) == Path("/etc/x/a/b")
    assert path.validate_json('"/a"', context={"folder": Path("/etc/x")}) == Path("/a")
    assert path.validate_json('"a/b"') == Path("a/b")
