"""Large documents: changes go to a journal, the document is written later; killed at any byte, all is proved."""

from pathlib import Path

import pytest

from infoprovider.clock import Clock
from infoprovider.errors import StoreError
from infoprovider.messaging.units import ContentType, document_of
from infoprovider.reception.apply import Copy
from infoprovider.reception.copies import Copies
from infoprovider.reception.journal import Journal, Step
from infoprovider.reception.records import CentreState, Record
from tests.reception.copies import copy_of
from tests.reception.trees import CENTRE, ROOT, domain, entry


def tree(size: int, name: str) -> dict[str, bytes]:
    """A tree of so many groups; the name is that of its first entry."""
    groups = [f"GLUE2GroupID={number},{ROOT}" for number in range(size)]
    return {ROOT: domain(f"GLUE2EntityName: {name}"), **{dn: entry(dn) for dn in groups}}


def json(size: int, name: str) -> dict[str, bytes]:
    """The same of entities."""
    ids = [f"urn:{number}" for number in range(size)]
    units = {id_: b'Contact {"ID":"%s"}' % id_.encode() for id_ in ids}
    return units | {"urn:x": b'Location {"ID":"urn:x","Name":"%s"}' % name.encode()}


MAKE = {ContentType.JSON: json, ContentType.LDIF: tree}
FILE = {ContentType.JSON: f"{CENTRE}.json", ContentType.LDIF: f"{CENTRE}.ldif"}


class Keeper:
    """Keeps one revision after the other, as a receiver does."""

    def __init__(self, folder: Path) -> None:
        self.copies = Copies(folder, whole_bytes=100)
        self.state = CentreState(centre=CENTRE, is_shown=True)
        self.copy: Copy | None = None

    def keep(self, copy: Copy) -> None:
        """The next revision."""
        pending = self.state.model_copy(update={"pending": Record.of(copy, Clock().read(), None)})
        self.state = self.copies.keep(copy, pending, self.copy)
        self.copy = copy


def proved(folder: Path) -> Copy | None:
    """What a process finds that is started now."""
    copies = Copies(folder, whole_bytes=100)
    [state] = copies.states()
    found = copies.proved(state)
    return found[0] if found else None


@pytest.mark.parametrize("content_type", ContentType)
def test_changes_go_to_the_journal_and_are_proved_from_there(tmp_path: Path, content_type: ContentType) -> None:
    """The document stays as it was until it is settled, and at every moment the newest copy is found."""
    make = MAKE[content_type]
    keeper = Keeper(tmp_path)
    copies = [
        copy_of(make(size, f"r{revision}"), content_type, revision=revision)
        for revision, size in enumerate((400, 400, 401, 399), start=1)
    ]
    for copy in copies:
        keeper.keep(copy)
        assert proved(tmp_path) == copy
    document = tmp_path / FILE[content_type]
    assert b"r1" in document.read_bytes()
    keeper.copies.settle(copies[2])
    assert b"r3" in document.read_bytes()
    assert proved(tmp_path) == copies[3]
    keeper.copies.settle(copies[3])
    assert proved(tmp_path) == copies[3]
    assert [step.record.revision for step in Journal(tmp_path / f"{CENTRE}.journal").steps()] == [4]
    if content_type is ContentType.JSON:
        assert document.read_bytes() == document_of(copies[3].units, content_type)


def test_cut_off_at_any_byte_the_copy_is_one_that_was_kept(tmp_path: Path) -> None:
    """A journal of which a crash left only a beginning leads to the former copy, and can be continued."""
    keeper = Keeper(tmp_path)
    copies = [copy_of(tree(40, f"r{revision}"), ContentType.LDIF, revision=revision) for revision in (1, 2, 3)]
    for copy in copies:
        keeper.keep(copy)
    path = tmp_path / f"{CENTRE}.journal"
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert proved(tmp_path) in copies
    path.write_bytes(whole[:-5])
    again = Keeper(tmp_path)
    [state] = again.copies.states()
    found = again.copies.proved(state)
    assert found is not None
    again.copy, again.state = found
    assert again.copy == copies[1]
    again.keep(copies[2])
    assert proved(tmp_path) == copies[2]


