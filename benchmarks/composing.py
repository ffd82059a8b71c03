"""From facets to a checked LDIF: time and peak memory of each stage, on one core.

    python benchmarks/composing.py                 100,000 entries
    python benchmarks/composing.py --entries 5000
    python benchmarks/composing.py --short         what the automation runs

Seconds depend on the machine, so none is asserted. What is asserted is a ratio within the run: an entry of a large
centre may cost at most half as much again as one of a centre a tenth of its size.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.synthetic import NOW, centre
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.render.ldif import LdifRenderer
from infoprovider.validation.rendering import check_rendering

MOST_GROWTH = 1.5


@dataclass(frozen=True)
class Stage:
    """One stage: its CPU seconds, and the process's peak memory in MB while it ran."""

    name: str
    seconds: float
    peak: int


def measured(name: str, work: Callable[[], Any]) -> tuple[Any, Stage]:
    """Run one stage; the kernel's record of the peak is reset before it."""
    Path("/proc/self/clear_refs").write_text("5")
    began = time.process_time()
    result = work()
    return result, Stage(name, time.process_time() - began, _peak())


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def run(entries: int) -> tuple[int, list[Stage]]:
    """All stages for a centre of about so many entries; how many there are, and what each stage took."""
    configuration, facets = centre(entries)
    composition, composing = measured("compose", lambda: compose(configuration, facets, Former(), NOW))
    document = composition.document
    body, rendering = measured("render", lambda: LdifRenderer("resource").render(document))
    _, checking = measured("read back and check", lambda: check_rendering(document, body))
    count = len(document.made)
    lines = body.count(b"\n")
    print(f"{count} entries, {lines / count:.0f} lines and {len(body) / count:.0f} bytes each")
    return count, [composing, rendering, checking]


def report(count: int, stages: list[Stage]) -> float:
    """Print the stages as a table; the seconds of all."""
    print(f"{'stage':22}{'seconds':>9}{'entries/s':>12}{'peak MB':>9}")
    for stage in stages:
        print(f"{stage.name:22}{stage.seconds:9.2f}{count / stage.seconds:12,.0f}{stage.peak:9}")
    whole = sum(stage.seconds for stage in stages)
    print(f"{'all':22}{whole:9.2f}{count / whole:12,.0f}{max(stage.peak for stage in stages):9}\n")
    return whole


def main() -> int:
    """Measure, print, and say by the exit code whether the ratio holds."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--entries", type=int, default=100_000)
    arguments.add_argument("--short", action="store_true", help="10,000 entries")
    options = arguments.parse_args()
    entries = 10_000 if options.short else options.entries
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; one core is used\n")
    small, stages = run(max(1, entries // 10))
    cost_of_small = report(small, stages) / small
    large, stages = run(entries)
    growth = report(large, stages) / large / cost_of_small
    holds = growth <= MOST_GROWTH
    print(
        f"cost of an entry, large centre to small: {growth:.2f} (at most {MOST_GROWTH}): {'ok' if holds else 'MISSED'}"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
