"""Collecting from an OpenStack beside cloud-info-provider: requests, seconds, memory, and what is published of it.

    python benchmarks/collection.py                               5, 20 and 50 projects: an hour
    python benchmarks/collection.py --projects 50 --rounds 1
    python benchmarks/collection.py --short                       what the automation runs

Both read the same real OpenStack (tools/testbeds/openstack: 20 flavors, 50 images, 40 machines) with the same account,
a plain member of every project, in turn; each collects everything and prints its whole document. infoprovider is also
run as administrator, which the other does not know. Requests are counted at the servers. With a delay, every answer
comes through a proxy on loopback that keeps it back for 50 ms. Memory is that of all processes of a program together.

An object is what has an ID of its own. A fact is one value of one attribute of one object, other than its ID, its
class, when it was made and how long it holds; the same one counts once, however often it is printed.

Ends with 1 where a ratio is missed; with --short the only ones are fewer requests and more facts.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import peer
from benchmarks.memory import watching
from infoprovider import ldif
from tests.system import openstack
from tests.system.front import fronts
from tests.system.openstack import Cloud

CONTENT = {"FLAVORS": 20, "IMAGES": 50, "SERVERS": 40, "ODD": 0}
SHORT_CONTENT = CONTENT | {"SERVERS": 5}
PROJECTS = (5, 20, 50)
ROUNDS = 3
DELAY_SECONDS = 0.05
THE_PEER, MEMBER, ADMIN = peer.PACKAGE, "infoprovider", "infoprovider, administrator"
LEAST_REQUESTS = {MEMBER: 15, ADMIN: 30}
"""How many times as many requests the other makes, with the most projects."""
LEAST_SPEED = 10
"""How many times as long the other takes, with the most projects and the delay."""

OURS = "from infoprovider.cli.main import main; main()"
_STAMPS = {"objectClass", "GLUE2EntityCreationTime", "GLUE2EntityValidity"}

Facts = set[tuple[str, str, str]]


@dataclass(frozen=True)
class Program:
    """What is run, and how its output is read."""

    name: str
    command: list[str | Path]
    facts_in: Callable[[bytes], Facts]


@dataclass(frozen=True)
class Run:
    """What one run took and gave."""

    requests: int
    seconds: float
    megabytes: float
    objects: int
    facts: int


@dataclass(frozen=True)
class Row:
    """The runs of one program in one setting."""

    projects: int
    is_delayed: bool
    program: str
    runs: list[Run]

    def median(self, what: str) -> float:
        """The median of one of the numbers."""
        return statistics.median(getattr(run, what) for run in self.runs)


def facts_of(body: bytes) -> Facts:
    """Object, attribute and value of all that an LDIF states; branches are no objects."""
    return {
        (record.dn, name, value)
        for record in ldif.read(body)
        if "GLUE2Group" not in record.attributes["objectClass"]
        for name, values in record.attributes.items()
        if name not in _STAMPS and not record.dn.startswith(f"{name}=")
        for value in values
    }


def configuration(cloud: Cloud, clouds_file: Path, account: str) -> str:
    """The same centre for either account: a community for every project, and the platform, which the API hides."""
    projects = cloud.content["projects"]
    settings = {"cloud": account, "clouds_file": str(clouds_file), "only_projects": list(projects)}
    instance = {"name": "cloud", "kind": "openstack", "deadline": "5m", "settings": settings}
    communities = [
        {"name": name, "projects": [{"instance": "cloud", "project": project}]} for name, project in projects.items()
    ]
    return json.dumps(
        {
            "centre": {"name": "RC-CLOUD"},
            "communities": communities,
            "instances": [instance | {"defaults": {"platform": "amd64", "os_family": "linux"}}],
        }
    )


def programs(cloud: Cloud, folder: Path, python: Path, addresses: Mapping[bytes, bytes]) -> Iterator[Program]:
    """What is compared, with files of its own in the folder; `addresses` are put in the place of the cloud's own."""
    clouds_file = folder / "clouds.yaml"
    auth_url, accounts = cloud.auth_url.encode(), cloud.clouds_file.read_bytes()
    for own, instead in addresses.items():
        auth_url, accounts = auth_url.replace(own, instead), accounts.replace(own, instead)
    clouds_file.write_bytes(accounts)
    command = peer.command(python, folder, auth_url.decode(), "member", cloud.content["projects"])
    yield Program(THE_PEER, command, peer.facts)
    for name, account in ((MEMBER, "member"), (ADMIN, "admin")):
        file = folder / f"{account}.yaml"
        file.write_text(configuration(cloud, clouds_file, account))
        yield Program(name, [sys.executable, "-c", OURS, "try", file, "--ldif"], facts_of)


