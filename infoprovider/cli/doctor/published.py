"""What is published: facets and their ages, what is left out, renderings, channels, metrics."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence

from infoprovider.cli.doctor.diagnosis import Finding, Severity
from infoprovider.cli.doctor.patient import Findings, Patient, channel, instance, told
from infoprovider.config.model import Channel
from infoprovider.files import check_writable, fault
from infoprovider.views.nagios import DOCUMENT_WITHIN
from infoprovider.views.overview import ChannelStatus
from infoprovider.views.status import PartStatus, State
from infoprovider.views.tables import age, length

_AMISS = {
    State.EXPIRED: ("withheld", Severity.ERROR),
    State.FAILING: ("failing", Severity.WARNING),
    State.STALE: ("stale", Severity.WARNING),
}
ANSWERED_WITHIN = 5.0


def facets(patient: Patient, answering: frozenset[str]) -> Findings:
    """What is too old; what failed and is answered now is only told."""
    for one in patient.configuration.instances:
        parts = [part for part in patient.overview.parts if part.instance == one.name]
        for state, (word, severity) in _AMISS.items():
            found = [part for part in parts if part.state is state]
            if not found:
                continue
            if state is State.FAILING and one.name in answering:
                patient.notes.append(f"{one.name}: {_named(found)} failed last time, and is answered now")
                continue
            yield _amiss(patient, one.name, found, word, severity)
            break


def _amiss(patient: Patient, name: str, parts: Sequence[PartStatus], word: str, severity: Severity) -> Finding:
    why = next((part.reason for part in parts if part.reason), None)
    oldest = min((part.observed_at for part in parts if part.observed_at), default=None)
    return Finding(
        kind="facets",
        severity=severity,
        about=instance(name),
        cause=f"{name}: {_named(parts)} {word}",
        seen=f"last told {age(oldest, patient.overview.now)}" + (f": {why}" if why else ""),
        remedy=f"infoprovider poke {patient.path} {name}; then infoprovider show --status {patient.path}",
    )


def _named(parts: Sequence[PartStatus]) -> str:
    return ", ".join(dict.fromkeys(str(part.facet) for part in parts))


def document(patient: Patient) -> Findings:
    """What is left out of the document, and renderings that are missing, old or expired."""
    remembered = patient.overview.document
    if remembered.quarantined:
        first = remembered.quarantined[0]
        cause, remedy = told(first.why, f"infoprovider show --left-out {patient.path}")
        yield Finding(
            kind="left-out",
            severity=Severity.WARNING,
            cause=f"{first.entity} {first.id} cannot be published: {cause}",
            seen=f"{len(remembered.quarantined)} entries are in quarantine in the last document",
            remedy=remedy,
        )
    for tree, why in remembered.unchanged.items():
        cause, remedy = told(why, "mend its template")
        yield Finding(
            kind="tree-unchanged",
            cause=f"the tree {tree} could not be rendered anew and stays as it was: {cause}",
            seen=f"composed {age(remembered.composed_at, patient.overview.now)}",
            remedy=remedy,
        )
    if remembered.composed_at is not None:
        for name in _renderings(patient):
            yield from _of_rendering(patient, name)


def _renderings(patient: Patient) -> list[str]:
    """What channels hand out; the usual tree where there is no channel."""
    blocks = [one.block for one in patient.configuration.channels if one.block.templates is None]
    names = [str(block.template_set) if block.format == "ldif" else block.format for block in blocks]
    return list(dict.fromkeys(names)) or ([] if patient.configuration.channels else ["resource"])


def _of_rendering(patient: Patient, name: str) -> Iterator[Finding]:
    path = patient.documents.rendering_path(name)
    publish = f"infoprovider publish {patient.path}, or systemctl restart infoprovider"
    if not path.exists():
        yield Finding(
            kind="rendering-missing",
            cause=f"{path} is not there, although a document was composed",
            seen="somebody removed it, or the folder public is another one than it was",
            remedy=publish,
        )
    elif patient.documents.rendering_has_expired(name):
        yield Finding(
            kind="rendering-expired",
            cause=f"{path} has expired: the hook hands nothing of it out, and the BDII deletes our entries",
            seen=f"composed {age(patient.overview.document.composed_at, patient.overview.now)}",
            remedy=publish,
        )


def channels(patient: Patient) -> Findings:
    """Channels that do not take what they are given."""
    blocks = {one.name: one for one in patient.configuration.channels}
    for one in patient.overview.channels:
        yield from _of_channel(patient, one, blocks[one.channel])


def _of_channel(patient: Patient, one: ChannelStatus, configured: Channel) -> Iterator[Finding]:
    now = patient.overview.now
    since = f"last taken {age(one.delivered_at, now)}" if one.delivered_at else "it never took one"
    if one.failures:
        cause, remedy = told(one.why or "no reason was kept", "look at the channel")
        yield Finding(
            kind="delivery",
            about=channel(one.channel),
            cause=f"the channel {one.channel} does not take the document: {cause}",
            seen=f"{one.failures} failures in a row; {since}",
            remedy=remedy,
        )
        return
    block = configured.block
    within = max(DOCUMENT_WITHIN, 2 * block.every + block.deadline)
    composed = patient.overview.document.composed_at
    # A document that is not composed anew is told of elsewhere: a channel is late when it lags behind that.
    if composed is not None and one.delivered_at is not None:
        late = (composed - one.delivered_at).total_seconds()
        if late > within:
            yield Finding(
                kind="delivery-late",
                about=channel(one.channel),
                cause=f"the channel {one.channel} was given nothing for {length(late)}, and no failure is known",
                seen=since,
                remedy=f"infoprovider publish {patient.path}, or systemctl restart infoprovider",
            )


def metrics(patient: Patient) -> Findings:
    """Whether what is counted can be read where the configuration says."""
    block = patient.configuration.metrics
    daemon = patient.overview.daemon
    is_running = daemon is not None and daemon.is_running
    if block.port is not None and not (_is_ours(block.port) if is_running else _is_free(block.port)):
        yield Finding(
            kind="metrics",
            severity=Severity.WARNING,
            cause=f"the port {block.port} for metrics belongs to another program"
            if not is_running or not _is_free(block.port)
            else f"infoprovider run does not listen on the port {block.port} for metrics",
            seen="nobody there tells infoprovider's metrics",
            remedy=f"ss -tlnp 'sport = :{block.port}'; then name another one as metrics.port",
        )
    if block.textfile is not None:
        try:
            check_writable(block.textfile.parent)
        except OSError as error:
            what, _, remedy = fault(error).partition("; ")
            yield Finding(
                kind="metrics",
                severity=Severity.WARNING,
                cause=f"metrics cannot be written into {block.textfile.parent}",
                seen=what,
                remedy=remedy or "name another file as metrics.textfile",
            )


def _is_ours(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=ANSWERED_WITHIN) as answer:
            return b"infoprovider_build_info" in answer.read(2**20)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
