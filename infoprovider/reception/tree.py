"""The entries of each centre, kept live in an LDAP server as a top-level BDII has them.

A centre's tree begins with `GLUE2DomainID=<centre>,o=glue`, as the template set `site` writes it, and lives below
`GLUE2GroupID=grid,o=glue`. Only what differs from what the server has is sent; an entry that changes its object classes
is deleted and added anew, with all below it, for no server changes the structural one.

The server belongs to us alone. What it has is read when nothing is known about it, when an operation shows that it has
something else than what was put there, and when it has been replaced by an empty one.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from infoprovider import ldif
from infoprovider.config.following import LdapSettings
from infoprovider.deadline import Deadline
from infoprovider.errors import InfoproviderError, QueryError, Refused
from infoprovider.reception import ldap_messages as ldap
from infoprovider.reception.ldap_messages import Attributes
from infoprovider.reception.ldap_server import LdapServer, Operation
from infoprovider.reception.names import PUBLISHED, SERVED, check_shape, fold, published, root_of, served

GRID = SERVED.removeprefix(",")
_ABOVE = {
    "o=glue": {"objectClass": ["organization"], "o": ["glue"]},
    GRID: {"objectClass": ["GLUE2Group"], "GLUE2GroupID": ["grid"]},
}
_STAMP = "entryUUID"
_PER_OPERATION = 0.02
"""Seconds that one operation may take, on the average, before all together have taken too long."""

_SURPRISES = {ldap.NO_SUCH_OBJECT, ldap.ALREADY_EXISTS, ldap.NOT_ON_NON_LEAF, 16, 20}
"""Codes that say: the server has something else than we think (16: no such attribute, 20: it has that value)."""

There: TypeAlias = bytes | Attributes
"""An entry as we put it there, or as it was found where that is something else."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Brought:
    """What was done, and what the server refused: name and reason."""

    added: int = 0
    modified: int = 0
    deleted: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """How many entries are not as they were."""
        return self.added + self.modified + self.deleted


@dataclass(slots=True)
class Plan:
    """The operations that make one set of entries of another, in steps; within a step none needs another."""

    deletions: list[list[str]]
    additions: list[list[str]]
    modifications: dict[str, Attributes]

    @property
    def size(self) -> int:
        """How many operations there are."""
        return sum(map(len, self.deletions)) + sum(map(len, self.additions)) + len(self.modifications)


