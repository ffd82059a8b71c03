"""Where each fact goes in GLUE 2.0: the one table of attributes and of `OtherInfo` keys.

What GLUE 2.0 has no attribute for becomes one `OtherInfo: Key=value` on the entity itself, one key per fact, named as
in the GLUE 2.1 draft where it has a name. A key that is not in this table cannot be published (`OtherInfo.add`), and an
attribute that is not in it fails a test. docs/mapping.md and `explain` are made from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

VERSION = 1
"""Raised whenever a fact moves to another place or a key changes its meaning."""

CONFIGURATION = "configuration"
OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Place:
    """One fact and its place.

    `place` is a GLUE attribute, or an `OtherInfo` key where `is_key`; a key that ends in a dot is a family, completed
    by an id. `facets` are what the fact is read or computed from, `unit` is of the published value, `settings` are the
    keys of the configuration that have a say in it.
    """

    entity: str
    place: str
    fact: str
    facets: tuple[str, ...]
    is_key: bool = False
    unit: str = ""
    repeats: bool = False
    settings: tuple[str, ...] = ()


def _rows(entity: str, rows: str) -> Iterable[Place]:
    """Read rows of `place | fact | facets | unit | settings`; `=` marks a key, `=*` one that may repeat."""
    for row in rows.strip().splitlines():
        place, fact, facets, *rest = (cell.strip() for cell in row.split("|"))
        yield Place(
            entity,
            place.rstrip("=*"),
            fact,
            tuple(facets.split()),
            is_key="=" in place,
            unit="".join(rest[:1]),
            repeats=place.endswith("*"),
            settings=tuple("".join(rest[1:]).split()),
        )


_ANY_ENTITY = """
    CreationTime | when the defining facet was observed | defining
    Validity | how long the entry may be believed, a constant of the class | defining
"""

_PRICES = """
    Price.Resource= | flavour (of an instance type), cpu, memory, storage, …; `.2`, `.3` for further prices | prices
    Price.FixFee= | fixed fee | prices | currency
    Price.FixFeePeriod= | once, hourly, daily, monthly, yearly | prices
    Price.ConsumptionFee= | fee by use | prices | currency
    Price.ConsumptionFeePeriod= | hourly, daily, monthly, yearly | prices
    Price.Currency= | ISO 4217 | prices
    Price.Scope= | for whom | prices
    Price.ValidFrom= | from when | prices
    Price.ValidUntil= | until when | prices
    Price.ObservedAt= | when the prices were observed | prices
