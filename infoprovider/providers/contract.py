"""What a provider is: a settings class, one generator function, a spec. No inheritance.

What it promises:

1. It yields a facet as soon as it has it, cheap and important ones first; what was yielded before the deadline is kept.
2. It answers every part of each wanted facet once, by `Observed`, `Failed` or `NotOffered`; silence counts as failed.
   Success with an empty list where rights are missing is `NotOffered`, never an empty truth.
3. It writes None for what it does not know: never 0, never a constant that looks like an answer.
4. It does not retry, cache, read the clock except through `now`, or write files. It sleeps only where its manager asks
   for a pause, and only a part of the time that is left.
5. It translates its library's exceptions into ours at its border, with `from`.
6. Fetching and reshaping are separate: `fetch_*` functions talk, `to_*` functions are pure.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

from infoprovider.deadline import Deadline
from infoprovider.errors import Finding
from infoprovider.inventory.model import Facet
from infoprovider.inventory.observation import Observed

S = TypeVar("S", bound=BaseModel)
S_contra = TypeVar("S_contra", bound=BaseModel, contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It should have answered and did not: last good is kept, health and exit code say so.

    `plug_in` is whether the provider itself failed, so that nothing is known of the manager.
    """

    facet: Facet
    part: str = ""
    reason: str
    retryable: bool
    plug_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOffered:
    """No right, no such call, not knowable: shown once, leaves health and exit code alone."""

    facet: Facet
    part: str = ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Ends a facet: which parts exist now, so that removed ones go and failed ones stay."""

    facet: Facet
    parts: frozenset[str]


__all__ = [
    "Address",
    "Answer",
    "AnyProviderSpec",
    "Collect",
    "CollectContext",
    "Failed",
    "NotOffered",
    "Observed",
    "Parts",
    "ProviderSpec",
    "Watch",
    "WatchContext",
]

Answer: TypeAlias = Observed | Failed | NotOffered | Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectContext:
    """What a collection is asked for: by the operator's instance name, which facets, until when, and its clock."""

    instance: str
    wanted: frozenset[Facet]
    deadline: Deadline
    now: Callable[[], datetime]
    log: "logging.LoggerAdapter[logging.Logger]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a manager is asked: `url` without a password, `authorities` is the file of those whose certificates count.

    Without `authorities` the system's count; `is_verified` is False where the operator wants no certificate checked.
    """

    url: str
    authorities: Path | None = None
    is_verified: bool = True


class Collect(Protocol[S_contra]):
    """A provider's one function: settings and context in, answers out as they come."""

    def __call__(self, settings: S_contra, context: CollectContext, /) -> Iterator[Answer]:
        """Answer every part of each wanted facet once, each as soon as it is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchContext:
    """What a watch is told: the operator's instance name, and until when."""

    instance: str
    deadline: Deadline
    log: "logging.LoggerAdapter[logging.Logger]"


class Watch(Protocol[S_contra]):
    """A provider's second function, where its manager tells by itself that something happens.

    It waits, and yields the facets that may say something else now; none where that is not known, which stands for
    capacity, quotas, usage and machines. What they say is asked for by collecting: an event is no observation. It ends
    by its deadline and is started again; what happened in between is seen by the next collection. Raises what `collect`
    raises.
    """

    def __call__(self, settings: S_contra, context: WatchContext, /) -> Iterator[frozenset[Facet]]:
        """Yield an event as soon as it is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec(Generic[S]):
    """What a provider module registers: group `infoprovider.providers`, name = kind, value = `module:SPEC`.

    `facets` is what this manager can ever answer. `measures` is whether an answer proves that the manager is alive:
    False for a description that is read from a file. `needs` are importable names of optional packages. `check` finds
    what `infoprovider check` can tell of the settings without asking the manager or the network: files that they name,
    programs that are not there. `watch` waits for the manager's own events, where `is_watched` says of the settings
    that there are any. `addresses` are where the manager is asked first, as far as the settings tell, so that
    `infoprovider check --deep` can tell a network from a manager; it raises ConfigError where they cannot be read.
    """

    kind: str
    settings: type[S]
    facets: frozenset[Facet]
    collect: Collect[S]
    measures: bool = True
    needs: tuple[str, ...] = ()
    check: Callable[[S], Iterable[Finding]] | None = None
    watch: Watch[S] | None = None
    is_watched: Callable[[S], bool] = lambda _: True
    addresses: Callable[[S], Iterable[Address]] | None = None


AnyProviderSpec: TypeAlias = ProviderSpec[Any]
