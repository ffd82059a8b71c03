"""Follow changes of a real OpenStack up to a top BDII, and write the tables of docs/freshness.md.

python -m tools.freshness DIR [--minutes 15] [--changes 20] [--seed 1]

starts the testbed in DIR and three daemons: two with three BDIIs each, one with stock settings and one tuned, and one
that asks every ten seconds and sends messages, from which `infoprovider follow` keeps a slapd. Then it makes
the changes at random moments, and waits until the last one is at the top: about half an hour.
"""

import argparse
import json
import os
import random
import re
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.system import changes, openstack
from tests.system.tracking import STOCK, TUNED, Line, Tracked, measure
from tests.system.tracking_followed import FOLLOWED, FollowedLine

PAGE = Path(__file__).parents[1] / "docs" / "freshness.md"
MADE = re.compile(r"(<!-- made: measured -->\n).*?(<!-- end -->\n)", re.DOTALL)
REACHED = {
    "collected": "what infoprovider keeps",
    "published": "the published file",
    "resource": "resource BDII",
    "site": "site BDII",
    "top": "top BDII",
    "received": "the receiver's copy",
    "followed": "top-level slapd, through `follow`",
}


def three(seconds: Iterable[float]) -> str:
    """Min, median and max, as cells."""
    found = sorted(seconds)
    return " | ".join(f"{number:.0f} s" for number in (found[0], statistics.median(found), found[-1]))


def by_level(lines: Sequence[Line]) -> Iterator[str]:
    """One row for each level: all changes of each line."""
    yield f"| until it was seen in | {' | '.join(f'{one.settings.name}: min | median | max' for one in lines)} |"
    yield "| --- " * (1 + 3 * len(lines)) + "|"
    for level in REACHED:
        cells = (
            three(one.delay(level) for one in line.tracked) if level in line.levels else " |  | " for line in lines
        )
        yield f"| {REACHED[level]} | {' | '.join(cells)} |"


def by_kind(lines: Sequence[Line]) -> Iterator[str]:
    """One row for each kind of change: how long it took to the top, and how long it might have taken."""
    heads = (f"{one.settings.name}: min | median | max | bound" for one in lines)
    yield f"| until it was at the top | facet | changes | {' | '.join(heads)} |"
    yield "| --- " * (3 + 4 * len(lines)) + "|"
    for name in sorted({one.name for one in lines[0].tracked}):
        facet = next(one.evidence.facet for one in lines[0].tracked if one.name == name)
        found = [[one for one in line.tracked if one.name == name] for line in lines]
        cells = (
            f"{three(one.delay(line.levels[-1]) for one in of_line)} | {line.bound(facet):.0f} s"
            for line, of_line in zip(lines, found, strict=True)
        )
        yield f"| {name} | `{facet.value}` | {len(found[0])} | {' | '.join(cells)} |"


def too_late(lines: Sequence[Line]) -> list[str]:
    """Changes that took longer than docs/freshness.md allows."""
    return [
        f"{line.settings.name}: {one.name} took {one.delay(line.levels[-1]):.0f} s, "
        f"bound {line.bound(one.evidence.facet):.0f} s"
        for line in lines
        for one in line.tracked
        if one.delay(line.levels[-1]) > line.bound(one.evidence.facet)
    ]


def page(lines: Sequence[Line], minutes: float, loads: Sequence[float]) -> str:
    """What stands between the marks."""
    made = f"{len(lines[0].tracked)} changes within {minutes:g} minutes"
    load = f"load of the machine when they were made: {min(loads):.0f} to {max(loads):.0f} on {os.cpu_count()} cores"
    return "\n".join(["", f"{made}; {load}.", "", *by_level(lines), "", *by_kind(lines), "", ""])


def raw(tracked: Tracked) -> dict[str, object]:
    """One change, as it is kept beside the tables."""
    return {"change": tracked.name, **{level: round(tracked.delay(level), 1) for level in tracked.levels}}


def numbers(folder: Path) -> dict[str, object]:
    """How much there is in the cloud: enough projects and hosts that no two changes concern the same one."""
    hosts = folder / "hosts.json"
    kind = {"type": "QEMU", "version": 8002000, "vcpus": 16, "local_gb": 500}
    hosts.write_text(json.dumps({name: kind | {"memory_mb": memory} for name, memory in changes.HOSTS.items()}))
    return {"HOSTS": str(hosts), "PROJECTS": 9, "FLAVORS": 6, "IMAGES": 6, "SERVERS": 9, "ODD": 0}


def follow(cloud: openstack.Cloud, folder: Path, minutes: float, number: int, seed: int) -> str:
    """Measure all of it; the text for the page. Exits where something was later than it may be."""
    waiting = changes.prepared(cloud, number)
    say("the changes are prepared")
    lines = [Line(cloud, folder / settings.name, settings, say) for settings in (STOCK, TUNED)]
    lines.append(FollowedLine(cloud, folder / FOLLOWED.name, FOLLOWED, say))
    loads = measure(lines, waiting, 60 * minutes, random.Random(seed), say)  # noqa: S311  (chance is enough)
    found = {line.settings.name: [raw(one) for one in line.tracked] for line in lines}
    (folder / "measured.json").write_text(json.dumps(found, indent=1))
    if late := too_late(lines):
        sys.exit("\n".join(late))
    return page(lines, minutes, loads)


def say(line: str) -> None:
    """Show how far it is."""
    print(line, flush=True)


def main() -> None:
    """Measure, and put the tables where the page has its place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        cloud = openstack.start_until(running, asked.folder / "cloud", **numbers(asked.folder))
        say("the cloud runs")
        text = follow(cloud, asked.folder, asked.minutes, asked.changes, asked.seed)
    say(text)
    PAGE.write_text(MADE.sub(lambda match: f"{match[1]}{text}{match[2]}", PAGE.read_text()))


if __name__ == "__main__":
    main()
