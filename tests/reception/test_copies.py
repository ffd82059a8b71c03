"""Copies on disk: proved when they are read, whole or not at all, whatever happens while they are written."""

import errno
import os
from pathlib import Path

import pytest

from infoprovider import files
from infoprovider.clock import Clock
from infoprovider.errors import StoreError
from infoprovider.messaging.units import ContentType, document_of
from infoprovider.reception.apply import Copy
from infoprovider.reception.copies import Copies, is_name
from infoprovider.reception.records import CentreState, Record
from tests.reception.copies import copy_of
from tests.reception.trees import CENTRE, ROOT, domain, entry

JSON = {"urn:a": b'Contact {"ID":"urn:a"}', "urn:b": b'Location {"ID":"urn:b"}'}
GROUP = f"GLUE2GroupID=resource,{ROOT}"
LDIF = {ROOT: domain(), GROUP: entry(GROUP)}


def pending(copy: Copy, state: CentreState | None = None) -> CentreState:
    """The state with which a copy is about to be kept."""
    former = state or CentreState(centre=copy.centre)
    record = Record.of(copy, Clock().read(), None)
    return former.model_copy(update={"pending": record, "is_shown": True})


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    """An empty folder."""
    return Copies(tmp_path)


@pytest.mark.parametrize("content_type", ContentType)
def test_what_was_kept_is_proved_when_it_is_read_again(tmp_path: Path, content_type: ContentType) -> None:
    """A copy comes back as it was, with its units, position and expiry."""
    copy = copy_of(JSON if content_type is ContentType.JSON else LDIF, content_type)
    Copies(tmp_path).keep(copy, pending(copy))
    again = Copies(tmp_path)
    [state] = again.states()
    found = again.proved(state)
    assert found is not None
    assert found[0] == copy
    assert found[1].record == Record.of(copy, found[1].record.received, None)  # type: ignore[union-attr]
    assert found[1].pending is None


def test_a_document_of_json_is_the_publishers_byte_for_byte(tmp_path: Path, copies: Copies) -> None:
    """The file is the document as it is laid out, and nothing else."""
    copy = copy_of(JSON)
    copies.keep(copy, pending(copy))
    assert (tmp_path / f"{CENTRE}.json").read_bytes() == document_of(JSON, ContentType.JSON)


def test_ldif_is_as_a_top_level_index_has_it(tmp_path: Path, copies: Copies) -> None:
    """The file begins with the centre, below the group `grid`."""
    copy = copy_of(LDIF, ContentType.LDIF)
    copies.keep(copy, pending(copy))
    text = (tmp_path / f"{CENTRE}.ldif").read_text()
    assert text.startswith(f"dn: GLUE2DomainID={CENTRE},GLUE2GroupID=grid,o=glue\n")
    assert f"dn: GLUE2GroupID=resource,GLUE2DomainID={CENTRE},GLUE2GroupID=grid,o=glue\n" in text
    assert text.endswith("\n\n")


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(8))
def test_killed_at_any_step_there_is_the_former_copy_or_the_new_one(
    tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before or after each file is replaced: what is read then is one of the two, proved."""
    former, new = copy_of(JSON), copy_of(JSON | {"urn:c": b'Contact {"ID":"urn:c"}'}, revision=2)
    copies = Copies(tmp_path)
    state = copies.keep(former, pending(former))
    steps = iter(range(100))
    real = Path.replace

    def dying(self: Path, target: Path) -> Path:
        if next(steps) == step:
            raise Killed
        done = real(self, target)
        if next(steps) == step:
            raise Killed
        return done

    monkeypatch.setattr(Path, "replace", dying)
    killed = False
    try:
        copies.keep(new, pending(new, state))
    except Killed:
        killed = True
    monkeypatch.undo()
    assert killed == (step < 6)
    again = Copies(tmp_path)
    [kept] = again.states()
    found = again.proved(kept)
    assert found is not None
    assert found[0].position.revision == (1 if step < 3 else 2)
    assert found[0] == (former if step < 3 else new)


@pytest.mark.parametrize("damage", [b"", b"{\n}\n", b'"Contact": [\n{"ID":"urn:a"}\n]', b"\xff\xfe", b'{"x', None])
def test_what_a_disk_has_made_of_a_copy_is_not_believed(tmp_path: Path, damage: bytes | None) -> None:
    """Whatever stands in the file, or does not, if it is not the document of the digest it is no copy."""
    copy = copy_of(JSON)
    copies = Copies(tmp_path)
    state = copies.keep(copy, pending(copy))
    path = tmp_path / f"{CENTRE}.json"
    path.unlink() if damage is None else path.write_bytes(damage)
    assert copies.proved(state) is None


def test_a_full_disk_leaves_the_former_copy_and_says_so(
    tmp_path: Path, copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the file, the reason and the remedy; what was there can still be proved."""
    former, new = copy_of(JSON), copy_of({}, revision=2)
    state = copies.keep(former, pending(former))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreError, match="no space left on device; free some space there; the former file"):
        copies.keep(new, pending(new, state))
    monkeypatch.undo()
    found = Copies(tmp_path).proved(state)
    assert found is not None
    assert found[0] == former
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{CENTRE}.json", f"{CENTRE}.state.json"]


