"""A synthetic centre of any size: many VM managers, values different in every entry, the same for the same seed.

One instance makes about `ENTITIES_PER_INSTANCE` entities in the proportions of a middling cloud: a dozen instance
types, some tens of images, ten communities' projects, two classes of hosts with rows for single hosts.
"""

import random
from datetime import UTC, datetime, timedelta

from infoprovider.clock import Reading
from infoprovider.config.model import (
    Centre,
    Community,
    Configuration,
    Defaults,
    Instance,
    InstanceBlock,
    Publication,
)
from infoprovider.inventory.model import (
    ApiEndpoint,
    Capacity,
    Checksum,
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
    Networks,
    OperatingSystem,
    Price,
    Prices,
    Processor,
    Quotas,
    SignIn,
    SignInMethod,
    Usage,
)
from infoprovider.inventory.observation import Attempt, Observed, Outcome
from infoprovider.settings import Settings
from infoprovider.store.facets import MemoryFacets

NOW = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
ASKED = Attempt(facet=Facet.MANAGER, at=Reading(NOW, 1.0, "boot"), answered=1)
POOLS, TYPES, IMAGES, PROJECTS, HOSTS = 2, 12, 50, 10, 24
ENTITIES_PER_INSTANCE = 1 + 1 + 2 + 2 + POOLS + TYPES + IMAGES + 2 * PROJECTS


def centre(entities: int) -> tuple[Configuration, MemoryFacets]:
    """The configuration and the facets of a centre of about so many entities."""
    instances = max(1, round(entities / ENTITIES_PER_INSTANCE))
    names = [f"cloud-{number:05d}" for number in range(instances)]
    facets = MemoryFacets()
    for name in names:
        for observed in _observations(name):
            facets.keep(name, observed)
        facets.conclude(name, Outcome(measured=True, attempts=(ASKED,)))
    communities = [
        Community.model_validate_json(
            f'{{"name": "vo{number:02d}.example.org", "projects": ['
            + ",".join(f'{{"instance": "{name}", "project": "{_project(name, number)}"}}' for name in names)
            + "]}"
        )
        for number in range(PROJECTS)
    ]
    configuration = Configuration(
        centre=Centre(name="RC-SYNTHETIC"),
        communities=tuple(communities),
        instances=tuple(
            Instance(
                block=InstanceBlock(name=name, kind="synthetic", defaults=Defaults(os_family="linux")),
                settings=Settings(),
                declared={},
            )
            for name in names
        ),
        channels=(),
        freshness={},
        publication=Publication(),
        state=None,  # type: ignore[arg-type]  # nothing is kept
        public=None,  # type: ignore[arg-type]
        loaded_at=NOW,
    )
    return configuration, facets


def _observations(name: str) -> list[Observed]:
    chance = random.Random(name)
    values: list[tuple[Facet, str, FacetValue]] = [
        (Facet.MANAGER, "", _manager(name)),
        (Facet.HYPERVISORS, "", _hypervisors(chance)),
        (Facet.CAPACITY, "", _capacity(chance)),
        (Facet.INSTANCE_TYPES, "", InstanceTypes(instance_types=tuple(_types(name, chance)))),
        (Facet.IMAGES, "", Images(images=tuple(_images(name, chance)))),
        (
            Facet.NETWORKS,
            "",
            Networks(inbound=True, outbound=True, public_ipv4="onrequest", ipv6=chance.random() < 0.5),
        ),
        (Facet.PRICES, "", _prices(name, chance)),
    ]
    for number in range(PROJECTS):
        project = _project(name, number)
        values += [
            (Facet.QUOTAS, project, _quotas(project, chance)),
            (Facet.USAGE, project, _usage(name, project, chance)),
        ]
    return [
        Observed(
            facet=facet,
            part=part,
            value=value,
            observed_at=NOW - timedelta(seconds=chance.randrange(120)),
            calls=(f"GET /{facet}",),
        )
        for facet, part, value in values
    ]


def _project(name: str, number: int) -> str:
    return f"{random.Random(f'{name}/{number}').getrandbits(128):032x}"


def _manager(name: str) -> Manager:
    return Manager(
        product="openstack",
        version="2025.1",
        vendor="OpenInfra",
        image_formats=("qcow2", "raw"),
        endpoints=(
            ApiEndpoint(
                url=f"https://{name}.example.org:8774/v2.1",
                interface="openstack",
                version="2.1",
                sign_in=(SignIn(method=SignInMethod.OIDC), SignIn(method=SignInMethod.X509_VOMS)),
            ),
        ),
    )


