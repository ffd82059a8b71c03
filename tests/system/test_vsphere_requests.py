"""What reading a vCenter costs it, and that it tells what changes by itself."""

import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider.collection.child import collect
from infoprovider.deadline import Deadline
from infoprovider.inventory.model import Facet
from infoprovider.providers.contract import Answer, CollectContext, Failed, Observed, WatchContext
from infoprovider.providers.vsphere import SPEC, VSphereSettings
from tests.system import vsphere
from tests.system.answers import by_key, read_ldif
from tests.system.demo import COMMAND
from tests.system.vsphere import Simulator

pytestmark = pytest.mark.vsphere

LONGEST = 60.0
LOG = logging.LoggerAdapter(logging.getLogger(__name__), {})


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Simulator]]:
    """Starts simulators that end with the test."""
    with ExitStack() as running:
        yield lambda *options: vsphere.start_until(running, tmp_path / "-".join(map(str, options)), *options)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods that the library calls, as it puts them on the wire."""
    from pyVmomi import SoapStubAdapter

    invoked: list[str] = []
    invoke = SoapStubAdapter.InvokeMethod

    def counted(stub: Any, reference: Any, method: Any, *arguments: Any) -> Any:
        invoked.append(method.wsdlName)
        return invoke(stub, reference, method, *arguments)

    monkeypatch.setattr(SoapStubAdapter, "InvokeMethod", counted)
    return invoked


def answers(simulator: Simulator, folder: Path) -> list[Answer]:
    """One collection of everything."""
    context = CollectContext(
        instance="cloud",
        wanted=SPEC.facets,
        deadline=Deadline.after(LONGEST),
        now=lambda: datetime.now(UTC),
        log=LOG,
    )
    settings = VSphereSettings.model_validate(simulator.settings(folder / "password"))
    found = list(collect(SPEC, settings, context))
    assert [one for one in found if isinstance(one, Failed)] == []
    return found


def test_ten_times_as_many_machines_cost_no_further_call(
    start: Callable[..., Simulator], called: list[str], tmp_path: Path
) -> None:
    """Nor do ten times as many hosts: what is called is the same, word for word."""
    few = start("-cluster", 1, "-host", 4, "-vm", 20, "-standalone-host", 0)
    answers(few, tmp_path)
    costs = called.copy()
    assert costs == [
        *("RetrieveServiceContent", "Login", "CreateContainerView", "RetrievePropertiesEx", "DestroyView"),
        *("QueryConfigOption", "Logout"),
    ]
    for options in (("-host", 4, "-vm", 200), ("-host", 40, "-vm", 200)):
        called.clear()
        found = answers(start("-cluster", 1, "-standalone-host", 0, *options), tmp_path)
        assert called == costs
        [machines] = [one.value for one in found if isinstance(one, Observed) and one.facet is Facet.MACHINES]
        assert len(machines.machines) == 180  # type: ignore[union-attr]


@pytest.mark.shows("vsphere", "events of the manager", by="simulator")
def test_a_host_that_changes_is_told(start: Callable[..., Simulator], tmp_path: Path) -> None:
    """By the server, while nobody asks."""
    simulator = start("-vm", 1)
    settings = VSphereSettings.model_validate(simulator.settings(tmp_path / "password"))
    assert SPEC.watch is not None
    events = SPEC.watch(settings, WatchContext(instance="cloud", deadline=Deadline.after(LONGEST), log=LOG))
    is_told = threading.Event()

    def change() -> None:
        # The first answer has to be there before a change is one; when that is, only the server knows.
        for maintenance in (True, False) * int(LONGEST):
            simulator.set_host("DC0_C0_H1", maintenance=maintenance)
            if is_told.wait(0.5):
                return

    changing = threading.Thread(target=change)
    changing.start()
    try:
        assert next(iter(events)) == {Facet.HYPERVISORS, Facet.CAPACITY}
    finally:
        is_told.set()
        changing.join()


def test_the_daemon_publishes_a_change_at_once(start: Callable[..., Simulator], tmp_path: Path) -> None:
    """A host that goes into maintenance is published long before the next round, which is an hour away."""
    simulator = start("-vm", 2)
    (tmp_path / "ldif").mkdir()
    instance = {
        "name": "north",
        "kind": "vsphere",
        "every": "1h",
        "defaults": {"os_family": "linux"},
        "settings": simulator.settings(tmp_path / "password"),
    }
    written = {"centre": {"name": "RC-EVENTS"}, "collection": {"pause": "1s"}, "instances": [instance]}
    channel = {"name": "out", "kind": "bdii", "every": "1s", "settings": {"folder": "ldif"}}
    (tmp_path / "centre.yaml").write_text(yaml.safe_dump(written | {"channels": [channel]}))
    with (tmp_path / "log").open("wb") as log:
        daemon = subprocess.Popen([COMMAND, "run", "centre.yaml"], cwd=tmp_path, stdout=log, stderr=log, env=os.environ)
        try:
            assert eventually(lambda: slots(tmp_path) == 8 * 32), (tmp_path / "log").read_text()
            deadline = time.monotonic() + LONGEST
            while slots(tmp_path) != 7 * 32 and time.monotonic() < deadline:
                # Again and again, for nobody knows when the daemon has begun to listen.
                simulator.set_host("DC0_C0_H1", maintenance=False)
                simulator.set_host("DC0_C0_H1", maintenance=True)
                eventually(lambda: slots(tmp_path) == 7 * 32, 5)
            assert slots(tmp_path) == 7 * 32, (tmp_path / "log").read_text()
        finally:
            daemon.terminate()
            daemon.wait(LONGEST)


def eventually(holds: Callable[[], bool], seconds: float = LONGEST) -> bool:
    """Whether something comes about in time."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.2)
    return holds()


def slots(folder: Path) -> int:
    """The vCPUs that are published now."""
    files = list((folder / "ldif").glob("*.ldif"))
    entries = [by_key(one) for file in files for one in read_ldif(file.read_text()).values()]
    return next((int(*one[name]) for one in entries for name in one if name.endswith("TotalSlots")), 0)
