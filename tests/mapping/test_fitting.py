"""Which images fit which instance types, and where types run: what is not known rules nothing out."""

from typing import Any

import pytest

from infoprovider.mapping.fitting import fits, pools_of
from tests.mapping.example import image, instance_type, pool


@pytest.mark.parametrize(
    ("needed", "offered", "fit"),
    [
        ({}, {}, True),
        ({"min_vcpus": 2}, {"vcpus": 2}, True),
        ({"min_vcpus": 3}, {"vcpus": 2}, False),
        ({"min_memory_mib": 1024}, {"memory_mib": 1024}, True),
        ({"min_memory_mib": 1025}, {"memory_mib": 1024}, False),
        ({"min_disk_gib": 10.0}, {"disk_gib": 10.0}, True),
        ({"min_disk_gib": 10.5}, {"disk_gib": 10.0}, False),
        ({"min_disk_gib": 10.0}, {"disk_gib": None}, True),
        ({"min_disk_gib": 10.0}, {"disk_gib": 0.0, "boots_from_volume": True}, True),
        ({"architecture": "x86_64"}, {"architecture": "amd64"}, True),
        ({"architecture": "aarch64"}, {"architecture": "x86_64"}, False),
        ({"architecture": "aarch64"}, {"architecture": None}, True),
    ],
)
def test_an_image_fits_where_all_that_it_needs_is_there(
    needed: dict[str, Any], offered: dict[str, Any], fit: bool
) -> None:
    """Minimal CPUs, memory and root disk, and the processor's architecture."""
    assert fits(image(**needed), instance_type(**offered), ()) is fit


@pytest.mark.parametrize(
    ("format_", "formats", "fit"),
    [
        ("qcow2", [("raw", "qcow2")], True),
        ("vmdk", [("raw", "qcow2")], False),
        ("vmdk", [("raw",), ("vmdk",)], True),
        ("vmdk", [()], True),
        (None, [("raw",)], True),
    ],
)
def test_a_hypervisor_must_boot_the_images_format(
    format_: str | None, formats: list[tuple[str, ...]], fit: bool
) -> None:
    """One hypervisor that boots it is enough; one that does not tell may."""
    found = [pool(str(number), image_formats=each) for number, each in enumerate(formats)]
    assert fits(image(disk_format=format_), instance_type(), found) is fit


def test_only_the_hypervisors_of_the_types_own_pools_count() -> None:
    """A type that runs on Xen hosts alone does not start what only KVM hosts boot."""
    xen, kvm = pool("xen", image_formats=("vhd",)), pool("kvm", image_formats=("qcow2",))
    assert not fits(image(disk_format="qcow2"), instance_type(pools=("xen",)), [xen, kvm])
    assert fits(image(disk_format="qcow2"), instance_type(pools=("kvm",)), [xen, kvm])


def test_a_type_that_runs_nowhere_starts_nothing() -> None:
    """Nothing is ruled out where no host class is known, everything where all are known and none takes the type."""
    kvm = pool("kvm", image_formats=("qcow2",))
    assert not fits(image(disk_format="qcow2"), instance_type(pools=()), [kvm])
    assert fits(image(disk_format="qcow2"), instance_type(pools=()), [])


def test_hosts_of_another_architecture_boot_nothing_of_the_image() -> None:
    """An ARM image does not fit a type of unknown architecture whose hosts are all x86."""
    assert not fits(image(architecture="aarch64"), instance_type(), [pool(architecture="x86_64")])
    assert fits(image(architecture="aarch64"), instance_type(), [pool(architecture=None)])


def test_a_type_runs_on_the_pools_that_it_names_or_on_any() -> None:
    """Named pools, else all of its architecture."""
    arm, x86 = pool("arm", architecture="aarch64"), pool("x86", architecture="x86_64")
    assert pools_of(instance_type(), [arm, x86]) == (arm, x86)
    assert pools_of(instance_type(pools=("arm", "gone")), [arm, x86]) == (arm,)
    assert pools_of(instance_type(architecture="amd64"), [arm, x86]) == (x86,)
