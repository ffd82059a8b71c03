"""BDIIs for the tests of the whole: on free ports, stopped by their process ids."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.system.bdii import Bdii, Chain, start

SITE = "RC-ONE"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A resource, a site and a top BDII with half a second between cycles, fresh for every file of tests."""
    work = tmp_path_factory.mktemp("chain")
    ldif, provider = work / "ldif", work / "provider"
    with ExitStack() as running:

        def started(name: str, *options: str) -> Bdii:
            bdii = start(work / name, *options)
            running.callback(bdii.stop)
            return bdii

        resource = started("resource", "--ldif", str(ldif), "--provider", str(provider))
        below = f"resource={resource.url}/GLUE2GroupID=resource,o=glue"
        site = started("site", "--level", "site", "--name", SITE, "--source", below)
        top = started("top", "--level", "top", "--source", f"{SITE}={site.url}/GLUE2DomainID={SITE},o=glue")
        yield Chain(ldif, provider, resource, site, top)
