"""The shell script that takes the document of a dead infoprovider out of a BDII's folder of static LDIF."""

import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from infoprovider.publishers.bdii import BdiiSettings

ROOT = Path(__file__).parents[2]
EXPIRE = ROOT / "bdii-hook" / "infoprovider-expire"
UNITS = ROOT / "packaging" / "systemd"
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
OTHER_BOOT = "00000000-0000-0000-0000-000000000000"

Expiry = Callable[..., Path]


@pytest.fixture
def expiry(tmp_path: Path) -> Expiry:
    """Writes the published file and, so many seconds from now by uptime and by wall clock, its expiry."""
    published = tmp_path / "infoprovider.ldif"

    def write(boot: str, by_uptime: float, by_wall: float, name: str = "current.expires") -> Path:
        published.write_text("dn: GLUE2GroupID=resource,o=glue\n\n")
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        (tmp_path / name).write_text(f"{boot} {int(uptime + by_uptime)} {int(time.time() + by_wall)}\n")
        return published

    return write


def run(file: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """Run it as a timer does."""
    command = ["/bin/sh", str(EXPIRE), str(file), str(file.parent), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={}, timeout=5)


@pytest.mark.parametrize(
    ("boot", "by_uptime", "by_wall"), [(BOOT, 600, 600), (BOOT, 600, -86400), (OTHER_BOOT, -600, 600)]
)
def test_a_file_that_holds_stays(expiry: Expiry, boot: str, by_uptime: float, by_wall: float) -> None:
    """Whatever the wall clock does within one boot; after a reboot the wall clock decides. Nothing is said."""
    file = expiry(boot, by_uptime, by_wall)
    done = run(file)
    assert (done.returncode, done.stdout, done.stderr, file.exists()) == (0, "", "", True)


@pytest.mark.parametrize(("boot", "by_uptime", "by_wall"), [(BOOT, -1, 600), (OTHER_BOOT, 600, -1)])
def test_a_file_that_has_expired_is_removed(expiry: Expiry, boot: str, by_uptime: float, by_wall: float) -> None:
    """And that is said, once: the next run finds nothing to do."""
    file = expiry(boot, by_uptime, by_wall)
    done = run(file)
    assert (done.returncode, file.exists(), done.stderr) == (0, False, "")
    assert done.stdout == f"infoprovider-expire: {file} has expired and is removed: is infoprovider running?\n"
    assert run(file).stdout == ""


def test_a_tree_that_was_not_renewed_has_its_own_expiry(expiry: Expiry) -> None:
    """Where a template set could not be rendered, the others go on."""
    expiry(BOOT, 600, 600)
    file = expiry(BOOT, -1, -1, "current.cloud.expires")
    assert run(file).returncode == 0
    assert file.exists()
    assert "has expired" in run(file, "cloud").stdout
    assert not file.exists()


@pytest.mark.parametrize("content", [None, "", "rubbish", f"{BOOT} soon later\n", f"{BOOT}\n"])
def test_where_nobody_can_tell_the_file_stays(expiry: Expiry, content: str | None) -> None:
    """Losing our own folders empties no BDII, but is said and fails."""
    file = expiry(BOOT, -1, -1)
    expires = file.with_name("current.expires")
    expires.unlink() if content is None else expires.write_text(content)
    done = run(file)
    assert (done.returncode, file.exists()) == (1, True)
    assert done.stderr.startswith("infoprovider-expire: cannot ")
    assert done.stderr.endswith(f"; {file} is left where it is\n")
    assert done.stderr.count("\n") == 1


def test_the_unit_knows_the_usual_places() -> None:
    """The timer's service names the file as the channel calls it by default, and the script is installed."""
    unit = (UNITS / "infoprovider-expire.service").read_text()
    [command] = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    program, file, public = command.removeprefix("ExecStart=").split()
    assert (Path(program).name, Path(file).name) == (EXPIRE.name, BdiiSettings.model_fields["file"].default)
    assert f"{{2:-{public}}}" in EXPIRE.read_text()
    assert str(Path(file).parent) in unit.split("ReadWritePaths=")[1].splitlines()[0]
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert scripts["shared-scripts"][f"bdii-hook/{EXPIRE.name}"] == EXPIRE.name
