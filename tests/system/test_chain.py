"""The demo centre, published by one command, on a resource, a site and a top BDII: every number is the YAML's."""

import ast
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.system import answers, description, oracle
from tests.system.answers import Attributes, Expected, below, differences, read_ldif
from tests.system.bdii import Bdii, Chain, start, start_chain
from tests.system.demo import Demo, bdii_channel, demo_in
from tests.system.oracle import expected

pytestmark = pytest.mark.bdii

HOOK = Path(__file__).parents[2] / "bdii-hook" / "infoprovider-hook"
CENTRE = "RC-DEMO"
GROUPS = {
    "resource": "GLUE2GroupID=resource,o=glue",
    "site": f"GLUE2GroupID=resource,GLUE2DomainID={CENTRE},o=glue",
    "top": f"GLUE2GroupID=resource,GLUE2DomainID={CENTRE},GLUE2GroupID=grid,o=glue",
}
BIOLOGY, STAFF = "5f1c7c1e9d0a4a7f8a7d3c1b2e604001", "5f1c7c1e9d0a4a7f8a7d3c1b2e604009"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Three BDIIs, of which the site has the demo centre's name."""
    with ExitStack() as running:
        yield start_chain(tmp_path_factory.mktemp("chain"), CENTRE, running)


class Published:
    """The demo centre in the folder of the resource BDII, and whether the servers have it as it is shipped."""

    def __init__(self, chain: Chain, demo: Demo) -> None:
        """Publish it with one command."""
        self._chain = chain
        self.demo = demo
        self.is_shipped = True
        done = demo.publish()
        assert done.returncode == 0, done.stderr
        chain.settle()

    def as_shipped(self) -> Demo:
        """Publish it again if it was changed meanwhile."""
        if not self.is_shipped:
            self.demo.collect_and_publish()
            self._chain.settle()
            self.is_shipped = True
        return self.demo


