"""A manager's own events: they make it be asked at once, and whatever becomes of the watch, nothing else suffers."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from infoprovider.collection import watch as watch_module
from infoprovider.collection.events import from_line, to_line
from infoprovider.collection.watch import Watches, pause_after
from infoprovider.config.model import Configuration, Instance, InstanceBlock
from infoprovider.errors import Malformed
from infoprovider.inventory.freshness import DYNAMIC
from infoprovider.inventory.model import Facet
from infoprovider.providers import exec as exec_provider
from infoprovider.providers import static
from infoprovider.providers.contract import AnyProviderSpec
from infoprovider.providers.exec import ExecSettings
from tests.publication import demo

SPECS: dict[str, AnyProviderSpec] = {"exec": exec_provider.SPEC, "static": static.SPEC}


def instance(name: str, *events: str) -> Instance:
    """An instance that is asked by a program, and tells its events by another one."""
    settings = ExecSettings(command=("true",), events=events or None)
    return Instance(block=InstanceBlock(name=name, kind="exec"), settings=settings, declared={})


def centre(*instances: Instance) -> Configuration:
    """A centre of these, beside a manager that is described in a file."""
    return replace(demo.configuration(), instances=(*instances, demo.configuration().instances[0]))


@dataclass
class Bench:
    """Watches, and the pokes that come of them."""

    pokes: list[tuple[str, frozenset[Facet]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    heard: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        self.watches = Watches(lambda kind: SPECS[kind], self.poke, self.faults.append)

    def poke(self, name: str, facets: frozenset[Facet]) -> None:
        """What the watches call."""
        self.pokes.append((name, facets))
        self.heard.release()

    def wait(self, pokes: int = 1) -> None:
        """Until so many have come."""
        for _ in range(pokes):
            assert self.heard.acquire(timeout=20)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A bench that leaves no descriptor and no thread behind."""
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    made = Bench()
    yield made
    made.watches.stop()
    assert made.faults == []
    assert [one.name for one in threading.enumerate() if one.name.startswith("events of")] == []
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def says(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let the process of a watch be this shell script."""
    monkeypatch.setattr(watch_module, "EVENTS", ("/bin/sh", "-c", script))


def test_each_line_of_a_program_is_an_event(bench: Bench, tmp_path: Path) -> None:
    """A line that names facets asks for these, any other for what changes with every machine."""
    program = tmp_path / "events"
    program.write_text("#!/bin/sh\necho usage, quotas\necho 'event lifecycle for domain vm1'\nsleep 60\n")
    program.chmod(0o755)
    bench.watches.take(centre(instance("north", str(program))))
    bench.wait(2)
    assert bench.pokes == [("north", frozenset({Facet.USAGE, Facet.QUOTAS})), ("north", DYNAMIC)]


def test_only_managers_that_tell_are_watched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started for a description, nor for a program without events."""
    says(monkeypatch, """echo '{"changed": []}'; sleep 60""")
    bench.watches.take(centre(instance("silent"), instance("north", "watch")))
    bench.wait()
    watching = [one.name for one in threading.enumerate() if one.name.startswith("events of")]
    assert watching == ["events of north"]


def test_a_watch_that_ends_is_started_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a pause; why is said once and not at every attempt, and that it goes well again, too."""
    monkeypatch.setattr(watch_module, "LONGEST_PAUSE", 0.05)
    says(monkeypatch, """echo '{"changed": ["usage"]}'; echo no connection >&2; exit 3""")
    with caplog.at_level(logging.WARNING):
        bench.watches.take(centre(instance("north", "watch")))
        bench.wait(3)
    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith("north: its events are not seen, only what is asked for at its pace: its process ended")
    assert "exit code 3: no connection" in said[0]
    assert said[1] == "north: its events are seen again"


def test_a_watch_that_never_works_is_named_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it is tried."""
    monkeypatch.setattr(watch_module, "LONGEST_PAUSE", 0.02)
    tried = tmp_path / "tried"
    says(monkeypatch, f"echo x >> {tried}; exit 3")
    with caplog.at_level(logging.WARNING):
        bench.watches.take(centre(instance("north", "watch")))
        until = time.monotonic() + 20
        while time.monotonic() < until and (not tried.exists() or len(tried.read_text()) < 8):
            time.sleep(0.02)
    assert len([one for one in caplog.records if "not seen" in one.getMessage()]) == 1
    assert bench.pokes == []


def test_the_pauses_grow_and_have_an_end() -> None:
    """A manager that is away for a day is not tried every second."""
    assert [pause_after(failures) for failures in (1, 2, 3, 8, 9, 10, 10**6)] == [1, 2, 4, 128, 256, 300, 300]


def test_a_watch_is_started_anew_when_its_time_is_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a word and without a pause: that is how leaks of libraries are bounded."""
    monkeypatch.setattr(watch_module, "LASTS", 0.5)
    says(monkeypatch, """echo '{"changed": ["usage"]}'; sleep 60""")
    with caplog.at_level(logging.WARNING):
        bench.watches.take(centre(instance("north", "watch")))
        bench.wait(2)
    assert caplog.records == []


def test_a_reload_watches_what_has_changed_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The watch of an unchanged instance goes on, that of a removed one ends with all that it started."""
    says(monkeypatch, f"""echo $$ >> {tmp_path}/pids; echo '{{"changed": []}}'; sleep 60""")
    bench.watches.take(centre(instance("same", "a"), instance("changed", "a"), instance("gone", "a")))
    bench.wait(3)
    first = {int(pid) for pid in (tmp_path / "pids").read_text().split()}
    bench.watches.take(centre(instance("same", "a"), instance("changed", "b")))
    bench.wait()
    assert bench.pokes[3][0] == "changed"
    assert sum(alive(pid) for pid in first) == 1


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_lines_that_are_no_events_are_a_fault_of_the_watch(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One is dropped, the event after it counts; a process that prints nothing else is ended."""
    says(monkeypatch, """echo nonsense; echo '{"changed": ["usage"]}'; yes nonsense""")
    with caplog.at_level(logging.WARNING):
        bench.watches.take(centre(instance("north", "watch")))
        bench.wait()
        until = time.monotonic() + 20
        while time.monotonic() < until and "more than 100 lines that are no events" not in caplog.text:
            time.sleep(0.02)
    assert "more than 100 lines that are no events" in caplog.text
    assert bench.pokes[0] == ("north", frozenset({Facet.USAGE}))


def test_a_watch_ends_when_its_process_is_killed_from_outside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And is started again."""
    monkeypatch.setattr(watch_module, "LONGEST_PAUSE", 0.05)
    says(monkeypatch, f"""echo $$ > {tmp_path}/pid; echo '{{"changed": []}}'; sleep 60""")
    bench.watches.take(centre(instance("north", "watch")))
    bench.wait()
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    bench.wait()


@pytest.mark.parametrize("changed", [frozenset(), frozenset({Facet.USAGE}), frozenset(Facet)])
def test_a_line_of_a_watch_can_be_read_back(changed: frozenset[Facet]) -> None:
    """Whatever has changed."""
    assert from_line(to_line(changed)) == changed


@pytest.mark.parametrize(
    "line", [b"", b"usage", b"[]", b"{}", b'{"changed": 3}', b'{"changed": ["flavours"]}', b"\xff"]
)
def test_any_other_line_is_no_event(line: bytes) -> None:
    """It is refused, and not taken for an event without facets."""
    with pytest.raises(Malformed, match="is no event"):
        from_line(line)
