"""One provider in this process: whatever it does, every wanted facet is answered and no answer breaks the contract."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from infoprovider.collection.child import collect
from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, Finding, Unauthorised, Unreachable
from infoprovider.inventory.model import Capacity, Facet, Images, Manager, Prices, Quotas
from infoprovider.providers.contract import (
    Answer,
    CollectContext,
    Failed,
    NotOffered,
    Observed,
    Parts,
    ProviderSpec,
)
from infoprovider.settings import Settings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FACETS = frozenset({Facet.CAPACITY, Facet.IMAGES, Facet.PRICES, Facet.QUOTAS})

Provider = Callable[[Settings, CollectContext], Iterator[Answer]]


def answers(provider: Provider, *wanted: Facet) -> list[Answer]:
    """What comes out of a provider of these facets that is run for the wanted ones."""
    spec = ProviderSpec(kind="fake", settings=Settings, facets=FACETS, collect=provider)
    log = logging.LoggerAdapter(logging.getLogger("child"), {})
    context = CollectContext(
        instance="north", wanted=frozenset(wanted), deadline=Deadline.after(5), now=lambda: NOW, log=log
    )
    return list(collect(spec, Settings(), context))


def says(*given: object) -> Provider:
    """A provider that gives these answers."""

    def provider(_settings: Settings, _context: CollectContext) -> Iterator[Answer]:
        yield from given  # type: ignore[misc]  # some of them are no answers, which is the point

    return provider


def breaks(error: BaseException, *given: Answer) -> Provider:
    """A provider that gives these answers and then raises."""

    def provider(_settings: Settings, _context: CollectContext) -> Iterator[Answer]:
        yield from given
        raise error

    return provider


CAPACITY = Observed(facet=Facet.CAPACITY, value=Capacity(vcpus=4), observed_at=NOW)
IMAGES = Observed(facet=Facet.IMAGES, value=Images(images=()), observed_at=NOW)
QUOTAS_A = Observed(facet=Facet.QUOTAS, part="a", value=Quotas(project="a"), observed_at=NOW)
QUOTAS_B = NotOffered(facet=Facet.QUOTAS, part="b", reason="no right")


def test_answers_pass_unchanged_and_in_order() -> None:
    """A provider that keeps its contract is not seen to be watched."""
    parts = Parts(facet=Facet.QUOTAS, parts=frozenset({"a", "b"}))
    given = [IMAGES, CAPACITY, QUOTAS_B, QUOTAS_A, parts]
    assert answers(says(*given), Facet.CAPACITY, Facet.IMAGES, Facet.QUOTAS) == given


def test_answers_come_as_the_provider_gives_them() -> None:
    """Nothing is held back until the end: what came before a deadline is kept."""
    seen = []

    def provider(_settings: Settings, _context: CollectContext) -> Iterator[Answer]:
        seen.append("began")
        yield CAPACITY
        seen.append("went on")
        yield IMAGES

    spec = ProviderSpec(kind="fake", settings=Settings, facets=FACETS, collect=provider)
    log = logging.LoggerAdapter(logging.getLogger("child"), {})
    wanted = frozenset({Facet.CAPACITY, Facet.IMAGES})
    context = CollectContext(instance="north", wanted=wanted, deadline=Deadline.after(5), now=lambda: NOW, log=log)
    running = collect(spec, Settings(), context)
    assert next(running) == CAPACITY
    assert seen == ["began"]


@pytest.mark.parametrize(
    ("error", "reason", "retryable", "plug_in"),
    [
        (Unreachable("nobody answers at cloud.example.org"), "nobody answers at cloud.example.org", True, False),
        (Unauthorised("the account was refused"), "the account was refused", False, False),
        (
            ConfigError(
                [Finding(file="a.yaml", line=3, column=7, path="x", what="found nothing", remedy="write text")]
            ),
            "a.yaml:3:7: x: found nothing; write text",
            False,
            True,
        ),
    ],
    ids=["unreachable", "unauthorised", "wrong file"],
)
def test_an_error_fails_what_has_no_answer_yet(error: Exception, reason: str, retryable: bool, plug_in: bool) -> None:
    """What was answered before stays; the rest fails with the whole message, which says whose fault it is."""
    assert answers(breaks(error, CAPACITY), Facet.CAPACITY, Facet.IMAGES, Facet.PRICES) == [
        CAPACITY,
        Failed(facet=Facet.IMAGES, reason=reason, retryable=retryable, plug_in=plug_in),
        Failed(facet=Facet.PRICES, reason=reason, retryable=retryable, plug_in=plug_in),
    ]


@pytest.mark.parametrize("error", [KeyError("id"), SystemExit(3)], ids=["error", "exit"])
def test_a_crash_is_told_in_one_line_and_logged_whole(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """The operator reads what it was; the traceback is in the log for who can mend the provider."""
    (failed,) = answers(breaks(error), Facet.IMAGES)
    assert failed == Failed(
        facet=Facet.IMAGES,
        reason=f"{type(error).__name__}: {error}; this is a fault of the provider fake, its log has the details",
        retryable=False,
        plug_in=True,
    )
    assert "Traceback" in caplog.text


def test_a_user_who_interrupts_is_obeyed() -> None:
    """Ctrl-C is no fault of the provider."""
    with pytest.raises(KeyboardInterrupt):
        answers(breaks(KeyboardInterrupt()), Facet.IMAGES)


def test_silence_is_a_failure() -> None:
    """A wanted facet that the provider forgot is not mistaken for one that it cannot tell."""
    assert answers(says(CAPACITY), Facet.CAPACITY, Facet.IMAGES) == [
        CAPACITY,
        Failed(facet=Facet.IMAGES, reason="the provider said nothing about it", retryable=False, plug_in=True),
    ]


def test_parts_without_an_end_are_a_failure() -> None:
    """Without its end nobody knows which projects went away."""
    assert answers(says(QUOTAS_A), Facet.QUOTAS) == [
        QUOTAS_A,
        Failed(facet=Facet.QUOTAS, reason="the provider did not say which parts exist", retryable=False, plug_in=True),
    ]


def test_a_crash_among_parts_keeps_those_that_came() -> None:
    """The facet as a whole fails, the parts that were answered are fresh."""
    assert answers(breaks(Unreachable("gone"), QUOTAS_A), Facet.QUOTAS) == [
        QUOTAS_A,
        Failed(facet=Facet.QUOTAS, reason="gone", retryable=True),
    ]


def test_a_part_that_was_announced_and_not_answered_fails() -> None:
    """The end names every part that exists now, so silence about one is noticed."""
    parts = Parts(facet=Facet.QUOTAS, parts=frozenset({"a", "b"}))
    assert answers(says(QUOTAS_A, parts), Facet.QUOTAS) == [
        QUOTAS_A,
        Failed(
            facet=Facet.QUOTAS,
            part="b",
            reason="the provider said nothing about this part",
            retryable=False,
            plug_in=True,
        ),
        parts,
    ]


def test_a_facet_that_the_kind_cannot_tell_is_not_offered() -> None:
    """The provider is not even asked, nothing has failed, and it is said before anything can go wrong."""

    def provider(_settings: Settings, context: CollectContext) -> Iterator[Answer]:
        assert context.wanted == {Facet.CAPACITY}
        yield CAPACITY

    assert answers(provider, Facet.CAPACITY, Facet.TRUST) == [
        NotOffered(facet=Facet.TRUST, reason="a manager of kind fake cannot tell it"),
        CAPACITY,
    ]


@pytest.mark.parametrize(
    ("given", "noted"),
    [
        (IMAGES, "the facet images, which was not asked for"),
        (CAPACITY, "the facet capacity after its end"),
        ("capacity: 4", "something that is no answer: str"),
    ],
    ids=["not wanted", "twice", "no answer"],
)
def test_answers_outside_the_contract_are_dropped_and_logged(
    given: object, noted: str, caplog: pytest.LogCaptureFixture
) -> None:
    """They are nobody's failure, but whoever wrote the provider should know."""
    assert answers(says(CAPACITY, given), Facet.CAPACITY) == [CAPACITY]
    assert noted in caplog.text


