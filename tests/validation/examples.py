"""For every rule what breaks it and what holds; a rule without both fails the tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infoprovider import ldif
from infoprovider.validation.rule import Key
from tests.validation.entries import ABOVE, entry, located


@dataclass(frozen=True)
class Example:
    """What is read in either case."""

    breaks: Sequence[ldif.Located | ldif.Unreadable]
    holds: Sequence[ldif.Located | ldif.Unreadable]


CONCRETE = {
    "Endpoint": "ComputingEndpoint",
    "Entity": "ComputingService",
    "Service": "ComputingService",
    "Domain": "AdminDomain",
}
"""Where a rule is on a class that is mostly published as another one."""


def _changed(record: ldif.Record, **changes: list[str]) -> ldif.Record:
    return ldif.Record(record.dn, record.attributes | changes)


def _without(record: ldif.Record, name: str) -> ldif.Record:
    return ldif.Record(record.dn, {key: values for key, values in record.attributes.items() if key != name})


def _listing(*classes: str) -> ldif.Record:
    """An entry that lists these classes, whatever else it lacks."""
    return ldif.Record(f"GLUE2EntityID={'-'.join(classes)},o=glue", {"objectClass": [f"GLUE2{one}" for one in classes]})


def _pair(breaks: ldif.Record, holds: ldif.Record) -> Example:
    return Example(located(breaks), located(holds))


def _values(cls: str, breaks: str, holds: str) -> Example:
    return _pair(entry(cls, breaks), entry(cls, holds))


def _profile() -> dict[Key, Example]:
    found = {}
    for line in (Path(__file__).parent / "values.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        rule, breaks, holds = line.split(" | ")
        code, _, subject = rule.partition(" ")
        cls = subject.split(".")[0]
        found[f"egi.{code}", subject] = _values(CONCRETE.get(cls, cls), breaks, holds)
    return found


SERVICE = entry("ComputingService")
SHARE = entry("ComputingShare")
MANAGER = entry("ComputingManager", id="manager", above=f"GLUE2ServiceID=service,{ABOVE}")
WHOLE_SERVICE = entry("ComputingService", id="service")

_LDAP = {
    "ldap.object-class": _pair(
        _changed(SERVICE, objectClass=["GLUE2Service", "GLUE2ComputingService"]),
        SERVICE,
    ),
    "ldap.unknown-attribute": _pair(_changed(SERVICE, GLUE2ServiceColour=["red"]), SERVICE),
    "ldap.mandatory": _pair(_without(SERVICE, "GLUE2ServiceType"), SERVICE),
    "ldap.single-value": _values("ComputingService", "Type=other; Type=another", "StatusInfo=a:b; StatusInfo=a:c"),
    "ldap.integer": _values("ComputingService", "TotalJobs=007", "TotalJobs=7"),
    "ldap.empty-value": _pair(_changed(SERVICE, GLUE2EntityName=[""]), SERVICE),
    "ldap.equal-values": _values(
        "ComputingService", "OtherInfo=a=b  c; OtherInfo=a=b c", "OtherInfo=a=b; OtherInfo=a=c"
    ),
    "ldap.duplicate-dn": Example(
        located(SERVICE, _changed(SERVICE, GLUE2EntityName=["again"])), located(SERVICE, SHARE)
    ),
    "ldap.parent": Example(
        located(SERVICE, entry("ComputingManager", above=f"GLUE2ServiceID=nowhere,{ABOVE}")),
        # The order does not count, nor letter case; and the first may be the root of a search.
        located(
            entry("AdminDomain", id="RC-ONE", above="o=glue"),
            entry("ComputingManager", above=f"glue2serviceid=computingservice,{ABOVE}"),
            SERVICE,
        ),
    ),
    "ldap.rdn": _pair(_changed(SERVICE, GLUE2ServiceID=["another"]), entry("ComputingService", id="x" * 200)),
    "bdii.unsafe-value": _values("ComputingService", "Name=the dn: of it", "Name=the DN: of it"),
}

_GLUE = {
    "glue.type": _values("ComputingService", "TotalJobs=4294967296", "TotalJobs=4294967295"),
    "glue.enumeration": _values("ComputingService", "QualityLevel=Production", "QualityLevel=production"),
    "glue.spelling": _values("ComputingService", "Type=ORG.OPENSTACK.NOVA", "Type=whatever.it.is"),
    "glue.duplicate-id": Example(
        located(SERVICE, entry("AdminDomain", "ID=ComputingService")), located(SERVICE, entry("AdminDomain"))
    ),
    "glue.reference": Example(
        located(WHOLE_SERVICE, entry("ComputingShare", "ServiceForeignKey=Service")), located(SHARE, WHOLE_SERVICE)
    ),
    "glue.reference-class": Example(
        located(WHOLE_SERVICE, MANAGER, entry("ComputingShare", "ServiceForeignKey=manager")),
        located(SHARE, WHOLE_SERVICE, MANAGER),
    ),
}

_FRESHNESS = {
    "freshness.absurd-validity": _values("ComputingService", "Validity=0", "Validity=86400"),
    "freshness.unstamped": _values("ComputingService", "Validity=", "Validity=1"),
}

_PLACEHOLDERS = {
    "placeholder.text": _values("ComputingService", "Name=UNDEFINEDVALUE: not set", "Name=undefined"),
    "placeholder.number": _values("ComputingManager", "TotalSlots=999999999", "TotalSlots=99999999"),
    "placeholder.address": _values(
        "ComputingEndpoint", "URL=https://unknown.invalid:8774/", "URL=https://invalid.example.org:8774/"
    ),
    "placeholder.position": _values("Location", "Latitude=0; Longitude=0.0", "Latitude=0; Longitude=6.5"),
}

_READ = {
    "read.unreadable": Example([ldif.Unreadable(3, "a line that is nothing")], located(SERVICE)),
    "read.nothing": Example([], located(SERVICE)),
}

_LEVELS: dict[Key, Example] = {
    ("egi.E021", "object classes"): _pair(_changed(SERVICE, objectClass=["top", "GLUE2Service"]), SERVICE),
    ("egi.W034", "mandatory"): _pair(
        entry("ComputingManager"),
        entry(
            "ComputingManager",
            "ProductVersion=2026.2; TotalPhysicalCPUs=10; TotalLogicalCPUs=20; ComputingServiceForeignKey=service",
        ),
    ),
    ("egi.W034", "undesirable"): _values("UserDomain", "Member=somebody", "Description=somebody"),
    ("egi.I095", "recommended"): _values(
        "ComputingService", "TotalJobs=1", "TotalJobs=1; RunningJobs=1; WaitingJobs=0; Capability=data.transfer"
    ),
    ("egi.W036", "single value"): _values(
        "ComputingService", "ServiceForeignKey=one; ServiceForeignKey=two", "Capability=one; Capability=two"
    ),
}

_TYPES = {
    "text": _pair(_changed(SERVICE, GLUE2ServiceComplexity=[""]), SERVICE),
    "URL": _values("ComputingEndpoint", "URL=https://localhost:8774/", "URL=https://cloud.example.org:8774/"),
    "DateTime": _values(
        "ComputingService", "CreationTime=2026-11-21T12:00:00+00:00", "CreationTime=2026-11-21T12:00:00"
    ),
    "integer": _values("ComputingService", "TotalJobs=many", "TotalJobs=12"),
    "real": _values("Location", "Latitude=+1", "Latitude=-1.5"),
    "AccessLatency_t": _values("StorageShare", "AccessLatency=Online", "AccessLatency=online"),
    "AppEnvState_t": _values("ApplicationEnvironment", "State=ready", "State=installable"),
    "ApplicationHandleType_t": _values("ApplicationHandle", "Type=path", "Type=Path"),
    "BenchmarkType_t": _values("Benchmark", "Type=hepscore", "Type=hep-spec06"),
    "CPUMultiplicity_t": _values("ExecutionEnvironment", "CPUMultiplicity=many", "CPUMultiplicity=multicpu-multicore"),
    "Capability_t": _values("ComputingService", "Capability=cloud.vm.uploadImage", "Capability=information.query"),
    "ComputingActivityType_t": _values("ComputingActivity", "Type=vm", "Type=single"),
    "ContactType_t": _values("Contact", "Type=boss", "Type=Security"),
    "DataStoreType_t": _values("DataStore", "Type=ssd", "Type=disk"),
    "EndpointHealthState_t": _values("ComputingEndpoint", "HealthState=downtime", "HealthState=ok"),
    "EndpointTechnology_t": _values("ComputingEndpoint", "Technology=REST", "Technology=webservice"),
    "ExpirationMode_t": _values("StorageShare", "ExpirationMode=never", "ExpirationMode=neverexpire"),
    "ExtendedBoolean_t": _values("AdminDomain", "Distributed=yes", "Distributed=TRUE"),
    "InterfaceName_t": _values("ComputingEndpoint", "InterfaceName=org.openstack.nova", "InterfaceName=https"),
    "JobDescription_t": _values("ComputingEndpoint", "JobDescription=ogf:jsdl", "JobDescription=ogf:jsdl:1.0"),
    "License_t": _values("ApplicationEnvironment", "License=free", "License=opensource"),
    "OSFamily_t": _values("ExecutionEnvironment", "OSFamily=bsd", "OSFamily=linux"),
    "OSName_t": _values("ExecutionEnvironment", "OSName=ubuntu", "OSName=Ubuntu"),
    "ParallelSupport_t": _values("ApplicationEnvironment", "ParallelSupport=threads", "ParallelSupport=mpi"),
    "Platform_t": _values("ExecutionEnvironment", "Platform=aarch64", "Platform=amd64"),
    "PolicyScheme_t": _values("MappingPolicy", "Scheme=oidc", "Scheme=basic"),
    "QualityLevel_t": _values("ComputingService", "QualityLevel=beta", "QualityLevel=testing"),
    "ReservationPolicy_t": _values("ComputingShare", "ReservationPolicy=maybe", "ReservationPolicy=optional"),
    "RetentionPolicy_t": _values("StorageShare", "RetentionPolicy=forever", "RetentionPolicy=custodial"),
    "SchedulingPolicy_t": _values("ComputingShare", "SchedulingPolicy=lifo", "SchedulingPolicy=fifo"),
    "ServiceType_t": _values("ComputingService", "Type=IaaS", "Type=other"),
    "ServingState_t": _values("ComputingShare", "ServingState=open", "ServingState=closed"),
    "Staging_t": _values("ComputingEndpoint", "Staging=both", "Staging=none"),
    "StorageAccessProtocolType_t": _values("StorageAccessProtocol", "Type=xrootd", "Type=xroot"),
    "StorageCapacity_t": _values("StorageShareCapacity", "Type=fast", "Type=online"),
}

_TOGETHER = (
    ("Domain", "Location"),
    ("Domain", "Contact"),
    ("ComputingService", "Service"),
    ("StorageService", "Service"),
    ("ComputingEndpoint", "Endpoint"),
    ("StorageEndpoint", "Endpoint"),
    ("ComputingShare", "Share"),
    ("StorageShare", "Share"),
    ("Share", "MappingPolicy"),
    ("Endpoint", "AccessPolicy"),
    ("ComputingService", "ComputingManager"),
    ("ComputingManager", "ExecutionEnvironment"),
    ("StorageShareCapacity", "StorageShare"),
    ("StorageService", "StorageAccessProtocol"),
)

EXAMPLES: dict[Key, Example] = {
    **{
        (id_, ""): example
        for group in (_LDAP, _GLUE, _FRESHNESS, _PLACEHOLDERS, _READ)
        for id_, example in group.items()
    },
    **_profile(),
    **_LEVELS,
    **{("egi.W037", subject): example for subject, example in _TYPES.items()},
    **{
        ("egi.E025", f"{present} without {wanted}"): Example(
            located(_listing(present)), located(_listing(present), _listing(wanted))
        )
        for present, wanted in _TOGETHER
    },
}
