"""Whether the broker and the LDAP server take us: what `follow --check` tries, and leaves no trace of."""

from infoprovider.config.following import FollowingFile
from infoprovider.deadline import Deadline
from infoprovider.messaging.connection import connected
from infoprovider.reception.ldap_server import LdapServer

SECONDS = 15.0


def try_broker(settings: FollowingFile) -> None:
    """Sign in at a broker, and out again; nothing is subscribed to. Raises PublishError."""
    with connected(settings.broker, Deadline.after(SECONDS)):
        pass


def try_ldap(settings: FollowingFile) -> None:
    """Sign in at the LDAP server, where there is one. Raises ChannelUnreachable or Refused."""
    if settings.ldap is None:
        return
    server = LdapServer(settings.ldap)
    try:
        server.connect(Deadline.after(SECONDS))
    finally:
        server.close()
