"""The shipped demo centre in a folder of its own, published by one command."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = Path(sys.executable).with_name("infoprovider")


@dataclass(frozen=True)
class Demo:
    """A copy of the demo centre: its configuration, with two described managers beside it."""

    config: Path

    @property
    def public(self) -> Path:
        """Where the renderings are kept."""
        return self.config.parent / "run" / "public"

    def describe(self, change: Callable[[Any], None], file: str = "north.yaml") -> None:
        """Rewrite one manager's description, as its operator would."""
        path = self.config.parent / "demo" / file
        described = yaml.safe_load(path.read_text())
        change(described)
        path.write_text(yaml.safe_dump(described, allow_unicode=True))

    def publish(self, *options: str, **process: Any) -> subprocess.CompletedProcess[str]:
        """The one command."""
        return self._run("publish", *options, self.config.name, **process)

    def collect_and_publish(self) -> None:
        """What an operator does after a change: ask for every facet, also those that are not due, and publish."""
        for command in (("collect", "--all", self.config.name), ("publish", self.config.name)):
            done = self._run(*command)
            assert done.returncode == 0, done.stderr

    def _run(self, *words: str, **process: Any) -> subprocess.CompletedProcess[str]:
        options = {"cwd": self.config.parent, "capture_output": True, "text": True, "check": False}
        return subprocess.run([COMMAND, *words], **(options | process))


def demo_in(folder: Path, *channels: dict[str, Any]) -> Demo:
    """Copy the demo centre, with these channels in the place of its own."""
    # Looked through just now: what is older than some hours expires in parts.
    shutil.copytree(EXAMPLES / "demo", folder / "demo", copy_function=shutil.copyfile)
    written = yaml.safe_load((EXAMPLES / "demo.yaml").read_text())
    written["channels"] = list(channels)
    config = folder / "demo.yaml"
    config.write_text(yaml.safe_dump(written))
    return Demo(config)


def bdii_channel(folder: Path, template_set: str = "resource") -> dict[str, Any]:
    """A channel that writes into the folder a BDII reads; the file has the set's name."""
    settings = {"folder": str(folder), "file": f"{template_set}.ldif"}
    return {"name": f"{template_set}-bdii", "kind": "bdii", "template_set": template_set, "settings": settings}
