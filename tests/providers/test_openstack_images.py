"""Images and their endorsements, from what the image service tells."""

from datetime import UTC, datetime
from typing import Any

import pytest

from infoprovider.inventory.model import Checksum, Endorsement, Ownership
from infoprovider.providers.openstack.images import to_endorsements, to_formats, to_image, to_images


def record(**changes: Any) -> dict[str, Any]:
    """A public image as the service tells it."""
    return {
        "id": "i1",
        "name": "debian",
        "status": "active",
        "visibility": "public",
        "owner": "p1",
        "os_hidden": False,
        "disk_format": "qcow2",
        "size": 2**20 + 1,
        "min_ram": 0,
        "min_disk": 0,
        "checksum": None,
        "os_hash_algo": None,
        "os_hash_value": None,
        **changes,
    }


def test_sizes_are_whole_and_what_is_not_said_is_not_known() -> None:
    """The service writes 0 for minimal sizes that nobody gave, and no size of an image without data."""
    image = to_image(record(), ())
    assert (image.size_mib, image.min_memory_mib, image.min_disk_gib, image.checksums) == (2, None, None, ())
    assert to_image(record(size=None), ()).size_mib is None
    sized = to_image(record(min_ram=512, min_disk=10), ())
    assert (sized.min_memory_mib, sized.min_disk_gib) == (512, 10.0)
    assert to_image(record(name=None), ()).name == "i1"


@pytest.mark.parametrize(
    ("changes", "active"),
    [({}, True), ({"status": "queued"}, False), ({"status": "deactivated"}, False), ({"os_hidden": True}, False)],
)
def test_only_what_can_be_started_now_is_active(changes: dict[str, Any], active: bool) -> None:
    """Images without data, switched off or hidden are not."""
    assert to_image(record(**changes), ()).active is active


@pytest.mark.parametrize(
    ("visibility", "ownership", "projects"),
    [
        ("public", Ownership.PUBLIC, ()),
        ("community", Ownership.PUBLIC, ()),
        ("private", Ownership.PROJECTS, ("p1",)),
        ("shared", Ownership.PROJECTS, ("p1", "p9")),
    ],
)
def test_who_may_start_an_image(visibility: str, ownership: Ownership, projects: tuple[str, ...]) -> None:
    """Community images are for all; a shared one for its owner and those that take part."""
    image = to_image(record(visibility=visibility), ["p9"] if visibility == "shared" else [])
    assert (image.ownership, image.projects) == (ownership, projects)


def test_digests_and_properties() -> None:
    """The strong digest first, in lower case; the system from the usual properties."""
    image = to_image(
        record(
            os_hash_algo="sha512",
            os_hash_value="AB",
            checksum="cd",
            architecture="x86_64",
            os_type="linux",
            os_distro="debian",
            os_version="12",
        ),
        (),
    )
    assert image.checksums == (Checksum(algorithm="sha512", value="ab"), Checksum(algorithm="md5", value="cd"))
    system = image.operating_system
    assert (image.architecture, system.family, system.name, system.version) == ("x86_64", "linux", "debian", "12")


def test_parts_of_images_are_none() -> None:
    """Kernels and ramdisks are not started by themselves."""
    assert to_images([record(disk_format="aki"), record(disk_format="ari")], {}).images == ()
    assert to_formats({"properties": {"disk_format": {"enum": [None, "raw", "aki", "ari", "iso"]}}}) == ("iso", "raw")
    assert to_formats({"properties": {}}) == ()


PACKED = (
    '{"ad:mpuri": "https://market.example.org/1", "sl:endorser": "CN=Endorser", "sl:checksum:sha512": "AB",'
    ' "dc:date:expires": "2030-01-31T12:00:00Z"}'
)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"APPLIANCE_ATTRIBUTES": '{"ad:mpuri": "https://market.example.org/1"}'}, []),
        ({"APPLIANCE_ATTRIBUTES": "{broken"}, []),
        ({"APPLIANCE_ATTRIBUTES": "[1]"}, []),
        (
            {"APPLIANCE_ATTRIBUTES": PACKED},
            [
                Endorsement(
                    identifier="https://market.example.org/1",
                    endorser="CN=Endorser",
                    expires_at=datetime(2030, 1, 31, 12, tzinfo=UTC),
                    checksum=Checksum(algorithm="sha512", value="ab"),
                )
            ],
        ),
        (
            {"vmcatcher_event_sl_endorser": "CN=E", "vmcatcher_event_dc_date_expires": "soon"},
            [Endorsement(identifier="i1", endorser="CN=E")],
        ),
    ],
)
def test_an_endorsement_needs_an_endorser(changes: dict[str, Any], found: list[Endorsement]) -> None:
    """What image catalogues leave in properties counts where it says who stands for it."""
    assert list(to_endorsements([record(**changes)]).endorsements) == found


def test_the_market_an_image_comes_from() -> None:
    """From whichever catalogue wrote it."""
    assert to_image(record(APPLIANCE_ATTRIBUTES=PACKED), ()).marketplace_uri == "https://market.example.org/1"
    assert to_image(record(marketplace="https://m.example.org/2"), ()).marketplace_uri == "https://m.example.org/2"
    assert to_image(record(), ()).version is None
    assert to_image(record(APPLIANCE_ATTRIBUTES='{"hv:version": "24.04"}'), ()).version == "24.04"
