"""E021, W034 and I095: known classes, and the attributes that the profile wants to see or not to see.

All are off unless they are asked for. What GLUE 2.0 demands, `ldap.mandatory` does; what the profile wants beyond that
are properties of batch systems, which a cloud could only answer with placeholders, against the profile's other rules.
"""

from collections.abc import Iterator
from functools import lru_cache

from infoprovider import ldif
from infoprovider.glue.entities import ComputingActivity
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, family_of, identifier_of
from infoprovider.validation.profile.words import word_set
from infoprovider.validation.report import Finding, Level
from infoprovider.validation.rule import Rule, Selection

CLASSES = Rule(
    id="egi.E021",
    subject="object classes",
    broken="an object class is none of GLUE 2.0's 36 and not `organization`",
    why="readers of the profile do not know it; `top` counts as unknown too",
    remedy="list the classes of one GLUE class, all those above it included, and nothing else",
    off="`ldap.object-class` says it",
)
MANDATORY = Rule(
    id="egi.W034",
    subject="mandatory",
    level=Level.WARNING,
    broken="an attribute that the profile calls mandatory is missing",
    why="readers of the profile count on it",
    remedy="publish it if it is known",
    off="of a cloud's shares it demands wall times, queueing times and virtual memory, which could only be "
    "placeholders, and those break I026 to I034; what GLUE 2.0 demands, `ldap.mandatory` does",
    wrong=True,
    known_issue=True,
)
UNDESIRABLE = Rule(
    id="egi.W034",
    subject="undesirable",
    level=Level.WARNING,
    broken="a member of a user domain, or anything of a single activity, is published",
    why="it is personal, or too much",
    remedy="leave it out",
    known_issue=True,
)
RECOMMENDED = Rule(
    id="egi.I095",
    subject="recommended",
    level=Level.INFO,
    broken="an attribute that the profile recommends is missing",
    why="some reader may use it",
    remedy="publish it if it is known",
    off="of a cloud's shares it recommends limits of batch queues; missing stamps are told by `freshness.unstamped`",
    wrong=True,
    known_issue=True,
)
RULES = (CLASSES, MANDATORY, UNDESIRABLE, RECOMMENDED)

_MANDATORY_BEYOND_GLUE = {
    "Endpoint": "ImplementationName ImplementationVersion",
    "Manager": "ProductVersion",
    "ComputingShare": "DefaultWallTime DefaultCPUTime MaxSlotsPerJob MaxMainMemory GuaranteedMainMemory "
    "MaxVirtualMemory GuaranteedVirtualMemory EstimatedAverageWaitingTime EstimatedWorstWaitingTime FreeSlots "
    "UsedSlots",
    "ComputingManager": "TotalPhysicalCPUs TotalLogicalCPUs ComputingServiceForeignKey",
    "ExecutionEnvironment": "CPUTimeScalingFactor WallTimeScalingFactor VirtualMemorySize OSName OSVersion "
    "ComputingManagerForeignKey",
    "StorageServiceCapacity": "TotalSize",
    "StorageShare": "RetentionPolicy ExpirationMode StorageServiceForeignKey",
    "StorageShareCapacity": "TotalSize",
    "DataStore": "TotalSize StorageManagerForeignKey",
    "ToComputingService": "NetworkInfo Bandwidth",
    "StorageManager": "StorageServiceForeignKey",
}
_NOT_MANDATORY = word_set("""
    GLUE2EndpointServiceForeignKey GLUE2ShareServiceForeignKey GLUE2ManagerServiceForeignKey
    GLUE2ResourceManagerForeignKey GLUE2AccessPolicyEndpointForeignKey GLUE2MappingPolicyShareForeignKey
    GLUE2ApplicationEnvironmentComputingManagerForeignKey GLUE2ExtensionEntityForeignKey
    GLUE2ApplicationHandleApplicationEnvironmentForeignKey GLUE2StorageServiceCapacityStorageServiceForeignKey
    GLUE2StorageAccessProtocolStorageServiceForeignKey GLUE2StorageShareCapacityStorageShareForeignKey
    GLUE2ComputingActivityOwner GLUE2ComputingActivityState
    """)
