"""The programs of examples/exec: what they tell is true, and what they do not know is left out."""

import json
import logging
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infoprovider.collection.child import collect
from infoprovider.deadline import Deadline
from infoprovider.inventory.model import (
    Capacity,
    Facet,
    Hypervisors,
    InstanceType,
    InstanceTypes,
    Manager,
    OperatingSystem,
    Processor,
    Quotas,
    SignInMethod,
    Usage,
)
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed, Parts
from infoprovider.providers.exec import SPEC, ExecSettings

EXAMPLES = Path(__file__).parents[2] / "examples" / "exec"
NO_PROJECT_HERE = {Facet.INSTANCE_TYPES, Facet.IMAGES, Facet.QUOTAS, Facet.USAGE}

CPU = """processor	: {number}
vendor_id	: GenuineIntel
model name	: Intel(R) "Xeon" \\ 8 CPU
physical id	: {socket}

"""


def answers(program: str, *arguments: str, wanted: frozenset[Facet] = SPEC.facets, **environment: str) -> list[Answer]:
    """Every answer of a program of the examples, as a collection takes it."""
    settings = ExecSettings(command=(str(EXAMPLES / program), *arguments), environment=environment)
    log = logging.LoggerAdapter(logging.getLogger("test"), {})
    context = CollectContext(
        instance="north", wanted=wanted, deadline=Deadline.after(20), now=lambda: datetime.now(UTC), log=log
    )
    return list(collect(SPEC, settings, context))


def value(given: list[Answer], facet: Facet, part: str = "") -> object:
    """What was observed of a facet."""
    (found,) = [a.value for a in given if isinstance(a, Observed) and (a.facet, a.part) == (facet, part)]
    return found


class Host:
    """The folders that the shell program looks into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("proc", "dev", "etc"):
            (folder / name).mkdir()
        (folder / "proc" / "cpuinfo").write_text("".join(CPU.format(number=n, socket=n // 2) for n in range(4)))
        (folder / "proc" / "meminfo").write_text("MemTotal:       8388608 kB\nMemFree:         1000 kB\n")
        (folder / "dev" / "kvm").touch()
        (folder / "etc" / "os-release").write_text('NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n')

    def answers(self, wanted: frozenset[Facet] = SPEC.facets, **environment: str) -> list[Answer]:
        """What the program tells of this host."""
        places = {name.upper(): str(self.folder / name) for name in ("proc", "dev", "etc")}
        return answers("kvm_host.sh", wanted=wanted, **places, **environment)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host with two sockets of two CPUs each, and 8 GiB."""
    return Host(tmp_path)


@pytest.mark.shows(
    "exec",
    "processor model and clock",
    "sockets, cores and threads",
    "architecture",
    "memory of a host",
    by="synthetic",
)
def test_a_host_tells_its_hardware(host: Host) -> None:
    """Everything in it comes from the host's own files."""
    pools = value(host.answers(), Facet.HYPERVISORS)
    assert isinstance(pools, Hypervisors)
    (pool,) = pools.pools
    assert (pool.kind, pool.hosts, pool.memory_mib, pool.architecture) == ("KVM", 1, 8192, os.uname().machine)
    assert pool.processor == Processor(
        vendor="GenuineIntel", model='Intel(R) "Xeon" \\ 8 CPU', physical_cpus=2, logical_cpus=4
    )
    assert pool.operating_system == OperatingSystem(family="linux", name="Debian GNU/Linux", version="12")


@pytest.mark.shows("exec", "physical and logical CPUs", by="synthetic")
@pytest.mark.shows("exec", "vCPUs, and those in use", "memory, and what is in use", by="declared only")
def test_what_machines_can_get_is_the_operators_word(host: Host) -> None:
    """Without it, what machines can get is left out, and what is installed is still told."""
    assert value(host.answers(), Facet.CAPACITY) == Capacity(physical_cpus=2, logical_cpus=4)
    stated = host.answers(CPU_OVERCOMMIT="1.5", RESERVED_MEMORY_MIB="1024", DISK=str(host.folder))
    capacity = value(stated, Facet.CAPACITY)
    assert isinstance(capacity, Capacity)
    assert (capacity.vcpus, capacity.cpu_overcommit, capacity.memory_mib) == (6, 1.5, 7168)
    assert capacity.disk_gib == pytest.approx(shutil.disk_usage(host.folder).total / 2**30, rel=0.1, abs=0.1)


def test_a_host_that_tells_less_is_told_less(host: Host) -> None:
    """Sockets that are not numbered, a release without a name, no KVM."""
    (host.folder / "proc" / "cpuinfo").write_text("processor\t: 0\nprocessor\t: 1\n")
    (host.folder / "etc" / "os-release").unlink()
    given = host.answers()
    assert value(given, Facet.CAPACITY) == Capacity(logical_cpus=2)
    pools = value(given, Facet.HYPERVISORS)
    assert isinstance(pools, Hypervisors)
    assert pools.pools[0].processor == Processor(logical_cpus=2)
    assert pools.pools[0].operating_system == OperatingSystem(family="linux")
    (host.folder / "dev" / "kvm").unlink()
    (hypervisors,) = host.answers(frozenset({Facet.HYPERVISORS}))
    assert isinstance(hypervisors, NotOffered)


