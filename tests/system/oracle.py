"""What a described centre must look like in a BDII, worked out from its YAML by plain formulas.

A second opinion on the mapping: it reads the configuration and the files beside it with PyYAML and imports nothing of
the package. Stated are every number of an entry, what it refers to, and what brokers filter on.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from tests.system.answers import Expected, Stated
from tests.system.description import Description, Yaml, gib, is_in_use, mib, number

SIGN_IN = {
    "oidc": "OIDC",
    "password": "User/Password",
    "token": "Token",
    "x509": "X509",
    "x509-voms": "X509-VOMS",
}
INTERFACE = {"ec2": "EC2", "occi": "OCCI", "opennebula": "OpenNebula", "openstack": "org.openstack.nova"}
DOTTED = {
    "ec2": "com.amazon.ec2",
    "occi": "org.ogf.occi",
    "opennebula": "org.opennebula",
    "openstack": "org.openstack.nova",
}
PLATFORM = {"x86_64": "amd64", "aarch64": "aarch64"}
COUNTED = {"running": "RunningJobs", "waiting": "WaitingJobs", "staging": "StagingJobs", "suspended": "SuspendedJobs"}
DYNAMIC, SLOW, STATIC = 1200, 3600, 86400


def expected(config: Path) -> dict[str, Expected]:
    """Every entry below the group, by its ID."""
    written = yaml.safe_load(config.read_text())
    managers = [Manager(written, instance, config.parent) for instance in written["instances"]]
    everything = chain(communities(written), *(manager.entries() for manager in managers))
    return {entry.id: entry for entry in everything}


def centre(config: Path) -> dict[str, Expected]:
    """The centre's own entries, which only the template set `site` has."""
    written = yaml.safe_load(config.read_text())["centre"]
    name, place = written["name"], written["location"]
    domain = stating(GLUE2EntityValidity=STATIC, GLUE2AdminDomainOwner=written["owner"])
    location = stating(
        GLUE2EntityValidity=STATIC,
        GLUE2LocationLatitude=place["latitude"],
        GLUE2LocationLongitude=place["longitude"],
        GLUE2LocationPostCode=place["post_code"],
        GLUE2LocationDomainForeignKey=name,
    )
    found = [
        Expected("AdminDomain", name, None, domain),
        Expected("Location", f"urn:glue2:Location:{slug(name)}", name, location),
    ]
    for one in written["contacts"]:
        stated = stating(
            GLUE2EntityValidity=STATIC,
            GLUE2ContactType=one["type"],
            GLUE2ContactDetail=one["detail"],
            GLUE2ContactDomainForeignKey=name,
        )
        id_ = f"urn:glue2:Contact:{slug(name)}:{one['type']}:{local(one['detail'])}"
        found.append(Expected("Contact", id_, name, stated))
    return {entry.id: entry for entry in found}


def communities(written: Yaml) -> Iterable[Expected]:
    """One UserDomain each, directly below the group."""
    for community in written["communities"]:
        stated = stating(GLUE2EntityValidity=STATIC, GLUE2EntityName=community["name"])
        yield Expected("UserDomain", community["name"], None, stated)


