"""Nothing that was published vanishes because the state was lost while a manager is down."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from infoprovider.cli import site
from infoprovider.config.model import Configuration
from infoprovider.ldif import read
from infoprovider.publication.carry import carried_over, services_in
from infoprovider.publication.cycle import deliver_all, update
from infoprovider.resources import folder
from infoprovider.store.document import DocumentStore
from infoprovider.store.snapshots import SnapshotStore

NORTH = "urn:glue2:ComputingService:rc-demo:demo-north"
SOUTH = "urn:glue2:ComputingService:rc-demo:demo-south"


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """The demo centre with one BDII channel, its file's path."""
    shutil.copytree(folder("examples") / "demo", tmp_path / "demo")
    plain = yaml.safe_load((folder("examples") / "demo.yaml").read_text())
    (tmp_path / "bdii").mkdir()
    plain["channels"] = [{"name": "bdii", "kind": "bdii", "settings": {"folder": "bdii"}}]
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(plain))
    return path


def publish(centre: Path) -> set[str]:
    """Collect and publish once; the distinguished names in the BDII's folder."""
    configuration: Configuration = site.read_configuration(centre)
    facets = SnapshotStore(configuration.state, site.clock)
    with facets.writing():
        site.collect(configuration, facets, everything=True)
        current = update(configuration, facets, DocumentStore(configuration.state, configuration.public), site.now())
        delivered = deliver_all(configuration, current, site.publisher, lambda _: True)
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


def test_what_is_carried_is_only_young_enough_and_of_the_services_that_are_missing(centre: Path) -> None:
    """Entries keep their old stamps; those older than the limit, and those of other services, are not carried."""
    publish(centre)
    body = (centre.parent / "bdii" / "infoprovider.ldif").read_bytes()
    oldest = site.now() - timedelta(days=1)
    carried = {record.dn: record.attributes for record in read(carried_over(body, frozenset({SOUTH}), oldest))}
    former = {record.dn: record.attributes for record in read(body) if SOUTH in record.dn}
    assert carried == former
    assert services_in(body, frozenset({NORTH, SOUTH, "urn:x"})) == {NORTH, SOUTH}
    assert carried_over(body, frozenset({SOUTH}), site.now() + timedelta(seconds=1)) == b""
    assert carried_over(b"rubbish", frozenset({SOUTH}), oldest) == b""
