"""The units and the lists of users and folders: as systemd itself reads them, and as the program needs them."""

import os
import re
import shlex
import stat
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import typer.main

from infoprovider.cli.daemon import PATIENCE
from infoprovider.cli.main import app
from infoprovider.publishers.bdii import BdiiSettings

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "packaging" / "systemd"
SERVICES = [UNITS / "infoprovider-publish.service", UNITS / "infoprovider.service"]
"""Those that run infoprovider itself; tests/publishers/test_expire.py is about the other one."""
HOOK = (ROOT / "bdii-hook" / "infoprovider-hook").read_text()
MOST_EXPOSED = 2.0
"""What `systemd-analyze security` calls OK goes up to 4, without any hardening it is 9.2."""


def settings(unit: Path) -> dict[str, list[str]]:
    """Everything that a unit sets, by name of the setting."""
    found = defaultdict(list)
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return dict(found)


def seconds(value: str) -> float:
    """A span of time as these units write it."""
    number, unit = re.fullmatch(r"(\d+)(min|s|)", value).groups()  # type: ignore[union-attr]
    return int(number) * {"min": 60, "s": 1, "": 1}[unit]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_calls_a_command_that_exists(unit: Path) -> None:
    """With options that the command has, as its own user, and never as root."""
    (start,) = settings(unit)["ExecStart"]
    program, command, *words = shlex.split(start)
    assert Path(program).name == "infoprovider"
    known: Any = typer.main.get_command(app)
    known.commands[command].make_context(command, words)
    assert settings(unit)["User"] == settings(unit)["Group"] == ["infoprovider"]


def test_the_daemon_gets_the_time_that_it_takes() -> None:
    """Ten seconds to end, a sign of life within the watchdog's time, and no end to its attempts to start again."""
    daemon = settings(UNITS / "infoprovider.service")
    assert seconds(daemon["TimeoutStopSec"][0]) > PATIENCE + 5
    assert seconds(daemon["WatchdogSec"][0]) >= 60
    assert (daemon["Type"], daemon["NotifyAccess"]) == (["notify"], ["main"])
    assert daemon["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert (daemon["Restart"], daemon["StartLimitIntervalSec"]) == (["always"], ["0"])


def test_both_ways_are_hardened_alike() -> None:
    """What is forbidden to the daemon is forbidden to the timer's service."""
    daemon, once = (settings(unit) for unit in SERVICES[::-1])
    hardening = [name for name in daemon if re.match("Protect|Restrict|Private|System|Lock|NoNew|Cap|Remove|Dev", name)]
    assert len(hardening) > 15
    assert {name: daemon[name] for name in hardening} == {name: once[name] for name in hardening}


def test_the_folders_are_those_of_the_hook() -> None:
    """A BDII that calls the hook without a word reads the folder that the service writes."""
    (public,) = re.findall(r"^public=\$\{1:-(.*)\}$", HOOK, re.MULTILINE)
    for unit in SERVICES:
        made = settings(unit)["StateDirectory"][0].split()
        assert public in [f"/var/lib/{folder}" for folder in made]
        assert settings(unit)["StateDirectoryMode"] == ["0755"]
        assert "ProcSubset" not in settings(unit)


def test_the_folder_of_a_bdii_may_be_written() -> None:
    """It stands in the unit and in the list of folders, and is that of the packaged BDII."""
    folder = "/var/lib/bdii/gip/ldif"
    assert BdiiSettings(folder=folder).folder == Path(folder)
    for unit in SERVICES:
        assert f"-{folder}" in settings(unit)["ReadWritePaths"]
    assert f"\nz {folder} " in (UNITS / "tmpfiles.conf").read_text()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units with a program that is there."""
    for unit in UNITS.iterdir():
        text = re.sub(r"/opt/infoprovider/bin/infoprovider\S*", sys.executable, unit.read_text())
        (tmp_path / unit.name).write_text(text)
    return tmp_path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A program of systemd."""
    return subprocess.run([*command], capture_output=True, text=True, check=False)


@pytest.mark.systemd
def test_systemd_understands_every_line(installed: Path) -> None:
    """No unknown setting, no value that it passes over."""
    units = [path for path in sorted(installed.iterdir()) if path.suffix in (".service", ".timer")]
    verified = run("systemd-analyze", "verify", "--man=no", *units)
    about_us = [line for line in verified.stderr.splitlines() if "infoprovider" in line]
    assert (about_us, verified.returncode) == ([], 0)


@pytest.mark.systemd
@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda unit: unit.name)
def test_a_service_is_hardly_exposed(installed: Path, unit: Path) -> None:
    """By systemd's own measure."""
    exposure = run(
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={MOST_EXPOSED * 10:g}",
        "--no-pager",
        installed / unit.name,
    )
    assert exposure.returncode == 0, exposure.stdout[-300:] + exposure.stderr


@pytest.mark.systemd
def test_users_and_folders_are_made(tmp_path: Path) -> None:
    """In a tree of its own: the state is for infoprovider alone, the BDII's folder stays its own and is shared."""
    made = run("systemd-sysusers", f"--root={tmp_path}", "--dry-run", UNITS / "sysusers.conf")
    assert made.returncode == 0, made.stderr
    assert "infoprovider" in made.stderr

    ldif = tmp_path / "var/lib/bdii/gip/ldif"
    ldif.mkdir(parents=True)
    (tmp_path / "etc").mkdir(exist_ok=True)
    user, group = os.geteuid(), os.getegid()
    (tmp_path / "etc/passwd").write_text(f"infoprovider:x:{user}:{group}::/var/lib/infoprovider:/usr/sbin/nologin\n")
    (tmp_path / "etc/group").write_text(f"infoprovider:x:{group}:\n")
    # Who is not root cannot give root anything.
    wanted = (UNITS / "tmpfiles.conf").read_text()
    (tmp_path / "tmpfiles.conf").write_text(wanted if user == 0 else wanted.replace(" root ", " infoprovider "))
    made = run("systemd-tmpfiles", "--create", f"--root={tmp_path}", tmp_path / "tmpfiles.conf")
    assert (made.returncode, made.stderr) == (0, "")
    modes = {
        str(folder.relative_to(tmp_path)): f"{stat.S_IMODE(folder.stat().st_mode):04o}"
        for folder in (ldif, tmp_path / "etc/infoprovider", *(tmp_path / "var/lib").glob("infoprovider/**/"))
    }
    assert modes == {
        "var/lib/bdii/gip/ldif": "0775",
        "etc/infoprovider": "0750",
        "var/lib/infoprovider": "0755",
        "var/lib/infoprovider/public": "0755",
        "var/lib/infoprovider/state": "0700",
    }
