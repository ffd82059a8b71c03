"""Publisher `stdout`: the document on standard output, for a look at it or for another program."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from infoprovider.deadline import Deadline
from infoprovider.errors import Refused
from infoprovider.files import fault
from infoprovider.publishers.contract import Delivery, Format, PublisherSpec, Receipt, Rendering
from infoprovider.settings import Settings


class StdoutSettings(Settings):
    """Nothing can be set."""


class StandardOutput:
    """The standard output of this process.

    It waits for its reader as long as the reader likes, as every filter does: a pager that stands still is no fault.
    """

    def probe(self, _deadline: Deadline, /) -> None:
        """Prove that there is a standard output; raises Refused."""
        if sys.stdout is None or sys.stdout.closed:
            raise Refused("standard output is closed; send it to a file, a pipe or a terminal")

    def former(self, _deadline: Deadline, /) -> None:
        """Nothing: what was written is gone."""
        return

    def publish(self, rendering: Rendering, deadline: Deadline, /) -> Receipt:
        """Write the document; raises Refused where the reader is gone or the disk behind it is full."""
        self.probe(deadline)
        try:
            _write(rendering.body)
        except OSError as error:
            raise Refused(f"cannot write to standard output: {fault(error)}") from error
        return Receipt(delivery=Delivery.ACCEPTED, at=datetime.now(UTC), reference="standard output")


def _write(body: bytes) -> None:
    """Past the buffer: what it could not write it would try once more when Python ends, with an error of its own."""
    sys.stdout.flush()
    stream = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
    rest = memoryview(body)
    while rest:
        rest = rest[stream.write(rest) :]


@contextmanager
def _open(_settings: StdoutSettings, _deadline: Deadline, /) -> Iterator[StandardOutput]:
    yield StandardOutput()


SPEC = PublisherSpec(kind="stdout", settings=StdoutSettings, accepts=frozenset(Format), open=_open)
