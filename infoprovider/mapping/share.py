"""What one community may hold in one project: a ComputingShare with its MappingPolicy."""

from collections.abc import Iterator

from infoprovider.glue.document import Made, Source
from infoprovider.glue.entities import ComputingShare, MappingPolicy
from infoprovider.inventory.model import Capacity, Image, InstanceType, Limit, Ownership, Quotas, Usage
from infoprovider.mapping.application import is_refused
from infoprovider.mapping.context import (
    DYNAMIC,
    STATIC,
    InstanceFacts,
    Known,
    Mapped,
    may_use,
    note_age,
    oldest_source,
)
from infoprovider.mapping.endpoint import endpoint_ids
from infoprovider.mapping.fitting import pools_of
from infoprovider.mapping.identifiers import local_part, policy_of
from infoprovider.mapping.other_info import OtherInfo
from infoprovider.mapping.prices import add_prices
from infoprovider.mapping.rules import SCHEME, rules_of
from infoprovider.mapping.service import jobs_of
from infoprovider.mapping.startable import Startable, quota_left, startable
from infoprovider.mapping.vocabulary import known_boolean


def map_shares(facts: InstanceFacts) -> Iterator[Made]:
    """One share with its policy for each project that a community is mapped to and that the manager knows."""
    endpoints = tuple(sorted(endpoint_ids(facts).values()))
    for mapped in facts.mapped_and_there:
        yield to_share(facts, mapped, endpoints)
        yield _mapping_policy(facts, mapped)


def share_id(facts: InstanceFacts, project: str) -> str:
    """The ComputingShare of a project."""
    return facts.ids.of("ComputingShare", project)


def to_share(facts: InstanceFacts, mapped: Mapped, endpoints: tuple[str, ...]) -> Made:
    """The share of one project, reached through these endpoints.

    Its CreationTime is the older of its quotas' and its usage's, as far as they were observed.
    """
    known_quotas = facts.quotas.get(mapped.project)
    known_usage = facts.usage.get(mapped.project)
    both: list[Known[object]] = [one for one in (known_quotas, known_usage) if one is not None]
    defining = oldest_source([one for one in both if not one.source.declared] or both)
    quotas = known_quotas.value if known_quotas else Quotas(project=mapped.project)
    usage = known_usage.value if known_usage else Usage(project=mapped.project)
    types = [one for one in facts.published_types if may_use(mapped.project, one)]
    type_ids = tuple(facts.type_ids[one.id] for one in types)
    units = facts.context.units
    entity = ComputingShare(
        id=share_id(facts, mapped.project),
        name=mapped.community.name,
        max_wall_time=quotas.max_run_time_s,
        default_wall_time=quotas.default_run_time_s,
        max_total_jobs=_number(quotas.instances),
        max_running_jobs=_number(quotas.instances),
        max_user_running_jobs=_number(quotas.instances_per_user),
        max_slots_per_job=max((one.vcpus for one in types), default=None),
        max_main_memory=units.memory(max((one.memory_mib for one in types), default=None)),
        guaranteed_main_memory=units.memory(min((one.memory_mib for one in types), default=None)),
        max_disk_space=units.whole_disk(_largest_disk(types)),
        preemption=known_boolean(quotas.preemptible),
        serving_state=facts.serving_state,
        total_jobs=jobs_of(usage),
        running_jobs=usage.running,
        waiting_jobs=usage.waiting,
        staging_jobs=usage.staging,
        suspended_jobs=usage.suspended,
        estimated_average_waiting_time=usage.mean_start_up_s,
        estimated_worst_waiting_time=usage.worst_start_up_s,
        free_slots=free_slots(facts, quotas, usage),
        used_slots=usage.vcpus,
        service_foreign_key=facts.service_id,
        computing_service_foreign_key=facts.service_id,
        endpoint_foreign_key=endpoints,
        computing_endpoint_foreign_key=endpoints,
        resource_foreign_key=type_ids,
        execution_environment_foreign_key=type_ids,
        other_info=_share_info(facts, quotas, usage, types, defining),
        creation_time=defining.observed_at,
        validity=DYNAMIC,
    )
    others = (
        known_quotas,
        known_usage,
        facts.capacity,
        facts.instance_types,
        facts.images,
        facts.trust,
        facts.endorsements,
        facts.hypervisors,
        facts.networks,
        facts.prices,
        facts.manager,
    )
    return Made(entity, facts.sources(defining, *others))


