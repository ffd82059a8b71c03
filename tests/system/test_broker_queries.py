"""The queries of docs/brokers.md, run as they are written there, against all three template sets of the demo centre."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.answers import Attributes, Expected, below, by_key, differences, read_ldif
from tests.system.bdii import Bdii, Chain, start, start_chain
from tests.system.demo import Demo, bdii_channel, demo_in
from tests.system.oracle import centre, expected

pytestmark = pytest.mark.bdii

PAGE = Path(__file__).parents[2] / "docs" / "brokers.md"
CENTRE = "RC-DEMO"
DEBIAN = "https://marketplace.example.org/images/debian-12"


@dataclass(frozen=True)
class Servers:
    """The demo centre in every set: `resource` and `cloud` on three levels, `site` in a site BDII that reads it."""

    demo: Demo
    resource: Chain
    cloud: Chain
    site: Bdii
    site_top: Bdii

    def host(self, command: list[str]) -> str:
        """The server that a documented command means."""
        chain = self.cloud if any("GLUE2GroupID=cloud" in word for word in command) else self.resource
        [name] = [match[1] for word in command if (match := re.fullmatch(r"ldap://(\w+)\.example\.org:2170", word))]
        return {"top": chain.top, "resource": chain.resource, "site": self.site}[name].url

    def run(self, command: list[str]) -> dict[str, Attributes]:
        """What a documented command answers."""
        words = [self.host(command) if word.startswith("ldap://") else word for word in command]
        return read_ldif(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The demo centre published once, by one command, into the folders of three BDIIs."""
    work = tmp_path_factory.mktemp("sets")
    with ExitStack() as running:
        resource = start_chain(work / "resource", CENTRE, running)
        cloud = start_chain(work / "cloud", CENTRE, running, group="cloud")
        site_folder = work / "site-ldif"
        site_folder.mkdir()
        channels = (("resource", resource.ldif), ("cloud", cloud.ldif), ("site", site_folder))
        demo = demo_in(work / "demo", *(bdii_channel(folder, template_set) for template_set, folder in channels))
        done = demo.publish()
        assert done.returncode == 0, done.stderr
        site = start(work / "site", "--level", "site", "--name", CENTRE, "--ldif", str(site_folder))
        running.callback(site.stop)
        source = f"{CENTRE}={site.url}/GLUE2DomainID={CENTRE},o=glue"
        site_top = start(work / "site-top", "--level", "top", "--source", source)
        running.callback(site_top.stop)
        resource.settle()
        cloud.settle()
        site.wait()
        site_top.wait()
        yield Servers(demo, resource, cloud, site, site_top)


@pytest.fixture(scope="module")
def stated(servers: Servers) -> dict[str, Expected]:
    """What the YAML says, by ID."""
    return expected(servers.demo.config)


# --- all three sets load whole ----------------------------------------------------------------------------------------


def answer(bdii: Bdii, top: str, *groups: str) -> dict[str, Attributes]:
    """Every entry at and below a DN, without those that only hold others."""
    found = read_ldif(bdii.search(top))
    return {dn: attributes for dn, attributes in found.items() if dn not in groups}


def without_images(entries: dict[str, Expected]) -> dict[str, Expected]:
    """What site and top BDIIs pull."""
    return {id_: entry for id_, entry in entries.items() if entry.leaf != "ApplicationEnvironment"}


@pytest.mark.parametrize("template_set", ["resource", "cloud"])
def test_a_set_for_a_resource_loads_whole_on_three_levels(
    servers: Servers, stated: dict[str, Expected], template_set: str
) -> None:
    """Resource, site and top answer with every entry of the set, below its group, and complain of none."""
    chain: Chain = getattr(servers, template_set)
    group = f"GLUE2GroupID={template_set}"
    places = {
        chain.resource: (f"{group},o=glue", stated),
        chain.site: (f"{group},GLUE2DomainID={CENTRE},o=glue", without_images(stated)),
        chain.top: (f"{group},GLUE2DomainID={CENTRE},GLUE2GroupID=grid,o=glue", without_images(stated)),
    }
    for bdii, (dn, entries) in places.items():
        assert differences(below(dn, entries), answer(bdii, dn, dn)) == []
        assert bdii.complaints() == []


