"""Files that another program reads: whole or not at all, whatever happens while they are written."""

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

PUBLIC = 0o644
"""Mode of what every user of the machine may read."""

PRIVATE = 0o600
"""Mode of what only its owner may read."""

_REMEDIES = {
    errno.EACCES: "give this user the right to write there",
    errno.EPERM: "give this user the right to write there",
    errno.EROFS: "mount it for writing or name another folder",
    errno.ENOENT: "create the folder or name another one",
    errno.ENOTDIR: "name a folder",
    errno.EISDIR: "name a file",
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there or raise this user's quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
}


def replace_file(path: Path, body: bytes, *, mode: int = PUBLIC) -> None:
    """Give `path` this content in one step: a reader finds the former file or the new one, never a part.

    It is written beside, under a name that begins with a dot, brought to the disk and renamed. Raises OSError, which
    `fault` puts into words; the former file is then untouched and nothing is left beside it.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    _sync_folder(path.parent)


def remove_leftovers(folder: Path, name: str = "*") -> None:
    """Remove what a writer of this file, or of any, left beside it when it was killed; where only we write."""
    for path in folder.glob(f".{name}.*.new"):
        with suppress(OSError):
            path.unlink()


def check_writable(folder: Path) -> None:
    """Prove that a file could be written into this folder, and leave nothing there.

    Raises OSError, which `fault` puts into words.
    """
    descriptor, name = tempfile.mkstemp(prefix=".probe.", suffix=".new", dir=folder)
    os.close(descriptor)
    Path(name).unlink()


def fault(error: OSError) -> str:
    """What the system said and what to do about it, for the end of a message to the operator."""
    seen = (error.strerror or str(error)).lower()
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{seen}; {remedy}" if remedy else seen


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk: without it a power cut may bring the former file back."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
