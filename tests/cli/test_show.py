"""`infoprovider show`: how a centre stands with publishing, for people, programs, Nagios and Prometheus."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infoprovider.cli import probe, site
from infoprovider.errors import ExitCode
from infoprovider.store.daemon import DaemonStore
from infoprovider.store.deliveries import DeliveryStore
from tests.cli.conftest import Centre, Program


@pytest.fixture
def published(program: Program, centre: Centre) -> Centre:
    """The demonstration centre, published once."""
    assert program("publish", "--quiet", centre.config).code == 0
    return centre


def state(centre: Centre) -> Path:
    """Its state folder."""
    return centre.config.parent / "run" / "state"


def test_channels_are_shown_as_they_were_served(program: Program, published: Centre) -> None:
    """Last success and last failure with its reason; a run that delivers nothing changes neither."""
    shown = program("show", "--status", published.config)
    assert shown.code == 0
    (row,) = [line.split() for line in shown.out.splitlines() if line.strip().startswith("site-bdii")]
    assert row[1] == "bdii"
    assert row[3:6] == ["s", "ago", "accepted"]
    assert row[6] == str(published.bdii)
    published.bdii.unlink()
    published.bdii.parent.rmdir()
    assert program("publish", "--kept", "--quiet", published.config).code == ExitCode.PUBLISH
    told = json.loads(program("show", "--status", "--json", published.config).out)
    (channel,) = told["channels"]
    assert (channel["delivery"], channel["reference"], channel["failures"]) == ("accepted", str(published.bdii), 1)
    assert "no such file or directory" in channel["why"]
    assert channel["delivered_at"] <= channel["failed_at"]


def test_what_is_left_out_is_counted_and_named_on_request(program: Program, centre: Centre) -> None:
    """Here one manager was never reached."""
    centre.forget("south")
    program("publish", "--quiet", centre.config)
    shown = program("show", "--status", centre.config)
    assert "1 entries withheld, 0 entries quarantined, 0 references pruned (named by --left-out)" in shown.out
    named = program("show", "--left-out", centre.config)
    assert named.code == 0
    assert "withheld" in named.out
    assert "nothing is known of the VM manager of instance demo-south" in named.out
    told = json.loads(program("show", "--status", "--json", centre.config).out)
    assert [one["entity"] for one in told["document"]["withheld"]] == ["ComputingService"]


def test_a_daemon_is_shown_with_its_configuration(program: Program, published: Centre) -> None:
    """Since when it runs, and what is wrong with a newer configuration."""
    assert "daemon: none is running" in program("show", "--status", published.config).out
    now = site.clock.read()
    DaemonStore(state(published)).keep(now.after(-7200), now.after(-120), ("site.yaml:3: wrong; mend it",))
    shown = program("show", "--status", published.config)
    words = f"daemon: process {os.getpid()}, started 2 h ago, its configuration in force since 2 min"
    assert words in shown.out
    assert "not taken: site.yaml:3: wrong; mend it" in shown.out
    assert json.loads(program("show", "--status", "--json", published.config).out)["daemon"]["is_running"] is True


def test_a_daemon_that_died_is_told_until_somebody_takes_its_place(program: Program, published: Centre) -> None:
    """Another daemon, or a run that is started by a timer."""
    now = site.clock.read()
    DaemonStore(state(published)).keep(replace(now, boot="another"), now)
    assert f"daemon: process {os.getpid()} died" in program("show", "--status", published.config).out
    assert program("show", "--nagios", published.config).code == 1
    assert program("publish", "--kept", "--quiet", published.config).code == 0
    assert "daemon: none is running" in program("show", "--status", published.config).out
    assert program("show", "--nagios", published.config).code == 0


def test_state_that_cannot_be_read_is_said_beside_the_rest(program: Program, published: Centre) -> None:
    """With the exit code of the state folder."""
    (state(published) / "document.json").write_text("{")
    shown = program("show", published.config)
    assert shown.code == ExitCode.STORE
    assert "What the centre runs" in shown.out
    assert "document.json is no JSON" in shown.err


def test_watching_looks_again_until_it_is_interrupted(
    program: Program, published: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And ends well."""
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", pause)
    watched = program("show", "--watch", "--status", published.config)
    assert (watched.code, watched.out.count("Where it goes")) == (0, 3)


