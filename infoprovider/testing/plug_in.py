"""What the contracts of providers and publishers have in common: registration, settings, secrets."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args

from pydantic import BaseModel

from infoprovider import plugins
from infoprovider.errors import InfoproviderError, PluginError
from infoprovider.providers.contract import AnyProviderSpec
from infoprovider.publishers.contract import AnyChannelSpec
from infoprovider.secret import Secret, from_request_json, to_request_json

_KIND = re.compile(r"[a-z][a-z0-9_]*")


def breaches_of_spec(spec: AnyProviderSpec | AnyChannelSpec, group: str, settings: BaseModel) -> Iterator[str]:
    """What is wrong with a spec, its registration in a group of entry points, and its class of settings."""
    if not _KIND.fullmatch(spec.kind):
        yield f"the kind {spec.kind!r} is not lower snake case"
    try:
        if plugins.load(group, spec.kind, type(spec)) is not spec:
            yield f"the entry point {spec.kind} of {group} leads to another spec"
    except PluginError as error:
        yield f"as it is registered it cannot be used: {error}"
    if not isinstance(settings, spec.settings):
        yield f"the settings are {type(settings).__name__}, the spec says {spec.settings.__name__}"
    for model in _models(spec.settings, set()):
        wanted = {"frozen": True, "extra": "forbid", "strict": True}
        lacking = [f"{key}={value!r}" for key, value in wanted.items() if model.model_config.get(key) != value]
        if lacking:
            yield (
                f"the settings class {model.__name__} is not {', '.join(lacking)}; "
                "derive it from infoprovider.settings.Settings"
            )
    yield from _breaches_of_handover(settings)


def secrets_of(settings: BaseModel, others: Iterable[str]) -> tuple[str, ...]:
    """The texts that must show nowhere: of each secret in the settings, and those that the author names.

    Raises ConfigError where a secret cannot be read.
    """
    return tuple(filter(None, [*(secret.reveal() for secret in _secrets(settings)), *others]))


def breaches_of_secrecy(secrets: Iterable[str], told: Iterable[str], settings: BaseModel) -> Iterator[str]:
    """Whether a secret shows in what was told, or in the settings themselves."""
    for place, texts in (("what it answered, logged, raised or printed", told), ("repr(settings)", [repr(settings)])):
        text = "\n".join(texts)
        if any(secret in text for secret in secrets):
            yield f"the text of a secret shows in {place}"


def in_words(error: BaseException) -> str:
    """An error as it is told."""
    return f"{type(error).__name__}: {error}"


def _breaches_of_handover(settings: BaseModel) -> Iterator[str]:
    """Settings reach the process that uses them as JSON."""
    try:
        there = from_request_json(type(settings), to_request_json(settings))
    except InfoproviderError as error:
        yield f"the settings do not survive JSON: {error}"
        return
    if there.model_dump_json() != settings.model_dump_json():
        yield "the settings do not survive JSON: they come out changed"


def _models(annotation: Any, seen: set[Any]) -> Iterator[type[BaseModel]]:
    """The models that a type is made of, itself included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen.add(annotation)
        yield annotation
        for one in annotation.model_fields.values():
            yield from _models(one.annotation, seen)
    for argument in get_args(annotation):
        yield from _models(argument, seen)


def _secrets(value: Any) -> Iterator[Secret]:
    """Every secret somewhere in a value."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        yield from _secrets([inner for _, inner in value])
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _secrets([getattr(value, one.name) for one in fields(value)])
    elif isinstance(value, dict):
        yield from _secrets(list(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _secrets(inner)
