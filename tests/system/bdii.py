"""A BDII of the testbed, and the chain of three of them, as tests use them."""

import re
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

TESTBED = Path(__file__).parents[2] / "tools" / "testbeds" / "bdii"
BREATHE_SECONDS = "0.5"

KNOWN_COMPLAINTS = re.compile(
    r"Naming violation \(64\)"
    r"|value of naming attribute 'o' is not present in entry"
    r"|The 'warn' method is deprecated"
    r"|log\.warn\(line\.strip\(\)\)"
    r"|^pull: .*: No such object \(32\)"
)
"""What the top BDII says of its own entry o=grid in every cycle, what a newer Python says of the updater, and what is
said of a level below that has nothing yet: all of it of no entry of ours."""


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass(frozen=True)
class Bdii:
    """One running BDII: its address and its working folder."""

    url: str
    work: Path

    @property
    def port(self) -> int:
        """Where it listens on the loopback."""
        return int(self.url.rpartition(":")[2])

    def wait(self, cycles: int = 1) -> None:
        """Return when that many cycles that begin from now on are finished."""
        subprocess.run([TESTBED / "wait", self.work, str(cycles)], check=True)

    def search(self, base: str, query: str = "(objectClass=*)", *attributes: str, scope: str = "sub") -> str:
        """What ldapsearch prints: LDIF, one line per value."""
        server = ["-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.url]
        command = ["ldapsearch", *server, "-b", base, "-s", scope, query, *attributes]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def complaints(self) -> list[str]:
        """What slapd rejected and what providers said, since the start, without what is said of no entry of ours."""
        updater = (self.work / "log" / "bdii-update.log").read_text().splitlines()
        slapd = (self.work / "log" / "slapd.log").read_text().splitlines()
        said = [line for line in updater + slapd if line.strip() and not re.search(r"\[INFO\]|\[DEBUG\]", line)]
        return [line for line in said if not re.search(KNOWN_COMPLAINTS, line)]

    def stop(self) -> None:
        """End its two processes."""
        subprocess.run([TESTBED / "down", self.work], check=True)


@dataclass(frozen=True)
class Chain:
    """A resource, a site and a top BDII; the resource reads the LDIF of one folder and runs the programs of another."""

    ldif: Path
    provider: Path
    resource: Bdii
    site: Bdii
    top: Bdii

    def settle(self) -> None:
        """Return when what lies in the folders now has reached the top."""
        for level in (self.resource, self.site, self.top):
            level.wait()


def start(work: Path, *options: str, port: int | None = None) -> Bdii:
    """Start a BDII with these options of the testbed's `up`, on a free port where none is named."""
    port = port or free_port()
    command = [TESTBED / "up", "--port", str(port), "--work", work, "--breathe", BREATHE_SECONDS, *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Bdii(f"ldap://127.0.0.1:{port}", work)


def start_slapd(work: Path, port: int | None = None) -> Bdii:
    """Start the slapd of a top BDII alone, with an empty database."""
    return start(work, "--level", "top", "--updater", "no", port=port)


def start_chain(work: Path, site: str, running: ExitStack, *, group: str = "resource") -> Chain:
    """Start three BDIIs, of which the site pulls this group of the resource; they stop when `running` closes."""
    ldif, provider = work / "ldif", work / "provider"

    def started(name: str, *options: str) -> Bdii:
        bdii = start(work / name, *options)
        running.callback(bdii.stop)
        return bdii

    resource = started("resource", "--ldif", str(ldif), "--provider", str(provider))
    below = f"resource={resource.url}/GLUE2GroupID={group},o=glue"
    site_bdii = started("site", "--level", "site", "--name", site, "--source", below)
    top = started("top", "--level", "top", "--source", f"{site}={site_bdii.url}/GLUE2DomainID={site},o=glue")
    return Chain(ldif, provider, resource, site_bdii, top)
