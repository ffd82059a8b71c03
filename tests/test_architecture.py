"""Who may import whom: the table of docs/architecture.md as data, and the package held against it."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "infoprovider"

FLOORS = (
    ("errors", "settings", "secret", "deadline", "clock", "loop", "resources", "glue"),
    ("inventory", "config", "plugins", "yamlfile", "yamlcheck", "ldif", "files", "messaging"),
    ("providers", "mapping", "publishers", "render", "validation", "query", "store"),
    ("collection", "publication", "views", "reception"),
    ("cli", "testing"),
)
"""From the ground up. A room imports from floors below its own, or from its own folder."""

NEIGHBOURS = {
    ("secret", "settings"),
    ("config", "inventory"),
    ("config", "yamlfile"),
    ("config", "yamlcheck"),
    ("config", "ldif"),
    ("config", "messaging"),
    ("yamlcheck", "yamlfile"),
    ("messaging", "files"),
    ("messaging", "ldif"),
}
"""The only imports between rooms of one floor, `errors` excepted, which is everyone's."""


@dataclass(frozen=True)
class Room:
    """What the files of a room may import besides the standard library and `errors`.

    `ours` are rooms, or single modules of rooms; `libraries` are packages of others, `deferred` says that any further
    one may be imported inside a function, where it costs nothing to those who do not use it.
    """

    ours: frozenset[str] = field(default_factory=frozenset)
    libraries: frozenset[str] = field(default_factory=frozenset)
    deferred: bool = False


def room(*ours: str, libraries: str = "", deferred: bool = False) -> Room:
    """A row of the table."""
    return Room(frozenset(ours), frozenset(libraries.split()), deferred)


ROOMS = {
    "errors": room(),
    "settings": room(libraries="pydantic pydantic_core"),
    "secret": room("settings", libraries="pydantic pydantic_core"),
    "deadline": room(),
    "clock": room(),
    "loop": room(),
    "resources": room(),
    "glue": room(libraries="pydantic"),
    "inventory": room("settings", "clock", libraries="pydantic"),
    "yamlfile": room(libraries="yaml"),
    "yamlcheck": room("yamlfile", libraries="pydantic pydantic_core"),
    "config": room(
        "settings",
        "secret",
        "inventory",
        "yamlfile",
        "yamlcheck",
        "ldif",
        "messaging",
        libraries="pydantic",
    ),
    "plugins": room(),
    "ldif": room(),
    "files": room(),
    "messaging": room(
        "settings", "secret", "deadline", "glue", "ldif", "files", libraries="pydantic pydantic_core", deferred=True
    ),
    "providers": room(
        "inventory",
        "settings",
        "secret",
        "deadline",
        "yamlfile",
        "yamlcheck",
        libraries="pydantic",
        deferred=True,
    ),
    "mapping": room("inventory", "glue", "config.model"),
    "render": room("glue", "ldif", "resources", libraries="jinja2 lxml"),
    "validation": room("glue", "ldif", "resources", libraries="lxml xmlschema"),
    "publishers": room("settings", "secret", "deadline", "files", "messaging", libraries="pydantic", deferred=True),
    "query": room("glue", "ldif", "deadline", libraries="lxml", deferred=True),
    "store": room("inventory", "glue", "files", "clock", libraries="pydantic"),
    "collection": room(
        "providers.contract",
        "providers.lines",
        "clock",
        "secret",
        "settings",
        "inventory",
        "store",
        "config.model",
        "plugins",
        "deadline",
        "loop",
        libraries="pydantic",
    ),
    "publication": room(
        "store",
        "mapping",
        "validation",
        "render",
        "publishers.contract",
        "messaging",
        "plugins",
        "config.model",
        "clock",
        "deadline",
        "loop",
        "inventory",
        "glue",
        "ldif",
    ),
    "views": room(
        "store",
        "glue",
        "query",
        "inventory",
        "mapping.places",
        "validation.report",
        "validation.rule",
        "config.model",
        "files",
        "clock",
        libraries="rich prometheus_client",
    ),
    "reception": room(
        "store",
        "glue",
        "query",
        "render",
        "files",
        "config",
        "messaging",
        "ldif",
        "resources",
        "deadline",
        "loop",
        "clock",
        libraries="ldap3 pydantic",
    ),
    "cli": room(
        "validation",
        "collection",
        "publication",
        "views",
        "reception",
        "config",
        "providers.contract",
        "providers.lines",
        "publishers.contract",
        "plugins",
        "query",
        "store",
        "inventory",
        "glue",
        "settings",
        "secret",
        "deadline",
        "resources",
        "files",
        "ldif",
        "yamlfile",
        "yamlcheck",
        "clock",
        "loop",
        libraries="typer click rich pydantic",
    ),
    "testing": room(
        "collection.child",
        "providers.contract",
        "publishers.contract",
        "plugins",
        "inventory",
        "secret",
        "deadline",
        libraries="pydantic",
    ),
}

PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
PLUG_INS = {place.partition(":")[0] for group in PROJECT["entry-points"].values() for place in group.values()}
"""Every provider and every publisher: nobody imports them, they are found by their kind."""

FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "common", "base", "manager"}
MOST_LINES = 650


@dataclass(frozen=True)
class Import:
    """One import: the module's whole name, where it stands, and whether it happens only when a function is called."""

    target: str
    line: int
    deferred: bool


def imports(source: str) -> Iterator[Import]:
    """Every import of a source text."""
    deferred = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            deferred.update(ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, node in deferred)
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            for alias in node.names:
                of_package = origin == "infoprovider" and not alias.name.startswith("__")
                is_module = of_package or f"{origin}.{alias.name}" in MODULES
                yield Import(f"{origin}.{alias.name}" if is_module else origin, node.lineno, node in deferred)


