"""Provider `exec`: a program of the operator's own, in any language, that prints its answers as lines.

The program gets one JSON object on its standard input, prints the lines of `lines.py`, and says on standard error what
the operator should read. docs/providers/exec.md is the whole of what its author needs to know.
"""

import json
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

from infoprovider.errors import Crashed, Finding, Malformed
from infoprovider.inventory.model import Facet
from infoprovider.providers.contract import Answer, CollectContext, Failed, Observed, ProviderSpec, WatchContext
from infoprovider.providers.lines import from_line
from infoprovider.providers.program import Program, running
from infoprovider.providers.program_faults import fault_of, found
from infoprovider.secret import Secret
from infoprovider.settings import FolderPath, Settings, resolved

_FACETS = frozenset(facet.value for facet in Facet)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"(PASSWORD|PASSWD|PASS|SECRET|TOKEN|CREDENTIALS?|KEY)$", re.IGNORECASE)


def _command(words: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """The program's path as seen from the configuration's folder; a name without a slash is looked for in PATH."""
    program, *arguments = words
    if not program or any("\0" in word for word in words):
        raise ValueError("it names no program")
    return (str(resolved(Path(program), info)) if "/" in program else program, *arguments)


def _environment(variables: Mapping[str, str | Secret]) -> Mapping[str, str | Secret]:
    for name, value in variables.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name} cannot be the name of a variable")
        if isinstance(value, str) and "\0" in value:
            raise ValueError(f"{name} holds a NUL")
        if isinstance(value, str) and _SECRET.search(name):
            raise ValueError(
                f"{name} looks like a secret: write {{ file: path }} or {{ environment: NAME }} for its text"
            )
    return variables


Command = Annotated[
    tuple[str, ...],
    Field(min_length=1, description="a list: the program and its arguments"),
    AfterValidator(_command),
]


class ExecSettings(Settings):
    """Which programs are run, where, and with which variables besides those that a collection has."""

    command: Command
    events: Command | None = None
    environment: Annotated[
        dict[str, str | Secret],
        Field(description="a mapping of names to texts; to secrets by { file: path } or { environment: NAME }"),
        AfterValidator(_environment),
    ] = {}
    working_directory: FolderPath = Field(default=Path(), validate_default=True)


def collect(settings: ExecSettings, context: CollectContext) -> Iterator[Answer]:
    """What the program answers, line by line.

    Raises ConfigError where the program cannot be started, DeadlineExceeded, Crashed where it ends with anything but
    0, and Malformed where it prints too much, or lines that cannot be used and do not say which facet they are about.
    """
    with _running(settings.command, settings, to_request(context), context) as program:
        unusable = yield from _answers(program, context)
        if program.exit_code:
            raise Crashed(f"{program.name} {to_ending(program.exit_code)}{program.last_words}")
    if unusable:
        raise Malformed(unusable)


def watch(settings: ExecSettings, context: WatchContext) -> Iterator[frozenset[Facet]]:
    """The facets that each line of the program `events` names.

    Raises ConfigError where it cannot be started, DeadlineExceeded, Crashed where it ends before, and Malformed where
    it prints too much.
    """
    given = json.dumps({"instance": context.instance, "deadline_s": round(context.deadline.remaining(), 1)})
    with _running(settings.events or (), settings, f"{given}\n".encode(), context) as program:
        yield from map(to_event, program.lines())
        raise Crashed(f"{program.name} {to_ending(program.exit_code or 0)}{program.last_words}")


def check(settings: ExecSettings) -> list[Finding]:
    """Whether the programs could be started, as far as can be seen without doing so."""
    path = settings.environment.get("PATH")
    programs = (
        found(one[0], path if isinstance(path, str) else None) for one in (settings.command, settings.events) if one
    )
    findings = (fault_of(program, settings.working_directory) for program in programs)
    return [finding for finding in findings if finding is not None]


def to_request(context: CollectContext) -> bytes:
    """What the program is told: one JSON object on one line."""
    wanted = sorted(context.wanted)
    left = round(context.deadline.remaining(), 1)
    return json.dumps({"instance": context.instance, "wanted": wanted, "deadline_s": left}).encode() + b"\n"


def to_event(line: bytes) -> frozenset[Facet]:
    """The facets that a line names, and nothing else; none where it says anything else, or nothing."""
    words = line.decode(errors="replace").replace(",", " ").split()
    return frozenset(map(Facet, words)) if set(words) <= _FACETS else frozenset()


def to_answer(line: bytes, program: str) -> Answer:
    """The answer in a line: its moment in UTC and whole seconds, and with the program as its origin if it names none.

    Raises Malformed.
    """
    answer = from_line(line)
    if not isinstance(answer, Observed):
        return answer
    # Collections are told the time in whole seconds: a fraction more would lie in the future.
    observed_at = answer.observed_at.astimezone(UTC).replace(microsecond=0)
    return replace(answer, observed_at=observed_at, calls=answer.calls or (f"ran {program}",))


def to_failure(line: bytes, reason: str) -> Failed | None:
    """What an unusable line has failed to tell, where it still says which facet it is about."""
    try:
        plain: Any = json.loads(line)
        return Failed(facet=Facet(plain["facet"]), part=str(plain.get("part", "")), reason=reason, retryable=False)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def to_ending(exit_code: int) -> str:
    """How a program ended that did not end well."""
    return f"ended with exit code {exit_code}" if exit_code >= 0 else f"was killed by signal {-exit_code}"


def _running(
    command: Sequence[str], settings: ExecSettings, given: bytes, context: CollectContext | WatchContext
) -> AbstractContextManager[Program]:
    secrets = {name: value.reveal() for name, value in settings.environment.items() if isinstance(value, Secret)}
    texts = {name: value for name, value in settings.environment.items() if isinstance(value, str)}
    return running(
        command,
        folder=settings.working_directory,
        environment={**os.environ, **texts, **secrets},
        given=given,
        deadline=context.deadline,
        log=context.log,
        hidden=secrets.values(),
    )


def _answers(program: Program, context: CollectContext) -> Generator[Answer, None, str]:
    """The answers of all lines; returns what is wrong with the first of which nobody knows what it is about."""
    unusable = ""
    for number, line in enumerate(program.lines(), start=1):
        if not line.strip():
            continue
        try:
            answer = to_answer(line, program.name)
        except Malformed as error:
            reason = program.shown(f"{program.name}, line {number}: {error}")
        else:
            yield answer
            continue
        context.log.error("%s", reason)
        failure = to_failure(line, reason)
        if failure is not None:
            yield failure
        else:
            unusable = unusable or reason
    return unusable


SPEC = ProviderSpec(
    kind="exec",
    settings=ExecSettings,
    facets=frozenset(Facet),
    collect=collect,
    check=check,
    watch=watch,
    is_watched=lambda settings: settings.events is not None,
)
