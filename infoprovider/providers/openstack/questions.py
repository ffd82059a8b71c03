"""The questions of one collection: each is asked once, several at a time, and remembered with when it was asked."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, TypeVar

from infoprovider.errors import Malformed

T = TypeVar("T", covariant=True)
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What was answered, when it was asked (UTC), by which calls; `notes` are for the operator."""

    value: T
    at: datetime
    calls: tuple[str, ...]
    notes: tuple[str, ...] = ()


def joined(value: U, *tolds: Told[object]) -> Told[U]:
    """What is made of several answers: as old as the oldest of them."""
    return Told(
        value,
        min(told.at for told in tolds),
        tuple(dict.fromkeys(call for told in tolds for call in told.calls)),
        tuple(dict.fromkeys(note for told in tolds for note in told.notes)),
    )


def not_as_documented(what: str, error: Exception) -> Malformed:
    """An answer that lacks something, or has something else in its place."""
    return Malformed(
        f"{what}: the answer is not as documented ({type(error).__name__}: {error}); "
        "look at what stands between us and the cloud"
    )


class Questions:
    """Asks over a bounded number of connections. An error is an answer as well: whoever waits for it gets it."""

    def __init__(self, connections: int, now: Callable[[], datetime]) -> None:
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="openstack")
        self._now = now
        self._asked: dict[Hashable, Future[Told[Any]]] = {}

    def __enter__(self) -> "Questions":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Who is being asked now has the deadline of the collection; nobody waits for what is no longer wanted.
        self._pool.shutdown(wait=False, cancel_futures=True)

    def ask(self, call: str, fetch: Callable[..., U], *arguments: Any, **options: Any) -> "Future[Told[U]]":
        """The answer to come. The same question with the same hashable arguments is asked once."""
        key = (call, arguments, tuple(sorted(options.items())))
        if key not in self._asked:
            self._asked[key] = self._pool.submit(self._fetch, call, fetch, arguments, options)
        return self._asked[key]

    def _fetch(self, call: str, fetch: Callable[..., U], arguments: Any, options: Any) -> Told[U]:
        at = self._now()
        try:
            return Told(fetch(*arguments, **options), at, (call,))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise not_as_documented(call, error) from error
