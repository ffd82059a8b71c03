"""One collection's view of an OpenStack: who asks, which projects there are, and every answer once.

What an account may see is found out by asking: whether it sees the hosts by the list of hypervisors, whether it
administers the cloud by the list of all projects as well.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from infoprovider.errors import CollectError, Unauthorised
from infoprovider.providers.contract import CollectContext
from infoprovider.providers.openstack.account import Account, Forbidden, NotThere
from infoprovider.providers.openstack.flavors import fetch_access, fetch_flavors, is_private
from infoprovider.providers.openstack.hosts import fetch_hypervisors, fetch_summaries
from infoprovider.providers.openstack.images import fetch_images, fetch_members, is_shared
from infoprovider.providers.openstack.patience import Patience
from infoprovider.providers.openstack.projects import (
    fetch_all_servers,
    fetch_class_limits,
    fetch_network_quota,
    fetch_own_projects,
    fetch_projects,
    fetch_quota,
    fetch_servers,
)
from infoprovider.providers.openstack.questions import Questions, Told, joined
from infoprovider.providers.openstack.settings import OpenStackSettings
from infoprovider.providers.openstack.sign_in import sign_in

T = TypeVar("T")

Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project and who asks for it; `error` is why nobody can. The id is empty where signing in would have told it."""

    id: str
    name: str | None = None
    account: Account | None = None
    error: CollectError | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """Flavors or images as they are told, and the projects that may use each private one, by its id."""

    records: list[Record]
    projects: Mapping[str, list[str]]


