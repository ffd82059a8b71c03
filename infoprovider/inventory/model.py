"""The neutral nouns: what any VM manager can say of itself, in one vocabulary.

Every value is immutable. `None` is "not known" and never stands for zero; an empty tuple means that none is known.
Units stand in the names: `_mib` and `_gib` are 2^20 and 2^30 bytes, `_s` seconds, `_mhz` and `_mbps` millions per
second. A vCPU is one virtual processor of a machine; a logical CPU is what a host's operating system sees.

A facet is the unit that is collected, stored, aged and withheld; each has one dataclass as its value.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

from pydantic import ConfigDict

from infoprovider.settings import Count, Gibibytes, Mebibytes, Moment

_STRICT = ConfigDict(extra="forbid", strict=True)

Limit: TypeAlias = Count | Literal["unlimited"] | None
"""A quota: a number, known to be unlimited, or not known."""


class Facet(StrEnum):
    """What is collected, stored, aged and withheld as one."""

    MANAGER = "manager"
    HYPERVISORS = "hypervisors"
    CAPACITY = "capacity"
    INSTANCE_TYPES = "instance_types"
    IMAGES = "images"
    QUOTAS = "quotas"
    USAGE = "usage"
    NETWORKS = "networks"
    TRUST = "trust"
    ENDORSEMENTS = "endorsements"
    PRICES = "prices"
    MACHINES = "machines"


class SignInMethod(StrEnum):
    """How a user proves who they are to an interface."""

    X509_VOMS = "x509-voms"
    X509 = "x509"
    PASSWORD = "password"  # noqa: S105  (the name of a method)
    OIDC = "oidc"
    SAML2 = "saml2"
    TOKEN = "token"  # noqa: S105  (the name of a method)
    NONE = "none"


class Ownership(StrEnum):
    """Who may use an image or an instance type."""

    PUBLIC = "public"
    PROJECTS = "projects"


# --- manager -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One way to authenticate at an interface; `issuers` are URLs (OIDC, SAML2) and CAs are subject DNs (RFC 2253)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    method: SignInMethod
    issuers: tuple[str, ...] = ()
    issuer_ca: str | None = None
    trusted_cas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiEndpoint:
    """One interface at one URL.

    `interface` is the neutral name of the API (`openstack`, `opennebula`, `occi`, `ec2`, …); `version` is the API's
    own version, not the product's; `sign_in_url` is where users sign in, if that is not done at the interface itself.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    url: str
    interface: str
    version: str | None = None
    sign_in: tuple[SignIn, ...]
    sign_in_url: str | None = None
    started_at: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What users of this manager can do; None where the manager does not tell."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    snapshot: bool | None = None
    suspend: bool | None = None
    bulk_start: bool | None = None
    live_migration: bool | None = None
    failover: bool | None = None
    backup_restore: bool | None = None
    reservation: bool | None = None
    block_storage: bool | None = None
    user_network: bool | None = None
    image_upload: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """The installed VM manager: its product, its interfaces, what it lets users do, which disk formats it takes.

    `zones` are parts of it that users can ask a machine to be in, without those that take none now.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    product: str
    version: str | None = None
    vendor: str | None = None
    endpoints: tuple[ApiEndpoint, ...]
    features: Features = Features()
    image_formats: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    status_page: str | None = None


# --- hypervisors ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingSystem:
    """An operating system: family (`linux`, `windows`), distribution and version."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    family: str | None = None
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """One host's processors: physical sockets and logical CPUs are per host, the clock is in MHz."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    vendor: str | None = None
    model: str | None = None
    version: str | None = None
    clock_mhz: Count | None = None
    physical_cpus: Count | None = None
    logical_cpus: Count | None = None
    cores_per_cpu: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkResult:
    """A measured power: kind (`hep-spec06`, `cint2006`, …) and value per host."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    type: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HypervisorPool:
    """A class of equal hosts.

    `hosts` counts all of them, `hosts_unusable` those disabled or down, `hosts_in_use` those that hold at least one
    machine; memory and disk are per host. `image_formats` is what this hypervisor boots, empty where unknown.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    name: str | None = None
    kind: str
    version: str | None = None
    cpu_virtualization: str | None = None
    architecture: str | None = None
    hosts: Count
    hosts_unusable: Count | None = None
    hosts_in_use: Count | None = None
    processor: Processor = Processor()
    memory_mib: Mebibytes | None = None
    disk_gib: Gibibytes | None = None
    operating_system: OperatingSystem = OperatingSystem()
    network_technology: tuple[str, ...] = ()
    network_bandwidth_mbps: Count | None = None
    image_formats: tuple[str, ...] = ()
    benchmarks: tuple[BenchmarkResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypervisors:
    """All host classes of a manager."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    pools: tuple[HypervisorPool, ...]


