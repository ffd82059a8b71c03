"""Images from OpenStack's image service, and who endorsed them as far as their properties say."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from infoprovider.inventory.model import (
    Checksum,
    Endorsement,
    Endorsements,
    Image,
    Images,
    OperatingSystem,
    Ownership,
)
from infoprovider.providers.openstack.account import Account, Forbidden, NotThere

Record: TypeAlias = Mapping[str, Any]

_PARTS_OF_IMAGES = frozenset({"aki", "ari"})
_OPEN_TO_ALL = frozenset({"public", "community"})
_MARKETPLACE = ("ad:mpuri", "vmcatcher_event_ad_mpuri", "marketplace")
_ENDORSER = ("sl:endorser", "dc:endorser", "endorser", "vmcatcher_event_sl_endorser")
_LIST = ("il:dc:identifier", "vmcatcher_event_il_dc_identifier", "image_list")
_EXPIRY = ("dc:date:expires", "vmcatcher_event_dc_date_expires")
_VERSION = ("eu.egi.cloud.tag", "hv:version", "vmcatcher_event_hv_version")
_DESCRIPTION = ("description", "vmcatcher_event_dc_description", "dc:description")


def fetch_images(account: Account) -> list[dict[str, Any]]:
    """Every image that the account may see, whoever owns it."""
    return account.pages("image", "/images", "images", query={"visibility": "all", "limit": "1000"})


def fetch_members(account: Account, image: str) -> list[str]:
    """The projects that take part in the shared image of this id; none where that is not told."""
    try:
        page = account.get("image", f"/images/{image}/members")
    except (NotThere, Forbidden):
        return []
    return [member["member_id"] for member in page["members"] if member["status"] == "accepted"]


def fetch_schema(account: Account) -> dict[str, Any]:
    """What the image service says of the images that it takes."""
    return dict(account.get("image", "/schemas/image"))


def to_formats(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Disk formats that the image service takes; parts of images are none."""
    offered = schema["properties"].get("disk_format", {}).get("enum") or ()
    return tuple(sorted(name for name in offered if name and name not in _PARTS_OF_IMAGES))


def to_images(records: Iterable[Record], members: Mapping[str, Iterable[str]]) -> Images:
    """All images that machines are started from; `members` are projects beside the owner, by image id."""
    return Images(
        images=tuple(to_image(record, members.get(record["id"], ())) for record in records if is_bootable(record))
    )


def is_bootable(record: Record) -> bool:
    """Whether it is an image by itself: not a kernel or a ramdisk that belongs to one."""
    return record.get("disk_format") not in _PARTS_OF_IMAGES


def is_shared(record: Record) -> bool:
    """Whether other projects may take part in it."""
    return bool(record["visibility"] == "shared")


def to_image(record: Record, members: Iterable[str]) -> Image:
    """One image. Its id is the one that machines are started from."""
    properties = to_properties(record)
    is_open = record["visibility"] in _OPEN_TO_ALL
    owner = record.get("owner")
    return Image(
        id=record["id"],
        name=record.get("name") or record["id"],
        version=_first(properties, _VERSION),
        description=_first(properties, _DESCRIPTION),
        marketplace_uri=_first(properties, _MARKETPLACE),
        active=record["status"] == "active" and not record.get("os_hidden"),
        disk_format=record.get("disk_format"),
        size_mib=math.ceil(record["size"] / 2**20) if record.get("size") else None,
        architecture=properties.get("architecture"),
        operating_system=OperatingSystem(
            family=properties.get("os_type"), name=properties.get("os_distro"), version=properties.get("os_version")
        ),
        # 0 is how the service writes that nobody said so.
        min_memory_mib=record.get("min_ram") or None,
        min_disk_gib=float(record["min_disk"]) if record.get("min_disk") else None,
        checksums=tuple(to_checksums(record)),
        ownership=Ownership.PUBLIC if is_open else Ownership.PROJECTS,
        projects=() if is_open else tuple(sorted({*members, *([owner] if owner else [])})),
    )


def to_properties(record: Record) -> dict[str, str]:
    """An image's properties as texts, and those that image catalogues pack into one of them."""
    try:
        packed = json.loads(record.get("APPLIANCE_ATTRIBUTES") or "{}")
    except ValueError:
        packed = {}
    both = {**record, **(packed if isinstance(packed, dict) else {})}
    return {name: value for name, value in both.items() if isinstance(value, str) and value}


def to_checksums(record: Record) -> list[Checksum]:
    """Digests of the image's file, the strong one first."""
    found = [(record.get("os_hash_algo"), record.get("os_hash_value")), ("md5", record.get("checksum"))]
    return [Checksum(algorithm=name, value=value.lower()) for name, value in found if name and value]


def to_endorsements(records: Iterable[Record]) -> Endorsements:
    """What image catalogues left in the properties of images: only where they name an endorser."""
    found = []
    for record in filter(is_bootable, records):
        properties = to_properties(record)
        endorser = _first(properties, _ENDORSER)
        if endorser is not None:
            found.append(
                Endorsement(
                    identifier=_first(properties, _MARKETPLACE) or record["id"],
                    endorser=endorser,
                    image_list=_first(properties, _LIST),
                    expires_at=_moment(_first(properties, _EXPIRY)),
                    checksum=_endorsed_checksum(properties),
                )
            )
    return Endorsements(endorsements=tuple(dict.fromkeys(found)))


def _endorsed_checksum(properties: Mapping[str, str]) -> Checksum | None:
    """The digest of the file that was endorsed."""
    for algorithm in ("sha512", "sha256"):
        value = _first(properties, (f"sl:checksum:{algorithm}", f"vmcatcher_event_sl_checksum_{algorithm}"))
        if value is not None:
            return Checksum(algorithm=algorithm, value=value.lower())
    return None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _first(properties: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((properties[name] for name in names if name in properties), None)
