"""A change in a real OpenStack is seen within its time: kept, published, and on three levels of BDII."""

import random
from pathlib import Path

import pytest

from tests.system.changes import prepared
from tests.system.openstack import Cloud
from tests.system.tracking import TUNED, Line, measure
from tests.system.tracking_followed import FOLLOWED, FollowedLine

pytestmark = [pytest.mark.bdii, pytest.mark.openstack, pytest.mark.activemq]

CHANGES = 4
SECONDS = 10.0


def test_changes_are_at_the_top_within_their_time(cloud: Cloud, tmp_path: Path) -> None:
    """With tuned settings, and by messages: each change reaches every level in turn, none later than its bound."""
    lines = [
        Line(cloud, tmp_path / "tuned", TUNED, print),
        FollowedLine(cloud, tmp_path / "followed", FOLLOWED, print),
    ]
    measure(lines, prepared(cloud, CHANGES), SECONDS, random.Random(1), print)  # noqa: S311  (chance is enough)
    for line in lines:
        assert len({one.name for one in line.tracked}) == CHANGES
        for one in line.tracked:
            delays = [one.delay(level) for level in line.levels]
            assert delays == sorted(delays)
            assert 0 < delays[-1] <= line.bound(one.evidence.facet), one
