"""What an operator is told where an OpenStack goes wrong: every row of the table on the provider's page.

A real OpenStack shows what it can; what it cannot be made to do is done by one that gives recorded answers.
"""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider.errors import ExitCode
from tests.certificate import self_signed
from tests.providers.openstack_recorded import PASSWORD, Fault, Recorded, serving
from tests.system import openstack
from tests.system.answers import read_ldif
from tests.system.demo import COMMAND
from tests.system.front import fronts
from tests.system.openstack import Account, Cloud
from tests.system.told import assert_told, rows_of

ROWS = rows_of("openstack.md")
REFUSED = "password, secret or user is wrong; the project does not exist or gives no role"
STALE = "the token has expired or was revoked"
TOKEN_REFUSED = "a service refuses the token"  # noqa: S105  (a row of the table)
NOBODY = "nobody listens there; the name is not known"
DROPPED = "a firewall drops what comes"
UNTRUSTED = "the certificate is not trusted, also on loopback"
ELSEWHERE = "auth_url leads to something else"
NO_REGION = "the region is not there"
NO_ENTRY = "clouds.yaml has no such entry"
HANGS = "a service hangs"
KEYSTONE_HANGS = "keystone hangs"
TOO_MANY = "too many requests"
FAILS = "a service fails"
HALF = "half an answer"
CLOSED = "one of ten projects is closed to the account"
ONE_REFUSES = "one of ten projects refuses"
ALL_REFUSE = "all refuse, to this account"

WRONG_PASSWORD = "wrong-horse"  # noqa: S105  (of nobody)
SECRETS = (WRONG_PASSWORD, PASSWORD, "token-of-", "gAAAA", "hunter2")
"""Passwords, the tokens of the recorded cloud, how all tokens of keystone begin, and what a service said of its own."""

STARTING_SECONDS = 10
"""What starting and ending our own processes may take on a busy machine."""

Entry = dict[str, Any]


