"""What a publisher is: a settings class, a function that opens it, a spec.

A publisher sends once and says truly what happened; deadlines, retries and records are laid around it by
`publication/delivery.py`.
"""

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


class OpenPublisher(Protocol[S_contra]):
    """A publisher's one function: settings in, an open channel out."""

    def __call__(self, settings: S_contra, deadline: Deadline, /) -> AbstractContextManager[Publisher]:
        """Open the channel; leaving the context closes it whatever happened."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherSpec(Generic[S]):
    """What a publisher module registers: group `infoprovider.publishers`, name = kind, value = `module:SPEC`."""

    kind: str
    settings: type[S]
    accepts: frozenset[Format]
    open: OpenPublisher[S]
    needs: tuple[str, ...] = ()


AnyPublisherSpec: TypeAlias = PublisherSpec[Any]
