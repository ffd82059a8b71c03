"""What ldapsearch answers, and how it is compared with what an oracle states; imports nothing of the package."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

Attributes = dict[str, list[str]]
"""The values of one entry, by attribute."""

Value = str | int | float | Decimal

Stated = dict[str, frozenset[Value]]
"""What must be found of one entry, by attribute, or by key where it is `OtherInfo: Key=value`; empty for nothing."""

NAMING = {
    "ComputingService": "GLUE2ServiceID",
    "ComputingEndpoint": "GLUE2EndpointID",
    "ComputingManager": "GLUE2ManagerID",
    "ComputingShare": "GLUE2ShareID",
    "ExecutionEnvironment": "GLUE2ResourceID",
    "ApplicationEnvironment": "GLUE2ApplicationEnvironmentID",
    "Benchmark": "GLUE2BenchmarkID",
    "AccessPolicy": "GLUE2PolicyID",
    "MappingPolicy": "GLUE2PolicyID",
    "UserDomain": "GLUE2DomainID",
    "AdminDomain": "GLUE2DomainID",
    "Location": "GLUE2LocationID",
    "Contact": "GLUE2ContactID",
}


@dataclass(frozen=True)
class Expected:
    """One entry: its class, its ID, the ID of the entry above it (none: the group), and what is stated of it."""

    leaf: str
    id: str
    above: str | None
    stated: Stated = field(hash=False)


def read_ldif(text: str) -> dict[str, Attributes]:
    """Attributes and values of each entry, by DN."""
    entries: dict[str, Attributes] = {}
    for block in re.split(r"\n{2,}", text.replace("\n ", "").strip("\n")):
        attributes: Attributes = {}
        for line in filter(None, block.split("\n")):
            name, _, value = line.partition(":")
            value = base64.b64decode(value[1:]).decode() if value.startswith(":") else value.removeprefix(" ")
            attributes.setdefault(name, []).append(value)
        if attributes:
            [dn] = attributes.pop("dn")
            assert dn not in entries, f"{dn} was answered twice"
            entries[dn] = attributes
    return entries


def by_key(attributes: Attributes) -> dict[str, frozenset[str]]:
    """The values of an entry by attribute, and by key where they are `OtherInfo: Key=value`."""
    found: dict[str, set[str]] = {}
    for attribute, values in attributes.items():
        for value in values:
            key, _, rest = value.partition("=") if attribute == "GLUE2EntityOtherInfo" else (attribute, "", value)
            found.setdefault(key, set()).add(rest)
    return {name: frozenset(values) for name, values in found.items()}


def below(group: str, entries: Mapping[str, Expected]) -> dict[str, Expected]:
    """Where expected entries, given by ID, are in a server whose group has this DN."""

    def dn(entry: Expected) -> str:
        return f"{NAMING[entry.leaf]}={entry.id},{group if entry.above is None else dn(entries[entry.above])}"

    return {dn(entry): entry for entry in entries.values()}


def differences(expected: Mapping[str, Expected], found: Mapping[str, Attributes]) -> list[str]:
    """Every entry that is missing or too many, every value that is not as stated, every number that nobody stated."""
    said = [f"missing: {dn}" for dn in expected.keys() - found.keys()]
    said += [f"not expected: {dn}" for dn in found.keys() - expected.keys()]
    for dn in expected.keys() & found.keys():
        entry, there = expected[dn], by_key(found[dn])
        if f"GLUE2{entry.leaf}" not in there["objectClass"]:
            said.append(f"{entry.id}: object classes {sorted(there['objectClass'])}")
        for name in entry.stated.keys() | there.keys():
            values = there.get(name, frozenset())
            if name not in entry.stated and any(map(_number, values)):
                said.append(f"{entry.id} {name}: a number that nobody stated, {sorted(values)}")
            elif not _agree(entry.stated.get(name, values), values):
                expected_values = sorted(map(str, entry.stated[name]))
                said.append(f"{entry.id} {name}: expected {expected_values}, found {sorted(values)}")
    return sorted(said)


def _agree(stated: frozenset[Value], values: frozenset[str]) -> bool:
    """Texts are compared as texts, numbers as numbers."""
    if any(isinstance(one, str) for one in stated):
        return stated == values
    return {_number(str(one)) for one in stated} == {_number(value) for value in values}


def _number(text: str) -> str | None:
    """The number that this text is, written in one way, so that 2 and 2.0 are one; None where it is none."""
    try:
        return f"{Decimal(text).normalize():f}" if Decimal(text).is_finite() else None
    except InvalidOperation:
        return None
