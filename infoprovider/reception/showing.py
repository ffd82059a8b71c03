"""Gives readers the newest copy of each centre: its entries live in the LDAP server, and its file of LDIF.

This happens beside the taking of messages. Whatever does not work here is tried again, with the copy that is the newest
then; no copy waits for it, and neither place waits for the other.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection

from infoprovider.errors import ChannelUnreachable, InfoproviderError, StoreError
from infoprovider.messaging.units import ContentType
from infoprovider.reception.apply import Copy
from infoprovider.reception.copies import Copies
from infoprovider.reception.diary import Terse
from infoprovider.reception.records import Shown
from infoprovider.reception.rendering import Renderings
from infoprovider.reception.tree import Brought, Tree

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two attempts; each pause is twice the former."""

REST, LONGEST_REST = 20.0, 120.0
"""How much longer the file of a centre lasts than it took to write, and how many seconds at most."""

NAMED = 3
"""How many of the entries that a server refuses are named."""

log = logging.getLogger(__name__)


class Place:
    """Where centres are shown; `bring` shows one there, and returns what is not right with it, in words.

    A centre that takes long rests long after it: `rest` times as long as it took.
    """

    def __init__(self, name: str, bring: Callable[[str, Copy | None], str], rest: float = 0.0) -> None:
        self.name = name
        self.bring = bring
        self.work: dict[str, Copy | None] = {}
        self.has: dict[str, Copy] = {}
        self.remarks: dict[str, str] = {}
        self.fault: str | None = None
        self._terse = Terse(log)
        self._rest = rest
        self._resting: dict[str, float] = {}
        self._due = 0.0
        self._pause = FIRST_PAUSE

    def next(self, behind: Collection[str]) -> str | None:
        """The centre that is to be shown now, none of those that are shown somewhere else before."""
        now = time.monotonic()
        if self._due > now:
            return None
        ready = (centre for centre in self.work if self._resting.get(centre, 0.0) <= now and centre not in behind)
        return next(ready, None)

    def wait(self, longest: float) -> float:
        """Seconds until there may be one, at most so many."""
        soonest = min((max(self._due, self._resting.get(centre, 0.0)) for centre in self.work), default=float("inf"))
        return max(0.05, min(longest, soonest - time.monotonic()))

    def succeeded(self, centre: str, copy: Copy | None, remark: str, seconds: float) -> None:
        """It is shown, as far as it can be."""
        self.given_up(centre, copy, remark)
        self.has.pop(centre, None)
        self._resting.pop(centre, None)
        if copy is not None:
            self.has[centre] = copy
            self._resting[centre] = time.monotonic() + min(LONGEST_REST, self._rest * seconds)
        if self.fault:
            log.info("%s: it works again", self.name)
        self.fault, self._pause = None, FIRST_PAUSE

    def given_up(self, centre: str, copy: Copy | None, remark: str) -> None:
        """It cannot be shown; what is there stays till another copy comes, which may be a better one."""
        if self.work.get(centre) is copy:
            self.work.pop(centre, None)
        if remark and self.remarks.get(centre) != remark:
            self._terse.warn(f"{centre}, {self.name}: {remark}")
        self.remarks.pop(centre, None)
        if remark:
            self.remarks[centre] = remark

    def failed(self, error: InfoproviderError) -> None:
        """Nothing can be shown there for now."""
        if self.fault != str(error):
            log.error("%s: %s", self.name, error)
        self.fault = str(error)
        self._due = time.monotonic() + self._pause
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)


class Showing:
    """What readers are given. Each of the `places` has a thread that calls `turn`; all else may be called by any."""

    def __init__(self, copies: Copies, template_set: str, tree: Tree | None, *, compare_every: float) -> None:
        self._copies = copies
        self._renderings = Renderings(template_set)
        self._tree = tree
        self._compare_every = compare_every
        self._compared = time.monotonic()
        self._changed = threading.Condition()
        self._latest: dict[str, Copy] = {}
        self._server = Place("LDAP server", self._into_tree)
        files = Place("files", self._into_file, REST)
        self.places = (self._server, files) if tree is not None else (files,)
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
            revisions = {centre: copy.position.revision for centre, copy in self.places[0].has.items()}
            remarks = {centre: words for place in self.places for centre, words in place.remarks.items()}
            faults = [place.fault for place in self.places if place.fault]
            return Shown(revisions=revisions, remarks=remarks, fault=" | ".join(faults) or None)

    def settled(self, seconds: float) -> bool:
        """Wait until all that was offered is shown, at most so long; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not any(place.work for place in self.places), seconds)

    def _give(self, centre: str, copy: Copy | None) -> None:
        with self._changed:
            self._latest.pop(centre, None)
            if copy is not None:
                self._latest[centre] = copy
            for place in self.places:
                place.work[centre] = copy
            self._changed.notify_all()

    # --- the loop --------------------------------------------------------------------------------------------------

    def turn(self, place: Place, longest: float = 5.0) -> None:
        """Show what is due at a place, or wait for something."""
        if place is self._server:
            self._compare_again()
        with self._changed:
            # The server first, for that is where somebody waits.
            is_behind = place is not self._server and self._server.fault is None
            centre = place.next(self._server.work if is_behind else ())
            if centre is None:
                self._changed.wait(place.wait(longest))
                return
            copy = place.work[centre]
        began = time.monotonic()
        try:
            remark = place.bring(centre, copy)
        except (ChannelUnreachable, StoreError) as error:
            with self._changed:
                place.failed(error)
            return
        except InfoproviderError as error:
            with self._changed:
                place.given_up(centre, copy, str(error))
                self._changed.notify_all()
            return
        with self._changed:
            place.succeeded(centre, copy, remark, time.monotonic() - began)
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
        log.debug("%s: %d added, %d changed, %d removed", centre, brought.added, brought.modified, brought.deleted)
        self._sweep(self._tree)
        return _words(brought)

    def _into_file(self, centre: str, copy: Copy | None) -> str:
        if copy is None:
            self._renderings.forget(centre)
            return ""
        self._copies.settle(copy)
        if copy.content_type is ContentType.JSON:
            self._copies.show(centre, self._renderings.entries(copy))
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
