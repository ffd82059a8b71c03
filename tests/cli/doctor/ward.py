"""A published centre on a machine of its own below a folder, a BDII that answers, and a cloud that can be asked."""

import json
import os
import re
import shutil
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from infoprovider.cli import site
from infoprovider.cli.control import Control
from infoprovider.cli.doctor.examination import Diagnosis, examined
from infoprovider.cli.publish import publish
from infoprovider.clock import BOOT_ID
from infoprovider.ldif import read
from infoprovider.store.daemon import DaemonStore
from tests.fakes import ldap_server
from tests.providers.openstack_recorded import Recorded

DEMO = Path(__file__).parents[3] / "examples" / "demo" / "north.yaml"
HOOK = Path(__file__).parents[3] / "bdii-hook" / "infoprovider-hook"
_MOMENT = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:Z|\+00:00)"')
_UPTIME = re.compile(r'"uptime":(-?[0-9.]+)')
DAY = 86400

SLAPD_CONF = """
database mdb
suffix "o=grid"

database mdb
suffix "o=glue"
{size}
"""
UPDATER = 'os.popen("ldapadd -d 256 -x -c {options} -D o=glue")\n'
STATUS = "Package: bdii\nVersion: 6.0.2-1\n\nPackage: ldap-utils\nStatus: ok\nVersion: 2.5.13+dfsg-5\n"


@dataclass
class Bdii:
    """What the BDII serves: the entries of a file, all but some; when its last cycle ended."""

    port: int = 0
    file: Path | None = None
    keep_every: int = 1
    older: timedelta = timedelta()
    cycle: datetime | None = None

    def answer(self, message: Any, send: Any) -> None:
        """Every entry below the base that is asked."""
        number = message["messageID"]
        if str(message["protocolOp"]["searchRequest"]["baseObject"]) == "o=infosys":
            ended = (self.cycle or datetime.now(UTC)).strftime("%Y%m%d%H%M%SZ")
            send(ldap_server.entry(number, "Hostname=localhost,o=infosys", {"modifyTimestamp": [ended.encode()]}))
        elif self.file is not None and self.file.exists():
            for count, record in enumerate(read(self.file.read_bytes())):
                stamp = record.attributes.get("GLUE2EntityCreationTime")
                if stamp and self.keep_every and count % self.keep_every == 0:
                    served = datetime.fromisoformat(stamp[0]) - self.older
                    value = served.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                    send(ldap_server.entry(number, record.dn, {"GLUE2EntityCreationTime": [value]}))
        send(ldap_server.done(number))


