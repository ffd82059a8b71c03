"""The unit of the receiver: as systemd reads it, as hardened as the daemon's, and with the folders of the example."""

import re
import shlex
import subprocess
from typing import Any

import pytest
import typer.main
import yaml

from infoprovider.cli.main import app
from infoprovider.reception.follow import PATIENCE
from tests.packaging.test_systemd import ROOT, UNITS, seconds, settings

UNIT = UNITS / "infoprovider-follow.service"


def test_it_calls_a_command_that_exists() -> None:
    """With options that the command has, as its own user."""
    (start,) = settings(UNIT)["ExecStart"]
    _, command, *words = shlex.split(start)
    known: Any = typer.main.get_command(app)
    known.commands[command].make_context(command, words)
    assert settings(UNIT)["User"] == settings(UNIT)["Group"] == ["infoprovider"]


def test_it_is_hardened_as_the_daemon_is() -> None:
    """What is forbidden there is forbidden here."""
    daemon, follow = settings(UNITS / "infoprovider.service"), settings(UNIT)
    hardening = [name for name in daemon if re.match("Protect|Restrict|Private|System|Lock|NoNew|Cap|Remove|Dev", name)]
    assert {name: daemon[name] for name in hardening} == {name: follow.get(name) for name in hardening}


def test_it_gets_the_time_that_it_takes() -> None:
    """To end what has begun, and to show that it lives; and it starts again for ever."""
    follow = settings(UNIT)
    assert seconds(follow["TimeoutStopSec"][0]) > PATIENCE + 5
    assert seconds(follow["WatchdogSec"][0]) >= 60
    assert (follow["Restart"], follow["StartLimitIntervalSec"], follow["Type"]) == (["always"], ["0"], ["notify"])


def test_its_folder_is_that_of_the_example() -> None:
    """Whoever follows the example needs no drop-in for the folder."""
    folder = yaml.safe_load((ROOT / "examples" / "follow.yaml").read_text())["folder"]
    assert settings(UNIT)["StateDirectory"] == [folder.removeprefix("/var/lib/")]
    assert settings(UNIT)["StateDirectoryMode"] == ["0755"]


@pytest.mark.systemd
def test_systemd_takes_it() -> None:
    """The program of systemd that verifies units finds nothing wrong with it."""
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", UNIT], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if UNIT.name in line and "is not executable" not in line]
    assert said == []
