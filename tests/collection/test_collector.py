"""The threads of the collector: what they start, keep and survive."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from pydantic import BaseModel

from infoprovider.clock import Clock
from infoprovider.collection import collector as collector_module
from infoprovider.collection.collector import Collector, paces
from infoprovider.collection.halt import Halted
from infoprovider.config.model import CollectionBlock, Configuration
from infoprovider.errors import StoreError
from infoprovider.inventory.model import Capacity, Facet
from infoprovider.inventory.observation import Outcome
from infoprovider.loop import Loop
from infoprovider.providers.contract import Answer, AnyProviderSpec, CollectContext, Observed, ProviderSpec
from infoprovider.settings import Settings
from infoprovider.store.facets import MemoryFacets
from tests.publication import demo

FACETS = frozenset({Facet.CAPACITY, Facet.IMAGES})


def never(_settings: Settings, _context: CollectContext) -> Iterator[Answer]:
    """The provider itself is not asked here."""
    yield from ()


SPEC = ProviderSpec(kind="fake", settings=Settings, facets=FACETS, collect=never)


def centre(*names: str, at_once: int = 8, every: float = 3600.0) -> Configuration:
    """A centre with these instances."""
    model = demo.configuration().instances[0]
    instances = tuple(
        replace(model, block=model.block.model_copy(update={"name": name, "every": every}), declared={})
        for name in names
    )
    collection = CollectionBlock(at_once=at_once, pause=0.05)
    return replace(demo.configuration(), instances=instances, collection=collection)


@dataclass
class Bench:
    """A collector with a fake manager behind it, and what it says."""

    answer: Callable[[CollectContext], Iterator[Answer]] = lambda _: iter(())
    asked: list[tuple[str, frozenset[Facet]]] = field(default_factory=list)
    collected_names: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)
    keeper: MemoryFacets = field(default_factory=MemoryFacets)
    heard: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        self.collector = Collector(lambda _: SPEC, self.keeper, self.run, Clock(), self, self.heard.release)
        turn, wake = self.collector.turn, self.collector.wake
        self.loop = Loop("collector", turn, within=10, wake=wake, faulted=self.faults.append)

    def run(self, _spec: AnyProviderSpec, _settings: BaseModel, context: CollectContext, /) -> Iterator[Answer]:
        """Ask the fake manager."""
        self.asked.append((context.instance, context.wanted))
        yield from self.answer(context)

    def collected(self, instance: str, _outcome: Outcome, _seconds: float) -> None:
        """Heard by the listener."""
        self.collected_names.append(instance)

    def skipped(self, instance: str) -> None:
        """Heard by the listener."""
        self.skips.append(instance)

    def fault(self, where: str) -> None:
        """Heard by the listener."""
        self.faults.append(where)

    def wait(self, rounds: int) -> None:
        """Until so many rounds are over."""
        for _ in range(rounds):
            assert self.heard.acquire(timeout=20)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A bench whose loop is ended afterwards."""
    made = Bench()
    yield made
    made.loop.stop()
    assert made.loop.join(20)
    assert made.collector.join(20) == []
    assert made.faults == []


def capacity(context: CollectContext) -> Iterator[Answer]:
    """What the fake manager says."""
    if Facet.CAPACITY in context.wanted:
        yield Observed(facet=Facet.CAPACITY, value=Capacity(vcpus=4), observed_at=context.now())


def test_every_instance_is_asked_at_once_and_kept(bench: Bench) -> None:
    """At the start, for all that its manager can tell and that is not declared."""
    bench.answer = capacity
    bench.collector.take(centre("north", "south"))
    bench.loop.start()
    bench.wait(2)
    assert sorted(bench.asked) == [("north", FACETS), ("south", FACETS)]
    assert sorted(bench.collected_names) == ["north", "south"]
    assert [one.value for one in bench.keeper.observations("north")] == [Capacity(vcpus=4)]


def test_a_poke_asks_again(bench: Bench) -> None:
    """For the facets of the poke, and without any for all."""
    bench.collector.take(centre("north"))
    bench.loop.start()
    bench.wait(1)
    assert bench.collector.poke("north", {Facet.IMAGES, Facet.USAGE}) == {Facet.IMAGES}
    bench.wait(1)
    assert bench.collector.poke("north") == FACETS
    bench.wait(1)
    assert [wanted for _, wanted in bench.asked] == [FACETS, {Facet.IMAGES}, FACETS]
    assert bench.collector.poke("nobody") == frozenset()


