"""Provider `exec`: what a program is told, what becomes of its lines and its remarks, and that none is left behind."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from infoprovider.collection.supervisor import supervise
from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, Crashed, DeadlineExceeded, Malformed
from infoprovider.inventory.model import Capacity, Facet
from infoprovider.providers import program as program_module
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed, Parts, WatchContext
from infoprovider.providers.exec import SPEC, ExecSettings, to_event
from infoprovider.secret import from_request_json, to_request_json

CAPACITY = '{"answer": "observed", "facet": "capacity", "observed_at": "2026-11-21T11:59:00Z", "value": {"vcpus": 4}}'
NOT_PRICES = '{"answer": "not_offered", "facet": "prices", "reason": "free of charge"}'


def context(wanted: frozenset[Facet] = SPEC.facets, seconds: float = 20) -> CollectContext:
    """What a collection is asked with."""
    log = logging.LoggerAdapter(logging.getLogger("test"), {})
    return CollectContext(
        instance="north",
        wanted=wanted,
        deadline=Deadline.after(seconds),
        now=lambda: datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
        log=log,
    )


class Programs:
    """A folder of programs, and what the provider makes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid_file = folder / "pids"

    def write(self, source: str, *, first: str = "#!/bin/sh\n") -> Path:
        """A program; `$PIDS` is where it may leave the number of a process that must not outlive it."""
        path = self.folder / "program"
        path.write_text(f"{first}{source}\n")
        path.chmod(0o755)
        return path

    def settings(self, command: list[str], **others: Any) -> ExecSettings:
        """Settings as they are read from a configuration in this folder."""
        written = json.dumps({"command": command, "environment": {"PIDS": str(self.pid_file)}} | others)
        return TypeAdapter(ExecSettings).validate_json(written, context={"folder": self.folder})

    def collect(self, source: str, seconds: float = 20) -> Iterator[Answer]:
        """The answers of a shell program."""
        self.write(source)
        return iter(SPEC.collect(self.settings(["./program"]), context(seconds=seconds)))

    def answers(self, source: str) -> list[Answer]:
        """All answers of a shell program."""
        return list(self.collect(source))

    def error(self, source: str, kind: type[Exception], seconds: float = 20) -> tuple[list[Answer], str]:
        """What came of a program that ends in an error, and its message."""
        came: list[Answer] = []
        answers = self.collect(source, seconds)
        with pytest.raises(kind) as caught:
            came.extend(answers)
        return came, str(caught.value)

    def left(self) -> list[int]:
        """The processes that were noted and still run, after a moment for their parent to notice."""
        noted = [int(word) for word in self.pid_file.read_text().split()]
        assert noted
        until = time.monotonic() + 1
        while (alive := [pid for pid in noted if runs(pid)]) and time.monotonic() < until:
            time.sleep(0.02)
        return alive


