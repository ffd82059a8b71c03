"""`infoprovider diff`: a configuration, files and servers against each other, as an operator and a script meet it."""

import json
from pathlib import Path
from typing import Any

import pytest

from infoprovider.errors import ExitCode
from tests.cli.conftest import Centre, Program
from tests.fakes.ldap_server import answering, done, entry, serving

CHANNELS = [
    {"name": "site-bdii", "kind": "bdii", "settings": {"folder": "bdii"}},
    {"name": "whole", "kind": "stdout", "format": "xml"},
    {"name": "messages", "kind": "stdout", "format": "json"},
]


@pytest.fixture
def published(program: Program, centre: Centre) -> Centre:
    """The demonstration centre, published as LDIF, XML and JSON."""
    centre.change(channels=CHANNELS)
    assert program("publish", "--quiet", centre.config).code == 0
    return centre


def rendering(centre: Centre, name: str) -> Path:
    """A file that is handed out."""
    return centre.config.parent / "run" / "public" / f"current.{name}"


def test_what_is_published_equals_itself_in_every_format(program: Program, published: Centre) -> None:
    """The tree and its file; XML and JSON, of files and of the configuration."""
    pairs: list[tuple[str | Path, ...]] = [
        (published.config, published.bdii),
        (rendering(published, "xml"), rendering(published, "json")),
        (published.config, rendering(published, "json"), "--tree", "xml"),
    ]
    for pair in pairs:
        ended = program("diff", *pair, "--stamps")
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.splitlines()[-1].startswith("equal: ")


def test_a_tree_leaves_out_what_the_whole_document_has(program: Program, published: Centre) -> None:
    """The tree of the resource has no centre: it is missing on the side of the tree, and nothing else differs."""
    ended = program("diff", "--json", published.bdii, rendering(published, "xml"))
    told = json.loads(ended.out)
    assert ended.code == ExitCode.VALIDATION
    assert {one["class"] for one in told["missing_here"]} == {"AdminDomain", "Location", "Contact"}
    assert (told["missing_there"], told["different"]) == ([], [])


def test_an_older_file_differs_in_what_was_changed(program: Program, published: Centre) -> None:
    """The values of both are told, the age of the entry apart; code 6 for scripts."""
    older = published.config.with_name("older.ldif")
    older.write_bytes(published.bdii.read_bytes())
    published.describe(lambda north: north["projects"][0]["quotas"].update(instances=81))
    assert program("collect", "--all", published.config).code == 0
    assert program("publish", "--kept", "--quiet", published.config).code == 0
    ended = program("diff", published.config, older)
    assert ended.code == ExitCode.VALIDATION
    (row,) = [line.split() for line in ended.out.splitlines() if "MaxTotalJobs" in line]
    assert row[0] == "different"
    assert row[2:] == ["MaxTotalJobs", "81", "80"]
    assert "no difference unless --stamps" in ended.out


def test_a_server_above_the_resource_drops_images(program: Program, published: Centre) -> None:
    """They are said in one line; entries of others are counted, ours that have no counterpart here are missing."""
    others = published.config.with_name("others.ldif")
    kept = [block for block in published.bdii.read_text().split("\n\n") if "GLUE2ApplicationEnvironment\n" not in block]
    stray = "dn: GLUE2ShareID={0},o=glue\nobjectClass: GLUE2Share\nGLUE2ShareID: {0}"
    kept += [stray.format(id_) for id_ in ("urn:glue2:ComputingShare:rc-other:a:b", "urn:glue2:Share:rc-demo:gone")]
    others.write_text("\n\n".join(kept) + "\n")
    with serving(answering(others.read_bytes(), "GLUE2DomainID=RC-DEMO,")) as port:
        ended = program("diff", "--json", published.config, "-H", "127.0.0.1", "-p", port, "-b", "o=glue", "-t", "20")
        told = json.loads(ended.out)
        assert ended.code == ExitCode.VALIDATION
        assert told["there"]["source"] == f"ldap://127.0.0.1:{port}/o=glue"
        assert told["not_handed_on"] == {"ApplicationEnvironment": 12}
        assert [one["id"] for one in told["missing_here"]] == ["urn:glue2:Share:rc-demo:gone"]
        assert told["others_there"] == {"Share": 1}
        assert (told["missing_there"], told["different"]) == ([], [])
        # A file says nothing of whose it is: all that the server has is compared with it.
        told = json.loads(program("diff", "--json", published.bdii, "-H", "127.0.0.1", "-p", port).out)
        assert len(told["missing_here"]) == 2


def test_the_configuration_may_be_named_by_the_environment(
    program: Program, published: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for the other commands; it is ours, whatever is named is theirs."""
    monkeypatch.setenv("INFOPROVIDER_CONFIG", str(published.config))
    ended = program("diff", published.bdii)
    assert (ended.code, ended.out.splitlines()[0]) == (0, f"here: {rendering(published, 'resource.ldif')}")


def test_what_cannot_be_read_has_a_code_of_its_own(program: Program, published: Centre, tmp_path: Path) -> None:
    """Code 9 for a file that is not there or nothing of which is an entry, and for a server that does not answer."""
    (tmp_path / "odd.ldif").write_text("hello\n")
    (tmp_path / "odd.xml").write_text("<hello/>")
    for words in (["missing.ldif"], [tmp_path / "odd.ldif"], [tmp_path / "odd.xml"], ["-H", "127.0.0.1", "-p", "1"]):
        ended = program("diff", published.config, *words)
        assert (ended.code, ended.out) == (ExitCode.QUERY, "")
        assert ended.err.startswith("infoprovider: cannot read ")


def test_two_things_are_compared(program: Program, published: Centre) -> None:
    """Neither one nor three; a rendering that there is not is a mistake with the names of those that there are."""
    for words in ([published.bdii], [published.bdii] * 3, [published.bdii, published.bdii, "-H", "127.0.0.1"]):
        ended = program("diff", *words)
        assert ended.code == ExitCode.CONFIG
        assert (
            f"two are compared, and {len([one for one in words if one not in ('127.0.0.1',)])} are named" in ended.err
        )
    ended = program("diff", published.config, published.bdii, "--tree", "cloud")
    assert ended.code == ExitCode.CONFIG
    assert "nothing is rendered as 'cloud'; name one of resource, xml, json" in ended.err


def test_nothing_is_compared_before_something_was_published(program: Program, centre: Centre) -> None:
    """Nor is anything published by comparing."""
    centre.bdii.write_text("")
    assert program("diff", centre.config, centre.bdii).code == ExitCode.STORE


def test_hostile_text_of_a_server_stays_text(program: Program, published: Centre) -> None:
    """Nothing that a stranger serves reaches a terminal as a command."""

    def answer(message: Any, send: Any) -> None:
        evil = "urn:glue2:Share:rc-demo:\x1b[2J\u202e\x9b".encode()
        share = {"objectClass": [b"GLUE2Share"], "GLUE2ShareID": [evil], "\x1b[2J": [b"\x1b[2J"]}
        send(entry(message["messageID"], "GLUE2ShareID=\x1b[2J,o=glue", share))
        send(entry(message["messageID"], "cn=\x1b[2J\u202e", {"objectClass": [b"\x1b[31m"]}))
        send(done(message["messageID"]))

    with serving(answer) as port:
        for options in ([], ["--json"]):
            ended = program("diff", published.config, "-H", "127.0.0.1", "-p", port, *options)
            assert ended.code == ExitCode.VALIDATION
            assert not set(ended.out) & set("\x1b\x9b\u202e")
            assert "rc-demo" in ended.out
