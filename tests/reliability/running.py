"""`infoprovider run` as a process, and what can be asked about it from outside."""

import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from infoprovider.cli.main import main
from tests.reliability.centre import Centre
from tests.waiting import PATIENCE

PROGRAM = (sys.executable, "-c", "from infoprovider.cli.main import main; main()")
HOOKS = Path(__file__).parents[2] / "bdii-hook"


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def command(*words: str | Path) -> Ended:
    """Run `infoprovider` with these words, in this process, which costs much less than one of its own."""
    root = logging.getLogger()
    handlers, level, argv = list(root.handlers), root.level, sys.argv
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["infoprovider", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as ended:
        return Ended(int(ended.code or 0), out.getvalue(), err.getvalue())
    finally:
        root.handlers[:], sys.argv = handlers, argv
        root.setLevel(level)
    raise AssertionError("it ends by itself")


@dataclass(frozen=True)
class Told:
    """What an operator is told at one moment: all of `show --json`, the probe's code and line, the metrics."""

    shown: dict[str, Any]
    code: int
    probe: str
    metrics: str

    def states(self, instance: str) -> dict[str, set[str]]:
        """The states of an instance's facets."""
        found: dict[str, set[str]] = {}
        for part in self.shown["facets"]:
            if part["instance"] == instance:
                found.setdefault(part["facet"], set()).add(part["state"])
        return found

    def metric(self, name: str, **labels: str) -> float:
        """A sample; 0 where there is none."""
        for line in self.metrics.splitlines():
            matched = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if matched and dict(re.findall(r'(\w+)="([^"]*)"', matched[1] or "")) == labels:
                return float(matched[2])
        return 0.0


def told(centre: Centre) -> Told:
    """What is said of a centre now."""
    shown = command("show", "--json", centre.config)
    probe = command("show", "--nagios", centre.config)
    metrics = command("show", "--prometheus", centre.config)
    return Told(json.loads(shown.out), probe.code, probe.out, metrics.out)


def scraped(port: int) -> str:
    """What Prometheus reads; nothing before there is anything."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            return str(answer.read().decode())
    except URLError:
        return ""


def value(metrics: str, sample: str) -> float:
    """A sample; 0 where there is none."""
    found = [line.rpartition(" ")[2] for line in metrics.splitlines() if line.startswith(f"{sample} ")]
    return float(found[0]) if found else 0.0


class Running:
    """A daemon of a centre."""

    def __init__(self, centre: Centre, **environment: str) -> None:
        self._said = centre.folder / "said"
        with self._said.open("ab") as said:
            self.process = subprocess.Popen(
                [*PROGRAM, "run", str(centre.config)], stderr=said, stdout=said, env=os.environ | environment
            )

    def reload(self) -> None:
        """Let it read its configuration."""
        self.process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """End it as the kernel does where memory is short."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def end(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def log(self) -> str:
        """What all daemons of this centre have said so far."""
        return self._said.read_text()


@contextmanager
def running(centre: Centre, **environment: str) -> Iterator[Running]:
    """A daemon, which ends well when it is told to."""
    daemon = Running(centre, **environment)
    try:
        yield daemon
        if daemon.process.poll() is None:
            assert daemon.end() == 0
        assert "a fault of this program" not in daemon.log(), daemon.log()
        assert "Exception in thread" not in daemon.log(), daemon.log()
    finally:
        if daemon.process.poll() is None:
            daemon.kill()


def hook(centre: Centre) -> Ended:
    """What a BDII gets from the hook."""
    return _script("infoprovider-hook", centre.public)


def withdraw(centre: Centre) -> Ended:
    """The script of the timer that takes away what has expired."""
    return _script("infoprovider-expire", centre.bdii, centre.public)


def _script(name: str, *words: Path) -> Ended:
    done = subprocess.run(
        ["/bin/sh", str(HOOKS / name), *map(str, words)], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    return Ended(done.returncode, done.stdout, done.stderr)
