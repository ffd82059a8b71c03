"""The contract checks for providers: an honest one passes, and every planted breach is seen."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from infoprovider import plugins
from infoprovider.errors import Finding, Unreachable
from infoprovider.inventory.model import (
    Capacity,
    Facet,
    HostCapacity,
    Image,
    Images,
    InstanceType,
    InstanceTypes,
    Quotas,
)
from infoprovider.providers.contract import (
    Answer,
    CollectContext,
    Failed,
    NotOffered,
    Observed,
    Parts,
    ProviderSpec,
)
from infoprovider.secret import Secret
from infoprovider.settings import Settings
from infoprovider.testing import check_provider

FACETS = frozenset({Facet.CAPACITY, Facet.IMAGES, Facet.PRICES, Facet.QUOTAS})
IMAGE = Image(id="1", name="Debian")

Collect = Callable[[Any, CollectContext], Iterator[Answer]]


class CloudSettings(Settings):
    """Where a cloud is."""

    url: str = "https://cloud.example.org/"


def honest(_settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
    """A provider that keeps its contract."""
    now = context.now()
    if Facet.CAPACITY in context.wanted:
        yield Observed(facet=Facet.CAPACITY, value=Capacity(vcpus=4), observed_at=now)
    if Facet.IMAGES in context.wanted:
        yield Observed(facet=Facet.IMAGES, value=Images(images=(IMAGE,)), observed_at=now)
    if Facet.PRICES in context.wanted:
        yield NotOffered(facet=Facet.PRICES, reason="free of charge")
    if Facet.QUOTAS in context.wanted:
        yield Observed(facet=Facet.QUOTAS, part="a", value=Quotas(project="a", vcpus=0), observed_at=now)
        yield Failed(facet=Facet.QUOTAS, part="b", reason="HTTP 500", retryable=True)
        yield Parts(facet=Facet.QUOTAS, parts=frozenset({"a", "b"}))


def spec_of(collect: Collect, **others: Any) -> ProviderSpec[Any]:
    """A provider that answers so."""
    return ProviderSpec(**{"kind": "planted", "settings": CloudSettings, "facets": FACETS, "collect": collect} | others)


class Checker:
    """Checks planted providers as an author would."""

    def __init__(self, register: Callable[[str, Any], None]) -> None:
        self._register = register

    def __call__(self, spec: ProviderSpec[Any], settings: BaseModel | None = None, **options: Any) -> list[str]:
        """The breaches of a provider that is installed."""
        self._register(plugins.PROVIDERS, spec)
        return check_provider(spec, settings or CloudSettings(), **options)

    def capacity(self, value: Capacity, **others: Any) -> list[str]:
        """The breaches of a provider that gives this capacity, each without where it was."""
        return self.observed(Facet.CAPACITY, value, **others)

    def observed(self, facet: Facet, value: Any, **others: Any) -> list[str]:
        """The breaches of a provider that observes this, each once."""

        def collect(_settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
            yield Observed(**{"facet": facet, "value": value, "observed_at": context.now()} | others)

        return [
            breach
            for breach in self(spec_of(collect, facets=frozenset({facet})))
            if not breach.startswith("asked for ")
        ]


@pytest.fixture
def check(register: Callable[[str, Any], None]) -> Checker:
    """The check, for planted providers."""
    return Checker(register)


def test_an_honest_provider_has_no_breach(check: Checker) -> None:
    """Failures, facets that cannot be known and quotas of nothing are no breach."""
    assert check(spec_of(honest)) == []


# --- the spec ------------------------------------------------------------------------------------------------------


def test_a_provider_that_is_not_registered_is_seen() -> None:
    """It would be found by nobody."""
    (breach,) = check_provider(spec_of(honest, kind="nowhere"), CloudSettings())
    assert breach.startswith("as it is registered it cannot be used: there is no provider of kind nowhere")


def test_a_registration_of_something_else_is_seen(check: Checker) -> None:
    """The entry point leads to a spec that is equal in nothing but its kind."""
    check(spec_of(honest))
    breaches = check_provider(spec_of(honest, measures=False), CloudSettings())
    assert breaches == ["the entry point planted of infoprovider.providers leads to another spec"]


def test_a_package_that_is_not_there_is_seen(check: Checker) -> None:
    """`needs` are importable names."""
    (breach,) = check(spec_of(honest, needs=("no_such_package",)))
    assert "no_such_package, which is not installed" in breach


def test_a_kind_of_another_shape_is_seen(check: Checker) -> None:
    """Kinds are lower snake case."""
    assert check(spec_of(honest, kind="Planted-Cloud")) == ["the kind 'Planted-Cloud' is not lower snake case"]


class LooseInner(BaseModel):
    """Settings that may be changed and take anything."""

    port: int = 1


class LooseSettings(Settings):
    """Strict outside, loose inside."""

    inner: tuple[LooseInner, ...] = ()


def test_settings_that_are_not_strict_are_seen(check: Checker) -> None:
    """However deep in the settings they are."""
    (breach,) = check(spec_of(honest, settings=LooseSettings), LooseSettings())
    assert breach == (
        "the settings class LooseInner is not frozen=True, extra='forbid', strict=True; "
        "derive it from infoprovider.settings.Settings"
    )


def test_settings_of_another_class_are_seen(check: Checker) -> None:
    """The spec says which class is read from the configuration."""
    assert check(spec_of(honest), LooseSettings()) == ["the settings are LooseSettings, the spec says CloudSettings"]


class Fickle(Settings):
    """Settings that are changed by being read again."""

    words: str

    def model_post_init(self, _context: object) -> None:
        """Add a word."""
        object.__setattr__(self, "words", f"{self.words} again")


def test_settings_that_do_not_survive_json_are_seen(check: Checker) -> None:
    """A collection gets them as JSON."""
    breaches = check(spec_of(honest, settings=Fickle), Fickle(words="once"))
    assert breaches == ["the settings do not survive JSON: they come out changed"]


def test_a_check_that_refuses_what_works_is_seen(check: Checker) -> None:
    """`infoprovider check` would stop an operator who did nothing wrong."""
    finding = Finding(file="a.yaml", what="is blue", remedy="paint it")
    breaches = check(spec_of(honest, check=lambda _settings: [finding]))
    assert breaches == ["its check finds fault with settings that should work: a.yaml: is blue; paint it"]


# --- the answers ---------------------------------------------------------------------------------------------------


def without(*facets: Facet) -> Collect:
    """An honest provider that forgets some facets."""
    return lambda settings, context: (one for one in honest(settings, context) if one.facet not in facets)


def test_silence_about_a_wanted_facet_is_seen(check: Checker) -> None:
    """It would count as a failure of the manager."""
    assert "images: the provider said nothing about it" in check(spec_of(without(Facet.IMAGES)))


def test_parts_without_an_end_are_seen(check: Checker) -> None:
    """Nobody would know which projects went."""

    def endless(settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
        return (one for one in honest(settings, context) if not isinstance(one, Parts))

    assert "quotas: the provider did not say which parts exist" in check(spec_of(endless))


def test_a_part_that_is_announced_and_not_told_is_seen(check: Checker) -> None:
    """By its name."""

    def forgetful(settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
        return (one for one in honest(settings, context) if not isinstance(one, Failed))

    assert "quotas of b: the provider said nothing about this part" in check(spec_of(forgetful))


def test_answers_that_nobody_wanted_are_seen(check: Checker) -> None:
    """A provider that always tells everything is asked for half of it."""

    def talkative(settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
        return honest(settings, replace(context, wanted=FACETS))

    breaches = check(spec_of(talkative))
    assert (
        "asked for capacity, prices alone: the provider answered the facet images, which was not asked for; dropped"
        in (breaches)
    )
    assert all(breach.startswith("asked for ") for breach in breaches)


def test_an_answer_given_twice_is_seen(check: Checker) -> None:
    """Only the first counts."""

    def twice(settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
        for answer in honest(settings, context):
            yield answer
            if answer.facet is Facet.CAPACITY:
                yield answer

    assert "the provider answered the facet capacity after its end; dropped" in check(spec_of(twice))


@pytest.mark.parametrize(
    ("observed_at", "said"),
    [
        (datetime(2026, 1, 1), "capacity: the provider's clock is not in UTC: 2026-01-01T00:00:00"),
        (datetime(2100, 1, 1, tzinfo=UTC), "capacity: the provider's clock is ahead: observed at 2100-01-01"),
    ],
    ids=["naive", "future"],
)
def test_a_wrong_moment_is_seen(check: Checker, observed_at: datetime, said: str) -> None:
    """Stamps are aware, in UTC, and never ahead."""
    (breach,) = {
        one for one in check.capacity(Capacity(vcpus=4), observed_at=observed_at) if not one.startswith("nothing was")
    }
    assert breach.startswith(said)


def test_a_clock_of_its_own_is_seen(check: Checker) -> None:
    """The context's clock stands a day back, so another one is in its future."""
    now = datetime.now(UTC)
    assert any(
        "take the time from context.now alone" in one for one in check.capacity(Capacity(vcpus=4), observed_at=now)
    )
    spec = spec_of(honest)
    assert check(spec, now=lambda: now + timedelta(seconds=60)) == []


