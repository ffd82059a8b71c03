"""Five hundred changes and sixty faults between a publisher, a real ActiveMQ over TLS and three receivers."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.system import activemq
from tests.system.chaos import CENTRE, SNAPSHOT_EVERY, START, Story, chaos, plan, told

pytestmark = pytest.mark.activemq

REVISIONS = 500
FAULTS = 60


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Faults all the time; one receiver comes late, one is away for a hundred changes."""
    folder = tmp_path_factory.mktemp("chaos")
    with activemq.running(folder / "broker") as broker, chaos(folder, broker) as here:
        yield from told(here, plan(FAULTS, here.chance), REVISIONS)


def test_every_kind_of_fault_has_happened(story: Story) -> None:
    """A third of them to the broker; and some deliveries were not confirmed for it."""
    happened = story.chaos.happened
    assert sum(happened.values()) == FAULTS
    assert happened["restart"] + happened["kill broker"] == FAULTS // 3
    assert min(happened.values()) >= FAULTS // 6
    assert story.chaos.plain.receipts_lost >= happened["lose receipt"] - 1
    assert story.chaos.unconfirmed >= happened["lose receipt"]
    assert story.chaos.publisher.steps >= REVISIONS


def test_at_the_end_every_copy_is_the_publishers_document(story: Story) -> None:
    """Byte for byte."""
    for receiver in story.receivers:
        assert (receiver.folder / f"{CENTRE}.json").read_bytes() == story.chaos.current


def test_nothing_wrong_was_ever_shown_and_nothing_went_back(story: Story) -> None:
    """Each document that any receiver showed was one that was published, and newer than the one before."""
    for receiver in story.receivers:
        assert receiver.wrong == []
    assert len(story.steady.seen) > REVISIONS // 5


def test_nothing_was_refused(story: Story) -> None:
    """Whatever came was what its envelope said: no delta led elsewhere, nobody was taken for a second publisher."""
    for receiver in story.receivers:
        counts = Counter(receiver.state["counts"])
        assert counts["refused"] == counts["conflict"] == 0, receiver.state


def test_who_comes_late_or_was_away_is_there_within_one_snapshot_interval(story: Story) -> None:
    """From the start of its process to a copy of what is told now."""
    for name in ("late", "away"):
        assert story.seconds[name] <= SNAPSHOT_EVERY + START


def test_the_plan_has_every_kind() -> None:
    """Whatever its length."""
    assert Counter(plan(60, random.Random(1)))["restart"] == 10  # noqa: S311
    assert len(plan(1000, random.Random(1))) == 1000  # noqa: S311
