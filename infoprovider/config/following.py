"""What the file of `infoprovider follow` says: whom it listens to, whom it believes, where it keeps what it learns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, model_validator

from infoprovider.config.model import LogBlock, RegisteredName, TemplateSet
from infoprovider.errors import QueryError
from infoprovider.ldif import split_dn
from infoprovider.messaging.broker import BrokerSettings
from infoprovider.messaging.signature import TrustSettings
from infoprovider.secret import Secret
from infoprovider.settings import Duration, FilePath, FolderPath, Settings
from infoprovider.yamlcheck import validate
from infoprovider.yamlfile import Document, read_file

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+")

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


Destination = Annotated[
    str,
    StringConstraints(pattern=r"^/(topic|queue)/[^\s]+$"),
    Field(description="a topic or a queue, such as /topic/glue2.documents.>"),
]
Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$"),
    Field(description="up to 127 letters, digits, dots, hyphens and underscores, a letter or digit first"),
]
Bytes = Annotated[int, Field(ge=2**10, le=2**34, description="a number of bytes from 1024")]


class SubscriptionSettings(Settings):
    """What is read from the brokers.

    From topics as a durable subscription of this name, under which the broker keeps what comes while we are away; from
    queues, such as those of virtual topics, as one of their consumers. `notices: null` reads none.
    """

    documents: Destination = "/topic/glue2.documents.>"
    notices: Destination | None = "/topic/glue2.notices.>"
    name: Name = "infoprovider-follow"
    selector: str | None = None

    @property
    def is_durable(self) -> bool:
        """Whether any of it is read under our name."""
        return any(self.durable(one) for one in (self.documents, self.notices) if one)

    def durable(self, destination: str) -> str:
        """The name under which the broker keeps what comes to this destination; empty for a queue, which keeps it."""
        kind = "documents" if destination == self.documents else "notices"
        return f"{self.name}-{kind}" if destination.startswith("/topic/") else ""


def _subject(text: str) -> str:
    """A subject so that two spellings of it are equal. Raises ValueError."""
    try:
        parts = split_dn(text)
    except QueryError:
        parts = ()
    if not parts or not all(_ATTRIBUTE.fullmatch(attribute) for attribute, _ in parts):
        raise ValueError("it is no subject as RFC 2253 writes it")
    return ",".join(f"{attribute.upper()}={value!r}" for attribute, value in parts)


Subject = Annotated[
    str,
    StringConstraints(min_length=1),
    AfterValidator(_subject),
    Field(description="a certificate's subject, the last part first: CN=host.example.org,O=Example,C=CH"),
]


class SignaturesSettings(TrustSettings):
    """Whose signatures are believed, and who may speak for which centre.

    With `required`, a message without a signature is refused, and so is one of a centre that has no `signers`.
    """

    required: bool = True
    signers: Mapping[RegisteredName, tuple[Subject, ...]] = {}

    def may_speak(self, signer: str, centre: str) -> bool:
        """Whether this subject is one of the centre's; where none is named and none required, anybody's is."""
        known = self.signers.get(centre)
        if known is None:
            return not self.required
        try:
            return _subject(signer) in known
        except ValueError:
            return False


class LimitSettings(Settings):
    """How much one message, one centre's document, and all centres together may be."""

    message_bytes: Bytes = 64 * 2**20
    document_bytes: Bytes = 2**30
    centres: Annotated[int, Field(ge=1, le=100_000, description="a number of centres")] = 2000


class FollowingFile(Settings):
    """The whole file.

    `centres` are those that are followed, empty for all that come; `grace` is how long after its expiry a document is
    still shown, for clocks that differ.
    """

    broker: BrokerSettings
    folder: FolderPath
    subscription: SubscriptionSettings = SubscriptionSettings()
    centres: tuple[RegisteredName, ...] = ()
    signatures: SignaturesSettings | None = None
    templates: TemplateSet = TemplateSet.SITE
    ldap: LdapSettings | None = None
    limits: LimitSettings = LimitSettings()
    grace: Duration = 120.0
    log: LogBlock = LogBlock()


@dataclass(frozen=True, slots=True)
class LoadedFollowing:
    """The settings, and the document that they were read from, which knows the place of everything in it."""

    settings: FollowingFile
    document: Document


def load_following(path: Path) -> LoadedFollowing:
    """The settings in this file; relative paths are seen from its folder. Raises ConfigError with every mistake."""
    document = read_file(path)
    settings = validate(document, TypeAdapter(FollowingFile), (), {"folder": path.parent.absolute()})
    return LoadedFollowing(settings, document)
