"""What becomes of messages: good ones change the copy, all others are named and counted and change nothing."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infoprovider.clock import Clock, Reading
from infoprovider.config.following import FollowingFile
from infoprovider.deadline import Deadline
from infoprovider.errors import StoreError
from infoprovider.messaging.connection import Received
from infoprovider.messaging.envelope import Event
from infoprovider.messaging.signature import SignatureSettings, sign
from infoprovider.messaging.units import ContentType, document_of
from infoprovider.reception import receiver as receiver_module
from infoprovider.reception.apply import Copy
from infoprovider.reception.copies import Copies
from infoprovider.reception.diary import LINES_A_MINUTE
from infoprovider.reception.receiver import Receiver
from infoprovider.reception.records import CentreState
from tests.reception.messages import Publisher, received
from tests.reception.trees import CENTRE, ROOT, domain, entry

GROUP = f"GLUE2GroupID=resource,{ROOT}"
FIRST = {ROOT: domain("GLUE2EntityName: first"), GROUP: entry(GROUP)}
SECOND = {ROOT: domain("GLUE2EntityName: second"), GROUP: entry(GROUP)}
THIRD = {ROOT: domain("GLUE2EntityName: third")}
TESTBED = Path(__file__).parents[2] / "tools" / "testbeds" / "activemq" / "certificate"


class Audience:
    """Remembers what was offered last."""

    def __init__(self) -> None:
        self.shown: dict[str, Copy] = {}

    def offer(self, copy: Copy) -> None:
        """Shown from now on."""
        self.shown[copy.centre] = copy

    def withdraw(self, centre: str) -> None:
        """Not any more."""
        self.shown.pop(centre, None)


class Watch(Clock):
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def read(self) -> Reading:
        """The moment that it would be."""
        return super().read().after(self.ahead)


class Scene:
    """A receiver with its folder; `started` again it finds what the former one left."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        given = {"broker": {"brokers": ["127.0.0.1:1"], "plain": True}, "folder": str(folder), **settings}
        self.settings = FollowingFile.model_validate_json(json.dumps(given), context={"folder": folder})
        self.folder = folder
        self.clock = Watch()
        self.start()

    def start(self) -> None:
        """As a process begins."""
        self.audience = Audience()
        self.copies = Copies(self.folder)
        self.receiver = Receiver(self.settings, self.copies, self.audience, self.clock)
        self.receiver.load()

    def take(self, *messages: Received) -> list[Received]:
        """What is done with after these."""
        return [done for message in messages for done in self.receiver.take(message)]

    @property
    def state(self) -> CentreState:
        """How the centre stands, as it is on disk."""
        self.receiver.flush()
        state = self.copies.state_of(CENTRE)
        assert state is not None
        return state

    def has(self, units: Mapping[str, bytes]) -> bool:
        """Whether these are on disk, proved, and offered to readers."""
        found = Copies(self.folder).proved(self.state)
        shown = self.audience.shown.get(CENTRE)
        return found is not None and found[0].units == units and shown is not None and shown.units == units


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A receiver that follows everybody and asks for no signatures."""
    return Scene(tmp_path)


def test_a_snapshot_and_the_deltas_after_it_make_the_copy(scene: Scene) -> None:
    """Each is done with, on disk, and offered; who starts again has it all."""
    publisher = Publisher()
    for message, units in (
        (publisher.snapshot(FIRST)[0], FIRST),
        (publisher.delta(SECOND), SECOND),
        (publisher.delta(THIRD), THIRD),
    ):
        assert scene.take(message) == [message]
        assert scene.has(units)
    scene.start()
    assert scene.has(THIRD)
    assert scene.state.counts == {"take": 3}


def test_json_is_kept_byte_for_byte(scene: Scene) -> None:
    """The document of a stream of JSON is the publisher's file."""
    units = {"urn:a": b'Contact {"ID":"urn:a"}', "urn:b": b'Location {"ID":"urn:b"}'}
    scene.take(*Publisher(content_type=ContentType.JSON).snapshot(units))
    assert (scene.folder / f"{CENTRE}.json").read_bytes() == document_of(units, ContentType.JSON)


