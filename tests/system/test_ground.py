"""The three BDIIs themselves, before anything of ours is put into them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.bdii import Chain

pytestmark = pytest.mark.bdii

HOOK = Path(__file__).parents[2] / "bdii-hook" / "infoprovider-hook"
SERVICE = """\
dn: GLUE2ServiceID=urn:glue2:ComputingService:rc-one:{name},GLUE2GroupID=resource,o=glue
objectClass: GLUE2Entity
objectClass: GLUE2Service
objectClass: GLUE2ComputingService
GLUE2ServiceID: urn:glue2:ComputingService:rc-one:{name}
GLUE2ServiceType: IaaS
GLUE2ServiceQualityLevel: {quality}
GLUE2ServiceAdminDomainForeignKey: RC-ONE

"""
ON_TOP = "GLUE2GroupID=resource,GLUE2DomainID=RC-ONE,GLUE2GroupID=grid,o=glue"


@pytest.fixture
def clean(chain: Chain) -> Iterator[Chain]:
    """The chain, whose folders are as before when the test has ended."""
    before = set(chain.ldif.iterdir()) | set(chain.provider.iterdir())
    yield chain
    for added in {*chain.ldif.iterdir(), *chain.provider.iterdir()} - before:
        added.unlink()


def test_a_file_reaches_the_top_is_changed_and_is_withdrawn_there(clean: Chain) -> None:
    """An entry of the folder is found on the top below site and grid; a change and its removal follow."""
    file = clean.ldif / "service.ldif"
    file.write_text(SERVICE.format(name="file", quality="testing"))
    clean.settle()
    dn = f"GLUE2ServiceID=urn:glue2:ComputingService:rc-one:file,{ON_TOP}"
    assert "GLUE2ServiceQualityLevel: testing\n" in clean.top.search(dn, scope="base")

    file.write_text(SERVICE.format(name="file", quality="production"))
    clean.settle()
    assert "GLUE2ServiceQualityLevel: production\n" in clean.top.search(dn, scope="base")

    file.unlink()
    clean.settle()
    assert clean.top.search(ON_TOP, "(objectClass=GLUE2Service)", "dn") == ""
    assert clean.top.complaints() == []


def test_the_hook_in_the_provider_folder_reaches_the_top_and_leaves_by_itself(clean: Chain, tmp_path: Path) -> None:
    """The shipped hook serves a rendering while it may be handed out, and withdraws it afterwards."""
    public = tmp_path / "public"
    public.mkdir()
    (public / "current.resource.ldif").write_text(SERVICE.format(name="hook", quality="production"))
    (public / "current.expires").write_text("another-boot 0 99999999999\n")
    shutil.copy(HOOK, public.parent / "infoprovider-hook")
    caller = clean.provider / "infoprovider"
    caller.write_text(f'#!/bin/sh\nexec "{public.parent}/infoprovider-hook" "{public}"\n')
    caller.chmod(0o755)
    clean.settle()
    query = "(GLUE2ServiceID=urn:glue2:ComputingService:rc-one:hook)"
    assert clean.top.search("o=glue", query, "dn").startswith("dn: GLUE2ServiceID=")

    (public / "current.expires").write_text("another-boot 0 0\n")
    clean.settle()
    assert clean.top.search("o=glue", query, "dn") == ""
    assert any("has expired" in line for line in clean.resource.complaints())


def test_a_rejected_entry_shows_among_the_complaints(clean: Chain) -> None:
    """The log is read where slapd's rejections stand: an entry with an unknown attribute is seen, not passed over."""
    wrong = SERVICE.format(name="wrong", quality="production").replace("GLUE2ServiceType", "GLUE2ServiceKind")
    (clean.ldif / "wrong.ldif").write_text(wrong)
    clean.resource.wait()
    assert any("Undefined attribute type (17)" in line for line in clean.resource.complaints())
