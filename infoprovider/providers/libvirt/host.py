"""One host as its libvirtd tells of it, over a connection that may only read: calls, their errors, and what they give.

libvirt's units are kept here: KiB, and MiB in the node info of its Python binding alone.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infoprovider.errors import CollectError, Malformed, Unauthorised, Unreachable, Unsupported

SHUT_OFF = 5
"""VIR_DOMAIN_SHUTOFF."""

_FAULTS: tuple[tuple[str, type[CollectError], str], ...] = (
    (
        "ssh|Cannot recv data",
        Unreachable,
        "see that ssh reaches this host, and asks no question of the user that infoprovider runs as",
    ),
    (
        "ertificate|TLS",
        Unauthorised,
        "see that the authority in the folder pkipath of the URI signed the host's certificate, and that it takes ours",
    ),
    ("authentication|SASL", Unauthorised, "correct user and password"),
    ("denied|forbidden", Unauthorised, "give this user the rights that docs/providers/libvirt.md has"),
    ("pool not found", Malformed, "make the pool there, or correct disk_pool and image_pool"),
    ("resolve", Unreachable, "correct the name of the host in uris"),
    ("refused|connect socket|No route", Unreachable, "see that libvirtd, or its proxy, runs there and listens"),
    ("", Unreachable, "see the log of its libvirtd"),
)
"""Signs in libvirt's messages, whose codes say less, what they mean, and what to do."""


class GoneError(CollectError):
    """A machine that has ended since it was listed."""


def host_name(uri: str) -> str:
    """What a host is called: its URI without who signs in and how."""
    return re.sub(r"//[^/@]*@", "//", uri.partition("?")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One machine: state as virDomainState; KiB that it may take, and vCPUs; None where they are not told."""

    id: str
    name: str
    state: int
    vcpus: int | None
    memory_kib: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What one host tells, in libvirt's numbers and XML; None where its driver has no such call, or none was made.

    `disk` are the bytes of the pool of the machines' disks, and those that are left.
    """

    type: str
    version: int
    library: int
    capabilities: str
    info: list[Any]
    memory_kib: int | None
    pools: str | None
    disk: tuple[int, int] | None
    domains: tuple[Domain, ...]
    volumes: tuple[str, ...] | CollectError
    at: datetime
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """Who signs in by SASL, where the host asks."""

    user: str
    password: str


class Connection:
    """A host that is being asked: notes by which calls, and has libvirt's errors in our words."""

    def __init__(self, uri: str, account: Account | None) -> None:
        """Raises CollectError where the host cannot be asked."""
        import libvirt

        libvirt.registerErrorHandler(lambda *_: None, None)  # it would write to standard error
        self.library, self.name, self.calls = libvirt, host_name(uri), dict[str, None]()

        def answer(questions: list[list[Any]], account: Account) -> int:
            for question in questions:
                question[4] = account.password if question[0] == libvirt.VIR_CRED_PASSPHRASE else account.user
            return 0

        # Without an answer libvirt would ask the terminal.
        questions = [libvirt.VIR_CRED_AUTHNAME, libvirt.VIR_CRED_PASSPHRASE] if account else []
        self.host = self.ask(libvirt.openAuth, uri, [questions, answer, account], libvirt.VIR_CONNECT_RO)

    def ask(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """The answer to one call. Raises CollectError."""
        self.calls[call.__name__] = None
        try:
            return call(*arguments)
        except self.library.libvirtError as error:
            raise to_fault(self.name, error, self.library) from error

    def ask_if_offered(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """The same; None where the host's driver has no such call."""
        with suppress(Unsupported):
            return self.ask(call, *arguments)
        return None

    def close(self) -> None:
        """Leave the host, also one that is broken."""
        with suppress(self.library.libvirtError):
            self.host.close()


def fetch_host(
    uri: str, account: Account | None, now: Callable[[], datetime], *, disk_pool: str | None, image_pool: str | None
) -> Host:
    """Ask one host for everything: pools and volumes of those that are named. Raises CollectError.

    Memory is what the kernel has (virNodeGetMemoryStats), where the driver tells: node info may be less.
    """
    at = now()
    with closing(Connection(uri, account)) as connection:
        ask, host = connection.ask, connection.host
        memory = connection.ask_if_offered(host.getMemoryStats, connection.library.VIR_NODE_MEMORY_STATS_ALL_CELLS)
        disk = ask(ask(host.storagePoolLookupByName, disk_pool).info) if disk_pool else None
        return Host(
            type=ask(host.getType),
            version=ask(host.getVersion),
            library=ask(host.getLibVersion),
            capabilities=ask(host.getCapabilities),
            info=ask(host.getInfo),
            memory_kib=memory["total"] if memory else None,
            pools=connection.ask_if_offered(host.getStoragePoolCapabilities),
            disk=(disk[1], disk[3]) if disk else None,
            domains=tuple(fetch_domains(connection)),
            volumes=fetch_volumes(connection, image_pool) if image_pool else (),
            at=at,
            calls=tuple(connection.calls),
        )


def fetch_domains(connection: Connection) -> Iterator[Domain]:
    """Every machine in one call; where the driver leaves out sizes, one more for each that holds something."""
    library, host = connection.library, connection.host
    kinds = library.VIR_DOMAIN_STATS_STATE | library.VIR_DOMAIN_STATS_BALLOON | library.VIR_DOMAIN_STATS_VCPU
    told = connection.ask_if_offered(host.getAllDomainStats, kinds)
    if told is None:  # Xen
        told = [(domain, {}) for domain in connection.ask(host.listAllDomains)]
    for domain, stats in told:
        state, vcpus, memory = (stats.get(key) for key in ("state.state", "vcpu.current", "balloon.maximum"))
        if state is None or (state != SHUT_OFF and None in (vcpus, memory)):
            try:
                state, memory, _, vcpus, _ = connection.ask(domain.info)
            except GoneError:
                continue
        yield Domain(id=domain.UUIDString(), name=domain.name(), state=state, vcpus=vcpus, memory_kib=memory)


def fetch_volumes(connection: Connection, pool: str) -> tuple[str, ...] | CollectError:
    """The description of each volume, one call each, for there is none for all; or why there is none."""
    try:
        volumes = connection.ask(connection.ask(connection.host.storagePoolLookupByName, pool).listAllVolumes)
        return tuple(connection.ask(volume.XMLDesc) for volume in volumes)
    except CollectError as error:
        return error


def to_fault(host: str, error: Exception, library: Any) -> CollectError:
    """An error of libvirt as one of ours, with what to do."""
    code, seen = error.get_error_code(), f"{host}: {error}"  # type: ignore[attr-defined]  # a libvirtError
    if code == library.VIR_ERR_NO_SUPPORT:
        return Unsupported(seen)
    if code == library.VIR_ERR_NO_DOMAIN:
        return GoneError(seen)
    kind, remedy = next((kind, remedy) for sign, kind, remedy in _FAULTS if re.search(sign, str(error)))
    return kind(f"{seen}; {remedy}")