def runs(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """A folder for programs."""
    return Programs(tmp_path)


# --- what it is told -----------------------------------------------------------------------------------------------


def test_the_program_is_told_what_is_wanted_and_how_long_it_has(programs: Programs) -> None:
    """One JSON object on standard input: the instance, the wanted facets, the seconds that are left."""
    programs.write('cat > request; exec true "$@"')
    list(SPEC.collect(programs.settings(["./program"]), context(frozenset({Facet.USAGE, Facet.CAPACITY}), 30)))
    request = json.loads((programs.folder / "request").read_text())
    assert 29 < request.pop("deadline_s") <= 30
    assert request == {"instance": "north", "wanted": ["capacity", "usage"]}


def test_a_program_need_not_read_what_it_is_told(programs: Programs) -> None:
    """A program that answers the same whatever is wanted is an honest one."""
    assert len(programs.answers(f"exec <&-\necho '{CAPACITY}'")) == 1


def test_no_shell_is_between(programs: Programs) -> None:
    """Arguments arrive as they are written."""
    programs.write('printf "%s\\n" "$@" > arguments')
    list(SPEC.collect(programs.settings(["./program", "$(touch x)", "a b", "*"]), context()))
    assert (programs.folder / "arguments").read_text() == "$(touch x)\na b\n*\n"
    assert not (programs.folder / "x").exists()


def test_configured_variables_go_before_those_of_the_collection(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret arrives by its value, from wherever it is kept."""
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TZ", "Europe/Zurich")
    token = programs.folder / "token"
    token.write_text("s3cr3t\n")
    token.chmod(0o600)
    programs.write("env > variables")
    variables = {"CLOUD": "north", "LANG": "C", "CLOUD_TOKEN": {"file": "token"}}
    list(SPEC.collect(programs.settings(["./program"], environment=variables), context()))
    seen = dict(line.partition("=")[::2] for line in (programs.folder / "variables").read_text().splitlines())
    assert {name: seen[name] for name in ("CLOUD", "LANG", "TZ", "CLOUD_TOKEN")} == {
        "CLOUD": "north",
        "LANG": "C",
        "TZ": "Europe/Zurich",
        "CLOUD_TOKEN": "s3cr3t",
    }


def test_a_program_that_tells_its_secrets_is_not_repeated(programs: Programs, caplog: pytest.LogCaptureFixture) -> None:
    """`set -x` in a script, a URL with a token in it: neither the log nor a reason shows them."""
    caplog.set_level(logging.INFO)
    token = programs.folder / "token"
    token.write_text("s3cr3t")
    token.chmod(0o600)
    programs.write(
        'echo "GET /?token=$T" >&2; echo "token $T"; echo "{\\"facet\\": \\"images\\", \\"t\\": \\"$T\\"}"; exit 1'
    )
    settings = programs.settings(["./program"], environment={"T": {"file": "token"}})
    answers = SPEC.collect(settings, context())
    told = str(next(iter(answers)))
    with pytest.raises(Crashed) as caught:
        list(answers)
    assert str(caught.value).endswith("exit code 1: GET /?token=(not shown)")
    assert "s3cr3t" not in told + caplog.text
    assert "Facet.IMAGES" in told


def test_a_secret_that_cannot_be_read_starts_nothing(programs: Programs) -> None:
    """The message says where it was looked for."""
    programs.write("touch started")
    settings = programs.settings(["./program"], environment={"T": {"file": "token"}})
    with pytest.raises(ConfigError, match="token: cannot be read"):
        list(SPEC.collect(settings, context()))
    assert not (programs.folder / "started").exists()


def test_settings_reach_the_process_of_a_collection(programs: Programs) -> None:
    """What is seen from the configuration's folder is seen from there in another process too."""
    settings = programs.settings(["./program", "./a"], working_directory="inner")
    there = from_request_json(ExecSettings, to_request_json(settings))
    assert there == settings
    assert there.command == (str(programs.folder / "program"), "./a")


def test_it_runs_in_the_configurations_folder_or_where_it_is_told(programs: Programs) -> None:
    """A relative program and its arguments are found beside the configuration."""
    programs.write("pwd > here")
    (programs.folder / "inner").mkdir()
    list(SPEC.collect(programs.settings(["./program"]), context()))
    list(SPEC.collect(programs.settings(["./program"], working_directory="inner"), context()))
    assert (programs.folder / "here").read_text().strip() == str(programs.folder.resolve())
    assert (programs.folder / "inner" / "here").read_text().strip() == str(programs.folder.resolve() / "inner")


def test_a_name_without_a_slash_is_looked_for_in_path(programs: Programs) -> None:
    """As in a shell; and PATH itself can be configured."""
    program = programs.write(f"echo '{CAPACITY}'")
    settings = programs.settings(["program"], environment={"PATH": str(programs.folder)})
    (answer,) = SPEC.collect(settings, context())
    assert isinstance(answer, Observed)
    assert answer.calls == ("ran program",)
    program.unlink()
    with pytest.raises(ConfigError, match="program: is in no folder of PATH; install it, or write its path"):
        list(SPEC.collect(settings, context()))


# --- what it prints ------------------------------------------------------------------------------------------------


def test_lines_become_answers(programs: Programs) -> None:
    """Each kind of line is an answer; empty lines are none, and the last one needs no end."""
    parts = '{"answer": "parts", "facet": "usage", "parts": ["a"]}'
    failed = '{"answer": "failed", "facet": "usage", "part": "a", "reason": "HTTP 500", "retryable": true}'
    assert programs.answers(
        f"echo '{CAPACITY}'; echo; echo '{NOT_PRICES}'; echo '{failed}'; printf '%s' '{parts}'"
    ) == [
        Observed(
            facet=Facet.CAPACITY,
            value=Capacity(vcpus=4),
            observed_at=datetime(2026, 11, 21, 11, 59, tzinfo=UTC),
            calls=(f"ran {programs.folder / 'program'}",),
        ),
        NotOffered(facet=Facet.PRICES, reason="free of charge"),
        Failed(facet=Facet.USAGE, part="a", reason="HTTP 500", retryable=True),
        Parts(facet=Facet.USAGE, parts=frozenset({"a"})),
    ]


def test_an_answer_comes_when_it_is_printed(programs: Programs) -> None:
    """What a slow program printed before its deadline is kept, so nothing waits for its end."""
    began = time.monotonic()
    answers = programs.collect(f"echo '{CAPACITY}'; sleep 30")
    assert isinstance(next(answers), Observed)
    assert time.monotonic() - began < 5
    answers.close()  # type: ignore[attr-defined]  # a generator


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-21T11:59:00.999999Z", "2026-11-21T11:59:00+00:00"),
        ("2026-11-21T13:59:00+02:00", "2026-11-21T11:59:00+00:00"),
    ],
    ids=["fraction", "other zone"],
)
def test_moments_are_taken_in_any_zone_and_to_the_second(programs: Programs, written: str, read: str) -> None:
    """A fraction of a second more than the clock says would count as the future."""
    (answer,) = programs.answers(f"echo '{CAPACITY.replace('2026-11-21T11:59:00Z', written)}'")
    assert isinstance(answer, Observed)
    assert answer.observed_at.isoformat() == read


