"""Whether a provider keeps its contract, by running it as a collection would."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from infoprovider import plugins
from infoprovider.collection.child import collect
from infoprovider.deadline import Deadline
from infoprovider.errors import InfoproviderError
from infoprovider.inventory.model import Facet
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed, ProviderSpec, S
from infoprovider.testing.plug_in import breaches_of_secrecy, breaches_of_spec, in_words, secrets_of
from infoprovider.testing.running import PATIENCE, Noted, Noting, run
from infoprovider.testing.values import breaches_of_value

SHORT = 0.2
"""Seconds of the collection that has too little time."""


def yesterday() -> datetime:
    """A clock that stands a day back: whoever reads another one than the context's answers from the future."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def check_provider(
    spec: ProviderSpec[S],
    settings: S,
    *,
    deadline: float = 30.0,
    now: Callable[[], datetime] = yesterday,
    may_be_empty: Iterable[Facet] = (),
    secrets: Iterable[str] = (),
) -> list[str]:
    """Every breach of the contract of providers, in plain words.

    The manager behind the settings should answer: with nothing observed, little can be checked. It is asked for all
    facets, for each half of them, and with too little time. `deadline` is in seconds, for each collection. `now` is
    the context's clock; give the real one where times come from elsewhere, as from a program. Facets in `may_be_empty`
    are known to have nothing. No secret of the settings may show anywhere, nor any of `secrets`.

    Raises ConfigError where a secret of the settings cannot be read.
    """
    hidden = secrets_of(settings, secrets)
    collections = list(_collections(spec, settings, deadline, now))
    found = [
        *breaches_of_spec(spec, plugins.PROVIDERS, settings),
        *_breaches_of_check(spec, settings),
        *(breach for made in collections for breach in made.breaches(frozenset(may_be_empty))),
        *breaches_of_secrecy(hidden, (text for made in collections for text in made.told()), settings),
    ]
    return list(dict.fromkeys(found))


def _collections(
    spec: ProviderSpec[S], settings: S, seconds: float, now: Callable[[], datetime]
) -> "Iterator[_Collection]":
    """For all facets, for each half of them, and in a hurry; none after one that does not end."""
    ordered = sorted(spec.facets)
    first = _collected(_Collection(seconds=seconds), spec, settings, spec.facets, now)
    yield first
    if not first.noted.is_over:
        return
    for half in filter(None, (frozenset(ordered[::2]), frozenset(ordered[1::2]))):
        about = f"asked for {', '.join(sorted(half))} alone: "
        yield _collected(_Collection(seconds=seconds, about=about), spec, settings, half, now)
    about = f"with {SHORT:g} s to go: "
    yield _collected(_Collection(seconds=SHORT, about=about, in_a_hurry=True), spec, settings, spec.facets, now)


def _collected(
    made: "_Collection", spec: ProviderSpec[S], settings: S, wanted: frozenset[Facet], now: Callable[[], datetime]
) -> "_Collection":
    """Run a collection and note what comes of it."""

    def recorded(settings: S, context: CollectContext) -> Iterator[Answer]:
        try:
            for answer in spec.collect(settings, context):
                made.given.append(answer)
                yield answer
        except (Exception, SystemExit) as error:
            made.error = error
            raise

    logger = logging.Logger(f"{__name__}.{spec.kind}")
    logger.addHandler(Noting(made.logged))
    context = CollectContext(
        instance="checked",
        wanted=wanted,
        deadline=Deadline.after(made.seconds),
        now=now,
        log=logging.LoggerAdapter(logger, {"instance": "checked"}),
    )
    made.noted = run(
        lambda: made.came.extend(collect(replace(spec, collect=recorded), settings, context)), made.seconds
    )
    return made


def _breaches_of_check(spec: ProviderSpec[S], settings: S) -> Iterator[str]:
    for finding in spec.check(settings) if spec.check is not None else ():
        yield f"its check finds fault with settings that should work: {finding}"


@dataclass(kw_only=True)
class _Collection:
    """One collection: what the provider said, what a collection makes of it, and all that happened beside."""

    seconds: float
    about: str = ""
    in_a_hurry: bool = False
    given: list[Answer] = field(default_factory=list)
    came: list[Answer] = field(default_factory=list)
    error: BaseException | None = None
    logged: list[str] = field(default_factory=list)
    noted: Noted = field(default_factory=Noted)

    def breaches(self, may_be_empty: frozenset[Facet]) -> Iterator[str]:
        """What is wrong with it."""
        wrong = [*self._happenings()]
        if not self.in_a_hurry:
            wrong += [*self._omissions(), *self._values(may_be_empty)]
        for breach in wrong:
            yield f"{self.about}{breach}"

    def told(self) -> Iterator[str]:
        """Everything that left the provider, as text."""
        yield from map(repr, self.given)
        yield from (*self.logged, *self.noted.logged, self.noted.printed)
        if self.error is not None:
            yield str(self.error)

    def _happenings(self) -> Iterator[str]:
        if not self.noted.is_over:
            yield f"it was told to be done in {self.seconds:g} s, and still ran {PATIENCE:g} s after that"
        if self.noted.printed:
            yield f"it wrote to standard output, which belongs to the answers: {self.noted.printed[:80]!r}"
        if self.error is not None and not isinstance(self.error, InfoproviderError):
            yield (
                f"it raised {in_words(self.error)}; a provider translates the errors of its library into those of "
                "infoprovider.errors at its border"
            )

    def _omissions(self) -> Iterator[str]:
        """What a collection dropped, replaced or added."""
        dropped = "contract broken: "
        yield from (line.removeprefix(dropped) for line in self.logged if line.startswith(dropped))
        own = {id(answer) for answer in self.given}
        for answer in self.came:
            if not isinstance(answer, Failed) or id(answer) in own:
                continue
            if self.error is None or str(self.error) not in answer.reason:
                yield f"{_named(answer)}: {answer.reason}{self._hint(answer.reason)}"

    def _values(self, may_be_empty: frozenset[Facet]) -> Iterator[str]:
        for answer in self.given:
            if isinstance(answer, Observed):
                yield from (f"{_named(answer)}: {breach}" for breach in breaches_of_value(answer, may_be_empty))
            elif isinstance(answer, Failed | NotOffered) and not answer.reason.strip():
                yield f"{_named(answer)}: {type(answer).__name__} without a reason"
        if not self.about and not any(isinstance(answer, Observed) for answer in self.came):
            why = next((answer.reason for answer in self.came if isinstance(answer, Failed)), "it said nothing")
            yield f"nothing was observed, so little could be checked: {why}"

    @staticmethod
    def _hint(reason: str) -> str:
        if "clock is ahead" not in reason:
            return ""
        return " (take the time from context.now alone: the clock of this check stands a day back, unless you gave one)"


def _named(answer: Observed | Failed | NotOffered) -> str:
    return f"{answer.facet} of {answer.part}" if answer.part else str(answer.facet)
