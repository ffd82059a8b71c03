"""What entries of anybody say: equal things are equal however they are spelt, and what is none is told."""

import io

import pytest

from infoprovider.errors import QueryError
from infoprovider.ldif import Located, Record, Unreadable
from infoprovider.query.lenient import read_ldif
from infoprovider.query.said import Said, account_of, said_by

SHARE = {
    "objectClass": ["GLUE2Entity", "GLUE2Share", "GLUE2ComputingShare"],
    "GLUE2ShareID": ["urn:s"],
    "GLUE2ComputingShareMaxTotalJobs": ["10"],
    "GLUE2ComputingSharePreemption": ["true"],
    "GLUE2EntityCreationTime": ["2026-01-15T12:00:00Z"],
    "GLUE2EntityOtherInfo": [
        "FreeInstances.a=3",
        "Image=x",
        "Image=y",
        "FreeInstances.ObservedAt=2026-01-15T12:00:00Z",
    ],
}
DN = "GLUE2ShareID=urn:s,o=glue"


def said(**changes: list[str]) -> Said:
    """What the share says with some attributes changed."""
    found = said_by(Record(DN, SHARE | changes))
    assert found is not None
    return found


def test_values_go_by_the_names_of_glue() -> None:
    """Each key of OtherInfo by itself, moments of observation apart."""
    found = said()
    assert (found.cls, found.family, found.id, found.dn) == ("ComputingShare", "Share", "urn:s", DN)
    assert found.values == {
        "ID": ("urn:s",),
        "MaxTotalJobs": ("10",),
        "Preemption": ("true",),
        "OtherInfo FreeInstances.a": ("3",),
        "OtherInfo Image": ("x", "y"),
    }
    moment = ("2026-01-15T12:00:00Z",)
    assert found.moments == {"CreationTime": moment, "OtherInfo FreeInstances.ObservedAt": moment}


@pytest.mark.parametrize(
    ("attribute", "values"),
    [
        ("GLUE2ComputingSharePreemption", ["TRUE"]),
        ("GLUE2ComputingShareMaxTotalJobs", ["010"]),
        ("GLUE2EntityCreationTime", ["2026-01-15T13:00:00+01:00"]),
        ("GLUE2EntityOtherInfo", SHARE["GLUE2EntityOtherInfo"][::-1]),
        ("GLUE2ShareDescription", []),
        ("GLUE2ShareDescription", [""]),
    ],
)
def test_spellings_of_one_value_are_equal(attribute: str, values: list[str]) -> None:
    """Booleans, numbers and moments by what they mean, several values as a set, none as nothing."""
    assert said(**{attribute: values}) == said()


def test_values_that_mean_nothing_to_their_type_count_as_they_are() -> None:
    """A number that is none is compared as text, so that a broken entry can be compared at all."""
    assert said(GLUE2ComputingShareMaxTotalJobs=["many"]).values["MaxTotalJobs"] == ("many",)


def test_a_text_counts_as_ldap_keeps_it() -> None:
    r"""XML has a line feed where LDIF has `\n`."""
    assert said(GLUE2ShareDescription=["a\nb"]) == said(GLUE2ShareDescription=["a\\nb"])


def test_names_count_in_any_letter_case() -> None:
    """Those of attributes and of classes, and several spellings of one attribute are one."""
    lower = {name.lower(): [value.lower() for value in values] for name, values in SHARE.items()}
    lower["glue2entitycreationtime"] = SHARE["GLUE2EntityCreationTime"]
    lower["glue2entityotherinfo"] = SHARE["GLUE2EntityOtherInfo"][:2]
    lower["GLUE2ENTITYOTHERINFO"] = SHARE["GLUE2EntityOtherInfo"][2:]
    assert said_by(Record(DN, lower)) == said()


def test_what_glue_does_not_know_is_compared_too() -> None:
    """An attribute of the server's own goes by its own name."""
    assert said(seeAlso=["o=x"]).values["seeAlso"] == ("o=x",)
    assert said(seealso=["o=x"]).key == said().key == ("Share", "urn:s")


@pytest.mark.parametrize(
    ("dn", "classes"),
    [
        ("o=glue", ["organization"]),
        ("GLUE2GroupID=resource,o=glue", ["GLUE2Group"]),
        ("GLUE2ExtensionLocalID=a,o=glue", ["GLUE2Extension"]),
    ],
)
def test_what_only_holds_the_tree_says_nothing(dn: str, classes: list[str]) -> None:
    """The root, groups and extensions are LDAP's own."""
    assert said_by(Record(dn, {"objectClass": classes})) is None


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"objectClass": ["person"]}, "cn=a,o=glue is no entry of GLUE 2.0: its classes are person"),
        ({}, "cn=a,o=glue is no entry of GLUE 2.0: its classes are none"),
        ({"objectClass": ["GLUE2Share"], "GLUE2ShareID": [""]}, "cn=a,o=glue has no GLUE2ShareID"),
    ],
)
def test_what_is_no_entry_is_told(attributes: dict[str, list[str]], why: str) -> None:
    """With its name, and the rest of the source is compared."""
    with pytest.raises(QueryError, match=f"^{why}$"):
        said_by(Record("cn=a,o=glue", attributes))
    account = account_of("x", [Located(7, Record("cn=a,o=glue", attributes)), Located(9, Record(DN, SHARE))])
    assert (account.unreadable, list(account.said)) == ((f"line 7: {why}",), [("Share", "urn:s")])


def test_of_two_entries_of_one_name_the_first_counts() -> None:
    """The second is told; letter case of an ID does not tell them apart, for aggregators do not."""
    other = SHARE | {"GLUE2ShareID": ["URN:S"]}
    account = account_of("x", [Located(0, Record(DN, SHARE)), Located(0, Record(DN, other))])
    assert [one.id for one in account.said.values()] == ["urn:s"]
    assert [one.id for one in account.repeated] == ["URN:S"]


def test_a_source_of_which_nothing_can_be_read_is_refused() -> None:
    """The first thing that is wrong is said; a source without any entry says nothing, and is read."""
    with pytest.raises(QueryError, match="cannot read x: line 1: "):
        account_of("x", read_ldif(io.BytesIO(b"hello\n")))
    with pytest.raises(QueryError, match="cannot read x: it is no XML"):
        account_of("x", [Unreadable(0, "it is no XML")])
    assert account_of("x", []).said == {}
