"""`OtherInfo` values: keys of the table only, each value once, never an unknown one, at most 500."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider.mapping.other_info import MAX_VALUES, OtherInfo, number_text


def test_a_key_that_the_table_of_places_does_not_have_is_refused() -> None:
    """Nothing is published under a key that the mapping page does not list."""
    with pytest.raises(KeyError, match="ComputingShare has no OtherInfo key Colour"):
        OtherInfo("ComputingShare").add("Colour", "blue")


def test_what_is_not_known_is_not_said() -> None:
    """None and empty text add nothing; false and zero are facts."""
    info = OtherInfo("ComputingShare")
    for value in (None, ""):
        info.add("ProjectID", value)
    info.add("VMError", 0)
    assert info.values() == ("VMError=0",)
    manager = OtherInfo("ComputingManager")
    manager.add("Failover", False)
    assert manager.values() == ("Failover=false",)


def test_a_value_is_said_once() -> None:
    """A server refuses an entry that says one value twice."""
    info = OtherInfo("ComputingShare")
    info.add_each("Image", ["a", "b", "a"])
    assert info.values() == ("Image=a", "Image=b")


@pytest.mark.parametrize(
    ("value", "text"),
    [(20, "20"), (20.0, "20"), (1.5, "1.5"), (0.0421, "0.042"), (0, "0"), (0.0, "0"), (2**31, "2147483648")],
)
def test_numbers_are_written_without_needless_digits(value: float, text: str) -> None:
    """No exponent, at most three decimals, no trailing zero."""
    assert number_text(value) == text


def test_moments_are_written_as_glue_writes_them() -> None:
    """UTC, whole seconds."""
    info = OtherInfo("ExecutionEnvironment")
    info.add("Price.ValidUntil", datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))
    assert info.values() == ("Price.ValidUntil=2030-01-02T03:04:05Z",)


def test_what_is_cut_is_said() -> None:
    """600 images beside two other values leave 497 images and the number of those that are missing."""
    info = OtherInfo("ComputingShare")
    info.add("ProjectID", "p1")
    info.add("VMError", 0)
    info.add_each("Image", [f"i{number}" for number in range(600)])
    values = info.values()
    assert len(values) == MAX_VALUES
    assert values[:3] == ("ProjectID=p1", "VMError=0", "Image=i0")
    assert values[-2:] == ("Image=i496", "Image.More=103")


@given(
    st.integers(0, 1500), st.integers(0, 1500), st.integers(0, 3), st.lists(st.integers(0, 600), min_size=3, max_size=3)
)
def test_no_mix_of_keys_exceeds_the_limit(images: int, types: int, others: int, more: list[int]) -> None:
    """Whatever there is too much of, 500 values stay, every key with too many says how many it lost, none is lost."""
    info = OtherInfo("ComputingShare")
    for key, count in zip(("HostPool", "PublicNetworkName", "Image"), (*more[:2], images), strict=True):
        info.add_each(key, [f"{key}{number}" for number in range(count)])
    for number in range(types):
        info.add(f"FreeInstances.t{number}", number)
    for key in ("VMError", "VMHalted", "QuotaCPU")[:others]:
        info.add(key, 1)
    values = info.values()
    total = images + types + others + sum(more[:2])
    assert len(values) <= MAX_VALUES
    assert len(values) == total or (total > MAX_VALUES and any(".More=" in value for value in values))
    cut = sum(int(value.rpartition("=")[2]) for value in values if ".More=" in value)
    assert len([value for value in values if ".More=" not in value]) + cut == total


def test_a_number_that_stays_keeps_its_qualification() -> None:
    """Where numbers are cut, what says that one is an upper bound is never cut without the number itself."""
    info = OtherInfo("ComputingShare")
    for number in range(400):
        info.add("FreeInstances.UpperBound", f"t{number}")
        info.add(f"FreeInstances.t{number}", number)
    values = info.values()
    numbers = {value.partition("=")[0].removeprefix("FreeInstances.") for value in values if ".t" in value}
    bounds = {value.partition("=")[2] for value in values if value.startswith("FreeInstances.UpperBound=")}
    assert numbers
    assert numbers <= bounds