def test_a_changed_byte_in_the_journal_is_noticed(tmp_path: Path) -> None:
    """Nothing is built upon what the disk has made of it."""
    keeper = Keeper(tmp_path)
    for revision in (1, 2):
        keeper.keep(copy_of(tree(40, f"r{revision}"), ContentType.LDIF, revision=revision))
    path = tmp_path / f"{CENTRE}.journal"
    path.write_bytes(path.read_bytes().replace(b"EntityName: r2", b"EntityName: r9"))
    assert proved(tmp_path) is None


def test_killed_between_document_and_journal_the_newest_copy_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is new already and the journal still leads from the former one: steps that are in it are skipped."""
    keeper = Keeper(tmp_path)
    copies = [copy_of(tree(40, f"r{revision}"), ContentType.LDIF, revision=revision) for revision in (1, 2, 3)]
    for copy in copies:
        keeper.keep(copy)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "begin", lambda *_: None)
        keeper.copies.settle(copies[1])
    assert b"r2" in (tmp_path / f"{CENTRE}.ldif").read_bytes()
    assert proved(tmp_path) == copies[2]


def test_a_journal_that_has_grown_gives_way_to_the_document(tmp_path: Path) -> None:
    """Where more has changed than half of the document, it is written as a whole and the journal goes."""
    keeper = Keeper(tmp_path)
    for revision in range(1, 60):
        keeper.keep(copy_of(tree(40, f"r{revision}"), ContentType.LDIF, revision=revision))
    whole = (tmp_path / f"{CENTRE}.ldif").stat().st_size
    journal = tmp_path / f"{CENTRE}.journal"
    assert not journal.exists() or journal.stat().st_size < whole
    assert b"r1\n" not in (tmp_path / f"{CENTRE}.ldif").read_bytes()
    assert proved(tmp_path) == keeper.copy


def test_nothing_is_settled_that_is_hidden(tmp_path: Path) -> None:
    """Who is late with writing a document does not bring back what was withdrawn meanwhile."""
    keeper = Keeper(tmp_path)
    for revision in (1, 2):
        keeper.keep(copy_of(tree(40, f"r{revision}"), ContentType.LDIF, revision=revision))
    assert keeper.copy is not None
    keeper.state = keeper.copies.hide(keeper.state)
    keeper.copies.settle(keeper.copy)
    assert [path.name for path in tmp_path.iterdir()] == [f"{CENTRE}.state.json"]


def test_a_full_disk_leaves_the_steps_that_were_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that cannot be written is none, the former ones hold, and the next one follows them."""
    keeper = Keeper(tmp_path)
    copies = [copy_of(tree(40, f"r{revision}"), ContentType.LDIF, revision=revision) for revision in (1, 2, 3)]
    keeper.keep(copies[0])
    keeper.keep(copies[1])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("infoprovider.reception.journal.os.fsync", full)
        with pytest.raises(StoreError, match="no space left on device; free some space there"):
            keeper.keep(copies[2])
    keeper.keep(copies[2])
    assert proved(tmp_path) == copies[2]


def test_what_is_no_journal_is_none(tmp_path: Path) -> None:
    """Whatever stands in the file, reading it raises nothing."""
    path = tmp_path / "x.journal"
    for garbage in (b"", b"\n", b"{}\n", b"[1]\n", b'{"record":{},"present":[],"removed":[]}\n\n', b"\xff\x00"):
        path.write_bytes(garbage)
        assert Journal(path).steps() == []
    record = Record.of(copy_of({}), Clock().read(), None)
    journal = Journal(path)
    journal.append(Step(record, {"a": b"\n\n"}, ("b",)))
    assert journal.steps() == [Step(record, {"a": b"\n\n"}, ("b",))]
