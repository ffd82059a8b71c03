"""Asking an OpenStack: addresses from the catalogue, and whom we trust."""

from pathlib import Path

import pytest

from infoprovider.deadline import Deadline
from infoprovider.errors import DeadlineExceeded, Unreachable
from infoprovider.providers.openstack.account import Account, NotThere, joined_url
from infoprovider.providers.openstack.patience import Patience
from infoprovider.providers.openstack.settings import OpenStackSettings
from infoprovider.providers.openstack.sign_in import sign_in
from tests.certificate import self_signed
from tests.providers.openstack_recorded import PASSWORD, serving


@pytest.mark.parametrize(
    ("url", "service", "whole"),
    [
        ("https://c.example.org:8774/v2.1", "compute", "https://c.example.org:8774/v2.1/x"),
        ("https://c.example.org:8774/v2.1/5f1c", "compute", "https://c.example.org:8774/v2.1/5f1c/x"),
        ("https://c.example.org/compute", "compute", "https://c.example.org/compute/v2.1/x"),
        ("https://c.example.org:9292", "image", "https://c.example.org:9292/v2/x"),
        ("https://c.example.org/image/v2", "image", "https://c.example.org/image/v2/x"),
        ("https://c.example.org:9696", "network", "https://c.example.org:9696/v2.0/x"),
        ("https://c.example.org/placement", "placement", "https://c.example.org/placement/x"),
        ("https://v3.example.org/identity", "identity", "https://v3.example.org/identity/v3/x"),
    ],
)
def test_the_version_is_put_in_where_the_catalogue_leaves_it_out(url: str, service: str, whole: str) -> None:
    """Whatever shape the catalogue's addresses have."""
    assert joined_url(url, service, "/x") == whole


def account(url: str, seconds: float = 10.0, **others: str) -> Account:
    """An account of the recorded cloud."""
    auth = {
        "auth_url": f"{url}/identity/v3",
        "username": "somebody",
        "password": {"environment": "RECORDED_PASSWORD"},
        "project_name": "admin",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    settings = OpenStackSettings.model_validate({"auth": auth, **others})
    return sign_in(settings, settings, Patience(Deadline.after(seconds)))


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDED_PASSWORD", PASSWORD)


def test_a_region_or_interface_that_is_not_there_is_told() -> None:
    """With what would have to be corrected."""
    with serving("admin") as cloud:
        assert account(cloud.url, region="RegionOne").url("compute") == f"{cloud.url}/compute/v2.1"
        with pytest.raises(NotThere, match=r"compute in region Nowhere; if the .* it has RegionOne, internal, public"):
            account(cloud.url, region="Nowhere").url("compute")
        with pytest.raises(NotThere, match="has no admin address of the service compute; if the cloud"):
            account(cloud.url, interface="admin").url("compute")


def test_nothing_is_asked_when_no_time_is_left() -> None:
    """Not even for a token."""
    with serving("admin") as cloud:
        late = account(cloud.url, seconds=0)
        with pytest.raises(DeadlineExceeded, match="no time was left to ask"):
            late.get("image", "/images")
        assert cloud.asked == []


def test_a_certificate_of_unknown_origin_is_not_trusted_until_it_is_named(tmp_path: Path) -> None:
    """Also on loopback; the message says which setting names the authority."""
    certificate = tmp_path / "cert.pem"
    with serving("admin", self_signed(certificate)) as cloud:
        with pytest.raises(Unreachable) as raised:
            account(cloud.url).project  # noqa: B018  (it signs in)
        assert str(raised.value) == (
            f"identity at {cloud.url} is not trusted: self-signed certificate; name the authority that issued its "
            "certificate as ca_file, or cacert in clouds.yaml"
        )
        trusting = account(cloud.url, ca_file=str(certificate))
        assert trusting.project[1] == "admin"
