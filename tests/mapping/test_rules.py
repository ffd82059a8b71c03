"""Who may do something, as the rules on which brokers search."""

import pytest

from infoprovider.config.model import Community, ProjectMapping
from infoprovider.mapping.context import Mapped
from infoprovider.mapping.rules import rules_of


def rules(*mappings: tuple[str | None, str | None]) -> tuple[str, ...]:
    """The rules of a community that is mapped by these groups and roles."""
    projects = tuple(ProjectMapping(instance="north", project="p1", group=group, role=role) for group, role in mappings)
    return rules_of(Mapped(project="p1", community=Community(name="vo.bio", projects=projects), mappings=projects))


def test_a_community_as_a_whole_is_one_rule() -> None:
    """`VO:<name>`, and nothing narrower."""
    assert rules((None, None)) == ("VO:vo.bio",)


@pytest.mark.parametrize(
    ("group", "role", "rule"),
    [
        ("/vo.bio", None, "VOMS:/vo.bio"),
        ("/vo.bio/lab", None, "VOMS:/vo.bio/lab"),
        ("lab", None, "VOMS:/vo.bio/lab"),
        ("/vo.bio/lab/", "admin", "VOMS:/vo.bio/lab/Role=admin"),
        (None, "admin", "VOMS:/vo.bio/Role=admin"),
    ],
)
def test_a_group_or_a_role_is_a_rule_of_its_own(group: str | None, role: str | None, rule: str) -> None:
    """However the operator spells the group, one name comes out; the community itself stays the first rule."""
    assert rules((group, role)) == ("VO:vo.bio", rule)


def test_equal_rules_are_said_once() -> None:
    """Two mappings of one group are one rule."""
    assert rules(("lab", None), ("/vo.bio/lab", None)) == ("VO:vo.bio", "VOMS:/vo.bio/lab")


def test_no_rule_has_the_basic_form_of_a_distinguished_name() -> None:
    """Aggregators cut an entry at `dn:`."""
    assert not any("dn:" in rule for rule in rules((None, None), ("lab", "admin")))
