"""A part of a YAML document through pydantic: the checked value, or every mistake in plain words with its place.

What was expected is told from the type's JSON Schema: its descriptions complete the sentence "write …".
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from infoprovider.errors import ConfigError, Finding
from infoprovider.yamlfile import Document, Steps, path

T = TypeVar("T")

_SECRET = re.compile(r"password|secret|token|credential|key", re.IGNORECASE)
_SHOWN = 60
_NUMBER = re.compile(r"-?\d+(\.\d+)?")

_UNKNOWN_KEY = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_MISSING = frozenset({"missing", "missing_argument", "missing_keyword_only_argument"})


def validate(document: Document, adapter: TypeAdapter[T], steps: Steps = (), context: Any = None) -> T:
    """The part of the document at `steps` as the adapter's type; raises ConfigError with every mistake in it.

    A part that was not written is an empty mapping. The data pass as JSON, so that strict models take lists for tuples
    and text for moments and enumerations, while "5" stays a text where a number is meant.
    """
    data = value_at(document.data, steps, default={})
    try:
        return adapter.validate_json(json.dumps(data), context=context)
    except ValidationError as error:
        schema = adapter.json_schema()
        mistakes = _mistakes(data, error.errors(include_url=False))
        wordings = [_Wording(document, schema, steps, mistake) for mistake in mistakes]
        misspelt = {wording.meant() for wording in wordings}
        findings = [wording.finding() for wording in wordings if wording.mistake.steps not in misspelt]
        raise ConfigError(in_order(findings)) from error


@contextmanager
def gathered(findings: list[Finding]) -> Iterator[None]:
    """Add what a check finds to the list and go on: the operator wants to see all mistakes at once."""
    try:
        yield
    except ConfigError as error:
        findings.extend(error.findings)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by file and in the order of their places, each once."""
    unique = dict.fromkeys(findings)
    return sorted(unique, key=lambda finding: (finding.file, finding.line or 0, finding.column or 0, finding.path))


def value_at(data: Any, steps: Steps, *, default: Any = None) -> Any:
    """The plain value at this place, or the default where nothing was written."""
    for step in steps:
        if not _holds(data, step):
            return default
        data = data[step]
    return data


def _holds(data: Any, step: str | int) -> bool:
    """Whether this key or position is there."""
    if isinstance(data, dict):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and step < len(data)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """What was probably meant, or None."""
    names = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), names, n=1)
    return names[found[0]] if found else None


def choice(name: str, known: Iterable[str]) -> str:
    """The remedy for a name that is not known: the nearest one, else all."""
    names = sorted(set(known))
    meant = nearest(name, names)
    if meant is not None:
        return f"write {meant}"
    return f"write one of {', '.join(names)}" if names else "remove it"


# --- from pydantic's errors to mistakes ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mistake:
    """Everything that pydantic says about one place; `found` is what stands there."""

    steps: Steps
    found: Any
    errors: tuple[ErrorDetails, ...]

    @property
    def types(self) -> frozenset[str]:
        return frozenset(error["type"] for error in self.errors)

    def context(self, name: str) -> Any:
        """A detail that one of the errors carries, or None."""
        return next((error["ctx"][name] for error in self.errors if name in error.get("ctx", {})), None)


def _mistakes(data: Any, errors: Iterable[ErrorDetails]) -> list[_Mistake]:
    """One mistake per place: the branches of a union complain one by one, about the same value.

    Where something inside a list or mapping is wrong, complaints about the whole only follow from it.
    """
    places: dict[tuple[Steps, bool], list[ErrorDetails]] = {}
    for error in errors:
        steps = _data_steps(data, error)
        places.setdefault((steps, _is_about_key(error)), []).append(error)
    insides = {steps[:length] for steps, _ in places for length in range(len(steps))}
    return [
        _Mistake(steps, value_at(data, steps), tuple(group))
        for (steps, about_key), group in places.items()
        if about_key or steps not in insides
    ]


def _is_about_key(error: ErrorDetails) -> bool:
    return error["type"] in _UNKNOWN_KEY or error["loc"][-1:] == ("[key]",)


def _data_steps(data: Any, error: ErrorDetails) -> Steps:
    """The error's location without the names of union branches, which stand for nothing in the data."""
    steps: list[str | int] = []
    *way, last = error["loc"] or ("",)
    for step in (*way, last):
        if _holds(data, step):
            steps.append(step)
            data = data[step]
    if error["type"] in _MISSING:
        steps.append(last)
    return tuple(steps)


