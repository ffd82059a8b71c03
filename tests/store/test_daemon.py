"""What a daemon says of itself in its state folder."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infoprovider.clock import Clock
from infoprovider.errors import StoreError
from infoprovider.store.daemon import DaemonStore

NOW = Clock().read()


def test_a_daemon_tells_who_it_is_until_it_ends(tmp_path: Path) -> None:
    """Its process, since when it runs, since when its configuration holds, and what is wrong with a newer one."""
    store = DaemonStore(tmp_path)
    assert store.read() is None
    store.keep(NOW, NOW.after(60), ("site.yaml:1: wrong \udc80; mend it",))
    daemon = DaemonStore(tmp_path).read()
    assert daemon is not None
    assert (daemon.pid, daemon.started, daemon.configured) == (os.getpid(), NOW, NOW.after(60))
    assert daemon.faults == ("site.yaml:1: wrong \\udc80; mend it",)
    assert daemon.is_running
    store.remove()
    store.remove()
    assert store.read() is None


def test_a_daemon_that_died_is_seen_to_be_gone(tmp_path: Path) -> None:
    """Its file tells a process that is no more, one of another boot, or one whose number another has got since."""
    code = "import sys; from pathlib import Path; from infoprovider.clock import Clock; \
from infoprovider.store.daemon import DaemonStore; now = Clock().read(); \
DaemonStore(Path(sys.argv[1])).keep(now, now)"
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    dead = DaemonStore(tmp_path).read()
    assert dead is not None
    assert not dead.is_running
    DaemonStore(tmp_path).keep(NOW, NOW)
    alive = DaemonStore(tmp_path).read()
    assert alive is not None
    assert alive.is_running
    assert not replace(alive, ticks=alive.ticks + 1).is_running
    assert not replace(alive, started=replace(NOW, boot="another")).is_running


def test_what_cannot_be_read_tells_of_no_daemon(tmp_path: Path) -> None:
    """What is broken is as good as nothing; what may not be read or written is an error."""
    (tmp_path / "daemon.json").write_text("{")
    assert DaemonStore(tmp_path).read() is None
    (tmp_path / "daemon.json").unlink()
    (tmp_path / "daemon.json").mkdir()
    for action in (
        DaemonStore(tmp_path).read,
        DaemonStore(tmp_path).remove,
        lambda: DaemonStore(tmp_path).keep(NOW, NOW),
    ):
        with pytest.raises(StoreError, match=r"daemon\.json: is a directory"):
            action()