def test_a_new_expiry_alone_writes_no_document(tmp_path: Path, copies: Copies) -> None:
    """The same bytes are not written again."""
    copy = copy_of(JSON)
    state = copies.keep(copy, pending(copy))
    before = (tmp_path / f"{CENTRE}.json").stat().st_ino
    copies.keep(copy_of(JSON, revision=2), pending(copy_of(JSON, revision=2), state))
    assert (tmp_path / f"{CENTRE}.json").stat().st_ino == before
    assert copies.state_of(CENTRE).record.revision == 2  # type: ignore[union-attr]


def test_another_kind_of_stream_leaves_no_former_document(tmp_path: Path, copies: Copies) -> None:
    """A centre that goes over from JSON to LDIF has no old JSON beside it, and nothing rendered of that is written."""
    first, second = copy_of(JSON), copy_of(LDIF, ContentType.LDIF, revision=2)
    state = copies.keep(first, pending(first))
    copies.show(CENTRE, LDIF)
    copies.keep(second, pending(second, state))
    before = (tmp_path / f"{CENTRE}.ldif").read_bytes()
    copies.show(CENTRE, {ROOT: domain("GLUE2EntityName: old")})
    assert (tmp_path / f"{CENTRE}.ldif").read_bytes() == before
    assert not (tmp_path / f"{CENTRE}.json").exists()


def test_what_is_hidden_is_not_shown_again_by_who_is_late(tmp_path: Path, copies: Copies) -> None:
    """The LDIF goes, the JSON stays, and a rendering that comes after that is not written."""
    copy = copy_of(JSON)
    state = copies.keep(copy, pending(copy))
    copies.show(CENTRE, LDIF)
    hidden = copies.hide(state)
    copies.show(CENTRE, LDIF)
    assert not (tmp_path / f"{CENTRE}.ldif").exists()
    assert (tmp_path / f"{CENTRE}.json").exists()
    assert (hidden.is_kept, hidden.is_shown) == (True, False)
    assert copies.state_of(CENTRE) == hidden


def test_of_a_withdrawn_centre_only_its_state_is_left(tmp_path: Path, copies: Copies) -> None:
    """How far it was followed is still known, so that nothing old brings it back."""
    copy = copy_of(LDIF, ContentType.LDIF)
    copies.withdraw(copies.keep(copy, pending(copy)))
    assert [path.name for path in tmp_path.iterdir()] == [f"{CENTRE}.state.json"]


def test_only_one_process_writes_there(tmp_path: Path) -> None:
    """The second is told that there is a first one."""
    with Copies(tmp_path).writing(), pytest.raises(StoreError, match="another `infoprovider follow` keeps its copies"):
        Copies(tmp_path).writing().__enter__()
    with Copies(tmp_path).writing():
        pass


def test_what_is_no_state_is_passed_over(tmp_path: Path, copies: Copies, caplog: pytest.LogCaptureFixture) -> None:
    """A file that this program did not write, or wrote for another centre, is none of a centre."""
    (tmp_path / "RC-X.state.json").write_text("{}")
    copy = copy_of(JSON)
    copies.keep(copy, pending(copy))
    (tmp_path / "RC-Y.state.json").write_bytes((tmp_path / f"{CENTRE}.state.json").read_bytes())
    assert [state.centre for state in copies.states()] == [CENTRE]
    assert "RC-X.state.json is not what this program writes" in caplog.text


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "_receiver", "a.state", "x\n", "é", "a" * 128])
def test_not_every_name_becomes_a_path(name: str) -> None:
    """What others write is a file's name only when it is a registered name, and no other file's."""
    assert not is_name(name)


@pytest.mark.parametrize("name", ["RC-ONE", "a", "a.b_c-d", "state", "x" * 127])
def test_registered_names_do(name: str) -> None:
    """The rest of them can have files."""
    assert is_name(name)
