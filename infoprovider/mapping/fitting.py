"""Which instance types run on which host pools, and which images fit which types."""

from collections.abc import Sequence

from infoprovider.inventory.model import HypervisorPool, Image, InstanceType
from infoprovider.mapping.vocabulary import platform


def same_platform(one: str | None, other: str | None) -> bool:
    """Whether two processor architectures can be the same: what is not known contradicts nothing."""
    return one is None or other is None or platform(one) == platform(other)


def pools_of(instance_type: InstanceType, pools: Sequence[HypervisorPool]) -> tuple[HypervisorPool, ...]:
    """The host pools on which machines of the type can run."""
    return tuple(
        pool
        for pool in pools
        if (instance_type.pools is None or pool.id in instance_type.pools)
        and same_platform(instance_type.architecture, pool.architecture)
    )


def fits(image: Image, instance_type: InstanceType, pools: Sequence[HypervisorPool]) -> bool:
    """Whether machines of the type can be started from the image.

    Minimal sizes, architecture, and a disk format that a hypervisor of one of the type's pools boots; what is not
    known rules nothing out. A type that boots from volumes gets a root disk as large as the image needs.
    """
    if (image.min_vcpus or 0) > instance_type.vcpus or (image.min_memory_mib or 0) > instance_type.memory_mib:
        return False
    if not instance_type.boots_from_volume and instance_type.disk_gib is not None:
        needed = image.min_disk_gib or 0
        if needed > instance_type.disk_gib:
            return False
    if not same_platform(image.architecture, instance_type.architecture):
        return False
    return not pools or any(_boots(pool, image) for pool in pools_of(instance_type, pools))


def _boots(pool: HypervisorPool, image: Image) -> bool:
    if not same_platform(pool.architecture, image.architecture):
        return False
    return not pool.image_formats or image.disk_format is None or image.disk_format in pool.image_formats
