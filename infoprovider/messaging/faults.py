"""What is said to the operator when a broker cannot be used: what failed, what was seen, what to do."""

import re
import shutil
import socket
import ssl
import subprocess

from infoprovider.errors import ChannelUnreachable, PublishError, Refused, Unconfirmed
from infoprovider.messaging.broker import BrokerSettings

_EXPIRED, _NOT_YET = 10, 9
_OTHER_NAMES = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_MOST_WORDS = 300
_OPENSSL_SECONDS = 5

_OF_CERTIFICATE = re.compile(r"certificate|unknown_?ca|unknown ca", re.IGNORECASE)
"""What the alerts of TLS say with which a broker refuses a certificate (RFC 8446, 6.2)."""

_BANNERS = (
    (b"HTTP/", "HTTP"),
    (b"<", "HTTP"),
    (b"SSH-", "SSH"),
    (b"\x15\x03", "TLS"),
    (b"220 ", "SMTP or FTP"),
    (b"AMQP", "AMQP"),
    (b"\x00\x00", "OpenWire"),
)


# --- on the way to the broker --------------------------------------------------------------------------------------


def unknown_name(address: str, error: OSError) -> ChannelUnreachable:
    """No address for the broker's name."""
    return ChannelUnreachable(
        f"cannot find the broker {address}: {said(error)}; correct the name in brokers, or the resolver of this machine"
    )


def nobody(address: str, error: OSError) -> ChannelUnreachable:
    """Nobody takes the connection."""
    if isinstance(error, TimeoutError | socket.timeout):
        remedy = "see whether the broker runs, and whether a firewall on the way lets this port through"
        return ChannelUnreachable(f"the broker {address} does not answer: no connection in time; {remedy}")
    remedy = "start the broker, or correct the port in brokers"
    return ChannelUnreachable(f"nobody is there at {address}: {said(error)}; {remedy}")


def unusable_authorities(settings: BrokerSettings, error: OSError) -> Refused:
    """Our file of authorities cannot be read."""
    place = settings.ca_file or settings.ca_path
    what = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else said(error)
    return Refused(
        f"the authorities in {place} cannot be used: {what}; name a file of certificates in PEM that this user may read"
    )


def unusable_certificate(settings: BrokerSettings, error: Exception) -> Refused:
    """Our certificate or its key cannot be read."""
    files = f"{settings.certificate} with {settings.key or 'the key in it'}"
    if isinstance(error, ssl.SSLError):
        what = "the key is of another certificate" if "MISMATCH" in str(error.reason) else f"{error.reason or error}"
    else:
        what = said(error) if isinstance(error, OSError) else str(error)
    remedy = "name a certificate and its key in PEM, not encrypted, which this user may read"
    return Refused(f"our certificate {files} cannot be used: {what}; {remedy}")


