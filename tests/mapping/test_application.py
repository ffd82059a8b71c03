"""Images, and what is said of them by those who endorse them."""

from dataclasses import replace
from typing import Any

import pytest

from infoprovider.config.model import Centre
from infoprovider.glue.entities import ApplicationEnvironment
from infoprovider.inventory.model import (
    Checksum,
    Endorsement,
    Endorsements,
    Image,
    OperatingSystem,
    Ownership,
    TrustPolicy,
)
from infoprovider.mapping.application import is_refused, map_applications
from infoprovider.mapping.context import SLOW
from tests.mapping.example import NOW, ago, community, facts, image, images, instance_type, known, only, said, types

SHA = Checksum(algorithm="sha512", value="ab12")
OTHER = Checksum(algorithm="sha512", value="cd34")


def published(*found: Image, **changes: Any) -> list[ApplicationEnvironment]:
    """What becomes of these images."""
    return [one.entity for one in map_applications(facts(images=images(*found), **changes))]  # type: ignore[misc]


def endorsed(given: Image, *endorsements: Endorsement, **changes: Any) -> ApplicationEnvironment:
    """An image of which this is said."""
    made = map_applications(
        facts(images=images(given), endorsements=known(Endorsements(endorsements=endorsements), 7200), **changes)
    )
    return only(list(made), ApplicationEnvironment)


def test_an_image_says_what_it_is_and_what_it_needs() -> None:
    """The native id is the Name, with which machines are started; the marketplace's URI stands unchanged."""
    full = image(
        "0a6f",
        name="Debian 12",
        version="2026.09",
        description="Plain Debian",
        license="free",
        marketplace_uri="https://market/debian-12",
        disk_format="qcow2",
        size_mib=1536,
        architecture="x86_64",
        operating_system=OperatingSystem(family="linux", name="Debian", version="12"),
        min_vcpus=1,
        min_memory_mib=512,
        min_disk_gib=2.5,
        contextualization="cloud-init",
        checksums=(SHA,),
    )
    (found,) = published(full)
    assert (found.id, found.name) == ("urn:glue2:ApplicationEnvironment:rc-one:north:0a6f", "0a6f")
    assert (found.app_name, found.app_version, found.description, found.license) == (
        "Debian 12",
        "2026.09",
        "Plain Debian",
        "free",
    )
    assert found.repository == "https://market/debian-12"
    assert found.computing_manager_foreign_key == "urn:glue2:ComputingManager:rc-one:north"
    assert found.other_info == (
        "Image.Format=qcow2",
        "Image.Size=1.5",
        "Image.Platform=amd64",
        "Image.OSFamily=linux",
        "Image.OSName=Debian",
        "Image.OSVersion=12",
        "Image.MinCPU=1",
        "Image.MinRAM=512",
        "Image.MinDisk=2.5",
        "Image.Contextualization=cloud-init",
        "Image.Checksum.SHA512=ab12",
    )
    assert (found.creation_time, found.validity) == (ago(60), SLOW)


def test_an_image_with_an_empty_name_is_called_by_its_id() -> None:
    """A user can set that, and an entry without a name would be refused."""
    (found,) = published(image("0a6f", name=""))
    assert found.app_name == "0a6f"


def test_what_is_not_known_of_an_image_is_left_out() -> None:
    """A name is enough to be published; whether anybody endorses it is not said where nobody was asked."""
    (found,) = published(image())
    assert (found.app_version, found.repository, found.state, found.removal_date) == (None, None, None, None)
    assert (found.other_info, found.execution_environment_foreign_key) == ((), ())


def test_an_image_names_the_types_that_it_can_be_started_on() -> None:
    """By its minimal sizes; a type that is too small is not named."""
    large = instance_type("large", memory_mib=8192)
    (found,) = published(image(min_memory_mib=4096), instance_types=types(instance_type(), large))
    assert found.execution_environment_foreign_key == ("urn:glue2:ExecutionEnvironment:rc-one:north:large",)


def test_only_active_images_are_published() -> None:
    """One that cannot be started is none for a broker."""
    assert published(image(active=False)) == []


def private(id_: str, *projects: str) -> Image:
    """An image of these projects."""
    return image(id_, ownership=Ownership.PROJECTS, projects=projects)


