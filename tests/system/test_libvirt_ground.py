"""The testbed of libvirt is what tests take it for, and so are the recorded hosts."""

import subprocess
from pathlib import Path

import pytest

from tests.providers.libvirt_recorded import CONSTANTS
from tests.system.libvirt import TESTBED, Counting, Hosts, machines, seen, started, virsh

pytestmark = pytest.mark.libvirt


def test_nothing_listens_beyond_the_loopback(hosts: Hosts) -> None:
    """The daemon has its two ports there, and no other of TCP."""
    inodes = {str(link.readlink()) for link in Path(f"/proc/{hosts.pid}/fd").iterdir() if link.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    rows += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]
    assert len(listening) == 2
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}


def test_hosts_are_of_several_sizes_and_one_has_machines_of_xen(hosts: Hosts) -> None:
    """Twenty of the test driver beside the real one."""
    assert len(hosts.simulated) == 20
    assert {seen(uri).cpus for uri in hosts.simulated[:3]} == {16, 32, 48}
    assert "<type arch='x86_64'>xen</type>" in virsh(hosts.simulated[-1], "dumpxml vm0")
    assert "<type arch='x86_64'>hvm</type>" in virsh(hosts.simulated[0], "dumpxml vm0")
    assert seen(hosts.qemu).kind == "QEMU"


def test_real_machines_start_and_end(hosts: Hosts) -> None:
    """With QEMU in software."""
    virsh(hosts.qemu, hosts.define("ground"), "start ground")
    assert [(one.name, one.state) for one in machines(hosts.qemu)] == [("ground", "running")]
    hosts.clear()
    assert list(machines(hosts.qemu)) == []


def test_calls_are_counted(hosts: Hosts) -> None:
    """Two of the same make one more than one."""
    calls = []
    for commands in (("nodeinfo",), ("nodeinfo", "nodeinfo")):
        with Counting(hosts.port) as counting:
            virsh(f"qemu+tcp://127.0.0.1:{counting.port}/session", *commands)
            calls.append(counting.calls)
    assert calls[1] == calls[0] + 1


def test_a_folder_that_is_stopped_has_no_process_left() -> None:
    """Neither the daemon nor a machine, and it is not started twice."""
    with started(hosts=1, domains=1) as other:
        virsh(other.qemu, other.define("left"), "start left")
        pids = [
            other.pid,
            *(int(file.read_text()) for file in other.folder.glob("run/libvirt/qemu/run/*.pid") if file.stem == "left"),
        ]
        assert len(pids) == 2
        again = subprocess.run([TESTBED / "up", other.folder], capture_output=True, text=True, check=False)
        assert (again.returncode, again.stderr) == (1, f"up: libvirtd runs in {other.folder} already\n")
        subprocess.run([TESTBED / "down", other.folder], check=True)
        assert [pid for pid in pids if runs(pid)] == []


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_recorded_numbers_are_those_of_the_library() -> None:
    """Constants and codes of errors."""
    import libvirt

    assert {name: getattr(libvirt, name) for name in CONSTANTS} == CONSTANTS
