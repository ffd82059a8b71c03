"""The shell hook for a BDII's folder of providers."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

HOOK = Path(__file__).parents[2] / "bdii-hook" / "infoprovider-hook"
BODY = "dn: GLUE2GroupID=resource,o=glue\nobjectClass: GLUE2Group\nGLUE2EntityName: Zürich\n\n".encode()
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
OTHER_BOOT = "00000000-0000-0000-0000-000000000000"

Expiry = Callable[[str, float, float], None]


def uptime() -> float:
    """Seconds since this machine was started."""
    return float(Path("/proc/uptime").read_text().split()[0])


def run(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run the hook as bdii-update does: through a shell, with a bare environment."""
    return subprocess.run(["/bin/sh", str(HOOK), *arguments], capture_output=True, check=False, env={}, timeout=5)


@pytest.fixture
def expiry(tmp_path: Path) -> Expiry:
    """Writes a rendering and, so many seconds from now by uptime and by wall clock, its expiry."""

    def write(boot: str, by_uptime: float, by_wall: float) -> None:
        (tmp_path / "current.resource.ldif").write_bytes(BODY)
        moments = f"{int(uptime() + by_uptime)} {int(time.time() + by_wall)}"
        (tmp_path / "current.expires").write_text(f"{boot} {moments}\n")

    return write


def test_the_current_rendering_is_printed_as_it_is(tmp_path: Path, expiry: Expiry) -> None:
    """While the expiry lies ahead the bytes come out unchanged and nothing is said."""
    expiry(BOOT, 600, 600)
    result = run(str(tmp_path))
    assert (result.returncode, result.stdout, result.stderr) == (0, BODY, b"")


def test_the_template_set_is_chosen_by_the_second_word(tmp_path: Path, expiry: Expiry) -> None:
    """A BDII for readers of another tree gets that set's file."""
    expiry(BOOT, 600, 600)
    (tmp_path / "current.cloud.ldif").write_bytes(b"dn: GLUE2GroupID=cloud,o=glue\n\n")
    assert run(str(tmp_path), "cloud").stdout == b"dn: GLUE2GroupID=cloud,o=glue\n\n"


def test_an_expired_rendering_is_not_printed(tmp_path: Path, expiry: Expiry) -> None:
    """When infoprovider has died, its data leaves by itself, and the BDII's log says why."""
    expiry(BOOT, -1, 600)
    result = run(str(tmp_path))
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.decode() == (
        f"infoprovider-hook: {tmp_path}/current.resource.ldif has expired: is infoprovider running?; "
        "nothing is printed\n"
    )


def test_a_jump_of_the_wall_clock_withdraws_nothing(tmp_path: Path, expiry: Expiry) -> None:
    """Within one boot only the uptime counts: a wall clock far ahead changes nothing."""
    expiry(BOOT, 600, -86400)
    assert run(str(tmp_path)).stdout == BODY


def test_after_a_reboot_the_wall_clock_decides(tmp_path: Path, expiry: Expiry) -> None:
    """An uptime of another boot means nothing, so the wall-clock second is compared."""
    expiry(OTHER_BOOT, -1, 600)
    assert run(str(tmp_path)).stdout == BODY
    expiry(OTHER_BOOT, 600, -1)
    result = run(str(tmp_path))
    assert (result.stdout, b"has expired" in result.stderr) == (b"", True)


def test_without_an_expiry_nothing_is_printed(tmp_path: Path, expiry: Expiry) -> None:
    """A rendering whose age nobody can tell is withheld."""
    expiry(BOOT, 600, 600)
    (tmp_path / "current.expires").unlink()
    result = run(str(tmp_path))
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.decode() == (
        f"infoprovider-hook: cannot read {tmp_path}/current.expires; nothing is printed\n"
    )


@pytest.mark.parametrize("content", ["", "\n", f"{BOOT} soon later\n", f"{BOOT}\n", "rubbish"])
def test_an_expiry_that_says_nothing_is_no_permission(tmp_path: Path, expiry: Expiry, content: str) -> None:
    """A cut or garbled expiry withholds the rendering and prints no shell error of its own."""
    expiry(BOOT, 600, 600)
    (tmp_path / "current.expires").write_text(content)
    result = run(str(tmp_path))
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.startswith(b"infoprovider-hook: ")
    assert result.stderr.count(b"\n") == 1


def test_a_missing_rendering_is_said(tmp_path: Path, expiry: Expiry) -> None:
    """Where the file of the wanted set is not there, the log names it."""
    expiry(BOOT, 600, 600)
    result = run(str(tmp_path), "site")
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.decode() == (
        f"infoprovider-hook: cannot read {tmp_path}/current.site.ldif; nothing is printed\n"
    )


def test_the_hook_costs_milliseconds(tmp_path: Path, expiry: Expiry) -> None:
    """Two hundred runs take less time than a handful of Python starts would."""
    expiry(BOOT, 600, 600)
    before = time.monotonic()
    for _ in range(200):
        assert run(str(tmp_path)).returncode == 0
    assert (time.monotonic() - before) / 200 < 0.05
