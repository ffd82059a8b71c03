"""What an OpenStack must look like in a BDII, worked out from what its APIs say by plain formulas.

A second opinion on provider and mapping: it imports nothing of the package. How a class of hosts is named is the
provider's affair, so that its ID is taken from what was found; which hosts make one, and every number of it, is not.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from tests.system.answers import Attributes, Expected, Stated, by_key
from tests.system.openstack_answers import Answers, Host, Json, is_public
from tests.system.oracle import (
    COUNTED,
    DYNAMIC,
    PLATFORM,
    SLOW,
    STATIC,
    both,
    communities,
    jobs,
    local,
    rules,
    slug,
    stating,
)

STATES = {
    "ACTIVE": "running",
    "BUILD": "waiting",
    "PAUSED": "suspended",
    "SUSPENDED": "suspended",
    "SHUTOFF": "halted",
    "ERROR": "error",
}
"""What tests bring machines into."""

KINDS = {"QEMU": "QEMU", "VMware vCenter Server": "VMware"}
NOT_KNOWABLE = ("hw:cpu_policy", "hw:numa_nodes", "pci_passthrough:alias")
"""Extra specs that decide where machines run, by something that no API tells."""
UNCOUNTED = "pci_passthrough:alias"
"""One that asks for devices of which no API tells how many there are."""

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
Sizes = tuple[str, str, int, int]
"""Of a class of hosts: hypervisor and version, CPUs and MiB of one host."""


class Oracle:
    """What must be found of one cloud; `as_written` is how a text is published that LDAP cannot keep as it is."""

    def __init__(self, answers: Answers, written: Json, as_written: Callable[[str], str] = str) -> None:
        """`written` is the configuration, with one instance."""
        self.told, self.written, self.as_written = answers, written, as_written
        [self.block] = written["instances"]
        self.centre = written["centre"]["name"]
        self.service, self.manager = self.id("ComputingService"), self.id("ComputingManager")
        self.endpoint = self.id("ComputingEndpoint", "password", "org.openstack.nova")
        self.pool_ids: dict[Sizes, str] = {}
        self.mapped: dict[str, list[tuple[str, Json]]] = {}
        for community in written["communities"]:
            for row in community["projects"]:
                self.mapped.setdefault(row["project"], []).append((community["name"], row))
        self.types = [one for one in answers.flavors if any(self.may_use(project, one) for project in self.mapped)]
        self.types += [one for one in answers.flavors if is_public(one) and one not in self.types]
        self.images = [one for one in answers.images if self.is_published(one)]

    def id(self, class_: str, *parts: str) -> str:
        """An identifier of this instance."""
        return ":".join(["urn:glue2", class_, slug(self.centre), slug(self.block["name"]), *parts])

    def info(self, key: str, value: str | None) -> str | None:
        """A text as it is published behind its key."""
        return None if value is None else self.as_written(f"{key}={value}").removeprefix(f"{key}=")

    def expected(self, found: Iterable[Attributes]) -> dict[str, Expected]:
        """Every entry below the group, by its ID; `found` is what the server has, for the IDs of host classes."""
        self.pool_ids = dict(map(pool_as_found, filter(is_pool, map(by_key, found))))
        everything = chain(
            communities(self.written),
            [self.of_service(), self.of_manager()],
            self.of_endpoint(),
            *map(self.of_pool, self.pools),
            map(self.of_type, self.types),
            map(self.of_image, self.images),
            *(self.of_share(project) for project in self.mapped),
        )
        return {entry.id: entry for entry in everything}

    # --- who may use what ---------------------------------------------------------------------------------------------

    def may_use(self, project: str, flavor: Json) -> bool:
        """Public, or the project has access."""
        return is_public(flavor) or project in self.told.access[flavor["id"]]

    def owners(self, image: Json) -> set[str]:
        """Who may use an image that is not for all."""
        return {image["owner"], *self.told.members[image["id"]]}

    def may_start(self, project: str, image: Json) -> bool:
        """Open to all, its own, or shared with it."""
        return image["visibility"] in ("public", "community") or project in self.owners(image)

    def is_published(self, image: Json) -> bool:
        """Active, and open to all or of a project that is mapped."""
        is_open = image["visibility"] in ("public", "community")
        return image["status"] == "active" and (is_open or bool(self.owners(image) & self.mapped.keys()))

    # --- machines and quotas ------------------------------------------------------------------------------------------

    def machines(self, state: str, projects: Iterable[str]) -> int:
        """How many machines of these projects are in a state."""
        return sum(one["tenant_id"] in projects and STATES[one["status"]] == state for one in self.told.servers)

    def used(self, what: str, projects: Iterable[str]) -> int:
        """What these projects hold of a quota."""
        return sum(self.told.quotas[project][what]["used"] for project in projects)

    def limit(self, project: str, what: str) -> int | None:
        """A quota that is a number; -1 is none."""
        limit = self.told.quotas[project][what]["limit"]
        return None if limit == -1 else limit

    def left(self, project: str, what: str) -> float:
        """What is left of a quota."""
        limit = self.limit(project, what)
        return math.inf if limit is None else max(0, limit - self.used(what, [project]))

    def start_ups(self, project: str) -> list[float]:
        """Seconds from the request to the running machine, of recent ones."""
        found = []
        for server in self.told.servers:
            if server["tenant_id"] == project and server["OS-SRV-USG:launched_at"]:
                created = moment(server["created"])
                took = moment(server["OS-SRV-USG:launched_at"]) - created
                if datetime.now(UTC) - created < DAY and timedelta(0) <= took <= HOUR:
                    found.append(took.total_seconds())
        return found

    # --- hosts --------------------------------------------------------------------------------------------------------

    @property
    def usable(self) -> list[Host]:
        """Those that take machines."""
        return [host for host in self.told.hosts if host.usable]

    def on_usable(self, resource: str) -> int:
        """The sum of what they hold."""
        return sum(host.capacity(resource) for host in self.usable)

    def free_on_usable(self, resource: str) -> int:
        """The sum of what is left on them."""
        return sum(host.free(resource) for host in self.usable)

    @property
    def pools(self) -> dict[Sizes, list[Host]]:
        """Hosts of the same hypervisor and the same size; more does not tell apart those of the tests."""
        found: dict[Sizes, list[Host]] = {}
        for host in self.told.hosts:
            found.setdefault(sizes_of(host), []).append(host)
        return found

    def pools_for(self, flavor: Json) -> list[Sizes]:
        """The classes with a host that could take a machine of the type if it were empty."""
        amounts = needed(flavor)
        return [sizes for sizes, hosts in self.pools.items() if any(host.takes_all(amounts) for host in hosts)]

    def pool_ids_of(self, flavors: Iterable[Json]) -> set[str]:
        """The IDs of classes that can take any of these types."""
        return {self.pool_ids.get(sizes, f"no pool {sizes}") for flavor in flavors for sizes in self.pools_for(flavor)}

    # --- entries ------------------------------------------------------------------------------------------------------

    def of_service(self) -> Expected:
        """The counters are of all projects, published or not."""
        everywhere = self.told.projects
        stated = stating(
            GLUE2EntityValidity=DYNAMIC,
            GLUE2ServiceType="IaaS",
            GLUE2ServiceAdminDomainForeignKey=self.centre,
            GLUE2ServiceComplexity=f"endpointType=1, share={len(self.mapped)}, "
            f"resource={len(self.types) + len(self.pools)}",
            VMHalted=self.machines("halted", everywhere),
            VMError=self.machines("error", everywhere),
            **jobs("ComputingService", {state: self.machines(state, everywhere) for state in (*COUNTED, "staging")}),
        )
        return Expected("ComputingService", self.service, None, stated)

    def of_manager(self) -> Expected:
        """CPUs are of all hosts; slots, memory and disk of those that are usable."""
        hosts, processors = self.told.hosts, [processor(host) for host in self.told.hosts]
        known = all("sockets" in one for one in processors)
        gpus = self.on_usable("VGPU")
        kinds = {(kind, version) for kind, version, _, _ in self.pools}
        cpus = sum(host.told["vcpus"] for host in self.usable)
        stated = stating(
            GLUE2EntityValidity=DYNAMIC,
            GLUE2ManagerProductName="openstack",
            GLUE2ManagerProductVersion=None,
            **both("Manager", "ComputingManagerComputing", "ServiceForeignKey", self.service),
            GLUE2ComputingManagerTotalPhysicalCPUs=sum(one["sockets"] for one in processors) if known else None,
            GLUE2ComputingManagerTotalLogicalCPUs=sum(host.told["vcpus"] for host in hosts),
            GLUE2ComputingManagerTotalSlots=self.on_usable("VCPU"),
            GLUE2ComputingManagerSlotsUsedByGridJobs=self.used("cores", self.mapped),
            GLUE2ComputingManagerSlotsUsedByLocalJobs=self.used("cores", set(self.told.projects) - self.mapped.keys()),
            GLUE2ComputingManagerHomogeneous=str(len(self.pools) == 1).lower(),
            GLUE2ComputingManagerWorkingAreaShared="false",
            GLUE2ComputingManagerWorkingAreaTotal=self.on_usable("DISK_GB"),
            GLUE2ComputingManagerWorkingAreaFree=self.free_on_usable("DISK_GB"),
            TotalMemory=self.on_usable("MEMORY_MB"),
            FreeMemory=self.free_on_usable("MEMORY_MB"),
            CPUOvercommitRatio=round(self.on_usable("VCPU") / cpus, 3),
            AcceleratorTotal=f"GPU:{gpus}" if gpus else None,
            HypervisorName={kind for kind, _ in kinds},
            HypervisorVersion=next(iter(kinds))[1] if len(kinds) == 1 else None,
            VirtualDiskFormat={one for one in self.told.formats if one and one not in ("aki", "ari")},
            AvailabilityZone={one["zoneName"] for one in self.told.zones if one["zoneState"]["available"]},
        )
        return Expected("ComputingManager", self.manager, self.service, stated)

    def of_endpoint(self) -> Iterable[Expected]:
        """One, for the way in which the account signs in, with the policy that admits the communities."""
        stated = stating(
            GLUE2EntityValidity=DYNAMIC,
            GLUE2EndpointURL=self.told.url,
            GLUE2EndpointInterfaceName="org.openstack.nova",
            GLUE2EndpointInterfaceVersion=self.told.microversion,
            GLUE2EndpointImplementationName="openstack",
            GLUE2EndpointHealthState="ok",
            GLUE2EndpointQualityLevel="production",
            GLUE2EndpointServingState="production",
            **both("Endpoint", "ComputingEndpointComputing", "ServiceForeignKey", self.service),
            Authn="User/Password",
            **{"Authn.URL": self.told.sign_in_url},
        )
        yield Expected("ComputingEndpoint", self.endpoint, self.service, stated)
        rows = [row for rows in self.mapped.values() for row in rows]
        policy = stating(
            GLUE2EntityValidity=STATIC,
            GLUE2PolicyRule=rules(rows),
            GLUE2PolicyUserDomainForeignKey={community for community, _ in rows},
            GLUE2AccessPolicyEndpointForeignKey=self.endpoint,
        )
        yield Expected("AccessPolicy", f"{self.endpoint}:policy", self.endpoint, policy)

    def of_pool(self, sizes: Sizes) -> Iterable[Expected]:
        """A class of equal hosts."""
        kind, version, cpus, memory = sizes
        hosts = self.pools[sizes]
        busy = {server["OS-EXT-SRV-ATTR:hypervisor_hostname"] for server in self.told.servers}
        told = processor(hosts[0])
        stated = stating(
            GLUE2EntityValidity=SLOW,
            GLUE2ExecutionEnvironmentVirtualMachine="false",
            GLUE2ExecutionEnvironmentTotalInstances=len(hosts),
            GLUE2ExecutionEnvironmentUsedInstances=sum(host.name in busy for host in hosts),
            GLUE2ExecutionEnvironmentUnavailableInstances=sum(not host.usable for host in hosts),
            GLUE2ExecutionEnvironmentPhysicalCPUs=told.get("sockets"),
            GLUE2ExecutionEnvironmentLogicalCPUs=cpus,
            GLUE2ExecutionEnvironmentMainMemorySize=memory,
            GLUE2ExecutionEnvironmentCPUVendor=told.get("vendor"),
            GLUE2ExecutionEnvironmentCPUModel=told.get("model"),
            **both("Resource", "ExecutionEnvironmentComputing", "ManagerForeignKey", self.manager),
            Disk=hosts[0].told["local_gb"],
            HypervisorName=kind,
            HypervisorVersion=version,
            VirtualDiskFormat=formats_of(hosts),
        )
        yield Expected("ExecutionEnvironment", self.pool_ids.get(sizes, f"no pool {sizes}"), self.service, stated)

    def type_id(self, flavor: Json) -> str:
        """Of an instance type."""
        return self.id("ExecutionEnvironment", local(flavor["id"]))

    def of_type(self, flavor: Json) -> Expected:
        """A size in which machines are started."""
        specs = flavor["extra_specs"]
        device = accelerator(specs)
        unusable = [host for host in self.told.hosts if not host.usable]
        is_sized = is_knowable(flavor) and flavor["disk"] > 0
        stated = stating(
            GLUE2EntityValidity=SLOW,
            GLUE2EntityName=flavor["id"],
            GLUE2ExecutionEnvironmentVirtualMachine="true",
            GLUE2ExecutionEnvironmentLogicalCPUs=flavor["vcpus"],
            GLUE2ExecutionEnvironmentMainMemorySize=flavor["ram"],
            GLUE2ExecutionEnvironmentVirtualMemorySize=flavor["ram"] + (flavor["swap"] or 0),
            GLUE2ExecutionEnvironmentTotalInstances=room(flavor, self.told.hosts, Host.capacity) if is_sized else None,
            GLUE2ExecutionEnvironmentUnavailableInstances=room(flavor, unusable, Host.capacity) if is_sized else None,
            GLUE2ExecutionEnvironmentUsedInstances=self.holding(flavor),
            **both("Resource", "ExecutionEnvironmentComputing", "ManagerForeignKey", self.manager),
            disk=flavor["disk"],
            TemplateName=self.info("TemplateName", flavor["name"]),
            EphemeralStorage=flavor["OS-FLV-EXT-DATA:ephemeral"],
            AcceleratorType=device.get("type"),
            AcceleratorNumber=device.get("number"),
            AcceleratorVendor=device.get("vendor"),
            AcceleratorModel=device.get("model"),
            NetworkBandwidth=bandwidth(specs),
            HostPool=self.pool_ids_of([flavor]),
            PublicIPv4="onrequest",
            IPv6="true",
        )
        return Expected("ExecutionEnvironment", self.type_id(flavor), self.service, stated)

    def holding(self, flavor: Json) -> int:
        """Machines of a type, of all projects, that hold something on a host and are not stopped."""
        return sum(
            server["flavor"]["id"] == flavor["id"] and STATES[server["status"]] in COUNTED
            for server in self.told.servers
        )

    def of_image(self, image: Json) -> Expected:
        """An image, and the instance types that it can be started on."""
        packed = json.loads(image.get("APPLIANCE_ATTRIBUTES", "{}"))
        is_endorsed = packed.get("sl:checksum:sha512") == image["os_hash_value"]
        stated = stating(
            GLUE2EntityValidity=SLOW,
            GLUE2EntityName=image["id"],
            GLUE2ApplicationEnvironmentAppName=self.as_written(image["name"]),
            GLUE2ApplicationEnvironmentDescription=self.text(
                image.get("description", image.get("vmcatcher_event_dc_description"))
            ),
            GLUE2ApplicationEnvironmentRepository=packed.get("ad:mpuri"),
            GLUE2ApplicationEnvironmentState="installedverified" if is_endorsed else "installednotverified",
            GLUE2ApplicationEnvironmentComputingManagerForeignKey=self.manager,
            GLUE2ApplicationEnvironmentExecutionEnvironmentForeignKey={
                self.type_id(flavor) for flavor in self.types if self.fits(image, flavor)
            },
            Image__Size=round(math.ceil(image["size"] / 2**20) / 1024, 3),
            Image__Format=image["disk_format"],
            Image__Platform=PLATFORM[image["architecture"]],
            Image__OSFamily=image["os_type"],
            Image__OSName=image["os_distro"],
            Image__OSVersion=self.info("Image.OSVersion", image["os_version"]),
            Image__MinRAM=image["min_ram"] or None,
            Image__MinDisk=image["min_disk"] or None,
            Image__Checksum__SHA512=image["os_hash_value"],
            Image__Checksum__MD5=image["checksum"],
            Image__Endorser=packed.get("sl:endorser"),
            Image__ImageList=image.get("vmcatcher_event_il_dc_identifier"),
        )
        return Expected(
            "ApplicationEnvironment", self.id("ApplicationEnvironment", local(image["id"])), self.service, stated
        )

    def text(self, value: str | None) -> str | None:
        """A text as it is published."""
        return None if value is None else self.as_written(value)

    def fits(self, image: Json, flavor: Json) -> bool:
        """Large enough, and some host on which the type runs boots its format and is not of another architecture."""
        return (
            flavor["ram"] >= image["min_ram"]
            and flavor["disk"] >= image["min_disk"]
            and any(
                image["disk_format"] in formats_of(self.pools[sizes])
                and processor(self.pools[sizes][0]).get("arch") in (None, image["architecture"])
                for sizes in self.pools_for(flavor)
            )
        )

    def of_share(self, project: str) -> Iterable[Expected]:
        """One project's quotas, usage and what it could still start, with the policy that says whose it is."""
        id_, rows = self.id("ComputingShare", local(project)), self.mapped[project]
        yield Expected("ComputingShare", id_, self.service, self.of_quotas(project) | self.of_usage(project))
        policy = stating(
            GLUE2EntityValidity=STATIC,
            GLUE2PolicyRule=rules(rows),
            GLUE2PolicyUserDomainForeignKey={community for community, _ in rows},
            GLUE2MappingPolicyShareForeignKey=id_,
        )
        yield Expected("MappingPolicy", f"{id_}:policy", id_, policy)

    def of_quotas(self, project: str) -> Stated:
        """What it may hold, and what it could still start."""
        types = [flavor for flavor in self.types if self.may_use(project, flavor)]
        resources = {self.type_id(flavor) for flavor in types}
        numbers = {flavor["id"]: self.startable(flavor, project) for flavor in types if flavor["disk"] > 0}
        uncounted = {flavor["id"] for flavor in types if UNCOUNTED in flavor["extra_specs"]}
        startable = {local(id_): number for id_, number in numbers.items() if not number or id_ not in uncounted}
        not_exact = {local(flavor["id"]) for flavor in types if not is_knowable(flavor)}
        images = [one for one in self.images if self.may_start(project, one)]
        return stating(
            GLUE2EntityValidity=DYNAMIC,
            GLUE2EntityName=self.mapped[project][0][0],
            GLUE2ComputingShareMaxTotalJobs=self.limit(project, "instances"),
            GLUE2ComputingShareMaxRunningJobs=self.limit(project, "instances"),
            GLUE2ComputingShareMaxSlotsPerJob=max(flavor["vcpus"] for flavor in types),
            GLUE2ComputingShareMaxMainMemory=max(flavor["ram"] for flavor in types),
            GLUE2ComputingShareGuaranteedMainMemory=min(flavor["ram"] for flavor in types),
            GLUE2ComputingShareMaxDiskSpace=max(
                flavor["disk"] + flavor["OS-FLV-EXT-DATA:ephemeral"] for flavor in types
            ),
            GLUE2ComputingShareFreeSlots=self.free_slots(project),
            **both("Share", "ComputingShareComputing", "ServiceForeignKey", self.service),
            **both("Share", "ComputingShareComputing", "EndpointForeignKey", self.endpoint),
            GLUE2ShareResourceForeignKey=resources,
            GLUE2ComputingShareExecutionEnvironmentForeignKey=resources,
            ProjectID=project,
            QuotaCPU=self.limit(project, "cores"),
            QuotaMemory=self.limit(project, "ram"),
            QuotaDisk=None,
            QuotaPublicIP=self.limit(project, "floatingip"),
            AcceleratorMaxNumber=None,
            HostPool=self.pool_ids_of(types),
            PublicNetworkName={one["name"] for one in self.told.networks if one["router:external"]},
            Image={
                json.loads(image.get("APPLIANCE_ATTRIBUTES", "{}")).get("ad:mpuri", image["id"])
                for image in images
                if any(self.fits(image, flavor) for flavor in types)
            },
            **{f"FreeInstances.{id_}": machines for id_, machines in startable.items()},
            FreeInstances__UpperBound={id_ for id_, machines in startable.items() if machines and id_ in not_exact},
        )

    def of_usage(self, project: str) -> Stated:
        """What it holds."""
        starts = self.start_ups(project)
        return stating(
            GLUE2ComputingShareUsedSlots=self.used("cores", [project]),
            GLUE2ComputingShareEstimatedAverageWaitingTime=round(sum(starts) / len(starts)) if starts else None,
            GLUE2ComputingShareEstimatedWorstWaitingTime=round(max(starts)) if starts else None,
            VMHalted=self.machines("halted", [project]),
            VMError=self.machines("error", [project]),
            **jobs("ComputingShare", {state: self.machines(state, [project]) for state in COUNTED}),
        )

    def startable(self, flavor: Json, project: str) -> int:
        """The least of what the quotas leave, of the addresses, and of what the hosts hold."""
        return int(
            min(
                self.left(project, "instances"),
                self.left(project, "cores") // flavor["vcpus"],
                self.left(project, "ram") // flavor["ram"],
                self.left(project, "port"),
                self.addresses(project),
                room(flavor, self.usable, Host.free),
            )
        )

    def addresses(self, project: str) -> int:
        """What machines of a project can still get, on networks to which they are attached."""
        return sum(
            self.told.free_addresses[one["id"]]
            for one in self.told.networks
            if one["shared"] or one["project_id"] == project
        )

    def free_slots(self, project: str) -> int:
        """The free vCPUs of the quota, at most those of the cloud."""
        if self.left(project, "instances") == 0:
            return 0
        return int(min(self.left(project, "cores"), self.free_on_usable("VCPU")))