@dataclass
class Ward:
    """A centre in a folder, and what surrounds it."""

    folder: Path
    bdii: Bdii
    patch: pytest.MonkeyPatch
    cloud: Recorded | None = None
    rest: ExitStack = field(default_factory=ExitStack)

    @property
    def config(self) -> Path:
        """The configuration's file."""
        return self.folder / "site.yaml"

    @property
    def root(self) -> Path:
        """The machine."""
        return self.folder / "root"

    @property
    def state(self) -> Path:
        """Our own folder."""
        return self.folder / "run" / "state"

    @property
    def public(self) -> Path:
        """The folder that a BDII reads."""
        return self.folder / "run" / "public"

    @property
    def gip(self) -> Path:
        """The folders of the BDII."""
        return self.root / "var/lib/bdii/gip"

    @property
    def rendering(self) -> Path:
        """What the BDII is given by the channel."""
        return self.gip / "ldif" / "infoprovider.ldif"

    def build(self, instance: dict[str, Any], project: str) -> None:
        """Make the machine and the configuration."""
        for name in ("ldif", "provider", "plugin"):
            (self.gip / name).mkdir(parents=True)
        for path, text in {
            "etc/passwd": "root:x:0:0::/root:/bin/sh\nopenldap:x:112:119::/:/bin/false\n",
            "etc/group": "openldap:x:119:\n",
            "etc/bdii/bdii-slapd.conf": SLAPD_CONF.format(size="maxsize 1073741824"),
            "usr/sbin/bdii-update": UPDATER.format(options="-H ldap://%s:%s"),
            "var/lib/dpkg/status": STATUS,
            "proc/sys/kernel/random/boot_id": BOOT_ID.read_text(),
        }.items():
            self.write(path, text)
        self.bdii_conf()
        written = {
            "centre": {"name": "RC-ONE"},
            "communities": [{"name": "vo.bio", "projects": [{"instance": instance["name"], "project": project}]}],
            "instances": [instance],
            "channels": [{"name": "site-bdii", "kind": "bdii", "settings": {"folder": "root/var/lib/bdii/gip/ldif"}}],
            "state": "run/state",
            "public": "run/public",
        }
        self.config.write_text(yaml.safe_dump(written))

    def bdii_conf(self, **settings: str | None) -> None:
        """Write the settings of the BDII, with these differences; None leaves one out."""
        usual = {
            "BDII_LDIF_DIR": "/var/lib/bdii/gip/ldif",
            "BDII_PROVIDER_DIR": "/var/lib/bdii/gip/provider",
            "BDII_PLUGIN_DIR": "/var/lib/bdii/gip/plugin",
            "BDII_PORT": str(self.bdii.port),
            "BDII_BREATHE_TIME": "120",
            "BDII_USER": "openldap",
        }
        lines = [f"{key}={value}  # as packaged" for key, value in (usual | settings).items() if value is not None]
        self.write("etc/bdii/bdii.conf", "\n".join(lines))

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        """A file of the machine."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def change(self, **sections: Any) -> None:
        """Rewrite sections of the configuration."""
        written = yaml.safe_load(self.config.read_text()) | sections
        kept = {name: value for name, value in written.items() if value is not None}
        self.config.write_text(yaml.safe_dump(kept))

    def settings(self, **others: Any) -> None:
        """Rewrite settings of the instance."""
        instances = yaml.safe_load(self.config.read_text())["instances"]
        instances[0]["settings"] |= others
        self.change(instances=instances)

    def auth(self, **others: Any) -> None:
        """Rewrite how the account of the cloud signs in."""
        auth = yaml.safe_load(self.config.read_text())["instances"][0]["settings"]["auth"]
        self.settings(auth=auth | others)

    def block(self, **others: Any) -> None:
        """Rewrite the block of the instance."""
        instances = yaml.safe_load(self.config.read_text())["instances"]
        self.change(instances=[instances[0] | others])

    def publish(self) -> None:
        """Collect, compose, deliver."""
        with pytest.raises(typer.Exit) as ended:
            publish(self.config, quiet=True)
        assert ended.value.exit_code == 0

    def by_hook(self, name: str = "infoprovider", *words: object) -> Path:
        """Let the BDII get it by the hook and not by the channel."""
        self.change(channels=None)
        self.rendering.unlink(missing_ok=True)
        hook = self.gip / "provider" / name
        hook.write_text(f"#!/bin/sh\nexec {HOOK} {' '.join(map(str, words or (self.public,)))}\n")
        hook.chmod(0o755)
        self.bdii.file = self.public / "current.resource.ldif"
        return hook

    @property
    def program(self) -> Path:
        """What stands for the program that the daemon runs."""
        return self.folder / "infoprovider.py"

    def daemon(self, faults: tuple[str, ...] = (), *, answers: bool = True) -> None:
        """Let this process be the daemon that keeps the centre: program and configuration are older than it."""
        now = site.clock.read()
        self.program.touch()
        self.patch.setattr("infoprovider.__file__", str(self.program))
        for path in (self.program, self.config):
            os.utime(path, (now.wall.timestamp() - DAY,) * 2)
        DaemonStore(self.state).keep(now, now, faults)
        if answers:
            control = Control(self.state, lambda _: {})
            control.open()
            self.rest.callback(control.close)

    def dead_daemon(self) -> None:
        """Leave what a daemon leaves that was killed."""
        self.daemon(answers=False)
        path = self.state / "daemon.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"ticks": 1}))

    def grow_old(self, hours: float, *, names: str = "**/*.json") -> None:
        """Let what is kept be as old as that."""
        past = timedelta(hours=hours)
        for path in self.state.glob(names):
            text = _MOMENT.sub(lambda found: _shifted(found[1], -past), path.read_text())
            path.write_text(_UPTIME.sub(lambda f: f'"uptime":{float(f[1]) - past.total_seconds()}', text))

    def expire(self) -> None:
        """Let the moment have come after which nothing is handed out."""
        (self.public / "current.expires").write_text(f"{BOOT_ID.read_text().strip()} 1 1\n")

    def remembered(self, **others: Any) -> None:
        """Rewrite what the document remembers."""
        path = self.state / "document.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | others))

    def examined(self) -> Diagnosis:
        """What the doctor says."""
        return examined(self.config, self.root)


def _shifted(moment: str, by: timedelta) -> str:
    return f'"{(datetime.fromisoformat(moment) + by).isoformat()}+00:00"'


def copied(template: Path, folder: Path) -> None:
    """A published centre in another folder."""
    shutil.copytree(template, folder, symlinks=True, dirs_exist_ok=True)


def free_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