def test_the_site_set_loads_whole_in_a_site_bdii(servers: Servers, stated: dict[str, Expected]) -> None:
    """A site BDII that reads our file has the centre with location and contacts, and the group with all below it."""
    domain = f"GLUE2DomainID={CENTRE},o=glue"
    for bdii, above, entries in (
        (servers.site, "o=glue", stated),
        (servers.site_top, "GLUE2GroupID=grid,o=glue", without_images(stated)),
    ):
        base = domain.replace("o=glue", above)
        group = f"GLUE2GroupID=resource,{base}"
        wanted = below(above, centre(servers.demo.config)) | below(group, entries)
        assert differences(wanted, answer(bdii, base, group)) == []
        assert bdii.complaints() == []


# --- the page ---------------------------------------------------------------------------------------------------------


def commands(heading: str) -> list[list[str]]:
    """The commands below a heading of the page, as words."""
    [section] = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    lines = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    return [shlex.split(command) for command in lines.replace("\\\n", " ").splitlines()]


def ids(entries: dict[str, Expected], *leaves: str, **wanted: Any) -> set[str]:
    """The entries of these classes of which the YAML states these values."""
    return {
        id_
        for id_, entry in entries.items()
        if entry.leaf in leaves and all(value in entry.stated.get(name, ()) for name, value in wanted.items())
    }


def found(answered: dict[str, Attributes], attribute: str) -> set[str]:
    """The values of one attribute in all entries."""
    return {value for attributes in answered.values() for value in attributes[attribute]}


def test_every_command_of_the_page_finds_something(servers: Servers) -> None:
    """No query of the page goes unanswered, and at the top every answer says by its DN which centre it is of."""
    headings = re.findall(r"^## (.*)$", PAGE.read_text(), re.MULTILINE)
    everything = [command for heading in headings for command in commands(heading)]
    assert len(everything) == 18
    for command in everything:
        answered = servers.run(command)
        assert answered, command
        assert all(CENTRE in dn for dn in answered if "top.example.org" in " ".join(command)), command


def test_the_appliance_database_finds_endpoints_and_their_types(servers: Servers, stated: dict[str, Expected]) -> None:
    """Endpoints by interface name below the group `cloud` at the top; the service they name is the base of the next."""
    [query] = commands("Endpoints of one interface")
    endpoints = servers.run(query)
    occi = ids(stated, "ComputingEndpoint", GLUE2EndpointInterfaceName="OCCI")
    assert {dn.split(",")[0].partition("=")[2] for dn in endpoints} == occi
    assert found(endpoints, "GLUE2EndpointImplementor") == {"OpenNebula Systems"}
    assert found(endpoints, "GLUE2EndpointURL") == {"https://one.south.rc-demo.example.org:11443/"}
    [service] = found(endpoints, "GLUE2ComputingEndpointComputingServiceForeignKey")
    [query] = commands("Instance types of one service")
    assert query[query.index("-b") + 1].startswith(f"GLUE2ServiceID={service},GLUE2GroupID=cloud,")
    environments = servers.run(query)
    types = {
        attributes["GLUE2ResourceID"][0]: attributes
        for attributes in environments.values()
        if attributes["GLUE2ExecutionEnvironmentVirtualMachine"] == ["true"]
    }
    south = {id_ for id_ in ids(stated, "ExecutionEnvironment") if ":demo-south:" in id_}
    assert {attributes["GLUE2ResourceID"][0] for attributes in environments.values()} == south
    assert types.keys() == {id_ for id_ in south if ":host-pool:" not in id_}
    for type_ in types.values():
        assert re.fullmatch(r"disk=\d+", type_["GLUE2EntityOtherInfo"][0])
        assert type_["GLUE2ResourceManagerForeignKey"] == type_["GLUE2ExecutionEnvironmentComputingManagerForeignKey"]
        assert {f"GLUE2ExecutionEnvironment{name}" for name in USED_OF_TYPES} <= type_.keys()


USED_OF_TYPES = ("MainMemorySize", "LogicalCPUs", "OSFamily", "ConnectivityIn", "ConnectivityOut")