class Operator:
    """Somebody with a clouds.yaml and a centre, in a folder of their own."""

    def __init__(self, folder: Path, **entries: Entry) -> None:
        self.folder = folder
        self.clouds_file = folder / "clouds.yaml"
        self.clouds_file.write_text(yaml.safe_dump({"clouds": entries}))
        self.config = folder / "centre.yaml"

    def configure(self, deadline: int, **settings: Any) -> None:
        """A centre of this one cloud."""
        instance = {"name": "cloud", "kind": "openstack", "deadline": f"{deadline}s", "settings": settings}
        written = {"centre": {"name": "RC-WRONG"}, "state": str(self.folder / "state"), "instances": [instance]}
        self.config.write_text(yaml.safe_dump(written))

    def run(self, *words: str | Path, within: float) -> subprocess.CompletedProcess[str]:
        """A command, as talkative as can be; asserts that it ends in time, orderly, and tells and keeps no secret."""
        environment = os.environ | {"OS_CLIENT_CONFIG_FILE": str(self.clouds_file)}
        began = time.monotonic()
        command = [COMMAND, "--verbose", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert time.monotonic() - began < within + STARTING_SECONDS
        kept = [file.read_text() for file in self.folder.glob("state/**/*") if file.is_file()]
        told = "\n".join((done.stdout, done.stderr, *kept))
        assert [secret for secret in ("Traceback", *SECRETS) if secret in told] == []
        return done

    def attempt(self, name: str, *, within: float = 20) -> subprocess.CompletedProcess[str]:
        """`infoprovider try`, of one entry of clouds.yaml."""
        return self.run("try", "openstack", "--os-cloud", name, within=within)

    def collect(self, deadline: int = 60, **settings: Any) -> subprocess.CompletedProcess[str]:
        """`infoprovider collect` with these settings."""
        self.configure(deadline, **settings)
        return self.run("collect", self.config, within=deadline)


def test_every_row_of_the_page_is_tested() -> None:
    """And no other."""
    names = {value for name, value in globals().items() if name.isupper() and isinstance(value, str)} & set(ROWS)
    assert names == set(ROWS)


# --- a real OpenStack ----------------------------------------------------------------------------------------------


def entry_of(cloud: Cloud, name: str = "member", **auth: Any) -> Entry:
    """An account of the cloud, with something else in the place of what it signs in with."""
    entry: Entry = yaml.safe_load(cloud.clouds_file.read_text())["clouds"][name]
    return entry | {"auth": entry["auth"] | auth}


def by_token(cloud: Cloud, token: str) -> Entry:
    """A token in the place of user and password."""
    auth = {"auth_url": cloud.auth_url, "token": token, "project_name": "vo002", "project_domain_id": "default"}
    return {"auth_type": "v3token", "auth": auth, "region_name": "RegionOne"}


def revoked_token(cloud: Cloud) -> str:
    """One that was good a moment ago."""
    account = Account(cloud.auth_url, "member", "vo001")
    token = str(account.token["secret"])
    account.ask("DELETE", "identity", "/auth/tokens", **{"X-Subject-Token": token})
    return token


def free_port() -> int:
    """A port of the loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


SIGN_INS: Mapping[str, Any] = {
    "wrong password": (REFUSED, lambda cloud: entry_of(cloud, password=WRONG_PASSWORD)),
    "no role in the project": (REFUSED, lambda cloud: entry_of(cloud, project_name="admin")),
    "revoked token": (STALE, lambda cloud: by_token(cloud, revoked_token(cloud))),
    "nobody there": (NOBODY, lambda cloud: entry_of(cloud, auth_url=f"http://127.0.0.1:{free_port()}/v3")),
    "another path": (ELSEWHERE, lambda cloud: entry_of(cloud, auth_url=cloud.auth_url.replace("/v3", "/identity"))),
    "another region": (NO_REGION, lambda cloud: entry_of(cloud) | {"region_name": "Nowhere"}),
}


@pytest.mark.openstack
@pytest.mark.parametrize("case", SIGN_INS)
def test_a_sign_in_that_does_not_work(case: str, cloud: Cloud, tmp_path: Path) -> None:
    """Said in one line, and nothing is shown but that."""
    wrong, entry = SIGN_INS[case]
    done = Operator(tmp_path, north=entry(cloud)).attempt("north")
    assert_told(done, ROWS[wrong])
    assert (done.stdout, done.stderr.count("infoprovider: ")) == ("", 1)


@pytest.mark.openstack
def test_a_token_that_is_good_opens_the_cloud(cloud: Cloud, tmp_path: Path) -> None:
    """So that it was the revoking that was told."""
    account = Account(cloud.auth_url, "member", "vo001")
    operator = Operator(tmp_path, north=by_token(cloud, str(account.token["secret"])))
    assert operator.collect(cloud="north").returncode == ExitCode.SUCCESS


@pytest.mark.openstack
def test_a_wrong_password_is_told_by_each_command(cloud: Cloud, tmp_path: Path) -> None:
    """A collection says the same as a trial; `check` asks nobody, and has nothing to mend."""
    operator = Operator(tmp_path, north=entry_of(cloud, password=WRONG_PASSWORD))
    assert_told(operator.collect(cloud="north"), ROWS[REFUSED])
    assert operator.run("check", operator.config, within=10).returncode == ExitCode.SUCCESS


def test_an_entry_that_is_not_there_is_told_by_each_command(tmp_path: Path) -> None:
    """A trial and `check` find the mistake before anybody is asked."""
    operator = Operator(tmp_path, north={"auth": {"auth_url": "http://127.0.0.1/v3"}})
    assert_told(operator.attempt("south"), ROWS[NO_ENTRY])
    operator.configure(30, cloud="south")
    assert_told(operator.run("check", operator.config, within=10), ROWS[NO_ENTRY])


@pytest.mark.openstack
def test_a_certificate_is_trusted_when_it_is_named(cloud: Cloud, tmp_path: Path) -> None:
    """TLS before all services of a real cloud, on loopback: refused first, then all is read through it."""
    certificate = tmp_path / "authority.pem"
    ports = range(cloud.port, cloud.port + len(openstack.SERVICES))
    with fronts(ports, tls=self_signed(certificate)) as addresses:
        address = addresses[f"http://127.0.0.1:{cloud.port}".encode()].decode()
        entry = entry_of(cloud, auth_url=f"{address}/v3")
        operator = Operator(tmp_path, north=entry, trusting=entry | {"cacert": str(certificate)})
        assert_told(operator.attempt("north"), ROWS[UNTRUSTED])
        before = cloud.log_sizes()
        done = operator.collect(cloud="trusting")
        assert (done.returncode, done.stderr) == (ExitCode.SUCCESS, "")
        assert set(cloud.count(before)) >= {"keystone", "glance", "nova", "neutron"}


@contextmanager
def stopped(cloud: Cloud, service: str) -> Iterator[None]:
    """The service takes connections and says nothing."""
    pid = cloud.pids()[service]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.openstack
def test_a_service_that_hangs_costs_only_what_it_knows(cloud: Cloud, tmp_path: Path) -> None:
    """A third of the time goes by, then everything else is there."""
    operator = Operator(tmp_path, north=entry_of(cloud))
    with stopped(cloud, "glance"):
        done = operator.collect(24, cloud="north")
    assert_told(done, ROWS[HANGS])
    table = done.stdout
    assert not re.search(r"images .* 1 +0$", table)
    assert re.search(rf"usage +{len(cloud.content['projects'])} +0 +0", table), table


@pytest.mark.openstack
def test_a_keystone_that_hangs_is_asked_once(cloud: Cloud, tmp_path: Path) -> None:
    """Nobody can sign in: that is all that is said, after a third of the time."""
    operator = Operator(tmp_path, north=entry_of(cloud))
    operator.configure(6, cloud="north")
    with stopped(cloud, "keystone"):
        assert_told(operator.run("collect", operator.config, within=2), ROWS[KEYSTONE_HANGS])


@contextmanager
def ten_projects(cloud: Cloud) -> Iterator[dict[str, str]]:
    """Ids by name, of which the plain member may read nine."""
    admin = cloud.account()
    roles = {one["name"]: one["id"] for one in admin.get("identity", "/roles")["roles"]}
    [member] = admin.get("identity", "/users?name=member")["users"]
    projects = dict(list(cloud.content["projects"].items())[:9])
    made = []
    try:
        for number in range(len(projects), 10):
            name = f"further{number}"
            wish = {"project": {"name": name, "domain_id": "default"}}
            id_ = admin.ask("POST", "identity", "/projects", wish)["project"]["id"]
            made.append(id_)
            projects[name] = id_
            if len(projects) < 10:
                admin.ask("PUT", "identity", f"/projects/{id_}/users/{member['id']}/roles/{roles['member']}")
        yield projects
    finally:
        for id_ in made:
            admin.ask("DELETE", "identity", f"/projects/{id_}")


@pytest.mark.openstack
def test_one_of_ten_projects_that_is_closed(cloud: Cloud, tmp_path: Path) -> None:
    """The other nine are published; the tenth is named, with what would open it."""
    operator = Operator(tmp_path, north=entry_of(cloud))
    with ten_projects(cloud) as projects:
        operator.configure(100, cloud="north", only_projects=list(projects.values()))
        written = yaml.safe_load(operator.config.read_text())
        written["communities"] = [
            {"name": f"vo{number}.example.org", "projects": [{"instance": "cloud", "project": id_}]}
            for number, id_ in enumerate(projects.values())
        ]
        written["instances"][0]["defaults"] = {"platform": "amd64", "os_family": "linux"}
        operator.config.write_text(yaml.safe_dump(written))
        done = operator.run("try", operator.config, "--ldif", within=100)
    *nine, tenth = projects.values()
    assert_told(done, ROWS[CLOSED])
    assert f"only_projects names {tenth}" in done.stderr
    shares = [dn for dn in read_ldif(done.stdout) if dn.startswith("GLUE2ShareID=")]
    assert len(shares) == 9
    assert [id_ for id_ in nine if f"ProjectID={id_}" not in done.stdout] == []


# --- an OpenStack that gives recorded answers ----------------------------------------------------------------------


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """The cloud as a plain member of five projects saw it."""
    with serving("member") as running:
        yield running


@pytest.fixture
def operator(recorded: Recorded, tmp_path: Path) -> Operator:
    """Who reads that cloud."""
    auth = recorded.settings("vo001")["auth"] | {"password": PASSWORD}
    return Operator(tmp_path, north={"auth": auth})


FAULTS: Mapping[str, tuple[str, Fault]] = {
    TOO_MANY: ("v2/images", Fault(429, "hunter2", {"Retry-After": "60"})),
    FAILS: ("v2/images", Fault(500, "<html>hunter2</html>")),
    HALF: ("v2/images", Fault(200, '{"images": [{"id": "hunter2", ')),
    TOKEN_REFUSED: ("v2/images", Fault(401, '{"error": "hunter2"}')),
}


@pytest.mark.parametrize("wrong", FAULTS)
def test_what_one_service_does_wrong(wrong: str, recorded: Recorded, operator: Operator) -> None:
    """The facets that need it have failed, the others are there."""
    pattern, fault = FAULTS[wrong]
    recorded.faults[pattern] = fault
    done = operator.collect(60, cloud="north")
    assert_told(done, ROWS[wrong])
    assert "instance cloud, endorsements, images: GET" in done.stderr
    assert re.search(r"usage +5 +0 +0", done.stdout), done.stdout


def test_too_many_requests_wait_as_long_as_they_are_asked_to(recorded: Recorded, operator: Operator) -> None:
    """Within the deadline; then nothing has failed."""
    recorded.faults["v2/images"] = Fault(429, headers={"Retry-After": "1"}, times=2)
    done = operator.collect(60, cloud="north")
    assert (done.returncode, done.stderr) == (ExitCode.SUCCESS, "")
    assert recorded.met["v2/images"] == 2


def test_one_project_that_refuses_is_named(recorded: Recorded, operator: Operator) -> None:
    """The others are told all the same."""
    refused = recorded.projects()["vo003"]
    recorded.faults[f"os-quota-sets/{refused}"] = Fault(403, '{"forbidden": "hunter2"}')
    done = operator.collect(60, cloud="north")
    assert_told(done, ROWS[ONE_REFUSES])
    assert f"quotas of {refused}, usage of {refused}: GET" in done.stderr
    assert re.search(r"usage +4 +1 +0", done.stdout), done.stdout


def test_what_no_project_may_see_is_not_offered(recorded: Recorded, operator: Operator) -> None:
    """That is no failure: only the status says it, with what would change it."""
    recorded.faults["os-quota-sets"] = Fault(403, '{"forbidden": "hunter2"}')
    done = operator.collect(60, cloud="north")
    assert (done.returncode, done.stderr) == (ROWS[ALL_REFUSE].code, "")
    shown = operator.run("show", "--status", "--json", operator.config, within=10)
    assert re.search(ROWS[ALL_REFUSE].pattern, shown.stdout), shown.stdout


def test_an_address_behind_a_firewall_is_given_up(operator: Operator) -> None:
    """Nobody takes the connection, and nobody refuses it."""
    with ExitStack() as open_sockets:
        deaf = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):  # these fill its queue
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        auth = {"auth_url": f"http://127.0.0.1:{deaf.getsockname()[1]}/v3"}
        assert_told(operator.collect(9, cloud="north", auth=auth), ROWS[DROPPED])
