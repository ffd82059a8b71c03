"""Which CreationTime an entity is published with: honest, and still where nothing changed."""

import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider.glue.document import Document, Made, Source, close, content_digest
from infoprovider.glue.entities import AdminDomain, Entity
from infoprovider.mapping.context import DYNAMIC, SLOW, STATIC
from infoprovider.publication.stamps import Stamp, has_ticked, stamped

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


def published(
    observed_at: datetime, former: Mapping[str, Stamp], **about: str
) -> tuple[datetime | None, Mapping[str, Stamp]]:
    """The stamp that the one entity gets, and what is remembered."""
    found, stamps = stamped(document(observed_at, **about), former)  # type: ignore[arg-type]
    return found.entities[0].creation_time, stamps


def next_tick(id_: str, period: int = 150) -> datetime:
    """The first second after the beginning at which the entity's grid ticks."""
    return next(after(second) for second in range(1, period + 1) if has_ticked(id_, period, BEGIN, after(second)))


def test_the_first_stamp_is_the_observation() -> None:
    """What was never published carries the moment at which it was observed."""
    moment, stamps = published(BEGIN, {})
    assert moment == BEGIN
    assert stamps["rc"] == Stamp(content_digest(document(BEGIN).entities[0]), BEGIN)


def test_an_unchanged_entity_keeps_its_stamp_until_its_grid_ticks() -> None:
    """Then it takes the observation's own moment, not the grid's."""
    _, stamps = published(BEGIN, {})
    tick = next_tick("rc")
    assert published(tick - timedelta(seconds=1), stamps)[0] == BEGIN
    assert published(tick, stamps)[0] == tick
    assert published(tick + timedelta(seconds=70), stamps)[0] == tick + timedelta(seconds=70)


def test_a_changed_entity_takes_its_new_stamp_at_once() -> None:
    """One second later, whatever the grid says."""
    _, stamps = published(BEGIN, {}, says="10 machines")
    moment, stamps = published(after(1), stamps, says="9 machines")
    assert moment == after(1)
    assert published(after(2), stamps, says="10 machines")[0] == after(2)


def test_an_older_observation_never_gets_a_newer_stamp() -> None:
    """Where facts come back from a copy, the entry says that they are old."""
    _, stamps = published(after(100), {})
    assert published(BEGIN, stamps)[0] == BEGIN


@pytest.mark.parametrize(("validity", "period"), [(DYNAMIC, 150), (SLOW, 1800), (STATIC, 43200)])
def test_each_class_has_the_grid_of_its_validity(validity: int, period: int) -> None:
    """An entity that does not change moves once a period: after one it has moved, before one it has moved once."""
    stamps: Mapping[str, Stamp] = {}
    seen = []
    for second in range(0, 3 * period + 1, period // 10):
        found, stamps = stamped(document(after(second), validity=validity), stamps)
        seen.append(found.entities[0].creation_time)
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
    """In whatever order observations come and whatever they say; nor is it older than that by more than a period."""
    stamps: Mapping[str, Stamp] = {}
    period = {DYNAMIC: 150, SLOW: 1800}[validity]
    for second, says in steps:
        found, stamps = stamped(document(after(second), validity=validity, says=says), stamps)
        moment = found.entities[0].creation_time
        assert moment is not None
        assert moment <= after(second)
        assert after(second) - moment < timedelta(seconds=period)


def test_entities_do_not_tick_together() -> None:
    """Over 3000 identifiers each tenth of the period has about a tenth of the ticks."""
    ids = [f"urn:glue2:ComputingShare:rc:north:{number:04d}" for number in range(3000)]
    tenths = Counter((next_tick(id_) - BEGIN).seconds * 10 // 151 for id_ in ids)
    assert len(tenths) == 10
    # 300 in each, with a standard deviation of 16 if they were drawn by chance.
    assert all(220 < count < 380 for count in tenths.values()), tenths


def centre(cycle: datetime, slow: datetime) -> Document:
    """An idle centre of 300 entities: 26 dynamic ones, 244 types, pools and images, 30 domains and policies."""

    def made(kind: str, count: int, validity: int, observed_at: datetime) -> list[Made]:
        source = (Source(facet=kind, instance="north", observed_at=observed_at),)
        ids = (f"urn:glue2:{kind}:rc:north:{number}" for number in range(count))
        return [Made(AdminDomain(id=id_, creation_time=observed_at, validity=validity), source) for id_ in ids]

    return close(
        [
            *made("dynamic", 26, DYNAMIC, cycle),
            *made("slow", 244, SLOW, slow),
            *made("static", 30, STATIC, BEGIN),
        ]
    )


def test_an_idle_centre_is_fresh_and_still() -> None:
    """Two hours of cycles of 120 s: no dynamic entity older than 300 s, not a quarter of the entities modified."""
    stamps: Mapping[str, Stamp] = {}
    former: dict[str, Entity] = {}
    modified, oldest = [], timedelta()
    for number in range(61):
        now = after(120 * number)
        slow = after(600 * (120 * number // 600))
        found, stamps = stamped(centre(now, slow), stamps)
        if former:
            modified.append(sum(former[entity.id] != entity for entity in found.entities))
        former = {entity.id: entity for entity in found.entities}
        # Just before the next cycle every entity is as old as it gets.
        ages = [
            now + timedelta(seconds=120) - (entity.creation_time or now)
            for entity in found.entities
            if entity.validity == DYNAMIC
        ]
        oldest = max(oldest, *ages)
    share = statistics.mean(modified) / len(former)
    print(
        f"modified in an idle cycle: {share:.1%} on average, {max(modified)} of {len(former)} at most; oldest {oldest}"
    )
    assert oldest <= timedelta(seconds=300)
    assert share <= 0.25
    # Nor do they come in bursts: slow entities are collected together and still move in groups.
    assert max(modified) < len(former) / 2
