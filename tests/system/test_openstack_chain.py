"""A real OpenStack, published by one command, on three levels of BDII: every number is what its APIs say."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from infoprovider import ldif
from tests.system import openstack, openstack_answers, openstack_oracle
from tests.system.answers import Attributes, Expected, below, differences, read_ldif
from tests.system.bdii import Bdii, Chain, start_chain
from tests.system.demo import Demo, bdii_channel
from tests.system.openstack import Cloud
from tests.system.openstack_answers import Answers
from tests.system.openstack_oracle import Oracle

pytestmark = [pytest.mark.bdii, pytest.mark.openstack]

Undo = Callable[[], Any]

CENTRE = "RC-CLOUD"
GROUPS = {
    "resource": "GLUE2GroupID=resource,o=glue",
    "site": f"GLUE2GroupID=resource,GLUE2DomainID={CENTRE},o=glue",
    "top": f"GLUE2GroupID=resource,GLUE2DomainID={CENTRE},GLUE2GroupID=grid,o=glue",
}


def configuration(cloud: Cloud, account: str, *channels: dict[str, Any]) -> dict[str, Any]:
    """Projects that may be published, each with a community of its own, read by an account of clouds.yaml."""
    projects = cloud.content["projects"]
    if account.startswith("reader-"):
        projects = {name: id_ for name, id_ in projects.items() if account == f"reader-{name}"}
    return {
        "centre": {
            "name": CENTRE,
            "description": "A cloud",
            "owner": "Its operators",
            "location": {"place": "Bern", "country": "CH", "latitude": 46.9, "longitude": 7.4},
            "contacts": [{"type": "general", "detail": "mailto:cloud@example.org"}],
        },
        "communities": [
            {"name": f"vo{number}.example.org", "projects": [{"instance": "cloud", "project": project}]}
            for number, project in enumerate(projects.values())
        ],
        "instances": [
            {
                "name": "cloud",
                "kind": "openstack",
                "deadline": "100s",  # so long only because the machine may be busy
                "defaults": {"platform": "amd64", "os_family": "linux"},
                "settings": {
                    "cloud": account,
                    "clouds_file": str(cloud.clouds_file),
                    # The hosts do not tell of which model their devices are; the instance types say which they need.
                    "devices": {"VGPU": {"type": "GPU", "vendor": "NVIDIA", "model": "A100-4C"}},
                },
            }
        ],
        "channels": list(channels),
    }


def centre_in(folder: Path, cloud: Cloud, account: str, *channels: dict[str, Any]) -> Demo:
    """A centre with this cloud, configured in a folder."""
    config = folder / "centre.yaml"
    config.write_text(yaml.safe_dump(configuration(cloud, account, *channels)))
    return Demo(config)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Three BDIIs, of which the site has the centre's name."""
    with ExitStack() as running:
        yield start_chain(tmp_path_factory.mktemp("chain"), CENTRE, running)


