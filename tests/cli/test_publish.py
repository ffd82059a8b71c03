"""`infoprovider publish`, `collect`, `show` and `explain`: from the description to the BDII's folder and back."""

import json
from pathlib import Path
from typing import Any

from infoprovider.errors import ExitCode
from infoprovider.ldif import read
from tests.cli.conftest import Centre, Program

SHARE = "urn:glue2:ComputingShare:rc-demo:demo-south:100"

NORTH = "urn:glue2:ComputingService:rc-demo:demo-north"

Entries = dict[str, dict[str, list[str]]]


def bodies(file: Path) -> Entries:
    """The entries of a file by distinguished name."""
    return {record.dn: record.attributes for record in read(file.read_bytes())}


def changed(before: Entries, after: Entries) -> set[str]:
    """The names of entries that are new, gone, or say something else; a stamp may move."""
    stamp = "GLUE2EntityCreationTime"
    plain = [{dn: {**said, stamp: []} for dn, said in entries.items()} for entries in (before, after)]
    return {dn.partition(",")[0] for dn in before | after if plain[0].get(dn) != plain[1].get(dn)}


def test_one_command_brings_the_centre_to_the_bdii(program: Program, centre: Centre) -> None:
    """The report names the channel and where it went; a second time nothing says anything else; `--quiet` is quiet."""
    ended = program("publish", centre.config)
    assert (ended.code, ended.out) == (0, "")
    said = [line.split() for line in ended.err.splitlines()]
    assert said[0][1:] == ["GLUE", "2.0", "entities", "composed"]
    assert said[2] == ["site-bdii", "accepted", str(centre.bdii)]
    before = bodies(centre.bdii)
    # The document also holds what only the set `site` writes: the centre itself, its place and its contacts.
    assert len(before) == int(said[0][0]) - 6 + 1
    again = program("publish", "--quiet", centre.config)
    assert (again.code, again.out, again.err) == (0, "", "")
    assert changed(before, bodies(centre.bdii)) == set()


def test_what_was_published_is_shown_and_explained(program: Program, centre: Centre) -> None:
    """From what is kept alone: the descriptions may be gone by then."""
    assert program("show", centre.config).code == ExitCode.STORE
    assert program("publish", "--quiet", centre.config).code == 0
    centre.forget("north")
    centre.forget("south")
    shown = program("show", centre.config)
    assert (shown.code, shown.err) == (0, "")
    assert "Who can start how many now" in shown.out
    told = json.loads(program("show", "--json", centre.config).out)
    (offer,) = [one for one in told["offers"] if one["share"] == SHARE and one["name"] == "whole-node"]
    assert (offer["startable"], offer["is_upper_bound"]) == (1, False)
    explained = program("explain", centre.config, SHARE, "FreeInstances.24")
    assert explained.code == 0
    assert "capacity (described) of demo-south" in explained.out
    missing = program("explain", centre.config, "urn:nowhere")
    assert (missing.code, missing.out) == (ExitCode.QUERY, "")
    assert missing.err == (
        "infoprovider: urn:nowhere is not in the current document; see what is with `infoprovider show`\n"
    )


def test_what_is_left_out_is_said_and_shown(program: Program, centre: Centre) -> None:
    """One of two ways in of one name: everything else goes out, and the exit code says partly."""

    def twice(north: Any) -> None:
        ways = north["manager"]["endpoints"][0]["sign_in"]
        ways.append({**ways[0], "issuer_ca": "CN=Other"})

    assert program("publish", "--quiet", centre.config).code == 0
    before = bodies(centre.bdii)
    centre.describe(twice)
    ended = program("publish", centre.config)
    assert ended.code == ExitCode.PARTLY
    (line,) = [one for one in ended.err.splitlines() if "left out" in one]
    assert "two entities have this ID: ComputingEndpoint" in line
    assert "rename one of them, or leave one out" in line
    assert bodies(centre.bdii).keys() == before.keys()
    assert "quarantined" in program("show", centre.config).out


def test_why_something_is_left_out_is_explained(program: Program, centre: Centre) -> None:
    """A manager of which nothing was ever known."""
    centre.forget("north")
    assert program("publish", "--quiet", centre.config).code == ExitCode.PARTLY
    explained = program("explain", centre.config, NORTH)
    assert explained.code == ExitCode.QUERY
    assert f"{NORTH} is left out: nothing is known of the VM manager of instance demo-north: " in explained.err


def test_a_changed_description_changes_what_states_it(program: Program, centre: Centre) -> None:
    """One quota: the entry of one share is another one, and no other entry says anything else."""
    centre.describe(lambda north: north.update(observed_at="2020-01-01T00:00:00Z"))
    assert program("publish", "--quiet", centre.config).code == 0
    before = bodies(centre.bdii)
    centre.describe(lambda north: north["projects"][0]["quotas"].update(instances=81))
    assert program("collect", "--all", centre.config).code == 0
    assert program("publish", "--kept", "--quiet", centre.config).code == 0
    assert changed(before, bodies(centre.bdii)) == {
        "GLUE2ShareID=urn:glue2:ComputingShare:rc-demo:demo-north:5f1c7c1e9d0a4a7f8a7d3c1b2e604001"
    }


def test_a_manager_that_is_gone_keeps_what_was_known_of_it(program: Program, centre: Centre) -> None:
    """Its entries stay in the BDII with their own age, and the code says that something failed."""
    assert program("publish", "--quiet", centre.config).code == 0
    before = bodies(centre.bdii)
    centre.forget("south")
    assert program("collect", "--all", centre.config).code == ExitCode.PARTLY
    assert program("publish", "--kept", "--quiet", centre.config).code == 0
    assert bodies(centre.bdii).keys() == before.keys()


def test_one_instance_may_be_collected_by_name(program: Program, centre: Centre) -> None:
    """One that there is not is a mistake of the command line, with the names that there are."""
    ended = program("collect", centre.config, "demo-south")
    assert ended.code == 0
    assert "demo-south" in ended.out
    assert "demo-north" not in ended.out
    wrong = program("collect", centre.config, "demo-west")
    assert (wrong.code, wrong.out) == (ExitCode.CONFIG, "")
    assert wrong.err == (
        f"{centre.config}: there is no instance demo-west; name one of demo-north, demo-south\n"
        "infoprovider: 1 mistake to mend\n"
    )


def test_state_that_cannot_be_read_is_set_aside(program: Program, centre: Centre) -> None:
    """Publishing goes on with new stamps; the file is there to be looked at."""
    assert program("publish", "--quiet", centre.config).code == 0
    document = centre.config.parent / "run" / "state" / "document.json"
    document.write_text("{")
    assert program("publish", "--quiet", centre.config).code == 0
    assert document.with_name("document.json.unreadable").read_text() == "{"
    assert json.loads(document.read_text())["version"] == 1
