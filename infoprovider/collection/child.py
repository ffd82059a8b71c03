"""Runs one provider and keeps it to its contract: whatever it does, each wanted facet is answered.

As a program, `python -m infoprovider.collection.child`, it is the process of one collection: it reads a request
(`request.py`) from its standard input and prints each answer as a line (`providers/lines.py`) as soon as it is there.
"""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import FrameType

from pydantic import ValidationError

from infoprovider import plugins
from infoprovider.clock import Clock
from infoprovider.collection.record import Record, shortened
from infoprovider.collection.request import Request
from infoprovider.deadline import Deadline
from infoprovider.errors import CollectError, Crashed, DeadlineExceeded, ExitCode, InfoproviderError
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, ProviderSpec, S
from infoprovider.providers.lines import to_line
from infoprovider.secret import from_request_json


def collect(spec: ProviderSpec[S], settings: S, context: CollectContext) -> Iterator[Answer]:
    """The provider's answers as they come, each as the contract wants it; what is missing at the end has failed.

    Never raises for what the provider does. An answer that breaks the contract becomes `Failed` where it is about a
    wanted facet, else it is dropped; the log says which. A traceback goes to the log only.
    """
    wanted = context.wanted & spec.facets
    for facet in sorted(context.wanted - spec.facets):
        yield NotOffered(facet=facet, reason=f"a manager of kind {spec.kind} cannot tell it")
    record = Record(wanted, context)
    reason, retryable, plug_in = None, False, True
    try:
        for answer in spec.collect(settings, replace(context, wanted=wanted)):
            yield from record.accepted(answer)
    except InfoproviderError as error:
        reason, retryable, plug_in = str(error), error.retryable, _is_ours(error)
    except (Exception, SystemExit) as error:  # a library that ends the program must not end the collection of others
        context.log.exception("the provider crashed")
        reason = (
            f"{type(error).__name__}: {error}; this is a fault of the provider {spec.kind}, its log has the details"
        )
    for facet, silence in record.open():
        yield Failed(facet=facet, reason=shortened(reason or silence), retryable=retryable, plug_in=plug_in)


def _is_ours(error: InfoproviderError) -> bool:
    """Whether an error says nothing of the manager: settings, secrets, or the provider itself."""
    return isinstance(error, Crashed) or not isinstance(error, CollectError)


def answers(request: Request) -> Iterator[Answer]:
    """What the provider that the request names answers; where there is none that can be used, what is wrong with it."""
    clock = Clock()
    log = logging.LoggerAdapter(logging.getLogger("infoprovider.collection"), {"instance": request.instance})
    context = CollectContext(
        instance=request.instance,
        wanted=request.wanted,
        deadline=Deadline.after(request.deadline),
        now=lambda: clock.read().wall,
        log=log,
    )
    try:
        spec = plugins.load(plugins.PROVIDERS, request.kind, ProviderSpec)
        settings = from_request_json(spec.settings, json.dumps(request.settings))
    except InfoproviderError as error:
        for facet in sorted(request.wanted):
            yield Failed(facet=facet, reason=str(error), retryable=False, plug_in=True)
        return
    yield from collect(spec, settings, context)


def main() -> None:
    """Answer the request on standard input, line by line on standard output."""
    serve(lambda request: map(to_line, answers(request)))


def serve(lines: Callable[[Request], Iterator[bytes]]) -> None:
    """Print what the request on standard input asks for, each line as soon as it is there."""
    output = _Output()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    logging.getLogger("infoprovider").setLevel(logging.INFO)
    try:
        request = Request.model_validate_json(sys.stdin.buffer.read())
    except ValidationError as error:
        # The whole of the error would show what was read, secrets too.
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        sys.exit(f"standard input holds no request of a collection: {faults}")
    signal.signal(signal.SIGTERM, output.leave)
    try:
        for line in lines(request):
            output.write(line)
    except (DeadlineExceeded, BrokenPipeError):  # ended outside of the provider, or nobody reads any more
        os._exit(ExitCode.COLLECT)


class _Output:
    """Standard output for the answers alone: what a library prints goes to standard error from now on."""

    def __init__(self) -> None:
        self._stream = os.fdopen(os.dup(1), "wb")
        self._is_writing = False
        os.dup2(2, 1)

    def write(self, line: bytes) -> None:
        """Print one line, to be read at once."""
        self._is_writing = True
        self._stream.write(line)
        self._stream.flush()
        self._is_writing = False

    def leave(self, _number: int, _frame: FrameType | None) -> None:
        """On SIGTERM: leave the provider by way of its own `finally`, for it may have a session to close.

        A line that is begun is not cut off. The guard waits half a second, then it ends the process anyway.
        """
        if self._is_writing:
            return
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise DeadlineExceeded("the collection was ended at its deadline, while it still waited for this")


if __name__ == "__main__":
    main()
