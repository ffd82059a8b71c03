"""A vCenter or an ESXi host of the testbed, as tests use it, and what it says when it is asked by plain SOAP.

Imports nothing of the package and not its client of vSphere.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from lxml import etree

TESTBED = Path(__file__).parents[2] / "tools" / "testbeds" / "vsphere"
USER, PASSWORD = "reader", "secret"  # (of a manager that only this machine can reach)
WAIT_SECONDS = 60

ENVELOPE = (
    '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<Body>{}</Body></Envelope>"
)
VIEW = (
    '<CreateContainerView xmlns="urn:vim25"><_this type="ViewManager">ViewManager</_this>'
    '<container type="Folder">{root}</container><type>{kind}</type><recursive>true</recursive></CreateContainerView>'
)
READ = (
    '<RetrieveProperties xmlns="urn:vim25"><_this type="PropertyCollector">{collector}</_this><specSet>'
    "<propSet><type>{kind}</type>{paths}</propSet>"
    '<objectSet><obj type="ContainerView">{view}</obj><skip>true</skip><selectSet xsi:type="TraversalSpec">'
    "<type>ContainerView</type><path>view</path><skip>false</skip></selectSet></objectSet>"
    "</specSet></RetrieveProperties>"
)


@dataclass(frozen=True)
class Simulator:
    """A running one: its folder and its port."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        """What has to be trusted."""
        return self.folder / "server.pem"

    def settings(self, password_file: Path, **others: Any) -> dict[str, Any]:
        """What an operator writes to have it read; the password is put into this file."""
        password_file.write_text(PASSWORD)
        password_file.chmod(0o600)
        own = {"url": self.url, "user": USER, "password": {"file": str(password_file)}}
        return own | {"ca_file": str(self.certificate)} | others

    def set_host(self, name: str, *, connection: str = "connected", maintenance: bool = False) -> None:
        """What a host is from now on; the sums of its cluster follow, as those of a vCenter do."""
        given = {"name": name, "connection": connection, "maintenance": str(maintenance).lower()}
        answer = requests.post(f"{self.url}/testbed/host", given, verify=str(self.certificate), timeout=WAIT_SECONDS)
        answer.raise_for_status()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes connections and says nothing."""
        pid = int((self.folder / "run" / "vcenter.pid").read_text())
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it."""
        subprocess.run([TESTBED / "down", self.folder], check=True)


def start_until(running: ExitStack, folder: Path, *options: object) -> Simulator:
    """Start one with these options of the testbed; it stops when `running` closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    running.callback(subprocess.run, [TESTBED / "down", folder], check=True)
    command = [TESTBED / "up", folder, str(port), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Simulator(folder, port)


class Plain:
    """Somebody who asks by plain SOAP: one property collector call for each type, values as texts."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(simulator.certificate)
        content = '<RetrieveServiceContent xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this>'
        said = self.call(f"{content}</RetrieveServiceContent>")
        self.about = {etree.QName(one).localname: one.text for one in said.find(".//{*}about")}
        self._root = said.findtext(".//{*}rootFolder")
        self._collector = said.findtext(".//{*}propertyCollector")
        manager = said.findtext(".//{*}sessionManager")
        login = f'<Login xmlns="urn:vim25"><_this type="SessionManager">{manager}</_this>'
        self.call(f"{login}<userName>{USER}</userName><password>{PASSWORD}</password></Login>")

    def call(self, body: str) -> Any:
        """The envelope that is answered."""
        headers = {"SOAPAction": '"urn:vim25/6.5"', "Content-Type": "text/xml"}
        answer = self._session.post(
            f"{self._simulator.url}/sdk", ENVELOPE.format(body), headers=headers, timeout=WAIT_SECONDS
        )
        assert answer.status_code == 200, answer.text
        return etree.fromstring(answer.content)

    def read(self, kind: str, *paths: str) -> dict[str, dict[str, str]]:
        """Texts by path, of every object of a type, by its id; values with parts have them behind a further dot."""
        view = self.call(VIEW.format(root=self._root, kind=kind)).findtext(".//{*}returnval")
        wanted = "".join(f"<pathSet>{path}</pathSet>" for path in paths)
        answer = self.call(READ.format(collector=self._collector, kind=kind, paths=wanted, view=view))
        return {
            one.findtext("{*}obj"): {path: text for each in one.iterfind("{*}propSet") for path, text in _texts(each)}
            for one in answer.iterfind(".//{*}returnval")
        }

    @cached_property
    def library_items(self) -> list[dict[str, Any]]:
        """What the REST API says of each item of each content library."""
        rest = f"{self._simulator.url}/rest/com/vmware"
        signed = self._session.post(f"{rest}/cis/session", auth=(USER, PASSWORD), timeout=WAIT_SECONDS).json()
        self._session.headers["vmware-api-session-id"] = signed["value"]
        libraries = self._session.get(f"{rest}/content/library", timeout=WAIT_SECONDS).json()["value"] or []
        ids = [
            id_
            for library in libraries
            for id_ in self._session.get(
                f"{rest}/content/library/item", params={"library_id": library}, timeout=WAIT_SECONDS
            ).json()["value"]
        ]
        items = [self._session.get(f"{rest}/content/library/item/id:{id_}", timeout=WAIT_SECONDS) for id_ in ids]
        return [item.json()["value"] for item in items]


def _texts(property_: Any) -> Iterator[tuple[str, str]]:
    name, value = property_.findtext("{*}name"), property_.find("{*}val")
    if len(value) == 0:
        yield name, value.text or ""
    for part in value:
        yield f"{name}.{etree.QName(part).localname}", part.text or ""
