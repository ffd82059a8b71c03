"""What readers are given: each place gets the newest copy, one that does not work is tried again and stops no other."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from infoprovider.clock import Clock
from infoprovider.errors import ChannelUnreachable, Refused
from infoprovider.reception import showing as module
from infoprovider.reception.apply import Copy
from infoprovider.reception.copies import Copies
from infoprovider.reception.records import CentreState, Record
from infoprovider.reception.showing import Showing
from infoprovider.reception.tree import Brought
from tests.reception.copies import copy_of


class Server:
    """A tree whose server does as it is told."""

    def __init__(self) -> None:
        self.has: dict[str, Mapping[str, bytes]] = {}
        self.error: Exception | None = None
        self.refused: dict[str, str] = {}
        self.forgotten: list[str] = []

    def bring(self, centre: str, entries: Mapping[str, bytes]) -> Brought:
        """Have these."""
        if self.error is not None:
            raise self.error
        self.has.pop(centre, None)
        if entries:
            self.has[centre] = entries
        return Brought(added=len(entries), refused=self.refused)

    def centres(self) -> list[str]:
        """Who is there."""
        return list(self.has)

    def forget(self, centre: str) -> None:
        """Compare it anew."""
        self.forgotten.append(centre)

    def close(self) -> None:
        """Nothing to end."""


class Scene:
    """A folder, a server, and what shows."""

    def __init__(self, folder: Path, *, compare_every: float = 3600.0) -> None:
        self.folder = folder
        self.copies = Copies(folder)
        self.server = Server()
        self.showing = Showing(self.copies, "site", self.server, compare_every=compare_every)  # type: ignore[arg-type]

    def offer(self, revision: int = 1, name: str = "x") -> Copy:
        """A copy that is on disk."""
        copy = copy_of({"RC-ONE": b'AdminDomain {"ID":"RC-ONE","Name":"%s"}' % name.encode()}, revision=revision)
        pending = Record.of(copy, Clock().read(), None)
        self.copies.keep(copy, CentreState(centre=copy.centre, pending=pending, is_shown=True))
        self.showing.offer(copy)
        return copy

    def turn(self, times: int = 1) -> None:
        """So many turns at each place."""
        for _ in range(times):
            for place in self.showing.places:
                self.showing.turn(place, 0.01)

    @property
    def ldif(self) -> str:
        """The file that a BDII reads."""
        path = self.folder / "RC-ONE.ldif"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """One in which nothing rests and the first pause is short."""
    monkeypatch.setattr(module, "REST", 0.0)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.0)
    return Scene(tmp_path)


def test_server_and_file_get_what_is_offered(scene: Scene) -> None:
    """And nothing any more when it is withdrawn."""
    scene.offer()
    scene.turn(2)
    assert "RC-ONE" in scene.server.has
    assert "GLUE2EntityName: x" in scene.ldif
    assert scene.showing.shown().revisions == {"RC-ONE": 1}
    assert scene.showing.settled(0)
    scene.showing.withdraw("RC-ONE")
    scene.turn(2)
    assert scene.server.has == {}
    assert scene.showing.shown().revisions == {}


def test_of_several_copies_only_the_newest_is_shown(scene: Scene) -> None:
    """What was offered meanwhile is passed over."""
    for revision in (1, 2, 3):
        scene.offer(revision, f"r{revision}")
    scene.turn(2)
    assert scene.showing.shown().revisions == {"RC-ONE": 3}
    assert "r3" in scene.ldif


def test_a_server_that_is_down_stops_no_file_and_gets_the_newest_later(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, and again when it is over."""
    caplog.set_level(logging.INFO)
    scene.server.error = ChannelUnreachable("nobody is there")
    scene.offer(1, "r1")
    scene.turn(4)
    assert scene.showing.shown().fault == "nobody is there"
    assert "r1" in scene.ldif
    scene.offer(2, "r2")
    scene.server.error = None
    scene.turn(4)
    assert scene.showing.shown().revisions == {"RC-ONE": 2}
    assert scene.showing.shown().fault is None
    assert [line.message for line in caplog.records] == [
        "LDAP server: nobody is there",
        "LDAP server: it works again",
    ]


def test_what_a_server_refuses_for_good_is_a_remark(scene: Scene) -> None:
    """It is not tried again till another copy comes, and does not count as served."""
    scene.server.error = Refused("the tree cannot be served")
    scene.offer()
    scene.turn(2)
    assert scene.showing.shown().remarks == {"RC-ONE": "the tree cannot be served"}
    assert scene.showing.shown().revisions == {}
    assert scene.showing.settled(0)
    scene.server.error = None
    scene.offer(2)
    scene.turn(2)
    assert scene.showing.shown().remarks == {}
    assert scene.showing.shown().revisions == {"RC-ONE": 2}


def test_entries_that_are_not_taken_are_named(scene: Scene) -> None:
    """Some of them, and how many there are."""
    scene.server.refused = {f"dn{number}": "why" for number in range(5)}
    scene.offer()
    scene.turn(2)
    assert scene.showing.shown().remarks == {
        "RC-ONE": "5 entries are not taken: dn0: why; dn1: why; dn2: why and 2 more"
    }


def test_an_entity_that_cannot_be_read_is_a_remark(scene: Scene) -> None:
    """Digests prove that it is what the publisher sent, not that it is an entity."""
    copy = copy_of({"RC-ONE": b'AdminDomain {"ID":"RC-ONE","Color":"red"}'})
    scene.showing.offer(copy)
    scene.turn(2)
    assert "Color is no key of it" in scene.showing.shown().remarks["RC-ONE"]


def test_centres_that_nobody_knows_are_removed_once(scene: Scene) -> None:
    """When the server is reached first; those that were spared stay."""
    scene.server.has = {"RC-OLD": {"x": b""}, "RC-WAITING": {"x": b""}}
    scene.showing.spare({"RC-WAITING"})
    scene.offer()
    scene.turn(4)
    assert scene.server.has.keys() == {"RC-WAITING", "RC-ONE"}


def test_from_time_to_time_all_is_compared(tmp_path: Path) -> None:
    """What the server has is read again and brought in order."""
    scene = Scene(tmp_path, compare_every=0.0)
    scene.offer()
    scene.turn(3)
    scene.server.has.clear()
    scene.turn(3)
    assert "RC-ONE" in scene.server.has
    assert "RC-ONE" in scene.server.forgotten


def test_a_large_file_is_not_written_all_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After it was written it rests, while the server gets every change."""
    monkeypatch.setattr(module, "REST", 1e9)
    scene = Scene(tmp_path)
    scene.offer(1, "r1")
    scene.turn(2)
    scene.offer(2, "r2")
    scene.turn(4)
    assert scene.showing.shown().revisions == {"RC-ONE": 2}
    assert "r1" in scene.ldif
