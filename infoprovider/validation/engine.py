"""Entries of anybody held against the chosen rules, one after the other; what they say of each other comes last.

The entries come as they were read, with attribute names in any spelling that LDAP takes. Only IDs and names are kept,
so that a text of any length can be looked at.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from infoprovider import ldif
from infoprovider.glue.names import ENTITY_CLASSES, attribute_of_ldap, identifier_of, object_class
from infoprovider.validation import freshness, ldap_schema, placeholders, references, structure
from infoprovider.validation.freshness import Freshness
from infoprovider.validation.profile import table as profile
from infoprovider.validation.profile.together import Together
from infoprovider.validation.references import References
from infoprovider.validation.report import Finding, Report
from infoprovider.validation.rule import Rule, Selection
from infoprovider.validation.tree import Tree

UNREADABLE = Rule(
    id="read.unreadable",
    broken="what stands in a text is no entry, or a server's answer cannot be read",
    why="nobody can say what it was meant to be, and a BDII drops it, or what stands before it too",
    remedy="correct or remove it",
)
EMPTY = Rule(
    id="read.nothing",
    broken="there is no entry of GLUE 2.0",
    why="whoever asks finds nothing",
    remedy="see whether the source, the base of the search and the publisher are the right ones",
)
RULES: tuple[Rule, ...] = (
    UNREADABLE,
    EMPTY,
    *ldap_schema.RULES.values(),
    *structure.RULES,
    *references.RULES,
    *freshness.RULES,
    *placeholders.RULES,
    *profile.RULES,
)
"""The table of rules on entries."""

Step: TypeAlias = Callable[[ldif.Record], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and in how many entries."""

    report: Report
    entries: int


def validate(read: Iterable[ldif.Located | ldif.Unreadable], selection: Selection, now: datetime) -> Verdict:
    """Hold everything that is read against the chosen rules, as of a moment (aware, UTC)."""
    run = _Run(selection, now)
    return Verdict(Report.of(run.findings(read)), run.entries)


class _Run:
    """One validation: the steps that every entry goes through, and those that come last."""

    def __init__(self, selection: Selection, now: datetime) -> None:
        self._selection = selection
        self._ids = frozenset(id_ for id_, _ in selection.keys)
        tree, links, fresh = Tree(), References(), Freshness(now)
        of_profile = profile.checks(selection, now)
        groups: tuple[tuple[Iterable[Rule], Step], ...] = (
            ((ldap_schema.RULES["ldap.parent"], ldap_schema.RULES["ldap.duplicate-dn"]), tree.of_entry),
            (ldap_schema.RULES.values(), ldap_schema.of_entry),
            (structure.RULES, structure.of_entry),
            (references.RULES, links.of_entry),
            (freshness.RULES, fresh.of_entry),
            (placeholders.RULES, placeholders.of_entry),
        )
        self._steps = [step for rules, step in groups if any(selection.has(rule) for rule in rules)]
        self._steps += [check.of_entry for check in of_profile]
        self._last = [tree.at_the_end, links.at_the_end]
        self._last += [check.at_the_end for check in of_profile if isinstance(check, Together)]
        self.entries = 0

    def findings(self, read: Iterable[ldif.Located | ldif.Unreadable]) -> Iterator[Finding]:
        """Everything, in the order of the text; then what shows only at the end."""
        for one in read:
            if isinstance(one, ldif.Unreadable):
                yield from self._chosen(replace(UNREADABLE.found("", one.what), line=one.line))
                continue
            record = canonical(one.record)
            if is_root(record):
                continue
            self.entries += 1
            for step in self._steps:
                for finding in step(record):
                    place = finding.object or name_of(record)
                    yield from self._chosen(replace(finding, object=place, line=one.line))
        for last in self._last:
            for finding in last():
                yield from self._chosen(finding)
        if not self.entries:
            yield from self._chosen(EMPTY.found("", "nothing was read"))

    def _chosen(self, finding: Finding) -> Iterator[Finding]:
        if finding.rule in self._ids:
            level = self._selection.levels.get(finding.rule)
            yield finding if level is None else replace(finding, level=level)


def is_root(record: ldif.Record) -> bool:
    """Whether it is the entry at the top of the tree, which is no entry of GLUE 2.0."""
    return "," not in record.dn and "organization" in record.attributes.get("objectClass", ())


def name_of(record: ldif.Record) -> str:
    """What an entry is called: its distinguished name, or its ID where it comes from no tree."""
    if record.dn:
        return record.dn
    return next((values[0] for name, values in record.attributes.items() if name in _IDENTIFIERS and values), "")


# --- spelling -------------------------------------------------------------------------------------------------------

_IDENTIFIERS = frozenset(identifier_of(cls).ldap for cls in ENTITY_CLASSES.values())
_CLASSES = {object_class(cls).lower(): object_class(cls) for cls in ENTITY_CLASSES.values()}
_KNOWN = {"objectClass"}


def canonical(record: ldif.Record) -> ldif.Record:
    """The same entry with attributes and object classes spelt as the schema does, and aliases under their first name.

    LDAP does not mind letter case in names; options such as `;lang-en` are kept.
    """
    attributes = record.attributes
    if attributes.keys() <= _KNOWN and _are_spelt(attributes.get("objectClass", ())):
        return record
    found: dict[str, list[str]] = {}
    for name, values in attributes.items():
        spelt = _spelt(name)
        if spelt in found:
            found[spelt] += values
        else:
            found[spelt] = list(values)
    classes = found.get("objectClass")
    if classes:
        found["objectClass"] = [_CLASSES.get(name.lower(), name) for name in classes]
    return ldif.Record(record.dn, found)


def _are_spelt(classes: Iterable[str]) -> bool:
    return all(_CLASSES.get(name.lower(), name) == name for name in classes)


def _spelt(name: str) -> str:
    if name in _KNOWN:
        return name
    if name.lower() == "objectclass":
        return "objectClass"
    attribute = attribute_of_ldap(name)
    spelt = name if attribute is None or attribute.ldap is None else attribute.ldap
    if spelt == name and attribute is not None:
        _KNOWN.add(name)
    return spelt
