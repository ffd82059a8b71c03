"""What every test stands on: which services are there, and what is said of those that are not."""

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

HOW_TO_RUN = "make test SERVICES=install"
SERVICES_ARE_REQUIRED = os.environ.get("INFOPROVIDER_REQUIRE_SERVICES") == "1"

# A loaded machine is slow, which is no fault of what is tested; automation repeats the same examples every time.
hypothesis.settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("project")


def program(path: str) -> bool:
    """Whether this program, or file, is installed."""
    return Path(path).exists() or shutil.which(path) is not None


def module(name: str) -> bool:
    """Whether this Python module is installed."""
    return importlib.util.find_spec(name) is not None


def testbed(name: str, made_of: str, file: str) -> str:
    """The file that is there when a testbed has made what it needs of this; its `up` has the same rule."""
    source = Path(__file__).parents[1] / "tools" / "testbeds" / name / made_of
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "infoprovider-testbeds"
    return str(cache / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}" / file)


@dataclass(frozen=True)
class Service:
    """What tests with a marker need beside Python: how it is looked for, and under which names."""

    is_there: Callable[[str], bool]
    parts: tuple[str, ...]

    def missing(self) -> tuple[str, ...]:
        """The parts that are not installed."""
        return tuple(part for part in self.parts if not self.is_there(part))


SERVICES = {
    "activemq": Service(program, ("/usr/share/activemq/bin/activemq.jar", "java", "keytool", "openssl")),
    "bdii": Service(
        program,
        ("/usr/sbin/slapd", "/usr/sbin/bdii-update", "ldapsearch", "ldapadd", "/etc/ldap/schema/GLUE20.schema"),
    ),
    "libldap": Service(module, ("ldap",)),
    "libvirt": Service(
        lambda part: module(part) or program(part),
        ("libvirt", "/usr/sbin/libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "saslpasswd2"),
    ),
    "openstack": Service(program, (testbed("openstack", "requirements.txt", "complete"),)),
    "systemd": Service(program, ("systemd-analyze", "systemd-sysusers", "systemd-tmpfiles")),
    "vsphere": Service(program, (testbed("vsphere", "main.go", "vcenter"),)),
}
MISSING = {marker: missing for marker, service in SERVICES.items() if (missing := service.missing())}
NOT_RUN = pytest.StashKey[dict[str, int]]()


def lacking(item: pytest.Item) -> str | None:
    """The marker of this test whose service is missing."""
    return next((marker for marker in MISSING if item.get_closest_marker(marker)), None)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run, and remember it for the closing words."""
    config.stash[NOT_RUN] = {}
    if SERVICES_ARE_REQUIRED:
        return
    left_out = [item for item in items if lacking(item)]
    for item in left_out:
        marker = lacking(item) or ""
        config.stash[NOT_RUN][marker] = config.stash[NOT_RUN].get(marker, 0) + 1
    items[:] = [item for item in items if not lacking(item)]
    config.hook.pytest_deselected(items=left_out)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Where services are required, a missing one is a failure."""
    marker = lacking(item)
    if marker is not None:
        pytest.fail(f"{sentence(MISSING[marker])}; install it with: {HOW_TO_RUN}", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was not run, why, and how to run it."""
    not_run = config.stash.get(NOT_RUN, {})
    if not not_run:
        return
    terminalreporter.section("not run")
    for marker, number in not_run.items():
        terminalreporter.line(f"{number} tests marked {marker}: {sentence(MISSING[marker])}")
    terminalreporter.line(f"to run them, as root: {HOW_TO_RUN}")


def sentence(missing: Iterable[str]) -> str:
    """Says what is missing."""
    return f"not installed: {', '.join(missing)}"