def test_a_programs_own_origins_are_kept(programs: Programs) -> None:
    """`explain` shows the calls that the program names."""
    (answer,) = programs.answers(f'echo \'{CAPACITY[:-1]}, "calls": ["GET /hosts"], "notes": ["slow"]}}\'')
    assert isinstance(answer, Observed)
    assert (answer.calls, answer.notes) == (("GET /hosts",), ("slow",))


@pytest.mark.parametrize(
    ("line", "facet", "part", "what"),
    [
        (CAPACITY.replace("4", '"four"'), Facet.CAPACITY, "", "vcpus"),
        (CAPACITY.replace("vcpus", "cpus"), Facet.CAPACITY, "", "cpus"),
        (CAPACITY.replace("11:59:00Z", "11:59:00"), Facet.CAPACITY, "", "observed_at"),
        ('{"answer": "failed", "facet": "usage", "part": "p1"}', Facet.USAGE, "p1", "reason"),
        ('{"answer": "unsure", "facet": "trust"}', Facet.TRUST, "", "answer"),
    ],
    ids=["wrong type", "unknown key", "no zone", "missing key", "unknown answer"],
)
def test_a_bad_line_fails_what_it_is_about(
    programs: Programs, line: str, facet: Facet, part: str, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its number and what is wrong in it are said, and the lines after it are taken."""
    failed, after = programs.answers(f"echo; echo '{line}'; echo '{NOT_PRICES}'")
    assert isinstance(failed, Failed)
    assert (failed.facet, failed.part, failed.retryable) == (facet, part, False)
    assert failed.reason.startswith(f"{programs.folder / 'program'}, line 2: ")
    assert what in failed.reason
    assert failed.reason in caplog.text
    assert isinstance(after, NotOffered)


@pytest.mark.parametrize(
    "line",
    [
        "collecting...",
        '{"answer": "observed"}',
        '{"facet": "weather"}',
        "[]",
        "\\377\\376",
        '{"facet": []}',
        "[" * 9999,
    ],
    ids=["chatter", "no facet", "unknown facet", "list", "no text", "facet of another type", "depths"],
)
def test_a_line_about_nothing_is_the_reason_for_what_is_missing(programs: Programs, line: str) -> None:
    """Nobody knows what it was about, so it is told in the end; what came before and after it stays."""
    came, message = programs.error(f"echo '{CAPACITY}'; printf '{line}\\n'; echo '{NOT_PRICES}'", Malformed)
    assert [answer.facet for answer in came] == [Facet.CAPACITY, Facet.PRICES]
    assert message.startswith(f"{programs.folder / 'program'}, line 2: ")


def test_too_much_output_ends_the_program(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gigabytes never reach our memory, whether in lines or without an end."""
    monkeypatch.setattr(program_module, "MOST_OUTPUT", 2**20)
    for flood in ("yes ''", "cat /dev/zero"):
        came, message = programs.error(f"echo $$ > $PIDS; echo '{CAPACITY}'; exec {flood}", Malformed)
        assert len(came) == 1
        assert message == f"{programs.folder / 'program'} printed more than 1 MiB; correct it to print less"
        assert programs.left() == []


# --- how it ends ---------------------------------------------------------------------------------------------------


def test_an_exit_code_is_a_failure_with_the_last_words(programs: Programs) -> None:
    """What was printed is kept; the reason for the rest is the last line of standard error."""
    came, message = programs.error(
        f"echo '{CAPACITY}'; echo 'asking' >&2; echo 'no route to cloud.example.org' >&2; echo >&2; exit 3", Crashed
    )
    assert [answer.facet for answer in came] == [Facet.CAPACITY]
    assert message == f"{programs.folder / 'program'} ended with exit code 3: no route to cloud.example.org"


def test_last_words_need_no_line_end(programs: Programs) -> None:
    """Nor any words at all."""
    assert programs.error("printf 'out of paper' >&2; exit 1", Crashed)[1].endswith(
        "ended with exit code 1: out of paper"
    )
    assert programs.error("exit 255", Crashed)[1].endswith("ended with exit code 255")


def test_a_death_by_signal_is_said(programs: Programs) -> None:
    """A program that crashed has no exit code."""
    assert programs.error("kill -SEGV $$", Crashed)[1] == f"{programs.folder / 'program'} was killed by signal 11"


def test_remarks_are_logged_without_what_disturbs_a_terminal(
    programs: Programs, caplog: pytest.LogCaptureFixture
) -> None:
    """Each line of standard error is one of the log."""
    caplog.set_level(logging.INFO)
    programs.answers("printf 'asking \\033[31mnorth\\n\\377done\\n' >&2")
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"{programs.folder / 'program'}: asking  [31mnorth", f"{programs.folder / 'program'}: \ufffddone"]


