"""How long a change of a real OpenStack takes until it is seen: kept, published, and on three levels of BDII.

Several lines read the same OpenStack at the same time, each with a daemon, settings and BDIIs of its own.
"""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap3
import yaml

from infoprovider.cli.site import read_configuration
from infoprovider.clock import Clock
from infoprovider.inventory.model import Facet
from infoprovider.publication.chain import LEVELS as BDIIS
from infoprovider.publication.chain import Way
from infoprovider.store.snapshots import SnapshotStore
from tests.system import changes
from tests.system.answers import by_key, read_ldif
from tests.system.bdii import Bdii, start
from tests.system.changes import CENTRE, INSTANCE, Before, Change, Entries, Evidence, Values
from tests.system.demo import COMMAND
from tests.system.openstack import Cloud

GROUPS = {
    "resource": "GLUE2GroupID=resource,o=glue",
    "site": f"GLUE2GroupID=resource,GLUE2DomainID={CENTRE},o=glue",
    "top": f"GLUE2GroupID=resource,GLUE2DomainID={CENTRE},GLUE2GroupID=grid,o=glue",
}
LEVELS = ("collected", "published", *GROUPS)
"""In the order in which a change reaches them."""

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Settings:
    """How fast a line is: what its configuration says beyond the usual, and the seconds between cycles of a BDII."""

    name: str
    breathe: int
    instance: Mapping[str, Any]
    channel: Mapping[str, Any]


STOCK = Settings("stock", 120, {}, {})
TUNED = Settings("tuned", 15, {"every": 30}, {"every": 5})


@dataclass
class Tracked:
    """A change that the API has confirmed at a moment, and when it was first seen at each level of a line."""

    name: str
    evidence: Evidence
    confirmed: float
    levels: tuple[str, ...] = LEVELS
    seen: dict[str, float] = field(default_factory=dict)

    @property
    def has_arrived(self) -> bool:
        """Whether it was seen at every level."""
        return len(self.seen) == len(self.levels)

    def delay(self, level: str) -> float:
        """Seconds from the API's answer until it was seen."""
        return self.seen[level] - self.confirmed


