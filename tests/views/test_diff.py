"""Where two accounts differ: what is missing on which side, which attributes differ, and what is no difference."""

import io
import json
from collections.abc import Iterable

import pytest
from rich.console import Console

from infoprovider.query.said import Account, Said
from infoprovider.views.diff import Difference, Lag, difference, plain, print_difference

SITE = "GLUE2DomainID=RC,o=glue"


def said(id_: str, cls: str = "ComputingShare", moment: str = "12:00:00", above: str = "o=glue", **values: str) -> Said:
    """An entry with these values, each split at blanks."""
    moments = {"CreationTime": (f"2026-01-15T{moment}Z",)}
    texts = {"ID": (id_,)} | {name: tuple(sorted(text.split())) for name, text in values.items()}
    return Said(cls, cls.removeprefix("Computing"), id_, f"GLUE2ID={id_},{above}" if above else "", texts, moments)


def account(*entries: Said, name: str = "x", unreadable: Iterable[str] = (), repeated: Iterable[Said] = ()) -> Account:
    """A source that says this."""
    return Account(name, {one.key: one for one in entries}, tuple(unreadable), tuple(repeated))


def between(here: Iterable[Said], there: Iterable[Said]) -> Difference:
    """What differs between entries."""
    return difference(account(*here), account(*there))


def test_what_is_missing_is_told_by_side() -> None:
    """Entries are found by class and ID, wherever they stand in the tree and whatever the ID's letter case."""
    found = between([said("a"), said("b"), said("c")], [said("B", above=SITE, ID="b"), said("c"), said("d")])
    assert [one.id for one in found.missing_there] == ["a"]
    assert [one.id for one in found.missing_here] == ["d"]
    assert (found.compared, found.changes, found.is_equal()) == (2, (), False)


def test_attributes_are_compared_as_sets_of_values() -> None:
    """All values of both sides are told, also of what one side does not say."""
    found = between([said("a", Rule="x y", Only="1", Same="z")], [said("a", Rule="y w", Other="2", Same="z")])
    assert [(one.attribute, one.here, one.there) for one in found.changes] == [
        ("Rule", ("x", "y"), ("w", "y")),
        ("Only", ("1",), ()),
        ("Other", (), ("2",)),
    ]


def test_another_class_of_the_same_family_is_a_difference() -> None:
    """A ComputingShare that is served as a Share is found, and told."""
    (change,) = between([said("a")], [said("a", cls="Share")]).changes
    assert (change.attribute, change.here, change.there) == ("objectClass", ("ComputingShare",), ("Share",))


@pytest.mark.parametrize(("moment", "seconds"), [("11:58:30", 90), ("12:00:05", -5)])
def test_an_older_stamp_is_no_difference_unless_that_is_asked(moment: str, seconds: float) -> None:
    """It is told how much older; below 0 it is newer."""
    found = between([said("a")], [said("a", moment=moment)])
    assert found.is_equal()
    assert not found.is_equal(stamps=True)
    assert [one.seconds for one in found.lags] == [seconds]


def test_a_stamp_that_is_no_moment_is_told_without_seconds() -> None:
    """It differs, nobody can say by how much."""
    assert [one.seconds for one in between([said("a")], [said("a", moment="noon")]).lags] == [None]


def test_what_pullers_drop_is_said_once() -> None:
    """Where entries stand elsewhere in the tree and no image is served, images are not missing."""
    images = [said(f"i{number}", cls="ApplicationEnvironment") for number in range(3)]
    found = between([said("a"), *images], [said("a", above=SITE)])
    assert found.is_equal()
    assert found.not_handed_on == {"ApplicationEnvironment": 3}


@pytest.mark.parametrize("there", [[said("a")], [said("a", above=SITE), said("i0", cls="ApplicationEnvironment")]])
def test_images_are_missed_where_they_should_be(there: list[Said]) -> None:
    """On the server of the resource itself, and wherever one of them is served."""
    images = [said(f"i{number}", cls="ApplicationEnvironment") for number in range(3)]
    found = between([said("a"), *images], there)
    assert len(found.missing_there) == 4 - len(there)
    assert found.not_handed_on == {}


def test_other_classes_are_missed_at_every_level() -> None:
    """That a share is not handed on is no custom of any puller."""
    found = between([said("a"), said("b")], [said("a", above=SITE)])
    assert [one.id for one in found.missing_there] == ["b"]


