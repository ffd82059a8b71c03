"""Plug-ins that are registered for one test."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from infoprovider.providers.contract import AnyProviderSpec
from infoprovider.publishers.contract import AnyChannelSpec

Register = Callable[[str, AnyProviderSpec | AnyChannelSpec], None]


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    """Installs a package with one plug-in: group of entry points, spec."""
    monkeypatch.syspath_prepend(tmp_path)

    def registered(group: str, spec: AnyProviderSpec | AnyChannelSpec) -> None:
        module = ModuleType("planted")
        module.SPEC = spec  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "planted", module)
        about = tmp_path / "planted-1.0.dist-info"
        about.mkdir(exist_ok=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[{group}]\n{spec.kind} = planted:SPEC\n")

    return registered
