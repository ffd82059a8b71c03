"""Every plug-in that we ship, through the checks that authors of plug-ins use."""

import json
import sys
import tomllib
import unittest.mock
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from infoprovider import plugins
from infoprovider.inventory.model import Facet
from infoprovider.providers.contract import ProviderSpec
from infoprovider.publishers.contract import MessengerSpec, PublisherSpec
from infoprovider.testing import check_messenger, check_provider, check_publisher
from tests.fakes.stomp_broker import stomp_broker
from tests.providers import libvirt_recorded, vsphere_fake
from tests.providers.openstack_recorded import PASSWORD, serving

ROOT = Path(__file__).parents[1]
REGISTERED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]

CLOUDS = ExitStack()

Checked = tuple[dict[str, Any], dict[str, Any]]
"""Settings as they are written, and options of the check."""


def describes(folder: Path) -> Checked:
    """A description with every section; it is older than the check's clock."""
    described = folder / "demo.yaml"
    source = (ROOT / "examples" / "demo" / "north.yaml").read_text()
    described.write_text(source)
    return {"file": str(described)}, {}


def runs_a_program(folder: Path) -> Checked:
    """A program that reads the real clock, and gets a secret that it must not tell."""
    secret = folder / "token"
    secret.write_text("t0ken-of-the-campus")
    secret.chmod(0o600)
    examples = ROOT / "examples" / "exec"
    settings = {
        "command": [str(examples / "campus_cloud.py"), str(examples / "campus")],
        "environment": {"CAMPUS_TOKEN": {"file": str(secret)}},
    }
    return settings, {"now": lambda: datetime.now(UTC).replace(microsecond=0)}


def asks_a_cloud(folder: Path) -> Checked:
    """Recorded answers of a real one, given over HTTP as long as these tests run."""
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    settings = CLOUDS.enter_context(serving("admin")).settings("admin")
    settings["auth"]["password"] = {"file": str(secret)}
    return settings, {}


def asks_hosts(folder: Path) -> Checked:
    """Recorded answers of a host with QEMU and of one of the test driver, and what a host with Xen would say."""
    secret = folder / "password"
    secret.write_text("hush-of-the-hosts")
    secret.chmod(0o600)
    hosts = {f"test+tcp://{name}.example.org/": libvirt_recorded.read(name) for name in ("qemu", "test", "xen")}
    module = libvirt_recorded.Libvirt(hosts, password=secret.read_text()).module()
    CLOUDS.enter_context(unittest.mock.patch.dict(sys.modules, {"libvirt": module}))
    settings = {"uris": [*hosts], "user": "reader", "password": {"file": str(secret)}, "image_pool": "images"}
    return settings | {"url": "https://portal.example.org/", "sign_in": [{"method": "oidc"}]}, {}


def asks_a_vcenter(folder: Path) -> Checked:
    """Answers that are written by hand."""
    fake = CLOUDS.enter_context(vsphere_fake.serving(folder))
    vsphere_fake.fill(fake)
    secret = folder / "password"
    secret.write_text(vsphere_fake.PASSWORD)
    secret.chmod(0o600)
    return fake.settings(password={"file": str(secret)}), {}


PROVIDERS: dict[str, Callable[[Path], Checked]] = {
    "exec": runs_a_program,
    "libvirt": asks_hosts,
    "openstack": asks_a_cloud,
    "static": describes,
    "vsphere": asks_a_vcenter,
}
PUBLISHERS: dict[str, Callable[[Path], Checked]] = {
    "bdii": lambda folder: ({"folder": str(folder)}, {}),
    "stdout": lambda _folder: ({}, {"may_print": True}),
}


def sends_to_a_broker(folder: Path) -> Checked:
    """A broker of a few lines, which wants no password and gets one all the same."""
    secret = folder / "password"
    secret.write_text("hush-of-the-broker")
    secret.chmod(0o600)
    broker = CLOUDS.enter_context(stomp_broker())
    return {"brokers": [broker.address], "plain": True, "user": "us", "password": {"file": str(secret)}}, {}


MESSENGERS: dict[str, Callable[[Path], Checked]] = {"stomp": sends_to_a_broker}


@pytest.fixture(autouse=True)
def _closed_clouds() -> Iterator[None]:
    """No server outlives the test that started it."""
    with CLOUDS:
        yield


def test_every_plug_in_of_ours_is_checked() -> None:
    """One that is registered and not checked here would be found by an operator."""
    assert PROVIDERS.keys() == REGISTERED[plugins.PROVIDERS].keys()
    assert PUBLISHERS.keys() | MESSENGERS.keys() == REGISTERED[plugins.PUBLISHERS].keys()


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_provider_keeps_its_contract(kind: str, tmp_path: Path) -> None:
    """No breach is found."""
    written, options = PROVIDERS[kind](tmp_path)
    spec: ProviderSpec[Any] = plugins.load(plugins.PROVIDERS, kind, ProviderSpec)
    settings = TypeAdapter(spec.settings).validate_json(json.dumps(written), context={"folder": tmp_path})
    assert spec.facets <= set(Facet)
    assert check_provider(spec, settings, **options) == []


@pytest.mark.parametrize("kind", PUBLISHERS)
def test_a_publisher_keeps_its_contract(kind: str, tmp_path: Path) -> None:
    """No breach is found."""
    spec: PublisherSpec[Any] = plugins.load(plugins.PUBLISHERS, kind, PublisherSpec)
    written, options = PUBLISHERS[kind](tmp_path)
    settings = TypeAdapter(spec.settings).validate_json(json.dumps(written), context={"folder": tmp_path})
    assert check_publisher(spec, settings, **options) == []


@pytest.mark.parametrize("kind", MESSENGERS)
def test_a_messenger_keeps_its_contract(kind: str, tmp_path: Path) -> None:
    """No breach is found."""
    spec: MessengerSpec[Any] = plugins.load(plugins.PUBLISHERS, kind, MessengerSpec)
    written, options = MESSENGERS[kind](tmp_path)
    settings = TypeAdapter(spec.settings).validate_json(json.dumps(written), context={"folder": tmp_path})
    assert check_messenger(spec, settings, **options) == []
