"""A daemon that was killed, is started twice, gets a broken configuration, or is dead for a day."""

import random
import time

from tests.reliability.centre import Centre
from tests.reliability.conftest import Scene, all_well
from tests.reliability.published import Entries, Reader, entries_of
from tests.reliability.running import Ended, Running, command, hook, told, withdraw
from tests.waiting import until

DAY = 86400


def move_expiry(centre: Centre, seconds: int) -> None:
    """Let the document expire so much later; by the past it is as if so much time had gone by, for scripts too."""
    file = centre.public / "current.expires"
    boot, uptime, wall = file.read_text().split()
    file.write_text(f"{boot} {int(uptime) + seconds} {int(wall) + seconds}\n")


def test_a_daemon_that_is_dead_for_a_day_leaves_no_lie_behind(scene: Scene) -> None:
    """Its document is handed out as long as it may be; then the hook prints nothing and the timer removes the file."""
    centre, reader = scene.centre, scene.reader
    scene.daemon.kill()
    assert entries_of(hook(centre).out.encode()).keys() == scene.well.keys()
    assert withdraw(centre) == Ended(0, "", "")
    died = told(centre)
    assert died.code == 1
    assert f"infoprovider run, process {scene.daemon.process.pid}, died" in died.probe
    assert died.shown["daemon"]["is_running"] is False

    move_expiry(centre, -DAY)
    silent = hook(centre)
    assert (silent.code, silent.out) == (1, "")
    assert "has expired: is infoprovider running?" in silent.err
    reader.expected = None
    assert "has expired and is removed" in withdraw(centre).out
    assert not centre.bdii.exists()


def test_a_start_after_a_day_takes_nothing_away_that_it_can_renew(scene: Scene) -> None:
    """In a BDII's folder that no timer looks after, all stays until the managers have answered."""
    scene.daemon.kill()
    scene.centre.moves_clocks(wall=DAY, boot=DAY)
    scene.change("2")
    daemon = Running(scene.centre, **scene.centre.moved)
    try:
        until(lambda: scene.is_of("2"), "it is published anew")
        assert daemon.end() == 0
    finally:
        daemon.kill()


def test_a_second_daemon_is_refused_and_the_first_goes_on(scene: Scene) -> None:
    """It says what to do instead, and touches nothing."""
    refused = command("run", scene.centre.config)
    assert refused.code == 8
    assert "another infoprovider is writing to" in refused.err
    assert "`infoprovider poke`" in refused.err
    scene.change("2")
    until(lambda: scene.is_of("2"), "the first goes on")
    assert told(scene.centre).shown["daemon"]["pid"] == scene.daemon.process.pid


def test_a_broken_configuration_changes_nothing_and_is_told(scene: Scene) -> None:
    """Every mistake of it, everywhere; a sound one is taken without a restart."""
    sound = scene.centre.config.read_text()
    scene.centre.config.write_text(f"{sound}chanels: []\n")
    scene.daemon.reload()
    until(lambda: "the former configuration stays in force: " in scene.daemon.log(), "it is refused")
    scene.centre.config.write_text(sound)
    now = told(scene.centre)
    assert now.code == 1
    assert "the configuration is not taken: " in now.probe
    [fault] = now.shown["daemon"]["faults"]
    assert "chanels" in fault
    assert now.metric("infoprovider_configuration_ok") == 0
    scene.change("2")
    until(lambda: scene.is_of("2"), "it goes on with the former one")
    scene.daemon.reload()
    until(lambda: told(scene.centre).code == 0, "all is well")


def test_a_daemon_that_is_killed_at_any_moment_loses_nothing(centre: Centre) -> None:
    """Again and again, while managers change: what is published is whole, and the next start goes on from there."""
    moments = random.Random(11)  # noqa: S311  (nothing secret)
    centre.write(instances=[one.instance(every=0.5, deadline=60.0) for one in centre.managers.values()])
    well: Entries = {}
    with Reader(centre.bdii) as reader:
        for turn in range(5):
            for manager in centre.managers.values():
                manager.is_of(str(turn))
            daemon, said = Running(centre), centre.folder / "said"
            before = said.read_text().count("asked for")
            try:
                if not well:
                    until(lambda: all_well(reader.now(), centre), "all is published")
                    well = reader.now()
                    reader.expect(well)
                until(lambda said=said, before=before: said.read_text().count("asked for") > before, "it works")
                time.sleep(moments.uniform(0.2, 1.5))
            finally:
                daemon.kill()
        for manager in centre.managers.values():
            manager.is_of("5")
        daemon = Running(centre)
        try:
            until(lambda: "Version: 5\n" in centre.bdii.read_text() and all_well(reader.now(), centre), "it goes on")
            assert daemon.end() == 0
        finally:
            daemon.kill()
    assert "Traceback" not in daemon.log()
    assert "set aside" not in daemon.log()
    assert [path for folder in (centre.state, centre.bdii.parent) for path in folder.rglob("*.new")] == []
