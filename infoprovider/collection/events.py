"""The process that watches one VM manager: prints a line for each event that the provider tells.

    python -m infoprovider.collection.events

It reads a request (`request.py`) from its standard input, as the process of a collection does. A line is one JSON
object: `{"changed": ["usage"]}`, without facets where it is not known what has changed.
"""

import json
import logging
import sys
from collections.abc import Iterator

from infoprovider import plugins
from infoprovider.collection.child import serve
from infoprovider.collection.request import Request
from infoprovider.deadline import Deadline
from infoprovider.errors import DeadlineExceeded, InfoproviderError, Malformed
from infoprovider.inventory.model import Facet
from infoprovider.providers.contract import ProviderSpec, WatchContext
from infoprovider.secret import from_request_json


def lines(request: Request) -> Iterator[bytes]:
    """What the provider that the request names tells; ends the process, with a message, where that cannot be used."""
    context = WatchContext(
        instance=request.instance,
        deadline=Deadline.after(request.deadline),
        log=logging.LoggerAdapter(logging.getLogger("infoprovider.collection"), {"instance": request.instance}),
    )
    try:
        spec = plugins.load(plugins.PROVIDERS, request.kind, ProviderSpec)
        if spec.watch is None:
            return
        for changed in spec.watch(from_request_json(spec.settings, json.dumps(request.settings)), context):
            yield to_line(changed)
    except DeadlineExceeded:
        return
    except InfoproviderError as error:
        sys.exit(str(error))


def to_line(changed: frozenset[Facet]) -> bytes:
    """An event as one line, its end included."""
    return json.dumps({"changed": sorted(changed)}).encode() + b"\n"


def from_line(line: bytes) -> frozenset[Facet]:
    """The event in a line. Raises Malformed."""
    try:
        return frozenset(Facet(name) for name in json.loads(line)["changed"])
    except (ValueError, LookupError, TypeError) as error:
        raise Malformed(f"a line of the watch is no event: {line[:200]!r}") from error


if __name__ == "__main__":
    serve(lines)
