"""Every figure of docs/for-aggregators.md that needs no server is what the program does."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.synthetic import ENTITIES_PER_INSTANCE, NOW, centre
from infoprovider import ldif
from infoprovider.config.model import Centre, Configuration
from infoprovider.glue.entities import ApplicationEnvironment, Entity
from infoprovider.inventory.freshness import default_freshness
from infoprovider.inventory.model import BenchmarkResult, Facet, SignIn, SignInMethod
from infoprovider.inventory.observation import Observed
from infoprovider.mapping.context import DYNAMIC, SLOW, STATIC
from infoprovider.mapping.other_info import MAX_VALUES
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.render.ldif import LdifRenderer
from infoprovider.store.facets import MemoryFacets
from tests.publication.test_over_time import BDII, restamped

PAGE = (Path(__file__).parents[1] / "docs" / "for-aggregators.md").read_text()
NAME = "cloud-00000"
OIDC = SignIn(method=SignInMethod.OIDC)


def figures(row: str) -> list[int]:
    """The numbers of the row of a table that begins so."""
    [line] = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    return [int(cell.replace(",", "")) for cell in line.strip("| ").split(" | ")[1:]]


@dataclass(frozen=True)
class Rendered:
    """A document, and its LDIF at the resource; above it, images are missing."""

    entities: tuple[Entity, ...]

    @property
    def body(self) -> bytes:
        """The LDIF."""
        return LdifRenderer("resource").render(self)

    @property
    def above(self) -> "Rendered":
        """What site and top have of it."""
        return Rendered(tuple(one for one in self.entities if not isinstance(one, ApplicationEnvironment)))

    @property
    def count(self) -> int:
        """Entries of the LDIF."""
        return self.body.count(b"\ndn: ") + 1


def rendered(configuration: Configuration, facets: MemoryFacets) -> Rendered:
    """The composed centre."""
    return Rendered(compose(configuration, facets, Former(), NOW).document.entities)


def changed(change: Callable[[Observed], Observed]) -> Rendered:
    """The cloud of middling size with some of its facets changed."""
    configuration, facets = centre(ENTITIES_PER_INSTANCE)
    for observed in list(facets.observations(NAME)):
        facets.keep(NAME, change(observed))
    return rendered(configuration, facets)


def one_more(facet: Facet, field: str, **changes: Any) -> Callable[[Observed], Observed]:
    """A copy of the last one of a facet's list, with other fields."""

    def change(observed: Observed) -> Observed:
        value: Any = observed.value
        if observed.facet is not facet:
            return observed
        things = getattr(value, field)
        return replace(observed, value=replace(value, **{field: (*things, replace(things[-1], **changes))}))

    return change


def one_benchmark(observed: Observed) -> Observed:
    """A benchmark of the first class of hosts."""
    value: Any = observed.value
    if observed.facet is not Facet.HYPERVISORS:
        return observed
    first, *others = value.pools
    measured = replace(first, benchmarks=(BenchmarkResult(type="hep-spec06", value=10.0),))
    return replace(observed, value=replace(value, pools=(measured, *others)))


def middling() -> Rendered:
    """A cloud of middling size."""
    return rendered(*centre(ENTITIES_PER_INSTANCE))


@pytest.mark.parametrize(
    ("row", "change"),
    [
        ("instance type", one_more(Facet.INSTANCE_TYPES, "instance_types", id="another")),
        ("image", one_more(Facet.IMAGES, "images", id="another")),
        ("class of equal hosts", one_more(Facet.HYPERVISORS, "pools", id="another")),
        ("benchmark of a class", one_benchmark),
        ("interface and way", one_more(Facet.MANAGER, "endpoints", interface="occi", sign_in=(OIDC,))),
    ],
)
def test_each_thing_has_so_many_entries(row: str, change: Callable[[Observed], Observed]) -> None:
    """One more of it makes the document longer by that."""
    before, after = middling(), changed(change)
    assert [after.count - before.count, after.above.count - before.above.count] == figures(row)


def test_a_project_a_community_and_a_manager_have_so_many_entries() -> None:
    """What is left after the rest is counted: nothing of the document is without a row."""
    counted = {"GLUE2ComputingShare": 10, "GLUE2MappingPolicy": 10, "GLUE2UserDomain": 10}
    found = middling().body.decode()
    assert {name: found.count(f"\nobjectClass: {name}\n") for name in counted} == counted
    assert figures("project that") == [2, 2]
    assert figures("community") == [1, 1]
    assert figures("VM manager") == [2, 2]
    rows = ("VM manager", "interface and way", "project that", "community", "instance type", "class of", "image")
    times = (1, 2, 10, 10, 12, 2, 50)
    for level, document in enumerate((middling(), middling().above)):
        assert document.count == 1 + sum(figures(row)[level] * number for row, number in zip(rows, times, strict=True))


def test_a_cloud_of_middling_size_is_that_large() -> None:
    """Entries exactly, without the community and the group, kilobytes within a tenth."""
    for level, document in enumerate((middling(), middling().above)):
        assert document.count - 1 - 10 == figures("entries")[level]
        assert len(document.body) / 1000 == pytest.approx(figures("LDIF, kB")[level], rel=0.1)


