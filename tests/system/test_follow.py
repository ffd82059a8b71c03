"""`infoprovider follow` between a real ActiveMQ and a real slapd: what is sent is kept, served, proved and reported."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider.config.following import FollowingFile, load_following
from infoprovider.deadline import Deadline
from infoprovider.messaging.broker import BrokerSettings
from infoprovider.messaging.connection import Outgoing, Received, connected
from infoprovider.messaging.envelope import Event
from infoprovider.messaging.units import ContentType, document_of
from infoprovider.reception.follow import Following
from tests.reception.messages import Publisher
from tests.reception.trees import CENTRE, ROOT, domain, entry
from tests.system.activemq import Broker, running, settings_of
from tests.system.bdii import Bdii, start, start_slapd
from tests.system.test_follow_tree import expected, in_server
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.activemq, pytest.mark.bdii]

GROUP = f"GLUE2GroupID=resource,{ROOT}"
FIRST = {ROOT: domain("GLUE2EntityName: first"), GROUP: entry(GROUP)}
SECOND = {ROOT: domain("GLUE2EntityName: second"), GROUP: entry(GROUP)}
PROGRAM = [sys.executable, "-c", "from infoprovider.cli.main import main; main()"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for all."""
    with running(tmp_path_factory.mktemp("broker")) as found:
        yield found


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[Bdii]:
    """An empty slapd."""
    found = start_slapd(tmp_path / "slapd")
    yield found
    found.stop()


@pytest.fixture
def file(tmp_path: Path, broker: Broker, slapd: Bdii, request: pytest.FixtureRequest) -> Path:
    """The settings of a receiver whose subscription is its own."""
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("secret\n")
    settings = {
        "broker": broker.with_certificate("receiver"),
        "folder": "copies",
        "subscription": {"name": f"follow-{abs(hash(request.node.name)) % 10**9}"},
        "ldap": {"url": slapd.url, "password": {"file": "password"}, "timeout": "10s"},
    }
    path = tmp_path / "follow.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@contextmanager
def followed(file: Path) -> Iterator[Following]:
    """A receiver in this process that listens."""
    following = Following(load_following(file).settings)
    thread = threading.Thread(target=following.serve)
    thread.start()
    try:
        until(lambda: following.broker)
        yield following
    finally:
        following.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def send(broker: Broker, messages: Sequence[Received], who: str = "publisher") -> None:
    """As a publisher does."""
    settings = settings_of(BrokerSettings, broker.with_certificate(who))
    outgoing = [
        Outgoing(
            destination=f"/topic/glue2.documents.{one.headers['centre']}",
            headers={"centre": one.headers["centre"], "persistent": "true"},
            content_type="application/octet-stream",
            body=one.body or b"",
        )
        for one in messages
    ]
    with connected(settings, Deadline.after(30)) as connection:
        connection.send(outgoing, Deadline.after(30))


def ended(process: "subprocess.Popen[str]") -> int:
    """Its exit code, once it has ended of itself."""
    return process.wait(PATIENCE)


def test_what_is_sent_is_in_the_index_and_what_was_missed_comes_later(file: Path, broker: Broker, slapd: Bdii) -> None:
    """Snapshot and delta reach slapd; what is sent while the receiver is away is kept for it by the broker."""
    publisher = Publisher()
    with followed(file):
        send(broker, publisher.snapshot(FIRST))
        until(lambda: in_server(slapd) == expected(FIRST))
        send(broker, [publisher.delta(SECOND)])
        until(lambda: in_server(slapd) == expected(SECOND))
    send(broker, [publisher.delta(FIRST), publisher.delta(SECOND | {})])
    with followed(file) as following:
        until(lambda: following.receiver.revision_of(CENTRE) == 4)
    state = following.copies.state_of(CENTRE)
    assert state is not None
    assert state.counts == {"take": 4}


def test_the_index_catches_up_when_it_is_back(file: Path, broker: Broker, slapd: Bdii, tmp_path: Path) -> None:
    """While slapd is down copies are kept; a new, empty one is filled."""
    publisher = Publisher()
    with followed(file) as following:
        send(broker, publisher.snapshot(FIRST))
        until(lambda: in_server(slapd) == expected(FIRST))
        slapd.stop()
        send(broker, [publisher.delta(SECOND)])
        until(lambda: following.receiver.revision_of(CENTRE) == 2)
        until(lambda: following.showing.shown().fault)
        assert (tmp_path / "copies" / f"{CENTRE}.ldif").read_bytes().count(b"second") == 1
        again = start_slapd(tmp_path / "slapd", slapd.port)
        until(lambda: in_server(again) == expected(SECOND))
        until(lambda: following.showing.shown().fault is None)


