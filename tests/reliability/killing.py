"""Daemons that kill themselves at the n-th call that changes a disk, n from 1 up to the last: a program of its own.

    python killing.py CONFIG VERSIONED

For each it says on a line how the daemon ended, and waits for a line before the next. A daemon ends by itself once the
version that a file, VERSIONED, tells is with its channel. Collections run within the daemon: all is one process.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infoprovider.cli import daemon, site
from infoprovider.collection.child import collect
from infoprovider.publication import composer
from infoprovider.store.deliveries import DeliveryStore

CALLS = ("mkdir", "chmod", "fchmod", "fsync", "replace", "rename", "unlink")
"""Between two of these nothing that can be seen on a disk changes, but the content of a file that nobody reads yet."""


class Killer:
    """Counts the calls of all threads."""

    def __init__(self, fatal: int) -> None:
        self._left = fatal
        self._counting = threading.Lock()
        for name in CALLS:
            setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*words: Any, **options: Any) -> Any:
            with self._counting:
                self._left -= 1
                if not self._left:
                    os.kill(os.getpid(), signal.SIGKILL)
            return call(*words, **options)

        return counted


def serve(config: Path, versioned: Path, fatal: int) -> None:
    """Be a daemon until it has published what there is, or until the fatal call."""
    configuration = site.read_configuration(config)
    made = daemon.Daemon(config, configuration)
    made._collector._run = collect
    [channel] = configuration.channels
    file = channel.settings.folder / channel.settings.file  # type: ignore[attr-defined]
    version, began = versioned.read_bytes(), site.clock.read().uptime

    def is_done() -> bool:
        noted = DeliveryStore(configuration.state).of(channel.name).success
        return version in file.read_bytes() and noted is not None and noted.at.uptime > began

    def end() -> None:
        while not is_done():
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end, daemon=True).start()
    Killer(fatal)
    made.serve()


def main(config: Path, versioned: Path) -> None:
    """One daemon after the other."""
    composer.SETTLE = composer.LEISURE = 0.01
    fatal, status = 0, -1
    while status:
        fatal += 1
        pid = os.fork()
        if not pid:
            try:
                serve(config, versioned, fatal)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(status, flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