def test_parts_are_done_with_together(scene: Scene) -> None:
    """None of them is acknowledged before the last has come and the copy is on disk; then all are."""
    parts = Publisher().snapshot(FIRST, part_bytes=1)
    assert len(parts) == 2
    assert scene.take(parts[1]) == []
    assert scene.take(parts[0]) == [parts[1], parts[0]]
    assert scene.has(FIRST)


def test_what_was_missed_is_said_until_a_snapshot_heals_it(scene: Scene) -> None:
    """A delta whose base has not come changes nothing; the state says that something is waited for."""
    publisher = Publisher()
    scene.take(*publisher.snapshot(FIRST))
    publisher.delta(SECOND)
    late = publisher.delta(THIRD)
    assert scene.take(late) == [late]
    assert scene.has(FIRST)
    assert scene.state.is_waiting
    assert scene.state.remark is not None
    assert "revision 3 builds on what has not come (here is revision 1)" in scene.state.remark.what
    scene.take(*publisher.snapshot(THIRD))
    assert scene.has(THIRD)
    assert not scene.state.is_waiting


def test_duplicates_and_old_messages_change_nothing(scene: Scene) -> None:
    """What comes again, and what comes late, is counted and acknowledged; the copy never moves backwards."""
    publisher = Publisher()
    [first] = publisher.snapshot(FIRST)
    second = publisher.delta(SECOND)
    scene.take(first, second)
    assert scene.take(second, first) == [second, first]
    assert scene.has(SECOND)
    assert scene.state.counts == {"take": 2, "duplicate": 1, "old": 1}


