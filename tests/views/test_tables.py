"""The same offers as tables for people."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from infoprovider.views.offers import EndpointView, Offer, ServiceView
from infoprovider.views.tables import age, new_console, print_offers, print_services

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

UNKNOWN_SERVICE = ServiceView(
    id="urn:south",
    name=None,
    product=None,
    version=None,
    hypervisors=(),
    endpoints=(),
    hosts=None,
    slots=None,
    slots_used=None,
    memory=None,
    memory_free=None,
    running=None,
    instance_types=0,
    images=0,
    observed_at=None,
)
OFFER = Offer(
    community="vo.bio",
    service="north",
    share="share",
    instance_type="22",
    name="medium",
    vcpus=2,
    memory=4096,
    disk="20",
    accelerators=None,
    startable=3,
    is_upper_bound=False,
    images=1,
    price="0.05 EUR hourly",
)


def lines(console: Console) -> list[list[str]]:
    """The cells of every line, cut at two blanks or more."""
    assert isinstance(console.file, io.StringIO)
    found = [
        [cell.strip() for cell in line.split("  ") if cell.strip()] for line in console.file.getvalue().splitlines()
    ]
    return [cells for cells in found if cells and not cells[0].startswith("─")]


@pytest.fixture
def console() -> Console:
    """A wide page."""
    return Console(file=io.StringIO(), width=200, markup=False)


def test_a_service_has_a_row_and_each_way_in_another(console: Console) -> None:
    """Used and all, free and all, and how long ago the oldest of it was observed."""
    service = replace(
        UNKNOWN_SERVICE,
        name="north",
        product="openstack",
        version="2024.2",
        hypervisors=("KVM", "Xen"),
        endpoints=(EndpointView(interface="OCCI", sign_in="OIDC", url="https://cloud/", health="ok"),),
        hosts=7,
        slots=100,
        slots_used=42,
        memory=2048,
        memory_free=1536,
        running=9,
        instance_types=3,
        images=4,
        observed_at=NOW - timedelta(seconds=90),
    )
    print_services(console, [service], NOW)
    found = lines(console)
    assert ["north", "openstack 2024.2", "KVM, Xen", "7", "42 / 100", "1.5 / 2", "9", "3", "4", "1 min ago"] in found
    assert ["north", "OCCI", "OIDC", "ok", "https://cloud/"] in found


def test_what_is_not_known_is_a_question_mark(console: Console) -> None:
    """Never 0, never an empty cell that could be taken for none."""
    print_services(console, [UNKNOWN_SERVICE], NOW)
    assert ["urn:south", "?", "?", "?", "? / ?", "? / ?", "?", "0", "0", "?"] in lines(console)


def test_offers_stand_together_by_community_and_service(console: Console) -> None:
    """The name of the community is said once for all its types."""
    others = [
        replace(OFFER, name="large", startable=None),
        replace(OFFER, name=None, startable=5, is_upper_bound=True, price=None),
        replace(OFFER, community="vo.phys", startable=0, disk=None, accelerators="1 GPU"),
    ]
    print_offers(console, [OFFER, *others])
    assert lines(console)[2:] == [
        ["vo.bio", "north", "medium", "2", "4", "20", "3", "0.05 EUR hourly"],
        ["large", "2", "4", "20", "?", "0.05 EUR hourly"],
        ["22", "2", "4", "20", "≤ 5"],
        ["vo.phys", "north", "medium", "2", "4", "?", "1 GPU", "0", "0.05 EUR hourly"],
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7199, "1 h ago"),
        (86400 * 3, "3 d ago"),
        (-5, "0 s ago"),
    ],
)
def test_an_age_is_told_in_its_largest_whole_unit(seconds: int, text: str) -> None:
    """Rounded down, never negative."""
    assert age(NOW - timedelta(seconds=seconds), NOW) == text


def test_what_users_named_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Names of images and types are no markup, and a pipe gets whole lines however long they are."""
    new_console().print("[red]" + "x" * 150 + ":smile:")
    assert capsys.readouterr().out == "[red]" + "x" * 150 + ":smile:\n"
