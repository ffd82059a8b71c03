"""The program run in this process, as a shell would run it."""

import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from infoprovider.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Program = Callable[..., Ended]


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Leave the log as it was for other tests."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Runs `infoprovider` with these words."""

    def run(*words: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["infoprovider", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


class Centre:
    """A copy of the demonstration centre in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        # Looked through just now: a description of some hours ago is not carried over, and expires in parts.
        shutil.copytree(EXAMPLES / "demo", folder / "demo", copy_function=shutil.copyfile)
        self.config = folder / "site.yaml"
        shutil.copy(EXAMPLES / "demo.yaml", self.config)
        (folder / "bdii").mkdir()
        self.bdii = folder / "bdii" / "infoprovider.ldif"
        self.change(
            channels=[{"name": "site-bdii", "kind": "bdii", "settings": {"folder": "bdii"}}],
            state="run/state",
            public="run/public",
        )

    def change(self, **sections: Any) -> None:
        """Rewrite sections of the configuration."""
        written = yaml.safe_load(self.config.read_text())
        self.config.write_text(yaml.safe_dump(written | sections))

    def describe(self, change: Callable[[Any], None], name: str = "north") -> None:
        """Rewrite one manager's description."""
        path = self.config.parent / "demo" / f"{name}.yaml"
        described = yaml.safe_load(path.read_text())
        change(described)
        path.write_text(yaml.safe_dump(described, allow_unicode=True))

    def forget(self, name: str = "south") -> None:
        """Take one manager's description away."""
        (self.config.parent / "demo" / f"{name}.yaml").unlink()


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    """The demonstration centre with one BDII."""
    return Centre(tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A centre with one manager of which little is described."""
    (tmp_path / "north.yaml").write_text(
        "manager: { product: occi-server, endpoints: "
        "[{ url: 'https://cloud.example.org/', interface: occi, sign_in: [{ method: x509 }] }] }\n"
        "projects: [{ id: p1, quotas: { instances: 4 } }]\n"
    )
    config = tmp_path / "site.yaml"
    config.write_text(
        "centre: { name: RC-ONE }\n"
        "communities: [{ name: vo.bio, projects: [{ instance: north, project: p1 }] }]\n"
        "instances: [{ name: north, kind: static, settings: { file: north.yaml } }]\n"
    )
    return config
