"""Where a published value came from: each with its fact, its sources, and their age."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from infoprovider.glue.document import Source
from infoprovider.glue.entities import ComputingShare, Entity
from infoprovider.ldif import Record
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.query.said import said_by
from infoprovider.views.explain import (
    OF_A_TEMPLATE,
    ONLY_SERVED,
    Explained,
    Explanation,
    Kind,
    Served,
    Stamps,
    Standing,
    State,
    beside,
    explain,
    meanings_of,
    print_explained,
    print_meanings,
    served,
)
from tests.publication.demo import LOADED, NOON, OBSERVED, configuration, facets

CLIMATE = "urn:glue2:ComputingShare:rc-demo:demo-north:5f1c7c1e9d0a4a7f8a7d3c1b2e604002"
DOCUMENT = compose(configuration(), facets(), Former(), NOON).document


def standing(source: Source) -> Standing:
    """Capacity expires six hours after its observation, the rest not by itself."""
    if source.facet == "configuration":
        return Standing(Kind.CONFIGURED)
    if source.declared:
        return Standing(Kind.DECLARED)
    return Standing(Kind.MEASURED, source.observed_at + timedelta(hours=6) if source.facet == "capacity" else None)


def of(entity: Entity) -> list[Explained]:
    """All that is said of an entity."""
    return list(explain(entity, DOCUMENT.made_of(entity.id), standing))


def value(attribute: str) -> Explained:
    """What one attribute of the climate share says."""
    (found,) = [one for one in of(DOCUMENT.by_id[CLIMATE].entity) if one.attribute == attribute]
    return found


def test_every_published_value_has_its_origin() -> None:
    """Not one value of the demonstration centre is without a fact and at least one source."""
    for entity in DOCUMENT.entities:
        for one in of(entity):
            assert one.fact
            assert one.origins, (entity.id, one)


def test_a_computed_value_names_all_that_it_was_computed_from() -> None:
    """Quotas and usage of its own project, the capacity with its expiry, and what else could have bound it."""
    origins = value("OtherInfo FreeInstances.c1.huge").origins
    assert {(one.facet, one.part) for one in origins} == {
        ("quotas", CLIMATE.rpartition(":")[2]),
        ("usage", CLIMATE.rpartition(":")[2]),
        ("capacity", ""),
        ("instance_types", ""),
        ("hypervisors", ""),
        ("networks", ""),
    }
    assert {one.observed_at for one in origins} == {OBSERVED}
    assert {one.facet: one.expires_at for one in origins}["capacity"] == OBSERVED + timedelta(hours=6)


def test_a_stamp_comes_from_the_defining_source() -> None:
    """And the operator's words from the configuration."""
    (origin,) = value("CreationTime").origins
    assert (origin.facet in ("quotas", "usage"), origin.observed_at) == (True, OBSERVED)
    (origin,) = value("Name").origins
    assert (origin.facet, origin.kind, origin.observed_at) == ("configuration", Kind.CONFIGURED, LOADED)
    assert origin.settings == ("communities.name",)


def test_what_is_declared_names_its_setting() -> None:
    """The key below which its operator declared it, with the instance."""
    declared = {
        origin.settings
        for entity in DOCUMENT.entities
        for one in of(entity)
        for origin in one.origins
        if origin.kind is Kind.DECLARED
    }
    assert ("instances[demo-south].declared.prices",) in declared


def test_a_unit_is_that_of_the_published_value() -> None:
    """From the table of places or from GLUE."""
    assert (value("MaxMainMemory").unit, value("OtherInfo QuotaCPU").unit) == ("MB", "vCPU")


def test_each_value_names_its_rule() -> None:
    """Its row in the table of places, and the attribute of LDAP that carries it."""
    assert (value("MaxMainMemory").rule, value("MaxMainMemory").ldap) == (
        "ComputingShare.MaxMainMemory",
        "GLUE2ComputingShareMaxMainMemory",
    )
    key = value("OtherInfo FreeInstances.c1.huge")
    assert (key.rule, key.ldap) == ("ComputingShare OtherInfo: FreeInstances.<id>=", "GLUE2EntityOtherInfo")


def test_a_value_that_the_table_does_not_know_is_a_templates() -> None:
    """A template of the site may write what it likes; a text without a key is OtherInfo itself."""
    share = ComputingShare(id="a", other_info=("Colour=blue", "plain"))
    found = {one.attribute: one for one in explain(share, (), standing)}
    assert found.keys() == {"ID", "OtherInfo Colour", "OtherInfo"}
    for name in ("OtherInfo Colour", "OtherInfo"):
        assert (found[name].fact, found[name].rule, found[name].origins) == (OF_A_TEMPLATE, "", ())


# --- what a server has ------------------------------------------------------------------------------------------------


def there(**changes: list[str]) -> Served:
    """The climate share as a server has it, observed an hour ago."""
    attributes = {
        "objectClass": ["GLUE2ComputingShare"],
        "GLUE2ShareID": [CLIMATE],
        "GLUE2EntityCreationTime": [f"{NOON - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"],
        "GLUE2EntityValidity": ["3600"],
        "GLUE2ComputingShareUsedSlots": ["999"],
        "GLUE2EntityOtherInfo": ["Stray=1", "\x1b[2J=\x1b[2J"],
    }
    said = said_by(Record("GLUE2ShareID=x,o=glue", attributes | changes))
    assert said is not None
    return served("ldap://top/o=glue", said, NOON)