class Manager(Description):
    """What must be found of one described VM manager."""

    def __init__(self, written: Yaml, block: Yaml, folder: Path) -> None:
        """As it is read from its file."""
        super().__init__(written, block, folder)
        self.centre = written["centre"]["name"]
        self.service = self.id("ComputingService")
        self.manager = self.id("ComputingManager")

    def id(self, class_: str, *parts: str) -> str:
        """An identifier of this instance."""
        return ":".join(["urn:glue2", class_, slug(self.centre), slug(self.block["name"]), *parts])

    def entries(self) -> Iterable[Expected]:
        """Everything of this manager."""
        yield self.of_service()
        yield self.of_manager()
        for endpoint in self.described["manager"]["endpoints"]:
            for sign_in in endpoint["sign_in"]:
                yield from self.of_endpoint(endpoint, sign_in)
        for pool in self.described["hypervisors"]["pools"]:
            yield from self.of_pool(pool)
        for type_ in self.types:
            yield self.of_type(type_)
        for image in self.images:
            yield self.of_image(image)
        for project in self.mapped:
            yield from self.of_share(next(one for one in self.described["projects"] if one["id"] == project))

    def of_service(self) -> Expected:
        """The counters are of all projects, published or not."""
        interfaces = {endpoint["interface"] for endpoint in self.described["manager"]["endpoints"]}
        resources = len(self.types) + len(self.described["hypervisors"]["pools"])
        stated = stating(
            GLUE2EntityValidity=DYNAMIC,
            GLUE2ServiceType="IaaS",
            GLUE2ServiceAdminDomainForeignKey=self.centre,
            GLUE2ServiceComplexity=f"endpointType={len(interfaces)}, share={len(self.mapped)}, resource={resources}",
            VMHalted=self.usage("halted"),
            VMError=self.usage("error"),
            **jobs("ComputingService", {state: self.usage(state) for state in COUNTED}),
        )
        return Expected("ComputingService", self.service, None, stated)

    def of_manager(self) -> Expected:
        """CPUs are of all hosts; slots, memory and disk of those that are usable."""
        capacity = self.described["capacity"]
        pools = {id(host["pool"]): host["pool"] for host in self.hosts}.values()
        versions = {(pool["kind"], pool["version"]) for pool in pools}
        total, free = self.disk()
        gpus: Counter[str] = Counter()
        for device in chain.from_iterable(host.get("devices", ()) for host in self.usable):
            gpus[device["type"]] += device["total"]
        stated = stating(
            GLUE2EntityValidity=DYNAMIC,
            GLUE2ManagerProductName=self.described["manager"]["product"],
            GLUE2ManagerProductVersion=self.described["manager"]["version"],
            **both("Manager", "ComputingManagerComputing", "ServiceForeignKey", self.service),
            GLUE2ComputingManagerTotalPhysicalCPUs=sum(processor(host)["physical_cpus"] for host in self.hosts),
            GLUE2ComputingManagerTotalLogicalCPUs=sum(processor(host)["logical_cpus"] for host in self.hosts),
            GLUE2ComputingManagerTotalSlots=sum(host["vcpus"] for host in self.usable),
            GLUE2ComputingManagerSlotsUsedByGridJobs=self.usage("vcpus", self.mapped),
            GLUE2ComputingManagerSlotsUsedByLocalJobs=self.usage("vcpus", self.unmapped),
            GLUE2ComputingManagerWorkingAreaShared=str(capacity["disk_is_shared"]).lower(),
            GLUE2ComputingManagerWorkingAreaTotal=total,
            GLUE2ComputingManagerWorkingAreaFree=free,
            TotalMemory=sum(mib(host["memory_mib"]) for host in self.usable),
            FreeMemory=sum(mib(host["memory_mib"]) - mib(host["memory_used_mib"]) for host in self.usable),
            CPUOvercommitRatio=capacity["cpu_overcommit"],
            AcceleratorTotal=[f"{kind}:{number}" for kind, number in gpus.items()],
            HypervisorName={pool["kind"] for pool in pools},
            HypervisorVersion=next(iter(versions))[1] if len(versions) == 1 else None,
        )
        return Expected("ComputingManager", self.manager, self.service, stated)

    def endpoint_id(self, endpoint: Yaml, sign_in: Yaml) -> str:
        """It ends in the dotted name of the interface."""
        return self.id("ComputingEndpoint", sign_in["method"], DOTTED[endpoint["interface"]])

    @property
    def endpoint_ids(self) -> set[str]:
        """Of every endpoint."""
        endpoints = self.described["manager"]["endpoints"]
        return {self.endpoint_id(endpoint, sign_in) for endpoint in endpoints for sign_in in endpoint["sign_in"]}

    def of_endpoint(self, endpoint: Yaml, sign_in: Yaml) -> Iterable[Expected]:
        """One endpoint for each way to sign in, with the policy that admits the communities."""
        id_ = self.endpoint_id(endpoint, sign_in)
        stated = stating(
            GLUE2EntityValidity=DYNAMIC,
            GLUE2EndpointURL=endpoint["url"],
            GLUE2EndpointInterfaceName=INTERFACE[endpoint["interface"]],
            GLUE2EndpointInterfaceVersion=endpoint["version"],
            GLUE2EndpointImplementationName=self.described["manager"]["product"],
            GLUE2EndpointImplementationVersion=self.described["manager"]["version"],
            GLUE2EndpointImplementor=self.described["manager"]["vendor"],
            GLUE2EndpointHealthState=self.block.get("health", {}).get("state", "unknown"),
            GLUE2EndpointQualityLevel=self.block.get("quality_level", "production"),
            GLUE2EndpointServingState="production",
            GLUE2EndpointSupportedProfile=self.section("trust")["policy_uri"],
            **both("Endpoint", "ComputingEndpointComputing", "ServiceForeignKey", self.service),
            Authn=SIGN_IN[sign_in["method"]],
            Issuer=sign_in.get("issuers"),
        )
        yield Expected("ComputingEndpoint", id_, self.service, stated)
        rows = [row for rows in self.mapped.values() for row in rows]
        policy = stating(
            GLUE2EntityValidity=STATIC,
            GLUE2PolicyRule=rules(rows),
            GLUE2PolicyUserDomainForeignKey={community for community, _ in rows},
            GLUE2AccessPolicyEndpointForeignKey=id_,
        )
        yield Expected("AccessPolicy", f"{id_}:policy", id_, policy)

    def pool_id(self, pool: Yaml) -> str:
        """Of a class of equal hosts; an instance type may have the same native id."""
        return self.id("ExecutionEnvironment", "host-pool", local(pool["id"]))

    def of_pool(self, pool: Yaml) -> Iterable[Expected]:
        """A class of equal hosts, and its benchmarks."""
        id_ = self.pool_id(pool)
        hosts = [host for host in self.hosts if host["pool"] is pool]
        stated = stating(
            GLUE2EntityValidity=SLOW,
            GLUE2ExecutionEnvironmentVirtualMachine="false",
            GLUE2ExecutionEnvironmentTotalInstances=len(hosts),
            GLUE2ExecutionEnvironmentUsedInstances=sum(is_in_use(host) for host in hosts),
            GLUE2ExecutionEnvironmentUnavailableInstances=sum(not host.get("usable", True) for host in hosts),
            GLUE2ExecutionEnvironmentPhysicalCPUs=pool["processor"]["physical_cpus"],
            GLUE2ExecutionEnvironmentLogicalCPUs=pool["processor"]["logical_cpus"],
            GLUE2ExecutionEnvironmentCPUClockSpeed=pool["processor"]["clock_mhz"],
            GLUE2ExecutionEnvironmentMainMemorySize=mib(pool["memory_mib"]),
            GLUE2ExecutionEnvironmentPlatform=PLATFORM[pool["architecture"]],
            GLUE2ExecutionEnvironmentOSVersion=pool["operating_system"]["version"],
            **both("Resource", "ExecutionEnvironmentComputing", "ManagerForeignKey", self.manager),
            Disk=gib(pool.get("disk_gib")),
            NetworkBandwidth=pool.get("network_bandwidth_mbps"),
            HypervisorName=pool["kind"],
            HypervisorVersion=pool["version"],
        )
        yield Expected("ExecutionEnvironment", id_, self.service, stated)
        for benchmark in pool.get("benchmarks", ()):
            measured = stating(
                GLUE2EntityValidity=SLOW,
                GLUE2BenchmarkType=benchmark["type"],
                GLUE2BenchmarkValue=benchmark["value"],
                GLUE2BenchmarkExecutionEnvironmentForeignKey=id_,
            )
            yield Expected("Benchmark", self.id("Benchmark", local(pool["id"]), benchmark["type"]), id_, measured)

    def type_id(self, type_: Yaml) -> str:
        """Of an instance type."""
        return self.id("ExecutionEnvironment", local(type_["id"]))

    def of_type(self, type_: Yaml) -> Expected:
        """A size in which machines are started."""
        unusable = [host for host in self.hosts if host not in self.usable]
        accelerator = next(iter(type_.get("accelerators", ())), {})
        clocks = {pool["processor"]["clock_mhz"] for pool in self.pools_of(type_)}
        stated = stating(
            GLUE2EntityValidity=SLOW,
            GLUE2EntityName=type_["id"],
            GLUE2ExecutionEnvironmentVirtualMachine="true",
            GLUE2ExecutionEnvironmentLogicalCPUs=type_["vcpus"],
            GLUE2ExecutionEnvironmentMainMemorySize=mib(type_["memory_mib"]),
            GLUE2ExecutionEnvironmentVirtualMemorySize=with_swap(type_),
            GLUE2ExecutionEnvironmentCPUClockSpeed=clocks.pop() if len(clocks) == 1 else None,
            GLUE2ExecutionEnvironmentTotalInstances=self.room(type_, self.hosts, empty=True),
            GLUE2ExecutionEnvironmentUnavailableInstances=self.room(type_, unusable, empty=True),
            GLUE2ExecutionEnvironmentUsedInstances=self.holding(type_),
            **both("Resource", "ExecutionEnvironmentComputing", "ManagerForeignKey", self.manager),
            disk=gib(type_["disk_gib"]),
            EphemeralStorage=gib(type_.get("ephemeral_gib")),
            NetworkBandwidth=type_.get("network_bandwidth_mbps", self.section("networks")["bandwidth_mbps"]),
            AcceleratorType=accelerator.get("type"),
            AcceleratorNumber=accelerator.get("number"),
            AcceleratorMemory=mib(accelerator.get("memory_mib")),
            HostPool=set(map(self.pool_id, self.pools_of(type_))),
            **prices(one for one in self.prices if one.get("instance_type") == type_["id"]),
        )
        return Expected("ExecutionEnvironment", self.type_id(type_), self.service, stated)

    def of_image(self, image: Yaml) -> Expected:
        """An image, and the instance types that it can be started on."""
        stated = stating(
            GLUE2EntityValidity=SLOW,
            GLUE2EntityName=image["id"],
            GLUE2ApplicationEnvironmentAppName=image["name"],
            GLUE2ApplicationEnvironmentAppVersion=image.get("version"),
            GLUE2ApplicationEnvironmentRepository=image.get("marketplace_uri"),
            GLUE2ApplicationEnvironmentState=self.state_of(image),
            GLUE2ApplicationEnvironmentComputingManagerForeignKey=self.manager,
            GLUE2ApplicationEnvironmentExecutionEnvironmentForeignKey={
                self.type_id(type_) for type_ in self.types if self.fits(image, type_)
            },
            Image__Size=round(Decimal(mib(image["size_mib"])) / 1024, 3) if "size_mib" in image else None,
            Image__Format=image["disk_format"],
            Image__OSVersion=image["operating_system"]["version"],
            Image__MinCPU=image.get("min_vcpus"),
            Image__MinRAM=mib(image.get("min_memory_mib")),
            Image__MinDisk=gib(image.get("min_disk_gib")),
        )
        id_ = self.id("ApplicationEnvironment", local(image["id"]))
        return Expected("ApplicationEnvironment", id_, self.service, stated)

    def of_share(self, project: Yaml) -> Iterable[Expected]:
        """One project's quotas, usage and what it could still start, with the policy that says whose it is."""
        id_ = self.id("ComputingShare", local(project["id"]))
        rows = self.mapped[project["id"]]
        yield Expected("ComputingShare", id_, self.service, self.of_project(project) | self.of_usage(project["usage"]))
        policy = stating(
            GLUE2EntityValidity=STATIC,
            GLUE2PolicyRule=rules(rows),
            GLUE2PolicyUserDomainForeignKey={community for community, _ in rows},
            GLUE2MappingPolicyShareForeignKey=id_,
        )
        yield Expected("MappingPolicy", f"{id_}:policy", id_, policy)

    def of_project(self, project: Yaml) -> Stated:
        """What it may hold and use."""
        types, quota = self.types_of(project), project["quotas"]
        resources = {self.type_id(type_) for type_ in types}
        startable = {local(type_["id"]): self.startable(type_, project) for type_ in types}
        return stating(
            GLUE2EntityValidity=DYNAMIC,
            GLUE2EntityName=self.mapped[project["id"]][0][0],
            GLUE2ComputingShareMaxWallTime=quota.get("max_run_time_s"),
            GLUE2ComputingShareDefaultWallTime=quota.get("default_run_time_s"),
            GLUE2ComputingShareMaxTotalJobs=number(quota.get("instances")),
            GLUE2ComputingShareMaxRunningJobs=number(quota.get("instances")),
            GLUE2ComputingShareMaxUserRunningJobs=number(quota.get("instances_per_user")),
            GLUE2ComputingShareMaxSlotsPerJob=max(type_["vcpus"] for type_ in types),
            GLUE2ComputingShareMaxMainMemory=max(mib(type_["memory_mib"]) for type_ in types),
            GLUE2ComputingShareGuaranteedMainMemory=min(mib(type_["memory_mib"]) for type_ in types),
            GLUE2ComputingShareMaxDiskSpace=max(
                gib(one["disk_gib"]) + gib(one.get("ephemeral_gib", 0)) for one in types
            ),
            GLUE2ComputingShareFreeSlots=self.free_slots(project),
            **both("Share", "ComputingShareComputing", "ServiceForeignKey", self.service),
            **both("Share", "ComputingShareComputing", "EndpointForeignKey", self.endpoint_ids),
            GLUE2ShareResourceForeignKey=resources,
            GLUE2ComputingShareExecutionEnvironmentForeignKey=resources,
            ProjectID=project["id"],
            QuotaCPU=number(quota.get("vcpus")),
            QuotaMemory=number(mib(quota.get("memory_mib"))),
            QuotaDisk=number(gib(quota.get("disk_gib"))),
            QuotaPublicIP=number(quota.get("public_addresses")),
            AcceleratorMaxNumber=number(quota.get("accelerators")),
            HostPool={self.pool_id(pool) for type_ in types for pool in self.pools_of(type_)},
            Image={
                image.get("marketplace_uri", image["id"]) for image in self.images if self.is_startable(image, project)
            },
            **{f"FreeInstances.{id_}": machines for id_, (machines, _) in startable.items()},
            FreeInstances__UpperBound={id_ for id_, (_, is_exact) in startable.items() if not is_exact},
            **prices(one for one in self.prices if one["resource"] != "flavour"),
        )

    def of_usage(self, usage: Yaml) -> Stated:
        """What it holds."""
        return stating(
            GLUE2ComputingShareUsedSlots=usage.get("vcpus"),
            GLUE2ComputingShareEstimatedAverageWaitingTime=usage.get("mean_start_up_s"),
            GLUE2ComputingShareEstimatedWorstWaitingTime=usage.get("worst_start_up_s"),
            VMHalted=usage.get("halted"),
            VMError=usage.get("error"),
            **jobs("ComputingShare", usage),
        )


