"""Signing in to an OpenStack, and asking it: plain GET requests through keystoneauth, errors in our own words.

Nothing is tried twice here but what a service asks for itself: a token that it refuses is renewed once (by
keystoneauth), and a pause that it wants is kept (patience.py).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, TypeAlias
from urllib.parse import urlencode, urlsplit

from infoprovider import __version__
from infoprovider.deadline import Deadline
from infoprovider.errors import DeadlineExceeded, Malformed, Unauthorised, Unreachable, Unsupported
from infoprovider.providers.openstack.patience import origin, pause_of

Session: TypeAlias = Any
"""keystoneauth1.session.Session, which only whoever uses this provider needs to have."""


USER_AGENT = f"infoprovider/{__version__}"

_VERSIONS = {"image": "/v2", "network": "/v2.0", "identity": "/v3", "compute": "/v2.1"}
"""What stands between a service's address and the paths of its API, where the catalogue leaves it out."""

_VERSION = re.compile(r"/v\d+(\.\d+)?(/|$)")


class Forbidden(Unauthorised):
    """The account is known and has no right to this."""


class NotThere(Unsupported):
    """The cloud has no such service, or this service no such call."""


class Account:
    """One sign-in, for one project: asks any service of the catalogue."""

    def __init__(
        self, session: Session, deadline: Deadline, label: str, region: str | None, interface: str = "public"
    ) -> None:
        self._session = session
        self._deadline = deadline
        self._region = region
        self._interface = interface
        self.label = label

    @property
    def project(self) -> tuple[str, str | None]:
        """Id and name of the project that the account works in. Raises what signing in raises."""
        access = self._access()
        if not access.project_id:
            raise Unauthorised(
                f"{self.label} is signed in to no project; name one in the sign-in (project_id), or an account of one"
            )
        return access.project_id, access.project_name

    @property
    def methods(self) -> tuple[str, ...]:
        """How the account proved who it is, in keystone's words."""
        return tuple(self._access()._data["token"].get("methods", ()))  # the library has no name for it

    @property
    def sign_in_url(self) -> str:
        """Where users sign in: as the catalogue says, else where this account did."""
        return self.url("identity") if self.has("identity") else self._auth_url

    def has(self, service: str) -> bool:
        """Whether the catalogue names a service."""
        try:
            self.url(service)
        except NotThere:
            return False
        return True

    def url(self, service: str) -> str:
        """Where the catalogue says that a service is. Raises NotThere."""
        from keystoneauth1 import exceptions

        try:
            found: str = self._access().service_catalog.url_for(
                service_type=service, interface=self._interface, region_name=self._region
            )
        except exceptions.CatalogException as error:
            where = f" in region {self._region}" if self._region else ""
            raise NotThere(
                f"the catalogue has no {self._interface} address of the service {service}{where}; "
                f"if the cloud has one, correct region or interface: it has {self._addresses()}"
            ) from error
        return found.rstrip("/")

    def _addresses(self) -> str:
        """Which regions the catalogue has, and which interfaces."""
        known = [one for endpoints in self._access().service_catalog.get_endpoints().values() for one in endpoints]
        regions, interfaces = (
            sorted({str(one[key]) for one in known if one.get(key)}) for key in ("region", "interface")
        )
        return ", ".join((*regions, *interfaces)) or "none"

    def compute_version(self) -> tuple[str, str]:
        """Address and highest microversion of the compute API. Raises NotThere where it is older than 2.1."""
        with self._translated("compute", self.url("compute")):
            data = self._session.get_endpoint_data(
                service_type="compute",
                interface=self._interface,
                region_name=self._region,
                min_version="2.1",
                max_version="2.latest",
            )
        if data is None or data.max_microversion is None:
            # The library takes a service that fails for an old one: asked plainly, it says what is wrong.
            self._get("compute", f"{_without_project(self.url('compute'))}/", "")
            raise NotThere("the compute API knows no microversions; it is older than version 2.1 (2015)")
        major, minor = data.max_microversion
        return str(data.url).rstrip("/"), f"{major}.{minor}"

    def get(self, service: str, path: str, *, microversion: str = "", query: Mapping[str, str] | None = None) -> Any:
        """One answer as plain data.

        Raises Forbidden, NotThere, Unauthorised, Unreachable, DeadlineExceeded, Malformed.
        """
        url = joined_url(self.url(service), service, path)
        return self._get(service, f"{url}?{urlencode(query)}" if query else url, microversion)

    def pages(
        self, service: str, path: str, key: str, *, microversion: str = "", query: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """A whole list: all of its pages are followed. Raises as `get` does."""
        url = joined_url(self.url(service), service, path)
        page = self.get(service, path, microversion=microversion, query=query)
        found = _listed(page, key, f"{url}?{urlencode(query)}" if query else url)
        seen: set[str] = set()
        while (link := _following(page, key)) is not None:
            # Of a link only its query is taken: a service behind a proxy may not know its own address.
            following = urlsplit(link).query
            if following in seen:
                raise Malformed(f"the pages of {url} lead back to themselves; report it to the cloud's operator")
            seen.add(following)
            page = self._get(service, f"{url}?{following}", microversion)
            found += _listed(page, key, url)
        return found

    def in_project(self, project: str) -> "Account":
        """The same user in another project, by the token that is there. Its first question signs in."""
        from keystoneauth1.identity.generic import Token
        from keystoneauth1.session import Session

        with self._translated("identity", self._auth_url, _SIGN_IN_VERDICTS):
            token = Token(
                self._auth_url, token=str(self._session.get_token()), project_id=project, reauthenticate=False
            )
        session = Session(
            auth=token,
            session=self._session.session,
            verify=self._session.verify,
            cert=self._session.cert,
            user_agent=USER_AGENT,
            discovery_cache=self._session._discovery_cache,
        )
        label = f"{self.label} in project {project}"
        return Account(session, self._deadline, label, self._region, self._interface)

    @property
    def _auth_url(self) -> str:
        return str(getattr(self._session.auth, "auth_url", ""))

    def _access(self) -> Any:
        with self._translated("identity", self._auth_url, _SIGN_IN_VERDICTS):
            auth: Any = self._session.auth
            return auth.get_access(self._session)

    def _get(self, service: str, url: str, microversion: str) -> Any:
        headers = {"Accept": "application/json"}
        if microversion:
            headers["OpenStack-API-Version"] = f"{service} {microversion}"
        with self._translated(service, url):
            response = self._session.get(url, headers=headers, raise_exc=False)
        _refuse(response, service, url, self.label, _VERDICTS)
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise Malformed(
                f"GET {url}: the answer is no JSON; look at what stands between us and {service}"
            ) from error

    @contextmanager
    def _translated(self, service: str, url: str, verdicts: "Verdicts | None" = None) -> Iterator[None]:
        """What keystoneauth raises as what we raise; no message of its own is passed on, for it may quote secrets."""
        from keystoneauth1 import exceptions

        if not self._deadline.remaining():
            raise DeadlineExceeded(f"no time was left to ask {url}; give the instance a longer deadline")
        try:
            yield
        except exceptions.ClientException as error:
            self._refuse(error, service, url, verdicts or _VERDICTS)

    def _refuse(self, error: Exception, service: str, url: str, verdicts: "Verdicts") -> NoReturn:
        from keystoneauth1 import exceptions

        where = f"{service} at {origin(url)}"
        match _origin_of(error):
            case exceptions.HttpError() as refusal:
                _refuse(refusal.response, service, refusal.url or url, self.label, verdicts, refusal.http_status)
            case exceptions.SSLError() as fault:
                raise Unreachable(
                    f"{where} is not trusted: {_tls_fault(fault)}; name the authority that issued its certificate as "
                    "ca_file, or cacert in clouds.yaml"
                ) from error
            case exceptions.ConnectTimeout() as fault if _is_of_the_network(fault):
                raise Unreachable(
                    f"{where} cannot be reached: nobody takes the connection; check the address, and whether a "
                    "firewall lets us through"
                ) from error
            case exceptions.ConnectionError() as fault:
                if isinstance(fault, exceptions.ConnectTimeout) or not self._deadline.remaining():
                    raise DeadlineExceeded(
                        f"{where} did not answer in time; see whether it hangs, or give the instance a longer deadline"
                    ) from error
                raise Unreachable(
                    f"{where} cannot be reached: {_network_fault(fault)}; check the address and that the service runs"
                ) from error
            case exceptions.DiscoveryFailure():
                raise Malformed(
                    f"{service} at {url} does not say which versions it has; check the address, which for auth_url "
                    "ends with /v3 as a rule"
                ) from error
        raise Malformed(
            f"{service} at {url}: the answer cannot be used ({type(error).__name__}); check the sign-in, the address, "
            "and what stands between"
        ) from error


def joined_url(url: str, service: str, path: str) -> str:
    """The address of a call: the API's version is put in where the catalogue leaves it out."""
    version = "" if _VERSION.search(urlsplit(url).path) else _VERSIONS.get(service, "")
    return f"{url}{version}{path}"


def _without_project(url: str) -> str:
    """An address of a service up to its version: older catalogues put the project's id behind it."""
    return re.sub(rf"({_VERSION.pattern}).*", r"\1", url).rstrip("/")


def _listed(page: Any, key: str, url: str) -> list[dict[str, Any]]:
    found = page.get(key) if isinstance(page, dict) else None
    if not isinstance(found, list):
        raise Malformed(f"GET {url}: the answer has no list {key}; look at what stands between us and the service")
    return list(found)


def _following(page: Any, key: str) -> str | None:
    """Where the next page is: compute and network tell by links beside the list, image by `next`, identity by both."""
    links = page.get(f"{key}_links", ())
    named: dict[str, Any] = page.get("links") or {}
    return next((link["href"] for link in links if link.get("rel") == "next"), page.get("next") or named.get("next"))


Verdicts: TypeAlias = Mapping[int, Callable[[str, Any], Exception]]
"""What a status means: by the status, the error that is made of what was asked and of the answer."""


def _refuse(response: Any, service: str, url: str, label: str, verdicts: Verdicts, status: int = 0) -> None:
    """Raise what an answer's status says, if it says no; `status` is that of an answer that is gone."""
    code = response.status_code if response is not None else status
    if code < 400 and response is not None:
        return
    asked = f"signing in at {url}" if verdicts is _SIGN_IN_VERDICTS else f"GET {url}"
    verdict = verdicts.get(code)
    if verdict is not None:
        raise verdict(f"{asked} with {label}", response)
    if 400 <= code < 500:
        raise Malformed(f"{asked}: {service} answered with error {code}; its log says why")
    raise Unreachable(f"{asked}: {service} answered with error {code}; its log says why")


def _no_way_in(asked: str, _response: Any) -> Exception:
    return Unauthorised(
        f"{asked} was refused: user, secret or token are wrong or have expired, or the project does not exist, is "
        "disabled, or gives this user no role; correct what the settings name"
    )


def _no_such_token(asked: str, _response: Any) -> Exception:
    if "/auth/tokens" not in asked:
        return Unreachable(f"{asked}: no keystone is there; correct auth_url, which ends with /v3 as a rule")
    return Unauthorised(
        f"{asked} was in vain: the token has expired or was revoked, or no keystone is there; renew it where the "
        "settings name it, or correct auth_url"
    )


def _unauthorised(asked: str, _response: Any) -> Exception:
    return Unauthorised(
        f"{asked} was refused, although signing in worked: the token has expired meanwhile, or this service cannot "
        "check tokens; renew the token where the settings name it, or see the log of the service"
    )


def _forbidden(asked: str, _response: Any) -> Exception:
    return Forbidden(f"{asked} is not allowed; give the account a role that docs/providers/openstack.md has")


def _not_there(asked: str, _response: Any) -> Exception:
    return NotThere(f"{asked}: there is no such thing in this cloud")


def _too_old(asked: str, _response: Any) -> Exception:
    return NotThere(f"{asked}: the service is older than this call; release Train (2019) or a newer one is needed")


def _too_many(asked: str, response: Any) -> Exception:
    pause = pause_of(response) if response is not None else None
    wish = f" and asks to wait {pause} s, for which the deadline is too short" if pause else ""
    return Unreachable(
        f"{asked}: the cloud takes no more requests now{wish}; ask less often (every) or with fewer connections"
    )


_VERDICTS: Verdicts = {401: _unauthorised, 403: _forbidden, 404: _not_there, 406: _too_old, 429: _too_many}
_SIGN_IN_VERDICTS: Verdicts = {401: _no_way_in, 403: _no_way_in, 404: _no_such_token, 429: _too_many}


def _origin_of(error: BaseException) -> BaseException:
    """What a failed search for versions failed by: keystoneauth hides that behind an error of its own."""
    from keystoneauth1 import exceptions

    fault: BaseException | None = error
    while fault is not None:
        if isinstance(fault, exceptions.HttpError | exceptions.ConnectionError):
            return fault
        fault = fault.__cause__ or fault.__context__
    return error


def _is_of_the_network(error: BaseException) -> bool:
    """Whether no connection came about, unlike one on which nothing was answered."""
    from requests.exceptions import ConnectTimeout

    return isinstance(error.__context__, ConnectTimeout)


def _tls_fault(error: BaseException) -> str:
    """Why a certificate is refused, as OpenSSL says it."""
    found = re.search(r"certificate verify failed: ([^(\"']+)", str(error))
    return found.group(1).strip() if found else "its certificate cannot be verified"


def _network_fault(error: BaseException) -> str:
    """What the system says of a connection that fails, without the address that the message repeats."""
    found = re.search(r"\[Errno -?\d+\] ([^'\")]+)", str(error))
    return found.group(1).strip() if found else "the connection broke"