class Line:
    """A daemon of its own on a cloud, and the three BDIIs that publish what it hands out."""

    levels = LEVELS
    """In the order in which a change reaches them; the last one is the top."""

    def __init__(self, cloud: Cloud, folder: Path, settings: Settings, said: Callable[[str], None]) -> None:
        self.settings = settings
        self._said = said
        self.tracked: list[Tracked] = []
        """What is followed; others only look at it."""
        self._folder = folder
        self._ldif = folder / "ldif"
        self._ldif.mkdir(parents=True)
        self._config = folder / "site.yaml"
        self._config.write_text(yaml.safe_dump(self._written(cloud)))
        self.configuration = read_configuration(self._config)
        self._store = SnapshotStore(self.configuration.state, Clock())
        self._levels: dict[str, Bdii] = {}
        self._read: dict[str, tuple[int, Any]] = {}
        self._stopped = threading.Event()
        self._tracker = threading.Thread(target=self._track)

    def _written(self, cloud: Cloud) -> dict[str, Any]:
        projects = cloud.content["projects"].values()
        return {
            "centre": {"name": CENTRE},
            "communities": [
                {"name": f"vo{number}", "projects": [{"instance": INSTANCE, "project": project}]}
                for number, project in enumerate(projects)
            ],
            "instances": [
                {
                    "name": INSTANCE,
                    "kind": "openstack",
                    "defaults": {"platform": "amd64", "os_family": "linux"},
                    "settings": {"cloud": "admin", "clouds_file": str(cloud.clouds_file)},
                    **self.settings.instance,
                }
            ],
            "channels": [
                {"name": "bdii", "kind": "bdii", "settings": {"folder": str(self._ldif)}, **self.settings.channel}
            ],
            "state": str(self._folder / "state"),
            "public": str(self._folder / "public"),
        }

    # --- beginning and ending ---

    def begin(self, running: ExitStack, chance: random.Random) -> None:
        """Start the daemon and the BDIIs; return when the top has what is published. All ends when `running` closes.

        Between the BDIIs lie pauses by chance, so that their cycles have nothing to do with one another.
        """
        log = running.enter_context((self._folder / "said").open("w"))
        daemon = subprocess.Popen([COMMAND, "run", str(self._config)], stdout=log, stderr=log)
        running.callback(_end, daemon)
        wait_until(self._file.exists, "the first document")
        self._begin_index(running, chance)
        wait_until(lambda: self._count(self.levels[-1]) >= self._published_upwards(), "everything at the top")
        self._tracker.start()
        running.callback(self.end)

    def _begin_index(self, running: ExitStack, chance: random.Random) -> None:
        """Start what brings the document to readers."""
        self._start(running, "resource", "--ldif", str(self._ldif))
        time.sleep(chance.uniform(0, self.settings.breathe))
        below = f"resource={self._levels['resource'].url}/{GROUPS['resource']}"
        self._start(running, "site", "--level", "site", "--name", CENTRE, "--source", below)
        time.sleep(chance.uniform(0, self.settings.breathe))
        below = f"{CENTRE}={self._levels['site'].url}/GLUE2DomainID={CENTRE},o=glue"
        self._start(running, "top", "--level", "top", "--source", below)

    @property
    def _file(self) -> Path:
        return self._ldif / "infoprovider.ldif"

    def _start(self, running: ExitStack, level: str, *options: str) -> None:
        bdii = start(self._folder / level, *options, "--breathe", str(self.settings.breathe))
        running.callback(bdii.stop)
        self._levels[level] = bdii

    def _published_upwards(self) -> int:
        """How many entries go up to the top: images stop at the resource, the group is counted nowhere."""
        others = {"GLUE2ApplicationEnvironment", "GLUE2Group"}
        return sum(not entry["objectClass"] & others for entry in self.published().values())

    def _count(self, level: str) -> int:
        return self._found(level, "(!(objectClass=GLUE2Group))") or 0

    def end(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._tracker.join()

    # --- what is there now ---

    def kept(self) -> Values:
        """What was collected last."""
        files = (self.configuration.state / "snapshots" / INSTANCE).glob("*.json")
        newest = max(file.stat().st_mtime_ns for file in files)
        return self._anew(newest, "kept", lambda: changes.values(self._store.observations(INSTANCE)))

    def published(self) -> Entries:
        """What the BDII finds in its folder."""
        return self._anew(self._file.stat().st_mtime_ns, "published", self._entries)

    def _entries(self) -> Entries:
        found = read_ldif(self._file.read_text())
        return {dn.partition(",")[0].partition("=")[2]: by_key(entry) for dn, entry in found.items()}

    def _anew(self, version: int, name: str, read: Callable[[], Any]) -> Any:
        """Read what has changed since it was read."""
        if self._read.get(name, (0, None))[0] != version:
            self._read[name] = version, read()
        return self._read[name][1]

    def _found(self, level: str, query: str) -> int | None:
        """How many entries a BDII finds; None where it has nothing of the centre, or is just loading it."""
        server = ldap3.Server(self._levels[level].url, get_info=ldap3.NONE)
        # A BDII ends a connection that nobody used for two minutes.
        with ldap3.Connection(server, receive_timeout=30) as connection:
            connection.search(GROUPS.get(level, GROUPS["top"]), query, attributes=["1.1"])
            if connection.result["description"] == "noSuchObject":
                return None
            assert connection.result["description"] == "success", connection.result
            return sum(one["type"] == "searchResEntry" for one in connection.response)

    # --- tracking ---

    @property
    def is_tracking(self) -> bool:
        """Whether it has begun and looks."""
        return self._tracker.is_alive()

    @property
    def has_all(self) -> bool:
        """Whether every change has arrived."""
        assert self.is_tracking, "the tracking has failed"
        return all(one.has_arrived for one in self.tracked)

    def follow(self, tracked: Tracked) -> None:
        """Look for this from now on. Raises AssertionError where the top shows it already: it would prove nothing."""
        assert not self._shows(self.levels[-1], tracked.evidence), f"{tracked.evidence} was there before {tracked.name}"
        self.tracked.append(tracked)

    def _track(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            for tracked in self.tracked:
                if not tracked.has_arrived:
                    self._look(tracked)

    def _look(self, tracked: Tracked) -> None:
        """Note the levels at which a change is seen now; it cannot be at one before it was at the one below."""
        for level in self.levels[len(tracked.seen) :]:
            if not self._shows(level, tracked.evidence):
                return
            tracked.seen[level] = time.monotonic()
            if tracked.has_arrived:
                self._said(f"{self.settings.name}: {tracked.name} at the top after {tracked.delay(level):.0f} s")

    def _shows(self, level: str, evidence: Evidence) -> bool:
        if level == "collected":
            return evidence.kept(self.kept())
        if level == "published":
            return evidence.in_entries(self.published())
        return self._found(level, evidence.filter) == int(evidence.there)

    def bound(self, facet: Facet) -> float:
        """Seconds after which nothing may be older at the top: the sum of docs/freshness.md, by these settings."""
        [instance] = self.configuration.instances
        way = Way(facet, self.configuration.every_of(instance, facet), instance.block.deadline)
        return way.refresh + way.every + way.deadline + BDIIS * self.settings.breathe


def _end(daemon: subprocess.Popen[Any]) -> None:
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(60) == 0


def wait_until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return when something has come true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(LOOK_SECONDS)


def measure(
    lines: Sequence[Line],
    waiting: Sequence[Change],
    seconds: float,
    chance: random.Random,
    said: Callable[[str], None],
) -> list[float]:
    """Make these changes at random moments within so many seconds, each tracked on every line until it has arrived.

    The lines begin here, and end here. Returns the load of the machine at each change.
    """
    order = chance.sample(waiting, len(waiting))
    moments = sorted(chance.uniform(0, seconds) for _ in order)
    with ExitStack() as running:
        starts = []
        for line in lines:
            its_own = random.Random(chance.random())  # noqa: S311  (chance is enough)
            starts.append(threading.Thread(target=line.begin, args=(running, its_own)))
            starts[-1].start()
        for one in starts:
            one.join()
        assert all(line.is_tracking for line in lines), "a line did not begin"
        before = Before(lines[0].kept(), lines[0].published())
        began = time.monotonic()
        loads = []
        said("all lines run")
        for change, moment in zip(order, moments, strict=True):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            evidence = change.steps.send(before)
            assert evidence is not None
            confirmed = time.monotonic()
            running.callback(next, change.steps, None)
            for line in lines:
                line.follow(Tracked(change.name, evidence, confirmed, line.levels))
            said(f"{confirmed - began:5.0f} s: {change.name}")
            loads.append(os.getloadavg()[0])
        longest = max(line.bound(one.evidence.facet) for line in lines for one in line.tracked)
        wait_until(lambda: all(line.has_all for line in lines), "all to arrive", 2 * longest)
    return loads
