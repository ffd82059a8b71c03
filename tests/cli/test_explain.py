"""`infoprovider explain`: entities, attributes and what servers have of them, as an operator meets it."""

import json
from typing import Any

import pytest

from infoprovider.errors import ExitCode
from tests.cli.conftest import Centre, Program
from tests.fakes.ldap_server import answering, done, entry, serving

SHARE = "urn:glue2:ComputingShare:rc-demo:demo-south:100"
DN = f"GLUE2ShareID={SHARE},GLUE2ServiceID=urn:glue2:ComputingService:rc-demo:demo-south,GLUE2GroupID=resource,o=glue"
IMAGE = "urn:glue2:ApplicationEnvironment:rc-demo:demo-south:310"


@pytest.fixture
def published(program: Program, centre: Centre) -> Centre:
    """The demonstration centre, published."""
    assert program("publish", "--quiet", centre.config).code == 0
    return centre


def explained(program: Program, centre: Centre, *words: Any) -> Any:
    """What is said of something, as JSON."""
    ended = program("explain", "--json", centre.config, *words)
    assert (ended.code, ended.err) == (0, "")
    return json.loads(ended.out)


def test_an_entity_goes_by_its_id_and_by_any_name(program: Program, published: Centre) -> None:
    """Letter case does not count, nor where in a tree the name says that it is."""
    told = explained(program, published, SHARE)
    assert (told["class"], told["state"], told["server"]) == ("ComputingShare", "published", None)
    assert told["stamps"]["period"] == 150
    for name in (DN, DN.replace("o=glue", "GLUE2DomainID=RC,GLUE2GroupID=grid,o=glue"), SHARE.upper()):
        assert explained(program, published, name)["values"] == told["values"]


@pytest.mark.parametrize("name", ["maxtotaljobs", "GLUE2ComputingShareMaxTotalJobs"])
def test_one_attribute_of_an_entity(program: Program, published: Centre, name: str) -> None:
    """By its name in GLUE or LDAP: the value with its rule, facet, instance, project, call and kind."""
    (value,) = explained(program, published, SHARE, name)["values"]
    assert (value["attribute"], value["value"], value["rule"]) == ("MaxTotalJobs", "60", "ComputingShare.MaxTotalJobs")
    (origin,) = value["origins"]
    assert (origin["facet"], origin["instance"], origin["part"], origin["kind"]) == (
        "quotas",
        "demo-south",
        "100",
        "described",
    )
    assert origin["calls"] == [f"read {published.config.parent / 'demo' / 'south.yaml'}"]


def test_an_attribute_that_an_entity_does_not_say(program: Program, published: Centre) -> None:
    """Code 9, and how to see all that it says."""
    ended = program("explain", published.config, SHARE, "Colour")
    assert ended.code == ExitCode.QUERY
    assert ended.err == (
        f"infoprovider: {SHARE} says nothing of Colour; leave the attribute out to see all that it says\n"
    )


def test_an_attribute_by_itself(program: Program, published: Centre) -> None:
    """What it says wherever it is published, as a table and as JSON."""
    (place,) = explained(program, published, "FreeSlots")["places"]
    assert place["facets"] == ["quotas", "usage", "capacity", "configuration"]
    assert "vCPUs that could still be started" in program("explain", published.config, "FreeSlots").out


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        (SHARE.replace("100", "10"), SHARE),
        (SHARE.replace("demo-south", "demo-sorth"), SHARE),
        ("RC-DEM", "RC-DEMO"),
    ],
)
def test_an_unknown_id_has_near_ones(program: Program, published: Centre, word: str, nearest: str) -> None:
    """Those that contain it, else those that differ in a few letters."""
    ended = program("explain", published.config, word)
    assert (ended.code, ended.out) == (ExitCode.QUERY, "")
    assert f"{word} is not in the current document; did you mean {nearest}" in ended.err


def test_what_is_carried_over_says_so(program: Program, published: Centre) -> None:
    """After the state was lost: its values stand, of facets that nobody knows any more, and why."""
    published.forget("south")
    for kept in (published.config.parent / "run" / "state").rglob("*.json"):
        kept.unlink()
    assert program("publish", "--quiet", published.config).code == ExitCode.PARTLY
    told = explained(program, published, SHARE, "MaxTotalJobs")
    assert told["state"] == "carried over"
    assert (told["values"][0]["value"], told["values"][0]["origins"]) == ("60", [])
    service = explained(program, published, "urn:glue2:ComputingService:rc-demo:demo-south")
    assert service["state"] == "carried over"
    assert "nothing is known of the VM manager of instance demo-south" in service["why"]
    shown = program("explain", published.config, SHARE, "MaxTotalJobs").out
    assert "quotas; when it was handed out before" in " ".join(shown.split())


