"""How the log is written."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from infoprovider.cli import logs
from infoprovider.errors import StoreError

HOSTILE = 'line\n<3>ERROR: forged\r\x1b[2J\u202e\u2028"\\\udc80\x00'


log = logging.getLogger("infoprovider.test")
Said = Callable[[], list[str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """The lines on standard error since it was asked last."""
    return lambda: capsys.readouterr().err.split("\n")[:-1]


def set_up(chosen: logs.Format | None, *, verbose: bool = False) -> None:
    """Begin a log where the tests have none of their own."""
    logging.getLogger().handlers.clear()
    logs.set_up(chosen, verbose=verbose)


def fail() -> None:
    """Log something that was raised."""
    try:
        json.loads("{")
    except ValueError:
        log.exception("it failed")


def test_a_command_says_errors_only(said: Said) -> None:
    """And not where they were raised, which is for `--verbose`."""
    set_up(None)
    log.warning("a warning")
    fail()
    assert said() == ["ERROR: it failed"]


def test_verbose_says_everything_and_in_full(said: Said) -> None:
    """What was raised stays within its lines."""
    set_up(None, verbose=True)
    log.info("%d things", 3)
    fail()
    assert said()[:3] == ["INFO: 3 things", "ERROR: it failed", "Traceback (most recent call last):"]


def test_a_plain_message_cannot_leave_its_line(said: Said) -> None:
    """Nor forge another one, or play with the terminal."""
    set_up("plain")
    log.error("seen: %s", HOSTILE)
    assert said() == ['ERROR: seen: line\\n<3>ERROR: forged\\r\\x1b[2J\\u202e\\u2028"\\\\udc80\\x00']
    logs.follow("plain")
    log.critical("raised", exc_info=StoreError(HOSTILE))
    assert all(line.isprintable() for line in said())


def test_json_is_one_object_a_line_whatever_it_holds(said: Said) -> None:
    """Plain ASCII, with the moment in UTC, the names where they are known, and what was raised as text."""
    set_up("json")
    log.error("seen: %s", HOSTILE, extra={"instance": "north", "channel": HOSTILE})
    fail()
    lines = said()
    first, second = map(json.loads, lines)
    assert all(line.isascii() for line in lines)
    moment = first.pop("time")
    assert moment[10] == "T"
    assert moment.endswith("Z")
    assert first == {
        "level": "error",
        "logger": "infoprovider.test",
        "message": f"seen: {HOSTILE}",
        "instance": "north",
        "channel": HOSTILE,
    }
    assert second["message"] == "it failed"
    assert second["exception"].startswith("Traceback")
    assert {"instance", "channel"} & second.keys() == set()


def test_the_daemon_writes_as_it_is_configured(said: Said) -> None:
    """Everything from then on, and otherwise after a reload."""
    set_up(None)
    logs.follow("json")
    log.info("one")
    logs.follow("plain")
    log.info("two")
    one, two = said()
    assert json.loads(one)["message"] == "one"
    assert two == "INFO: two"


def test_the_command_line_stands_before_the_configuration(said: Said) -> None:
    """Whatever is read later."""
    set_up("json")
    logs.follow("plain")
    log.info("one")
    assert json.loads(said()[0])["message"] == "one"


def test_the_journal_is_told_priorities() -> None:
    """Before each line, but only where standard error is the line to the journal that systemd says."""
    code = (
        "import logging, os, sys; from infoprovider.cli import logs\n"
        "status = os.fstat(2); os.environ['JOURNAL_STREAM'] = f'{status.st_dev}:{status.st_ino + int(sys.argv[1])}'\n"
        "logs.set_up(None, verbose=True)\n"
        "log = logging.getLogger('x'); log.info('a'); log.warning('b'); log.error('c'); log.debug('d')\n"
    )

    def written(beside: int) -> list[str]:
        words = [sys.executable, "-c", code, str(beside)]
        return subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ).stderr.splitlines()

    assert written(0) == ["<6>INFO: a", "<4>WARNING: b", "<3>ERROR: c"]
    assert written(1) == ["INFO: a", "WARNING: b", "ERROR: c"]
