"""Centres kept live in a real slapd with the schema of a top-level BDII."""

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from infoprovider import ldif
from infoprovider.config.following import LdapSettings
from infoprovider.errors import ChannelUnreachable, Refused
from infoprovider.messaging.units import ContentType, units_of
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.reception.names import fold, published, served
from infoprovider.reception.tree import Tree
from infoprovider.render.ldif import LdifRenderer
from infoprovider.secret import Secret
from tests.reception.trees import CENTRE, ROOT, domain, entry, trees
from tests.system.bdii import TESTBED, Bdii, free_port, start_slapd

pytestmark = pytest.mark.bdii

GROUP = f"GLUE2GroupID=resource,{ROOT}"


def settings_for(slapd: Bdii, **more: object) -> LdapSettings:
    """As an operator writes them; slapd's password is the package's."""
    return LdapSettings(url=slapd.url, password=Secret(value="secret"), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bdii]:
    """A slapd with an empty database."""
    running = start_slapd(tmp_path_factory.mktemp("slapd"))
    yield running
    running.stop()


@pytest.fixture
def tree(slapd: Bdii) -> Iterator[Tree]:
    """A tree without centres in that slapd."""
    tree = Tree(settings_for(slapd))
    yield tree
    for centre in tree.centres():
        tree.withdraw(centre)
    tree.close()


def in_server(slapd: Bdii, centre: str = CENTRE) -> dict[str, dict[str, set[str]]]:
    """What ldapsearch finds of a centre: name → attribute → values, names as they are published."""
    try:
        found = slapd.search(served(f"GLUE2DomainID={centre},o=glue"))
    except subprocess.CalledProcessError:  # there is no such entry
        return {}
    return parsed({published(record.dn): record for record in ldif.read(found.encode())})


def parsed(records: Mapping[str, ldif.Record]) -> dict[str, dict[str, set[str]]]:
    """Entries so that the order of anything means nothing."""
    return {fold(dn): {name: set(values) for name, values in one.attributes.items()} for dn, one in records.items()}


