"""A real libvirtd of the testbed, as tests use it: read and changed by `virsh`, and calls counted on their way to it.

Imports nothing of the package and no binding of libvirt.
"""

import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

TESTBED = Path(__file__).parents[2] / "tools" / "testbeds" / "libvirt"
USER, PASSWORD = "reader", "testbed"
PORTAL = {"url": "https://portal.example.org/", "sign_in": [{"method": "oidc"}]}
"""Where users ask for machines: no host says it."""

MACHINE = """<domain type="qemu"><name>{name}</name><memory unit="MiB">{memory}</memory><vcpu>{vcpus}</vcpu>
<os><type arch="x86_64" machine="pc">hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>"""

REMOTE_PROGRAM = 0x20008086
"""Of libvirt's own protocol (src/remote/remote_protocol.x); others are keepalive and drivers' private calls."""


def virsh(uri: str, *commands: str) -> str:
    """What virsh prints, for one or several commands over one connection. Raises CalledProcessError."""
    command = ["virsh", "--quiet", "--connect", uri, "; ".join(commands)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def table(text: str) -> dict[str, str]:
    """Lines of `name: value`."""
    rows = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in rows}


def number(text: str) -> int:
    """The number at the beginning of a value with a unit."""
    found = re.match(r"\d+", text)
    assert found, text
    return int(found[0])


@dataclass(frozen=True)
class Machine:
    """One machine as virsh tells it: MiB."""

    name: str
    state: str
    vcpus: int
    memory: float

    @property
    def holds(self) -> bool:
        """Whether it takes anything of its host."""
        return self.state != "shut off"


@dataclass(frozen=True)
class Seen:
    """One host as virsh tells it: MiB and MHz."""

    kind: str
    version: str
    library: str
    cpus: int
    sockets: int
    cores: int
    clock: int
    memory: int
    model: str | None
    vendor: str | None
    formats: frozenset[str]
    machines: tuple[Machine, ...]

    @property
    def held(self) -> tuple[int, float]:
        """VCPUs and MiB."""
        holding = [machine for machine in self.machines if machine.holds]
        return sum(machine.vcpus for machine in holding), sum(machine.memory for machine in holding)


def seen(uri: str) -> Seen:
    """Read a host by virsh alone."""
    version, node = virsh(uri, "version"), table(virsh(uri, "nodeinfo"))
    try:
        memory = number(table(virsh(uri, "nodememstats"))["total"])
    except subprocess.CalledProcessError:  # the test driver has none
        memory = number(node["Memory size"])
    about = ElementTree.fromstring(virsh(uri, "capabilities"))  # noqa: S314  (of our own host)
    formats: Iterable[str | None] = ()
    with suppress(subprocess.CalledProcessError):
        pools = ElementTree.fromstring(virsh(uri, "pool-capabilities"))  # noqa: S314
        formats = [one.text for one in pools.findall("pool[@type='dir']/volOptions/enum/value")]
    hypervisor = re.search(r"Running hypervisor: (\w+) (\S+)", version)
    library = re.search(r"Using library: libvirt (\S+)", version)
    assert hypervisor
    assert library
    return Seen(
        kind=hypervisor[1],
        version=hypervisor[2],
        library=library[1],
        cpus=number(node["CPU(s)"]),
        sockets=number(node["CPU socket(s)"]) * number(node["NUMA cell(s)"]),
        cores=number(node["Core(s) per socket"]),
        clock=number(node["CPU frequency"]),
        memory=memory // 1024,
        model=about.findtext("host/cpu/model"),
        vendor=about.findtext("host/cpu/vendor"),
        formats=frozenset(one for one in formats if one and one not in ("none", "dir", "fat", "unknown")),
        machines=tuple(machines(uri)),
    )


def machines(uri: str) -> Iterator[Machine]:
    """Every machine of a host."""
    names = virsh(uri, "list --all --name").split()
    if not names:
        return
    told = virsh(uri, *(f"dominfo {name}" for name in names))
    for block in re.split(r"(?m)^(?=Id:)", told)[1:]:
        row = table(block)
        yield Machine(row["Name"], row["State"], number(row["CPU(s)"]), number(row["Max memory"]) / 1024)


@dataclass(frozen=True)
class Hosts:
    """One running libvirtd: its folder, and the hosts behind it."""

    folder: Path

    @property
    def port(self) -> int:
        """Of TCP."""
        return int((self.folder / "run" / "port").read_text())

    @property
    def qemu(self) -> str:
        """The host with QEMU."""
        return f"qemu+tcp://127.0.0.1:{self.port}/session"

    @property
    def tls(self) -> str:
        """The same over TLS, where it asks for user and password."""
        port = (self.folder / "run" / "tls-port").read_text().strip()
        return f"qemu+tls://127.0.0.1:{port}/session?pkipath={self.folder / 'pki'}"

    @property
    def simulated(self) -> list[str]:
        """The hosts of the test driver."""
        nodes = sorted((self.folder / "nodes").glob("host*.xml"), key=lambda node: number(node.stem[4:]))
        return [self.node(file) for file in nodes]

    def node(self, file: Path) -> str:
        """A host of the test driver that a file describes."""
        return f"test+tcp://127.0.0.1:{self.port}{file}"

    @property
    def pid(self) -> int:
        """The daemon's process."""
        return int((self.folder / "run" / "libvirtd.pid").read_text())

    def define(self, name: str, memory: int = 16, vcpus: int = 1) -> str:
        """Make a machine with QEMU that is shut off: the command for virsh."""
        file = self.folder / f"{name}.xml"
        file.write_text(MACHINE.format(name=name, memory=memory, vcpus=vcpus))
        return f"define {file}"

    def clear(self) -> None:
        """End every machine with QEMU."""
        for machine in machines(self.qemu):
            if machine.holds:
                virsh(self.qemu, f"destroy {machine.name}")
            virsh(self.qemu, f"undefine {machine.name}")


@contextmanager
def started(**options: int) -> Iterator[Hosts]:
    """A libvirtd with hosts; in a folder that everybody may enter, with a path that is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="libvirt-"))
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    with ExitStack() as running:
        running.callback(shutil.rmtree, folder)
        running.callback(subprocess.run, [TESTBED / "down", folder], check=True)
        done = subprocess.run([TESTBED / "up", folder, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        yield Hosts(folder)


class Counting:
    """Passes on what clients of a libvirtd say, and counts their calls."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.calls = 0
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def __enter__(self) -> "Counting":
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._server.close()

    def _run(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # nobody is let in any more
            while True:
                client, _ = self._server.accept()
                self._run(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            self._count(client, server)
            back.join()

    def _count(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client.makefile("rb") as said:
            while head := said.read(4):
                body = said.read(struct.unpack(">I", head)[0] - 4)
                program, _, _, kind = struct.unpack(">IIII", body[:16])
                self.calls += program == REMOTE_PROGRAM and kind == 0
                server.sendall(head + body)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)


def _pass_on(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while said := server.recv(2**16):
            client.sendall(said)
