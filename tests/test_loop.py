"""A loop goes on whatever a turn does, and tells whether it still turns."""

import logging
import threading
import time

import pytest

from infoprovider import loop as loop_module
from infoprovider.loop import Loop


def test_a_turn_that_fails_is_a_fault_and_the_loop_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged in full, told once, and the next turn comes."""
    monkeypatch.setattr(loop_module, "AFTER_A_FAULT", 0.01)
    turns, faults, went_on = [], [], threading.Event()

    def turn() -> None:
        turns.append(1)
        if len(turns) == 1:
            raise KeyError("unforeseen")
        went_on.set()
        loop.pause(10)

    loop = Loop("cellar", turn, within=10, wake=lambda: None, faulted=faults.append)
    with caplog.at_level(logging.ERROR):
        loop.start()
        assert went_on.wait(10)
    loop.stop()
    assert loop.join(10)
    assert faults == ["cellar"]
    assert "unforeseen" in (caplog.records[0].exc_text or "")


def test_a_turn_that_takes_too_long_is_seen() -> None:
    """And so is a loop that has ended."""
    hang = threading.Event()
    loop = Loop("cellar", lambda: hang.wait(10) and None, within=0.05, wake=hang.set, faulted=lambda _: None)
    loop.start()
    assert loop.is_turning
    time.sleep(0.1)
    assert not loop.is_turning
    loop.stop()
    assert loop.join(10)
    assert not loop.is_turning
    assert loop.is_stopped
