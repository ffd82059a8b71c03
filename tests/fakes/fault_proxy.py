"""A line to a broker with faults on demand: cuts, delays and receipts that get lost."""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

LOOPBACK = "127.0.0.1"
_RESET = struct.pack("ii", 1, 0)
_CHUNK = 2**16


class FaultProxy:
    """Passes everything on to one port, with the faults that were asked for; they concern what passes from then on."""

    def __init__(self, port: int) -> None:
        self.port = port
        """Where it passes on to; may change when a server comes back elsewhere."""
        self.connections = 0
        self.receipts_lost = 0
        self._seconds = 0.0
        self._receipts_to_lose = 0
        self._is_holding = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._server = socket.create_server((LOOPBACK, 0))
        self.address = f"{LOOPBACK}:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    # --- faults ---

    def cut(self) -> None:
        """Break every connection that is open now, as a firewall does that forgot it."""
        with self._lock:
            for line in self._open:
                with suppress(OSError):
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    line.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def delay(self, seconds: float) -> None:
        """Keep every piece, in both directions, for so long; 0 ends that."""
        self._seconds = seconds

    def hold(self) -> None:
        """Take connections and everything that comes, and pass nothing on, until `release`."""
        self._is_holding.set()

    def release(self) -> None:
        """Pass on again, also what was held."""
        self._is_holding.clear()

    def lose_receipts(self, number: int) -> None:
        """Drop the next receipts of the broker; in front of a port without TLS, for it must see them."""
        with self._lock:
            self._receipts_to_lose = number

    def close(self) -> None:
        """Take no more connections, and break those that are open."""
        # Closing alone would leave the thread that accepts where it is.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    # --- passing on ---

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection((LOOPBACK, self.port), 10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=self._pass_on, args=(client, server, bytes), daemon=True).start()
            receipts = _Receipts(self._is_to_lose)
            threading.Thread(target=self._pass_on, args=(server, client, receipts.without), daemon=True).start()

    def _pass_on(self, origin: socket.socket, target: socket.socket, changed: Callable[[bytes], bytes]) -> None:
        with suppress(OSError):
            while data := origin.recv(_CHUNK):
                while self._is_holding.is_set():
                    time.sleep(0.02)
                time.sleep(self._seconds)
                target.sendall(changed(data))
        for line in (origin, target):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        with self._lock:
            self._open -= {origin, target}

    def _is_to_lose(self) -> bool:
        with self._lock:
            if not self._receipts_to_lose:
                return False
            self._receipts_to_lose -= 1
            self.receipts_lost += 1
            return True


class _Receipts:
    """What a broker says, without the receipts that are to get lost; what is no STOMP passes as it is."""

    _WHOLE = re.compile(rb"(\r?\n)*RECEIPT\n[^\0]*\0")
    _BEGUN = b"RECEIPT\n"

    def __init__(self, is_to_lose: Callable[[], bool]) -> None:
        self._is_to_lose = is_to_lose
        self._kept = b""

    def without(self, data: bytes) -> bytes:
        """The next piece; a receipt that is not whole yet is kept for the piece after it."""
        data = self._kept + data
        start = data.rfind(self._BEGUN)
        cut = start if start >= 0 and b"\0" not in data[start:] else len(data)
        self._kept = data[cut:]
        return self._WHOLE.sub(lambda found: b"" if self._is_to_lose() else found[0], data[:cut])


@contextmanager
def fault_proxy(port: int) -> Iterator[FaultProxy]:
    """A proxy in front of this port of loopback, closed in the end."""
    proxy = FaultProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
