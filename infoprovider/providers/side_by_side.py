"""Asks several hosts at once, for managers that are one on each host: none waits for another, each has its limit."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from infoprovider.deadline import Deadline
from infoprovider.errors import CollectError, DeadlineExceeded

T = TypeVar("T")

PATIENCE = 1 / 3
"""The part of the time that is left at the beginning which one host may take."""


def side_by_side(
    hosts: Iterable[str], ask: Callable[[str], T], at_once: int, deadline: Deadline
) -> Iterator[tuple[str, T | CollectError]]:
    """What each host answers, as it comes; in its place the CollectError that asking it raised.

    A call that hangs inside a library cannot be ended: whoever takes too long is left behind in a thread of its own,
    which ends with the process of the collection. Raises what else `ask` raises.
    """
    answers: queue.SimpleQueue[tuple[str, T | Exception]] = queue.SimpleQueue()
    patience = deadline.remaining() * PATIENCE
    waiting = deque(hosts)
    asked: dict[str, Deadline] = {}

    def run(host: str) -> None:
        try:
            answers.put((host, ask(host)))
        except Exception as error:
            answers.put((host, error))

    while waiting or asked:
        while waiting and len(asked) < at_once:
            host = waiting.popleft()
            asked[host] = Deadline.after(min(patience, deadline.remaining() * 0.9))
            threading.Thread(target=run, args=(host,), name=f"asking {host}", daemon=True).start()
        try:
            host, answer = answers.get(timeout=max(0.001, min(limit.remaining() for limit in asked.values())))
        except queue.Empty:
            for host in [host for host, limit in asked.items() if not limit.remaining()]:
                del asked[host]
                reason = f"{host}: it did not answer in time; see whether it hangs, or give the instance more time"
                yield host, DeadlineExceeded(reason)
            continue
        if asked.pop(host, None) is None:
            continue  # it is too late: it was given up
        if isinstance(answer, Exception) and not isinstance(answer, CollectError):
            raise answer
        yield host, answer