# --- from mistakes to words ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wording:
    """Says one mistake in plain words."""

    document: Document
    schema: Mapping[str, Any]
    origin: Steps
    mistake: _Mistake

    def finding(self) -> Finding:
        mistake = self.mistake
        if _is_about_key(mistake.errors[0]):
            return self._unknown_key()
        if mistake.types & _MISSING:
            what = f"{mistake.steps[-1]} is missing"
            return self._say(what, remedy=f"add it: {self._expected()}")
        return self._say(f"found {self._found()}", why=self._why(), remedy=self._remedy())

    def _say(self, what: str, *, remedy: str, why: str = "", at_key: bool = False) -> Finding:
        steps = (*self.origin, *self.mistake.steps)
        return self.document.finding(steps, what, why=why, remedy=remedy, at_key=at_key)

    def meant(self) -> Steps | None:
        """Where an unknown key was probably meant to stand, or None."""
        if not _is_about_key(self.mistake.errors[0]):
            return None
        *parent, key = self.mistake.steps
        name = nearest(str(key), self._free_names())
        return (*parent, name) if name is not None else None

    def _free_names(self) -> list[str]:
        """The keys that may stand beside an unknown one and do not yet."""
        parent = self.mistake.steps[:-1]
        written = value_at(self.document.data, (*self.origin, *parent), default={})
        return [name for name in _keys(self.schema, _node(self.schema, parent)) if name not in written]

    def _unknown_key(self) -> Finding:
        key, names = str(self.mistake.steps[-1]), self._free_names()
        meant = nearest(key, names)
        known = f"; known here and not yet written are {', '.join(names)}" if names else ""
        remedy = f"write {meant}" if meant is not None else f"remove it{known}"
        return self._say(f"{key} is not known here", remedy=remedy, at_key=True)

    def _found(self) -> str:
        """What stands there, with its value where that is short and no secret."""
        found = self.mistake.found
        if found is None:
            return "nothing"
        if isinstance(found, list):
            return "a list" if found else "an empty list"
        if isinstance(found, dict):
            return "a mapping (keys with values)" if found else "an empty mapping"
        kind = "text" if isinstance(found, str) else "a truth value" if isinstance(found, bool) else "a number"
        shown = json.dumps(found, ensure_ascii=False)
        if self._is_secret() or len(shown) > _SHOWN:
            return f"{kind} (not shown)"
        return {"text": f"the text {shown}", "a number": f"the number {shown}"}.get(kind, shown)

    def _is_secret(self) -> bool:
        """Whether the place is one for a secret (`writeOnly` in its schema), or sounds like one."""
        branches = _branches(self.schema, _node(self.schema, self.mistake.steps))
        sounds = _SECRET.search(path((*self.origin, *self.mistake.steps)))
        return bool(sounds) or any(branch.get("writeOnly") for branch in branches)

    def _why(self) -> str:
        """The words of a validator of ours, or which bound is crossed."""
        if (why := self.mistake.context("why")) is not None:
            return str(why)
        error = self.mistake.context("error")
        if isinstance(error, ValueError) and not self._is_secret():
            return str(error)
        if self.mistake.context("ge") is not None or self.mistake.context("gt") is not None:
            return "too small"
        if self.mistake.context("le") is not None or self.mistake.context("lt") is not None:
            return "too large"
        return ""

    def _remedy(self) -> str:
        expected, found = self._expected(), self.mistake.found
        branches = list(_branches(self.schema, _node(self.schema, self.mistake.steps)))
        names = [name for branch in branches for name in _names(branch)]
        if isinstance(found, str) and names and (meant := nearest(found, names)) is not None:
            return f"write {meant}"
        if isinstance(found, str) and _NUMBER.fullmatch(found) and "number" in expected:
            return f"write {expected}, without quotes"
        if isinstance(found, bool | int | float) and any(_is_free_text(branch) for branch in branches):
            return f"write {expected}, in quotes"
        return f"write {expected}"

    def _expected(self) -> str:
        bounds = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        node = _node(self.schema, self.mistake.steps)
        words = _words(self.schema, node)
        crossed = [
            f"{text} {limit:g}" for name, text in bounds.items() if (limit := self.mistake.context(name)) is not None
        ]
        return ", ".join([words, *crossed])


# --- the JSON Schema of what was expected --------------------------------------------------------------------------


def _resolve(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[1]] if reference else node


def _branches(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The alternatives of a node, itself if it has none; null is left out: it means that nothing need be written."""
    node = _resolve(schema, node)
    if "anyOf" not in node or "description" in node:
        yield node
        return
    for option in node["anyOf"]:
        if option.get("type") != "null":
            yield from _branches(schema, option)


def _node(schema: Mapping[str, Any], steps: Steps) -> Mapping[str, Any]:
    """The schema of what belongs at this place."""
    node = _resolve(schema, schema)
    for step in steps:
        node = next((child for branch in _branches(schema, node) if (child := _inner(branch, step)) is not None), {})
    return node


def _inner(node: Mapping[str, Any], step: str | int) -> Mapping[str, Any] | None:
    if isinstance(step, int):
        return node.get("items")
    inner: Mapping[str, Any] | None = node.get("properties", {}).get(step)
    if inner is None and isinstance(node.get("additionalProperties"), dict):
        inner = node["additionalProperties"]
    return inner


def _keys(schema: Mapping[str, Any], node: Mapping[str, Any]) -> list[str]:
    """The keys that a mapping may have, where they are known by name."""
    keys: list[str] = []
    for branch in _branches(schema, node):
        keys += branch.get("properties", {})
        keys += _names(_resolve(schema, branch.get("propertyNames", {})))
    return keys


def _names(branch: Mapping[str, Any]) -> list[str]:
    """The words that may stand here, where only some may."""
    return branch.get("enum") or ([branch["const"]] if "const" in branch else [])


def _is_free_text(branch: Mapping[str, Any]) -> bool:
    return branch.get("type") == "string" and not _names(branch)


def _words(schema: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    words = [_branch_words(branch) for branch in _branches(schema, node)]
    return (", or " if any("," in word for word in words) else " or ").join(words) or "nothing"


def _branch_words(branch: Mapping[str, Any]) -> str:
    if "enum" in branch:
        return " or ".join(filter(None, [", ".join(branch["enum"][:-1]), branch["enum"][-1]]))
    if "const" in branch:
        return str(branch["const"])
    if "description" in branch and branch.get("type") != "object":
        return str(branch["description"])
    kinds = {
        "object": "a mapping (keys with values)",
        "array": "a list",
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
    }
    if branch.get("type") == "array" and branch.get("minItems"):
        return f"a list of at least {branch['minItems']}"
    return kinds.get(branch.get("type", ""), "a value")