# --- small formulas ---------------------------------------------------------------------------------------------------


def slug(raw: str) -> str:
    """Lower case, with a hyphen for whatever an identifier may not have."""
    return re.sub(r"[^a-z0-9._-]", "-", raw.lower())


def local(raw: str) -> str:
    """The end of an identifier: a digest tells apart what became equal."""
    return slug(raw) if slug(raw) == raw else f"{slug(raw)}-{hashlib.sha256(raw.encode()).hexdigest()[:8]}"


def with_swap(type_: Yaml) -> int | None:
    """MiB of memory and swap, where swap is known."""
    return mib(type_["memory_mib"]) + mib(type_["swap_mib"]) if "swap_mib" in type_ else None


def processor(host: Yaml) -> Yaml:
    """The processors of one host."""
    return host["pool"]["processor"]


def stating(**several: Any) -> Stated:
    """What is stated of an entry: of what is not known, that nothing is there; `__` stands for the dot of a key."""
    lists = {name: value if isinstance(value, list | set) else [value] for name, value in several.items()}
    return {
        name.replace("__", "."): frozenset(value for value in values if value is not None)
        for name, values in lists.items()
    }


def both(general: str, special: str, foreign_key: str, ids: Any) -> Yaml:
    """Both keys of a pair: that of the base class and that of the computing class."""
    return {f"GLUE2{general}{foreign_key}": ids, f"GLUE2{special}{foreign_key}": ids}


def jobs(class_: str, usage: Mapping[str, int | None]) -> Yaml:
    """Machines by state, and their sum where all are known."""
    states = {f"GLUE2{class_}{name}": usage.get(state) for state, name in COUNTED.items()}
    known = [value for value in states.values() if value is not None]
    return states | {f"GLUE2{class_}TotalJobs": sum(known) if len(known) == len(states) else None}


def rules(rows: Iterable[tuple[str, Yaml]]) -> set[str]:
    """The communities, and their groups and roles where the configuration narrows them."""
    found = set()
    for community, row in rows:
        found.add(f"VO:{community}")
        if "group" in row:
            found.add(f"VOMS:{row['group']}" + (f"/Role={row['role']}" if "role" in row else ""))
    return found


def prices(priced: Iterable[Yaml]) -> Yaml:
    """The fees; the second price and those after it are numbered."""
    stated = {}
    for index, price in enumerate(priced, start=1):
        number = f".{index}" if index > 1 else ""
        stated |= {
            f"Price.Resource{number}": price["resource"],
            f"Price.Currency{number}": price["currency"],
            f"Price.FixFee{number}": price.get("fix_fee"),
            f"Price.ConsumptionFee{number}": price.get("consumption_fee"),
        }
    return stated