def test_a_flood_of_remarks_is_not_logged_whole(programs: Programs, caplog: pytest.LogCaptureFixture) -> None:
    """The log stays readable, the program is not held up, and its last line is still the reason."""
    caplog.set_level(logging.INFO)
    flood = "yes 'a remark of no value' | head -c 3000000 >&2; head -c 3000000 /dev/zero >&2"
    message = programs.error(f"{flood}; printf '\\nthe disk is full\\n' >&2; exit 1", Crashed)[1]
    assert message.endswith("exit code 1: the disk is full")
    assert sum(len(record.getMessage()) for record in caplog.records) < 2 * program_module.MOST_REMARKS
    assert caplog.records[-1].getMessage().endswith("says more on standard error than is logged")


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "], ids=["polite", "ignores TERM"])
def test_a_mute_program_is_ended_before_the_deadline(programs: Programs, trap: str) -> None:
    """With its children; what it had printed is kept."""
    began = time.monotonic()
    came, message = programs.error(
        f"{trap}echo '{CAPACITY}'; echo 'waiting' >&2; sleep 60 & echo $$ $! > $PIDS; wait; sleep 60",
        DeadlineExceeded,
        1,
    )
    assert time.monotonic() - began < 1.5
    assert len(came) == 1
    assert message == f"{programs.folder / 'program'} had not ended in time: waiting"
    assert programs.left() == []


def test_a_dripping_program_is_ended_before_the_deadline(programs: Programs) -> None:
    """A byte now and then is no reason to wait longer."""
    began = time.monotonic()
    drip = "while :; do printf x; sleep 0.05; done"
    programs.error(f"echo $$ > $PIDS; {drip}", DeadlineExceeded, 1)
    assert time.monotonic() - began < 1.5
    assert programs.left() == []


def test_a_deadline_that_has_passed_starts_nothing_for_long(programs: Programs) -> None:
    """A collection that comes too late ends at once."""
    began = time.monotonic()
    programs.error("echo $$ > $PIDS; sleep 60", DeadlineExceeded, 0)
    assert time.monotonic() - began < 1


def test_what_a_program_leaves_running_is_ended_and_not_waited_for(programs: Programs) -> None:
    """A child in the background holds the pipes open; the program has said that it is done."""
    began = time.monotonic()
    assert len(programs.answers(f"sleep 60 & echo $! > $PIDS; echo '{CAPACITY}'")) == 1
    assert time.monotonic() - began < 5
    assert programs.left() == []


