"""What a running `infoprovider run` says of itself, for those who only look: who it is, and since when it holds what.

    <state>/daemon.json

Written at the start and whenever the configuration was read again, removed at a clean end. After any other end it lies
there still, and tells that its process is gone.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from infoprovider.clock import BOOT_ID, Reading
from infoprovider.errors import StoreError
from infoprovider.files import PRIVATE, fault, replace_file

_START_TIME = 19
"""Which word after the program's name in /proc/<pid>/stat is its start, in ticks since the boot: proc(5), field 22."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A daemon: its process, since when it runs, since when its configuration is in force.

    `faults` are the mistakes of a configuration file that was read since and not taken; empty where all is well.
    """

    pid: int
    started: Reading
    configured: Reading
    faults: tuple[str, ...] = ()
    ticks: int = 0

    @property
    def is_running(self) -> bool:
        """Whether that very process still lives, and no other that has got its number since."""
        return self.started.boot == BOOT_ID.read_text().strip() and _ticks(self.pid) == self.ticks


_FILE: TypeAdapter[Daemon] = TypeAdapter(Daemon)


class DaemonStore:
    """Where the daemon of a state folder says so."""

    def __init__(self, state: Path) -> None:
        self._path = state / "daemon.json"

    def read(self) -> Daemon | None:
        """The daemon that was started last and did not end cleanly since, running or not; None where there is none.

        Raises StoreError where the file is there and this user may not read it.
        """
        try:
            return _FILE.validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        except OSError as error:
            raise StoreError(f"cannot read {self._path}: {fault(error)}") from error

    def keep(self, started: Reading, configured: Reading, faults: tuple[str, ...] = ()) -> None:
        """Say that this process is the daemon. Raises StoreError."""
        pid = os.getpid()
        told = tuple(one.encode(errors="backslashreplace").decode() for one in faults)
        daemon = Daemon(pid=pid, started=started, configured=configured, faults=told, ticks=_ticks(pid) or 0)
        try:
            replace_file(self._path, _FILE.dump_json(daemon), mode=PRIVATE)
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {fault(error)}") from error

    def remove(self) -> None:
        """Say that it has ended. Raises StoreError."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot remove {self._path}: {fault(error)}") from error


def _ticks(pid: int) -> int | None:
    """When a process was started; None where there is none of this number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The program's name stands in parentheses and may hold any character.
    return int(stat.rpartition(")")[2].split()[_START_TIME])