def run(program: Program, cloud: Cloud, folder: Path) -> Run:
    """Run it to its end. Raises RuntimeError where it fails."""
    environment = os.environ | {"OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml")}
    before = cloud.log_sizes()
    with (folder / "output").open("w+b") as output, (folder / "messages").open("w+b") as messages:
        began = time.monotonic()
        process = subprocess.Popen(
            program.command, env=environment, stdout=output, stderr=messages, cwd=Path(__file__).parents[1]
        )
        with watching(process.pid) as peak:
            process.wait()
            seconds = time.monotonic() - began
        if process.returncode != 0:
            messages.seek(0)
            raise RuntimeError(f"{program.name} ended with {process.returncode}: {messages.read().decode()[-2000:]}")
        output.seek(0)
        facts = program.facts_in(output.read())
    return Run(
        requests=cloud.count(before).total(),
        seconds=seconds,
        megabytes=peak.megabytes,
        objects=len({name for name, _, _ in facts}),
        facts=len(facts),
    )


def measure(cloud: Cloud, python: Path, is_delayed: bool, rounds: int) -> list[Row]:
    """Every program in turn, round by round."""
    ports = range(cloud.port, cloud.port + len(openstack.SERVICES))
    delayed = fronts(ports, seconds=DELAY_SECONDS) if is_delayed else nullcontext({})
    with tempfile.TemporaryDirectory() as folder, delayed as addresses:
        compared = list(programs(cloud, Path(folder), python, addresses))
        runs: dict[str, list[Run]] = {program.name: [] for program in compared}
        for _ in range(rounds):
            for program in compared:
                runs[program.name].append(run(program, cloud, Path(folder)))
    projects = len(cloud.content["projects"])
    return [Row(projects, is_delayed, name, found) for name, found in runs.items()]


def report(rows: list[Row]) -> None:
    """Print the rows of one setting; behind requests and seconds stands what the peer has more of them."""
    theirs = rows[0]
    for row in rows:
        requests, seconds = row.median("requests"), row.median("seconds")
        fewer = "" if row is theirs else f"1/{theirs.median('requests') / requests:.1f}"
        faster = "" if row is theirs else f"{theirs.median('seconds') / seconds:.1f} x"
        cells = (
            str(row.projects),
            "50 ms" if row.is_delayed else "none",
            row.program,
            f"{requests:,.0f}",
            fewer,
            f"{seconds:.1f}",
            faster,
            *(f"{row.median(what):,.0f}" for what in ("megabytes", "objects", "facts")),
        )
        print(f"| {' | '.join(cells)} |", flush=True)


def judge(rows: list[Row], is_short: bool) -> Iterator[tuple[str, bool]]:
    """Each goal for the rows of one setting, and whether it is reached."""
    theirs, *ours = rows
    for row in ours:
        where = f"{row.program}, {row.projects} projects, {'50 ms' if row.is_delayed else 'no delay'}"
        many, few = theirs.median("requests"), row.median("requests")
        yield f"{where}: {few:,.0f} requests, fewer than {many:,.0f}", few < many
        less, more = theirs.median("facts"), row.median("facts")
        yield f"{where}: {more:,.0f} facts, more than {less:,.0f}", more > less
        if is_short or row.projects < PROJECTS[-1]:
            continue
        # With few projects this says little: devices are objects in GLUE 2.1, and part of instance types in 2.0.
        less, more = theirs.median("objects"), row.median("objects")
        yield f"{where}: {more:,.0f} objects, more than {less:,.0f}", more > less
        least = LEAST_REQUESTS[row.program]
        yield f"{where}: 1/{many / few:.1f} of the requests, at most 1/{least}", few * least <= many
        if row.is_delayed:
            speed = theirs.median("seconds") / row.median("seconds")
            yield f"{where}: {speed:.1f} x as fast, at least {LEAST_SPEED} x", speed >= LEAST_SPEED


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", default=",".join(map(str, PROJECTS)), help="how many, growing")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--port", type=int, help="the first of five for the OpenStack; any free ones if left out")
    parser.add_argument("--short", action="store_true", help="5 projects once, without a delay")
    options = parser.parse_args()
    numbers = PROJECTS[:1] if options.short else tuple(map(int, options.projects.split(",")))
    rounds = 1 if options.short else options.rounds
    content = SHORT_CONTENT if options.short else CONTENT
    python, version = peer.install()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{peer.PACKAGE} {version}; median of {rounds}; {content['FLAVORS']} flavors, {content['IMAGES']} images\n")
    print("| projects | delay | program | requests | | seconds | | peak MB | objects | facts |")
    print("| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    goals: list[tuple[str, bool]] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        cloud = openstack.start_until(running, Path(folder), port=options.port, PROJECTS=numbers[0], **content)
        for projects in numbers:
            if projects != numbers[0]:
                openstack.start(cloud.folder, cloud.port, PROJECTS=projects, **content)
            for is_delayed in (False,) if options.short else (False, True):
                rows = measure(cloud, python, is_delayed, rounds)
                report(rows)
                goals += judge(rows, options.short)
    print()
    for goal, is_reached in goals:
        print(f"{'ok    ' if is_reached else 'MISSED'}  {goal}")
    return 0 if all(is_reached for _, is_reached in goals) else 1


if __name__ == "__main__":
    raise SystemExit(main())
