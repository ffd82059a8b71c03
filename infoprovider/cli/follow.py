"""`infoprovider follow`: keep proved copies of what centres publish through a broker, and show them to readers."""

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console

from infoprovider.cli import logs, site
from infoprovider.cli.readiness import Readiness
from infoprovider.config.following import FollowingFile, LoadedFollowing, load_following
from infoprovider.errors import ConfigError, ExitCode, Finding, InfoproviderError
from infoprovider.files import check_writable, fault
from infoprovider.reception.copies import Copies
from infoprovider.reception.follow import Following
from infoprovider.reception.standing import CentreStanding, ReceiverStanding, standing_of
from infoprovider.reception.trial import try_broker, try_ldap
from infoprovider.secret import secrets_in
from infoprovider.views.tables import length, new_console, new_table

FollowingPath = Annotated[Path, typer.Argument(metavar="FILE", help="The settings of the receiver (YAML).")]


def follow(
    file: FollowingPath,
    status: Annotated[bool, typer.Option("--status", help="Only say how it stands with every centre.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is wrong with the file, the broker and the LDAP server.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --status or --check: print it as JSON.")] = False,
) -> None:
    """Follow what centres publish through a message broker, until told to stop.

    Of each centre a proved copy is kept as JSON and as LDIF, and its entries live in an LDAP server. SIGTERM ends.
    """
    if status and check:
        raise typer.BadParameter("--status and --check are two questions: ask one of them")
    if as_json and not (status or check):
        raise typer.BadParameter("--json goes with --status or --check")
    if check:
        raise typer.Exit(_check(file, as_json=as_json))
    settings = load_following(file).settings
    if status:
        raise typer.Exit(_status(settings, as_json=as_json))
    _follow(settings)


def _follow(settings: FollowingFile) -> None:
    logs.follow(settings.log.format)
    readiness = Readiness(os.environ)
    following = Following(settings)
    with _until_told(following, readiness):
        has_ended = following.serve(_Signs(following, readiness).give)
    if not has_ended:
        # A thread that waits in a library, and wakes up while Python ends, would end it with a crash.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ExitCode.SUCCESS)


class _Signs:
    """Tells the service manager that we live, and how it goes whenever that is something else than before."""

    def __init__(self, following: Following, readiness: Readiness) -> None:
        self._following = following
        self._readiness = readiness
        self._told: str | None = None

    def give(self) -> None:
        following = self._following
        words = f"listening to {following.broker}" if following.broker else following.fault or "connecting"
        if words != self._told:
            self._told = words
            self._readiness.ready(words)
        self._readiness.ping()


@contextmanager
def _until_told(following: Following, readiness: Readiness) -> Iterator[None]:
    """Stop at the signals with which service managers and people end a program."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        readiness.stopping()
        following.stop()

    former = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


# --- status --------------------------------------------------------------------------------------------------------


def _status(settings: FollowingFile, *, as_json: bool) -> ExitCode:
    standing = standing_of(Copies(settings.folder), site.clock.read())
    if as_json:
        print(json.dumps(_plain(standing), indent=2, default=_as_json))
    else:
        _print(new_console(), standing)
    return ExitCode.SUCCESS if standing.is_well else ExitCode.PARTLY


def _plain(standing: ReceiverStanding) -> dict[str, Any]:
    receiver = standing.receiver
    return {
        "ok": standing.is_well,
        "running": standing.is_running,
        "troubles": list(standing.troubles),
        "receiver": receiver.model_dump(mode="json", exclude={"version"}) if receiver else None,
        "centres": [dataclasses.asdict(one) for one in standing.centres],
    }


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value.model_dump(mode="json")


def _print(console: Console, standing: ReceiverStanding) -> None:
    table = new_table("Centres that are followed")
    for heading in ("centre", "state", "stream"):
        table.add_column(heading)
    for heading in ("revision", "served", "entities", "age"):
        table.add_column(heading, justify="right")
    for heading in ("expires", "messages"):
        table.add_column(heading)
    for one in standing.centres:
        table.add_row(*_row(one))
    console.print(table)
    receiver = standing.receiver
    if receiver is not None and receiver.counts:
        counts = ", ".join(f"{number} {what}" for what, number in sorted(receiver.counts.items()))
        last = f"; last: {receiver.remark.what}" if receiver.remark else ""
        site.warn(f"messages that belong to no centre: {counts}{last}")
    for trouble in standing.troubles:
        site.warn(trouble)
    for one in standing.centres:
        if one.trouble:
            site.warn(f"{one.centre}: {one.trouble}")
        elif one.remark:
            site.warn(f"{one.centre}, {one.remark.at:%Y-%m-%d %H:%M:%SZ}: {one.remark.what}")


def _row(one: CentreStanding) -> list[str]:
    return [
        one.centre,
        one.standing,
        one.stream[:8],
        str(one.revision),
        "" if one.served is None else str(one.served),
        str(one.entities),
        length(one.age),
        f"{one.expires:%Y-%m-%d %H:%M:%SZ}",
        ", ".join(f"{number} {what}" for what, number in sorted(one.counts.items())),
    ]


# --- check ---------------------------------------------------------------------------------------------------------


def _check(file: Path, *, as_json: bool) -> ExitCode:
    """Say everything that is wrong; nothing is kept, and no message is taken from anybody."""
    findings: list[Finding] = []
    try:
        loaded = load_following(file)
        findings += _examined(loaded)
    except ConfigError as error:
        findings += error.findings
    if as_json:
        print(json.dumps({"ok": not findings, "findings": [dataclasses.asdict(one) for one in findings]}, indent=2))
        return ExitCode.CONFIG if findings else ExitCode.SUCCESS
    if findings:
        raise ConfigError(findings)
    print(
        f"{file}: no mistake found; the broker takes us"
        + (", and so does the LDAP server" if loaded.settings.ldap else "")
    )
    if loaded.settings.signatures is None:
        print("note: no signatures are asked for: whoever may send to the broker may speak for every centre")
    return ExitCode.SUCCESS


def _examined(loaded: LoadedFollowing) -> Iterator[Finding]:
    settings, finding = loaded.settings, loaded.document.finding
    unreadable = False
    for steps, secret in secrets_in(settings):
        try:
            secret.reveal()
        except ConfigError as error:
            unreadable = True
            for one in error.findings:
                yield finding(steps, f"{one.file} {one.what}", remedy=one.remedy)
    try:
        check_writable(next(one for one in (settings.folder, *settings.folder.parents) if one.exists()))
    except OSError as error:
        yield finding(("folder",), f"cannot write into {settings.folder}: {fault(error)}", remedy="name another folder")
    if unreadable:
        return
    for name, attempt in (("broker", try_broker), ("ldap", try_ldap)):
        try:
            attempt(settings)
        except InfoproviderError as error:
            what, _, remedy = str(error).partition("; ")
            yield finding((name,), what, remedy=remedy or "mend this first")
