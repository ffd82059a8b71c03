"""What every mapper needs: identifiers, stamps, units, and the facts of one instance with where they came from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Generic, TypeVar

from infoprovider.config.model import (
    Centre,
    Community,
    Disclosure,
    Downtime,
    InstanceBlock,
    ProjectMapping,
    Publication,
)
from infoprovider.glue.document import Source
from infoprovider.glue.vocabulary import EndpointHealthState, QualityLevel, ServingState
from infoprovider.inventory.model import (
    Capacity,
    Checksum,
    Endorsement,
    Endorsements,
    HypervisorPool,
    Hypervisors,
    Image,
    Images,
    InstanceType,
    InstanceTypes,
    Manager,
    Networks,
    Ownership,
    Prices,
    Quotas,
    TrustPolicy,
    Usage,
)
from infoprovider.mapping.fitting import fits
from infoprovider.mapping.identifiers import Identifiers
from infoprovider.mapping.other_info import OtherInfo
from infoprovider.mapping.startable import Bound, host_bound

DYNAMIC = 1200
"""Validity in seconds of services, endpoints, managers and shares (cloud-mapping 0.5)."""

SLOW = 3600
"""Validity in seconds of instance types, host pools, benchmarks and images."""

STATIC = 86400
"""Validity in seconds of domains, locations, contacts and policies."""

DYNAMIC_REFRESH = 150
"""Seconds after which an unchanged dynamic entity takes a newer stamp."""


def refresh_period(validity: int) -> int:
    """Seconds after which an unchanged entity of this Validity takes a newer stamp (docs/architecture.md)."""
    return DYNAMIC_REFRESH if validity <= DYNAMIC else validity // 2


V = TypeVar("V", covariant=True)
W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Known(Generic[V]):
    """A fact and where it came from."""

    value: V
    source: Source


@dataclass(frozen=True, slots=True)
class Health:
    """What is said of an instance's endpoints: the state, what was seen, and when."""

    state: EndpointHealthState
    info: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class Units:
    """How sizes are published: as the managers' own 2^20 and 2^30 bytes, or converted to 10^6 and 10^9 (`si`)."""

    si: bool

    def memory(self, mib: int | None) -> int | None:
        """GLUE's MB."""
        if mib is None or not self.si:
            return mib
        return mib * 2**20 // 10**6

    def disk(self, gib: float | None) -> float | None:
        """GLUE's GB, with fractions."""
        if gib is None or not self.si:
            return gib
        return gib * 2**30 / 10**9

    def whole_disk(self, gib: float | None) -> int | None:
        """GLUE's GB where the attribute is an integer: what is surely there."""
        converted = self.disk(gib)
        return None if converted is None else int(converted)


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreContext:
    """The centre's own facts; `now` is when the document is composed, for what has a date of expiry."""

    centre: Centre
    communities: tuple[Community, ...]
    publication: Publication
    configuration: Source
    now: datetime

    @property
    def units(self) -> Units:
        """How sizes are published."""
        return Units(self.publication.memory_unit == "si")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """One project that communities work in, with every mapping of it."""

    project: str
    community: Community
    mappings: tuple[ProjectMapping, ...]


def mapped_to(instance: str, communities: Iterable[Community]) -> tuple[Mapped, ...]:
    """The projects of an instance that communities are mapped to, in the order of the configuration."""
    found: dict[str, tuple[Community, list[ProjectMapping]]] = {}
    for community in communities:
        for mapping in community.projects:
            if mapping.instance == instance:
                found.setdefault(mapping.project, (community, []))[1].append(mapping)
    return tuple(
        Mapped(project=project, community=community, mappings=tuple(mappings))
        for project, (community, mappings) in found.items()
    )


