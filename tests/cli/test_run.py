"""`infoprovider run` as a process of its own, over real files."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider.clock import Clock
from infoprovider.store.daemon import DaemonStore
from infoprovider.store.deliveries import DeliveryStore
from infoprovider.store.snapshots import SnapshotStore
from tests.cli.conftest import Centre, Program

PROGRAM = (sys.executable, "-c", "from infoprovider.cli.main import main; main()")
PATIENCE = 30.0


class Running:
    """A daemon of a centre."""

    def __init__(self, config: Path, **environment: str) -> None:
        self.said = config.with_name("said")
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [*PROGRAM, "run", str(config)], stderr=said, stdout=said, env=os.environ | environment
            )

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def log(self) -> str:
        """What it has said so far."""
        return self.said.read_text()


Start = Callable[..., Running]


@pytest.fixture
def start(centre: Centre) -> Iterator[Start]:
    """Starts a daemon of the centre; after the test it is gone."""
    started: list[Running] = []

    def run(**environment: str) -> Running:
        started.append(Running(centre.config, **environment))
        return started[-1]

    yield run
    for one in started:
        one.process.kill()
        one.process.wait()


def until(holds: Callable[[], Any], what: str) -> None:
    """Wait for something to come true."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.fixture
def quick(centre: Centre) -> Centre:
    """The centre with a channel that is served as soon as there is something new."""
    centre.change(
        channels=[{"name": "site-bdii", "kind": "bdii", "every": 0.1, "settings": {"folder": "bdii"}}],
        collection={"pause": 0.1},
    )
    return centre


def hanging(centre: Centre, deadline: str) -> None:
    """Give the centre a third manager, which never answers, with processes of its own that do not end by themselves."""
    program = centre.config.with_name("hangs")
    program.write_text(f"#!/bin/sh\necho $$ > {centre.config.parent}/pid\nsleep 1000 & wait\n")
    program.chmod(0o755)
    instances = yaml.safe_load(centre.config.read_text())["instances"]
    slow = {"name": "slow", "kind": "exec", "deadline": deadline, "settings": {"command": ["./hangs"]}}
    centre.change(instances=[*instances, slow])


def test_it_publishes_until_it_is_told_to_stop(quick: Centre, start: Start, program: Program) -> None:
    """Changes come through when they are poked, a second one is refused, and nothing is left at the end."""
    running = start()
    until(quick.bdii.exists, "the document is in the BDII's folder")
    assert "demo-south" in quick.bdii.read_text()

    refused = program("publish", quick.config)
    assert refused.code == 8
    assert "`infoprovider poke`" in refused.err

    quick.describe(lambda described: described["manager"].update(version="2030.1"))
    poked = program("poke", quick.config, "demo-north", "manager")
    assert (poked.code, poked.out) == (0, "demo-north is asked for manager\n")
    until(lambda: "GLUE2ManagerProductVersion: 2030.1" in quick.bdii.read_text(), "the change is published")

    assert program("poke", quick.config, "demo-east").code == 2
    assert "there is no instance demo-east" in program("poke", quick.config, "demo-east").err
    assert "is not asked for prices" in program("poke", quick.config, "demo-south", "prices").err

    state = quick.config.parent / "run" / "state"
    assert DeliveryStore(state).of("site-bdii").success is not None
    assert running.end() == 0
    assert not (state / "control").exists()
    assert DaemonStore(state).read() is None
    assert program("publish", quick.config, "--kept").code == 0
    assert program("poke", quick.config, "demo-north").code == 8


def test_a_reload_takes_a_file_that_can_be_used_and_no_other(quick: Centre, start: Start) -> None:
    """A broken one is said with its mistakes and changes nothing; a new channel is served at once."""
    running = start()
    until(quick.bdii.exists, "the document is in the BDII's folder")
    store = DaemonStore(quick.config.parent / "run" / "state")
    sound = quick.config.read_text()

    quick.config.write_text(sound + "chanels: []\n")
    running.signal(signal.SIGHUP)
    until(lambda: (told := store.read()) and told.faults, "the mistake is told")
    assert "chanels is not known here" in running.log()
    quick.config.write_text(sound)

    (quick.config.parent / "other").mkdir()
    channel = {"name": "other", "kind": "bdii", "settings": {"folder": "other"}}
    quick.change(channels=[channel])
    running.signal(signal.SIGHUP)
    other = quick.config.parent / "other" / "infoprovider.ldif"
    until(other.exists, "the new channel is served")
    told = store.read()
    assert told is not None
    assert told.faults == ()
    assert running.end() == 0