"""

_TABLES = {
    "AdminDomain": """
        ID | registered name of the centre | configuration | | centre.name
        Name | registered name of the centre | configuration | | centre.name
        Description | what the centre is | configuration | | centre.description
        WWW | web page of the centre | configuration | | centre.web_page
        Distributed | whether the centre is spread over several places | configuration | | centre.distributed
        Owner | who runs the centre | configuration | | centre.owner
    """,
    "Location": """
        ID | made of the centre's name | configuration | | centre.name
        Address | street address | configuration | | centre.location.address
        Place | town | configuration | | centre.location.place
        Country | country | configuration | | centre.location.country
        PostCode | post code | configuration | | centre.location.post_code
        Latitude | latitude, north positive | configuration | | centre.location.latitude
        Longitude | longitude, east positive | configuration | | centre.location.longitude
        DomainForeignKey | the centre | configuration | | centre.name
    """,
    "Contact": """
        ID | made of the centre's name and the contact's type | configuration | | centre.name centre.contacts
        Detail | how to reach them | configuration | | centre.contacts.detail
        Type | what they are for | configuration | | centre.contacts.type
        DomainForeignKey | the centre | configuration | | centre.name
    """,
    "UserDomain": """
        ID | registered name of the community | configuration | | communities.name
        Name | registered name of the community | configuration | | communities.name
        Description | what the community is | configuration | | communities.description
        WWW | web page of the community | configuration | | communities.web_page
        UserManager | where its members are managed | configuration | | communities.user_manager
    """,
    "ComputingService": """
        ID | made of the centre's and the instance's names | configuration | | centre.name instances.name
        Name | the operator's name of the instance | configuration | | instances.name
        Capability | what the service does; image upload where the manager offers it | manager
        Type | IaaS (vocabulary egi-strict: other) | configuration | | publication.vocabulary
        QualityLevel | the operator's word on maturity | configuration | | instances.quality_level
        StatusInfo | status page of the manager | manager
        Complexity | number of endpoint types, shares and resources | manager quotas usage instance_types hypervisors
        AdminDomainForeignKey | the centre | configuration | | centre.name
        TotalJobs | machines of all projects that run, wait, stage or are suspended | usage
        RunningJobs | machines of all projects that run | usage
        WaitingJobs | machines of all projects that wait to start | usage
        StagingJobs | machines of all projects that stage | usage
        SuspendedJobs | machines of all projects that are suspended | usage
        VMHalted= | machines of all projects that are stopped or shelved | usage | machines
        VMError= | machines of all projects in error | usage | machines
        gocdb_id= | key of the service in the federation's site database | configuration | | instances.gocdb_id
        InfoProviderName= | the publishing program | configuration
        InfoProviderVersion= | its version | configuration
        ProfileName= | the profile that is kept to (vocabulary egi-strict) | configuration | | publication.vocabulary
    """,
    "ComputingEndpoint": """
        ID | made of the instance, sign-in method and interface | manager
        URL | address of the interface | manager
        Capability | what the interface does | manager
        Technology | technology of the interface | manager
        InterfaceName | name of the API | manager
        InterfaceVersion | version of the API | manager
        SupportedProfile | URI of the written trust policy for images | trust
        Implementor | who makes the VM manager | manager
        ImplementationName | the VM manager | manager
        ImplementationVersion | version of the VM manager | manager
        QualityLevel | the operator's word on maturity | configuration | | instances.quality_level
        HealthState | how collecting went and how old the answers are, or the operator's word | outcome configuration \
            | | instances.health instances.downtime
        HealthStateInfo | what was seen | outcome configuration | | instances.health instances.downtime
        ServingState | the operator's word on whether requests are taken | configuration | | instances.serving_state
        StartTime | when the interface was started | manager
        IssuerCA | subject DN of the authority of its certificate | manager
        TrustedCA | subject DNs of the authorities that it trusts | manager
        DowntimeAnnounce | when the interruption was announced | configuration | | instances.downtime.announced
        DowntimeStart | when the interruption begins | configuration | | instances.downtime.start
        DowntimeEnd | when the interruption ends | configuration | | instances.downtime.end
        DowntimeInfo | what the interruption is | configuration | | instances.downtime.info
        ServiceForeignKey | its service | configuration | | centre.name instances.name
        ComputingServiceForeignKey | its service | configuration | | centre.name instances.name
        Authn= | sign-in method | manager
        Authn.URL= | address where users sign in, if not at the interface itself | manager
        Issuer=* | URL of an identity provider that is accepted | manager
        Feature.Snapshot= | users can take snapshots | manager
        Feature.Suspend= | users can suspend machines | manager
        Feature.UserNetwork= | users can make networks of their own | manager
        Feature.BlockStorage= | users can attach volumes | manager
        ImageTrust.Model= | who makes the images that may be started: site, endorsed, user | trust
        ImageTrust.Endorser=* | whose endorsement is honoured | trust
        ImageTrust.ImageList=* | image list that is honoured | trust
        ImageTrust.UserUpload= | users may upload images | trust
        ImageTrust.RestartFrom= | what a machine is made anew from: golden, snapshot | trust
        ImageTrust.HonoursExpiry= | expired images are not started | trust
        ImageTrust.Revocation= | where withdrawn images are listed | trust
        ImageTrust.ObservedAt= | when the trust policy was observed | trust
    """,
    "AccessPolicy": """
        ID | the endpoint's ID with `:policy` | manager
        Scheme | org.glite.standard | configuration
        Rule | communities that may use the endpoint | configuration | | communities
        EndpointForeignKey | the endpoint | manager
        UserDomainForeignKey | the communities | configuration | | communities.name
    """,
    "ComputingManager": """
        ID | made of the centre's and the instance's names | configuration | | centre.name instances.name
        ProductName | the VM manager | manager
        ProductVersion | version of the VM manager | manager
        Reservation | capacity can be reserved in advance | manager
        BulkSubmission | many machines can be started by one request | manager
        TotalPhysicalCPUs | sockets of all hosts that the manager knows | capacity
        TotalLogicalCPUs | logical CPUs of all hosts that the manager knows | capacity
        TotalSlots | vCPUs that usable hosts hold, overcommitment included | capacity
        SlotsUsedByGridJobs | vCPUs of the projects of published communities | usage
        SlotsUsedByLocalJobs | vCPUs of all other projects | usage
        Homogeneous | all hosts are of one class | hypervisors
        NetworkInfo | network technology | networks hypervisors
        WorkingAreaShared | hosts draw their disk from one common store | capacity
        WorkingAreaTotal | disk of usable hosts | capacity
        WorkingAreaFree | disk of usable hosts that is not allocated | capacity
        ServiceForeignKey | its service | configuration | | centre.name instances.name
        ComputingServiceForeignKey | its service | configuration | | centre.name instances.name
        HypervisorName=* | hypervisor kinds | hypervisors
        HypervisorVersion=* | version, where all hosts have one kind and version | hypervisors
        CPUVirtualizationType=* | emulation, paravirtualization, hardware | hypervisors
        NetworkVirtualizationType= | none, vswitch, ebtables, vlan, firewall | networks
        VirtualDiskFormat=* | disk formats that the manager takes | manager
        AvailabilityZone=* | part of the cloud that users can ask a machine to be in | manager
        TotalMemory= | memory of usable hosts, overcommitment included | capacity | MB
        FreeMemory= | memory of usable hosts that is not allocated | capacity | MB
        CPUOvercommitRatio= | vCPUs per logical CPU | capacity
        AcceleratorTotal=* | devices of usable hosts, as `type:number` | capacity | devices
        LiveMigration= | running machines can be moved | manager
        Failover= | machines of a failed host are started elsewhere | manager
        VMBackupRestore= | machines can be backed up and restored | manager
    """,
    "ExecutionEnvironment": """
        ID | made of the manager's id of the host class or instance type | instance_types hypervisors
        Name | name of the host class; native id of the instance type | instance_types hypervisors
        Platform | processor architecture | instance_types hypervisors configuration | | instances.defaults.platform
        VirtualMachine | true: an instance type, false: a class of equal hosts | instance_types hypervisors
        TotalInstances | hosts of the class; machines of the type that all hold | hypervisors capacity instance_types
        UsedInstances | hosts that hold machines; machines of the type that hold capacity | hypervisors usage
        UnavailableInstances | unusable hosts; what they could hold of the type | hypervisors capacity instance_types
        PhysicalCPUs | sockets of one host | hypervisors
        LogicalCPUs | logical CPUs of one host; vCPUs of the type | instance_types hypervisors
        CPUMultiplicity | whether one host has several sockets and cores | hypervisors
        CPUVendor | processor vendor, where all hosts agree | hypervisors
        CPUModel | processor model, where all hosts agree | hypervisors
        CPUVersion | processor stepping or family, where all hosts agree | hypervisors
        CPUClockSpeed | clock, where all hosts agree | hypervisors
        MainMemorySize | memory of one host; of a machine of the type | instance_types hypervisors
        VirtualMemorySize | memory and swap of a machine of the type | instance_types
        OSFamily | the hosts' system; the type's, or its images' where all agree | instance_types images configuration \
            | | instances.defaults.os_family
        OSName | the hosts' system; the type's | instance_types hypervisors
        OSVersion | its version | instance_types hypervisors
        ConnectivityIn | machines can be reached from outside | networks
        ConnectivityOut | machines can reach the outside | networks
        NetworkInfo | network technology | networks hypervisors
        ManagerForeignKey | its manager | manager
        ComputingManagerForeignKey | its manager | manager
        disk= | root disk of a machine of the type | instance_types | GB
        TemplateName= | the manager's display name of the type | instance_types
        TemplateID= | the manager's id of the type, where nothing else is known of it | instance_types
        EphemeralStorage= | further local disk of a machine of the type | instance_types | GB
        Disk= | local disk of one host | hypervisors | GB
        HypervisorName=* | hypervisor kinds | hypervisors
        HypervisorVersion=* | hypervisor version | hypervisors
        CPUVirtualizationType=* | emulation, paravirtualization, hardware | hypervisors
        VirtualDiskFormat=* | disk formats that this hypervisor boots | hypervisors
        AcceleratorType= | GPU, MIC, FPGA; `.2`, `.3` for further kinds | instance_types
        AcceleratorNumber= | devices of that kind in one machine | instance_types | devices
        AcceleratorVendor= | who makes them | instance_types
        AcceleratorModel= | their model | instance_types
        AcceleratorMemory= | memory of one | instance_types | MB
        AcceleratorVirtualizationType= | how it is shared | instance_types
        NetworkBandwidth= | bandwidth of one host or machine | instance_types hypervisors networks | Mb/s
        PublicIPv4= | always, onrequest, none | networks
        IPv6= | machines get IPv6 addresses | networks
        VLAN= | machines can be put into VLANs | networks
        FirewallControl= | who sets firewall rules: user, site, none | networks
        NetworkPortsIn= | ports open from outside | networks
        NetworkPortsOut= | ports open to the outside | networks
        HostPool=* | host class on which the type runs: its ID | hypervisors
        TotalInstances.ObservedAt= | when the capacity was observed, where it is much older than the entry | capacity
        UsedInstances.ObservedAt= | when the machines were counted, where it is much older than the entry | usage
        Connectivity.ObservedAt= | when the networks were observed, where it is much older than the entry | networks
    """,
    "Benchmark": """
        ID | made of the host class and the benchmark's type | hypervisors
        Type | kind of benchmark | hypervisors
        Value | power of one host | hypervisors
        ExecutionEnvironmentForeignKey | the host class | hypervisors
        ComputingManagerForeignKey | its manager | manager
    """,
    "ApplicationEnvironment": """
        ID | made of the manager's id of the image | images
        Name | native id of the image: what a machine is started from | images
        AppName | name of the image | images
        AppVersion | version of the image | images
        Repository | marketplace URI | images
        State | endorsed and verified, not verified, or to be removed | images endorsements
        RemovalDate | when its endorsement ends | endorsements
        License | licence | images
        Description | description | images
        ComputingManagerForeignKey | its manager | manager
        ExecutionEnvironmentForeignKey | instance types that it fits on | images instance_types hypervisors
        Image.Format= | disk format | images
        Image.Size= | size of the file | images | GB
        Image.Platform= | processor architecture | images
        Image.OSFamily= | family of its operating system | images
        Image.OSName= | its operating system | images
        Image.OSVersion= | version of its operating system | images
        Image.MinCPU= | vCPUs that it needs at least | images | vCPU
        Image.MinRAM= | memory that it needs at least | images | MB
        Image.MinDisk= | root disk that it needs at least | images | GB
        Image.Contextualization= | how it is told who it is | images
        Image.Checksum.= | digest of the file, by algorithm | images
        Image.Endorser=* | who endorses it | endorsements
        Image.ImageList=* | list that carries the endorsement | endorsements
        Image.Expiry= | when the endorsement ends | endorsements
        Image.Endorser.ObservedAt= | when that was observed, where it is much older than the entry | endorsements
    """,
    "ComputingShare": """
        ID | made of the instance's name and the project's id | quotas usage
        Name | the community | configuration | | communities.name
        MaxWallTime | longest life of a machine | quotas
        DefaultWallTime | life of a machine unless told otherwise | quotas
        MaxTotalJobs | quota of machines | quotas
        MaxRunningJobs | quota of machines | quotas
        MaxUserRunningJobs | quota of machines of one user | quotas
        MaxSlotsPerJob | vCPUs of the largest instance type | instance_types
        MaxMainMemory | memory of the largest instance type | instance_types
        GuaranteedMainMemory | memory of the smallest instance type | instance_types
        MaxDiskSpace | local disk of the largest instance type | instance_types
        Preemption | machines may be taken away | quotas
        ServingState | the operator's word on whether requests are taken | configuration | | instances.serving_state
        TotalJobs | machines that run, wait, stage or are suspended | usage
        RunningJobs | machines that run | usage
        WaitingJobs | machines that wait to start | usage
        StagingJobs | machines that stage | usage
        SuspendedJobs | machines that are suspended | usage
        EstimatedAverageWaitingTime | mean start-up time of recent machines | usage
        EstimatedWorstWaitingTime | longest start-up time of recent machines | usage
        FreeSlots | vCPUs that could still be started | quotas usage capacity configuration \
            | | instances.serving_state instances.downtime
        UsedSlots | vCPUs in use | usage
        ServiceForeignKey | its service | configuration | | centre.name instances.name
        ComputingServiceForeignKey | its service | configuration | | centre.name instances.name
        EndpointForeignKey | endpoints that lead to it | manager
        ComputingEndpointForeignKey | endpoints that lead to it | manager
        ResourceForeignKey | instance types that the project may use | instance_types
        ExecutionEnvironmentForeignKey | instance types that the project may use | instance_types
        ProjectID= | native id of the project | quotas usage
        QuotaCPU= | quota of vCPUs | quotas | vCPU
        QuotaMemory= | quota of memory | quotas | MB
        QuotaDisk= | quota of disk | quotas | GB
        QuotaPublicIP= | quota of public addresses | quotas | addresses
        AcceleratorMaxNumber= | quota of accelerators | quotas | devices
        VMHalted= | machines that are stopped or shelved | usage | machines
        VMError= | machines in error | usage | machines
        FreeInstances.= | machines that could start now | quotas usage capacity instance_types hypervisors networks
        FreeInstances.UpperBound=* | type with upper bound | quotas usage capacity instance_types hypervisors networks
        FreeInstances.ObservedAt= | when the capacity was observed, where it is much older than the entry | capacity
        HostPool=* | host class that it draws from: its ID | hypervisors
        DefaultNetworkType= | public, public_only, private, private_only | networks
        PublicNetworkName=* | public networks that the project may use | networks
        Image=* | image to start on one of the types: URI, else native id | images instance_types trust endorsements
    """,
    "MappingPolicy": """
        ID | the share's ID with `:policy` | configuration | | communities.projects.project
        Scheme | org.glite.standard | configuration
        Rule | who of the community may use the share | configuration | | communities
        ShareForeignKey | the share | quotas usage
        UserDomainForeignKey | the community | configuration | | communities.name
    """,
}

_PRICED = ("ExecutionEnvironment", "ComputingShare")


def _table(entity: str) -> Iterable[Place]:
    yield from _rows(entity, _TABLES[entity])
    if entity in _PRICED:
        yield from _rows(entity, _PRICES)
    yield from _rows(entity, _ANY_ENTITY)


PLACES: tuple[Place, ...] = tuple(place for entity in _TABLES for place in _table(entity))


@cache
def keys_of(entity: str) -> dict[str, Place]:
    """The `OtherInfo` keys that an entity of this class may carry."""
    return {place.place: place for place in PLACES if place.entity == entity and place.is_key}


def place_of(entity: str, name: str, *, is_key: bool = False) -> Place:
    """The row of an attribute or a key. Raises KeyError where the table has none."""
    if not is_key:
        return _attributes_of(entity)[name]
    keys = keys_of(entity)
    if name in keys:
        return keys[name]
    # `AcceleratorType.2` repeats a group of keys; `FreeInstances.m1.small` belongs to a family of keys.
    group, _, number = name.rpartition(".")
    if number.isdigit() and group in keys:
        return keys[group]
    # `Image.More` says how many values of its group were cut.
    if number == "More" and (cut := [key for key in keys if key.partition(".")[0] == group]):
        return keys[cut[0]]
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        family = ".".join(parts[:length]) + "."
        if family in keys:
            return keys[family]
    raise KeyError(f"{entity} has no OtherInfo key {name}")


@cache
def _attributes_of(entity: str) -> dict[str, Place]:
    return {place.place: place for place in PLACES if place.entity == entity and not place.is_key}
