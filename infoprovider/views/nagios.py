"""One line for Nagios, Icinga and their like: what is the matter, and numbers to draw.

The form is that of the Monitoring Plugins' development guidelines: a word for the state, text, `|`, performance data as
`'label'=value[unit];warning;critical;least`. Parts of facets, which are projects and hosts, are not named; a reason is
told as its manager gave it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from infoprovider.config.model import ChannelBlock, Configuration, Instance
from infoprovider.views.overview import ChannelStatus, Overview
from infoprovider.views.status import PartStatus, State
from infoprovider.views.tables import length, printable

MAX_PHRASES = 5
MAX_REASON = 120

DOCUMENT_WITHIN = 300.0
"""Seconds within which a document is composed when all is well: the daemon needs one, a timer a few minutes."""

CRITICAL_AFTER = 900.0
"""Seconds of lateness of a document or a delivery that are critical unless something else is said: with what it took
before, an entry is then past its Validity at a top BDII."""


class Level(IntEnum):
    """What a probe returns to its scheduler."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How late something may be, in seconds, until that is a warning, and until it is critical.

    Late is a facet beyond its `fresh_for`, a document or a delivery beyond its rhythm. Without a `critical`, a facet is
    critical when it is withheld, the others after `CRITICAL_AFTER`.
    """

    warning: float = 0.0
    critical: float | None = None

    def level(self, late: float, critical: float | None) -> Level:
        """How bad it is to be so late."""
        if critical is not None and late > critical:
            return Level.CRITICAL
        return Level.WARNING if late > self.warning else Level.OK


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the probe returns, and its one line."""

    level: Level
    line: str


Phrase = tuple[Level, str]


def unknown(why: str) -> Verdict:
    """Nothing can be said, and why."""
    return Verdict(Level.UNKNOWN, _line(Level.UNKNOWN, [_shortened(why)], []))


def judge(configuration: Configuration, overview: Overview, limits: Limits) -> Verdict:
    """What is the matter with a centre."""
    if overview.unreadable:
        return unknown("; ".join(overview.unreadable))
    late = {
        instance.name: _Lateness(instance, configuration, overview.parts, overview.now)
        for instance in configuration.instances
    }
    rhythm = {one.name: _within(one.block) for one in configuration.channels}
    phrases = [
        *_of_daemon(overview),
        *_of_document(overview, limits),
        *(
            phrase
            for one in overview.channels
            for phrase in _of_channel(one, rhythm[one.channel], overview.now, limits)
        ),
        *(phrase for one in late.values() for phrase in one.phrases(limits)),
    ]
    bad = sorted((phrase for phrase in phrases if phrase[0] is not Level.OK), key=lambda phrase: -phrase[0])
    level = bad[0][0] if bad else Level.OK
    texts = [text for _, text in bad[:MAX_PHRASES]] or [_all_well(overview)]
    if len(bad) > MAX_PHRASES:
        texts.append(f"and {len(bad) - MAX_PHRASES} more")
    return Verdict(level, _line(level, texts, _numbers(overview, limits, rhythm, list(late.values()))))


def _of_daemon(overview: Overview) -> Iterator[Phrase]:
    daemon = overview.daemon
    if daemon is not None and not daemon.is_running:
        yield Level.WARNING, f"infoprovider run, process {daemon.pid}, died"
    elif daemon is not None and daemon.faults:
        yield Level.WARNING, f"the configuration is not taken: {_shortened(daemon.faults[0])}"
    if overview.set_aside:
        yield Level.WARNING, f"set aside: {_shortened(str(overview.set_aside[0].path))}"


def _of_document(overview: Overview, limits: Limits) -> Iterator[Phrase]:
    document = overview.document
    if document.composed_at is None:
        yield Level.CRITICAL, "nothing was composed yet"
        return
    seconds = _seconds(document.composed_at, overview.now)
    yield limits.level(seconds - DOCUMENT_WITHIN, _critical(limits)), f"nothing composed for {length(seconds)}"
    for tree, why in document.unchanged.items():
        yield Level.WARNING, f"the tree {tree} stays as it was: {_shortened(why)}"
    if document.quarantined:
        first = document.quarantined[0]
        why = _shortened(f"{first.id}: {first.why}")
        yield Level.WARNING, f"{len(document.quarantined)} quarantined, first {why}"


def _of_channel(one: ChannelStatus, within: float, now: datetime, limits: Limits) -> Iterator[Phrase]:
    why = f" ({_shortened(one.why)})" if one.why and one.failures else ""
    if one.delivered_at is None:
        yield Level.CRITICAL, f"channel {one.channel} never took a document{why}"
        return
    seconds = _seconds(one.delivered_at, now)
    level = limits.level(seconds - within, _critical(limits))
    yield (
        max(level, Level.WARNING if one.failures else Level.OK),
        (f"channel {one.channel} took nothing for {length(seconds)}{why}"),
    )


