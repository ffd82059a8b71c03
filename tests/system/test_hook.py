"""The hook costs a BDII next to nothing, whatever state the VM managers and infoprovider are in."""

import json
import os
import pwd
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import yaml

HOOK = Path(__file__).parents[2] / "bdii-hook" / "infoprovider-hook"
COMMAND = Path(sys.executable).with_name("infoprovider")
MANAGERS, IMAGES = 5, 2_000
CALLS = 200
SLOWEST_MS = 150
STALLED_MS = 50
"""In a round in which a shell that does nothing takes longer, more was measured than the hook at that load."""
CPU_MS = 60
"""What a call may cost on average, whatever else the machine does."""
ROUNDS = 3
LOAD = 2
LONGEST = 120
"""Seconds after which whatever was started here ends by itself."""

BUSY = f"import time\nend = time.monotonic() + {LONGEST}\nwhile time.monotonic() < end: pass"

PROGRAM = f"""#!/bin/sh
[ -e hang ] || exec cat "$1.lines"
touch "$1.hangs"
exec sleep {LONGEST}
"""


def lines(instance: str) -> bytes:
    """What a manager tells of itself and of its images."""
    now = datetime.now(UTC).isoformat()
    sign_in = [{"method": "oidc"}]
    endpoint = {"url": f"https://{instance}.example.org/", "interface": "shelf", "sign_in": sign_in}
    images = [
        {"id": f"{number:032x}", "name": f"Linux {number}", "version": "12", "description": "Made to be counted. " * 20}
        for number in range(IMAGES)
    ]
    values = {"manager": {"product": "shelf", "endpoints": [endpoint]}, "images": {"images": images}}
    told = [
        {"answer": "observed", "facet": facet, "observed_at": now, "value": value} for facet, value in values.items()
    ]
    return b"".join(json.dumps(one).encode() + b"\n" for one in told)


def configuration() -> dict[str, Any]:
    """A centre whose managers are asked all the time."""
    names = [f"cloud{number}" for number in range(MANAGERS)]
    return {
        "centre": {"name": "RC-ONE"},
        "instances": [
            {
                "name": name,
                "kind": "exec",
                "every": "1s",
                "deadline": f"{LONGEST}s",
                "settings": {"command": ["./manager", name]},
            }
            for name in names
        ],
    }


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder into which every user may look, with the hook; pytest's own are closed to others."""
    path = Path(tempfile.mkdtemp(prefix="infoprovider-hook-"))
    path.chmod(0o755)
    shutil.copy(HOOK, path)
    yield path
    shutil.rmtree(path)


@contextmanager
def started(*command: str | Path, **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is ended with the test."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@cache
def of_the_bdii() -> dict[str, Any]:
    """Options of subprocess with which a program runs as the BDII's user, where that can be chosen."""
    users = {user.pw_name: user for user in pwd.getpwall()}
    user = users.get("openldap") or users.get("ldap") or users.get("nobody")
    if os.geteuid() or user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@dataclass(frozen=True)
class Round:
    """The slowest call, the middle one, the slowest of a shell that does nothing, called in turn; CPU time of both."""

    slowest_ms: float
    median_ms: float
    nothing_ms: float
    cpu_ms: float

    @property
    def is_disturbed(self) -> bool:
        """Whether other work on the machine keeps even a shell waiting that does nothing."""
        return self.nothing_ms > STALLED_MS


def measured(provider: Path, entries: int) -> Round:
    """So many calls as bdii-update makes them, and a look at what they print."""
    calls, nothing = [], []
    before = cpu_s()
    for _ in range(CALLS):
        took, printed = call_ms(str(provider))
        assert printed.count(b"\ndn: ") + 1 == entries
        calls.append(took)
        nothing.append(call_ms("true")[0])
    return Round(max(calls), median(calls), max(nothing), (cpu_s() - before) * 1000 / CALLS)


def cpu_s() -> float:
    """Seconds of CPU that ended children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def call_ms(command: str) -> tuple[float, bytes]:
    """One call as bdii-update makes it, by its user and through a shell: milliseconds, and what it printed."""
    before = time.perf_counter()
    with subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, cwd="/", env={}, **of_the_bdii()) as process:  # noqa: S602
        assert process.stdout is not None
        printed = process.stdout.read()
        code = process.wait()
        took = time.perf_counter() - before
    assert code == 0
    return took * 1000, printed


def test_the_hook_waits_for_nobody(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of 200 calls prints 10,000 entries within 150 ms, at load 2, while every manager hangs."""
    config = folder / "site.yaml"
    config.write_text(yaml.safe_dump(configuration()))
    (folder / "manager").write_text(PROGRAM)
    (folder / "manager").chmod(0o755)
    names = [instance["name"] for instance in configuration()["instances"]]
    for name in names:
        (folder / f"{name}.lines").write_bytes(lines(name))
    log = (folder / "log").open("wb")
    with ExitStack() as running:
        running.enter_context(log)
        running.enter_context(started(COMMAND, "run", config.name, cwd=folder, stderr=log, stdout=log))
        document = folder / "run" / "public" / "current.resource.ldif"
        wait_until(lambda: document.exists() and document.read_bytes().count(b"\ndn: ") >= MANAGERS * IMAGES, folder)
        (folder / "hang").touch()
        wait_until(lambda: all((folder / f"{name}.hangs").exists() for name in names), folder)
        entries = document.read_bytes().count(b"\ndn: ") + 1
        provider = folder / "infoprovider"
        provider.write_text(f'#!/bin/sh\nexec "{folder}/{HOOK.name}" "{document.parent}"\n')
        provider.chmod(0o755)
        for _ in range(LOAD):
            running.enter_context(started(sys.executable, "-c", BUSY))
        rounds = [measured(provider, entries)]
        while rounds[-1].is_disturbed and len(rounds) < ROUNDS:
            rounds.append(measured(provider, entries))
    best = min(rounds, key=lambda one: one.slowest_ms)
    with capsys.disabled():
        print(f"\n{CALLS} calls of the hook, {entries} entries: the slowest took {best.slowest_ms:.0f} ms; {best}")
    assert best.cpu_ms <= CPU_MS
    if best.slowest_ms > SLOWEST_MS and rounds[-1].is_disturbed:
        pytest.skip(f"the machine is too busy to measure at load {LOAD}: {rounds}")
    assert best.slowest_ms <= SLOWEST_MS


def wait_until(holds: Any, folder: Path) -> None:
    """Wait until something is so."""
    until = time.monotonic() + LONGEST / 2
    while not holds():
        assert time.monotonic() < until, (folder / "log").read_text()[-3000:]
        time.sleep(0.2)
