"""Where brokers are and how one signs in there: what a channel that publishes and a receiver have in common."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from infoprovider.secret import Secret
from infoprovider.settings import Duration, FilePath, FolderPath, Settings

_LAST_PORT = 65535


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of an address; the host without brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _has_port(address: str) -> str:
    if host_and_port(address)[1] > _LAST_PORT:
        raise ValueError(f"its port is beyond {_LAST_PORT}")
    return address


Address = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\]):[1-9][0-9]{0,4}$"),
    AfterValidator(_has_port),
    Field(description="a host and a port, such as mq.example.org:61612"),
]
"""Host and port of a broker; an IPv6 address stands in brackets."""


class BrokerSettings(Settings):
    """The brokers, in the order in which they are tried, and who we are to them.

    Their certificates are judged by the authorities in `ca_file` or `ca_path`, else by those of the system. `plain`
    goes without TLS. `certificate` and `key` are files in PEM; without `key`, the certificate's file has it too.
    `heartbeat` is how long either side may say nothing.
    """

    brokers: Annotated[tuple[Address, ...], Field(min_length=1, max_length=16)]
    plain: bool = False
    ca_file: FilePath | None = None
    ca_path: FolderPath | None = None
    certificate: FilePath | None = None
    key: FilePath | None = None
    user: Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\r\n]*$")] | None = None
    password: Secret | None = None
    heartbeat: Annotated[Duration, Field(ge=1, le=3600)] = 10.0

    @model_validator(mode="after")
    def _is_one_way_in(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together: write both or neither")
        if self.key is not None and self.certificate is None:
            raise ValueError("there is a key without a certificate: write both or neither")
        if self.ca_file is not None and self.ca_path is not None:
            raise ValueError("ca_file and ca_path say the same in two ways: write one of them")
        if self.plain and (self.certificate or self.ca_file or self.ca_path):
            raise ValueError("plain goes without TLS, where certificates mean nothing: take out plain, or them")
        return self
