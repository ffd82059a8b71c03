"""State that is damaged, or that a newer version wrote: set aside, told, asked for anew, and nobody else's matter."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.reliability.centre import Centre
from tests.reliability.conftest import Scene, all_well, playing
from tests.reliability.published import of
from tests.reliability.running import Running, command, told
from tests.waiting import until

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda text: text[: len(text) // 2],
    "newer": lambda _: b'{"version": 99, "more": {}}',
}


@pytest.fixture
def quiet(centre: Centre) -> Iterator[Scene]:
    """Managers that are asked once an hour, unless there is a reason."""
    centre.write(instances=[one.instance(every=3600.0) for one in centre.managers.values()])
    yield from playing(centre)


@pytest.mark.parametrize("damage", DAMAGES)
def test_files_of_one_manager_that_cannot_be_used_cost_no_other_anything(quiet: Scene, damage: str) -> None:
    """They are set aside and named, and what stood in them is asked for at once, long before it is due."""
    centre, reader, daemon = quiet.centre, quiet.reader, quiet.daemon
    folder = centre.state / "snapshots" / "north"
    reader.expect(quiet.well.keys() - of(quiet.well, "north"))
    files = sorted(folder.glob("*.json"))
    assert len(files) == 7
    for file in files:
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    centre.managers["south"].is_of("2")
    assert command("poke", centre.config, "south").code == 0
    until(lambda: len(list(folder.glob("*.unreadable"))) == 7, "they are set aside")
    until(lambda: len(list(folder.glob("*.json"))) == 7, "what stood in them has been asked for")
    now = told(centre)
    assert now.code == 1
    assert len(now.shown["set_aside"]) == 7
    assert now.metric("infoprovider_set_aside_files") == 7
    assert "set aside: " in now.probe
    assert all(f"{file} cannot be used and was set aside" in daemon.log() for file in files)
    until(lambda: quiet.well.keys() <= reader.now().keys() and all_well(reader.now(), centre), "all is there again")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_start_with_damaged_state_publishes_all(scene: Scene, damage: str) -> None:
    """Whatever file it is: the next start sets aside what it cannot use, and hands nothing out of it."""
    centre = scene.centre
    assert scene.daemon.end() == 0
    for file in [*centre.state.glob("*.json"), *centre.state.glob("deliveries/*.json")]:
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    (centre.public / "current.expires").write_bytes(b"")
    scene.change("2")
    daemon = Running(centre)
    try:
        until(lambda: scene.is_of("2"), "all is published, and new")
        assert daemon.end() == 0
    finally:
        daemon.kill()
    assert (centre.state / "document.json.unreadable").exists()
    assert "document.json.unreadable" in daemon.log()
    assert "Traceback" not in daemon.log()


def test_state_that_cannot_be_read_costs_no_other_manager_anything(scene: Scene) -> None:
    """As after somebody else has run a command: its entries stay as they were, until it has been asked again."""
    centre = scene.centre
    assert scene.daemon.end() == 0
    file: Path = centre.state / "snapshots" / "north" / "usage.north-p0.json"
    file.unlink()
    file.mkdir()
    centre.managers["south"].is_of("2")
    daemon = Running(centre)
    try:
        until(lambda: "north: what was collected is not kept: cannot " in daemon.log(), "it cannot be replaced")
        until(lambda: "Version: 2\n" in centre.bdii.read_text(), "the other goes on")
        assert "what is known of instance north cannot be read" in daemon.log()
        assert told(centre).code == 3
        file.rmdir()
        until(lambda: all_well(scene.reader.now(), centre), "all is well again")
        assert daemon.end() == 0
    finally:
        daemon.kill()
