"""The socket by which a daemon is asked for something."""

import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infoprovider.cli import control as control_module
from infoprovider.cli.control import Answer, Control, Question, ask
from infoprovider.errors import StoreError
from infoprovider.loop import Loop


def answer(question: Question) -> Answer:
    """Say what was heard; nothing is said to what is no question."""
    if "poke" not in question:
        raise ValueError("no question")
    return {"heard": question}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder whose path is longer than an address may be."""
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    return folder


@pytest.fixture
def control(state: Path) -> Iterator[Control]:
    """A socket that is served."""
    faults: list[str] = []
    made = Control(state, answer)
    made.open()
    loop = Loop("control", made.turn, within=10, wake=made.wake, faulted=faults.append)
    loop.start()
    yield made
    loop.stop()
    assert loop.join(20)
    made.close()
    assert faults == []


@pytest.mark.usefixtures("control")
def test_a_question_is_answered(state: Path) -> None:
    """However long the path of the folder is, and only its owner may ask."""
    assert ask(state, {"poke": "north", "facets": []}) == {"heard": {"poke": "north", "facets": []}}
    assert stat.S_IMODE((state / "control").stat().st_mode) == 0o600


@pytest.mark.parametrize("line", [b"nonsense\n", b"{}\n", b"[1]\n", b"\xff\n", b"x" * 200_000, b""])
@pytest.mark.usefixtures("control")
def test_what_is_no_question_disturbs_nobody(state: Path, line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever says nothing, nonsense or too much gets no answer, and the next one does."""
    monkeypatch.setattr(control_module, "PATIENCE", 0.2)
    with control_module._connected(state) as rude:
        try:
            rude.sendall(line)
            assert rude.recv(100) == b""
        except OSError:
            pass
    assert ask(state, {"poke": "north"}) == {"heard": {"poke": "north"}}


def test_without_a_daemon_it_is_said_what_to_do(state: Path) -> None:
    """Whether there never was one, or it has died and left its socket."""
    for _ in range(2):
        with pytest.raises(StoreError, match=r"no `infoprovider run` keeps .*; start it, or ask"):
            ask(state, {"poke": "north"})
        dead = Control(state, answer)
        dead.open()
        assert dead._socket is not None
        dead._socket.close()
    with pytest.raises(StoreError, match="cannot be asked"):
        ask(state / "control", {"poke": "north"})


def test_what_a_dead_daemon_left_is_replaced(state: Path) -> None:
    """Nobody has to remove a socket by hand."""
    dead = Control(state, answer)
    dead.open()
    assert dead._socket is not None
    dead._socket.close()
    again = Control(state, answer)
    again.open()
    again.close()
    assert list(state.iterdir()) == []


def test_a_daemon_that_ends_while_it_is_asked_is_named(state: Path) -> None:
    """No traceback, no empty answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        with control_module._address(state) as address:
            listening.bind(address)
        listening.listen()
        ending = threading.Thread(target=lambda: listening.accept()[0].close())
        ending.start()
        with pytest.raises(StoreError, match=r"ended while it was asked|cannot be asked"):
            ask(state, {"poke": "north"})
        ending.join()
