"""A publisher, a real broker and receivers under faults: what a receiver shows is always something that was published.

Both ends are processes of their own. The broker is restarted and killed, lines are cut and delayed, receipts get lost,
the publisher is killed between sending and recording, the receiver at any moment. A receiver's files are read all the
time meanwhile.
"""

import contextlib
import hashlib
import json
import math
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.fault_proxy import FaultProxy, fault_proxy
from tests.system.activemq import Broker
from tests.system.demo import COMMAND
from tests.waiting import until

ROOT = Path(__file__).parents[2]
CENTRE = "RC-DEMO"
SNAPSHOT_EVERY = 20.0
"""Seconds."""
DEADLINE = 4.0
FAULTS = ("restart", "kill broker", "cut", "delay", "lose receipt", "kill publisher")
"""Kinds; the first two are a third of all."""


@dataclass
class Told:
    """What the publisher said of one change: the SHA-256 of its document, and what became of it."""

    composed: str
    delivered: str | None
    error: str


class Publisher:
    """The process of tests/system/chaos_publisher.py, started again where it was killed."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._process: subprocess.Popen[str] | None = None
        self.steps = 0
        self.published: dict[str, int] = {}
        """Every document that was ever composed, by its SHA-256, with the number of its change."""

    def publish(self, channel: str = "tls", *, killed: bool = False) -> Told:
        """Let something change, and have it delivered."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"killed {channel}\n" if killed else f"{channel}\n")
        process.stdin.flush()
        self.steps += 1
        composed = str(json.loads(process.stdout.readline())["composed"])
        self.published[composed] = self.steps
        line = process.stdout.readline()
        if line:
            plain = json.loads(line)
            return Told(composed, plain["delivered"], plain["error"])
        self.close()
        return Told(composed, None, "killed")

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.system.chaos_publisher", self._config, str(self.steps)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._process


class Receiver:
    """`infoprovider follow` as a process, and a reader of its files that never looks away."""

    def __init__(self, config: Path, publisher: Publisher) -> None:
        self._config = config
        self._publisher = publisher
        self.folder = Path(yaml.safe_load(config.read_text())["folder"])
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wrong: list[str] = []
        self.seen: Counter[str] = Counter()

    def start(self) -> None:
        """Start it; it goes on with what it has."""
        log = self.folder.with_suffix(".log").open("ab")
        with log:
            self._process = subprocess.Popen([COMMAND, "follow", self._config], stderr=log)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as a service manager does."""
        assert self._end(signal.SIGTERM) == 0

    def close(self) -> None:
        """End it and the reader."""
        self._ended.set()
        self._reader.join()
        self._end(signal.SIGKILL)

    @property
    def document(self) -> str:
        """The SHA-256 of its copy; empty where there is none."""
        with contextlib.suppress(FileNotFoundError):
            return hashlib.sha256((self.folder / f"{CENTRE}.json").read_bytes()).hexdigest()
        return ""

    @property
    def state(self) -> dict[str, Any]:
        """How it stands with the centre."""
        with contextlib.suppress(FileNotFoundError):
            return dict(json.loads((self.folder / f"{CENTRE}.state.json").read_bytes()))
        return {}

    def _end(self, how: int) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(how)
        return process.wait(30)

    def _read(self) -> None:
        """Whatever is shown was published, and is never older than what was shown before."""
        latest = 0
        while not self._ended.wait(0.02):
            shown = self.document
            if not shown or shown in self.seen:
                continue
            # The publisher says what it composed before it sends it; its word may still be on its way to us.
            step = self._number_of(shown)
            if step is None:
                self.wrong.append(f"shows what was never published: {shown}")
            elif step < latest:
                self.wrong.append(f"went back from change {latest} to {step}")
            latest = max(latest, step or 0)
            self.seen[shown] += 1

    def _number_of(self, document: str) -> int | None:
        for _ in range(50):
            if document in self._publisher.published:
                return self._publisher.published[document]
            time.sleep(0.05)
        return None


@dataclass
class Chaos:
    """All of it, below one folder."""

    folder: Path
    broker: Broker
    tls: FaultProxy
    plain: FaultProxy
    publisher: Publisher
    chance: random.Random
    happened: Counter[str] = field(default_factory=Counter)
    unconfirmed: int = 0

    def receiver(self, name: str) -> Receiver:
        """A receiver with a durable subscription of this name; not started yet."""
        config = self.folder / f"{name}.yaml"
        config.write_text(
            yaml.safe_dump(
                {
                    "broker": self.broker.with_certificate("receiver", brokers=[self.tls.address], heartbeat=2),
                    "folder": str(self.folder / name),
                    "subscription": {"name": name},
                }
            )
        )
        return Receiver(config, self.publisher)

    @property
    def current(self) -> bytes:
        """The publisher's document."""
        return (self.folder / "public" / "current.json").read_bytes()

    def change(self, times: int = 1) -> None:
        """Let things change, and have each change published."""
        for _ in range(times):
            self._told(self.publisher.publish())

    def fault(self, kind: str) -> None:
        """Let one thing go wrong around one change or a few."""
        self.happened[kind] += 1
        if kind in ("restart", "kill broker"):
            end = self.broker.stop if kind == "restart" else self.broker.kill
            end()
            self.change(self.chance.randint(0, 3))
            self.broker.start()
        elif kind == "cut":
            timer = threading.Timer(self.chance.uniform(0, 0.2), self.tls.cut)
            timer.start()
            self.change(2)
            timer.join()
        elif kind == "delay":
            self.tls.delay(self.chance.choice([0.05, 0.2]))
            self.change(2)
            self.tls.delay(0)
        elif kind == "lose receipt":
            # The first two receipts are none of ours: to sign in there is none, the first is that of what is sent.
            self.plain.lose_receipts(1)
            self._told(self.publisher.publish("plain"))
            self.plain.lose_receipts(0)
        else:
            self.publisher.publish(killed=True)

    def _told(self, told: Told) -> None:
        self.unconfirmed += told.delivered is None


