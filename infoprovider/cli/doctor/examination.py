"""The whole examination: layer after layer, then what is the matter."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from infoprovider.cli import site
from infoprovider.cli.doctor import bdii, configured, kept, machine, managers, network, published, software
from infoprovider.cli.doctor.diagnosis import Finding, concluded
from infoprovider.cli.doctor.patient import Patient, instance
from infoprovider.config.load import Loaded, load_with_places
from infoprovider.config.model import Configuration
from infoprovider.errors import ConfigError, InfoproviderError
from infoprovider.secret import HIDDEN, secrets_in
from infoprovider.views.overview import overview_of

_LEAST_SECRET = 4
"""Letters that a secret must have so that it is looked for in what is told: less would be found anywhere."""

_STOPS = frozenset({"proxy", "dns", "port", "authorities", "tls", "silent"})
"""What is seen of a network through which no manager can be asked."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The causes, in the order in which they should be mended, and what is only worth knowing."""

    causes: list[Finding]
    notes: list[str]


def examined(path: Path, root: Path) -> Diagnosis:
    """Look at everything, with the machine's own files below `root`. Asks managers and BDII, changes nothing."""
    try:
        loaded: Loaded = load_with_places(
            path, lambda kind: site.provider(kind).settings, lambda kind: site.publisher(kind).settings, site.now
        )
    except ConfigError as error:
        return Diagnosis(concluded(configured.mistakes(error.findings)), [])
    patient = Patient(path, loaded, overview_of(loaded.configuration, site.clock), root)
    causes = concluded(_seen(patient))
    hide = _Hiding(loaded.configuration)
    return Diagnosis([hide.finding(one) for one in causes], [hide(note) for note in dict.fromkeys(patient.notes)])


def _seen(patient: Patient) -> Iterator[Finding]:
    looks: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
        software.versions,
        configured.judged,
        machine.resources,
        machine.clock,
        kept.state,
        kept.keeping,
    )
    unusable: frozenset[str] = frozenset()
    for look in looks:
        for one in look(patient):
            unusable |= one.about if one.kind in ("secret", "settings") else frozenset()
            yield one
    for one in network.reachability(patient):
        unusable |= one.about if one.kind in _STOPS else frozenset()
        yield one
    silent: set[str] = set()
    for one in managers.rights(patient, unusable):
        silent |= one.about if one.kind == "asking" else frozenset()
        yield one
    names = (one.name for one in patient.configuration.instances)
    answering = frozenset(name for name in names if not instance(name) <= unusable | silent)
    yield from published.facets(patient, answering)
    for look in (published.document, published.channels, published.metrics, bdii.bdii):
        yield from look(patient)


class _Hiding:
    """Takes every secret out of what is told: what a manager or a library says may repeat one."""

    def __init__(self, configuration: Configuration) -> None:
        self._secrets: set[str] = set()
        settings = [one.settings for one in configuration.instances] + [one.settings for one in configuration.channels]
        for one in settings:
            for _, secret in secrets_in(one):
                try:
                    self._secrets.add(secret.reveal())
                except InfoproviderError:  # nothing that could be told
                    continue

    def __call__(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            if len(secret) >= _LEAST_SECRET:
                text = text.replace(secret, HIDDEN)
        return text

    def finding(self, one: Finding) -> Finding:
        return replace(
            one,
            cause=self(one.cause),
            seen=self(one.seen),
            remedy=self(one.remedy),
            explained=tuple(map(self, one.explained)),
        )