def expected(entries: Mapping[str, bytes]) -> dict[str, dict[str, set[str]]]:
    """The same of the lines that were given."""
    return parsed({dn: record for dn, lines in entries.items() for record in ldif.read(lines)})


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=trees(), after=trees())
def test_whatever_was_there_the_server_equals_what_is_wanted(
    slapd: Bdii, tree: Tree, before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    """Any tree becomes any other, whether what the server has is known or must be read first; nothing is refused."""
    assert tree.bring(CENTRE, before).refused == {}
    assert tree.bring(CENTRE, after).refused == {}
    assert in_server(slapd) == expected(after)
    tree.forget(CENTRE)
    assert tree.bring(CENTRE, after).changes == 0
    tree.forget(CENTRE)
    assert tree.bring(CENTRE, before).refused == {}
    assert in_server(slapd) == expected(before)


def test_a_rendered_centre_is_served_whole(slapd: Bdii, tree: Tree) -> None:
    """What the template set `site` writes of some hundred entities is in the server, value by value."""
    from benchmarks import synthetic

    configuration, facets = synthetic.centre(1500)
    document = compose(configuration, facets, Former(), synthetic.NOW).document
    entries = units_of(LdifRenderer("site").render(document), ContentType.LDIF)
    brought = tree.bring("RC-SYNTHETIC", entries)
    assert (brought.added, brought.refused) == (len(entries), {})
    assert in_server(slapd, "RC-SYNTHETIC") == expected(entries)
    assert tree.centres() == ["RC-SYNTHETIC"]


def test_only_the_difference_is_sent(slapd: Bdii, tree: Tree) -> None:
    """One changed entry of several is one operation; the same again is none."""
    entries = {ROOT: domain(), GROUP: entry(GROUP)}
    assert tree.bring(CENTRE, entries).changes == 2
    assert tree.bring(CENTRE, entries | {ROOT: domain("GLUE2EntityName: x")}).modified == 1
    assert tree.bring(CENTRE, dict(entries)).modified == 1
    assert tree.bring(CENTRE, dict(entries)).changes == 0
    assert in_server(slapd) == expected(entries)


def test_what_others_did_to_the_server_is_repaired(slapd: Bdii, tree: Tree) -> None:
    """Lost entries, foreign entries and foreign values are seen when an operation meets them, and put right."""
    entries = {ROOT: domain("GLUE2EntityName: ours"), GROUP: entry(GROUP)}
    tree.bring(CENTRE, entries)
    other = Tree(settings_for(slapd))
    foreign = f"GLUE2GroupID=foreign,{ROOT}"
    other.bring(CENTRE, {ROOT: domain("GLUE2EntityName: theirs"), foreign: entry(foreign)})
    other.close()
    after = {ROOT: entries[ROOT]}
    tree.bring(CENTRE, after)
    assert in_server(slapd) == expected(after)


def test_a_slapd_that_lost_everything_is_filled_again(tmp_path: Path) -> None:
    """After a restart with an empty database all is there again, and while it is down that is said."""
    slapd = start_slapd(tmp_path)
    tree = Tree(settings_for(slapd, timeout=20.0))
    entries = {ROOT: domain(), GROUP: entry(GROUP)}
    try:
        tree.bring(CENTRE, entries)
        slapd.stop()
        with pytest.raises(ChannelUnreachable, match="see whether the LDAP server runs"):
            tree.bring(CENTRE, entries)
        again = start_slapd(tmp_path, slapd.port)
        assert tree.bring(CENTRE, entries).added == 2
        assert in_server(again) == expected(entries)
    finally:
        tree.close()
        slapd.stop()


def test_a_slapd_that_closes_the_connection_is_only_asked_once_more(tree: Tree) -> None:
    """A connection that has ended for its age says nothing of the entries: they are not read back."""
    entries = {ROOT: domain(), GROUP: entry(GROUP)}
    tree.bring(CENTRE, entries)
    tree._server._connection.socket.shutdown(socket.SHUT_RDWR)
    assert tree.bring(CENTRE, entries | {ROOT: domain("GLUE2EntityName: x")}).modified == 1
    assert CENTRE in tree._there


def test_an_entry_that_the_server_refuses_is_told_and_hinders_no_other(slapd: Bdii, tree: Tree) -> None:
    """An attribute that the schema does not know keeps its entry and those below it out, and no others."""
    below = f"GLUE2GroupID=below,{GROUP}"
    entries = {ROOT: domain(), GROUP: entry(GROUP, "unheardOf: x"), below: entry(below)}
    brought = tree.bring(CENTRE, entries)
    assert brought.added == 1
    assert "unheardOf" in brought.refused[GROUP]
    assert brought.refused[below] == f"the entry above it, {GROUP}, is not there"
    mended = entries | {GROUP: entry(GROUP)}
    assert tree.bring(CENTRE, mended).added == 2
    assert in_server(slapd) == expected(mended)


def test_a_centre_is_withdrawn_whole_and_alone(slapd: Bdii, tree: Tree) -> None:
    """Nothing of it is left, and the others are untouched."""
    other = {"GLUE2DomainID=RC-TWO,o=glue": domain(centre="RC-TWO")}
    tree.bring("RC-TWO", other)
    tree.bring(CENTRE, {ROOT: domain(), GROUP: entry(GROUP)})
    assert tree.withdraw(CENTRE).deleted == 2
    assert tree.centres() == ["RC-TWO"]
    assert in_server(slapd, "RC-TWO") == expected(other)


def test_a_wrong_password_is_told(slapd: Bdii) -> None:
    """The message says who was not let in and where the password stands."""
    tree = Tree(LdapSettings(url=slapd.url, password=Secret(value="wrong")))
    with pytest.raises(Refused, match="does not let o=glue sign in: invalidCredentials; see bind_dn and the password"):
        tree.bring(CENTRE, {ROOT: domain()})


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    """Who accepts the connection and is silent has the time of the settings, and not more."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ldap://127.0.0.1:{silent.getsockname()[1]}"
        tree = Tree(LdapSettings(url=url, password=Secret(value="secret"), timeout=0.5))
        with pytest.raises(ChannelUnreachable):
            tree.bring(CENTRE, {ROOT: domain()})


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int, Path]]:
    """A slapd with a certificate: its ports for ldap and ldaps, and the file of the authority."""
    work = tmp_path_factory.mktemp("secured")
    tool = TESTBED.parent / "activemq" / "certificate"
    for words in (
        ("authority", "/CN=Authority"),
        ("slapd", "/CN=localhost", "--authority", "authority", "--names", "DNS:localhost,IP:127.0.0.1"),
        ("other", "/CN=Another authority"),
    ):
        subprocess.run([tool, work / "pki", *words], check=True, capture_output=True)
    start_slapd(work).stop()
    files = "".join(
        f"{name} {work}/pki/{file}\n"
        for name, file in (
            ("TLSCACertificateFile", "authority.pem"),
            ("TLSCertificateFile", "slapd.pem"),
            ("TLSCertificateKeyFile", "slapd.key"),
        )
    )
    configuration = (work / "slapd.conf").read_text()
    (work / "slapd.conf").write_text(configuration.replace("\ndatabase", f"\n{files}database", 1))
    plain, encrypted = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{encrypted}"
    with (work / "log" / "slapd.log").open("w") as said:
        process = subprocess.Popen(["/usr/sbin/slapd", "-f", work / "slapd.conf", "-h", urls, "-d", "0"], stderr=said)
    try:
        for port in (plain, encrypted):
            wait_for(port)
        yield plain, encrypted, work / "pki"
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int) -> None:
    """Return when somebody listens there."""
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


def encrypted_settings(secured: tuple[int, int, Path], way: str, authority: str) -> LdapSettings:
    """By StartTLS on the one port, or by TLS from the beginning on the other."""
    plain, encrypted, pki = secured
    url = f"ldap://127.0.0.1:{plain}" if way == "start_tls" else f"ldaps://127.0.0.1:{encrypted}"
    given = {"url": url, "start_tls": way == "start_tls", "ca_file": str(pki / f"{authority}.pem")}
    return LdapSettings(**given, password=Secret(value="secret"), timeout=20.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["start_tls", "ldaps"])
def test_encrypted_it_is_the_same(secured: tuple[int, int, Path], way: str) -> None:
    """Many entries go over TLS as over a plain connection, and are read back."""
    tree = Tree(encrypted_settings(secured, way, "authority"))
    groups = [f"GLUE2GroupID={number},{ROOT}" for number in range(2500)]
    entries = {ROOT: domain(), **{dn: entry(dn) for dn in groups}}
    try:
        assert tree.bring(CENTRE, entries).added == len(entries)
        tree.forget(CENTRE)
        assert tree.bring(CENTRE, entries).changes == 0
        assert tree.withdraw(CENTRE).deleted == len(entries)
    finally:
        tree.close()


@pytest.mark.parametrize("way", ["start_tls", "ldaps"])
def test_a_server_of_an_unknown_authority_gets_no_password(secured: tuple[int, int, Path], way: str) -> None:
    """The message says that it is about the certificate, and what to look at."""
    tree = Tree(encrypted_settings(secured, way, "other"))
    with pytest.raises(Refused, match=r"no encrypted connection: .*see its certificate"):
        tree.bring(CENTRE, {ROOT: domain()})
