"""What the configuration says, as `infoprovider check` judges it, sorted by the layer that it is about."""

import re
from collections.abc import Iterable, Iterator, Mapping

from infoprovider import errors
from infoprovider.cli import site
from infoprovider.cli.checks import examine
from infoprovider.cli.doctor.diagnosis import Finding
from infoprovider.cli.doctor.patient import Findings, Patient, channel, instance

_BLOCK = re.compile(r"(instances|channels)\[(\d+)\](?:\.(\w+))?")
_PLUG_IN = re.compile(r"there is no (provider|publisher) of kind|needs the Python package|cannot be imported")
_SECRET = re.compile(r"^(the file|the environment variable) ")


def mistakes(found: Iterable[errors.Finding]) -> Findings:
    """Why a configuration cannot be used: all that is written wrong, the first of it in front."""
    written = list(found)
    plug_ins = [one for one in written if _PLUG_IN.search(one.what)]
    for one in plug_ins:
        yield Finding(kind="plug-in", cause=one.what, seen=_place(one), remedy=one.remedy)
    others = [one for one in written if one not in plug_ins]
    for one in others:
        why = f" ({one.why})" if one.why else ""
        whole = f"{one.file} " if one.line is None and not one.path else ""
        yield Finding(kind="configuration", cause=f"{whole}{one.what}{why}", seen=_place(one), remedy=one.remedy)


def judged(patient: Patient) -> Findings:
    """What `infoprovider check` finds."""
    report = examine(patient.loaded)
    owners = dict(_of_plug_ins(patient))
    for one in report.findings:
        yield _sorted(patient, one, owners)
    patient.notes.extend(str(one) for one in report.notes)


def _of_plug_ins(patient: Patient) -> Iterator[tuple[errors.Finding, str]]:
    """What providers find in the files that their settings name, and whose settings these are."""
    for one in patient.configuration.instances:
        check = site.provider(one.block.kind).check
        for finding in check(one.settings) if check is not None else ():
            yield finding, one.name


def _sorted(patient: Patient, one: errors.Finding, owners: Mapping[errors.Finding, str]) -> Finding:
    configuration = patient.configuration
    kind, about = "configuration", frozenset[str]()
    block = _BLOCK.match(one.path)
    if one in owners:
        about, kind = instance(owners[one]), "settings"
    elif one.path in ("state", "public"):
        kind = "folder"
    elif block is not None and block[1] == "instances":
        about, kind = instance(configuration.instances[int(block[2])].name), "settings"
    elif block is not None:
        about = channel(configuration.channels[int(block[2])].name)
        kind = "configuration" if block[3] == "templates" else "channel"
    # A provider names the secret as the file of its finding, `check` as a part of what it found.
    is_secret = bool(_SECRET.match(one.file))
    cause = f"{one.file} {one.what}" if is_secret or not one.path else one.what
    if _SECRET.match(cause):
        kind = "secret"
    why = f" ({one.why})" if one.why else ""
    return Finding(
        kind=kind,
        about=about,
        cause=f"{cause}{why}",
        seen="named by the settings" if is_secret else _place(one),
        remedy=one.remedy,
    )


def _place(one: errors.Finding) -> str:
    place = ":".join(str(part) for part in (one.file, one.line, one.column) if part is not None)
    return f"{place} {one.path}".rstrip()
