"""SIGKILL at every call that changes a disk, from the start of a daemon to its end: nothing is ever seen in part."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.reliability.centre import Centre
from tests.reliability.conftest import all_well
from tests.reliability.published import Reader, entries_of
from tests.reliability.running import command, hook

PROGRAM = Path(__file__).with_name("killing.py")


class Changing:
    """A centre whose managers are of another version whenever a daemon has ended."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.versioned = centre.folder / "version"
        self.version = 1000
        self.change()

    def change(self) -> None:
        """Let something happen in each manager."""
        self.version += 1
        for manager in self.centre.managers.values():
            manager.is_of(str(self.version))
        self.versioned.write_text(f"GLUE2ManagerProductVersion: {self.version}\n")

    def check(self, expected: Iterable[str]) -> None:
        """What is handed out is whole, and of one document; every file of the state can be read."""
        texts = {"the folder": self.centre.bdii.read_text(), "the hook": hook(self.centre).out}
        for where, text in texts.items():
            assert set(expected) <= entries_of(text.encode()).keys(), where
            assert set(re.findall(r"ProductVersion: (\d+)", text)) <= set(map(str, range(1001, self.version + 1))), (
                where
            )
        for file in self.centre.state.rglob("*.json"):
            assert json.loads(file.read_bytes()), file


@pytest.fixture
def changing(tmp_path: Path) -> Changing:
    """A centre that was published once."""
    centre = Centre(tmp_path, "north", "south")
    centre.write(
        instances=[one.instance(every=0.1, deadline=60.0) for one in centre.managers.values()],
        collection={"at_once": 2, "pause": 60.0},
    )
    made = Changing(centre)
    assert command("publish", "--quiet", centre.config).code == 0
    made.change()
    return made


def test_a_daemon_that_is_killed_at_any_write_loses_nothing(changing: Changing) -> None:
    """After each kill the former document or the new one is handed out; the last daemon ends by itself, all is well."""
    centre, kills = changing.centre, 0
    with Reader(centre.bdii) as reader:
        well = reader.now().keys()
        reader.expect(well)
        words = [sys.executable, PROGRAM, centre.config, changing.versioned]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killer:
            assert killer.stdin is not None
            assert killer.stdout is not None
            while (ended := killer.stdout.readline().strip()) == str(-signal.SIGKILL):
                kills += 1
                changing.check(well)
                changing.change()
                killer.stdin.write("\n")
                killer.stdin.flush()
        assert (ended, killer.returncode) == ("0", 0)
    changing.check(well)
    assert changing.versioned.read_text() in centre.bdii.read_text()
    assert all_well(entries_of(centre.bdii.read_bytes()), centre)
    assert kills > 50
    assert reader.versions > 5
    assert [path for folder in (centre.state, centre.bdii.parent) for path in folder.rglob("*.new")] == []
