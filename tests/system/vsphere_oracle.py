"""What a vCenter or ESXi host must look like in a BDII, worked out from what it says by plain SOAP.

A second opinion on provider and mapping: it imports nothing of the package.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.system.vsphere import Plain

SMALL = {"id": "small", "vcpus": 2, "memory_mib": 4096, "disk_gib": 20.0}
"""An instance type that the operator declares."""

Facts = dict[str, set[str]]
STATES = {"poweredOn": "running", "poweredOff": "halted", "suspended": "suspended"}


def facts(**values: Any) -> Facts:
    """Values as texts; none for what must not be there."""
    return {name: set() if value is None else {str(value)} for name, value in values.items()}


class Oracle:
    """What one manager says, and what follows from it."""

    def __init__(self, plain: Plain) -> None:
        self.about = plain.about
        self.hosts = plain.read("HostSystem", "parent", "summary.hardware", "runtime", "summary.config.product")
        self.clusters = plain.read("ComputeResource", "name", "summary")
        self.pools = plain.read(
            "ResourcePool", "name", "parent", "owner", "config.cpuAllocation.limit", "config.memoryAllocation.limit"
        )
        self.stores = plain.read("Datastore", "summary").values()
        machines = plain.read("VirtualMachine", "name", "summary.config", "runtime", "resourcePool")
        self.templates = {id_: one for id_, one in machines.items() if one["summary.config.template"] == "true"}
        self.machines = {id_: one for id_, one in machines.items() if id_ not in self.templates}
        self.items = [] if self.about["apiType"] == "HostAgent" else plain.library_items

    # --- hosts ---

    def usable(self) -> dict[str, dict[str, str]]:
        """Hosts on which machines can be started."""
        wanted = ("connected", "poweredOn", "false")
        return {
            id_: one
            for id_, one in self.hosts.items()
            if tuple(one[f"runtime.{path}"] for path in ("connectionState", "powerState", "inMaintenanceMode"))
            == wanted
        }

    def sum_of(self, path: str, hosts: Iterable[dict[str, str]]) -> int:
        """A number of their hardware, added up."""
        return sum(int(host[f"summary.hardware.{path}"]) for host in hosts)

    def held(self, path: str, host: str) -> int:
        """A number of the machines that are on, on one host, added up."""
        return sum(
            int(one[f"summary.config.{path}"])
            for one in self.machines.values()
            if one["runtime.host"] == host and one["runtime.powerState"] == "poweredOn"
        )

    def effective(self, host: str) -> float:
        """MiB that a host has for machines: its part of what its cluster has."""
        cluster = self.hosts[host]["parent"]
        there = sum(
            int(one["summary.hardware.memorySize"]) >> 20 for one in self.usable().values() if one["parent"] == cluster
        )
        own = int(self.hosts[host]["summary.hardware.memorySize"]) >> 20
        return own * int(self.clusters[cluster]["summary.effectiveMemory"]) / there

    def manager(self) -> Facts:
        """What the ComputingManager must say."""
        usable = self.usable()
        memory = sum(int(one["summary.effectiveMemory"]) for one in self.clusters.values())
        space, free = (sum(int(one[f"summary.{path}"]) for one in self.stores) for path in ("capacity", "freeSpace"))
        zones = {
            self.clusters[one["parent"]]["name"]
            for one in usable.values()
            if one["parent"].startswith("clustercomputeresource")
        }
        versions = {one["summary.config.product.version"] for one in self.hosts.values()}
        told = facts(
            GLUE2ManagerProductName="esxi" if self.about["apiType"] == "HostAgent" else "vcenter",
            GLUE2ManagerProductVersion=self.about["version"],
            GLUE2ComputingManagerTotalPhysicalCPUs=self.sum_of("numCpuPkgs", self.hosts.values()),
            GLUE2ComputingManagerTotalLogicalCPUs=self.sum_of("numCpuThreads", self.hosts.values()),
            GLUE2ComputingManagerTotalSlots=self.sum_of("numCpuThreads", usable.values()),
            GLUE2ComputingManagerWorkingAreaTotal=space >> 30,
            GLUE2ComputingManagerWorkingAreaFree=free >> 30,
            GLUE2ComputingManagerWorkingAreaShared="true",
            TotalMemory=memory,
            FreeMemory=memory - sum(self.held("memorySizeMB", host) for host in usable),
            HypervisorName="ESXi",
        )
        return told | {"AvailabilityZone": zones, "HypervisorVersion": versions}

    def pools_of_hosts(self) -> dict[tuple[str, str], Facts]:
        """What the host classes must say, by CPUs and memory of a host."""
        found: dict[tuple[str, str], list[str]] = {}
        for id_, host in self.hosts.items():
            memory = int(host["summary.hardware.memorySize"]) >> 20
            found.setdefault((host["summary.hardware.numCpuThreads"], str(memory)), []).append(id_)
        return {
            sizes: facts(
                GLUE2ExecutionEnvironmentTotalInstances=len(hosts),
                GLUE2ExecutionEnvironmentUnavailableInstances=len(set(hosts) - self.usable().keys()),
                GLUE2ExecutionEnvironmentUsedInstances=sum(self.held("numCpu", host) > 0 for host in hosts),
                GLUE2ExecutionEnvironmentPhysicalCPUs=self.hosts[hosts[0]]["summary.hardware.numCpuPkgs"],
                GLUE2ExecutionEnvironmentCPUModel=self.hosts[hosts[0]]["summary.hardware.cpuModel"],
                GLUE2ExecutionEnvironmentCPUClockSpeed=self.hosts[hosts[0]]["summary.hardware.cpuMhz"],
                GLUE2ExecutionEnvironmentPlatform="amd64",
                HypervisorName="ESXi",
            )
            for sizes, hosts in found.items()
        }

    # --- projects and images ---

    def share(self, pool: str) -> Facts:
        """What the share of a resource pool must say."""
        machines = [one for one in self.machines.values() if one["resourcePool"] == pool]
        states = Counter(STATES[one["runtime.powerState"]] for one in machines)
        on = [one for one in machines if one["runtime.powerState"] == "poweredOn"]
        vcpus, memory = (sum(int(one[f"summary.config.{path}"]) for one in on) for path in ("numCpu", "memorySizeMB"))
        is_root = self.pools[pool]["parent"] not in self.pools
        mhz, limit = (int(self.pools[pool][f"config.{kind}Allocation.limit"]) for kind in ("cpu", "memory"))
        quota = None if is_root else mhz // 2600
        told = facts(
            GLUE2ComputingShareTotalJobs=states["running"] + states["suspended"],
            GLUE2ComputingShareRunningJobs=states["running"],
            GLUE2ComputingShareSuspendedJobs=states["suspended"],
            GLUE2ComputingShareWaitingJobs=0,
            GLUE2ComputingShareUsedSlots=vcpus,
            VMHalted=states["halted"],
            VMError=0,
            ProjectID=pool,
            QuotaCPU=quota,
            QuotaMemory=None if is_root else limit,
        )
        quotas = [] if quota is None else [(quota - vcpus) // 2, (limit - memory) // 4096]
        left = max(0, min([self.room(), *quotas]))
        return told | {"FreeInstances.small": {str(left)}, "Image": set(self.images())}

    def room(self) -> int:
        """How many machines of the small type go onto the hosts, each by itself, and into the common store."""
        on_hosts = sum(
            max(
                0,
                min(
                    (int(host["summary.hardware.numCpuThreads"]) - self.held("numCpu", id_)) // 2,
                    int((self.effective(id_) - self.held("memorySizeMB", id_)) // 4096),
                ),
            )
            for id_, host in self.usable().items()
        )
        return min(on_hosts, sum(int(one["summary.freeSpace"]) for one in self.stores) // (20 << 30))

    def images(self) -> dict[str, Facts]:
        """What the images must say, by their native ids: templates, and items of libraries that are for machines."""
        templates = {id_: facts(GLUE2ApplicationEnvironmentAppName=one["name"]) for id_, one in self.templates.items()}
        items = [one for one in self.items if one["type"] in ("ovf", "iso")]
        return templates | {one["id"]: facts(GLUE2ApplicationEnvironmentAppName=one["name"]) for one in items}
