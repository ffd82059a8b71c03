"""A document as the GLUE 2.1 JSON of cloud sites: the arrays, keys and associations that its readers know.

cloud-info-provider 1.2 writes this format, and there is no other description of it. What is written here in another way
than there, and why, is in docs/glue21.md. Images and instance types go by the manager's own ids, with which readers
start machines; where two managers use the same one, by GLUE 2.0's. What GLUE 2.0 keeps as `OtherInfo: Key=value` and
this format has a key for stands under that; all else is in the object `OtherInfo`.
"""

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from infoprovider.glue.entities import (
    AccessPolicy,
    ApplicationEnvironment,
    ComputingEndpoint,
    ComputingManager,
    ComputingService,
    ComputingShare,
    Entity,
    ExecutionEnvironment,
    MappingPolicy,
)
from infoprovider.glue.json_layout import as_text
from infoprovider.glue.vocabulary import ExtendedBoolean
from infoprovider.ldif import text

E = TypeVar("E", bound=Entity)
Object = dict[str, Any]

SERVICE, MANAGER, ENDPOINT = "CloudComputingService", "CloudComputingManager", "CloudComputingEndpoint"
SHARE, TYPE, ACCELERATOR = "Share", "CloudComputingInstanceType", "CloudComputingVirtualAccelerator"
IMAGE, MAPPING, ACCESS = "CloudComputingImage", "MappingPolicy", "AccessPolicy"

_SCHEMES = {
    "User/Password": "password",
    "X509-VOMS": "x509",
    "X509": "x509",
    "OIDC": "oidc",
    "SAML2": "saml2",
    "None": "none",
}
"""GLUE 2.0's `Authn=` → the word of the GLUE 2.1 draft; what it has no word for is written in lower case."""


def render_glue21(entities: Sequence[Entity]) -> bytes:
    """The entities of a closed document as UTF-8, one object a line; every array is there, also an empty one."""
    centre = _Centre(entities)
    body = io.BytesIO()
    body.write(b"{")
    between = b"\n"
    for name, objects in _arrays(centre).items():
        lines = ",\n".join(map(as_text, objects))
        body.write(between + (f'"{name}": [\n{lines}\n]' if lines else f'"{name}": []').encode())
        between = b",\n"
    body.write(b"\n}\n")
    return body.getvalue()


def _arrays(centre: "_Centre") -> dict[str, list[Object]]:
    types, accelerators = [], []
    for one in centre.types:
        info = _Info(one)
        devices = _accelerators(centre, one, info)
        types.append(_instance_type(centre, one, info, devices))
        accelerators += devices
    return {
        SERVICE: [_service(one) for one in centre.of(ComputingService)],
        MANAGER: [_manager(centre, one) for one in centre.of(ComputingManager)],
        ENDPOINT: [_endpoint(one) for one in centre.of(ComputingEndpoint)],
        SHARE: [_share(one) for one in centre.of(ComputingShare)],
        TYPE: types,
        ACCELERATOR: accelerators,
        IMAGE: [_image(centre, one) for one in centre.of(ApplicationEnvironment)],
        MAPPING: [_policy(one, _policed_share(one)) for one in centre.of(MappingPolicy)],
        ACCESS: [_policy(one, {ENDPOINT: one.endpoint_foreign_key}) for one in centre.of(AccessPolicy)],
    }


# --- what an object is made of ----------------------------------------------------------------------------------------


class _Info:
    """The `Key=value` of an entity; what has a place of its own is taken out, the rest stays together."""

    def __init__(self, entity: Entity) -> None:
        self._values: dict[str, list[str]] = {}
        for value in entity.other_info:
            key, equals, said = value.partition("=")
            self._values.setdefault(key if equals else "", []).append(said if equals else value)

    def take(self, key: str) -> str | None:
        """What a key says; several values in one text, as the format has no lists there."""
        values = self._values.pop(key, None)
        return ",".join(values) if values else None

    def take_each(self, key: str) -> list[str]:
        """Every value of a key that repeats."""
        return self._values.pop(key, [])

    def take_number(self, key: str) -> float | None:
        """A number, whole where it has no fraction."""
        value = self.take(key)
        return None if value is None else int(value) if value.isdigit() else float(value)

    def take_boolean(self, key: str) -> bool | None:
        """Whether it says `true`."""
        value = self.take(key)
        return None if value is None else value == "true"

    def rest(self) -> Object:
        """What is left, as an object; keys that repeat hold lists."""
        return {key: values[0] if len(values) == 1 else values for key, values in self._values.items()}