@pytest.mark.shows("exec", "interfaces and sign-in", by="declared only")
def test_the_managers_address_is_the_operators_word(host: Host) -> None:
    """Whatever is in it arrives; where it is missing the facet has failed, with what to set."""
    manager = value(host.answers(MANAGER_URL='qemu+tls://kvm.example.org/"a\\b"'), Facet.MANAGER)
    assert isinstance(manager, Manager)
    (endpoint,) = manager.endpoints
    assert endpoint.url == 'qemu+tls://kvm.example.org/"a\\b"'
    assert [way.method for way in endpoint.sign_in] == [SignInMethod.X509]
    (failed,) = host.answers(frozenset({Facet.MANAGER}))
    assert failed == Failed(facet=Facet.MANAGER, reason="MANAGER_URL is not set", retryable=True)


def test_every_facet_that_is_wanted_is_answered_and_no_other(host: Host) -> None:
    """What a plain host has not is said to be not offered."""
    given = host.answers(MANAGER_URL="qemu:///system")
    assert {answer.facet for answer in given} == set(Facet)
    assert not [answer for answer in given if isinstance(answer, Failed)]
    assert {answer.facet for answer in given if isinstance(answer, NotOffered)} >= NO_PROJECT_HERE
    assert {answer.facet for answer in host.answers(frozenset({Facet.USAGE, Facet.CAPACITY}))} == {
        Facet.USAGE,
        Facet.CAPACITY,
    }


def test_a_host_that_cannot_be_looked_at_says_why(host: Host) -> None:
    """The last line of standard error is the reason."""
    (host.folder / "proc" / "meminfo").unlink()
    (failed,) = host.answers(frozenset({Facet.CAPACITY}))
    assert isinstance(failed, Failed)
    assert failed.reason.endswith("ended with exit code 1: " + failed.reason.rpartition(": ")[2])
    assert failed.reason.endswith("/meminfo cannot be read")


# --- the campus cloud ----------------------------------------------------------------------------------------------


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A copy of the export that is shipped, made at noon on 1 June."""
    folder = tmp_path / "campus"
    shutil.copytree(EXAMPLES / "campus", folder)
    for table in folder.iterdir():
        noon = datetime(2026, 6, 1, 12, 0, tzinfo=UTC).timestamp()
        os.utime(table, (noon, noon))
    return folder


@pytest.mark.shows("exec", "quotas", "what projects hold", by="synthetic")
def test_a_project_is_a_part(export: Path) -> None:
    """Each has its quotas and its usage; an empty cell is left out, and `unlimited` is no number."""
    given = answers("campus_cloud.py", str(export))
    assert value(given, Facet.QUOTAS, "clim-3") == Quotas(
        project="clim-3", project_name="Regional climate", instances="unlimited", vcpus=64, memory_mib=262144
    )
    assert value(given, Facet.USAGE, "teach-1") == Usage(project="teach-1", instances=0, vcpus=0)
    ends = [answer for answer in given if isinstance(answer, Parts)]
    assert {end.facet: end.parts for end in ends} == dict.fromkeys(
        (Facet.QUOTAS, Facet.USAGE), frozenset({"bio-17", "clim-3", "teach-1"})
    )


@pytest.mark.shows("exec", "sizes of instance types", by="synthetic")
def test_sizes_are_instance_types(export: Path) -> None:
    """In the inventory's units."""
    types = value(answers("campus_cloud.py", str(export)), Facet.INSTANCE_TYPES)
    assert isinstance(types, InstanceTypes)
    assert types.instance_types[1:] == (
        InstanceType(id="large", vcpus=8, memory_mib=32768, disk_gib=80.0),
        InstanceType(id="huge", vcpus=32, memory_mib=131072),
    )


def test_an_export_is_as_old_as_its_file(export: Path) -> None:
    """Reading it now makes nothing in it younger."""
    given = answers("campus_cloud.py", str(export), wanted=frozenset({Facet.USAGE}))
    assert {answer.observed_at for answer in given if isinstance(answer, Observed)} == {
        datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    }


def test_a_row_that_cannot_be_read_fails_alone(export: Path) -> None:
    """The other projects stay fresh."""
    table = export / "projects.csv"
    table.write_text(table.read_text().replace("clim-3,Regional climate,3", "clim-3,Regional climate,three"))
    given = answers("campus_cloud.py", str(export), wanted=frozenset({Facet.USAGE}))
    (failed,) = [answer for answer in given if isinstance(answer, Failed)]
    assert (failed.part, failed.retryable) == ("clim-3", False)
    assert "'three'" in failed.reason
    assert [answer.part for answer in given if isinstance(answer, Observed)] == ["bio-17", "teach-1"]


def test_an_export_that_is_not_there_fails_what_comes_from_it(export: Path) -> None:
    """What does not is answered all the same."""
    (export / "projects.csv").unlink()
    given = answers("campus_cloud.py", str(export), wanted=frozenset({Facet.MANAGER, Facet.USAGE, Facet.QUOTAS}))
    assert isinstance(given[0], Observed)
    assert {answer.facet for answer in given[1:] if isinstance(answer, Failed)} == {Facet.USAGE, Facet.QUOTAS}
    assert "the export cannot be read: " in given[1].reason  # type: ignore[union-attr]  # Failed


# --- the configuration ---------------------------------------------------------------------------------------------


def test_the_configuration_gives_a_document() -> None:
    """Both managers are published, the communities with what they can start; nothing has failed."""
    main = "from infoprovider.cli.main import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", main, "try", str(EXAMPLES / "exec.yaml"), "--json"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    document = json.dumps(json.loads(ran.stdout))
    for word in ("kvm-host", "campus", "vo.biology.example.org", "vo.climate.example.org", "huge"):
        assert word in document
