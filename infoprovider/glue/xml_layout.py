"""How a GLUE 2.0 document in XML is laid out, beyond what each field says of itself.

A document is one `GLUE2` element with the entities in `ROOT_ORDER`. The classes of a family (a class and what derives
from it) stand for one abstract element, and carry the family's name in `BaseType`. An entity's element holds ID, Name,
OtherInfo, Extensions, the fields in the order of their declaration, and `Associations` with the class's `LINKS`;
CreationTime and Validity are XML attributes. Source: the OGF XML schema of 2009/03, r1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from infoprovider.glue.entities import Entity, Entry
from infoprovider.glue.fields import ID, LOCAL_ID
from infoprovider.glue.names import ENTITY_CLASSES, family_of

NAMESPACE = "http://schemas.ogf.org/glue/2009/03/spec_2.0_r1"

ROOT_ORDER = (
    "Location",
    "Contact",
    "Domain",
    "Service",
    "Endpoint",
    "Share",
    "Manager",
    "Resource",
    "Activity",
    "Policy",
    "Benchmark",
    "ApplicationEnvironment",
    "ToComputingService",
    "ToStorageService",
    "StorageAccessProtocol",
    "StorageServiceCapacity",
    "StorageShareCapacity",
    "ApplicationHandle",
)
"""The families in the order in which they stand below the root."""

XML_ATTRIBUTES = ("CreationTime", "Validity")
"""Fields of Entity that are XML attributes of the entity's element."""

BARE = frozenset({"StorageAccessProtocol"})
"""Classes whose XML type does not extend Entity's: no ID, no Name, no times (an oversight of the OGF schema)."""


@dataclass(frozen=True, slots=True)
class Link:
    """An element below `Associations`: its name, how often it stands there, the GLUE class that it points to.

    It holds IDs from a reference of the entity itself or, seen from the other side, of the entities that refer to it.
    """

    element: str
    occurs: str
    target: str
    xsd: str = ID.xsd


