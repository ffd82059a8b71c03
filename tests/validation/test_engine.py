"""Entries of anybody: spelling that LDAP takes, entries without a tree, and references in any order."""

from hypothesis import given
from hypothesis import strategies as st

from infoprovider import ldif
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, object_classes_of
from infoprovider.validation.engine import RULES, canonical, validate
from infoprovider.validation.report import Level
from infoprovider.validation.rule import RuleSet, select
from tests.validation.entries import ABOVE, NOON, entry, located

DEFAULT = select(RULES)


def counts(*records: ldif.Record, rule_set: RuleSet = RuleSet.DEFAULT) -> dict[str, int]:
    """How often each rule is broken."""
    return validate(located(*records), select(RULES, rule_set), NOON).report.counts


def chain() -> list[ldif.Record]:
    """A service with all that the profile wants beside it."""
    below = f"GLUE2ServiceID=service,{ABOVE}"
    return [
        entry("ComputingService", id="service"),
        entry("ComputingManager", id="manager", above=below),
        entry("ExecutionEnvironment", above=f"GLUE2ManagerID=manager,{below}"),
        entry("ComputingShare", id="share", above=below),
        entry("MappingPolicy", above=f"GLUE2ShareID=share,{below}"),
    ]


def shouted(record: ldif.Record) -> ldif.Record:
    """The same entry with names in capitals, as LDAP allows."""
    attributes = {name.upper(): values for name, values in record.attributes.items()}
    attributes["OBJECTCLASS"] = [name.upper() for name in attributes["OBJECTCLASS"]]
    return ldif.Record(record.dn, attributes)


def test_letter_case_of_names_does_not_count() -> None:
    """Neither of attributes, nor of object classes, nor of the way to an entry."""
    assert counts(*chain()) == {}
    assert counts(*map(shouted, chain())) == {}
    assert canonical(shouted(chain()[0])).attributes == chain()[0].attributes


def test_values_under_two_spellings_of_a_name_belong_together() -> None:
    """An attribute of one value that is given twice, in two spellings, has two values."""
    one, *others = chain()
    twice = ldif.Record(one.dn, one.attributes | {"glue2servicetype": ["another"]})
    assert counts(twice, *others) == {"ldap.single-value": 1}


def test_an_alias_is_the_attribute_that_it_stands_for() -> None:
    """Older trees name groups by GLUE2GroupName."""
    dn = f"GLUE2GroupName=services,{ABOVE}"
    group = ldif.Record(dn, {"objectClass": ["GLUE2Group"], "GLUE2GroupName": ["services"]})
    assert canonical(group).attributes["GLUE2GroupID"] == ["services"]
    assert counts(group) == {}


def test_the_order_of_entries_does_not_count() -> None:
    """A BDII sorts what it is given; the first entry stands for the root of a search."""
    first, *others = chain()
    assert counts(first, *reversed(others)) == {}


def test_the_root_of_the_tree_is_no_entry_of_glue() -> None:
    """It is passed over, and a text of nothing else is empty."""
    root = ldif.Record("o=glue", {"objectClass": ["organization"], "o": ["glue"]})
    assert counts(root, *chain()) == {}
    assert counts(root) == {"read.nothing": 1}


def test_entries_without_a_tree_have_no_wrong_place_in_it() -> None:
    """From XML come no distinguished names; findings name the ID, and text may have line feeds."""
    plain = [ldif.Record("", record.attributes) for record in chain()]
    plain[0].attributes["GLUE2EntityName"] = ["two\nlines"]
    plain[1].attributes["GLUE2ComputingManagerTotalSlots"] = ["many"]
    report = validate(located(*plain), DEFAULT, NOON).report
    assert {(one.rule, one.object) for one in report.findings} == {
        ("glue.type", "manager"),
        ("ldap.integer", "manager"),
    }


def test_references_may_lead_to_domains_elsewhere() -> None:
    """A resource's tree has no domain of its site; where one was read, the reference must be right."""
    service = entry("ComputingService", "AdminDomainForeignKey=RC-TWO")
    assert "glue.reference" not in counts(service)
    assert counts(entry("AdminDomain", id="RC-ONE", above="o=glue"), service)["glue.reference"] == 1


def test_a_reference_in_another_letter_case_is_told_as_such() -> None:
    """It is the commonest mistake, and hard to see."""
    service, *others = chain()
    others[0].attributes["GLUE2ManagerServiceForeignKey"] = ["Service"]
    (finding,) = validate(located(service, *others), DEFAULT, NOON).report.findings
    assert finding.what == "names 'Service', no Service that was read; 'service' differs in letter case"


def test_a_mistake_that_repeats_itself_is_counted_and_not_kept() -> None:
    """A hundred findings of a rule are kept; the levels count all."""
    broken = [entry("ComputingService", "TotalJobs=-1", id=f"s{number}") for number in range(150)]
    report = validate(located(*broken), select(RULES, only=["glue.type"]), NOON).report
    assert (len(report.findings), report.count(Level.ERROR), report.count(Level.WARNING)) == (100, 150, 0)


VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "",
            "0",
            "-1",
            "1e999",
            "nan",
            "9" * 400,
            "9" * 5000,
            "2026-02-30T12:00:00Z",
            "2026-11-21T24:00:00Z",
            "0001-01-01T00:00:00Z",
        ]
        + ["9999-12-31T23:59:59Z", "Share=:", "Share=vo:1e9", "GRID=", "https://", "a\\", "\u0660", "true", "unknown"]
    ),
)
NAMES = st.one_of(
    st.text(max_size=20), st.sampled_from([ABOVE, "o=glue", "a\\", ",", "=", "GLUE2DomainID=\\2C,o=glue"])
)


@st.composite
def anything(draw: st.DrawFn) -> ldif.Record:
    """An entry of some class, with any values of its attributes, wherever it stands."""
    cls = draw(st.sampled_from(list(ENTITY_CLASSES.values())))
    known = [attribute.ldap for attribute in attributes_of(cls) if attribute.ldap]
    names = st.one_of(st.sampled_from(known), st.text(max_size=8)) if known else st.text(max_size=8)
    attributes = draw(st.dictionaries(names, st.lists(VALUES, min_size=1, max_size=3), max_size=12))
    classes = draw(st.one_of(st.just(list(object_classes_of(cls))), st.lists(st.text(max_size=8), max_size=3)))
    return ldif.Record(draw(NAMES), {"objectClass": classes, **attributes})


@given(st.lists(anything(), max_size=4))
def test_whatever_is_read_is_judged(records: list[ldif.Record]) -> None:
    """No value, no name and no tree ends the validation: it is a finding or it is none."""
    verdict = validate(located(*records), select(RULES, RuleSet.ALL), NOON)
    assert verdict.entries <= len(records)
    assert all(finding.what for finding in verdict.report.findings)
