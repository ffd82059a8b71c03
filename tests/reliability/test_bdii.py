"""A BDII that is down: publishing goes on, and it finds everything when it is back."""

from pathlib import Path

import pytest

from tests.reliability.conftest import Scene
from tests.reliability.published import entries_of
from tests.reliability.running import told
from tests.system.bdii import start
from tests.waiting import until

pytestmark = pytest.mark.bdii

QUERY = "(&(objectClass=GLUE2Entity)(!(objectClass=GLUE2Group)))"


def test_a_bdii_that_is_down_finds_what_happened_meanwhile(scene: Scene, tmp_path: Path) -> None:
    """Nobody here waits for it, and nothing is to be done when it comes again: it reads the file."""
    folder = scene.centre.bdii.parent
    bdii = start(tmp_path / "first", "--ldif", str(folder))
    try:
        bdii.wait(2)
        before = bdii.search("o=glue", QUERY, "dn").count("dn: ")
    finally:
        bdii.stop()
    assert before == sum("GLUE2GroupID" not in dn.partition(",")[0] for dn in scene.well)
    scene.change("2")
    until(lambda: scene.is_of("2"), "publishing goes on")
    assert told(scene.centre).code == 0
    bdii = start(tmp_path / "second", "--ldif", str(folder))
    try:
        bdii.wait(2)
        found = bdii.search("o=glue", QUERY)
        assert bdii.complaints() == []
    finally:
        bdii.stop()
    assert found.count("\ndn: ") + found.startswith("dn: ") == before
    assert found.count("GLUE2ManagerProductVersion: 2\n") == len(scene.centre.managers)
    assert entries_of(scene.centre.bdii.read_bytes()).keys() == scene.well.keys()
