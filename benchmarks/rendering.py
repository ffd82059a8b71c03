"""Rendering to LDIF beside what others write it with: entries per second on one core, and the ratios that must hold.

    python benchmarks/rendering.py [--entries 20000] [--rounds 5] [--peers mako,python-ldap]

The entry is an instance type of 25 lines whose values differ in every entry. Ours goes the whole way from the document
to bytes, with every value made safe. Mako's template is compiled once, is given the same entities, prints what it gets
and encodes nothing; python-ldap's LDIFWriter is given its values as the lists of bytes that it wants. All of them run
in turn, round by round, so that a busy machine slows all; a ratio is the median over the rounds.

Ends with 1 where a ratio is missed, and with 2 where a peer that `--peers` names is not installed.
"""

import argparse
import gc
import importlib.util
import io
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from infoprovider import ldif
from infoprovider.glue.entities import ComputingManager, ComputingService, Entity, ExecutionEnvironment
from infoprovider.glue.names import attributes_of, object_classes_of
from infoprovider.glue.vocabulary import CPUMultiplicity, ExtendedBoolean, QualityLevel
from infoprovider.render.ldif import LdifRenderer
from infoprovider.validation.rendering import check_rendering

SERVICE = "urn:glue2:ComputingService:rc-one:north"
MANAGER = "urn:glue2:ComputingManager:rc-one:north"
PARENT = f"GLUE2ServiceID={SERVICE},GLUE2GroupID=resource,o=glue"
MODULES = {"mako": "mako", "python-ldap": "ldif"}
AT_LEAST = {"mako": 1.0, "python-ldap": 2.0}


@dataclass(frozen=True)
class Centre:
    """What is rendered."""

    entities: tuple[Entity, ...]


def environments(number: int) -> list[ExecutionEnvironment]:
    """Instance types of 25 lines each, with values of their own wherever a cloud could have them."""
    moment = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
    return [
        ExecutionEnvironment(
            id=f"urn:glue2:ExecutionEnvironment:rc-one:north:m{n}.large",
            name=f"m{n}.large",
            other_info=(f"disk={n % 997}", f"HostPool=urn:glue2:ExecutionEnvironment:rc-one:north:pool-{n}"),
            creation_time=moment + timedelta(seconds=n),
            validity=3600,
            manager_foreign_key=MANAGER,
            platform="amd64",
            virtual_machine=ExtendedBoolean.TRUE,
            total_instances=n + 7,
            used_instances=n + 1,
            logical_cpus=n % 256 + 1,
            cpu_multiplicity=CPUMultiplicity.MULTICPU_MULTICORE,
            cpu_vendor=f"vendor {n}",
            cpu_model=f"model {n} at 2.4 GHz",
            main_memory_size=1024 * n + 512,
            virtual_memory_size=1024 * n + 513,
            os_family="linux",
            os_name=f"Linux {n}",
            connectivity_in=ExtendedBoolean.TRUE,
            connectivity_out=ExtendedBoolean.TRUE,
        )
        for n in range(number)
    ]


def lines_of(entity: Entity) -> list[tuple[str, str]]:
    """Attribute and field of each value of an entity, as a template would name them."""
    lines = []
    for attribute in attributes_of(type(entity)):
        value = getattr(entity, attribute.field)
        if attribute.multiple:
            lines += [(str(attribute.ldap), f"{attribute.field}[{index}]") for index in range(len(value))]
        elif value is not None:
            lines.append((str(attribute.ldap), attribute.field))
    return lines


def with_mako(entities: list[ExecutionEnvironment], *, in_one_go: bool) -> Callable[[], bytes]:
    """A compiled Mako template: rendered for every entry, or once with a loop over all."""
    from mako.template import Template

    entry = f"dn: GLUE2ResourceID=${{e.id}},{PARENT}\n"
    entry += "".join(f"objectClass: {name}\n" for name in object_classes_of(ExecutionEnvironment))
    entry += "".join(f"{name}: ${{e.{field}}}\n" for name, field in lines_of(entities[0])) + "\n"
    if in_one_go:
        loop = Template("% for e in entities:\n" + entry + "% endfor\n")  # noqa: S702  (nothing here is HTML)
        return lambda: loop.render(entities=entities).encode()
    one = Template(entry)  # noqa: S702
    return lambda: "".join([one.render(e=entity) for entity in entities]).encode()


def with_python_ldap(entities: list[ExecutionEnvironment]) -> Callable[[], bytes]:
    """python-ldap's LDIFWriter without folding, which is its faster way."""
    from ldif import LDIFWriter  # type: ignore[import-not-found]

    body = LdifRenderer("resource").render(centre(entities))
    records = [
        (record.dn, {name: [value.encode() for value in values] for name, values in record.attributes.items()})
        for record in ldif.read(body)
    ]

    def write() -> bytes:
        output = io.StringIO()
        writer = LDIFWriter(output, cols=100_000)
        for dn, attributes in records:
            writer.unparse(dn, attributes)
        return output.getvalue().encode()

    return write


def centre(entities: Iterable[Entity]) -> Centre:
    """A service and its manager around the instance types."""
    service = ComputingService(
        id=SERVICE, type="IaaS", quality_level=QualityLevel.PRODUCTION, admin_domain_foreign_key=("RC-ONE",)
    )
    manager = ComputingManager(
        id=MANAGER, product_name="openstack", service_foreign_key=SERVICE, computing_service_foreign_key=SERVICE
    )
    return Centre((service, manager, *entities))


def seconds(work: Callable[[], Any]) -> float:
    """Seconds of CPU time of one run."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every work in every round, the works in turn."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(seconds(work))
    return times


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", default="", help="peers that must be there: mako, python-ldap")
    options = parser.parse_args()
    present = [peer for peer, module in MODULES.items() if importlib.util.find_spec(module) is not None]
    missing = set(filter(None, options.peers.split(","))) - set(present)
    if missing:
        print(f"not installed: {', '.join(sorted(missing))}", file=sys.stderr)
        return 2

    entities = environments(options.entries)
    document, renderer = centre(entities), LdifRenderer("resource")
    body = renderer.render(document)
    works: dict[str, Callable[[], Any]] = {"render": lambda: renderer.render(document)}
    if "mako" in present:
        works["mako"] = with_mako(entities, in_one_go=False)
        works["mako, one loop"] = with_mako(entities, in_one_go=True)
    if "python-ldap" in present:
        works["python-ldap"] = with_python_ldap(entities)
    works["read"] = lambda: sum(1 for _ in ldif.read(body))
    works["read and check"] = lambda: check_rendering(document, body)
    times = measure(works, options.rounds)
    return report(times, options.entries, body)


def report(times: dict[str, list[float]], entries: int, body: bytes) -> int:
    """Print the table; 1 where a ratio is missed."""
    lines, size = len(body.rstrip().rpartition(b"\n\n")[2].split(b"\n")), len(body) // entries
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; CPU time of one core")
    print(f"{entries} entries of {lines} lines and {size} bytes\n")
    print(f"{'':16} {'entries/s':>10} {'render is':>12} {'at least':>9}")
    missed = False
    for name, measured in times.items():
        ratio = statistics.median(peer / ours for peer, ours in zip(measured, times["render"], strict=True))
        limit = AT_LEAST.get(name)
        missed = missed or (limit is not None and ratio < limit)
        held = "" if limit is None else f"{limit:.1f} {'held' if ratio >= limit else 'MISSED'}"
        print(f"{name:16} {entries / statistics.median(measured):10,.0f} {ratio:10.2f} x {held:>9}")
    for peer in MODULES.keys() - times.keys():
        print(f"{peer}: not installed, not compared")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
