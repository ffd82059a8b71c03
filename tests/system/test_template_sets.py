"""Every template set, with every class that is published, on a real BDII."""

from pathlib import Path

import pytest

from infoprovider import ldif
from infoprovider.render.ldif import LdifRenderer
from tests.render.documents import centre
from tests.system.bdii import start

pytestmark = pytest.mark.bdii


def test_every_set_loads_whole(tmp_path: Path) -> None:
    """The three trees side by side: every entry is there with every value, and the server complained of nothing."""
    folder = tmp_path / "ldif"
    folder.mkdir()
    wanted = {}
    for template_set in ("resource", "cloud", "site"):
        body = LdifRenderer(template_set).render(centre())
        (folder / f"{template_set}.ldif").write_bytes(body)
        wanted |= {record.dn: record.attributes for record in ldif.read(body)}
    bdii = start(tmp_path / "bdii", "--ldif", str(folder))
    try:
        bdii.wait()
        text = bdii.search("o=glue", "(|(objectClass=GLUE2Entity)(objectClass=GLUE2Group))")
        found = {record.dn: record.attributes for record in ldif.read(text.encode())}
        found.pop("GLUE2GroupID=grid,o=glue", None)
        assert {dn: as_sets(attributes) for dn, attributes in found.items()} == {
            dn: as_sets(attributes) for dn, attributes in wanted.items()
        }
        assert bdii.complaints() == []
    finally:
        bdii.stop()


def as_sets(attributes: dict[str, list[str]]) -> dict[str, set[str]]:
    """The attributes of an entry without their order."""
    return {name: set(values) for name, values in attributes.items()}
