"""What a cloud says of itself and of its ways in."""

import json

import pytest

from infoprovider.inventory.model import SignIn, SignInMethod
from infoprovider.providers.openstack.manager_facts import (
    fetch_sign_in,
    to_aggregate_metadata,
    to_features,
    to_sign_in,
    to_zones,
    without_project,
)
from tests.providers.openstack_recorded import PASSWORD, Fault, serving
from tests.providers.test_openstack_account import account

OIDC = SignIn(method=SignInMethod.OIDC, issuers=("https://sso.example.org/",))


@pytest.mark.parametrize(
    ("methods", "federated", "ways"),
    [
        (("password",), (), ["password"]),
        (("password", "totp"), (OIDC,), ["oidc", "password"]),
        (("openid",), (OIDC,), ["oidc"]),
        (("application_credential",), (), ["token"]),
        (("application_credential",), (OIDC,), ["oidc"]),
    ],
)
def test_users_sign_in_as_we_did_and_as_keystone_says(
    methods: tuple[str, ...], federated: tuple[SignIn, ...], ways: list[str]
) -> None:
    """Each way once; where there is no word for it, by the token that every call takes."""
    assert [way.method for way in to_sign_in(methods, federated)] == ways


def test_identity_providers_are_told_with_their_issuers(monkeypatch: pytest.MonkeyPatch) -> None:
    """By protocol; one that is switched off is not told, nor a protocol that we have no word for."""
    monkeypatch.setenv("RECORDED_PASSWORD", PASSWORD)
    providers = [
        {"id": "sso", "enabled": True, "remote_ids": ["https://sso.example.org/"]},
        {"id": "old", "enabled": False, "remote_ids": ["https://old.example.org/"]},
    ]
    protocols = [{"id": "openid", "mapping_id": "m"}, {"id": "kerberos", "mapping_id": "m"}]
    with serving("admin") as cloud:
        cloud.faults["sso/protocols"] = Fault(text=json.dumps({"protocols": protocols}))
        cloud.faults["identity_providers$"] = Fault(text=json.dumps({"identity_providers": providers}))
        assert fetch_sign_in(account(cloud.url)) == (OIDC,)
        cloud.faults["identity_providers$"] = Fault(403)
        assert fetch_sign_in(account(cloud.url)) == ()


@pytest.mark.shows("openstack", "features", by="recorded")
def test_features_are_what_the_catalogue_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """No volumes without a service for them; what no service tells stays unknown."""
    monkeypatch.setenv("RECORDED_PASSWORD", PASSWORD)
    with serving("admin") as cloud:
        features = to_features(account(cloud.url))
    assert (features.snapshot, features.bulk_start, features.block_storage, features.reservation) == (
        True,
        True,
        False,
        False,
    )
    assert (features.live_migration, features.suspend, features.image_upload) == (None, None, None)


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://c.example.org:8774/v2.1", "https://c.example.org:8774/v2.1"),
        ("https://c.example.org:8774/v2.1/5f1c", "https://c.example.org:8774/v2.1"),
        ("https://c.example.org:8774/v2.1/AUTH_5f1c", "https://c.example.org:8774/v2.1"),
    ],
)
def test_no_id_of_a_project_is_in_the_address(url: str, public: str) -> None:
    """Old catalogues put that of the token's project into it."""
    assert without_project(url, "5f1c") == public


def test_a_host_has_the_properties_of_all_its_aggregates() -> None:
    """Joined by commas where several say something of one thing, as nova compares them."""
    aggregates = [
        {"hosts": ["a"], "metadata": {"ssd": "true", "zone": "x"}},
        {"hosts": ["a", "b"], "metadata": {"zone": "y"}},
    ]
    hypervisors = [{"id": f"id-{host}", "service": {"host": host}} for host in "abc"]
    assert to_aggregate_metadata(aggregates, hypervisors) == {
        "id-a": {"ssd": "true", "zone": "x,y"},
        "id-b": {"zone": "y"},
        "id-c": {},
    }


def test_zones_are_those_that_take_machines() -> None:
    """One of which all hosts are down or disabled is not told."""
    zones = {"south": True, "north": True, "closed": False}
    records = [{"zoneName": name, "zoneState": {"available": is_open}} for name, is_open in zones.items()]
    assert to_zones(records) == ("north", "south")
