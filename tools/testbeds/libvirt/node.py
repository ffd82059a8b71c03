"""Prints one host of libvirt's test driver: node.py NUMBER DOMAINS [OS], where OS is hvm or xen.

Opened as test:///FILE, or through a daemon as test+tcp://127.0.0.1:PORT/FILE: each connection reads the file anew.
The size of the host follows from its number: 16, 32 or 48 CPUs, 64, 128 or 192 GiB. Its machines have 1, 2 or 4 vCPUs
and GiB in turn, and every fifth is shut off.
"""

import sys
import uuid

GIB = 2**20
"""In KiB, which the driver reads."""

SHUT_OFF = "<test:runstate>5</test:runstate>"


def main(number: int, domains: int, os_type: str = "hvm") -> None:
    """Print the file."""
    size = number % 3 + 1
    print("<node>")
    print(
        f"  <cpu><mhz>2600</mhz><model>x86_64</model><active>{16 * size}</active><nodes>1</nodes>"
        f"<sockets>2</sockets><cores>{4 * size}</cores><threads>2</threads></cpu>"
    )
    print(f"  <memory>{64 * size * GIB}</memory>")
    for index in range(domains):
        print(domain(number, index, os_type))
    print(pool())
    print("</node>")


def domain(host: int, index: int, os_type: str) -> str:
    """One machine."""
    amount = 1 << index % 3
    id_ = uuid.uuid5(uuid.NAMESPACE_DNS, f"machine{index}.host{host}.example.org")
    return (
        '  <domain type="test" xmlns:test="http://libvirt.org/schemas/domain/test/1.0">'
        f"<name>vm{index}</name><uuid>{id_}</uuid>"
        f'<memory unit="KiB">{amount * GIB}</memory><vcpu>{amount}</vcpu>'
        f'<os><type arch="x86_64">{os_type}</type></os>{SHUT_OFF if index % 5 == 4 else ""}</domain>'
    )


def pool() -> str:
    """A pool with three images."""
    volumes = "".join(
        f'<volume type="file"><name>{name}</name><capacity unit="G">{size}</capacity>'
        f'<target><path>/images/{name}</path><format type="{format_}"/></target></volume>'
        for name, size, format_ in (
            ("debian.qcow2", 10, "qcow2"),
            ("appliance.vmdk", 40, "vmdk"),
            ("plain.img", 8, "raw"),
        )
    )
    return f'  <pool type="dir"><name>images</name><target><path>/images</path></target>{volumes}</pool>'


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:4])
