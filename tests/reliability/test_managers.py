"""Managers that fail in every way, side by side in one daemon: marked, withdrawn, and nobody is taken along."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infoprovider.cli import control
from infoprovider.inventory.model import Facet
from tests.certificate import Authority
from tests.providers.openstack_recorded import PASSWORD, Fault, Recorded, serving
from tests.reliability.centre import Centre, telling
from tests.reliability.published import Entries, Reader, health, of
from tests.reliability.running import Told, running, scraped, told, value
from tests.system.bdii import free_port
from tests.waiting import until

SOUND = ("program", "cloud")
TEN = "ten"
FAILING_PROJECT = "ten-p3"
PUBLISHED_FOR = 40.0
DEADLINE = 8.0
HALF = '{"flavors": [{"id": "1", "name": "ti'
WRONG = (
    '{"flavors": 7, "hypervisors": {"none": null}, "images": "soup", "networks": [1], "projects": [[]], "version": 3}'
)

FAULTS: dict[str, dict[str, Fault]] = {
    "slow": {"^GET (?!identity)": Fault(takes=600)},
    "dripping": {"^GET (?!identity)": Fault(drips=True)},
    "refused": {"^GET compute": Fault(401, '{"error": {"code": 401}}')},
    "broken": {".": Fault(500)},
    "half": {"^GET (?!identity)": Fault(text=HALF, cut=True)},
    "wrong": {"^GET (?!identity)": Fault(text=WRONG)},
}
"""By instance, what its services answer in place of what they should."""

SILENT = ("down", "certificate", *FAULTS)
"""Those that tell nothing any more."""

SAID = {
    "down": "Connection refused",
    "slow": "did not answer in time",
    "dripping": "deadline",
    "refused": "the token has expired meanwhile",
    "broken": "answered with error 500",
    "half": "the connection broke",
    "wrong": "look at what stands between us and",
    "certificate": "certificate has expired",
    "ten": "HTTP 500",
}
"""By instance, what of the reason the operator gets in any case."""


class Clouds:
    """An OpenStack for each way of failing, all of them well until `fail`."""

    def __init__(self, folder: Path) -> None:
        self._running = {name: ExitStack() for name in ("cloud", "down", "certificate", *FAULTS)}
        self._authority = Authority(folder)
        tls = {"certificate": self._authority.context}
        self.clouds = {name: self._started(name, tls.get(name)) for name in self._running}

    def fail(self) -> None:
        """Let each fail in its own way."""
        for name, faults in FAULTS.items():
            self.clouds[name].faults.update(faults)
        self._running["down"].close()
        self._authority.sign(days=-1)

    def heal(self) -> None:
        """Let all be well."""
        for cloud in self.clouds.values():
            cloud.faults.clear()
        self._started("down", port=int(self.clouds["down"].url.rpartition(":")[2]))
        self._authority.sign(days=2)

    def close(self) -> None:
        """End them."""
        for one in self._running.values():
            one.close()

    def instance(self, name: str) -> dict[str, Any]:
        """The block of one in the configuration."""
        settings = self.clouds[name].settings("admin")
        if name == "certificate":
            settings["ca_file"] = str(self._authority.certificate)
        return {
            "name": name,
            "kind": "openstack",
            "every": 5.0 if name in SOUND else 15.0,
            "deadline": 30.0 if name in SOUND else DEADLINE,
            "defaults": {"platform": "amd64", "os_family": "linux"},
            "settings": settings,
        }

    def community(self, name: str) -> dict[str, Any]:
        """A community that works in its one project."""
        project = self.clouds[name].projects()["admin"]
        return {"name": f"vo.{name}", "projects": [{"instance": name, "project": project}]}

    def _started(self, name: str, tls: Any = None, port: int = 0) -> Recorded:
        return self._running[name].enter_context(serving("admin", tls, port))


@dataclass(frozen=True)
class Stage:
    """What was published at one moment, and what the operator was told."""

    published: Entries
    told: Told


@dataclass(frozen=True)
class Story:
    """While all was well, when the faults showed, when their time was over, and when they were gone."""

    well: Entries
    marked: Stage
    withdrawn: Stage
    healed: Entries
    counted: str
    log: str


def failing_ten() -> list[str]:
    """Nine projects of ten are told, one is not."""
    failed = {
        f'"facet": "{facet}", "part": "{FAILING_PROJECT}"': json.dumps(
            {"answer": "failed", "facet": facet, "part": FAILING_PROJECT, "reason": "HTTP 500"}
        )
        for facet in ("quotas", "usage")
    }
    return [next((wrong for about, wrong in failed.items() if about in one), one) for one in telling(TEN, 10)]


def poke(centre: Centre, *names: str) -> None:
    """Let these be asked at once."""
    for name in names:
        assert "poked" in control.ask(centre.state, {"poke": name, "facets": list(Facet)})


def complete(entries: Entries, names: tuple[str, ...]) -> bool:
    """Whether all endpoints of all instances are well, and each has its images, types and shares."""
    return all(
        health(entries, name)[0] == {"ok"}
        and any("GLUE2ShareID=" in dn for dn in of(entries, name))
        and any("GLUE2ResourceID=" in dn for dn in of(entries, name))
        for name in names
    )


def all_marked(entries: Entries) -> bool:
    """Whether the last attempt at each of the failing ended; one that had begun before the faults tells a part."""
    silent = all(health(entries, name)[0] == {"critical"} for name in SILENT)
    return silent and health(entries, TEN)[0] == {"warning"}


def lasting(well: Entries) -> frozenset[str]:
    """The entries of which nothing has failed."""
    lost = frozenset(dn for name in SILENT for dn in of(well, name))
    return frozenset(dn for dn in well if f":{FAILING_PROJECT}" not in dn) - lost


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """All of it happens to one daemon, whose file is read all the time."""
    folder = tmp_path_factory.mktemp("managers")
    clouds = Clouds(folder)
    os.environ["RECORDED_PASSWORD"] = PASSWORD
    try:
        yield told_story(folder, clouds)
    finally:
        del os.environ["RECORDED_PASSWORD"]
        clouds.close()


def all_expired(stage: Stage) -> Stage | None:
    """The stage, if nothing of the silent may be published any more."""
    states = [state for name in SILENT for found in stage.told.states(name).values() for state in found]
    return stage if set(states) == {"expired"} else None


def told_story(folder: Path, clouds: Clouds) -> Story:
    """The stages of the story, one after the other."""
    (folder / "centre").mkdir()
    centre = Centre(folder / "centre", SOUND[0], TEN, projects=10)
    names = (*SOUND, TEN, *SILENT)
    port = free_port()
    centre.published_for(3600)
    centre.write(
        metrics={"port": port},
        instances=[
            centre.managers[SOUND[0]].instance(deadline=30.0),
            centre.managers[TEN].instance(deadline=30.0),
            *(clouds.instance(name) for name in clouds.clouds),
        ],
        communities=[*centre.written["communities"], *(clouds.community(name) for name in clouds.clouds)],
    )
    with Reader(centre.bdii) as reader, running(centre) as daemon:
        until(lambda: complete(reader.now(), names), "everything is published, and well")
        well = reader.now()
        reader.expect(well)
        clouds.fail()
        centre.managers[TEN].tells(*failing_ten())
        poke(centre, *SILENT)
        until(lambda: all_marked(reader.now()), "all are marked")
        marked = Stage(reader.now(), told(centre))

        reader.expect(lasting(well))
        # However long that took: from now on, their time is over after this.
        centre.published_for(PUBLISHED_FOR)
        daemon.reload()
        until(lambda: not any(of(reader.now(), name) for name in SILENT), "the silent are withdrawn")
        until(lambda: not any(f":{FAILING_PROJECT}" in dn for dn in reader.now()), "so is the project")
        # Facets that were told some seconds later expire so much later.
        withdrawn = until(lambda: all_expired(Stage(reader.now(), told(centre))), "all of the silent has expired")

        clouds.heal()
        centre.managers[TEN].is_of("1")
        poke(centre, *SILENT)
        until(lambda: complete(reader.now(), names) and well.keys() <= reader.now().keys(), "all are back")
        return Story(well, marked, withdrawn, reader.now(), scraped(port), daemon.log())


@pytest.mark.parametrize("name", SILENT)
def test_a_failing_manager_is_marked_then_withdrawn(story: Story, name: str) -> None:
    """All that it told last stays, and says so; when its time is over all of it goes; when it is well all is back."""
    told_last = of(story.well, name)
    assert of(story.marked.published, name) == told_last
    states, infos = health(story.marked.published, name)
    assert states == {"critical"}
    assert all(
        re.match("nothing was told at the last attempt; what is published was told until 20", one) for one in infos
    )
    assert infos
    assert set().union(*story.marked.told.states(name).values()) == {"failing"}
    assert of(story.withdrawn.published, name) == frozenset()
    assert set().union(*story.withdrawn.told.states(name).values()) == {"expired"}
    assert of(story.healed, name) == told_last
    assert health(story.healed, name) == ({"ok"}, set())


def test_a_project_that_fails_costs_the_nine_others_nothing(story: Story) -> None:
    """Its share stays, is named, and goes; the others are there all the time."""
    shares = {dn for dn in of(story.well, "ten") if dn.startswith("GLUE2ShareID=")}
    assert len(shares) == 10
    assert shares <= story.marked.published.keys()
    states, (info,) = health(story.marked.published, "ten")
    assert states == {"warning"}
    assert re.fullmatch(r"not told at the last attempt: quotas of vo.ten \(.*\), usage of vo.ten \(.*\)", info)
    left = shares & story.withdrawn.published.keys()
    assert {dn for dn in shares - left if FAILING_PROJECT in dn} == shares - left
    assert len(left) == 9
    assert shares <= story.healed.keys()


def test_those_that_are_well_lose_nothing(story: Story) -> None:
    """Whatever happens beside them; the reader of the file has looked for each of their entries all the time."""
    for stage in (story.marked, story.withdrawn):
        for name in SOUND:
            assert of(stage.published, name) == of(story.well, name)
            assert health(stage.published, name) == ({"ok"}, set())
            assert set().union(*stage.told.states(name).values()) <= {"fresh", "not offered"}
        assert lasting(story.well) <= stage.published.keys()


@pytest.mark.parametrize("name", SAID)
def test_each_failure_is_told_with_its_reason(story: Story, name: str) -> None:
    """In the log, in what is shown, and counted in the metrics."""
    assert re.search(f"WARNING: {name}: .* not collected: .*{SAID[name]}", story.log)
    parts = story.marked.told.shown["facets"]
    reasons = {part["reason"] for part in parts if part["instance"] == name and part["state"] == "failing"}
    assert any(SAID[name] in reason for reason in reasons)
    labels = {"facet": "usage", "manager": name}
    assert story.marked.told.metric("infoprovider_facet_parts", state="failing", **labels) > 0
    assert story.withdrawn.told.metric("infoprovider_facet_parts", state="expired", **labels) > 0
    result = "partly" if name == TEN else "failed"
    assert value(story.counted, f'infoprovider_collections_total{{manager="{name}",result="{result}"}}') > 0


def test_a_collection_that_is_ended_at_its_deadline_is_counted(story: Story) -> None:
    """Of the manager that drips, and of nobody who is well."""
    assert value(story.counted, 'infoprovider_collections_killed_total{manager="dripping"}') > 0
    assert [value(story.counted, f'infoprovider_collections_killed_total{{manager="{name}"}}') for name in SOUND] == [
        0,
        0,
    ]


def test_the_probe_tells_failing_from_withheld(story: Story) -> None:
    """A warning while the last good answers are published, critical when they are not."""
    assert (story.marked.told.code, story.withdrawn.told.code) == (1, 2)
    assert "ten: quotas, usage failing" in story.marked.told.probe
    assert "ten: quotas, usage withheld" in story.withdrawn.told.probe
