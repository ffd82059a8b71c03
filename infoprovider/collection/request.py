"""What a collection's process is told on its standard input: one JSON object, with the settings and their secrets."""

import json
from typing import Any

from pydantic import BaseModel, Field

from infoprovider.deadline import Deadline
from infoprovider.inventory.model import Facet
from infoprovider.secret import to_request_json
from infoprovider.settings import Settings


class Request(Settings):
    """Which provider is to be run, for which facets, for how many seconds at most, and with which settings."""

    kind: str
    instance: str
    wanted: frozenset[Facet]
    deadline: float = Field(gt=0)
    settings: dict[str, Any] = Field(default={}, repr=False)


def to_request(
    kind: str, settings: BaseModel, instance: str, deadline: Deadline, wanted: frozenset[Facet] = frozenset()
) -> bytes:
    """The request's text. It holds secrets: it belongs into a pipe only. A watch wants no facets.

    A provider is given a little less time than its process, so that it can still say itself what kept it waiting.
    Raises ConfigError with every secret that cannot be read.
    """
    remaining = deadline.remaining()
    request = Request(
        kind=kind,
        instance=instance,
        wanted=wanted,
        deadline=max(0.001, remaining - min(1.0, remaining / 10)),
        settings=json.loads(to_request_json(settings)),
    )
    return request.model_dump_json().encode() + b"\n"