# --- hosts ------------------------------------------------------------------------------------------------------------


def sizes_of(host: Host) -> Sizes:
    """By which classes of hosts are told apart."""
    number = host.told["hypervisor_version"]
    version = f"{number // 10**6}.{number // 1000 % 1000}.{number % 1000}"
    return KINDS[host.told["hypervisor_type"]], version, host.told["vcpus"], host.told["memory_mb"]


def processor(host: Host) -> Mapping[str, Any]:
    """Vendor, model, architecture and sockets, as far as the hypervisor tells them."""
    told = host.told["cpu_info"] or {}
    return {**told, "sockets": told["topology"]["sockets"]} if "topology" in told else told


def formats_of(hosts: Iterable[Host]) -> set[str]:
    """Disk formats that the hypervisor boots."""
    prefix = "COMPUTE_IMAGE_TYPE_"
    return {trait.removeprefix(prefix).lower() for host in hosts for trait in host.traits if trait.startswith(prefix)}


def is_pool(entry: Mapping[str, frozenset[str]]) -> bool:
    """Whether an entry is a class of hosts."""
    return entry.get("GLUE2ExecutionEnvironmentVirtualMachine") == {"false"}


def pool_as_found(entry: Mapping[str, frozenset[str]]) -> tuple[Sizes, str]:
    """By what it is told apart, and its ID."""
    [kind], [version], [cpus], [memory], [id_] = (
        entry[name]
        for name in (
            "HypervisorName",
            "HypervisorVersion",
            "GLUE2ExecutionEnvironmentLogicalCPUs",
            "GLUE2ExecutionEnvironmentMainMemorySize",
            "GLUE2ResourceID",
        )
    )
    return (kind, version, int(cpus), int(memory)), id_


