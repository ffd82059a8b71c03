"""cloud-info-provider as the collection benchmark runs it: the newest of PyPI, in an environment of its own.

Before anything else it asks the federation's site database over the Internet, and ends where that cannot be reached.
Here that one question is answered at once, with an empty list of services, so that only the cloud is measured.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PACKAGE = "cloud-info-provider"
# Its only use of requests.get is that question: a cloud is asked through sessions.
_LAUNCH = """
import types, requests
requests.get = lambda *_, **__: types.SimpleNamespace(status_code=200, text="<results/>")
from cloud_info_provider import core
core.main()
"""
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "infoprovider-benchmarks"
_UNTOLD = ("UNKNOWN", "", None)
_STAMPS = ("ID", "CreationTime", "Validity")


def install() -> tuple[Path, str]:
    """The interpreter of its environment, brought up to date where PyPI can be reached, and its version."""
    environment = _CACHE / PACKAGE
    python = environment / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "--quiet"]
    subprocess.run([*pip, "install", "--upgrade", PACKAGE], check=False)
    ask = f"import importlib.metadata as m; print(m.version({PACKAGE!r}))"
    return python, subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()


def command(python: Path, folder: Path, auth_url: str, cloud: str, projects: Mapping[str, str]) -> list[str | Path]:
    """One collection of these projects (ids by community), all read by an account of clouds.yaml."""
    communities = [{"name": name, "auth": {"project_id": project}} for name, project in projects.items()]
    site = folder / "peer-site.yaml"
    site.write_text(json.dumps({"gocdb": "RC-CLOUD", "endpoint": auth_url, "vos": communities}))
    return [python, "-c", _LAUNCH, "--os-cloud", cloud, site]


def facts(output: bytes) -> set[tuple[str, str, str]]:
    """Object, attribute and value of all that is stated; what is repeated under the same ID counts once."""
    return {
        (f"{kind} {one['ID']}", name, value)
        for kind, objects in json.loads(output).items()
        for one in objects
        for key, told in one.items()
        if key not in _STAMPS
        for name, value in _leaves(key, told)
    }


def _leaves(name: str, told: Any) -> Iterator[tuple[str, str]]:
    """Each single value below a value, with the way to it; nothing for those that say that nothing is known."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield from _leaves(f"{name}.{key}", value)
    elif isinstance(told, list):
        for value in told:
            yield from _leaves(name, value)
    elif told not in _UNTOLD:
        yield name, str(told)
