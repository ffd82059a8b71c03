"""A vCenter that answers by hand over SOAP and REST, with TLS on loopback, and the faults that a test asks for.

What the simulator cannot be made to do: answer by pages, end a session half-way, keep things from an account. The
answers are written after the vSphere Web Services API reference; no vCenter gave them.
"""

import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from tests.certificate import self_signed

PASSWORD = "right-horse"  # noqa: S105  (of nothing but this server)
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)
CONTENT = (
    '<rootFolder type="Folder">group-d1</rootFolder>'
    '<propertyCollector type="PropertyCollector">propertyCollector</propertyCollector>'
    '<viewManager type="ViewManager">ViewManager</viewManager>{about}'
    '<sessionManager type="SessionManager">SessionManager</sessionManager>'
)
ABOUT = {
    "name": "VMware vCenter Server",
    "fullName": "VMware vCenter Server 8.0.2 build-22617221",
    "vendor": "VMware, Inc.",
    "version": "8.0.2",
    "build": "22617221",
    "osType": "linux-x64",
    "productLineId": "vpx",
    "apiType": "VirtualCenter",
    "apiVersion": "8.0.2.0",
}
SESSION = (
    "<key>k</key><userName>u</userName><fullName>u</fullName><loginTime>2026-11-21T00:00:00Z</loginTime>"
    "<lastActiveTime>2026-11-21T00:00:00Z</lastActiveTime><locale>en</locale><messageLocale>en</messageLocale>"
)
GUESTS = "".join(
    f"<guestOSDescriptor><id>{id_}</id><family>{family}</family><fullName>{id_}</fullName></guestOSDescriptor>"
    for id_, family in (("debian12_64Guest", "linuxGuest"), ("windows2019srv_64Guest", "windowsGuest"))
)

HUNG_SECONDS = 30

Reference = tuple[str, str]
"""Type and id of a managed object."""


@dataclass(frozen=True)
class Data:
    """A data object: its type, and its properties in the order of the schema."""

    type: str
    properties: Mapping[str, Any]


@dataclass
class Thing:
    """A managed object; `hidden` is whether the account may see that it is there, and nothing of it."""

    type: str
    id: str
    properties: dict[str, Any]
    hidden: bool = False


