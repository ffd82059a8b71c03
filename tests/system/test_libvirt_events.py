"""A real libvirtd tells `infoprovider run` of machines that start and end: it asks at once, not at its pace."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.system.answers import by_key, read_ldif
from tests.system.demo import COMMAND, bdii_channel
from tests.system.libvirt import PORTAL, Hosts, virsh
from tests.waiting import until

pytestmark = pytest.mark.libvirt


@pytest.fixture
def empty(hosts: Hosts) -> Iterator[Hosts]:
    """Without machines before and after."""
    hosts.clear()
    yield hosts
    hosts.clear()


def is_listened_to(port: int) -> bool:
    """Whether anybody has a connection to a port of the loopback."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


@pytest.mark.shows("libvirt", "events of the manager", by="real system")
def test_machines_that_start_and_end_are_published_at_once(empty: Hosts, tmp_path: Path) -> None:
    """Although the host is asked only once a day."""
    community = {"name": "vo.example.org", "projects": [{"instance": "hosts", "project": "machines"}]}
    instance = {"name": "hosts", "kind": "libvirt", "every": "1d", "defaults": {"os_family": "linux"}}
    folder = tmp_path / "ldif"
    folder.mkdir()
    config = tmp_path / "centre.yaml"
    written = {
        "centre": {"name": "RC-EVENTS"},
        "communities": [community],
        "instances": [instance | {"settings": {"uris": [empty.qemu]} | PORTAL}],
        "channels": [bdii_channel(folder) | {"every": "1s"}],
        "collection": {"pause": "1s"},
    }
    config.write_text(yaml.safe_dump(written))
    file = folder / "resource.ldif"

    def running() -> int | None:
        shares = [entry for entry in read_ldif(file.read_text()).values() if "GLUE2ShareID" in entry]
        [number] = [number for share in shares for number in by_key(share).get("GLUE2ComputingShareRunningJobs", ())]
        return int(number)

    with (tmp_path / "said").open("w") as said:
        daemon = subprocess.Popen([COMMAND, "run", config], cwd=tmp_path, stdout=said, stderr=said)
        try:
            until(file.exists, "the first document")
            until(lambda: is_listened_to(empty.port), "somebody who listens")
            assert running() == 0
            virsh(empty.qemu, empty.define("seen"), "start seen")
            until(lambda: running() == 1, "a machine that was started")
            virsh(empty.qemu, "destroy seen")
            until(lambda: running() == 0, "a machine that has ended")
        finally:
            daemon.terminate()
            daemon.wait(30)
    assert daemon.returncode == 0
    assert "its events are not seen" not in (tmp_path / "said").read_text()
