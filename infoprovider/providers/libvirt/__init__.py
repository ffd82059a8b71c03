"""Provider `libvirt`: hosts with KVM, QEMU or Xen, each asked by its own libvirtd, read-only and side by side.

Every host is a part of each facet: one that does not answer keeps what was last known of it, and costs the others
nothing. docs/providers/libvirt.md says which fact is from which call.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from xml.etree import ElementTree

from pydantic import AfterValidator, Field, model_validator

from infoprovider.deadline import Deadline
from infoprovider.errors import CollectError, Unreachable
from infoprovider.inventory import model
from infoprovider.inventory.model import Facet
from infoprovider.providers import contract
from infoprovider.providers.contract import Answer, Failed
from infoprovider.providers.libvirt.host import SHUT_OFF, Account, Connection, Domain, Host, fetch_host, host_name
from infoprovider.providers.side_by_side import side_by_side
from infoprovider.secret import Secret
from infoprovider.settings import Count, Mebibytes, Settings

State = Literal["running", "suspended", "halted", "error"]

CHANGING = frozenset({Facet.CAPACITY, Facet.USAGE, Facet.MACHINES})
"""What the start or the end of a machine changes."""

SOON = 30.0
"""Seconds in which hosts have to be reached that are listened to."""

STATES: dict[int, State] = {
    0: "running",
    1: "running",
    2: "running",
    3: "suspended",
    4: "running",
    5: "halted",
    6: "error",
    7: "suspended",
}
"""VirDomainState in neutral words: Xen has no state (0) for a machine that idles, 4 is being shut down, 7 sleeps."""


def _without_password(uri: str) -> str:
    if ":" in urlsplit(uri).netloc.rpartition("@")[0]:
        raise ValueError("it holds a password: write user, and password as { file: path } or { environment: NAME }")
    return uri


_URI = Field(pattern=r"^[a-z]+(\+[a-z0-9]+)?://\S*$", description="a URI such as qemu+tls://node1.example.org/system")
Uri = Annotated[str, _URI, AfterValidator(_without_password)]
Ratio = Annotated[float, Field(gt=0, strict=False, description="a number above 0, such as 1.5")]


class LibvirtSettings(Settings):
    """Which hosts are asked, as whom, and what no host tells.

    `url` is where users ask for machines; `projects` tells projects apart by patterns of their machines' names.
    """

    uris: Annotated[tuple[Uri, ...], Field(min_length=1)]
    url: str | None = None
    sign_in: tuple[model.SignIn, ...] = ()
    user: str | None = None
    password: Secret | None = None
    projects: Annotated[dict[str, str], Field(min_length=1)] = {"machines": "*"}
    cpu_overcommit: Ratio = 1.0
    memory_overcommit: Ratio = 1.0
    reserved_memory: Mebibytes = 0
    disk_pool: str | None = None
    image_pool: str | None = None
    connections: Annotated[Count, Field(ge=1, le=256, description="a whole number from 1 to 256")] = 32

    @property
    def hosts(self) -> dict[str, str]:
        """The URIs by what the hosts are called."""
        return {host_name(uri): uri for uri in self.uris}

    @property
    def account(self) -> Account | None:
        """Who signs in. Raises ConfigError where the password cannot be read."""
        return Account(self.user, self.password.reveal()) if self.user and self.password else None

    @model_validator(mode="after")
    def _is_whole(self) -> "LibvirtSettings":
        if len(self.hosts) < len(self.uris):
            raise ValueError("two of the uris lead to the same host: name each host once")
        if len(self.uris) > 1 and self.url is None:
            raise ValueError("several hosts have no address in common: write url, where users ask for machines")
        if self.url is not None and not self.sign_in:
            raise ValueError("it does not say how users sign in at url: write sign_in")
        if (self.user is None) is not (self.password is None):
            raise ValueError("user and password belong together: write both, or none")
        return self


# --- answers -------------------------------------------------------------------------------------------------------


def collect(settings: LibvirtSettings, context: contract.CollectContext) -> Iterator[Answer]:
    """What each host tells, as soon as it does, then what all of them have in common.

    Raises ConfigError where the password cannot be read.
    """
    facets = [facet for facet in _PER_HOST if facet in context.wanted]
    if settings.image_pool is None and Facet.IMAGES in facets:
        facets.remove(Facet.IMAGES)
        yield contract.NotOffered(facet=Facet.IMAGES, reason="no pool of images is named as image_pool")

    account, image_pool = settings.account, settings.image_pool if Facet.IMAGES in facets else None

    def ask(name: str) -> Host:
        uri = settings.hosts[name]
        return fetch_host(uri, account, context.now, disk_pool=settings.disk_pool, image_pool=image_pool)

    told: list[Host | CollectError] = []
    for name, host in side_by_side(settings.hosts, ask, settings.connections, context.deadline):
        told.append(host)
        for facet in facets:
            for part, project in parts_of(facet, name, settings):
                yield _answer(facet, part, host, context, lambda host: _PER_HOST[facet](host, settings, project))  # noqa: B023
    if Facet.MANAGER in context.wanted:
        answered = [host for host in told if isinstance(host, Host)]
        yield _answer(Facet.MANAGER, "", [*answered, *told][0], context, lambda _: to_manager(answered, settings))
    for facet in facets:
        parts = (part for name in settings.hosts for part, _ in parts_of(facet, name, settings))
        yield contract.Parts(facet=facet, parts=frozenset(parts))


def parts_of(facet: Facet, host: str, settings: LibvirtSettings) -> list[tuple[str, str]]:
    """A host's parts of a facet, each with its project: of the usage one for each project, else one."""
    if facet is Facet.USAGE:
        return [(f"{project} on {host}", project) for project in settings.projects]
    return [(host, "")]


