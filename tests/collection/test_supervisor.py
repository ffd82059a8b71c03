"""Collections in processes of their own, all of them real: whatever they do, they are gone in time and answered."""

import logging
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infoprovider.collection.process import PATIENCE, Limits
from infoprovider.collection.supervisor import CHILD, LIMITS, supervise
from infoprovider.deadline import Deadline
from infoprovider.inventory.model import Capacity, Facet
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed
from infoprovider.providers.static import StaticSettings
from infoprovider.secret import Secret
from infoprovider.settings import Duration, FilePath, Settings

FAKES = Path(__file__).parents[1] / "fakes"
DESCRIPTION = Path(__file__).parents[2] / "examples" / "demo" / "north.yaml"
WANTED = frozenset({Facet.CAPACITY, Facet.IMAGES, Facet.USAGE})
DEADLINE = 1.0
WITHIN = 1.0
"""Seconds after the deadline in which everything has to be gone."""


class Account(Settings):
    """Settings as a configuration has them, of the provider in fakes/plugins."""

    way: str = "well"
    password: Secret | None = None
    file: FilePath | None = None
    pause: Duration = 60.0


def context(seconds: float = DEADLINE) -> CollectContext:
    """What is asked for."""
    return CollectContext(
        instance="north",
        wanted=WANTED,
        deadline=Deadline.after(seconds),
        now=lambda: datetime.now(UTC).replace(microsecond=0),
        log=logging.LoggerAdapter(logging.getLogger("collection"), {}),
    )


