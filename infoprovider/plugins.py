"""From a kind to its spec, through entry points, imported only when it is used."""

import difflib
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, TypeVar

from infoprovider.errors import PluginError

T = TypeVar("T")

PROVIDERS = "infoprovider.providers"
PUBLISHERS = "infoprovider.publishers"

_NOUNS = {PROVIDERS: "provider", PUBLISHERS: "publisher"}


def kinds(group: str) -> tuple[str, ...]:
    """The kinds that are installed in a group of entry points, in order."""
    return tuple(sorted(entry_points(group=group).names))


def load(group: str, kind: str, contract: type[T]) -> T:
    """The spec of a kind, an object of the contract's class.

    Raises PluginError where the kind is unknown, is provided twice, cannot be imported, is no such spec, or needs a
    package that is not installed.
    """
    entry_point = _entry_point(group, kind)
    spec: Any = _imported(entry_point)
    if not isinstance(spec, contract):
        raise PluginError(
            f"{entry_point.value} is no {contract.__name__}, but {type(spec).__name__}",
            remedy=f"correct the entry point {kind} of {_distribution(entry_point)}",
        )
    named = getattr(spec, "kind", kind)
    if named != kind:
        raise PluginError(
            f"{entry_point.value} says that it is of kind {named}, but is registered as {kind}",
            remedy=f"correct the entry point {kind} of {_distribution(entry_point)}",
        )
    for package in getattr(spec, "needs", ()):
        if not _is_installed(package):
            raise _missing(entry_point, package)
    return spec


def _entry_point(group: str, kind: str) -> EntryPoint:
    found = tuple(entry_points(group=group, name=kind))
    noun = _NOUNS.get(group, "plug-in")
    if not found:
        known = kinds(group)
        near = difflib.get_close_matches(kind, known, n=1)
        remedy = f"write {near[0]}" if near else f"write one of {', '.join(known)}" if known else "install one"
        raise PluginError(f"there is no {noun} of kind {kind}", remedy=remedy)
    if len({entry_point.value for entry_point in found}) > 1:
        homes = " and ".join(sorted(_distribution(entry_point) for entry_point in found))
        raise PluginError(f"the {noun} kind {kind} is provided twice, by {homes}", remedy="uninstall one of them")
    return found[0]


def _imported(entry_point: EntryPoint) -> Any:
    try:
        return entry_point.load()
    except ModuleNotFoundError as error:
        raise _missing(entry_point, error.name or str(error)) from error
    except Exception as error:
        raise PluginError(
            f"{entry_point.value} cannot be imported: {type(error).__name__}: {error}",
            remedy=f"install a version of {_distribution(entry_point)} that fits this one",
        ) from error


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # the parent of a dotted name is not there
        return False


def _missing(entry_point: EntryPoint, package: str) -> PluginError:
    home = _distribution(entry_point)
    extras = (entry_point.dist.metadata.get_all("Provides-Extra") if entry_point.dist else None) or []
    requirement = f"{home}[{entry_point.name}]" if entry_point.name in extras else package.partition(".")[0]
    return PluginError(
        f"the kind {entry_point.name} needs the Python package {package}, which is not installed",
        remedy=f"install it: pip install '{requirement}'",
    )


def _distribution(entry_point: EntryPoint) -> str:
    return entry_point.dist.name if entry_point.dist else entry_point.module