@contextlib.contextmanager
def chaos(folder: Path, broker: Broker, seed: int = 7) -> Iterator[Chaos]:
    """A publisher at a broker that runs, with a proxy in front of each of its ports."""
    with ExitStack() as stack:
        tls = stack.enter_context(fault_proxy(broker.port))
        plain = stack.enter_context(fault_proxy(broker.port + 1))
        publisher = Publisher(_config(folder, broker, tls, plain))
        stack.callback(publisher.close)
        yield Chaos(folder, broker, tls, plain, publisher, random.Random(seed))  # noqa: S311


AWAY = 100
"""Changes that one receiver misses."""

START = 30.0
"""Seconds that a receiver may take to be there, and to come back after a connection that broke."""


@dataclass
class Story:
    """What was seen in the end; `seconds` is how long who came late, and who was away, took to be near."""

    chaos: Chaos
    steady: Receiver
    late: Receiver
    away: Receiver
    seconds: dict[str, float]

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """All three."""
        return self.steady, self.late, self.away


def told(
    here: Chaos,
    faults: list[str],
    changes: int,
    said: Callable[[str], None] = lambda _: None,
    until_moment: float = math.inf,
) -> Iterator[Story]:
    """So many changes with these faults in between, or as many as happen until that moment of the monotonic clock.

    One receiver comes when half of it is over, one is away for a hundred changes then. In the end all have what was
    published last, and are ended when the caller is done with the story.
    """
    with ExitStack() as stack:
        receivers = [here.receiver(name) for name in ("steady", "late", "away")]
        for receiver in receivers:
            stack.callback(receiver.close)
        steady, late, away = receivers
        steady.start()
        away.start()
        for receiver in (steady, away):
            caught_up(here, receiver)
        between = max(0, changes // len(faults) - 2)
        seconds: dict[str, float] = {}
        left_at = 0
        for number, fault in enumerate(faults):
            if time.monotonic() > until_moment and seconds:
                changes = here.publisher.steps
                break
            here.change(between)
            here.fault(fault)
            said(f"{number + 1} faults, {here.publisher.steps} changes, the last one was: {fault}")
            if number % 15 == 14:
                steady.kill()
                steady.start()
            if number == min(30, len(faults) // 2):
                away.stop()
                left_at = here.publisher.steps
            if left_at and not seconds and here.publisher.steps - left_at >= AWAY:
                late.start()
                away.start()
                seconds = {"late": caught_up(here, late), "away": caught_up(here, away)}
        here.change(max(1, changes - here.publisher.steps))
        for receiver in receivers:
            until(partial(is_current, here, receiver), "the last copy", 2 * START + SNAPSHOT_EVERY)
        yield Story(here, steady, late, away, seconds)


def caught_up(here: Chaos, receiver: Receiver) -> float:
    """Change on and on until the receiver has a copy that is hardly older than what is told now; the seconds."""

    def is_near() -> bool:
        time.sleep(0.25)
        here.change()
        step = here.publisher.published.get(receiver.document)
        return step is not None and here.publisher.steps - step <= 3

    began = time.monotonic()
    until(is_near, "a receiver comes near", START + SNAPSHOT_EVERY)
    return time.monotonic() - began


def is_current(here: Chaos, receiver: Receiver) -> bool:
    """Whether it has what was published last."""
    return receiver.document == hashlib.sha256(here.current).hexdigest()


def _config(folder: Path, broker: Broker, tls: FaultProxy, plain: FaultProxy) -> Path:
    settings = {
        "tls": broker.with_certificate("publisher", brokers=[tls.address]),
        "plain": broker.with_password("publisher", brokers=[plain.address]),
    }
    written = yaml.safe_load((ROOT / "examples" / "demo.yaml").read_text())
    for instance in written["instances"]:
        if "file" in instance["settings"]:
            instance["settings"]["file"] = str(ROOT / "examples" / instance["settings"]["file"])
    written |= {
        "state": str(folder / "state"),
        "public": str(folder / "public"),
        "channels": [
            {
                "name": name,
                "kind": "stomp",
                "format": "json",
                "every": 1,
                "deadline": DEADLINE,
                "settings": {**one, "snapshot_every": SNAPSHOT_EVERY},
            }
            for name, one in settings.items()
        ],
    }
    path = folder / "centre.yaml"
    path.write_text(yaml.safe_dump(written))
    return path


def plan(faults: int, chance: random.Random) -> list[str]:
    """So many faults in a random order, a third of them of the broker itself."""
    broker = [FAULTS[number % 2] for number in range(faults // 3)]
    others = [FAULTS[2 + number % 4] for number in range(faults - len(broker))]
    mixed = broker + others
    chance.shuffle(mixed)
    return mixed
