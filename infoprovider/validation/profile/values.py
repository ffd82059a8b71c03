"""Every rule of the profile on a single value, run on the entries that publish it."""

from collections.abc import Iterator
from datetime import datetime

from infoprovider import ldif
from infoprovider.errors import QueryError
from infoprovider.validation.profile import endpoints, machines, shares
from infoprovider.validation.profile.row import Row
from infoprovider.validation.report import Finding
from infoprovider.validation.rule import Selection

RULES: tuple[Row, ...] = (*endpoints.ROWS, *shares.ROWS, *machines.ROWS)

PLACEHOLDER_ATTRIBUTES = frozenset(one.attribute for one in RULES if one.broken == "it is 999999999")
"""Where the profile itself looks for nine nines."""


class Values:
    """Runs the chosen rows, as of one moment."""

    def __init__(self, selection: Selection, now: datetime) -> None:
        self._now = now
        self._rows: dict[str, list[Row]] = {}
        for one in RULES:
            if selection.has(one):
                self._rows.setdefault(one.attribute, []).append(one)

    def of_entry(self, record: ldif.Record) -> Iterator[Finding]:
        """What the rows find in an entry; a value of a wrong type is no matter of theirs."""
        for name in self._rows.keys() & record.attributes.keys():
            value = record.attributes[name][0]
            for one in self._rows[name]:
                try:
                    what = one.check(value, record, self._now)
                except (ValueError, OverflowError, QueryError):
                    continue
                if what:
                    yield one.found(record.dn, what, name)