@pytest.mark.parametrize(("disclosed", "names"), [("communities", ["mine", "open"]), ("none", ["open"])])
def test_private_images_are_published_for_mapped_projects_or_not_at_all(disclosed: str, names: list[str]) -> None:
    """Those of other projects never are."""
    centre = {"name": "RC-ONE", "disclosure": {"private_images": disclosed}}
    found = [private("mine", "p1", "p9"), private("theirs", "p9"), image("open")]
    of = facts([community("vo.bio", "p1")], images=images(*found), centre=Centre.model_validate(centre))
    assert [one.entity.name for one in map_applications(of)] == names


@pytest.mark.parametrize(
    ("given", "said_of"),
    [
        ({"marketplace_uri": "https://market/debian"}, {"identifier": "https://market/debian"}),
        ({}, {"identifier": "debian"}),
        ({"checksums": (OTHER, SHA)}, {"identifier": "elsewhere", "checksum": SHA}),
    ],
)
def test_an_endorsement_is_found_by_uri_id_or_checksum(given: dict[str, Any], said_of: dict[str, Any]) -> None:
    """Whoever endorses an image may know it by another name than the centre."""
    statement = Endorsement(endorser="CN=Endorser", image_list="https://list/", expires_at=ago(-3600), **said_of)
    found = endorsed(image(**given), statement)
    assert said(found, "Image.Endorser") == ["CN=Endorser"]
    assert said(found, "Image.ImageList") == ["https://list/"]
    assert said(found, "Image.Expiry") == ["2026-11-21T13:00:00Z"]
    assert said(found, "Image.Endorser.ObservedAt") == ["2026-11-21T10:00:00Z"]
    assert found.removal_date == ago(-3600)


@pytest.mark.parametrize(
    ("checksums", "statement", "state"),
    [
        ((SHA,), {"checksum": SHA}, "installedverified"),
        ((), {"checksum": SHA}, "installednotverified"),
        ((SHA,), {}, "installednotverified"),
        ((SHA,), {"checksum": SHA, "expires_at": ago(-1)}, "installedverified"),
        ((SHA,), {"checksum": SHA, "expires_at": NOW}, "pendingremoval"),
        ((SHA,), {"checksum": SHA, "revoked": True}, "pendingremoval"),
    ],
)
def test_the_state_says_whether_the_endorsement_was_verified(
    checksums: tuple[Checksum, ...], statement: dict[str, Any], state: str
) -> None:
    """Verified by the digest that both know; an endorsement that has ended makes the image one to be removed."""
    found = endorsed(image(checksums=checksums), Endorsement(identifier="debian", endorser="CN=E", **statement))
    assert found.state == state


def test_an_endorsement_that_names_nothing_is_said_of_no_image() -> None:
    """An image without a marketplace URI has none in common with it."""
    found = endorsed(image(), Endorsement(identifier="", endorser="CN=E"))
    assert said(found, "Image.Endorser") == []


def test_an_image_that_nobody_endorses_is_not_verified() -> None:
    """Where somebody was asked and said nothing of it."""
    found = endorsed(image())
    assert (found.state, said(found, "Image.Endorser")) == ("installednotverified", [])


def test_what_was_said_of_another_file_is_not_said_of_this_one() -> None:
    """An image of the endorsed name with another digest has no endorser."""
    statement = Endorsement(identifier="debian", endorser="CN=E", checksum=OTHER, expires_at=NOW)
    found = endorsed(image(checksums=(SHA,)), statement)
    assert (found.state, said(found, "Image.Endorser"), found.removal_date) == ("installednotverified", [], None)


@pytest.mark.parametrize(
    ("honours", "statement", "refused"),
    [
        (True, {"expires_at": NOW}, True),
        (True, {"revoked": True}, True),
        (True, {"expires_at": ago(-1)}, False),
        (False, {"expires_at": NOW}, False),
        (None, {"expires_at": NOW}, False),
    ],
)
def test_a_centre_that_honours_expiry_starts_no_expired_image(
    honours: bool | None, statement: dict[str, Any], refused: bool
) -> None:
    """Only where the trust policy says so."""
    of = facts(
        images=images(image()),
        endorsements=Endorsements(endorsements=(Endorsement(identifier="debian", endorser="CN=E", **statement),)),
        trust=TrustPolicy(model="endorsed", honours_expiry=honours),
    )
    assert is_refused(of, image()) is refused
    assert is_refused(replace(of, trust=None), image()) is False
