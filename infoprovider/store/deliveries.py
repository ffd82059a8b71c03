"""When each channel last took a document, and when and why it last did not.

    <state>/deliveries/<channel>.json

Each channel has a file of its own, replaced in one step, so that channels can be served side by side.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from infoprovider.clock import Reading
from infoprovider.errors import StoreError
from infoprovider.files import PRIVATE, fault, replace_file

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """A document was taken: what the channel did with it (`accepted`, `unchanged`), and where it is now."""

    at: Reading
    delivery: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No document was taken, and why."""

    at: Reading
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """The last success and the last failure of a channel; `failures` counts those since the last success."""

    success: Success | None = None
    failure: Failure | None = None
    failures: int = 0


_FILE: TypeAdapter[Deliveries] = TypeAdapter(Deliveries)


class DeliveryStore:
    """The last deliveries of all channels below a state folder."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "deliveries"

    def of(self, channel: str) -> Deliveries:
        """The last deliveries of a channel; none where nothing, or nothing legible, is kept.

        Raises StoreError where the file is there and this user may not read it.
        """
        path = self._path(channel)
        try:
            return _FILE.validate_json(path.read_bytes())
        except FileNotFoundError:
            return Deliveries()
        except OSError as error:
            raise StoreError(f"cannot read {path}: {fault(error)}") from error
        except ValidationError:
            log.warning("%s is not what this program writes; the next delivery writes it anew", path)
            return Deliveries()

    def succeeded(self, channel: str, at: Reading, delivery: str, reference: str) -> None:
        """The channel took a document. Raises StoreError where that cannot be kept."""
        success = Success(at=at, delivery=delivery, reference=reference)
        self._keep(channel, replace(self.of(channel), success=success, failures=0))

    def failed(self, channel: str, at: Reading, why: str) -> None:
        """The channel did not take one. Raises StoreError where that cannot be kept."""
        former = self.of(channel)
        failure = Failure(at=at, why=why.encode(errors="backslashreplace").decode())
        self._keep(channel, replace(former, failure=failure, failures=former.failures + 1))

    def _path(self, channel: str) -> Path:
        return self._folder / f"{channel}.json"

    def _keep(self, channel: str, deliveries: Deliveries) -> None:
        path = self._path(channel)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, _FILE.dump_json(deliveries), mode=PRIVATE)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {fault(error)}; the former file is untouched") from error