def _object(
    entity: Entity,
    fields: Mapping[str, Any],
    other_info: Mapping[str, Any],
    associations: Mapping[str, Iterable[str]],
    *,
    id_: str | None = None,
    name: str | None = None,
) -> Object:
    """One object in the order of the format; what is not known is left out."""
    made = {
        "ID": id_ or entity.id,
        "Validity": entity.validity,
        "CreationTime": None if entity.creation_time is None else text(entity.creation_time),
        "Name": name or entity.name,
        "OtherInfo": other_info or None,
        "Associations": {key: list(ids) for key, ids in associations.items()},
        **fields,
    }
    return {key: value for key, value in made.items() if value is not None}


class _Centre:
    """A document seen from its services: who belongs to whom, and what is called how."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._entities = entities
        self.types = [one for one in self.of(ExecutionEnvironment) if one.virtual_machine is ExtendedBoolean.TRUE]
        self._native = _native_ids(self.types) | _native_ids(self.of(ApplicationEnvironment))
        self._service = {one.id: one.service_foreign_key for one in self.of(ComputingManager)}
        self._endpoints = _grouped((one.service_foreign_key, one.id) for one in self.of(ComputingEndpoint))
        shares = self.of(ComputingShare)
        self._by_type = _grouped((id_, one.id) for one in shares for id_ in one.execution_environment_foreign_key)
        self._by_image = _grouped(
            ((one.service_foreign_key, image), one.id) for one in shares for image in _Info(one).take_each("Image")
        )

    def of(self, cls: type[E]) -> list[E]:
        """The entities of exactly this class."""
        return [one for one in self._entities if type(one) is cls]

    def id_of(self, entity: Entity) -> str:
        """What an instance type or an image is called."""
        return self._native.get(entity.id, entity.id)

    def offered(self, manager: str | None, shares: Iterable[str]) -> dict[str, list[str]]:
        """The associations of what a manager offers: through which shares and endpoints it is had.

        They are all there, also where empty, for readers take them unasked.
        """
        endpoints = self._endpoints.get(self._service.get(manager or ""), [])
        return {SHARE: list(shares), ENDPOINT: endpoints, MANAGER: [manager] if manager else []}

    def shares_with_type(self, entity: ExecutionEnvironment) -> list[str]:
        """The shares that may start machines of a type."""
        return self._by_type.get(entity.id, [])

    def shares_with_image(self, entity: ApplicationEnvironment) -> list[str]:
        """The shares that say that they start an image, by its marketplace's URI or its native id."""
        service = self._service.get(entity.computing_manager_foreign_key or "")
        names = dict.fromkeys((entity.repository, entity.name))
        return list(dict.fromkeys(id_ for name in names for id_ in self._by_image.get((service, name), [])))


def _native_ids(entities: Sequence[Entity]) -> dict[str, str]:
    """Of each entity's ID: the manager's own, where no other entity has the same."""
    often = Counter(one.name for one in entities)
    return {one.id: one.name for one in entities if one.name and often[one.name] == 1}


