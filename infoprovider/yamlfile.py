"""A YAML file that the operator wrote: as plain data, with the place of every key and value.

Scalars follow the core schema of YAML 1.2: only `true` and `false` are truth values, `no` and `on` are text, numbers
are decimal, moments stay text. What JSON could not say (double keys, keys that are no text, tags) is refused.
Several files can be one document, in which each value keeps its place. `yamlcheck.py` turns parts of a document into
settings.

No finding of form repeats a value, a tag or the name of an alias: it may be a secret that was written without quotes.
"""

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import yaml

from infoprovider.errors import ConfigError, Finding

Steps: TypeAlias = tuple[str | int, ...]
"""The way from the top of a document to a value: keys of mappings and positions in lists."""

MAX_BYTES = 16 * 2**20
MAX_NODES = 1_000_000
MAX_DEPTH = 40

_MAPPING = "tag:yaml.org,2002:map"
_NOTHING = "tag:yaml.org,2002:null"

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)$")
_QUOTED = re.compile(r"\s*(['\"]).*\1")
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # which one depends on libyaml
    """PyYAML's loader with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _WHOLE, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+0123456789"))


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_SCALARS: Mapping[str, Any] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": _finite,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:null": lambda _text: None,
}


class _NamedText(io.StringIO):
    """A text by whose name PyYAML calls the place of each node."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file, or several as one, as plain data; `root` knows the places, `file` is the first file's name."""

    file: str
    data: Any
    root: yaml.Node

    def finding(self, steps: Steps, what: str, *, remedy: str, why: str = "", at_key: bool = False) -> Finding:
        """A mistake at this value (or at its key), or at the nearest thing around it that was written."""
        mark = _mark(self.root, steps, at_key=at_key)
        return _finding(mark.name, mark, path(steps), what, why, remedy)

    def line(self, steps: Steps, *, seen_from: Steps = ()) -> str:
        """The line of this value in words, with its file where that is another one than the file of `seen_from`."""
        mark = _mark(self.root, steps)
        elsewhere = mark.name != _mark(self.root, seen_from).name
        return f"line {mark.line + 1}" + (f" of {mark.name}" if elsewhere else "")


def path(steps: Steps) -> str:
    """The way to a value as an operator reads it: `instances[2].settings.file`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


# --- reading -------------------------------------------------------------------------------------------------------


def read_file(file: Path, *, may_be_empty: bool = False) -> Document:
    """The document in a file; raises ConfigError where it cannot be read or is no usable YAML."""
    try:
        content = file.read_bytes()
    except OSError as error:
        remedy = "name a file that exists and that this user may read"
        raise ConfigError([Finding(file=str(file), what="cannot be read", why=fault(error), remedy=remedy)]) from error
    return read(content, str(file), may_be_empty=may_be_empty)


def fault(error: OSError) -> str:
    """What the system said, without number and path."""
    return error.strerror or type(error).__name__


def read(content: bytes, file: str, *, may_be_empty: bool = False) -> Document:
    """The one document in this YAML text; raises ConfigError with every mistake of form.

    A text of nothing but comments is an empty mapping where it may be.
    """
    if len(content) > MAX_BYTES:
        remedy = f"split it: at most {MAX_BYTES // 2**20} MiB are read"
        raise ConfigError([Finding(file=file, what=f"is {len(content) // 2**20} MiB large", remedy=remedy)])
    try:
        text = content.decode()
        _refuse_deep_nesting(text, file)
        root = yaml.compose(_NamedText(text, file), Loader=_Loader)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        finding = Finding(file=file, line=line, what="is not UTF-8 text", remedy="save the file in UTF-8")
        raise ConfigError([finding]) from error
    except yaml.YAMLError as error:
        raise ConfigError([_syntax(file, error)]) from error
    if root is None:
        if not may_be_empty:
            raise ConfigError([Finding(file=file, what="is empty", remedy="write at least the required keys")])
        start = yaml.Mark(file, 0, 0, 0, None, 0)
        root = yaml.MappingNode(_MAPPING, [], start, start)
    return _document(file, root)


def merged(documents: Sequence[Document], findings: list[Finding]) -> Document:
    """Several documents as one: mappings become one mapping, lists are put one after another, in this order.

    Anything else can be written once: what a second document states goes to the findings, and the first one stands.
    """
    first, *others = documents
    root = first.root
    for other in others:
        root = _merged(root, other.root, (), findings)
    return _document(first.file, root)


def without(document: Document, key: str) -> Document:
    """The document without this key of its top."""
    if not isinstance(document.root, yaml.MappingNode):
        return document
    root = document.root
    kept = [(name, value) for name, value in root.value if name.value != key]
    return _document(document.file, yaml.MappingNode(root.tag, kept, root.start_mark, root.end_mark))


def _merged(ours: yaml.Node, theirs: yaml.Node, steps: Steps, findings: list[Finding]) -> yaml.Node:
    if _NOTHING in (ours.tag, theirs.tag):
        return ours if theirs.tag == _NOTHING else theirs
    if isinstance(ours, yaml.SequenceNode) and isinstance(theirs, yaml.SequenceNode):
        return yaml.SequenceNode(ours.tag, [*ours.value, *theirs.value], ours.start_mark, ours.end_mark)
    if not (isinstance(ours, yaml.MappingNode) and isinstance(theirs, yaml.MappingNode)):
        there = ours.start_mark
        what = f"this stands already in line {there.line + 1} of {there.name}"
        remedy = "write it in one of the two files"
        findings.append(_finding(theirs.start_mark.name, theirs.start_mark, path(steps), what, "", remedy))
        return ours
    entries = {key.value: (key, value) for key, value in ours.value}
    for key, value in theirs.value:
        held, former = entries.get(key.value, (key, None))
        joined = value if former is None else _merged(former, value, (*steps, key.value), findings)
        entries[key.value] = (held, joined)
    return yaml.MappingNode(ours.tag, list(entries.values()), ours.start_mark, ours.end_mark)


def _document(file: str, root: yaml.Node) -> Document:
    reading = _Reading(file)
    data = reading.plain(root, ())
    if reading.findings:
        raise ConfigError(reading.findings)
    return Document(file=file, data=data, root=root)


def _refuse_deep_nesting(text: str, file: str) -> None:
    """Composing recurses, in the C library until the process dies; parsing does not."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ConfigError([_too_deep(file, event.start_mark)])


