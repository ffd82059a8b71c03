"""What infoprovider does, counted for Prometheus: collections, compositions, deliveries, and faults of our own.

How old things are is not counted but computed whenever somebody asks (`gauges.py`).
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import generate_latest

from infoprovider.clock import Clock, age
from infoprovider.config.model import Configuration
from infoprovider.inventory.observation import Attempt, Outcome
from infoprovider.views.gauges import Gauges

BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds: a description is read in a tenth of one, a large OpenStack is asked for a minute."""

CHANGES = ("added", "modified", "deleted")
DELIVERIES = ("accepted", "unchanged", "failed")


class Metrics:
    """Everything that is shown of one centre, in a registry of its own. Every method may be called from any thread."""

    def __init__(self, configuration: Configuration, clock: Clock) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no type here
        self._clock = clock
        self.registry = registry = CollectorRegistry()
        registry.register(Gauges(lambda: self._configuration, clock))
        ProcessCollector(namespace="infoprovider", registry=registry)
        self._collections = _counter(
            registry, "collections", "Collections by result: complete, partly, failed.", "manager", "result"
        )
        self._collecting = _histogram(registry, "collection_duration_seconds", "How long collections took.", "manager")
        self._answers = _counter(
            registry,
            "facet_answers",
            "Parts of facets that were asked for, by result: answered, failed, not_offered.",
            "manager",
            "facet",
            "result",
        )
        self._kills = _counter(
            registry, "collections_killed", "Collections that were ended at their deadline.", "manager"
        )
        self._skips = _counter(
            registry, "collections_skipped", "Collections that were due while the former one ran.", "manager"
        )
        self._compositions = _counter(registry, "compositions", "Compositions by result: composed, failed.", "result")
        self._composing = _histogram(registry, "composition_duration_seconds", "How long compositions took.")
        self._changes = _counter(
            registry, "entries_changed", "Entries of the tree resource that were added, modified, deleted.", "change"
        )
        self._deliveries = _counter(
            registry, "deliveries", "Deliveries by result: accepted, unchanged, failed.", "channel", "result"
        )
        self._delivering = _histogram(
            registry, "delivery_duration_seconds", "How long deliveries took, the failed ones too.", "channel"
        )
        self._faults = _counter(registry, "faults", "Faults of infoprovider itself, which it survived.", "where")
        self.configured(configuration)

    def configured(self, configuration: Configuration) -> None:
        """Take the configuration in force. What it names is shown at once: a rate needs a zero to begin with."""
        self._configuration = configuration
        for instance in configuration.instances:
            for result in ("complete", "partly", "failed"):
                self._collections.labels(instance.name, result)
            self._collecting.labels(instance.name)
            self._kills.labels(instance.name)
            self._skips.labels(instance.name)
        for channel in configuration.channels:
            for result in DELIVERIES:
                self._deliveries.labels(channel.name, result)
            self._delivering.labels(channel.name)
        for result in ("composed", "failed"):
            self._compositions.labels(result)
        for change in CHANGES:
            self._changes.labels(change)

    def text(self) -> bytes:
        """Everything as Prometheus reads it, in the text format of version 0.0.4."""
        return generate_latest(self.registry)

    def collected(self, instance: str, outcome: Outcome, seconds: float) -> None:
        """An instance was asked; the outcome also tells of facets that were asked for earlier."""
        attempts = _latest(outcome, self._clock)
        failed = any(one.failed for one in attempts)
        answered = any(one.answered for one in attempts)
        result = "complete" if not failed else "partly" if answered else "failed"
        self._collections.labels(instance, result).inc()
        self._collecting.labels(instance).observe(seconds)
        for one in attempts:
            counts = {"answered": one.answered, "failed": len(one.failed), "not_offered": len(one.not_offered)}
            for name, count in counts.items():
                self._answers.labels(instance, str(one.facet), name).inc(count)

    def killed(self, instance: str) -> None:
        """A collection had not ended by its deadline."""
        self._kills.labels(instance).inc()

    def skipped(self, instance: str) -> None:
        """A collection was due while the former one had not ended."""
        self._skips.labels(instance).inc()

    def composed(
        self,
        *,
        entries: int,
        added: int,
        modified: int,
        deleted: int,
        quarantined: int,
        pruned: int,
        withheld: int,
        seconds: float,
    ) -> None:
        """A document was composed. How much it holds and leaves out is read from it, and not counted."""
        del entries, quarantined, pruned, withheld
        self._compositions.labels("composed").inc()
        self._composing.observe(seconds)
        for change, count in zip(CHANGES, (added, modified, deleted), strict=True):
            self._changes.labels(change).inc(count)

    def not_composed(self, reason: str) -> None:
        """No document could be composed or kept; the reason is for the log."""
        del reason
        self._compositions.labels("failed").inc()

    def delivered(self, channel: str, delivery: str | None, seconds: float) -> None:
        """A channel took a document, or did not (None)."""
        self._deliveries.labels(channel, delivery or "failed").inc()
        self._delivering.labels(channel).observe(seconds)

    def fault(self, where: str) -> None:
        """Something happened that nobody foresaw; `where` is a word of ours."""
        self._faults.labels(where).inc()


def state_text(configuration: Configuration, clock: Clock) -> bytes:
    """What can be shown without a daemon, in the same format: the gauges of what is kept."""
    registry = CollectorRegistry()
    registry.register(Gauges(lambda: configuration, clock))
    return generate_latest(registry)


def _latest(outcome: Outcome, clock: Clock) -> list[Attempt]:
    """The attempts of the last collection: they ended at one moment."""
    now = clock.read()
    last = min((age(one.at, now) for one in outcome.attempts), default=None)
    return [one for one in outcome.attempts if age(one.at, now) == last]


def _counter(registry: CollectorRegistry, name: str, meaning: str, *labels: str) -> Counter:
    return Counter(f"infoprovider_{name}", meaning, labels, registry=registry)


def _histogram(registry: CollectorRegistry, name: str, meaning: str, *labels: str) -> Histogram:
    return Histogram(f"infoprovider_{name}", meaning, labels, registry=registry, buckets=BUCKETS)