def test_a_value_of_another_facet_is_seen(check: Checker) -> None:
    """As a collection would refuse it."""
    assert "capacity: the provider gave Images where Capacity belongs" in check.capacity(Images(images=()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Capacity(vcpus="4"), "its value is not what the inventory says: vcpus: Input should be a valid integer"),  # type: ignore[arg-type]
        (Capacity(vcpus=-1), "its value is not what the inventory says: vcpus: "),
        (Capacity(vcpus=4, hosts=[]), "its value comes back from JSON changed"),  # type: ignore[arg-type]
        (Capacity(vcpus=object()), "its value cannot be written: "),  # type: ignore[arg-type]
    ],
    ids=["text", "negative", "list", "object"],
)
def test_a_value_of_wrong_types_is_seen(check: Checker, value: Capacity, said: str) -> None:
    """The inventory's classes take anything where they are made; the check reads them as they would be read."""
    (breach,) = check.capacity(value)
    assert breach.startswith(f"capacity: {said}")


HOST = HostCapacity(usable=True, vcpus=8, vcpus_used=0, memory_mib=0, memory_used_mib=0)


@pytest.mark.parametrize(
    ("facet", "value", "place"),
    [
        (Facet.CAPACITY, Capacity(logical_cpus=0), "logical_cpus is 0"),
        (Facet.CAPACITY, Capacity(hosts=(HOST,)), "hosts[0].memory_mib is 0"),
        (Facet.CAPACITY, Capacity(disk_gib=999999999), "disk_gib is 999999999"),
        (
            Facet.INSTANCE_TYPES,
            InstanceTypes(instance_types=(InstanceType(id="a", vcpus=1, memory_mib=0),)),
            "instance_types[0].memory_mib is 0",
        ),
        (Facet.IMAGES, Images(images=(Image(id="1", name="Unknown"),)), "images[0].name is 'Unknown'"),
        (Facet.IMAGES, Images(images=(Image(id="1", name="a", version=""),)), "images[0].version is ''"),
    ],
)
def test_a_guess_is_seen(check: Checker, facet: Facet, value: Any, place: str) -> None:
    """What is never true stands for what is not known, and would be published."""
    (breach,) = check.observed(facet, value)
    assert breach == f"{facet}: {place}, which looks like a guess: write None for what is not known"


