"""Gives readers the newest copy of each centre: its entries live in the LDAP server, and its file of LDIF.

This happens beside the taking of messages. Whatever does not work here is tried again, with the copy that is the newest
then; no copy waits for it, and neither place waits for the other.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection

from infoprovider.errors import ChannelUnreachable, InfoproviderError, StoreError
from infoprovider.reception.apply import Copy
from infoprovider.reception.copies import Copies
from infoprovider.reception.records import Shown
from infoprovider.reception.rendering import Renderings
from infoprovider.reception.tree import Brought, Tree

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two attempts; each pause is twice the former."""

NAMED = 3
"""How many of the entries that a server refuses are named."""

log = logging.getLogger(__name__)


class _Place:
    """Where centres are shown; `bring` shows one there, and returns what is not right with it, in words."""

    def __init__(self, name: str, bring: Callable[[str, Copy | None], str]) -> None:
        self.name = name
        self.bring = bring
        self.work: dict[str, Copy | None] = {}
        self.has: dict[str, Copy] = {}
        self.remarks: dict[str, str] = {}
        self.fault: str | None = None
        self.due = 0.0
        self._pause = FIRST_PAUSE

    def succeeded(self, centre: str, copy: Copy | None, remark: str) -> None:
        """It is shown, as far as it can be."""
        if self.work.get(centre) is copy:
            del self.work[centre]
        self.has.pop(centre, None)
        if copy is not None:
            self.has[centre] = copy
        if remark and self.remarks.get(centre) != remark:
            log.warning("%s, %s: %s", centre, self.name, remark)
        self.remarks.pop(centre, None)
        if remark:
            self.remarks[centre] = remark
        if self.fault:
            log.info("%s: it works again", self.name)
        self.fault, self._pause = None, FIRST_PAUSE

    def failed(self, error: InfoproviderError) -> None:
        """Nothing can be shown there for now."""
        if self.fault != str(error):
            log.error("%s: %s", self.name, error)
        self.fault = str(error)
        self.due = time.monotonic() + self._pause
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)


class Showing:
    """What readers are given. `turn` is called by one thread, all else by any."""

    def __init__(self, copies: Copies, template_set: str, tree: Tree | None, *, compare_every: float) -> None:
        self._copies = copies
        self._renderings = Renderings(template_set)
        self._tree = tree
        self._compare_every = compare_every
        self._compared = time.monotonic()
        self._changed = threading.Condition()
        self._latest: dict[str, Copy] = {}
        self._file = _Place("file of LDIF", self._into_file)
        self._server = _Place("LDAP server", self._into_tree)
        # The server first, for that is where somebody waits.
        self._places = (self._server, self._file) if tree is not None else (self._file,)
        self._spared: frozenset[str] | None = None

    # --- from other threads ----------------------------------------------------------------------------------------

    def offer(self, copy: Copy) -> None:
        """The newest copy of a centre."""
        self._give(copy.centre, copy)

    def withdraw(self, centre: str) -> None:
        """Readers are to find nothing of this centre."""
        self._give(centre, None)

    def spare(self, centres: Collection[str]) -> None:
        """Remove from the server, once it is there, what is neither of these centres nor was offered."""
        with self._changed:
            self._spared = frozenset(centres)

    def wake(self) -> None:
        """End the waiting inside of a turn."""
        with self._changed:
            self._changed.notify_all()

    def shown(self) -> Shown:
        """What readers are given now."""
        with self._changed:
            revisions = {centre: copy.position.revision for centre, copy in self._places[0].has.items()}
            remarks = {centre: words for place in self._places for centre, words in place.remarks.items()}
            faults = [place.fault for place in self._places if place.fault]
            return Shown(revisions=revisions, remarks=remarks, fault=" | ".join(faults) or None)

    def settled(self, seconds: float) -> bool:
        """Wait until all that was offered is shown, at most so long; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not any(place.work for place in self._places), seconds)

    def _give(self, centre: str, copy: Copy | None) -> None:
        with self._changed:
            self._latest.pop(centre, None)
            if copy is not None:
                self._latest[centre] = copy
            for place in self._places:
                place.work[centre] = copy
            self._changed.notify_all()

    # --- the loop --------------------------------------------------------------------------------------------------

    def turn(self, longest: float = 5.0) -> None:
        """Show what is due, or wait for something."""
        self._compare_again()
        with self._changed:
            now = time.monotonic()
            due = next((place for place in self._places if place.work and place.due <= now), None)
            if due is None:
                left = min((place.due - now for place in self._places if place.work), default=longest)
                self._changed.wait(max(0.01, min(longest, left)))
                return
            centre, copy = next(iter(due.work.items()))
        try:
            remark = due.bring(centre, copy)
        except (ChannelUnreachable, StoreError) as error:
            with self._changed:
                due.failed(error)
            return
        except InfoproviderError as error:
            remark = str(error)
        with self._changed:
            due.succeeded(centre, copy, remark)
            self._changed.notify_all()

    def close(self) -> None:
        """End the connection to the server."""
        if self._tree is not None:
            self._tree.close()

    def _into_tree(self, centre: str, copy: Copy | None) -> str:
        if self._tree is None:
            return ""
        brought = self._tree.bring(centre, self._renderings.entries(copy) if copy else {})
        if copy is None:
            self._tree.forget(centre)
        if brought.changes:
            log.info(
                "%s: %d entries added, %d changed, %d removed",
                centre,
                brought.added,
                brought.modified,
                brought.deleted,
            )
        self._sweep(self._tree)
        return _words(brought)

    def _into_file(self, centre: str, copy: Copy | None) -> str:
        if copy is not None:
            self._copies.show(centre, self._renderings.entries(copy))
        else:
            self._renderings.forget(centre)
        return ""

    def _sweep(self, tree: Tree) -> None:
        """Once, when the server is there: let centres go that nobody knows of any more."""
        with self._changed:
            if self._spared is None:
                return
            known, self._spared = self._spared | self._latest.keys() | self._server.work.keys(), None
        for centre in tree.centres():
            if centre not in known:
                log.warning("%s is in the LDAP server, and no copy of it is here: it is removed there", centre)
                self.withdraw(centre)

    def _compare_again(self) -> None:
        """From time to time, compare what the server has with what it should have."""
        if self._tree is None or time.monotonic() - self._compared < self._compare_every:
            return
        self._compared = time.monotonic()
        with self._changed:
            for centre, copy in self._latest.items():
                self._tree.forget(centre)
                self._server.work.setdefault(centre, copy)


def _words(brought: Brought) -> str:
    """What a server refused, in one line."""
    if not brought.refused:
        return ""
    named = [f"{dn}: {why}" for dn, why in list(brought.refused.items())[:NAMED]]
    more = f" and {len(brought.refused) - NAMED} more" if len(brought.refused) > NAMED else ""
    return f"{len(brought.refused)} entries are not taken: {'; '.join(named)}{more}"
