"""Every rule of the table: broken by what breaks it, silent on what holds."""

import pytest

from infoprovider.validation.engine import RULES, validate
from infoprovider.validation.rule import Rule, Selection
from tests.validation.entries import NOON
from tests.validation.examples import EXAMPLES

BY_KEY = [pytest.param(rule, id=f"{rule.id}:{rule.subject}".strip(":")) for rule in RULES]


@pytest.mark.parametrize("rule", BY_KEY)
def test_a_rule_finds_what_breaks_it(rule: Rule) -> None:
    """Alone it finds its breach, and says at which level, what was seen, why that matters and what to do."""
    found = validate(EXAMPLES[rule.key].breaks, Selection(frozenset({rule.key})), NOON).report.findings
    assert found
    assert {(one.rule, one.level, one.why, one.remedy) for one in found} == {
        (rule.id, rule.level, rule.why, rule.remedy)
    }
    assert all(one.what for one in found)


@pytest.mark.parametrize("rule", BY_KEY)
def test_a_rule_is_silent_where_it_holds(rule: Rule) -> None:
    """Also at the last value that is right."""
    verdict = validate(EXAMPLES[rule.key].holds, Selection(frozenset({rule.key})), NOON)
    assert verdict.report.findings == ()


@pytest.mark.parametrize("rule", BY_KEY)
def test_a_rule_that_is_not_chosen_is_silent(rule: Rule) -> None:
    """All others together say nothing in its name."""
    others = frozenset(one.key for one in RULES if one.id != rule.id)
    assert rule.id not in validate(EXAMPLES[rule.key].breaks, Selection(others), NOON).report.counts


def test_no_two_rows_are_the_same() -> None:
    """An id with its subject means one rule."""
    assert len({rule.key for rule in RULES}) == len(RULES)


def test_examples_are_of_rules_that_exist() -> None:
    """A rule that goes takes its examples along."""
    assert {rule.key for rule in RULES} == EXAMPLES.keys()


def test_what_is_wrong_is_off_and_says_why() -> None:
    """Nobody has to guess why a known rule is not applied."""
    assert [rule.key for rule in RULES if rule.wrong and not rule.off] == []


def test_every_level_of_the_profile_is_that_of_its_code() -> None:
    """E001 is an error, W001 a warning, I001 a note."""
    words = {"E": "error", "W": "warning", "I": "info"}
    codes = [(rule.id.removeprefix("egi."), rule.level) for rule in RULES if rule.id.startswith("egi.")]
    assert [code for code, level in codes if words[code[0]] != level] == []
