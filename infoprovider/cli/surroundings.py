"""What is on this machine that a first configuration may name: clouds, hypervisors, BDIIs. Nothing is asked."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infoprovider.errors import ConfigError
from infoprovider.yamlfile import read_file

CLOUDS_VARIABLE = "OS_CLIENT_CONFIG_FILE"
"""Names the file of clouds before all others (openstacksdk, configuration)."""

LIBVIRT_SOCKETS = {"libvirt-sock-ro": "qemu:///system", "virtqemud-sock-ro": "qemu:///system"}
"""Sockets for reading in /run/libvirt, of the one daemon or of that for QEMU (libvirt.org, daemons), and their URI."""

BDII_SETTINGS = ("etc/bdii/bdii.conf", "etc/sysconfig/bdii", "etc/default/bdii")
BDII_FOLDER = "var/lib/bdii/gip/ldif"
"""The folder of static LDIF as the BDII is packaged; BDII_LDIF_DIR in its settings names another one."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found: clouds with the file that has them, URIs of libvirt, folders that a BDII reads."""

    clouds: tuple[tuple[str, Path], ...] = ()
    libvirt: tuple[str, ...] = ()
    bdii_folders: tuple[Path, ...] = ()


def find(root: Path, here: Path, environment: Mapping[str, str]) -> Surroundings:
    """What is below `root` (the machine's own one, as a rule), in the folder `here`, and named by the environment."""
    return Surroundings(
        clouds=_clouds(root, here, environment),
        libvirt=tuple(
            dict.fromkeys(uri for name, uri in LIBVIRT_SOCKETS.items() if _is_socket(root / "run" / "libvirt" / name))
        ),
        bdii_folders=tuple(dict.fromkeys(_bdii_folders(root))),
    )


def _clouds(root: Path, here: Path, environment: Mapping[str, str]) -> tuple[tuple[str, Path], ...]:
    """The names in the first file of clouds, and nothing else of it: it is full of passwords."""
    named, home = environment.get(CLOUDS_VARIABLE), environment.get("HOME")
    files = [
        *([_below(root, named)] if named else []),
        here / "clouds.yaml",
        *([_below(root, home) / ".config" / "openstack" / "clouds.yaml"] if home else []),
        root / "etc" / "openstack" / "clouds.yaml",
    ]
    file = next((file for file in files if os.access(file, os.R_OK) and file.is_file()), None)
    if file is None:
        return ()
    try:
        data = read_file(file).data
    except ConfigError:
        return ()
    clouds = data.get("clouds") if isinstance(data, dict) else None
    return tuple((name, file) for name in clouds if name.isprintable()) if isinstance(clouds, dict) else ()


def _bdii_folders(root: Path) -> Iterator[Path]:
    for name in BDII_SETTINGS:
        try:
            lines = (root / name).read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition("#")[0].partition("=")
            if key.strip() == "BDII_LDIF_DIR" and value.strip() and _below(root, value.strip()).is_dir():
                yield _below(root, value.strip())
    if (root / BDII_FOLDER).is_dir():
        yield root / BDII_FOLDER


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
