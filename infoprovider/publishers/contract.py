"""What a publisher is: a settings class, a function that opens it, a spec.

A *publisher* is handed the whole document each time. A *messenger* is handed messages: what the document is, or what
of it has changed; `publication/stream.py` says which. Either sends once and says truly what happened; deadlines,
retries and records are laid around it by `publication/delivery.py`.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

from infoprovider.deadline import Deadline

S = TypeVar("S", bound=BaseModel)
S_contra = TypeVar("S_contra", bound=BaseModel, contravariant=True)


class Format(StrEnum):
    """How a document is written."""

    LDIF = "ldif"
    XML = "xml"
    JSON = "json"
    GLUE21 = "glue21"


class Delivery(StrEnum):
    """What a channel did with a rendering."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A document as bytes: its SHA-256 in hex, its oldest observation, and when it must no longer be handed out."""

    format: Format
    body: bytes
    digest: str
    oldest_observation: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a channel answered; `reference` is a message id or a path."""

    delivery: Delivery
    at: datetime
    reference: str


class Publisher(Protocol):
    """An open channel. Both raise PublishError with what failed, what was seen and what to do."""

    def probe(self, deadline: Deadline, /) -> None:
        """Prove that publishing could succeed; publish nothing."""
        ...

    def former(self, deadline: Deadline, /) -> bytes | None:
        """What the channel hands out now; None where it holds nothing, or cannot tell."""
        ...

    def publish(self, rendering: Rendering, deadline: Deadline, /) -> Receipt:
        """Send the rendering once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One frame for a broker, and the seconds after which nobody needs it.

    `kind` is `snapshot`, `delta` or `notice`; `headers` are what readers select by, `centre` always among them.
    """

    kind: str
    headers: Mapping[str, str]
    content_type: str
    body: bytes
    lifetime: float


class Messenger(Protocol):
    """An open channel for messages. Both raise PublishError with what failed, what was seen and what to do."""

    def probe(self, deadline: Deadline, /) -> None:
        """Prove that sending could succeed; send nothing."""
        ...

    def send(self, messages: Sequence[Message], deadline: Deadline, /) -> Receipt:
        """Send all of them in this order, each once; return when the broker has confirmed that it holds every one."""
        ...


class OpenPublisher(Protocol[S_contra]):
    """A publisher's one function: settings in, an open channel out."""

    def __call__(self, settings: S_contra, deadline: Deadline, /) -> AbstractContextManager[Publisher]:
        """Open the channel; leaving the context closes it whatever happened."""
        ...


class OpenMessenger(Protocol[S_contra]):
    """A messenger's one function: settings in, an open channel out."""

    def __call__(self, settings: S_contra, deadline: Deadline, /) -> AbstractContextManager[Messenger]:
        """Open the channel; leaving the context closes it whatever happened."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec(Generic[S]):
    """What both kinds of module register: group `infoprovider.publishers`, name = kind, value = `module:SPEC`."""

    kind: str
    settings: type[S]
    accepts: frozenset[Format]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherSpec(ChannelSpec[S]):
    """A publisher."""

    open: OpenPublisher[S]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessengerSpec(ChannelSpec[S]):
    """A messenger; its settings are StreamSettings with whatever else it needs."""

    open: OpenMessenger[S]


AnyChannelSpec: TypeAlias = PublisherSpec[Any] | MessengerSpec[Any]