class Cloud:
    """Signs in with the first account when it is made.

    Raises what signing in raises, and NotThere where the catalogue has no compute service: nothing would be told then.
    """

    def __init__(self, settings: OpenStackSettings, context: CollectContext, questions: Questions) -> None:
        self._settings = settings
        self._questions = questions
        credentials = (*([settings] if settings.is_given else ()), *settings.projects)
        versions: dict[str, Any] = {}
        patience = Patience(context.deadline)
        accounts = [sign_in(one, settings, patience, versions) for one in credentials]
        # The first one learns which versions there are, for all.
        wait(questions.ask("sign in", fetch_project, account) for account in accounts[:1])
        self._signing = [(account, questions.ask("sign in", fetch_project, account)) for account in accounts]
        self.main = self._first_signed_in()
        self.main.url("compute")

    def _first_signed_in(self) -> Account:
        """The account that asks for what is the same for all; of several sign-ins the first that works."""
        candidates = self._signing[:1] if self._settings.is_given else self._signing
        failures = []
        for account, signing in candidates:
            try:
                signing.result()
            except CollectError as error:
                failures.append(error)
            else:
                return account
        raise failures[0]

    # --- the whole cloud -------------------------------------------------------------------------------------------

    def ask(self, call: str, fetch: Callable[..., T], *arguments: Any) -> Future[Told[T]]:
        """Ask with the main account; the answer is to come."""
        return self._questions.ask(call, fetch, self.main, *arguments)

    @property
    def compute(self) -> Told[tuple[str, str]]:
        """Address and highest microversion of the compute API."""
        return self.ask("compute: GET versions", Account.compute_version).result()

    @property
    def hypervisors(self) -> Told[list[Record]]:
        """Every hypervisor. Raises Forbidden where the account does not see the hosts."""
        return self.ask("compute: GET /os-hypervisors/detail", fetch_hypervisors).result()

    @cached_property
    def sees_hosts(self) -> bool:
        """Whether the main account sees the hosts. Raises CollectError where that could not be learned."""
        try:
            return bool(self.hypervisors.calls)
        except (Forbidden, NotThere):
            return False

    @property
    def summaries(self) -> Told[dict[str, Any]]:
        """What placement says of every host. Raises Forbidden, NotThere."""
        known = frozenset(str(one["id"]) for one in self.hypervisors.value) if self.sees_hosts else frozenset()
        return self.ask("placement: GET /allocation_candidates", fetch_summaries, known).result()

    # --- projects --------------------------------------------------------------------------------------------------

    @cached_property
    def projects(self) -> Told[list[Project]]:
        """The projects that are read, each with who asks for it."""
        told = self._projects()
        only = self._settings.only_projects
        if not only:
            return told
        known = {word for one in told.value for word in (one.id, one.name)}
        wanted = [one for one in told.value if not one.id or self._is_wanted(one.id, one.name)]
        missing = [_missing(word) for word in only if word not in known and all(one.id for one in told.value)]
        return joined([*wanted, *missing], told)

    def _is_wanted(self, *names: str | None) -> bool:
        only = self._settings.only_projects
        return not only or any(name in only for name in names)

    def _projects(self) -> Told[list[Project]]:
        if self._settings.projects:
            signing = self._signing[1:] if self._settings.is_given else self._signing
            found = [_signed_in(Project(id=""), account, future) for account, future in signing]
            answered = [future.result() for _, future in self._signing if future.exception() is None]
            return joined(found, *answered)
        if not self.asks_alone:
            return self._own_projects()
        told = self._every_project.result()
        there = [one for one in told.value if one.get("enabled", True) and not one.get("is_domain")]
        return joined([Project(id=one["id"], name=one["name"], account=self.main) for one in there], told)

    @property
    def _every_project(self) -> Future[Told[list[Record]]]:
        return self.ask("identity: GET /projects", fetch_projects)

    def _own_projects(self) -> Told[list[Project]]:
        """Those that the account may work in; it signs in to each of them anew, with the token that it has."""
        id_, name = self.main.project
        mine = Project(id=id_, name=name, account=self.main)
        if "application_credential" in self.main.methods:  # such a token opens no other project
            return joined([mine], self._signing[0][1].result())
        told = self.ask("identity: GET /auth/projects", fetch_own_projects).result()
        there = [one for one in told.value if one["id"] != id_ and one.get("enabled", True)]
        others = [one for one in there if self._is_wanted(one["id"], one["name"])]
        accounts = [(one, self.main.in_project(one["id"])) for one in others]
        signing = [(one, account, self._questions.ask("sign in", fetch_project, account)) for one, account in accounts]
        found = [
            _signed_in(Project(id=one["id"], name=one["name"]), account, future) for one, account, future in signing
        ]
        return joined([mine, *found], told)

    @cached_property
    def asks_alone(self) -> bool:
        """Whether the main account asks for all projects: it administers the cloud, and no others are given.

        Raises CollectError where that could not be learned.
        """
        if self._settings.projects or not self.sees_hosts:
            return False
        try:
            return bool(self._every_project.result().calls)
        except (Forbidden, NotThere):
            return False

    @cached_property
    def readers(self) -> list[Account]:
        """The accounts that together see what any project sees, without those that cannot sign in."""
        if self.asks_alone:
            return [self.main]
        return [one.account for one in self.projects.value if one.account is not None]

    def ask_quotas(self) -> None:
        """Ask for the quotas of all projects, so that many are asked at a time."""
        for project in self.projects.value:
            if project.account is not None:
                self.quota(project)
                self.network_quota(project)

    def ask_servers(self) -> None:
        """Ask for the machines of all projects, likewise, where each project's own account has to be asked."""
        for project in self.projects.value:
            if project.account is not None and not self.asks_alone:
                self.own_servers(project)

    def quota(self, project: Project) -> Future[Told[dict[str, Any]]]:
        """Compute quotas of a project."""
        return self._of(project, "compute: GET /os-quota-sets/(project)/detail", fetch_quota, project.id)

    def network_quota(self, project: Project) -> Future[Told[dict[str, Any]]]:
        """Network quotas of a project."""
        return self._of(project, "network: GET /quotas/(project)/details", fetch_network_quota, project.id)

    @property
    def class_limits(self) -> Told[list[Record]]:
        """Limits that keystone registers."""
        return self.ask("identity: GET /registered_limits", fetch_class_limits).result()

    def servers(self, project: Project) -> Told[list[Record]]:
        """The machines of a project: out of one list of all, where the account may see that."""
        if self.asks_alone:
            told = self.ask("compute: GET /servers/detail?all_tenants=1", fetch_all_servers).result()
            return joined([one for one in told.value if one["tenant_id"] == project.id], told)
        return self.own_servers(project).result()

    def own_servers(self, project: Project) -> Future[Told[list[Record]]]:
        """The machines that the project's own account sees."""
        return self._of(project, "compute: GET /servers/detail", fetch_servers)

    def _of(self, project: Project, call: str, fetch: Callable[..., T], *arguments: Any) -> Future[Told[T]]:
        return self._questions.ask(call, fetch, project.account, *arguments)

    # --- what is for all, and what is for some ---------------------------------------------------------------------

    def flavors(self, *, with_projects: bool = True) -> Told[Records]:
        """Every flavor that anybody here sees, and who may use the private ones, where that is wanted."""
        asked = self._ask_readers("compute: GET /flavors/detail", fetch_flavors)
        if self.asks_alone and not with_projects:
            told = asked[0].result()
            return joined(Records(told.value, {}), told)
        if not self.asks_alone:
            return _seen(asked, self.readers, is_private)
        call = "compute: GET /flavors/(id)/os-flavor-access"
        return self._with_projects(asked[0].result(), is_private, call, fetch_access)

    @property
    def images(self) -> Told[Records]:
        """Every image that anybody here sees, and who takes part in those that are shared."""
        asked = self._ask_readers("image: GET /images", fetch_images)
        if not self.asks_alone:
            return _seen(asked, self.readers, is_shared)
        return self._with_projects(asked[0].result(), is_shared, "image: GET /images/(id)/members", fetch_members)

    def ask_reader(self, call: str, fetch: Callable[[Account], T]) -> Future[Told[T]]:
        """Ask with an account that sees what a project sees. Raises NotThere where none can sign in."""
        if not self.readers:
            raise NotThere("none of the projects that should be read can be read")
        return self._questions.ask(call, fetch, self.readers[0])

    def _ask_readers(self, call: str, fetch: Callable[..., T], *arguments: Any) -> list[Future[Told[T]]]:
        return [self._questions.ask(call, fetch, account, *arguments) for account in self.readers]

    def _with_projects(
        self,
        told: Told[list[Record]],
        is_limited: Callable[[Record], bool],
        call: str,
        fetch: Callable[[Account, str], list[str]],
    ) -> Told[Records]:
        """Those that are for some projects only, each asked for its projects."""
        limited = [one["id"] for one in told.value if is_limited(one)]
        answers = dict(zip(limited, [self.ask(call, fetch, id_) for id_ in limited], strict=True))
        projects = {id_: answer.result() for id_, answer in answers.items()}
        records = Records(told.value, {id_: answer.value for id_, answer in projects.items()})
        return joined(records, told, *projects.values())


