"""Documents to render: a centre with every class that is published, each field of it filled."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from infoprovider.glue import entities as glue
from infoprovider.glue.entities import Entity
from infoprovider.glue.names import attributes_of

MOMENT = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)

SERVICE = "urn:glue2:ComputingService:rc-one:north"
STORAGE = "urn:glue2:StorageService:rc-one:blocks"

TREE: tuple[tuple[type[Entity], str, str], ...] = (
    (glue.AdminDomain, "RC-ONE", ""),
    (glue.Location, "urn:location", "RC-ONE"),
    (glue.Contact, "urn:contact", "RC-ONE"),
    (glue.UserDomain, "vo.example.org", "group"),
    (glue.Service, "urn:service", "group"),
    (glue.Endpoint, "urn:endpoint", "urn:service"),
    (glue.ComputingService, SERVICE, "group"),
    (glue.ComputingEndpoint, "urn:nova", SERVICE),
    (glue.AccessPolicy, "urn:nova:policy", "urn:nova"),
    (glue.ComputingManager, "urn:manager", SERVICE),
    (glue.ComputingShare, "urn:share", SERVICE),
    (glue.MappingPolicy, "urn:share:policy", "urn:share"),
    (glue.ExecutionEnvironment, "urn:pool", SERVICE),
    (glue.ExecutionEnvironment, "urn:small", SERVICE),
    (glue.Benchmark, "urn:pool:hs06", "urn:pool"),
    (glue.Benchmark, "urn:manager:hs06", "urn:manager"),
    (glue.ApplicationEnvironment, "urn:image", SERVICE),
    (glue.ApplicationHandle, "urn:handle", "urn:image"),
    (glue.ToStorageService, "urn:mount", SERVICE),
    (glue.StorageService, STORAGE, "group"),
    (glue.StorageEndpoint, "urn:cinder", STORAGE),
    (glue.StorageManager, "urn:storage-manager", STORAGE),
    (glue.StorageShare, "urn:storage-share", STORAGE),
    (glue.DataStore, "urn:disks", STORAGE),
    (glue.StorageServiceCapacity, "urn:capacity", STORAGE),
    (glue.StorageShareCapacity, "urn:share-capacity", "urn:storage-share"),
    (glue.StorageAccessProtocol, "urn:protocol", STORAGE),
    (glue.ToComputingService, "urn:way", STORAGE),
)
"""Class, ID, and the ID of the entry that it stands below in every tree."""

TARGETS = {
    "Service": SERVICE,
    "ComputingService": SERVICE,
    "StorageService": STORAGE,
    "Domain": "RC-ONE",
    "AdminDomain": "RC-ONE",
    "UserDomain": "vo.example.org",
    "Endpoint": "urn:nova",
    "ComputingEndpoint": "urn:nova",
    "StorageEndpoint": "urn:cinder",
    "Share": "urn:share",
    "StorageShare": "urn:storage-share",
    "Manager": "urn:manager",
    "ComputingManager": "urn:manager",
    "StorageManager": "urn:storage-manager",
    "Resource": "urn:small",
    "ExecutionEnvironment": "urn:pool",
    "DataStore": "urn:disks",
    "ApplicationEnvironment": "urn:image",
    "StorageAccessProtocol": "urn:protocol",
    "Activity": "urn:activity",
    "ComputingShare": "urn:share",
}

OWN: dict[str, dict[str, Any]] = {
    "urn:endpoint": {"service_foreign_key": "urn:service"},
    "urn:cinder": {"service_foreign_key": STORAGE},
    "urn:storage-manager": {"service_foreign_key": STORAGE},
    "urn:storage-share": {"service_foreign_key": STORAGE},
    "urn:disks": {"manager_foreign_key": "urn:storage-manager"},
    "urn:small": {"virtual_machine": "true"},
    "urn:pool": {"virtual_machine": "false"},
    "urn:manager:hs06": {"execution_environment_foreign_key": None},
}


@dataclass(frozen=True)
class Entities:
    """What a renderer needs of a document."""

    entities: tuple[Entity, ...]


def filled(cls: type[Entity], id_: str, **own: Any) -> Entity:
    """An entity with something in every field."""
    values: dict[str, Any] = {"id": id_}
    for number, attribute in enumerate(attributes_of(cls)[1:], start=1):
        python = attribute.type.python
        value: Any
        if attribute.target is not None:
            value = TARGETS[attribute.target]
        elif issubclass(python, StrEnum):
            value = next(iter(python))
        else:
            value = {str: f"{attribute.name} of {id_}", int: number, float: number / 4, datetime: MOMENT}[python]
        values[attribute.field] = (value,) if attribute.multiple else value
    return cls(**values | own)


def centre(*without: str, **changes: dict[str, Any]) -> Entities:
    """The whole centre, without the entities of some IDs, and with some fields of others changed."""
    made = [filled(cls, id_, **OWN.get(id_, {})) for cls, id_, _ in TREE if id_ not in without]
    return Entities(tuple(replace(one, **changes.get(one.id, {})) for one in made))


def with_entities(document: Entities, added: Iterable[Entity]) -> Entities:
    """The same centre with some more entities."""
    return Entities((*document.entities, *added))
