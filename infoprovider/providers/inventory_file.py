"""The inventory file that provider `static` reads: its format, and what must hold together in it.

The format follows the inventory's own types, so that a field is named once. A field of theirs that the file does not
state, because it follows from the rest, is switched off here (`init=False`); `static.py` fills it in.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import Field, TypeAdapter
from pydantic.json_schema import SkipJsonSchema

from infoprovider.errors import ConfigError, Finding
from infoprovider.inventory.model import (
    Capacity,
    Endorsement,
    HostCapacity,
    HypervisorPool,
    Image,
    InstanceType,
    Machine,
    Manager,
    Network,
    Networks,
    Ownership,
    Price,
    Quotas,
    TrustPolicy,
    Usage,
)
from infoprovider.settings import Count, Moment, Settings
from infoprovider.yamlcheck import choice, in_order, validate
from infoprovider.yamlfile import Document, Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRow(HostCapacity):
    """`count` equal hosts with equal load; the numbers are of one of them."""

    count: Annotated[int, Field(ge=1, le=1_000_000, description="a whole number, 1 or more")] = 1
    usable: bool = True
    pool: SkipJsonSchema[str | None] = field(init=False, default=None)

    @property
    def holds_machines(self) -> bool:
        """Whether anything is allocated on such a host."""
        return self.vcpus_used > 0 or self.memory_used_mib > 0


HostRows: TypeAlias = Annotated[tuple[HostRow, ...], Field(description="a list of hosts (count, vcpus, memory_mib, …)")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedPool(HypervisorPool):
    """A class of equal hosts, with its hosts row by row, or only their number."""

    hosts: Count | HostRows  # type: ignore[assignment]  # the file lists what the inventory counts

    @property
    def rows(self) -> tuple[HostRow, ...]:
        """The hosts, none where only their number is told."""
        return self.hosts if isinstance(self.hosts, tuple) else ()


class DescribedHypervisors(Settings):
    """All host classes."""

    pools: tuple[DescribedPool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedCapacity(Capacity):
    """What host rows cannot say: overcommitment, a common disk store, totals where hosts are not listed."""

    hosts: SkipJsonSchema[tuple[HostCapacity, ...]] = field(init=False, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedEndorsement(Endorsement):
    """What somebody who is trusted says of the image that it stands at."""

    identifier: SkipJsonSchema[str] = field(init=False, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedImage(Image):
    """An image, with its endorsement if it has one."""

    endorsement: DescribedEndorsement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedQuotas(Quotas):
    """What the project that it stands at may hold."""

    project: SkipJsonSchema[str] = field(init=False, default="")
    project_name: SkipJsonSchema[str | None] = field(init=False, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedUsage(Usage):
    """What the project that it stands at holds."""

    project: SkipJsonSchema[str] = field(init=False, default="")


class DescribedProject(Settings):
    """One project: the manager's id and name, what it may hold, what it holds."""

    id: str
    name: str | None = None
    quotas: DescribedQuotas | None = None
    usage: DescribedUsage | None = None


class InventoryFile(Settings):
    """The whole file; a section that is left out is not known."""

    observed_at: Moment | None = None
    manager: Manager | None = None
    hypervisors: DescribedHypervisors | None = None
    capacity: DescribedCapacity | None = None
    instance_types: tuple[InstanceType, ...] | None = None
    images: tuple[DescribedImage, ...] | None = None
    projects: tuple[DescribedProject, ...] | None = None
    networks: Networks | None = None
    trust: TrustPolicy | None = None
    prices: tuple[Price, ...] | None = None
    machines: tuple[Machine, ...] | None = None

    @property
    def pools(self) -> tuple[DescribedPool, ...]:
        """The host classes, none where the section is left out."""
        return self.hypervisors.pools if self.hypervisors else ()


