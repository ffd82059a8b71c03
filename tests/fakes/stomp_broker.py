"""A broker of a few lines, on a real socket: it takes everybody, confirms what it is told to, and remembers it all."""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Sent:
    """One frame that a client sent."""

    command: str
    headers: Mapping[str, str]
    body: bytes


def confirm(frame: Sent) -> bytes:
    """What a healthy broker answers."""
    if frame.command == "CONNECT":
        return b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0"
    receipt = frame.headers.get("receipt")
    return b"RECEIPT\nreceipt-id:%s\n\n\0" % receipt.encode() if receipt else b""


def confirm_only_sign_in(frame: Sent) -> bytes:
    """What a broker answers that hangs as soon as it has something to do."""
    return confirm(frame) if frame.command == "CONNECT" else b""


def error(message: str, *, at: str) -> Callable[[Sent], bytes]:
    """What a broker answers that refuses one command."""
    return lambda frame: f"ERROR\nmessage:{message}\n\n\0".encode() if frame.command == at else confirm(frame)


class StompBroker:
    """Listens on loopback; `answer` makes of each frame what is written back, None ends the connection."""

    def __init__(self, answer: Callable[[Sent], bytes | None], greeting: bytes = b"") -> None:
        self.frames: list[Sent] = []
        self.connections = 0
        self._answer = answer
        self._greeting = greeting
        self._lines: list[socket.socket] = []
        self._server = socket.create_server((LOOPBACK, 0))
        self.address = f"{LOOPBACK}:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def messages(self) -> list[Sent]:
        """What was sent to a destination."""
        return [frame for frame in self.frames if frame.command == "SEND"]

    def close(self) -> None:
        """Listen no more, and end what is open."""
        # Closing alone would leave the thread that accepts where it is.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            line.sendall(self._greeting)
            for frame in _frames(line):
                self.frames.append(frame)
                answer = self._answer(frame)
                if answer is None:
                    return
                line.sendall(answer)


def _frames(line: socket.socket) -> Iterator[Sent]:
    with line.makefile("rb") as stream:
        while command := stream.readline():
            if not command.strip():
                continue
            headers: dict[str, str] = {}
            while (header := stream.readline().rstrip(b"\n").decode(errors="replace")) != "":
                name, _, value = header.partition(":")
                headers.setdefault(name, re.sub(r"\\(.)", _unescaped, value))
            body = stream.read(int(headers.get("content-length", 0)))
            stream.read(1)
            yield Sent(command.decode(errors="replace").strip(), headers, body)


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "c": ":", "\\": "\\"}[found[1]]


@contextmanager
def stomp_broker(answer: Callable[[Sent], bytes | None] = confirm, greeting: bytes = b"") -> Iterator[StompBroker]:
    """A broker that is closed in the end."""
    broker = StompBroker(answer, greeting)
    try:
        yield broker
    finally:
        broker.close()