def test_a_second_live_publisher_is_named(scene: Scene) -> None:
    """The newer epoch is followed; what the older one goes on to send is refused with its stream and sender."""
    older, newer = Publisher(stream="b" * 32, epoch=1), Publisher(epoch=2)
    scene.take(*older.snapshot(FIRST))
    scene.take(*newer.snapshot(SECOND))
    older.created += timedelta(seconds=60)
    scene.take(*older.snapshot(THIRD))
    assert scene.has(SECOND)
    assert scene.state.counts["conflict"] == 1
    assert scene.state.remark is not None
    assert "two publishers: a message of stream bbbbbbbb, epoch 1" in scene.state.remark.what
    assert "from publisher" in scene.state.remark.what


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "does not begin with an envelope"),
        (b"GARBAGE \x00\xff\n", "has an envelope that is none"),
        (b'{"version":1}\n', "has an envelope that is none"),
        (b"\x30\x82rest", "is signed, and nothing says whose signatures are believed"),
        (None, "has 999 bytes, where limits.message_bytes is what one may have"),
    ],
)
def test_garbage_is_refused_and_its_sender_named(
    scene: Scene, body: bytes | None, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is acknowledged, counted and told, and nothing is kept of it."""
    message = received(body, size=999, sender="CN=mallory", centre="../../etc/passwd")
    assert scene.take(message) == [message]
    assert scene.receiver.counts == {"refused": 1}
    assert scene.receiver.remark is not None
    assert f"refused a message from CN=mallory to {message.destination}: it {why}" in scene.receiver.remark.what
    assert "CN=mallory" in caplog.text
    assert list(scene.folder.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_corrupted_message_is_refused_and_the_copy_stays(scene: Scene, cut: int) -> None:
    """Bytes that are missing, changed or added are noticed, charged to the centre, and the next snapshot is awaited."""
    publisher = Publisher()
    scene.take(*publisher.snapshot(FIRST))
    body = publisher.delta(SECOND).body
    assert body is not None
    flipped = body[:-cut] + bytes([body[-cut] ^ 0x55]) + body[len(body) - cut + 1 :]
    for broken in (body[:-cut], flipped, body + b"x"):
        scene.take(received(broken))
    assert scene.has(FIRST)
    assert scene.state.counts["refused"] == 3


def test_a_wrong_digest_is_refused(scene: Scene) -> None:
    """A delta that leads elsewhere than it says is not applied."""
    publisher = Publisher()
    scene.take(*publisher.snapshot(FIRST))
    scene.take(publisher.delta(SECOND, digest="0" * 64))
    assert scene.has(FIRST)
    assert scene.state.is_waiting
    assert "names one of 2 with 0000000000000000" in scene.state.remark.what  # type: ignore[union-attr]


def test_a_document_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """Neither at once nor by deltas does a document pass the limit."""
    scene = Scene(tmp_path, limits={"document_bytes": 1024})
    publisher = Publisher()
    scene.take(*publisher.snapshot({ROOT: domain("GLUE2EntityName: " + "x" * 2000)}))
    scene.take(*publisher.snapshot(FIRST))
    assert scene.has(FIRST)
    many = FIRST | {f"GLUE2GroupID={n},{ROOT}": entry(f"GLUE2GroupID={n},{ROOT}") for n in range(6)}
    scene.take(publisher.delta(many))
    more = many | {f"GLUE2GroupID={n},{ROOT}": entry(f"GLUE2GroupID={n},{ROOT}") for n in range(6, 12)}
    scene.take(publisher.delta(more))
    assert scene.has(many)
    assert scene.state.counts["refused"] == 1


def test_only_the_centres_of_the_settings_are_followed(tmp_path: Path) -> None:
    """Another one leaves no trace but a count; so does one too many."""
    chosen = Scene(tmp_path / "a", centres=["RC-OTHER"])
    (tmp_path / "a").mkdir()
    chosen.take(*Publisher().snapshot(FIRST))
    assert "is of 'RC-ONE', which is not followed" in chosen.receiver.remark.what  # type: ignore[union-attr]
    (tmp_path / "b").mkdir()
    few = Scene(tmp_path / "b", limits={"centres": 1})
    few.take(*Publisher("RC-TWO").snapshot({"GLUE2DomainID=RC-TWO,o=glue": domain(centre="RC-TWO")}))
    few.take(*Publisher().snapshot(FIRST))
    assert "is of RC-ONE, one more than limits.centres lets there be" in few.receiver.remark.what  # type: ignore[union-attr]
    assert [state.centre for state in few.copies.states()] == ["RC-TWO"]


def test_whoever_sends_garbage_fills_neither_log_nor_disk(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Of thousands of lines a few are written, all are counted, and no file appears."""
    for number in range(3000):
        scene.take(received(b"garbage %d" % number, centre=f"RC-{number}", sender=f"CN={number}"))
    assert len(caplog.records) == LINES_A_MINUTE
    assert scene.receiver.counts == {"refused": 3000}
    assert list(scene.folder.iterdir()) == []


def test_nothing_is_acknowledged_that_is_not_kept(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full, the error goes up, and the same message is taken when it comes again."""
    publisher = Publisher()
    scene.take(*publisher.snapshot(FIRST))
    delta = publisher.delta(SECOND)

    def full(*_: object, **__: object) -> None:
        raise StoreError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(Copies, "_write", full)
        with pytest.raises(StoreError):
            scene.take(delta)
    assert scene.has(FIRST)
    assert scene.take(delta) == [delta]
    assert scene.has(SECOND)


def test_a_fault_of_ours_does_not_stop_the_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message over which this program stumbles is logged in full and passed over."""
    with monkeypatch.context() as patch:
        patch.setattr(receiver_module, "from_frame", lambda _: 1 / 0)
        message = received(b"x")
        assert scene.take(message) == [message]
    assert scene.receiver.counts == {"fault": 1}
    scene.take(*Publisher().snapshot(FIRST))
    assert scene.has(FIRST)


def test_a_copy_that_the_disk_has_changed_waits_for_the_next_snapshot(scene: Scene) -> None:
    """It is neither shown nor built upon, that is said, and the same snapshot again is enough."""
    publisher = Publisher()
    [snapshot] = publisher.snapshot(FIRST)
    scene.take(snapshot)
    (scene.folder / f"{CENTRE}.ldif").write_text("dn: o=glue\no: glue\n\n")
    scene.start()
    assert scene.audience.shown == {}
    assert scene.state.is_waiting
    assert "the copy on disk is not what was kept" in scene.state.remark.what  # type: ignore[union-attr]
    scene.take(publisher.delta(SECOND))
    assert scene.audience.shown == {}
    scene.take(snapshot)
    assert scene.has(FIRST)


@pytest.mark.parametrize("content_type", ContentType)
def test_what_has_expired_is_withdrawn_and_comes_back(scene: Scene, content_type: ContentType) -> None:
    """After the expiry and its grace readers are given nothing; the next revision brings all back, a delta too."""
    first, second = FIRST, SECOND
    if content_type is ContentType.JSON:
        first, second = {"urn:a": b'Contact {"ID":"urn:a"}'}, {"urn:a": b'Contact {"ID":"urn:a","Name":"x"}'}
    publisher = Publisher(content_type=content_type)
    scene.take(*publisher.snapshot(first))
    scene.clock.ahead = publisher.lives.total_seconds() + 110
    scene.receiver.expire()
    assert CENTRE in scene.audience.shown
    scene.clock.ahead += 20
    scene.receiver.expire()
    assert scene.audience.shown == {}
    assert not (scene.folder / f"{CENTRE}.ldif").exists()
    assert (scene.folder / f"{CENTRE}.json").exists() == (content_type is ContentType.JSON)
    assert not scene.state.is_shown
    publisher.created += timedelta(seconds=scene.clock.ahead)
    scene.take(publisher.delta(second))
    assert scene.has(second)


def test_what_comes_too_late_is_not_shown(scene: Scene) -> None:
    """A message that has expired on its way counts for the order, and is not given to readers."""
    publisher = Publisher()
    publisher.created = datetime(2020, 1, 1, tzinfo=UTC)
    scene.take(*publisher.snapshot(FIRST))
    assert scene.audience.shown == {}
    assert not scene.state.is_shown
    assert scene.state.latest is not None
    assert scene.state.latest.revision == 1


def test_a_centre_that_withdraws_itself_goes_and_stays_away(scene: Scene) -> None:
    """Its copy goes at once, nothing old brings it back, and a new snapshot does."""
    publisher = Publisher()
    [old] = publisher.snapshot(FIRST)
    scene.take(old, publisher.notice(Event.CENTRE_WITHDRAWN))
    assert scene.audience.shown == {}
    assert scene.state.is_withdrawn
    scene.take(old, publisher.delta(SECOND))
    assert scene.audience.shown == {}
    scene.start()
    scene.take(*publisher.snapshot(THIRD))
    assert scene.has(THIRD)


def test_notices_are_written_down_once(scene: Scene) -> None:
    """Each is a line with its centre and what it tells; the same again is none."""
    publisher = Publisher()
    scene.take(*publisher.snapshot(FIRST))
    notice = publisher.notice(Event.IMAGE_WITHDRAWN, "urn:image")
    scene.take(notice, notice, publisher.notice(Event.DOWNTIME_ENTERED, "urn:service"))
    lines = [json.loads(line) for line in (scene.folder / "notices.jsonl").read_text().splitlines()]
    assert [(line["centre"], line["event"], line["id"]) for line in lines] == [
        (CENTRE, "image_withdrawn", "urn:image"),
        (CENTRE, "downtime_entered", "urn:service"),
    ]
    assert scene.state.counts["notice"] == 2


def test_the_file_of_notices_does_not_grow_without_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is large, it becomes the former one; two files are all there are."""
    monkeypatch.setattr("infoprovider.reception.diary.MOST_BYTES", 2000)
    publisher = Publisher()
    for number in range(50):
        scene.take(publisher.notice(Event.IMAGE_EXPIRED, f"urn:{number}"))
    sizes = {path.name: path.stat().st_size for path in scene.folder.iterdir() if path.name.startswith("notices")}
    assert sizes.keys() == {"notices.jsonl", "notices.former.jsonl"}
    assert max(sizes.values()) <= 2000


def test_a_notice_that_is_none_is_refused(scene: Scene) -> None:
    """Content of another event, or far too long, is not written down."""
    publisher = Publisher()
    good = publisher.notice(Event.IMAGE_EXPIRED, "urn:image")
    assert good.body is not None
    scene.take(
        received(good.body.replace(b'"event":"image_expired","id"', b'"event":"downtime_left","id"')),
        publisher.notice(Event.IMAGE_EXPIRED, "x" * 20_000),
    )
    assert scene.receiver.counts == {"refused": 2}
    assert not (scene.folder / "notices.jsonl").exists()


# --- signatures ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that vouches for `publisher` and `other`, and another one for `stranger`."""
    folder = tmp_path_factory.mktemp("pki")

    def made(*words: str) -> None:
        subprocess.run([TESTBED, folder, *words], check=True, capture_output=True)

    made("authority", "/DC=org/DC=example/CN=Authority")
    made("another", "/DC=org/DC=example/CN=Another")
    made("publisher", "/DC=org/DC=example/CN=publisher, first", "--authority", "authority")
    made("other", "/DC=org/DC=example/CN=other", "--authority", "authority")
    made("stranger", "/DC=org/DC=example/CN=publisher, first", "--authority", "another")
    return folder


def signed(message: Received, pki: Path, who: str) -> Received:
    """The same message, signed by somebody."""
    settings = SignatureSettings(certificate=pki / f"{who}.pem", key=pki / f"{who}.key")
    assert message.body is not None
    return received(sign(message.body, settings, Deadline.after(30)))


@pytest.fixture
def strict(tmp_path: Path, pki: Path) -> Scene:
    """A receiver that believes only what the publisher has signed."""
    signers = {CENTRE: [r"CN=publisher\, first, DC=example, DC=org"]}
    return Scene(tmp_path, signatures={"ca_file": str(pki / "authority.pem"), "signers": signers})


def test_what_the_centres_own_signer_signs_is_taken(strict: Scene, pki: Path) -> None:
    """His subject, however its blanks are written in the settings, may speak; the state names him."""
    strict.take(signed(Publisher().snapshot(FIRST)[0], pki, "publisher"))
    assert strict.has(FIRST)
    assert strict.state.record is not None
    assert strict.state.record.signer == r"CN=publisher\, first,DC=example,DC=org"


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("other", "it is of RC-ONE and signed by CN=other,DC=example,DC=org, who is none of its signers"),
        ("stranger", "it has a signature that does not hold"),
        (None, "it is not signed"),
    ],
)
def test_what_others_say_is_refused_and_they_are_named(strict: Scene, pki: Path, who: str | None, why: str) -> None:
    """A well-formed message signed by somebody else, by an unknown authority's, or by nobody changes nothing."""
    [message] = Publisher().snapshot(FIRST)
    strict.take(signed(message, pki, who) if who else message)
    assert strict.receiver.remark is not None
    assert why in strict.receiver.remark.what
    assert "from publisher" in strict.receiver.remark.what
    assert strict.copies.states() == []


