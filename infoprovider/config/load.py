"""The configuration file, read and checked whole: every mistake is reported with its place and its remedy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from infoprovider.config.consistency import Draft, check_all
from infoprovider.config.include import read_with_includes
from infoprovider.config.model import (
    Channel,
    Community,
    Configuration,
    ConfigurationFile,
    FreshnessBlock,
    Instance,
    InstanceBlock,
)
from infoprovider.errors import ConfigError, Finding, PluginError
from infoprovider.inventory.codec import QUOTAS_BY_PROJECT, adapter
from infoprovider.inventory.model import PARTED_BY_PROJECT, Facet, FacetValue, Quotas
from infoprovider.settings import Settings
from infoprovider.yamlcheck import gathered, in_order, validate, value_at
from infoprovider.yamlfile import Document, Steps

T = TypeVar("T")
FACET_NAMES = frozenset(facet.value for facet in Facet)

SettingsOf = Callable[[str], type[Settings]]
"""From a kind to the class of its settings; raises PluginError for a kind that cannot be used."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and the document that it was read from, which knows the place of everything that was written."""

    configuration: Configuration
    document: Document


def load(
    path: Path, provider_settings: SettingsOf, publisher_settings: SettingsOf, now: Callable[[], datetime]
) -> Configuration:
    """The configuration in this file; raises ConfigError with every mistake in it, in the order of the file.

    Relative paths in it are seen from its own folder.
    """
    return load_with_places(path, provider_settings, publisher_settings, now).configuration


def load_with_places(
    path: Path, provider_settings: SettingsOf, publisher_settings: SettingsOf, now: Callable[[], datetime]
) -> Loaded:
    """The same, for who has more to say about what is written there."""
    findings: list[Finding] = []
    document = read_with_includes(path, findings)
    loading = _Loading(document, path.parent.absolute(), findings)
    file = loading.part(TypeAdapter(ConfigurationFile), ())
    providers = loading.settings("instances", provider_settings)
    publishers = loading.settings("channels", publisher_settings)
    declared, quotas = loading.declared(), loading.quotas()
    findings = in_order([*findings, *check_all(_draft(document, loading.context))])
    if findings or file is None:
        raise ConfigError(findings)
    configuration = Configuration(
        centre=file.centre,
        communities=file.communities,
        instances=tuple(
            Instance(block=block, settings=providers[index], declared=declared[index], quotas=quotas[index])
            for index, block in enumerate(file.instances)
        ),
        channels=tuple(Channel(block=block, settings=publishers[index]) for index, block in enumerate(file.channels)),
        freshness={facet: block.completed(facet) for facet, block in file.freshness.items()},
        every={facet: block.every for facet, block in file.freshness.items() if block.every is not None},
        publication=file.publication,
        collection=file.collection,
        metrics=file.metrics,
        log=file.log,
        state=file.state,
        public=file.public,
        loaded_at=now(),
    )
    return Loaded(configuration, document)


class _Loading:
    """Checks parts of one document and gathers what is wrong with each, so that one mistake hides no other."""

    def __init__(self, document: Document, folder: Path, findings: list[Finding]) -> None:
        self.document = document
        self.context = {"folder": folder}
        self.findings = findings

    def part(self, type_: TypeAdapter[T], steps: Steps) -> T | None:
        """One part as this type; None with findings where it is wrong."""
        with gathered(self.findings):
            return validate(self.document, type_, steps, self.context)
        return None

    def settings(self, section: str, settings_of: SettingsOf) -> Mapping[int, Settings]:
        """The settings of each block of a section, checked by its plug-in's own class, by position."""
        checked: dict[Any, Settings] = {}
        for index in _positions(self.document, section):
            steps = (section, index)
            kind = value_at(self.document.data, (*steps, "kind"))
            if not isinstance(kind, str):
                continue
            try:
                class_ = settings_of(kind)
            except PluginError as error:
                self.findings.append(self.document.finding((*steps, "kind"), error.what, remedy=error.remedy))
                continue
            settings = self.part(TypeAdapter(class_), (*steps, "settings"))
            if settings is not None:
                checked[index] = settings
        return checked

    def quotas(self) -> Mapping[int, Mapping[str, Quotas]]:
        """The quotas that each instance declares, by position and project."""
        return {index: self._quotas(index) for index in _positions(self.document, "instances")}

    def _quotas(self, index: int) -> dict[str, Quotas]:
        place = ("instances", index, "declared", Facet.QUOTAS.value)
        written = value_at(self.document.data, place)
        return (self.part(QUOTAS_BY_PROJECT, place) or {}) if isinstance(written, dict) else {}

    def declared(self) -> Mapping[int, Mapping[Facet, FacetValue]]:
        """What each instance declares instead of its manager, checked by the inventory's types, by position."""
        return {index: self._declared(index) for index in _positions(self.document, "instances")}

    def _declared(self, index: int) -> Mapping[Facet, FacetValue]:
        steps = ("instances", index, "declared")
        written = value_at(self.document.data, steps)
        known = [Facet(name) for name in written if name in FACET_NAMES] if isinstance(written, dict) else []
        values: dict[Facet, FacetValue] = {}
        for facet in known:
            place = (*steps, facet.value)
            if facet is Facet.USAGE:
                what = f"{facet} cannot be declared"
                remedy = "describe it per project in the inventory file of an instance of kind static"
                why = "it changes with every machine"
                self.findings.append(self.document.finding(place, what, why=why, remedy=remedy, at_key=True))
            elif facet not in PARTED_BY_PROJECT and (value := self.part(adapter(facet), place)) is not None:
                values[facet] = value
        return values


def _positions(document: Document, section: str) -> list[Any]:
    """Where the blocks of a section stand: numbers in a list, keys in a mapping."""
    blocks = value_at(document.data, (section,))
    if isinstance(blocks, dict):
        return list(blocks)
    return list(range(len(blocks))) if isinstance(blocks, list) else []


def _draft(document: Document, context: Any) -> Draft:
    """Every block that is right in itself, so that blocks are compared even while others are wrong."""

    def sound(type_: type[T], section: str) -> Mapping[Any, T]:
        blocks: dict[Any, T] = {}
        for position in _positions(document, section):
            with gathered([]):
                blocks[position] = validate(document, TypeAdapter(type_), (section, position), context)
        return blocks

    freshness = sound(FreshnessBlock, "freshness")
    return Draft(
        document=document,
        instances=sound(InstanceBlock, "instances"),
        communities=sound(Community, "communities"),
        freshness={name: block for name, block in freshness.items() if name in FACET_NAMES},
    )
