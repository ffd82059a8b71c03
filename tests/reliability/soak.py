"""A daemon under faults for as long as one likes: what it holds of the machine, and what it must never do.

Every few seconds something goes wrong, by chance: programs hang, crash, drip, print rubbish or are killed, an HTTP
manager fails, events storm, a channel fails, the configuration is reloaded, broken or not. The published file is read
all the time meanwhile. At two quiet moments nothing is wrong for a while, and what the daemon holds is measured.
"""

import os
import random
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from infoprovider.cli import control
from infoprovider.inventory.model import Facet
from tests.providers.openstack_recorded import PASSWORD, Fault, Recorded, serving
from tests.reliability.centre import Centre, Manager
from tests.reliability.published import Reader, of
from tests.reliability.running import Running, running
from tests.system.bdii import free_port
from tests.waiting import until

STEADY, STORMY, CLOUD, DESCRIBED = "steady", "stormy", "cloud", "described"
ILL = ("ill-one", "ill-two", "ill-three", "ill-four")
EVERY, DEADLINE = 6.0, 8.0
QUIET_SECONDS = 25.0
PAUSES = (1.0, 4.0)
"""Seconds between two faults, at least and at most."""

MISDEEDS = {
    "hangs": "sleep 1000\n",
    "leaves processes behind": "sleep 1000 & sleep 1000 & exit 1\n",
    "crashes": "kill -SEGV $$\n",
    "is killed": "kill -KILL $$\n",
    "ends with an error": "echo 'no such cloud' >&2; exit 3\n",
    "prints rubbish": "head -c 200000 /dev/urandom; exit 0\n",
    "prints without end": 'exec yes \'{"answer": "observed"}\'\n',
    "prints a line without end": "exec tr '\\0' x </dev/zero\n",
    "stops half-way": 'sed "s/@NOW@/$(date -u +%Y-%m-%dT%H:%M:%SZ)/" "$1/tells" | head -c 700; exit 0\n',
    "drips": "while :; do printf '{'; sleep 0.2; done\n",
}
"""What a program does before it says anything, in the words of a shell."""

HTTP_FAULTS = {
    "answers 500": {".": Fault(500)},
    "refuses mid-way": {"^GET compute": Fault(401, '{"error": {"code": 401}}')},
    "drips": {"^GET": Fault(drips=True)},
    "answers half": {"^GET": Fault(text='{"flavors": [{"id": "1", "na', cut=True)},
}

EVENTS = """#!/bin/sh
# A thousand events, or an early end, when a file asks for it.
while :; do
    [ ! -e "$1/storm" ] || { rm "$1/storm"; yes usage | head -n 1000; }
    [ ! -e "$1/die" ] || { rm "$1/die"; exit 1; }
    sleep 0.5
done
"""

DESCRIPTION = {
    "manager": {
        "product": "opennebula",
        "version": "6.8",
        "endpoints": [
            {
                "url": "https://described.example.org/",
                "interface": "opennebula",
                "sign_in": [{"method": "password"}],
            }
        ],
    },
    "instance_types": [{"id": "one", "name": "one", "vcpus": 1, "memory_mib": 1024}],
}


# --- what a process holds ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """What the daemon holds of the machine: resident memory (KiB), open descriptors, threads."""

    rss: int
    descriptors: int
    threads: int


def held(pid: int) -> Held:
    """At this moment."""
    process = Path("/proc") / str(pid)
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    return Held(int(status["VmRSS"].split()[0]), len(list((process / "fd").iterdir())), int(status["Threads"]))


