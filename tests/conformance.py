"""Which test shows which fact of which provider: what docs/providers/index.md is made of.

A test that asserts a fact which a provider tells says so, in the words of `FACTS`, and where the fact came from:

    @pytest.mark.shows("libvirt", "vCPUs, and those in use", "memory, and what is in use", by="simulator")

- `real system`: the manager's own software answered, and the fact is its own;
- `simulator`: somebody else's stand-in for the manager answered, or the manager's own for a part of it;
- `recorded`: answers were replayed that a manager once gave;
- `synthetic`: answers were written by hand after the manager's documentation;
- `declared only`: the manager does not tell it, the operator writes it down.

A fact is as well proved as by the strongest of its tests. The marker stands on a function, or in `pytestmark`, and
holds literals only: the table is made without running or importing a test. `tools/write_providers_page.py` writes it.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent

PROVIDERS = ("static", "exec", "openstack", "libvirt", "vsphere")

EVIDENCE = ("real system", "simulator", "recorded", "synthetic", "declared only")
"""The strongest first."""

FACTS = {
    "manager": (
        "product and version",
        "interfaces and sign-in",
        "features",
        "disk formats",
        "zones",
    ),
    "hypervisors": (
        "kind and version of the hypervisor",
        "processor model and clock",
        "sockets, cores and threads",
        "architecture",
        "memory of a host",
        "disk of a host",
        "hosts, unusable and in use",
    ),
    "capacity": (
        "physical and logical CPUs",
        "vCPUs, and those in use",
        "memory, and what is in use",
        "disk, and what is in use",
        "devices, and those in use",
    ),
    "instance types": (
        "sizes of instance types",
        "accelerators of instance types",
        "who may use an instance type",
    ),
    "images": (
        "names of images",
        "formats and sizes of images",
        "operating systems of images",
        "who may start an image",
    ),
    "endorsements": ("endorsements of images",),
    "quotas": ("quotas",),
    "usage": (
        "machines by state",
        "machines by instance type",
        "what projects hold",
        "how long machines take to start",
    ),
    "networks": ("networks and addresses",),
    "trust": ("trust in images",),
    "prices": ("prices",),
    "machines": ("who runs what",),
    "made of these": (
        "machines startable now",
        "events of the manager",
    ),
}
"""The rows, in the order of the inventory; `made of these` is what several facets, or none, are needed for."""


@dataclass(frozen=True)
class Shown:
    """One marker: these facts of a provider, by this evidence, and the test that says so."""

    provider: str
    facts: tuple[str, ...]
    by: str
    test: str


def shown(folder: Path = TESTS) -> Iterator[Shown]:
    """Every marker of every test file. Raises ValueError for one that is no literal or has no `by`."""
    for file in sorted(folder.rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        if "mark.shows(" in text:
            yield from _in_file(ast.parse(text), file.relative_to(folder))


def evidence(found: Iterator[Shown]) -> dict[tuple[str, str], str]:
    """The strongest evidence of each fact, by provider and fact."""
    strongest: dict[tuple[str, str], str] = {}
    for one in found:
        for fact in one.facts:
            former = strongest.get((one.provider, fact), EVIDENCE[-1])
            strongest[one.provider, fact] = min(former, one.by, key=EVIDENCE.index)
    return strongest


def _in_file(tree: ast.Module, file: Path) -> Iterator[Shown]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                yield from _in_expression(decorator, f"{file}::{node.name}")
        elif isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "pytestmark" for target in node.targets):
            yield from _in_expression(node.value, str(file))


def _in_expression(expression: ast.expr, test: str) -> Iterator[Shown]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.shows":
            try:
                provider, *facts = map(ast.literal_eval, node.args)
                by = next(ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg == "by")
            except (ValueError, StopIteration) as error:
                raise ValueError(f"{test}: the marker `shows` wants literals, and `by`") from error
            yield Shown(provider, tuple(facts), by, test)