def test_a_program_that_closes_its_output_is_waited_for(programs: Programs) -> None:
    """Its exit code counts, whenever it comes."""
    assert programs.error("exec >&- 2>&-; sleep 0.3; exit 4", Crashed)[1].endswith("exit code 4")


def test_a_collection_that_is_given_up_ends_its_program(programs: Programs) -> None:
    """Whoever stops asking leaves no process behind."""
    answers = programs.collect(f"echo $$ > $PIDS; echo '{CAPACITY}'; sleep 60")
    next(answers)
    answers.close()  # type: ignore[attr-defined]  # a generator
    assert programs.left() == []


@pytest.mark.parametrize("last", ["exit 0", "sleep 60"], ids=["ends", "hangs"])
def test_a_grandchild_with_a_session_of_its_own_does_not_outlive_the_collection(programs: Programs, last: str) -> None:
    """It has left our process group; the guard of the collection's process ends it."""
    past = CAPACITY.replace("2026", "2025")
    away = "trap '' TERM HUP; echo $$ >> $PIDS; sleep 60"
    programs.write(f"setsid sh -c \"{away.replace('$', chr(92) + '$')}\" & sleep 0.2; echo '{past}'; {last}")
    began = time.monotonic()
    answers = list(supervise("exec", programs.settings(["./program"]), context(frozenset({Facet.CAPACITY}), 3)))
    assert time.monotonic() - began < 4
    assert [type(answer) for answer in answers] == [Observed]
    assert programs.left() == []


def test_it_leaves_no_file_open(programs: Programs) -> None:
    """A daemon collects for months."""
    programs.answers("true")
    before = set(Path("/proc/self/fd").iterdir())
    programs.answers(f"echo '{CAPACITY}'")
    programs.error("exit 1", Crashed)
    programs.error("sleep 9", DeadlineExceeded, 0.1)
    assert set(Path("/proc/self/fd").iterdir()) <= before


# --- why it does not start -----------------------------------------------------------------------------------------


def finding(programs: Programs, *, seen_by_check: bool = True, **written: Any) -> str:
    """What is said of a program that cannot be started, by a collection as by `infoprovider check`."""
    settings = programs.settings(["./program"], **written)
    with pytest.raises(ConfigError) as caught:
        list(SPEC.collect(settings, context()))
    assert SPEC.check is not None
    assert list(SPEC.check(settings)) == (list(caught.value.findings) if seen_by_check else [])
    return str(caught.value).replace(f"{programs.folder}/", "")


def test_a_program_that_is_not_there(programs: Programs) -> None:
    """The path as it was understood, and how paths are understood."""
    assert finding(programs) == (
        "program: is not there; name a program that exists; a relative path is seen from the folder of the "
        "configuration file"
    )


def test_a_folder_is_no_program(programs: Programs) -> None:
    """Folders may be entered, not run."""
    (programs.folder / "program").mkdir()
    assert finding(programs) == "program: is a folder; name the program in it"


def test_a_program_that_may_not_be_run(programs: Programs) -> None:
    """The usual fault of a new script."""
    path = programs.write("true")
    path.chmod(0o644)
    assert finding(programs) == "program: may not be run by this user; make it executable: chmod a+x program"


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (
            "#!/usr/bin/pyhton3 -u\n",
            "program: names an interpreter that is not there, /usr/bin/pyhton3; correct its first line, or install it",
        ),
        ("#!/bin/sh\r\n", "program: has lines that end as in Windows; save it with Unix line ends"),
        (
            "\n#!/bin/sh\n",
            "program: is no program for this machine; begin a script with a line such as #!/bin/sh",
        ),
    ],
    ids=["unknown interpreter", "Windows", "no first line"],
)
def test_a_script_with_a_bad_first_line(programs: Programs, first: str, said: str) -> None:
    """What the system says of it is "No such file or directory", of a file that is there."""
    programs.write("true", first=first)
    assert finding(programs, seen_by_check="#!" in first[:2]) == said


def test_a_program_that_can_be_started_passes_the_check(programs: Programs) -> None:
    """Nothing is run for that."""
    programs.write("touch started")
    assert SPEC.check is not None
    assert SPEC.check(programs.settings(["./program"])) == []
    assert SPEC.check(programs.settings(["sh", "-c", "touch started"])) == []
    assert SPEC.check(programs.settings(["program"], environment={"PATH": str(programs.folder)})) == []
    assert not (programs.folder / "started").exists()


