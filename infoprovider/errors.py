"""The exception tree and the exit codes; imports nothing of ours, everyone may import it.

InfoproviderError
    ConfigError          2   what the operator wrote cannot be used; every finding with its place in the file
    PluginError          3   unknown kind, a package that is not installed, a broken contract
    CollectError         4   a VM manager did not give what was asked
        Unreachable, DeadlineExceeded (retryable), Unauthorised, Malformed, Unsupported, Crashed
    MappingError         5   a fact that cannot be expressed as GLUE 2.0
    RenderError          5   a document that cannot be written in a format
    ValidationFailed     6   what was rendered breaks the rules
    PublishError         7   the channel did not take it
        ChannelUnreachable (retryable), Refused, Unconfirmed (retryable)
    StoreError           8   the state folder is locked, unreadable or full
    QueryError           9   an LDAP server did not answer as a broker needs it
    MessageRefused       6   a message that cannot be believed, or cannot be used

0 is success, 1 a fault of ours, 10 partly (something was published, something was not).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command returns to the shell; scripts may rely on these numbers."""

    SUCCESS = 0
    INTERNAL = 1
    CONFIG = 2
    PLUGIN = 3
    COLLECT = 4
    MAPPING = 5
    VALIDATION = 6
    PUBLISH = 7
    STORE = 8
    QUERY = 9
    PARTLY = 10


class InfoproviderError(Exception):
    """Whatever infoprovider raises on purpose: one message of what failed, what was seen and what to do."""

    exit_code = ExitCode.INTERNAL
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake in a file that the operator wrote.

    `line` and `column` count from 1 and are None where the file as a whole is meant; `path` is the place in the
    document, `instances[2].settings.file`; `what` says what was found, `why` what is wrong with it (may be empty),
    `remedy` what to write instead.
    """

    file: str
    line: int | None = None
    column: int | None = None
    path: str = ""
    what: str
    why: str = ""
    remedy: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        path = f" {self.path}:" if self.path else ""
        why = f" ({self.why})" if self.why else ""
        return f"{place}:{path} {self.what}{why}; {self.remedy}"


class ConfigError(InfoproviderError):
    """What the operator wrote cannot be used; `findings` holds every mistake, not only the first."""

    exit_code = ExitCode.CONFIG

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class PluginError(InfoproviderError):
    """A provider or publisher that is unknown, cannot be imported, or breaks its contract."""

    exit_code = ExitCode.PLUGIN

    def __init__(self, what: str, *, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}; {remedy}")


class CollectError(InfoproviderError):
    """A VM manager did not give what was asked."""

    exit_code = ExitCode.COLLECT


class Unreachable(CollectError):
    """Nobody answered at the manager's address."""

    retryable = True


class DeadlineExceeded(CollectError):
    """The answer did not come in time."""

    retryable = True


class Unauthorised(CollectError):
    """The manager refused the account; someone must act."""


class Malformed(CollectError):
    """The answer is not what the manager's documentation says."""


class Unsupported(CollectError):
    """A manager of this version cannot tell."""


class Crashed(CollectError):
    """The collection ended in a way that nobody foresaw."""


class MappingError(InfoproviderError):
    """A fact that cannot be expressed as GLUE 2.0: which fact, which entity."""

    exit_code = ExitCode.MAPPING


class RenderError(InfoproviderError):
    """A document that cannot be written in a format, or a template that leaves out what it must carry.

    `entity` is the ID of the entity at which it came to that, where there is one.
    """

    exit_code = ExitCode.MAPPING

    def __init__(self, message: str, *, entity: str = "") -> None:
        self.entity = entity
        super().__init__(message)


class ValidationFailed(InfoproviderError):
    """What was rendered breaks a rule that a reader depends on."""

    exit_code = ExitCode.VALIDATION


class PublishError(InfoproviderError):
    """A channel did not take the document."""

    exit_code = ExitCode.PUBLISH


class ChannelUnreachable(PublishError):
    """Nobody answered at the channel's address."""

    retryable = True


class Refused(PublishError):
    """The channel said no."""


class Unconfirmed(PublishError):
    """Whether the channel took the document is not known."""

    retryable = True


class StoreError(InfoproviderError):
    """The state folder is locked, unreadable or full."""

    exit_code = ExitCode.STORE


class QueryError(InfoproviderError):
    """An LDAP server, or a file of LDIF, did not answer as a broker needs it."""

    exit_code = ExitCode.QUERY


class MessageRefused(InfoproviderError):
    """A message that cannot be believed, or cannot be used; what it says begins with a verb: "has …", "is …"."""

    exit_code = ExitCode.VALIDATION
