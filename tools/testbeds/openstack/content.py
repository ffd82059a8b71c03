"""What the testbed is asked to have: hosts, projects, instance types, images, machines; nothing here talks to it."""

import hashlib
import json
from dataclasses import dataclass, field

FIRST_HIDDEN, SECOND_HIDDEN = HIDDEN = ("hidden-alpha", "hidden, +beta")
"""Projects of nobody: what belongs to them must be found nowhere."""

# --- hosts ------------------------------------------------------------------------------------------------------------


def cpu(vendor, model, sockets, cores, threads):
    """Processors as a libvirt driver tells them."""
    topology = {"cells": 1, "sockets": sockets, "cores": cores, "threads": threads}
    return {"arch": "x86_64", "vendor": vendor, "model": model, "topology": topology, "features": ["sse4.2", "avx2"]}


KINDS_OF_HOST = [
    {"type": "QEMU", "version": 8002000, "vcpus": 64, "memory_mb": 262144, "local_gb": 4000}
    | {"cpu_info": cpu("AMD", "EPYC-Rome", 2, 16, 2)},
    {"type": "QEMU", "version": 8002000, "vcpus": 32, "memory_mb": 131072, "local_gb": 2000}
    | {"cpu_info": cpu("Intel", "Cascadelake-Server", 2, 8, 2), "vgpu": 8, "cpu_ratio": 1.5},
    {"type": "VMware vCenter Server", "version": 8000002, "vcpus": 128, "memory_mb": 1048576, "local_gb": 20000},
]
DISABLED = 4
"""The number of the host that takes no machines."""


def hosts(number):
    """So many hosts, of three kinds in turn."""
    found = {f"node{n:03d}": dict(KINDS_OF_HOST[(n - 1) % len(KINDS_OF_HOST)]) for n in range(1, number + 1)}
    if number >= DISABLED:
        found[f"node{DISABLED:03d}"]["state"] = "disabled"
    return found


# --- names that are hard to publish -----------------------------------------------------------------------------------

ODD_NAMES = {
    "signs": "a \"quoted\" name, 'single', plus + equals = and # ; < > \\ back",
    "letters": "Größe Ω 計算 naïve",
    "distinguished": "dn: GLUE2ServiceID=x,o=glue",
    "long": "long " + "abcdefghi " * 19 + "12345",
}
ODD_TEXTS = {
    "breaks": "first line\nsecond: line\n\ndn: o=glue\n",
    "blanks": "  two blanks before, one after ",
    "colon": ": begins with a colon",
}
LONGEST_PROJECT_NAME = 64


def text(number):
    """One of the odd texts, for descriptions."""
    return list(ODD_TEXTS.values())[number % len(ODD_TEXTS)]


# --- projects ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Project:
    """A project with quotas as nova has them; no reader where it is of nobody."""

    name: str
    description: str
    quotas: dict
    reader: str | None


def projects(number, odd):
    """So many, some without a limit of cores; odd names, with no limit or hardly any quota; those of nobody."""
    found = []
    for n in range(1, number + 1):
        quotas = {"instances": 10 + 5 * n, "cores": -1 if n % 3 == 0 else 20 * n, "ram": 65536 * n}
        found.append(Project(f"vo{n:03d}", f"Virtual organisation {n}", quotas, f"reader-vo{n:03d}"))
    if odd:
        for n, (key, name) in enumerate(ODD_NAMES.items()):
            quotas = {"instances": n, "cores": 8, "ram": 4096} if n else {"instances": -1, "cores": -1, "ram": -1}
            found.append(Project(name[:LONGEST_PROJECT_NAME], text(n), quotas, f"reader-odd-{key}"))
        quotas = {"instances": 20, "cores": 40, "ram": 131072}
        found += [Project(name, f"{name} is of nobody", quotas, None) for name in HIDDEN]
    return found


