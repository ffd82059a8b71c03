"""The way of a change by messages: a daemon, a broker, `infoprovider follow`, and the slapd that it keeps."""

import json
import random
import signal
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from infoprovider.messaging.units import ContentType, json_lines, units_of
from infoprovider.publication.chain import Way
from infoprovider.query.json_entities import from_json
from infoprovider.render.ldif import LdifRenderer
from tests.system import activemq
from tests.system.answers import by_key, read_ldif
from tests.system.bdii import start_slapd
from tests.system.changes import CENTRE, Entries, Evidence
from tests.system.demo import COMMAND
from tests.system.openstack import Cloud
from tests.system.tracking import Line, Settings, wait_until

FOLLOWED = Settings("followed", 0, {"every": 10}, {"every": 5})
"""Asked every ten seconds; nothing waits for a cycle of a BDII."""


class FollowedLine(Line):
    """A daemon that sends messages, and a receiver that shows them."""

    levels = ("collected", "published", "received", "followed")

    def __init__(self, cloud: Cloud, folder: Path, *more: Any) -> None:
        self._broker = activemq.Broker(folder / "broker", activemq.free_ports())
        self._broker.start()
        super().__init__(cloud, folder, *more)
        self._copies = folder / "copies"

    def _written(self, cloud: Cloud) -> dict[str, Any]:
        written = super()._written(cloud)
        settings = self._broker.with_certificate("publisher")
        messages = {"name": "mq", "kind": "stomp", "format": "json", "every": 1, "settings": settings}
        return written | {"channels": [*written["channels"], messages]}

    def begin(self, running: ExitStack, chance: random.Random) -> None:
        """Have somebody listen before anything is said, for the next snapshot is a quarter of an hour away."""
        running.callback(self._broker.stop)
        slapd = start_slapd(self._folder / "slapd")
        running.callback(slapd.stop)
        self._levels["followed"] = slapd
        log = running.enter_context((self._folder / "followed").open("w"))
        receiver = subprocess.Popen([COMMAND, "follow", self._receiver(slapd.url)], stdout=log, stderr=log)
        running.callback(_end, receiver)
        wait_until(lambda: "listening to" in Path(log.name).read_text(), "the receiver")
        super().begin(running, chance)

    def _begin_index(self, _running: ExitStack, _chance: random.Random) -> None:
        """All of it is there."""

    def _receiver(self, url: str) -> Path:
        password = self._folder / "slapd.password"
        password.touch(mode=0o600)
        password.write_text("secret")
        config = self._folder / "follow.yaml"
        written = {
            "broker": self._broker.with_certificate("receiver"),
            "folder": str(self._copies),
            "ldap": {"url": url, "password": {"file": str(password)}},
        }
        config.write_text(yaml.safe_dump(written))
        return config

    def _shows(self, level: str, evidence: Evidence) -> bool:
        if level == "received":
            return evidence.in_entries(self._received())
        return super()._shows(level, evidence)

    def _received(self) -> Entries:
        """What the receiver's copy says, as its entries."""
        path = self._copies / f"{CENTRE}.json"
        return self._anew(path.stat().st_mtime_ns, "received", lambda: _entries(path.read_bytes()))

    def bound(self, facet: Any) -> float:
        """Seconds after which nothing may be older there: a minute for the messages, and no BDII on the way."""
        [instance] = self.configuration.instances
        way = Way(facet, self.configuration.every_of(instance, facet), instance.block.deadline)
        return way.refresh + way.every + way.deadline + 60


def _entries(body: bytes) -> Mapping[str, Any]:
    units = units_of(body, ContentType.JSON).values()
    entities = tuple(from_json(name, json.loads(line)) for name, line in json_lines(units))
    found = read_ldif(LdifRenderer("site").render(SimpleNamespace(entities=entities)).decode())
    return {dn.partition(",")[0].partition("=")[2]: by_key(entry) for dn, entry in found.items()}


def _end(process: subprocess.Popen[Any]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
