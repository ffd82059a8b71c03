"""A process that collects from a hostile program, and tells the most memory it needed (KiB).

python parent.py WAY MARK SECONDS
"""

import logging
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from infoprovider.collection.supervisor import supervise
from infoprovider.deadline import Deadline
from infoprovider.inventory.model import Facet
from infoprovider.providers.contract import CollectContext, Failed
from infoprovider.settings import Settings

HOSTILE = Path(__file__).with_name("hostile.py")


def main() -> None:
    """Collect, then print how many answers came and how much the memory grew meanwhile."""
    way, mark, seconds = sys.argv[1:]
    context = CollectContext(
        instance="north",
        wanted=frozenset({Facet.CAPACITY, Facet.IMAGES, Facet.USAGE}),
        deadline=Deadline.after(float(seconds)),
        now=lambda: datetime.now(UTC),
        log=logging.LoggerAdapter(logging.getLogger("parent"), {}),
    )
    command = (sys.executable, "-I", "-S", str(HOSTILE), way, mark)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answers, reasons = 0, []
    for answer in supervise("none", Settings(), context, command=command):
        print("an answer", file=sys.stderr, flush=True)
        answers += 1
        reasons += [answer.reason] if isinstance(answer, Failed) else []
    print(answers, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, reasons[0])


if __name__ == "__main__":
    main()
