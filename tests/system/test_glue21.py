"""GLUE 2.1 JSON beside cloud-info-provider's of the same OpenStack: every difference stands in docs/glue21.md."""

import json
import os
import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks import peer
from tests.system.glue21_differences import about, differences
from tests.system.openstack import Cloud
from tests.system.test_openstack_chain import centre_in

pytestmark = pytest.mark.openstack

PAGE = Path(__file__).parents[2] / "docs" / "glue21.md"
ACCOUNT = "member"
STARTING = {
    "CloudComputingInstanceType": ("ID", "Name", "CPU", "RAM", "Disk", "Associations.Share"),
    "CloudComputingImage": ("ID", "Name"),
    "CloudComputingVirtualAccelerator": ("ID", "Type", "Number", "Associations.CloudComputingInstanceType"),
    "Share": ("ProjectID", "Name", "InstanceMaxCPU", "InstanceMaxRAM", "HaltedVM"),
    "MappingPolicy": ("Rule", "Associations.Share", "Associations.PolicyUserDomain"),
    "AccessPolicy": ("Rule",),
    "CloudComputingEndpoint": ("URL", "InterfaceName", "Authentication"),
    "CloudComputingService": ("Type", "Associations.AdminDomain"),
}
"""What readers find their way by: it is the same, whatever else differs."""


class Row(NamedTuple):
    """A row of the page: patterns of array and key, and how they differ."""

    array: str
    key: str
    how: str

    def covers(self, array: str, key: str, how: str) -> bool:
        """Whether a difference is the one of this row."""
        return fnmatchcase(array, self.array) and fnmatchcase(key, self.key) and how == self.how


def rows() -> list[Row]:
    """The table of the page."""
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.read_text().splitlines() if "|" in line]
    return [Row(*line[:3]) for line in cells if line[2] in ("ours", "theirs", "differs") and all(line[3:])]


@pytest.fixture(scope="module")
def both(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Their document and ours, for the same communities."""
    folder = tmp_path_factory.mktemp("both")
    python, _ = peer.install()
    communities = {f"vo{n}.example.org": project for n, project in enumerate(cloud.content["projects"].values())}
    theirs = subprocess.run(
        peer.command(python, folder, cloud.auth_url, ACCOUNT, communities),
        env=os.environ | {"OS_CLIENT_CONFIG_FILE": str(cloud.clouds_file)},
        capture_output=True,
        text=True,
        check=True,
    )
    centre = centre_in(folder, cloud, ACCOUNT)
    ours = centre._run("try", centre.config.name, "--format", "glue21")
    assert ours.returncode == 0, ours.stderr
    return json.loads(theirs.stdout), json.loads(ours.stdout)


def test_every_difference_is_argued_and_every_argument_is_about_one(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    """Field by field; a row that covers nothing is out of date."""
    found = [(array, key, how) for (array, key), hows in differences(*both).items() for how in hows]
    argued = rows()
    assert [one for one in found if not any(row.covers(*one) for row in argued)] == []
    assert [row for row in argued if not any(row.covers(*one) for one in found)] == []


def test_what_readers_find_their_way_by_is_the_same(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Every object that is there, and the keys that lead from a community to what it can start."""
    theirs, ours = map(about, both)
    for array, keys in STARTING.items():
        assert theirs[array]
        for name, one in theirs[array].items():
            assert {key: ours[array][name][key] for key in keys} == {key: one[key] for key in keys}, (array, name)


def test_no_object_stands_twice(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Theirs do, once for each share."""
    theirs, ours = ([one["ID"] for objects in document.values() for one in objects] for document in both)
    assert len(ours) == len(set(ours)) < len(theirs)


def test_nothing_private_is_in_it(cloud: Cloud, both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """No name or id of projects of nobody, of machines or of hosts."""
    text = json.dumps(both[1], ensure_ascii=False)
    assert [one for one in cloud.content["secrets"] if one in text] == []


def test_the_page_says_what_was_counted(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """How often theirs writes its instance types."""
    types = both[0]["CloudComputingInstanceType"]
    [said] = re.findall(r"(\d+) objects for (\d+) types", PAGE.read_text())
    assert said == (str(len(types)), str(len({one["ID"] for one in types})))
