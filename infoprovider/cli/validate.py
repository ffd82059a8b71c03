"""`infoprovider validate`: whether what is published, or what anybody publishes, is right."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from infoprovider.cli import site
from infoprovider.cli.sources import Source, live, sources_of
from infoprovider.errors import ConfigError, ExitCode, Finding, InfoproviderError, QueryError
from infoprovider.files import fault
from infoprovider.query.ldap import BASE, PORT, Server
from infoprovider.validation import agreement
from infoprovider.validation.engine import RULES as ENTRY_RULES
from infoprovider.validation.engine import UNREADABLE
from infoprovider.validation.engine import validate as examine
from infoprovider.validation.report import Level, Report
from infoprovider.validation.rule import RuleSet, Selection, select
from infoprovider.views.findings import Examined, State, counted, nagios, one_line, plain, print_findings, print_rules
from infoprovider.views.junit import junit
from infoprovider.views.tables import new_console

RULES = (*ENTRY_RULES, *agreement.RULES)
"""Every rule that there is."""


def validate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CONFIG|FILE]...", help="A configuration (what it publishes), LDIF, XML, JSON, or -."),
    ] = None,
    host: Annotated[str | None, typer.Option("-H", "--hostname", help="A live LDAP server or BDII.")] = None,
    port: Annotated[int, typer.Option("-p", "--port", min=1, max=65535, help="Its port.")] = PORT,
    base: Annotated[str, typer.Option("-b", "--bind", "--base", help="Where the search begins.")] = BASE,
    timeout: Annotated[float, typer.Option("-t", "--timeout", min=0.1, help="Seconds for the whole answer.")] = 60,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="A file, as older tools spell it.")] = None,
    profile: Annotated[
        RuleSet, typer.Option("--profile", help="default; glue alone; egi: as glue-validator; all.")
    ] = RuleSet.DEFAULT,
    rules: Annotated[
        list[str] | None, typer.Option("--rules", help="Change the set: NAME, -NAME or NAME=LEVEL, with commas.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="These rules instead of a set.")] = None,
    known: Annotated[
        bool, typer.Option("-k", "--exclude-known-issues", help="Without the rules that glue-validator -k drops.")
    ] = False,
    list_rules: Annotated[bool, typer.Option("--list-rules", help="Say which rules there are, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    junit_file: Annotated[Path | None, typer.Option("--junit", help="Write a JUnit report too.")] = None,
    as_nagios: Annotated[bool, typer.Option("-n", "--nagios", help="One line, and 0 to 3 as exit code.")] = False,
) -> None:
    """Hold entries against GLUE 2.0, LDAP and the EGI profile; several sources also against each other."""
    try:
        selection = select(RULES, profile, changes=_split(rules), only=_split(only), without_known_issues=known)
        if list_rules:
            print_rules(new_console(), RULES, selection.keys)
            return
        server = None if host is None else Server(host, port, base, timeout)
        groups = _sources([*(paths or []), *([file] if file else [])], server)
        results = [*examined([one for group in groups for one in group], selection), *compared(groups, selection)]
        if junit_file is not None:
            _write(junit_file, junit(results, [rule for rule in RULES if selection.has(rule)]))
    except InfoproviderError as error:
        if not as_nagios:
            raise
        print(f"UNKNOWN: {one_line(str(error))}")
        raise typer.Exit(State.UNKNOWN) from error
    raise typer.Exit(_say(results, as_json=as_json, as_nagios=as_nagios))


def examined(sources: Sequence[Source], selection: Selection) -> list[Examined]:
    """What was found in each source. Raises QueryError where a server does not answer."""
    now = site.now()
    results = []
    for source in sources:
        verdict = examine(source.read(), selection, now)
        results.append(Examined(source.name, verdict.entries, verdict.report))
    return results


def compared(groups: Sequence[Sequence[Source]], selection: Selection) -> list[Examined]:
    """Where what was named first differs from what was named after it, and trees from the document in one piece."""
    if not any(selection.has(rule) for rule in agreement.RULES):
        return []
    comparable = [[one for one in group if one.entities is not None] for group in groups]
    firsts = [group[0] for group in comparable if group]
    pairs = [(firsts[0], other) for other in firsts[1:]]
    for group in comparable:
        whole = [one for one in group if not one.is_part][:1]
        pairs += [(one, document) for document in whole for one in group if one is not document]
    return [_compared(one, other) for one, other in pairs]


def _compared(one: Source, other: Source) -> Examined:
    try:
        ours, theirs = (source.entities() if source.entities else () for source in (one, other))
        found = agreement.disagreements(one.name, ours, other.name, theirs, is_part=one.is_part)
        report = Report.of(found)
    except QueryError as error:
        report = Report.of([UNREADABLE.found("", str(error))])
    return Examined(f"{one.name} and {other.name}", 0, report)


def _sources(paths: Sequence[Path], server: Server | None) -> list[list[Source]]:
    """By what was named; a configuration publishes several trees, and the document in one piece."""
    configuration = os.environ.get("INFOPROVIDER_CONFIG")
    if not paths and server is None and configuration:
        paths = [Path(configuration)]
    found = [sources_of(path) for path in paths]
    found += [] if server is None else [[live(server)]]
    if not found:
        remedy = "name a configuration, a file of LDIF, XML or JSON, or a server with -H"
        raise ConfigError([Finding(file="command line", what="nothing to validate is named", remedy=remedy)])
    return found


def _split(values: Sequence[str] | None) -> list[str]:
    return [part.strip() for value in values or () for part in value.split(",") if part.strip()]


def _say(results: Sequence[Examined], *, as_json: bool, as_nagios: bool) -> int:
    if as_nagios:
        state, line = nagios(results)
        print(line)
        return state
    if as_json:
        print(json.dumps(plain(results), indent=2))
    else:
        print_findings(new_console(), results)
    return ExitCode.VALIDATION if counted(results, Level.ERROR) else ExitCode.SUCCESS


def _write(path: Path, body: bytes) -> None:
    try:
        path.write_bytes(body)
    except OSError as error:
        what = f"cannot be written: {fault(error)}"
        raise ConfigError([Finding(file=str(path), what=what, remedy="name another file")]) from error
