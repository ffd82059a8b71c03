"""Provider `static`: a VM manager that is described in a YAML file, with every facet of the inventory.

Reading a file is no measurement: the spec says so, and an instance's health stays what its operator declares.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from infoprovider.errors import ConfigError, Finding
from infoprovider.inventory.model import (
    PARTED_BY_PROJECT,
    Capacity,
    Endorsement,
    Endorsements,
    Facet,
    FacetValue,
    HostCapacity,
    HypervisorPool,
    Hypervisors,
    Image,
    Images,
    InstanceTypes,
    Machines,
    Prices,
    Quotas,
    Usage,
)
from infoprovider.providers.contract import Answer, CollectContext, NotOffered, Observed, Parts, ProviderSpec
from infoprovider.providers.inventory_file import (
    DescribedCapacity,
    DescribedPool,
    HostRow,
    InventoryFile,
    added_up,
    to_inventory_file,
)
from infoprovider.settings import FilePath, Settings
from infoprovider.yamlcheck import gathered
from infoprovider.yamlfile import Document, fault, read_file

T = TypeVar("T")

ByPart: TypeAlias = Mapping[str, FacetValue | None]
"""A facet's value by part; None for a project of which the file does not state it."""


class StaticSettings(Settings):
    """Where the description is."""

    file: FilePath


def collect(settings: StaticSettings, context: CollectContext) -> Iterator[Answer]:
    """Every wanted facet of the described manager; raises ConfigError with every mistake in the file."""
    document, modified_at = fetch_document(settings.file)
    now = context.now()
    inventory = to_inventory_file(document, now)
    observed_at = inventory.observed_at or min(modified_at, now)
    for facet, (section, to_parts) in _SOURCES.items():
        if facet not in context.wanted:
            continue
        parts = to_parts(inventory)
        if parts is None:
            yield NotOffered(facet=facet, reason=f"{settings.file} has no section {section}")
            continue
        for part, value in parts.items():
            if value is None:
                reason = f"{settings.file} does not state the {facet} of project {part}"
                yield NotOffered(facet=facet, part=part, reason=reason)
                continue
            yield Observed(
                facet=facet,
                part=part,
                value=value,
                observed_at=observed_at,
                calls=(f"read {settings.file}",),
                notes=to_notes(value, now),
            )
        if facet in PARTED_BY_PROJECT:
            yield Parts(facet=facet, parts=frozenset(parts))


def check(settings: StaticSettings) -> list[Finding]:
    """Every mistake in the file."""
    findings: list[Finding] = []
    with gathered(findings):
        to_inventory_file(fetch_document(settings.file)[0], datetime.now(UTC))
    return findings


def fetch_document(file: Path) -> tuple[Document, datetime]:
    """The file's content and when it was last modified (UTC); raises ConfigError where it cannot be read."""
    try:
        modified_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError as error:
        remedy = "name a file that exists and that this user may read"
        finding = Finding(file=str(file), what="cannot be read", why=fault(error), remedy=remedy)
        raise ConfigError([finding]) from error
    return read_file(file), modified_at


# --- what the inventory wants and the file leaves to be derived ----------------------------------------------------


def to_hypervisors(inventory: InventoryFile) -> Hypervisors | None:
    """The host classes, their hosts counted."""
    if inventory.hypervisors is None:
        return None
    return Hypervisors(pools=tuple(to_pool(pool) for pool in inventory.pools))


def to_pool(pool: DescribedPool) -> HypervisorPool:
    """One host class; without listed hosts it says what the file says."""
    if isinstance(pool.hosts, int):
        return _as(HypervisorPool, pool)
    return _as(
        HypervisorPool,
        pool,
        hosts=sum(row.count for row in pool.rows),
        hosts_unusable=sum(row.count for row in pool.rows if not row.usable),
        hosts_in_use=sum(row.count for row in pool.rows if row.holds_machines),
    )


