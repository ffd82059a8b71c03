"""Instance types from OpenStack's flavors: what their extra specs ask for, and what placement is asked for them."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from infoprovider.inventory.model import Accelerator, InstanceType, InstanceTypes, Ownership
from infoprovider.providers.openstack.account import Account, Forbidden, NotThere
from infoprovider.providers.openstack.settings import Device, OpenStackSettings

Flavor: TypeAlias = Mapping[str, Any]

FLAVORS = "2.61"
"""The first microversion in which flavors carry their extra specs."""

HARMLESS = frozenset(
    {
        "hw:boot_menu",
        "hw:cpu_cores",
        "hw:cpu_max_cores",
        "hw:cpu_max_sockets",
        "hw:cpu_max_threads",
        "hw:cpu_sockets",
        "hw:cpu_threads",
        "hw:hide_hypervisor_id",
        "hw:pmu",
        "hw:serial_port_count",
        "hw:vif_multiqueue_enabled",
        "hw:watchdog_action",
    }
)
"""Extra specs of the namespace `hw` that do not decide where a machine may run; all others do, or may."""

SCOPES_WITHOUT_PLACEMENT = frozenset(
    {"aggregate_instance_extra_specs", "hw_rng", "hw_video", "quota", "resources", "trait", "vmware"}
)
"""Namespaces that decide nothing, or that are judged by themselves. Names without a namespace are compared with
capabilities that hosts report (the filter for that is on unless the site switched it off)."""

VIRTUAL_GPU = Device(type="GPU")
"""What placement's resource class VGPU is, where nobody says more of it."""

_UNTOLD_DEVICES = frozenset({"pci_passthrough:alias", "accel:device_profile"})
"""Extra specs that ask for devices by a name of which no API tells what it stands for, or how many hosts have."""

_DEDICATED = frozenset({"dedicated", "mixed"})
_TOLD_BY_ROWS = frozenset({("VCPU",), ("MEMORY_MB",), ("DISK_GB",), ("VGPU",)})
_SITE_ACCELERATOR = "Accelerator:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What nova asks placement for when it starts a machine of a type.

    `amounts` are by resource class; classes that stand together can serve in each other's place. `required` and
    `forbidden` are traits. `is_whole` is False where the type asks for more than placement knows, or where its extra
    specs are not told.
    """

    amounts: tuple[tuple[tuple[str, ...], int], ...]
    required: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    is_whole: bool = True


def fetch_flavors(account: Account) -> list[dict[str, Any]]:
    """Every flavor that the account may see, with its extra specs as far as it may see these."""
    return account.pages("compute", "/flavors/detail", "flavors", microversion=FLAVORS, query={"is_public": "None"})


def fetch_access(account: Account, flavor: str) -> list[str]:
    """The projects that may use the private flavor of this id; none where that is not told."""
    try:
        page = account.pages("compute", f"/flavors/{flavor}/os-flavor-access", "flavor_access")
    except (NotThere, Forbidden):
        return []
    return [access["tenant_id"] for access in page]


def is_private(flavor: Flavor) -> bool:
    """Whether a flavor is for some projects only."""
    return not flavor.get("os-flavor-access:is_public", True)


def to_instance_types(
    flavors: Iterable[Flavor], access: Mapping[str, Iterable[str]], settings: OpenStackSettings
) -> InstanceTypes:
    """All flavors that machines can be started of; `access` is the projects of each private one, by flavor id."""
    return InstanceTypes(
        instance_types=tuple(
            to_instance_type(flavor, tuple(sorted(access.get(flavor["id"], ()))), settings)
            for flavor in flavors
            if not flavor.get("OS-FLV-DISABLED:disabled")
        )
    )


def to_instance_type(flavor: Flavor, projects: tuple[str, ...], settings: OpenStackSettings) -> InstanceType:
    """One flavor. Its id is the one that machines are started with."""
    specs = specs_of(flavor)
    request = to_request(flavor, settings)
    return InstanceType(
        id=flavor["id"],
        name=flavor["name"],
        vcpus=flavor["vcpus"],
        memory_mib=flavor["ram"],
        disk_gib=float(flavor["disk"]),
        ephemeral_gib=float(flavor.get("OS-FLV-EXT-DATA:ephemeral") or 0),
        swap_mib=int(flavor.get("swap") or 0),
        architecture=to_architecture(request.required),
        accelerators=tuple(to_accelerators(specs, settings.devices)),
        network_bandwidth_mbps=to_bandwidth(specs),
        boots_from_volume=boots_from_volume(flavor, settings),
        ownership=Ownership.PROJECTS if is_private(flavor) else Ownership.PUBLIC,
        projects=projects if is_private(flavor) else (),
        placement_is_known=is_told_by_rows(request) and not request.required | request.forbidden,
        devices_are_told=not _UNTOLD_DEVICES & specs.keys(),
    )


def specs_of(flavor: Flavor) -> Mapping[str, str]:
    """A flavor's extra specs as texts."""
    return {name: str(value) for name, value in (flavor.get("extra_specs") or {}).items()}


def boots_from_volume(flavor: Flavor, settings: OpenStackSettings) -> bool | None:
    """Whether machines of a flavor have their root disk on a volume: those without one, where the site says so."""
    return settings.boots_from_volume if flavor["disk"] == 0 else False


