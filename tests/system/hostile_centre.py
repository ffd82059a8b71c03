"""A centre whose users mean harm: what its VM managers print in each phase, and what must be found of it.

Two managers are asked by a program that prints a file of lines: one has images alone, the other instance types, and
projects with networks of their own. Every text that a user of a cloud can set is hostile; a number in each thing says
which one it is, whatever became of its texts.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

IMAGES, TYPES, PROJECTS, NETWORKS = 3_700, 150, 40, 30

Row = dict[str, str | None]
"""The texts of one thing, by field; a network's field is its number."""

Key = tuple[str, int]
"""`image`, `type` or `share`, and the number of the thing."""

APPLICATION = "GLUE2ApplicationEnvironment"
ENVIRONMENT = "GLUE2ExecutionEnvironment"
OTHER = "GLUE2EntityOtherInfo"

PLACES: dict[str, dict[str, tuple[str, str]]] = {
    "image": {
        "id": ("GLUE2EntityName", ""),
        "name": (f"{APPLICATION}AppName", ""),
        "version": (f"{APPLICATION}AppVersion", ""),
        "description": (f"{APPLICATION}Description", ""),
        "license": (f"{APPLICATION}License", ""),
        "marketplace_uri": (f"{APPLICATION}Repository", ""),
        "disk_format": (OTHER, "Image.Format="),
        "os_family": (OTHER, "Image.OSFamily="),
        "os_name": (OTHER, "Image.OSName="),
        "os_version": (OTHER, "Image.OSVersion="),
        "contextualization": (OTHER, "Image.Contextualization="),
        "checksum": (OTHER, "Image.Checksum.SHA512="),
        "endorser": (OTHER, "Image.Endorser="),
        "image_list": (OTHER, "Image.ImageList="),
    },
    "type": {
        "id": ("GLUE2EntityName", ""),
        "name": (OTHER, "TemplateName="),
        "os_family": (f"{ENVIRONMENT}OSFamily", ""),
        "os_name": (f"{ENVIRONMENT}OSName", ""),
        "os_version": (f"{ENVIRONMENT}OSVersion", ""),
        "type": (OTHER, "AcceleratorType="),
        "vendor": (OTHER, "AcceleratorVendor="),
        "model": (OTHER, "AcceleratorModel="),
        "virtualization": (OTHER, "AcceleratorVirtualizationType="),
    },
    "share": {str(number): (OTHER, "PublicNetworkName=") for number in range(NETWORKS)},
}
"""Where each text is found: an attribute, and what stands before the text there."""

NUMBERS = {
    "image": (OTHER, "Image.MinRAM="),
    "type": (f"{ENVIRONMENT}MainMemorySize", ""),
    "share": ("GLUE2ComputingShareMaxTotalJobs", ""),
}
"""Where the number of a thing is found."""

OS_FAMILY = "linux"
"""The operator's word for what no type tells."""

_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


