"""The objects of a vCenter or of an ESXi host, read in bulk by its SOAP API, for provider `vsphere`.

A view of everything, one question for the wanted properties of each type, and the view's end: three calls, however much
there is, and one for each further page (vSphere Web Services SDK, PropertyCollector).
"""

import http.client
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from infoprovider.deadline import Deadline
from infoprovider.errors import CollectError, DeadlineExceeded, Malformed, Unauthorised, Unreachable
from infoprovider.providers.network_faults import of_network, trusting
from infoprovider.secret import Secret

API = "vim25/6.5"
"""The version that is spoken, and that newer servers speak as well: no type comes that is not known here."""

Record: TypeAlias = Mapping[str, Any]
"""The properties of a managed object by their paths, and its own type as `kind`; one that is not set is not there."""

Wanted: TypeAlias = Mapping[str, Sequence[str]]
"""Paths of properties by the type of managed object."""

LISTED_AS = {"ClusterComputeResource": "ComputeResource", "VirtualApp": "ResourcePool"}
"""Types that are found where a more general one is asked for."""

_GIVE_RIGHT = "give it the role Read-only at the top, and let that propagate"


class Forbidden(Unauthorised):
    """The account is known and may not see this."""


class Account(Protocol):
    """Who asks, where, and whose certificates count."""

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        ...

    @property
    def user(self) -> str:
        """As the server knows it."""
        ...

    @property
    def password(self) -> Secret:
        """What proves it."""
        ...

    @property
    def ca_file(self) -> Path | None:
        """Authorities in PEM; without it the system's count."""
        ...


@dataclass(frozen=True)
class Session:
    """A sign-in, and the methods that were called in it; `content` has the service's own objects."""

    server: str
    content: Any
    deadline: Deadline
    calls: list[str] = field(default_factory=lambda: ["RetrieveServiceContent", "Login"])

    def ask(self, target: Any, method: str, *arguments: Any) -> Any:
        """What a method of a managed object answers. Raises as `translated` does."""
        self.calls.append(method)
        with translated(self.server, method, self.deadline):
            return getattr(target, method)(*arguments)


@contextmanager
def signed_in(account: Account, deadline: Deadline, seconds: float) -> Iterator[Session]:
    """A session that ends with the block; one answer may take so many seconds.

    Raises ConfigError where settings cannot be used, and what `translated` raises.
    """
    from pyVmomi import SoapStubAdapter, vim

    server, password, context = urlsplit(account.url).netloc, account.password.reveal(), trusting(account.ca_file)
    with ExitStack() as leaving:
        with translated(server, f"signing in as {account.user}", deadline):
            # Without a context of ours the library would trust whoever answers on loopback.
            options = {"sslContext": context, "httpConnectionTimeout": max(seconds, 0.05)}
            stub: Any = SoapStubAdapter(url=f"{account.url}/sdk", ns=API, **options)
            leaving.callback(stub.DropConnections)
            content: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
            content.sessionManager.Login(account.user, password, None)
        session = Session(server, content, deadline)
        try:
            yield session
        finally:
            if stub.pool:  # else its last answer did not come, nor would this one
                with suppress(CollectError):
                    session.ask(content.sessionManager, "Logout")


@contextmanager
def translated(server: str, call: str, deadline: Deadline) -> Iterator[None]:
    """What the library and the network raise as what we raise; texts of the server are not passed on."""
    if not deadline.remaining():
        raise DeadlineExceeded(f"no time was left to ask {server} ({call}); give the instance a longer deadline")
    try:
        yield
    except CollectError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise of_network(server, call, error) from error
    except Exception as error:  # an answer that is no SOAP fails in many ways in the library
        raise to_error(server, call, type(error).__name__.rpartition(".")[2]) from error


def to_error(server: str, call: str, fault: str) -> CollectError:
    """What a fault of vSphere, or an answer that cannot be used, means."""
    match fault:
        case "InvalidLogin":
            why = "user or password is wrong, or the account is locked"
            return Unauthorised(f"{server}: {call} was refused: {why}; correct what the settings name")
        case "NotAuthenticated":
            do = "see whether it was restarted or somebody ends sessions; the next collection signs in anew"
            return Unreachable(f"{server} ended our session before {call}; {do}")
        case "NoPermission":
            return Forbidden(f"{server} does not allow the account {call}; {_GIVE_RIGHT}")
    do = "see the server's log, and what stands between us and it"
    return Malformed(f"{server}: the answer to {call} cannot be used ({fault}); {do}")


