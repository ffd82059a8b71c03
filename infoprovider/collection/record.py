"""Which answers of a collection have come, and whether each is one that the contract allows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from infoprovider.inventory.model import FACET_TYPES, Facet, Quotas, Usage, is_of_project
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed, Parts

LONGEST_REASON = 1000
"""Characters of a reason that are kept."""


def shortened(reason: str) -> str:
    """A reason that fits into a log and a table."""
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]} … (shortened)"


class Record:
    """Which wanted facets have been answered, and whether each answer is one that the contract allows."""

    def __init__(self, wanted: frozenset[Facet], context: CollectContext) -> None:
        self._wanted = wanted
        self._context = context
        self._answered: set[tuple[Facet, str]] = set()
        self._ended: set[Facet] = set()

    def open(self) -> Iterator[tuple[Facet, str]]:
        """The wanted facets that are not answered to their end, each with what the provider left out."""
        begun = {facet for facet, _ in self._answered}
        for facet in sorted(self._wanted - self._ended):
            yield (
                facet,
                f"the provider {'did not say which parts exist' if facet in begun else 'said nothing about it'}",
            )

    def accepted(self, answer: object) -> Iterator[Answer]:
        """The answer itself, `Failed` in its place, or nothing: at most one."""
        if not isinstance(answer, Observed | Failed | NotOffered | Parts):
            self._drop(f"something that is no answer: {type(answer).__name__}")
        elif answer.facet not in self._wanted:
            self._drop(f"the facet {answer.facet}, which was not asked for")
        elif answer.facet in self._ended:
            self._drop(f"the facet {answer.facet} after its end")
        elif isinstance(answer, Parts):
            yield from self._end(answer)
        elif (answer.facet, answer.part) in self._answered:
            self._drop(f"the facet {answer.facet}, part {answer.part!r}, a second time")
        else:
            self._answered.add((answer.facet, answer.part))
            if answer.part == "":
                self._ended.add(answer.facet)
            yield self._checked(answer)

    def _end(self, parts: Parts) -> Iterator[Answer]:
        self._ended.add(parts.facet)
        for part in sorted(parts.parts):
            if (parts.facet, part) not in self._answered:
                reason = "the provider said nothing about this part"
                yield Failed(facet=parts.facet, part=part, reason=reason, retryable=False, plug_in=True)
        yield parts

    def _checked(self, answer: Observed | Failed | NotOffered) -> Answer:
        if not isinstance(answer, Observed):
            # A manager may answer with a whole page where it should say what is wrong.
            reason = shortened(answer.reason)
            return answer if reason == answer.reason else replace(answer, reason=reason)
        fault = self._fault(answer)
        if fault is None:
            return answer
        self._context.log.error("contract broken for %s %s: %s", answer.facet, answer.part, fault)
        return Failed(facet=answer.facet, part=answer.part, reason=fault, retryable=False, plug_in=True)

    def _fault(self, answer: Observed) -> str | None:
        """What is wrong with an observation, or None."""
        wanted = FACET_TYPES[answer.facet]
        if not isinstance(answer.value, wanted):
            return f"the provider gave {type(answer.value).__name__} where {wanted.__name__} belongs"
        if isinstance(answer.value, Quotas | Usage) and not is_of_project(answer.part, answer.value.project):
            return f"the provider gave the part {answer.part!r} the value of another project"
        if answer.observed_at.utcoffset() != timedelta(0):
            return f"the provider's clock is not in UTC: {answer.observed_at.isoformat()}"
        now = self._context.now()
        if answer.observed_at > now:
            return f"the provider's clock is ahead: observed at {answer.observed_at.isoformat()}, now {now.isoformat()}"
        return None

    def _drop(self, what: str) -> None:
        self._context.log.error("contract broken: the provider answered %s; dropped", what)