def _hypervisors(chance: random.Random) -> Hypervisors:
    return Hypervisors(
        pools=tuple(
            HypervisorPool(
                id=f"pool{number}",
                kind="KVM",
                version=f"8.{chance.randrange(9)}",
                architecture="x86_64",
                hosts=HOSTS // POOLS,
                hosts_in_use=chance.randrange(HOSTS // POOLS),
                hosts_unusable=0,
                processor=Processor(
                    vendor="AMD",
                    model=f"EPYC {7000 + chance.randrange(999)}",
                    clock_mhz=2000 + chance.randrange(1500),
                    physical_cpus=2,
                    logical_cpus=64,
                    cores_per_cpu=16,
                ),
                memory_mib=512 * 1024 + chance.randrange(9999),
                operating_system=OperatingSystem(family="linux", name="Debian", version="12"),
                image_formats=("qcow2", "raw"),
            )
            for number in range(POOLS)
        )
    )


def _capacity(chance: random.Random) -> Capacity:
    hosts = tuple(
        HostCapacity(
            pool=f"pool{number % POOLS}",
            usable=chance.random() < 0.95,
            vcpus=128,
            vcpus_used=chance.randrange(129),
            memory_mib=524288,
            memory_used_mib=chance.randrange(524288),
            disk_gib=4000,
            disk_used_gib=chance.randrange(4000),
        )
        for number in range(HOSTS)
    )
    usable = [host for host in hosts if host.usable]
    return Capacity(
        physical_cpus=2 * HOSTS,
        logical_cpus=64 * HOSTS,
        vcpus=sum(host.vcpus for host in usable),
        vcpus_used=sum(host.vcpus_used for host in usable),
        cpu_overcommit=2.0,
        memory_mib=sum(host.memory_mib for host in usable),
        memory_used_mib=sum(host.memory_used_mib for host in usable),
        disk_gib=sum(host.disk_gib or 0 for host in usable),
        disk_used_gib=sum(host.disk_used_gib or 0 for host in usable),
        hosts=hosts,
    )


def _types(name: str, chance: random.Random) -> list[InstanceType]:
    return [
        InstanceType(
            id=f"{chance.getrandbits(64):016x}",
            name=f"m{number}.{name}",
            vcpus=2 ** chance.randrange(7),
            memory_mib=1024 * (1 + chance.randrange(128)) + chance.randrange(100),
            disk_gib=10 + chance.randrange(200),
            swap_mib=0,
        )
        for number in range(TYPES)
    ]


def _images(name: str, chance: random.Random) -> list[Image]:
    return [
        Image(
            id=f"{chance.getrandbits(128):032x}",
            name=f"Linux {number} of {name}",
            version=f"{number}.{chance.randrange(99)}",
            description=f"An image of {name} made on day {chance.randrange(9999)}",
            marketplace_uri=f"https://marketplace.example.org/{chance.getrandbits(64):x}",
            disk_format="qcow2",
            size_mib=300 + chance.randrange(9999),
            architecture="x86_64",
            operating_system=OperatingSystem(family="linux", name="Debian", version=str(chance.randrange(8, 13))),
            min_memory_mib=512 * chance.randrange(1, 64),
            min_disk_gib=chance.randrange(60),
            checksums=(Checksum(algorithm="sha256", value=f"{chance.getrandbits(256):064x}"),),
        )
        for number in range(IMAGES)
    ]


def _prices(name: str, chance: random.Random) -> Prices:
    again = random.Random(name)
    return Prices(
        prices=tuple(
            Price(
                resource="flavour",
                instance_type=f"{again.getrandbits(64):016x}",
                consumption_fee=chance.randrange(1000) / 1000,
                consumption_fee_period="hourly",
                currency="EUR",
            )
            for _ in range(TYPES)
        )
    )


def _quotas(project: str, chance: random.Random) -> Quotas:
    return Quotas(
        project=project,
        instances=100 + chance.randrange(400),
        vcpus=1000 + chance.randrange(4000),
        memory_mib=4096 * (1000 + chance.randrange(1000)),
        disk_gib="unlimited",
        accelerators="unlimited",
        public_addresses=chance.randrange(64),
    )


def _usage(name: str, project: str, chance: random.Random) -> Usage:
    del name
    running = chance.randrange(100)
    return Usage(
        project=project,
        instances=running,
        vcpus=running * 4,
        memory_mib=running * 8192,
        running=running,
        waiting=chance.randrange(5),
        staging=0,
        suspended=chance.randrange(3),
        halted=chance.randrange(9),
        error=0,
        holding={},
        mean_start_up_s=10 + chance.randrange(90),
        worst_start_up_s=100 + chance.randrange(900),
    )
