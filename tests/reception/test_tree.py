"""What is sent to a server to make one tree of another; what a server does with it is in tests/system."""

import pytest

from infoprovider.errors import QueryError, Refused
from infoprovider.reception.names import all_published, all_served, check_shape, fold, published, served
from infoprovider.reception.tree import attributes_of, difference, planned
from tests.reception.trees import CENTRE, ROOT, domain, entry

GROUP = f"GLUE2GroupID=resource,{ROOT}"
DEEP = f"GLUE2GroupID=deep,{GROUP}"


def test_nothing_is_sent_for_the_same_entries() -> None:
    """Equal entries make no operation, whatever order their values have."""
    one = {ROOT: domain("GLUE2EntityOtherInfo: a", "GLUE2EntityOtherInfo: b")}
    other = {ROOT: domain("GLUE2EntityOtherInfo: b", "GLUE2EntityOtherInfo: a")}
    assert planned(one, dict(one)).size == 0
    assert planned(one, other).size == 0


def test_parents_come_first_and_go_last() -> None:
    """Additions begin at the root, deletions end there."""
    whole = {DEEP: entry(DEEP), ROOT: domain(), GROUP: entry(GROUP)}
    assert planned({}, whole).additions == [[ROOT], [GROUP], [DEEP]]
    assert planned(whole, {}).deletions == [[DEEP], [GROUP], [ROOT]]


def test_only_attributes_that_differ_are_modified() -> None:
    """New, changed and gone attributes are replaced; equal ones are not mentioned."""
    before = attributes_of(domain("GLUE2EntityName: old", "GLUE2EntityValidity: 1", "GLUE2EntityOtherInfo: x"))
    after = attributes_of(domain("GLUE2EntityName: new", "GLUE2EntityOtherInfo: x", "GLUE2DomainDescription: d"))
    changes = difference(before, after)
    assert changes == {"GLUE2EntityName": ["new"], "GLUE2DomainDescription": ["d"], "glue2entityvalidity": ()}


def test_another_class_means_another_entry() -> None:
    """An entry with other object classes goes and comes back, and with it all that is below."""
    before = {ROOT: domain(), GROUP: entry(GROUP), DEEP: entry(DEEP)}
    after = before | {GROUP: entry(GROUP, classes=("GLUE2Group", "top"))}
    plan = planned(before, after)
    assert plan.deletions == [[DEEP], [GROUP]]
    assert plan.additions == [[GROUP], [DEEP]]
    assert plan.modifications == {}


def test_names_are_moved_below_the_group_of_a_top_level_index() -> None:
    """A centre's names end in o=glue where they are published, and below the group `grid` where they are served."""
    assert served(GROUP) == f"GLUE2GroupID=resource,GLUE2DomainID={CENTRE},GLUE2GroupID=grid,o=glue"
    assert published(served(GROUP)) == GROUP


def test_a_text_is_moved_and_comes_back() -> None:
    """Names of the centre's tree are moved within their entries, with any letters; others stay where they are."""
    odd = f"GLUE2GroupID=Zürich,{ROOT}"
    entries = {ROOT: domain(), odd: entry(odd), "GLUE2GroupID=x,o=glue": entry("GLUE2GroupID=x,o=glue")}
    moved = all_served(CENTRE, entries)
    assert list(moved) == [served(ROOT), served(odd), "GLUE2GroupID=x,o=glue"]
    assert moved[served(odd)] == entry(odd).replace(odd.encode(), served(odd).encode(), 1)
    assert all_published(CENTRE, moved) == entries


def test_names_are_compared_as_a_server_does() -> None:
    """The case of attributes, blanks beside separators and the way of escaping mean nothing; values mean all."""
    assert fold(r"GLUE2GroupID=a\,b, o=glue") == fold(r"glue2groupid=a\2Cb,O=glue")
    assert fold("GLUE2GroupID=a,o=glue") != fold("GLUE2GroupID=A,o=glue")


@pytest.mark.parametrize("strange", ["GLUE2GroupID=resource,o=glue", f"GLUE2DomainID=x{CENTRE},o=glue", "o=glue"])
def test_a_tree_of_another_shape_is_refused_by_name(strange: str) -> None:
    """What is not below the centre's own entry is not served, and the message says which entry that is."""
    with pytest.raises(Refused, match=rf"the tree of {CENTRE} cannot be served: {strange} is not below {ROOT}"):
        check_shape(CENTRE, [ROOT, GROUP, strange])
    check_shape(CENTRE, [ROOT, GROUP, DEEP])


def test_an_entry_without_lines_is_no_entry() -> None:
    """Nothing to read is an error with words."""
    with pytest.raises(QueryError, match="an entry without lines cannot be served"):
        attributes_of(b"\n")
