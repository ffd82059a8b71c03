"""One line for Nagios: the level, what is the matter, and numbers."""

import re
from dataclasses import replace

import pytest

from infoprovider.clock import Clock
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Problem
from infoprovider.store.daemon import DaemonStore
from infoprovider.views.nagios import Level, Limits, Verdict, judge
from infoprovider.views.overview import overview_of
from tests.views.centre import MANAGER, UNNAMED, Kept

MINUTE, HOUR = 60, 3600
NUMBER = re.compile(r"'([^'=]+)'=(-?[\d.]+)(s?);(\d*);(\d*);0")


def seen(kept: Kept, **limits: float) -> Verdict:
    """What the probe says."""
    return judge(kept.configuration, overview_of(kept.configuration, kept.clock), Limits(**limits))


def said(verdict: Verdict) -> str:
    """The text of a line, without its level and its numbers."""
    head, _, text = verdict.line.partition(" - ")
    assert head == f"INFOPROVIDER {verdict.level.name}"
    return text.partition(" | ")[0]


def numbers(verdict: Verdict) -> dict[str, tuple[str, str, str, str]]:
    """The performance data: value, unit, warning and critical by label, each in the form of the guidelines."""
    drawn = verdict.line.partition(" | ")[2]
    found = {match[1]: (match[2], match[3], match[4], match[5]) for match in NUMBER.finditer(drawn)}
    assert len(found) == len(drawn.split(" "))
    return found


def test_all_is_well(kept: Kept) -> None:
    """With everything that can be drawn, and at which values it would be said."""
    kept.settle()
    verdict = seen(kept)
    assert verdict.level is Level.OK
    assert said(verdict) == "2 entries, of 1 parts of facets, delivered to bdii, broker"
    assert numbers(verdict) == {
        "document_age": ("30", "s", "300", "1200"),
        "delivery_age_bdii": ("20", "s", "300", "1200"),
        "delivery_age_broker": ("20", "s", "300", "1200"),
        "facet_age_demo-north": ("60", "s", "", ""),
        "facet_late_demo-north": ("0", "s", "0", ""),
        "stale": ("0", "", "", ""),
        "failing": ("0", "", "", ""),
        "lost": ("0", "", "", ""),
        "expired": ("0", "", "", ""),
        "entries": ("2", "", "", ""),
        "quarantined": ("0", "", "0", ""),
        "withheld": ("0", "", "", ""),
        "pruned": ("0", "", "", ""),
        "unchanged_trees": ("0", "", "0", ""),
    }


def test_before_the_first_collection_everything_is_missing(kept: Kept) -> None:
    """Nothing is known, composed, or delivered: that is critical, each for itself."""
    verdict = seen(kept)
    assert verdict.level is Level.CRITICAL
    assert said(verdict) == (
        "nothing was composed yet; channel bdii never took a document; channel broker never took a document; "
        "nothing is known of demo-north"
    )


@pytest.mark.parametrize(
    ("age", "limits", "level", "words"),
    [
        (30 * MINUTE, {}, Level.OK, ""),
        (31 * MINUTE, {}, Level.WARNING, "stale, last told 31 min ago"),
        (31 * MINUTE, {"warning": 2 * MINUTE}, Level.OK, ""),
        (33 * MINUTE, {"warning": 2 * MINUTE}, Level.WARNING, "stale, last told 33 min ago"),
        (23 * HOUR, {}, Level.WARNING, "stale, last told 23 h ago"),
        (23 * HOUR, {"critical": HOUR}, Level.CRITICAL, "stale, last told 23 h ago"),
        (24 * HOUR, {"warning": 48 * HOUR, "critical": 48 * HOUR}, Level.CRITICAL, "withheld, last told 1 d ago"),
    ],
)
def test_a_facet_may_be_late(kept: Kept, age: float, limits: dict[str, float], level: Level, words: str) -> None:
    """Images are fresh for half an hour: the limits count from there; what is withheld is critical in any case."""
    kept.settle()
    kept.observe(age)
    verdict = seen(kept, **limits)
    assert verdict.level is level
    if words:
        assert said(verdict) == f"demo-north: images {words}"
    assert numbers(verdict)["facet_late_demo-north"][0] == str(max(0, age - 30 * MINUTE))


@pytest.mark.parametrize(
    ("failed", "lost", "words"),
    [
        ("timed out", "", "demo-north: images failing, last told 1 min ago (timed out)"),
        ("", "403", "demo-north: images no longer allowed, last told 1 min ago (403)"),
    ],
)
def test_what_fails_is_a_warning_at_once(kept: Kept, failed: str, lost: str, words: str) -> None:
    """And critical when that lasts longer than is wanted."""
    kept.settle()
    problems = [Problem(facet=Facet.IMAGES, reason=failed)] if failed else []
    gone = (Problem(facet=Facet.IMAGES, reason=lost),) if lost else ()
    kept.attempt(*problems, not_offered=gone)
    verdict = seen(kept)
    assert (verdict.level, said(verdict)) == (Level.WARNING, words)
    kept.observe(50 * MINUTE)
    assert seen(kept, critical=10 * MINUTE).level is Level.CRITICAL


def test_what_cannot_be_had_is_not_missed(kept: Kept) -> None:
    """Nor what a manager describes, which holds until it is changed."""
    kept.settle()
    kept.attempt(not_offered=(Problem(facet=Facet.NETWORKS, reason="no such call"),))
    assert seen(kept).level is Level.OK
    kept.observe(25 * HOUR)
    kept.attempt(not_offered=(Problem(facet=Facet.IMAGES, reason="no right"),))
    assert seen(kept).level is Level.OK