@pytest.fixture(scope="module")
def published(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The demo centre, published once."""
    return Published(chain, demo_in(tmp_path_factory.mktemp("demo"), bdii_channel(chain.ldif)))


@pytest.fixture
def first(published: Published) -> Demo:
    """The demo centre as it is shipped, on all three servers."""
    return published.as_shipped()


@pytest.fixture
def demo(published: Published) -> Iterator[Demo]:
    """A description that may be changed and published; the next test has the shipped one before it."""
    folder = published.demo.config.parent / "demo"
    shipped = {file: file.read_text() for file in folder.iterdir()}
    published.is_shipped = False
    yield published.demo
    for file, text in shipped.items():
        file.write_text(text)


def answer(bdii: Bdii, group: str, *attributes: str) -> dict[str, Attributes]:
    """Every entry below the group."""
    found = read_ldif(bdii.search(group, "(objectClass=*)", *attributes))
    del found[group]
    return found


def stated(demo: Demo, level: str) -> dict[str, Expected]:
    """Every entry that must be found at a level; images stop at the resource."""
    entries = expected(demo.config)
    if level != "resource":
        entries = {id_: entry for id_, entry in entries.items() if entry.leaf != "ApplicationEnvironment"}
    return below(GROUPS[level], entries)


def disagreements(chain: Chain, demo: Demo) -> dict[str, list[str]]:
    """What differs between the YAML and the servers, by level where anything does."""
    said = {
        level: differences(stated(demo, level), answer(getattr(chain, level), group)) for level, group in GROUPS.items()
    }
    return {level: lines for level, lines in said.items() if lines}


def complaints(chain: Chain) -> list[str]:
    """What any of the three servers complained of."""
    return [line for level in (chain.resource, chain.site, chain.top) for line in level.complaints()]


@pytest.mark.parametrize("module", [answers, description, oracle])
def test_the_oracle_is_a_second_opinion(module: ModuleType) -> None:
    """What the servers are held against is worked out without a line of the package."""
    tree = ast.parse(Path(module.__file__ or "").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not [name for name in imported if name and name.split(".")[0] == "infoprovider"]


# --- as it is shipped -------------------------------------------------------------------------------------------------


@pytest.mark.shows(
    "static",
    "product and version",
    "interfaces and sign-in",
    "kind and version of the hypervisor",
    "processor model and clock",
    "sockets, cores and threads",
    "architecture",
    "memory of a host",
    "disk of a host",
    "hosts, unusable and in use",
    "physical and logical CPUs",
    "vCPUs, and those in use",
    "memory, and what is in use",
    "disk, and what is in use",
    "devices, and those in use",
    "sizes of instance types",
    "accelerators of instance types",
    "who may use an instance type",
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
    "trust in images",
    "prices",
    "machines startable now",
    by="declared only",
)
def test_every_entry_and_every_number_is_found_at_every_level(chain: Chain, first: Demo) -> None:
    """Each server has the entries of the YAML and no others, each number as the formulas have it, and no complaint."""
    assert disagreements(chain, first) == {}
    assert complaints(chain) == []


def test_every_class_is_there(first: Demo) -> None:
    """The oracle does not agree by expecting nothing: each class of the slice is on the top, images on the resource."""
    leaves = {entry.leaf for entry in stated(first, "top").values()}
    assert leaves == {
        "AccessPolicy",
        "Benchmark",
        "ComputingEndpoint",
        "ComputingManager",
        "ComputingService",
        "ComputingShare",
        "ExecutionEnvironment",
        "MappingPolicy",
        "UserDomain",
    }
    assert {entry.leaf for entry in stated(first, "resource").values()} - leaves == {"ApplicationEnvironment"}


@pytest.mark.usefixtures("first")
def test_nothing_is_lost_between_the_file_and_the_servers(chain: Chain) -> None:
    """The file has as many entries as the resource BDII answers with, and the site and the top pass on all they get."""
    written = chain.ldif.joinpath("resource.ldif").read_text()
    assert written.startswith("dn:")
    on = {level: answer(getattr(chain, level), group, "objectClass") for level, group in GROUPS.items()}
    images = [dn for dn in on["resource"] if dn.startswith("GLUE2ApplicationEnvironmentID=")]
    assert len(on["resource"]) == len(re.findall("^dn:", written, re.MULTILINE)) - 1
    assert len(on["site"]) == len(on["top"]) == len(on["resource"]) - len(images)


@pytest.mark.usefixtures("first")
def test_what_old_brokers_read_unchecked_is_there(chain: Chain) -> None:
    """Endpoints, host pools, types and shares have an OtherInfo value, and that of a type begins with its disk."""
    query = "(|(objectClass=GLUE2Endpoint)(objectClass=GLUE2ExecutionEnvironment)(objectClass=GLUE2Share))"
    for attributes in read_ldif(chain.top.search(GROUPS["top"], query)).values():
        values = attributes["GLUE2EntityOtherInfo"]
        if attributes.get("GLUE2ExecutionEnvironmentVirtualMachine") == ["true"]:
            assert re.fullmatch(r"disk=\d+", values[0])


def test_entries_are_stamped_with_what_they_describe(tmp_path: Path) -> None:
    """What a file describes was observed when the file was last modified, policies when we read them."""
    demo = demo_in(tmp_path, bdii_channel(tmp_path))
    modified = {"demo-north": 1_790_000_000, "demo-south": 1_790_000_300}
    for instance, second in modified.items():
        os.utime(tmp_path / "demo" / f"{instance.removeprefix('demo-')}.yaml", (second, second))
    begun = datetime.now(UTC).replace(microsecond=0)
    assert demo.publish().returncode == 0
    for dn, entry in below(GROUPS["resource"], expected(demo.config)).items():
        [stamp] = read_ldif((tmp_path / "resource.ldif").read_text())[dn]["GLUE2EntityCreationTime"]
        instance = next((instance for instance in modified if f":{instance}" in entry.id), "")
        if entry.leaf.endswith(("Policy", "Domain")):
            assert begun <= datetime.fromisoformat(stamp) <= datetime.now(UTC), dn
        else:
            assert stamp == f"{datetime.fromtimestamp(modified[instance], UTC):%Y-%m-%dT%H:%M:%SZ}", dn


# --- what must not be found -------------------------------------------------------------------------------------------


def dumps(chain: Chain) -> str:
    """Everything that the three servers answer to anybody, and all that was handed out."""
    suffixes = ("o=glue", "o=grid", "o=infosys")
    servers = [level.search(suffix) for level in (chain.resource, chain.site, chain.top) for suffix in suffixes]
    return "\n".join([*servers, *(file.read_text() for file in chain.ldif.iterdir())])


def secrets(demo: Demo) -> Iterator[str]:
    """Patterns of what belongs to projects that no community is mapped to, of machines, and of inactive images."""
    written = yaml.safe_load(demo.config.read_text())
    for instance in written["instances"]:
        mapped = {
            row["project"]
            for community in written["communities"]
            for row in community["projects"]
            if row["instance"] == instance["name"]
        }
        described = yaml.safe_load((demo.config.parent / instance["settings"]["file"]).read_text())
        for project in described["projects"]:
            if project["id"] not in mapped:
                yield rf"\b{project['name']}\b"
                yield rf"ProjectID={project['id']}$|:ComputingShare:[^,]*:{project['id']}\b"
                yield from [project["id"]] * (len(project["id"]) > 3)
        for owned in described["images"] + described["instance_types"]:
            is_private = owned.get("ownership") == "projects" and not mapped & set(owned["projects"])
            if is_private or not owned.get("active", True):
                yield re.escape(owned["id"])
                yield re.escape(owned["name"])
        yield from (machine["id"] for machine in described.get("machines", ()))


def leaks(chain: Chain, demo: Demo) -> list[str]:
    """Secrets that are found."""
    everything = dumps(chain)
    return [secret for secret in secrets(demo) if re.search(secret, everything, re.MULTILINE | re.IGNORECASE)]


def test_what_is_private_is_nowhere(chain: Chain, first: Demo) -> None:
    """No name or id of unmapped projects, of their images, of inactive images or of machines is in any dump."""
    assert {"staff", "Staff\\ desktop"} <= {secret.strip("\\b") for secret in secrets(first)}
    assert leaks(chain, first) == []


# --- the oracle can fail, and changes arrive --------------------------------------------------------------------------


def to_unmapped(described: Any) -> None:
    """Give a community's own instance type and image to a project of nobody."""
    for owned in described["instance_types"] + described["images"]:
        if owned.get("projects") == [BIOLOGY]:
            owned["projects"] = [STAFF]


def one_quota(described: Any) -> None:
    """One more machine for the physicists, who have room for more small ones only."""
    described["projects"][2]["quotas"]["instances"] += 1


def one_host(described: Any) -> None:
    """128 GiB of memory are given back on one host."""
    described["hypervisors"]["pools"][0]["hosts"][9]["memory_used_mib"] = "72 GiB"


def one_size(described: Any) -> None:
    """The memory of one instance type, written with a unit."""
    described["instance_types"][1]["memory_mib"] = "5 GiB"


CHANGES: dict[Callable[[Any], None], set[str]] = {
    one_quota: {"GLUE2ComputingShareMaxTotalJobs", "GLUE2ComputingShareMaxRunningJobs", "FreeInstances.c1.tiny"},
    one_host: {"FreeMemory", "FreeInstances.m1.large"},
    one_size: {"GLUE2ExecutionEnvironmentMainMemorySize"},
}
"""What each change makes wrong in the former tree."""


@pytest.mark.usefixtures("first")
def test_changed_numbers_are_missed_until_they_arrive_by_modification(chain: Chain, demo: Demo) -> None:
    """The oracle names what the former tree has wrong, and agrees with the new one, whose entries are the same."""
    objects = {level: answer(getattr(chain, level), group, "entryUUID") for level, group in GROUPS.items()}
    wrong: set[str] = set()
    for change, names in CHANGES.items():
        demo.describe(change)
        wrong |= names
        said = disagreements(chain, demo)
        missed = {level: {line.split()[1].rstrip(":") for line in lines} for level, lines in said.items()}
        assert missed == dict.fromkeys(GROUPS, wrong)
    demo.collect_and_publish()
    chain.settle()
    assert disagreements(chain, demo) == {}
    assert {level: answer(getattr(chain, level), group, "entryUUID") for level, group in GROUPS.items()} == objects
    assert complaints(chain) == []


def test_what_becomes_private_leaves_every_level(chain: Chain, demo: Demo) -> None:
    """A type and an image that no community may use any more are withdrawn, and then found nowhere."""
    demo.describe(to_unmapped)
    assert any("genome" in secret for secret in leaks(chain, demo))
    demo.collect_and_publish()
    chain.settle()
    assert leaks(chain, demo) == []
    assert disagreements(chain, demo) == {}
    assert complaints(chain) == []


def test_native_ids_of_any_spelling_get_the_identifiers_of_the_rule(chain: Chain, demo: Demo) -> None:
    """What an identifier may not have becomes a hyphen, and a digest of the native id tells apart what became equal."""
    odd = ("C1.Tiny", "große Maschine, v2+", "grosse Maschine, v2=", "a/b#c")

    def add(described: Any) -> None:
        described["instance_types"] += [described["instance_types"][0] | {"id": id_} for id_ in odd]

    demo.describe(add)
    demo.collect_and_publish()
    chain.settle()
    assert disagreements(chain, demo) == {}
    names = read_ldif(chain.top.search(GROUPS["top"], "(GLUE2EntityName=*)", "GLUE2EntityName")).values()
    assert {name for one in names for name in one["GLUE2EntityName"]} >= set(odd)
    assert complaints(chain) == []


# --- the other way in -------------------------------------------------------------------------------------------------


def test_the_hook_serves_the_same_tree(chain: Chain, published: Published, tmp_path: Path) -> None:
    """A resource BDII that runs the shipped hook answers as the one that reads the channel's file."""
    provider = tmp_path / "provider"
    provider.mkdir()
    caller = provider / "infoprovider"
    caller.write_text(f'#!/bin/sh\nexec "{HOOK}" "{published.demo.public}"\n')
    caller.chmod(0o755)
    bdii = start(tmp_path / "hooked", "--provider", str(provider))
    try:
        bdii.wait()
        assert answer(bdii, GROUPS["resource"]) == answer(chain.resource, GROUPS["resource"])
        assert bdii.complaints() == []
    finally:
        bdii.stop()