def with_mark(mark: str) -> list[int]:
    """The processes in whose command line or environment this text stands; those that have ended have neither."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                seen = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:  # it has gone
                continue
            if mark.encode() in seen:
                found.append(int(folder.name))
    return found


@pytest.fixture
def mark() -> Iterator[str]:
    """A text that only the processes of this test carry; none of them outlives it."""
    text = f"mark-{uuid.uuid4().hex}"
    yield text
    for _ in range(20):
        for pid in with_mark(text):
            os.kill(pid, signal.SIGKILL)


def hostile(way: str, mark: str) -> tuple[str, ...]:
    """The command of a program that misbehaves this way."""
    return (sys.executable, "-I", "-S", str(FAKES / "hostile.py"), way, mark)


@dataclass(frozen=True)
class Ended:
    """What came of a collection."""

    answers: list[Answer]
    late: float
    left: list[int]

    @property
    def images(self) -> Failed:
        """What became of the facet that was not delivered."""
        (failed,) = (answer for answer in self.answers if answer.facet == Facet.IMAGES)
        assert isinstance(failed, Failed)
        return failed


def collected(way: str, mark: str, seconds: float = DEADLINE, limits: Limits = LIMITS) -> Ended:
    """Collect from a hostile program: what came, how long after the deadline it ended, and what it left running."""
    asked = context(seconds)
    answers = list(supervise("none", Settings(), asked, command=hostile(way, mark), limits=limits))
    return Ended(answers, time.monotonic() - asked.deadline.at, with_mark(mark))


HANGING = (
    "mute",
    "drip",
    "family",
    "session",
    "deaf",
    "breeding",
    "hopping",
    "hopping_sessions",
    "silent",
)
STOPPED = {
    "flood": "its process printed more than 64 MiB on standard output",
    "chatter": "its process printed more than 100 lines that are no answers to what was asked",
    "long_line": "its process printed more than 64 MiB on standard output",
    "endless": "its process printed more than 64 MiB on standard output",
    "shouting": "its process printed more than 16 MiB on standard error",
}
ENDING = {
    "daemon": ("its process ended without answering this", False),
    "well": ("its process ended without answering this", False),
    "rubbish": ("its process ended without answering this; a line of the collection cannot be used", False),
    "remarks": ("its process ended with exit code 3: the reason, at last", False),
    "dies": ("its process died by signal SIGSEGV", False),
    "killed": ("its process died by signal SIGKILL", True),
}


@pytest.mark.parametrize("way", HANGING)
def test_what_hangs_is_gone_at_its_deadline(way: str, mark: str) -> None:
    """With all descendants, within a second; what it had delivered is kept and the rest says that time was up."""
    ended = collected(way, mark)
    assert ended.left == []
    assert -0.01 < ended.late < WITHIN
    assert [answer.facet for answer in ended.answers if isinstance(answer, Observed)] == [Facet.CAPACITY]
    assert ended.images.reason.startswith("its process had not ended by its deadline of 1 s")
    assert ended.images.retryable
    assert not ended.images.plug_in  # as a rule it is the manager that does not answer


@pytest.mark.parametrize("way", STOPPED)
def test_what_prints_too_much_is_ended_at_once(way: str, mark: str) -> None:
    """It is not given the time that is left, and what it had delivered is kept."""
    ended = collected(way, mark, 20)
    assert ended.left == []
    assert ended.late < -10
    assert isinstance(ended.answers[0], Observed)
    assert ended.images.reason.startswith(STOPPED[way])
    assert not ended.images.retryable


@pytest.mark.parametrize("way", ENDING)
def test_what_ends_by_itself_says_how(way: str, mark: str) -> None:
    """At once, with whatever it left running; what it did not answer has failed, with what happened to it."""
    ended = collected(way, mark, 20)
    reason, retryable = ENDING[way]
    assert ended.left == []
    assert ended.late < -18
    assert isinstance(ended.answers[0], Observed)
    assert [answer.facet for answer in ended.answers] == [Facet.CAPACITY, Facet.IMAGES, Facet.USAGE]
    assert ended.images.reason.startswith(reason)
    assert ended.images.retryable == retryable
    assert ended.images.plug_in


def test_a_process_that_kills_its_guard_goes_with_it(mark: str) -> None:
    """It cannot get away, and what became of it is said."""
    ended = collected("kills_guard", mark, 20)
    assert ended.left == []
    assert ended.late < -18
    assert ended.images.reason.startswith("its guard ended before it")


def test_a_guard_that_is_held_up_holds_nobody_up(mark: str, caplog: pytest.LogCaptureFixture) -> None:
    """Infoprovider waits a moment longer than the guard needs, then it goes on, and the process goes, too."""
    ended = collected("stops_guard", mark)
    assert ended.late < PATIENCE + 0.5
    assert ended.images.reason.startswith("its process had not ended by its deadline of 1 s")
    assert "north: something that its process started could not be ended" in caplog.text
    until = time.monotonic() + 1
    while with_mark(mark):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_settings_that_nobody_reads_hold_nobody_up(mark: str) -> None:
    """A process that closes its pipes is given more than a pipe holds: the deadline stands."""

    class Large(Settings):
        text: str = "x" * 2**20

    asked = context()
    answers = list(supervise("none", Large(), asked, command=hostile("silent", mark)))
    assert time.monotonic() - asked.deadline.at < WITHIN
    assert isinstance(answers[0], Observed)
    assert with_mark(mark) == []


def test_a_line_that_is_too_long_costs_only_itself(mark: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is longer than a line may be is dropped and said, and what follows it is read."""
    ended = collected("boasting", mark, 20, replace(LIMITS, line=5000))
    answers = [(type(answer), answer.facet) for answer in ended.answers]
    assert answers == [(Observed, Facet.CAPACITY), (Observed, Facet.IMAGES), (Failed, Facet.USAGE)]
    assert "north: a line of 0.0191 MiB is longer than an answer may be: b'[[" in caplog.text


def test_the_deadline_holds_while_answers_wait_to_be_taken(mark: str) -> None:
    """Whoever takes the answers may be slow: the processes are gone in time, and the answers still come."""
    asked = context()
    answers = supervise("none", Settings(), asked, command=hostile("session", mark))
    first = next(answers)
    assert isinstance(first, Observed)
    while len(with_mark(mark)) < 3:  # guard, program, and what it starts
        assert asked.deadline.remaining()
    time.sleep(asked.deadline.remaining() + WITHIN)
    assert with_mark(mark) == []
    assert {type(answer) for answer in answers} == {Failed}


def test_answers_that_nobody_wants_any_more_end_the_collection(mark: str) -> None:
    """To close the iterator is to end the process with all descendants, long before the deadline."""
    answers = supervise("none", Settings(), context(60), command=hostile("session", mark))
    next(answers)
    began = time.monotonic()
    answers.close()  # type: ignore[attr-defined]  # it is a generator
    assert with_mark(mark) == []
    assert time.monotonic() - began < WITHIN


@pytest.mark.parametrize("command", [("/nonexistent/program",), (sys.executable, "x" * 2**22)])
def test_a_process_that_cannot_be_started_is_said(command: tuple[str, ...]) -> None:
    """Whether the guard or infoprovider itself cannot start it: nothing is raised."""
    answers = list(supervise("none", Settings(), context(20), command=command))
    assert [answer.facet for answer in answers] == sorted(WANTED)
    for answer in answers:
        assert isinstance(answer, Failed)
        assert "started" in answer.reason