@pytest.mark.parametrize(
    ("seconds", "limits", "level"),
    [
        (300, {}, Level.OK),
        (301, {}, Level.WARNING),
        (301, {"warning": 60}, Level.OK),
        (1200, {}, Level.WARNING),
        (1201, {}, Level.CRITICAL),
        (1201, {"critical": HOUR}, Level.WARNING),
    ],
)
def test_a_daemon_that_no_longer_works_is_noticed_by_what_it_left(
    kept: Kept, seconds: int, limits: dict[str, float], level: Level
) -> None:
    """Nobody needs to be running to be asked."""
    kept.settle()
    kept.compose(seconds)
    verdict = seen(kept, **limits)
    assert verdict.level is level
    if level is not Level.OK:
        assert said(verdict) == f"nothing composed for {seconds // 60} min"


def test_a_daemon_that_died_is_a_warning_at_once(kept: Kept) -> None:
    """Before anything is late; so is a configuration that it could not take."""
    kept.settle()
    now = Clock().read()
    DaemonStore(kept.state).keep(now, now, ("site.yaml:3: wrong; mend it",))
    verdict = seen(kept)
    assert (verdict.level, said(verdict)) == (
        Level.WARNING,
        "the configuration is not taken: site.yaml:3: wrong; mend it",
    )
    overview = overview_of(kept.configuration, kept.clock)
    assert overview.daemon is not None
    died = replace(overview, daemon=replace(overview.daemon, is_running=False, pid=4711))
    verdict = judge(kept.configuration, died, Limits())
    assert (verdict.level, said(verdict)) == (Level.WARNING, "infoprovider run, process 4711, died")


def test_a_channel_that_fails_is_a_warning_and_becomes_critical(kept: Kept) -> None:
    """With the reason; one that served its purpose late is told by its age."""
    kept.settle()
    kept.deliveries.failed("bdii", kept.clock.ago(1), "cannot write: full; free some space")
    verdict = seen(kept)
    assert verdict.level is Level.WARNING
    assert said(verdict) == "channel bdii took nothing for 20 s (cannot write: full; free some space)"
    kept.deliver(1201, "broker")
    verdict = seen(kept)
    assert verdict.level is Level.CRITICAL
    assert said(verdict).startswith("channel broker took nothing for 20 min; channel bdii")


def test_quarantine_is_a_warning(kept: Kept) -> None:
    """With the first of them; what is withheld for lack of facts is only counted."""
    kept.settle()
    kept.compose(30, withheld=3, quarantined=2)
    verdict = seen(kept)
    assert (verdict.level, said(verdict)) == (Level.WARNING, "2 quarantined, first image-0: too long")
    assert numbers(verdict)["withheld"][0] == "3"


def test_a_tree_that_could_not_be_rendered_is_a_warning(kept: Kept) -> None:
    """Its readers go on with what was handed out before, until that expires."""
    kept.settle()
    kept.compose(30, site="template x fails")
    verdict = seen(kept)
    assert (verdict.level, said(verdict)) == (Level.WARNING, "the tree site stays as it was: template x fails")


def test_state_that_cannot_be_read_leaves_nothing_to_say(kept: Kept) -> None:
    """That is neither well nor critical."""
    kept.settle()
    (kept.state / "document.json").write_text("{")
    verdict = seen(kept)
    assert verdict.level is Level.UNKNOWN
    assert "document.json is no JSON" in said(verdict)
    assert "|" not in verdict.line


def test_a_file_that_was_set_aside_is_a_warning(kept: Kept) -> None:
    """Somebody should look at it."""
    kept.settle()
    (kept.state / "snapshots" / MANAGER / "networks.json").write_text("{")
    verdict = seen(kept)
    assert verdict.level is Level.WARNING
    assert said(verdict).startswith("set aside: ")


def test_the_line_is_one_line_whatever_managers_say(kept: Kept) -> None:
    """No line break, no `|` but the one before the numbers, no name of a project, and not too long."""
    hostile = "a|b\nOK\r\x00\u202e'x'=1;; " + "\U000e0001" * 10_000
    kept.settle()
    kept.observe(60, Facet.USAGE, UNNAMED)
    kept.attempt(Problem(facet=Facet.USAGE, part=UNNAMED, reason=hostile), Problem(facet=Facet.IMAGES, reason=hostile))
    kept.deliveries.failed("bdii", kept.clock.ago(1), hostile)
    line = seen(kept).line
    assert line.isprintable()
    assert line.count("|") == 1
    assert "a/b\\nOK\\r\\x00\\u202e" in line
    assert UNNAMED not in line
    assert len(line) < 1024


def test_only_the_worst_are_told(kept: Kept) -> None:
    """The others are counted."""
    names = [f"c{number}" for number in range(8)]
    block = kept.configuration.channels[0]
    channels = tuple(replace(block, block=block.block.model_copy(update={"name": name})) for name in names)
    kept.configuration = replace(kept.configuration, channels=channels)
    kept.settle()
    for name in names:
        kept.deliveries.failed(name, kept.clock.ago(1), "full")
    kept.deliver(20, "c0", "c1", "c2", "c3", "c4", "c5")
    verdict = seen(kept)
    assert verdict.level is Level.CRITICAL
    assert said(verdict) == "channel c6 never took a document (full); channel c7 never took a document (full)"
    for name in names[:6]:
        kept.deliveries.failed(name, kept.clock.ago(1), "full")
    assert said(seen(kept)).startswith("channel c6 never")
    assert said(seen(kept)).endswith("; and 3 more")
