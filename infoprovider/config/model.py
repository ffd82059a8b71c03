"""The operator's configuration as frozen models; unknown keys are refused.

`config/load.py` builds them from YAML. The settings of an instance or a channel are checked by the plug-in's own
class and kept as that class's object.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from infoprovider.inventory.freshness import Freshness, default_every, default_freshness
from infoprovider.inventory.model import Facet, FacetValue, Quotas
from infoprovider.settings import Duration, FilePath, FolderPath, Moment, Settings

RegisteredName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$"),
    Field(description="up to 127 letters, digits, dots, hyphens and underscores, a letter or digit first"),
]
"""A site's or a community's name as a federation registers it: it becomes part of distinguished names as it is."""

InstanceName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,62}$"),
    Field(description="up to 63 letters, digits, dots, hyphens and underscores, a letter first"),
]
"""The operator's own name of an instance or a channel; an instance's becomes part of identifiers."""

QualityLevel = Literal["development", "testing", "pre-production", "production"]
ServingState = Literal["production", "draining", "queueing", "closed"]


_URI = StringConstraints(pattern=r"^[a-z][a-z0-9+.-]*:\S+$")


class Vocabulary(StrEnum):
    """Which spelling of the few contested values is published (cloud-mapping, principles)."""

    FEDCLOUD = "fedcloud"
    EGI_STRICT = "egi-strict"


class TemplateSet(StrEnum):
    """Which tree the LDIF has: a folder of `ldif-templates/`."""

    RESOURCE = "resource"
    SITE = "site"
    CLOUD = "cloud"


class Location(Settings):
    """Where the centre is; degrees are decimal, north and east positive; `country` is an ISO 3166 code or a name."""

    address: str | None = None
    place: str | None = None
    country: str | None = None
    post_code: str | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(gt=-180, lt=180)] | None = None


class Contact(Settings):
    """Whom to ask; `detail` is a URI, `mailto:…` as a rule."""

    type: Literal["general", "security", "sysadmin", "usersupport"]
    detail: Annotated[str, _URI, Field(description="a URI such as mailto:cloud@example.org")]


class Disclosure(Settings):
    """What of a manager's private things may be published: those of projects named in `communities`, or none."""

    private_images: Literal["communities", "none"] = "communities"
    private_instance_types: Literal["communities", "none"] = "communities"


class Centre(Settings):
    """The resource centre: its registered name and what is said of it as a whole."""

    name: RegisteredName
    description: str | None = None
    web_page: str | None = None
    owner: str | None = None
    distributed: bool | None = None
    location: Location | None = None
    contacts: tuple[Contact, ...] = ()
    disclosure: Disclosure = Disclosure()


class ProjectMapping(Settings):
    """One project of one instance that a community works in; `group` and `role` narrow who of it may."""

    instance: InstanceName
    project: str
    group: str | None = None
    role: str | None = None


class Community(Settings):
    """A community (virtual organisation) and the projects that it may start machines in."""

    name: RegisteredName
    description: str | None = None
    web_page: str | None = None
    user_manager: str | None = None
    projects: Annotated[tuple[ProjectMapping, ...], Field(min_length=1)]


class DeclaredHealth(Settings):
    """The operator's word on an instance that is not measured."""

    state: Literal["ok", "warning", "critical", "unknown", "other"]
    info: str | None = None


class Downtime(Settings):
    """An announced interruption; an end needs a start."""

    announced: Moment | None = None
    start: Moment
    end: Moment | None = None
    info: str | None = None


class Defaults(Settings):
    """What stands for an attribute that GLUE demands and that neither hypervisors nor images tell."""

    platform: str | None = None
    os_family: str | None = None


class InstanceBlock(Settings):
    """One VM manager as it is written, before its plug-in's settings and its declared facets are checked."""

    name: InstanceName
    kind: Annotated[str, Field(description="the kind of a provider, such as static")]
    every: Duration | None = None
    deadline: Duration = 60.0
    quality_level: QualityLevel = "production"
    serving_state: ServingState = "production"
    gocdb_id: str | None = None
    health: DeclaredHealth | None = None
    downtime: Downtime | None = None
    defaults: Defaults = Defaults()
    declared: dict[Facet, dict[str, Any]] = {}
    settings: dict[str, Any] = {}


class ChannelBlock(Settings):
    """One channel as it is written, before its plug-in's settings are checked."""

    name: InstanceName
    kind: Annotated[str, Field(description="the kind of a publisher, such as bdii")]
    format: Literal["ldif", "xml", "json", "glue21"] = "ldif"
    template_set: TemplateSet = TemplateSet.RESOURCE
    templates: FolderPath | None = None
    every: Duration = 60.0
    deadline: Duration = 30.0
    settings: dict[str, Any] = {}


