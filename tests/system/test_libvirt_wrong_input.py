"""What an operator is told where hosts go wrong: every row of the table on the provider's page, on a real libvirtd.

Another host is asked beside each of them, and loses nothing by it.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider.errors import ExitCode
from tests.certificate import Authority
from tests.system.answers import by_key, read_ldif
from tests.system.demo import COMMAND, bdii_channel
from tests.system.libvirt import PASSWORD, PORTAL, USER, Hosts, started, virsh

pytestmark = pytest.mark.libvirt

PAGE = Path(__file__).parents[2] / "docs" / "providers" / "libvirt.md"
SECTION = PAGE.read_text().partition("\n## What goes wrong\n")[2].partition("\n## ")[0]
ROWS = {
    wrong: (said, remedy)
    for wrong, said, remedy in re.findall(r"^\| (.+?) \| (…: .+?) \| (.+?) \|$", SECTION, re.MULTILINE)
}
WRONG_PASSWORD = "not-the-password"  # noqa: S105


class Operator:
    """Somebody with a centre of hosts, in a folder of their own."""

    def __init__(self, folder: Path, *uris: str, deadline: int = 9, **settings: Any) -> None:
        self.folder = folder
        given = {"uris": list(uris)} | PORTAL | settings
        instance: dict[str, Any] = {"name": "hosts", "kind": "libvirt", "deadline": f"{deadline}s", "settings": given}
        instance["defaults"] = {"os_family": "linux"}
        community = {"name": "vo.example.org", "projects": [{"instance": "hosts", "project": "machines"}]}
        written = {"centre": {"name": "RC-WRONG"}, "communities": [community], "instances": [instance]}
        written["channels"] = [bdii_channel(folder / "ldif")]
        (folder / "ldif").mkdir(parents=True, exist_ok=True)
        self.config = folder / "centre.yaml"
        self.config.write_text(yaml.safe_dump(written))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command that ends orderly, and tells and keeps no secret."""
        command = [COMMAND, *words, self.config]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        kept = [file.read_text() for file in self.folder.glob("run/state/**/*") if file.is_file()]
        told = "\n".join((done.stdout, done.stderr, *kept))
        assert [secret for secret in ("Traceback", WRONG_PASSWORD) if secret in told] == []
        return done

    def collect(self) -> subprocess.CompletedProcess[str]:
        """Ask for everything."""
        return self.run("collect", "--all")

    def moments(self) -> dict[str, str]:
        """When what is kept of each part of the capacity was observed."""
        shown = json.loads(self.run("show", "--status", "--json").stdout)
        return {one["part"]: one["observed_at"] for one in shown["facets"] if one["facet"] == "capacity"}

    def published(self) -> dict[str, frozenset[str]]:
        """The manager's entry, of what is kept."""
        assert self.run("publish").returncode in (ExitCode.SUCCESS, ExitCode.PARTLY)
        found = read_ldif((self.folder / "ldif" / "resource.ldif").read_text())
        [manager] = [entry for entry in found.values() if "GLUE2ComputingManagerTotalSlots" in entry]
        return by_key(manager)


def assert_told(done: subprocess.CompletedProcess[str], host: str, wrong: str) -> None:
    """The message and the remedy that the page has for it, of this host; another host has answered."""
    said, remedy = ROWS[wrong]
    pattern = re.escape(f"{said.removeprefix('…')}; {remedy}").replace("…", ".+")
    assert re.search(f"{re.escape(host)}{pattern}$", done.stderr, re.MULTILINE), done.stderr
    assert done.returncode == ExitCode.PARTLY


def test_every_row_of_the_page_is_tested() -> None:
    """And no other; what a real libvirtd says of pools is tested beside the others."""
    assert set(ROWS) == set(CASES) | {
        "a host takes the connection and says nothing",
        "a libvirtd hangs",
        "a pool is not there",
    }


# --- hosts that cannot be signed in to -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pki(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of certificates, in which something is of another authority, or missing."""
    folder = tmp_path_factory.mktemp("pki")
    other, right = Authority(folder).certificate, hosts.folder / "pki" / "cacert.pem"
    for name, authority in {"other": other, "alone": right, "ours": right, "none": None}.items():
        (folder / name).mkdir()
        if authority:
            shutil.copy(authority, folder / name / "cacert.pem")
    shutil.copy(folder / "server.pem", folder / "ours" / "clientcert.pem")
    shutil.copy(folder / "server.key", folder / "ours" / "clientkey.pem")
    return folder


