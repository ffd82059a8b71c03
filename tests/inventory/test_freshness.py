"""How old a facet may get."""

from datetime import UTC, datetime, timedelta

import pytest

from infoprovider.inventory.freshness import Freshness, default_every, default_freshness, oldest
from infoprovider.inventory.model import Facet

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_a_facet_is_fresh_until_its_time_is_over() -> None:
    """The last second counts still."""
    freshness = Freshness(fresh_for=60.0, publish_for=300.0)
    assert freshness.is_fresh(NOW - timedelta(seconds=60), NOW)
    assert not freshness.is_fresh(NOW - timedelta(seconds=61), NOW)
    assert freshness.expires_at(NOW) == NOW + timedelta(minutes=5)


@pytest.mark.parametrize("facet", Facet)
def test_nothing_is_withheld_while_it_is_fresh(facet: Facet) -> None:
    """For every facet the usual values agree with each other."""
    freshness = default_freshness(facet)
    assert 0 < freshness.fresh_for < freshness.publish_for


def test_what_changes_by_the_minute_goes_stale_first() -> None:
    """Capacity before hypervisors, hypervisors before prices."""
    order = [default_freshness(facet).fresh_for for facet in (Facet.CAPACITY, Facet.HYPERVISORS, Facet.PRICES)]
    assert order == sorted(order)
    assert len(set(order)) == 3


def test_what_is_made_of_several_facts_is_as_old_as_the_oldest() -> None:
    """A sum of an old and a new number is old."""
    assert oldest([NOW, NOW - timedelta(hours=1), NOW - timedelta(minutes=1)]) == NOW - timedelta(hours=1)
    with pytest.raises(ValueError, match="empty"):
        oldest([])


@pytest.mark.parametrize("facet", Facet)
def test_a_facet_is_asked_for_again_before_it_goes_stale(facet: Facet) -> None:
    """Even where one collection in between fails."""
    assert 2 * default_every(facet) <= default_freshness(facet).fresh_for