def fetch_project(account: Account) -> tuple[str, str | None]:
    """Sign in: id and name of the account's project."""
    return account.project


def _missing(word: str) -> Project:
    """A project that the settings name, by name or id, and that this account does not see: it may come back."""
    reason = f"only_projects names {word}, and the account does not see it; give it a role there, or correct the name"
    return Project(id="", error=Unauthorised(reason))


def _signed_in(project: Project, account: Account, signing: Future[Told[tuple[str, str | None]]]) -> Project:
    """The project with its account, or with why that cannot sign in."""
    try:
        id_, name = signing.result().value
    except CollectError as error:
        return replace(project, error=error)
    return Project(id=id_, name=name, account=account)


def _seen(
    asked: Sequence[Future[Told[list[Record]]]], readers: Sequence[Account], is_limited: Callable[[Record], bool]
) -> Told[Records]:
    """What several projects see, each thing once; what is for some is for those that see it.

    Raises CollectError where none of them was answered.
    """
    records: dict[str, Record] = {}
    projects: dict[str, list[str]] = {}
    answers: list[Told[list[Record]]] = []
    failures: list[CollectError] = []
    for account, future in zip(readers, asked, strict=True):
        try:
            told = future.result()
        except CollectError as error:
            failures.append(error)
            continue
        answers.append(told)
        for record in told.value:
            records.setdefault(record["id"], record)
            if is_limited(record):
                projects.setdefault(record["id"], []).append(account.project[0])
    if not answers:
        raise failures[0] if failures else NotThere("none of the projects that should be read can be read")
    found = joined(Records(list(records.values()), projects), *answers)
    return replace(found, notes=(*found.notes, *(f"what one project sees is missing: {one}" for one in failures)))