def added_up(inventory: InventoryFile) -> dict[str, float | None]:
    """The totals of the capacity that follow from processors and listed hosts; None where something is not known.

    A sum over some hosts would look like the sum over all, so one unknown makes the total unknown.
    """
    pools = inventory.pools
    if not pools:
        return {}
    counted = [(pool, sum(row.count for row in pool.rows) if pool.rows else pool.hosts) for pool in pools]
    totals = {
        name: _sum((getattr(pool.processor, name), number) for pool, number in counted)
        for name in ("physical_cpus", "logical_cpus")
    }
    if not all(pool.rows for pool in pools):
        return totals
    usable = [row for pool in pools for row in pool.rows if row.usable]
    for name in ("vcpus", "vcpus_used", "memory_mib", "memory_used_mib", "disk_gib", "disk_used_gib"):
        totals[name] = _sum((getattr(row, name), row.count) for row in usable)
    if inventory.capacity and inventory.capacity.disk_is_shared:
        totals["disk_gib"] = totals["disk_used_gib"] = None
    return totals


def _sum(values: Iterable[tuple[float | None, Any]]) -> float | None:
    total: float = 0
    for value, number in values:
        if value is None:
            return None
        total += value * number
    return total


def to_inventory_file(document: Document, now: datetime) -> InventoryFile:
    """The document as an inventory file; raises ConfigError with every mistake in it."""
    inventory = validate(document, TypeAdapter(InventoryFile))
    findings = [finding for check in _CHECKS for finding in check(document, inventory)]
    if inventory.observed_at is not None and inventory.observed_at > now:
        what = f"observed_at lies ahead of this host's clock, which says {now:%Y-%m-%dT%H:%M:%SZ}"
        remedy = "write when the facts were true, or leave it out: then the file's modification time counts"
        findings.append(document.finding(("observed_at",), what, remedy=remedy))
    if findings:
        raise ConfigError(in_order(findings))
    return inventory


# --- what must hold together ---------------------------------------------------------------------------------------


def _double_ids(document: Document, inventory: InventoryFile) -> Iterator[Finding]:
    networks = inventory.networks.networks if inventory.networks else ()
    sections: dict[Steps, Sequence[Any]] = {
        ("hypervisors", "pools"): inventory.pools,
        ("instance_types",): inventory.instance_types or (),
        ("images",): inventory.images or (),
        ("projects",): inventory.projects or (),
        ("networks", "networks"): networks,
        ("machines",): inventory.machines or (),
    }
    for steps, things in sections.items():
        first: dict[str, int] = {}
        for index, thing in enumerate(things):
            other = first.setdefault(thing.id, index)
            if other != index:
                line = document.line((*steps, other, "id"))
                what = f"the id {thing.id} stands here twice, first in {line}"
                yield document.finding((*steps, index, "id"), what, remedy="give each the id that its manager knows")


def _more_used_than_there_is(document: Document, inventory: InventoryFile) -> Iterator[Finding]:
    holders: list[tuple[Steps, Any]] = [
        (("hypervisors", "pools", number, "hosts", index), row)
        for number, pool in enumerate(inventory.pools)
        for index, row in enumerate(pool.rows)
    ]
    devices = [
        ((*steps, "devices", index), device) for steps, row in holders for index, device in enumerate(row.devices)
    ]
    if inventory.capacity:
        holders.append((("capacity",), inventory.capacity))
    pairs = [("vcpus", "vcpus_used"), ("memory_mib", "memory_used_mib"), ("disk_gib", "disk_used_gib")]
    yield from _exceeded(document, holders, pairs)
    yield from _exceeded(document, devices, [("total", "used")])
    networks = inventory.networks.networks if inventory.networks else ()
    places = [(("networks", "networks", index), network) for index, network in enumerate(networks)]
    yield from _exceeded(document, places, [("addresses", "addresses_free")])
    pools = [(("hypervisors", "pools", index), pool) for index, pool in enumerate(inventory.pools) if not pool.rows]
    yield from _exceeded(document, pools, [("hosts", "hosts_unusable"), ("hosts", "hosts_in_use")])


def _exceeded(
    document: Document, holders: Iterable[tuple[Steps, Any]], pairs: Iterable[tuple[str, str]]
) -> Iterator[Finding]:
    for steps, holder in holders:
        for whole, part in pairs:
            total, used = getattr(holder, whole), getattr(holder, part)
            if total is not None and used is not None and used > total:
                what = f"{part} is {used:g}, and {whole} only {total:g}"
                yield document.finding((*steps, part), what, remedy="correct one of the two")