# --- instance types ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flavor:
    """An instance type; public unless a project owns it. `size` is what the API takes."""

    name: str
    size: dict
    specs: dict = field(default_factory=dict)
    owner: str | None = None


SPECS = {
    "std": {},
    "mem": {"quota:vif_inbound_average": "125000", "quota:vif_outbound_average": "125000", "hw:numa_nodes": "1"},
    "vgpu": {
        "resources:VGPU": "1",
        "Accelerator:Type": "GPU",
        "Accelerator:Number": "1",
        "Accelerator:Vendor": "NVIDIA",
        "Accelerator:Model": "A100-4C",
    },
    "gpu": {"pci_passthrough:alias": "a100:1", "Accelerator:Type": "GPU", "Accelerator:Number": "1"},
    "pinned": {"hw:cpu_policy": "dedicated"},
    "private": {},
}


def flavors(number, odd, first_project):
    """So many, of six kinds in turn, of which the last is the first project's own; and those that are hard."""
    found = []
    for n in range(1, number + 1):
        kind, vcpus = list(SPECS)[(n - 1) % len(SPECS)], 1 << ((n - 1) % 4)
        size = {"vcpus": vcpus, "ram": 2048 * vcpus * (4 if kind == "mem" else 1), "disk": 10 * vcpus}
        found.append(Flavor(f"{kind}.{n:02d}", size, SPECS[kind], first_project if kind == "private" else None))
    return found + hard_flavors() if odd else found


def hard_flavors():
    """Odd names, ids and texts; one that no host can hold, one without a disk; those of nobody."""
    found = []
    for n, name in enumerate(ODD_NAMES.values()):
        one_line = text(n).replace("\n", " ")  # nova takes no line breaks in a description
        size = {"vcpus": 2, "ram": 3000 + n, "disk": 7, "swap": 512 * n, "OS-FLV-EXT-DATA:ephemeral": 3 * n}
        found.append(Flavor(name, size | {"id": f"Odd Id.{n}", "description": one_line}, {"Site:note": text(n)}))
    found.append(Flavor(TOO_LARGE, {"vcpus": 1, "ram": 2048, "disk": 900000}))
    found.append(Flavor("no.disk", {"vcpus": 1, "ram": 512, "disk": 0}))
    for owner in HIDDEN:
        size = {"vcpus": 1, "ram": 1024, "disk": 1, "description": "hidden flavor description"}
        found.append(Flavor(f"hidden flavor of {owner}", size, {"hidden_key": "hidden extra spec"}, owner))
    return found


TOO_LARGE = "too.large"

# --- images -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Image:
    """An image of the administrator, or of a project; `shared_with` is a project that has accepted it."""

    name: str
    properties: dict
    visibility: str = "public"
    owner: str | None = None
    shared_with: str | None = None

    @property
    def is_signed(self):
        """Glance would verify the signature, which is none: such an image stays without data."""
        return "img_signature" in self.properties


def data_of(name):
    """What an image consists of: 512 bytes, no two images the same."""
    return hashlib.sha256(name.encode()).digest() * 16


def endorsed(name, number):
    """What an image catalogue leaves in the properties of an image that somebody vouches for."""
    uri = f"https://appdb.example.org/store/vo/image/{number}/"
    packed = {
        "ad:mpuri": uri,
        "dc:identifier": f"11111111-2222-3333-4444-{number:012}",
        "hv:format": "qcow2",
        "sl:checksum:sha512": hashlib.sha512(data_of(name)).hexdigest(),
        "sl:endorser": "CN=Endorser,O=Example",
    }
    return {
        "vmcatcher_event_dc_description": "endorsed image",
        "vmcatcher_event_dc_identifier": packed["dc:identifier"],
        "vmcatcher_event_ad_mpuri": uri,
        "vmcatcher_event_hv_format": "qcow2",
        "vmcatcher_event_il_dc_identifier": "99999999-8888-7777-6666-555555555555",
        "APPLIANCE_ATTRIBUTES": json.dumps(packed),
    }


