"""Which CreationTime an entity is published with: honest, and still where nothing changed."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider.glue.document import Document, Made, Source, close, content_digest
from infoprovider.glue.entities import AdminDomain
from infoprovider.mapping.context import DYNAMIC, SLOW, STATIC
from infoprovider.publication import stamps
from infoprovider.publication.stamps import Former, Stamp, has_ticked, stamped

BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """So long after the beginning."""
    return BEGIN + timedelta(seconds=seconds)


def document(observed_at: datetime, *ids: str, validity: int = DYNAMIC, says: str = "") -> Document:
    """Entities of these identifiers as they were observed then."""
    return close(
        Made(
            AdminDomain(id=id_, description=says, creation_time=observed_at, validity=validity),
            (Source(facet="capacity", instance="north", observed_at=observed_at),),
        )
        for id_ in ids or ("rc",)
    )


def published(observed_at: datetime, former: Former, **about: Any) -> tuple[datetime | None, Former]:
    """The stamp that the one entity gets where it is composed at once, and what is remembered."""
    found, stamps = stamped(document(observed_at, **about), former, observed_at)
    return found.entities[0].creation_time, Former(stamps, observed_at)


def next_tick(id_: str, period: int = 150) -> datetime:
    """The first second after the beginning at which the entity's grid ticks."""
    return next(after(second) for second in range(1, period + 1) if has_ticked(id_, period, BEGIN, after(second)))


def test_the_first_stamp_is_the_observation() -> None:
    """What was never published carries the moment at which it was observed."""
    moment, stamps = published(BEGIN, Former())
    assert moment == BEGIN
    assert stamps.stamps["rc"] == Stamp(content_digest(document(BEGIN).entities[0]), BEGIN)


def test_an_unchanged_entity_keeps_its_stamp_until_its_grid_ticks() -> None:
    """Then it takes the observation's own moment, not the grid's."""
    _, stamps = published(BEGIN, Former())
    tick = next_tick("rc")
    assert published(tick - timedelta(seconds=1), stamps)[0] == BEGIN
    assert published(tick, stamps)[0] == tick
    assert published(tick + timedelta(seconds=70), stamps)[0] == tick + timedelta(seconds=70)


def test_a_changed_entity_takes_its_new_stamp_at_once() -> None:
    """One second later, whatever the grid says."""
    _, stamps = published(BEGIN, Former(), says="10 machines")
    moment, stamps = published(after(1), stamps, says="9 machines")
    assert moment == after(1)
    assert published(after(2), stamps, says="10 machines")[0] == after(2)


def priced(observed_at: datetime, told: datetime, says: str = "") -> Document:
    """An entity that also says when something else was observed that it states."""
    info = ("Price.FixFee=1", f"Price.ObservedAt={told:%H:%M:%S}", "Name=x.ObservedAt=y", "Image=a")
    made = document(observed_at, says=says).made[0]
    return close([Made(replace(made.entity, other_info=info), made.made_of)])


def test_moments_of_other_facts_move_with_the_stamp_and_no_sooner() -> None:
    """They are part of it: an entity that says the same otherwise keeps both until its grid ticks."""
    _, stamps = stamped(priced(BEGIN, BEGIN), Former(), BEGIN)
    tick = next_tick("rc")
    for moment, told in ((tick - timedelta(seconds=1), BEGIN), (tick, tick)):
        found, _ = stamped(priced(moment, moment), Former(stamps, BEGIN), moment)
        assert found.entities[0].other_info == (
            "Price.FixFee=1",
            "Name=x.ObservedAt=y",
            "Image=a",
            f"Price.ObservedAt={told:%H:%M:%S}",
        )
        assert found.entities[0].creation_time == told
    found, _ = stamped(priced(after(1), after(1), says="dearer"), Former(stamps, BEGIN), after(1))
    assert f"Price.ObservedAt={after(1):%H:%M:%S}" in found.entities[0].other_info


