"""Parts that many hosts tell of themselves become one fact of all of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from infoprovider.glue.document import Source
from infoprovider.inventory.model import (
    Capacity,
    Facet,
    HostCapacity,
    HypervisorPool,
    Hypervisors,
    Image,
    Images,
    Processor,
    Usage,
)
from infoprovider.mapping.context import Known
from infoprovider.publication.joins import joined, joined_by_project

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def known(value: Any, part: str, minutes: int = 0) -> Known[Any]:
    """What was told so many minutes before noon."""
    source = Source(facet="any", instance="hosts", part=part, observed_at=NOON - timedelta(minutes=minutes))
    return Known(value, source)


def host(vcpus: int, used: int, disk: float | None = None, ratio: float = 1.0) -> Capacity:
    """A host with as many GiB as vCPUs."""
    row = HostCapacity(usable=True, vcpus=vcpus, vcpus_used=used, memory_mib=vcpus * 1024, memory_used_mib=used * 1024)
    return Capacity(
        logical_cpus=vcpus,
        cpu_overcommit=ratio,
        vcpus=vcpus,
        vcpus_used=used,
        memory_mib=vcpus * 1024,
        memory_used_mib=used * 1024,
        disk_gib=disk,
        hosts=(row,),
    )


def test_hosts_are_added_up_and_stay_apart() -> None:
    """Sums, a row for each, and the age of the host that was asked first."""
    found = joined(Facet.CAPACITY, [known(host(8, 3), "a"), known(host(4, 4), "b", minutes=7)])
    assert (found.value.vcpus, found.value.vcpus_used, found.value.memory_mib) == (12, 7, 12 * 1024)
    assert [row.vcpus_used for row in found.value.hosts] == [3, 4]
    assert found.source.observed_at == NOON - timedelta(minutes=7)


def test_what_one_host_does_not_tell_has_no_sum() -> None:
    """Nor is there an overcommitment where hosts have different ones."""
    found = joined(Facet.CAPACITY, [known(host(8, 3, disk=100.0), "a"), known(host(4, 4, ratio=2.0), "b")])
    assert (found.value.disk_gib, found.value.cpu_overcommit, found.value.logical_cpus) == (None, None, 12)


def pool(id_: str, memory: int, in_use: int) -> Hypervisors:
    """A class of one host."""
    one = HypervisorPool(
        id=id_, kind="KVM", hosts=1, hosts_in_use=in_use, memory_mib=memory, processor=Processor(logical_cpus=8)
    )
    return Hypervisors(pools=(one,))


def test_hosts_of_one_class_are_counted_in_it() -> None:
    """Each has at least the memory that is told; other classes stay as they are."""
    parts = [known(pool("kvm", 4097, 1), "a"), known(pool("other", 2048, 0), "b"), known(pool("kvm", 4095, 0), "c")]
    first, second = joined(Facet.HYPERVISORS, parts).value.pools
    assert (first.id, first.hosts, first.hosts_in_use, first.hosts_unusable) == ("kvm", 2, 1, None)
    assert first.memory_mib == 4095
    assert (second.id, second.hosts, second.memory_mib) == ("other", 1, 2048)


def test_an_image_that_several_hosts_have_is_one() -> None:
    """By its id, also where its file has grown on one of them."""
    parts = [known(Images(images=(Image(id="a", name="a", size_mib=size),)), str(size)) for size in (200, 300)]
    (image,) = joined(Facet.IMAGES, parts).value.images
    assert image.size_mib == 200


def test_a_project_holds_what_it_holds_on_every_host() -> None:
    """What one host does not tell has no sum; types are added one by one."""
    parts = [
        known(Usage(project="a", instances=2, running=1, vcpus=3, holding={"s": 1}), "a on x"),
        known(Usage(project="a", instances=1, running=1, holding={"s": 2, "m": 1}), "a on y", minutes=3),
        known(Usage(project="b", instances=5, mean_start_up_s=9), "b on x"),
    ]
    found = joined_by_project(parts)
    assert found["a"].value == Usage(project="a", instances=3, running=2, holding={"s": 3, "m": 1})
    assert found["a"].source.part == "a on y"
    assert found["b"].value == Usage(project="b", instances=5, mean_start_up_s=9)


def test_one_host_that_does_not_tell_of_types_leaves_them_unknown() -> None:
    """A count without it would be too low."""
    parts = [known(Usage(project="a", holding={"s": 1}), "a on x"), known(Usage(project="a"), "a on y")]
    assert joined_by_project(parts)["a"].value.holding is None
