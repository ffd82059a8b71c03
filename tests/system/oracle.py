"""What a described centre must look like in a BDII, worked out from its YAML by plain formulas.

A second opinion on the mapping: it reads the configuration and the files beside it with PyYAML and imports nothing of
the package. Stated are every number of an entry, what it refers to, and what brokers filter on.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from tests.system.answers import Expected, Stated

Yaml = dict[str, Any]

GIB = {"MiB": Decimal(1) / 1024, "GiB": Decimal(1), "TiB": Decimal(1024)}
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
NOW = datetime.now(UTC)


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


class Manager:
    """One described VM manager, and what must be found of it."""

    def __init__(self, written: Yaml, block: Yaml, folder: Path) -> None:
        """Read the description that the instance's settings name."""
        self.block = block
        self.described = yaml.safe_load((folder / block["settings"]["file"]).read_text())
        self.centre = written["centre"]["name"]
        self.communities = written["communities"]
        self.service = self.id("ComputingService")
        self.manager = self.id("ComputingManager")

    def id(self, class_: str, *parts: str) -> str:
        """An identifier of this instance."""
        return ":".join(["urn:glue2", class_, slug(self.centre), slug(self.block["name"]), *parts])

    def section(self, name: str) -> Any:
        """What the file says, else what the configuration declares."""
        return self.described.get(name) or self.block.get("declared", {}).get(name) or {}

    # --- who is published ---------------------------------------------------------------------------------------------

    @cached_property
    def mapped(self) -> dict[str, list[tuple[str, Yaml]]]:
        """Community and row of the configuration, by project."""
        found: dict[str, list[tuple[str, Yaml]]] = {}
        for community in self.communities:
            for row in community["projects"]:
                if row["instance"] == self.block["name"]:
                    found.setdefault(row["project"], []).append((community["name"], row))
        return found

    def is_disclosed(self, owned: Yaml) -> bool:
        """Public, or of a project that a community is mapped to."""
        return owned.get("ownership") != "projects" or bool(set(owned["projects"]) & self.mapped.keys())

    @cached_property
    def types(self) -> list[Yaml]:
        """The published instance types."""
        return [one for one in self.described["instance_types"] if self.is_disclosed(one)]

    @cached_property
    def images(self) -> list[Yaml]:
        """The published images."""
        return [one for one in self.described["images"] if one.get("active", True) and self.is_disclosed(one)]

    @cached_property
    def hosts(self) -> list[Yaml]:
        """Every single host, with its pool."""
        pools = self.described["hypervisors"]["pools"]
        return [row | {"pool": pool} for pool in pools for row in pool["hosts"] for _ in range(row.get("count", 1))]

    @cached_property
    def usable(self) -> list[Yaml]:
        """The hosts that are enabled and up."""
        return [host for host in self.hosts if host.get("usable", True)]

    def usage(self, what: str, projects: Iterable[str] | None = None) -> int | None:
        """The sum over all or these projects; not known where one of them does not tell."""
        asked = [one for one in self.described["projects"] if projects is None or one["id"] in projects]
        told = [one.get("usage", {}).get(what) for one in asked]
        return None if None in told else sum(told)

    # --- the entries --------------------------------------------------------------------------------------------------

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

    @property
    def unmapped(self) -> set[str]:
        """Projects of no published community."""
        return {project["id"] for project in self.described["projects"]} - self.mapped.keys()

    def disk(self) -> tuple[Any, Any]:
        """Total and free disk: of the common store, else of the usable hosts."""
        capacity = self.described["capacity"]
        if capacity["disk_is_shared"]:
            total = gib(capacity["disk_gib"])
            return total, total - gib(capacity["disk_used_gib"])
        total = sum(gib(host["disk_gib"]) for host in self.usable)
        return total, total - sum(gib(host["disk_used_gib"]) for host in self.usable)

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

    def holding(self, type_: Yaml) -> int | None:
        """Machines of the type that hold capacity, of all projects."""
        held = [project["usage"].get("holding") for project in self.described["projects"]]
        return None if None in held else sum(one.get(type_["id"], 0) for one in held)

    def pools_of(self, type_: Yaml) -> list[Yaml]:
        """The host classes that it runs on."""
        pools = self.described["hypervisors"]["pools"]
        return [pool for pool in pools if pool["id"] in type_.get("pools", [pool["id"]])]

    @property
    def prices(self) -> list[Yaml]:
        """As described, or as declared."""
        prices = self.section("prices")
        return prices["prices"] if isinstance(prices, dict) and prices else list(prices)

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

    @staticmethod
    def state_of(image: Yaml) -> str:
        """Endorsed with the same checksum, not so, or no longer endorsed."""
        endorsement = image.get("endorsement", {})
        if endorsement.get("expires_at", NOW) < NOW:
            return "pendingremoval"
        is_verified = endorsement.get("checksum") in image.get("checksums", ())
        return "installedverified" if is_verified else "installednotverified"

    def is_startable(self, image: Yaml, project: Yaml) -> bool:
        """Whether the project may start it on one of its types; where expiry is honoured, nothing expired."""
        if self.section("trust").get("honours_expiry") and self.state_of(image) == "pendingremoval":
            return False
        return may_use(project, image) and any(self.fits(image, type_) for type_ in self.types_of(project))

    def fits(self, image: Yaml, type_: Yaml) -> bool:
        """Large enough, of the same architecture, and some host that it runs on boots the format."""
        disk = gib(type_["disk_gib"])
        return (
            type_["vcpus"] >= image.get("min_vcpus", 0)
            and mib(type_["memory_mib"]) >= mib(image.get("min_memory_mib", 0))
            and (type_.get("boots_from_volume") or disk >= gib(image.get("min_disk_gib", 0)))
            and any(
                image["disk_format"] in pool["image_formats"] and image["architecture"] == pool["architecture"]
                for pool in self.pools_of(type_)
            )
        )

    # --- shares -------------------------------------------------------------------------------------------------------

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

    def types_of(self, project: Yaml) -> list[Yaml]:
        """Those that the project may use."""
        return [one for one in self.types if may_use(project, one)]

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

    # --- startable now ------------------------------------------------------------------------------------------------

    def free(self, project: Yaml, what: str) -> Any:
        """What is left of a quota: a number, infinite, or None where it is not known."""
        quota, used = project["quotas"].get(what), project["usage"].get(what)
        if quota == "unlimited":
            return float("inf")
        return None if quota is None or used is None else max(0, gib_or_mib(what, quota) - gib_or_mib(what, used))

    def startable(self, type_: Yaml, project: Yaml) -> tuple[int, bool]:
        """The least of the quotas' terms and of the hosts' room; exact where every quota that could bind is known."""
        need = {
            "instances": 1,
            "vcpus": type_.get("cpu_capacity", type_["vcpus"]),
            "memory_mib": mib(type_["memory_mib"]),
            "disk_gib": needed_disk(type_),
            "accelerators": sum(one["number"] for one in type_.get("accelerators", ())),
        }
        terms = [(self.free(project, what), amount) for what, amount in need.items() if amount]
        known = [int(free // amount) for free, amount in terms if free is not None and free != float("inf")]
        addresses = sum(network["addresses_free"] for network in self.section("networks")["networks"])
        machines = min([*known, self.room(type_, self.usable), addresses])
        return machines, machines == 0 or all(free is not None for free, _ in terms)

    def room(self, type_: Yaml, hosts: Iterable[Yaml], *, empty: bool = False) -> int:
        """How many machines these hosts hold: rounded down inside each host, a common store counted once."""
        hosts = [host for host in hosts if host["pool"] in self.pools_of(type_)]
        disk = needed_disk(type_)
        is_shared = self.described["capacity"]["disk_is_shared"]
        machines = sum(self.on_host(type_, host, 0 if is_shared else disk, empty) for host in hosts)
        if not is_shared:
            return machines
        total, free = self.disk()
        return min(machines, int((total if empty else free) // disk))

    @staticmethod
    def on_host(type_: Yaml, host: Yaml, disk: Any, empty: bool) -> int:
        """How many one host holds: the least over what a machine needs."""
        left = 0 if empty else 1
        ratios = [
            (host["vcpus"] - left * host["vcpus_used"]) // type_.get("cpu_capacity", type_["vcpus"]),
            (mib(host["memory_mib"]) - left * mib(host["memory_used_mib"])) // mib(type_["memory_mib"]),
        ]
        if disk:
            ratios.append((gib(host["disk_gib"]) - left * gib(host["disk_used_gib"])) // disk)
        for wanted in type_.get("accelerators", ()):
            devices = [one for one in host.get("devices", ()) if one["model"] == wanted["model"]]
            ratios.append(sum(one["total"] - left * one["used"] for one in devices) // wanted["number"])
        return max(0, int(min(ratios)))

    def free_slots(self, project: Yaml) -> int | None:
        """The free vCPUs of the quota, at most those of the cloud; no number where the quota is not known."""
        left, instances = self.free(project, "vcpus"), self.free(project, "instances")
        if instances == 0:
            return 0
        if left is None or instances is None:
            return None
        return int(min(left, sum(host["vcpus"] - host["vcpus_used"] for host in self.usable)))


# --- small formulas ---------------------------------------------------------------------------------------------------


def slug(raw: str) -> str:
    """Lower case, with a hyphen for whatever an identifier may not have."""
    return re.sub(r"[^a-z0-9._-]", "-", raw.lower())


def local(raw: str) -> str:
    """The end of an identifier: a digest tells apart what became equal."""
    return slug(raw) if slug(raw) == raw else f"{slug(raw)}-{hashlib.sha256(raw.encode()).hexdigest()[:8]}"


def gib(value: Any) -> Any:
    """A size in GiB: `2 TiB`, or a number that is in GiB already."""
    if not isinstance(value, str) or value == "unlimited":
        return value
    amount, unit = value.split()
    return Decimal(amount) * GIB[unit]


def mib(value: Any) -> Any:
    """A size in MiB: `4 GiB`, or a number that is in MiB already."""
    return int(gib(value) * 1024) if isinstance(value, str) and value != "unlimited" else value


def gib_or_mib(what: str, value: Any) -> Any:
    """A quota or usage in the unit that its name ends in."""
    return mib(value) if what.endswith("_mib") else gib(value)


def is_in_use(host: Yaml) -> bool:
    """Whether a host holds a machine: something on it is allocated."""
    return bool(host["vcpus_used"] or mib(host["memory_used_mib"]))


def may_use(project: Yaml, owned: Yaml) -> bool:
    """Public, or the project's."""
    return owned.get("ownership") != "projects" or project["id"] in owned["projects"]


def number(limit: Any) -> Any:
    """A limit that is a number."""
    return None if limit == "unlimited" else limit


def needed_disk(type_: Yaml) -> Any:
    """GiB that a machine takes on its host: root, further disk and swap, the latter in whole ones."""
    root = 0 if type_.get("boots_from_volume") else gib(type_["disk_gib"])
    return root + gib(type_.get("ephemeral_gib", 0)) + -(-mib(type_.get("swap_mib", 0)) // 1024)


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
