"""`infoprovider diff`: what we have against what a BDII serves, or one file against another, attribute by attribute."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from infoprovider.cli import site
from infoprovider.cli.sources import Source, is_configuration, live, rendering, renderings_of, sources_of
from infoprovider.config.model import Configuration
from infoprovider.errors import ConfigError, ExitCode, Finding
from infoprovider.publication.carry import service_of
from infoprovider.publication.cycle import rendering_of
from infoprovider.query.ldap import BASE, PORT, Server
from infoprovider.query.said import Account, Said, account_of
from infoprovider.views.diff import difference, plain, print_difference
from infoprovider.views.tables import new_console


def diff(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CONFIG|FILE]...", help="Ours first: a configuration, LDIF, XML or JSON; then theirs."),
    ] = None,
    host: Annotated[str | None, typer.Option("-H", "--hostname", help="Theirs: a live LDAP server or BDII.")] = None,
    port: Annotated[int, typer.Option("-p", "--port", min=1, max=65535, help="Its port.")] = PORT,
    base: Annotated[str, typer.Option("-b", "--bind", "--base", help="Where the search begins.")] = BASE,
    timeout: Annotated[float, typer.Option("-t", "--timeout", min=0.1, help="Seconds for the whole answer.")] = 60,
    tree: Annotated[
        str | None, typer.Option("--tree", help="Which rendering of a configuration: a tree, xml or json.")
    ] = None,
    stamps: Annotated[bool, typer.Option("--stamps", help="Count other moments of observation as different.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say what differs between our rendering and what a server serves, or between two files."""
    server = None if host is None else Server(host, port, base, timeout)
    ours, theirs = _sides(paths or [], server, tree)
    found = difference(ours.read(), theirs.read(), ours.is_ours)
    if as_json:
        print(json.dumps(plain(found, stamps=stamps), indent=2))
    else:
        print_difference(new_console(), found, stamps=stamps)
    raise typer.Exit(ExitCode.SUCCESS if found.is_equal(stamps=stamps) else ExitCode.VALIDATION)


def _all(_: Said) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared: how it is read, and which entries of a server should be in it."""

    read: Callable[[], Account]
    is_ours: Callable[[Said], bool]


def _sides(paths: list[Path], server: Server | None, tree: str | None) -> tuple[Side, Side]:
    wanted = 2 if server is None else 1
    configured = os.environ.get("INFOPROVIDER_CONFIG")
    if len(paths) == wanted - 1 and configured:
        paths = [Path(configured), *paths]
    if len(paths) != wanted:
        what = f"two are compared, and {len(paths) + 2 - wanted} are named"
        remedy = "name a configuration or a file, and another one or a server with -H"
        raise ConfigError([Finding(file="command line", what=what, remedy=remedy)])
    sides = [_named(path, tree) for path in paths]
    if server is not None:
        return sides[0], _side(live(server))
    # A file was chosen by somebody: all of it is meant.
    return Side(sides[0].read, _all), sides[1]


def _named(path: Path, tree: str | None) -> Side:
    if not is_configuration(path):
        (source,) = sources_of(path)
        return _side(source)
    configuration = site.read_configuration(path)
    centre = _scope(service_of(configuration, configuration.instances[0]))
    return _side(rendering(configuration, _compared(configuration, tree)), lambda said: _scope(said.id) == centre)


def _side(source: Source, is_ours: Callable[[Said], bool] = _all) -> Side:
    return Side(lambda: account_of(source.name, source.read()), is_ours)


def _scope(id_: str) -> str:
    """The centre in an identifier of ours, `urn:glue2:<Class>:<centre>…`; empty for any other."""
    urn, _, rest = id_.lower().partition(":glue2:")
    return rest.split(":")[1] if urn == "urn" and ":" in rest else ""


def _compared(configuration: Configuration, tree: str | None) -> str:
    """The rendering that is compared: the one that is named, else what the first channel for LDIF hands out."""
    known = renderings_of(configuration)
    if tree is None:
        handed_out = [rendering_of(one.block) for one in configuration.channels if one.block.format == "ldif"]
        return [*handed_out, *known][0]
    if tree not in known:
        what = f"nothing is rendered as {tree!r}"
        raise ConfigError([Finding(file="command line", what=what, remedy=f"name one of {', '.join(known)}")])
    return tree
