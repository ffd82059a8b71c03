"""Publisher `bdii`: a file in the folder of static LDIF that a BDII reads at the start of every cycle.

The folder is the `BDII_LDIF_DIR` of the BDII's configuration. bdii-update 6.0.0 reads there every `*.ldif` whose name
begins with neither `.` nor `#`, so the file is written beside under a dot-name and renamed.
"""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints

from infoprovider.deadline import Deadline
from infoprovider.errors import Refused
from infoprovider.files import check_writable, fault, remove_leftovers, replace_file
from infoprovider.publishers.contract import Delivery, Format, PublisherSpec, Receipt, Rendering
from infoprovider.settings import FolderPath, Settings

_EXECUTABLE = 0o111


class BdiiSettings(Settings):
    """The folder of static LDIF that the BDII reads, and the name of our file in it."""

    folder: FolderPath
    file: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*\.ldif$")] = "infoprovider.ldif"


@dataclass(frozen=True, slots=True)
class BdiiFolder:
    """One file in a BDII's folder of static LDIF."""

    path: Path

    def probe(self, _deadline: Deadline, /) -> None:
        """Prove that the file could be written; raises Refused."""
        self._refuse_provider_folder()
        try:
            check_writable(self.path.parent)
        except OSError as error:
            raise Refused(f"cannot write into {self.path.parent}: {fault(error)}") from error

    def former(self, _deadline: Deadline, /) -> bytes | None:
        """What the BDII reads now; None before the first time. Raises Refused where it cannot be read."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(f"cannot read {self.path}: {fault(error)}") from error

    def publish(self, rendering: Rendering, _deadline: Deadline, /) -> Receipt:
        """Write the file unless it holds these bytes already; raises Refused, and the former file is then untouched."""
        self._refuse_provider_folder()
        if not rendering.body.strip():
            raise Refused(
                f"the document for {self.path} is empty, and a BDII deletes what it no longer finds; "
                "see what was withheld with `infoprovider show`, or remove the file to withdraw everything"
            )
        try:
            delivery = self._write(rendering.body)
        except OSError as error:
            raise Refused(f"cannot write {self.path}: {fault(error)}; the former file is untouched") from error
        return Receipt(delivery=delivery, at=datetime.now(UTC), reference=str(self.path))

    def _write(self, body: bytes) -> Delivery:
        if self.path.exists() and self.path.stat().st_size == len(body) and self.path.read_bytes() == body:
            return Delivery.UNCHANGED
        remove_leftovers(self.path.parent, self.path.name)
        replace_file(self.path, body)
        return Delivery.ACCEPTED

    def _refuse_provider_folder(self) -> None:
        """A BDII runs every file of its provider folder, also one that is still being written."""
        folder = self.path.parent
        try:
            program = next((file for file in folder.iterdir() if _is_program(file)), None)
        except OSError as error:
            raise Refused(f"cannot read {folder}: {fault(error)}") from error
        if program is not None:
            raise Refused(
                f"{folder} looks like a BDII's folder of providers: {program.name} in it is a program; "
                "name the folder of static LDIF (BDII_LDIF_DIR), or put infoprovider-hook there instead"
            )


def _is_program(file: Path) -> bool:
    try:
        mode = file.stat().st_mode
    except OSError:  # gone meanwhile, or a link to nothing: nothing that could be run
        return False
    return stat.S_ISREG(mode) and bool(mode & _EXECUTABLE)


@contextmanager
def _open(settings: BdiiSettings, _deadline: Deadline, /) -> Iterator[BdiiFolder]:
    yield BdiiFolder(settings.folder / settings.file)


SPEC = PublisherSpec(kind="bdii", settings=BdiiSettings, accepts=frozenset({Format.LDIF}), open=_open)
