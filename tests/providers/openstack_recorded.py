"""An OpenStack that gives recorded answers over HTTP on loopback, and the faults that a test asks for."""

import json
import math
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "data" / "openstack" / "2026.2"
PASSWORD = "right-horse"  # noqa: S105  (of nothing but this server)
SERVICES = ("identity", "placement", "image", "compute", "network")


@dataclass(frozen=True)
class Fault:
    """What is answered in place of the recorded: status, text, headers; how long it takes (seconds), how many times.

    With `cut` the text comes at once, and the connection ends when it has taken so long, before all was sent. With
    `drips` a byte comes every tenth of a second, and no end of it.
    """

    status: int = 200
    text: str = "{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    takes: float = 0.0
    cut: bool = False
    drips: bool = False
    times: float = math.inf


@dataclass
class Recorded:
    """A running cloud: what it was asked, and what it does wrong, by a pattern of `METHOD path?query`."""

    url: str
    answers: dict[tuple[str, str, str | None], dict[str, Any]]
    asked: list[str] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)
    refused_projects: set[str] = field(default_factory=set)

    @property
    def auth_url(self) -> str:
        """Where to sign in."""
        return f"{self.url}/identity/v3"

    def projects(self) -> dict[str, str]:
        """Id by name of every project that somebody signed in to."""
        tokens = [one["answer"]["token"]["project"] for one in self.answers.values() if one["method"] == "POST"]
        return {project["name"]: project["id"] for project in tokens}

    def settings(self, project: str, **others: Any) -> dict[str, Any]:
        """Settings of a provider that signs in with a password; the password is in the file beside."""
        auth = {
            "auth_url": self.auth_url,
            "username": "somebody",
            "password": {"environment": "RECORDED_PASSWORD"},
            "project_name": project,
            "user_domain_id": "default",
            "project_domain_id": "default",
        }
        return {"auth_type": "password", "auth": auth} | others

    def answer(self, path: str, project: str | None = None) -> Any:
        """What was recorded for a GET, such as `compute/v2.1/flavors/detail?is_public=None`."""
        found = [one for (_, url, of), one in self.answers.items() if url == path and project in (None, of)]
        return found[0]["answer"]


def read(name: str) -> dict[tuple[str, str, str | None], dict[str, Any]]:
    """Recorded answers by method, path and project."""
    lines = (RECORDED / f"{name}.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    return {(one["method"], re.sub("^@([a-z]+)@", r"\1", one["url"]), one["project"]): one for one in answers}


@contextmanager
def serving(name: str, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Recorded]:
    """The cloud as an account of this name saw it, on this port, or on one that is free."""
    server = _Server(("127.0.0.1", port), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    cloud = Recorded(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", read(name))
    server.cloud = cloud  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: who asks may have gone, as when a collection is ended."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A recorded answer, for the project of the token."""
        cloud = self._cloud
        project = self.headers.get("X-Auth-Token", "").removeprefix("token-of-") or None
        path = self.path.removeprefix("/")
        if self._is_faulty():
            return
        if project in cloud.refused_projects:
            self._send(401, "{}")
            return
        found = cloud.answers.get(("GET", path, project)) or cloud.answers.get(("GET", path, None))
        if found is None and path.rstrip("/") in ("identity/v3", "compute/v2.1"):
            found = next(one for (_, url, _), one in cloud.answers.items() if url.rstrip("/") == path.rstrip("/"))
        if found is None:
            self._send(404, json.dumps({"error": f"nothing recorded for {path} in {project}"}))
        else:
            self._send(found["status"], json.dumps(found["answer"]))

    def do_POST(self) -> None:
        """Sign in."""
        cloud = self._cloud
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._is_faulty():
            return
        identity, scope = body["auth"]["identity"], body["auth"].get("scope", {}).get("project", {})
        password = identity.get("password", {}).get("user", {}).get("password", PASSWORD)
        project = scope.get("id") or cloud.projects().get(scope.get("name", ""), "")
        found = cloud.answers.get(("POST", "identity/v3/auth/tokens", project))
        if password != PASSWORD or found is None or project in cloud.refused_projects:
            self._send(401, json.dumps({"error": {"code": 401, "message": "The request you have made is wrong."}}))
            return
        self._send(201, json.dumps(found["answer"]), {"X-Subject-Token": f"token-of-{project}"})

    @property
    def _cloud(self) -> Recorded:
        cloud: Recorded = self.server.cloud  # type: ignore[attr-defined]
        return cloud

    def _is_faulty(self) -> bool:
        asked = f"{self.command} {self.path.removeprefix('/')}"
        self._cloud.asked.append(asked)
        pattern = next((pattern for pattern in self._cloud.faults if re.search(pattern, asked)), None)
        if pattern is None or self._cloud.met[pattern] >= self._cloud.faults[pattern].times:
            return False
        fault = self._cloud.faults[pattern]
        self._cloud.met[pattern] += 1
        if fault.drips:
            self._drip()
            return True
        if fault.cut:
            self.send_response(200)
            self.send_header("Content-Length", str(len(fault.text) + 100))
            self.end_headers()
            self.wfile.write(fault.text.encode())
            self.wfile.flush()
            self.close_connection = True
        time.sleep(fault.takes)
        if fault.cut:
            return True
        self._send(fault.status, fault.text, fault.headers)
        return True

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.close_connection = True
        # Until nobody reads any more.
        with suppress(OSError):
            while True:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)

    def _send(self, status: int, text: str, headers: Mapping[str, str] = {}) -> None:
        body = re.sub(rf"@({'|'.join(SERVICES)})@", rf"{self._cloud.url}/\1", text).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the test reads `asked`."""
