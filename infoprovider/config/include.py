"""A configuration that is spread over several files: `include` names them, and all are read as one document."""

import glob
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from infoprovider.config.model import Pattern
from infoprovider.errors import ConfigError, Finding
from infoprovider.yamlcheck import gathered, in_order, validate
from infoprovider.yamlfile import Document, merged, read_file, without

DEEPEST = 5
"""How many files may stand one inside the other below the first."""

_TOP = TypeAdapter(dict[str, Any])
_PATTERNS = TypeAdapter(tuple[Pattern, ...])


def read_with_includes(path: Path, findings: list[Finding]) -> Document:
    """The configuration in this file and in those that it includes, as one document.

    A file comes before those that it includes, these in the order of its patterns and of their names; each counts once.
    Two files that state the same thing are findings. Raises ConfigError where a file cannot be read or included.
    """
    reading = _Reading()
    reading.read(path, read_file(path), ())
    if reading.findings:
        raise ConfigError(in_order(reading.findings))
    return merged(reading.documents, findings)


class _Reading:
    """Reads files one inside the other and keeps what is in them, and what is wrong with including them."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.findings: list[Finding] = []
        self._seen: set[Path] = set()

    def read(self, path: Path, document: Document, around: tuple[Path, ...]) -> None:
        """A file and what it includes; `around` are the files that lead to it."""
        self._seen.add(path.resolve())
        with gathered(self.findings):
            validate(document, _TOP)
            patterns = validate(document, _PATTERNS, ("include",)) if "include" in document.data else ()
            self.documents.append(without(document, "include"))
            for index, pattern in enumerate(patterns):
                self._include(path, document, pattern, index, (*around, path.resolve()))

    def _include(self, path: Path, document: Document, pattern: str, index: int, around: tuple[Path, ...]) -> None:
        def wrong(what: str, remedy: str, why: str = "") -> None:
            self.findings.append(document.finding(("include", index), what, why=why, remedy=remedy))

        if len(around) > DEEPEST:
            wrong(f"this is nested more than {DEEPEST} files deep", "include it in a file further up")
            return
        # Path.glob would find hidden files too, such as those that editors leave.
        names = sorted(glob.glob(pattern, root_dir=path.parent))  # noqa: PTH207
        if not names and not glob.has_magic(pattern):
            wrong(f"there is no file {path.parent / pattern}", "name a file that exists, or a pattern with an asterisk")
        for name in names:
            file = path.parent / name
            if file.resolve() in around:
                wrong(f"{file} includes itself", "leave it out of its own include", _way(around, file))
            elif file.resolve() not in self._seen:
                self._read_included(file, document, index, around)

    def _read_included(self, file: Path, document: Document, index: int, around: tuple[Path, ...]) -> None:
        try:
            included = read_file(file, may_be_empty=True)
        except ConfigError as error:
            self.findings += [
                document.finding(("include", index), f"{one.file} {one.what}", why=one.why, remedy=one.remedy)
                if one.line is None
                else one
                for one in error.findings
            ]
            return
        self.read(file, included, around)


def _way(around: tuple[Path, ...], file: Path) -> str:
    """Through which other files a file includes itself; empty where it does so by its own words."""
    between = around[around.index(file.resolve()) + 1 :]
    return f"by {', '.join(one.name for one in between)}" if between else ""