def test_the_appliance_database_finds_images_where_they_are_entries(
    servers: Servers, stated: dict[str, Expected]
) -> None:
    """By repository, below the service: at the resource and in a site BDII that loads our file; never at the top."""
    [at_resource, at_site] = commands("Images of a marketplace")
    images = {
        id_: entry
        for id_, entry in stated.items()
        if entry.leaf == "ApplicationEnvironment" and entry.stated["GLUE2ApplicationEnvironmentRepository"]
    }
    assert len(images) == 3
    for command in (at_resource, at_site):
        answered = servers.run(command)
        assert {dn.split(",")[0].partition("=")[2] for dn in answered} == images.keys()
        assert found(answered, "GLUE2EntityName") == {id_.rpartition(":")[2] for id_ in images}
    for top in (servers.resource.top, servers.cloud.top, servers.site_top):
        assert top.search("o=glue", "(objectClass=GLUE2ApplicationEnvironment)", "dn") == ""


def test_image_monitoring_finds_an_image_by_its_uri(servers: Servers, stated: dict[str, Expected]) -> None:
    """The marketplace URI matches by equality, and one that is not there finds nothing."""
    [query] = commands("Whether an image is there")
    [image] = servers.run(query).values()
    [id_] = ids(stated, "ApplicationEnvironment", GLUE2ApplicationEnvironmentRepository=DEBIAN)
    keys = "GLUE2ApplicationEnvironmentExecutionEnvironmentForeignKey"
    assert set(image[keys]) == stated[id_].stated[keys]
    assert servers.run([word.replace("debian-12", "debian-13") for word in query]) == {}


def test_a_workload_manager_comes_from_a_community_to_its_types(servers: Servers, stated: dict[str, Expected]) -> None:
    """Policy by rule, share by the policy's key, types by the share's key: every step has what the next one needs."""
    by_rule, by_share, by_resource = commands("What a community may use")
    for community in ("vo.biology.example.org", "vo.climate.example.org", "vo.physics.example.org"):
        policies = servers.run([word.replace("vo.biology.example.org", community) for word in by_rule])
        assert all(f"GLUE2DomainID={CENTRE}," in dn for dn in policies)
        mapping = [one for one in policies.values() if "GLUE2MappingPolicyShareForeignKey" in one]
        assert all(len(one["GLUE2MappingPolicyShareForeignKey"]) == 1 for one in mapping)
        shares = alternatives(servers, by_share, "GLUE2ShareID", found_of(mapping, "GLUE2MappingPolicyShareForeignKey"))
        assert found(shares, "GLUE2ShareID") == ids(stated, "ComputingShare", GLUE2EntityName=community)
        for share in shares.values():
            assert "GLUE2ComputingShare" in share["objectClass"]
            assert share["GLUE2ComputingShareServingState"] == ["production"]
            assert int(share["GLUE2ComputingShareMaxSlotsPerJob"][0]) > 0
            assert all(re.search(r":[^:]*\.[^:]+$", endpoint) for endpoint in share["GLUE2ShareEndpointForeignKey"])
            keys = set(share["GLUE2ComputingShareExecutionEnvironmentForeignKey"])
            types = alternatives(servers, by_resource, "GLUE2ResourceID", keys)
            assert found(types, "GLUE2ResourceID") == keys
            assert found(types, "GLUE2ExecutionEnvironmentPlatform") == {"amd64"}
            assert all(int(memory) > 0 for memory in found(types, "GLUE2ExecutionEnvironmentMainMemorySize"))


def found_of(entries: list[Attributes], attribute: str) -> set[str]:
    """The values of one attribute."""
    return {value for attributes in entries for value in attributes[attribute]}


def alternatives(servers: Servers, command: list[str], attribute: str, values: set[str]) -> dict[str, Attributes]:
    """A documented command with other values among its alternatives."""
    several = "".join(f"({attribute}={value})" for value in sorted(values))
    return servers.run([re.sub(rf"\({attribute}=.*\){{3}}$", f"{several}))", word) for word in command])


BROWSED = {
    "GLUE2Endpoint": ("ComputingEndpoint",),
    "GLUE2ComputingShare": ("ComputingShare",),
    "GLUE2ComputingManager": ("ComputingManager",),
    "GLUE2ExecutionEnvironment": ("ExecutionEnvironment",),
    "GLUE2MappingPolicy": ("MappingPolicy",),
    "GLUE2AccessPolicy": ("AccessPolicy",),
}


def test_a_browser_finds_everything_of_a_class(servers: Servers, stated: dict[str, Expected]) -> None:
    """Each class that a browser lists is answered whole at the top, and policies can be narrowed to a community."""
    *classes, of_community = commands("Everything of one class")
    for class_, command in zip(BROWSED, classes, strict=True):
        assert command[-1] == f"(objectClass={class_})"
        answered = {dn.split(",")[0].partition("=")[2] for dn in servers.run(command)}
        assert answered == ids(stated, *BROWSED[class_])
    policies = servers.run(of_community)
    rule = "VO:vo.climate.example.org"
    assert found(policies, "GLUE2PolicyID") == ids(stated, "AccessPolicy", "MappingPolicy", GLUE2PolicyRule=rule)


