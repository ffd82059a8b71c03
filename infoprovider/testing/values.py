"""What is wrong with the value of a facet in itself: types, and what looks like a guess."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import ValidationError

from infoprovider.inventory.codec import adapter, from_json
from infoprovider.inventory.model import (
    Capacity,
    Facet,
    HostCapacity,
    HypervisorPool,
    Image,
    InstanceType,
    Processor,
)
from infoprovider.providers.contract import Observed

GUESSED_WORDS = frozenset({"", "-", "?", "n/a", "na", "null", "tbd", "todo", "undefined", "undefinedvalue", "unknown"})
GUESSED_NUMBERS = frozenset({999_999_999, 2**31 - 1})
NEVER_ZERO: dict[type, tuple[str, ...]] = {
    HypervisorPool: ("memory_mib",),
    Processor: ("clock_mhz", "physical_cpus", "logical_cpus", "cores_per_cpu"),
    Capacity: ("physical_cpus", "logical_cpus", "cpu_overcommit"),
    HostCapacity: ("vcpus", "memory_mib"),
    InstanceType: ("vcpus", "memory_mib", "cpu_capacity"),
    Image: ("size_mib",),
}
"""Numbers that are never 0 in truth: a 0 there stands for what is not known."""

_NAMES = frozenset({"project", "project_name"})


def breaches_of_value(observed: Observed, may_be_empty: frozenset[Facet]) -> Iterator[str]:
    """Everything that is wrong with the value of an observation."""
    fault = _fault_of_types(observed)
    if fault is not None:
        yield fault
        return
    if observed.facet not in may_be_empty and _says_nothing(observed.value):
        yield (
            "it says nothing: answer NotOffered where it cannot be known; where there really is none, "
            "let the check pass with may_be_empty"
        )
    for place, guess in _guesses(observed.value):
        yield f"{place} is {guess!r}, which looks like a guess: write None for what is not known"


def _fault_of_types(observed: Observed) -> str | None:
    """Whether the value is what the inventory's types say: nothing checks that where it is made."""
    try:
        text = adapter(observed.facet).dump_json(observed.value, warnings="none")
        again = from_json(observed.facet, text)
    except ValidationError as error:
        faults = ", ".join(f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False))
        return f"its value is not what the inventory says: {faults}"
    except (ValueError, TypeError) as error:
        return f"its value cannot be written: {error}"
    if again != observed.value:
        return (
            f"its value comes back from JSON changed, into {json.loads(text)}: a list for a tuple, a text for a word?"
        )
    return None


def _place(steps: tuple[int | str, ...]) -> str:
    return ".".join(map(str, steps)) or "the whole"


def _says_nothing(value: Any) -> bool:
    """Whether nothing is known in it but whose it is."""
    known = (getattr(value, one.name) for one in fields(value) if one.name not in _NAMES)
    return all(one is None or one == () for one in known)


def _guesses(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """What looks like a guess, with its place."""
    if is_dataclass(value):
        for one in fields(value):
            inner = getattr(value, one.name)
            where = f"{place}.{one.name}" if place else one.name
            if one.name in NEVER_ZERO.get(type(value), ()) and inner == 0:
                yield where, inner
            yield from _guesses(inner, where)
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _guesses(inner, f"{place}[{index}]")
    elif isinstance(value, str):
        if value.strip().casefold() in GUESSED_WORDS:
            yield place, value
    elif isinstance(value, int | float) and value in GUESSED_NUMBERS:
        yield place, value
