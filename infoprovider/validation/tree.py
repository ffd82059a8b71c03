"""The tree in which entries stand: each name once, and none without the entry above.

The rules are those of `ldap_schema`, which holds our own text against them as slapd reads it. Here the order does not
count, for a BDII sorts what it is given, nor how a name is spelt.
"""

from collections.abc import Iterator

from infoprovider import ldif
from infoprovider.errors import QueryError
from infoprovider.validation.ldap_schema import RULES
from infoprovider.validation.report import Finding


class Tree:
    """Distinguished names that stand twice, and entries without the one above; the order of the text does not count."""

    ROOTS = frozenset({"o=glue", "o=grid", "o=shadow"})

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._above: dict[str, str] = {}

    def of_entry(self, record: ldif.Record) -> Iterator[Finding]:
        """What is known already when this entry is read."""
        if not record.dn:
            return
        lower = record.dn.lower()
        if lower in self._seen:
            yield RULES["ldap.duplicate-dn"].found(record.dn, "stands twice in the text")
        first = not self._seen
        self._seen.add(lower)
        above = _parent(record.dn)
        if above is None or first or above.lower() in self._seen or above.lower() in self.ROOTS:
            return
        self._above.setdefault(above.lower(), record.dn)

    def at_the_end(self) -> Iterator[Finding]:
        """Of the entries whose upper one never came, the first of each."""
        for above, dn in self._above.items():
            if above not in self._seen:
                yield RULES["ldap.parent"].found(dn, f"{_parent(dn) or 'nothing'} above it is not in the text")


def _parent(dn: str) -> str | None:
    """The name above, None where the name itself cannot be read (which `ldap.rdn` says)."""
    try:
        return ldif.parent_of(dn)
    except QueryError:
        return None
