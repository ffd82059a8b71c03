"""What the service manager is told, over a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infoprovider.cli.readiness import Readiness


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The end of the line on which the service manager listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(5)
        yield line


def heard(manager: socket.socket) -> list[str]:
    """Everything that has been said by now, line by line."""
    manager.setblocking(False)
    said = []
    while True:
        try:
            said += manager.recv(4096).decode().split("\n")
        except BlockingIOError:
            return said


def test_it_hears_when_we_are_ready_reload_and_end(manager: socket.socket) -> None:
    """In the words of sd_notify(3), a status in one line, and the variables are not handed on to others."""
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "HOME": "/"}
    readiness = Readiness(environment)
    assert environment == {"HOME": "/"}
    readiness.ready("two instances\nand more")
    readiness.reloading()
    readiness.stopping()
    said = heard(manager)
    assert said[:3] == ["READY=1", "STATUS=two instances", "RELOADING=1"]
    assert said[3].removeprefix("MONOTONIC_USEC=").isdigit()
    assert said[4:] == ["STOPPING=1"]


def test_its_watchdog_hears_us_twice_in_its_time(manager: socket.socket) -> None:
    """However often we come by; and only where it waits for this very process."""
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "600000000"}
    readiness = Readiness(environment | {"WATCHDOG_PID": str(os.getpid())})
    readiness.ping()
    readiness.ping()
    assert heard(manager) == ["WATCHDOG=1"]
    quick = Readiness(environment | {"WATCHDOG_USEC": "1"})
    quick.ping()
    quick.ping()
    assert heard(manager) == ["WATCHDOG=1"] * 2
    Readiness(environment | {"WATCHDOG_PID": "1"}).ping()
    Readiness({"NOTIFY_SOCKET": manager.getsockname()}).ping()
    assert heard(manager) == []


def test_a_name_that_is_in_no_folder_is_reached_as_well() -> None:
    """As unix(7) has it: `@` stands for a NUL."""
    name = f"infoprovider-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0{name}")
        Readiness({"NOTIFY_SOCKET": f"@{name}"}).stopping()
        line.settimeout(5)
        assert line.recv(100) == b"STOPPING=1"


def test_without_a_service_manager_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And one that has gone is no reason to fail."""
    Readiness({}).ready("well")
    assert caplog.records == []
    Readiness({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("well")
    assert "the service manager cannot be told READY=1" in caplog.text