def states_below(pid: int) -> dict[int, str]:
    """The state of every process that descends from this one."""
    parents: dict[int, tuple[int, str]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, parent = text.rpartition(") ")[2].split()[:2]
        parents[int(stat.parent.name)] = int(parent), state
    found: dict[int, str] = {}
    rising = {pid}
    while rising:
        rising = {one for one, (parent, _) in parents.items() if parent in rising}
        found |= {one: parents[one][1] for one in rising}
    return found


# --- what goes wrong --------------------------------------------------------------------------------------------------


class Soaking:
    """A centre, its daemon, and the means to harm both; `said` gets a line for each thing that is done."""

    def __init__(self, folder: Path, cloud: Recorded, chance: random.Random, said: Callable[[str], None]) -> None:
        self._chance = chance
        self._said = said
        self._cloud = cloud
        self.centre = Centre(folder, STEADY, STORMY, *ILL)
        self._flaky = folder / "flaky"
        self._flaky.mkdir()
        self._port = free_port()
        self._version = 1
        self.done = 0
        self._healed = 0
        self._folder = folder
        events = folder / "events"
        events.write_text(EVENTS)
        events.chmod(0o755)
        (folder / "described.yaml").write_text(yaml.safe_dump(DESCRIPTION))
        self._sound = self._configured()

    def _configured(self) -> str:
        """Write the configuration; its text. The program of events gets a word that is another one each time."""
        folder = self._folder
        instances = {name: one.instance(every=EVERY, deadline=DEADLINE) for name, one in self.centre.managers.items()}
        instances[STORMY]["settings"]["events"] = ["./events", str(folder), str(self._healed)]
        defaults = {"platform": "amd64", "os_family": "linux"}
        instances[DESCRIBED] = {"kind": "static", "every": EVERY, "settings": {"file": "described.yaml"}}
        instances[CLOUD] = {
            "kind": "openstack",
            "every": 4 * EVERY,
            "deadline": 2 * DEADLINE,
            "settings": self._cloud.settings("admin"),
        }
        self.centre.write(
            instances=[{**block, "name": name, "defaults": defaults} for name, block in instances.items()],
            channels=[
                self.centre.channel("site-bdii", self.centre.bdii.parent),
                self.centre.channel("flaky", self._flaky),
            ],
            metrics={"port": self._port, "textfile": str(folder / "infoprovider.prom")},
        )
        return self.centre.config.read_text()

    @property
    def instances(self) -> frozenset[str]:
        """The names of all of them."""
        return frozenset({*self.centre.managers, CLOUD, DESCRIBED})

    @property
    def _ill(self) -> Iterator[Manager]:
        return (self.centre.managers[name] for name in ILL)

    def harm(self, daemon: Running) -> None:
        """One thing goes wrong, or well again."""
        deeds = (
            *2 * (self._program_fails,),
            self._program_heals,
            self._http_fails,
            self._events_storm,
            self._channel_fails,
            self._channel_heals,
            lambda: self._pokes(daemon),
            lambda: self._kill_one(daemon),
            lambda: self._reload(daemon, self._sound + "chanels: []\n", "a broken file"),
            lambda: self._reload(daemon, self._with_another_channel(), "another channel"),
            lambda: self._reload(daemon, self._sound, "the file as it was"),
            self._scrape,
        )
        self._chance.choice(deeds)()
        self.done += 1

    def heal(self, daemon: Running) -> None:
        """Let everything be well."""
        for manager in self._ill:
            manager.does()
        self._cloud.faults.clear()
        self._channel_heals()
        # A program of events that died is started anew after a pause that grows, and at once by other settings.
        self._healed += 1
        self._sound = self._configured()
        self._reload(daemon, self._sound, "a file with another program of events")

    def _program_fails(self) -> None:
        manager = self._chance.choice([*self._ill])
        misdeed = self._chance.choice([*MISDEEDS])
        manager.does(MISDEEDS[misdeed])
        self._said(f"{manager.name} {misdeed}")

    def _program_heals(self) -> None:
        manager = self._chance.choice([*self._ill])
        manager.does()
        self._said(f"{manager.name} is well")

    def _http_fails(self) -> None:
        fault = self._chance.choice(["is well", *HTTP_FAULTS])
        self._cloud.faults.clear()
        self._cloud.faults.update(HTTP_FAULTS.get(fault, {}))
        self._said(f"{CLOUD} {fault}")

    def _events_storm(self) -> None:
        what = self._chance.choice(["storm", "storm", "die"])
        (self.centre.folder / what).touch()
        self._said(f"events {what}")

    def _channel_fails(self) -> None:
        if self._flaky.is_dir():
            self._flaky.rename(self._flaky.with_name("away"))
        self._said("a channel fails")

    def _channel_heals(self) -> None:
        if not self._flaky.is_dir():
            self._flaky.with_name("away").rename(self._flaky)
        self._said("the channel is well")

    def _pokes(self, daemon: Running) -> None:
        names = sorted(self.instances)
        for _ in range(50):
            facet = self._chance.choice([*Facet])
            control.ask(self.centre.state, {"poke": self._chance.choice(names), "facets": [facet]})
        self._said("50 pokes")
        assert daemon.process.poll() is None

    def _kill_one(self, daemon: Running) -> None:
        """End one of the processes below the daemon, whichever it is: a guard, a collection, a program."""
        below = sorted(states_below(daemon.process.pid))
        if below:
            victim = self._chance.choice(below)
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                return
            self._said("a process of the daemon is killed")

    def _with_another_channel(self) -> str:
        written = yaml.safe_load(self._sound)
        other = self.centre.folder / "other"
        other.mkdir(exist_ok=True)
        written["channels"].append(self.centre.channel("other", other))
        written["collection"]["pause"] = self._chance.choice([0.1, 0.5])
        return yaml.safe_dump(written)

    def _reload(self, daemon: Running, text: str, what: str) -> None:
        beside = self.centre.config.with_name("next.yaml")
        beside.write_text(text)
        beside.replace(self.centre.config)
        daemon.reload()
        self._said(f"reload of {what}")

    def _scrape(self) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=30) as answer:
            assert b"infoprovider_" in answer.read()
        self._said("the metrics are read")

    def news(self) -> dict[str, str]:
        """Let every program be of a new version; by instance, what is then to be found in the published file."""
        self._version += 1
        for manager in self.centre.managers.values():
            manager.is_of(f"{self._version}.0")
        return dict.fromkeys(self.centre.managers, f"{self._version}.0")