"""What GLUE 2.0 demands and the profile calls optional."""
_RECOMMENDED = {
    "Entity": "CreationTime",
    "Location": "Country Latitude Longitude",
    "Service": "Capability",
    "Endpoint": "Capability InterfaceVersion IssuerCA",
    "Policy": "UserDomainForeignKey",
    "ComputingService": "TotalJobs RunningJobs WaitingJobs",
    "ComputingShare": "MappingQueue MaxWallTime MaxMultiSlotWallTime MinWallTime MaxCPUTime MaxTotalCPUTime MinCPUTime "
    "MaxTotalJobs MaxRunningJobs MaxWaitingJobs MaxUserRunningJobs TotalJobs RunningJobs WaitingJobs RequestedSlots",
    "ComputingManager": "TotalSlots SlotsUsedByGridJobs",
    "ExecutionEnvironment": "TotalInstances PhysicalCPUs LogicalCPUs CPUMultiplicity CPUVendor CPUModel CPUVersion "
    "CPUClockSpeed",
    "StorageServiceCapacity": "FreeSize UsedSize ReservedSize",
    "StorageShareCapacity": "FreeSize UsedSize ReservedSize",
}


class Levels:
    """Holds the listed classes of an entry against what the profile wants of each."""

    def __init__(self, selection: Selection) -> None:
        self._rules = tuple(rule for rule in (MANDATORY, RECOMMENDED) if selection.has(rule))
        self._undesirable = selection.has(UNDESIRABLE)
        self._classes = selection.has(CLASSES)

    def of_entry(self, record: ldif.Record) -> Iterator[Finding]:
        """What is missing, or better were."""
        listed = tuple(record.attributes.get("objectClass", ()))
        present = record.attributes.keys()
        mandatory, recommended, undesirable, unknown = _wanted_of(listed)
        if self._classes:
            for name in unknown:
                yield CLASSES.found(record.dn, f"has {name!r}", "objectClass")
        for rule, wanted in ((MANDATORY, mandatory), (RECOMMENDED, recommended)):
            if rule in self._rules and not wanted <= present:
                for name in sorted(wanted - present):
                    yield rule.found(record.dn, "is missing", name)
        if self._undesirable and undesirable and not undesirable.isdisjoint(present):
            for name in sorted(undesirable & present):
                yield UNDESIRABLE.found(record.dn, "is published", name)


@lru_cache(maxsize=256)
def _wanted_of(listed: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str], frozenset[str], tuple[str, ...]]:
    """Mandatory, recommended and undesirable attributes of the listed classes, and the classes that nobody knows."""
    names = [name.removeprefix("GLUE2") for name in listed if name.removeprefix("GLUE2") in ENTITY_CLASSES]
    mandatory = set[str]()
    for name in names:
        cls = ENTITY_CLASSES[name]
        mandatory.update(
            one.ldap for one in attributes_of(cls) if one.must and one.declared_by == name and one.ldap is not None
        )
        if family_of(cls) is cls and (ldap := identifier_of(cls).ldap):
            mandatory.add(ldap)
    return (
        frozenset(mandatory - _NOT_MANDATORY | _spelt(_MANDATORY_BEYOND_GLUE, names)),
        _spelt(_RECOMMENDED, names),
        frozenset(_UNDESIRABLE if "ComputingActivity" in names else ())
        | ({"GLUE2UserDomainMember"} if "UserDomain" in names else frozenset()),
        tuple(name for name in listed if name.removeprefix("GLUE2") not in ENTITY_CLASSES and name != "organization"),
    )


_UNDESIRABLE = frozenset(
    one.ldap for one in attributes_of(ComputingActivity) if one.declared_by == "ComputingActivity" and one.ldap
)


def _spelt(table: dict[str, str], names: list[str]) -> frozenset[str]:
    return frozenset(f"GLUE2{name}{attribute}" for name in names for attribute in table.get(name, "").split())
