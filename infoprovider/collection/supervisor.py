"""Runs a provider in a process of its own, which cannot hang and cannot take anything else along.

The process (`child.py`) runs under a guard (`guard.py`), which ends it with all descendants at the deadline, and at
once when this process dies. Whatever happens, each wanted facet is answered, and what had arrived is kept.
"""

import logging
import sys
from collections.abc import Callable, Generator, Iterator, MutableMapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from infoprovider.collection.halt import Halt, Halted
from infoprovider.collection.process import Limits, Process
from infoprovider.collection.record import Record, shortened
from infoprovider.collection.request import to_request
from infoprovider.collection.streams import Line
from infoprovider.errors import InfoproviderError, Malformed
from infoprovider.providers.contract import Answer, CollectContext, Failed
from infoprovider.providers.lines import from_line

CHILD = (sys.executable, "-P", "-m", "infoprovider.collection.child")
"""The program of a collection. `-P`: no module is taken from the folder that infoprovider happens to be started in."""

LIMITS = Limits()


def supervise(
    kind: str,
    settings: BaseModel,
    context: CollectContext,
    *,
    command: Sequence[str] = CHILD,
    limits: Limits = LIMITS,
    halt: Halt | None = None,
    killed: Callable[[], None] = lambda: None,
) -> Iterator[Answer]:
    """The same answers as `child.collect` gives, from a process of its own, as they come.

    The process and all that it started are asked to end at the deadline and ended half a second later, also where the
    answers are taken slowly or no more. A wanted facet that was not answered by then is `Failed`, with what happened to
    the process. Raises nothing for what the process does. Closing the iterator ends the process at once; `halt` does so
    from any thread, and Halted is raised then. `killed` is called where the process had to be ended. `command` is the
    program; a request (`request.py`) comes to its standard input.
    """
    context = replace(context, log=Named(context.log.logger, {"instance": context.instance}))
    record = Record(context.wanted, context)
    try:
        given = to_request(kind, settings, context.instance, context.deadline, context.wanted)
        process = Process(command, given, context.deadline, limits, context.log, halt)
    except InfoproviderError as error:
        yield from _failed(record, str(error), error.retryable)
        return
    except OSError as error:
        yield from _failed(record, f"its process could not be started: {error}", True)
        return
    with closing(process):
        fault = yield from _answers(process, record, limits, context.log)
    if process.is_halted:
        raise Halted(f"the collection of {context.instance} was given up; nobody wants its answers any more")
    if process.was_killed:
        killed()
    reason, retryable = process.ending()
    failed = tuple(_failed(record, f"{reason}; {fault}" if fault else reason, retryable, plug_in=not process.was_late))
    if not failed and not process.ended_well:
        context.log.warning("everything was answered, but %s", reason)
    yield from failed


def _answers(
    process: Process, record: Record, limits: Limits, log: "logging.LoggerAdapter[logging.Logger]"
) -> Generator[Answer, None, str]:
    """The answers among what the process prints; returns what is wrong with the first line that is none."""
    first, faults = "", 0
    for number, line in enumerate(process.lines(), start=1):
        try:
            accepted = tuple(record.accepted(_answer(line)))
            fault = "" if accepted else f"its line {number} answers what was not asked"
        except Malformed as error:
            accepted, fault = (), shortened(str(error))
            log.error("%s", fault)  # noqa: TRY400  (no fault of ours: a traceback would tell nothing)
        yield from accepted
        first = first or fault
        faults += bool(fault)
        if faults > limits.faults:
            process.stop(f"its process printed more than {limits.faults} lines that are no answers to what was asked")
        elif number >= limits.lines:
            process.stop(f"its process printed more than {limits.lines} lines")
    return first


def _answer(line: Line) -> Answer:
    """The answer in a line. Raises Malformed."""
    if line.missing:
        size = (len(line.text) + line.missing) / 2**20
        raise Malformed(f"a line of {size:.3g} MiB is longer than an answer may be: {line.text[:200]!r}")
    return from_line(line.text)


def _failed(record: Record, reason: str, retryable: bool, *, plug_in: bool = True) -> Iterator[Failed]:
    """For each wanted facet that is not answered to its end."""
    for facet, _ in record.open():
        yield Failed(facet=facet, reason=reason, retryable=retryable, plug_in=plug_in)


class Named(logging.LoggerAdapter[logging.Logger]):
    """A log in which each line begins with the instance's name."""

    def process(self, message: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Put the name in front."""
        message, kwargs = super().process(message, kwargs)
        return f"{(self.extra or {})['instance']}: {message}", kwargs