# --- instance types ---------------------------------------------------------------------------------------------------


def is_knowable(flavor: Json) -> bool:
    """Whether the hosts' amounts tell where machines of a type can run."""
    return not any(name in flavor["extra_specs"] for name in NOT_KNOWABLE)


def needed(flavor: Json) -> dict[str, int]:
    """What a machine takes on its host, by placement's names."""
    swap = math.ceil((flavor["swap"] or 0) / 1024)
    amounts = {
        "VCPU": flavor["vcpus"],
        "MEMORY_MB": flavor["ram"],
        "DISK_GB": flavor["disk"] + flavor["OS-FLV-EXT-DATA:ephemeral"] + swap,
        "VGPU": int(flavor["extra_specs"].get("resources:VGPU", 0)),
    }
    return {resource: amount for resource, amount in amounts.items() if amount}


def room(flavor: Json, hosts: Iterable[Host], there: Callable[[Host, str], int]) -> int:
    """How many machines these hosts hold: rounded down inside each host, then added."""
    amounts = needed(flavor)
    return sum(
        max(0, min(there(host, resource) // amount for resource, amount in amounts.items()))
        for host in hosts
        if host.takes_all(amounts)
    )


def accelerator(specs: Mapping[str, str]) -> dict[str, Any]:
    """The device that a machine gets; the seeds have one kind at most."""
    numbers = Counter[str]()
    numbers["vgpu"] = int(specs.get("resources:VGPU", 0))
    numbers["pci"] = int(specs.get("pci_passthrough:alias", ":0").partition(":")[2])
    number = sum(numbers.values())
    if not number:
        return {}
    told = {name: specs.get(f"Accelerator:{name.title()}") for name in ("type", "vendor", "model")}
    return told | {"number": number}


def bandwidth(specs: Mapping[str, str]) -> int | None:
    """Mb/s, from kB/s."""
    quotas = [
        int(value) for name, value in specs.items() if name.startswith("quota:vif_") and name.endswith("_average")
    ]
    return min(quotas) * 8 // 1000 if quotas else None


def moment(text: str) -> datetime:
    """A moment as nova writes it."""
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
