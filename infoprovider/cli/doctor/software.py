"""Versions: Python, the libraries that infoprovider is built on, and those that the configured kinds need."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata

from infoprovider.cli.doctor.diagnosis import Finding
from infoprovider.cli.doctor.patient import Findings, Patient

OLDEST_PYTHON = (3, 11)
_REQUIREMENT = re.compile(
    r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*\(?>=\s*([0-9.]+)[^;]*(?:;.*extra\s*==\s*['\"]([^'\"]+))?"
)


def versions(patient: Patient) -> Findings:
    """What is too old here, or not here."""
    kinds = {one.block.kind for one in patient.configuration.instances}
    kinds |= {one.block.kind for one in patient.configuration.channels}
    yield from old_python()
    yield from old_libraries(kinds)


def old_python() -> Iterator[Finding]:
    """A Python that is older than what infoprovider is written for."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        needed = ".".join(map(str, OLDEST_PYTHON))
        yield Finding(
            kind="python",
            cause=f"Python {platform.python_version()} is older than {needed}",
            seen=sys.executable,
            remedy=f"python{needed} -m venv /opt/infoprovider; /opt/infoprovider/bin/pip install infoprovider",
        )


def old_libraries(kinds: set[str]) -> Iterator[Finding]:
    """Libraries that are missing or older than what the package asks for; of optional ones those of these kinds."""
    for requirement in metadata.requires("infoprovider") or ():
        found = _REQUIREMENT.match(requirement)
        if found is None or (found[3] is not None and found[3] not in kinds):
            continue
        name, least, _ = found.groups()
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = ""
        if not version or _numbers(version) < _numbers(least):
            cause = f"the library {name} {version} is older than {least}" if version else f"there is no library {name}"
            yield Finding(
                kind="library",
                cause=cause,
                seen=f"in {sys.prefix}",
                remedy=f"{sys.executable} -m pip install '{name}>={least}'",
            )


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(one) for one in re.findall(r"\d+", version)[:3]]
    return (*numbers, *[0] * (3 - len(numbers)))