def _syntax(file: str, error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None)
    why = str(getattr(error, "problem", None) or error)
    if "alias" in why or "anchor" in why:
        why = _QUOTED.sub("", why)
    remedy = (
        "mend the YAML: blanks for indentation, a blank after each colon, quotes around text with special characters"
    )
    return _finding(file, mark, "", "is not YAML", why, remedy)


def _too_deep(file: str, mark: Any) -> Finding:
    return _finding(file, mark, "", f"is nested more than {MAX_DEPTH} deep", "", "write it flatter")


def _finding(file: str, mark: Any, where: str, what: str, why: str, remedy: str) -> Finding:
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return Finding(file=file, line=line, column=column, path=where, what=what, why=why, remedy=remedy)


class _Reading:
    """Turns nodes into plain data, and notes what JSON could not say: double keys, keys that are no text, tags."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.nodes = 0

    def plain(self, node: yaml.Node, steps: Steps) -> Any:
        """The node's value; what is wrong goes to the findings and is left out."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            finding = _finding(
                self.file,
                node.start_mark,
                path(steps),
                "grows too large",
                f"aliases repeat it to more than {MAX_NODES} values",
                "write fewer aliases",
            )
            raise ConfigError([finding])
        if len(steps) > MAX_DEPTH:
            raise ConfigError([_too_deep(self.file, node.start_mark)])
        if isinstance(node, yaml.MappingNode) and node.tag == _MAPPING:
            return {key: self.plain(value, (*steps, key)) for key, value in self._entries(node, steps)}
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.plain(item, (*steps, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, steps)

    def _scalar(self, node: yaml.Node, steps: Steps) -> Any:
        read = _SCALARS.get(node.tag)
        if read is None or not isinstance(node, yaml.ScalarNode):
            self._note(node, steps, "a tag cannot be used here", "write the value without a tag, or in quotes")
            return None
        try:
            return read(node.value)
        except ValueError:
            what = f"this cannot be read as {node.tag.rpartition(':')[2]}"
            self._note(node, steps, what, "write a number of ordinary size, or text in quotes")
            return None

    def _entries(self, node: yaml.MappingNode, steps: Steps) -> Iterator[tuple[str, yaml.Node]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                self._note(key, steps, "a key that is not text", "write keys as text, in quotes")
            elif key.value in seen:
                what = f"the key {key.value} stands here twice, first in line {seen[key.value]}"
                self._note(key, (*steps, key.value), what, "remove one of them")
            else:
                seen[key.value] = key.start_mark.line + 1
                yield key.value, value

    def _note(self, node: yaml.Node, steps: Steps, what: str, remedy: str) -> None:
        self.findings.append(_finding(self.file, node.start_mark, path(steps), what, "", remedy))


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """Key node and value node of one step; a list's item is its own key."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _mark(root: yaml.Node, steps: Steps, *, at_key: bool = False) -> Any:
    key, node = root, root
    for step in steps:
        child = _child(node, step)
        if child is None:
            return node.start_mark
        key, node = child
    return (key if at_key else node).start_mark