def test_the_service_manager_is_told(quick: Centre, start: Start, tmp_path: Path) -> None:
    """Ready, alive, reloading, ready, ending: in this order, over its socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        running = start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="2000000")
        assert manager.recv(4096) == b"READY=1\nSTATUS=2 instances, 1 channels"
        assert manager.recv(4096) == b"WATCHDOG=1"
        quick.config.write_text(quick.config.read_text() + "chanels: []\n")
        running.signal(signal.SIGHUP)
        said = [manager.recv(4096).partition(b"\n")[0] for _ in range(2)]
        assert said[0] == b"RELOADING=1"
        assert said[1] == b"READY=1"
        running.signal(signal.SIGTERM)
        until(lambda: manager.recv(4096) == b"STOPPING=1", "the end is told")
        assert running.process.wait(PATIENCE) == 0


def test_a_stop_ends_collections_at_once_and_says_nothing_of_their_managers(quick: Centre, start: Start) -> None:
    """What they had started is gone, and the next start asks again instead of calling the manager ill."""
    hanging(quick, "60s")
    running = start()
    pid_file = quick.config.with_name("pid")
    until(lambda: pid_file.exists() and pid_file.read_text(), "the manager is asked")
    began = time.monotonic()
    assert running.end() == 0
    assert time.monotonic() - began < 10
    assert not Path(f"/proc/{pid_file.read_text().strip()}").exists()
    assert SnapshotStore(quick.config.parent / "run" / "state", Clock()).outcome("slow") is None
    assert "not waited for" not in running.log()


def test_half_a_centre_is_not_published_at_the_first_start(quick: Centre, start: Start) -> None:
    """Everybody has answered or failed before the first document goes out."""
    hanging(quick, "2s")
    running = start()
    state = SnapshotStore(quick.config.parent / "run" / "state", Clock())
    until(lambda: state.outcome("demo-north") and state.outcome("demo-south"), "two have answered")
    until(quick.bdii.exists, "the document is published")
    outcome = state.outcome("slow")
    assert outcome is not None
    assert outcome.failed
    assert running.end() == 0


def test_what_is_kept_is_published_at_once(quick: Centre, start: Start, program: Program) -> None:
    """A restart does not wait for a manager that hangs."""
    assert program("publish", quick.config, "--quiet").code == 0
    quick.bdii.unlink()
    hanging(quick, "60s")
    running = start()
    until(quick.bdii.exists, "the document is published")
    assert "demo-north" in quick.bdii.read_text()
    assert running.end() == 0


def test_losing_the_state_empties_no_bdii(quick: Centre, start: Start, program: Program) -> None:
    """What was handed out of a manager that cannot be asked now stays, as it was."""
    assert program("publish", quick.config, "--quiet").code == 0
    lasting = r"^dn: GLUE2(?:ServiceID|EndpointID|ShareID)=.*demo-north.*$"
    entries = re.findall(lasting, quick.bdii.read_text(), re.MULTILINE)
    for folder in ("state", "public"):
        subprocess.run(["rm", "-r", quick.config.parent / "run" / folder], check=True)
    quick.forget("north")
    quick.describe(lambda described: described["manager"].update(version="2030.1"), "south")
    running = start()
    until(lambda: "2030.1" in quick.bdii.read_text(), "the other manager is published anew")
    assert len(entries) > 5
    assert re.findall(lasting, quick.bdii.read_text(), re.MULTILINE) == entries
    assert running.end() == 0


def test_its_log_says_what_happens_in_json_where_that_is_wanted(quick: Centre, start: Start) -> None:
    """Each line is one object, with the instance that it is about."""
    quick.change(log={"format": "json"})
    running = start()
    until(quick.bdii.exists, "the document is in the BDII's folder")
    assert running.end() == 0
    lines = [json.loads(line) for line in running.log().splitlines()]
    assert {"demo-north", "demo-south"} <= {line.get("instance") for line in lines}
