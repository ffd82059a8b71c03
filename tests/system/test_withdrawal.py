"""What a BDII goes on serving when infoprovider is dead and its document has expired: by the hook, by the folder."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from infoprovider.clock import BOOT_ID
from tests.system.bdii import Bdii, start
from tests.system.demo import Demo, bdii_channel, demo_in
from tests.test_for_aggregators import PAGE

pytestmark = pytest.mark.bdii

SCRIPTS = Path(__file__).parents[2] / "bdii-hook"
OURS = "(&(objectClass=GLUE2Entity)(!(objectClass=GLUE2Group)))"


@dataclass(frozen=True)
class Served:
    """The demo centre, published once and never again, on a BDII of each route."""

    demo: Demo
    ldif: Path
    hooked: Bdii
    filed: Bdii

    def expire(self) -> None:
        """As it is a day after infoprovider has died: the boot goes on, and the expiry lies behind."""
        uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
        expiry = f"{BOOT_ID.read_text().strip()} {int(uptime) - 1} {int(time.time()) - 1}\n"
        (self.demo.public / "current.expires").write_text(expiry)

    def expire_file(self) -> "subprocess.CompletedProcess[str]":
        """What the timer does."""
        command = [SCRIPTS / "infoprovider-expire", self.ldif / "resource.ldif", self.demo.public]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def entries(bdii: Bdii) -> int:
    """How many entries of ours it serves."""
    return bdii.search("o=glue", OURS, "dn").count("dn: ")


def cycles_until_empty(bdii: Bdii) -> int:
    """In how many cycles it has deleted all of them."""
    for cycle in range(1, 10):
        bdii.wait()
        if not entries(bdii):
            return cycle
    return 10


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Both BDIIs, with all entries."""
    ldif, provider = tmp_path / "ldif", tmp_path / "provider"
    ldif.mkdir()
    provider.mkdir()
    demo = demo_in(tmp_path, bdii_channel(ldif))
    assert demo.publish().returncode == 0
    caller = provider / "infoprovider"
    caller.write_text(f'#!/bin/sh\nexec "{SCRIPTS}/infoprovider-hook" "{demo.public}"\n')
    caller.chmod(0o755)
    with ExitStack() as running:
        hooked = start(tmp_path / "hooked", "--provider", str(provider))
        running.callback(hooked.stop)
        filed = start(tmp_path / "filed", "--ldif", str(ldif))
        running.callback(filed.stop)
        hooked.wait()
        filed.wait()
        assert entries(hooked) == entries(filed) > 40
        yield Served(demo, ldif, hooked, filed)


def test_the_hook_withdraws_by_itself_and_the_timer_does_so_for_a_file(served: Served) -> None:
    """Until the expiry everything is served; then all goes, within as many cycles as the page says."""
    everything = entries(served.filed)
    assert (served.expire_file().returncode, served.expire_file().stdout) == (0, "")
    served.expire()
    [cycles] = map(int, re.findall(r"\*\*(\d+)\*\* cycles for everything", PAGE))
    # A cycle that had begun may have found the document expired already.
    assert cycles - 1 <= cycles_until_empty(served.hooked) <= cycles
    # Nobody but the timer tells a BDII that a file has expired.
    assert entries(served.filed) == everything
    assert "has expired and is removed" in served.expire_file().stdout
    assert cycles - 1 <= cycles_until_empty(served.filed) <= cycles
    # Whoever lives again publishes again.
    assert served.demo.publish().returncode == 0
    served.hooked.wait()
    served.filed.wait()
    assert entries(served.hooked) == entries(served.filed) == everything
