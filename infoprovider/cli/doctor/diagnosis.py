"""From what was seen to what is the matter: findings that another one explains are its consequences."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from infoprovider.cli.doctor.kinds import KINDS, RANK, consequences
from infoprovider.errors import ExitCode


class Severity(StrEnum):
    """How grave it is: an error keeps something from being published rightly, a warning will or may do so."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: the cause, what was seen of it, and what to type or do.

    `about` are the instances and channels that it concerns, as `instance north`; empty where it concerns the whole.
    `explained` is what follows from it and was seen too.
    """

    kind: str
    severity: Severity = Severity.ERROR
    about: frozenset[str] = frozenset()
    cause: str
    seen: str
    remedy: str
    explained: tuple[str, ...] = field(default=())

    @property
    def layer(self) -> str:
        """Where it was found."""
        return KINDS[self.kind].layer

    def explains(self, other: "Finding") -> bool:
        """Whether the other one follows from it."""
        concerns = not self.about or not other.about or other.about <= self.about
        return concerns and other.kind in consequences(self.kind)


def concluded(seen: Iterable[Finding]) -> list[Finding]:
    """The causes, in the order in which they should be mended; each knows what it explains."""
    findings = sorted(_merged(seen), key=_order)
    causes = [one for one in findings if not any(other.explains(one) for other in findings if other is not one)]
    return [
        replace(cause, explained=tuple(one.cause for one in findings if one is not cause and cause.explains(one)))
        for cause in causes
    ]


def exit_code(causes: list[Finding]) -> ExitCode:
    """That of the first error; 10 where there are only warnings."""
    first = next((one for one in causes if one.severity is Severity.ERROR), None)
    if first is not None:
        return KINDS[first.kind].code
    return ExitCode.PARTLY if causes else ExitCode.SUCCESS


def _order(finding: Finding) -> tuple[bool, int, str]:
    return finding.severity is not Severity.ERROR, RANK[finding.kind], finding.cause


def _merged(seen: Iterable[Finding]) -> Iterable[Finding]:
    """What was seen of several instances in the same words is one finding about all of them."""
    merged: dict[tuple[str, str], Finding] = {}
    for one in seen:
        former = merged.get((one.kind, one.cause))
        about = one.about | former.about if former and former.about and one.about else frozenset()
        merged[one.kind, one.cause] = replace(former, about=about) if former else one
    return merged.values()