@dataclass
class Fake:
    """A running one: what it has, what it was asked, and what it does wrong, by method.

    A fault is the name of a fault of vSphere, or `hang`, `cut`, `garbage`, or a status of HTTP.
    """

    certificate: Path
    url: str = ""
    about: dict[str, str] = field(default_factory=lambda: dict(ABOUT))
    things: list[Thing] = field(default_factory=list)
    page: int = 1000
    faults: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    events: deque[str] = field(default_factory=deque)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    rest: str = "/api"
    waiting: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def settings(self, **others: Any) -> dict[str, Any]:
        """What an operator writes to have it read; the password is in the variable of that name."""
        own = {"url": self.url, "user": "reader@vsphere.local", "password": {"environment": "FAKE_PASSWORD"}}
        return own | {"ca_file": str(self.certificate)} | others

    def thing(self, id_: str) -> Thing:
        """The object of this id."""
        return next(one for one in self.things if one.id == id_)

    # --- SOAP ---

    def answer(self, method: str, asked: Any) -> str:
        """The inside of a response, or nothing where the method answers nothing."""
        match method:
            case "RetrieveServiceContent":
                return f"<returnval>{CONTENT.format(about=_xml('about', Data('', self.about)))}</returnval>"
            case "Login" if asked.findtext("{*}password") == PASSWORD:
                return f"<returnval>{SESSION}</returnval>"
            case "Login":
                raise FaultError("InvalidLogin")
            case "CreateContainerView":
                return '<returnval type="ContainerView">session[1]view</returnval>'
            case "CreateFilter":
                return '<returnval type="PropertyFilter">session[1]filter</returnval>'
            case "RetrievePropertiesEx":
                return self._page(0, asked)
            case "ContinueRetrievePropertiesEx":
                return self._page(int(asked.findtext("{*}token")), asked)
            case "QueryConfigOption":
                return f"<returnval><version>vmx-21</version><description>x</description>{GUESTS}</returnval>"
            case "WaitForUpdatesEx":
                return self._updates(asked.findtext("{*}version") or "")
        return ""

    def _page(self, start: int, _asked: Any) -> str:
        end = start + self.page
        token = f"<token>{end}</token>" if end < len(self.things) else ""
        objects = "".join(map(_object, self.things[start:end]))
        return f"<returnval>{token}{objects}</returnval>" if objects else ""

    def _updates(self, version: str) -> str:
        kind = "VirtualMachine"
        if version:
            self.waiting.set()
            for _ in range(50):
                if self.events:
                    break
                time.sleep(0.02)
            if not self.events:
                return ""
            kind = self.events.popleft()
        change = f'<objectSet><kind>modify</kind><obj type="{kind}">x-1</obj></objectSet>'
        filter_ = '<filter type="PropertyFilter">session[1]filter</filter>'
        return (
            f"<returnval><version>{int(version or 0) + 1}</version><filterSet>{filter_}{change}</filterSet></returnval>"
        )

    # --- REST ---

    def library(self, path: str) -> Any:
        """What is answered to GET of a path below /api or /rest, None for what is not there."""
        base = "/content/library" if self.rest == "/api" else "/com/vmware/content/library"
        before = "/" if self.rest == "/api" else "/id:"
        if path == base:
            return ["lib-1"]
        if path == f"{base}/item?library_id=lib-1":
            return list(self.items)
        return self.items.get(path.removeprefix(f"{base}/item{before}"))


class FaultError(Exception):
    """A fault of vSphere, by its name."""


def _object(thing: Thing) -> str:
    reference = f'<obj type="{thing.type}">{thing.id}</obj>'
    if not thing.hidden:
        named = thing.properties.items()
        told = "".join(f"<propSet><name>{name}</name>{_value(value)}</propSet>" for name, value in named)
        return f"<objects>{reference}{told}</objects>"
    fault = f"<fault>{_fault('NoPermission', 'fault')}<localizedMessage>hunter2</localizedMessage></fault>"
    return f"<objects>{reference}<missingSet><path>name</path>{fault}</missingSet></objects>"


def _value(value: Any) -> str:
    """A property's value, with its type."""
    match value:
        case bool():
            return f'<val xsi:type="xsd:boolean">{str(value).lower()}</val>'
        case int():
            return f'<val xsi:type="xsd:long">{value}</val>'
        case (type_, id_):
            return f'<val type="{type_}" xsi:type="ManagedObjectReference">{id_}</val>'
        case Data():
            return _xml("val", value)
    return f'<val xsi:type="xsd:string">{escape(value)}</val>'


def _xml(name: str, value: Any) -> str:
    if isinstance(value, Data):
        type_ = f' xsi:type="{value.type}"' if value.type else ""
        return f"<{name}{type_}>{''.join(_xml(key, one) for key, one in value.properties.items())}</{name}>"
    return f"<{name}>{str(value).lower() if isinstance(value, bool) else escape(str(value))}</{name}>"


