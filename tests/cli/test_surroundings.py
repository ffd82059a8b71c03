"""What is found on a machine for a first configuration."""

from pathlib import Path

import pytest

from infoprovider.cli.surroundings import Surroundings, find

CLOUDS = "clouds:\n  {}: {{ auth: {{ password: x }} }}\n"


@pytest.mark.parametrize("nothing", ["", "clouds: []\n", "[a]\n", "clouds: {\n", 'clouds:\n  "a\\nb": {}\n'])
def test_an_empty_machine_has_nothing(tmp_path: Path, nothing: str) -> None:
    """A file of clouds that says nothing usable is passed over."""
    (tmp_path / "clouds.yaml").write_text(nothing)
    assert find(tmp_path / "root", tmp_path, {"HOME": "/root", "OS_CLIENT_CONFIG_FILE": ""}) == Surroundings()


def test_the_first_file_of_clouds_counts(tmp_path: Path) -> None:
    """The variable's, that of the folder, of the home, of the machine: as OpenStack's own clients look for it."""
    root, here = tmp_path / "root", tmp_path / "here"
    environment = {"HOME": "/home/me", "OS_CLIENT_CONFIG_FILE": "/srv/mine.yaml"}
    files = [
        root / "etc/openstack/clouds.yaml",
        root / "home/me/.config/openstack/clouds.yaml",
        here / "clouds.yaml",
        root / "srv/mine.yaml",
    ]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(CLOUDS.format(file.parent.name))
        assert find(root, here, environment).clouds == ((file.parent.name, file),)


def test_a_file_in_the_place_of_a_socket_is_no_libvirt(tmp_path: Path) -> None:
    """Only what can be spoken to counts."""
    (tmp_path / "run/libvirt").mkdir(parents=True)
    (tmp_path / "run/libvirt/libvirt-sock-ro").write_text("")
    assert find(tmp_path, tmp_path, {}).libvirt == ()


def test_folders_of_a_bdii_come_from_its_settings_and_its_package(tmp_path: Path) -> None:
    """What is not there, or commented out, is left out."""
    for name in ("srv/ldif", "etc/bdii", "etc/sysconfig", "var/lib/bdii/gip/ldif"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc/bdii/bdii.conf").write_text("BDII_LDIF_DIR=/nowhere\n# BDII_LDIF_DIR=/etc\nBDII_LDIF_DIR=\n")
    (tmp_path / "etc/sysconfig/bdii").write_bytes(b"# caf\xe9\nBDII_LDIF_DIR = /srv/ldif # here\n")
    assert find(tmp_path, tmp_path, {}).bdii_folders == (tmp_path / "srv/ldif", tmp_path / "var/lib/bdii/gip/ldif")
