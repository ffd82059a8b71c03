"""Provider `static`: what a described manager answers, from which time, and what it leaves to be derived."""

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError
from infoprovider.inventory.model import (
    Capacity,
    Checksum,
    DeviceCount,
    Endorsement,
    Endorsements,
    Facet,
    HostCapacity,
    Hypervisors,
    Image,
    Images,
    Quotas,
    Usage,
)
from infoprovider.providers.contract import Answer, CollectContext, NotOffered, Observed, Parts
from infoprovider.providers.static import SPEC, StaticSettings

DEMO = Path(__file__).parents[2] / "examples" / "demo"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MODIFIED = NOW - timedelta(hours=3)


def context(wanted: frozenset[Facet] = SPEC.facets) -> CollectContext:
    """What a collection of these facets is asked with."""
    log = logging.LoggerAdapter(logging.getLogger("test"), {})
    return CollectContext(instance="north", wanted=wanted, deadline=Deadline.after(30), now=lambda: NOW, log=log)


class Described:
    """One inventory file and what the provider answers from it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def answers(self, text: str, *wanted: Facet, modified: datetime = MODIFIED) -> list[Answer]:
        """Everything that is answered from this text."""
        self.file.write_text(text)
        os.utime(self.file, (modified.timestamp(), modified.timestamp()))
        return list(SPEC.collect(StaticSettings(file=self.file), context(frozenset(wanted) or SPEC.facets)))

    def value(self, text: str, facet: Facet) -> object:
        """The one value of a facet without parts."""
        (answer,) = self.answers(text, facet)
        assert isinstance(answer, Observed)
        return answer.value


@pytest.fixture
def described(tmp_path: Path) -> Described:
    """A manager that a test can describe."""
    return Described(tmp_path / "north.yaml")


POOLS = """
hypervisors:
  pools:
    - id: compute
      kind: KVM
      processor: { physical_cpus: 2, logical_cpus: 32 }
      hosts:
        - count: 2
          vcpus: 64
          vcpus_used: 10
          memory_mib: 250 GiB
          memory_used_mib: 20 GiB
          disk_gib: 500
          disk_used_gib: 50
        - { vcpus: 64, vcpus_used: 0, memory_mib: 250 GiB, memory_used_mib: 0, disk_gib: 500, disk_used_gib: 0 }
        - usable: false
          vcpus: 64
          vcpus_used: 3
          memory_mib: 250 GiB
          memory_used_mib: 6 GiB
          disk_gib: 500
          disk_used_gib: 9
    - id: gpu
      kind: KVM
      processor: { physical_cpus: 4, logical_cpus: 96 }
      hosts:
        - vcpus: 90
          vcpus_used: 8
          memory_mib: 1000 GiB
          memory_used_mib: 64 GiB
          disk_gib: 900
          disk_used_gib: 100
          devices: [{ type: GPU, total: 4, used: 1 }]
"""


def test_hosts_of_a_pool_are_counted(described: Described) -> None:
    """All, those that are disabled or down, and those that hold a machine."""
    value = described.value(POOLS, Facet.HYPERVISORS)
    assert isinstance(value, Hypervisors)
    counts = [(pool.id, pool.hosts, pool.hosts_unusable, pool.hosts_in_use) for pool in value.pools]
    assert counts == [("compute", 4, 1, 3), ("gpu", 1, 0, 1)]


def test_processors_count_every_host_and_the_rest_only_usable_ones(described: Described) -> None:
    """Physical and logical CPUs are installed; what machines can get comes from hosts that are enabled and up."""
    value = described.value(POOLS, Facet.CAPACITY)
    assert isinstance(value, Capacity)
    assert (value.physical_cpus, value.logical_cpus) == (4 * 2 + 1 * 4, 4 * 32 + 1 * 96)
    assert (value.vcpus, value.vcpus_used) == (3 * 64 + 90, 2 * 10 + 8)
    assert (value.memory_mib, value.memory_used_mib) == ((3 * 250 + 1000) * 1024, (2 * 20 + 64) * 1024)
    assert (value.disk_gib, value.disk_used_gib) == (3 * 500 + 900, 2 * 50 + 100)


def test_each_host_is_a_row_of_the_capacity(described: Described) -> None:
    """A row that stands for two hosts becomes two; each knows its pool and whether it is usable."""
    value = described.value(POOLS, Facet.CAPACITY)
    assert isinstance(value, Capacity)
    assert [(host.pool, host.usable) for host in value.hosts] == [
        ("compute", True),
        ("compute", True),
        ("compute", True),
        ("compute", False),
        ("gpu", True),
    ]
    assert value.hosts[4] == HostCapacity(
        pool="gpu",
        usable=True,
        vcpus=90,
        vcpus_used=8,
        memory_mib=1000 * 1024,
        memory_used_mib=64 * 1024,
        disk_gib=900.0,
        disk_used_gib=100.0,
        devices=(DeviceCount(type="GPU", total=4, used=1),),
    )


def test_a_common_disk_store_is_not_added_up(described: Described) -> None:
    """Where hosts draw from one store its size is what the capacity section says, never a sum over hosts."""
    stated = "capacity: { disk_is_shared: true, disk_gib: 20 TiB, disk_used_gib: 7 TiB, cpu_overcommit: 2.0 }\n"
    value = described.value(POOLS + stated, Facet.CAPACITY)
    assert isinstance(value, Capacity)
    assert (value.disk_gib, value.disk_used_gib, value.cpu_overcommit) == (20480.0, 7168.0, 2.0)
    unstated = described.value(POOLS + "capacity: { disk_is_shared: true }\n", Facet.CAPACITY)
    assert isinstance(unstated, Capacity)
    assert (unstated.disk_gib, unstated.disk_used_gib) == (None, None)


def test_a_total_with_an_unknown_summand_is_unknown(described: Described) -> None:
    """A sum over those hosts that say something would look like the sum over all."""
    text = """
