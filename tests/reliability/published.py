"""What stands in a published file, read without any code of the package, again and again while something goes wrong."""

import base64
import re
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

Entries = dict[str, dict[str, list[str]]]

_LINE = re.compile(r"([A-Za-z][A-Za-z0-9-]*)(::?) (\S.*)")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_PARENT = re.compile(r"(?:\\.|[^,\\])+,")
SUFFIX = "o=glue"


class Torn(Exception):
    """A published text that is no whole tree, and why."""


def entries_of(body: bytes) -> Entries:
    """The entries of a published text by distinguished name. Raises Torn where it is not whole."""
    text = body.decode()
    if not text.endswith("\n"):
        raise Torn(f"it ends within a line: {text[-80:]!r}")
    found: Entries = {}
    for block in text.strip("\n").split("\n\n"):
        entry: dict[str, list[str]] = {}
        for line in block.split("\n"):
            matched = _LINE.fullmatch(line)
            if matched is None:
                raise Torn(f"no line of LDIF: {line!r}")
            name, colons, value = matched.groups()
            entry.setdefault(name, []).append(base64.b64decode(value).decode() if colons == "::" else value)
        if next(iter(entry)) != "dn" or entry["dn"][0] in found:
            raise Torn(f"no new entry: {block[:80]!r}")
        found[entry["dn"][0]] = entry
    for dn, entry in found.items():
        parent = dn[_end_of_first(dn) :]
        if parent != SUFFIX and parent not in found:
            raise Torn(f"nothing stands above {dn}")
        if "GLUE2GroupID" not in dn.partition(",")[0] and not _STAMP.fullmatch(entry["GLUE2EntityCreationTime"][0]):
            raise Torn(f"{dn} has no stamp")
    return found


def _end_of_first(dn: str) -> int:
    matched = _PARENT.match(dn)
    if matched is None:
        raise Torn(f"no name of an entry: {dn!r}")
    return matched.end()


def of(entries: Iterable[str], instance: str) -> frozenset[str]:
    """The names of those entries that are of an instance."""
    return frozenset(dn for dn in entries if re.search(rf":{re.escape(instance)}(:|,|$)", dn))


def health(entries: Entries, instance: str) -> tuple[set[str], set[str]]:
    """The states of an instance's endpoints, and what is said of them."""
    endpoints = [one for dn, one in entries.items() if of([dn], instance) and "GLUE2EndpointHealthState" in one]
    return (
        {state for one in endpoints for state in one["GLUE2EndpointHealthState"]},
        {text for one in endpoints for text in one.get("GLUE2EndpointHealthStateInfo", [])},
    )


class Reader(threading.Thread):
    """Reads a published file all the time, as a BDII might at any moment, and notes whatever it should not have seen.

    `expected` are entries that have to be in it whenever it is read; while it is None the file need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.path = path
        self.expected: frozenset[str] | None = None
        self.faults: list[str] = []
        self.reads = 0
        self.versions = 0
        self.latest: Entries = {}
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, and let no fault pass unseen."""
        self._stopped.set()
        self.join()
        assert self.faults == []
        assert self.reads > 0

    def now(self) -> Entries:
        """What is published at this moment; nothing where there is no file."""
        try:
            return entries_of(self.path.read_bytes())
        except FileNotFoundError:
            return {}

    def expect(self, entries: Iterable[str]) -> None:
        """Let all of these be there from now on, at every moment."""
        self.expected = frozenset(entries)

    def run(self) -> None:
        """Read until told to stop."""
        former: bytes | None = None
        judged: frozenset[str] | None = None
        while not self._stopped.is_set() and len(self.faults) < 20:
            # What is expected is taken first: it may grow between the two.
            expected = self.expected
            try:
                body = self.path.read_bytes()
            except FileNotFoundError:
                if expected is not None:
                    self.faults.append(f"{self.path} is not there")
                body = b""
            self.reads += 1
            if body and (body != former or expected != judged):
                self._judge(body, expected)
                former, judged = body, expected
            time.sleep(0.002)

    def _judge(self, body: bytes, expected: frozenset[str] | None) -> None:
        self.versions += 1
        try:
            self.latest = entries_of(body)
        except Torn as torn:
            self.faults.append(str(torn))
            return
        if expected is not None and (missing := expected - self.latest.keys()):
            self.faults.append(f"{len(missing)} entries are not there, such as {min(missing)}")
