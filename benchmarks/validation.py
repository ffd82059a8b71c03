"""Holding a file against the rules: time and peak memory of each group of rules, on one core.

    python benchmarks/validation.py                 100,000 entries
    python benchmarks/validation.py --short         what the automation runs

glue-validator is measured on the same file where it is installed; neither PyPI nor Debian has it, EGI's own package
repository does. Its reading stops at a time limit, which is set to an hour here.

Seconds depend on the machine. What is asserted is a ratio within the run: an entry of a large file may cost at most
half as much again as one of a file a tenth of its size. The goals are for 100,000 entries: 10 s for structure and
references, 20 s for the rules of the profile.
"""

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.composing import Stage, measured
from benchmarks.synthetic import NOW, centre
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.query.lenient import read_ldif
from infoprovider.render.ldif import LdifRenderer
from infoprovider.validation.engine import RULES, validate
from infoprovider.validation.rule import PROFILE, Selection, select

MOST_GROWTH = 1.5
GOALS = {"structure and references": 10, "EGI profile, every rule": 20}
_STRUCTURE = frozenset(rule.key for rule in RULES if rule.id.partition(".")[0] in ("read", "ldap", "bdii", "glue"))
GROUPS = {
    "reading alone": Selection(frozenset()),
    "structure and references": Selection(_STRUCTURE),
    "EGI profile, every rule": Selection(frozenset(rule.key for rule in RULES if rule.id.startswith(PROFILE))),
    "what is applied by default": select(RULES),
}


def write(entries: int, path: Path) -> None:
    """A synthetic centre of about so many entries, as a resource publishes it."""
    configuration, facets = centre(entries)
    path.write_bytes(LdifRenderer("resource").render(compose(configuration, facets, Former(), NOW).document))


def run(path: Path) -> tuple[int, dict[str, Stage]]:
    """Each group of rules over the file; how many entries it has, and what each group took."""
    stages = {}
    entries = 0

    def judged(selection: Selection) -> int:
        with path.open("rb") as stream:
            return validate(read_ldif(stream), selection, NOW).entries

    for name, selection in GROUPS.items():
        entries, stages[name] = measured(name, lambda chosen=selection: judged(chosen))
    return entries, stages


def report(entries: int, stages: dict[str, Stage]) -> None:
    """Print the groups as a table."""
    print(f"{'rules':30}{'seconds':>9}{'entries/s':>12}{'peak MB':>9}")
    for name, stage in stages.items():
        goal = f"  goal {GOALS[name]} s" if entries > 90_000 and name in GOALS else ""
        print(f"{name:30}{stage.seconds:9.2f}{entries / stage.seconds:12,.0f}{stage.peak:9}{goal}")


def peer(path: Path) -> Iterator[str]:
    """What glue-validator took for the same file, or that it is not there."""
    program = shutil.which("glue-validator")
    if program is None:
        yield "glue-validator: not installed (it is in EGI's package repository, not on PyPI or in Debian)"
        return
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ended = subprocess.run([program, "-f", path, "-t", "3600"], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    clock = time.monotonic() - began
    yield f"{'glue-validator':30}{seconds:9.2f}   peak {after.ru_maxrss // 1024} MB, {clock:.0f} s by the clock"
    yield f"  it said: {ended.stdout.strip()[:100]}"


def main() -> int:
    """Measure, print, and say by the exit code whether the ratio holds."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--entries", type=int, default=100_000)
    arguments.add_argument("--short", action="store_true", help="10,000 entries")
    arguments.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    entries = 10_000 if options.short else options.entries
    if options.write:
        write(entries, options.write)
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; one core is used\n")
    costs = []
    with tempfile.TemporaryDirectory() as folder:
        for size in (entries // 10, entries):
            path = Path(folder) / f"{size}.ldif"
            # In a process of its own, whose memory is gone when this one's is measured.
            subprocess.run([sys.executable, __file__, "--entries", str(size), "--write", path], check=True)
            found, stages = run(path)
            print(f"{found} entries, {path.stat().st_size / found:.0f} bytes each")
            report(found, stages)
            print()
            costs.append(stages["what is applied by default"].seconds / found)
        print("\n".join(peer(path)))
    growth = costs[1] / costs[0]
    holds = growth <= MOST_GROWTH
    print(f"cost of an entry, large file to small: {growth:.2f} (at most {MOST_GROWTH}): {'ok' if holds else 'MISSED'}")
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
