"""Reading a vCenter in bulk beside reading one property at a time: calls and seconds.

    python benchmarks/vsphere.py              2,000 machines, on loopback and with every call 5 ms away
    python benchmarks/vsphere.py --short      what the automation runs: the second alone, and fewer machines one by one

Both ways read the same vCenter simulator (tools/testbeds/vsphere, 100 hosts) with the same library and account. Read
one at a time are five properties of each machine, as programs do that follow its objects; bulk reads all that provider
`vsphere` needs of machines, hosts, clusters, pools and datastores. Of the second way only some machines are read, and
what that takes is multiplied.

Ends with 1 where a ratio is missed.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from infoprovider.deadline import Deadline
from infoprovider.providers.vsphere import READ, VSphereSettings
from infoprovider.providers.vsphere.property_collector import Session, fetch_inventory, signed_in
from tests.system import vsphere

MACHINES = 2000
SIZES = ("-cluster", 4, "-host", 25, "-standalone-host", 0, "-vm", MACHINES // 4, "-items", 0)
SAMPLE, SHORT_SAMPLE = 400, 60
ROUNDS = 3
LEAST = {0: 2, 5: 15}
"""How many times as long reading one by one takes at least, by the delay."""


def in_bulk(session: Session) -> float:
    """Seconds for everything, at best: whatever else the machine does meanwhile costs one call more than many."""
    return min(_in_bulk(session) for _ in range(ROUNDS))


def _in_bulk(session: Session) -> float:
    began = time.perf_counter()
    found = fetch_inventory(session, READ, datetime.now(UTC))
    took = time.perf_counter() - began
    if len(found.objects["VirtualMachine"]) != MACHINES:
        sys.exit(f"{len(found.objects['VirtualMachine'])} machines were read, where {MACHINES} are")
    return took


def one_by_one(session: Session, sample: int) -> float:
    """Seconds for five properties of every machine, as far as a sample of them tells."""
    from pyVmomi import vim

    content = session.content
    machines = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True).view
    began = time.perf_counter()
    for machine in machines[:sample]:
        _ = (machine.name, machine.summary, machine.runtime, machine.capability, machine.overallStatus)
    return (time.perf_counter() - began) * MACHINES / sample


def main() -> int:
    """Measure, print a table, and say whether the ratios are kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="what the automation runs")
    is_short = parser.parse_args().short
    sample = SHORT_SAMPLE if is_short else SAMPLE
    missed = []
    print(f"{MACHINES} machines | calls | seconds | one by one | seconds | times as long")
    for delay in list(LEAST)[-1:] if is_short else LEAST:
        with ExitStack() as running:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
            simulator = vsphere.start_until(running, folder / "vcenter", *SIZES, "-delay", delay)
            settings = VSphereSettings.model_validate(simulator.settings(folder / "password"))
            session = running.enter_context(signed_in(settings, Deadline.after(600), 120))
            bulk, single = in_bulk(session), one_by_one(session, sample)
        print(f"{delay} ms a call | 3 | {bulk:.2f} | {5 * MACHINES} | {single:.1f} | {single / bulk:.0f}")
        if single < LEAST[delay] * bulk:
            missed.append(f"{delay} ms a call: {single / bulk:.1f}, where {LEAST[delay]} is the least")
    for one in missed:
        print(f"missed: {one}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
