"""What `infoprovider diff` and `explain` say of the servers that brokers read: a resource, a site and a top BDII."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.system.bdii import Bdii, Chain, start_chain
from tests.system.demo import COMMAND, Demo, bdii_channel, demo_in

pytestmark = pytest.mark.bdii

CENTRE = "RC-DEMO"
IMAGES = 12
"""That the demo centre publishes; above the resource they are not handed on."""
SHARE, QUOTA = "urn:glue2:ComputingShare:rc-demo:demo-south:100", "60"
"""A share of the demo centre, and how many machines it may have."""


@dataclass(frozen=True)
class Published:
    """The demo centre on three servers."""

    chain: Chain
    demo: Demo

    def ask(self, command: str, level: str, *words: str) -> tuple[int, Any]:
        """The exit code and the JSON of a command about the centre and one of the servers."""
        url = urlsplit(getattr(self.chain, level).url)
        server = ["-H", str(url.hostname), "-p", str(url.port), "-b", "o=glue", "-t", "20"]
        words = ("--json", *server, str(self.demo.config), *words)
        ended = subprocess.run([COMMAND, command, *words], capture_output=True, text=True, check=False)
        assert ended.stderr == ""
        return ended.returncode, json.loads(ended.stdout)

    def diff(self, level: str, *words: str) -> tuple[int, Any]:
        """Ours against what a server serves."""
        return self.ask("diff", level, *words)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The demo centre, described a moment ago, on all its servers by one command."""
    with ExitStack() as running:
        chain = start_chain(tmp_path_factory.mktemp("chain"), CENTRE, running)
        demo = demo_in(tmp_path_factory.mktemp("demo"), bdii_channel(chain.ldif))
        for described in (demo.config.parent / "demo").iterdir():
            described.touch()
        done = demo.publish()
        assert done.returncode == 0, done.stderr
        chain.settle()
        yield Published(chain, demo)


@contextmanager
def paused(bdii: Bdii) -> Iterator[None]:
    """Without the updater, which puts right in its next cycle what somebody changed in its server."""
    updater = int((bdii.work / "run" / "bdii-update.pid").read_text())
    os.kill(updater, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(updater, signal.SIGCONT)


def modify(bdii: Bdii, dn: str, attribute: str, *values: str) -> None:
    """Replace the values of an attribute in a server, behind the back of everybody."""
    lines = [f"dn: {dn}", "changetype: modify", f"replace: {attribute}", *(f"{attribute}: {one}" for one in values), ""]
    command = ["ldapmodify", "-x", "-H", bdii.url, "-D", "o=glue", "-w", "secret"]
    subprocess.run(command, input="\n".join(lines), text=True, check=True, stdout=subprocess.DEVNULL)


def dn_of(bdii: Bdii, id_: str) -> str:
    """Where a share stands in a server."""
    return bdii.search("o=glue", f"(GLUE2ShareID={id_})", "dn").strip().removeprefix("dn: ")


@pytest.mark.parametrize(("level", "absent"), [("resource", 0), ("site", IMAGES), ("top", IMAGES)])
def test_what_was_published_is_what_is_served(published: Published, level: str, absent: int) -> None:
    """At every level, whatever stands above; images that pullers drop are said once, and the site's own entry too."""
    code, found = published.diff(level, "--stamps")
    assert (code, found["equal"]) == (0, True)
    assert (found["missing_there"], found["missing_here"], found["different"]) == ([], [], [])
    assert found["not_handed_on"] == ({"ApplicationEnvironment": absent} if absent else {})
    assert found["others_there"] == ({"AdminDomain": 1} if absent else {})
    assert found["compared"] == found["here"]["entries"] - absent > 40


def test_one_value_that_somebody_changed_is_exactly_what_differs(published: Published) -> None:
    """Until its updater puts it right; explain says both values."""
    top = published.chain.top
    dn = dn_of(top, SHARE)
    with paused(top):
        modify(top, dn, "GLUE2ComputingShareMaxTotalJobs", "987654")
        code, found = published.diff("top")
        (one,) = found["different"]
        assert (code, found["missing_there"], found["missing_here"]) == (6, [], [])
        assert (one["class"], one["id"], one["attribute"]) == ("ComputingShare", SHARE, "MaxTotalJobs")
        assert (one["here"], one["there"]) == ([QUOTA], ["987654"])
        code, explained = published.ask("explain", "top", SHARE, "MaxTotalJobs")
        assert (code, explained["served"]["dn"], explained["served"]["stale"]) == (0, dn, False)
        ((value, served),) = ((one["value"], one["served"]) for one in explained["values"])
        assert (value, served) == (QUOTA, ["987654"])
    top.wait()
    assert published.diff("top")[0] == 0


def test_what_a_server_still_serves_of_an_older_publication_differs(published: Published) -> None:
    """The file that the BDII reads is put back as it was: what changed meanwhile is named, the older stamp apart."""
    file = published.chain.ldif / "resource.ldif"
    former = file.read_bytes()

    def one_more(described: Any) -> None:
        described["projects"][0]["quotas"]["instances"] += 1

    published.demo.describe(one_more)
    published.demo.collect_and_publish()
    file.write_bytes(former)
    published.chain.resource.wait()
    code, found = published.diff("resource")
    assert code == 6
    changed = {(one["class"], one["attribute"]) for one in found["different"]}
    assert {("ComputingShare", "MaxTotalJobs"), ("ComputingShare", "MaxRunningJobs")} <= changed
    assert {cls for cls, _ in changed} == {"ComputingShare"}
    assert any(one["older_there_by"] > 0 for one in found["stamps"])
