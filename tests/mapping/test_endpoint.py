"""Interfaces: one endpoint for each sign-in method, with what users can do there and who they are."""

from dataclasses import replace
from typing import Any

import pytest

from infoprovider.config.model import Vocabulary
from infoprovider.glue.entities import AccessPolicy, ComputingEndpoint
from infoprovider.glue.vocabulary import EndpointHealthState
from infoprovider.inventory.model import ApiEndpoint, Features, Manager, SignIn, SignInMethod, TrustPolicy
from infoprovider.mapping.context import DYNAMIC, STATIC, Health
from infoprovider.mapping.endpoint import map_endpoints
from tests.mapping.example import LOADED, MANAGER, ago, community, facts, keys, known, only, said, source


def api(*methods: SignInMethod, **changes: Any) -> ApiEndpoint:
    """An interface of OpenStack with these sign-in methods."""
    about = {"url": "https://cloud.example.org/", "interface": "openstack"} | changes
    return ApiEndpoint(sign_in=tuple(SignIn(method=method) for method in methods), **about)


def manager(*endpoints: ApiEndpoint, **changes: Any) -> Manager:
    """A manager with these interfaces."""
    return replace(MANAGER, endpoints=endpoints, **changes)


def ids(*endpoints: ApiEndpoint) -> list[str]:
    """The local parts of the endpoints that come out."""
    made = map_endpoints(facts(manager=manager(*endpoints)))
    return [one.entity.id.removeprefix("urn:glue2:ComputingEndpoint:rc-one:north:") for one in made]


def test_each_sign_in_method_has_an_endpoint_of_its_own() -> None:
    """Readers filter on the method; the identifier ends in the dotted name of the interface."""
    found = ids(api(SignInMethod.OIDC, SignInMethod.X509_VOMS), api(SignInMethod.TOKEN, interface="ec2"))
    assert found == ["oidc:org.openstack.nova", "x509-voms:org.openstack.nova", "token:com.amazon.ec2"]


def test_two_urls_of_one_interface_are_told_apart() -> None:
    """A hash of the URL stands before what they have in common."""
    found = ids(api(SignInMethod.OIDC), api(SignInMethod.OIDC, url="https://other.example.org/"))
    assert len(set(found)) == 2
    assert all(one.endswith(":oidc:org.openstack.nova") for one in found)


def test_an_interface_of_an_odd_name_still_makes_an_identifier() -> None:
    """Blanks and colons of an unknown interface are replaced, and a hash says so."""
    (found,) = ids(api(SignInMethod.OIDC, interface="My API: v2"))
    assert found.startswith("oidc:my-api--v2.api-")


def endpoint(**changes: Any) -> ComputingEndpoint:
    """The one endpoint of an instance."""
    return only(list(map_endpoints(facts(**changes))), ComputingEndpoint)


def test_an_endpoint_says_what_is_known_of_its_interface() -> None:
    """Product, interface, version, technology, authorities and issuers stand where readers look."""
    sign_in = SignIn(
        method=SignInMethod.OIDC, issuers=("https://sso/",), issuer_ca="CN=CA", trusted_cas=("CN=CA", "CN=Other")
    )
    interface = ApiEndpoint(
        url="https://cloud/",
        interface="occi",
        version="1.2",
        sign_in=(sign_in,),
        sign_in_url="https://cloud/keys",
        started_at=ago(999),
    )
    found = endpoint(manager=manager(interface, version="2024.2", vendor="Foundation"))
    assert (found.url, found.interface_name, found.interface_version, found.technology) == (
        "https://cloud/",
        "OCCI",
        "1.2",
        "REST",
    )
    assert (found.implementation_name, found.implementation_version, found.implementor) == (
        "openstack",
        "2024.2",
        "Foundation",
    )
    assert (found.issuer_ca, found.trusted_ca, found.start_time) == ("CN=CA", ("CN=CA", "CN=Other"), ago(999))
    assert (said(found, "Authn"), said(found, "Issuer")) == (["OIDC"], ["https://sso/"])
    assert said(found, "Authn.URL") == ["https://cloud/keys"]
    assert found.service_foreign_key == found.computing_service_foreign_key == "urn:glue2:ComputingService:rc-one:north"


def test_what_the_manager_does_not_tell_is_left_out() -> None:
    """Nothing but the sign-in method is said where nothing else is known: no placeholder."""
    found = endpoint()
    assert keys(found) == ["Authn"]
    assert (found.interface_version, found.implementor, found.implementation_version) == (None, None, None)
    assert (found.health_state, found.health_state_info) == ("unknown", None)
    assert (found.downtime_start, found.start_time, found.issuer_ca, found.supported_profile) == (None, None, None, ())


def test_features_are_published_as_told() -> None:
    """True and false are said, unknown is not."""
    found = endpoint(manager=replace(MANAGER, features=Features(snapshot=True, suspend=False)))
    assert said(found, "Feature.Snapshot") == ["true"]
    assert said(found, "Feature.Suspend") == ["false"]
    assert "Feature.BlockStorage" not in keys(found)