@pytest.mark.parametrize(
    ("validity", "stale"), [(["3600"], False), (["3599"], True), ([], None), (["soon"], None), (["9" * 30], False)]
)
def test_what_is_served_is_stale_when_its_validity_is_over(validity: list[str], stale: bool | None) -> None:
    """As a reader sees it; where nothing is said, nothing is known, and no number is too large."""
    assert there(GLUE2EntityValidity=validity).stale is stale


def test_what_is_served_without_a_stamp_has_no_age() -> None:
    """Or with one that is no moment."""
    for stamps in ([], ["noon"]):
        one = there(GLUE2EntityCreationTime=stamps)
        assert (one.creation_time, one.holds_until, one.stale) == (None, None, None)


def test_served_values_stand_beside_ours() -> None:
    """Also those that only we have, and those that only the server has."""
    found = {one.attribute: one for one in beside(of(DOCUMENT.by_id[CLIMATE].entity), there())}
    assert found["UsedSlots"].served == ("999",)
    assert found["UsedSlots"].value not in ("999", None)
    assert found["RunningJobs"].served == ()
    stray = found["OtherInfo Stray"]
    assert (stray.value, stray.served, stray.fact) == (None, ("1",), ONLY_SERVED)
    assert found["CreationTime"].served == (f"{NOON - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",)


# --- attributes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("freeslots", {"ComputingShare.FreeSlots"}),
        ("GLUE2ComputingShareFreeSlots", {"ComputingShare.FreeSlots"}),
        ("OtherInfo: QuotaCPU=", {"ComputingShare OtherInfo: QuotaCPU="}),
        ("FreeInstances.c1.tiny", {"ComputingShare OtherInfo: FreeInstances.<id>="}),
        ("VMError", {"ComputingService OtherInfo: VMError=", "ComputingShare OtherInfo: VMError="}),
        ("GLUE2EntityOtherInfo", set()),
        ("urn:glue2:nothing", set()),
    ],
)
def test_an_attribute_has_its_rows(name: str, rules: set[str]) -> None:
    """By the names of GLUE, LDAP and OtherInfo, in any letter case."""
    assert {one.rule for one in meanings_of(name)} == rules


# --- for people -------------------------------------------------------------------------------------------------------


def printed(values: list[Explained], *, one: Served | None = None, server: str | None = None) -> str:
    """What people read of the climate share."""
    console = Console(file=io.StringIO(), width=300, markup=False)
    stamps = Stamps(
        creation_time=NOON - timedelta(minutes=2),
        validity=1200,
        holds_until=NOON + timedelta(minutes=18),
        period=150,
        next_tick=NOON + timedelta(seconds=30),
    )
    found = Explanation(
        id=CLIMATE,
        cls="ComputingShare",
        state=State.PUBLISHED,
        why="",
        tree="current.resource.ldif",
        stamps=stamps,
        notes=("its EndpointForeignKey urn:x was taken out",),
        server=server,
        served=one,
        values=tuple(values),
    )
    print_explained(console, found, NOON)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_table_says_where_each_value_came_from() -> None:
    """Facet, instance, project, call and age in words, the setting where it is the operator's."""
    text = printed([value("FreeSlots"), value("Name")])
    assert "capacity of demo-north by read " in text
    assert f"observed 1 min ago, withheld after {OBSERVED + timedelta(hours=6):%Y-%m-%d %H:%M:%SZ}" in text
    assert "the configuration communities.name, read 1 h ago" in text


def test_the_head_says_what_has_become_of_the_entity() -> None:
    """Its state, its tree, its stamps with the grid, and what was done with it."""
    head = printed([]).splitlines()[:4]
    moved = (
        f"CreationTime is 2 min ago, holds until {NOON + timedelta(minutes=18):%Y-%m-%d %H:%M:%SZ}; it moves when the "
        "entity says something else, otherwise on its grid of 150 s, which ticks next at "
        f"{NOON + timedelta(seconds=30):%H:%M:%SZ}"
    )
    assert head == [
        f"ComputingShare {CLIMATE}: published",
        "written in current.resource.ldif",
        moved,
        "its EndpointForeignKey urn:x was taken out",
    ]


def test_the_head_says_how_a_server_stands() -> None:
    """How old it is there, how much older than ours, and whether it still holds."""
    one = there(GLUE2EntityValidity=["60"])
    text = printed(list(beside([value("UsedSlots")], one)), one=one, server=one.server)
    assert "serves GLUE2ShareID=x,o=glue: CreationTime is 1 h ago, 58 min older than ours; it holds no longer" in text
    assert "999" in text
    assert "\x1b" not in text
    assert "ldap://top/o=glue does not serve it" in printed([], server="ldap://top/o=glue")


def test_the_table_of_an_attribute() -> None:
    """Place, LDAP, fact, unit, facets and settings."""
    console = Console(file=io.StringIO(), width=300, markup=False)
    print_meanings(console, meanings_of("Owner"))
    assert isinstance(console.file, io.StringIO)
    row = " ".join(console.file.getvalue().splitlines()[4].split())
    assert row == "AdminDomain.Owner GLUE2AdminDomainOwner who runs the centre configuration centre.owner"