def _answer(
    facet: Facet,
    part: str,
    host: Host | CollectError,
    context: contract.CollectContext,
    make: Callable[[Host], model.FacetValue],
) -> Answer:
    try:
        if isinstance(host, CollectError):
            raise host
        notes = to_notes(host) if facet is Facet.HYPERVISORS else ()
        value = make(host)
    except CollectError as error:
        return Failed(facet=facet, part=part, reason=str(error), retryable=error.retryable)
    except (LookupError, TypeError, ValueError, AttributeError, ElementTree.ParseError) as error:
        context.log.exception("%s %s cannot be made of what was answered", facet, part)
        reason = (
            f"{part}: the answer is not as documented ({type(error).__name__}: {error}); see its version of libvirt"
        )
        return Failed(facet=facet, part=part, reason=reason, retryable=False)
    return contract.Observed(facet=facet, part=part, value=value, observed_at=host.at, calls=host.calls, notes=notes)


# --- what is made of them ------------------------------------------------------------------------------------------


def to_version(number: int) -> str | None:
    """7002022 is 7.2.22 (virConnectGetVersion); 0 is not known."""
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}" if number else None


def _xml(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314  (of a host that the operator names; expat bounds its entities)


def _kinds_of_machines(host: Host) -> set[str | None]:
    """Of processors (`hvm`, `xen`) and of domains (`kvm`, `qemu`)."""
    guests = _xml(host.capabilities).findall("guest")
    return {guest.findtext("os_type") for guest in guests} | {
        domain.get("type") for guest in guests for domain in guest.iterfind("arch/domain")
    }


def to_processor(host: Host) -> model.Processor:
    """Node info, where sockets are of one NUMA node, and what the capabilities say of make and model.

    Sockets and cores are left out where they do not account for the CPUs that are there.
    """
    _, _, cpus, mhz, nodes, sockets, cores, threads = host.info
    about = _xml(host.capabilities)
    signature = about.find("host/cpu/signature")
    accounted = nodes * sockets * cores * threads >= cpus
    return model.Processor(
        vendor=about.findtext("host/cpu/vendor"),
        model=about.findtext("host/cpu/model"),
        version=None if signature is None else " ".join(f"{key} {value}" for key, value in signature.items()),
        clock_mhz=mhz or None,
        physical_cpus=nodes * sockets if accounted else None,
        logical_cpus=cpus or None,
        cores_per_cpu=cores if accounted else None,
    )


def to_memory(host: Host) -> int:
    """MiB, of the kernel's own KiB, else of node info, which Python has in MiB and C in KiB."""
    return int(host.info[1]) if host.memory_kib is None else host.memory_kib // 1024


def to_formats(host: Host) -> tuple[str, ...]:
    """Formats of volumes in a folder, without those that are no disks; none where the driver does not tell."""
    values = _xml(host.pools).iterfind("pool[@type='dir']/volOptions/enum/value") if host.pools else ()
    return tuple(value.text for value in values if value.text and value.text not in ("none", "unknown", "dir", "fat"))


def to_hypervisors(host: Host, _settings: LibvirtSettings, _project: str) -> model.Hypervisors:
    """The class of a host, KVM where it can accelerate, which QEMU's type does not tell.

    Memory of equal hosts differs by what their firmware keeps: classes are told apart by whole GiB.
    """
    kinds, processor, memory = _kinds_of_machines(host), to_processor(host), to_memory(host)
    kind, version = "KVM" if "kvm" in kinds and host.type == "QEMU" else host.type, to_version(host.version)
    size = (f"{processor.logical_cpus} CPUs", f"{memory / 1024:.0f} GiB")
    id_ = "-".join(word for word in (kind, version, host.info[0], processor.model, *size) if word).replace(" ", "")
    is_hardware = kind == "KVM" or (kind == "Xen" and "hvm" in kinds)
    pool = model.HypervisorPool(
        id=id_.lower(),
        name=", ".join((" ".join(filter(None, (kind, version))), *size)),
        kind=kind,
        version=version,
        cpu_virtualization="hardware" if is_hardware else "software" if kind == "QEMU" else None,
        architecture=host.info[0],
        hosts=1,
        hosts_unusable=0,
        hosts_in_use=int(any(domain.state != SHUT_OFF for domain in host.domains)),
        processor=processor,
        memory_mib=memory,
        disk_gib=host.disk[0] / 2**30 if host.disk else None,
        image_formats=to_formats(host),
    )
    return model.Hypervisors(pools=(pool,))


def to_notes(host: Host) -> tuple[str, ...]:
    """What operators ask for and no document has a place for: the types of machines, by architecture."""
    guests = _xml(host.capabilities).findall("guest/arch")
    found = {arch.get("name"): [one.text or "" for one in arch.iterfind("machine[@canonical]")] for arch in guests}
    return tuple(f"{arch}: machine types {', '.join(names)}" for arch, names in found.items() if names)


def to_held(domains: Iterable[Domain]) -> tuple[int, int]:
    """VCPUs and MiB of the machines that are not shut off: paused and crashed ones hold them, too."""
    holding = [domain for domain in domains if domain.state != SHUT_OFF]
    kib = sum(domain.memory_kib or 0 for domain in holding)
    return sum(domain.vcpus or 0 for domain in holding), -(-kib // 1024)


def to_capacity(host: Host, settings: LibvirtSettings, project: str) -> model.Capacity:
    """What machines can get of a host, with overcommitment and less what is reserved, and what they hold of it."""
    (pool,) = to_hypervisors(host, settings, project).pools
    vcpus_used, memory_used = to_held(host.domains)
    sizes: dict[str, Any] = {
        "vcpus": int((pool.processor.logical_cpus or 0) * settings.cpu_overcommit),
        "vcpus_used": vcpus_used,
        "memory_mib": int(max(0, to_memory(host) - settings.reserved_memory) * settings.memory_overcommit),
        "memory_used_mib": memory_used,
        "disk_gib": pool.disk_gib,
        "disk_used_gib": (host.disk[0] - host.disk[1]) / 2**30 if host.disk else None,
    }
    return model.Capacity(
        physical_cpus=pool.processor.physical_cpus,
        logical_cpus=pool.processor.logical_cpus,
        cpu_overcommit=settings.cpu_overcommit,
        hosts=(model.HostCapacity(pool=pool.id, usable=True, **sizes),),
        **sizes,
    )


def project_of(domain: Domain, settings: LibvirtSettings) -> str | None:
    """The first project whose pattern the machine's name has."""
    return next((project for project, pattern in settings.projects.items() if fnmatchcase(domain.name, pattern)), None)


def to_usage(host: Host, settings: LibvirtSettings, project: str) -> model.Usage:
    """What a project holds on a host."""
    domains = [domain for domain in host.domains if project_of(domain, settings) == project]
    states = Counter(STATES[domain.state] for domain in domains)
    vcpus, memory = to_held(domains)
    return model.Usage(
        project=project,
        instances=len(domains),
        vcpus=vcpus,
        memory_mib=memory,
        running=states["running"],
        waiting=0,
        staging=0,
        suspended=states["suspended"],
        halted=states["halted"],
        error=states["error"],
    )


def to_machines(host: Host, settings: LibvirtSettings, _project: str) -> model.Machines:
    """Every machine of a host."""
    return model.Machines(
        machines=tuple(
            model.Machine(id=domain.id, project=project_of(domain, settings), state=STATES[domain.state])
            for domain in host.domains
        )
    )


def to_images(host: Host, _settings: LibvirtSettings, _project: str) -> model.Images:
    """The volumes of the pool of images; one of the same name on another host is the same image."""
    if isinstance(host.volumes, CollectError):
        raise host.volumes
    return model.Images(images=tuple(map(to_image, host.volumes)))


def to_image(volume: str) -> model.Image:
    """A volume: what its file takes now, and the disk that a machine gets of it."""
    about = _xml(volume)
    name, taken, size = (about.findtext(key) for key in ("name", "allocation", "capacity"))
    shape = about.find("target/format")
    return model.Image(
        id=name or "",
        name=name or "",
        disk_format=None if shape is None else shape.get("type"),
        size_mib=-(-int(taken or 0) // 2**20) or None,
        min_disk_gib=int(size or 0) / 2**30 or None,
    )


def to_manager(hosts: list[Host], settings: LibvirtSettings) -> model.Manager:
    """What all hosts that answer have in common; their versions of libvirt only where it is one."""
    abouts = [_xml(host.capabilities) for host in hosts]
    versions = {to_version(host.library) for host in hosts}
    snapshot = all(about.find("guest/features/disksnapshot[@default='on']") is not None for about in abouts)
    migration = all(about.find("host/migration_features/live") is not None for about in abouts)
    transport = urlsplit(settings.uris[0]).scheme.partition("+")[2]
    usual = {"tls": model.SignInMethod.X509, "tcp": model.SignInMethod.NONE}.get(transport)
    usual = model.SignInMethod.PASSWORD if settings.user else usual
    endpoint = model.ApiEndpoint(
        url=settings.url or host_name(settings.uris[0]),
        interface="libvirt",
        sign_in=settings.sign_in or ((model.SignIn(method=usual),) if usual else ()),
    )
    return model.Manager(
        product="libvirt",
        version=versions.pop() if len(versions) == 1 else None,
        endpoints=(endpoint,),
        features=model.Features(snapshot=snapshot or None, live_migration=migration or None),
        image_formats=tuple(dict.fromkeys(one for host in hosts for one in to_formats(host))),
    )


_PER_HOST: dict[Facet, Callable[[Host, LibvirtSettings, str], model.FacetValue]] = {
    Facet.CAPACITY: to_capacity,
    Facet.USAGE: to_usage,
    Facet.HYPERVISORS: to_hypervisors,
    Facet.MACHINES: to_machines,
    Facet.IMAGES: to_images,
}


# --- events --------------------------------------------------------------------------------------------------------


def watch(settings: LibvirtSettings, context: contract.WatchContext) -> Iterator[frozenset[Facet]]:
    """Listen to every host that can be reached for machines that start, stop or end.

    Raises CollectError where a host is lost, or none can be reached: listening is begun anew then.
    """
    import libvirt

    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=_turn_for_ever, args=(libvirt,), name="events", daemon=True).start()
    told: queue.SimpleQueue[CollectError | None] = queue.SimpleQueue()
    account, soon = settings.account, Deadline.after(min(SOON, context.deadline.remaining()))

    def listen(name: str) -> Connection:
        connection = Connection(settings.hosts[name], account)
        lost = Unreachable(f"{name}: the connection has ended; see whether its libvirtd runs")
        connection.ask_if_offered(connection.host.registerCloseCallback, lambda *_: told.put(lost), None)
        connection.ask_if_offered(connection.host.setKeepAlive, 5, 5)  # seconds, and how many may be missed
        kind = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
        connection.ask(connection.host.domainEventRegisterAny, None, kind, lambda *_: told.put(None), None)
        return connection

    reached = dict(side_by_side(settings.hosts, listen, settings.connections, soon))
    deaf = [one for one in reached.values() if isinstance(one, CollectError)]
    for error in deaf:
        context.log.warning("its events are not seen: %s", error)
    if len(deaf) == len(reached):
        raise deaf[0]
    while context.deadline.remaining():
        with suppress(queue.Empty):
            fault = told.get(timeout=context.deadline.remaining())
            if fault:
                raise fault
            yield CHANGING


def _turn_for_ever(library: Any) -> None:
    while True:
        library.virEventRunDefaultImpl()


SPEC = contract.ProviderSpec(
    kind="libvirt",
    settings=LibvirtSettings,
    facets=frozenset(_PER_HOST) | {Facet.MANAGER},
    collect=collect,
    needs=("libvirt",),
    watch=watch,
)