def to_capacity(inventory: InventoryFile) -> Capacity | None:
    """What all hosts hold together, completed by what the file states of the whole.

    Physical and logical CPUs count every host, the rest those that are usable. A common disk store is not added up.
    """
    if inventory.hypervisors is None and inventory.capacity is None:
        return None
    stated = inventory.capacity or DescribedCapacity()
    totals = {name: value for name, value in added_up(inventory).items() if value is not None}
    hosts = tuple(host for pool in inventory.pools for row in pool.rows for host in to_hosts(pool, row))
    return _as(Capacity, stated, **totals, hosts=hosts)


def to_hosts(pool: DescribedPool, row: HostRow) -> list[HostCapacity]:
    """The hosts of one row."""
    return [_as(HostCapacity, row, pool=pool.id)] * row.count


def to_images(inventory: InventoryFile) -> Images | None:
    """The images without their endorsements."""
    if inventory.images is None:
        return None
    return Images(images=tuple(_as(Image, image) for image in inventory.images))


def to_endorsements(inventory: InventoryFile) -> Endorsements | None:
    """The endorsements, each found by its image's marketplace URI or, without one, by its id."""
    if inventory.images is None:
        return None
    return Endorsements(
        endorsements=tuple(
            _as(Endorsement, image.endorsement, identifier=image.marketplace_uri or image.id)
            for image in inventory.images
            if image.endorsement is not None
        )
    )


def to_quotas(inventory: InventoryFile) -> ByPart | None:
    """What each project may hold."""
    if inventory.projects is None:
        return None
    return {
        project.id: project.quotas and _as(Quotas, project.quotas, project=project.id, project_name=project.name)
        for project in inventory.projects
    }


def to_usage(inventory: InventoryFile) -> ByPart | None:
    """What each project holds."""
    if inventory.projects is None:
        return None
    return {
        project.id: project.usage and _as(Usage, project.usage, project=project.id) for project in inventory.projects
    }


def to_notes(value: FacetValue, now: datetime) -> tuple[str, ...]:
    """What the operator may want to mend, although it is no mistake."""
    if not isinstance(value, Endorsements):
        return ()
    return tuple(
        f"the endorsement of {each.identifier} expired at {each.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        for each in value.endorsements
        if each.expires_at is not None and each.expires_at <= now
    )


def _as(type_: type[T], described: Any, **derived: Any) -> T:
    """The inventory's value with the same fields, and with those that the file leaves out."""
    names = [field.name for field in fields(type_)]  # type: ignore[arg-type]  # all of them are dataclasses
    return type_(**({name: getattr(described, name) for name in names} | derived))


def _whole(value: FacetValue | None) -> ByPart | None:
    return None if value is None else {"": value}


def _held(type_: Callable[..., FacetValue], section: str) -> Callable[[InventoryFile], ByPart | None]:
    """A facet that is one list of the file."""

    def to_parts(inventory: InventoryFile) -> ByPart | None:
        things = getattr(inventory, section)
        return None if things is None else {"": type_(**{section: things})}

    return to_parts


_SOURCES: Mapping[Facet, tuple[str, Callable[[InventoryFile], ByPart | None]]] = {
    Facet.MANAGER: ("manager", lambda inventory: _whole(inventory.manager)),
    Facet.HYPERVISORS: ("hypervisors", lambda inventory: _whole(to_hypervisors(inventory))),
    Facet.CAPACITY: ("hypervisors or capacity", lambda inventory: _whole(to_capacity(inventory))),
    Facet.INSTANCE_TYPES: ("instance_types", _held(InstanceTypes, "instance_types")),
    Facet.IMAGES: ("images", lambda inventory: _whole(to_images(inventory))),
    Facet.QUOTAS: ("projects", to_quotas),
    Facet.USAGE: ("projects", to_usage),
    Facet.NETWORKS: ("networks", lambda inventory: _whole(inventory.networks)),
    Facet.TRUST: ("trust", lambda inventory: _whole(inventory.trust)),
    Facet.ENDORSEMENTS: ("images", lambda inventory: _whole(to_endorsements(inventory))),
    Facet.PRICES: ("prices", _held(Prices, "prices")),
    Facet.MACHINES: ("machines", _held(Machines, "machines")),
}
"""Where each facet stands in the file."""

SPEC = ProviderSpec(
    kind="static",
    settings=StaticSettings,
    facets=frozenset(_SOURCES),
    collect=collect,
    measures=False,
    check=check,
)
