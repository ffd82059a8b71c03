"""Nothing that was published vanishes because the state was lost while a manager is down."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from infoprovider.cli import site
from infoprovider.config.model import Configuration, Disclosure
from infoprovider.inventory.freshness import default_freshness
from infoprovider.inventory.model import Facet
from infoprovider.ldif import read, split_dn
from infoprovider.publication.carry import carried_over, services_in
from infoprovider.publication.compose import compose
from infoprovider.publication.cycle import deliver_all, update
from infoprovider.publication.stamps import Former
from infoprovider.render.ldif import LdifRenderer
from infoprovider.resources import folder
from infoprovider.store.document import DocumentStore
from infoprovider.store.facets import MemoryFacets
from infoprovider.store.snapshots import SnapshotStore
from tests.publication.demo import NOON, OBSERVED, configuration, document_of_the_demo, facets, outcome

NORTH = "urn:glue2:ComputingService:rc-demo:demo-north"
SOUTH = "urn:glue2:ComputingService:rc-demo:demo-south"


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """The demo centre with one BDII channel, its file's path."""
    # Looked through just now: what is older than a few hours is not carried over.
    shutil.copytree(folder("examples") / "demo", tmp_path / "demo", copy_function=shutil.copyfile)
    plain = yaml.safe_load((folder("examples") / "demo.yaml").read_text())
    (tmp_path / "bdii").mkdir()
    plain["channels"] = [{"name": "bdii", "kind": "bdii", "settings": {"folder": "bdii"}}]
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(plain))
    return path


def publish(centre: Path) -> set[str]:
    """Collect and publish once; the distinguished names in the BDII's folder."""
    written: Configuration = site.read_configuration(centre)
    kept = SnapshotStore(written.state, site.clock)
    with kept.writing():
        site.collect(written, kept, everything=True)
        current = update(written, kept, DocumentStore(written.state, written.public), site.now())
        delivered = deliver_all(written, current, site.publisher, lambda _: True)
    assert [one.error for one in delivered] == [None]
    return {record.dn for record in read((centre.parent / "bdii" / "infoprovider.ldif").read_bytes())}


def lose_state(centre: Path) -> None:
    """Remove what infoprovider keeps for itself."""
    shutil.rmtree(centre.parent / "run" / "state")


def lose_all(centre: Path) -> None:
    """Remove the public folder as well: the BDII's own file is all that is left."""
    shutil.rmtree(centre.parent / "run")


@pytest.mark.parametrize("lose", [lose_state, lose_all])
def test_losing_the_state_does_not_empty_a_bdii(centre: Path, lose: Callable[[Path], None]) -> None:
    """With one manager down and no state left, every entry that was in the BDII stays there."""
    before = publish(centre)
    lose(centre)
    (centre.parent / "demo" / "south.yaml").unlink()
    assert publish(centre) == before
    assert publish(centre) == before


def test_a_manager_that_was_never_known_publishes_nothing(centre: Path) -> None:
    """Without a former rendering there is nothing to carry over, and nothing is made up."""
    (centre.parent / "demo" / "south.yaml").unlink()
    assert not [dn for dn in publish(centre) if SOUTH in dn]


def test_what_is_carried_is_of_the_services_that_are_missing(centre: Path) -> None:
    """Entries keep their old stamps and all that they say; those of other services are not carried."""
    publish(centre)
    body = (centre.parent / "bdii" / "infoprovider.ldif").read_bytes()
    read_again = site.read_configuration(centre)
    former = {record.dn: record.attributes for record in read(body) if SOUTH in record.dn}
    for endpoint in (attributes for dn, attributes in former.items() if dn.startswith("GLUE2EndpointID")):
        # The operator's word is not carried: it would have been said anew.
        since = endpoint["GLUE2EntityCreationTime"][0]
        endpoint["GLUE2EndpointHealthState"] = ["unknown"]
        endpoint["GLUE2EndpointHealthStateInfo"] = [f"nothing is known of it since {since}"]
    assert {
        record.dn: record.attributes for record in read(carried_over(body, {SOUTH}, read_again, site.now()))
    } == former
    assert services_in(body, frozenset({NORTH, SOUTH, "urn:x"})) == {NORTH, SOUTH}
    assert carried_over(b"rubbish", {SOUTH}, read_again, site.now()) == b""


# --- what may still be handed out ------------------------------------------------------------------------------------


def north(configuration: Configuration, now: datetime = NOON) -> dict[str, dict[str, list[str]]]:
    """What is carried of demo-north, of which nothing is known any more, from what was handed out at noon, by ID."""
    body = LdifRenderer("resource").render(document_of_the_demo())
    records = list(read(carried_over(body, {NORTH}, configuration, now)))
    return {split_dn(record.dn)[0][1]: record.attributes for record in records}


def classes(found: dict[str, dict[str, list[str]]]) -> set[str]:
    """The classes of what was carried."""
    return {id_.removeprefix("urn:glue2:").partition(":")[0] for id_ in found}