def test_a_centre_that_withdraws_itself_leaves_the_index(file: Path, broker: Broker, slapd: Bdii) -> None:
    """And one that nobody knows of any more is removed when the receiver starts."""
    publisher = Publisher()
    with followed(file) as following:
        send(broker, publisher.snapshot(FIRST))
        until(lambda: in_server(slapd) == expected(FIRST))
        notice = publisher.notice(Event.CENTRE_WITHDRAWN)
        send(broker, [notice])
        until(lambda: in_server(slapd) == {})
        send(broker, publisher.snapshot(FIRST))
        until(lambda: in_server(slapd) == expected(FIRST))
        folder = following.copies
    assert folder.state_of(CENTRE) is not None
    for path in (file.parent / "copies").iterdir():
        path.unlink()
    with followed(file) as following:
        # Something must be brought there, for the server to be reached at all.
        send(broker, Publisher("RC-TWO").snapshot({"GLUE2DomainID=RC-TWO,o=glue": domain(centre="RC-TWO")}))
        until(lambda: in_server(slapd) == {})
        until(lambda: in_server(slapd, "RC-TWO"))


def test_whoever_sends_garbage_is_named_by_the_broker(file: Path, broker: Broker) -> None:
    """The name under which somebody has signed in at the broker stands beside what he sent."""
    publisher = Publisher()
    broken = publisher.snapshot(FIRST)[0]
    assert broken.body is not None
    settings = yaml.safe_load(file.read_text())
    settings["limits"] = {"message_bytes": 4096}
    file.write_text(yaml.safe_dump(settings))
    huge = Publisher("RC-TWO").snapshot({ROOT: os.urandom(9000).hex().encode()})
    with followed(file) as following:
        send(broker, [Publisher().snapshot(FIRST)[0]], "publisher")
        until(lambda: following.receiver.revision_of(CENTRE) == 1)
        send(broker, huge, "other-publisher")
        until(lambda: following.receiver.counts == {"refused": 1})
        assert following.receiver.remark is not None
        assert "more" in following.receiver.remark.what or "bytes, where" in following.receiver.remark.what
        assert "other-publisher" in following.receiver.remark.what
        assert following.broker


def test_as_a_process_it_follows_reports_and_ends(file: Path, broker: Broker, slapd: Bdii) -> None:
    """SIGTERM ends it with 0; --status tells of every centre, with 0 where all is well and 10 where it is not."""
    checked = subprocess.run([*PROGRAM, "follow", file, "--check"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "the broker takes us, and so does the LDAP server" in checked.stdout
    publisher = Publisher(content_type=ContentType.JSON)
    units = {
        "RC-ONE": b'AdminDomain {"ID":"RC-ONE","Name":"x"}',
        "urn:l": b'Location {"ID":"urn:l","Name":"y","Associations":{"DomainID":["RC-ONE"]}}',
    }
    process = subprocess.Popen([*PROGRAM, "follow", file], stderr=subprocess.PIPE, text=True)
    try:

        def status() -> dict[str, Any]:
            done = subprocess.run([*PROGRAM, "follow", file, "--status", "--json"], capture_output=True, check=False)
            told: dict[str, Any] = json.loads(done.stdout)
            assert done.returncode == (0 if told["ok"] else 10)
            return told

        until(lambda: (status()["receiver"] or {}).get("broker"))
        send(broker, publisher.snapshot(units))
        until(lambda: [one["served"] for one in status()["centres"]] == [1])
        [centre] = status()["centres"]
        assert (centre["centre"], centre["standing"], centre["revision"], centre["entities"]) == (
            CENTRE,
            "current",
            1,
            2,
        )
        assert (file.parent / "copies" / f"{CENTRE}.json").read_bytes() == document_of(units, ContentType.JSON)
        assert centre["trouble"] is None
        assert len(in_server(slapd)) == 3
        process.send_signal(signal.SIGTERM)
        assert ended(process) == 0
        told = status()
        assert (told["ok"], told["running"]) == (False, False)
        assert told["troubles"] == ["no receiver runs; start it, and see its log"]
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def test_a_top_bdii_reads_the_folder_of_copies_without_complaint(file: Path, broker: Broker, tmp_path: Path) -> None:
    """Its folder of static LDIF can be the folder of copies: what it then has of a centre is what slapd was given."""
    from benchmarks import synthetic
    from infoprovider.messaging.units import units_of
    from infoprovider.publication.compose import compose
    from infoprovider.publication.stamps import Former
    from infoprovider.render.json import render_json

    configuration, facets = synthetic.centre(300)
    document = compose(configuration, facets, Former(), synthetic.NOW).document
    units = units_of(render_json(document.entities), ContentType.JSON)
    copies = tmp_path / "copies"
    with followed(file) as following:
        send(broker, Publisher("RC-SYNTHETIC", ContentType.JSON).snapshot(units))
        until(lambda: (copies / "RC-SYNTHETIC.ldif").exists())
        until(lambda: following.showing.shown().revisions == {"RC-SYNTHETIC": 1})
    slapd = start_like(file)
    bdii = start(tmp_path / "bdii", "--level", "top", "--ldif", str(copies))
    try:
        bdii.wait()
        assert bdii.complaints() == []
        served_by_bdii = in_server(bdii, "RC-SYNTHETIC")
        assert len(served_by_bdii) > len(units)
        assert served_by_bdii == in_server(slapd, "RC-SYNTHETIC")
    finally:
        bdii.stop()


def start_like(file: Path) -> Bdii:
    """The slapd that the settings name, which runs already."""
    settings: FollowingFile = load_following(file).settings
    assert settings.ldap is not None
    return Bdii(settings.ldap.url, file.parent / "slapd")