@dataclass(frozen=True, kw_only=True)
class InstanceFacts:
    """Everything known of one VM manager, ready for the mappers; what is not known is None or empty.

    `withheld_projects` are projects that are there and of which nothing may be said, each with why (empty where that is
    said elsewhere): they get no share, and what is added up over all projects is not known.
    """

    context: CentreContext
    block: InstanceBlock
    health: Health
    manager: Known[Manager]
    hypervisors: Known[Hypervisors] | None = None
    capacity: Known[Capacity] | None = None
    instance_types: Known[InstanceTypes] | None = None
    images: Known[Images] | None = None
    networks: Known[Networks] | None = None
    trust: Known[TrustPolicy] | None = None
    endorsements: Known[Endorsements] | None = None
    prices: Known[Prices] | None = None
    quotas: Mapping[str, Known[Quotas]] = field(default_factory=dict)
    usage: Mapping[str, Known[Usage]] = field(default_factory=dict)
    withheld_projects: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def ids(self) -> Identifiers:
        """Names this instance's entities."""
        return Identifiers(self.context.centre.name, self.block.name)

    @property
    def quality_level(self) -> QualityLevel:
        """The operator's word on the instance's maturity."""
        return QualityLevel(self.block.quality_level)

    @property
    def serving_state(self) -> ServingState:
        """The operator's word on whether the instance takes requests."""
        return ServingState(self.block.serving_state)

    @cached_property
    def downtime(self) -> Downtime | None:
        """The announced interruption until it has ended; one without an end stands until it is taken out."""
        announced = self.block.downtime
        over = announced is not None and announced.end is not None and announced.end <= self.context.now
        return None if over else announced

    @cached_property
    def is_interrupted(self) -> bool:
        """Whether an announced interruption has begun and has not ended."""
        return self.downtime is not None and self.downtime.start <= self.context.now

    @cached_property
    def takes_requests(self) -> bool:
        """Whether machines can be started, as far as the operator says."""
        return self.serving_state is ServingState.PRODUCTION and not self.is_interrupted

    @cached_property
    def service_id(self) -> str:
        """The ComputingService of this instance."""
        return self.ids.of("ComputingService")

    @cached_property
    def manager_id(self) -> str:
        """The ComputingManager of this instance."""
        return self.ids.of("ComputingManager")

    @cached_property
    def type_ids(self) -> Mapping[str, str]:
        """The ExecutionEnvironment of each published instance type, by its native id."""
        return {one.id: self.ids.of("ExecutionEnvironment", one.id) for one in self.published_types}

    def pool_id(self, pool: str) -> str:
        """The ExecutionEnvironment of a host class; prefixed, because a type may have the same native id."""
        return self.ids.of("ExecutionEnvironment", pool, prefix="host-pool")

    @cached_property
    def host_bounds(self) -> Mapping[str, Bound]:
        """How many machines of each published type, by its native id, the hosts still hold."""
        capacity = self.capacity.value if self.capacity else None
        return {one.id: host_bound(one, capacity, self.pools) for one in self.published_types}

    @cached_property
    def fitting_types(self) -> Mapping[str, tuple[InstanceType, ...]]:
        """The published types that each published image, by its native id, can be started on."""
        return {
            image.id: tuple(one for one in self.published_types if fits(image, one, self.pools))
            for image in self.published_images
        }

    @cached_property
    def fitting_images(self) -> Mapping[str, tuple[Image, ...]]:
        """The published images that machines of each published type, by its native id, can be started from."""
        found: dict[str, list[Image]] = {one.id: [] for one in self.published_types}
        for image in self.published_images:
            for instance_type in self.fitting_types[image.id]:
                found[instance_type.id].append(image)
        return {id_: tuple(images) for id_, images in found.items()}

    @cached_property
    def pools(self) -> tuple[HypervisorPool, ...]:
        """All host classes, by id; empty where they are not known."""
        return _by_id(self.hypervisors.value.pools if self.hypervisors else ())

    @property
    def oldest_usage(self) -> Known[Usage] | None:
        """The usage of the project that was observed first."""
        return min(self.usage.values(), key=lambda known: known.source.observed_at, default=None)

    @cached_property
    def endorsements_by_identifier(self) -> Mapping[str, Endorsement]:
        """Endorsements by the marketplace URI or native id that they name."""
        return {one.identifier: one for one in self._endorsements}

    @cached_property
    def endorsements_by_checksum(self) -> Mapping[Checksum, Endorsement]:
        """Endorsements by the checksum that they state."""
        return {one.checksum: one for one in self._endorsements if one.checksum is not None}

    @property
    def _endorsements(self) -> tuple[Endorsement, ...]:
        return self.endorsements.value.endorsements if self.endorsements else ()

    @cached_property
    def mapped(self) -> tuple[Mapped, ...]:
        """The projects of this instance that communities are mapped to, in the order of the configuration."""
        return mapped_to(self.block.name, self.context.communities)

    @cached_property
    def mapped_projects(self) -> frozenset[str]:
        """The ids of those projects: the only ones whose private things may be published."""
        return frozenset(one.project for one in self.mapped)

    @property
    def mapped_and_there(self) -> tuple[Mapped, ...]:
        """Those of them that the manager knows: each becomes a share."""
        return tuple(one for one in self.mapped if one.project in self.projects - self.withheld_projects.keys())

    @cached_property
    def projects(self) -> frozenset[str]:
        """The ids of all projects that the manager tells of."""
        return frozenset((*self.quotas, *self.usage, *self.withheld_projects))

    def counted(self, count: Callable[[Usage], int | None], projects: Iterable[str] | None = None) -> int | None:
        """A count added up over projects, over all where none are named.

        Not known where one of them does not tell, or where there is none: the account may see only its own.
        """
        chosen = self.projects if projects is None else projects
        return total(count(self.usage[one].value) if one in self.usage else None for one in chosen)

    @property
    def disclosure(self) -> Disclosure:
        """What of private things may be published."""
        return self.context.centre.disclosure

    @cached_property
    def published_types(self) -> tuple[InstanceType, ...]:
        """The instance types that may be published, by id (cloud-mapping 0.7)."""
        if self.instance_types is None:
            return ()
        shown = self.disclosure.private_instance_types == "communities"
        return _by_id(one for one in self.instance_types.value.instance_types if self._is_disclosed(one, shown))

    @cached_property
    def published_images(self) -> tuple[Image, ...]:
        """The active images that may be published, by id (cloud-mapping 0.7, 0.14)."""
        if self.images is None:
            return ()
        shown = self.disclosure.private_images == "communities"
        return _by_id(one for one in self.images.value.images if one.active and self._is_disclosed(one, shown))

    def _is_disclosed(self, one: InstanceType | Image, private_is_shown: bool) -> bool:
        if one.ownership is Ownership.PUBLIC:
            return True
        return private_is_shown and not self.mapped_projects.isdisjoint(one.projects)

    def sources(self, defining: Source, *others: "Known[object] | None") -> tuple[Source, ...]:
        """What an entity is made of: the defining source first, the configuration last, each once."""
        found = dict.fromkeys([defining, *(one.source for one in others if one is not None)])
        found.setdefault(self.context.configuration)
        return tuple(found)