def unlimited(**changes: object) -> Configuration:
    """The demonstration centre with what is usual for its facets."""
    return replace(configuration(), **({"freshness": {}} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facet", "gone"),
    [
        (Facet.USAGE, {"ComputingShare"}),
        (Facet.MANAGER, None),
    ],
)
def test_what_is_carried_goes_when_it_would_have_been_withheld(facet: Facet, gone: set[str] | None) -> None:
    """Each entity by the facet that defines it; with the manager goes everything."""
    end = OBSERVED + timedelta(seconds=default_freshness(facet).publish_for)
    before, after = north(unlimited(), end - timedelta(seconds=1)), north(unlimited(), end)
    assert before
    assert classes(before) - classes(after) == (classes(before) if gone is None else gone)


def test_what_was_only_an_ornament_goes_by_itself() -> None:
    """The counters of a service are gone with the usage, the service is there; no reference leads to what is gone."""
    end = OBSERVED + timedelta(seconds=default_freshness(Facet.USAGE).publish_for)
    before, after = north(unlimited(), end - timedelta(seconds=1)), north(unlimited(), end)
    assert "GLUE2ComputingServiceRunningJobs" in before[NORTH]
    assert "GLUE2ComputingServiceRunningJobs" not in after[NORTH]
    assert after[NORTH]["GLUE2EntityName"] == ["demo-north"]
    gone = before.keys() - after.keys()
    named = {value for attributes in after.values() for values in attributes.values() for value in values}
    assert gone
    assert named.isdisjoint(gone)


def types_of(found: dict[str, dict[str, list[str]]]) -> set[str]:
    """The instance types among what was carried."""
    return {id_ for id_, one in found.items() if one.get("GLUE2ExecutionEnvironmentVirtualMachine") == ["true"]}


def shares_of(found: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    """The shares among what was carried."""
    return {id_: one for id_, one in found.items() if "GLUE2ShareID" in one and "GLUE2PolicyID" not in one}


@pytest.mark.parametrize("number", range(len(configuration().communities)))
def test_a_project_that_is_no_longer_mapped_is_not_carried(number: int) -> None:
    """Nor what only it may use: neither its share nor its private types."""
    kept = configuration().communities[number]
    found = north(unlimited(communities=(kept,)))
    theirs = {project.project for project in kept.projects if project.instance == "demo-north"}
    assert {id_.rpartition(":")[2] for id_ in shares_of(found)} == theirs
    assert not any(one.name in str(found) for one in configuration().communities if one is not kept)
    offered = {value for one in shares_of(found).values() for value in one["GLUE2ShareResourceForeignKey"]}
    assert types_of(found) == offered


def test_a_private_type_of_a_project_that_is_no_longer_mapped_is_not_carried() -> None:
    """The demonstration centre has one."""
    whole = types_of(north(unlimited()))
    left = [types_of(north(unlimited(communities=(one,)))) for one in configuration().communities]
    assert any(types < whole for types in left)


def test_a_community_with_other_rights_is_not_carried() -> None:
    """A share says who may use it: what is said there must be what holds now."""
    changed = tuple(
        one.model_copy(
            update={"projects": tuple(project.model_copy(update={"role": "other"}) for project in one.projects)}
        )
        for one in configuration().communities
    )
    assert classes(north(unlimited(communities=changed))).isdisjoint({"ComputingShare"})


@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        ("private_images", "ApplicationEnvironment"),
        ("private_instance_types", "ExecutionEnvironment"),
    ],
)
def test_where_nothing_private_may_be_told_what_may_be_private_is_not_carried(rule: str, gone: str) -> None:
    """Whether it was cannot be seen in an entry. Host classes are no instance types, and stay."""
    strict = configuration().centre.model_copy(update={"disclosure": Disclosure(**{rule: "none"})})
    found = north(unlimited(centre=strict))
    left = [id_ for id_ in found if id_.startswith(f"urn:glue2:{gone}:") and "host-pool" not in id_]
    assert left == []
    assert ("FreeInstances." in str(found)) is (rule == "private_images")
    assert ("Image=" in str(found)) is (rule == "private_instance_types")
    assert "ComputingShare" in classes(found)


def test_where_nobody_was_mapped_everything_was_public() -> None:
    """A centre without communities loses nothing."""
    lonely = unlimited(communities=())
    document = compose(lonely, facets(), Former(), NOON).document
    body = LdifRenderer("resource").render(document)
    carried = {record.dn for record in read(carried_over(body, {NORTH}, lonely, NOON))}
    assert carried == {record.dn for record in read(body) if NORTH in record.dn}


def test_what_is_known_to_have_expired_is_withdrawn_and_not_carried(tmp_path: Path) -> None:
    """Withholding for age is no loss of state."""
    store = DocumentStore(tmp_path / "state", tmp_path / "public")
    known = facets()
    for name in ("demo-north", "demo-south"):
        known.conclude(name, outcome(measured=True))
    update(unlimited(channels=()), known, store, NOON)
    later = OBSERVED + timedelta(seconds=default_freshness(Facet.MANAGER).publish_for)
    body = update(unlimited(channels=()), known, store, later).renderings["resource"]
    assert NORTH.encode() not in body


def test_what_was_composed_by_the_rules_in_force_is_carried_whole(tmp_path: Path) -> None:
    """Also images that no share names: by other rules it could not be seen whether they were private."""
    store = DocumentStore(tmp_path / "state", tmp_path / "public")
    before = update(unlimited(channels=()), facets(), store, NOON).renderings["resource"]
    again = update(unlimited(channels=()), MemoryFacets(), store, NOON).renderings["resource"]
    images = {record.dn for record in read(before) if record.dn.startswith("GLUE2ApplicationEnvironmentID")}
    assert images <= {record.dn for record in read(again)}
    fewer = unlimited(channels=(), communities=configuration().communities[1:])
    other = update(fewer, MemoryFacets(), store, NOON).renderings["resource"]
    assert not images <= {record.dn for record in read(other)}
