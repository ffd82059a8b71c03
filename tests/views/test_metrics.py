"""What infoprovider does, counted."""

from dataclasses import replace
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Outcome, Problem
from infoprovider.secret import Secret
from infoprovider.settings import Settings
from infoprovider.views.metrics import Metrics
from tests.views.centre import MANAGER, Kept
from tests.views.test_gauges import samples, value


class Account(Settings):
    """Settings with secrets of both sorts."""

    user: str = "reader"
    password: Secret
    token: Secret


def test_collections_are_counted_by_how_they_went(kept: Kept) -> None:
    """Only what the last collection asked for counts: the outcome also tells of earlier attempts."""
    metrics = Metrics(kept.configuration, kept.clock)
    timed_out = Problem(facet=Facet.IMAGES, reason="timed out")
    gone = Problem(facet=Facet.IMAGES, part="p2", reason="no such call")
    metrics.collected(MANAGER, kept.attempt(answered=3), 0.2)
    metrics.collected(MANAGER, kept.attempt(timed_out, not_offered=(gone,)), 7)
    metrics.collected(MANAGER, kept.attempt(timed_out, timed_out, answered=0), 60)
    metrics.collected(MANAGER, Outcome(measured=True, attempts=()), 0)
    metrics.killed(MANAGER)
    metrics.skipped(MANAGER)
    metrics.skipped(MANAGER)
    found = samples(metrics.text())
    own = {"manager": MANAGER}
    results = [value(found, "collections_total", **own, result=one) for one in ("complete", "partly", "failed")]
    assert results == [2, 1, 1]
    answers = [
        value(found, "facet_answers_total", **own, facet="images", result=one)
        for one in ("answered", "failed", "not_offered")
    ]
    assert answers == [4, 3, 1]
    assert value(found, "facet_answers_total", **own, facet="prices", result="answered") is None
    assert value(found, "collection_duration_seconds_sum", **own) == 67.2
    assert value(found, "collection_duration_seconds_bucket", **own, le="10.0") == 3
    assert value(found, "collections_killed_total", **own) == 1
    assert value(found, "collections_skipped_total", **own) == 2


def test_compositions_deliveries_and_faults_are_counted(kept: Kept) -> None:
    """Failed ones apart from the others."""
    metrics = Metrics(kept.configuration, kept.clock)
    for added in (5, 0):
        metrics.composed(
            entries=5, added=added, modified=2, deleted=1, quarantined=0, pruned=0, withheld=0, seconds=0.5
        )
    metrics.not_composed("disk full")
    metrics.delivered("bdii", "accepted", 0.1)
    metrics.delivered("bdii", "unchanged", 0.1)
    metrics.delivered("bdii", None, 30)
    metrics.fault("publish")
    found = samples(metrics.text())
    assert [value(found, "compositions_total", result=one) for one in ("composed", "failed")] == [2, 1]
    changes = [value(found, "entries_changed_total", change=one) for one in ("added", "modified", "deleted")]
    assert changes == [5, 4, 2]
    assert value(found, "composition_duration_seconds_count") == 2
    deliveries = [
        value(found, "deliveries_total", channel="bdii", result=one) for one in ("accepted", "unchanged", "failed")
    ]
    assert deliveries == [1, 1, 1]
    assert value(found, "delivery_duration_seconds_sum", channel="bdii") == 30.2
    assert value(found, "faults_total", where="publish") == 1
    assert b"disk full" not in metrics.text()


def test_what_is_configured_is_counted_from_zero(kept: Kept) -> None:
    """Also after a reload, which brings new channels; a rate needs a zero to begin with."""
    metrics = Metrics(kept.configuration, kept.clock)
    found = samples(metrics.text())
    assert value(found, "collections_total", manager=MANAGER, result="failed") == 0
    assert value(found, "deliveries_total", channel="broker", result="failed") == 0
    assert value(found, "deliveries_total", channel="new", result="failed") is None
    bdii = kept.configuration.channels[0]
    new = replace(bdii, block=bdii.block.model_copy(update={"name": "new"}))
    metrics.configured(replace(kept.configuration, channels=(new,)))
    found = samples(metrics.text())
    assert value(found, "deliveries_total", channel="new", result="failed") == 0
    assert value(found, "delivery_failures", channel="new") == 0
    assert value(found, "delivery_failures", channel="broker") is None


def test_names_are_those_that_prometheus_wants(kept: Kept) -> None:
    """One prefix, a unit at the end, `_total` for what only grows, a sentence on each; the process is told too."""
    kept.settle()
    families = list(text_string_to_metric_families(Metrics(kept.configuration, kept.clock).text().decode()))
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert family.name.startswith("infoprovider_")
        assert family.documentation.endswith(".")
        assert family.type in ("gauge", "counter", "histogram")
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")
        assert not family.name.endswith("_created")
    assert "infoprovider_process_resident_memory_bytes" in {family.name for family in families}


def test_labels_with_anything_in_them_break_no_line(kept: Kept) -> None:
    """Quotes, line breaks and backslashes come back as they were."""
    hostile = 'a"b\n# HELP x\\y\r\u2028{}=,'
    metrics = Metrics(kept.configuration, kept.clock)
    metrics.skipped(hostile)
    metrics.fault(hostile)
    found = samples(metrics.text())
    assert value(found, "collections_skipped_total", manager=hostile) == 1
    assert value(found, "faults_total", where=hostile) == 1


def test_no_secret_is_shown(kept: Kept, tmp_path: Path) -> None:
    """Neither its value nor where it is kept."""
    (tmp_path / "token").write_text("t0p-secret")
    settings = Account(password=Secret(value="t0p-secret"), token=Secret(file=tmp_path / "token"))
    (instance,) = kept.configuration.instances
    kept.settle()
    text = (
        Metrics(replace(kept.configuration, instances=(replace(instance, settings=settings),)), kept.clock)
        .text()
        .decode()
    )
    for hidden in ("t0p-secret", "reader", "password", str(tmp_path)):
        assert hidden not in text
