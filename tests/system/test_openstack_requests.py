"""How many requests a collection of everything costs a cloud, counted at its services."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.openstack import Cloud

pytestmark = pytest.mark.openstack

COMMAND = Path(sys.executable).with_name("infoprovider")
NUMBERS = (3, 6)
"""Of projects: what one more costs is seen from both."""


def first_projects(cloud: Cloud, number: int) -> dict[str, str]:
    """So many of those that may be published: ids by name."""
    projects = list(cloud.content["projects"].items())
    assert len(projects) >= number
    return dict(projects[:number])


def collect(cloud: Cloud, folder: Path, projects: Mapping[str, str], settings: Mapping[str, Any]) -> list[str]:
    """Collect everything once; every request that came to a service, but for further pages of a list.

    Asserts that the document has a share for every project, so that what is counted was not a failure.
    """
    config = folder / "centre.yaml"
    instance = {"name": "cloud", "kind": "openstack", "defaults": {"platform": "amd64", "os_family": "linux"}}
    written = {
        "centre": {"name": "RC-CLOUD"},
        "communities": [
            {"name": f"vo{number}.example.org", "projects": [{"instance": "cloud", "project": project}]}
            for number, project in enumerate(projects.values())
        ],
        "instances": [instance | {"deadline": "4m", "settings": dict(settings)}],
    }
    config.write_text(yaml.safe_dump(written))
    before = cloud.log_sizes()
    done = subprocess.run([COMMAND, "try", config, "--ldif"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("objectClass: GLUE2ComputingShare\n") == len(projects)
    return list(without_further_pages(cloud.requests(before)))


def without_further_pages(requests: Mapping[str, list[str]]) -> Iterator[str]:
    """Service, method and path of each request; a page that follows another begins behind a marker."""
    for service, lines in requests.items():
        for line in lines:
            if "marker=" not in line:
                yield f"{service} {line}"


def resource_requests(cloud: Cloud) -> int:
    """How many different things the instance types ask of hosts, as far as they are told from one another."""
    flavors = cloud.account().get("compute", "/flavors/detail?is_public=None")["flavors"]
    asked = set()
    for flavor in flavors:
        specs = {
            (name, value)
            for name, value in flavor["extra_specs"].items()
            if name.startswith(("resources", "trait", "hw:", "pci_passthrough:"))
        }
        sizes = tuple(flavor[name] or 0 for name in ("vcpus", "ram", "disk", "OS-FLV-EXT-DATA:ephemeral", "swap"))
        asked.add((sizes, frozenset(specs)))
    return len(asked)


def assert_within(requests: list[str], budget: int) -> None:
    """No more than that; else all of them are told, sorted, so that what is asked too often is seen at a glance."""
    told = "\n".join(sorted(requests))
    assert len(requests) <= budget, f"{len(requests)} requests, of which at most {budget} are allowed:\n{told}"


@pytest.mark.parametrize("number", NUMBERS)
def test_an_administrator_makes_two_requests_for_each_project(number: int, cloud: Cloud, tmp_path: Path) -> None:
    """All else is asked once for the whole cloud, and once for each kind of host that types need."""
    projects = first_projects(cloud, number)
    settings = {"cloud": "admin", "clouds_file": str(cloud.clouds_file), "only_projects": list(projects.values())}
    requests = collect(cloud, tmp_path, projects, settings)
    assert_within(requests, 16 + 2 * number + resource_requests(cloud))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_sign_in_of_its_own_makes_six_requests_for_its_project(number: int, cloud: Cloud, tmp_path: Path) -> None:
    """A reader account for each project: it signs in, and asks for types, images, machines and two kinds of quotas."""
    projects = first_projects(cloud, number)
    accounts = yaml.safe_load(cloud.clouds_file.read_text())["clouds"]
    readers = {account["auth"].get("project_name"): name for name, account in accounts.items() if "reader" in name}
    files = {"clouds_file": str(cloud.clouds_file)}
    settings = {"projects": [{"cloud": readers[name]} | files for name in projects]}
    requests = collect(cloud, tmp_path, projects, settings)
    assert_within(requests, 10 + 6 * number)


def test_a_member_of_several_projects_makes_six_requests_for_each(cloud: Cloud, tmp_path: Path) -> None:
    """The token of the first sign-in opens all the other projects, at the same cost as a sign-in of their own."""
    projects = cloud.content["projects"]
    settings = {"cloud": "member", "clouds_file": str(cloud.clouds_file)}
    requests = collect(cloud, tmp_path, projects, settings)
    assert_within(requests, 10 + 6 * len(projects))
