"""What is kept of a centre as gauges."""

from collections.abc import Mapping
from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from infoprovider import __version__
from infoprovider.clock import Clock
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Problem
from infoprovider.store.daemon import DaemonStore
from infoprovider.views.metrics import state_text
from infoprovider.views.status import State
from tests.publication.demo import NOON
from tests.views.centre import MANAGER, NAMED, UNNAMED, Kept

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: bytes) -> Samples:
    """Every sample of a text by its name and labels, as a reader that is not ours finds them."""
    return {
        (sample.name.removeprefix("infoprovider_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float | None:
    """One sample; None where there is none."""
    return found.get((name, frozenset(labels.items())))


def shown(kept: Kept) -> Samples:
    """What is shown of a centre."""
    return samples(state_text(kept.configuration, kept.clock))


def test_what_a_community_holds_on_several_hosts_is_as_old_as_the_oldest(kept: Kept) -> None:
    """No name of a host is shown."""
    kept.observe(10, Facet.USAGE, f"{NAMED} on node1")
    kept.observe(40, Facet.USAGE, f"{NAMED} on node2")
    assert value(shown(kept), "facet_age_seconds", manager=MANAGER, facet="usage", community="vo.bio") == 40
    assert "node" not in state_text(kept.configuration, kept.clock).decode()


def test_a_community_has_an_age_of_its_own_and_of_all_others_the_oldest_speaks(kept: Kept) -> None:
    """No name of a project that nobody named is shown, and what is withheld has a negative time left."""
    kept.observe(10, Facet.USAGE, NAMED)
    kept.observe(20, Facet.USAGE, "another")
    kept.observe(6 * 3600 + 5, Facet.USAGE, UNNAMED)
    found = shown(kept)
    own = {"manager": MANAGER, "facet": "usage"}
    assert value(found, "facet_age_seconds", **own, community="vo.bio") == 10
    assert value(found, "facet_age_seconds", **own, community="") == 6 * 3600 + 5
    assert value(found, "facet_expires_seconds", **own, community="vo.bio") == 6 * 3600 - 10
    assert value(found, "facet_expires_seconds", **own, community="") == -5
    text = state_text(kept.configuration, kept.clock).decode()
    assert UNNAMED not in text
    assert "another" not in text


def test_parts_are_counted_by_state(kept: Kept) -> None:
    """Also where there are none in it; what is not offered has no age."""
    kept.observe(60)
    gone = Problem(facet=Facet.NETWORKS, reason="no such call")
    kept.attempt(Problem(facet=Facet.IMAGES, reason="timed out"), not_offered=(gone,))
    found = shown(kept)
    counted = {
        (labels["facet"], labels["state"]): count
        for (name, pairs), count in found.items()
        if name == "facet_parts" and (labels := dict(pairs))
    }
    assert {key for key, count in counted.items() if count == 1} == {("images", "failing"), ("networks", "not_offered")}
    assert len(counted) == 2 * len(State)
    assert value(found, "facet_age_seconds", manager=MANAGER, facet="networks", community="") is None


def test_the_document_is_shown_by_class_and_by_what_it_leaves_out(kept: Kept) -> None:
    """With its age, and its moment for those who read a file that is no longer written."""
    kept.compose(90, withheld=2, quarantined=1, site="template x fails")
    found = shown(kept)
    assert value(found, "document_age_seconds") == 90
    assert value(found, "document_timestamp_seconds") == (NOON - timedelta(seconds=90)).timestamp()
    assert value(found, "document_entries", **{"class": "AdminDomain"}) == 1
    left_out = [value(found, "document_left_out", reason=one) for one in ("withheld", "quarantined", "pruned")]
    assert left_out == [2, 1, 0]
    assert value(found, "unchanged_trees") == 1


def test_channels_are_shown_with_their_last_success(kept: Kept) -> None:
    """One that never took a document has failures only."""
    kept.deliver(40, "bdii")
    kept.deliveries.failed("broker", kept.clock.ago(5), "full")
    found = shown(kept)
    assert value(found, "delivery_age_seconds", channel="bdii") == 40
    assert value(found, "delivery_timestamp_seconds", channel="bdii") == (NOON - timedelta(seconds=40)).timestamp()
    assert value(found, "delivery_failures", channel="bdii") == 0
    assert value(found, "delivery_age_seconds", channel="broker") is None
    assert value(found, "delivery_failures", channel="broker") == 1


def test_a_configuration_that_was_not_taken_is_shown(kept: Kept) -> None:
    """As long as the daemon says so."""
    kept.settle()
    assert value(shown(kept), "configuration_ok") == 1
    now = Clock().read()
    DaemonStore(kept.state).keep(now, now, ("site.yaml:3: wrong",))
    assert value(shown(kept), "configuration_ok") == 0


def test_what_cannot_be_read_is_shown_as_such(kept: Kept) -> None:
    """The rest is there all the same."""
    kept.settle()
    found = shown(kept)
    assert (value(found, "state_readable"), value(found, "set_aside_files")) == (1, 0)
    (kept.state / "document.json").write_text("{")
    (kept.state / "snapshots" / MANAGER / "images.json").write_text("{")
    found = shown(kept)
    assert (value(found, "state_readable"), value(found, "set_aside_files")) == (0, 1)
    assert value(found, "document_age_seconds") is None
    assert value(found, "delivery_age_seconds", channel="bdii") == 20
    assert [labels for name, labels in found if name == "build_info" and ("version", __version__) in labels]
