"""Some changes in a large tree through `follow`, beside a cycle of bdii-update that does the same: seconds and memory.

    python benchmarks/following.py [--entries 100000] [--changes 1000] [--rounds 3] [--short]

Both keep a slapd with the configuration of a top BDII: the same schema, indices and size. bdii-update reads the LDIF of
the centre from its folder of static files, and what is measured of it is its cycle, from `Starting Update` to the sleep
after it, by its own log. `follow` gets the message with the changes, compressed and as it comes from a broker, and has
done when they are on disk, synchronised, and slapd has answered the last modification; for a stream of JSON that
includes rendering. The whole files of a large centre are written beside that, and less often. After each round both
servers are asked whether they have every change. The two run one after the other, each alone. Memory is the most that a
process had, over all.

Ends with 1 where a ratio is missed.
"""

import argparse
import multiprocessing
import os
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import synthetic
from infoprovider.clock import Clock
from infoprovider.config.following import FollowingFile, LdapSettings, LimitSettings
from infoprovider.messaging.broker import BrokerSettings
from infoprovider.messaging.connection import Received
from infoprovider.messaging.units import ContentType, document_of, units_of
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.reception.copies import Copies
from infoprovider.reception.names import all_served
from infoprovider.reception.receiver import Receiver
from infoprovider.reception.showing import Place, Showing
from infoprovider.reception.tree import Tree
from infoprovider.render.json import render_json
from infoprovider.render.ldif import LdifRenderer
from infoprovider.secret import Secret
from tests.reception.messages import Publisher
from tests.system.bdii import Bdii, start, start_slapd

CENTRE = "RC-SYNTHETIC"
PATIENCE = 1800.0
"""Seconds for whatever is waited for."""

STAMP = b"2026-01-15T12:00:00Z"
CREATED = b'"CreationTime":"%s"', b"GLUE2EntityCreationTime: %s"
"""How the stamp that is changed stands in JSON and in LDIF."""


@dataclass(frozen=True)
class States:
    """The document of every round, in both formats; each differs from the former in so many entities."""

    json: list[dict[str, bytes]]
    ldif: list[dict[str, bytes]]
    stamps: list[str]


@dataclass
class Measured:
    """One way: seconds to fill an empty server, seconds of each round, the most memory of processes in MB."""

    load: float = 0.0
    rounds: list[float] = field(default_factory=list)
    program: float = 0.0
    slapd: float = 0.0


def states(entries: int, changes: int, rounds: int) -> States:
    """A centre of about so many entries, and how it changes."""
    configuration, facets = synthetic.centre(entries)
    document = compose(configuration, facets, Former(), synthetic.NOW).document
    found = States(
        [units_of(render_json(document.entities), ContentType.JSON)],
        [units_of(LdifRenderer("site").render(document), ContentType.LDIF)],
        [],
    )
    names = {dn.partition(",")[0].partition("=")[2]: dn for dn in found.ldif[0] if not dn.startswith("GLUE2GroupID")}
    known = sorted(id_ for id_, unit in found.json[0].items() if CREATED[0] % STAMP in unit and id_ in names)
    for number in range(1, rounds + 1):
        stamp = b"2026-02-01T%02d:00:00Z" % number
        chosen = random.Random(number).sample(known, changes)
        made = []
        for units, keys, form in (
            (found.json[0], chosen, CREATED[0]),
            (found.ldif[0], map(names.get, chosen), CREATED[1]),
        ):
            changed = {key: units[key].replace(form % STAMP, form % stamp) for key in keys if key}
            made.append(units | changed)
        found.json.append(made[0])
        found.ldif.append(made[1])
        found.stamps.append(stamp.decode())
    return found


def highest(pid: int) -> float:
    """The most memory that a process had, in MB."""
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def check(bdii: Bdii, stamp: str, changes: int, entries: int) -> None:
    """Whether the server has every change, and nothing else was lost."""
    base = f"GLUE2DomainID={CENTRE},GLUE2GroupID=grid,o=glue"
    changed = bdii.search(base, f"(GLUE2EntityCreationTime={stamp})", "1.1").count("dn:")
    there = bdii.search(base, "(objectClass=*)", "1.1").count("dn:")
    if (changed, there) != (changes, entries):
        sys.exit(f"{bdii.url} has {changed} of {changes} changes and {there} of {entries} entries")


# --- bdii-update ---------------------------------------------------------------------------------------------------


def cycles(bdii: Bdii) -> list[tuple[float, float]]:
    """When each finished cycle began, and how many seconds it took, by the updater's log."""
    began: datetime | None = None
    found = []
    for line in (bdii.work / "log" / "bdii-update.log").read_text().splitlines():
        if line.endswith("Starting Update"):
            began = datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f")
        elif "Sleeping for" in line and began is not None:
            ended = datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f")
            found.append((began.timestamp(), (ended - began).total_seconds()))
    return found