T = TypeVar("T", HypervisorPool, InstanceType, Image)


def _by_id(things: Iterable[T]) -> tuple[T, ...]:
    """In an order that does not depend on how the manager listed them."""
    return tuple(sorted(things, key=attrgetter("id")))


def may_use(project: str, one: InstanceType | Image) -> bool:
    """Whether a project may use an instance type or an image."""
    return one.ownership is Ownership.PUBLIC or project in one.projects


def oldest_source(known: Iterable[Known[object]]) -> Source:
    """The source that was observed first. Raises ValueError where there is none."""
    return min((one.source for one in known), key=lambda source: source.observed_at)


def when_observed(source: Source) -> datetime | None:
    """When a fact was observed; None for one that is declared: it stands as long as the configuration says so.

    The configuration is read anew at every run, so that moment would change what is said without any new fact.
    """
    return None if source.declared else source.observed_at


def note_age(info: OtherInfo, key: str, known: Known[object] | None, defining: Source, validity: int) -> None:
    """Say when a fact was observed that is much older than the entry that states it: by more than its refresh period.

    By less, the moment would change with every collection, and with it the entry in every BDII above us.
    """
    observed_at = when_observed(known.source) if known else None
    if observed_at is not None and observed_at < defining.observed_at - timedelta(seconds=refresh_period(validity)):
        info.add(key, observed_at)


def total(values: Iterable[int | None]) -> int | None:
    """The sum, not known where one of the values is not known or where there is none."""
    amounts = list(values)
    if not amounts:
        return None
    known = [one for one in amounts if one is not None]
    return sum(known) if len(known) == len(amounts) else None


def agreed(values: Iterable[W | None]) -> W | None:
    """The one value that all have; None where they differ, where one is not known, or where there is none."""
    found = set(values)
    return found.pop() if len(found) == 1 else None
