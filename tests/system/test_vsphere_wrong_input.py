"""What an operator is told where a vCenter goes wrong: every row of the table on the provider's page.

The simulator shows what it can; what it cannot be made to do is done by one whose answers are written by hand.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider.errors import ExitCode
from tests.certificate import self_signed
from tests.providers.vsphere_fake import PASSWORD, Fake, fill, serving
from tests.system import vsphere
from tests.system.answers import by_key, read_ldif
from tests.system.bdii import free_port
from tests.system.demo import COMMAND
from tests.system.told import assert_told, rows_of
from tests.system.vsphere import Simulator

ROWS = rows_of("vsphere.md")
REFUSED = "user or password is wrong"
UNTRUSTED = "the certificate is not trusted, also on loopback"
NO_AUTHORITIES = "ca_file is not there, or has no certificates"
NOBODY = "nobody listens there; the name is not known"
HANGS = "the server hangs, or a firewall drops what comes"
ELSEWHERE = "url leads to something else"
SESSION_ENDS = "the session ends half-way"
HALF = "half an answer"
LIBRARIES_FAIL = "the content libraries fail"
LIBRARIES_REFUSE = "the account may not read the libraries"
SEES_NOTHING = "the account sees nothing"

WRONG_PASSWORD = "wrong-horse"  # noqa: S105  (of nobody)
SECRETS = (WRONG_PASSWORD, PASSWORD, "hunter2", "token-1", "s-1")
"""Passwords, the names of sessions, and what a server said of its own."""


@dataclass
class Operator:
    """Somebody with a centre in a folder of their own."""

    folder: Path
    password: str = PASSWORD
    instances: list[dict[str, Any]] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "centre.yaml"

    def add(self, name: str, deadline: int = 60, **settings: Any) -> None:
        """A further manager."""
        self.instances.append({"name": name, "kind": "vsphere", "deadline": f"{deadline}s", "settings": settings})
        written = {"centre": {"name": "RC-WRONG"}, "state": "state", "instances": self.instances}
        defaults = {"os_family": "linux", "platform": "amd64"}
        self.instances[-1]["defaults"] = defaults
        self.config.write_text(yaml.safe_dump(written))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, as talkative as can be; asserts that it ends orderly, and tells and keeps no secret."""
        environment = os.environ | {"FAKE_PASSWORD": self.password}
        command = [COMMAND, "--verbose", *words, self.config]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        kept = [file.read_text() for file in self.folder.glob("state/**/*") if file.is_file()]
        told = "\n".join((done.stdout, done.stderr, *kept))
        assert [secret for secret in ("Traceback", *SECRETS) if secret in told] == []
        return done

    def published(self) -> dict[str, dict[str, frozenset[str]]]:
        """What a document of now says, by DN."""
        done = self.run("publish")
        assert done.returncode in (ExitCode.SUCCESS, ExitCode.PARTLY), done.stderr
        file = self.folder / "run" / "public"
        [ldif] = list(file.rglob("*.ldif"))
        return {dn: by_key(entry) for dn, entry in read_ldif(ldif.read_text()).items()}


def test_every_row_of_the_page_is_tested() -> None:
    """And no other."""
    names = {value for name, value in globals().items() if name.isupper() and isinstance(value, str)} & set(ROWS)
    assert names == set(ROWS)