def test_entries_of_others_are_counted_only() -> None:
    """A top BDII serves the whole world."""
    found = difference(account(said("a")), account(said("a"), said("x"), said("our-y")), lambda one: "our" in one.id)
    assert [one.id for one in found.missing_here] == ["our-y"]
    assert found.others == {"ComputingShare": 1}


def test_what_cannot_be_read_or_stands_twice_is_not_known_to_be_equal() -> None:
    """Neither side may leave that open."""
    whole = account(said("a"))
    for bad in (account(said("a"), unreadable=["line 1: bad"]), account(said("a"), repeated=[said("a")])):
        assert not difference(whole, bad).is_equal()
        assert not difference(bad, whole).is_equal()


def test_everything_is_told_to_programs() -> None:
    """As JSON, with the stamps apart."""
    found = between([said("a", Rule="x"), said("b")], [said("a", Rule="y", moment="11:59:00"), said("c")])
    told = json.loads(json.dumps(plain(found, stamps=False)))
    assert told["equal"] is False
    assert told["here"]["entries"] == told["there"]["entries"] == 2
    assert [one["id"] for one in told["missing_there"]] == ["b"]
    assert [one["id"] for one in told["missing_here"]] == ["c"]
    assert told["different"] == [
        {"class": "ComputingShare", "id": "a", "attribute": "Rule", "here": ["x"], "there": ["y"]}
    ]
    assert told["stamps"][0]["older_there_by"] == 60


def printed(found: Difference, *, stamps: bool = False) -> str:
    """What people read."""
    console = Console(file=io.StringIO(), width=200, markup=False, highlight=False, emoji=False)
    print_difference(console, found, stamps=stamps)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_counts_come_first_then_classes() -> None:
    """A row for each class and for all, then what differs in it; only values that the other has not."""
    text = printed(between([said("a", Rule="x y"), said("b", cls="Contact")], [said("a", Rule="y z")]))
    words = [line.split() for line in text.splitlines()]
    assert ["ComputingShare", "1", "1", "1"] in words
    assert ["Contact", "1", "1"] in words
    assert ["all", "2", "1", "1", "0", "1"] in words
    assert words.index(["all", "2", "1", "1", "0", "1"]) < words.index(["different", "a", "Rule", "x", "z"])
    assert ["missing", "there", "b"] in words
    assert words[-1] == ["different:", "1", "entry", "compared"]


def test_equal_accounts_are_said_in_few_lines() -> None:
    """The names of both, the verdict, and how much older one of them is."""
    text = printed(between([said("a"), said("b")], [said("a", moment="11:59:00"), said("b", moment="11:00:00")]))
    assert text.splitlines() == [
        "here: x",
        "there: x",
        "2 entries were observed at another moment (2 older there by 1 min to 1 h): no difference unless --stamps",
        "equal: 2 entries compared",
    ]


def test_stamps_are_rows_where_they_count() -> None:
    """With how much older what is served there is."""
    text = printed(between([said("a")], [said("a", moment="11:59:00")]), stamps=True)
    assert "older by 60 s" in text
    assert "2026-01-15T11:59:00Z" in text


def test_long_lists_are_cut_and_say_so() -> None:
    """Of rows and of values."""
    text = printed(between([said(f"a{number:02}") for number in range(30)], []))
    assert text.count("missing there   a") == 20
    assert "and 10 more" in text
    assert "and 7 more" in printed(between([said("a", Rule=" ".join("abcdefghij"))], [said("a")]))


def test_hostile_text_stays_text() -> None:
    """What a stranger serves can neither steer a terminal nor pass for a line of ours."""
    evil = "\x1b[2J\x9b\u202e[red]x\nequal: all"
    bad = Said("ComputingShare", "Share", evil, "o=glue", {"ID": (evil,), evil: (evil,)}, {})
    found = difference(account(said("a")), account(bad, name=evil, unreadable=[evil], repeated=[bad]))
    changed = difference(account(bad), account(Said("Share", "Share", evil, "", {}, {}), name=evil))
    for one in (found, changed):
        text = printed(one, stamps=True)
        assert not set(text) & set("\x1b\x9b\u202e")
        assert not any(line.startswith("equal: all") for line in text.splitlines())
        assert "[red]x" in text


def test_lags_on_one_side_only_are_told() -> None:
    """A fact whose moment only one of them tells."""
    one = said("a")
    other = Said(one.cls, one.family, one.id, one.dn, one.values, {})
    found = between([one], [other])
    assert found.lags == (Lag("ComputingShare", "a", "CreationTime", ("2026-01-15T12:00:00Z",), (), None),)
    assert "1 on one side only" in printed(found)
