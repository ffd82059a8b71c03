"""Asking several hosts at once: none waits for another longer than must be."""

import threading
import time

import pytest

from infoprovider.deadline import Deadline
from infoprovider.errors import CollectError, DeadlineExceeded, Unreachable
from infoprovider.providers.side_by_side import side_by_side


def test_answers_come_as_they_are_given() -> None:
    """A host that takes its time is not waited for by those that do not."""
    others_are_done = threading.Event()

    def ask(host: str) -> str:
        if host == "slow":
            others_are_done.wait(30)
        return host.upper()

    found = []
    for host, answer in side_by_side(["slow", "a", "b"], ask, 3, Deadline.after(60)):
        found.append((host, answer))
        if len(found) == 2:
            others_are_done.set()
    assert sorted(found[:2]) == [("a", "A"), ("b", "B")]
    assert found[2] == ("slow", "SLOW")


def test_an_error_is_an_answer() -> None:
    """Of that host alone."""

    def ask(host: str) -> str:
        if host == "gone":
            raise Unreachable("gone: nobody there")
        return host

    found = dict(side_by_side(["gone", "here"], ask, 2, Deadline.after(30)))
    assert found["here"] == "here"
    assert isinstance(found["gone"], Unreachable)


def test_who_hangs_is_given_up_and_makes_room() -> None:
    """After its part of the time, with more hanging hosts than are asked at once."""
    released = threading.Event()

    def ask(host: str) -> str:
        if host.startswith("hanging"):
            released.wait(60)
        return host

    hosts = ["hanging-1", "hanging-2", "a", "b", "c"]
    found: dict[str, str | CollectError] = dict(side_by_side(hosts, ask, 2, Deadline.after(3)))
    released.set()
    assert {host for host, answer in found.items() if host == answer} == {"a", "b", "c"}
    for host in ("hanging-1", "hanging-2"):
        answer = found[host]
        assert isinstance(answer, DeadlineExceeded)
        assert str(answer).startswith(f"{host}: it did not answer in time; ")


def test_no_more_are_asked_at_once_than_may_be() -> None:
    """However many there are."""
    lock, now, most = threading.Lock(), [0], [0]

    def ask(host: str) -> str:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return host

    assert len(dict(side_by_side(map(str, range(20)), ask, 4, Deadline.after(60)))) == 20
    assert 1 < most[0] <= 4


def test_a_deadline_that_has_passed_ends_it() -> None:
    """Every host is told of all the same."""
    released = threading.Event()
    found = dict(side_by_side(["a", "b", "c"], lambda _: released.wait(60), 1, Deadline.after(0)))
    released.set()
    assert sorted(found) == ["a", "b", "c"]
    assert all(isinstance(answer, DeadlineExceeded) for answer in found.values())


def test_what_is_no_fault_of_a_host_is_raised() -> None:
    """A fault of the program is not hidden in an answer."""

    def ask(_: str) -> str:
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        list(side_by_side(["a"], ask, 1, Deadline.after(30)))