def _fault(name: str, tag: str) -> str:
    permission = '<object type="Folder">group-d1</object><privilegeId>System.View</privilegeId>'
    return f'<{tag} xsi:type="{name}">{permission if name in ("NotAuthenticated", "NoPermission") else ""}</{tag}>'


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: "_Server"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """A call by SOAP, or a sign-in by REST."""
        fake, body = self.server.fake, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith(("/api", "/rest")):
            self._rest(lambda: "token-1" if self.path.endswith("/session") else None)
            return
        asked = etree.fromstring(body).find(".//{*}Body")[0]
        method = etree.QName(asked).localname
        fake.asked.append(method)
        wrong = fake.faults.get(method, "")
        if self._misbehaves(wrong):
            return
        try:
            told = fake.answer(method, asked)
        except FaultError as fault:
            wrong = str(fault)
        if wrong:
            detail = _fault(wrong, f"{wrong}Fault").replace(" ", ' xmlns="urn:vim25" ', 1)
            text = f"<faultcode>ServerFaultCode</faultcode><faultstring>hunter2</faultstring><detail>{detail}</detail>"
            self._send(500, ENVELOPE.format(f"<soapenv:Fault>{text}</soapenv:Fault>"))
            return
        inside = f'<{method}Response xmlns="urn:vim25">{told}</{method}Response>'
        self._send(200, ENVELOPE.format(inside), **{"Set-Cookie": 'vmware_soap_session="s-1"; Path=/'})

    def do_GET(self) -> None:
        """A question by REST."""
        self._rest(lambda: self.server.fake.library(self.path.removeprefix(self.server.fake.rest)))

    do_DELETE = do_GET  # noqa: N815  (named by the library)

    def _rest(self, answer: Any) -> None:
        fake = self.server.fake
        fake.asked.append(f"{self.command} {self.path}")
        if self._misbehaves(fake.faults.get("REST", "")):
            return
        if not self.path.startswith(f"{fake.rest}/") or fake.rest == "/none":
            self._send(404, "")
            return
        found = answer() if self.command != "DELETE" else ""
        self._send(404 if found is None else 200, json.dumps(found if fake.rest == "/api" else {"value": found}))

    def _misbehaves(self, wrong: str) -> bool:
        """Whether it did something else than to answer."""
        if wrong == "hang":
            self.server.fake.ended.wait(HUNG_SECONDS)
        elif wrong == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<soapenv:Envelope")
        elif wrong == "garbage":
            self._send(200, "<html>hunter2</html")
        elif wrong.isdigit():
            self._send(int(wrong), "hunter2")
        else:
            return False
        self.close_connection = True
        return True

    def _send(self, status: int, text: str, **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/xml", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake: Fake, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake
        # The handshake is for the thread of the connection: here it would keep all others waiting.
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_: Any) -> None:
        """Say nothing: who does not trust the certificate goes away, and tells so itself."""


@contextmanager
def serving(folder: Path) -> Iterator[Fake]:
    """A vCenter with nothing in it; its certificate is in the folder."""
    fake = Fake(folder / "fake.pem")
    with _Server(fake, self_signed(fake.certificate)) as server:
        fake.url = f"https://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield fake
        finally:
            fake.ended.set()
            server.shutdown()


# --- what may be in it ------------------------------------------------------------------------------------------------


def host(
    id_: str,
    parent: str,
    *,
    state: str = "connected",
    power: str = "poweredOn",
    maintenance: bool = False,
    gib: int = 64,
) -> Thing:
    """A host with 2 processors of 8 cores of 2 threads each, at 2,000 MHz."""
    hardware = {"vendor": "v", "model": "m", "uuid": id_, "memorySize": gib << 30}
    hardware |= {"cpuModel": "AMD EPYC 7302", "cpuMhz": 2000, "numCpuPkgs": 2, "numCpuCores": 16, "numCpuThreads": 32}
    product = {"name": "VMware ESXi", "fullName": "VMware ESXi 8.0.2", "vendor": "v", "version": "8.0.2", "build": "1"}
    product |= {"osType": "vmnix-x86", "productLineId": "embeddedEsx", "apiType": "HostAgent", "apiVersion": "8.0.2.0"}
    properties = {
        "parent": ("ClusterComputeResource" if parent.startswith("domain-c") else "ComputeResource", parent),
        "runtime.connectionState": state,
        "runtime.inMaintenanceMode": maintenance,
        "runtime.powerState": power,
        "summary.hardware": Data("HostHardwareSummary", hardware | {"numNics": 2, "numHBAs": 1}),
        "summary.config.product": Data("AboutInfo", product),
        "summary.config.vmotionEnabled": True,
    }
    return Thing("HostSystem", id_, properties)


