"""Publisher `stomp`: messages to ActiveMQ, or another broker for STOMP 1.2, each confirmed by its receipt.

docs/publishers/stomp.md has the settings and the broker's side. Every delivery has a connection of its own.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints

from infoprovider.deadline import Deadline
from infoprovider.errors import PublishError
from infoprovider.messaging import signature
from infoprovider.messaging.broker import BrokerSettings
from infoprovider.messaging.connection import Connection, Outgoing, connected_to, together, turns
from infoprovider.messaging.stream_settings import StreamSettings
from infoprovider.publishers.contract import Delivery, Format, Message, MessengerSpec, Receipt

T = TypeVar("T")

Destination = Annotated[
    str,
    StringConstraints(pattern=r"^/(topic|queue)/([A-Za-z0-9_.-]|\{centre\})+$"),
    Field(description="/topic/ or /queue/ and a name, in which {centre} stands for the centre's"),
]

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")
"""`*` and `>` stand for several destinations, and a comma between two."""

log = logging.getLogger(__name__)


class StompSettings(BrokerSettings, StreamSettings):
    """The brokers, and where documents and notices go there."""

    destination: Destination = "/topic/glue2.documents.{centre}"
    notices: Destination = "/topic/glue2.notices.{centre}"


class StompMessenger:
    """The brokers of a channel, each of which is asked at most once in an attempt."""

    def __init__(self, settings: StompSettings) -> None:
        self._settings = settings

    def probe(self, deadline: Deadline, /) -> None:
        """Sign in at the first broker that takes us, and see that we could sign; raises PublishError."""
        if self._settings.signature is not None:
            signature.check_signer(self._settings.signature, deadline)
        self._in_turn(deadline, lambda _, __: None)

    def send(self, messages: Sequence[Message], deadline: Deadline, /) -> Receipt:
        """Send all to one broker; to the next one, all again where one fails, for readers take none twice."""
        outgoing = [self._outgoing(message) for message in messages]
        id_ = self._in_turn(deadline, lambda connection, until: connection.send(outgoing, until))
        return Receipt(delivery=Delivery.ACCEPTED, at=datetime.now(UTC), reference=id_)

    def _in_turn(self, deadline: Deadline, use: Callable[[Connection, Deadline], T]) -> T:
        failures: list[PublishError] = []
        for address, until, soon in turns(self._settings, deadline):
            try:
                with connected_to(self._settings, address, soon) as connection:
                    return use(connection, until)
            except PublishError as error:
                failures.append(error)
                if len(failures) < len(self._settings.brokers):
                    log.warning("%s; the next broker is tried", error)
        raise together(failures)

    def _outgoing(self, message: Message) -> Outgoing:
        pattern = self._settings.notices if message.kind == "notice" else self._settings.destination
        expires = round((time.time() + message.lifetime) * 1000)
        return Outgoing(
            destination=pattern.replace("{centre}", _NOT_IN_NAMES.sub("_", message.headers["centre"])),
            headers={**message.headers, "persistent": "true", "expires": str(expires)},
            content_type=message.content_type,
            body=message.body,
        )


@contextmanager
def _open(settings: StompSettings, _deadline: Deadline, /) -> Iterator[StompMessenger]:
    yield StompMessenger(settings)


SPEC = MessengerSpec(
    kind="stomp",
    settings=StompSettings,
    accepts=frozenset({Format.JSON, Format.LDIF}),
    open=_open,
    needs=("stomp",),
)
