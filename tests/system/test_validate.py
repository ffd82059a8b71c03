"""The demo centre validated where brokers read it: on the servers of a resource, a site and the top."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from infoprovider.query.ldap import Server, read_server
from tests.system.bdii import Chain, start_chain
from tests.system.demo import COMMAND, bdii_channel, demo_in

pytestmark = pytest.mark.bdii


CENTRE = "RC-DEMO"
OF_THE_TESTBED = f"GLUE2DomainID={CENTRE},"
"""The site BDII's own entry, which lists its classes from Domain down only."""


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Three BDIIs, of which the site has the demo centre's name."""
    with ExitStack() as running:
        yield start_chain(tmp_path_factory.mktemp("chain"), CENTRE, running)


@pytest.fixture(scope="module")
def published(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The chain with the demo centre on all its servers, described a moment ago."""
    demo = demo_in(tmp_path_factory.mktemp("demo"), bdii_channel(chain.ldif))
    for described in (demo.config.parent / "demo").iterdir():
        described.touch()
    done = demo.publish()
    assert done.returncode == 0, done.stderr
    chain.settle()
    return chain


def address(chain: Chain, level: str) -> list[str]:
    """A server as older tools name it."""
    url = urlsplit(getattr(chain, level).url)
    return ["-H", str(url.hostname), "-p", str(url.port)]


@pytest.mark.parametrize("level", ["resource", "site", "top"])
def test_what_brokers_read_breaks_no_rule(published: Chain, level: str) -> None:
    """All entries of the server are read, and none of ours is amiss."""
    ended = subprocess.run(
        [COMMAND, "validate", "--json", *address(published, level)], capture_output=True, text=True, check=False
    )
    (source,) = json.loads(ended.stdout)["sources"]
    assert ended.stderr == ""
    amiss = {(one["rule"], one["object"]) for one in source["findings"] if not one["object"].startswith(OF_THE_TESTBED)}
    assert amiss == set()
    assert source["counts"] == ({} if level == "resource" else {"ldap.object-class": 1})
    found = getattr(published, level).search("o=glue", "(objectClass=*)", "dn")
    assert source["entries"] == found.count("dn: ") - 1


def test_pages_lose_nothing(published: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that offers pages sends the same entries in pages of seven."""
    monkeypatch.setattr("infoprovider.query.ldap._PAGE", 7)
    url = urlsplit(published.resource.url)
    entries = list(read_server(Server(str(url.hostname), url.port or 0)))
    assert len(entries) == published.resource.search("o=glue", "(objectClass=*)", "dn").count("dn: ") > 14


def test_a_monitoring_probe_of_a_bdii(published: Chain) -> None:
    """The command line that probes use: one line, and its state as code."""
    probe = [COMMAND, "validate", *address(published, "top"), "-b", "o=glue", "-t", "20", "-k", "-n", "--rules=-ldap"]
    ended = subprocess.run(probe, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("OK: 0 errors, 0 warnings, 0 notes in ")