class Tree:
    """What the LDAP server has of each centre. Used by one thread."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._server = LdapServer(settings)
        self._there: dict[str, dict[str, There]] = {}
        self._stamps: dict[str, str] = {}

    def centres(self) -> list[str]:
        """The centres that the server has now. Raises ChannelUnreachable or Refused."""
        self._reach()
        attribute = "GLUE2DomainID"
        found = self._server.entries(GRID, ldap.ONE_LEVEL, [attribute], self._patience())
        return [value for _, attributes in found for value in attributes.get(attribute, ())[:1]]

    def bring(self, centre: str, entries: Mapping[str, bytes]) -> Brought:
        """Make the server have exactly these entries of a centre: name → the lines of the entry.

        Raises ChannelUnreachable or Refused, also where the entries are no tree of this centre; what the server does
        not take of single entries is told.
        """
        check_shape(centre, entries)
        self._reach()
        if centre in self._there and not self._is_as_left(centre):
            self.forget(centre)
        known = centre in self._there
        try:
            if not known:
                self._read_back(centre, entries)
            brought, surprised = self._apply(centre, entries)
            if surprised and known:
                log.warning("the LDAP server has other entries of %s than it was given: it is compared anew", centre)
                self._read_back(centre, entries)
                again, _ = self._apply(centre, entries)
                brought = _together(brought, again)
            self._stamps[centre] = self._stamp(centre)
        except InfoproviderError:
            self.forget(centre)
            raise
        return brought

    def withdraw(self, centre: str) -> Brought:
        """Remove a centre, with all that is below it. Raises ChannelUnreachable or Refused."""
        brought = self.bring(centre, {})
        self.forget(centre)
        return brought

    def forget(self, centre: str) -> None:
        """Read what the server has of this centre before it is changed next."""
        self._there.pop(centre, None)
        self._stamps.pop(centre, None)

    def close(self) -> None:
        """End the connection."""
        self._server.close()

    # --- the server ------------------------------------------------------------------------------------------------

    def _patience(self, operations: int = 0) -> Deadline:
        return Deadline.after(self._settings.timeout + operations * _PER_OPERATION)

    def _reach(self) -> None:
        if self._server.is_connected:
            return
        self._server.connect(self._patience())
        for dn, attributes in _ABOVE.items():
            failed = self._server.run([Operation(dn, ldap.add(dn, attributes))], self._patience())
            if failed and failed[dn][0] != ldap.ALREADY_EXISTS:
                self._server.close()
                raise Refused(f"{self._settings.url} does not take the entry {dn}: {_said(failed[dn])}")

    def _stamp(self, centre: str) -> str:
        """What the server calls the first entry of the centre as long as that lives; empty where there is none."""
        found = list(self._server.entries(root_of(centre) + SERVED, ldap.BASE, [_STAMP], self._patience()))
        return found[0][1].get(_STAMP, [""])[0] if found else ""

    def _is_as_left(self, centre: str) -> bool:
        """Whether the server that we talk to is still the one that we wrote to.

        slapd closes idle connections, so a broken one means nothing by itself.
        """
        try:
            return self._stamp(centre) == self._stamps.get(centre)
        except InfoproviderError:
            self._reach()
            return self._stamp(centre) == self._stamps.get(centre)

    def _read_back(self, centre: str, entries: Mapping[str, bytes]) -> None:
        names = {served(dn): dn for dn in entries}
        folded: dict[str, str] | None = None
        there: dict[str, There] = {}
        deadline = self._patience(len(entries))
        for dn, attributes in self._server.entries(root_of(centre) + SERVED, ldap.SUBTREE, ["*"], deadline):
            name = names.get(dn)
            if name is None:
                if folded is None:
                    folded = {fold(one): mine for one, mine in names.items()}
                name = folded.get(fold(dn), published(dn))
            text = entries.get(name)
            there[name] = text if text is not None and same(attributes, attributes_of(text)) else attributes
        self._there[centre] = there

    def _apply(self, centre: str, entries: Mapping[str, bytes]) -> tuple[Brought, bool]:
        """Send the differences; what became of them, and whether the server did not have what we thought."""
        there = self._there[centre]
        plan = planned(there, entries)
        work = _Work(self._server, self._patience(plan.size))
        brought = Brought()
        for level in plan.deletions:
            done = work.do({dn: ldap.delete(served(dn)) for dn in level})
            brought.deleted += len(done)
            for dn in done:
                del there[dn]
        for level in plan.additions:
            placed = [dn for dn in level if dn not in there and work.has_place(dn, there)]
            done = work.do({dn: ldap.add(served(dn), attributes_of(entries[dn])) for dn in placed})
            brought.added += len(done)
            there.update((dn, entries[dn]) for dn in done)
        done = work.do({dn: ldap.modify(served(dn), changes) for dn, changes in plan.modifications.items()})
        brought.modified += len(done)
        # Also where nothing had to be done: what is equal is kept in memory once.
        there.update((dn, entries[dn]) for dn in there.keys() & entries.keys() - work.refused.keys())
        brought.refused = work.refused
        return brought, work.surprised


class _Work:
    """Operations on one centre, and what became of them."""

    def __init__(self, server: LdapServer, deadline: Deadline) -> None:
        self._server = server
        self._deadline = deadline
        self.refused: dict[str, str] = {}
        self.surprised = False

    def do(self, requests: Mapping[str, bytes]) -> list[str]:
        """The names for which the server did as it was asked."""
        failed = self._server.run([Operation(dn, request) for dn, request in requests.items()], self._deadline)
        self.refused.update((dn, _said(failure)) for dn, failure in failed.items())
        self.surprised |= any(code in _SURPRISES for code, _ in failed.values())
        return [dn for dn in requests if dn not in failed]

    def has_place(self, dn: str, there: Collection[str]) -> bool:
        """Whether the entry above is there: without it, the server would refuse this one as well."""
        above = ldif.parent_of(dn)
        if above == PUBLISHED.removeprefix(",") or above in there:
            return True
        self.refused[dn] = f"the entry above it, {above}, is not there"
        return False


# --- differences ---------------------------------------------------------------------------------------------------


def planned(there: Mapping[str, There], entries: Mapping[str, bytes]) -> Plan:
    """What makes `entries` of what is there."""
    modifications: dict[str, Attributes] = {}
    replaced: set[str] = set()
    for dn, text in entries.items():
        former = there.get(dn)
        if former is None or former is text or former == text:
            continue
        before, after = attributes_of(former), attributes_of(text)
        if _classes(before) != _classes(after):
            replaced.add(dn)
        elif changes := difference(before, after):
            modifications[dn] = changes
    if replaced:
        replaced.update(dn for dn in there if _is_below(dn, replaced))
    gone = [dn for dn in there if dn not in entries or dn in replaced]
    new = [dn for dn in entries if dn not in there or dn in replaced]
    return Plan(
        deletions=list(reversed(_levels(gone))),
        additions=_levels(new),
        modifications={dn: changes for dn, changes in modifications.items() if dn not in replaced},
    )


def difference(before: Attributes, after: Attributes) -> Attributes:
    """The attributes that must be replaced, with their new values; none for those that go."""
    former = {name.lower(): set(values) for name, values in before.items()}
    changes = {name: values for name, values in after.items() if former.pop(name.lower(), None) != set(values)}
    return changes | dict.fromkeys(former, ())


def same(found: Attributes, wanted: Attributes) -> bool:
    """Whether two entries say the same."""
    return not difference(found, wanted)


def attributes_of(entry: There) -> Attributes:
    """What an entry says, read from its lines where it is given as such."""
    if not isinstance(entry, bytes):
        return entry
    for record in ldif.read(entry):
        return record.attributes
    raise QueryError("an entry without lines cannot be served; tell whoever publishes it")


def _classes(attributes: Attributes) -> set[str]:
    return {value.lower() for name, values in attributes.items() if name.lower() == "objectclass" for value in values}


def _is_below(dn: str, others: Collection[str]) -> bool:
    while dn := ldif.parent_of(dn):
        if dn in others:
            return True
    return False


def _levels(names: Iterable[str]) -> list[list[str]]:
    """The names by how deep they are, those next to the root first."""
    levels: dict[int, list[str]] = {}
    for dn in names:
        depth = dn.count(",") if "\\" not in dn else len(ldif.split_dn(dn)) - 1
        levels.setdefault(depth, []).append(dn)
    return [levels[depth] for depth in sorted(levels)]


def _said(failure: tuple[int, str]) -> str:
    code, words = failure
    return f"it answered {code} {words}".rstrip()


def _together(first: Brought, second: Brought) -> Brought:
    return Brought(
        first.added + second.added,
        first.modified + second.modified,
        first.deleted + second.deleted,
        second.refused,
    )