def no_tls(address: str, host: str, settings: BrokerSettings, error: OSError) -> PublishError:
    """The handshake failed: their certificate, or ours, or there is no TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_trusted(address, host, settings, error)
    if isinstance(error, TimeoutError):
        remedy = "name the port for STOMP over TLS in brokers, or write plain: true for one without TLS"
        return ChannelUnreachable(f"{address} took the connection and says nothing in TLS; {remedy}")
    if isinstance(error, ssl.SSLError) and _is_about_certificate(error):
        return refused_certificate(address, settings, error)
    if isinstance(error, ssl.SSLError) and error.reason in (
        "WRONG_VERSION_NUMBER",
        "UNEXPECTED_MESSAGE",
        "BAD_RECORD_TYPE",
    ):
        remedy = "name the port for STOMP over TLS in brokers, or write plain: true for one without TLS"
        return ChannelUnreachable(f"{address} does not speak TLS: {said(error)}; {remedy}")
    remedy = f"openssl s_client -connect {address} shows how far it comes"
    return ChannelUnreachable(f"no TLS with {address}: {said(error)}; {remedy}")


def _not_trusted(
    address: str, host: str, settings: BrokerSettings, error: ssl.SSLCertVerificationError
) -> ChannelUnreachable:
    judged = settings.ca_file or settings.ca_path or "the system's authorities"
    command = f"openssl s_client -connect {address} -servername {host}"
    seen = f"{error.verify_message}, judged by {judged}"
    match error.verify_code:
        case code if code == _EXPIRED:
            what = f"the certificate of the broker {address}, or of an authority above it, has expired"
            remedy = f"it must be renewed there: {command} | openssl x509 -noout -dates"
        case code if code == _NOT_YET:
            what = f"the certificate of the broker {address} is not valid yet"
            remedy = f"compare the clock here with: {command} | openssl x509 -noout -dates"
        case code if code in _OTHER_NAMES:
            what = f"the certificate of the broker {address} is made out to another name than {host}"
            remedy = f"write the name that it has into brokers: {command} | openssl x509 -noout -ext subjectAltName"
        case _:
            what = f"the broker {address} is not trusted: nobody known here vouches for its certificate"
            remedy = f"name the certificate of its authority as ca_file: {command} -showcerts"
    return ChannelUnreachable(f"{what}: {seen}; {remedy}")


# --- on an open connection -----------------------------------------------------------------------------------------


def lost(address: str, settings: BrokerSettings, error: OSError, *, has_answered: bool) -> PublishError:
    """The connection broke. Under TLS 1.3 a broker refuses a certificate only after our side of the handshake."""
    if isinstance(error, ssl.SSLError) and _is_about_certificate(error):
        return refused_certificate(address, settings, error)
    if has_answered:
        return ChannelUnreachable(
            f"the connection to the broker {address} broke: {said(error)}; see the broker's log, or the network between"
        )
    hint = ", or one that refuses our certificate without a word" if settings.certificate else ""
    remedy = (
        f"see whether that port is for STOMP{' without TLS' if settings.plain else ' over TLS'}, and the broker's log"
    )
    return ChannelUnreachable(
        f"{address} ended the connection before it answered: {said(error)} (not a broker for STOMP{hint}); {remedy}"
    )


def refused_certificate(address: str, settings: BrokerSettings, error: ssl.SSLError) -> Refused:
    """The broker does not take our certificate, or wants one and got none."""
    if settings.certificate is None:
        return Refused(
            f"the broker {address} wants a certificate from us: {said(error)}; name certificate and key in the settings"
        )
    return Refused(
        f"the broker {address} refuses our certificate {settings.certificate}: {said(error)}; "
        f"{_certificate_in_words(settings)}"
    )


def other_protocol(address: str, settings: BrokerSettings, first: bytes) -> ChannelUnreachable:
    """What came first is no frame of STOMP."""
    spoken = next((name for banner, name in _BANNERS if first.startswith(banner)), "something else")
    if spoken == "TLS" and settings.plain:
        remedy = "take out plain: true, or name the port without TLS"
    else:
        remedy = "name the broker's port for STOMP in brokers"
    return ChannelUnreachable(f"{address} speaks {spoken}, not STOMP: it began with {first[:40]!r}; {remedy}")


def silent(address: str, settings: BrokerSettings, what: str, seconds: float) -> ChannelUnreachable:
    """It says nothing at all."""
    remedy = "see whether that port is for STOMP, and whether the broker is overloaded or hangs"
    if settings.plain:
        remedy += "; a port for TLS needs plain: true taken out"
    return ChannelUnreachable(f"the broker {address} is silent: {what} within {seconds:.3g} s; {remedy}")


def unconfirmed(address: str, confirmed: int, of: int, seconds: float) -> Unconfirmed:
    """Receipts are missing."""
    return Unconfirmed(
        f"the broker {address} confirmed {confirmed} of {of} messages within {seconds:.3g} s; "
        "see whether it is overloaded or its disk is slow, or give the channel a longer deadline"
    )


def refused(address: str, user: str, doing: str, frame_message: str) -> PublishError:
    """An ERROR frame, by what it says; `doing` is what we were at, such as `sending to /topic/x`."""
    said_ = _printable(frame_message) or "it does not say why"
    lower = said_.lower()
    if "authorized to" in lower:
        what, remedy = f"does not allow us {doing}", "ask its administrators for the right to it"
    elif "password is invalid" in lower or "authentic" in lower or "unable to validate" in lower or "login" in lower:
        what = f"does not know us as {user}"
        remedy = "correct user and password, or let the broker's administrators register the certificate's subject"
    elif "frame size" in lower:
        what = f"refuses a message as too large ({doing})"
        remedy = "write a smaller part_bytes, or let its wireFormat.maxFrameSize be raised"
    elif "full" in lower or "no space" in lower:
        what = f"is full ({doing})"
        remedy = "its administrators must free or enlarge its store; readers that stay away fill it"
    elif "clientid" in lower or "client id" in lower or "already connected" in lower:
        what, remedy = f"has another connection in our name ({doing})", "stop the other one, or write another client_id"
    else:
        what, remedy = f"refuses ({doing})", "see the broker's log"
    return Refused(f"the broker {address} {what}: {said_}; {remedy}")


# --- words ---------------------------------------------------------------------------------------------------------


def said(error: OSError) -> str:
    """What the system said, short."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return (error.strerror or str(error) or type(error).__name__).lower()


def _is_about_certificate(error: ssl.SSLError) -> bool:
    reason = error.reason or str(error)
    return "ALERT" in reason.upper() and bool(_OF_CERTIFICATE.search(reason.replace("_", " ")))


def _certificate_in_words(settings: BrokerSettings) -> str:
    """Whose it is and till when, for whoever must see why it was refused."""
    advice = "let the broker trust its issuer, or name another certificate"
    openssl = shutil.which("openssl")
    if openssl is None:
        return advice
    command = [openssl, "x509", "-noout", "-subject", "-issuer", "-enddate", "-checkend", "0", "-nameopt", "RFC2253"]
    try:
        done = subprocess.run(  # noqa: S603  (no shell, and the words are ours)
            [*command, "-in", str(settings.certificate)], capture_output=True, timeout=_OPENSSL_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return advice
    parts = dict(line.split("=", 1) for line in done.stdout.decode(errors="replace").splitlines() if "=" in line)
    until = f"it ended on {parts.get('notAfter')}" if done.returncode else f"it is valid until {parts.get('notAfter')}"
    advice = "renew it" if done.returncode else advice
    return f"{advice} (subject {parts.get('subject')}, issued by {parts.get('issuer')}, {until})"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text).strip()[:_MOST_WORDS]
