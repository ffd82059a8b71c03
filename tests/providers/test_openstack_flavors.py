"""Instance types from flavors: sizes, devices, bandwidth, and what placement is asked for."""

from typing import Any

import pytest

from infoprovider.inventory.model import Accelerator, Ownership
from infoprovider.providers.openstack.flavors import Flavor, to_instance_type, to_instance_types, to_request
from infoprovider.providers.openstack.settings import Device, OpenStackSettings

USUAL = OpenStackSettings(cloud="north")


def flavor(specs: dict[str, str] | None = None, **changes: Any) -> Flavor:
    """A flavor as microversion 2.61 tells it: 2 vCPUs, 4 GiB, 20 GB."""
    return {
        "id": "f1",
        "name": "small",
        "vcpus": 2,
        "ram": 4096,
        "disk": 20,
        "swap": "",
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": True,
        "extra_specs": specs or {},
        **changes,
    }


def amounts(one: Flavor, settings: OpenStackSettings = USUAL) -> dict[str, int]:
    """What placement is asked for, classes that serve in each other's place joined by a bar."""
    return {"|".join(classes): amount for classes, amount in to_request(one, settings).amounts}


@pytest.mark.parametrize(
    ("one", "asked"),
    [
        (flavor(), {"VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 20}),
        (
            flavor(swap=1500, **{"OS-FLV-EXT-DATA:ephemeral": 5}),
            {"VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 27},
        ),
        (flavor(disk=0), {"VCPU": 2, "MEMORY_MB": 4096}),
        (flavor({"resources:VGPU": "1"}), {"VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 20, "VGPU": 1}),
        (
            flavor({"resources:VCPU": "0", "resources:CUSTOM_IRON": "1"}),
            {"MEMORY_MB": 4096, "DISK_GB": 20, "CUSTOM_IRON": 1},
        ),
        (flavor({"hw:cpu_policy": "dedicated"}), {"PCPU|VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 20}),
        (flavor({"resources:PCPU": "2"}), {"PCPU|VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 20}),
    ],
)
def test_placement_is_asked_for_what_a_machine_takes(one: Flavor, asked: dict[str, int]) -> None:
    """Swap in whole GB, extra specs in place of or beside the sizes; dedicated CPUs may be served by shared ones."""
    assert amounts(one) == asked


def test_a_root_disk_on_a_volume_is_not_asked_for() -> None:
    """Only flavors without a root disk boot from volumes, and only where the site says so."""
    volumes = OpenStackSettings(cloud="north", boots_from_volume=True)
    assert to_instance_type(flavor(disk=0), (), volumes).boots_from_volume is True
    assert to_instance_type(flavor(disk=0), (), USUAL).boots_from_volume is None
    assert to_instance_type(flavor(), (), volumes).boots_from_volume is False
    assert amounts(flavor(), volumes)["DISK_GB"] == 20


@pytest.mark.parametrize(
    ("specs", "whole"),
    [
        ({}, True),
        ({"quota:vif_inbound_average": "1000", "hw_rng:allowed": "True", "trait:CUSTOM_X": "required"}, True),
        ({"hw:cpu_sockets": "2", "hw:cpu_policy": "shared", "Accelerator:Type": "GPU", "Site:owner": "us"}, True),
        ({"aggregate_instance_extra_specs:ssd": "true"}, True),
        ({"pci_passthrough:alias": "a100:1"}, False),
        ({"hw:numa_nodes": "2"}, False),
        ({"hw:cpu_policy": "dedicated"}, False),
        ({"hw:mem_page_size": "large"}, False),
        ({"capabilities:cpu_info:arch": "x86_64"}, False),
        ({"infiniband": "true"}, False),
        ({"accel:device_profile": "fpga"}, False),
        ({"resources1:VGPU": "1"}, False),
        ({"group_policy": "isolate"}, False),
        ({"os:secure_boot": "required"}, False),
    ],
)
def test_what_placement_cannot_tell_is_known_to_be_missing(specs: dict[str, str], whole: bool) -> None:
    """Everything that nova may look at and that the request does not say, but no notes of the site's own."""
    assert to_request(flavor(specs), USUAL).is_whole is whole


def test_specs_that_are_not_told_are_not_taken_for_none() -> None:
    """A policy may hide them: nothing is known then of where machines run."""
    hidden = {name: value for name, value in flavor().items() if name != "extra_specs"}
    assert to_request(hidden, USUAL).is_whole is False
    assert to_instance_type(hidden, (), USUAL).placement_is_known is False


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        ({}, True),
        ({"resources:VGPU": "1"}, True),
        ({"hw:cpu_policy": "dedicated"}, True),
        ({"pci_passthrough:alias": "a100:1"}, False),
        ({"accel:device_profile": "fpga"}, False),
    ],
)
def test_devices_that_are_asked_for_by_a_sites_own_names_are_not_counted(specs: dict[str, str], told: bool) -> None:
    """How many of them hosts have is told by no API; those that placement has as resources are."""
    assert to_instance_type(flavor(specs), (), USUAL).devices_are_told is told


def test_traits_are_part_of_the_request_and_tell_the_architecture() -> None:
    """Required and forbidden ones."""
    one = flavor({"trait:HW_ARCH_AARCH64": "required", "trait:CUSTOM_OLD": "forbidden"})
    request = to_request(one, USUAL)
    assert (request.required, request.forbidden) == (frozenset({"HW_ARCH_AARCH64"}), frozenset({"CUSTOM_OLD"}))
    assert to_instance_type(one, (), USUAL).architecture == "aarch64"
    assert to_instance_type(one, (), USUAL).placement_is_known is False


NOTED = {
    "Accelerator:Type": "GPU",
    "Accelerator:Number": "2",
    "Accelerator:Vendor": "NVIDIA",
    "Accelerator:Model": "V100",
}


@pytest.mark.parametrize(
    ("specs", "devices"),
    [
        ({"resources:VGPU": "1"}, [Accelerator(type="GPU", number=1, virtualization="vgpu")]),
        ({"pci_passthrough:alias": "nic:2"}, []),
        (
            {"pci_passthrough:alias": "a100:2, nic:1"},
            [Accelerator(type="GPU", number=2, vendor="NVIDIA", model="A100", virtualization="passthrough")],
        ),
        (
            {"pci_passthrough:alias": "other:1", "Accelerator:Type": "FPGA"},
            [Accelerator(type="FPGA", number=1, virtualization="passthrough")],
        ),
        (NOTED, [Accelerator(type="GPU", number=2, vendor="NVIDIA", model="V100")]),
        ({"Accelerator:Number": "2"}, []),
    ],
)
def test_devices_are_told_by_virtual_gpus_aliases_or_notes(specs: dict[str, str], devices: list[Accelerator]) -> None:
    """An alias of which nobody says what it is, is left out: it may be a network card."""
    settings = OpenStackSettings(cloud="north", devices={"a100": Device(type="GPU", vendor="NVIDIA", model="A100")})
    assert list(to_instance_type(flavor(specs), (), settings).accelerators) == devices


@pytest.mark.parametrize(
    ("specs", "mbps"),
    [
        ({}, None),
        ({"quota:vif_inbound_average": "125000"}, 1000),
        ({"quota:vif_inbound_average": "125000", "quota:vif_outbound_average": "12500"}, 100),
        ({"quota:vif_limit": "40"}, 40),
        ({"quota:vif_inbound_average": "much"}, None),
    ],
)
def test_bandwidth_is_what_a_machine_is_held_to(specs: dict[str, str], mbps: int | None) -> None:
    """The lower of in and out; libvirt counts in kB/s."""
    assert to_instance_type(flavor(specs), (), USUAL).network_bandwidth_mbps == mbps


def test_private_and_disabled_flavors() -> None:
    """A private one is for its projects, one without any for nobody; one that is disabled is not there."""
    private = flavor(id="f2", **{"os-flavor-access:is_public": False})
    nobody = flavor(id="f3", **{"os-flavor-access:is_public": False})
    disabled = flavor(id="f4", **{"OS-FLV-DISABLED:disabled": True})
    types = to_instance_types([flavor(), private, nobody, disabled], {"f2": ["p2", "p1"]}, USUAL).instance_types
    assert [(one.id, one.ownership, one.projects) for one in types] == [
        ("f1", Ownership.PUBLIC, ()),
        ("f2", Ownership.PROJECTS, ("p1", "p2")),
        ("f3", Ownership.PROJECTS, ()),
    ]
