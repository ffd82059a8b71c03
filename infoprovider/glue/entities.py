# ruff: noqa: RUF009  (attribute() makes a dataclass field)
"""The GLUE 2.0 classes: one frozen dataclass each, one declaration per field (its metadata: `fields`).

An identifier is required; every other field may be None or empty, and whoever composes a document withholds an entity
that lacks a mandatory one. Associations hold identifiers of other entities. Times are aware, in UTC; units are GLUE's
and stand in the declaration. Source: OGF GFD.147, its LDAP rendering (numbers, names, single or many) and XML schema.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias

from infoprovider.glue import vocabulary as words
from infoprovider.glue.fields import (
    DATETIME,
    DN,
    INT32,
    LATITUDE,
    LOCAL_ID,
    LONGITUDE,
    REAL32,
    UINT32,
    UINT64,
    URI,
    URL,
    GlueClass,
    attribute,
    reference,
)
from infoprovider.glue.vocabulary import (
    AccessLatency,
    ComputingActivityType,
    CPUMultiplicity,
    EndpointHealthState,
    ExpirationMode,
    ExtendedBoolean,
    QualityLevel,
    ReservationPolicy,
    ServingState,
    Staging,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What every entity has: an identifier, unique in the world, and how old and how long valid its facts are."""

    glue: ClassVar[GlueClass] = GlueClass(1, abstract=True)

    id: str
    name: str | None = attribute("Name", 2)
    other_info: tuple[str, ...] = attribute("OtherInfo", 3, multiple=True)
    creation_time: datetime | None = attribute("CreationTime", 4, DATETIME)
    validity: int | None = attribute("Validity", 5, UINT64, unit="s", text_in_ldap=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A key and its value, attached to an entity, for what the model has no field for."""

    glue: ClassVar[GlueClass] = GlueClass(2, identifier="LocalID")

    local_id: str
    key: str | None = attribute("Key", 2, must=True)
    value: str | None = attribute("Value", 3, must=True)
    entity_foreign_key: tuple[str, ...] = reference("Entity", 4, multiple=True, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Entity):
    """Where a domain or a service is."""

    glue: ClassVar[GlueClass] = GlueClass(3)

    address: str | None = attribute("Address", 2)
    place: str | None = attribute("Place", 3)
    country: str | None = attribute("Country", 4)
    post_code: str | None = attribute("PostCode", 5)
    latitude: float | None = attribute("Latitude", 6, LATITUDE, unit="degree")
    longitude: float | None = attribute("Longitude", 7, LONGITUDE, unit="degree")
    service_foreign_key: tuple[str, ...] = reference("Service", 8, multiple=True)
    domain_foreign_key: tuple[str, ...] = reference("Domain", 9, multiple=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Entity):
    """Whom to ask about a domain or a service."""

    glue: ClassVar[GlueClass] = GlueClass(4)

    detail: str | None = attribute("Detail", 2, URI, must=True)
    type: str | None = attribute("Type", 3, words.CONTACT_TYPE, must=True)
    service_foreign_key: tuple[str, ...] = reference("Service", 4, multiple=True)
    domain_foreign_key: tuple[str, ...] = reference("Domain", 5, multiple=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain(Entity):
    """Actors that act as one: who runs services, or who uses them."""

    glue: ClassVar[GlueClass] = GlueClass(5, abstract=True)

    description: str | None = attribute("Description", 2)
    www: tuple[str, ...] = attribute("WWW", 3, URL, multiple=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminDomain(Domain):
    """Those who run services: a site, a resource centre, a federation."""

    glue: ClassVar[GlueClass] = GlueClass(6)

    distributed: ExtendedBoolean | None = attribute("Distributed", 1, ExtendedBoolean)
    owner: tuple[str, ...] = attribute("Owner", 2, multiple=True)
    admin_domain_foreign_key: tuple[str, ...] = reference("AdminDomain", 4, multiple=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDomain(Domain):
    """Those who use services: a community, a group or a role in it."""

    glue: ClassVar[GlueClass] = GlueClass(7)

    level: int | None = attribute("Level", 1, UINT32)
    user_manager: tuple[str, ...] = attribute("UserManager", 2, URI, multiple=True)
    member: tuple[str, ...] = attribute("Member", 3, multiple=True)
    user_domain_foreign_key: tuple[str, ...] = reference("UserDomain", 5, multiple=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Entity):
    """Software that works together as one, seen from outside."""

    glue: ClassVar[GlueClass] = GlueClass(8)

    capability: tuple[str, ...] = attribute("Capability", 2, words.CAPABILITY, multiple=True)
    type: str | None = attribute("Type", 3, words.SERVICE_TYPE, must=True)
    quality_level: QualityLevel | None = attribute("QualityLevel", 4, QualityLevel, must=True)
    status_info: tuple[str, ...] = attribute("StatusInfo", 5, URL, multiple=True)
    complexity: str | None = attribute("Complexity", 6)
    admin_domain_foreign_key: tuple[str, ...] = reference("AdminDomain", 7, multiple=True, must=True)
    service_foreign_key: tuple[str, ...] = reference("Service", 8, multiple=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Entity):
    """A network address where a service takes requests, and how well it does."""

    glue: ClassVar[GlueClass] = GlueClass(9)

    url: str | None = attribute("URL", 2, URL, must=True)
    capability: tuple[str, ...] = attribute("Capability", 3, words.CAPABILITY, multiple=True)
    technology: str | None = attribute("Technology", 4, words.ENDPOINT_TECHNOLOGY)
    interface_name: str | None = attribute("InterfaceName", 5, words.INTERFACE_NAME, must=True)
    interface_version: str | None = attribute("InterfaceVersion", 6, mult="0..*")
    interface_extension: tuple[str, ...] = attribute("InterfaceExtension", 7, URI, multiple=True)
    wsdl: tuple[str, ...] = attribute("WSDL", 8, URL, multiple=True)
    supported_profile: tuple[str, ...] = attribute("SupportedProfile", 9, URI, multiple=True)
    semantics: tuple[str, ...] = attribute("Semantics", 10, URL, multiple=True)
    implementor: str | None = attribute("Implementor", 11)
    implementation_name: str | None = attribute("ImplementationName", 12)
    implementation_version: str | None = attribute("ImplementationVersion", 13)
    quality_level: QualityLevel | None = attribute("QualityLevel", 14, QualityLevel, must=True)
    health_state: EndpointHealthState | None = attribute("HealthState", 15, EndpointHealthState, must=True)
    health_state_info: str | None = attribute("HealthStateInfo", 16)
    serving_state: ServingState | None = attribute("ServingState", 17, ServingState, must=True)
    start_time: datetime | None = attribute("StartTime", 18, DATETIME)
    issuer_ca: str | None = attribute("IssuerCA", 19, DN)
    trusted_ca: tuple[str, ...] = attribute("TrustedCA", 20, DN, multiple=True)
    downtime_announce: datetime | None = attribute("DowntimeAnnounce", 21, DATETIME)
    downtime_start: datetime | None = attribute("DowntimeStart", 22, DATETIME)
    downtime_end: datetime | None = attribute("DowntimeEnd", 23, DATETIME)
    downtime_info: str | None = attribute("DowntimeInfo", 24)
    service_foreign_key: str | None = reference("Service", 25, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Entity):
    """What a service gives to a set of users: a quota, a queue, a policy."""

    glue: ClassVar[GlueClass] = GlueClass(10, abstract=True)

    description: str | None = attribute("Description", 2)
    endpoint_foreign_key: tuple[str, ...] = reference("Endpoint", 3, multiple=True)
    resource_foreign_key: tuple[str, ...] = reference("Resource", 4, multiple=True)
    service_foreign_key: str | None = reference("Service", 5, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager(Entity):
    """The software that manages resources of a service."""

    glue: ClassVar[GlueClass] = GlueClass(11, abstract=True)

    product_name: str | None = attribute("ProductName", 2, words.COMPUTING_MANAGER_TYPE, must=True)
    product_version: str | None = attribute("ProductVersion", 3)
    service_foreign_key: str | None = reference("Service", 4, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Entity):
    """Something that a manager manages and that does the work."""

    glue: ClassVar[GlueClass] = GlueClass(12, abstract=True)

    manager_foreign_key: str | None = reference("Manager", 2, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity(Entity):
    """A unit of work that a service handles."""

    glue: ClassVar[GlueClass] = GlueClass(13)

    user_domain_foreign_key: str | None = reference("UserDomain", 2)
    endpoint_foreign_key: str | None = reference("Endpoint", 3)
    share_foreign_key: str | None = reference("Share", 4)
    resource_foreign_key: str | None = reference("Resource", 5)
    activity_foreign_key: tuple[str, ...] = reference("Activity", 6, multiple=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Entity):
    """Who may do what, in the words of a scheme."""

    glue: ClassVar[GlueClass] = GlueClass(14, abstract=True)

    scheme: str | None = attribute("Scheme", 2, words.POLICY_SCHEME, must=True)
    rule: tuple[str, ...] = attribute("Rule", 3, multiple=True, must=True)
    user_domain_foreign_key: tuple[str, ...] = reference("UserDomain", 4, multiple=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy(Policy):
    """Who may speak to an endpoint."""

    glue: ClassVar[GlueClass] = GlueClass(15)

    endpoint_foreign_key: tuple[str, ...] = reference("Endpoint", 1, multiple=True, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPolicy(Policy):
    """Who is served by a share."""

    glue: ClassVar[GlueClass] = GlueClass(16)

    share_foreign_key: tuple[str, ...] = reference("Share", 1, multiple=True, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputingService(Service):
    """A service that runs jobs or virtual machines."""

    glue: ClassVar[GlueClass] = GlueClass(17)

    total_jobs: int | None = attribute("TotalJobs", 1, UINT32, unit="job")
    running_jobs: int | None = attribute("RunningJobs", 2, UINT32, unit="job")
    waiting_jobs: int | None = attribute("WaitingJobs", 3, UINT32, unit="job")
    staging_jobs: int | None = attribute("StagingJobs", 4, UINT32, unit="job")
    suspended_jobs: int | None = attribute("SuspendedJobs", 5, UINT32, unit="job")
    pre_lrms_waiting_jobs: int | None = attribute("PreLRMSWaitingJobs", 6, UINT32, unit="job")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputingEndpoint(Endpoint):
    """An endpoint that takes jobs or virtual machines."""

    glue: ClassVar[GlueClass] = GlueClass(18)

    staging: Staging | None = attribute("Staging", 1, Staging)
    job_description: tuple[str, ...] = attribute("JobDescription", 2, words.JOB_DESCRIPTION, multiple=True)
    total_jobs: int | None = attribute("TotalJobs", 3, UINT32, unit="Job")
    running_jobs: int | None = attribute("RunningJobs", 4, UINT32, unit="job")
    waiting_jobs: int | None = attribute("WaitingJobs", 5, UINT32, unit="job")
    staging_jobs: int | None = attribute("StagingJobs", 6, UINT32, unit="job")
    suspended_jobs: int | None = attribute("SuspendedJobs", 7, UINT32, unit="job")
    pre_lrms_waiting_jobs: int | None = attribute("PreLRMSWaitingJobs", 8, UINT32, unit="job")
    computing_service_foreign_key: str | None = reference("ComputingService", 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputingShare(Share):
    """What a computing service gives to a set of users."""

    glue: ClassVar[GlueClass] = GlueClass(19)

    mapping_queue: str | None = attribute("MappingQueue", 1)
    max_wall_time: int | None = attribute("MaxWallTime", 2, UINT64, unit="s")
    max_multi_slot_wall_time: int | None = attribute("MaxMultiSlotWallTime", 3, UINT64, unit="s")
    min_wall_time: int | None = attribute("MinWallTime", 4, UINT64, unit="s")
    default_wall_time: int | None = attribute("DefaultWallTime", 5, UINT64, unit="s")
    max_cpu_time: int | None = attribute("MaxCPUTime", 6, UINT64, unit="s")
    max_total_cpu_time: int | None = attribute("MaxTotalCPUTime", 7, UINT64, unit="s")
    min_cpu_time: int | None = attribute("MinCPUTime", 8, UINT64, unit="s")
    default_cpu_time: int | None = attribute("DefaultCPUTime", 9, UINT64, unit="s")
    max_total_jobs: int | None = attribute("MaxTotalJobs", 10, UINT32, unit="job")
    max_running_jobs: int | None = attribute("MaxRunningJobs", 11, UINT32, unit="job")
    max_waiting_jobs: int | None = attribute("MaxWaitingJobs", 12, UINT32, unit="job")
    max_pre_lrms_waiting_jobs: int | None = attribute("MaxPreLRMSWaitingJobs", 13, UINT32, unit="job")
    max_user_running_jobs: int | None = attribute("MaxUserRunningJobs", 14, UINT32, unit="job")
    max_slots_per_job: int | None = attribute("MaxSlotsPerJob", 15, UINT32, unit="slot")
    max_stage_in_streams: int | None = attribute("MaxStageInStreams", 16, UINT32, unit="stream")
    max_stage_out_streams: int | None = attribute("MaxStageOutStreams", 17, UINT32, unit="stream")
    scheduling_policy: str | None = attribute("SchedulingPolicy", 18, words.SCHEDULING_POLICY)
    max_main_memory: int | None = attribute("MaxMainMemory", 19, UINT64, unit="MB")
    guaranteed_main_memory: int | None = attribute("GuaranteedMainMemory", 20, UINT64, unit="MB")
    max_virtual_memory: int | None = attribute("MaxVirtualMemory", 21, UINT64, unit="MB")
    guaranteed_virtual_memory: int | None = attribute("GuaranteedVirtualMemory", 22, UINT64, unit="MB")
    max_disk_space: int | None = attribute("MaxDiskSpace", 23, UINT64, unit="GB")
    default_storage_service: str | None = attribute("DefaultStorageService", 24, URI)
    preemption: ExtendedBoolean | None = attribute("Preemption", 25, ExtendedBoolean)
    serving_state: ServingState | None = attribute("ServingState", 26, ServingState, must=True)
    total_jobs: int | None = attribute("TotalJobs", 27, UINT32, unit="job")
    running_jobs: int | None = attribute("RunningJobs", 28, UINT32, unit="job")
    local_running_jobs: int | None = attribute("LocalRunningJobs", 29, UINT32, unit="job")
    waiting_jobs: int | None = attribute("WaitingJobs", 30, UINT32, unit="job")
    local_waiting_jobs: int | None = attribute("LocalWaitingJobs", 31, UINT32, unit="job")
    suspended_jobs: int | None = attribute("SuspendedJobs", 32, UINT32, unit="job")
    local_suspended_jobs: int | None = attribute("LocalSuspendedJobs", 33, UINT32, unit="job")
    staging_jobs: int | None = attribute("StagingJobs", 34, UINT32, unit="job")
    local_staging_jobs: int | None = attribute("LocalStagingJobs", 35, UINT32, mult="")
    pre_lrms_waiting_jobs: int | None = attribute("PreLRMSWaitingJobs", 36, UINT32, unit="job")
    estimated_average_waiting_time: int | None = attribute("EstimatedAverageWaitingTime", 37, UINT64, unit="s")
    estimated_worst_waiting_time: int | None = attribute("EstimatedWorstWaitingTime", 38, UINT64, unit="s")
    free_slots: int | None = attribute("FreeSlots", 39, UINT32, unit="slot")
    free_slots_with_duration: str | None = attribute("FreeSlotsWithDuration", 40, unit="slot:s")
    used_slots: int | None = attribute("UsedSlots", 41, UINT32, unit="slot")
    requested_slots: int | None = attribute("RequestedSlots", 42, UINT32, unit="slot")
    reservation_policy: ReservationPolicy | None = attribute("ReservationPolicy", 43, ReservationPolicy)
    tag: tuple[str, ...] = attribute("Tag", 44, multiple=True)
    computing_endpoint_foreign_key: tuple[str, ...] = reference("ComputingEndpoint", 45, multiple=True)
    execution_environment_foreign_key: tuple[str, ...] = reference("ExecutionEnvironment", 46, multiple=True)
    computing_service_foreign_key: str | None = reference("ComputingService", 47)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputingManager(Manager):
    """The batch system or VM manager behind a computing service."""

    glue: ClassVar[GlueClass] = GlueClass(20)

    reservation: ExtendedBoolean | None = attribute("Reservation", 1, ExtendedBoolean)
    bulk_submission: ExtendedBoolean | None = attribute("BulkSubmission", 2, ExtendedBoolean)
    total_physical_cpus: int | None = attribute("TotalPhysicalCPUs", 3, UINT32, unit="Ph.CPU")
    total_logical_cpus: int | None = attribute("TotalLogicalCPUs", 4, UINT32, unit="Log.CPU")
    total_slots: int | None = attribute("TotalSlots", 5, UINT32, unit="slot")
    slots_used_by_local_jobs: int | None = attribute("SlotsUsedByLocalJobs", 6, UINT32, unit="slot")
    slots_used_by_grid_jobs: int | None = attribute("SlotsUsedByGridJobs", 7, UINT32, unit="slot")
    homogeneous: ExtendedBoolean | None = attribute("Homogeneous", 8, ExtendedBoolean)
    network_info: tuple[str, ...] = attribute("NetworkInfo", 9, words.NETWORK_INFO, multiple=True)
    logical_cpu_distribution: str | None = attribute("LogicalCPUDistribution", 10)
    working_area_shared: ExtendedBoolean | None = attribute("WorkingAreaShared", 11, ExtendedBoolean)
    working_area_guaranteed: ExtendedBoolean | None = attribute("WorkingAreaGuaranteed", 12, ExtendedBoolean)
    working_area_total: int | None = attribute("WorkingAreaTotal", 13, UINT64, unit="GB")
    working_area_free: int | None = attribute("WorkingAreaFree", 14, UINT64, unit="GB")
    working_area_life_time: int | None = attribute("WorkingAreaLifeTime", 15, UINT64, unit="s")
    working_area_multi_slot_total: int | None = attribute("WorkingAreaMultiSlotTotal", 16, UINT64, unit="GB")
    working_area_multi_slot_free: int | None = attribute("WorkingAreaMultiSlotFree", 17, UINT64, unit="GB")
    working_area_multi_slot_life_time: int | None = attribute("WorkingAreaMultiSlotLifeTime", 18, UINT64, unit="s")
    cache_total: int | None = attribute("CacheTotal", 19, UINT64, unit="GB")
    cache_free: int | None = attribute("CacheFree", 20, UINT64, unit="GB")
    tmp_dir: str | None = attribute("TmpDir", 21)
    scratch_dir: str | None = attribute("ScratchDir", 22)
    application_dir: str | None = attribute("ApplicationDir", 23)
    computing_service_foreign_key: str | None = reference("ComputingService", 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark(Entity):
    """How fast an environment or a manager is by a named measure."""

    glue: ClassVar[GlueClass] = GlueClass(21)

    type: str | None = attribute("Type", 2, words.BENCHMARK_TYPE, must=True)
    value: float | None = attribute("Value", 3, REAL32, must=True)
    execution_environment_foreign_key: str | None = reference("ExecutionEnvironment", 4)
    computing_manager_foreign_key: str | None = reference("ComputingManager", 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEnvironment(Resource):
    """A kind of machine that a job meets or that a user can start."""

    glue: ClassVar[GlueClass] = GlueClass(22)

    platform: str | None = attribute("Platform", 1, words.PLATFORM, must=True)
    virtual_machine: ExtendedBoolean | None = attribute("VirtualMachine", 2, ExtendedBoolean)
    total_instances: int | None = attribute("TotalInstances", 3, UINT32)
    used_instances: int | None = attribute("UsedInstances", 4, UINT32)
    unavailable_instances: int | None = attribute("UnavailableInstances", 5, UINT32)
    physical_cpus: int | None = attribute("PhysicalCPUs", 6, UINT32)
    logical_cpus: int | None = attribute("LogicalCPUs", 7, UINT32)
    cpu_multiplicity: CPUMultiplicity | None = attribute("CPUMultiplicity", 8, CPUMultiplicity)
    cpu_vendor: str | None = attribute("CPUVendor", 9)
    cpu_model: str | None = attribute("CPUModel", 10)
    cpu_version: str | None = attribute("CPUVersion", 11)
    cpu_clock_speed: int | None = attribute("CPUClockSpeed", 12, UINT32, unit="MHz")
    cpu_time_scaling_factor: float | None = attribute("CPUTimeScalingFactor", 13, REAL32)
    wall_time_scaling_factor: float | None = attribute("WallTimeScalingFactor", 14, REAL32)
    main_memory_size: int | None = attribute("MainMemorySize", 15, UINT64, must=True, unit="MB")
    virtual_memory_size: int | None = attribute("VirtualMemorySize", 16, UINT64, unit="MB")
    os_family: str | None = attribute("OSFamily", 17, words.OS_FAMILY, must=True)
    os_name: str | None = attribute("OSName", 18, words.OS_NAME)
    os_version: str | None = attribute("OSVersion", 19)
    connectivity_in: ExtendedBoolean | None = attribute("ConnectivityIn", 20, ExtendedBoolean, must=True)
    connectivity_out: ExtendedBoolean | None = attribute("ConnectivityOut", 21, ExtendedBoolean, must=True)
    network_info: tuple[str, ...] = attribute("NetworkInfo", 22, words.NETWORK_INFO, multiple=True)
    computing_manager_foreign_key: str | None = reference("ComputingManager", 23)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationEnvironment(Entity):
    """Software, or a machine image, that a user finds there."""

    glue: ClassVar[GlueClass] = GlueClass(23)

    app_name: str | None = attribute("AppName", 2, must=True)
    app_version: str | None = attribute("AppVersion", 3)
    repository: str | None = attribute("Repository", 4, URL)
    state: str | None = attribute("State", 5, words.APP_ENV_STATE)
    removal_date: datetime | None = attribute("RemovalDate", 6, DATETIME)
    license: str | None = attribute("License", 7, words.LICENSE)
    description: str | None = attribute("Description", 8)
    best_benchmark: tuple[str, ...] = attribute("BestBenchmark", 9, words.BENCHMARK_TYPE, multiple=True)
    parallel_support: str | None = attribute("ParallelSupport", 10, words.PARALLEL_SUPPORT)
    max_slots: int | None = attribute("MaxSlots", 11, UINT32, unit="slot")
    max_jobs: int | None = attribute("MaxJobs", 12, UINT32, unit="job")
    max_user_seats: int | None = attribute("MaxUserSeats", 13, UINT32, unit="user seat")
    free_slots: int | None = attribute("FreeSlots", 14, UINT32, unit="slot")
    free_jobs: int | None = attribute("FreeJobs", 15, UINT32, unit="slot")
    free_user_seats: int | None = attribute("FreeUserSeats", 16, UINT32, unit="user seat")
    execution_environment_foreign_key: tuple[str, ...] = reference("ExecutionEnvironment", 17, multiple=True)
    computing_manager_foreign_key: str | None = reference("ComputingManager", 18, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationHandle(Entity):
    """How a user refers to an application environment."""

    glue: ClassVar[GlueClass] = GlueClass(24)

    type: str | None = attribute("Type", 2, words.APPLICATION_HANDLE_TYPE, must=True)
    value: str | None = attribute("Value", 3, must=True)
    application_environment_foreign_key: str | None = reference("ApplicationEnvironment", 4, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputingActivity(Activity):
    """A job or a virtual machine."""

    glue: ClassVar[GlueClass] = GlueClass(25)

    type: ComputingActivityType | None = attribute("Type", 1, ComputingActivityType)
    id_from_endpoint: str | None = attribute("IDFromEndpoint", 2, URI)
    local_id_from_manager: str | None = attribute("LocalIDFromManager", 3)
    job_description: str | None = attribute("JobDescription", 4, words.JOB_DESCRIPTION)
    state: tuple[str, ...] = attribute("State", 5, words.COMPUTING_ACTIVITY_STATE, multiple=True, must=True)
    restart_state: tuple[str, ...] = attribute("RestartState", 6, words.COMPUTING_ACTIVITY_STATE, multiple=True)
    exit_code: int | None = attribute("ExitCode", 7, INT32)
    computing_manager_exit_code: str | None = attribute("ComputingManagerExitCode", 8)
    error: tuple[str, ...] = attribute("Error", 9, multiple=True)
    waiting_position: int | None = attribute("WaitingPosition", 10, UINT32)
    user_domain: str | None = attribute("UserDomain", 11)
    owner: str | None = attribute("Owner", 12, must=True)
    local_owner: str | None = attribute("LocalOwner", 13)
    requested_total_wall_time: int | None = attribute("RequestedTotalWallTime", 14, UINT64, unit="s")
    requested_total_cpu_time: int | None = attribute("RequestedTotalCPUTime", 15, UINT64, unit="s")
    requested_slots: int | None = attribute("RequestedSlots", 16, UINT32, unit="slot")
    requested_application_environment: tuple[str, ...] = attribute("RequestedApplicationEnvironment", 17, multiple=True)
    std_in: str | None = attribute("StdIn", 18)
    std_out: str | None = attribute("StdOut", 19)
    std_err: str | None = attribute("StdErr", 20)
    log_dir: str | None = attribute("LogDir", 21)
    execution_node: tuple[str, ...] = attribute("ExecutionNode", 22, multiple=True)
    queue: str | None = attribute("Queue", 23)
    used_total_wall_time: int | None = attribute("UsedTotalWallTime", 24, UINT64, unit="s")
    used_total_cpu_time: int | None = attribute("UsedTotalCPUTime", 25, UINT64, unit="s")
    used_main_memory: int | None = attribute("UsedMainMemory", 26, UINT64, unit="MB")
    submission_time: datetime | None = attribute("SubmissionTime", 27, DATETIME)
    computing_manager_submission_time: datetime | None = attribute("ComputingManagerSubmissionTime", 28, DATETIME)
    start_time: datetime | None = attribute("StartTime", 29, DATETIME)
    computing_manager_end_time: datetime | None = attribute("ComputingManagerEndTime", 30, DATETIME)
    end_time: datetime | None = attribute("EndTime", 31, DATETIME)
    working_area_erase_time: datetime | None = attribute("WorkingAreaEraseTime", 32, DATETIME)
    proxy_expiration_time: datetime | None = attribute("ProxyExpirationTime", 33, DATETIME)
    submission_host: str | None = attribute("SubmissionHost", 34)
    submission_client_name: str | None = attribute("SubmissionClientName", 35)
    other_messages: str | None = attribute("OtherMessages", 36, mult="0..*")
    computing_endpoint_foreign_key: str | None = reference("ComputingEndpoint", 37)
    computing_share_foreign_key: str | None = reference("ComputingShare", 38)
    execution_environment_foreign_key: str | None = reference("ExecutionEnvironment", 39)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToStorageService(Entity):
    """A path by which a computing service reaches a storage service."""

    glue: ClassVar[GlueClass] = GlueClass(26)

    local_path: str | None = attribute("LocalPath", 2, must=True)
    remote_path: str | None = attribute("RemotePath", 3, must=True)
    computing_service_foreign_key: str | None = reference("ComputingService", 4, must=True)
    storage_service_foreign_key: str | None = reference("StorageService", 5, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageService(Service):
    """A service that keeps data."""

    glue: ClassVar[GlueClass] = GlueClass(27)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageServiceCapacity(Entity):
    """How much a storage service holds, by kind of storage."""

    glue: ClassVar[GlueClass] = GlueClass(28)

    type: str | None = attribute("Type", 2, words.STORAGE_CAPACITY, must=True)
    total_size: int | None = attribute("TotalSize", 3, UINT64, unit="GB")
    free_size: int | None = attribute("FreeSize", 4, UINT64, unit="GB")
    used_size: int | None = attribute("UsedSize", 5, UINT64, unit="GB")
    reserved_size: int | None = attribute("ReservedSize", 6, UINT64, unit="GB")
    storage_service_foreign_key: str | None = reference("StorageService", 7, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageAccessProtocol(Entity):
    """A protocol by which stored data is read and written."""

    glue: ClassVar[GlueClass] = GlueClass(29)

    type: str | None = attribute("Type", 2, words.STORAGE_ACCESS_PROTOCOL_TYPE, must=True)
    version: str | None = attribute("Version", 3, must=True)
    max_streams: int | None = attribute("MaxStreams", 4, UINT32, unit="stream", xsd="int")
    storage_service_foreign_key: str | None = reference("StorageService", 5, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageEndpoint(Endpoint):
    """An endpoint that manages stored data."""

    glue: ClassVar[GlueClass] = GlueClass(30)

    storage_service_foreign_key: str | None = reference("StorageService", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageShare(Share):
    """What a storage service gives to a set of users."""

    glue: ClassVar[GlueClass] = GlueClass(31)

    serving_state: ServingState | None = attribute("ServingState", 1, ServingState, must=True)
    path: str | None = attribute("Path", 2)
    access_mode: tuple[str, ...] = attribute("AccessMode", 3, words.ACCESS_MODE, multiple=True)
    sharing_id: str | None = attribute("SharingID", 4, LOCAL_ID, must=True)
    access_latency: AccessLatency | None = attribute("AccessLatency", 5, AccessLatency, must=True)
    retention_policy: tuple[str, ...] = attribute("RetentionPolicy", 6, words.RETENTION_POLICY, multiple=True)
    expiration_mode: ExpirationMode | None = attribute("ExpirationMode", 7, ExpirationMode, mult="0..3")
    default_life_time: int | None = attribute("DefaultLifeTime", 8, UINT32, unit="s", xsd="int")
    maximum_life_time: int | None = attribute("MaximumLifeTime", 9, UINT32, unit="s", xsd="int")
    tag: str | None = attribute("Tag", 10)
    storage_endpoint_foreign_key: tuple[str, ...] = reference("StorageEndpoint", 11, multiple=True)
    data_store_foreign_key: tuple[str, ...] = reference("DataStore", 12, multiple=True)
    storage_service_foreign_key: str | None = reference("StorageService", 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageShareCapacity(Entity):
    """How much a storage share holds, by kind of storage."""

    glue: ClassVar[GlueClass] = GlueClass(32)

    type: str | None = attribute("Type", 2, words.STORAGE_CAPACITY, must=True)
    total_size: int | None = attribute("TotalSize", 3, UINT64, unit="GB", xsd="int")
    free_size: int | None = attribute("FreeSize", 4, UINT64, unit="GB", xsd="int")
    used_size: int | None = attribute("UsedSize", 5, UINT64, unit="GB", xsd="int")
    reserved_size: int | None = attribute("ReservedSize", 6, UINT64, unit="GB", xsd="int")
    storage_share_foreign_key: tuple[str, ...] = reference("StorageShare", 7, multiple=True, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageManager(Manager):
    """The software behind a storage service."""

    glue: ClassVar[GlueClass] = GlueClass(33)

    storage_service_foreign_key: str | None = reference("StorageService", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStore(Resource):
    """A device or medium that keeps data."""

    glue: ClassVar[GlueClass] = GlueClass(34)

    type: str | None = attribute("Type", 1, words.DATA_STORE_TYPE, must=True)
    latency: AccessLatency | None = attribute("Latency", 2, AccessLatency, must=True)
    total_size: int | None = attribute("TotalSize", 3, UINT64, unit="GB", xsd="int")
    free_size: int | None = attribute("FreeSize", 4, UINT64, unit="GB", xsd="int")
    used_size: int | None = attribute("UsedSize", 5, UINT64, unit="GB", xsd="int")
    storage_manager_foreign_key: str | None = reference("StorageManager", 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToComputingService(Entity):
    """A network path from storage to a computing service."""

    glue: ClassVar[GlueClass] = GlueClass(35)

    network_info: str | None = attribute("NetworkInfo", 2, words.NETWORK_INFO)
    bandwidth: int | None = attribute("Bandwidth", 3, UINT32, unit="Mb/s", xsd="int")
    storage_access_protocol_foreign_key: tuple[str, ...] = reference("StorageAccessProtocol", 4, multiple=True)
    computing_service_foreign_key: str | None = reference("ComputingService", 5, must=True)
    storage_service_foreign_key: str | None = reference("StorageService", 6, must=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A container in the LDAP tree; the model, XML and JSON do not have it."""

    glue: ClassVar[GlueClass] = GlueClass(36, identifier_aliases=("GLUE2GroupName", "GLUE2GroupLocalID"))

    id: str


Entry: TypeAlias = Entity | Group | Extension
"""Whatever stands as an entry in a GLUE 2.0 tree."""
