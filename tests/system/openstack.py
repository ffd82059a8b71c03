"""A real OpenStack of the testbed, as tests use it: accounts that ask by plain HTTP, and the requests that others made.

Imports nothing of the package and no client of OpenStack.
"""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

TESTBED = Path(__file__).parents[2] / "tools" / "testbeds" / "openstack"
SERVICES = ("keystone", "placement", "glance", "nova", "neutron")
"""In the order of their ports."""

FIRST_PORTS = range(21000, 29000, 10)
MICROVERSIONS = {
    "compute": {"OpenStack-API-Version": "compute 2.87"},
    "placement": {"OpenStack-API-Version": "placement 1.36"},
}
"""The last one with sizes of hypervisors, and one with all that we ask of placement."""
PASSWORD = "testbed"  # noqa: S105  (of a cloud that only this machine can reach)
WAIT_SECONDS = 60


class RefusedError(Exception):
    """A service that did not answer as asked."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text[:500]}")
        self.status = status


@dataclass
class Account:
    """A user in a project; signs in when it is first asked, and finds the services in the catalogue."""

    auth_url: str
    user: str
    project: str

    @cached_property
    def token(self) -> dict[str, Any]:
        """What keystone says of the sign-in, with the token itself as `secret`."""
        domain = {"domain": {"id": "default"}}
        who = {"methods": ["password"], "password": {"user": {"name": self.user, "password": PASSWORD} | domain}}
        body = {"auth": {"identity": who, "scope": {"project": {"name": self.project} | domain}}}
        headers, answer = _exchange("POST", f"{self.auth_url}/auth/tokens", body, {})
        return {**answer["token"], "secret": headers["X-Subject-Token"]}

    def url(self, service: str) -> str:
        """Where the catalogue says that a type of service is."""
        [entry] = [entry for entry in self.token["catalog"] if entry["type"] == service]
        return next(endpoint["url"] for endpoint in entry["endpoints"] if endpoint["interface"] == "public")

    def ask(self, method: str, service: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer to one request. Raises RefusedError."""
        known = {"X-Auth-Token": self.token["secret"], **MICROVERSIONS.get(service, {})}
        return _exchange(method, self.url(service) + path, body, {**known, **headers})[1]

    def get(self, service: str, path: str, **headers: str) -> Any:
        """One answer."""
        return self.ask("GET", service, path, **headers)


