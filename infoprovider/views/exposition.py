"""Where metrics can be read: a port of loopback, and a file for the node exporter.

Neither keeps anybody from publishing: an exposition logs what fails, and raises nothing.
"""

import logging
import socketserver
import threading
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer, generate_latest

from infoprovider.config.model import MetricsBlock
from infoprovider.errors import StoreError
from infoprovider.files import PUBLIC, fault, replace_file

LOOPBACK = "127.0.0.1"
PATIENCE = 10
"""Seconds that whoever asks has for each part of the question, and for taking the answer."""

PERIOD = 30.0
"""Seconds between two writings of the file."""

log = logging.getLogger(__name__)


def write_textfile(path: Path, text: bytes) -> None:
    """Give the node exporter's file this content in one step, readable by everyone. Raises StoreError."""
    try:
        replace_file(path, text, mode=PUBLIC)
    except OSError as error:
        raise StoreError(f"cannot write the metrics to {path}: {fault(error)}") from error


class Exposition:
    """Shows a registry where the configuration wants it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._block = MetricsBlock()
        self._server: WSGIServer | None = None
        self._file: _File | None = None

    def open(self, block: MetricsBlock) -> None:
        """Show what this block wants, and no longer what a former one wanted. A port that was busy is tried again."""
        if block == self._block and (block.port is None or self._server is not None):
            return
        self.close()
        self._block = block
        if block.port is not None:
            self._server = _serve(self._registry, block.port)
        if block.textfile is not None:
            self._file = _File(self._registry, block.textfile)

    def close(self) -> None:
        """Free the port; the file stays as it was written last."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self._file is not None:
            self._file.close()
            self._file = None
        self._block = MetricsBlock()


class _File:
    """Writes the file again and again, in a thread of its own."""

    def __init__(self, registry: CollectorRegistry, path: Path) -> None:
        self._registry = registry
        self._path = path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="metrics file", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        said = ""
        while not self._stop.is_set():
            try:
                write_textfile(self._path, generate_latest(self._registry))
                said = ""
            except StoreError as error:
                # What goes on failing is said once.
                if str(error) != said:
                    log.error("%s", error)  # noqa: TRY400  (the traceback says no more)
                said = str(error)
            except Exception:
                log.exception("the metrics could not be put together")
            self._stop.wait(PERIOD)


def _serve(registry: CollectorRegistry, port: int) -> WSGIServer | None:
    try:
        server = make_server(LOOPBACK, port, make_wsgi_app(registry), _Server, _Handler)
    except OSError as error:
        remedy = "end what listens there, or name another port in metrics.port, and reload"
        log.error("no metrics on %s:%d: %s; %s", LOOPBACK, port, fault(error), remedy)  # noqa: TRY400
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info("metrics on http://%s:%d/metrics", LOOPBACK, server.server_port)
    return server


class _Server(ThreadingWSGIServer):
    def server_bind(self) -> None:
        """Bind without asking a name server for the name of this machine, which may hang."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  (the library's names)
        """Who asked has gone, or was too slow."""
        log.debug("metrics were not taken by %s", client_address, exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's name)
        """Say nothing of who asks: Prometheus does so all day."""
