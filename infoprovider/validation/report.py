"""What a check found: which rule, where, what, why it matters, what to do."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from infoprovider.errors import ValidationFailed

_KEPT_PER_RULE = 100
"""Findings of one rule that are kept whole: a mistake in a template repeats itself in every entry."""


class Level(StrEnum):
    """How grave a finding is: an error is not published."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One breach of one rule; `object` is a distinguished name or an ID, empty for the text as a whole.

    `line` is where its entry begins, counted from 1; 0 where that is not known.
    """

    level: Level = Level.ERROR
    rule: str
    object: str = ""
    attribute: str = ""
    what: str
    why: str
    remedy: str
    line: int = 0

    def __str__(self) -> str:
        place = f" {self.object}:" if self.object else ""
        attribute = f" {self.attribute}" if self.attribute else ""
        return f"{self.level} {self.rule}:{place}{attribute} {self.what} ({self.why}); {self.remedy}"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of a check, in the order of the text; `counts` is how often each rule was broken."""

    findings: tuple[Finding, ...]
    counts: dict[str, int]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Report":
        """Collect findings; of each rule the first hundred are kept, all are counted."""
        counts: Counter[str] = Counter()
        kept = []
        for finding in findings:
            counts[finding.rule] += 1
            if counts[finding.rule] <= _KEPT_PER_RULE:
                kept.append(finding)
        return cls(tuple(kept), dict(counts))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What forbids publishing."""
        return tuple(finding for finding in self.findings if finding.level is Level.ERROR)

    def count(self, level: Level) -> int:
        """How many findings there are of this level, those included that were not kept."""
        levels = {finding.rule: finding.level for finding in self.findings}
        return sum(number for rule, number in self.counts.items() if levels[rule] is level)

    def __str__(self) -> str:
        left_out = sum(self.counts.values()) - len(self.findings)
        more = [f"and {left_out} more of the same rules"] if left_out else []
        return "\n".join([*map(str, self.findings), *more])

    def demand_no_errors(self) -> None:
        """Raise ValidationFailed, with the report as its message, where something forbids publishing."""
        if self.errors:
            raise ValidationFailed(str(self))
