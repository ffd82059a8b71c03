"""Whether each manager answers as it should: it is really asked, in a guarded process, and nothing of it is kept."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from infoprovider.cli import site
from infoprovider.cli.doctor.diagnosis import Finding, Severity
from infoprovider.cli.doctor.patient import Findings, Patient, instance, told
from infoprovider.config.model import Instance
from infoprovider.deadline import Deadline
from infoprovider.inventory.model import Facet, Quotas, Usage
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed, ProviderSpec
from infoprovider.views.status import State

log = logging.getLogger(__name__)


def rights(patient: Patient, unreachable: frozenset[str]) -> Findings:
    """What the managers answer to each account; those that cannot be reached are not asked."""
    asked = [one for one in patient.configuration.instances if not instance(one.name) <= unreachable]
    with ThreadPoolExecutor(patient.configuration.collection.at_once) as pool:
        for one, answers in zip(asked, pool.map(_answers, asked), strict=True):
            yield from _judged(patient, one, answers)


def _answers(one: Instance) -> Sequence[Answer]:
    spec = site.provider(one.block.kind)
    context = CollectContext(
        instance=one.name,
        wanted=_wanted(spec, one),
        deadline=Deadline.after(one.block.deadline),
        now=site.now,
        log=logging.LoggerAdapter(log, {"instance": one.name}),
    )
    return list(site.run(spec, one.settings, context))


def _wanted(spec: ProviderSpec, one: Instance) -> frozenset[Facet]:  # type: ignore[type-arg]  # of any settings
    return spec.facets - frozenset(one.declared)


def _judged(patient: Patient, one: Instance, answers: Sequence[Answer]) -> Iterator[Finding]:
    failed = [answer for answer in answers if isinstance(answer, Failed)]
    if failed:
        yield _asking(one.name, failed, is_all=not any(isinstance(answer, Observed) for answer in answers))
        return
    refused = [answer for answer in answers if isinstance(answer, NotOffered)]
    yield from _lost(patient, one.name, refused)
    yield from _unseen_projects(patient, one.name, answers)
    for reason, facets in _by_reason(refused).items():
        patient.notes.append(f"{one.name} does not offer {', '.join(facets)}: {reason}")


def _asking(name: str, failed: Sequence[Failed], *, is_all: bool) -> Finding:
    """One finding about all that failed: the reason that most of it gives, unless one service's fault gives several."""
    reasons = Counter(one.reason for one in failed)
    reason, _ = reasons.most_common(1)[0]
    cause, remedy = told(reason, f"infoprovider --verbose collect CONFIG {name}")
    others = f", and for {len(reasons) - 1} other reasons" if len(reasons) > 1 else ""
    lost = "everything" if is_all else ", ".join(dict.fromkeys(str(one.facet) for one in failed))
    return Finding(
        kind="asking", about=instance(name), cause=f"{name}: {cause}", seen=f"lost: {lost}{others}", remedy=remedy
    )


def _lost(patient: Patient, name: str, refused: Iterable[NotOffered]) -> Iterator[Finding]:
    """Parts of facets that were told before and are refused now: a right has gone."""
    known = {
        (one.facet, one.part)
        for one in patient.overview.parts
        if one.instance == name and one.observed_at is not None and one.state is not State.DECLARED
    }
    lost = [one for one in refused if (one.facet, one.part) in known]
    if not lost:
        return
    cause, remedy = told(lost[0].reason, "give the account back what it had")
    facets = ", ".join(sorted({str(one.facet) for one in lost}))
    yield Finding(
        kind="right-lost",
        severity=Severity.WARNING,
        about=instance(name),
        cause=f"{name} no longer tells {facets}: {cause}",
        seen="it did before",
        remedy=remedy,
    )


def _unseen_projects(patient: Patient, name: str, answers: Sequence[Answer]) -> Iterator[Finding]:
    """Projects that communities work in, and that this account is told nothing of."""
    told = (one.value for one in answers if isinstance(one, Observed))
    seen = {value.project for value in told if isinstance(value, Quotas | Usage)}
    if not seen:
        return
    for community in patient.configuration.communities:
        for mapping in community.projects:
            if mapping.instance == name and mapping.project not in seen:
                yield Finding(
                    kind="project-unseen",
                    about=instance(name),
                    cause=f"the project {mapping.project} of {community.name} is not among those that {name} tells of",
                    seen=f"{len(seen)} projects: {', '.join(sorted(seen)[:5])}",
                    remedy=f"correct the project's id in communities, or give the account of {name} a role in it",
                )


def _by_reason(refused: Iterable[NotOffered]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for one in refused:
        facets = reasons.setdefault(one.reason, [])
        if str(one.facet) not in facets:
            facets.append(str(one.facet))
    return reasons
