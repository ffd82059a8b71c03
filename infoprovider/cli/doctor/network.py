"""Whether each manager can be reached: proxy, name, port, certificate, an answer at all, and its clock beside ours."""

import http.client
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from infoprovider.cli import site
from infoprovider.cli.doctor.diagnosis import Finding, Severity
from infoprovider.cli.doctor.patient import Findings, Patient, instance
from infoprovider.errors import ConfigError
from infoprovider.providers.contract import Address

CONNECT_WITHIN = 5.0
ANSWER_WITHIN = 10.0
"""Seconds for a connection with its TLS, and for a first answer."""

ENDS_SOON_DAYS = 14.0
CLOCKS_APART = 60.0
"""Seconds between two clocks from which on stamps, tokens and certificates begin to suffer."""

_EXPIRED, _NOT_YET, _OTHER_HOST, _OTHER_IP = 10, 9, 62, 64
"""Verification errors of OpenSSL: X509_V_ERR_… of x509_vfy.h."""
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE")


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one address: findings, and how many seconds its clock is ahead of ours, where it said so."""

    findings: tuple[Finding, ...] = ()
    ahead: float | None = None


def reachability(patient: Patient) -> Findings:
    """What stands between us and the managers; then what their clocks say of ours."""
    places: dict[Address, frozenset[str]] = {}
    for one in patient.configuration.instances:
        for address in _addresses(one.block.kind, one.settings):
            places[address] = places.get(address, frozenset()) | instance(one.name)
    if not places:
        return
    with ThreadPoolExecutor(8) as pool:
        seen = dict(zip(places, pool.map(look, places), strict=True))
    for address, found in seen.items():
        yield from (replace(one, about=places[address]) for one in found.findings)
    yield from _clocks({address: found.ahead for address, found in seen.items() if found.ahead is not None}, places)


def _addresses(kind: str, settings: object) -> Iterable[Address]:
    addresses = site.provider(kind).addresses
    try:
        return list(addresses(settings)) if addresses is not None else []
    except ConfigError:  # which is told where the settings are looked at
        return []


def look(address: Address) -> Seen:
    """Go as far as possible towards one address."""
    parts = urlsplit(address.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    proxy = _proxy(parts.scheme, host)
    if proxy:
        return Seen(tuple(_of_proxy(proxy, host)))
    try:
        line = socket.create_connection((host, port), CONNECT_WITHIN)
    except socket.gaierror as error:
        return Seen((_no_name(host, error),))
    except OSError as error:
        return Seen((_no_port(host, port, error),))
    with ExitStack() as open_lines:
        open_lines.enter_context(closing(line))
        warnings: tuple[Finding, ...] = ()
        if parts.scheme == "https":
            try:
                line, warnings = _secured(line, host, port, address)
            except _NotTrusted as refusal:
                return Seen((refusal.finding,))
            open_lines.enter_context(closing(line))
        line.settimeout(ANSWER_WITHIN)
        answer = _first_answer(line, host, f"{host}:{port}", parts.path or "/")
    found = (*warnings, answer) if isinstance(answer, Finding) else warnings
    return Seen(found, answer if isinstance(answer, float) else None)


# --- proxy, name, port ---------------------------------------------------------------------------------------------


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that libraries take for this host, by the environment."""
    if not host or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(scheme) or proxies.get("all")


def _of_proxy(proxy: str, host: str) -> Iterator[Finding]:
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    name, port = parts.hostname or "", parts.port or 3128
    try:
        socket.create_connection((name, port), CONNECT_WITHIN).close()
    except OSError as error:
        yield Finding(
            kind="proxy",
            cause=f"the environment sends us through the proxy {name}:{port}, which cannot be reached",
            seen=_said(error),
            remedy=f"export no_proxy={host}, or correct http_proxy and https_proxy of the service",
        )