def closed_port() -> int:
    """A port of the loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def with_folder(uri: str, folder: Path) -> str:
    """The same host, with other certificates; by another path, which nobody comes to ask for."""
    return f"{uri.partition('?')[0]}/{folder.name}?pkipath={folder}"


def by_name(uri: str) -> str:
    """The same host by a name that its certificate does not have."""
    return uri.replace("127.0.0.1", "localhost")


CASES: dict[str, tuple[Callable[[Hosts, Path], str], str | None]] = {
    "nobody listens there": (lambda *_: f"qemu+tcp://127.0.0.1:{closed_port()}/session", None),
    "there is no libvirt on this machine": (lambda *_: "qemu+unix:///system?socket=/nowhere/libvirt-sock-ro", None),
    "the name is not known": (lambda *_: "qemu+tcp://node1.invalid/session", None),
    "ssh does not get there": (lambda *_: f"qemu+ssh://127.0.0.1:{closed_port()}/system?no_tty=1", None),
    "a wrong password": (lambda hosts, _: hosts.tls, WRONG_PASSWORD),
    "no password where one is asked for": (lambda hosts, _: hosts.tls, None),
    "the certificate is of another authority": (lambda hosts, pki: with_folder(hosts.tls, pki / "other"), PASSWORD),
    "the certificate is for another name": (lambda hosts, _: by_name(hosts.tls), PASSWORD),
    "our certificate is of another authority": (lambda hosts, pki: with_folder(hosts.tls, pki / "ours"), PASSWORD),
    "the host gets no certificate of ours": (lambda hosts, pki: with_folder(hosts.tls, pki / "alone"), PASSWORD),
    "there is no certificate in pkipath": (lambda hosts, pki: with_folder(hosts.tls, pki / "none"), PASSWORD),
}


@pytest.mark.parametrize("password", [None, WRONG_PASSWORD, PASSWORD], ids=["without", "wrong", "right"])
def test_hosts_that_cannot_be_asked(password: str | None, hosts: Hosts, pki: Path, tmp_path: Path) -> None:
    """One line for each says it of all of its facets; one more host has answered them."""
    wrong = {case: uri(hosts, pki) for case, (uri, given) in CASES.items() if given == password}
    settings = signing_in(tmp_path, password) if password else {}
    operator = Operator(tmp_path / "centre", *wrong.values(), hosts.simulated[0], **settings)
    done = operator.collect()
    for case, uri in wrong.items():
        assert_told(done, uri.partition("?")[0], case)
    assert done.stderr.count("infoprovider: ") == len(wrong)
    assert operator.published()["GLUE2ComputingManagerTotalSlots"] == {"32"}


def signing_in(folder: Path, password: str) -> dict[str, Any]:
    """Settings with a password in a file."""
    secret = folder / "secret"
    secret.write_text(password)
    secret.chmod(0o600)
    return {"user": USER, "password": {"file": str(secret)}}


def test_a_host_that_is_trusted_and_trusts_us_is_asked(hosts: Hosts, tmp_path: Path) -> None:
    """Over TLS on loopback, by certificates and by password."""
    done = Operator(tmp_path / "centre", hosts.tls, **signing_in(tmp_path, PASSWORD)).collect()
    assert (done.returncode, done.stderr) == (0, "")


def test_where_no_host_answers_nothing_is_collected(tmp_path: Path) -> None:
    """Which is another code."""
    done = Operator(tmp_path, f"qemu+tcp://127.0.0.1:{closed_port()}/session").collect()
    assert done.returncode == ExitCode.COLLECT


def test_a_pool_that_is_not_there(hosts: Hosts, tmp_path: Path) -> None:
    """Of images costs that host its images."""
    virsh(hosts.qemu, "pool-define-as own dir --target /tmp", "pool-start own")
    try:
        done = Operator(tmp_path, hosts.qemu, hosts.simulated[0], image_pool="own").collect()
    finally:
        virsh(hosts.qemu, "pool-destroy own", "pool-undefine own")
    assert_told(done, hosts.simulated[0], "a pool is not there")
    assert "images of" in done.stderr
    assert "capacity" not in done.stderr


# --- hosts that hang or go --------------------------------------------------------------------------------------------


@contextmanager
def mute() -> Iterator[str]:
    """A port that takes connections and says nothing."""
    with ExitStack() as running, socket.create_server(("127.0.0.1", 0)) as server:
        yield f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/session"
        server.setblocking(False)
        while True:
            try:
                running.enter_context(server.accept()[0])
            except BlockingIOError:
                break


def test_a_host_that_says_nothing(hosts: Hosts, tmp_path: Path) -> None:
    """It is given up in time."""
    with mute() as uri:
        operator = Operator(tmp_path, uri, hosts.simulated[0])
        assert_told(operator.collect(), uri, "a host takes the connection and says nothing")
    assert operator.published()["GLUE2ComputingManagerTotalSlots"] == {"32"}


@pytest.fixture(scope="module")
def other() -> Iterator[Hosts]:
    """A second libvirtd, which may be stopped."""
    with started(hosts=0, domains=0) as running:
        yield running


def test_a_libvirtd_that_hangs_keeps_what_it_said_last(hosts: Hosts, other: Hosts, tmp_path: Path) -> None:
    """It is published with its true age, others as they are now; when it goes on, it is asked as before."""
    operator = Operator(tmp_path, other.qemu, *hosts.simulated[:2])
    assert operator.collect().returncode == 0
    before, slots = operator.moments(), operator.published()["GLUE2ComputingManagerTotalSlots"]
    os.kill(other.pid, signal.SIGSTOP)
    try:
        assert_told(operator.collect(), other.qemu, "a libvirtd hangs")
    finally:
        os.kill(other.pid, signal.SIGCONT)
    after = operator.moments()
    assert after[other.qemu] == before[other.qemu]
    assert all(after[uri] > before[uri] for uri in hosts.simulated[:2])
    assert operator.published()["GLUE2ComputingManagerTotalSlots"] == slots
    assert operator.collect().returncode == 0
    assert operator.moments()[other.qemu] > before[other.qemu]


def test_a_host_that_vanishes_keeps_what_it_said_last(hosts: Hosts, other: Hosts, tmp_path: Path) -> None:
    """Until it is taken out of the configuration: then it is gone with all it had. The last test of this host."""
    operator = Operator(tmp_path, other.qemu, hosts.simulated[0])
    assert operator.collect().returncode == 0
    before, slots = operator.moments(), operator.published()["GLUE2ComputingManagerTotalSlots"]
    uri = other.qemu
    os.kill(other.pid, signal.SIGKILL)
    assert_told(operator.collect(), uri, "nobody listens there")
    assert operator.moments()[uri] == before[uri]
    assert operator.published()["GLUE2ComputingManagerTotalSlots"] == slots
    operator = Operator(tmp_path, hosts.simulated[0])
    assert operator.collect().returncode == 0
    assert set(operator.moments()) == {hosts.simulated[0]}
    assert operator.published()["GLUE2ComputingManagerTotalSlots"] == {"32"}
