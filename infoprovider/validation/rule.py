"""A rule: its stable name, what breaks it, why that matters, what to do about it; and which rules are applied."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from infoprovider.errors import ConfigError
from infoprovider.errors import Finding as Mistake
from infoprovider.validation.report import Finding, Level

Key: TypeAlias = tuple[str, str]
"""What tells two rows of the table apart: a rule's id and its subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table of rules.

    `id` is stable; `subject` is what it looks at, where rules of one id look at several things. `broken` completes the
    sentence "it is broken where …". `off` says why the rule is not applied unless it is asked for; `wrong` marks those
    of them that contradict GLUE 2.0 or a healthy cloud. `known_issue` marks what glue-validator's `-k` leaves out.
    """

    id: str
    subject: str = ""
    level: Level = Level.ERROR
    broken: str
    why: str
    remedy: str
    off: str = ""
    wrong: bool = False
    known_issue: bool = False

    @property
    def key(self) -> Key:
        """What tells this row from all others."""
        return self.id, self.subject

    def found(self, place: str, what: str, attribute: str = "") -> Finding:
        """A breach of this rule, in an entry or in the text as a whole."""
        return Finding(
            level=self.level,
            rule=self.id,
            object=place,
            attribute=attribute,
            what=what,
            why=self.why,
            remedy=self.remedy,
        )


class RuleSet(StrEnum):
    """Which rules are applied before any single one is added or taken away."""

    DEFAULT = "default"
    GLUE = "glue"
    EGI = "egi"
    ALL = "all"


PROFILE = "egi."
"""How the ids of the EGI profile's rules begin."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The rules that are applied, and the levels that somebody gave them instead of their own."""

    keys: frozenset[Key]
    levels: Mapping[str, Level] = field(default_factory=dict)

    def has(self, rule: Rule) -> bool:
        """Whether this row of the table is applied."""
        return (rule.id, rule.subject) in self.keys


def select(
    rules: Collection[Rule],
    rule_set: RuleSet = RuleSet.DEFAULT,
    *,
    changes: Iterable[str] = (),
    only: Iterable[str] = (),
    without_known_issues: bool = False,
) -> Selection:
    """Choose from the table of rules.

    A change is `NAME` or `+NAME` (apply it too), `-NAME` (leave it out), or `NAME=LEVEL` (apply it, at this level). A
    name is an id (`egi.E002`), its last part (`E002`), its beginning (`egi`, `ldap`), or one of these with a subject
    (`W037:ServiceType_t`). `only` names the rules that are applied instead of a set. Raises ConfigError for a name
    that no rule has, and for an unknown level.
    """
    named = list(only)
    keys = {rule.key for name in named for rule in _named(rules, name)} or {
        rule.key for rule in rules if _in_set(rule, rule_set)
    }
    levels: dict[str, Level] = {}
    for change in changes:
        name, _, level = change.lstrip("+-").partition("=")
        meant = _named(rules, name)
        if change.startswith("-"):
            keys -= {rule.key for rule in meant}
            continue
        keys |= {rule.key for rule in meant}
        if level:
            levels |= {rule.id: _level(level, change) for rule in meant}
    if without_known_issues:
        keys -= {rule.key for rule in rules if rule.known_issue}
    return Selection(frozenset(keys), levels)


def _in_set(rule: Rule, rule_set: RuleSet) -> bool:
    of_profile = rule.id.startswith(PROFILE)
    match rule_set:
        case RuleSet.DEFAULT:
            return not rule.off
        case RuleSet.GLUE:
            return not rule.off and not of_profile
        case RuleSet.EGI:
            return of_profile
        case RuleSet.ALL:
            return True


def _named(rules: Collection[Rule], name: str) -> list[Rule]:
    id_, colon, subject = name.partition(":")
    meant = [
        rule
        for rule in rules
        if (rule.id == id_ or rule.id.startswith(f"{id_}.") or rule.id.endswith(f".{id_}"))
        and (not colon or rule.subject == subject)
    ]
    if not meant:
        raise _refused(f"no rule is called {name!r}", "see the names with --list-rules")
    return meant


def _level(text: str, change: str) -> Level:
    try:
        return Level(text)
    except ValueError:
        raise _refused(f"{change!r} names no level", f"write one of {', '.join(Level)}") from None


def _refused(what: str, remedy: str) -> ConfigError:
    return ConfigError([Mistake(file="command line", what=what, remedy=remedy)])