def _exchange(method: str, url: str, body: Any, headers: dict[str, str]) -> tuple[dict[str, str], Any]:
    """Headers and body of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310  (a URL of the testbed)
            text = answer.read()
            return dict(answer.headers), json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        raise RefusedError(error.code, error.read().decode(errors="replace")) from error


@dataclass(frozen=True)
class Cloud:
    """One running OpenStack: its folder, and the first of its ports."""

    folder: Path
    port: int

    # --- what it has ---

    @property
    def clouds_file(self) -> Path:
        """The accounts, as clients read them: `admin`, `member`, `application`, and a reader for each project."""
        return self.folder / "clouds.yaml"

    @property
    def content(self) -> dict[str, Any]:
        """What it was filled with: `projects` that may be published, by name, and `secrets` to be found nowhere."""
        return dict(json.loads((self.folder / "content.json").read_text()))

    @property
    def auth_url(self) -> str:
        """Where accounts sign in."""
        return f"http://127.0.0.1:{self.port}/v3"

    def account(self, user: str = "admin", project: str = "admin") -> Account:
        """Somebody in a project: `admin`; `member` in any project; `reader-<project>` in that one."""
        return Account(self.auth_url, user, project)

    def project_ids(self) -> dict[str, str]:
        """Every project of the cloud, also those of nobody: id by name."""
        return {one["name"]: one["id"] for one in self.account().get("identity", "/projects")["projects"]}

    # --- requests ---

    def log_sizes(self) -> dict[str, int]:
        """Where the logs of requests end now."""
        return {service: self._log(service).stat().st_size for service in SERVICES}

    def requests(self, since: dict[str, int]) -> dict[str, list[str]]:
        """Method and path of each request from outside, by service, since the logs were so long."""
        found = {}
        for service in SERVICES:
            text = self._log(service).read_bytes()[since[service] :].decode()
            found[service] = [" ".join(line.split(" ")[:2]) for line in text.splitlines()]
        return found

    def count(self, since: dict[str, int]) -> Counter[str]:
        """How many requests each service got that was asked at all."""
        return Counter(service for service, lines in self.requests(since).items() for _ in lines)

    def _log(self, service: str) -> Path:
        return self.folder / "log" / f"access-{service}.log"

    # --- hosts ---

    def set_host(self, host: str, **changes: Any) -> None:
        """Change a compute service: `status="disabled"`, or `forced_down=True`, which is a host that died."""
        admin = self.account()
        [service] = admin.get("compute", f"/os-services?binary=nova-compute&host={host}")["services"]
        admin.ask("PUT", "compute", f"/os-services/{service['id']}", changes)

    # --- machines ---

    def start_machine(self, project: str, flavor: str, image: str, user: str = "member") -> tuple[str, str]:
        """Id and state of a machine without a network, when it is built: ACTIVE, or ERROR where no host took it."""
        account = self.account(user, project)
        wish = {"name": "started", "flavorRef": flavor, "imageRef": image, "networks": "none"}
        id_ = account.ask("POST", "compute", "/servers", {"server": wish})["server"]["id"]
        deadline = time.monotonic() + WAIT_SECONDS
        while (state := account.get("compute", f"/servers/{id_}")["server"]["status"]) == "BUILD":
            assert time.monotonic() < deadline, f"machine {id_} is not built after {WAIT_SECONDS} s"
            time.sleep(0.2)
        return id_, state

    def delete_machine(self, id_: str) -> None:
        """End a machine, and return when it is gone."""
        admin = self.account()
        admin.ask("DELETE", "compute", f"/servers/{id_}")
        deadline = time.monotonic() + WAIT_SECONDS
        while self._has_machine(id_):
            assert time.monotonic() < deadline, f"machine {id_} is not gone after {WAIT_SECONDS} s"
            time.sleep(0.2)

    def _has_machine(self, id_: str) -> bool:
        try:
            self.account().get("compute", f"/servers/{id_}")
        except RefusedError as error:
            if error.status != 404:
                raise
            return False
        return True

    # --- the whole ---

    def stop(self) -> None:
        """End the five services; what they have stays."""
        subprocess.run([TESTBED / "down", self.folder], check=True)

    def refill(self) -> None:
        """Make again what was taken away of what it was filled with."""
        (self.folder / "content.json").unlink()
        start(self.folder, self.port)

    def pids(self) -> dict[str, int]:
        """The processes of the services."""
        return {file.stem: int(file.read_text()) for file in (self.folder / "run").glob("*.pid")}


def start(folder: Path, port: int | None = None, **numbers: Any) -> Cloud:
    """Start an OpenStack, or start it again; numbers are those of `up`: PROJECTS, FLAVORS, IMAGES, HOSTS, …."""
    port = free_ports() if port is None else port
    environment = os.environ | {name: str(number) for name, number in numbers.items()}
    done = subprocess.run(
        [TESTBED / "up", folder, str(port)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Cloud(folder, port)


def start_until(running: ExitStack, folder: Path, **numbers: Any) -> Cloud:
    """Start an OpenStack that stops when `running` closes, also where it did not come up whole."""
    running.callback(subprocess.run, [TESTBED / "down", folder], check=True)
    return start(folder, **numbers)


def free_ports() -> int:
    """The first of five ports of the loopback that nobody listens on.

    Every process looks from another one on: services take a while to listen, and others may start some meanwhile.
    """
    turn = os.getpid() % len(FIRST_PORTS)
    for first in (*FIRST_PORTS[turn:], *FIRST_PORTS[:turn]):
        with ExitStack() as sockets:
            try:
                for offset in range(len(SERVICES)):
                    sockets.enter_context(socket.create_server(("127.0.0.1", first + offset)))
            except OSError:
                continue
            return first
    raise RuntimeError("no five free ports in a row")
