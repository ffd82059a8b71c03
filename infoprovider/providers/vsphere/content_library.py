"""The items of a vCenter's content libraries, read by its REST API, for provider `vsphere`.

There is no bulk call: one for the libraries, one for each of them, one for each item (vSphere Automation API).
"""

import base64
import http.client
import json
import math
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, TypeAlias
from urllib.parse import quote

from infoprovider.deadline import Deadline
from infoprovider.errors import DeadlineExceeded, Malformed, Unauthorised, Unreachable, Unsupported
from infoprovider.inventory.model import Image, Images
from infoprovider.providers.network_faults import of_network, trusting
from infoprovider.providers.vsphere.property_collector import Account, Session

Item: TypeAlias = Mapping[str, Any]
"""What a library says of an item: `id`, `name`, `type` (`ovf`, `iso`, `vm-template`, …), `size` in bytes, …"""

APIS = (
    ("/api/session", "/api/content/library", "/"),
    ("/rest/com/vmware/cis/session", "/rest/com/vmware/content/library", "/id:"),
)
"""Of vSphere 7.0.2 and newer, and of older ones: where one signs in, where libraries are, what stands before an id."""

NO_SUCH_API = frozenset({400, 404, 405, 501})
"""How servers answer to a way of signing in that they do not know."""

FORMATS = frozenset({"ovf", "iso"})


def fetch_items(account: Account, session: Session, seconds: float) -> list[Item]:
    """Every item of every library of the server of this session; one answer may take so many seconds.

    Raises ConfigError, Unauthorised, Unsupported, Unreachable, DeadlineExceeded, Malformed.
    """
    context, timeout = trusting(account.ca_file), max(seconds, 0.05)
    with closing(http.client.HTTPSConnection(session.server, timeout=timeout, context=context)) as connection:
        client = _Client(session.server, connection, session.deadline)
        sign_in, libraries, before = client.signed_in(account)
        session.calls.extend((f"GET {libraries}", f"GET {libraries}/item", f"GET {libraries}/item{before}(id)"))
        found: list[Item] = []
        for library in client.ask("GET", libraries) or ():
            ids = client.ask("GET", f"{libraries}/item?library_id={quote(library)}") or ()
            found += [client.ask("GET", f"{libraries}/item{before}{quote(id_)}") for id_ in ids]
        client.ask("DELETE", sign_in)
    return found


def to_images(items: Iterable[Item]) -> Images:
    """Items that machines are made of: packed ones and install media. Templates in libraries are machines as well."""
    return Images(
        images=tuple(
            Image(
                id=item["id"],
                name=item["name"],
                version=item.get("content_version"),
                description=item.get("description") or None,
                disk_format=item["type"],
                size_mib=math.ceil(item.get("size", 0) / 2**20) or None,
            )
            for item in items
            if item.get("type") in FORMATS
        )
    )


class _Client:
    """One connection, signed in."""

    def __init__(self, server: str, connection: http.client.HTTPSConnection, deadline: Deadline) -> None:
        self._server = server
        self._connection = connection
        self._deadline = deadline
        self._headers: dict[str, str] = {"Accept": "application/json"}

    def signed_in(self, account: Account) -> tuple[str, str, str]:
        """Sign in to the first API of APIS that this server has."""
        basic = base64.b64encode(f"{account.user}:{account.password.reveal()}".encode()).decode()
        for api in APIS:
            status, session = self._exchange("POST", api[0], {**self._headers, "Authorization": f"Basic {basic}"})
            if status not in NO_SUCH_API:
                self._refuse(status, f"POST {api[0]}")
                self._headers["vmware-api-session-id"] = session
                return api
        raise Unsupported(f"{self._server} has no content libraries; they are part of vCenter 6.5 and newer")

    def ask(self, method: str, path: str) -> Any:
        """What is answered, as plain data."""
        status, answer = self._exchange(method, path, self._headers)
        self._refuse(status, f"{method} {path}")
        return answer

    def _exchange(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Any]:
        if not self._deadline.remaining():
            raise DeadlineExceeded(
                f"no time was left to ask {self._server} ({path}); give the instance a longer deadline"
            )
        try:
            self._connection.request(method, path, headers=dict(headers))
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise of_network(self._server, f"{method} {path}", error) from error
        if answer.status >= http.client.BAD_REQUEST or not text:
            return answer.status, None
        try:
            found = json.loads(text)
            return answer.status, found["value"] if path.startswith("/rest/") else found
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            do = "look at what stands between us and the server"
            raise Malformed(f"{self._server}: {method} {path} was not answered as documented; {do}") from error

    def _refuse(self, status: int, asked: str) -> None:
        if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
            do = "give the account the role Read-only at the top, or leave content_libraries out (false)"
            raise Unauthorised(f"{self._server}: {asked} is not allowed, although signing in to its SOAP API is; {do}")
        if status >= http.client.BAD_REQUEST:
            raise Unreachable(f"{self._server}: {asked} was answered with status {status}; see the server's log")
