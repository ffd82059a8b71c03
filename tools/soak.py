"""Keep a centre published under faults every few seconds, and write the table of docs/reliability.md.

python -m tools.soak [--minutes 30] [--seed 1]

The table is written where the centre was kept for half an hour at least.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.reliability.soak import Soaked, soak, worse

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
MADE = re.compile(r"(<!-- made: soak -->\n).*?(<!-- end -->\n)", re.DOTALL)
MARK = 5.0
"""Minutes after which memory is held against."""

WORTH_TELLING = 30.0


def table(soaked: Soaked, minutes: float) -> Iterator[str]:
    """What was held at both quiet moments, and what was done meanwhile."""
    early, late, most = soaked.early, soaked.late, soaked.most
    yield f"| of the daemon | after {MARK:g} minutes | after {minutes:g} minutes | most in between |"
    yield "| --- | --- | --- | --- |"
    yield f"| resident memory | {early.rss / 1024:.1f} MiB | {late.rss / 1024:.1f} MiB | {most.rss / 1024:.1f} MiB |"
    yield f"| open descriptors | {early.descriptors} | {late.descriptors} | {most.descriptors} |"
    yield f"| threads | {early.threads} | {late.threads} | {most.threads} |"
    yield ""
    yield (
        f"{soaked.faults} faults; the published file was read {soaked.reads} times in {soaked.versions} versions, each "
        f"whole and with all that was last-good; of {soaked.samples} samples none had a dead process that was there in "
        "the one before; exit code 0."
    )


def main() -> None:
    """Soak, and put the table where the page has its place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soaked = soak(Path(folder), 60 * asked.minutes, 60 * MARK, asked.seed, lambda line: print(line, flush=True))
    text = "\n".join(table(soaked, asked.minutes))
    print(text)
    if found := worse(soaked):
        sys.exit("\n".join(found))
    if asked.minutes >= WORTH_TELLING:
        PAGE.write_text(MADE.sub(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", PAGE.read_text()))


if __name__ == "__main__":
    main()