@pytest.fixture(scope="module")
def centre(chain: Chain, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The centre as its administrator publishes it, once."""
    centre = centre_in(tmp_path_factory.mktemp("centre"), cloud, "admin", bdii_channel(chain.ldif))
    done = centre.publish()
    assert done.returncode == 0, done.stderr
    chain.settle()
    return centre


def answer(bdii: Bdii, group: str) -> dict[str, Attributes]:
    """Every entry below the group."""
    found = read_ldif(bdii.search(group))
    del found[group]
    return found


def stated(cloud: Cloud, centre: Demo, chain: Chain) -> dict[str, Expected]:
    """Every entry that must be found on the resource, by its ID, as the APIs are now."""
    written = yaml.safe_load(centre.config.read_text())
    oracle = Oracle(Answers(cloud.account()), written, ldif.safe)
    return oracle.expected(answer(chain.resource, GROUPS["resource"]).values())


def disagreements(chain: Chain, expected: dict[str, Expected]) -> dict[str, list[str]]:
    """What differs between the APIs and the servers, by level where anything does; images stop at the resource."""
    said = {}
    for level, group in GROUPS.items():
        there = {
            id_: entry
            for id_, entry in expected.items()
            if level == "resource" or entry.leaf != "ApplicationEnvironment"
        }
        said[level] = differences(below(group, there), answer(getattr(chain, level), group))
    return {level: lines for level, lines in said.items() if lines}


def complaints(chain: Chain) -> list[str]:
    """What any of the three servers complained of."""
    return [line for level in (chain.resource, chain.site, chain.top) for line in level.complaints()]


@pytest.mark.parametrize("module", [openstack, openstack_answers, openstack_oracle])
def test_the_oracle_is_a_second_opinion(module: ModuleType) -> None:
    """What the servers are held against is worked out without the package and without a client of OpenStack."""
    tree = ast.parse(Path(module.__file__ or "").read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    foreign = {"infoprovider", "openstack", "keystoneauth1", "requests"}
    assert not [name for name in imported if name.split(".")[0] in foreign]


# --- as it is ---------------------------------------------------------------------------------------------------------


@pytest.mark.shows(
    "openstack",
    "interfaces and sign-in",
    "disk formats",
    "zones",
    "hosts, unusable and in use",
    "vCPUs, and those in use",
    "memory, and what is in use",
    "disk, and what is in use",
    "sizes of instance types",
    "accelerators of instance types",
    "names of images",
    "formats and sizes of images",
    "operating systems of images",
    "who may start an image",
    "endorsements of images",
    "quotas",
    "machines by state",
    "machines by instance type",
    "what projects hold",
    "how long machines take to start",
    "networks and addresses",
    by="real system",
)
@pytest.mark.shows(
    "openstack",
    "kind and version of the hypervisor",
    "processor model and clock",
    "sockets, cores and threads",
    "memory of a host",
    "disk of a host",
    "physical and logical CPUs",
    "devices, and those in use",
    by="simulator",
)
def test_every_entry_and_every_number_is_found_at_every_level(chain: Chain, cloud: Cloud, centre: Demo) -> None:
    """Each server has the entries that follow from the APIs and no others, each number as they say, no complaint."""
    assert disagreements(chain, stated(cloud, centre, chain)) == {}
    assert complaints(chain) == []


def test_the_oracle_expects_enough(cloud: Cloud, chain: Chain, centre: Demo) -> None:
    """It does not agree by expecting nothing: every class, every kind of host, numbers that are exact and not."""
    expected = stated(cloud, centre, chain)
    leaves = [entry.leaf for entry in expected.values()]
    assert {leaf: leaves.count(leaf) for leaf in set(leaves)} == {
        "UserDomain": 7,
        "ComputingService": 1,
        "ComputingManager": 1,
        "ComputingEndpoint": 1,
        "AccessPolicy": 1,
        "ExecutionEnvironment": 3 + 12,
        "ApplicationEnvironment": 5 + 7 + 4,
        "ComputingShare": 7,
        "MappingPolicy": 7,
    }
    numbers = {name for entry in expected.values() for name in entry.stated if name.startswith("FreeInstances.")}
    assert len(numbers) == 11 + 1
    assert any(entry.stated.get("FreeInstances.UpperBound") for entry in expected.values())


# --- what must not be found -------------------------------------------------------------------------------------------


def dumps(chain: Chain) -> str:
    """Everything that the three servers answer to anybody and write into their logs, and all that was handed out."""
    levels = (chain.resource, chain.site, chain.top)
    servers = [level.search(suffix) for level in levels for suffix in ("o=glue", "o=grid", "o=infosys")]
    logs = [file.read_text() for level in levels for file in (level.work / "log").iterdir()]
    return "\n".join([*servers, *logs, *(file.read_text() for file in chain.ldif.iterdir())])


def leaks(cloud: Cloud, text: str) -> list[str]:
    """Secrets that are found, as they are or as LDAP has them."""
    return [one for one in cloud.content["secrets"] if one in text or ldif.safe(one) in text]


@pytest.mark.usefixtures("centre")
def test_what_is_private_is_on_no_server(chain: Chain, cloud: Cloud) -> None:
    """No name, text or id of projects of nobody, of machines or of hosts is in any answer, log or rendering."""
    assert leaks(cloud, dumps(chain)) == []


@pytest.mark.parametrize("account", ["admin", "member", "reader-vo001"])
def test_what_is_private_is_in_no_output(cloud: Cloud, tmp_path: Path, account: str) -> None:
    """Nor is it in what any command prints or hands out, whoever reads the cloud.

    One exception: `show` tells the operator how old each part is, and parts are called by the ids of projects.
    """
    centre = centre_in(tmp_path, cloud, account, {"name": "out", "kind": "stdout"})
    said = {words: centre._run(*words.split(), centre.config.name) for words in ("publish", "show", "show --json")}
    assert {words: done.returncode for words, done in said.items()} == dict.fromkeys(said, 0), said
    assert "GLUE2ComputingShare" in said["publish"].stdout
    handed_out = "\n".join(file.read_text() for file in centre.public.rglob("*") if file.is_file())
    messages = "\n".join(done.stderr for done in said.values())
    assert leaks(cloud, said["publish"].stdout + handed_out + messages) == []
    hidden = {id_ for name, id_ in cloud.project_ids().items() if name.startswith("hidden")}
    assert set(leaks(cloud, said["show"].stdout + said["show --json"].stdout)) <= hidden


# --- changes ----------------------------------------------------------------------------------------------------------


def flavor_added(cloud: Cloud) -> Undo:
    """A further public instance type."""
    admin = cloud.account()
    size = {"name": "added", "vcpus": 3, "ram": 1536, "disk": 20}
    id_ = admin.ask("POST", "compute", "/flavors", {"flavor": size})["flavor"]["id"]
    return lambda: admin.ask("DELETE", "compute", f"/flavors/{id_}")


def image_deleted(cloud: Cloud) -> Undo:
    """The image that the first project shared with the second."""
    owner = cloud.account("member", "vo001")
    image = named(owner.get("image", "/v2/images?visibility=shared")["images"], "shared image")
    owner.ask("DELETE", "image", f"/v2/images/{image['id']}")
    return cloud.refill


def quota_changed(cloud: Cloud) -> Undo:
    """Three machines more for the second project."""
    admin = cloud.account()
    path = f"/os-quota-sets/{cloud.content['projects']['vo002']}"
    before = admin.get("compute", path)["quota_set"]["instances"]
    admin.ask("PUT", "compute", path, {"quota_set": {"instances": before + 3}})
    return lambda: admin.ask("PUT", "compute", path, {"quota_set": {"instances": before}})


def machine_started(cloud: Cloud) -> Undo:
    """One more machine of the first project."""
    member = cloud.account("member", "vo001")
    flavor = named(member.get("compute", "/flavors")["flavors"], "std.01")
    image = named(member.get("image", "/v2/images")["images"], "private image")
    machine, state = cloud.start_machine("vo001", flavor["id"], image["id"])
    assert state == "ACTIVE"
    return lambda: cloud.delete_machine(machine)


def host_disabled(cloud: Cloud) -> Undo:
    """The second host takes no machines any more."""
    cloud.set_host("node002", status="disabled")
    return lambda: cloud.set_host("node002", status="enabled")


def named(things: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The one that is called so."""
    [found] = [thing for thing in things if thing["name"] == name]
    return found


SERVICE, MANAGER, POOL, TYPE, IMAGE, SHARE = (
    "ComputingService",
    "ComputingManager",
    "host-pool",
    "ExecutionEnvironment",
    "ApplicationEnvironment",
    "ComputingShare",
)
CHANGES: dict[Callable[[Cloud], Undo], dict[str, int]] = {
    flavor_added: {SERVICE: 1, MANAGER: 0, POOL: 0, TYPE: 1, IMAGE: 14, SHARE: 7},
    image_deleted: {SERVICE: 0, MANAGER: 0, POOL: 0, TYPE: 0, IMAGE: 1, SHARE: 2},
    quota_changed: {SERVICE: 0, MANAGER: 0, POOL: 0, TYPE: 0, IMAGE: 0, SHARE: 1},
    machine_started: {SERVICE: 1, MANAGER: 1, TYPE: 1, IMAGE: 0},
    host_disabled: {SERVICE: 0, MANAGER: 1, POOL: 1, IMAGE: 0},
}
"""How many entries of some kinds change; which ones, and of other kinds, the oracle says."""


def without_stamps(entries: dict[str, Attributes]) -> dict[str, dict[str, list[str]]]:
    """Entries by their IDs, as sets of values, without when they were made."""
    return {
        re.sub(r"^[^=]*=|,.*$", "", dn): {
            name: sorted(values) for name, values in entry.items() if name != "GLUE2EntityCreationTime"
        }
        for dn, entry in entries.items()
    }


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """What is there only before, only after, or is not the same."""
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def kinds_of(ids: Iterable[str]) -> Counter[str]:
    """How many entries there are of each kind, by their IDs."""
    return Counter(POOL if f":{POOL}:" in id_ else id_.split(":")[2] for id_ in ids)


def test_a_change_in_the_cloud_changes_exactly_what_follows_from_it(chain: Chain, cloud: Cloud, centre: Demo) -> None:
    """One change after the other: entries that state it, or are computed from it, change; all others stay."""
    expected, found = stated(cloud, centre, chain), without_stamps(answer(chain.resource, GROUPS["resource"]))
    with ExitStack() as changes:
        for change, kinds in CHANGES.items():
            changes.callback(change(cloud))
            centre.collect_and_publish()
            chain.settle()
            follows, now = stated(cloud, centre, chain), without_stamps(answer(chain.resource, GROUPS["resource"]))
            assert disagreements(chain, follows) == {}, f"after {change.__name__}"
            assert changed(found, now) == changed(expected, follows), f"after {change.__name__}"
            numbers = kinds_of(changed(found, now))
            assert {kind: numbers[kind] for kind in kinds} == kinds, f"after {change.__name__}"
            expected, found = follows, now
    assert complaints(chain) == []
