"""How much of a database a cloud of middling size takes, on a real slapd: the figures of docs/for-aggregators.md."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.synthetic import ENTITIES_PER_INSTANCE, centre
from infoprovider.render.ldif import LdifRenderer
from tests.render.documents import Entities
from tests.system.bdii import Bdii, start
from tests.test_for_aggregators import PAGE, Rendered, figures, rendered

pytestmark = pytest.mark.bdii

AS_PACKAGED = 10 * 2**20
"""Bytes of a database without `maxsize`."""


def clouds(number: int) -> Rendered:
    """So many clouds of middling size."""
    return rendered(*centre(number * ENTITIES_PER_INSTANCE))


def later(document: Rendered, seconds: int) -> Entities:
    """The same with newer stamps on every entry."""
    return Entities(
        tuple(
            replace(one, creation_time=one.creation_time and one.creation_time + timedelta(seconds=seconds))
            for one in document.entities
        )
    )


Loaded = Callable[[Rendered, int], tuple[int, int, list[str]]]


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """What a BDII with databases of such a size has of a document: entries, bytes of the database, and complaints."""

    def load(document: Rendered, maxsize: int) -> tuple[int, int, list[str]]:
        bdii = start(tmp_path / "bdii", "--maxsize", str(maxsize))
        try:
            for seconds in (0, 150, 300):
                publish(bdii, later(document, seconds))
            found = bdii.search("GLUE2GroupID=resource,o=glue", "(objectClass=*)", "dn").count("dn: ")
            size = (bdii.work / "db" / "glue" / "data.mdb").stat().st_blocks * 512
            return found, size, bdii.complaints()
        finally:
            bdii.stop()

    return load


def publish(bdii: Bdii, document: Entities) -> None:
    """Lay it down, and wait until it is loaded."""
    beside = bdii.work / "ldif" / "next"
    beside.write_bytes(LdifRenderer("resource").render(document))
    beside.rename(bdii.work / "ldif" / "centre.ldif")
    bdii.wait()


@pytest.mark.parametrize("level", ["resource", "above"])
def test_a_cloud_takes_so_many_kilobytes(loaded: Loaded, level: str) -> None:
    """The difference between many clouds and one, after every entry was modified twice; within a tenth."""
    few, many = 1, 11
    sizes = []
    for number in (few, many):
        document = clouds(number) if level == "resource" else clouds(number).above
        found, size, complaints = loaded(document, 2**32)
        assert (found, complaints) == (document.count, [])
        sizes.append(size)
    stated = figures("database of slapd, kB")[level == "above"]
    assert (sizes[1] - sizes[0]) / (many - few) / 1000 == pytest.approx(stated, rel=0.1)


def test_a_packaged_database_holds_so_many_clouds(loaded: Loaded) -> None:
    """That number with all its modifications, and not a fifth more, of which the BDII's log says so."""
    [number] = map(int, re.findall(r"10 MiB: \*\*(\d+)\*\*", PAGE))
    document = clouds(number)
    found, _, complaints = loaded(document, AS_PACKAGED)
    assert (found, complaints) == (document.count, [])


def test_a_packaged_database_refuses_the_rest_by_entry(loaded: Loaded) -> None:
    """A fifth more does not fit, and the BDII's log says so."""
    [number] = map(int, re.findall(r"10 MiB: \*\*(\d+)\*\*", PAGE))
    document = clouds(number + max(1, number // 5))
    found, _, complaints = loaded(document, AS_PACKAGED)
    assert 0.7 * document.count < found < document.count
    assert any("(80)" in line for line in complaints)