# --- answers that are written by hand ---------------------------------------------------------------------------------


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    """A vCenter with a little of everything."""
    with serving(tmp_path) as running:
        fill(running)
        yield running


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Who reads it."""
    return Operator(tmp_path)


FAULTS: Mapping[str, tuple[str, str]] = {
    ELSEWHERE: ("RetrieveServiceContent", "404"),
    SESSION_ENDS: ("ContinueRetrievePropertiesEx", "NotAuthenticated"),
    HALF: ("RetrievePropertiesEx", "cut"),
    LIBRARIES_FAIL: ("REST", "500"),
    LIBRARIES_REFUSE: ("REST", "403"),
    HANGS: ("RetrievePropertiesEx", "hang"),
}


@pytest.mark.parametrize("wrong", FAULTS)
def test_what_a_server_does_wrong(wrong: str, fake: Fake, operator: Operator) -> None:
    """Said in one line with what to do; what needs nothing of it is there."""
    fake.page = 2
    fake.faults = dict([FAULTS[wrong]])
    operator.add("cloud", 6, **fake.settings())
    done = operator.run("collect")
    assert_told(done, ROWS[wrong])
    if wrong in (LIBRARIES_FAIL, LIBRARIES_REFUSE):
        assert re.search(r"usage +1 +0 +0", done.stdout), done.stdout
        assert re.search(r"images +1 +1 +0", done.stdout), done.stdout


def test_a_wrong_password(fake: Fake, tmp_path: Path) -> None:
    """Each command says the same; `check` asks nobody, and has nothing to mend."""
    operator = Operator(tmp_path, WRONG_PASSWORD)
    operator.add("cloud", **fake.settings())
    assert_told(operator.run("collect"), ROWS[REFUSED])
    assert_told(operator.run("try"), ROWS[REFUSED])
    assert operator.run("check").returncode == ExitCode.SUCCESS


def test_authorities_that_are_not_there(fake: Fake, operator: Operator) -> None:
    """Found before anybody is asked."""
    operator.add("cloud", **fake.settings(ca_file="missing.pem"))
    assert_told(operator.run("check"), ROWS[NO_AUTHORITIES])
    assert fake.asked == []


def test_an_address_where_nobody_listens(fake: Fake, operator: Operator) -> None:
    """Told at once."""
    operator.add("cloud", **fake.settings(url=f"https://127.0.0.1:{free_port()}"))
    assert_told(operator.run("collect"), ROWS[NOBODY])


def test_an_account_that_sees_nothing(fake: Fake, operator: Operator) -> None:
    """That is no failure: only the status says it, with what would change it."""
    fake.things = []
    operator.add("cloud", **fake.settings())
    done = operator.run("collect")
    assert (done.returncode, done.stderr) == (ROWS[SEES_NOTHING].code, "")
    shown = operator.run("show", "--status", "--json")
    assert re.search(ROWS[SEES_NOTHING].pattern, shown.stdout), shown.stdout


# --- the simulator ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def north(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A vCenter of 9 hosts."""
    with ExitStack() as running:
        yield vsphere.start_until(running, tmp_path_factory.mktemp("north"))


@pytest.mark.vsphere
def test_another_password_is_refused(north: Simulator, operator: Operator) -> None:
    """By the simulator as by the other."""
    settings = north.settings(operator.folder / "password")
    (operator.folder / "password").write_text(WRONG_PASSWORD)
    operator.add("north", **settings)
    assert_told(operator.run("collect"), ROWS[REFUSED])


@pytest.mark.vsphere
def test_a_certificate_is_trusted_when_it_is_named(north: Simulator, operator: Operator) -> None:
    """On 127.0.0.1: refused without, refused with another one of the same name, taken with its own."""
    self_signed(operator.folder / "other.pem")
    settings = north.settings(operator.folder / "password")
    for authorities in (None, "other.pem", settings["ca_file"]):
        operator.instances.clear()
        operator.add("north", **settings | {"ca_file": authorities})
        done = operator.run("collect", "--all")
        if authorities != settings["ca_file"]:
            assert_told(done, ROWS[UNTRUSTED])
    assert (done.returncode, done.stderr) == (ExitCode.SUCCESS, "")


@pytest.mark.vsphere
def test_one_that_hangs_and_vanishes_leaves_the_other_unharmed(
    north: Simulator, operator: Operator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What it said last stays published with its true age, while the other goes on to be read."""
    with ExitStack() as running:
        south = vsphere.start_until(running, tmp_path_factory.mktemp("south"), "-esx", "-vm", 5)
        operator.add("north", **north.settings(operator.folder / "password"))
        operator.add("south", 4, **south.settings(operator.folder / "password"))
        before = operator.published()
        with south.hanging():
            done = operator.run("collect", "--all")
            assert_last_good(done, "did not answer in time", before, operator.published())
        south.stop()
        done = operator.run("collect", "--all")
        assert_last_good(done, "cannot be reached: Connection refused", before, operator.published())


def assert_last_good(
    done: subprocess.CompletedProcess[str],
    said: str,
    before: Mapping[str, Mapping[str, frozenset[str]]],
    after: Mapping[str, Mapping[str, frozenset[str]]],
) -> None:
    """The same entries; those of the south are as old as they were, but for its endpoint's state."""
    assert done.returncode == ExitCode.PARTLY
    assert re.search(rf"instance south: .*{said}", done.stderr), done.stderr
    assert "instance north" not in done.stderr
    assert after.keys() == before.keys()
    stamp = "GLUE2EntityCreationTime"
    old = [dn for dn in before if ":south" in dn.partition(",")[0] and "GLUE2Manager" in before[dn]["objectClass"]]
    assert [dn for dn in old if before[dn][stamp] != after[dn][stamp]] == []
    assert old
    health = {dn: one["GLUE2EndpointHealthState"] for dn, one in after.items() if "GLUE2EndpointHealthState" in one}
    assert {dn.partition(",")[0].split(":")[4]: state == {"ok"} for dn, state in health.items()} == {
        "north": True,
        "south": False,
    }
