"""All that is kept of a centre, read in one go."""

import os
from dataclasses import replace
from datetime import timedelta

from infoprovider.clock import Clock
from infoprovider.store.daemon import DaemonStore
from infoprovider.views.overview import ChannelStatus, overview_of
from tests.publication.demo import NOON
from tests.views.centre import Kept


def test_nothing_is_kept_before_the_first_collection(kept: Kept) -> None:
    """That is no fault: every channel is there, and nothing was delivered."""
    seen = overview_of(kept.configuration, kept.clock)
    assert (seen.parts, seen.document.composed_at, seen.daemon, seen.unreadable) == ((), None, None, ())
    assert seen.channels == (
        ChannelStatus(channel="bdii", kind="bdii"),
        ChannelStatus(channel="broker", kind="bdii"),
    )


def test_channels_stand_as_their_last_deliveries_went(kept: Kept) -> None:
    """Moments are as the wall clock goes now: here it was set forth by a day since."""
    kept.deliver(20, "bdii")
    kept.deliveries.failed("bdii", kept.clock.ago(5), "full")
    day = timedelta(days=1)
    kept.clock.reading = replace(kept.clock.reading, wall=NOON + day)
    assert overview_of(kept.configuration, kept.clock).channels[0] == ChannelStatus(
        channel="bdii",
        kind="bdii",
        delivered_at=NOON + day - timedelta(seconds=20),
        delivery="accepted",
        reference="the file",
        failed_at=NOON + day - timedelta(seconds=5),
        why="full",
        failures=1,
    )


def test_a_daemon_is_seen(kept: Kept) -> None:
    """Who it is, and since when its configuration is in force."""
    kept.settle()
    now = Clock().read()
    DaemonStore(kept.state).keep(now.after(-600), now.after(-60), ("site.yaml:3: wrong",))
    daemon = overview_of(kept.configuration, Clock()).daemon
    assert daemon is not None
    assert (daemon.pid, daemon.is_running, daemon.faults) == (os.getpid(), True, ("site.yaml:3: wrong",))
    assert daemon.configured_at - daemon.started_at == timedelta(seconds=540)


def test_a_folder_that_cannot_be_read_is_said(kept: Kept) -> None:
    """It would look empty otherwise, as folders are searched by pattern."""
    kept.state.mkdir()
    (kept.state / "snapshots").write_text("")
    seen = overview_of(kept.configuration, kept.clock)
    assert f"cannot read {kept.state}/snapshots: not a directory; name a folder" in seen.unreadable


def test_what_cannot_be_read_hides_nothing_else(kept: Kept) -> None:
    """Each fault is said once, and the rest is there."""
    kept.settle()
    (kept.state / "document.json").write_text("{")
    (kept.state / "deliveries" / "bdii.json").unlink()
    (kept.state / "deliveries" / "bdii.json").mkdir()
    seen = overview_of(kept.configuration, kept.clock)
    assert len(seen.unreadable) == 2
    assert "bdii.json: is a directory" in seen.unreadable[0]
    assert "document.json is no JSON" in seen.unreadable[1]
    assert [part.observed_at for part in seen.parts] == [NOON - timedelta(seconds=60)]
    assert [one.delivery for one in seen.channels] == [None, "accepted"]