@pytest.mark.parametrize(
    ("facet", "value"),
    [
        (Facet.CAPACITY, Capacity()),
        (Facet.IMAGES, Images(images=())),
        (Facet.QUOTAS, Quotas(project="a", project_name="A")),
    ],
)
def test_an_empty_truth_is_seen(check: Checker, facet: Facet, value: Any) -> None:
    """Success with nothing in it is what a missing right looks like."""

    def collect(_settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
        part = "a" if facet is Facet.QUOTAS else ""
        yield Observed(facet=facet, part=part, value=value, observed_at=context.now())
        yield from [Parts(facet=facet, parts=frozenset({part}))] if part else []

    spec = spec_of(collect, facets=frozenset({facet}))
    assert any("it says nothing: answer NotOffered" in breach for breach in check(spec))
    assert check(spec, may_be_empty={facet}) == []


def test_a_failure_without_a_reason_is_seen(check: Checker) -> None:
    """The operator would have nothing to go by."""

    def mute(settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
        for one in honest(settings, context):
            yield replace(one, reason=" ") if isinstance(one, Failed | NotOffered) else one

    breaches = check(spec_of(mute))
    assert {"prices: NotOffered without a reason", "quotas of b: Failed without a reason"} <= set(breaches)


def test_a_manager_that_does_not_answer_checks_nothing(check: Checker) -> None:
    """An author whose settings are wrong must not believe that all is well."""

    def unreachable(_settings: BaseModel, _context: CollectContext) -> Iterator[Answer]:
        raise Unreachable("nobody answers at cloud.example.org")
        yield

    assert check(spec_of(unreachable)) == [
        "nothing was observed, so little could be checked: nobody answers at cloud.example.org"
    ]


def test_a_manager_that_fails_on_the_way_is_no_breach(check: Checker) -> None:
    """What is missing then has failed with the error's words, as the contract wants it."""

    def broken(settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
        yield from (one for one in honest(settings, context) if one.facet is Facet.CAPACITY)
        raise Unreachable("gone")

    assert check(spec_of(broken)) == []


# --- the surroundings ----------------------------------------------------------------------------------------------


def beside(act: Callable[[Any, CollectContext], object]) -> Collect:
    """An honest provider that does something else, too."""

    def collect(settings: Any, context: CollectContext) -> Iterator[Answer]:
        act(settings, context)
        yield from honest(settings, context)

    return collect


@pytest.mark.parametrize("error", [KeyError("id"), SystemExit(3)], ids=["error", "exit"])
def test_a_foreign_error_is_seen(check: Checker, error: BaseException) -> None:
    """It would be told as a crash."""

    def broken(settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
        yield from (one for one in honest(settings, context) if one.facet is Facet.CAPACITY)
        raise error

    (breach, *others) = check(spec_of(broken))
    assert breach.startswith(f"it raised {type(error).__name__}: {error}; a provider translates the errors")
    assert all("it raised" in other for other in others)


@pytest.mark.parametrize(
    "write",
    [
        lambda: print("collecting"),
        lambda: os.write(1, b"collecting\n"),
        lambda: os.system("echo collecting"),  # noqa: S605
    ],
    ids=["print", "descriptor", "child"],
)
def test_what_is_printed_is_seen(check: Checker, write: Callable[[], object]) -> None:
    """Standard output belongs to the answers, whoever writes there."""
    breaches = check(spec_of(beside(lambda _settings, _context: write())))
    assert breaches[0] == "it wrote to standard output, which belongs to the answers: 'collecting\\n'"


def test_standard_output_is_as_it_was(check: Checker, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing of the check stays."""
    check(spec_of(honest))
    print("after")
    os.write(1, b"all\n")
    assert sorted(capfd.readouterr().out.split()) == ["after", "all"]


def test_a_provider_that_does_not_end_is_seen(check: Checker) -> None:
    """The check ends without it."""
    release: list[bool] = []

    def hung(_settings: object, _context: object) -> None:
        while not release:
            time.sleep(0.01)

    began = time.monotonic()
    breaches = check(spec_of(beside(hung)), deadline=0.1)
    release.append(True)
    assert "it was told to be done in 0.1 s, and still ran 1 s after that" in breaches
    assert time.monotonic() - began < 3


def test_a_provider_that_does_not_look_at_its_deadline_is_seen(check: Checker) -> None:
    """It is in time where there is time, and late where there is little."""
    slow = spec_of(beside(lambda _settings, _context: time.sleep(1.3)), facets=frozenset({Facet.CAPACITY}))
    assert check(slow) == ["with 0.2 s to go: it was told to be done in 0.2 s, and still ran 1 s after that"]


class WithSecret(Settings):
    """Settings with a password, in a list."""

    accounts: tuple[Secret, ...]


@pytest.mark.parametrize(
    "tell",
    [
        lambda secret, context: context.log.debug("signing in with %s", secret),
        lambda secret, _context: logging.getLogger("library").warning("POST password=%s", secret),
        lambda secret, _context: print(secret),
    ],
    ids=["own log", "library's log", "print"],
)
def test_a_secret_that_shows_is_seen(check: Checker, tmp_path: Path, tell: Callable[[str, Any], object]) -> None:
    """Wherever it was let out, and without being repeated."""
    file = tmp_path / "password"
    file.write_text("s3cr3t")
    file.chmod(0o600)
    settings = WithSecret(accounts=(Secret(file=file),))
    telling = beside(lambda own, context: tell(own.accounts[0].reveal(), context))
    breaches = check(spec_of(telling, settings=WithSecret), settings)
    assert "the text of a secret shows in what it answered, logged, raised or printed" in breaches
    assert check(spec_of(honest, settings=WithSecret), settings) == []


@pytest.mark.parametrize("place", ["notes", "calls", "reason"])
def test_a_secret_in_an_answer_is_seen(check: Checker, place: str) -> None:
    """Also one that is not in the settings: its text is given."""

    def telling(settings: BaseModel, context: CollectContext) -> Iterator[Answer]:
        for one in honest(settings, context):
            if hasattr(one, place):
                yield replace(one, **{place: "t0ken" if place == "reason" else ("GET /?t0ken",)})
            else:
                yield one

    breaches = check(spec_of(telling), secrets=["t0ken"])
    assert breaches == ["the text of a secret shows in what it answered, logged, raised or printed"]


class Showing(Settings):
    """Settings that show their secret."""

    url: str = "https://user:s3cr3t@cloud.example.org/"


def test_settings_that_show_a_secret_are_seen(check: Checker) -> None:
    """They are printed in many a log."""
    breaches = check(spec_of(honest, settings=Showing), Showing(), secrets=["s3cr3t"])
    assert breaches == ["the text of a secret shows in repr(settings)"]