# --- capacity ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCount:
    """Devices of one kind (`GPU`, `FPGA`, …), of one model where the manager tells."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    type: str
    model: str | None = None
    total: Count
    used: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCapacity:
    """What one unnamed host can hold and what is allocated on it; never published, startable-now is computed from it.

    Totals include overcommitment and leave out what is reserved for the host itself; `used` is what is allocated to
    machines, not a measured load. `usable` is enabled and up.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    pool: str | None = None
    usable: bool
    vcpus: Count
    vcpus_used: Count
    memory_mib: Mebibytes
    memory_used_mib: Mebibytes
    disk_gib: Gibibytes | None = None
    disk_used_gib: Gibibytes | None = None
    devices: tuple[DeviceCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Room for further machines of one instance type on all usable hosts together, as the manager's own rules tell it.

    Whoever's quota they are on. `is_upper_bound` where something that could lower the number is not known.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    instance_type: str
    machines: Count
    is_upper_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What the manager holds in all.

    Physical and logical CPUs count every host that the manager knows; vCPUs, memory and disk count hosts that are
    enabled and up, overcommitment included; `used` is what is allocated there. `cpu_overcommit` is vCPUs per logical
    CPU. `hosts` is empty where the manager does not tell about single hosts. `disk_is_shared` says that hosts draw
    from one common store, so their disk must not be added. `room` is of those types of which the manager knows more
    than its hosts' sizes say; it goes before what is computed from these.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    physical_cpus: Count | None = None
    logical_cpus: Count | None = None
    vcpus: Count | None = None
    vcpus_used: Count | None = None
    cpu_overcommit: float | None = None
    memory_mib: Mebibytes | None = None
    memory_used_mib: Mebibytes | None = None
    disk_gib: Gibibytes | None = None
    disk_used_gib: Gibibytes | None = None
    disk_is_shared: bool | None = None
    hosts: tuple[HostCapacity, ...] = ()
    room: tuple[Room, ...] = ()


# --- instance types ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """Devices that a machine of a type gets: type (`GPU`, `MIC`, `FPGA`), their number and make."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    type: str
    number: Count
    vendor: str | None = None
    model: str | None = None
    memory_mib: Mebibytes | None = None
    virtualization: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """A size in which machines are started.

    `id` is the manager's stable id. `cpu_capacity` is what one machine takes from a host and from its project's quota,
    in vCPUs, where that is not `vcpus`. `disk_gib` is the root disk, 0 where a machine gets none of its own. `pools`
    are the host classes it runs on, None where any. `projects` are those that may use it when `ownership` is
    `projects`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    name: str | None = None
    vcpus: Count
    cpu_capacity: float | None = None
    memory_mib: Mebibytes
    disk_gib: Gibibytes | None = None
    ephemeral_gib: Gibibytes | None = None
    swap_mib: Mebibytes | None = None
    architecture: str | None = None
    operating_system: OperatingSystem = OperatingSystem()
    accelerators: tuple[Accelerator, ...] = ()
    network_bandwidth_mbps: Count | None = None
    boots_from_volume: bool | None = None
    ownership: Ownership = Ownership.PUBLIC
    projects: tuple[str, ...] = ()
    pools: tuple[str, ...] | None = None
    placement_is_known: bool = True
    """False where the type asks for something that host capacity does not show (a device, a trait, a zone)."""
    devices_are_told: bool = True
    """False where it asks for devices of which nobody tells how many there are: no number of machines is known then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceTypes:
    """All instance types of a manager."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    instance_types: tuple[InstanceType, ...]


# --- images and endorsements ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """A digest of an image file: algorithm (`sha512`, `sha256`, `md5`, …) and lower-case hex value."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    algorithm: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Something that machines are started from.

    `id` is the manager's own id, `marketplace_uri` where it comes from. Minimal sizes are what a machine must have at
    least. `active` is whether it can be started now.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    name: str
    version: str | None = None
    description: str | None = None
    license: str | None = None
    marketplace_uri: str | None = None
    active: bool = True
    disk_format: str | None = None
    size_mib: Mebibytes | None = None
    architecture: str | None = None
    operating_system: OperatingSystem = OperatingSystem()
    min_vcpus: Count | None = None
    min_memory_mib: Mebibytes | None = None
    min_disk_gib: Gibibytes | None = None
    contextualization: str | None = None
    checksums: tuple[Checksum, ...] = ()
    ownership: Ownership = Ownership.PUBLIC
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """All images of a manager."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement:
    """What somebody who is trusted says of an image, found by the image's marketplace URI, native id or checksum.

    `endorser` is a DN or e-mail address, `image_list` the URI of the list that carries it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    identifier: str
    endorser: str
    image_list: str | None = None
    expires_at: Moment | None = None
    checksum: Checksum | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsements:
    """All endorsements of a list, a marketplace or a manager's own records."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    endorsements: tuple[Endorsement, ...]


# --- quotas and usage, one part per project ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """What one project may hold at most; `max_run_time_s` is a machine's longest life. Part: the project's id.

    `network_ports` are what machines are connected by, one each at least, where the manager limits them.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    project: str
    project_name: str | None = None
    instances: Limit = None
    instances_per_user: Limit = None
    vcpus: Limit = None
    memory_mib: Mebibytes | Literal["unlimited"] | None = None
    disk_gib: Gibibytes | Literal["unlimited"] | None = None
    accelerators: Limit = None
    public_addresses: Limit = None
    network_ports: Limit = None
    max_run_time_s: Count | None = None
    default_run_time_s: Count | None = None
    preemptible: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one project holds now. Part: the project's id.

    `instances` down to `network_ports` are counted as its quota counts them. The states
    are machines: running, waiting to start, staging (image transfer, migration), suspended (memory or CPU still
    held), halted (stopped or shelved), error. `holding` is instance type id to machines that hold capacity on a host.
    Start-up times are of recent machines.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    project: str
    instances: Count | None = None
    vcpus: Count | None = None
    memory_mib: Mebibytes | None = None
    disk_gib: Gibibytes | None = None
    accelerators: Count | None = None
    public_addresses: Count | None = None
    network_ports: Count | None = None
    running: Count | None = None
    waiting: Count | None = None
    staging: Count | None = None
    suspended: Count | None = None
    halted: Count | None = None
    error: Count | None = None
    holding: dict[str, Count] | None = None
    mean_start_up_s: Count | None = None
    worst_start_up_s: Count | None = None


# --- networks, trust, prices, machines -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network that machines are attached to; addresses are those that machines can still get.

    Of a `floating` one machines get addresses on request while they are attached to another.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    name: str | None = None
    is_public: bool | None = None
    vlan: Count | None = None
    addresses: Count | None = None
    addresses_free: Count | None = None
    floating: bool = False
    ownership: Ownership = Ownership.PUBLIC
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """How machines are connected.

    `inbound` and `outbound` are true even where filtered. `public_ipv4` is `always`, `onrequest` or `none`;
    `firewall_control` is who sets the rules, `user`, `site` or `none`; ports are `22,443` or `25000:25009`;
    `virtualization` is `none`, `vswitch`, `ebtables`, `vlan` or `firewall`; `default_type` is `public`,
    `public_only`, `private` or `private_only`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    inbound: bool | None = None
    outbound: bool | None = None
    public_ipv4: Literal["always", "onrequest", "none"] | None = None
    ipv6: bool | None = None
    vlan: bool | None = None
    firewall_control: Literal["user", "site", "none"] | None = None
    ports_in: str | None = None
    ports_out: str | None = None
    technology: tuple[str, ...] = ()
    bandwidth_mbps: Count | None = None
    virtualization: Literal["none", "vswitch", "ebtables", "vlan", "firewall"] | None = None
    default_type: Literal["public", "public_only", "private", "private_only"] | None = None
    networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """Which images the centre lets its users start, and why.

    `model` is who makes the images: the site itself, somebody trusted who endorses them, or any user. `policy_uri` is
    the written policy, `revocation_uri` where withdrawn images are listed; `restart_from` is what a machine is made
    anew from, `golden` image or `snapshot`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    model: Literal["site", "endorsed", "user"]
    policy_uri: str | None = None
    endorsers: tuple[str, ...] = ()
    image_lists: tuple[str, ...] = ()
    user_upload: bool | None = None
    restart_from: Literal["golden", "snapshot"] | None = None
    honours_expiry: bool | None = None
    revocation_uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one thing costs: of an instance type where `instance_type` names it, else of a unit of `resource`.

    `resource` is `flavour`, `cpu`, `memory`, `storage`, `networkin`, `networkout`, `oslicense`, …; fees are decimal
    amounts of `currency` (ISO 4217) per period (`once`, `hourly`, `daily`, `monthly`, `yearly`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    resource: str
    instance_type: str | None = None
    fix_fee: float | None = None
    fix_fee_period: str | None = None
    consumption_fee: float | None = None
    consumption_fee_period: str | None = None
    currency: str
    scope: str | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The centre's prices on this manager."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    prices: tuple[Price, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine: for the centre's own operator, never published."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    project: str | None = None
    instance_type: str | None = None
    state: Literal["running", "waiting", "staging", "suspended", "halted", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """Who runs what: for the centre's own operator, never published."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    machines: tuple[Machine, ...]


FacetValue: TypeAlias = (
    Manager
    | Hypervisors
    | Capacity
    | InstanceTypes
    | Images
    | Quotas
    | Usage
    | Networks
    | TrustPolicy
    | Endorsements
    | Prices
    | Machines
)

FACET_TYPES: dict[Facet, type[FacetValue]] = {
    Facet.MANAGER: Manager,
    Facet.HYPERVISORS: Hypervisors,
    Facet.CAPACITY: Capacity,
    Facet.INSTANCE_TYPES: InstanceTypes,
    Facet.IMAGES: Images,
    Facet.QUOTAS: Quotas,
    Facet.USAGE: Usage,
    Facet.NETWORKS: Networks,
    Facet.TRUST: TrustPolicy,
    Facet.ENDORSEMENTS: Endorsements,
    Facet.PRICES: Prices,
    Facet.MACHINES: Machines,
}

PARTED_BY_PROJECT = frozenset({Facet.QUOTAS, Facet.USAGE})
"""Facets whose parts are projects; every other facet has one part, the empty name, unless a provider splits it."""


def is_of_project(part: str, project: str) -> bool:
    """Whether a part of quotas or usage is this project's: all of it, or `<project> on <host>`, one of several."""
    return part == project or part.startswith(f"{project} on ")
