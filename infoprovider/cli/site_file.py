"""The site files that federated clouds already have: who they are, where they are asked, which VO has which project.

The format is that of the operators' collection of sites (EGI-Federation/fedcloud-catchall-operations, README):

    gocdb: MY-SITE
    endpoint: https://cloud.example.org:5000/v3
    protocol: openid                    # or oidc
    region: north
    auth_type: v3oidcaccesstoken        # or v3applicationcredential
    vos:
      - name: vo.example.org
        auth: { project_id: 0123456789abcdef }
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from infoprovider.cli.first_file import Proposal, Served
from infoprovider.config.model import RegisteredName
from infoprovider.errors import ConfigError, Finding
from infoprovider.yamlcheck import gathered, validate
from infoprovider.yamlfile import Document, read_file

IDENTITY_PROVIDER = "egi.eu"
"""What the sites' keystones call Check-in; a site that calls it otherwise writes it into its clouds.yaml as well."""

TOKEN_FILE = "secrets/access-token"  # noqa: S105  (where it is, not what it is)


class _Lenient(BaseModel):
    """Further keys are allowed and told: those files serve other programs, too."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class _Auth(_Lenient):
    project_id: Annotated[str, StringConstraints(min_length=1), Field(description="the project's own id")]


class _Vo(_Lenient):
    name: RegisteredName
    auth: _Auth


class _SiteFile(_Lenient):
    gocdb: RegisteredName
    endpoint: Annotated[
        str, StringConstraints(pattern=r"^https?://\S+$"), Field(description="the URL of the site's keystone")
    ]
    protocol: Literal["openid", "oidc"] = "openid"
    region: str | None = None
    auth_type: Literal["v3oidcaccesstoken", "v3applicationcredential"] = "v3oidcaccesstoken"
    vos: Annotated[tuple[_Vo, ...], Field(min_length=1)]


_ADAPTER = TypeAdapter(_SiteFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the files of a site say: its registered name, its clouds, whom they serve, and what was not taken over."""

    name: str
    instances: tuple[Proposal, ...]
    served: tuple[Served, ...]
    left_out: tuple[str, ...]


def read_site_files(files: Sequence[Path]) -> Site:
    """The site that the files describe, one file for each of its clouds.

    Raises ConfigError with every mistake in them, and where they are of different sites.
    """
    findings: list[Finding] = []
    read: list[tuple[Document, _SiteFile]] = []
    for file in files:
        with gathered(findings):
            document = read_file(file)
            read.append((document, validate(document, _ADAPTER)))
    names = dict.fromkeys(written.gocdb for _, written in read)
    findings += [
        document.finding(
            ("gocdb",),
            f"is {written.gocdb}, and another file's is {next(iter(names))}",
            remedy="name files of one site",
        )
        for document, written in read
        if written.gocdb != next(iter(names))
    ]
    if findings:
        raise ConfigError(findings)
    instances = [_instance(written, index) for index, (_, written) in enumerate(read)]
    served: dict[tuple[str, str], Served] = {}
    left_out = []
    for (document, written), instance in zip(read, instances, strict=True):
        left_out += [f"{document.line((key,))}: {key}" for key in _unknown(written)]
        for index, vo in enumerate(written.vos):
            other = served.setdefault((instance.name, vo.auth.project_id), _served(vo, instance))
            if other.community != vo.name:
                place = document.line(("vos", index))
                left_out.append(
                    f"{place}: {vo.name} works in the same project as {other.community}: a share serves one"
                )
            left_out += [f"{document.line(('vos', index, key))}: {key} of {vo.name}" for key in _unknown(vo)]
            left_out += [f"{document.line(('vos', index, 'auth'))}: {key} of {vo.name}" for key in _unknown(vo.auth)]
    return Site(
        name=next(iter(names)), instances=tuple(instances), served=tuple(served.values()), left_out=tuple(left_out)
    )


def _served(vo: _Vo, instance: Proposal) -> Served:
    return Served(community=vo.name, instance=instance.name, project=vo.auth.project_id)


def _unknown(written: _Lenient) -> Iterator[str]:
    yield from (str(key) for key in written.model_extra or {})


def _instance(written: _SiteFile, index: int) -> Proposal:
    """One OpenStack; the secrets are not in the site's file, so the settings say where they are expected."""
    projects = dict.fromkeys(vo.auth.project_id for vo in written.vos)
    settings: dict[str, Any] = {"region": written.region} if written.region else {}
    settings["projects"] = [_sign_in(written, project) for project in projects]
    return Proposal(name="openstack" if index == 0 else f"openstack-{index + 1}", kind="openstack", settings=settings)


def _sign_in(written: _SiteFile, project: str) -> dict[str, Any]:
    if written.auth_type == "v3applicationcredential":
        # A credential is of one project, and says which.
        auth = {
            "auth_url": written.endpoint,
            "application_credential_id": {"file": f"secrets/{project}.id"},
            "application_credential_secret": {"file": f"secrets/{project}.secret"},
        }
    else:
        auth = {
            "auth_url": written.endpoint,
            "identity_provider": IDENTITY_PROVIDER,
            "protocol": written.protocol,
            "project_id": project,
            "access_token": {"file": TOKEN_FILE},
        }
    return {"auth_type": written.auth_type, "auth": auth}