def test_an_idle_cloud_changes_in_portions() -> None:
    """Half an hour of three clouds that are collected anew, as a stock BDII reads them."""
    configuration, facets = centre(3 * ENTITIES_PER_INSTANCE)
    configuration = replace(configuration, loaded_at=NOW - timedelta(hours=1))
    former, reads = Former(), []
    for second in range(0, 1801, BDII // 2):
        moment = NOW + timedelta(seconds=second)
        composition = compose(configuration, restamped(facets, configuration, moment), former, moment)
        former = Former(composition.stamps, moment)
        if second % BDII == 0:
            reads.append({entity.id: entity for entity in composition.document.entities})
    assert all(one.keys() == other.keys() for one, other in pairwise(reads))
    parts = [sum(before[id_] != one for id_, one in after.items()) / len(after) for before, after in pairwise(reads)]
    [mean], [most] = figures("on average"), figures("in the busiest cycle")
    assert 100 * sum(parts) / len(parts) == pytest.approx(mean, abs=2)
    assert 100 * max(parts) <= most


# --- how long ---------------------------------------------------------------------------------------------------------


LONG = "x" * 4000
CLOUD = "i" * 63
LISTS = {Facet.INSTANCE_TYPES: "instance_types", Facet.IMAGES: "images", Facet.HYPERVISORS: "pools"}


def with_long_ids(observed: Observed) -> Observed:
    """What a manager tells, if it gives everything an id of 4000 characters and more."""
    value: Any = observed.value
    if observed.part:
        part = observed.part + LONG
        return replace(observed, part=part, value=replace(value, project=part))
    if observed.facet not in LISTS:
        return observed
    field = LISTS[observed.facet]
    things = [replace(one, id=one.id + LONG) for one in getattr(value, field)]
    if observed.facet is Facet.HYPERVISORS:
        things = [replace(one, benchmarks=(BenchmarkResult(type=LONG, value=1.0),)) for one in things]
    return replace(observed, value=replace(value, **{field: tuple(things)}))


def of_long_names() -> Rendered:
    """The cloud of middling size with such ids, and with the longest names that a configuration may give."""
    configuration, facets = centre(ENTITIES_PER_INSTANCE)
    known = MemoryFacets()
    for observed in facets.observations(NAME):
        known.keep(CLOUD, with_long_ids(observed))
    communities = []
    for community in configuration.communities:
        [mapping] = community.projects
        longer = mapping.model_copy(update={"instance": CLOUD, "project": mapping.project + LONG})
        communities.append(community.model_copy(update={"projects": (longer,)}))
    [instance] = configuration.instances
    instances = (replace(instance, block=instance.block.model_copy(update={"name": CLOUD})),)
    longest = replace(configuration, centre=Centre(name="C" * 127), communities=tuple(communities), instances=instances)
    return rendered(longest, known)


def test_names_are_no_longer_than_said() -> None:
    """Whatever the operator, the manager and its users call things; nor much shorter, or the figure says nothing."""
    top = f"GLUE2GroupID=resource,GLUE2DomainID={'C' * 127},GLUE2GroupID=grid,o=glue"
    names = [record.dn.replace("GLUE2GroupID=resource,o=glue", top) for record in ldif.read(of_long_names().body)]
    assert len(names) == middling().count + 2
    for row, lengths in (
        ("a relative name", [len(dn.partition(",")[0]) for dn in names]),
        ("a distinguished name", map(len, names)),
    ):
        [most] = figures(row)
        assert 0.9 * most <= max(lengths) <= most


def test_limits_of_entries_are_those_of_the_program() -> None:
    """What is left out for its size, and how many values of OtherInfo there can be."""
    assert figures("an entry as LDIF") == [ldif.MAX_RECORD_BYTES]
    assert f"at most {MAX_VALUES} values of OtherInfo" in PAGE


# --- which characters -------------------------------------------------------------------------------------------------


def test_exactly_these_characters_stand_in_no_value() -> None:
    """Of all code points those in the table are spelt out, and no other is."""
    table = PAGE.split("| never in a value | |")[1].split("\n\n")[0]
    ranges = re.findall(r"U\+([0-9A-F]{4}).U\+([0-9A-F]{4})", table)
    said = {code for first, last in ranges for code in range(int(first, 16), int(last, 16) + 1)}
    assert {code for code in range(0x110000) if chr(code) in ldif.safe(f"a{chr(code)}a")} == set(range(0x110000)) - said
    for text in ("dn:", "owndn: x", "x ", "\u3000x"):
        assert ldif.safe(text) != text
    for text in ("DN:", ":x", "<x", "a  b", "\u202ex", "# x"):
        assert ldif.safe(text) == text


def test_names_have_these_characters_only() -> None:
    """Also of things that their owners call otherwise."""
    odd = changed(one_more(Facet.IMAGES, "images", id="große Maschine, v2=+\n"))
    for record in ldif.read(odd.body):
        assert re.fullmatch(r"([A-Za-z0-9]+=[A-Za-z0-9._:-]+,)+o=glue", record.dn)


# --- when something dies ----------------------------------------------------------------------------------------------


def test_what_is_said_of_times_is_what_is_usual() -> None:
    """Six hours and a day till facets are withheld, and three validities."""
    hours = {facet: default_freshness(facet).publish_for / 3600 for facet in Facet}
    assert (hours[Facet.QUOTAS], hours[Facet.USAGE], min(hours.values())) == (6, 6, 6)
    assert (hours[Facet.INSTANCE_TYPES], hours[Facet.IMAGES]) == (24, 24)
    assert "(6 hours for quotas and usage, 24 hours for types and images)" in PAGE
    assert f"({DYNAMIC} s, {SLOW} s or {STATIC} s)" in PAGE
