"""What the file of `infoprovider follow` says: whom it listens to, whom it believes, where it keeps what it learns."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from infoprovider.secret import Secret
from infoprovider.settings import Duration, FilePath, FolderPath, Settings

LDAP_PORTS = {"ldap": 389, "ldaps": 636}
LDAP_URL = r"^ldaps?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?/?$"

LdapUrl = Annotated[
    str,
    StringConstraints(pattern=LDAP_URL),
    Field(description="the address of a server, such as ldap://127.0.0.1:2170"),
]


class LdapSettings(Settings):
    """The LDAP server in which the centres are kept live; nobody else writes into it.

    `timeout` is for connecting and for each answer that is waited for; `compare_every` for reading back what is there.
    """

    url: LdapUrl
    bind_dn: str = "o=glue"
    password: Secret | None = None
    start_tls: bool = False
    plain: bool = False
    ca_file: FilePath | None = None
    ca_path: FolderPath | None = None
    timeout: Duration = 30.0
    compare_every: Duration = 3600.0

    @property
    def scheme(self) -> str:
        """`ldap` or `ldaps`."""
        return self.url.partition(":")[0]

    @property
    def host(self) -> str:
        """The server's name or address."""
        return self._authority()[0]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._authority()[1]

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.start_tls or self.scheme == "ldaps"

    @property
    def is_local(self) -> bool:
        """Whether the way to it leaves this machine nowhere."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def _authority(self) -> tuple[str, int]:
        authority = self.url.partition("//")[2].rstrip("/")
        host, colon, port = authority.rpartition(":")
        if not colon or "]" in port:
            host, port = authority, ""
        return host.strip("[]"), int(port) if port else LDAP_PORTS[self.scheme]

    @model_validator(mode="after")
    def _check(self) -> "LdapSettings":
        if self.start_tls and self.scheme == "ldaps":
            raise ValueError("ldaps:// is encrypted from its beginning: leave out start_tls")
        if self.password is not None and not (self.is_encrypted or self.is_local or self.plain):
            raise ValueError(
                "the password would travel readable: write start_tls: true, an ldaps:// address or plain: true"
            )
        return self
