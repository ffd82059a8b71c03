"""Where metrics can be read."""

import logging
import re
import socket
import stat
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge

from infoprovider.config.model import MetricsBlock
from infoprovider.errors import StoreError
from infoprovider.views import exposition
from infoprovider.views.exposition import Exposition, write_textfile


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exposition]:
    """An exposition of one gauge, which writes its file often."""
    monkeypatch.setattr(exposition, "PERIOD", 0.01)
    registry = CollectorRegistry()
    Gauge("height", "How high.", registry=registry).set(7)
    one = Exposition(registry)
    yield one
    one.close()


def free_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int) -> str:
    """What Prometheus would read there."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return str(answer.read().decode())


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait at most ten seconds until something is so."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_metrics_are_read_at_a_port_of_loopback_only(shown: Exposition) -> None:
    """Again and again, until it is closed; no other address of the machine answers."""
    port = free_port()
    shown.open(MetricsBlock(port=port))
    assert "\nheight 7.0\n" in ask(port)
    assert "\nheight 7.0\n" in ask(port)
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", port))
    shown.close()
    with pytest.raises(OSError, match="refused"):
        ask(port)


def test_somebody_who_asks_and_says_nothing_holds_up_nobody(shown: Exposition, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are answered meanwhile, and the mute one is left after a while."""
    monkeypatch.setattr(exposition._Handler, "timeout", 0.2)
    port = free_port()
    shown.open(MetricsBlock(port=port))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as mute:
        mute.sendall(b"GET /metr")
        assert "height" in ask(port)
        assert mute.recv(1) == b""


def test_a_busy_port_is_said_and_tried_again_at_the_next_reload(
    shown: Exposition, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is raised: publishing goes on without."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        shown.open(MetricsBlock(port=port))
        (said,) = (record.getMessage() for record in caplog.records)
        assert said == (
            f"no metrics on 127.0.0.1:{port}: address already in use; "
            "end what listens there, or name another port in metrics.port, and reload"
        )
    shown.open(MetricsBlock(port=port))
    assert "height" in ask(port)


def test_another_port_takes_the_place_of_the_former(shown: Exposition) -> None:
    """And the same one is kept as it is."""
    first, second = free_port(), free_port()
    shown.open(MetricsBlock(port=first))
    shown.open(MetricsBlock(port=first))
    assert "height" in ask(first)
    shown.open(MetricsBlock(port=second))
    assert "height" in ask(second)
    with pytest.raises(OSError, match="refused"):
        ask(first)


def test_the_file_is_written_again_and_again(shown: Exposition, tmp_path: Path) -> None:
    """Readable by the node exporter's user, and left as it is at the end, with no thread behind it."""
    file = tmp_path / "infoprovider.prom"
    shown.open(MetricsBlock(textfile=file))
    wait_until(file.exists)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    file.unlink()
    wait_until(file.exists)
    shown.close()
    assert "\nheight 7.0\n" in file.read_text()
    assert not [thread for thread in threading.enumerate() if thread.name == "metrics file"]


def test_a_file_that_cannot_be_written_is_said_once(
    shown: Exposition, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And written as soon as that is possible."""
    file = tmp_path / "missing" / "infoprovider.prom"
    shown.open(MetricsBlock(textfile=file))
    wait_until(lambda: bool(caplog.records))
    time.sleep(0.1)
    file.parent.mkdir()
    wait_until(file.exists)
    assert [record.getMessage() for record in caplog.records] == [
        f"cannot write the metrics to {file}: no such file or directory; create the folder or name another one"
    ]


def test_what_nobody_foresaw_ends_no_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged in full, and the next attempt may succeed."""

    class Broken:
        times = 0

        def collect(self) -> list[object]:
            self.times += 1
            if self.times == 1:
                raise ZeroDivisionError("never foreseen")
            return []

    monkeypatch.setattr(exposition, "PERIOD", 0.01)
    file = tmp_path / "infoprovider.prom"
    registry = CollectorRegistry()
    registry.register(Broken())  # type: ignore[arg-type]
    other = Exposition(registry)
    with caplog.at_level(logging.ERROR):
        other.open(MetricsBlock(textfile=file))
        wait_until(file.exists)
    other.close()
    assert re.search("ZeroDivisionError: never foreseen", caplog.text)


def test_one_writing_by_hand_says_what_failed(tmp_path: Path) -> None:
    """For commands that run once."""
    write_textfile(tmp_path / "a.prom", b"height 7\n")
    assert (tmp_path / "a.prom").read_bytes() == b"height 7\n"
    with pytest.raises(StoreError, match=r"cannot write the metrics to .*: no such file or directory"):
        write_textfile(tmp_path / "missing" / "a.prom", b"")