def test_the_trust_policy_for_images_stands_on_every_endpoint() -> None:
    """The written policy as a profile, its terms as values, with the moment of their own observation."""
    policy = TrustPolicy(
        model="endorsed",
        policy_uri="https://policy/",
        endorsers=("CN=A", "CN=B"),
        image_lists=("https://list/",),
        user_upload=False,
        restart_from="golden",
        honours_expiry=True,
        revocation_uri="https://revoked/",
    )
    found = endpoint(trust=known(policy, age=7200))
    assert found.supported_profile == ("https://policy/",)
    assert [value for value in found.other_info if value.startswith("ImageTrust.")] == [
        "ImageTrust.Model=endorsed",
        "ImageTrust.Endorser=CN=A",
        "ImageTrust.Endorser=CN=B",
        "ImageTrust.ImageList=https://list/",
        "ImageTrust.UserUpload=false",
        "ImageTrust.RestartFrom=golden",
        "ImageTrust.HonoursExpiry=true",
        "ImageTrust.Revocation=https://revoked/",
        "ImageTrust.ObservedAt=2026-11-21T10:00:00Z",
    ]


def test_an_endpoint_is_as_old_as_its_health() -> None:
    """What was last seen of the manager defines the entry; it holds for twenty minutes."""
    health = Health(EndpointHealthState.WARNING, "not collected: images", source("outcome", 5))
    (made,) = map_endpoints(facts(health=health))
    assert isinstance(made.entity, ComputingEndpoint)
    assert (made.entity.health_state, made.entity.health_state_info) == ("warning", "not collected: images")
    assert (made.entity.creation_time, made.entity.validity) == (ago(5), DYNAMIC)
    assert [one.facet for one in made.made_of] == ["outcome", "manager", "configuration"]


def test_the_operators_words_are_published_as_they_are() -> None:
    """Maturity, whether requests are taken, and an announced interruption."""
    block = {
        "quality_level": "testing",
        "serving_state": "draining",
        "downtime": {"announced": ago(9), "start": ago(-60), "end": None, "info": "new disks"},
    }
    found = endpoint(block=block)
    assert (found.quality_level, found.serving_state) == ("testing", "draining")
    assert (found.downtime_announce, found.downtime_start, found.downtime_end, found.downtime_info) == (
        ago(9),
        ago(-60),
        None,
        "new disks",
    )


SEEN = Health(EndpointHealthState.WARNING, "stale: images", source("outcome", 5))


def in_downtime(start: float, end: float | None = None, **about: Any) -> ComputingEndpoint:
    """An endpoint whose interruption begins and ends so many seconds from now."""
    downtime = {"start": ago(-start), "end": None if end is None else ago(-end)} | about
    return endpoint(block={"downtime": downtime}, health=SEEN)


@pytest.mark.parametrize("start", [1, 86400])
def test_before_an_interruption_it_is_only_announced(start: float) -> None:
    """Health is what was seen."""
    found = in_downtime(start, start + 60)
    assert (found.health_state, found.health_state_info) == ("warning", "stale: images")
    assert (found.downtime_start, found.downtime_end) == (ago(-start), ago(-start - 60))


@pytest.mark.parametrize(
    ("start", "end", "about", "words"),
    [
        (0, 60, {}, "announced interruption since 2026-11-21T12:00:00Z until 2026-11-21T12:01:00Z"),
        (-60, None, {"info": "new disks"}, "announced interruption since 2026-11-21T11:59:00Z: new disks"),
    ],
)
def test_during_an_interruption_health_is_other_and_says_so(
    start: float, end: float | None, about: dict[str, str], words: str
) -> None:
    """Whatever was seen, and whatever word of the operator's stands otherwise."""
    found = in_downtime(start, end, **about)
    assert (found.health_state, found.health_state_info) == ("other", words)
    assert found.downtime_start == ago(-start)


@pytest.mark.parametrize("end", [0, -1, -86400])
def test_after_an_interruption_nothing_is_left_of_it(end: float) -> None:
    """It leaves by itself: nobody needs to take it out."""
    found = in_downtime(end - 60, end, announced=ago(99999), info="new disks")
    assert (found.health_state, found.health_state_info) == ("warning", "stale: images")
    assert (found.downtime_announce, found.downtime_start, found.downtime_end, found.downtime_info) == (None,) * 4


@pytest.mark.parametrize(
    ("vocabulary", "name", "words"),
    [
        (Vocabulary.FEDCLOUD, "org.openstack.nova", 2),
        (Vocabulary.EGI_STRICT, "https", 1),
    ],
)
def test_the_vocabulary_decides_names_and_capabilities(vocabulary: Vocabulary, name: str, words: int) -> None:
    """Only four values differ between the two."""
    found = endpoint(vocabulary=vocabulary)
    assert (found.interface_name, len(found.capability)) == (name, words)


def test_who_may_use_an_endpoint_is_its_access_policy() -> None:
    """One policy for each endpoint, with the rules of every community of the instance, as old as the configuration."""
    communities = [community("vo.bio", "p1", "p2"), community("vo.phys", "p3")]
    policy = only(list(map_endpoints(facts(communities))), AccessPolicy)
    endpoint_id = "urn:glue2:ComputingEndpoint:rc-one:north:oidc:org.openstack.nova"
    assert policy == AccessPolicy(
        id=f"{endpoint_id}:policy",
        scheme="org.glite.standard",
        rule=("VO:vo.bio", "VO:vo.phys"),
        endpoint_foreign_key=(endpoint_id,),
        user_domain_foreign_key=("vo.bio", "vo.phys"),
        creation_time=LOADED,
        validity=STATIC,
    )


def test_without_communities_there_is_no_access_policy() -> None:
    """A policy without a rule would say nothing, or that nobody may."""
    assert len(list(map_endpoints(facts()))) == 1