hypervisors:
  pools:
    - id: a
      kind: Xen
      processor: { logical_cpus: 8 }
      hosts:
        - { vcpus: 8, vcpus_used: 1, memory_mib: 1000, memory_used_mib: 1, disk_gib: 5 }
        - { vcpus: 8, vcpus_used: 1, memory_mib: 1000, memory_used_mib: 1 }
"""
    value = described.value(text, Facet.CAPACITY)
    assert isinstance(value, Capacity)
    assert (value.physical_cpus, value.logical_cpus, value.vcpus) == (None, 16, 16)
    assert (value.disk_gib, value.disk_used_gib) == (None, None)


def test_hosts_that_are_only_counted_leave_the_totals_to_the_operator(described: Described) -> None:
    """Without host rows the capacity is what its section states, and no host is made up."""
    text = """
hypervisors:
  pools: [{ id: a, kind: KVM, hosts: 12, hosts_unusable: 2, processor: { physical_cpus: 2 } }]
capacity: { vcpus: 640, vcpus_used: 100 }
"""
    value = described.value(text, Facet.CAPACITY)
    assert value == Capacity(physical_cpus=24, vcpus=640, vcpus_used=100)
    pools = described.value(text, Facet.HYPERVISORS)
    assert isinstance(pools, Hypervisors)
    assert (pools.pools[0].hosts, pools.pools[0].hosts_unusable, pools.pools[0].hosts_in_use) == (12, 2, None)


IMAGES = """
images:
  - id: "1"
    name: Debian
    marketplace_uri: https://marketplace.example.org/debian
    endorsement:
      endorser: CN=Endorser,O=Example
      expires_at: 2026-06-30T00:00:00Z
      checksum: { algorithm: sha512, value: abc }
  - { id: "2", name: Local, size_mib: 2 GiB, endorsement: { endorser: somebody@example.org, revoked: true } }
  - { id: "3", name: Plain }
"""


def test_endorsements_are_found_by_marketplace_uri_or_id(described: Described) -> None:
    """An endorsement stands at its image in the file, and for itself in the inventory."""
    assert described.value(IMAGES, Facet.ENDORSEMENTS) == Endorsements(
        endorsements=(
            Endorsement(
                identifier="https://marketplace.example.org/debian",
                endorser="CN=Endorser,O=Example",
                expires_at=datetime(2026, 6, 30, tzinfo=UTC),
                checksum=Checksum(algorithm="sha512", value="abc"),
            ),
            Endorsement(identifier="2", endorser="somebody@example.org", revoked=True),
        )
    )
    images = described.value(IMAGES, Facet.IMAGES)
    assert isinstance(images, Images)
    assert images.images[1] == Image(id="2", name="Local", size_mib=2048)


def test_an_expired_endorsement_is_noted_for_the_operator(described: Described) -> None:
    """It is still what the file says, so it is answered; the operator may want to renew it."""
    (answer,) = described.answers(IMAGES, Facet.ENDORSEMENTS)
    assert isinstance(answer, Observed)
    assert answer.notes == (
        "the endorsement of https://marketplace.example.org/debian expired at 2026-06-30T00:00:00Z",
    )


PROJECTS = """
projects:
  - id: "104"
    name: training
    quotas: { instances: 10, vcpus: unlimited, memory_mib: 4 GiB }
    usage: { instances: 3, vcpus: 6 }
  - { id: "105", quotas: { instances: unlimited } }