def finished(bdii: Bdii, since: float) -> float:
    """Seconds of the first cycle that began after this moment, once it is finished."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for began, seconds in cycles(bdii):
            if began > since:
                return seconds
        time.sleep(0.1)
    sys.exit("no cycle of bdii-update has finished")


def through_bdii(work: Path, all_states: States, changes: int) -> Measured:
    """Load a top BDII, and have it take each round's file."""
    measured = Measured()
    folder = work / "ldif"
    folder.mkdir(parents=True)

    def put(entries: Mapping[str, bytes]) -> None:
        beside = folder / f".{CENTRE}"
        beside.write_bytes(document_of(all_served(CENTRE, entries), ContentType.LDIF))
        beside.replace(folder / f"{CENTRE}.ldif")

    first, *later = all_states.ldif
    put(first)
    since = time.time()
    bdii = start(work / "bdii", "--level", "top", "--ldif", str(folder), "--breathe", "3")
    try:
        measured.load = finished(bdii, since)
        for entries, stamp in zip(later, all_states.stamps, strict=True):
            put(entries)
            measured.rounds.append(finished(bdii, time.time()))
            check(bdii, stamp, changes, len(entries))
        measured.program = highest(int((bdii.work / "run" / "bdii-update.pid").read_text()))
        measured.slapd = highest(int((bdii.work / "run" / "slapd.pid").read_text()))
    finally:
        bdii.stop()
    return measured


# --- follow --------------------------------------------------------------------------------------------------------


def receive(line: Connection, folder: Path, url: str) -> None:
    """A process that follows: takes messages from the line instead of a broker."""
    ldap = LdapSettings(url=url, password=Secret(value="secret"), timeout=PATIENCE, compare_every=PATIENCE)
    settings = FollowingFile(
        broker=BrokerSettings(brokers=("127.0.0.1:1",), plain=True),
        folder=folder,
        limits=LimitSettings(message_bytes=2**30, document_bytes=2**33),
    )
    copies = Copies(folder)
    showing = Showing(copies, settings.templates, Tree(ldap), compare_every=PATIENCE)
    receiver = Receiver(settings, copies, showing, Clock())
    ended = threading.Event()

    def show(place: Place) -> None:
        while not ended.is_set():
            showing.turn(place, 1.0)

    with copies.writing():
        receiver.load()
        threads = [threading.Thread(target=show, args=(place,)) for place in showing.places]
        for thread in threads:
            thread.start()
        while messages := line.recv():
            began = time.perf_counter()
            acknowledged = [done for message in messages for done in receiver.take(message)]
            revision = receiver.revision_of(CENTRE)
            while showing.shown().revisions.get(CENTRE) != revision:
                time.sleep(0.002)
            seconds = time.perf_counter() - began
            if revision == 1:  # what is written after a snapshot is no part of what comes later
                showing.settled(PATIENCE)
            line.send((seconds, len(acknowledged) == len(messages), highest(os.getpid())))
        ended.set()
        for thread in threads:
            thread.join()
        showing.close()


@contextmanager
def receiver_of(folder: Path, slapd: Bdii) -> Iterator[Connection]:
    """The line to such a process."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    child = spawning.Process(target=receive, args=(theirs, folder, slapd.url))
    child.start()
    try:
        yield ours
    finally:
        ours.send(None)
        child.join()


def through_follow(work: Path, all_states: States, content_type: ContentType, changes: int) -> Measured:
    """Fill an empty slapd by a snapshot, and have each round's delta taken."""
    measured = Measured()
    first, *later = all_states.json if content_type is ContentType.JSON else all_states.ldif
    publisher = Publisher(CENTRE, content_type)
    slapd = start_slapd(work / "slapd")
    try:
        with receiver_of(work / "follow", slapd) as line:

            def taken(messages: list[Received]) -> float:
                line.send(messages)
                seconds, is_done, measured.program = line.recv()
                if not is_done:
                    sys.exit("a message was not taken")
                return float(seconds)

            measured.load = taken(publisher.snapshot(first, part_bytes=8 * 2**20))
            for units, stamp, entries in zip(later, all_states.stamps, all_states.ldif[1:], strict=True):
                measured.rounds.append(taken([publisher.delta(units)]))
                check(slapd, stamp, changes, len(entries))
        measured.slapd = highest(int((slapd.work / "run" / "slapd.pid").read_text()))
    finally:
        slapd.stop()
    return measured


# --- report --------------------------------------------------------------------------------------------------------


def report(ways: Mapping[str, Measured], least: float) -> bool:
    """Print the table; whether both ratios are held."""
    print("\n| | fill an empty server, s | changes, s | program, MB | slapd, MB |\n| --- | ---: | ---: | ---: | ---: |")
    for name, one in ways.items():
        seconds = statistics.median(one.rounds)
        print(f"| {name} | {one.load:.1f} | {seconds:.2f} | {one.program:,.0f} | {one.slapd:,.0f} |")
    print()
    bdii, *others = ways.items()
    held = True
    for name, one in others:
        ratio = statistics.median(bdii[1].rounds) / statistics.median(one.rounds)
        held = held and ratio >= least
        print(f"{'ok    ' if ratio >= least else 'MISSED'}  {name}: {ratio:.1f} x as fast, at least {least:g} x")
    return held


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--least", type=float, default=20.0, help="the ratio that must be reached")
    parser.add_argument("--short", action="store_true", help="10,000 entries, 100 changes")
    options: Any = parser.parse_args()
    if options.short:
        options.entries, options.changes, options.least = 10_000, 100, 5.0
    all_states = states(options.entries, options.changes, options.rounds)
    whole = all_states.ldif[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{len(whole):,} entries, {sum(map(len, whole.values())) / 1e6:.0f} MB of LDIF; {options.changes} changes")
    with tempfile.TemporaryDirectory(prefix="following-") as folder:
        work = Path(folder)
        ways = {"bdii-update": through_bdii(work / "bdii", all_states, options.changes)}
        for content_type in ContentType:
            name = f"follow, a stream of {content_type.name}"
            ways[name] = through_follow(work / content_type.name, all_states, content_type, options.changes)
        held = report(ways, options.least)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