LINKS: Mapping[str, tuple[Link, ...]] = MappingProxyType(
    {
        "Location": (
            Link("ServiceID", "0..*", "Service"),
            Link("DomainID", "0..*", "Domain"),
        ),
        "Contact": (
            Link("ServiceID", "0..*", "Service"),
            Link("DomainID", "0..*", "Domain"),
        ),
        "AdminDomain": (
            Link("ServiceID", "0..*", "Service"),
            Link("ChildDomainID", "0..*", "AdminDomain"),
            Link("ParentDomainID", "0..1", "AdminDomain"),
            Link("ContactID", "0..*", "Contact"),
            Link("LocationID", "0..1", "Location"),
        ),
        "UserDomain": (
            Link("PolicyID", "0..*", "Policy"),
            Link("ChildDomainID", "0..*", "UserDomain"),
            Link("ParentDomainID", "0..1", "UserDomain"),
            Link("ContactID", "0..*", "Contact"),
            Link("LocationID", "0..1", "Location"),
        ),
        "Service": (
            Link("EndpointID", "0..*", "Endpoint"),
            Link("ShareID", "0..*", "Share", LOCAL_ID.xsd),
            Link("ManagerID", "0..*", "Manager"),
            Link("ContactID", "0..*", "Contact"),
            Link("LocationID", "0..1", "Location"),
            Link("ServiceID", "0..*", "Service"),
        ),
        "Endpoint": (
            Link("ServiceID", "1..1", "Service"),
            Link("ShareID", "0..*", "Share", LOCAL_ID.xsd),
            Link("PolicyID", "0..*", "AccessPolicy"),
            Link("ActivityID", "0..*", "Activity"),
        ),
        "Activity": (
            Link("DomainID", "0..1", "UserDomain"),
            Link("EndpointID", "0..1", "Endpoint"),
            Link("ShareID", "0..1", "Share"),
            Link("ResourceID", "0..1", "Resource"),
            Link("ActivityID", "0..*", "Activity"),
        ),
        "AccessPolicy": (
            Link("EndpointID", "1..1", "Endpoint"),
            Link("DomainID", "1..*", "UserDomain"),
        ),
        "MappingPolicy": (
            Link("ShareID", "1..1", "Share"),
            Link("DomainID", "1..*", "UserDomain"),
        ),
        "ComputingService": (
            Link("EndpointID", "0..*", "ComputingEndpoint"),
            Link("ShareID", "0..*", "ComputingShare", LOCAL_ID.xsd),
            Link("ManagerID", "0..*", "ComputingManager"),
            Link("ServiceID", "0..*", "Service"),
            Link("ContactID", "0..*", "Contact"),
            Link("LocationID", "0..1", "Location"),
        ),
        "ComputingEndpoint": (
            Link("ServiceID", "1..1", "ComputingService"),
            Link("ShareID", "0..*", "ComputingShare"),
            Link("ActivityID", "0..*", "ComputingActivity"),
            Link("PolicyID", "0..*", "AccessPolicy"),
        ),
        "ComputingShare": (
            Link("EndpointID", "0..*", "ComputingEndpoint"),
            Link("ResourceID", "0..*", "ExecutionEnvironment"),
            Link("ServiceID", "1..1", "ComputingService"),
            Link("ActivityID", "0..*", "ComputingActivity"),
            Link("PolicyID", "0..*", "MappingPolicy"),
        ),
        "ComputingManager": (
            Link("ServiceID", "1..1", "ComputingService"),
            Link("ResourceID", "0..*", "ExecutionEnvironment"),
            Link("ApplicationEnvironmentID", "0..*", "ApplicationEnvironment"),
            Link("BenchmarkID", "0..*", "Benchmark"),
        ),
        "Benchmark": (
            Link("ResourceID", "0..1", "ExecutionEnvironment"),
            Link("ManagerID", "0..1", "ComputingManager"),
        ),
        "ExecutionEnvironment": (
            Link("ManagerID", "1..1", "ComputingManager"),
            Link("ShareID", "0..*", "ComputingShare"),
            Link("ActivityID", "0..*", "ComputingActivity"),
            Link("ApplicationEnvironmentID", "0..*", "ApplicationEnvironment"),
            Link("BenchmarkID", "0..*", "Benchmark"),
        ),
        "ApplicationEnvironment": (
            Link("ResourceID", "0..*", "ExecutionEnvironment"),
            Link("ManagerID", "1..1", "ComputingManager"),
            Link("ApplicationHandleID", "0..*", "ApplicationHandle"),
        ),
        "ApplicationHandle": (Link("ApplicationEnvironmentID", "1..1", "ApplicationEnvironment"),),
        "ComputingActivity": (
            Link("EndpointID", "0..1", "ComputingEndpoint"),
            Link("ShareID", "0..1", "ComputingShare"),
            Link("ResourceID", "0..1", "ExecutionEnvironment"),
            Link("DomainID", "0..1", "UserDomain"),
            Link("ActivityID", "0..*", "Activity"),
        ),
        "ToStorageService": (Link("ServiceID", "2..2", "Service"),),
        "StorageService": (
            Link("EndpointID", "0..*", "StorageEndpoint"),
            Link("ShareID", "0..*", "StorageShare"),
            Link("ManagerID", "0..*", "StorageManager"),
            Link("StorageAccessProtocolID", "0..*", "StorageAccessProtocol"),
            Link("StorageServiceCapacityID", "0..*", "StorageServiceCapacity"),
            Link("ContactID", "0..*", "Contact"),
            Link("LocationID", "0..1", "Location"),
            Link("ServiceID", "0..*", "Service"),
        ),
        "StorageServiceCapacity": (Link("ServiceID", "1..1", "StorageService"),),
        "StorageAccessProtocol": (
            Link("ServiceID", "1..1", "StorageService"),
            Link("ToComputingServiceID", "0..*", "ToComputingService"),
        ),
        "StorageEndpoint": (
            Link("ServiceID", "1..1", "StorageService"),
            Link("ShareID", "0..*", "StorageShare"),
            Link("PolicyID", "0..*", "AccessPolicy"),
        ),
        "StorageShare": (
            Link("EndpointID", "0..*", "StorageEndpoint"),
            Link("ResourceID", "0..*", "DataStore"),
            Link("ServiceID", "1..1", "StorageService"),
            Link("StorageShareCapacityID", "0..*", "StorageShareCapacity"),
            Link("PolicyID", "0..*", "MappingPolicy"),
        ),
        "StorageShareCapacity": (Link("ShareID", "1..1", "StorageShare"),),
        "StorageManager": (
            Link("ServiceID", "1..1", "StorageService"),
            Link("ResourceID", "0..*", "DataStore"),
        ),
        "DataStore": (
            Link("ManagerID", "1..1", "StorageManager"),
            Link("ShareID", "0..*", "StorageShare"),
        ),
        "ToComputingService": (
            Link("StorageAccessProtocolID", "0..*", "StorageAccessProtocol"),
            Link("ServiceID", "2..2", "Service"),
        ),
    }
)
"""GLUE class → what stands below its `Associations`, in order."""


def has_subclasses(family: type[Entry]) -> bool:
    """Whether a class is the head of a family of several, which has an abstract element and a base type."""
    return any(cls.__bases__ == (family,) for cls in ENTITY_CLASSES.values())


def has_element(cls: type[Entry]) -> bool:
    """Whether entities of exactly this class stand in a document."""
    return issubclass(cls, Entity) and not cls.glue.abstract


def head_of(cls: type[Entry]) -> str | None:
    """The abstract element that a class's element stands for; None where its family has no other class."""
    family = family_of(cls)
    return f"Abstract{family.__name__}" if has_subclasses(family) else None