"""


def test_each_project_is_a_part_and_the_parts_are_ended(described: Described) -> None:
    """Quotas and usage come project by project; what is not stated of a project is not offered, never zero."""
    answers = described.answers(PROJECTS, Facet.QUOTAS, Facet.USAGE)
    quotas, usage = answers[:3], answers[3:]
    assert [(answer.part, answer.value) for answer in quotas if isinstance(answer, Observed)] == [
        ("104", Quotas(project="104", project_name="training", instances=10, vcpus="unlimited", memory_mib=4096)),
        ("105", Quotas(project="105", instances="unlimited")),
    ]
    assert quotas[2] == Parts(facet=Facet.QUOTAS, parts=frozenset({"104", "105"}))
    assert isinstance(usage[0], Observed)
    assert (usage[0].part, usage[0].value) == ("104", Usage(project="104", instances=3, vcpus=6))
    assert usage[1] == NotOffered(
        facet=Facet.USAGE, part="105", reason=f"{described.file} does not state the usage of project 105"
    )
    assert usage[2] == Parts(facet=Facet.USAGE, parts=frozenset({"104", "105"}))


def test_a_section_that_is_left_out_is_not_offered(described: Described) -> None:
    """Whatever the file does not describe is not knowable here, which is no failure."""
    answers = described.answers("prices: []\n")
    offered = [answer for answer in answers if isinstance(answer, Observed)]
    assert [answer.facet for answer in offered] == [Facet.PRICES]
    assert {answer.facet for answer in answers if isinstance(answer, NotOffered)} == SPEC.facets - {Facet.PRICES}
    trust = next(answer for answer in answers if answer.facet is Facet.TRUST)
    assert trust == NotOffered(facet=Facet.TRUST, reason=f"{described.file} has no section trust")


def test_only_what_is_wanted_is_answered(described: Described) -> None:
    """A collection asks for the facets that are due."""
    assert {answer.facet for answer in described.answers(POOLS, Facet.CAPACITY)} == {Facet.CAPACITY}


@pytest.mark.parametrize(
    ("stamp", "modified", "observed_at"),
    [
        ("", MODIFIED, MODIFIED),
        ("", NOW + timedelta(hours=1), NOW),
        ("observed_at: 2026-11-20T08:30:00Z\n", MODIFIED, datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("observed_at: 2026-11-20T08:30:00+02:00\n", MODIFIED, datetime(2026, 11, 20, 6, 30, tzinfo=UTC)),
    ],
    ids=["modification time", "modification time ahead", "own stamp", "own stamp in another zone"],
)
def test_facts_are_as_old_as_their_file_says(
    described: Described, stamp: str, modified: datetime, observed_at: datetime
) -> None:
    """The file's own stamp counts, else its modification time, and never a moment that lies ahead."""
    (answer,) = described.answers(stamp + "prices: []\n", Facet.PRICES, modified=modified)
    assert isinstance(answer, Observed)
    assert answer.observed_at == observed_at


def test_a_file_that_is_not_there_is_told_like_any_mistake(tmp_path: Path) -> None:
    """The message names the file, what the system said, and what to do."""
    file = tmp_path / "nowhere.yaml"
    with pytest.raises(ConfigError) as caught:
        list(SPEC.collect(StaticSettings(file=file), context()))
    assert str(caught.value) == (
        f"{file}: cannot be read (No such file or directory); name a file that exists and that this user may read"
    )


def test_reading_a_file_proves_no_manager_alive() -> None:
    """Health stays what the operator declares."""
    assert SPEC.measures is False


@pytest.mark.parametrize("name", ["north", "south"])
def test_the_demonstration_centre_is_consistent(name: str) -> None:
    """What projects hold is what hosts have allocated, for vCPUs, memory and devices alike."""
    answers = list(SPEC.collect(StaticSettings(file=DEMO / f"{name}.yaml"), context()))
    values = [answer.value for answer in answers if isinstance(answer, Observed)]
    (capacity,) = [value for value in values if isinstance(value, Capacity)]
    types = {each.id: each for value in values if hasattr(value, "instance_types") for each in value.instance_types}
    held = [(types[id_], n) for value in values if isinstance(value, Usage) for id_, n in (value.holding or {}).items()]
    allocated = sum(host.vcpus_used for host in capacity.hosts)
    assert sum((type_.cpu_capacity or type_.vcpus) * n for type_, n in held) == allocated
    assert sum(type_.memory_mib * n for type_, n in held) == sum(host.memory_used_mib for host in capacity.hosts)
    devices = sum(device.used for host in capacity.hosts for device in host.devices)
    assert sum(each.number * n for type_, n in held for each in type_.accelerators) == devices
