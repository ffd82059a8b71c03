"""`infoprovider try`: what would be published, without a trace."""

import json
from pathlib import Path

import pytest

from infoprovider.errors import ExitCode
from infoprovider.ldif import read
from tests.cli.conftest import Centre, Program


def test_the_shipped_demo_centre_is_shown_without_any_word(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Tables of what it runs, how to reach it, and who can start how many; no file is written anywhere near."""
    monkeypatch.chdir(tmp_path)
    ended = program("try")
    assert (ended.code, ended.err) == (0, "")
    for heading in ("What the centre runs", "How to reach it", "Who can start how many now"):
        assert heading in ended.out
    assert "demo-north" in ended.out
    assert list(tmp_path.iterdir()) == []


def test_the_ldif_is_what_a_bdii_would_read(program: Program, centre: Centre) -> None:
    """It begins with its first entry, and the set that was asked for is written; no state is kept."""
    ended = program("try", centre.config, "--ldif", "--set", "cloud")
    assert ended.code == 0
    assert ended.out.startswith("dn: GLUE2GroupID=cloud,o=glue\n")
    assert len(list(read(ended.out.encode()))) > 60
    assert not (centre.config.parent / "run").exists()


@pytest.mark.parametrize(
    ("format_", "begins"),
    [("ldif", "dn: "), ("xml", "<?xml "), ("json", '{\n"Location": ['), ("glue21", '{\n"CloudComputingService": [')],
)
def test_every_format_is_what_its_channel_hands_out(
    program: Program, centre: Centre, format_: str, begins: str
) -> None:
    """The whole document, with every image of both managers."""
    ended = program("try", centre.config, "--format", format_)
    assert ended.code == 0
    assert ended.out.startswith(begins)
    images = {
        "ldif": "ApplicationEnvironmentID: ",
        "xml": "<ApplicationEnvironment ",
        "json": ":ApplicationEnvironment:",
    }
    assert ended.out.count(images.get(format_, '"Image.Format"')) >= 8


def test_json_holds_what_the_tables_hold(program: Program, centre: Centre) -> None:
    """Numbers are numbers, moments are ISO 8601, unknown is null."""
    told = json.loads(program("try", centre.config, "--json").out)
    north, south = told["services"]
    assert (north["name"], north["hosts"], south["hypervisors"]) == ("demo-north", 15, ["KVM", "Xen"])
    assert north["observed_at"].endswith("+00:00")
    assert {(one["community"], one["startable"], one["is_upper_bound"]) for one in told["offers"]} >= {
        ("vo.biology.example.org", 39, False),
        ("vo.climate.example.org", 108, True),
    }


def test_a_share_for_a_project_that_is_not_there_is_withheld(program: Program, small: Path) -> None:
    """The rest is published; the message says who is mapped where and what to do."""
    small.write_text(small.read_text().replace("project: p1", "project: p2"))
    ended = program("try", small)
    assert ended.code == ExitCode.PARTLY
    assert ended.err == (
        "infoprovider: withheld ComputingShare urn:glue2:ComputingShare:rc-one:north:p2: community vo.bio is mapped to "
        "project p2 of instance north, and the manager knows no such project; correct the id under `communities`, or "
        "give the account the right to see it\n"
    )
    assert "occi-server" in ended.out


def test_a_clash_of_ids_costs_one_of_the_two_and_is_said(program: Program, small: Path) -> None:
    """One interface that signs users in twice in one way would be two entries of one name."""
    north = small.parent / "north.yaml"
    twice = "[{ method: x509 }, { method: x509, issuer_ca: CN=Other }]"
    north.write_text(north.read_text().replace("[{ method: x509 }]", twice))
    ended = program("try", small)
    assert ended.code == ExitCode.PARTLY
    assert ended.err == (
        "infoprovider: left out ComputingEndpoint urn:glue2:ComputingEndpoint:rc-one:north:x509:org.ogf.occi: "
        "two entities have this ID: ComputingEndpoint of instance north, which is published, and ComputingEndpoint of "
        "instance north; rename one of them, or leave one out\n"
    )
    assert "occi-server" in ended.out


def test_what_cannot_be_collected_is_said_and_the_rest_is_shown(program: Program, centre: Centre) -> None:
    """One of two descriptions is gone: every facet of it is named with the reason, and the other is there."""
    centre.forget("south")
    ended = program("try", centre.config)
    assert ended.code == ExitCode.PARTLY
    assert "demo-north" in ended.out
    assert "demo-south" not in ended.out
    assert "south.yaml: cannot be read (no such file or directory)" in ended.err.lower()
    assert "nothing is known of the VM manager of instance demo-south" in ended.err


def test_where_nothing_can_be_collected_the_code_says_so(program: Program, centre: Centre) -> None:
    """Both descriptions are gone."""
    centre.forget("north")
    centre.forget("south")
    assert program("try", centre.config).code == ExitCode.COLLECT


def test_what_glue_demands_and_nobody_tells_is_withheld_with_the_remedy(program: Program, small: Path) -> None:
    """Instance types of unknown platform, on a manager without defaults."""
    north = small.parent / "north.yaml"
    north.write_text(north.read_text() + "instance_types: [{ id: small, vcpus: 1, memory_mib: 1024, disk_gib: 10 }]\n")
    ended = program("try", small)
    assert ended.code == ExitCode.PARTLY
    assert ended.err == (
        "infoprovider: withheld ExecutionEnvironment urn:glue2:ExecutionEnvironment:rc-one:north:small: "
        "Platform is not known, and GLUE 2.0 demands it; declare it as `defaults: { platform: … }` of the instance\n"
    )


def test_what_is_withheld_for_one_reason_is_told_in_one_line(program: Program, small: Path) -> None:
    """Thirty types without a platform are one thing to mend."""
    north = small.parent / "north.yaml"
    types = ", ".join(f"{{ id: t{number}, vcpus: 1, memory_mib: 1024, disk_gib: 10 }}" for number in range(30))
    north.write_text(north.read_text() + f"instance_types: [{types}]\n")
    ended = program("try", small)
    (line,) = ended.err.splitlines()
    assert "north:t0, " in line
    assert " and 27 more: Platform is not known" in line
