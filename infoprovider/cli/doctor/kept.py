"""What is kept: whether it can be read and written by those who must, who keeps it, and since when nobody does."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import infoprovider
from infoprovider.cli.control import is_answered
from infoprovider.cli.doctor.diagnosis import Finding, Severity
from infoprovider.cli.doctor.patient import Findings, Patient, told
from infoprovider.views.tables import length

COMPOSED_WITHIN = 900.0
"""Seconds within which somebody composes a document, be it the daemon or a timer."""
DAEMON_COMPOSES_WITHIN = 300.0
_MOST_FILES = 5000
"""Of a folder, that are looked at."""


def state(patient: Patient) -> Findings:
    """The state folder and what is in it."""
    for message in patient.overview.unreadable:
        cause, remedy = told(message, "sudo -u infoprovider infoprovider check --deep CONFIG")
        yield Finding(kind="state-unreadable", cause=cause, seen=f"as user {os.geteuid()}", remedy=remedy)
    aside = patient.overview.set_aside
    if aside:
        yield Finding(
            kind="set-aside",
            severity=Severity.WARNING,
            cause=f"{len(aside)} files of the state folder could not be used and were set aside",
            seen=f"{aside[0].path}: {aside[0].why}",
            remedy=f"look at them, then rm {aside[0].path.parent}/*.unreadable",
        )
    yield from _foreign_files(patient)


def _foreign_files(patient: Patient) -> Iterator[Finding]:
    """Files that the owner of their folder cannot replace: somebody else ran a command, root as a rule."""
    folders = (patient.configuration.state, patient.configuration.public)
    daemon = patient.overview.daemon
    for folder in folders:
        try:
            owner = folder.stat().st_uid
            foreign = [path for path in _files(folder) if path.lstat().st_uid != owner]
        except OSError:  # which is told where folders are looked at
            continue
        if foreign:
            uid = foreign[0].lstat().st_uid
            yield Finding(
                kind="foreign-files",
                cause=f"{len(foreign)} files in {folder} belong to another user than the folder",
                seen=f"{foreign[0].name} belongs to uid {uid}, the folder to uid {owner}; "
                + ("a daemon runs" if daemon is not None and daemon.is_running else "no daemon runs"),
                remedy=f"chown -R --reference={folder} {folder}; run commands as that user: sudo -u '#{owner}' …",
            )


def _files(folder: Path) -> Iterator[Path]:
    for number, path in enumerate(folder.rglob("*")):
        if number == _MOST_FILES:
            return
        # Made anew at each start by whoever collects, and written into only by them.
        if path.name not in ("lock", "control"):
            yield path


def keeping(patient: Patient) -> Findings:
    """Who keeps the centre current."""
    daemon = patient.overview.daemon
    holder = _holder(patient.configuration.state / "lock")
    if daemon is not None and daemon.is_running:
        yield from _of_running(patient)
        return
    if holder is not None:
        yield Finding(
            kind="lock",
            cause=f"another process holds the state folder: {holder} ({_program(holder)})",
            seen=f"it locks {patient.configuration.state / 'lock'}, and says nowhere that it is infoprovider run",
            remedy=f"ps -fp {holder}; wait for it, or kill {holder}",
        )
    if daemon is not None:
        yield Finding(
            kind="daemon-died",
            cause=f"infoprovider run died: its process {daemon.pid} is gone",
            seen=f"it was started at {daemon.started_at:%Y-%m-%dT%H:%M:%SZ} and did not end by itself",
            remedy="systemctl restart infoprovider; journalctl -u infoprovider says why it died",
        )
        return
    composed = patient.overview.document.composed_at
    if composed is None:
        if not patient.overview.unreadable:
            patient.notes.append("nothing was published yet: systemctl start infoprovider, or infoprovider publish")
        return
    late = (patient.overview.now - composed).total_seconds()
    if late > COMPOSED_WITHIN:
        yield Finding(
            kind="not-kept",
            cause="nobody keeps the centre current: neither infoprovider run nor a timer",
            seen=f"the document was composed {length(late)} ago, and no daemon runs",
            remedy="systemctl enable --now infoprovider, or infoprovider-publish.timer",
        )


def _of_running(patient: Patient) -> Iterator[Finding]:
    daemon = patient.overview.daemon
    if daemon is None:
        return
    if daemon.faults:
        yield Finding(
            kind="configuration-not-taken",
            cause="infoprovider run keeps to its former configuration: the file could not be used when it read it",
            seen=daemon.faults[0],
            remedy=f"infoprovider check {patient.path}; then systemctl reload infoprovider",
        )
    if not is_answered(patient.configuration.state):
        yield Finding(
            kind="daemon-hangs",
            cause=f"infoprovider run (process {daemon.pid}) lives and does not answer",
            seen=f"its socket {patient.configuration.state / 'control'} takes no connection",
            remedy="systemctl restart infoprovider, and report what journalctl -u infoprovider says",
        )
    composed = patient.overview.document.composed_at or daemon.started_at
    late = (patient.overview.now - max(composed, daemon.started_at)).total_seconds()
    if late > DAEMON_COMPOSES_WITHIN:
        yield Finding(
            kind="document-late",
            cause=f"infoprovider run has composed nothing for {length(late)}",
            seen=f"it is process {daemon.pid}, and composes every minute when all is well",
            remedy="journalctl -u infoprovider says what fails; then systemctl restart infoprovider",
        )
    yield from _outdated(patient)


def _outdated(patient: Patient) -> Iterator[Finding]:
    """A program, or a configuration, that is newer than the daemon."""
    daemon = patient.overview.daemon
    if daemon is None:
        return
    program = Path(infoprovider.__file__).stat().st_mtime
    if program > daemon.started_at.timestamp() + 1:
        yield Finding(
            kind="daemon-outdated",
            severity=Severity.WARNING,
            cause="infoprovider was installed anew since its daemon was started",
            seen=f"version {infoprovider.__version__} is here, process {daemon.pid} runs what was here before",
            remedy="systemctl restart infoprovider",
        )
    changed = patient.path.stat().st_mtime
    if changed > (daemon.configured_at + timedelta(seconds=1)).timestamp() and not daemon.faults:
        yield Finding(
            kind="configuration-not-taken",
            severity=Severity.WARNING,
            cause=f"{patient.path} has changed since infoprovider run read it",
            seen=f"it was read at {daemon.configured_at:%Y-%m-%dT%H:%M:%SZ}",
            remedy="systemctl reload infoprovider",
        )


def _holder(lock: Path) -> int | None:
    """The process that holds a lock, by /proc/locks (proc(5)): to try it would be in the way of who wants it."""
    try:
        status = lock.stat()
        rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return None
    inode = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    holders = [int(row[4]) for row in rows if len(row) > 5 and row[1] == "FLOCK" and row[5] == inode]
    return next((pid for pid in holders if pid > 0), None)


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "which is gone"
