"""Choosing rules: sets, changes of them, levels, and the names that rules go by."""

import pytest

from infoprovider.errors import ConfigError
from infoprovider.validation.engine import RULES, validate
from infoprovider.validation.report import Level
from infoprovider.validation.rule import RuleSet, select
from tests.validation.entries import NOON, entry, located


def ids(*arguments: object, **options: object) -> set[str]:
    """The ids of the chosen rules."""
    return {id_ for id_, _ in select(RULES, *arguments, **options).keys}  # type: ignore[arg-type]


def test_sets_hold_what_they_are_called() -> None:
    """The default is without what is off, `glue` without the profile, `egi` is the profile whole, `all` everything."""
    assert select(RULES, RuleSet.ALL).keys == {rule.key for rule in RULES}
    assert select(RULES).keys == {rule.key for rule in RULES if not rule.off}
    assert not any(id_.startswith("egi.") for id_ in ids(RuleSet.GLUE))
    assert all(id_.startswith("egi.") for id_ in ids(RuleSet.EGI))
    assert {"egi.I079", "egi.E025", "egi.E002"} <= ids(RuleSet.EGI)


def test_rules_are_added_and_left_out_by_any_of_their_names() -> None:
    """By id, by code alone, by the beginning of the id, and with a subject."""
    assert "egi.I079" not in ids()
    assert "egi.I079" in ids(changes=["I079"])
    assert "egi.I079" in ids(changes=["+egi.I079"])
    assert "egi.E002" not in ids(changes=["-E002"])
    assert not any(id_.startswith("ldap.") for id_ in ids(changes=["-ldap"]))
    assert select(RULES, only=["W037:ServiceType_t"]).keys == {("egi.W037", "ServiceType_t")}
    assert ids(only=["glue", "E002"], changes=["-glue.type"]) == {
        "glue.enumeration",
        "glue.spelling",
        "glue.duplicate-id",
        "glue.reference",
        "glue.reference-class",
        "egi.E002",
    }


def test_known_issues_are_those_that_glue_validator_drops() -> None:
    """Its option -k leaves out 36 of the rules on values, the mandatory and recommended ones and all types."""
    dropped = select(RULES, RuleSet.EGI).keys - select(RULES, RuleSet.EGI, without_known_issues=True).keys
    codes = {id_.removeprefix("egi.") for id_, _ in dropped}
    assert {"W034", "I095", "W037", "W041", "E014", "I063", "E011"} <= codes
    assert not {"E001", "E002", "I079", "I086", "W036", "E021", "E025"} & codes


def test_a_level_may_be_changed() -> None:
    """For one run, of one rule."""
    read = located(entry("ComputingService", "Validity=0"))
    selection = select(RULES, only=["freshness.absurd-validity"], changes=["absurd-validity=error"])
    (finding,) = validate(read, selection, NOON).report.findings
    assert finding.level is Level.ERROR


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ("E999", "command line: no rule is called 'E999'; see the names with --list-rules"),
        ("W037:Nothing_t", "command line: no rule is called 'W037:Nothing_t'; see the names with --list-rules"),
        ("E002=grave", "command line: 'E002=grave' names no level; write one of error, warning, info"),
    ],
)
def test_a_name_that_nothing_has_is_refused(change: str, wrong: str) -> None:
    """Instead of checking less than somebody believes."""
    with pytest.raises(ConfigError) as caught:
        select(RULES, changes=[change])
    assert str(caught.value) == wrong