def test_hostile_text_plays_no_tricks_with_the_terminal(program: Program, published: Centre) -> None:
    """Reasons are what some server said."""
    DeliveryStore(state(published)).failed("site-bdii", site.clock.read(), "\x1b[2Jfull\u202e\x07")
    shown = program("show", "--status", published.config).out
    assert "\\x1b[2Jfull\\u202e\\x07" in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_no_secret_is_shown(program: Program, centre: Centre) -> None:
    """In no form: neither its value, nor where it is kept."""
    password = centre.config.parent / "password"
    password.write_text("t0p-secret")
    password.chmod(0o600)
    auth = {
        "auth_url": "http://127.0.0.1:9/v3",
        "username": "reader-of-all",
        "password": {"file": "password"},
        "project_name": "p",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    settings = {"auth_type": "password", "auth": auth}
    centre.change(instances=[{"name": "north", "kind": "openstack", "settings": settings}], communities=[])
    published = program("--verbose", "--log-format", "json", "publish", centre.config)
    assert published.code != 0
    assert all(json.loads(line) for line in published.err.splitlines() if line.startswith("{"))
    said = [published.out, published.err]
    for words in (("--status",), ("--status", "--json"), ("--left-out",), ("--nagios",), ("--prometheus",)):
        ended = program("show", *words, centre.config)
        assert "north" in ended.out
        said += [ended.out, ended.err]
    for hidden in ("t0p-secret", "reader-of-all", str(password)):
        assert hidden not in "".join(said)


# --- for Nagios ----------------------------------------------------------------------------------------------------


def test_the_probe_says_one_line_and_its_code(program: Program, published: Centre) -> None:
    """Well at first; critical where the document is too old for what was asked for."""
    well = program("show", "--nagios", published.config)
    assert (well.code, well.err) == (0, "")
    assert well.out.startswith("INFOPROVIDER OK - ")
    assert well.out.count("\n") == 1
    document = json.loads((state(published) / "document.json").read_text())
    document["composed_at"] = "2020-01-01T00:00:00+00:00"
    (state(published) / "document.json").write_text(json.dumps(document))
    bad = program("show", "--nagios", "-w", "5m", "-c", "30", published.config)
    assert bad.code == 2
    assert bad.out.startswith("INFOPROVIDER CRITICAL - nothing composed for ")
    assert "'document_age'=" in bad.out
    assert ";600;330;0" in bad.out


@pytest.mark.parametrize(
    ("words", "file", "why"),
    [
        ((), "missing.yaml", "the configuration cannot be used: missing.yaml"),
        ((), "broken.yaml", "the configuration cannot be used: broken.yaml:1:1: "),
        (("-w", "soon"), "site.yaml", "--warning soon is no duration such as 90s, 5m or 2h"),
        (("-c", "-5"), "site.yaml", "--critical -5 is no duration"),
        (("-c", "0"), "site.yaml", "--critical 0 is no duration"),
    ],
)
def test_what_keeps_the_probe_from_looking_is_unknown(
    program: Program, centre: Centre, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], file: str, why: str
) -> None:
    """Neither the configuration's exit code nor another, which would be taken for a state of the centre."""
    monkeypatch.chdir(centre.config.parent)
    Path("broken.yaml").write_text("centre")
    ended = program("show", "--nagios", *words, file)
    assert ended.code == 3
    assert ended.out.startswith(f"INFOPROVIDER UNKNOWN - {why}")
    assert ended.out.count("\n") == 1
    assert ended.err == ""


def test_a_fault_of_the_program_is_unknown(
    program: Program, published: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, in the one line."""

    def failing(*_: object) -> None:
        raise ZeroDivisionError("never\nforeseen")

    monkeypatch.setattr(probe, "overview_of", failing)
    ended = program("show", "--nagios", published.config)
    assert (ended.code, ended.out) == (
        3,
        "INFOPROVIDER UNKNOWN - a fault of this program: ZeroDivisionError: never\\nforeseen\n",
    )


# --- for Prometheus ------------------------------------------------------------------------------------------------


def test_metrics_are_printed_and_written_by_a_run(program: Program, centre: Centre) -> None:
    """The same text: the file for the node exporter is written where the configuration wants it."""
    centre.change(metrics={"textfile": "infoprovider.prom"})
    assert program("publish", "--quiet", centre.config).code == 0
    printed = program("show", "--prometheus", centre.config)
    assert (printed.code, printed.err) == (0, "")
    written = (centre.config.parent / "infoprovider.prom").read_text()
    names = [[family.name for family in text_string_to_metric_families(text)] for text in (printed.out, written)]
    assert names[0] == names[1]
    assert "infoprovider_document_entries" in names[0]
    assert not [name for name in names[0] if name.startswith("infoprovider_process")]


def test_a_metrics_file_that_cannot_be_written_undoes_no_publishing(program: Program, centre: Centre) -> None:
    """It is said."""
    centre.change(metrics={"textfile": "missing/infoprovider.prom"})
    ended = program("publish", "--quiet", centre.config)
    assert ended.code == 0
    assert "cannot write the metrics to" in ended.err
    assert centre.bdii.exists()
