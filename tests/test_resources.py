"""The shipped folders are found."""

from pathlib import Path

import pytest

from infoprovider import resources
from infoprovider.errors import InfoproviderError


@pytest.mark.parametrize(
    ("folder", "holds"),
    [("schemas", "GLUE20.schema"), ("ldif-templates", "resource/tree.ldif"), ("examples", "demo.yaml")],
)
def test_a_checkout_has_its_folders_beside_the_package(folder: str, holds: str) -> None:
    """What is shipped is found, by the name that it has in the repository."""
    assert (resources.folder(folder) / holds).is_file()


def test_an_installation_has_them_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel brings its own copies, which come first."""
    (tmp_path / "data" / "examples").mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path)
    assert resources.folder("examples") == tmp_path / "data" / "examples"


def test_a_broken_installation_is_said_to_be_broken() -> None:
    """A folder that is nowhere is an error with both places in it."""
    with pytest.raises(InfoproviderError, match="was not installed with infoprovider"):
        resources.folder("no-such-folder")