def is_sized(flavor: Flavor, settings: OpenStackSettings) -> bool:
    """Whether it is known how much disk a machine takes: without a root disk of its own it depends on the image."""
    return flavor["disk"] > 0 or bool(settings.boots_from_volume)


def to_request(flavor: Flavor, settings: OpenStackSettings) -> Request:
    """What nova asks placement for: sizes, dedicated CPUs, resources and traits of the extra specs.

    Follows nova's documentation of flavors ("Extra Specs", resources and traits) and of placement requests.
    """
    specs = specs_of(flavor)
    root = 0 if boots_from_volume(flavor, settings) else flavor["disk"]
    swap = math.ceil(int(flavor.get("swap") or 0) / 1024)
    dedicated = specs.get("hw:cpu_policy") in _DEDICATED or "resources:PCPU" in specs
    amounts: dict[tuple[str, ...], int] = {
        ("PCPU", "VCPU") if dedicated else ("VCPU",): flavor["vcpus"],
        ("MEMORY_MB",): flavor["ram"],
        ("DISK_GB",): root + int(flavor.get("OS-FLV-EXT-DATA:ephemeral") or 0) + swap,
    }
    for name, value in specs.items():
        scope, _, resource = name.partition(":")
        if scope == "resources" and value.isdigit() and not (dedicated and resource == "PCPU"):
            amounts[(resource,)] = int(value)
    traits = {name.partition(":")[2]: value for name, value in specs.items() if name.startswith("trait:")}
    return Request(
        amounts=tuple(sorted((classes, amount) for classes, amount in amounts.items() if amount)),
        required=frozenset(trait for trait, value in traits.items() if value == "required"),
        forbidden=frozenset(trait for trait, value in traits.items() if value == "forbidden"),
        is_whole="extra_specs" in flavor and not dedicated and not any(map(decides_more, specs, specs.values())),
    )


def decides_more(name: str, value: str) -> bool:
    """Whether an extra spec decides where machines run by something that placement does not tell."""
    scope, colon, _ = name.partition(":")
    if not colon:
        return True
    if scope == "hw":
        return name not in HARMLESS and not (name == "hw:cpu_policy" and value == "shared")
    if scope == "resources":
        return not value.isdigit()
    known = scope in SCOPES_WITHOUT_PLACEMENT or name.startswith(_SITE_ACCELERATOR)
    return not known and _is_of_nova(scope)


def _is_of_nova(scope: str) -> bool:
    """Whether nova itself may look at a namespace: its own ones are in lower case, the sites' need not be."""
    return scope == scope.lower()


def is_told_by_rows(request: Request) -> bool:
    """Whether rows of hosts with vCPUs, memory, disk and devices say all that the type asks for, traits apart."""
    return request.is_whole and {classes for classes, _ in request.amounts} <= _TOLD_BY_ROWS


# --- what a machine gets besides its size --------------------------------------------------------------------------


def to_architecture(required: frozenset[str]) -> str | None:
    """The processor architecture that a type is bound to by a trait."""
    found = [trait.removeprefix("HW_ARCH_").lower() for trait in sorted(required) if trait.startswith("HW_ARCH_")]
    return found[0] if len(found) == 1 else None


def to_accelerators(specs: Mapping[str, str], devices: Mapping[str, Device]) -> Iterator[Accelerator]:
    """Devices that a machine gets: by virtual ones, by aliases of PCI devices, or as the site notes them.

    What an alias is only the site knows, from `devices` or from its own extra specs `Accelerator:*`; an alias of which
    nobody says what it is, is left out: it may be a network card.
    """
    noted = {name.removeprefix(_SITE_ACCELERATOR): value for name, value in specs.items()}
    asked = list(_asked_devices(specs))
    for name, number, how in asked:
        device = devices.get(name) or _noted_device(noted) or (VIRTUAL_GPU if name == "VGPU" else None)
        if device is not None:
            yield Accelerator(
                type=device.type,
                number=number,
                vendor=device.vendor,
                model=device.model,
                memory_mib=device.memory,
                virtualization=how,
            )
    count, device = noted.get("Number", ""), _noted_device(noted)
    if not asked and count.isdigit() and device is not None:
        yield Accelerator(type=device.type, number=int(count), vendor=device.vendor, model=device.model)


def _asked_devices(specs: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    """Name, number and way of each kind of device: by resource class VGPU or by PCI alias."""
    number = specs.get("resources:VGPU", "")
    if number.isdigit() and int(number):
        yield "VGPU", int(number), "vgpu"
    for alias in filter(None, specs.get("pci_passthrough:alias", "").split(",")):
        name, _, count = alias.strip().partition(":")
        if count.isdigit():
            yield name, int(count), "passthrough"


def _noted_device(noted: Mapping[str, str]) -> Device | None:
    if "Type" not in noted:
        return None
    return Device(type=noted["Type"], vendor=noted.get("Vendor"), model=noted.get("Model"))


def to_bandwidth(specs: Mapping[str, str]) -> int | None:
    """Mb/s that a machine's network card is held to: libvirt's quotas are in kB/s, VMware's limit in Mb/s."""
    averages = [specs.get(f"quota:vif_{way}bound_average", "") for way in ("in", "out")]
    held = [int(average) * 8 // 1000 for average in averages if average.isdigit()]
    limit = specs.get("quota:vif_limit", "")
    held += [int(limit)] if limit.isdigit() else []
    return min(held, default=None)