def test_others_are_untouched_by_hostile_ones(mark: str) -> None:
    """Collections that go on beside eight hostile ones answer everything, and the hostile ones are gone in time."""
    ways = ("mute", "session", "breeding", "endless", "shouting", "family", "deaf", "drip")
    described = StaticSettings.model_validate({"file": str(DESCRIPTION)})

    def healthy(_number: int) -> list[Answer]:
        asked = replace(context(20), wanted=frozenset(Facet))
        return list(supervise("static", described, asked))

    with ThreadPoolExecutor(len(ways) + 2) as pool:
        bad = [pool.submit(collected, way, mark, 2) for way in ways]
        good = [pool.submit(healthy, number) for number in range(4)]
        whole = healthy(0)
        for one in good:
            assert one.result() == whole
        for one in bad:
            assert one.result().late < WITHIN
    assert {answer.facet for answer in whole if isinstance(answer, Observed)} == set(Facet)
    assert not [answer for answer in whole if isinstance(answer, Failed)]
    assert with_mark(mark) == []


# --- the process that collects -------------------------------------------------------------------------------------


def parent(way: str, mark: str, seconds: float) -> "subprocess.Popen[str]":
    """A process of its own that collects from a hostile program; it prints what came of it."""
    command = [sys.executable, str(FAKES / "parent.py"), way, mark, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("way", ["family", "session", "breeding", "hopping", "many_answers"])
def test_nothing_outlives_the_process_that_collects(way: str, mark: str) -> None:
    """After SIGKILL of infoprovider itself no process of a collection is left, however long its deadline."""
    with parent(way, mark, 600) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "an answer\n"
        time.sleep(0.3)
        assert len(with_mark(mark)) > 1
        process.kill()
        killed_at = time.monotonic()
    while with_mark(mark):
        assert time.monotonic() - killed_at < 3
        time.sleep(0.05)


@pytest.mark.parametrize("way", ["flood", "endless", "long_line", "shouting", "many_answers"])
def test_memory_is_bounded(way: str, mark: str) -> None:
    """Gigabytes of output cost infoprovider no more than a few times the longest line that there may be."""
    with parent(way, mark, 20) as process:
        output, _ = process.communicate()
    _answers, kibibytes, reason = output.split(maxsplit=2)
    assert "printed more than" in reason
    assert int(kibibytes) < 3 * LIMITS.line / 2**10


# --- what is logged ------------------------------------------------------------------------------------------------


def test_remarks_are_logged_within_bounds(mark: str, caplog: pytest.LogCaptureFixture) -> None:
    """With the instance's name, as bad as they say that they are, without control characters; the rest is counted."""
    caplog.set_level(logging.INFO)
    collected("remarks", mark, 20)
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert lines[0] == ("ERROR", "north: ERROR: the first")
    assert lines[1] == ("INFO", "north: [31mred")
    assert lines[2] == ("INFO", f"north: {'z' * LIMITS.remark} … ({5000 - LIMITS.remark} bytes more)")
    assert len(lines) == LIMITS.remarks + 1
    assert lines[-1] == (
        "WARNING",
        f"north: {4 + 500 - LIMITS.remarks} more lines on its standard error are not logged",
    )


# --- our own process, with a provider from outside -----------------------------------------------------------------


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider in fakes/plugins is installed, as far as the processes of collections see."""
    monkeypatch.setenv("PYTHONPATH", str(FAKES / "plugins"))


def asked_of_plugin(seconds: float = 20, **settings: object) -> list[Answer]:
    """What the provider in fakes/plugins answers."""
    return list(supervise("fake", Account.model_validate(settings), context(seconds)))


NO_USAGE = NotOffered(facet=Facet.USAGE, reason="a manager of kind fake cannot tell it")


@pytest.mark.usefixtures("plugins")
def test_answers_come_from_a_provider_in_its_own_process() -> None:
    """They are what the provider said, in its order."""
    first, capacity, images = asked_of_plugin()
    assert first == NO_USAGE
    assert isinstance(capacity, Observed)
    assert capacity.value == Capacity(vcpus=4)
    assert isinstance(images, Observed)


@pytest.mark.usefixtures("plugins")
def test_what_libraries_print_is_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is printed in the process, by Python or past it, goes to the log; the answers are untouched."""
    caplog.set_level(logging.INFO)
    answers = asked_of_plugin(way="prints")
    assert [type(answer) for answer in answers] == [NotOffered, Observed, Observed]
    logged = {(record.levelname, record.getMessage()) for record in caplog.records}
    assert logged == {
        ("INFO", "north: a library that prints"),
        ("INFO", "north: past Python, too"),
        ("INFO", "north: a program that prints"),
        ("WARNING", "north: WARNING: a library that warns"),
        ("INFO", "north: INFO: an answer is coming"),
    }


@pytest.mark.usefixtures("plugins")
def test_secrets_show_in_no_command_line_and_no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings arrive whole, secrets too, on standard input; no process shows them, and no variable is passed on."""
    word = uuid.uuid4().hex
    monkeypatch.setenv("INFOPROVIDER_TEST_PASSWORD", word)
    monkeypatch.setenv("LC_TIME", "C.UTF-8")
    written = {"way": "tells", "password": {"environment": "INFOPROVIDER_TEST_PASSWORD"}, "file": "a b", "pause": 1.5}
    settings = Account.model_validate(written, context={"folder": tmp_path})
    told = None
    for answer in supervise("fake", settings, context(20)):
        if isinstance(answer, NotOffered) and answer != NO_USAGE:
            told = answer.reason
            assert with_mark(str(FAKES / "plugins"))  # they are there to be looked at
            assert with_mark(word) == []
    assert told is not None
    assert told.startswith(f"{word[::-1]} {tmp_path / 'a b'} 1.5 ")
    assert {"INFOPROVIDER_TEST_PASSWORD", "LC_TIME"} & set(told.split()) == {"LC_TIME"}


@pytest.mark.usefixtures("plugins")
def test_a_provider_may_close_its_session_at_the_deadline(tmp_path: Path) -> None:
    """Its `finally` runs, and it says itself what it waited for."""
    answers = asked_of_plugin(2, way="hangs", file=str(tmp_path / "session"))
    assert (tmp_path / "session").read_text() == "the session is closed"
    assert [type(answer) for answer in answers] == [NotOffered, Observed, Failed]
    assert isinstance(answers[2], Failed)
    assert answers[2].retryable


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("dies", "its process ended with exit code 7"),
        ("ends", "SystemExit: a library that ends the program; this is a fault of the provider fake"),
    ],
)
def test_a_provider_that_breaks_its_process_costs_its_own_answers(way: str, reason: str) -> None:
    """What it had delivered is kept."""
    no_usage, capacity, images = asked_of_plugin(way=way)
    assert no_usage == NO_USAGE
    assert isinstance(capacity, Observed)
    assert isinstance(images, Failed)
    assert images.reason.startswith(reason)


@pytest.mark.usefixtures("plugins")
def test_a_process_that_does_not_end_is_said_although_nothing_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    """It takes a place until its deadline: the operator should know."""
    answers = asked_of_plugin(2, way="waits for threads")
    assert [type(answer) for answer in answers] == [NotOffered, Observed, Observed]
    assert "had not ended by its deadline of 2 s" in caplog.text
    assert "north: everything was answered, but its process" in caplog.text


def test_a_kind_that_is_not_installed_is_said() -> None:
    """The plug-in is looked for in the process; every wanted facet says that it is not there."""
    answers = list(supervise("statik", Settings(), context(20)))
    assert [answer.facet for answer in answers] == sorted(WANTED)
    for answer in answers:
        assert isinstance(answer, Failed)
        assert answer.reason == "there is no provider of kind statik; write static"


def test_a_secret_that_is_not_there_stops_only_its_collection() -> None:
    """No process is started, and every wanted facet says what is missing."""
    settings = Account.model_validate({"password": {"environment": "INFOPROVIDER_TEST_NOT_SET"}})
    answers = list(supervise("fake", settings, context(20)))
    assert [answer.facet for answer in answers] == sorted(WANTED)
    assert "INFOPROVIDER_TEST_NOT_SET: is not set" in str(answers[0])


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (b"", "standard input holds no request of a collection: : Invalid JSON"),
        (
            b'{"kind": "static", "settings": {"password": "hunter2"}}',
            "instance: Field required; wanted: Field required",
        ),
    ],
)
def test_the_child_refuses_what_is_no_request(request_: bytes, said: str) -> None:
    """Somebody may run it by hand; what it says shows no secret."""
    ran = subprocess.run(CHILD, input=request_, capture_output=True, check=False)
    assert ran.returncode == 1
    assert said in ran.stderr.decode()
    assert b"hunter2" not in ran.stderr
