"""Provider `openstack`: a cloud that is asked by its own APIs, release Train (2019) or newer.

One account that administers the cloud, one that is a member of several projects, or one for each project: what an
account may not see is not offered, never zero. docs/providers/openstack.md says which fact is from which call.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from infoprovider.errors import CollectError, ConfigError, Finding
from infoprovider.inventory.model import Facet, FacetValue, Hypervisors, Machines, Room, SignIn
from infoprovider.providers.contract import Answer, CollectContext, Failed, NotOffered, Observed, Parts, ProviderSpec
from infoprovider.providers.openstack.account import Account, Forbidden, NotThere
from infoprovider.providers.openstack.cloud import Cloud, Project
from infoprovider.providers.openstack.flavors import VIRTUAL_GPU, Request, to_instance_types
from infoprovider.providers.openstack.hosts import (
    Host,
    fetch_candidates,
    to_capacity,
    to_hosts,
    to_hypervisors,
    to_store,
)
from infoprovider.providers.openstack.images import fetch_schema, to_endorsements, to_formats, to_images
from infoprovider.providers.openstack.manager_facts import (
    fetch_aggregates,
    fetch_sign_in,
    fetch_zones,
    to_aggregate_metadata,
    to_manager,
    to_zones,
)
from infoprovider.providers.openstack.networks import fetch_availability, fetch_networks, fetch_subnets, to_networks
from infoprovider.providers.openstack.projects import Amounts, to_amounts, to_machine, to_quotas, to_usage
from infoprovider.providers.openstack.questions import Questions, Told, joined, not_as_documented
from infoprovider.providers.openstack.room import (
    AGGREGATE_FILTER,
    AggregateMetadata,
    HostSide,
    to_questions,
    to_room,
    with_pools,
)
from infoprovider.providers.openstack.settings import OpenStackSettings
from infoprovider.providers.openstack.sign_in import addresses, way_in

T = TypeVar("T")


def collect(settings: OpenStackSettings, context: CollectContext) -> Iterator[Answer]:
    """Every wanted facet, what hosts hold just before what projects may hold.

    Raises ConfigError where a sign-in is not complete, CollectError where nobody could sign in.
    """
    with Questions(settings.connections, context.now) as questions:
        collection = _Collection(settings, context, Cloud(settings, context, questions))
        for facet, make in collection.whole.items():
            if facet in context.wanted:
                yield collection.answer(facet, make)
        for facet in (Facet.QUOTAS, Facet.USAGE):
            if facet in context.wanted:
                yield from collection.by_project(facet)


def check(settings: OpenStackSettings) -> list[Finding]:
    """Sign-ins that are not complete, as far as can be seen without asking anybody."""
    found: list[Finding] = []
    for credentials in (*([settings] if settings.is_given else []), *settings.projects):
        try:
            way_in(credentials, settings)
        except ConfigError as error:
            found += error.findings
    return found


class _Collection:
    """Puts together what each facet is made of."""

    def __init__(self, settings: OpenStackSettings, context: CollectContext, cloud: Cloud) -> None:
        self._settings = settings
        self._context = context
        self._cloud = cloud
        self.whole: Mapping[Facet, Callable[[], Told[FacetValue]]] = {
            Facet.MANAGER: self._manager,
            Facet.INSTANCE_TYPES: self._instance_types,
            Facet.IMAGES: self._images,
            Facet.ENDORSEMENTS: self._endorsements,
            Facet.NETWORKS: self._networks,
            Facet.HYPERVISORS: self._hypervisors,
            Facet.CAPACITY: self._capacity,
            Facet.MACHINES: self._machines,
        }

    def answer(self, facet: Facet, make: Callable[[], Told[FacetValue]], part: str = "") -> Answer:
        """What was observed, or why not."""
        try:
            told = make()
        except (Forbidden, NotThere) as error:
            return NotOffered(facet=facet, part=part, reason=str(error))
        except CollectError as error:
            return Failed(facet=facet, part=part, reason=str(error), retryable=error.retryable)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            self._context.log.exception("%s %s cannot be made of what was answered", facet, part)
            return Failed(facet=facet, part=part, reason=str(not_as_documented(facet, error)), retryable=False)
        return Observed(
            facet=facet, part=part, value=told.value, observed_at=told.at, calls=told.calls, notes=told.notes
        )

    # --- the whole cloud -------------------------------------------------------------------------------------------

    def _manager(self) -> Told[FacetValue]:
        cloud = self._cloud
        compute = cloud.compute
        tolds: list[Told[object]] = [compute]
        schema = self._if_offered("image: GET /schemas/image", fetch_schema, tolds)
        zones = self._if_offered("compute: GET /os-availability-zone", fetch_zones, tolds)
        federated: tuple[SignIn, ...] = ()
        if not self._settings.sign_in and cloud.asks_alone:
            told = cloud.ask("identity: GET /OS-FEDERATION/identity_providers", fetch_sign_in).result()
            federated = told.value
            tolds.append(told)
        formats = () if schema is None else to_formats(schema)
        known = () if zones is None else to_zones(zones)
        return joined(to_manager(cloud.main, compute.value, federated, formats, known, self._settings), *tolds)

    def _if_offered(self, call: str, fetch: Callable[[Account], T], tolds: list[Told[object]]) -> T | None:
        """What is told, which joins the others; None where the account may not ask, or the service has no such call."""
        try:
            told = self._cloud.ask(call, fetch).result()
        except (Forbidden, NotThere):
            return None
        tolds.append(told)
        return told.value

    def _instance_types(self) -> Told[FacetValue]:
        told = self._cloud.flavors()
        types = to_instance_types(told.value.records, told.value.projects, self._settings)
        try:
            hosts, summaries = self._hosts()
        except CollectError:  # which the facets of the hosts say
            return joined(types, told)
        if summaries is None or not self._cloud.sees_hosts:
            return joined(types, told)
        return joined(with_pools(types, told.value.records, hosts.value, self._settings), told, hosts)

    def _images(self) -> Told[FacetValue]:
        told = self._cloud.images
        return joined(to_images(told.value.records, told.value.projects), told)

    def _endorsements(self) -> Told[FacetValue]:
        told = self._cloud.images
        return joined(to_endorsements(told.value.records), told)

    def _networks(self) -> Told[FacetValue]:
        cloud = self._cloud
        first = next((one for one in cloud.projects.value if one.account is not None), None)
        if first is None:
            raise NotThere("none of the projects that should be read can be read")
        quota = cloud.network_quota(first)
        networks = cloud.ask_reader("network: GET /networks", fetch_networks)
        if cloud.asks_alone:
            free = cloud.ask_reader("network: GET /network-ip-availabilities", fetch_availability).result()
            value = to_networks(networks.result().value, (), free.value, quota.result().value)
            return joined(value, networks.result(), free, quota.result())
        subnets = cloud.ask_reader("network: GET /subnets", fetch_subnets).result()
        value = to_networks(networks.result().value, subnets.value, (), quota.result().value)
        return joined(value, networks.result(), subnets, quota.result())

    # --- hosts -----------------------------------------------------------------------------------------------------

    def _hosts(self) -> tuple[Told[list[Host]], Told[dict[str, Any]] | None]:
        """The hosts as nova lists them, as placement does, or both; raises Forbidden where neither does."""
        cloud = self._cloud
        try:
            summaries = cloud.summaries
        except (Forbidden, NotThere):
            hypervisors = cloud.hypervisors
            return joined(to_hosts(hypervisors.value, None), hypervisors), None
        if not cloud.sees_hosts:
            return joined(to_hosts(None, summaries.value), summaries), summaries
        hypervisors = cloud.hypervisors
        return joined(to_hosts(hypervisors.value, summaries.value), hypervisors, summaries), summaries

    def _hypervisors(self) -> Told[FacetValue]:
        hypervisors = self._cloud.hypervisors
        hosts, _ = self._hosts()
        return joined(to_hypervisors(hypervisors.value, hosts.value, self._settings.hypervisor_names), hosts)

    def _capacity(self) -> Told[FacetValue]:
        hosts, summaries = self._hosts()
        pools = self._pools(hosts.value)
        device = self._settings.devices.get("VGPU", VIRTUAL_GPU)
        if summaries is None:
            return joined(to_capacity(hosts.value, pools.pools, None, (), device), hosts)
        store = to_store(hosts.value, summaries.value, self._settings)
        room = self._room(HostSide(hosts=hosts.value, store=store, are_states_known=self._cloud.sees_hosts), hosts)
        return joined(to_capacity(hosts.value, pools.pools, store, room.value, device), hosts, room)

    def _pools(self, hosts: Sequence[Host]) -> Hypervisors:
        if not self._cloud.sees_hosts:
            return Hypervisors(pools=())
        return to_hypervisors(self._cloud.hypervisors.value, hosts, self._settings.hypervisor_names)

    def _room(self, side: HostSide, hosts: Told[object]) -> Told[tuple[Room, ...]]:
        """Room for each type; none where the types are not told, which their own facet says."""
        cloud, settings = self._cloud, self._settings
        try:
            flavors = cloud.flavors(with_projects=False)
        except CollectError as error:
            return Told((), hosts.at, (), (f"room for machines is not computed: {error}",))
        asked = {
            request: cloud.ask("placement: GET /allocation_candidates (of a type)", fetch_candidates, query)
            for request, query in to_questions(flavors.value.records, side.hosts, settings).items()
        }
        able: dict[Request, frozenset[str] | None] = {}
        tolds: list[Told[object]] = [hosts, flavors]
        for request, future in asked.items():
            try:
                told = future.result()
            except CollectError as error:
                able[request] = None
                tolds.append(Told(None, hosts.at, (), (f"room for a type is an upper bound: {error}",)))
            else:
                able[request] = frozenset(told.value)
                tolds.append(told)
        aggregates = self._aggregates(tolds) if AGGREGATE_FILTER in settings.filters else None
        return joined(to_room(flavors.value.records, side, able, aggregates, settings), *tolds)

    def _aggregates(self, tolds: list[Told[object]]) -> AggregateMetadata | None:
        """The properties of the hosts' aggregates; None where the account does not see them."""
        cloud = self._cloud
        try:
            told = cloud.ask("compute: GET /os-aggregates", fetch_aggregates).result()
            hypervisors = cloud.hypervisors
        except (Forbidden, NotThere):
            return None
        tolds.append(told)
        return to_aggregate_metadata(told.value, hypervisors.value)

    # --- projects --------------------------------------------------------------------------------------------------

    def _machines(self) -> Told[FacetValue]:
        self._cloud.ask_servers()
        told = [self._cloud.servers(one) for one in self._cloud.projects.value if one.account is not None]
        if not told:
            raise NotThere("none of the projects that should be read can be read")
        machines = tuple(machine for one in told for server in one.value if (machine := to_machine(server)) is not None)
        return joined(Machines(machines=machines), *told)

    def by_project(self, facet: Facet) -> Iterator[Answer]:
        """Quotas or usage of every project; one that cannot be signed in to, or refuses what others tell, failed."""
        try:
            projects = self._cloud.projects.value
        except CollectError as error:
            yield self.answer(facet, _raising(error))
            return
        if Facet.USAGE in self._context.wanted:
            self._cloud.ask_servers()
        self._cloud.ask_quotas()
        refused: list[NotOffered] = []
        is_told = False
        for project in projects:
            if project.id:
                answer = self.answer(facet, partial(self._of_project, facet, project), project.id)
                if isinstance(answer, NotOffered):
                    refused.append(answer)
                else:
                    is_told = is_told or isinstance(answer, Observed)
                    yield answer
        for one in refused:
            yield _missed(one) if is_told else one
        nameless = [one.error for one in projects if one.error is not None and not one.id]
        if nameless:
            # Which projects these are is not known: nothing is known to have ended.
            reason = "; ".join(dict.fromkeys(map(str, nameless)))
            yield Failed(facet=facet, reason=reason, retryable=any(one.retryable for one in nameless))
        else:
            yield Parts(facet=facet, parts=frozenset(one.id for one in projects))

    def _of_project(self, facet: Facet, project: Project) -> Told[FacetValue]:
        if project.error is not None:
            raise project.error
        cloud = self._cloud
        quota, network, limits = (
            cloud.quota(project).result(),
            cloud.network_quota(project).result(),
            cloud.class_limits,
        )
        amounts: Amounts = to_amounts(quota.value, network.value, limits.value)
        if facet is Facet.QUOTAS:
            return joined(to_quotas(project.id, project.name, amounts), quota, network, limits)
        servers = cloud.servers(project)
        return joined(
            to_usage(project.id, amounts, servers.value, self._context.now()), quota, network, limits, servers
        )


def _missed(refused: NotOffered) -> Failed:
    """A project that does not tell what others tell: the operator expects it."""
    reason = f"{refused.reason}; or name the other projects as only_projects"
    return Failed(facet=refused.facet, part=refused.part, reason=reason, retryable=False)


def _raising(error: CollectError) -> Callable[[], Told[FacetValue]]:
    def make() -> Told[FacetValue]:
        raise error

    return make


SPEC = ProviderSpec(
    kind="openstack",
    settings=OpenStackSettings,
    facets=frozenset(
        {
            Facet.MANAGER,
            Facet.INSTANCE_TYPES,
            Facet.IMAGES,
            Facet.ENDORSEMENTS,
            Facet.NETWORKS,
            Facet.HYPERVISORS,
            Facet.CAPACITY,
            Facet.MACHINES,
            Facet.QUOTAS,
            Facet.USAGE,
        }
    ),
    collect=collect,
    needs=("keystoneauth1", "openstack"),
    check=check,
    addresses=addresses,
)
