"""All that is kept of a centre, read in one go: facets, channels, the document, and who keeps it current."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from infoprovider.clock import Clock, Reading, as_seen_now
from infoprovider.config.model import Channel, Configuration
from infoprovider.errors import StoreError
from infoprovider.files import fault
from infoprovider.store.daemon import Daemon, DaemonStore
from infoprovider.store.deliveries import Deliveries, DeliveryStore
from infoprovider.store.document import DocumentStore, Remembered
from infoprovider.store.snapshots import SetAside, SnapshotStore
from infoprovider.views.status import PartStatus, status_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStatus:
    """How a channel stands: `delivered_at` and `failed_at` are None where that never happened.

    `failures` counts the failed deliveries since the last one that was taken, `why` is the reason of the last failure.
    """

    channel: str
    kind: str
    delivered_at: datetime | None = None
    delivery: str | None = None
    reference: str | None = None
    failed_at: datetime | None = None
    why: str | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStatus:
    """A daemon that did not end cleanly: whether it runs, since when it holds its configuration, what is wrong with it.

    Moments are as the wall clock goes now.
    """

    pid: int
    is_running: bool
    started_at: datetime
    configured_at: datetime
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A centre at the moment `now`; `unreadable` says what of it could not be read, and why."""

    now: datetime
    parts: tuple[PartStatus, ...]
    channels: tuple[ChannelStatus, ...]
    document: Remembered
    daemon: DaemonStatus | None
    set_aside: tuple[SetAside, ...]
    unreadable: tuple[str, ...]


def overview_of(configuration: Configuration, clock: Clock) -> Overview:
    """Read all that is kept; what cannot be read is said in `unreadable`, and the rest is there all the same."""
    now = clock.read()
    state = configuration.state
    snapshots = SnapshotStore(state, clock)
    deliveries = DeliveryStore(state)
    reading = _Reading()
    for folder in (state, state / "snapshots"):
        reading.of(partial(_check_readable, folder), None)
    return Overview(
        now=now.wall,
        parts=reading.of(partial(status_of, configuration, snapshots, now.wall), ()),
        channels=tuple(
            _channel(channel, reading.of(partial(deliveries.of, channel.name), Deliveries()), now)
            for channel in configuration.channels
        ),
        document=reading.of(DocumentStore(state, configuration.public).read, Remembered()),
        daemon=_daemon(reading.of(DaemonStore(state).read, None), now),
        set_aside=snapshots.set_aside(),
        unreadable=tuple(dict.fromkeys(reading.faults)),
    )


class _Reading:
    """Reads one thing after the other, and gathers why one could not be read."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def of(self, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except StoreError as error:
            self.faults.append(str(error))
            return otherwise


def _check_readable(folder: Path) -> None:
    """What a folder holds is looked for by pattern, which finds nothing where nothing may be seen."""
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot read {folder}: {fault(error)}") from error


def _channel(channel: Channel, deliveries: Deliveries, now: Reading) -> ChannelStatus:
    success, failure = deliveries.success, deliveries.failure
    return ChannelStatus(
        channel=channel.name,
        kind=channel.block.kind,
        delivered_at=_seen(success.at, now) if success else None,
        delivery=success.delivery if success else None,
        reference=success.reference if success else None,
        failed_at=_seen(failure.at, now) if failure else None,
        why=failure.why if failure else None,
        failures=deliveries.failures,
    )


def _daemon(daemon: Daemon | None, now: Reading) -> DaemonStatus | None:
    if daemon is None:
        return None
    return DaemonStatus(
        pid=daemon.pid,
        is_running=daemon.is_running,
        started_at=_seen(daemon.started, now),
        configured_at=_seen(daemon.configured, now),
        faults=daemon.faults,
    )


def _seen(moment: Reading, now: Reading) -> datetime:
    return as_seen_now(moment.wall, moment, now)
