"""When the document is composed, and what becomes of a composition that fails."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from infoprovider.config.model import Configuration
from infoprovider.errors import MappingError
from infoprovider.glue.document import Quarantined
from infoprovider.loop import Loop
from infoprovider.publication import composer as composer_module
from infoprovider.publication.channels import Edition
from infoprovider.publication.composer import LEISURE, LONGEST_PAUSE, SETTLE, Composer, Pace
from infoprovider.publication.cycle import Current, update
from infoprovider.store.document import DocumentStore
from tests.publication import demo


def pace(now: float = 1000.0, cost: float = 0.1, expires_at: float = 10**9) -> Pace:
    """The pace just after a composition."""
    made = Pace()
    made.ended(now, cost, expires_at)
    return made


def test_the_first_composition_is_due_at_once() -> None:
    """Whatever is kept from before is published without waiting for anybody."""
    assert Pace().due_at < 0


def test_a_change_is_composed_when_it_has_settled() -> None:
    """A second after the first of several changes, and not after the last: those who go on changing delay nothing."""
    made = pace()
    made.changed(1010.0)
    made.changed(1010.9)
    assert made.due_at == 1010.0 + SETTLE
    made.began()
    made.ended(1011.2, 0.2, 10**9)
    assert made.due_at == 1011.2 + LONGEST_PAUSE


def test_without_a_change_it_is_composed_every_minute() -> None:
    """Ages grow and stamps tick without anybody's doing."""
    assert pace(1000.0).due_at == 1000.0 + LONGEST_PAUSE


def test_what_expires_is_withdrawn_when_it_does() -> None:
    """Not up to a minute later; and what is past already is no reason to compose without rest."""
    assert pace(1000.0, expires_at=1020.0).due_at == 1020.0
    assert pace(1000.0, expires_at=900.0).due_at == 1000.0 + SETTLE


def test_composing_takes_a_quarter_of_the_time_at_most() -> None:
    """A large centre that changes all the time is composed as often as that allows."""
    made = pace(1000.0, cost=20.0)
    made.changed(1000.5)
    assert made.due_at == 1000.0 + LEISURE * 20
    assert pace(1000.0, cost=30.0).due_at == 1000.0 + LEISURE * 30