# --- the whole --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Soaked:
    """What a daemon held at two quiet moments, and at most between them; how much was done to it and read of it."""

    early: Held
    late: Held
    most: Held
    samples: int
    faults: int
    reads: int
    versions: int
    zombies: int
    """Processes that had ended and that nobody had asked for, in one sample; never in two."""


GROWTH = 1.1
"""How many times as much memory may be held at the end."""


def worse(soaked: Soaked) -> list[str]:
    """What is held more of at the end than early on, and must not be."""
    early, late = soaked.early, soaked.late
    found = [f"resident memory: {late.rss} KiB after {early.rss} KiB"] if late.rss > GROWTH * early.rss else []
    if late.descriptors != early.descriptors:
        found.append(f"open descriptors: {late.descriptors} after {early.descriptors}")
    if late.threads != early.threads:
        found.append(f"threads: {late.threads} after {early.threads}")
    return found


class Watch:
    """Looks at the daemon again and again. Raises AssertionError for a process that is dead twice in a row."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._dead: frozenset[int] = frozenset()
        self.most = Held(0, 0, 0)
        self.samples = 0
        self.zombies = 0

    def look(self) -> None:
        """Take a sample; a second lies between two at least."""
        now = held(self._pid)
        dead = frozenset(pid for pid, state in states_below(self._pid).items() if state == "Z")
        assert not dead & self._dead, f"dead and not asked for twice in a row: {dead & self._dead}"
        self._dead = dead
        self.zombies += len(dead)
        self.samples += 1
        self.most = Held(
            max(self.most.rss, now.rss),
            max(self.most.descriptors, now.descriptors),
            max(self.most.threads, now.threads),
        )

    def at_rest(self) -> Held:
        """What it holds while no collection runs: the least that is seen in a while; of memory the most."""
        seen = []
        end = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < end:
            seen.append(held(self._pid))
            time.sleep(0.02)
        return Held(
            max(one.rss for one in seen), min(one.descriptors for one in seen), min(one.threads for one in seen)
        )


@contextmanager
def soaking(folder: Path, seed: int, said: Callable[[str], None]) -> Iterator[Soaking]:
    """A centre with an HTTP manager, which ends when this does."""
    with ExitStack() as stack:
        cloud = stack.enter_context(serving("admin"))
        yield Soaking(folder, cloud, random.Random(seed), said)  # noqa: S311  (chance is all that is wanted)


def soak(folder: Path, seconds: float, mark: float, seed: int, said: Callable[[str], None]) -> Soaked:
    """Keep a centre published for so long, with a fault every few seconds; what is held is measured at `mark` and last.

    Raises AssertionError for a published file that is not whole or lacks what is last-good, for a dead process that
    nobody asks for, for a version of a healthy manager that is not published, for any exit code but 0.
    """
    chance = random.Random(seed + 1)  # noqa: S311
    with (
        soaking(folder, seed, said) as centre,
        Reader(centre.centre.bdii) as reader,
        running(centre.centre, RECORDED_PASSWORD=PASSWORD) as daemon,
    ):
        until(lambda: all(of(reader.latest, name) for name in centre.instances), "all is published")
        # What the HTTP manager refuses is withdrawn at once, by right; all others stay as they were, whatever happens.
        reader.expect(reader.latest.keys() - of(reader.latest, CLOUD))
        watch = Watch(daemon.process.pid)
        began = time.monotonic()
        _harm(centre, daemon, watch, reader, began + mark, chance)
        early = _rest(centre, daemon, watch, reader)
        said(f"after {time.monotonic() - began:.0f} s: {early}")
        _harm(centre, daemon, watch, reader, began + seconds, chance)
        late = _rest(centre, daemon, watch, reader)
        said(f"after {time.monotonic() - began:.0f} s: {late}")
    return Soaked(early, late, watch.most, watch.samples, centre.done, reader.reads, reader.versions, watch.zombies)


def _harm(centre: Soaking, daemon: Running, watch: Watch, reader: Reader, end: float, chance: random.Random) -> None:
    while time.monotonic() < end:
        centre.harm(daemon)
        time.sleep(chance.uniform(*PAUSES))
        watch.look()
        assert not reader.faults, reader.faults
        assert daemon.process.poll() is None, "the daemon has ended"


def _rest(centre: Soaking, daemon: Running, watch: Watch, reader: Reader) -> Held:
    """All is well again: what is told now is published, and nothing of what was wrong is left."""
    centre.heal(daemon)
    for name, version in centre.news().items():
        until(lambda name=name, version=version: _has(reader, name, version), f"{name} is of version {version}")
    time.sleep(DEADLINE)
    return watch.at_rest()


def _has(reader: Reader, instance: str, version: str) -> bool:
    latest = reader.latest
    return any(version in latest[dn].get("GLUE2ManagerProductVersion", ()) for dn in of(latest, instance))
