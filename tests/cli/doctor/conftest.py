"""Wards for the doctor: two centres are published once, and copied for each test."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.doctor.ward import DEMO, Bdii, Ward, copied
from tests.fakes import ldap_server
from tests.providers.openstack_recorded import PASSWORD, Recorded, serving

DEFAULTS = {"platform": "amd64", "os_family": "linux"}
DESCRIBED = {"name": "north", "kind": "static", "defaults": DEFAULTS, "settings": {"file": "north.yaml"}}
PROJECT = "5f1c7c1e9d0a4a7f8a7d3c1b2e604001"


class Wards:
    """Two published centres, one described and one asked, with the servers around them."""

    def __init__(self, folder: Path, bdii: Bdii, cloud: Recorded, patch: pytest.MonkeyPatch) -> None:
        self.bdii, self.cloud = bdii, cloud
        self.described, self.asked = folder / "described", folder / "asked"
        ward = Ward(self.described, bdii, patch)
        ward.build(DESCRIBED, PROJECT)
        (self.described / "north.yaml").write_text(DEMO.read_text())
        ward.publish()
        ward = Ward(self.asked, bdii, patch)
        asked = {
            "name": "cloud",
            "kind": "openstack",
            "defaults": DEFAULTS,
            "settings": cloud.settings("admin"),
        }
        ward.build(asked, cloud.projects()["admin"])
        ward.publish()


@pytest.fixture(scope="session")
def wards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wards]:
    """The two centres, published."""
    bdii = Bdii()
    with pytest.MonkeyPatch.context() as patch, ExitStack() as servers:
        patch.setenv("RECORDED_PASSWORD", PASSWORD)
        bdii.port = servers.enter_context(ldap_server.serving(lambda message, send: bdii.answer(message, send)))
        cloud = servers.enter_context(serving("admin"))
        yield Wards(tmp_path_factory.mktemp("wards"), bdii, cloud, patch)


def _entered(wards: Wards, template: Path, folder: Path, patch: pytest.MonkeyPatch) -> Ward:
    copied(template, folder)
    patch.setenv("RECORDED_PASSWORD", PASSWORD)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        patch.delenv(name, raising=False)
        patch.delenv(name.upper(), raising=False)
    ward = Ward(folder, wards.bdii, patch, wards.cloud)
    vars(wards.bdii).update(vars(Bdii(port=wards.bdii.port, file=ward.rendering)))
    wards.cloud.faults.clear()
    wards.cloud.met.clear()
    wards.cloud.refused_projects.clear()
    return ward


@pytest.fixture(name="described")
def _described(wards: Wards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    """A centre whose manager is described."""
    ward = _entered(wards, wards.described, tmp_path, monkeypatch)
    with ward.rest:
        yield ward


@pytest.fixture(name="asked")
def _asked(wards: Wards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    """A centre whose manager is an OpenStack that gives recorded answers."""
    ward = _entered(wards, wards.asked, tmp_path, monkeypatch)
    with ward.rest:
        yield ward