def test_a_working_directory_that_is_not_there(programs: Programs) -> None:
    """It is not the program that is missing."""
    programs.write("true")
    assert finding(programs, working_directory="gone") == (
        "gone: is no folder to run a program in; write an existing working_directory"
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"command": []}, "at least 1 item"),
        ({"command": [""]}, "it names no program"),
        ({"command": ["a\0b"]}, "it names no program"),
        ({"command": "./program --all"}, "valid array"),
        ({"command": ["a"], "environment": {"A=B": "c"}}, "A=B cannot be the name of a variable"),
        ({"command": ["a"], "environment": {"A": 5}}, "valid string"),
        (
            {"command": ["a"], "environment": {"CLOUD_PASSWORD": "x"}},
            "CLOUD_PASSWORD looks like a secret: write { file: path } or",
        ),
        ({"command": ["a"], "environment": {"apikey": "x"}}, "apikey looks like a secret"),
    ],
)
def test_settings_that_cannot_be_used(written: dict[str, Any], said: str) -> None:
    """They are refused when the configuration is read."""
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(ExecSettings).validate_json(json.dumps(written))


@pytest.mark.parametrize("name", ["CLOUD_PASSWORD_FILE", "KEYSTONE_URL", "X509_USER_PROXY", "TOKENS_PER_S"])
def test_where_a_secret_is_may_be_written(name: str) -> None:
    """The program reads the file itself."""
    written = json.dumps({"command": ["a"], "environment": {name: "x"}})
    assert TypeAdapter(ExecSettings).validate_json(written).environment == {name: "x"}


# --- events --------------------------------------------------------------------------------------------------------


def events(programs: Programs, source: str, seconds: float = 20) -> Iterator[frozenset[Facet]]:
    """What a shell program tells."""
    program = programs.write(source)
    settings = programs.settings(["true"], events=[str(program)])
    assert SPEC.is_watched(settings)
    assert SPEC.watch is not None
    log = logging.LoggerAdapter(logging.getLogger("test"), {})
    return SPEC.watch(settings, WatchContext(instance="north", deadline=Deadline.after(seconds), log=log))


@pytest.mark.parametrize(
    ("line", "facets"),
    [
        (b"usage", {Facet.USAGE}),
        (b"usage, quotas", {Facet.USAGE, Facet.QUOTAS}),
        (b" images ,\r", {Facet.IMAGES}),
        (b"", set()),
        (b"usage of vm1 has changed", set()),
        (b"event 'lifecycle' for domain vm1: Started", set()),
        (b"\xff", set()),
    ],
)
def test_a_line_of_facets_names_them_and_any_other_none(line: bytes, facets: set[Facet]) -> None:
    """What a program of somebody else prints is an event, too."""
    assert to_event(line) == facets


@pytest.mark.shows("exec", "events of the manager", by="synthetic")
def test_events_come_as_they_are_told(programs: Programs) -> None:
    """The program is told for whom it listens; that it ends, however well, is told with its last words."""
    told = events(programs, 'read -r given; echo "$given" >&2; echo usage; echo; echo "no more" >&2; exit 0')
    assert next(told) == {Facet.USAGE}
    assert next(told) == frozenset()
    with pytest.raises(Crashed, match=r"program ended with exit code 0: no more"):
        next(told)


def test_listening_ends_with_its_program(programs: Programs) -> None:
    """Whether its time is over or nobody listens any more."""
    told = events(programs, "echo $$ > $PIDS; echo usage; sleep 60")
    assert next(told) == {Facet.USAGE}
    told.close()  # type: ignore[attr-defined]  # it is a generator
    assert not Path(f"/proc/{programs.pid_file.read_text().strip()}").exists()
    with pytest.raises(DeadlineExceeded):
        list(events(programs, "sleep 60", seconds=0.3))


def test_a_program_of_events_is_checked_like_the_other(programs: Programs) -> None:
    """Both are named where they are missing, and without one there is nothing to listen to."""
    both = programs.settings(["./missing"], events=["./nowhere"])
    assert SPEC.check is not None
    assert [Path(finding.file).name for finding in SPEC.check(both)] == ["missing", "nowhere"]
    assert not SPEC.is_watched(programs.settings(["true"]))
