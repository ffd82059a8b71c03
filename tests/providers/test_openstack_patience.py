"""How long a service is waited for: once where it is silent, and as long as it asks for."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from infoprovider.deadline import Deadline
from infoprovider.errors import DeadlineExceeded, Unreachable
from infoprovider.providers.openstack import patience
from infoprovider.providers.openstack.account import Account
from infoprovider.providers.openstack.patience import Patience, origin, pause_of
from infoprovider.providers.openstack.settings import OpenStackSettings
from infoprovider.providers.openstack.sign_in import sign_in
from tests.providers.openstack_recorded import PASSWORD, Fault, Recorded, serving


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """The cloud as its administrator sees it."""
    monkeypatch.setenv("RECORDED_PASSWORD", PASSWORD)
    with serving("admin") as running:
        yield running


def account(cloud: Recorded, seconds: float) -> Account:
    """An account that is signed in, and has so many seconds for the rest."""
    settings = OpenStackSettings.model_validate(cloud.settings("admin"))
    found = sign_in(settings, settings, Patience(Deadline.after(seconds)))
    assert found.project
    return found


def test_a_silent_service_is_asked_once(cloud: Recorded) -> None:
    """Its other questions end at once, and all of them say the same."""
    cloud.faults["/images"] = Fault(takes=2)
    signed_in = account(cloud, 3.0)
    cloud.asked.clear()
    for path in ("/images", "/images/x/members"):
        with pytest.raises(DeadlineExceeded, match="did not answer in time; see whether it hangs"):
            signed_in.get("image", path)
    assert len(cloud.asked) == 1


def test_who_falls_silent_half_way_is_silent(cloud: Recorded) -> None:
    """Although the first bytes came."""
    cloud.faults["/images"] = Fault(text='{"images": [', takes=2, cut=True)
    with pytest.raises(DeadlineExceeded, match="did not answer in time"):
        account(cloud, 3.0).get("image", "/images")


def test_one_slow_answer_does_not_make_a_service_silent() -> None:
    """Where others came meanwhile."""
    shared = Patience(Deadline.after(10))

    class Slow:
        def send(self, request: object, **_options: object) -> object:
            from requests.exceptions import ReadTimeout

            shared.answers["http://x"] += request.answers_meanwhile  # type: ignore[attr-defined]
            raise ReadTimeout

    adapter = patience.PatientAdapter(Slow(), shared)
    for meanwhile, silent in ((1, []), (0, ["http://x"])):
        with pytest.raises(OSError):  # noqa: PT011  (of requests, which has no class of its own for it)
            adapter.send(SimpleNamespace(url="http://x/y", answers_meanwhile=meanwhile))
        assert list(shared.silent) == silent


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_is_kept_where_there_is_time(cloud: Recorded, status: int) -> None:
    """And the answer that comes after it counts."""
    cloud.faults["/schemas/image"] = Fault(status, headers={"Retry-After": "1"}, times=1)
    signed_in = account(cloud, 30.0)
    began = time.monotonic()
    assert signed_in.get("image", "/schemas/image")["name"] == "image"
    assert time.monotonic() - began >= 1


def test_a_pause_that_is_too_long_is_not_kept(cloud: Recorded) -> None:
    """What is left of the time is for the others."""
    cloud.faults["/schemas/image"] = Fault(429, headers={"Retry-After": "3"})
    signed_in = account(cloud, 6.0)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="asks to wait 3 s, for which the deadline is too short"):
        signed_in.get("image", "/schemas/image")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("status", "wish", "pause"),
    [(429, "7", 7), (503, "0", 1), (200, "7", None), (429, "soon", None), (429, "-1", None), (429, "", None)],
)
def test_only_seconds_are_understood(status: int, wish: str, pause: int | None) -> None:
    """The other form of the header is a date, which would need clocks that agree."""
    assert pause_of(SimpleNamespace(status_code=status, headers={"Retry-After": wish})) == pause


def test_an_address_that_takes_no_connection_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a firewall that drops what comes; a longer deadline would not help."""
    monkeypatch.setattr(patience, "CONNECTING_SECONDS", 0.3)
    monkeypatch.setenv("RECORDED_PASSWORD", PASSWORD)
    with ExitStack() as open_sockets:
        deaf = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):  # these fill its queue
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        written = Recorded(f"http://127.0.0.1:{deaf.getsockname()[1]}", {}).settings("admin")
        written["auth"]["auth_url"] = written["auth"]["auth_url"].replace("/identity", "")
        settings = OpenStackSettings.model_validate(written)
        began = time.monotonic()
        with pytest.raises(Unreachable, match="nobody takes the connection; check the address, and whether a firewall"):
            sign_in(settings, settings, Patience(Deadline.after(30))).project  # noqa: B018  (it signs in)
    assert time.monotonic() - began < 2


def test_a_service_is_where_it_listens() -> None:
    """Without the path."""
    assert origin("https://c.example.org:8774/v2.1/servers?x=y") == "https://c.example.org:8774"