def breach(module: str, found: Import) -> str | None:
    """What is wrong with this import in this module, or None."""
    name = module.removeprefix("infoprovider").removeprefix(".").partition(".")[0]
    rules = ROOMS.get(name, Room())
    top, _, target = found.target.partition(".")
    if not top:
        return "is relative: write the whole name"
    if top != "infoprovider":
        if top in sys.stdlib_module_names or top in rules.libraries or (rules.deferred and found.deferred):
            return None
        return f"{top} is no library of {name or 'the package itself'}, at least not here"
    if not target:  # the package's own version
        return None
    if target.partition(".")[0] == name:
        return f"no plug-in is built on another one, as here on {target}" if found.target in PLUG_INS else None
    if any(target == ours or target.startswith(f"{ours}.") for ours in {"errors", *rules.ours}):
        return None
    return f"{name or 'the package itself'} may not import {target}"


def breaches(module: str, source: str) -> list[str]:
    """Every forbidden import of a module."""
    return [f"{module}:{found.line}: {wrong}" for found in imports(source) if (wrong := breach(module, found))]


def module_of(file: Path) -> str:
    """A file's name as it is imported."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {module_of(file): file for file in FILES}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    """Each import of the package stands in the table."""
    assert breaches(module, MODULES[module].read_text()) == []


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("mapping.share", "from infoprovider.cli import main", "mapping may not import cli"),
        ("mapping.share", "import infoprovider.store.document", "mapping may not import store.document"),
        ("mapping.share", "from infoprovider.config.load import load", "mapping may not import config.load"),
        ("mapping.share", "from infoprovider import store", "mapping may not import store"),
        ("mapping.share", "def f():\n    import infoprovider.store", "mapping may not import store"),
        ("mapping.share", "import requests", "requests is no library of mapping, at least not here"),
        ("glue.entities", "from infoprovider.inventory.model import Facet", "glue may not import inventory.model"),
        ("glue.entities", "from .fields import Field", "is relative: write the whole name"),
        ("providers.libvirt", "import libvirt", "libvirt is no library of providers, at least not here"),
        (
            "providers.libvirt",
            "from infoprovider.providers.static import SPEC",
            "no plug-in is built on another one, as here on providers.static",
        ),
        ("providers.libvirt", "from infoprovider.glue.document import X", "providers may not import glue.document"),
        ("publishers.stomp", "from infoprovider.store.document import X", "publishers may not import store.document"),
        ("publication.cycle", "from infoprovider.publishers.bdii import SPEC", "publication may not import"),
        ("errors", "from infoprovider.settings import Settings", "errors may not import settings"),
        ("cellar", "import infoprovider.settings", "cellar may not import settings"),
        ("", "import infoprovider.settings", "the package itself may not import settings"),
    ],
)
def test_a_planted_breach_is_seen(module: str, source: str, wrong: str) -> None:
    """The check is not blind: an import that the table forbids is reported with module, line and reason."""
    found = breaches(f"infoprovider.{module}" if module else "infoprovider", source)
    assert len(found) == 1
    assert wrong in found[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("mapping.share", "import math\nfrom infoprovider.config.model import Centre"),
        ("mapping.share", "from infoprovider.mapping.context import Context"),
        ("providers.libvirt", "def fetch():\n    import libvirt"),
        ("providers.libvirt", "from infoprovider.providers.contract import Observed"),
        ("providers.static", "from infoprovider.providers.inventory_file import InventoryFile"),
        ("publication.cycle", "from infoprovider.publishers.contract import Receipt"),
        ("glue.entities", "from infoprovider.errors import MappingError"),
        ("mapping.service", "from infoprovider import __version__"),
    ],
)
def test_what_the_table_allows_is_no_breach(module: str, source: str) -> None:
    """The check does not cry over what is allowed."""
    assert breaches(f"infoprovider.{module}", source) == []


def test_every_room_stands_on_a_floor_and_in_the_table() -> None:
    """No folder or module of the package is outside the table, and the table names no floor twice."""
    on_floors = [name for floor in FLOORS for name in floor]
    assert len(on_floors) == len(set(on_floors))
    assert set(on_floors) == set(ROOMS)
    assert {module.split(".")[1] for module in MODULES if "." in module} <= set(ROOMS)


def test_the_table_itself_leads_down() -> None:
    """What the table allows lies on a floor below, except for the few neighbours that are named."""
    height = {name: floor for floor, names in enumerate(FLOORS) for name in names}
    sideways_or_up = {
        (name, ours.partition(".")[0])
        for name, rules in ROOMS.items()
        for ours in rules.ours
        if height[ours.partition(".")[0]] >= height[name]
    }
    assert sideways_or_up == NEIGHBOURS


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A circle of the graph, empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """The modules can be read one after the other, each after what it is built on."""
    assert circle({"a": {"b"}, "b": {"a"}}) != []
    assert circle({m: {i.target for i in imports(file.read_text())} - {m} for m, file in MODULES.items()}) == []


def test_modules_are_named_after_something() -> None:
    """A function without a home is a missing noun, not a drawer."""
    assert {module for module in MODULES if FORBIDDEN_NAMES & set(module.split("."))} == set()


def test_no_file_has_grown_beyond_reading() -> None:
    """A file that passes this size hides a second noun."""
    lengths = {str(file.relative_to(PACKAGE)): len(file.read_text().splitlines()) for file in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