class FreshnessBlock(Settings):
    """How often a facet is asked for, and how old it may get: stale after `fresh_for`, withheld after `publish_for`."""

    every: Duration | None = None
    fresh_for: Duration | None = None
    publish_for: Duration | None = None

    def completed(self, facet: Facet) -> Freshness:
        """What holds for this facet: what is written, else what is usual."""
        usual = default_freshness(facet)
        return Freshness(fresh_for=self.fresh_for or usual.fresh_for, publish_for=self.publish_for or usual.publish_for)


class Publication(Settings):
    """How the document speaks: settings that hold for every channel."""

    vocabulary: Vocabulary = Vocabulary.FEDCLOUD
    memory_unit: Literal["mib", "si"] = "mib"
    boolean_case: Literal["lower", "upper"] = "lower"


def _seen_by_collector(path: Path) -> Path:
    if path.suffix != ".prom":
        raise ValueError("the node exporter reads only names that end in .prom")
    return path


class CollectionBlock(Settings):
    """How much `infoprovider run` asks at a time: how many instances side by side, and each how soon again."""

    at_once: Annotated[int, Field(ge=1, le=1000, description="a whole number, 1 or more")] = 8
    pause: Duration = 5.0


class MetricsBlock(Settings):
    """Where what is counted can be read: a port on loopback, a file for the node exporter, or both."""

    port: Annotated[int, Field(ge=1, le=65535, description="the number of a port, such as 9788")] | None = None
    textfile: (
        Annotated[
            FilePath,
            AfterValidator(_seen_by_collector),
            Field(description="the path of a file whose name ends in .prom"),
        ]
        | None
    ) = None


class LogBlock(Settings):
    """How the log of `infoprovider run` is written."""

    format: Literal["plain", "json"] = "plain"


Pattern = Annotated[
    str,
    StringConstraints(min_length=1),
    Field(description="the path of a file, or a pattern such as conf.d/*.yaml"),
]
"""Files that belong to the configuration; a relative path is seen from the folder of the file that includes them."""


class ConfigurationFile(Settings):
    """The whole configuration as it is written, in one file or in several."""

    include: tuple[Pattern, ...] = ()
    centre: Centre
    communities: tuple[Community, ...] = ()
    instances: Annotated[tuple[InstanceBlock, ...], Field(min_length=1)]
    channels: tuple[ChannelBlock, ...] = ()
    freshness: dict[Facet, FreshnessBlock] = {}
    publication: Publication = Publication()
    collection: CollectionBlock = CollectionBlock()
    metrics: MetricsBlock = MetricsBlock()
    log: LogBlock = LogBlock()
    state: FolderPath = Field(default=Path("run/state"), validate_default=True)
    public: FolderPath = Field(default=Path("run/public"), validate_default=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One VM manager: what its block says, with settings and declared facets as checked objects.

    `quotas` are those that are declared, by project; the manager may tell those of others.
    """

    block: InstanceBlock
    settings: Settings
    declared: Mapping[Facet, FacetValue]
    quotas: Mapping[str, Quotas] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The operator's name of the instance."""
        return self.block.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel: what its block says, with its settings as a checked object."""

    block: ChannelBlock
    settings: Settings

    @property
    def name(self) -> str:
        """The operator's name of the channel."""
        return self.block.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The operator's configuration, checked whole.

    `every` is how often a facet is asked for, in seconds, where the file says so for the facet.
    `state` is the folder of what infoprovider keeps for itself, `public` the one that a BDII's user reads.
    `loaded_at` is when the file was read (aware, UTC): the observation of everything that only the operator can know.
    """

    centre: Centre
    communities: tuple[Community, ...]
    instances: tuple[Instance, ...]
    channels: tuple[Channel, ...]
    freshness: Mapping[Facet, Freshness]
    every: Mapping[Facet, float] = field(default_factory=dict)
    publication: Publication
    collection: CollectionBlock = field(default_factory=CollectionBlock)
    metrics: MetricsBlock = field(default_factory=MetricsBlock)
    log: LogBlock = field(default_factory=LogBlock)
    state: Path
    public: Path
    loaded_at: datetime

    def freshness_of(self, facet: Facet) -> Freshness:
        """How old this facet may get."""
        return self.freshness.get(facet) or default_freshness(facet)

    def every_of(self, instance: Instance, facet: Facet) -> float:
        """How often an instance is asked for a facet, in seconds.

        What the file says for the facet, else what it says for the instance, else what is usual for the facet.
        """
        return self.every.get(facet) or instance.block.every or default_every(facet)
