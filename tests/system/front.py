"""Reverse proxies on loopback before real services: with a delay, as a network or a busy cloud has one, or with TLS."""

import ssl
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

    def __init__(self, port: int, seconds: float, tls: ssl.SSLContext | None) -> None:
        super().__init__((LOOPBACK, 0), _PassOn)
        self.port = port
        self.seconds = seconds
        self.addresses: Mapping[bytes, bytes] = {}
        self.own_address = f"http{'s' if tls else ''}://{LOOPBACK}:{self.server_port}".encode()
        if tls is not None:
            # The handshake is for the thread of the connection: here it would keep all others waiting.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_: Any) -> None:
        """Say nothing: who does not trust the certificate goes away, and tells so itself."""


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
def fronts(ports: range, *, seconds: float = 0.0, tls: ssl.SSLContext | None = None) -> Iterator[dict[bytes, bytes]]:
    """A proxy for every port, and the addresses to use instead of each; answers name those as well."""
    with ExitStack() as running:
        standing = [running.enter_context(_Front(port, seconds, tls)) for port in ports]
        addresses = {f"http://{LOOPBACK}:{front.port}".encode(): front.own_address for front in standing}
        for front in standing:
            front.addresses = addresses
            threading.Thread(target=front.serve_forever, args=(0.05,), daemon=True).start()
            running.callback(front.shutdown)
        yield addresses