def test_a_part_is_answered_once(caplog: pytest.LogCaptureFixture) -> None:
    """The first answer stands."""
    parts = Parts(facet=Facet.QUOTAS, parts=frozenset({"a"}))
    second = Observed(facet=Facet.QUOTAS, part="a", value=Quotas(project="a", vcpus=3), observed_at=NOW)
    assert answers(says(QUOTAS_A, second, parts), Facet.QUOTAS) == [QUOTAS_A, parts]
    assert "the facet quotas, part 'a', a second time" in caplog.text


@pytest.mark.parametrize(
    ("observed", "reason"),
    [
        (
            Observed(facet=Facet.CAPACITY, value=Prices(prices=()), observed_at=NOW),
            "the provider gave Prices where Capacity belongs",
        ),
        (
            Observed(facet=Facet.CAPACITY, value=Capacity(), observed_at=NOW + timedelta(seconds=2)),
            "the provider's clock is ahead: observed at 2026-11-21T12:00:02+00:00, now 2026-11-21T12:00:00+00:00",
        ),
        (
            Observed(facet=Facet.CAPACITY, value=Capacity(), observed_at=datetime(2026, 11, 21, 11, 0)),
            "the provider's clock is not in UTC: 2026-11-21T11:00:00",
        ),
        (
            Observed(
                facet=Facet.CAPACITY,
                value=Capacity(),
                observed_at=datetime(2026, 11, 21, 11, 0, tzinfo=timezone(timedelta(hours=2))),
            ),
            "the provider's clock is not in UTC: 2026-11-21T11:00:00+02:00",
        ),
        (
            Observed(facet=Facet.CAPACITY, value=Manager, observed_at=NOW),  # type: ignore[arg-type]
            "the provider gave type where Capacity belongs",
        ),
    ],
    ids=["another facet's value", "clock ahead", "no zone", "another zone", "a class"],
)
def test_an_observation_that_cannot_be_used_has_failed(observed: Observed, reason: str) -> None:
    """The facet is answered, as a failure that says what is wrong with the provider."""
    assert answers(says(observed), Facet.CAPACITY) == [
        Failed(facet=Facet.CAPACITY, reason=reason, retryable=False, plug_in=True)
    ]