class _Lateness:
    """How late one instance is, and what is amiss with it."""

    def __init__(
        self, instance: Instance, configuration: Configuration, parts: Iterable[PartStatus], now: datetime
    ) -> None:
        self.instance = instance.name
        self._parts = [part for part in parts if part.instance == instance.name]
        # What is described or declared does not age, and what cannot be had is not missed.
        ageing = [part for part in self._parts if part.expires_at is not None and part.state is not State.NOT_OFFERED]
        ages = [(part, _seconds(part.observed_at, now)) for part in ageing if part.observed_at is not None]
        self._late = {
            part: max(0.0, seconds - configuration.freshness_of(part.facet).fresh_for) for part, seconds in ages
        }
        self._ages = dict(ages)
        self.late = max(self._late.values(), default=0.0)
        self.age = max((seconds for _, seconds in ages), default=None)

    def phrases(self, limits: Limits) -> Iterator[Phrase]:
        """What is withheld, failing, lost or late."""
        if not any(part.observed_at for part in self._parts):
            reasons = [part.reason for part in self._parts if part.reason]
            yield Level.CRITICAL, f"nothing is known of {self.instance}{_because(reasons)}"
            return
        for state, level, words in (
            (State.EXPIRED, Level.CRITICAL, "withheld"),
            (State.FAILING, Level.WARNING, "failing"),
            (State.LOST, Level.WARNING, "no longer allowed"),
        ):
            yield from self._phrase([part for part in self._parts if part.state is state], level, words, limits)
        yield from self._phrase([part for part in self._parts if part.state is State.STALE], Level.OK, "stale", limits)

    def _phrase(self, parts: Sequence[PartStatus], least: Level, words: str, limits: Limits) -> Iterator[Phrase]:
        if not parts:
            return
        level = max(least, *(limits.level(self._late.get(part, 0.0), limits.critical) for part in parts))
        facets = ", ".join(dict.fromkeys(str(part.facet) for part in parts))
        oldest = max((self._ages[part] for part in parts if part in self._ages), default=None)
        told = f", last told {length(oldest)} ago" if oldest is not None else ""
        yield level, f"{self.instance}: {facets} {words}{told}{_because([part.reason for part in parts])}"

    def count(self, state: State) -> int:
        """How many parts are in a state."""
        return sum(part.state is state for part in self._parts)


def _all_well(overview: Overview) -> str:
    known = [part for part in overview.parts if part.observed_at is not None]
    channels = ", ".join(one.channel for one in overview.channels) or "no channel"
    return f"{len(overview.document.entries)} entries, of {len(known)} parts of facets, delivered to {channels}"


def _numbers(overview: Overview, limits: Limits, rhythm: dict[str, float], late: Sequence[_Lateness]) -> Iterator[str]:
    document = overview.document
    critical = _critical(limits)
    if document.composed_at is not None:
        age = _seconds(document.composed_at, overview.now)
        yield _number("document_age", age, "s", DOCUMENT_WITHIN + limits.warning, DOCUMENT_WITHIN + critical)
    for channel in overview.channels:
        if channel.delivered_at is not None:
            within = rhythm[channel.channel]
            age = _seconds(channel.delivered_at, overview.now)
            yield _number(f"delivery_age_{channel.channel}", age, "s", within + limits.warning, within + critical)
    for one in late:
        if one.age is not None:
            yield _number(f"facet_age_{one.instance}", one.age, "s")
            yield _number(f"facet_late_{one.instance}", one.late, "s", limits.warning, limits.critical)
    for state in (State.STALE, State.FAILING, State.LOST, State.EXPIRED):
        yield _number(str(state), sum(one.count(state) for one in late))
    yield _number("entries", len(document.entries))
    yield _number("quarantined", len(document.quarantined), "", 0)
    yield _number("withheld", len(document.withheld))
    yield _number("pruned", len(document.pruned))
    yield _number("unchanged_trees", len(document.unchanged), "", 0)


def _number(
    label: str, value: float, unit: str = "", warning: float | None = None, critical: float | None = None
) -> str:
    limits = ["" if one is None else f"{one:.0f}" for one in (warning, critical)]
    return f"'{label}'={value:.0f}{unit};{limits[0]};{limits[1]};0"


def _line(level: Level, texts: Sequence[str], numbers: Iterable[str]) -> str:
    said = f"INFOPROVIDER {level.name} - {'; '.join(texts)}".replace("|", "/")
    drawn = " ".join(numbers)
    return f"{said} | {drawn}" if drawn else said


def _because(reasons: Iterable[str | None]) -> str:
    why = next((reason for reason in reasons if reason), None)
    return f" ({_shortened(why)})" if why else ""


def _shortened(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= MAX_REASON else f"{shown[: MAX_REASON - 3]}..."


def _critical(limits: Limits) -> float:
    return CRITICAL_AFTER if limits.critical is None else limits.critical


def _within(block: ChannelBlock) -> float:
    """Seconds within which a channel takes a document when all is well; a timer does not serve it at its own rhythm."""
    return max(DOCUMENT_WITHIN, 2 * block.every + block.deadline)


def _seconds(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())