def test_what_no_tree_writes_says_so(program: Program, published: Centre) -> None:
    """The centre itself, which only the set `site` has."""
    ended = program("explain", published.config, "RC-DEMO")
    assert ended.code == ExitCode.QUERY
    assert "RC-DEMO is composed, but no channel's template set writes it" in ended.err


def test_a_reference_that_was_taken_out_is_noted(program: Program, centre: Centre) -> None:
    """With what it named, so that nobody looks for it in the tree."""
    config = centre.config
    assert program("publish", "--quiet", config).code == 0
    document = config.parent / "run" / "state" / "document.json"
    plain = json.loads(document.read_text())
    plain["pruned"] = [[SHARE, "EndpointForeignKey", "urn:gone"]]
    plain["quarantined"] = [["ComputingShare", SHARE, "its text is too long", "site"]]
    document.write_text(json.dumps(plain))
    assert explained(program, centre, SHARE)["notes"] == [
        "its EndpointForeignKey urn:gone was taken out: that is not in the document",
        "left out: its text is too long (tree site)",
    ]


def test_a_server_is_asked_for_the_same_entity(program: Program, published: Centre) -> None:
    """What it has stands beside ours, with its own stamp."""
    older = published.config.with_name("older.ldif")
    text = published.bdii.read_text().replace("MaxTotalJobs: 60", "MaxTotalJobs: 61")
    older.write_text(text)
    with serving(answering(older.read_bytes())) as port:
        told = explained(program, published, SHARE, "MaxTotalJobs", "-H", "127.0.0.1", "-p", port)
        shown = program("explain", published.config, SHARE, "MaxTotalJobs", "-H", "127.0.0.1", "-p", port)
    assert told["server"] == f"ldap://127.0.0.1:{port}/o=glue"
    assert told["served"]["dn"] == DN
    assert told["served"]["creation_time"] == told["stamps"]["creation_time"]
    assert [(one["value"], one["served"]) for one in told["values"]] == [("60", ["61"])]
    assert "61" in shown.out


def test_a_server_is_asked_for_nothing_else(program: Program, published: Centre) -> None:
    """By a filter on the identifiers, in which an ID cannot be anything but itself."""
    asked = []

    def answer(message: Any, send: Any) -> None:
        asked.append(str(message["protocolOp"].getComponent()["filter"]))
        send(done(message["messageID"]))

    with serving(answer) as port:
        ended = program("explain", published.config, "a)(b*\\", "-H", "127.0.0.1", "-p", port)
        assert ended.code == ExitCode.QUERY
        told = explained(program, published, IMAGE, "-H", "127.0.0.1", "-p", port)
    assert "GLUE2ShareID" in asked[0]
    assert "a)(b*\\" in asked[0]
    assert told["served"] is None
    assert told["notes"] == ["what pulls for the BDII of a site or the top leaves every ApplicationEnvironment out"]
    assert told["values"][0]["served"] is None


def test_what_only_a_server_has_is_shown(program: Program, published: Centre) -> None:
    """It is not ours, and not in the current document: withdrawn, or of somebody else."""

    def answer(message: Any, send: Any) -> None:
        share = {"objectClass": [b"GLUE2Share"], "GLUE2ShareID": [b"urn:x"], "GLUE2EntityName": [b"\x1b[2J"]}
        send(entry(message["messageID"], "GLUE2ShareID=urn:x,o=glue", share))
        send(done(message["messageID"]))

    with serving(answer) as port:
        told = explained(program, published, "urn:x", "-H", "127.0.0.1", "-p", port)
        shown = program("explain", published.config, "urn:x", "-H", "127.0.0.1", "-p", port)
    assert (told["state"], told["class"], told["served"]["stale"]) == ("not ours", "Share", None)
    assert {one["attribute"] for one in told["values"]} == {"ID", "Name"}
    assert "\x1b" not in shown.out


def test_a_server_that_does_not_answer(program: Program, published: Centre) -> None:
    """Code 9."""
    ended = program("explain", published.config, SHARE, "-H", "127.0.0.1", "-p", "1", "-t", "5")
    assert (ended.code, ended.out) == (ExitCode.QUERY, "")
    assert ended.err.startswith("infoprovider: cannot read ldap://127.0.0.1:1/o=glue: ")