@dataclass
class Bench:
    """A composer of the demonstration centre, and what it offers and says."""

    folder: Path
    editions: list[Edition] = field(default_factory=list)
    counts: list[dict[str, float]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    heard: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        self.composer = Composer(demo.configuration(), self.compose, self.editions.append, self)
        turn, wake = self.composer.turn, self.composer.wake
        self.loop = Loop("composer", turn, within=10, wake=wake, faulted=self.faults.append)

    def compose(self, configuration: Configuration) -> Current:
        """Compose really, or fail as the test wants it."""
        if self.errors:
            raise self.errors.pop()
        return update(configuration, demo.facets(), DocumentStore(self.folder, self.folder), demo.NOON)

    def composed(self, **counts: float) -> None:
        """Heard by the listener."""
        self.counts.append(counts)
        self.heard.release()

    def not_composed(self, reason: str) -> None:
        """Heard by the listener."""
        self.reasons.append(reason)
        self.heard.release()

    def wait(self) -> None:
        """Until it has composed, or failed to."""
        assert self.heard.acquire(timeout=20)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench whose loop is ended afterwards, and where changes settle at once."""
    monkeypatch.setattr(composer_module, "SETTLE", 0.01)
    monkeypatch.setattr(composer_module, "LEISURE", 0.0)
    made = Bench(tmp_path)
    yield made
    made.loop.stop()
    assert made.loop.join(20)


def test_each_edition_goes_with_the_configuration_that_made_it(bench: Bench) -> None:
    """A reload is composed at once, by the new configuration."""
    bench.loop.start()
    bench.wait()
    other = replace(demo.configuration(), channels=())
    bench.composer.take(other)
    bench.wait()
    assert [edition.configuration for edition in bench.editions] == [demo.configuration(), other]
    first, second = bench.counts
    assert first["entries"] == second["entries"] == len(bench.editions[0].current.composition.document.made)
    assert first["added"] > first["modified"] == first["deleted"] == first["quarantined"] == 0
    assert second["added"] == second["modified"] == 0
    assert first["seconds"] > 0


def test_what_cannot_be_composed_is_said_once_and_tried_again(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """The log is not filled by a fault that stays, and says when it is over."""
    bench.errors += [MappingError("two things of one name; rename one")] * 2
    with caplog.at_level(logging.WARNING):
        bench.loop.start()
        for _ in range(3):
            bench.wait()
            bench.composer.changed()
    assert bench.reasons == ["two things of one name; rename one"] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "nothing new is published: two things of one name; rename one",
        "the document is composed again",
    ]
    assert bench.faults == []


def test_what_cannot_be_kept_is_offered_and_said(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Once, and that it is over."""
    bench.folder = bench.folder / "state"
    bench.folder.write_text("a file where a folder belongs")
    with caplog.at_level(logging.WARNING):
        bench.loop.start()
        bench.wait()
        bench.composer.changed()
        bench.wait()
        bench.folder.unlink()
        bench.composer.changed()
        bench.wait()
    assert len(bench.editions) == 3
    assert (len(bench.reasons), len(bench.counts)) == (2, 1)
    said, over = [record.getMessage() for record in caplog.records if record.name == composer_module.__name__]
    assert said.startswith("the document is handed out, but not kept: cannot make the folder ")
    assert over == "the document is composed again"


def test_a_fault_of_ours_is_counted_as_one(bench: Bench) -> None:
    """And the next composition comes nevertheless."""
    bench.errors += [KeyError("unforeseen")]
    bench.loop.start()
    bench.wait()
    bench.composer.changed()
    bench.wait()
    assert (bench.reasons, bench.faults, len(bench.editions)) == (["KeyError: 'unforeseen'"], ["composer"], 1)


def test_what_is_left_out_is_said_when_it_begins(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Once for each thing, not every minute; much of it is counted."""
    whole = update(demo.configuration(), demo.facets(), DocumentStore(bench.folder, bench.folder), demo.NOON)

    def leaving_out(*ids: str) -> Current:
        quarantined = tuple(Quarantined("ComputingShare", one, "its name is no name; rename it") for one in ids)
        return replace(whole, quarantined=quarantined)

    many = [f"s{number}" for number in range(30)]
    results = [leaving_out("s1"), leaving_out("s1", "s2"), leaving_out(), leaving_out("s1"), leaving_out(*many)]
    said = []
    bench.composer._compose = lambda _: results.pop(0)
    with caplog.at_level(logging.WARNING):
        while results:
            caplog.clear()
            bench.composer._pace = Pace()
            bench.composer.turn()
            said.append([record.getMessage() for record in caplog.records])
    about = "ComputingShare {} is left out: its name is no name; rename it"
    assert said[:4] == [[about.format("s1")], [about.format("s2")], [], [about.format("s1")]]
    assert len(said[4]) == 21
    assert said[4][-1] == "9 more are left out; `infoprovider show --left-out` names them"


def test_nothing_is_composed_before_enough_is_known(bench: Bench) -> None:
    """It begins when the first answers are there."""
    known = threading.Event()
    bench.composer.hold(known.is_set, 60)
    bench.loop.start()
    bench.composer.changed()
    assert not bench.heard.acquire(timeout=0.2)
    known.set()
    bench.composer.changed()
    bench.wait()
    assert len(bench.editions) == 1


def test_who_never_answers_is_not_waited_for_longer_than_that(bench: Bench) -> None:
    """The others are published."""
    bench.composer.hold(lambda: False, 0.1)
    bench.loop.start()
    bench.wait()
    assert len(bench.editions) == 1
