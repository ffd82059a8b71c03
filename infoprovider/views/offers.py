"""What a broker will see in a tree of GLUE 2.0 entities: services, and what each community could start now.

Everything here is read from the rendered entries alone, so a number in a table is a number in the BDII.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from infoprovider.glue.entities import (
    ApplicationEnvironment,
    ComputingEndpoint,
    ComputingManager,
    ComputingService,
    ComputingShare,
    Entity,
    Entry,
    ExecutionEnvironment,
)
from infoprovider.glue.vocabulary import ExtendedBoolean


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """One way in."""

    interface: str | None
    sign_in: str | None
    url: str | None
    health: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """One VM manager: slots are vCPUs, memory is in MB as published; `observed_at` is the oldest stamp below it."""

    id: str
    name: str | None
    product: str | None
    version: str | None
    hypervisors: tuple[str, ...]
    endpoints: tuple[EndpointView, ...]
    hosts: int | None
    slots: int | None
    slots_used: int | None
    memory: int | None
    memory_free: int | None
    running: int | None
    instance_types: int
    images: int
    observed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One instance type for one community: sizes as published, `startable` None where it is not known."""

    community: str | None
    service: str | None
    share: str
    instance_type: str | None
    name: str | None
    vcpus: int | None
    memory: int | None
    disk: str | None
    accelerators: str | None
    startable: int | None
    is_upper_bound: bool
    images: int
    price: str | None


def info(entity: Entity, key: str) -> tuple[str, ...]:
    """The values of one `OtherInfo` key."""
    prefix = f"{key}="
    return tuple(value.removeprefix(prefix) for value in entity.other_info if value.startswith(prefix))


def info_value(entity: Entity, key: str) -> str | None:
    """The first value of an `OtherInfo` key, None where it is not said."""
    return next(iter(info(entity, key)), None)


def services_of(entries: Iterable[Entry]) -> tuple[ServiceView, ...]:
    """The services of a tree, by ID."""
    entities = [entry for entry in entries if isinstance(entry, Entity)]
    return tuple(_service(one, entities) for one in entities if isinstance(one, ComputingService))


def _service(service: ComputingService, entities: Sequence[Entity]) -> ServiceView:
    endpoints = [
        one
        for one in entities
        if isinstance(one, ComputingEndpoint) and one.computing_service_foreign_key == service.id
    ]
    managers = [
        one for one in entities if isinstance(one, ComputingManager) and one.computing_service_foreign_key == service.id
    ]
    manager = managers[0] if managers else ComputingManager(id="")
    environments = [
        one
        for one in entities
        if isinstance(one, ExecutionEnvironment) and one.computing_manager_foreign_key == manager.id
    ]
    pools = [one for one in environments if one.virtual_machine is ExtendedBoolean.FALSE]
    images = [
        one
        for one in entities
        if isinstance(one, ApplicationEnvironment) and one.computing_manager_foreign_key == manager.id
    ]
    hosts = [pool.total_instances for pool in pools]
    shares = [
        one for one in entities if isinstance(one, ComputingShare) and one.computing_service_foreign_key == service.id
    ]
    below = (service, manager, *endpoints, *shares, *environments, *images)
    stamps = [one.creation_time for one in below if one.creation_time]
    return ServiceView(
        id=service.id,
        name=service.name,
        product=manager.product_name,
        version=manager.product_version,
        hypervisors=info(manager, "HypervisorName"),
        endpoints=tuple(
            EndpointView(
                interface=one.interface_name,
                sign_in=info_value(one, "Authn"),
                url=one.url,
                health=one.health_state,
            )
            for one in endpoints
        ),
        hosts=_sum(hosts),
        slots=manager.total_slots,
        slots_used=_sum((manager.slots_used_by_grid_jobs, manager.slots_used_by_local_jobs)),
        memory=_int(info_value(manager, "TotalMemory")),
        memory_free=_int(info_value(manager, "FreeMemory")),
        running=service.running_jobs,
        instance_types=len(environments) - len(pools),
        images=len(images),
        observed_at=min(stamps, default=None),
    )


def _sum(numbers: Sequence[int | None]) -> int | None:
    """The sum; not known where one of them is not, because the part that is known would look like the whole."""
    known = [one for one in numbers if one is not None]
    return sum(known) if known and len(known) == len(numbers) else None


def offers_of(entries: Iterable[Entry]) -> tuple[Offer, ...]:
    """What each community could start now: by share, small instance types first."""
    by_id = {entry.id: entry for entry in entries if isinstance(entry, Entity)}
    found: list[Offer] = []
    for share in by_id.values():
        if isinstance(share, ComputingShare):
            types = (by_id.get(key) for key in share.execution_environment_foreign_key)
            offers = [_offer(share, one, by_id) for one in types if isinstance(one, ExecutionEnvironment)]
            found += sorted(offers, key=_size)
    return tuple(found)


def _size(offer: Offer) -> tuple[int, int, str]:
    return offer.vcpus or 0, offer.memory or 0, offer.name or offer.instance_type or ""


def _offer(share: ComputingShare, instance_type: ExecutionEnvironment, by_id: dict[str, Entity]) -> Offer:
    service = by_id.get(share.computing_service_foreign_key or "")
    local = instance_type.id.rpartition(":")[2]
    return Offer(
        community=share.name,
        service=service.name if service else None,
        share=share.id,
        instance_type=instance_type.name,
        name=info_value(instance_type, "TemplateName"),
        vcpus=instance_type.logical_cpus,
        memory=instance_type.main_memory_size,
        disk=info_value(instance_type, "disk"),
        accelerators=_accelerators(instance_type),
        startable=_int(info_value(share, f"FreeInstances.{local}")),
        is_upper_bound=local in info(share, "FreeInstances.UpperBound"),
        images=len(info(share, "Image")),
        price=_price(instance_type),
    )


def _accelerators(instance_type: ExecutionEnvironment) -> str | None:
    number = info_value(instance_type, "AcceleratorNumber")
    type_ = info_value(instance_type, "AcceleratorType")
    model = info_value(instance_type, "AcceleratorModel")
    return " ".join(part for part in (number, type_, model) if part) or None if number else None


def _price(instance_type: ExecutionEnvironment) -> str | None:
    fee = info_value(instance_type, "Price.ConsumptionFee") or info_value(instance_type, "Price.FixFee")
    period = info_value(instance_type, "Price.ConsumptionFeePeriod") or info_value(instance_type, "Price.FixFeePeriod")
    currency = info_value(instance_type, "Price.Currency")
    return " ".join(part for part in (fee, currency, period) if part) if fee else None


def _int(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
