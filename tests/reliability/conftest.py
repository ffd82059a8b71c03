"""A centre of two managers, and a daemon that has published it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.reliability.centre import Centre
from tests.reliability.published import Entries, Reader, health
from tests.reliability.running import Running, running
from tests.waiting import until


@dataclass(frozen=True)
class Scene:
    """A centre, its daemon, who reads its file all the time, and what was published when all was well."""

    centre: Centre
    reader: Reader
    daemon: Running
    well: Entries

    def is_of(self, version: str) -> bool:
        """Whether the managers' version is published, and everything else beside it."""
        now = self.reader.now()
        found = [one["GLUE2ManagerProductVersion"] for one in now.values() if "GLUE2ManagerProductVersion" in one]
        return found == [[version]] * len(self.centre.managers) and self.well.keys() <= now.keys()

    def change(self, version: str) -> None:
        """Let something happen in each manager."""
        for manager in self.centre.managers.values():
            manager.is_of(version)


def all_well(entries: Entries, centre: Centre) -> bool:
    """Whether every manager of a centre is published and well."""
    return all(health(entries, name)[0] == {"ok"} for name in centre.managers)


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    """Two managers, asked every two seconds."""
    made = Centre(tmp_path, "north", "south")
    made.write(instances=[one.instance(every=2.0, deadline=60.0) for one in made.managers.values()])
    return made


def playing(centre: Centre, **environment: str) -> Iterator[Scene]:
    """A centre that is published and well; its entries must not be missing at any moment from now on."""
    with Reader(centre.bdii) as reader, running(centre, **environment) as daemon:
        until(lambda: all_well(reader.now(), centre), "all is published")
        well = reader.now()
        reader.expect(well)
        yield Scene(centre, reader, daemon, well)


@pytest.fixture
def scene(centre: Centre) -> Iterator[Scene]:
    """It is published, well, and read all the time."""
    yield from playing(centre)
