"""Secrets: what an operator keeps in a file or in the environment, and what never shows itself.

A `Secret` in a class of settings knows where its value is and reads it only when it is revealed, so that a new password
needs no restart and a missing one stops nothing but the instance that needs it. Nothing prints, dumps, copies or
pickles the value, with one exception: settings go to the process that collects by `to_request_json`, which reveals
every secret in them, and come out there by `from_request_json`. That text belongs into a pipe, never into a file, a log
or the arguments of a program.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import PydanticCustomError, core_schema

from infoprovider.errors import ConfigError, Crashed, Finding
from infoprovider.settings import resolved

S = TypeVar("S", bound=BaseModel)

HIDDEN = "(not shown)"
MAX_BYTES = 64 * 2**10
_OPEN_TO_OTHERS = stat.S_IRWXO | stat.S_IWGRP


class Secret:
    """A text that does not show itself, only where it comes from. `reveal()` reads it.

    An operator writes `{ file: path }` or `{ environment: NAME }`; a value that stands in the configuration is refused.
    """

    __slots__ = ("_environment", "_file", "_value")

    def __init__(self, *, file: Path | None = None, environment: str | None = None, value: str | None = None) -> None:
        self._file = file
        self._environment = environment
        self._value = value

    @property
    def origin(self) -> str:
        """Where the value comes from, in words."""
        if self._file is not None:
            return f"the file {self._file}"
        return f"the environment variable {self._environment}" if self._environment is not None else "a request"

    def reveal(self) -> str:
        """The value, without the line breaks at its end.

        Raises ConfigError where it is not there, is empty, or could be read or changed by others.
        """
        if self._file is not None:
            return _file_content(self._file)
        if self._environment is not None:
            return _variable(self._environment)
        return self._value or ""

    def __repr__(self) -> str:
        return f"<Secret from {self.origin}>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[Path | None, str | None, str | None]:
        return self._file, self._environment, self._value

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validated, serialization=core_schema.plain_serializer_function_ser_schema(_serialized, info_arg=True)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "anyOf": [_one_key("file"), _one_key("environment")],
            "description": "{ file: the path of a file that others cannot read } or { environment: NAME }",
            "writeOnly": True,
        }


def to_request_json(settings: BaseModel) -> str:
    """The settings as JSON with every secret in it revealed, for the standard input of the process that collects.

    Raises ConfigError with every secret that cannot be read.
    """
    faults: list[Finding] = []
    text = settings.model_dump_json(by_alias=True, context={"handover": faults})
    if faults:
        raise ConfigError(faults)
    return text


def from_request_json(class_: type[S], text: str | bytes) -> S:
    """The settings that `to_request_json` wrote, with the secrets' values: the reader needs neither file nor variable.

    Raises Crashed where the text is none that `to_request_json` wrote for this class; the message shows no value.
    """
    try:
        return class_.model_validate_json(text, context={"handover": True, "folder": Path()})
    except ValidationError as error:
        places = sorted({".".join(str(step) for step in one["loc"]) for one in error.errors(include_input=False)})
        # Its own chain would carry what it was given.
        raise Crashed(
            f"the settings handed over are none of {class_.__name__} (at {', '.join(places)}); "
            "the plug-in's settings do not survive JSON: report it to its authors"
        ) from None


def secrets_in(value: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Secret]]:
    """Every secret in settings, with the way to it."""
    if isinstance(value, Secret):
        yield steps, value
    elif isinstance(value, BaseModel):
        yield from secrets_in(dict(value), steps)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from secrets_in(inner, (*steps, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from secrets_in(inner, (*steps, index))


def _one_key(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "minLength": 1}},
        "required": [name],
        "additionalProperties": False,
    }


def _validated(value: Any, info: core_schema.ValidationInfo) -> Secret:
    """A secret from where its value is; from the value itself only in a request. No error says what was found."""
    if isinstance(value, Secret):
        return value
    match value:
        case {"file": str(path), **rest} if path and not rest:
            return Secret(file=resolved(Path(path), info))
        case {"environment": str(name), **rest} if name and not rest:
            return Secret(environment=name)
        case {"value": str(text), **rest} if not rest and "handover" in (info.context or {}):
            return Secret(value=text)
    is_literal = isinstance(value, str | int | float)
    why = "a secret itself never stands in the configuration" if is_literal else "not one known key with text behind it"
    raise PydanticCustomError("secret", "no secret's place", {"why": why})


def _serialized(secret: Secret, info: core_schema.SerializationInfo) -> Any:
    """The value in a request, else nothing of it; what cannot be revealed is noted, for pydantic wraps exceptions."""
    faults: list[Finding] | None = (info.context or {}).get("handover")
    if faults is None:
        return HIDDEN
    try:
        return {"value": secret.reveal()}
    except ConfigError as error:
        faults.extend(error.findings)
        return HIDDEN


def _variable(name: str) -> str:
    value = os.environ.get(name, "").rstrip("\r\n")
    if not value:
        what = "is empty" if name in os.environ else "is not set"
        raise _unusable(f"the environment variable {name}", what, "set it for the user who runs infoprovider")
    return value


def _file_content(path: Path) -> str:
    """The file's text; what is checked and what is read are one open file, and a pipe cannot hold us up."""
    where = f"the file {path}"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _refuse_open_file(path, os.fstat(descriptor))
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"cannot be read: {error.strerror or type(error).__name__}"
        raise _unusable(where, what, "name a file that exists and that this user may read") from error
    if len(content) > MAX_BYTES:
        raise _unusable(where, f"is larger than {MAX_BYTES // 2**10} KiB", "write the secret into it and nothing else")
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _unusable(where, "is not UTF-8 text", "write the secret into it and nothing else") from None
    if not text:
        raise _unusable(where, "is empty", "write the secret into it")
    return text


def _refuse_open_file(path: Path, status: os.stat_result) -> None:
    """Others may neither read nor change it, and only its owner's group may read it."""
    where = f"the file {path}"
    if not stat.S_ISREG(status.st_mode):
        raise _unusable(where, "is no file", "name a file with the secret in it")
    us = os.geteuid()
    if status.st_uid not in (0, us):
        raise _unusable(where, f"belongs to another user (uid {status.st_uid})", f"run chown {us} {path}")
    if status.st_mode & _OPEN_TO_OTHERS:
        mode = 600 if status.st_uid == us else 640
        what = f"is open to other users (mode {stat.S_IMODE(status.st_mode):03o})"
        raise _unusable(where, what, f"run chmod {mode} {path}")


def _unusable(where: str, what: str, remedy: str) -> ConfigError:
    return ConfigError([Finding(file=where, what=what, remedy=remedy)])
