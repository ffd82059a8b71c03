"""Hosts that answer what real ones once did: a module `libvirt` for tests, in the place of the real one.

python -m tests.providers.libvirt_recorded URI > tests/providers/data/libvirt/NAME.json    records a host
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

DATA = Path(__file__).parent / "data" / "libvirt"
PLAIN = ("getType", "getVersion", "getLibVersion", "getCapabilities", "getInfo", "getMemoryStats")
PLAIN += ("getStoragePoolCapabilities",)
NO_SUPPORT = 3
REFUSED = "unable to connect to server at 'node:16509': Connection refused"

CONSTANTS = {
    "VIR_CONNECT_RO": 1,
    "VIR_CRED_AUTHNAME": 2,
    "VIR_CRED_PASSPHRASE": 5,
    "VIR_DOMAIN_EVENT_ID_LIFECYCLE": 0,
    "VIR_DOMAIN_STATS_STATE": 1,
    "VIR_DOMAIN_STATS_BALLOON": 4,
    "VIR_DOMAIN_STATS_VCPU": 8,
    "VIR_NODE_MEMORY_STATS_ALL_CELLS": -1,
    "VIR_ERR_NO_SUPPORT": NO_SUPPORT,
    "VIR_ERR_NO_DOMAIN": 42,
    "VIR_ERR_AUTH_FAILED": 45,
    "VIR_ERR_NO_STORAGE_POOL": 49,
    "VIR_ERR_SYSTEM_ERROR": 38,
}
"""As libvirt 9.0 has them; tests/system/test_libvirt_ground.py holds them against the real module."""


class RecordedError(Exception):
    """In the place of libvirt.libvirtError."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code

    def get_error_code(self) -> int:
        """One of VIR_ERR_*."""
        return self.code


def read(name: str) -> dict[str, Any]:
    """A recorded host."""
    return dict(json.loads((DATA / f"{name}.json").read_text()))


