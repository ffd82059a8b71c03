"""Where the shipped folders are: beside the package in a checkout, inside it when it was installed."""

from pathlib import Path

from infoprovider.errors import InfoproviderError

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """One of the shipped folders: `schemas`, `ldif-templates`, `examples`.

    Raises InfoproviderError where the installation lacks it.
    """
    for place in (_PACKAGE / "data" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise InfoproviderError(
        f"the folder {name} was not installed with infoprovider: neither {_PACKAGE / 'data' / name} nor "
        f"{_PACKAGE.parent / name} is there; install infoprovider again"
    )
