"""A small centre to change in one place: every builder gives something right, with what the test names put in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from infoprovider.config.model import Centre, Community, InstanceBlock, ProjectMapping, Publication
from infoprovider.glue.document import Made, Source
from infoprovider.glue.entities import Entity
from infoprovider.glue.vocabulary import EndpointHealthState
from infoprovider.inventory.model import (
    FACET_TYPES,
    ApiEndpoint,
    Capacity,
    Facet,
    FacetValue,
    HostCapacity,
    HypervisorPool,
    Hypervisors,
    Image,
    Images,
    InstanceType,
    InstanceTypes,
    Manager,
    Quotas,
    SignIn,
    SignInMethod,
    Usage,
)
from infoprovider.mapping.context import CentreContext, Health, InstanceFacts, Known

E = TypeVar("E", bound=Entity)
V = TypeVar("V", bound=FacetValue)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LOADED = NOW - timedelta(hours=1)

CONFIGURATION = Source(facet="configuration", observed_at=LOADED, declared=True)

MANAGER = Manager(
    product="openstack",
    endpoints=(
        ApiEndpoint(
            url="https://cloud.example.org:8774/", interface="openstack", sign_in=(SignIn(method=SignInMethod.OIDC),)
        ),
    ),
)


def ago(seconds: float) -> datetime:
    """So long before the document is composed."""
    return NOW - timedelta(seconds=seconds)


def source(facet: str = "manager", age: float = 60.0, part: str = "") -> Source:
    """Where a fact of the example's instance came from, so many seconds ago."""
    return Source(facet=facet, instance="north", part=part, observed_at=ago(age))


def known(value: V, age: float = 60.0, part: str = "") -> Known[V]:
    """A fact that was observed so many seconds ago."""
    facet = next(facet for facet, type_ in FACET_TYPES.items() if type_ is type(value))
    return Known(value, source(facet, age, part))


def community(name: str = "vo.example.org", *projects: str, **changes: Any) -> Community:
    """A community that works in these projects of the example's instance."""
    mappings = tuple(ProjectMapping(instance="north", project=project) for project in projects)
    return Community(**({"name": name, "projects": mappings} | changes))


def context(communities: Sequence[Community] = (), **changes: Any) -> CentreContext:
    """The centre's own facts."""
    centre = changes.pop("centre", None) or Centre(name="RC-ONE")
    publication = Publication(**changes)
    return CentreContext(
        centre=centre,
        communities=tuple(communities),
        publication=publication,
        configuration=CONFIGURATION,
        now=NOW,
    )


def pool(id: str = "compute", **changes: Any) -> HypervisorPool:  # noqa: A002  (the inventory's word)
    """A class of two hosts of which nothing but their hypervisor is known."""
    return HypervisorPool(**({"id": id, "kind": "KVM", "hosts": 2} | changes))


def instance_type(id: str = "small", **changes: Any) -> InstanceType:  # noqa: A002
    """One vCPU, 1024 MiB, 10 GiB."""
    return InstanceType(**({"id": id, "vcpus": 1, "memory_mib": 1024, "disk_gib": 10.0} | changes))


def image(id: str = "debian", **changes: Any) -> Image:  # noqa: A002
    """A public image of which nothing but its name is known."""
    return Image(**({"id": id, "name": "Debian"} | changes))


def host(**changes: Any) -> HostCapacity:
    """An empty usable host of 8 vCPUs, 16 GiB and 100 GiB of disk."""
    whole: dict[str, Any] = {
        "usable": True,
        "vcpus": 8,
        "vcpus_used": 0,
        "memory_mib": 16384,
        "memory_used_mib": 0,
        "disk_gib": 100.0,
        "disk_used_gib": 0.0,
    }
    return HostCapacity(**(whole | changes))


def quotas(project: str = "p1", **limits: Any) -> Quotas:
    """Quotas without any limit, but for those that are named."""
    unlimited = dict.fromkeys(
        ("instances", "vcpus", "memory_mib", "disk_gib", "accelerators", "public_addresses"), "unlimited"
    )
    return Quotas(project=project, **(unlimited | limits))


def usage(project: str = "p1", **used: Any) -> Usage:
    """A project of which nothing but what is named is known."""
    return Usage(project=project, **used)


def facts(communities: Sequence[Community] = (), **changes: Any) -> InstanceFacts:
    """One instance: its manager, and whatever facet is named, as a value or as `Known`."""
    about = {name: changes.pop(name) for name in ("centre", "vocabulary", "memory_unit") if name in changes}
    block = {"name": "north", "kind": "static"} | changes.pop("block", {})
    values: dict[str, Any] = {"manager": MANAGER} | changes
    for name in ("quotas", "usage"):
        values[name] = {one.project: known(one, part=one.project) for one in values.get(name, ())} | values.pop(
            f"known_{name}", {}
        )
    whole = {name: value if _is_whole(value) else known(value) for name, value in values.items()}
    whole.setdefault("health", Health(EndpointHealthState.UNKNOWN, None, whole["manager"].source))
    return InstanceFacts(context=context(communities, **about), block=InstanceBlock(**block), **whole)


def _is_whole(value: object) -> bool:
    return isinstance(value, Known | Mapping | Health)


def pools(*found: HypervisorPool) -> Hypervisors:
    """The facet of these host classes."""
    return Hypervisors(pools=found)


def types(*found: InstanceType) -> InstanceTypes:
    """The facet of these instance types."""
    return InstanceTypes(instance_types=found)


def images(*found: Image) -> Images:
    """The facet of these images."""
    return Images(images=found)


def capacity(*hosts: HostCapacity, **changes: Any) -> Capacity:
    """The facet of these hosts, with the sums over the usable ones."""
    usable = [one for one in hosts if one.usable]
    sums = {
        name: sum(getattr(one, name) for one in usable)
        for name in ("vcpus", "vcpus_used", "memory_mib", "memory_used_mib")
    }
    return replace(Capacity(hosts=hosts, **sums), **changes)


def only(made: Sequence[Made], cls: type[E]) -> E:
    """The one entity of this class."""
    (found,) = [one.entity for one in made if type(one.entity) is cls]
    return found


def said(entity: Entity, key: str) -> list[str]:
    """What the entity says under one OtherInfo key."""
    return [value.removeprefix(f"{key}=") for value in entity.other_info if value.startswith(f"{key}=")]


def keys(entity: Entity) -> list[str]:
    """The OtherInfo keys of an entity, each once."""
    return list(dict.fromkeys(value.partition("=")[0] for value in entity.other_info))


__all__ = [
    "CONFIGURATION",
    "LOADED",
    "MANAGER",
    "NOW",
    "Facet",
    "ago",
    "capacity",
    "community",
    "context",
    "facts",
    "host",
    "image",
    "images",
    "instance_type",
    "keys",
    "known",
    "only",
    "pool",
    "pools",
    "quotas",
    "said",
    "source",
    "types",
    "usage",
]
