"""How long services are waited for, under all requests of a collection.

One answer may take a part of the time that is left, so that a service that hangs leaves time for the others. A service
that is silent is not asked again. One that asks for a pause gets it, where there is time for it (RFC 9110, 10.2.3).
"""

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from infoprovider.deadline import Deadline

Adapter: TypeAlias = Any
"""What sends one request for requests.Session, such as keystoneauth1.session.TCPKeepAliveAdapter."""

SHARE_OF_TIME = 3
"""One answer, or one pause, may take this part of the time that is left, and no more."""

CONNECTING_SECONDS = 10.0
"""Within this a connection is made or never: it is no work for the service."""

_LEAST_WAIT = 0.05
_ASKS_FOR_A_PAUSE = (429, 503)


@dataclass(frozen=True, slots=True)
class Patience:
    """What all accounts of a collection share: until when, and which services are silent, with how that was seen."""

    deadline: Deadline
    silent: dict[str, type[Any]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Seconds that one answer may take now."""
        return max(self.deadline.remaining() / SHARE_OF_TIME, _LEAST_WAIT)


class PatientAdapter:
    """Sends requests as another adapter does; raises requests.Timeout where a service is silent."""

    def __init__(self, adapter: Adapter, patience: Patience) -> None:
        self._adapter = adapter
        self._patience = patience

    def send(self, request: Any, **options: Any) -> Any:
        """The whole answer to a request, after the pauses that the service asks for."""
        answer = self._answer(request, options)
        while (pause := pause_of(answer)) and pause <= self._patience.share:
            time.sleep(pause)
            answer = self._answer(request, options)
        return answer

    def close(self) -> None:
        """Let go of the connections."""
        self._adapter.close()

    def _answer(self, request: Any, options: dict[str, Any]) -> Any:
        from requests import exceptions
        from urllib3.exceptions import ReadTimeoutError

        service, patience = origin(request.url), self._patience
        if service in patience.silent:
            raise patience.silent[service](request=request)
        before, seconds = patience.answers[service], patience.share
        waits = options | {"timeout": (min(seconds, CONNECTING_SECONDS), seconds)}
        try:
            answer = self._adapter.send(request, **waits)
            _ = answer.content  # so that one who falls silent half-way is seen here
        except (exceptions.Timeout, exceptions.ConnectionError) as fault:
            reason = fault.args[0] if fault.args else None
            if not isinstance(fault, exceptions.Timeout) and not isinstance(reason, ReadTimeoutError):
                raise
            kind = exceptions.ConnectTimeout if isinstance(fault, exceptions.ConnectTimeout) else exceptions.Timeout
            if patience.answers[service] == before:  # else only this answer is slow
                patience.silent[service] = kind
            raise kind(request=request) from fault
        patience.answers[service] += 1
        return answer


def pause_of(answer: Any) -> int | None:
    """Seconds that a service asks to wait before it is asked again, at least 1; None where it does not."""
    wish = answer.headers.get("Retry-After", "")
    is_asked_for = answer.status_code in _ASKS_FOR_A_PAUSE and re.fullmatch(r"[0-9]{1,6}", wish)
    return max(1, int(wish)) if is_asked_for else None


def origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