# --- who can start what, now ------------------------------------------------------------------------------------------


def startable_by_description(demo: Demo, image: str, cores: int, machines: int) -> set[tuple[str, str, int]]:
    """Community, type and number of every share that can start so many, from the YAML alone."""
    entries = expected(demo.config)
    cores_of = {
        id_.rpartition(":")[2]: next(iter(entry.stated["GLUE2ExecutionEnvironmentLogicalCPUs"]))
        for id_, entry in entries.items()
        if "true" in entry.stated.get("GLUE2ExecutionEnvironmentVirtualMachine", ())
    }
    return {
        (next(iter(entry.stated["GLUE2EntityName"])), type_, number)
        for entry in entries.values()
        if image in entry.stated.get("Image", ())
        for type_ in cores_of
        for number in entry.stated.get(f"FreeInstances.{type_}", ())
        if cores_of[type_] >= cores and number >= machines
    }


def startable_by_search(servers: Servers, image: str, cores: int, machines: int) -> set[tuple[str, str, int]]:
    """The same by the two searches of the page, joined as it says."""
    shares_query, types_query, _ = commands("Who can start machines of at least 4 cores from this image, now")
    shares = servers.run([word.replace(DEBIAN, image) for word in shares_query])
    types = servers.run([word.replace("LogicalCPUs>=4", f"LogicalCPUs>={cores}") for word in types_query])
    large = found(types, "GLUE2ResourceID")
    answers = set()
    for share in shares.values():
        numbers = by_key(share)
        for resource in large.intersection(share["GLUE2ShareResourceForeignKey"]):
            type_ = resource.rpartition(":")[2]
            number = max(map(int, numbers.get(f"FreeInstances.{type_}", {"0"})))
            if number >= machines:
                answers.add((share["GLUE2EntityName"][0], type_, number))
    return answers


@pytest.mark.parametrize("image", [DEBIAN, "https://marketplace.example.org/images/genome-assembly", "310"])
@pytest.mark.parametrize(("cores", "machines"), [(4, 3), (16, 1), (1, 10), (2, 1)])
def test_a_broker_finds_who_can_start_machines_now(servers: Servers, image: str, cores: int, machines: int) -> None:
    """Shares by image, types by size, joined by the share's own numbers: the same answer as the description gives."""
    answers = startable_by_search(servers, image, cores, machines)
    assert answers == startable_by_description(servers.demo, image, cores, machines)


def test_a_broker_chooses_between_shares_of_the_demo_centre(servers: Servers) -> None:
    """Three machines of at least 16 cores from Debian 12: worked out by hand from the description."""
    answers = startable_by_search(servers, DEBIAN, cores=16, machines=3)
    assert answers == {
        ("vo.biology.example.org", "b1.genome", 3),
        ("vo.biology.example.org", "c1.huge", 3),
        ("vo.biology.example.org", "c1.xlarge", 7),
        ("vo.climate.example.org", "c1.huge", 3),
        ("vo.climate.example.org", "c1.xlarge", 6),
    }


def test_one_search_narrows_to_shares_with_room(servers: Servers, stated: dict[str, Expected]) -> None:
    """Free slots and the largest type can be compared in the filter itself."""
    *_, query = commands("Who can start machines of at least 4 cores from this image, now")
    answered = servers.run(query)
    wanted = {
        id_
        for id_ in ids(stated, "ComputingShare", Image=DEBIAN)
        if any(free >= 40 for free in stated[id_].stated["GLUE2ComputingShareFreeSlots"])
    }
    assert {dn.split(",")[0].partition("=")[2] for dn in answered} == wanted
    assert 0 < len(wanted) < len(ids(stated, "ComputingShare"))


def test_the_centre_of_the_page_is_the_shipped_one() -> None:
    """The names that the page uses are those of the demo centre."""
    written = yaml.safe_load((PAGE.parents[1] / "examples" / "demo.yaml").read_text())
    assert written["centre"]["name"] == CENTRE
    assert set(re.findall(r"GLUE2DomainID=([\w-]+)", PAGE.read_text())) == {CENTRE}