def test_an_older_observation_never_gets_a_newer_stamp() -> None:
    """Where facts come back from a copy, the entry says that they are old."""
    _, stamps = published(after(100), Former())
    assert published(BEGIN, stamps)[0] == BEGIN


@pytest.mark.parametrize(("validity", "period"), [(DYNAMIC, 150), (SLOW, 1800), (STATIC, 43200)])
def test_each_class_has_the_grid_of_its_validity(validity: int, period: int) -> None:
    """An entity that does not change moves once a period: after one it has moved, before one it has moved once."""
    former = Former()
    seen = []
    for second in range(0, 3 * period + 1, period // 10):
        moment, former = published(after(second), former, validity=validity)
        seen.append(moment)
    assert len(set(seen)) == 4  # the first, and one for each of three periods


def test_the_stamp_is_no_part_of_what_an_entity_says() -> None:
    """Or nothing would ever be unchanged."""
    one, other = document(BEGIN).entities[0], document(after(9)).entities[0]
    assert content_digest(one) == content_digest(other)
    assert content_digest(replace(one, validity=1)) != content_digest(one)


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(["a", "b"])), min_size=1, max_size=20),
    st.sampled_from([DYNAMIC, SLOW]),
)
def test_no_stamp_is_ever_newer_than_the_observation_behind_it(steps: list[tuple[int, str]], validity: int) -> None:
    """In whatever order observations come and whatever they say; nor is it older than an entry may be."""
    former = Former()
    oldest = {DYNAMIC: 150, SLOW: 3600}[validity]
    for second, says in steps:
        moment, former = published(after(second), former, validity=validity, says=says)
        assert moment is not None
        assert moment <= after(second)
        assert after(second) - moment < timedelta(seconds=oldest)


def test_entities_do_not_tick_together() -> None:
    """Over 3000 identifiers each tenth of the period has about a tenth of the ticks."""
    ids = [f"urn:glue2:ComputingShare:rc:north:{number:04d}" for number in range(3000)]
    tenths = Counter((next_tick(id_) - BEGIN).seconds * 10 // 151 for id_ in ids)
    assert len(tenths) == 10
    # 300 in each, with a standard deviation of 16 if they were drawn by chance.
    assert all(220 < count < 380 for count in tenths.values()), tenths


def test_a_slow_entity_takes_what_is_newest_when_it_ticks() -> None:
    """Not when it was observed: then all that are observed together would move together."""
    tick = next_tick("rc", 1800)
    _, former = published(BEGIN, Former(), validity=SLOW)
    former = Former(former.stamps, tick - timedelta(seconds=60))
    observed = tick - timedelta(seconds=500)
    before, _ = stamped(document(observed, validity=SLOW), former, tick - timedelta(seconds=30))
    at_tick, _ = stamped(document(observed, validity=SLOW), former, tick)
    assert before.entities[0].creation_time == BEGIN
    assert at_tick.entities[0].creation_time == observed


def test_after_a_long_failure_a_slow_entity_does_not_wait_for_its_tick() -> None:
    """Or it would be past its Validity at the top of a chain although its manager answers again."""
    tick = next_tick("rc", 1800)
    _, former = published(BEGIN, Former(), validity=SLOW)
    recovered = tick + timedelta(seconds=1800 + 60)
    found, _ = stamped(document(recovered, validity=SLOW), Former(former.stamps, recovered), recovered)
    assert found.entities[0].creation_time == recovered


@pytest.mark.parametrize("validity", [DYNAMIC, SLOW])
@pytest.mark.parametrize("id_", ["urn:a", "urn:b", "urn:c"])
def test_the_next_tick_is_when_the_grid_ticks(validity: int, id_: str) -> None:
    """Not a second before, and within one period."""
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    period, ticks = stamps.next_tick(id_, validity, now)
    assert timedelta(0) < ticks - now <= timedelta(seconds=period)
    assert has_ticked(id_, period, now, ticks)
    assert not has_ticked(id_, period, now, ticks - timedelta(seconds=1))
