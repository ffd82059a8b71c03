"""Disks that are full and folders that cannot be written: what is published stays, that is said, and it goes on."""

import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.reliability.centre import Centre
from tests.reliability.conftest import Scene, all_well
from tests.reliability.published import Reader, entries_of
from tests.reliability.running import hook, running, scraped, told, value
from tests.system.bdii import free_port
from tests.waiting import until

OTHER = "other"


def mount(*words: str | Path) -> None:
    """Mount something."""
    subprocess.run(["mount", *map(str, words)], check=True, capture_output=True)


def unmount(folder: Path) -> None:
    """Take away what was mounted last."""
    subprocess.run(["umount", "--lazy", folder], check=True, capture_output=True)


@contextmanager
def full(folder: Path) -> Iterator[str]:
    """A disk without a free block; what the system says of it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        size = 2**16
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2
    yield "no space left on device"
    filler.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[str]:
    """A folder on a file system that nobody may write; what the system says of it."""
    mount("--bind", folder, folder)
    mount("-o", "remount,bind,ro", folder)
    yield "read-only file system"
    unmount(folder)


Break = Callable[[Path], "contextmanager[str]"]


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A daemon whose state, public folder and BDII's folder are disks of their own; a second BDII's folder is none."""
    folder = tmp_path_factory.mktemp("disks")
    centre = Centre(folder, "north", "south")
    (folder / OTHER).mkdir()
    centre.write(
        instances=[one.instance(every=2.0, deadline=60.0) for one in centre.managers.values()],
        channels=[*centre.written["channels"], centre.channel(OTHER, folder / OTHER)],
    )
    with ExitStack() as mounted:
        for path in (centre.state, centre.public, centre.bdii.parent):
            path.mkdir(exist_ok=True)
            try:
                mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", path)
            except (OSError, subprocess.CalledProcessError):
                pytest.skip("needs the right to mount")
            mounted.callback(unmount, path)
        with Reader(centre.bdii) as reader, running(centre) as daemon:
            until(lambda: all_well(reader.now(), centre), "all is published")
            well = reader.now()
            reader.expect(well)
            yield Scene(centre, reader, daemon, well)


def versions(file: Path) -> set[str]:
    """Of which version the managers are in a published file."""
    found = entries_of(file.read_bytes()).values()
    return {one["GLUE2ManagerProductVersion"][0] for one in found if "GLUE2ManagerProductVersion" in one}


@pytest.mark.parametrize("broken", [full, read_only])
def test_state_that_cannot_be_written_leaves_the_last_good_answers(disks: Scene, broken: Break) -> None:
    """All of them, until they are withdrawn by policy; afterwards it goes on by itself."""
    name = broken.__name__
    centre, reader, daemon = disks.centre, disks.reader, disks.daemon
    centre.published_for(3600)
    said = len(daemon.log())
    with broken(centre.state) as seen:
        disks.change(f"{name}-1")
        until(
            lambda: f"the document is handed out, but not kept: cannot write {centre.state}" in daemon.log()[said:],
            "said",
        )
        until(
            lambda: f"north: what was collected is not kept: cannot write {centre.state}" in daemon.log()[said:], "said"
        )
        assert seen in daemon.log()[said:]
        assert f"{name}-1" not in versions(centre.bdii)
        reader.expect(())
        centre.published_for(1.0)
        daemon.reload()
        until(lambda: not versions(centre.bdii), "old facts are withdrawn, although nothing can be kept")
        now = told(centre)
        assert now.code == 2
        assert now.states("north")["usage"] == {"expired"}
    centre.published_for(3600)
    daemon.reload()
    until(lambda: disks.is_of(f"{name}-1"), "it goes on")
    until(lambda: told(centre).code == 0, "all is well")
    reader.expect(disks.well)


@pytest.mark.parametrize("broken", [full, read_only])
def test_a_public_folder_that_cannot_be_written_costs_the_channels_nothing(disks: Scene, broken: Break) -> None:
    """They get what is new; the hook goes on with the former document until that expires."""
    version = f"{broken.__name__}-2"
    said = len(disks.daemon.log())
    before = entries_of(hook(disks.centre).out.encode())
    with broken(disks.centre.public) as seen:
        disks.change(version)
        until(lambda: disks.is_of(version), "the channels go on")
        assert f"cannot write {disks.centre.public}" in disks.daemon.log()[said:]
        assert seen in disks.daemon.log()[said:]
        assert entries_of(hook(disks.centre).out.encode()).keys() == before.keys()
        assert versions(disks.centre.public / "current.resource.ldif") != {version}
    until(lambda: versions(disks.centre.public / "current.resource.ldif") == {version}, "the hook goes on")


@pytest.mark.parametrize("broken", [full, read_only])
def test_a_channel_that_cannot_be_written_costs_no_other_anything(disks: Scene, broken: Break) -> None:
    """Its own file stays whole, with the former document, and takes the newest one when it can be written again."""
    version = f"{broken.__name__}-3"
    centre = disks.centre
    before = versions(centre.bdii)
    with broken(centre.bdii.parent) as seen:
        disks.change(version)
        until(lambda: versions(centre.folder / OTHER / centre.bdii.name) == {version}, "the other channel goes on")
        now = until(lambda: found if (found := told(centre)).code == 1 else None, "the failure is told")
        assert versions(centre.bdii) == before
        [channel] = [one for one in now.shown["channels"] if one["channel"] == "site-bdii"]
        assert seen in channel["why"]
        assert "channel site-bdii took nothing for" in now.probe
        assert now.metric("infoprovider_delivery_failures", channel="site-bdii") > 0
        assert now.metric("infoprovider_delivery_failures", channel=OTHER) == 0
    until(lambda: disks.is_of(version), "the channel goes on")
    until(lambda: "channel site-bdii takes the document again" in disks.daemon.log(), "and says so")


def test_where_nothing_at_all_can_be_written_everything_stays(scene: Scene) -> None:
    """As where a limit on the size of files has come too low: whole, old, and over as soon as the cause is."""
    port = free_port()
    scene.centre.write(metrics={"port": port})
    scene.daemon.reload()
    until(lambda: scraped(port), "metrics are told")
    pid = scene.daemon.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    before = scene.centre.bdii.read_bytes()
    scene.change("2")
    until(lambda: value(scraped(port), 'infoprovider_compositions_total{result="failed"}') > 1, "nothing is kept")
    assert scene.centre.bdii.read_bytes() == before
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    until(lambda: scene.is_of("2"), "it goes on")
