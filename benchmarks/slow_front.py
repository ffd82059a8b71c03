"""A reverse proxy on loopback that adds a delay to every answer, as a network or a busy cloud would."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOPBACK = "127.0.0.1"
WAIT_SECONDS = 120
_OF_THE_CONNECTION = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class _Front(ThreadingHTTPServer):
    """Stands before one port; `addresses` are what is written in answers, and what is written instead."""

    def __init__(self, port: int, seconds: float) -> None:
        super().__init__((LOOPBACK, 0), _PassOn)
        self.port = port
        self.seconds = seconds
        self.addresses: Mapping[bytes, bytes] = {}


class _PassOn(BaseHTTPRequestHandler):
    """One connection of a client, which gets one connection to the server."""

    server: _Front
    protocol_version = "HTTP/1.1"
    # An answer is written in two pieces: the second would wait until the client acknowledged the first.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Connect at the first request, and keep the connection as long as the client does."""
        super().setup()
        self._behind = HTTPConnection(LOOPBACK, self.server.port, timeout=WAIT_SECONDS)

    def finish(self) -> None:
        """Let go of the server with the client."""
        self._behind.close()
        super().finish()

    def _pass_on(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._behind.request(self.command, self.path, asked, dict(self.headers))
        answer = self._behind.getresponse()
        body = answer.read()
        for own, instead in self.server.addresses.items():
            body = body.replace(own, instead)
        time.sleep(self.server.seconds)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_THE_CONNECTION | {"date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _pass_on  # noqa: N815  (named by the library)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the servers behind have logs."""


@contextmanager
def slow_fronts(ports: range, seconds: float) -> Iterator[dict[bytes, bytes]]:
    """A proxy for every port, and the addresses to use instead of each; answers name those as well."""
    with ExitStack() as running:
        fronts = [running.enter_context(_Front(port, seconds)) for port in ports]
        addresses = {_address(front.port): _address(front.server_address[1]) for front in fronts}
        for front in fronts:
            front.addresses = addresses
            threading.Thread(target=front.serve_forever, daemon=True).start()
            running.callback(front.shutdown)
        yield addresses


def _address(port: int) -> bytes:
    return f"{LOOPBACK}:{port}".encode()