def test_a_part_with_another_projects_value_has_failed() -> None:
    """One project's quota must never be published as another's."""
    mixed = Observed(facet=Facet.QUOTAS, part="b", value=Quotas(project="a"), observed_at=NOW)
    parts = Parts(facet=Facet.QUOTAS, parts=frozenset({"b"}))
    reason = "the provider gave the part 'b' the value of another project"
    assert answers(says(mixed, parts), Facet.QUOTAS) == [
        Failed(facet=Facet.QUOTAS, part="b", reason=reason, retryable=False, plug_in=True),
        parts,
    ]


def test_a_part_may_be_a_project_on_one_of_several_hosts() -> None:
    """Its name begins with the project's, and says so."""
    on = [
        Observed(facet=Facet.QUOTAS, part=part, value=Quotas(project="a", instances=1), observed_at=NOW)
        for part in ("a on node1", "ab on node1")
    ]
    parts = Parts(facet=Facet.QUOTAS, parts=frozenset({"a on node1", "ab on node1"}))
    first, second, end = answers(says(*on, parts), Facet.QUOTAS)
    assert (first, end) == (on[0], parts)
    assert isinstance(second, Failed)
    assert second.reason == "the provider gave the part 'ab on node1' the value of another project"


@pytest.mark.parametrize(
    "provider",
    [
        says(Failed(facet=Facet.CAPACITY, reason="<html>" * 1000, retryable=True)),
        breaks(Unreachable("<html>" * 1000)),
    ],
)
def test_a_reason_is_no_page(provider: Provider) -> None:
    """A manager that answers with a page where it should say what is wrong fills no log and no table."""
    (failed,) = answers(provider, Facet.CAPACITY)
    assert isinstance(failed, Failed)
    assert failed.retryable
    assert failed.reason.startswith("<html>")
    assert failed.reason.endswith(" … (shortened)")
    assert len(failed.reason) < 1100