def _grouped(pairs: Iterable[tuple[Any, str]]) -> dict[Any, list[str]]:
    found: dict[Any, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _sum(*numbers: int | None) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _machines(entity: ComputingService | ComputingShare, info: _Info) -> Object:
    """Counters of machines; those that wait are in the draft, and without them the sum would not come out."""
    halted = info.take_number("VMHalted")
    halted = None if halted is None else int(halted)
    return {
        "TotalVM": _sum(entity.total_jobs, halted),
        "RunningVM": entity.running_jobs,
        "PendingVM": _sum(entity.waiting_jobs, entity.staging_jobs),
        "SuspendedVM": entity.suspended_jobs,
        "HaltedVM": halted,
    }


# --- the objects ------------------------------------------------------------------------------------------------------


def _service(entity: ComputingService) -> Object:
    info = _Info(entity)
    domains = entity.admin_domain_foreign_key
    fields = {
        "Type": "org.cloud.iaas",
        "QualityLevel": entity.quality_level,
        "StatusInfo": next(iter(entity.status_info), None),
        "Complexity": entity.complexity,
        "Capability": list(entity.capability),
        **_machines(entity, info),
    }
    return _object(entity, fields, {"site_name": ",".join(domains)} | info.rest(), {"AdminDomain": domains})


def _manager(centre: _Centre, entity: ComputingManager) -> Object:
    info = _Info(entity)
    types = [one for one in centre.types if one.manager_foreign_key == entity.id]
    cpus = [one.logical_cpus for one in types if one.logical_cpus is not None]
    memory = [one.main_memory_size for one in types if one.main_memory_size is not None]
    fields = {
        "ProductName": entity.product_name,
        "ProductVersion": entity.product_version,
        "HypervisorName": info.take("HypervisorName"),
        "HypervisorVersion": info.take("HypervisorVersion"),
        "TotalCPUs": entity.total_logical_cpus,
        "TotalRAM": info.take_number("TotalMemory"),
        "InstanceMaxCPU": max(cpus, default=None),
        "InstanceMinCPU": min(cpus, default=None),
        "InstanceMaxRAM": max(memory, default=None),
        "InstanceMinRAM": min(memory, default=None),
        "NetworkVirtualizationType": info.take("NetworkVirtualizationType"),
        "CPUVirtualizationType": info.take("CPUVirtualizationType"),
        "ManagerVirtualdiskFormat": info.take("VirtualDiskFormat"),
        "ManagerFailover": info.take_boolean("Failover"),
        "ManagerLiveMigration": info.take_boolean("LiveMigration"),
        "ManagerVMBackupRestore": info.take_boolean("VMBackupRestore"),
    }
    return _object(entity, fields, info.rest(), {SERVICE: _ids(entity.service_foreign_key)})


def _endpoint(entity: ComputingEndpoint) -> Object:
    info = _Info(entity)
    sign_in, authn = info.take("Authn.URL"), info.take("Authn")
    moments = {
        "DowntimeAnnounce": entity.downtime_announce,
        "DowntimeStart": entity.downtime_start,
        "DowntimeEnd": entity.downtime_end,
    }
    fields = {
        # Readers sign in there, and find the interface in the catalogue that they get.
        "URL": sign_in or entity.url,
        "Capability": list(entity.capability),
        "QualityLevel": entity.quality_level,
        "InterfaceName": entity.interface_name,
        "InterfaceVersion": entity.interface_version,
        "HealthState": entity.health_state,
        "HealthStateInfo": entity.health_state_info,
        "ServingState": entity.serving_state,
        "Technology": entity.technology,
        "Implementor": entity.implementor,
        "ImplementationName": entity.implementation_name,
        "ImplementationVersion": entity.implementation_version,
        "DowntimeInfo": entity.downtime_info,
        **{name: text(moment) for name, moment in moments.items() if moment is not None},
        "Semantics": next(iter(entity.semantics), None),
        "Authentication": _SCHEMES.get(authn, authn.lower()) if authn else None,
        "IssuerCA": entity.issuer_ca,
        "TrustedCA": list(entity.trusted_ca) or None,
    }
    own = {"InterfaceURL": entity.url} if sign_in else {}
    return _object(entity, fields, own | info.rest(), {SERVICE: _ids(entity.service_foreign_key)})


def _share(entity: ComputingShare) -> Object:
    info = _Info(entity)
    project = info.take("ProjectID")
    # What these name is no object here, or is stated by the associations of what they name.
    for key in ("Image", "HostPool"):
        info.take(key)
    quotas = {
        "instances": entity.max_total_jobs,
        "cores": info.take_number("QuotaCPU"),
        "ram": info.take_number("QuotaMemory"),
        "floating_ips": info.take_number("QuotaPublicIP"),
    }
    known = {name: number for name, number in quotas.items() if number is not None}
    fields = {
        "InstanceMaxCPU": entity.max_slots_per_job,
        "InstanceMaxRAM": entity.max_main_memory,
        **_machines(entity, info),
        "MaxVM": entity.max_running_jobs,
        "DefaultNetworkType": info.take("DefaultNetworkType"),
        "PublicNetworkName": info.take("PublicNetworkName"),
        "ProjectID": project,
    }
    return _object(
        entity,
        fields,
        ({"quotas": known} if known else {}) | info.rest(),
        {SERVICE: _ids(entity.service_foreign_key), ENDPOINT: entity.computing_endpoint_foreign_key},
        name=f"{entity.name} - {project} share",
    )


def _accelerators(centre: _Centre, entity: ExecutionEnvironment, info: _Info) -> list[Object]:
    """The devices of an instance type, one object for each kind; they are no longer part of the type's own facts."""
    made = []
    suffix = ""
    while kind := info.take(f"AcceleratorType{suffix}"):
        fields = {
            "Type": kind,
            "Number": info.take_number(f"AcceleratorNumber{suffix}"),
            "Vendor": info.take(f"AcceleratorVendor{suffix}"),
            "Model": info.take(f"AcceleratorModel{suffix}"),
            "Memory": info.take_number(f"AcceleratorMemory{suffix}"),
            "VirtualizationType": info.take(f"AcceleratorVirtualizationType{suffix}"),
        }
        type_id, end = centre.id_of(entity), f"_{kind.lower()}{suffix}"
        made.append(
            _object(entity, fields, {}, {TYPE: [type_id]}, id_=type_id + end, name=f"{_type_name(entity)}{end}")
        )
        suffix = f".{len(made) + 1}"
    return made


def _type_name(entity: ExecutionEnvironment) -> str | None:
    """What people call it; the native id is its ID here."""
    return _Info(entity).take("TemplateName") or entity.name


def _instance_type(centre: _Centre, entity: ExecutionEnvironment, info: _Info, devices: Iterable[Object]) -> Object:
    info.take("TemplateName")
    info.take("HostPool")
    fields = {
        "Platform": entity.platform,
        "CPU": entity.logical_cpus,
        "RAM": entity.main_memory_size,
        "Disk": info.take_number("disk"),
        "NetworkIn": _boolean(entity.connectivity_in),
        "NetworkOut": _boolean(entity.connectivity_out),
        "NetworkInfo": ",".join(entity.network_info) or None,
    }
    associations = centre.offered(entity.manager_foreign_key, centre.shares_with_type(entity))
    if ids := [one["ID"] for one in devices]:
        associations[ACCELERATOR] = ids
    return _object(entity, fields, info.rest(), associations, id_=centre.id_of(entity), name=_type_name(entity))


def _image(centre: _Centre, entity: ApplicationEnvironment) -> Object:
    info = _Info(entity)
    fields = {
        "MarketplaceURL": entity.repository,
        "OSPlatform": info.take("Image.Platform"),
        "OSName": info.take("Image.OSName"),
        "OSVersion": info.take("Image.OSVersion"),
        "Version": entity.app_version,
        "Description": entity.description,
    }
    # Under this key the federation's reader looks for the version of what comes from its own image registry.
    own = {"eu.egi.cloud.tag": entity.app_version} if entity.app_version else {}
    associations = centre.offered(entity.computing_manager_foreign_key, centre.shares_with_image(entity))
    return _object(entity, fields, own | info.rest(), associations, id_=centre.id_of(entity), name=entity.app_name)


def _policed_share(entity: MappingPolicy) -> dict[str, Iterable[str]]:
    return {SHARE: entity.share_foreign_key, "PolicyUserDomain": entity.user_domain_foreign_key}


def _policy(entity: MappingPolicy | AccessPolicy, associations: Mapping[str, Iterable[str]]) -> Object:
    fields = {"Rule": list(entity.rule), "Scheme": entity.scheme}
    return _object(entity, fields, _Info(entity).rest(), associations)


def _ids(id_: str | None) -> list[str]:
    return [] if id_ is None else [id_]


def _boolean(value: ExtendedBoolean | None) -> bool | str | None:
    return None if value is None else {"true": True, "false": False}.get(value, "UNKNOWN")
