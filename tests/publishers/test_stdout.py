"""The document on standard output."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infoprovider.deadline import Deadline
from infoprovider.errors import Refused
from infoprovider.publishers.contract import Delivery, Rendering
from infoprovider.publishers.stdout import SPEC, StdoutSettings

MakeRendering = Callable[[bytes], Rendering]

PROGRAM = """
import sys
from datetime import UTC, datetime
from infoprovider.deadline import Deadline
from infoprovider.errors import Refused
from infoprovider.publishers.contract import Format, Rendering
from infoprovider.publishers.stdout import SPEC, StdoutSettings

now = datetime.now(UTC)
body = b"dn: o=glue\\n" * 20000
rendering = Rendering(format=Format.LDIF, body=body, digest="", oldest_observation=now, expires_at=now)
try:
    with SPEC.open(StdoutSettings(), Deadline.after(5)) as publisher:
        publisher.publish(rendering, Deadline.after(5))
except Refused as error:
    print(error, file=sys.stderr)
    sys.exit(7)
"""


def test_the_bytes_come_out_as_they_are(capfdbinary: pytest.CaptureFixture[bytes], rendering: MakeRendering) -> None:
    """What was printed before comes first, then the rendering byte by byte, and nothing after it."""
    body = "dn: o=glue\ndescription: Zürich\n\n".encode()
    print("before")
    with SPEC.open(StdoutSettings(), Deadline.after(5)) as publisher:
        receipt = publisher.publish(rendering(body), Deadline.after(5))
    assert receipt.delivery is Delivery.ACCEPTED
    assert capfdbinary.readouterr().out == b"before\n" + body


def test_a_full_disk_behind_it_is_refused_in_one_line() -> None:
    """A redirection into a full disk ends with one message and no complaint of Python's own afterwards."""
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run([sys.executable, "-c", PROGRAM], stdout=full, stderr=subprocess.PIPE, check=False)
    assert run.returncode == 7
    assert run.stderr.decode() == ("cannot write to standard output: no space left on device; free some space there\n")


def test_a_reader_that_went_away_is_refused_in_one_line() -> None:
    """A reader that closes early, as `head` does, ends it with one message."""
    run = subprocess.run(["sh", "-c", '"$0" -c "$1" | true', sys.executable, PROGRAM], capture_output=True, check=False)
    assert run.stderr.decode() == "cannot write to standard output: broken pipe\n"


def test_without_a_standard_output_the_probe_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was started without a standard output says so before it composes anything."""
    monkeypatch.setattr(sys, "stdout", None)
    with SPEC.open(StdoutSettings(), Deadline.after(5)) as publisher, pytest.raises(Refused, match="is closed"):
        publisher.probe(Deadline.after(5))
