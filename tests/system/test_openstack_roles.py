"""A real OpenStack read without rights over it: by a member of several projects, or by a reader of each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider import ldif
from tests.system.answers import Value, by_key, read_ldif
from tests.system.openstack import Cloud
from tests.system.openstack_answers import Answers
from tests.system.openstack_oracle import Oracle
from tests.system.test_openstack_chain import GROUPS, centre_in, configuration

pytestmark = pytest.mark.openstack

Entries = dict[str, Mapping[str, frozenset[str]]]

OWN = (
    "GLUE2ComputingShareMaxTotalJobs",
    "GLUE2ComputingShareMaxRunningJobs",
    "GLUE2ComputingShareMaxSlotsPerJob",
    "GLUE2ComputingShareMaxMainMemory",
    "GLUE2ComputingShareTotalJobs",
    "GLUE2ComputingShareRunningJobs",
    "GLUE2ComputingShareSuspendedJobs",
    "GLUE2ComputingShareUsedSlots",
    "GLUE2ShareResourceForeignKey",
    "GLUE2EntityName",
    "ProjectID",
    "QuotaCPU",
    "QuotaMemory",
    "QuotaPublicIP",
    "VMHalted",
    "VMError",
    "PublicNetworkName",
)
"""What a project may know of itself."""

OF_HOSTS = {
    "GLUE2ComputingManagerTotalLogicalCPUs",
    "GLUE2ComputingManagerTotalPhysicalCPUs",
    "GLUE2ComputingManagerTotalSlots",
    "GLUE2ComputingManagerWorkingAreaTotal",
    "GLUE2ComputingManagerWorkingAreaFree",
    "GLUE2ExecutionEnvironmentTotalInstances",
    "GLUE2ExecutionEnvironmentUnavailableInstances",
    "AcceleratorTotal",
    "CPUOvercommitRatio",
    "FreeMemory",
    "HostPool",
    "HypervisorName",
    "TotalMemory",
}


@pytest.fixture(scope="module", params=["member", "readers"])
def seen(request: pytest.FixtureRequest, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Entries:
    """What is published by one account for all projects, or by one account for each."""
    centre = centre_in(tmp_path_factory.mktemp(request.param), cloud, "member", {"name": "out", "kind": "stdout"})
    if request.param == "readers":
        written = configuration(cloud, "member", {"name": "out", "kind": "stdout"})
        clouds = yaml.safe_load(cloud.clouds_file.read_text())["clouds"]
        readers = [{"cloud": name, "clouds_file": str(cloud.clouds_file)} for name in clouds if "reader" in name]
        written["instances"][0]["settings"] = {"projects": readers}
        centre.config.write_text(yaml.safe_dump(written))
    done = centre.publish()
    assert done.returncode == 0, done.stderr
    found = {dn: by_key(entry) for dn, entry in read_ldif(done.stdout).items() if dn != GROUPS["resource"]}
    assert cloud.content["projects"]
    return found


@pytest.fixture(scope="module")
def oracle(cloud: Cloud) -> Oracle:
    """What the administrator is told at the same time."""
    return Oracle(Answers(cloud.account()), configuration(cloud, "member"), ldif.safe)


def shares(seen: Entries) -> dict[str, Mapping[str, frozenset[str]]]:
    """The entries of projects, by project."""
    return {next(iter(entry["ProjectID"])): entry for entry in seen.values() if "ProjectID" in entry}


def texts(values: frozenset[Value]) -> set[str]:
    """Values as they are written."""
    return {str(value) for value in values}


def test_each_project_says_of_itself_what_an_administrator_would(seen: Entries, oracle: Oracle) -> None:
    """Quotas, use, machines by state and instance types are the same, whoever asked."""
    found = shares(seen)
    assert found.keys() == oracle.mapped.keys()
    for project, entry in found.items():
        stated = oracle.of_quotas(project) | oracle.of_usage(project)
        assert {name: set(entry.get(name, ())) for name in OWN} == {name: texts(stated[name]) for name in OWN}


def test_images_that_a_project_may_start_are_named(seen: Entries, oracle: Oracle) -> None:
    """At least those that some host boots; which formats hosts boot is not told, so that there may be more."""
    for project, entry in shares(seen).items():
        assert set(entry["Image"]) >= texts(oracle.of_quotas(project)["Image"])


def test_of_hosts_nothing_is_said(seen: Entries) -> None:
    """No class of hosts, no capacity, and no zero in the place of what is not known."""
    assert not [dn for dn in seen if ":host-pool:" in dn]
    assert not [(dn, name) for dn, entry in seen.items() for name in OF_HOSTS & entry.keys()]
    slots = {value for entry in seen.values() for value in entry.get("GLUE2ComputingShareFreeSlots", ())}
    assert slots <= {"0"}


def test_what_could_be_started_is_an_upper_bound(seen: Entries, oracle: Oracle) -> None:
    """A number is never below the truth, and said to be a bound unless it is none at all."""
    compared = 0
    for project, entry in shares(seen).items():
        bounds = entry.get("FreeInstances.UpperBound", frozenset())
        for name, truth in oracle.of_quotas(project).items():
            type_ = name.removeprefix("FreeInstances.")
            if type_ == name or type_ == "UpperBound" or name not in entry:
                continue
            [number], [exact] = entry[name], truth
            assert int(number) >= int(exact), (project, name)
            assert (type_ in bounds) == (int(number) > 0), (project, name)
            compared += 1
    assert compared > 40


def test_an_unseen_role_is_no_failure(cloud: Cloud, tmp_path: Path) -> None:
    """What the account may not ask is shown as not offered, and the exit code stays that of success."""
    centre = centre_in(tmp_path, cloud, "member", {"name": "out", "kind": "stdout"})
    assert centre.publish().returncode == 0
    shown: Any = centre._run("show", "--status", "--json", centre.config.name)
    states = {(part["facet"], part["state"]) for part in yaml.safe_load(shown.stdout)["facets"]}
    assert {("hypervisors", "not offered"), ("capacity", "not offered"), ("usage", "fresh")} <= states
    assert not [state for state in states if "failing" in state]
