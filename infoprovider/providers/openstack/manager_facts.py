"""What an OpenStack says of itself: its compute API, how users sign in, what the catalogue says that it can do."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infoprovider.inventory.model import ApiEndpoint, Features, Manager, SignIn, SignInMethod
from infoprovider.providers.openstack.account import Account, Forbidden, NotThere
from infoprovider.providers.openstack.settings import OpenStackSettings

_PROTOCOLS = {
    "openid": SignInMethod.OIDC,
    "oidc": SignInMethod.OIDC,
    "saml2": SignInMethod.SAML2,
    "x509": SignInMethod.X509,
}
_METHODS = {"password": SignInMethod.PASSWORD, **_PROTOCOLS}


def fetch_sign_in(account: Account) -> tuple[SignIn, ...]:
    """How users of other identity providers sign in; none where keystone does not tell, as it does administrators."""
    try:
        providers = account.pages("identity", "/OS-FEDERATION/identity_providers", "identity_providers")
    except (NotThere, Forbidden):
        return ()
    issuers: dict[SignInMethod, list[str]] = {}
    for provider in providers:
        if provider.get("enabled", True):
            path = f"/OS-FEDERATION/identity_providers/{provider['id']}/protocols"
            for protocol in account.pages("identity", path, "protocols"):
                method = _PROTOCOLS.get(protocol["id"])
                if method is not None:
                    issuers.setdefault(method, []).extend(provider.get("remote_ids") or ())
    return tuple(SignIn(method=method, issuers=tuple(dict.fromkeys(found))) for method, found in issuers.items())


def fetch_zones(account: Account) -> list[dict[str, Any]]:
    """Availability zones, which every user of a project is told."""
    return account.pages("compute", "/os-availability-zone", "availabilityZoneInfo")


def to_zones(records: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Those in which nova takes machines."""
    return tuple(sorted(one["zoneName"] for one in records if one["zoneState"]["available"]))


def to_manager(
    account: Account,
    compute: tuple[str, str],
    federated: Sequence[SignIn],
    formats: tuple[str, ...],
    zones: tuple[str, ...],
    settings: OpenStackSettings,
) -> Manager:
    """The manager; `compute` is address and highest microversion of its compute API.

    No API tells the release: the site says it, or it is left out.
    """
    url, microversion = compute
    sign_in = settings.sign_in or to_sign_in(account.methods, federated)
    return Manager(
        product="openstack",
        version=settings.release,
        endpoints=(
            ApiEndpoint(
                url=without_project(url, account.project[0]),
                interface="openstack",
                version=microversion,
                sign_in=sign_in,
                sign_in_url=account.sign_in_url,
            ),
        ),
        features=to_features(account),
        image_formats=formats,
        zones=zones,
        status_page=settings.status_page,
    )


def to_sign_in(methods: Iterable[str], federated: Sequence[SignIn]) -> tuple[SignIn, ...]:
    """How users sign in: as keystone says of identity providers, and as this account did.

    Where neither has a word here, by a token: that is what every call of an OpenStack takes.
    """
    known = {one.method for one in federated}
    own = dict.fromkeys(_METHODS[method] for method in methods if method in _METHODS)
    found = (*federated, *(SignIn(method=method) for method in own if method not in known))
    return found or (SignIn(method=SignInMethod.TOKEN),)


def without_project(url: str, project: str) -> str:
    """The address that holds for all: old catalogues put the id of the token's project into it."""
    return re.sub(rf"/(AUTH_)?{re.escape(project)}$", "", url)


def to_features(account: Account) -> Features:
    """What users can do, as far as a service for it is in the catalogue; whether a policy forbids it is not told.

    Hypervisors may start machines anew by themselves: without a service for it, nothing is known of failover. Starting
    several machines at once is part of version 2.1 of the compute API.
    """
    return Features(
        snapshot=account.has("image"),
        bulk_start=True,
        block_storage=account.has("block-storage"),
        reservation=account.has("reservation"),
        failover=account.has("instance-ha") or None,
    )


def fetch_aggregates(account: Account) -> list[dict[str, Any]]:
    """Groups of hosts with their properties."""
    return account.pages("compute", "/os-aggregates", "aggregates")


def to_aggregate_metadata(
    aggregates: Iterable[Mapping[str, Any]], hypervisors: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """The properties of each host's aggregates, by the hypervisor's id; several values are joined by commas."""
    found: dict[str, dict[str, str]] = {}
    for hypervisor in hypervisors:
        mine = found.setdefault(str(hypervisor["id"]), {})
        for aggregate in aggregates:
            if hypervisor["service"]["host"] in aggregate["hosts"]:
                for name, value in aggregate["metadata"].items():
                    mine[name] = f"{mine[name]},{value}" if name in mine else value
    return found
