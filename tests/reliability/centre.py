"""A centre whose managers are programs: what each tells and does can be changed while a daemon asks it."""

import json
import stat
from pathlib import Path
from typing import Any

import yaml

from infoprovider.inventory.model import Facet

SUFFIX = "@NOW@"
EVERY_FACET = sorted(facet.value for facet in Facet)

PROGRAM = f"""#!/bin/sh
# Tells what lies in this manager's folder, as of now, after it has done what is wrong with it.
read -r request
[ ! -e "$1/does" ] || . "$1/does"
now=$(date -u -d "@$(($(date +%s) + $(cat "$1/../wall")))" +%Y-%m-%dT%H:%M:%SZ)
sed "s/{SUFFIX}/$now/" "$1/tells"
"""


def line(facet: str, value: dict[str, Any], part: str = "") -> str:
    """An observation of this moment."""
    named = {"part": part} if part else {}
    return json.dumps({"answer": "observed", "facet": facet, **named, "observed_at": SUFFIX, "value": value})


def telling(name: str, projects: int = 1, version: str = "1") -> list[str]:
    """All lines of a manager that is well, with this many projects."""
    endpoint = {"url": f"https://{name}.example.org/", "interface": "openstack", "sign_in": [{"method": "password"}]}
    ids = [f"{name}-p{number}" for number in range(projects)]
    told = {
        "manager": {"product": "openstack", "version": version, "endpoints": [endpoint]},
        "capacity": {"vcpus": 64, "vcpus_used": 8, "memory_mib": 131072, "memory_used_mib": 4096},
        "instance_types": {
            "instance_types": [
                {"id": size, "name": size, "vcpus": number, "memory_mib": 2048 * number}
                for number, size in enumerate(("small", "large"), start=1)
            ]
        },
        "images": {"images": [{"id": f"{name}-image", "name": "plain"}]},
    }
    lines = [line(facet, value) for facet, value in told.items()]
    for id_ in ids:
        lines.append(line("quotas", {"project": id_, "instances": 10, "vcpus": 40, "memory_mib": 81920}, id_))
        lines.append(line("usage", {"project": id_, "running": 1, "vcpus": 2, "memory_mib": 4096}, id_))
    lines += [json.dumps({"answer": "parts", "facet": facet, "parts": ids}) for facet in ("quotas", "usage")]
    others = [facet for facet in EVERY_FACET if facet not in {*told, "quotas", "usage"}]
    return lines + [json.dumps({"answer": "not_offered", "facet": facet, "reason": "none"}) for facet in others]


class Manager:
    """One VM manager that is a program."""

    def __init__(self, folder: Path, projects: int = 1) -> None:
        self.name = folder.name
        self._folder = folder
        self._projects = projects
        folder.mkdir()
        self.tells(*telling(self.name, projects))

    def tells(self, *lines: str) -> None:
        """Let it say this from now on."""
        beside = self._folder / "next"
        beside.write_text("".join(f"{line}\n" for line in lines))
        beside.replace(self._folder / "tells")

    def is_of(self, version: str) -> None:
        """Let it be well, and of this version."""
        self.tells(*telling(self.name, self._projects, version))

    def does(self, what: str = "") -> None:
        """Let it do this, in the words of a shell, before it says anything; nothing again without words."""
        beside = self._folder / "next"
        beside.write_text(what)
        beside.replace(self._folder / "does")

    def instance(self, **others: Any) -> dict[str, Any]:
        """Its block in the configuration."""
        return {
            "name": self.name,
            "kind": "exec",
            "every": 5.0,
            "deadline": 10.0,
            "defaults": {"platform": "amd64", "os_family": "linux"},
            "settings": {"command": ["./ask", str(self._folder)]},
            **others,
        }

    def community(self) -> dict[str, Any]:
        """A community that works in its projects."""
        projects = [{"instance": self.name, "project": f"{self.name}-p{number}"} for number in range(self._projects)]
        return {"name": f"vo.{self.name}", "projects": projects}


class Centre:
    """A configuration, the folders that it names, and its managers."""

    def __init__(self, folder: Path, *names: str, projects: int = 1) -> None:
        self.folder = folder
        self.config = folder / "site.yaml"
        self.state, self.public = folder / "state", folder / "public"
        self.bdii = folder / "bdii" / "infoprovider.ldif"
        self.clocks = folder / "managers"
        for path in (self.bdii.parent, self.clocks):
            path.mkdir()
        self.moves_clocks()
        program = folder / "ask"
        program.write_text(PROGRAM)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.managers = {name: Manager(folder / "managers" / name, projects) for name in names}
        self.written: dict[str, Any] = {
            "centre": {"name": "RC-ONE"},
            "communities": [one.community() for one in self.managers.values()],
            "instances": [one.instance() for one in self.managers.values()],
            "channels": [self.channel("site-bdii", self.bdii.parent)],
            "collection": {"at_once": 6, "pause": 0.2},
            "state": str(self.state),
            "public": str(self.public),
        }
        self.write()

    def channel(self, name: str, folder: Path) -> dict[str, Any]:
        """A BDII's folder as a channel that is served as soon as there is something new."""
        return {"name": name, "kind": "bdii", "every": 0.2, "settings": {"folder": str(folder)}}

    def write(self, **sections: Any) -> None:
        """Write the configuration, with these sections from now on."""
        self.written |= sections
        self.config.write_text(yaml.safe_dump(self.written))

    def published_for(self, seconds: float) -> None:
        """Withhold every facet after so many seconds."""
        held = {"fresh_for": seconds, "publish_for": seconds}
        self.write(freshness=dict.fromkeys(EVERY_FACET, held))

    def moves_clocks(self, *, wall: int = 0, boot: int = 0) -> None:
        """Let the clocks of those who look be so many seconds ahead of this machine's (`clocks/sitecustomize.py`)."""
        for name, seconds in (("wall", wall), ("boot", boot)):
            beside = self.clocks / "next"
            beside.write_text(str(seconds))
            beside.replace(self.clocks / name)

    @property
    def moved(self) -> dict[str, str]:
        """The environment in which Python sees these clocks; these variables reach collections as well."""
        return {"PYTHONPATH": str(Path(__file__).with_name("clocks")), "XDG_CACHE_HOME": str(self.clocks)}