SIGNED = {
    "img_signature": "cGxhY2Vob2xkZXI=",
    "img_signature_hash_method": "SHA-256",
    "img_signature_key_type": "RSA-PSS",
    "img_signature_certificate_uuid": "00000000-0000-0000-0000-000000000001",
}


def properties(system, version, disk_format, family="linux", architecture="x86_64", **further):
    """Format and properties as an image catalogue, a signer or an endorser leaves them."""
    what = {"os_distro": system, "os_version": version, "os_type": family, "architecture": architecture}
    return {"disk_format": disk_format} | what | further


KINDS_OF_IMAGE = [
    properties("debian", "12", "qcow2", hw_vif_model="virtio", hw_disk_bus="virtio"),
    properties("ubuntu", "24.04", "raw", hw_qemu_guest_agent="yes"),
    properties("centos", "9", "vmdk", hypervisor_type="vmware", vmware_disktype="streamOptimized"),
    properties("rocky", "9", "qcow2"),
    properties("windows", "2022", "vhd", family="windows", architecture="aarch64"),
    properties("alma", "9", "qcow2", **SIGNED),
]
DEBIAN, UBUNTU, _, ROCKY = KINDS_OF_IMAGE[:4]


def images(number, odd, first_project, second_project):
    """So many, of six kinds in turn, all public; and those that are hard."""
    found = []
    for n in range(1, number + 1):
        kind = KINDS_OF_IMAGE[(n - 1) % len(KINDS_OF_IMAGE)]
        name = f"{kind['os_distro']}-{kind['os_version']}-{n:03d}"
        further = endorsed(name, n) if kind is ROCKY else {}
        found.append(Image(name, kind | further | {"min_disk": n % 20, "min_ram": 512 * (n % 6)}))
    return found + hard_images(first_project, second_project) if odd else found


def hard_images(first_project, second_project):
    """Odd names and texts; what is private, shared, or open to all who know of it; and those of nobody."""
    found = []
    for n, name in enumerate([*ODD_NAMES.values(), *ODD_TEXTS.values()]):
        further = {"description": text(n), "os_version": text(n + 1), "hw_note": "+,\"' =#"}
        found.append(Image(name, DEBIAN | further))
    found += [
        Image("private image", UBUNTU, "private", first_project),
        Image("community image", UBUNTU, "community", first_project),
        Image("shared image", DEBIAN, "shared", first_project, second_project),
        Image("community image of a stranger", UBUNTU, "community", FIRST_HIDDEN),
    ]
    hidden = UBUNTU | {"description": "hidden image description"}
    return [
        *found,
        Image("hidden private image", hidden, "private", FIRST_HIDDEN),
        Image("hidden shared image", hidden, "shared", FIRST_HIDDEN, SECOND_HIDDEN),
    ]


# --- machines ---------------------------------------------------------------------------------------------------------

ENDING_AS = {"os-stop": "SHUTOFF", "suspend": "SUSPENDED", "pause": "PAUSED"}
"""What is done to the last machines, and what they are then."""


@dataclass(frozen=True)
class Machine:
    """A machine and what is done to it when it runs."""

    name: str
    project: str
    flavor: str
    action: str | None = None

    @property
    def finds_a_host(self):
        """False for the one that ends in error."""
        return self.flavor != TOO_LARGE


def machines(number, odd, owners, flavor):
    """So many, of these projects in turn, the last ones not running; one that finds no host; two of nobody."""
    actions = [None] * max(0, number - len(ENDING_AS)) + list(ENDING_AS)
    found = [
        Machine(f"vm{n + 1:04d}", owners[n % len(owners)], flavor, action) for n, action in enumerate(actions[:number])
    ]
    if odd:
        found.append(Machine("vm-without-host", owners[0], TOO_LARGE))
        found += [Machine(f"hidden vm of {owner}", owner, flavor) for owner in HIDDEN]
    return found