def cluster(id_: str, name: str, *, hosts: int, effective: int, memory: int, mib: int) -> Thing:
    """A cluster with so many hosts, so many of them effective, so many bytes, and so many MB for machines."""
    told = {"totalCpu": 32000 * hosts, "totalMemory": memory, "numCpuCores": 16 * hosts, "numCpuThreads": 32 * hosts}
    told |= {"effectiveCpu": 30000 * effective, "effectiveMemory": mib, "numHosts": hosts}
    told |= {"numEffectiveHosts": effective, "overallStatus": "green"}
    is_cluster = id_.startswith("domain-c")
    summary = Data("ClusterComputeResourceSummary", told | {"currentFailoverLevel": 0, "numVmotions": 0})
    single = Data("ComputeResourceSummary", told)
    properties = {"name": name, "summary": summary if is_cluster else single}
    browser: Reference = ("EnvironmentBrowser", f"envbrowser-{id_}")
    type_ = "ClusterComputeResource" if is_cluster else "ComputeResource"
    return Thing(type_, id_, {**properties, "environmentBrowser": browser})


def pool(
    id_: str, name: str, parent: Reference, owner: str, *, mhz: int = -1, mb: int = -1, app: bool = False
) -> Thing:
    """A resource pool with limits, or a vApp."""
    owned: Reference = ("ClusterComputeResource" if owner.startswith("domain-c") else "ComputeResource", owner)
    limits = {"config.cpuAllocation.limit": mhz, "config.memoryAllocation.limit": mb}
    return Thing(
        "VirtualApp" if app else "ResourcePool", id_, {"name": name, "parent": parent, "owner": owned, **limits}
    )


def machine(id_: str, host: str, pool: str = "", **others: Any) -> Thing:
    """A machine of 2 vCPUs and 4,096 MB that is on; without a pool it is a template that is off."""
    properties = {
        "name": others.get("name", id_),
        "summary.config.template": not pool,
        "summary.config.numCpu": 2,
        "summary.config.memorySizeMB": 4096,
        "summary.config.guestId": others.get("guest", "debian12_64Guest"),
        "summary.storage.committed": 5 * 2**30 + 1,
        "runtime.host": ("HostSystem", host),
        "runtime.powerState": others.get("power", "poweredOn" if pool else "poweredOff"),
        "runtime.connectionState": others.get("state", "connected"),
        "capability.snapshotOperationsSupported": True,
    }
    own: dict[str, Any] = {"resourcePool": ("ResourcePool", pool)} if pool else {}
    return Thing("VirtualMachine", id_, properties | own)


def datastore(id_: str, **others: Any) -> Thing:
    """A datastore of 100 GiB, 60 of them free."""
    told: dict[str, Any] = {"name": id_, "url": f"ds:///{id_}/", "capacity": 100 << 30, "freeSpace": 60 << 30}
    told |= {"accessible": True, "multipleHostAccess": True, "type": "VMFS", "maintenanceMode": "normal"} | others
    return Thing("Datastore", id_, {"summary": Data("DatastoreSummary", told)})


def fill(fake: Fake) -> None:
    """Put a host into it, with a machine in a pool, a template, a datastore and an item of a library."""
    fake.things = [
        cluster("domain-c1", "c1", hosts=1, effective=1, memory=64 << 30, mib=60000),
        host("host-1", "domain-c1"),
        pool("resgroup-1", "Resources", ("ClusterComputeResource", "domain-c1"), "domain-c1"),
        machine("vm-1", "host-1", "resgroup-1"),
        machine("vm-2", "host-1"),
        datastore("datastore-1"),
    ]
    fake.items = {"item-1": {"id": "item-1", "name": "packed", "type": "ovf", "size": 2**30}}