def test_a_signature_speaks_only_for_its_own_centre(strict: Scene, pki: Path) -> None:
    """A centre that has no signers is not followed where signatures are required."""
    strict.take(signed(Publisher("RC-TWO").snapshot(FIRST)[0], pki, "publisher"))
    assert "is of RC-TWO and signed by" in strict.receiver.remark.what  # type: ignore[union-attr]


def test_where_no_signature_is_required_a_named_centre_still_needs_its_own(tmp_path: Path, pki: Path) -> None:
    """Others may go without; who has signers is believed only by them."""
    trust = {"ca_file": str(pki / "authority.pem"), "required": False, "signers": {"RC-TWO": ["CN=two"]}}
    scene = Scene(tmp_path, signatures=trust)
    scene.take(*Publisher().snapshot(FIRST))
    assert scene.has(FIRST)
    scene.take(*Publisher("RC-TWO").snapshot(FIRST))
    assert "is of RC-TWO and not signed" in scene.receiver.remark.what  # type: ignore[union-attr]


def test_a_signed_message_that_was_changed_is_refused(strict: Scene, pki: Path) -> None:
    """One bit is enough."""
    body = signed(Publisher().snapshot(FIRST)[0], pki, "publisher").body
    assert body is not None
    at = body.index(b'"revision":1')
    strict.take(received(body[:at] + b'"revision":2' + body[at + 12 :]))
    assert "has a signature that does not hold" in strict.receiver.remark.what  # type: ignore[union-attr]