@dataclass
class Centre:
    """What there is in one phase."""

    rows: dict[Key, Row] = field(default_factory=dict)

    def say(self, folder: Path) -> None:
        """Write what the programs of both managers print."""
        now = datetime.now(UTC).replace(microsecond=0).isoformat()
        for instance, facets in (("images", self._of_images()), ("shares", self._of_shares())):
            lines = [*facets, ("manager", "", MANAGER)]
            told = [
                {"answer": "observed", "facet": facet, "part": part, "observed_at": now, "value": value}
                for facet, part, value in lines
            ]
            facets_told = {facet for facet, _, _ in lines}
            told += [
                {"answer": "parts", "facet": facet, "parts": [part for name, part, _ in lines if name == facet]}
                for facet in sorted(facets_told & {"quotas", "usage"})
            ]
            told += [
                {"answer": "not_offered", "facet": facet, "reason": "there is none"} for facet in FACETS - facets_told
            ]
            (folder / f"{instance}.lines").write_bytes(b"".join(map(to_line, told)))

    def of(self, kind: str) -> Iterator[tuple[int, Row]]:
        """The things of a kind, by their numbers."""
        return ((number, row) for (of, number), row in self.rows.items() if of == kind)

    def _of_images(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        images, endorsements = [], []
        for number, row in self.of("image"):
            checksum = row["checksum"]
            images.append(
                {name: row[name] for name in ("id", "name", "version", "description", "license", "marketplace_uri")}
                | {name: row[name] for name in ("disk_format", "contextualization")}
                | {"operating_system": {name: row[f"os_{name}"] for name in ("family", "name", "version")}}
                | {"checksums": [] if checksum is None else [{"algorithm": "sha512", "value": checksum}]}
                | {"min_memory_mib": number}
            )
            if row["endorser"] is not None:
                both = {name: row[name] for name in ("endorser", "image_list")}
                endorsements.append({"identifier": row["id"], **both})
        yield "images", "", {"images": images}
        yield "endorsements", "", {"endorsements": endorsements}

    def _of_shares(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        types, networks = [], []
        for number, row in self.of("type"):
            accelerator = {name: row[name] for name in ("vendor", "model", "virtualization")}
            types.append(
                {name: row[name] for name in ("id", "name")}
                | {"operating_system": {name: row[f"os_{name}"] for name in ("family", "name", "version")}}
                | {"accelerators": [accelerator | {"type": row["type"] or "", "number": 1}]}
                | {"vcpus": 1, "memory_mib": number}
            )
        for project, row in self.of("share"):
            owned = {"is_public": True, "ownership": "projects", "projects": [f"p{project}"]}
            names = ((one, name) for one, name in row.items() if name is not None)
            networks += [{"id": f"n{project}-{one}", "name": name, **owned} for one, name in names]
            yield "quotas", f"p{project}", {"project": f"p{project}", "instances": project}
        yield "instance_types", "", {"instance_types": types}
        yield "networks", "", {"networks": networks}


MANAGER = {
    "product": "shelf",
    "endpoints": [{"url": "https://cloud.example.org/", "interface": "shelf", "sign_in": [{"method": "oidc"}]}],
}
FACETS = {
    *("manager", "hypervisors", "capacity", "instance_types", "images", "quotas", "usage", "networks", "trust"),
    *("endorsements", "prices", "machines"),
}


def to_line(told: dict[str, Any]) -> bytes:
    """As a program prints it that looks at nothing: some halves of characters as JSON escapes, others as raw bytes."""
    text = json.dumps(told, ensure_ascii=False)
    return _LONE.sub(lambda lone: f"\\u{ord(lone[0]):04x}", text).encode("utf-8", "surrogateescape") + b"\n"


def configuration(ldif: Path) -> str:
    """The centre's configuration, with a channel into the folder that a BDII reads."""
    written = {
        "centre": {"name": "RC-HOSTILE"},
        "communities": [
            {"name": f"vo{number:03}.example.org", "projects": [{"instance": "shares", "project": f"p{number}"}]}
            for number in range(1, PROJECTS + 1)
        ],
        "instances": [
            {
                "name": name,
                "kind": "exec",
                "deadline": "60s",
                "defaults": {"platform": "amd64", "os_family": OS_FAMILY},
                "settings": {"command": ["cat", f"{name}.lines"]},
            }
            for name in ("images", "shares")
        ],
        "channels": [{"name": "bdii", "kind": "bdii", "settings": {"folder": str(ldif)}}],
    }
    return yaml.safe_dump(written)


def stated(key: Key, row: Row) -> Iterator[tuple[str, str, str]]:
    """Field, attribute and value, as it would be found if nothing became of it; nothing of what is not there."""
    kind, number = key
    for name, (attribute, prefix) in PLACES[kind].items():
        value = row.get(name)
        if not value and row:
            value = _where_empty(kind, number, name, row)
        # An image list is said by an endorsement, which needs an endorser.
        if value and not (name == "image_list" and row["endorser"] is None):
            yield name, attribute, prefix + value


def _where_empty(kind: str, number: int, name: str, row: Row) -> str | None:
    """What stands for a text that is empty or not there, where GLUE demands one."""
    if (kind, name) == ("image", "name"):
        return row["id"]
    if (kind, name) == ("type", "os_family"):
        return OS_FAMILY
    if kind == "share" and row.get(name) == "":
        return f"n{number}-{name}"
    return None