def _host_rows(document: Document, inventory: InventoryFile) -> Iterator[Finding]:
    """A sum over some pools would look like the sum over all."""
    some_listed = any(pool.rows for pool in inventory.pools)
    for index, pool in enumerate(inventory.pools):
        steps: Steps = ("hypervisors", "pools", index)
        if some_listed and not pool.rows:
            what = f"the hosts of {pool.id} are not listed, those of other pools are"
            yield document.finding((*steps, "hosts"), what, remedy="list the hosts of every pool, or of none")
        for name in ("hosts_unusable", "hosts_in_use"):
            if pool.rows and getattr(pool, name) is not None:
                what = f"{name} is counted from the listed hosts"
                yield document.finding((*steps, name), what, remedy="leave it out", at_key=True)


def _stated_twice(document: Document, inventory: InventoryFile) -> Iterator[Finding]:
    for name, total in added_up(inventory).items():
        if total is not None and inventory.capacity and getattr(inventory.capacity, name) is not None:
            what = f"{name} follows from the host pools: {total:g}"
            yield document.finding(("capacity", name), what, remedy="leave it out", at_key=True)


def _unknown_names(document: Document, inventory: InventoryFile) -> Iterator[Finding]:
    """Every name of a pool, an instance type or a project; a section that is left out cannot be compared with."""
    known: dict[str, Sequence[Any] | None] = {
        "host pool": inventory.pools if inventory.hypervisors else None,
        "instance type": inventory.instance_types,
        "project": inventory.projects,
    }
    named = {
        "host pool": _named_pools(inventory),
        "instance type": _named_types(inventory),
        "project": _named_projects(inventory),
    }
    for noun, things in known.items():
        if things is None:
            continue
        ids = [thing.id for thing in things]
        for steps, name in named[noun]:
            if name not in ids:
                yield document.finding(steps, f"there is no {noun} {name}", remedy=choice(name, ids))


def _named_pools(inventory: InventoryFile) -> Iterator[tuple[Steps, str]]:
    for index, each in enumerate(inventory.instance_types or ()):
        for position, name in enumerate(each.pools or ()):
            yield ("instance_types", index, "pools", position), name


def _named_types(inventory: InventoryFile) -> Iterator[tuple[Steps, str]]:
    for index, project in enumerate(inventory.projects or ()):
        for name in (project.usage.holding or {}) if project.usage else ():
            yield ("projects", index, "usage", "holding", name), name
    for index, price in enumerate(inventory.prices or ()):
        if price.instance_type is not None:
            yield ("prices", index, "instance_type"), price.instance_type
    for index, machine in enumerate(inventory.machines or ()):
        if machine.instance_type is not None:
            yield ("machines", index, "instance_type"), machine.instance_type


def _named_projects(inventory: InventoryFile) -> Iterator[tuple[Steps, str]]:
    for index, machine in enumerate(inventory.machines or ()):
        if machine.project is not None:
            yield ("machines", index, "project"), machine.project
    for steps, thing in _owned(inventory):
        for position, name in enumerate(thing.projects):
            yield (*steps, "projects", position), name


def _ownership(document: Document, inventory: InventoryFile) -> Iterator[Finding]:
    """Publishing by mistake what belongs to some cannot be taken back, so both are wanted: who owns it, and which."""
    for steps, thing in _owned(inventory):
        if thing.ownership == Ownership.PUBLIC and thing.projects:
            what = "this names its projects, and is public"
            yield document.finding((*steps, "projects"), what, remedy="add ownership: projects, or leave projects out")
        if thing.ownership == Ownership.PROJECTS and not thing.projects:
            what = "this belongs to projects, and names none"
            yield document.finding(
                (*steps, "ownership"), what, remedy="add projects: the list of those that may use it"
            )


def _owned(inventory: InventoryFile) -> Iterator[tuple[Steps, InstanceType | Image | Network]]:
    for index, each in enumerate(inventory.instance_types or ()):
        yield ("instance_types", index), each
    for index, image in enumerate(inventory.images or ()):
        yield ("images", index), image
    for index, network in enumerate(inventory.networks.networks if inventory.networks else ()):
        yield ("networks", "networks", index), network


_CHECKS: tuple[Callable[[Document, InventoryFile], Iterable[Finding]], ...] = (
    _double_ids,
    _more_used_than_there_is,
    _host_rows,
    _stated_twice,
    _unknown_names,
    _ownership,
)
