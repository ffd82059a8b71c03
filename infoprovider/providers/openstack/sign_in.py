"""How an account of an OpenStack signs in: by an entry of clouds.yaml, or by any sign-in plug-in of keystoneauth."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infoprovider.errors import ConfigError, Finding
from infoprovider.providers.contract import Address
from infoprovider.providers.openstack.account import USER_AGENT, Account
from infoprovider.providers.openstack.patience import Patience, PatientAdapter
from infoprovider.providers.openstack.settings import Credentials, OpenStackSettings
from infoprovider.secret import Secret


@dataclass(frozen=True, slots=True)
class WayIn:
    """A sign-in that is ready: keystoneauth's plug-in, whom it trusts, the certificate that it shows, where it goes."""

    plugin: Any
    verify: bool | str = True
    certificate: str | tuple[str, str] | None = None
    region: str | None = None
    interface: str | None = None


def sign_in(
    credentials: Credentials, settings: OpenStackSettings, patience: Patience, versions: dict[str, Any] | None = None
) -> Account:
    """An account that signs in at its first question. Raises ConfigError where the sign-in is not complete.

    `versions` is what accounts share of the versions that services say they have, so that each is asked once.
    """
    from keystoneauth1.session import Session, TCPKeepAliveAdapter

    way = way_in(credentials, settings)
    verify = str(settings.ca_file) if settings.ca_file is not None else way.verify
    session: Any = Session(
        auth=way.plugin, verify=verify, cert=way.certificate, user_agent=USER_AGENT, discovery_cache=versions
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, PatientAdapter(TCPKeepAliveAdapter(pool_maxsize=settings.connections), patience))
    region, interface = settings.region or way.region, settings.interface or way.interface or "public"
    return Account(session, patience.deadline, credentials.label, region, interface)


def addresses(settings: OpenStackSettings) -> Iterator[Address]:
    """Where keystone is, for each sign-in, and whose certificates count there. Raises ConfigError as `way_in` does."""
    for credentials in (*([settings] if settings.is_given else []), *settings.projects):
        way = way_in(credentials, settings)
        verify = str(settings.ca_file) if settings.ca_file is not None else way.verify
        url = str(getattr(way.plugin, "auth_url", None) or "")
        if url:
            yield Address(url=url, authorities=_authorities(verify), is_verified=bool(verify))


def _authorities(verify: bool | str) -> Path | None:
    """The file that requests trusts: the one that is named, by the settings or the environment, else its own."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    if isinstance(verify, str):
        return Path(verify)
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return Path(named or DEFAULT_CA_BUNDLE_PATH) if verify else None


def way_in(credentials: Credentials, settings: OpenStackSettings) -> WayIn:
    """The sign-in as it will be used; nothing is asked yet. Raises ConfigError where it is not complete."""
    from keystoneauth1 import exceptions

    options = {name: value.reveal() if isinstance(value, Secret) else value for name, value in credentials.auth.items()}
    try:
        if credentials.cloud:
            return _from_clouds_yaml(credentials, settings, options)
        return WayIn(_from_options(credentials, options))
    except exceptions.NoMatchingPlugin as error:
        raise _unusable(
            credentials, f"there is no sign-in {error.name}", "write a name that keystoneauth knows"
        ) from error
    except exceptions.MissingRequiredOptions as error:
        missing = ", ".join(option.dest for option in error.options)
        raise _unusable(credentials, f"the sign-in lacks {missing}", "add it to auth") from error
    except exceptions.OptionError as error:
        raise _unusable(credentials, str(error).rstrip("."), "add it to auth") from error
    except (exceptions.AuthPluginException, TypeError) as error:
        raise _unusable(credentials, "the sign-in has options that do not fit", "see what its kind takes") from error


def _from_options(credentials: Credentials, options: dict[str, Any]) -> Any:
    from keystoneauth1 import loading

    loader: Any = loading.get_plugin_loader(credentials.auth_type or "password")
    known = {option.dest for option in loader.get_options()}
    unknown = sorted(options.keys() - known)
    if unknown:
        remedy = f"write some of {', '.join(sorted(known))}"
        raise _unusable(credentials, f"the sign-in has no option {', '.join(unknown)}", remedy)
    return loader.load_from_options(**options)


def _from_clouds_yaml(credentials: Credentials, settings: OpenStackSettings, options: dict[str, Any]) -> WayIn:
    from openstack.config.loader import OpenStackConfig
    from openstack.exceptions import ConfigException

    file = credentials.clouds_file
    if file is not None and not file.is_file():
        finding = Finding(file=str(file), what="cannot be read", remedy="name the clouds.yaml as clouds_file")
        raise ConfigError([finding])
    places: dict[str, Any] = {}
    if file is not None:
        places = {"config_files": [str(file)], "secure_files": [str(file.with_name("secure.yaml"))]}
    written = {"auth": options or None, "auth_type": credentials.auth_type, "region_name": settings.region}
    given: dict[str, Any] = {name: value for name, value in written.items() if value}
    try:
        with warnings.catch_warnings():
            # It warns of libraries that it would use for other things than ours.
            warnings.simplefilter("ignore")
            config = OpenStackConfig(load_envvars=False, app_name="infoprovider", **places)
            region = config.get_one(cloud=credentials.cloud, **given)
            verify, certificate = region.get_requests_verify_args()
    except ConfigException as error:
        where = str(file) if file is not None else "clouds.yaml"
        remedy = "write the name of an entry of that file, and a region that it has"
        finding = Finding(file=where, what=f"has no usable cloud {credentials.cloud}", remedy=remedy)
        raise ConfigError([finding]) from error
    return WayIn(
        region.get_auth(),
        True if verify is None else verify,
        certificate,
        region.region_name or None,
        region.config.get("interface"),
    )


def _unusable(credentials: Credentials, what: str, remedy: str) -> ConfigError:
    return ConfigError([Finding(file=f"openstack, {credentials.label}", what=what, remedy=remedy)])
