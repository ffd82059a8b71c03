"""BDIIs, an OpenStack and a libvirtd for the tests of the whole: on free ports, stopped by their process ids."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.system import libvirt, openstack
from tests.system.bdii import Chain, start_chain

SITE = "RC-ONE"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A resource, a site and a top BDII with half a second between cycles, fresh for every file of tests."""
    with ExitStack() as running:
        yield start_chain(tmp_path_factory.mktemp("chain"), SITE, running)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openstack.Cloud]:
    """An OpenStack that all tests share: who changes something in it changes it back."""
    with ExitStack() as running:
        yield openstack.start_until(running, tmp_path_factory.mktemp("openstack"))


@pytest.fixture(scope="session")
def hosts() -> Iterator[libvirt.Hosts]:
    """A libvirtd with QEMU and twenty hosts of its test driver: who changes something in it changes it back."""
    with libvirt.started(hosts=20, domains=10) as running:
        yield running
