"""The interfaces of one VM manager: a ComputingEndpoint for each sign-in method, and who may use it."""

from collections import Counter
from collections.abc import Iterator

from infoprovider.glue.document import Made
from infoprovider.glue.entities import AccessPolicy, ComputingEndpoint
from infoprovider.glue.vocabulary import EndpointHealthState
from infoprovider.inventory.model import ApiEndpoint, SignIn
from infoprovider.mapping.context import DYNAMIC, STATIC, InstanceFacts, when_observed
from infoprovider.mapping.identifiers import policy_of, url_hash
from infoprovider.mapping.other_info import OtherInfo, timestamp
from infoprovider.mapping.rules import SCHEME, rules_of
from infoprovider.mapping.vocabulary import AUTHN, capabilities, interface


def endpoint_ids(facts: InstanceFacts) -> dict[tuple[str, str, str], str]:
    """(URL, interface, sign-in method) → identifier.

    The local part is `<sign-in>:<dotted interface name>`; where several URLs offer the same, a hash of the URL goes
    before it.
    """
    offered = [(end.url, end.interface, way.method) for end in facts.manager.value.endpoints for way in end.sign_in]
    urls = Counter((name, method) for _, name, method in set(offered))
    vocabulary = facts.context.publication.vocabulary
    found: dict[tuple[str, str, str], str] = {}
    for url, name, method in offered:
        way_in = method if urls[name, method] == 1 else f"{url_hash(url)}:{method}"
        dotted = interface(name, url, vocabulary).dotted
        found[url, name, method] = facts.ids.of("ComputingEndpoint", dotted, prefix=way_in)
    return found


def map_endpoints(facts: InstanceFacts) -> Iterator[Made]:
    """All endpoints of one instance, each with its AccessPolicy where communities are mapped to the instance."""
    ids = endpoint_ids(facts)
    for endpoint in facts.manager.value.endpoints:
        for sign_in in endpoint.sign_in:
            id_ = ids[endpoint.url, endpoint.interface, sign_in.method]
            yield to_endpoint(facts, id_, endpoint, sign_in)
            if facts.mapped:
                yield _access_policy(facts, id_)


def to_endpoint(facts: InstanceFacts, id_: str, endpoint: ApiEndpoint, sign_in: SignIn) -> Made:
    """One interface at one URL with one sign-in method; its CreationTime is that of its health."""
    vocabulary = facts.context.publication.vocabulary
    published = interface(endpoint.interface, endpoint.url, vocabulary)
    manager = facts.manager.value
    downtime = facts.downtime
    state, seen = _health(facts)
    policy = facts.trust.value.policy_uri if facts.trust else None
    entity = ComputingEndpoint(
        id=id_,
        url=endpoint.url,
        capability=capabilities(vocabulary),
        technology=published.technology,
        interface_name=published.name,
        interface_version=endpoint.version,
        supported_profile=(policy,) if policy else (),
        implementor=manager.vendor,
        implementation_name=manager.product,
        implementation_version=manager.version,
        quality_level=facts.quality_level,
        health_state=state,
        health_state_info=seen,
        serving_state=facts.serving_state,
        start_time=endpoint.started_at,
        issuer_ca=sign_in.issuer_ca,
        trusted_ca=sign_in.trusted_cas,
        downtime_announce=downtime.announced if downtime else None,
        downtime_start=downtime.start if downtime else None,
        downtime_end=downtime.end if downtime else None,
        downtime_info=downtime.info if downtime else None,
        service_foreign_key=facts.service_id,
        computing_service_foreign_key=facts.service_id,
        other_info=_endpoint_info(facts, endpoint, sign_in),
        creation_time=facts.health.source.observed_at,
        validity=DYNAMIC,
    )
    return Made(entity, facts.sources(facts.health.source, facts.manager, facts.trust))


def _health(facts: InstanceFacts) -> tuple[EndpointHealthState, str | None]:
    """The state, and what was seen; while an announced interruption lasts, that it does, whatever was seen."""
    if facts.downtime is None or not facts.is_interrupted:
        return facts.health.state, facts.health.info
    end = facts.downtime.end
    words = f"announced interruption since {timestamp(facts.downtime.start)}"
    words += f" until {timestamp(end)}" if end else ""
    return EndpointHealthState.OTHER, f"{words}: {facts.downtime.info}" if facts.downtime.info else words


def _endpoint_info(facts: InstanceFacts, endpoint: ApiEndpoint, sign_in: SignIn) -> tuple[str, ...]:
    info = OtherInfo("ComputingEndpoint")
    features = facts.manager.value.features
    info.add("Authn", AUTHN[sign_in.method])
    info.add("Authn.URL", endpoint.sign_in_url)
    info.add_each("Issuer", sign_in.issuers)
    info.add("Feature.Snapshot", features.snapshot)
    info.add("Feature.Suspend", features.suspend)
    info.add("Feature.UserNetwork", features.user_network)
    info.add("Feature.BlockStorage", features.block_storage)
    if facts.trust is not None:
        trust = facts.trust.value
        info.add("ImageTrust.Model", trust.model)
        info.add_each("ImageTrust.Endorser", trust.endorsers)
        info.add_each("ImageTrust.ImageList", trust.image_lists)
        info.add("ImageTrust.UserUpload", trust.user_upload)
        info.add("ImageTrust.RestartFrom", trust.restart_from)
        info.add("ImageTrust.HonoursExpiry", trust.honours_expiry)
        info.add("ImageTrust.Revocation", trust.revocation_uri)
        info.add("ImageTrust.ObservedAt", when_observed(facts.trust.source))
    return info.values()


def _access_policy(facts: InstanceFacts, endpoint_id: str) -> Made:
    configuration = facts.context.configuration
    policy = AccessPolicy(
        id=policy_of(endpoint_id),
        scheme=SCHEME,
        rule=tuple(dict.fromkeys(rule for mapped in facts.mapped for rule in rules_of(mapped))),
        endpoint_foreign_key=(endpoint_id,),
        user_domain_foreign_key=tuple(dict.fromkeys(mapped.community.name for mapped in facts.mapped)),
        creation_time=configuration.observed_at,
        validity=STATIC,
    )
    return Made(policy, facts.sources(configuration, facts.manager))
