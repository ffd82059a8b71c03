"""What is published as startable now is what starts: machines of a real OpenStack, one by one until one is refused."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.system import filling, openstack
from tests.system.filling import ADMINISTRATOR, FIVE, FRAGMENTED, PROJECTS, READER, Filling, State

pytestmark = pytest.mark.openstack


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filling]:
    """A cloud of four small hosts, with the types to be measured."""
    folder = tmp_path_factory.mktemp("small")
    numbers = {"HOSTS": filling.hosts_file(folder), "PROJECTS": 2, "FLAVORS": 1, "IMAGES": 1, "SERVERS": 0, "ODD": 0}
    with ExitStack() as running:
        yield Filling(openstack.start_until(running, folder / "cloud", **numbers), folder)


@pytest.mark.parametrize("state", FIVE, ids=[state.name for state in FIVE])
@pytest.mark.shows("openstack", "machines startable now", by="real system")
def test_what_is_published_is_what_starts(small: Filling, state: State) -> None:
    """An exact number is exact; an upper bound is not below the truth and at most twice it; each state binds itself."""
    rows = small.measure(state)
    administrator = [row for row in rows if row.account == ADMINISTRATOR]
    assert {row.project for row in administrator} == set(PROJECTS)
    assert {row.filled.refused_by for row in rows} == {state.bound_by}
    assert [row for row in administrator if not 0 < (row.published or 0) < 12] == []
    assert [row for row in rows if row.verdict not in ("right", "holds")] == []
    labels = {row.type: row.label for row in administrator}
    assert labels == {type_: "upper bound" if type_ == "pinned" else "exact" for type_ in state.types}
    # Who sees no hosts knows the quota alone.
    assert {row.label for row in rows if row.account == READER} == {"upper bound"}
    if state is FRAGMENTED:
        assert all(row.filled.started < row.in_one_piece for row in administrator)