def _no_name(host: str, error: socket.gaierror) -> Finding:
    is_silent = error.errno == socket.EAI_AGAIN
    return Finding(
        kind="dns",
        cause=f"the name {host} cannot be resolved" + (": no name server answers" if is_silent else ""),
        seen=_said(error),
        remedy=f"getent hosts {host}; then correct "
        + ("/etc/resolv.conf" if is_silent else "the address in the settings, or the name service"),
    )


def _no_port(host: str, port: int, error: OSError) -> Finding:
    refused = isinstance(error, ConnectionRefusedError)
    why = "nobody listens there" if refused else "nobody takes the connection"
    return Finding(
        kind="port",
        cause=f"{host}:{port} cannot be reached: {why}",
        seen=_said(error),
        remedy="see that the service runs there, and correct the port in the settings"
        if refused
        else f"let this machine through the firewalls to {host}:{port}, or correct the address",
    )


def _said(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing within {CONNECT_WITHIN:g} s"
    return (error.strerror or str(error)).lower()


# --- TLS -----------------------------------------------------------------------------------------------------------


class _NotTrusted(Exception):
    """The connection cannot be secured, and why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.cause)


def _secured(line: socket.socket, host: str, port: int, address: Address) -> tuple[ssl.SSLSocket, tuple[Finding, ...]]:
    """The line under TLS, and what is to be said of its certificate. Raises _NotTrusted."""
    context = _context(address)
    where = f"{host}:{port}"
    try:
        secured = context.wrap_socket(line, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise _NotTrusted(_not_trusted(where, host, error, address)) from error
    except ssl.SSLError as error:
        raise _NotTrusted(_no_tls(where, error)) from error
    except OSError as error:
        raise _NotTrusted(_silent(where, error, "its TLS did not come about")) from error
    if not address.is_verified:
        warning = Finding(
            kind="certificate-unchecked",
            severity=Severity.WARNING,
            cause=f"the certificate of {where} is not checked: anybody may stand there and take the password",
            seen="the settings turn the check off",
            remedy="name the authority as ca_file, and take verify: false out of clouds.yaml",
        )
        return secured, (warning,)
    return secured, tuple(_end_of(secured.getpeercert() or {}, where))


def _context(address: Address) -> ssl.SSLContext:
    if not address.is_verified:
        return ssl._create_unverified_context()  # noqa: S323  (as the operator wants it; nothing is sent but a question)
    file = address.authorities
    try:
        if file is not None and file.is_dir():
            return ssl.create_default_context(capath=str(file))
        return ssl.create_default_context(cafile=str(file) if file is not None else None)
    except OSError as error:  # an SSLError is one too
        finding = Finding(
            kind="authorities",
            cause=f"the file of authorities {file} cannot be used",
            seen="it holds no certificate" if isinstance(error, ssl.SSLError) else _said(error),
            remedy=f"openssl x509 -noout -subject -in {file}; then name a file with certificates in PEM",
        )
        raise _NotTrusted(finding) from error


def _not_trusted(where: str, host: str, error: ssl.SSLCertVerificationError, address: Address) -> Finding:
    command = f"openssl s_client -connect {where} -servername {host} </dev/null"
    match error.verify_code:
        case code if code == _EXPIRED:
            cause = f"the certificate of {where}, or of an authority above it, has expired"
            remedy = f"renew it there: {command} | openssl x509 -noout -dates"
        case code if code == _NOT_YET:
            cause = f"the certificate of {where} is not valid yet: it is too new, or this machine's clock is behind"
            remedy = f"compare `date -u` with: {command} | openssl x509 -noout -dates"
        case code if code in (_OTHER_HOST, _OTHER_IP):
            cause = f"the certificate of {where} is made out to another name than {host}"
            remedy = f"write the name that it has: {command} | openssl x509 -noout -ext subjectAltName"
        case _:
            cause = f"the authority that issued the certificate of {where} is not known here"
            remedy = f"name its certificate as ca_file, or let the server send the whole chain: {command} -showcerts"
    trusted = f"by {address.authorities}" if address.authorities else "by the system's authorities"
    return Finding(kind="tls", cause=cause, seen=f"{error.verify_message}, judged {trusted}", remedy=remedy)


def _no_tls(where: str, error: ssl.SSLError) -> Finding:
    if error.reason in _NOT_TLS:
        cause, remedy = f"{where} speaks no TLS", "write http:// in the address, or the port that has TLS"
    else:
        cause, remedy = f"{where} and this machine agree on no TLS", f"openssl s_client -connect {where} says why"
    return Finding(kind="tls", cause=cause, seen=error.reason or str(error), remedy=remedy)


def _end_of(certificate: Mapping[str, object], where: str) -> Iterator[Finding]:
    until = certificate.get("notAfter")
    if not isinstance(until, str):
        return
    days = (ssl.cert_time_to_seconds(until) - time.time()) / 86400
    if days < ENDS_SOON_DAYS:
        yield Finding(
            kind="certificate-ends",
            severity=Severity.WARNING,
            cause=f"the certificate of {where} ends in {max(0, int(days))} days",
            seen=f"it is valid until {until}",
            remedy="renew it there in time; then nothing is to be done here",
        )


# --- an answer, and its clock --------------------------------------------------------------------------------------


def _first_answer(line: socket.socket, host: str, where: str, path: str) -> Finding | float | None:
    """How many seconds the clock there is ahead of ours; None where it does not say; what is wrong with the answer."""
    question = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    before = time.time()
    try:
        line.sendall(question.encode())
        with closing(http.client.HTTPResponse(line)) as answer:
            answer.begin()
        after = time.time()
    except OSError as error:
        return _silent(where, error, "it took the question and does not answer")
    except http.client.HTTPException as error:
        return Finding(
            kind="silent",
            cause=f"{where} does not speak HTTP: something else listens there",
            seen=f"{type(error).__name__}",
            remedy="correct the port in the settings",
        )
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (TypeError, ValueError):
        return None
    # The header is in whole seconds, cut off.
    return max(theirs - after, 0.0) or min(theirs + 1 - before, 0.0)


def _silent(where: str, error: OSError, how: str) -> Finding:
    return Finding(
        kind="silent",
        cause=f"{where} hangs: {how}",
        seen=f"nothing within {ANSWER_WITHIN:g} s" if isinstance(error, TimeoutError) else _said(error),
        remedy="restart the service there, and see its log",
    )


def _clocks(ahead: Mapping[Address, float], places: Mapping[Address, frozenset[str]]) -> Iterator[Finding]:
    """Whose clock is wrong: ours where all the others agree, theirs where only theirs differs."""
    wrong = {address: seconds for address, seconds in ahead.items() if abs(seconds) > CLOCKS_APART}
    if not wrong:
        return
    hosts = sorted({urlsplit(one.url).hostname or "" for one in wrong})
    seen = ", ".join(sorted({f"{urlsplit(one.url).hostname} is {_apart(seconds)}" for one, seconds in wrong.items()}))
    if len(wrong) < len(ahead):
        about = frozenset[str]().union(*(places[one] for one in wrong))
        cause, remedy = f"the clock of {', '.join(hosts)} is wrong: others agree with ours", "synchronise it there"
    else:
        about = frozenset()
        cause = "this machine's clock is wrong" + ("" if _agree(list(wrong.values())) else ", or those of the managers")
        remedy = "timedatectl set-ntp true, or chronyc makestep"
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    yield Finding(kind="clock", about=about, cause=cause, seen=f"{seen}; it is {now} here", remedy=remedy)


def _agree(seconds: Sequence[float]) -> bool:
    return len(seconds) > 1 and max(seconds) - min(seconds) <= CLOCKS_APART


def _apart(seconds: float) -> str:
    return f"{abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
