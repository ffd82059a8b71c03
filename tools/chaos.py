"""Messages under faults, for as long as one likes: the long version of tests/system/test_stream_chaos.py.

    python -m tools.chaos DIR [--faults 1000] [--changes 8000] [--minutes 120] [--seed 7]

Starts a broker, a publisher and three receivers below DIR, lets things change and go wrong, and says at the end what
every receiver has seen. A fault takes about five seconds. Ends with 1 where a receiver showed what was never published,
went back, refused something, or does not have what was published last.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from tests.system import activemq
from tests.system.chaos import CENTRE, Story, chaos, plan, told


def report(story: Story) -> bool:
    """Say what was seen; whether all of it is as it should be."""
    here = story.chaos
    print(
        f"\n{here.publisher.steps} changes, {here.unconfirmed} deliveries not confirmed, faults: {dict(here.happened)}"
    )
    print(f"seconds till near: late {story.seconds['late']:.0f}, away {story.seconds['away']:.0f}\n")
    print(
        "| receiver | documents shown | wrong | refused | conflicts | equal in the end |\n| --- " + "| ---: " * 5 + "|"
    )
    held = True
    for name, receiver in zip(("steady", "late", "away"), story.receivers, strict=True):
        counts = Counter(receiver.state["counts"])
        is_equal = (receiver.folder / f"{CENTRE}.json").read_bytes() == here.current
        held = held and is_equal and not receiver.wrong and not counts["refused"] and not counts["conflict"]
        print(
            f"| {name} | {len(receiver.seen)} | {len(receiver.wrong)} | {counts['refused']} "
            f"| {counts['conflict']} | {'yes' if is_equal else 'NO'} |"
        )
        for one in receiver.wrong:
            print(f"{name}: {one}", file=sys.stderr)
    return held


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=8000)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    folder = asked.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * asked.minutes
    with activemq.running(folder / "broker") as broker, chaos(folder, broker, asked.seed) as here:
        faults = plan(asked.faults, here.chance)
        held = [report(story) for story in told(here, faults, asked.changes, say, end)]
    return 0 if all(held) and held else 1


def say(line: str) -> None:
    """Show how far it is."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
