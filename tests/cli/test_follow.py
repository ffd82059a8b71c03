"""The command `follow` without a broker: what it says of its file, of its folder and of itself."""

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider.clock import Clock
from infoprovider.config.following import load_following
from infoprovider.reception.copies import Copies
from infoprovider.reception.follow import Following
from infoprovider.reception.records import CentreState, ReceiverState, Record, Remark, Shown
from tests.cli.conftest import Program
from tests.reception.copies import copy_of
from tests.waiting import until


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Settings with a broker that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    path = tmp_path / "follow.yaml"
    path.write_text(yaml.safe_dump({"broker": {"brokers": [f"127.0.0.1:{port}"], "plain": True}, "folder": "copies"}))
    (tmp_path / "copies").mkdir()
    return path


def keep(file: Path, centre: str, **state: Any) -> None:
    """A centre as a receiver leaves it."""
    clock = Clock()
    copy = copy_of({"urn:a": b'Contact {"ID":"urn:a"}'}, centre=centre, expires=datetime.now(UTC) + timedelta(hours=1))
    record = Record.of(copy, clock.read(), "CN=one")
    given = {"centre": centre, "pending": record, "is_shown": True, "counts": {"take": 3}} | state
    copies = Copies(file.parent / "copies")
    copies.keep(copy, CentreState(**given))
    shown = Shown(revisions={centre: 1})
    copies.save_receiver(ReceiverState(at=clock.read(), started=clock.read(), broker="mq:1", shown=shown))


def test_status_is_a_row_for_each_centre(program: Program, file: Path) -> None:
    """With everything that stands on the page; what somebody must look at is on standard error."""
    keep(file, "RC-ONE")
    keep(file, "RC-TWO", is_waiting=True, remark=Remark(at=datetime.now(UTC), what="revision 7 has not come"))
    with Copies(file.parent / "copies").writing():
        ended = program("follow", file, "--status")
    assert ended.code == 10
    [row] = [line for line in ended.out.splitlines() if "RC-ONE" in line]
    # centre, state, stream, revision, entities; what is served is that of the last centre that was kept
    assert row.split()[:5] == ["RC-ONE", "current", "aaaaaaaa", "1", "1"]
    assert "3 take" in row
    assert "waiting" in ended.out
    assert ended.err == "infoprovider: RC-TWO: revision 7 has not come\n"


def test_status_of_a_healthy_receiver_is_0(program: Program, file: Path) -> None:
    """All centres current, a broker, and somebody who runs."""
    keep(file, "RC-ONE")
    with Copies(file.parent / "copies").writing():
        ended = program("follow", file, "--status", "--json")
    assert (ended.code, ended.err) == (0, "")
    told = json.loads(ended.out)
    assert (told["ok"], told["running"], told["troubles"]) == (True, True, [])
    [centre] = told["centres"]
    assert (centre["standing"], centre["served"], centre["signer"], centre["counts"]) == (
        "current",
        1,
        "CN=one",
        {"take": 3},
    )


@pytest.mark.parametrize(
    ("state", "standing", "trouble"),
    [
        ({"is_shown": False}, "expired", "nothing came before it expired: see whether the centre publishes"),
        ({"is_shown": False, "is_withdrawn": True}, "withdrawn", None),
        ({"is_waiting": True}, "waiting", "the next snapshot is waited for"),
    ],
)
def test_the_state_of_a_centre_is_one_word(
    program: Program, file: Path, state: dict[str, Any], standing: str, trouble: str | None
) -> None:
    """And a trouble where somebody has to look."""
    keep(file, "RC-ONE", **state)
    with Copies(file.parent / "copies").writing():
        ended = program("follow", file, "--status", "--json")
    [centre] = json.loads(ended.out)["centres"]
    assert (centre["standing"], centre["trouble"]) == (standing, trouble)
    assert ended.code == (10 if trouble else 0)


def test_status_without_a_receiver_says_so(program: Program, file: Path) -> None:
    """What is kept is shown all the same."""
    keep(file, "RC-ONE")
    ended = program("follow", file, "--status")
    assert ended.code == 10
    assert "RC-ONE" in ended.out
    assert ended.err == "infoprovider: no receiver runs; start it, and see its log\n"


def test_check_tells_mistakes_with_their_lines(program: Program, file: Path) -> None:
    """A broker that is not there, a password that is nowhere, a folder that cannot be: each at its line, code 2."""
    ended = program("follow", file, "--check")
    assert ended.code == 2
    assert f"{file}:2:3: broker: nobody is there at 127.0.0.1:" in ended.err
    settings = yaml.safe_load(file.read_text())
    settings["ldap"] = {"url": "ldap://127.0.0.1:1", "password": {"file": "nowhere"}}
    file.write_text(yaml.safe_dump(settings))
    ended = program("follow", file, "--check", "--json")
    assert ended.code == 2
    [finding] = json.loads(ended.out)["findings"]
    assert (finding["path"], finding["line"]) == ("ldap.password", 8)


@pytest.mark.parametrize("words", [("--status", "--check"), ("--json",)])
def test_questions_that_make_no_sense_are_refused(program: Program, file: Path, words: tuple[str, ...]) -> None:
    """With code 2 and what to do."""
    ended = program("follow", file, *words)
    assert ended.code == 2
    assert "--status" in ended.err


def test_without_a_broker_it_goes_on_trying_and_says_so(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The reason is written down and logged once; what is kept is proved and shown; to stop takes no time."""
    keep(file, "RC-ONE")
    following = Following(load_following(file).settings)
    signs: list[None] = []
    thread = threading.Thread(target=following.serve, args=(lambda: signs.append(None),))
    thread.start()
    try:
        copies = Copies(file.parent / "copies")
        until(lambda: (state := copies.receiver()) and state.fault and "nobody is there" in state.fault, patience=60)
        until(lambda: following.showing.shown().remarks or following.showing.shown().revisions, patience=60)
        until(lambda: len(signs) > 1, patience=60)
        assert following.receiver.revision_of("RC-ONE") == 1
    finally:
        following.stop()
        thread.join(30)
    assert not thread.is_alive()
    assert caplog.text.count("nobody is there at") == 1


def test_two_receivers_do_not_share_a_folder(program: Program, file: Path) -> None:
    """The second ends with 8 and names the folder."""
    with Copies(file.parent / "copies").writing():
        ended = program("follow", file)
    assert ended.code == 8
    assert "another `infoprovider follow` keeps its copies in" in ended.err