def test_no_more_managers_are_asked_side_by_side_than_may(bench: Bench) -> None:
    """Five instances, two at once; a third one is never begun before one has ended."""
    lock, running, most = threading.Lock(), [0], [0]
    both = threading.Barrier(2)

    def slow(context: CollectContext) -> Iterator[Answer]:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        if len(bench.asked) <= 4:
            both.wait(20)
        with lock:
            running[0] -= 1
        yield from capacity(context)

    bench.answer = slow
    bench.collector.take(centre("a", "b", "c", "d", "e", at_once=2))
    bench.loop.start()
    bench.wait(5)
    assert most == [2]


def test_what_goes_wrong_with_one_instance_is_its_own(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A disk that is full, and a fault of ours: both are logged, the others and the next rounds go on."""

    def failing(context: CollectContext) -> Iterator[Answer]:
        if context.instance == "full":
            raise StoreError("cannot write; free some space there")
        if context.instance == "faulty":
            raise KeyError("unforeseen")
        yield from capacity(context)

    bench.answer = failing
    bench.collector.take(centre("full", "faulty", "sound"))
    with caplog.at_level(logging.ERROR):
        bench.loop.start()
        bench.wait(3)
    assert bench.collected_names == ["sound"]
    said = {record.getMessage(): bool(record.exc_info) for record in caplog.records}
    assert said == {
        "full: what was collected is not kept: cannot write; free some space there": False,
        "a fault of this program in the collection of faulty; it goes on": True,
    }
    assert bench.faults == ["collection"]
    bench.faults.clear()
    bench.collector.poke("full")
    bench.wait(1)
    assert len(bench.asked) == 4


def test_a_collection_that_is_given_up_says_nothing_of_its_manager(bench: Bench) -> None:
    """Nothing is concluded, so that the next start asks again and health is not blamed."""
    begun = threading.Event()

    def given_up(_context: CollectContext) -> Iterator[Answer]:
        begun.set()
        raise Halted("nobody wants it")
        yield

    bench.answer = given_up
    bench.collector.take(centre("north"))
    bench.loop.start()
    assert begun.wait(20)
    bench.collector.join(20)
    assert bench.keeper.outcome("north") is None
    assert bench.collected_names == []


def test_a_reload_asks_those_that_are_new_or_changed(bench: Bench) -> None:
    """Unchanged instances keep their turns, and removed ones lose theirs."""
    bench.collector.take(centre("same", "changed", "gone"))
    bench.loop.start()
    bench.wait(3)
    bench.asked.clear()
    again = centre("same", "changed", "new")
    changed = replace(
        again.instances[1], block=again.instances[1].block.model_copy(update={"quality_level": "testing"})
    )
    bench.collector.take(replace(again, instances=(again.instances[0], changed, again.instances[2])))
    bench.wait(2)
    assert sorted(bench.asked) == [("changed", FACETS), ("new", FACETS)]
    assert bench.collector.instances == {"same", "changed", "new"}
    assert bench.collector.poke("gone") == frozenset()


def test_an_instance_whose_last_attempts_cannot_be_read_is_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For everything, and the others as well."""

    def unreadable(_instance: str) -> Outcome | None:
        raise StoreError("cannot read outcome.json; give this user the right to read it")

    with monkeypatch.context() as patched:
        patched.setattr(bench.keeper, "outcome", unreadable)
        bench.collector.take(centre("north", "south"))
    bench.loop.start()
    bench.wait(2)
    assert sorted(bench.asked) == [("north", FACETS), ("south", FACETS)]
    assert "north: cannot read outcome.json" in caplog.text


def test_a_machine_without_threads_asks_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be started is said, and leaves its place to the next round."""

    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    bench.collector.take(centre("north", at_once=1))
    with monkeypatch.context() as patched:
        patched.setattr(collector_module.threading, "Thread", Refused)
        bench.collector.turn()
    assert "north cannot be collected now" in caplog.text
    bench.collector.poke("north")
    bench.loop.start()
    bench.wait(1)
    assert bench.asked == [("north", FACETS)]


def test_a_description_is_read_whole_as_often_as_its_most_frequent_facet() -> None:
    """A manager that is measured is asked for each facet at its own pace, and for nothing that is declared."""
    configuration = centre("north")
    instance = configuration.instances[0]
    instance = replace(instance, block=instance.block.model_copy(update={"every": None}))
    assert paces(configuration, instance, SPEC) == {Facet.CAPACITY: 120, Facet.IMAGES: 600}
    assert paces(configuration, instance, replace(SPEC, measures=False)) == dict.fromkeys(FACETS, 120)
    declaring = replace(instance, declared={Facet.CAPACITY: Capacity()})
    assert paces(configuration, declaring, SPEC) == {Facet.IMAGES: 600}
    assert paces(configuration, declaring, replace(SPEC, facets=frozenset({Facet.CAPACITY}))) == {}
