"""How the daemon looks after its own loops and its configuration; what it does as a process is in test_run.py."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from infoprovider.cli import daemon as daemon_module
from infoprovider.cli import site
from infoprovider.cli.daemon import Daemon, Word
from infoprovider.loop import Loop
from infoprovider.store.daemon import DaemonStore
from tests.cli.conftest import Centre


class Told:
    """A service manager that writes down what it is told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def ping(self) -> None:
        """A sign of life."""
        self.words.append("ping")

    def ready(self, status: str) -> None:
        """Ready, and how we are."""
        self.words.append(status)

    def reloading(self) -> None:
        """The configuration is read again."""
        self.words.append("reloading")


@pytest.fixture
def told() -> Told:
    """A service manager."""
    return Told()


@pytest.fixture
def daemon(centre: Centre, told: Told, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon whose state folder is there, and whose loops were not started."""
    (centre.config.parent / "run" / "state").mkdir(parents=True)
    made = Daemon(centre.config, site.read_configuration(centre.config))
    monkeypatch.setattr(made, "_readiness", told)
    monkeypatch.setattr(made, "_loops", ())
    yield made
    made._halt.close()


def test_a_loop_that_hangs_ends_the_signs_of_life(
    daemon: Daemon, told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whichever it is; it is said once, and when it goes on the signs come again."""
    hang, turning = threading.Event(), threading.Event()
    loops = (
        Loop("composer", lambda: hang.wait(20) and None, within=0.1, wake=hang.set, faulted=lambda _: None),
        Loop("collector", lambda: turning.wait(0.01) and None, within=20, wake=turning.set, faulted=lambda _: None),
    )
    monkeypatch.setattr(daemon, "_loops", loops)
    for loop in loops:
        loop.start()
    daemon._turn(None)
    assert told.words == ["ping"]
    time.sleep(0.2)
    daemon._turn(None)
    daemon._turn(None)
    assert told.words == ["ping"]
    assert [one.getMessage() for one in caplog.records] == ["a fault of this program: the composer does not go on"]
    hang.set()
    time.sleep(0.05)
    daemon._turn(None)
    assert told.words == ["ping", "ping"]
    for loop in loops:
        loop.stop()
        assert loop.join(20)


def test_a_loop_that_died_ends_the_signs_of_life(daemon: Daemon, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """However that could happen."""
    ended = Loop("control", lambda: None, within=20, wake=lambda: None, faulted=lambda _: None)
    monkeypatch.setattr(daemon, "_loops", (ended,))
    daemon._turn(None)
    assert told.words == []


def test_a_channel_that_hangs_is_said_and_ends_no_sign_of_life(
    daemon: Daemon, told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Starting anew would take the healthy channels along."""
    monkeypatch.setattr(daemon._channels, "overdue", lambda: {"site-bdii": 200.0})
    for _ in range(2):
        daemon._turn(None)
    assert told.words == ["ping", "ping"]
    assert len(caplog.records) == 1
    assert "channel site-bdii: its publisher has been delivering for 200 s" in caplog.text


def test_the_file_is_looked_at_every_hour(
    daemon: Daemon, told: Told, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before; and what it says now is told but not taken."""
    daemon._turn(None)
    assert told.words == ["ping"]
    monkeypatch.setattr(daemon_module, "CONFIRMED_EVERY", 0.0)
    before = daemon._configured.configuration.loaded_at
    daemon._turn(None)
    assert told.words[1] == "2 instances, 1 channels"
    assert daemon._configured.configuration.loaded_at >= before
    centre.change(channels=[])
    daemon._turn(None)
    assert told.words[3] == f"{centre.config} has changed; reload to take it"
    assert len(daemon._configured.configuration.channels) == 1


def test_a_reload_reaches_everybody(daemon: Daemon, told: Told, centre: Centre) -> None:
    """Whoever collects, composes and counts, and those who look at the state folder."""
    centre.change(collection={"at_once": 3, "pause": 7})
    daemon._turn(Word.RELOAD)
    assert daemon._collector.instances == {"demo-north", "demo-south"}
    assert (daemon._collector._rota.at_once, daemon._collector._rota.pause) == (3, 7.0)
    assert daemon._composer._configuration == daemon._configured.configuration
    assert told.words == ["reloading", "2 instances, 1 channels", "ping"]
    centre.config.write_text("nonsense")
    daemon._turn(Word.RELOAD)
    kept = DaemonStore(daemon._configured.configuration.state).read()
    assert kept is not None
    assert len(kept.faults) == len(daemon._configured.faults) > 0
    assert "cannot be used" in told.words[4]


def test_a_fault_of_ours_while_the_file_is_read_ends_nothing(
    daemon: Daemon, told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged in full and counted."""

    def unforeseen() -> bool:
        raise KeyError("unforeseen")

    monkeypatch.setattr(daemon._configured, "reload", unforeseen)
    with caplog.at_level(logging.ERROR):
        daemon._turn(Word.RELOAD)
    assert "unforeseen" in caplog.text
    assert told.words == ["reloading", "ping"]
    assert b'infoprovider_faults_total{where="configuration"} 1.0' in daemon._metrics.text()


def test_what_is_no_question_is_not_answered(daemon: Daemon) -> None:
    """The socket then says nothing."""
    for question in ({}, {"poke": "demo-north"}, {"poke": "demo-north", "facets": ["flavours"]}, [1]):
        with pytest.raises(ValueError, match=r"question|Facet"):
            daemon._answer(question)  # type: ignore[arg-type]  # as it may come over the socket


def test_state_that_cannot_be_read_holds_nobody_up(daemon: Daemon, centre: Centre) -> None:
    """The first document does not wait for an answer that it could not see."""
    folder = centre.config.parent / "run" / "state" / "snapshots" / "demo-north" / "outcome.json"
    folder.mkdir(parents=True)
    instances = daemon._configured.configuration.instances
    assert [daemon._has_answered(instance) for instance in instances] == [True, False]
