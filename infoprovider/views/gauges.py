"""What is kept of a centre as Prometheus gauges, computed when they are asked for.

The label `manager` is the operator's name of an instance: `instance` is Prometheus' own label. Parts of a facet are
told apart only where a community is named for them; of all others, projects of nobody and hosts, the oldest speaks.
"""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from infoprovider import __version__
from infoprovider.clock import Clock
from infoprovider.config.model import Configuration
from infoprovider.views.overview import ChannelStatus, Overview, overview_of
from infoprovider.views.status import PartStatus, State

Communities = Mapping[tuple[str, str], str]
"""From an instance and a project of it to the community that works there."""

Labels = tuple[str, ...]
"""The values of a metric's labels, in their order."""


Moments = Mapping[Labels, datetime]


class Gauges(Collector):
    """Reads the folders of a configuration whenever it is asked; raises nothing for what cannot be read there."""

    def __init__(self, configuration: Callable[[], Configuration], clock: Clock) -> None:
        self._configuration = configuration
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Every gauge, those without a value too."""
        configuration = self._configuration()
        yield from gauges_of(configuration, overview_of(configuration, self._clock))


def gauges_of(configuration: Configuration, overview: Overview) -> Iterator[Metric]:
    """An overview as gauges."""
    build = InfoMetricFamily("infoprovider_build", "The version of infoprovider and of Python.")
    build.add_metric([], {"version": __version__, "python": platform.python_version()})
    yield build
    yield _gauge("state_readable", "1 where all of the state folder could be read.", int(not overview.unreadable))
    yield _gauge("set_aside_files", "Files of the state folder that could not be used.", len(overview.set_aside))
    daemon = overview.daemon
    yield _gauge(
        "configuration_ok",
        "0 where the daemon keeps to its former configuration because the file cannot be used.",
        int(daemon is None or not daemon.faults),
    )
    yield from _of_facets(overview.parts, _communities(configuration), overview.now)
    yield from _of_document(overview)
    yield from _of_channels(overview.channels, overview.now)


def _of_facets(parts: Iterable[PartStatus], communities: Communities, now: datetime) -> Iterator[Metric]:
    ages: dict[Labels, float] = {}
    left: dict[Labels, float] = {}
    states: dict[Labels, Counter[State]] = {}
    for part in parts:
        states.setdefault((part.instance, part.facet), Counter())[part.state] += 1
        project = part.part.partition(" on ")[0]  # of a project on one of several hosts
        community = communities.get((part.instance, part.part)) or communities.get((part.instance, project), "")
        key = part.instance, part.facet, community
        if part.observed_at is not None and part.state is not State.DECLARED:
            ages[key] = max(ages.get(key, 0.0), _seconds(part.observed_at, now))
        if part.expires_at is not None:
            left[key] = min(left.get(key, float("inf")), -_seconds(part.expires_at, now))
    labels = ("manager", "facet", "community")
    yield _family("facet_age_seconds", "Age of the oldest part of a facet.", labels, ages)
    yield _family(
        "facet_expires_seconds", "Time until the first part of a facet is withheld; negative afterwards.", labels, left
    )
    yield _family(
        "facet_parts",
        f"Parts of a facet by state: {', '.join(map(_word, State))}.",
        ("manager", "facet", "state"),
        {(*key, _word(state)): float(counted[state]) for key, counted in states.items() for state in State},
    )


def _of_document(overview: Overview) -> Iterator[Metric]:
    document, now = overview.document, overview.now
    composed: Moments = {} if document.composed_at is None else {(): document.composed_at}
    yield _family("document_age_seconds", "Age of the document.", (), _ages(composed, now))
    yield _family("document_timestamp_seconds", "When the document was composed, in Unix time.", (), _times(composed))
    classes = Counter(entry.entity for entry in document.entries.values())
    yield _family(
        "document_entries",
        "Entries of the document by GLUE 2.0 class.",
        ("class",),
        {(name,): float(count) for name, count in sorted(classes.items())},
    )
    left_out: dict[Labels, float] = {
        ("withheld",): float(len(document.withheld)),
        ("quarantined",): float(len(document.quarantined)),
        ("pruned",): float(len(document.pruned)),
    }
    yield _family(
        "document_left_out",
        "What the document leaves out: entries that are withheld or quarantined, references that are pruned.",
        ("reason",),
        left_out,
    )
    yield _gauge(
        "unchanged_trees", "Trees that could not be rendered anew, and stay as they were.", len(document.unchanged)
    )


def _of_channels(channels: Iterable[ChannelStatus], now: datetime) -> Iterator[Metric]:
    found = list(channels)
    delivered: Moments = {(one.channel,): one.delivered_at for one in found if one.delivered_at is not None}
    yield _family(
        "delivery_age_seconds", "Age of the last delivery that the channel took.", ("channel",), _ages(delivered, now)
    )
    yield _family(
        "delivery_timestamp_seconds",
        "When the channel last took a delivery, in Unix time.",
        ("channel",),
        _times(delivered),
    )
    yield _family(
        "delivery_failures",
        "Failed deliveries since the channel last took one.",
        ("channel",),
        {(one.channel,): float(one.failures) for one in found},
    )


def _communities(configuration: Configuration) -> Communities:
    return {
        (mapping.instance, mapping.project): community.name
        for community in configuration.communities
        for mapping in community.projects
    }


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"infoprovider_{name}", meaning, value=value)


def _family(name: str, meaning: str, labels: Labels, values: Mapping[Labels, float]) -> Metric:
    family = GaugeMetricFamily(f"infoprovider_{name}", meaning, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _ages(moments: Moments, now: datetime) -> dict[Labels, float]:
    return {key: _seconds(moment, now) for key, moment in moments.items()}


def _times(moments: Moments) -> dict[Labels, float]:
    return {key: moment.timestamp() for key, moment in moments.items()}


def _word(state: State) -> str:
    return state.replace(" ", "_")


def _seconds(moment: datetime, now: datetime) -> float:
    return (now - moment).total_seconds()