@dataclass
class Libvirt:
    """The hosts by URI; `asked` are the calls to each, an answer that is an exception is raised."""

    hosts: dict[str, dict[str, Any]]
    password: str | None = None
    asked: dict[str, Counter[str]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    listeners: dict[str, Callable[..., None]] = field(default_factory=dict)
    closers: dict[str, Callable[..., None]] = field(default_factory=dict)

    def module(self) -> ModuleType:
        """What `import libvirt` shall give."""
        module = ModuleType("libvirt")
        module.__spec__ = ModuleSpec("libvirt", None)
        events = threading.Event()  # that never come: nobody sets it
        for name, value in CONSTANTS.items():
            setattr(module, name, value)
        vars(module).update(
            libvirtError=RecordedError,
            registerErrorHandler=lambda *_: None,
            openAuth=self.openAuth,
            virEventRegisterDefaultImpl=lambda: 0,
            virEventRunDefaultImpl=lambda: events.wait(60),
        )
        return module

    def openAuth(self, uri: str, auth: list[Any], flags: int) -> "_Connection":  # noqa: N802  (libvirt's name)
        """A connection, where the password is right."""
        assert flags == CONSTANTS["VIR_CONNECT_RO"]
        self.asked.setdefault(uri, Counter())["openAuth"] += 1
        host = self.hosts.get(uri)
        if host is None:
            raise RecordedError(CONSTANTS["VIR_ERR_SYSTEM_ERROR"], REFUSED)
        if isinstance(host.get("openAuth"), Exception):
            raise host["openAuth"]
        if self.password is not None:
            kinds, answer, data = auth
            questions = [[kind, "", "", None, None] for kind in kinds]
            answer(questions, data)
            if [question[4] for question in questions] != ["reader", self.password]:
                raise RecordedError(CONSTANTS["VIR_ERR_AUTH_FAILED"], "authentication failed: authentication failed")
        return _Connection(self, uri, host)


class _Answering:
    """Something that answers calls, which are counted."""

    def __init__(self, libvirt: Libvirt, uri: str) -> None:
        self._libvirt, self._uri = libvirt, uri

    def _said(self, name: str, value: Any) -> Callable[..., Any]:
        def call(*_: Any) -> Any:
            self._libvirt.asked[self._uri][name] += 1
            if callable(value):
                return value()
            if isinstance(value, Exception):
                raise value
            if isinstance(value, dict) and "error" in value:
                raise RecordedError(value["error"], value["text"])
            return value

        call.__name__ = name
        return call


class _Connection(_Answering):
    """In the place of libvirt.virConnect."""

    def __init__(self, libvirt: Libvirt, uri: str, host: dict[str, Any]) -> None:
        super().__init__(libvirt, uri)
        self._host = host

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in PLAIN:
            return self._said(name, self._host[name])
        domains = self._host["domains"]
        if isinstance(domains, Exception | dict):
            return self._said(name, domains)
        known = [_Domain(self._libvirt, self._uri, domain) for domain in domains]
        if name == "getAllDomainStats" and "stats" in self._host:
            return self._said(name, self._host["stats"])
        if name == "getAllDomainStats":
            return self._said(name, [(one, one.told["stats"]) for one in known])
        if name == "listAllDomains":
            return self._said(name, known)
        raise AttributeError(name)

    def storagePoolLookupByName(self, name: str) -> "_Pool":  # noqa: N802
        """A pool."""
        self._libvirt.asked[self._uri]["storagePoolLookupByName"] += 1
        if name not in self._host["pools"]:
            text = f"Storage pool not found: no storage pool with matching name '{name}'"
            raise RecordedError(CONSTANTS["VIR_ERR_NO_STORAGE_POOL"], text)
        return _Pool(self._libvirt, self._uri, self._host["pools"][name])

    def domainEventRegisterAny(self, _domain: None, _kind: int, callback: Callable[..., None], _data: None) -> int:  # noqa: N802
        """From now on `libvirt.listeners[uri]()` is an event."""
        self._libvirt.listeners[self._uri] = callback
        return 0

    def registerCloseCallback(self, callback: Callable[..., None], _data: None) -> None:  # noqa: N802
        """From now on `libvirt.closers[uri]()` ends the connection."""
        self._libvirt.closers[self._uri] = callback

    def setKeepAlive(self, _seconds: int, _count: int) -> int:  # noqa: N802
        """Some drivers have none."""
        raise RecordedError(
            NO_SUPPORT, "this function is not supported by the connection driver: virConnectSetKeepAlive"
        )

    def close(self) -> int:
        """It is noted."""
        self._libvirt.closed.append(self._uri)
        return 0


class _Domain(_Answering):
    def __init__(self, libvirt: Libvirt, uri: str, told: dict[str, Any]) -> None:
        super().__init__(libvirt, uri)
        self.told = told

    def UUIDString(self) -> str:  # noqa: N802
        return str(self.told["id"])

    def name(self) -> str:
        return str(self.told["name"])

    @property
    def info(self) -> Callable[..., Any]:
        return self._said("info", self.told["info"])


class _Pool(_Answering):
    def __init__(self, libvirt: Libvirt, uri: str, told: dict[str, Any]) -> None:
        super().__init__(libvirt, uri)
        self._told = told

    @property
    def info(self) -> Callable[..., Any]:
        return self._said("info", self._told["info"])

    @property
    def listAllVolumes(self) -> Callable[..., Any]:  # noqa: N802
        return self._said("listAllVolumes", [_Volume(self._libvirt, self._uri, one) for one in self._told["volumes"]])


class _Volume(_Answering):
    def __init__(self, libvirt: Libvirt, uri: str, text: str) -> None:
        super().__init__(libvirt, uri)
        self._text = text

    @property
    def XMLDesc(self) -> Callable[..., Any]:  # noqa: N802
        return self._said("XMLDesc", self._text)


def record(uri: str) -> dict[str, Any]:
    """What a host says now; errors with their code."""
    import libvirt

    libvirt.registerErrorHandler(lambda *_: None, None)
    connection = libvirt.openReadOnly(uri)
    told: dict[str, Any] = {}
    for name in PLAIN:
        arguments = (libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS,) if name == "getMemoryStats" else ()
        try:
            told[name] = getattr(connection, name)(*arguments)
        except libvirt.libvirtError as error:
            told[name] = {"error": error.get_error_code(), "text": str(error)}
    kinds = libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_BALLOON | libvirt.VIR_DOMAIN_STATS_VCPU
    told["domains"] = [
        {"id": domain.UUIDString(), "name": domain.name(), "stats": stats, "info": domain.info()}
        for domain, stats in connection.getAllDomainStats(kinds)
    ]
    told["pools"] = {
        pool.name(): {"info": pool.info(), "volumes": [volume.XMLDesc() for volume in pool.listAllVolumes()]}
        for pool in connection.listAllStoragePools()
    }
    return told


if __name__ == "__main__":
    json.dump(record(sys.argv[1]), sys.stdout, indent=1)
    print()