@dataclass(frozen=True)
class Inventory:
    """Every object that the account sees, by type and id; of how many it may read nothing; when it was asked."""

    about: Any
    objects: Mapping[str, Mapping[str, Record]]
    unreadable: Counter[str]
    at: datetime

    def seen(self, kind: str) -> Mapping[str, Record]:
        """All objects of a type. Raises Forbidden where there is none to be seen, or one that cannot be read."""
        if not self.readable(kind):
            raise Forbidden(f"the account sees no object of type {kind}; {_GIVE_RIGHT}")
        return self.objects[kind]

    def readable(self, kind: str) -> Mapping[str, Record]:
        """All objects of a type, of which there may be none. Raises Forbidden where one cannot be read."""
        if self.unreadable[kind]:
            raise Forbidden(f"the account may not read {self.unreadable[kind]} of type {kind}; {_GIVE_RIGHT}")
        return self.objects[kind]

    def machines(self, *, templates: bool = False) -> dict[str, Record]:
        """Virtual machines that are no templates, or those that are. Raises Forbidden."""
        machines = self.readable("VirtualMachine").items()
        return {id_: one for id_, one in machines if bool(one.get("summary.config.template")) is templates}


def fetch_filter(session: Session, wanted: Wanted) -> tuple[Any, Any]:
    """A view of all that is below the root folder, and the question for these properties of it."""
    from pyVmomi import vim, vmodl

    collector, content = vmodl.query.PropertyCollector, session.content
    kinds = [getattr(vim, kind) for kind in wanted]
    view = session.ask(content.viewManager, "CreateContainerView", content.rootFolder, kinds, True)
    way = collector.TraversalSpec(type=vim.view.ContainerView, path="view", skip=False)
    properties = [collector.PropertySpec(type=getattr(vim, kind), pathSet=list(wanted[kind])) for kind in wanted]
    objects = [collector.ObjectSpec(obj=view, skip=True, selectSet=[way])]
    return view, collector.FilterSpec(objectSet=objects, propSet=properties)


def fetch_inventory(session: Session, wanted: Wanted, at: datetime) -> Inventory:
    """All objects in one call; a server that answers by pages is asked for every one."""
    from pyVmomi import vmodl

    view, question = fetch_filter(session, wanted)
    unreadable: Counter[str] = Counter()
    objects: dict[str, dict[str, Record]] = {kind: {} for kind in wanted}
    collector, options = session.content.propertyCollector, vmodl.query.PropertyCollector.RetrieveOptions()
    page = session.ask(collector, "RetrievePropertiesEx", [question], options)
    while page is not None:
        for one in page.objects:
            own = one.obj._wsdlName
            kind = LISTED_AS.get(own, own)
            if any(type(missing.fault).__name__.endswith("NoPermission") for missing in one.missingSet):
                unreadable[kind] += 1
            else:
                objects[kind][id_of(one.obj)] = {"kind": own} | {each.name: each.val for each in one.propSet}
        page = session.ask(collector, "ContinueRetrievePropertiesEx", page.token) if page.token else None
    session.ask(view, "DestroyView")
    return Inventory(session.content.about, objects, unreadable, at)


def id_of(reference: Any) -> str:
    """The server's own id of a managed object."""
    return str(reference._GetMoId())


def fetch_guests(session: Session, found: Inventory) -> dict[str, str]:
    """The family of each guest system by its id, as far as templates need it: one cluster after the other is asked."""
    wanted = {one.get("summary.config.guestId") for one in found.machines(templates=True).values()} - {None}
    told: dict[str, str] = {}
    for cluster in found.objects["ComputeResource"].values():
        if wanted - told.keys():
            option = session.ask(cluster["environmentBrowser"], "QueryConfigOption", None, None)
            told |= {one.id: one.family for one in option.guestOSDescriptor if one.family}
    return told


def fetch_changes(session: Session, wanted: Wanted, quiet: int) -> Iterator[frozenset[str]]:
    """The types of which something changes, as the server tells (WaitForUpdatesEx); ends by the session's deadline.

    The server is asked again when it was quiet for so many seconds. What it tells first is how everything is now.
    """
    from pyVmomi import vmodl

    _, question = fetch_filter(session, wanted)
    collector, version, is_known = session.content.propertyCollector, "", False
    session.ask(collector, "CreateFilter", question, True)
    while seconds := int(min(quiet, session.deadline.remaining())):
        options = vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=seconds)
        update = session.ask(collector, "WaitForUpdatesEx", version, options)
        if update is None:
            continue
        if is_known:
            yield frozenset(one.obj._wsdlName for each in update.filterSet for one in each.objectSet)
        version, is_known = update.version, is_known or not update.truncated