def free_slots(facts: InstanceFacts, quotas: Quotas, usage: Usage) -> int | None:
    """VCPUs that the project could still start: the least of its free quota and of the free vCPUs of usable hosts.

    Left out where one of the two cannot be read: a number that is too large would win every `FreeSlots>=N`.
    """
    if not facts.takes_requests:
        return 0
    capacity = facts.capacity.value if facts.capacity else Capacity()
    slots = quota_left(quotas.vcpus, usage.vcpus)
    instances = quota_left(quotas.instances, usage.instances)
    on_hosts = quota_left(capacity.vcpus, capacity.vcpus_used)
    if 0 in (slots, instances, on_hosts):
        return 0
    return None if slots is None or instances is None or on_hosts is None else int(min(slots, on_hosts))


def startable_now(facts: InstanceFacts, instance_type: InstanceType, quotas: Quotas, usage: Usage) -> Startable | None:
    """How many machines of a type the project could start; none while the service takes no requests."""
    if not facts.takes_requests:
        return Startable(0, is_upper_bound=False)
    networks = facts.networks.value if facts.networks else None
    return startable(instance_type, quotas, usage, facts.host_bounds[instance_type.id], networks)


def _number(limit: Limit) -> int | None:
    """A quota as a number: one that is unlimited or not known is left out."""
    return limit if isinstance(limit, int) else None


def _largest_disk(types: list[InstanceType]) -> float | None:
    disks = [one.disk_gib + (one.ephemeral_gib or 0) for one in types if one.disk_gib is not None]
    return max(disks) if disks and len(disks) == len(types) else None


def _share_info(
    facts: InstanceFacts, quotas: Quotas, usage: Usage, types: list[InstanceType], defining: Source
) -> tuple[str, ...]:
    units = facts.context.units
    info = OtherInfo("ComputingShare")
    info.add("ProjectID", quotas.project)
    info.add("QuotaCPU", _number(quotas.vcpus))
    info.add("QuotaMemory", None if quotas.memory_mib == "unlimited" else units.memory(quotas.memory_mib))
    info.add("QuotaDisk", None if quotas.disk_gib == "unlimited" else units.disk(quotas.disk_gib))
    info.add("QuotaPublicIP", _number(quotas.public_addresses))
    info.add("AcceleratorMaxNumber", _number(quotas.accelerators))
    info.add("VMHalted", usage.halted)
    info.add("VMError", usage.error)
    # Where there are too many values the last ones give way: what qualifies a number stands before it.
    note_age(info, "FreeInstances.ObservedAt", facts.capacity, defining, DYNAMIC)
    for instance_type in types:
        number = startable_now(facts, instance_type, quotas, usage)
        if number is not None:
            local = local_part(facts.type_ids[instance_type.id])
            if number.is_upper_bound:
                info.add("FreeInstances.UpperBound", local)
            info.add(f"FreeInstances.{local}", number.machines)
    pools = dict.fromkeys(pool.id for one in types for pool in pools_of(one, facts.pools))
    info.add_each("HostPool", [facts.pool_id(pool) for pool in pools])
    _add_networks(info, facts, quotas.project)
    add_prices(info, facts.prices, None)
    info.add_each("Image", [image.marketplace_uri or image.id for image in _startable_images(facts, quotas.project)])
    return info.values()


def _startable_images(facts: InstanceFacts, project: str) -> Iterator[Image]:
    """The images that the project may use and the centre starts; not those that surely fit none of its types."""
    for image in facts.published_images:
        if not may_use(project, image) or is_refused(facts, image):
            continue
        if facts.instance_types is None or any(may_use(project, one) for one in facts.fitting_types[image.id]):
            yield image


def _add_networks(info: OtherInfo, facts: InstanceFacts, project: str) -> None:
    if facts.networks is None:
        return
    networks = facts.networks.value
    info.add("DefaultNetworkType", networks.default_type)
    usable = (one for one in networks.networks if one.ownership is Ownership.PUBLIC or project in one.projects)
    info.add_each("PublicNetworkName", [one.name or one.id for one in usable if one.is_public])


def _mapping_policy(facts: InstanceFacts, mapped: Mapped) -> Made:
    configuration = facts.context.configuration
    share = share_id(facts, mapped.project)
    policy = MappingPolicy(
        id=policy_of(share),
        scheme=SCHEME,
        rule=rules_of(mapped),
        share_foreign_key=(share,),
        user_domain_foreign_key=(mapped.community.name,),
        creation_time=configuration.observed_at,
        validity=STATIC,
    )
    known: tuple[Known[object] | None, ...] = (facts.quotas.get(mapped.project), facts.usage.get(mapped.project))
    return Made(policy, facts.sources(configuration, *known))
