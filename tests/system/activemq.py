"""An ActiveMQ of the testbed, as tests use it: started, killed and started again on the same ports."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

S = TypeVar("S", bound=BaseModel)

TESTBED = Path(__file__).parents[2] / "tools" / "testbeds" / "activemq"
PASSWORDS = {"publisher": "pub-secret", "receiver": "rec-secret", "nobody": "nob-secret", "admin": "adm-secret"}
FIRST_PORTS = range(20000, 20900, 2)
"""Below those that the system gives to connections, one of which could take a broker's place while it is down."""


@dataclass(frozen=True)
class Broker:
    """One broker: its folder, its first port, and the options of the testbed's `up` that it is started with.

    Certificates: `publisher`, `other-publisher`, `receiver`, `nobody` (who may do nothing) and `stranger`, whom nobody
    knows here.
    """

    work: Path
    port: int
    options: tuple[str, ...] = ()

    @property
    def tls(self) -> str:
        """The address for STOMP over TLS with client certificates."""
        return f"127.0.0.1:{self.port}"

    @property
    def plain(self) -> str:
        """The address for STOMP without TLS, with passwords."""
        return f"127.0.0.1:{self.port + 1}"

    @property
    def pki(self) -> Path:
        """Where certificates and keys are: `<name>.pem`, `<name>.key`; that of the authority is `authority.pem`."""
        return self.work / "pki"

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.work / "log" / "activemq.log").read_text()

    def start(self, *options: str) -> None:
        """Start it and return when it listens; these options come after its own."""
        command = [TESTBED / "up", "--port", str(self.port), "--work", self.work, *self.options, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """End it cleanly; what it stored stays."""
        subprocess.run([TESTBED / "down", self.work], check=True)

    def kill(self) -> None:
        """End it as a crash does; what it stored stays."""
        subprocess.run([TESTBED / "down", "--kill", self.work], check=True)

    def restart(self) -> None:
        """End it cleanly, where it runs, and start it again."""
        self.stop()
        self.start()

    def with_certificate(self, who: str = "publisher", **changes: Any) -> dict[str, Any]:
        """Settings of somebody who signs in with a certificate; a change to None takes a setting out."""
        files = {"certificate": str(self.pki / f"{who}.pem"), "key": str(self.pki / f"{who}.key")}
        given = {"brokers": [self.tls], "ca_file": str(self.pki / "authority.pem"), **files, **changes}
        return {name: value for name, value in given.items() if value is not None}

    def with_password(self, who: str = "publisher", password: str = "", **changes: Any) -> dict[str, Any]:
        """Settings of somebody who signs in with a password, without TLS."""
        file = self.work / f"{who}.password"
        file.touch(mode=0o600)
        file.write_text(password or PASSWORDS[who])
        return {"brokers": [self.plain], "plain": True, "user": who, "password": {"file": str(file)}, **changes}

    def make_certificate(self, name: str, subject: str, *options: str) -> None:
        """Make one more certificate; options are those of the testbed's `certificate`."""
        subprocess.run([TESTBED / "certificate", self.pki, name, subject, *options], check=True)


def settings_of(class_: type[S], given: Mapping[str, Any]) -> S:
    """Settings as from a file."""
    return class_.model_validate_json(json.dumps(given))


def free_ports() -> int:
    """The first of two ports of the loopback that nobody listens on; every process looks from another one on."""
    turn = os.getpid() % len(FIRST_PORTS)
    for first in (*FIRST_PORTS[turn:], *FIRST_PORTS[:turn]):
        with ExitStack() as sockets:
            try:
                for port in (first, first + 1):
                    sockets.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return first
    raise RuntimeError("no two free ports in a row")


@contextmanager
def running(work: Path, *options: str) -> Iterator[Broker]:
    """A broker that is stopped in the end."""
    broker = Broker(work, free_ports(), options)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
