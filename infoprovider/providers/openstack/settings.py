"""What an operator writes for provider `openstack`: how to sign in, and what no API tells."""

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from infoprovider.inventory.model import SignIn
from infoprovider.secret import Secret
from infoprovider.settings import Count, FilePath, Mebibytes, Settings

_SECRET = re.compile(r"(password|secret|token|passcode)$")


def _no_secret_in_the_open(auth: dict[str, Any]) -> dict[str, Any]:
    for name, value in auth.items():
        if isinstance(value, str) and _SECRET.search(name):
            raise ValueError(f"{name} is a secret: write {{ file: path }} or {{ environment: NAME }} for its text")
    return auth


def _usual_clouds_file() -> Path | None:
    """The file that the OpenStack client would read, where its own variable names one."""
    named = os.environ.get("OS_CLIENT_CONFIG_FILE")
    return Path(named).absolute() if named else None


class Credentials(Settings):
    """One way in: an entry of clouds.yaml, or any sign-in plug-in of keystoneauth with its options.

    What stands in `auth` goes before what clouds.yaml says: a token from a file, the id of another project.
    """

    cloud: str | None = None
    clouds_file: FilePath | None = Field(default_factory=_usual_clouds_file)
    auth_type: str | None = None
    auth: Annotated[
        dict[str, str | bool | int | Secret],
        Field(description="a mapping of the sign-in's options; of secrets to { file: path } or { environment: NAME }"),
        AfterValidator(_no_secret_in_the_open),
    ] = {}

    @property
    def is_given(self) -> bool:
        """Whether there is anything to sign in with."""
        return self.cloud is not None or bool(self.auth)

    @property
    def label(self) -> str:
        """What the operator calls it."""
        return f"cloud {self.cloud}" if self.cloud else f"auth_type {self.auth_type or 'password'}"


class Device(Settings):
    """What is behind an alias of PCI devices or behind a resource class such as VGPU."""

    type: Annotated[str, Field(description="what it is: GPU, FPGA, MIC, …")]
    vendor: str | None = None
    model: str | None = None
    memory: Mebibytes | None = None


class OpenStackSettings(Credentials):
    """How to sign in, which projects are read, and what the site knows that no API tells.

    `projects` are further sign-ins, one for each project; `only_projects` are names or ids, where one account sees
    more than should be read. `sign_in` is how users come in, where it is not as this account does. `filters` are the
    scheduler's filters beyond the usual ones.
    """

    region: str | None = None
    interface: str | None = None
    ca_file: FilePath | None = None
    projects: tuple[Credentials, ...] = ()
    only_projects: tuple[str, ...] = ()
    connections: Annotated[Count, Field(ge=1, le=64, description="a whole number from 1 to 64")] = 8
    release: str | None = None
    sign_in: tuple[SignIn, ...] = ()
    devices: dict[str, Device] = {}
    hypervisor_names: dict[str, str] = {}
    filters: tuple[str, ...] = ()
    disk_is_shared: bool | None = None
    boots_from_volume: bool | None = None
    status_page: str | None = None

    @model_validator(mode="after")
    def _has_a_way_in(self) -> "OpenStackSettings":
        if not self.is_given and not self.projects:
            raise ValueError("it says nothing to sign in with: write cloud, or auth_type and auth, or projects")
        if not all(project.is_given for project in self.projects):
            raise ValueError("one of the projects says nothing to sign in with: write cloud, or auth_type and auth")
        return self
