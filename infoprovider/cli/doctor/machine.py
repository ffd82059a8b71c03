"""The machine: room on its disks, descriptors, the id of its boot, and whether its clock has gone back."""

import os
import resource
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from infoprovider.cli.doctor.diagnosis import Finding, Severity
from infoprovider.cli.doctor.patient import Findings, Patient
from infoprovider.clock import BOOT_ID
from infoprovider.views.tables import length

LEAST_BYTES = 32 * 2**20
LEAST_INODES = 200
"""What a disk should have left: a document is written beside the former one, and a facet's part is a file."""

DESCRIPTORS_AT_REST = 64
DESCRIPTORS_PER_MANAGER = 16
"""What the daemon opens by itself, and for each manager that it asks at the same time."""

AHEAD = timedelta(seconds=60)


def resources(patient: Patient) -> Findings:
    """Room on disks, and descriptors."""
    configuration = patient.configuration
    folders = {"state": configuration.state, "public": configuration.public}
    for one in configuration.channels:
        folder = getattr(one.settings, "folder", None)
        if isinstance(folder, Path):
            folders[f"channel {one.name}"] = folder
    yield from _disks(folders)
    yield from _descriptors(patient)


def _disks(folders: dict[str, Path]) -> Iterator[Finding]:
    seen: set[int] = set()
    for name, folder in folders.items():
        there = next(one for one in (folder, *folder.parents) if one.exists())
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        disk = os.statvfs(there)
        free = (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize
        if free < LEAST_BYTES:
            yield _disk(there, "is full", f"{free // 2**20} MiB are free, below {there} ({name})", "df -h")
        elif disk.f_files and disk.f_ffree < LEAST_INODES:
            yield _disk(there, "has no inodes left", f"{disk.f_ffree} are free, below {there} ({name})", "df -i")


def _disk(folder: Path, how: str, seen: str, command: str) -> Finding:
    return Finding(
        kind="disk",
        cause=f"the disk of {folder} {how}",
        seen=seen,
        remedy=f"{command} {folder}; then remove what is not needed there, or name a folder elsewhere",
    )


def _descriptors(patient: Patient) -> Iterator[Finding]:
    configuration = patient.configuration
    needed = DESCRIPTORS_AT_REST + DESCRIPTORS_PER_MANAGER * min(
        configuration.collection.at_once, len(configuration.instances)
    )
    daemon = patient.overview.daemon
    of = "this shell"
    limit: int | None = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if daemon is not None and daemon.is_running and daemon.pid != os.getpid():
        of, limit = f"infoprovider run (process {daemon.pid})", _limit_of(daemon.pid)
    if limit is not None and limit != resource.RLIM_INFINITY and limit < needed:
        yield Finding(
            kind="descriptors",
            cause=f"{of} may open only {limit} files, and about {needed} are needed",
            seen=f"{len(configuration.instances)} managers, up to {configuration.collection.at_once} asked at a time",
            remedy="systemctl edit infoprovider: [Service] LimitNOFILE=4096; in a shell: ulimit -n 4096",
        )


def _limit_of(pid: int) -> int | None:
    """The soft limit of open files of a process: proc(5), limits."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return None
    soft = next((line.split()[3] for line in lines if line.startswith("Max open files")), "")
    return int(soft) if soft.isdigit() else None


def clock(patient: Patient) -> Findings:
    """A boot without an id, and stamps that the wall clock has not reached yet."""
    boot = patient.below_root(str(BOOT_ID))
    if not boot.exists() and patient.below_root("proc").exists():
        yield Finding(
            kind="boot-id",
            cause=f"{boot} is not there: neither infoprovider nor its hook can tell ages",
            seen="no such file",
            remedy="mount -t proc proc /proc; in a container, do not mask it",
        )
    composed = patient.overview.document.composed_at
    if composed is not None and composed - patient.overview.now > AHEAD:
        ahead = length((composed - patient.overview.now).total_seconds())
        yield Finding(
            kind="clock-jumped",
            cause=f"the wall clock was set back by {ahead} or more: what is published has stamps of the future",
            seen=f"composed at {composed:%Y-%m-%dT%H:%M:%SZ}, and it is {patient.overview.now:%Y-%m-%dT%H:%M:%SZ}",
            remedy="timedatectl set-ntp true; infoprovider run then gives new stamps by itself",
            severity=Severity.ERROR,
        )
