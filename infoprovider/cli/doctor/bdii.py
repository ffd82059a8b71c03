"""The BDII of this machine: whether our document gets into it, and whether it can load and read what it gets."""

import stat
from collections.abc import Iterator
from pathlib import Path

from infoprovider.cli.doctor.bdii_machine import BdiiMachine, Hook
from infoprovider.cli.doctor.bdii_served import served
from infoprovider.cli.doctor.diagnosis import Finding, Severity
from infoprovider.cli.doctor.patient import Findings, Patient, channel
from infoprovider.config.model import Channel

BYTES_PER_ENTRY = 1740
"""Of the server's database (mdb): 6047 entries of ours were measured in 10 MiB."""

NEARLY_FULL = 0.8
_NEEDED = ("BDII_LDIF_DIR", "BDII_PROVIDER_DIR", "BDII_PLUGIN_DIR")


def bdii(patient: Patient) -> Findings:
    """Everything about the BDII of this machine; nothing where there is none."""
    machine = BdiiMachine.found(patient.root)
    if machine is None:
        return
    channels = [one for one in patient.configuration.channels if one.block.kind == "bdii"]
    provider_folder = machine.folder("BDII_PROVIDER_DIR")
    hooks = list(machine.hooks(provider_folder)) if provider_folder else []
    fed = [one for one in channels if _same(_folder(one), machine.folder("BDII_LDIF_DIR"))]
    yield from _settings(machine)
    yield from _ways(patient, machine, channels, fed, hooks)
    if not fed and not hooks:
        return
    yield from _of_hooks(patient, hooks)
    yield from _reading(machine, fed, hooks)
    renderings = [_folder(one) / _file(one) for one in fed]
    renderings += [one.public / f"current.{one.template_set}.ldif" for one in hooks]
    rendering = next((one for one in renderings if one.is_file()), None)
    if rendering is None:
        return
    found = list(served(machine, rendering))
    yield from found
    if found:  # else it does serve us, whatever its version
        yield from _updater(machine)
    yield from _database(machine, rendering)


def _settings(machine: BdiiMachine) -> Iterator[Finding]:
    for key in _NEEDED:
        folder = machine.folder(key)
        if folder is None:
            yield Finding(
                kind="bdii-settings",
                cause=f"{machine.file} does not say {key}: bdii-update ends at once",
                seen="the line is missing or empty",
                remedy=f"echo {key}=/var/lib/bdii/gip/{key.split('_')[1].lower()} >> {machine.file}; "
                "systemctl restart bdii",
            )
        elif not folder.is_dir():
            yield Finding(
                kind="bdii-folder",
                cause=f"{folder}, the {key} of the BDII, is not there: bdii-update ends at once",
                seen=f"{machine.file} names it",
                remedy=f"mkdir -p {folder}; systemctl restart bdii",
            )
    if machine.user() is None:
        yield Finding(
            kind="bdii-user",
            cause=f"the user of the BDII, {machine.user_name}, does not exist",
            seen=f"{machine.file}: BDII_USER",
            remedy=f"getent passwd openldap ldap; then correct BDII_USER in {machine.file}, systemctl restart bdii",
        )


# --- ways in -------------------------------------------------------------------------------------------------------


def _ways(
    patient: Patient, machine: BdiiMachine, channels: list[Channel], fed: list[Channel], hooks: list[Hook]
) -> Iterator[Finding]:
    for key in ("BDII_LDIF_DIR", "BDII_PLUGIN_DIR"):
        folder = machine.folder(key)
        for hook in machine.hooks(folder) if folder else ():
            yield Finding(
                kind="hook",
                cause=f"the hook lies in {folder}, which is the {key} and not the folder of providers",
                seen=f"{hook.path.name} is there, and nothing there is run as a provider",
                remedy=f"mv {hook.path} {machine.folder('BDII_PROVIDER_DIR')}/infoprovider",
            )
    if fed and hooks:
        yield Finding(
            kind="bdii-twice",
            severity=Severity.WARNING,
            about=channel(fed[0].name),
            cause="the BDII is given everything twice: by the hook and by the channel " + fed[0].name,
            seen=f"{hooks[0].path} and {_folder(fed[0]) / _file(fed[0])}",
            remedy=f"rm {hooks[0].path}, or take the channel out of the configuration",
        )
    stray = [one for one in channels if one not in fed]
    if stray and not hooks:
        yield Finding(
            kind="bdii-wrong-folder",
            about=channel(stray[0].name),
            cause=f"the channel {stray[0].name} writes into {_folder(stray[0])}, which the BDII does not read",
            seen=f"{machine.file}: BDII_LDIF_DIR={machine.folder('BDII_LDIF_DIR')}",
            remedy=f"write folder: {machine.folder('BDII_LDIF_DIR')} in the settings of the channel",
        )
    elif not patient.configuration.channels and not hooks:
        yield Finding(
            kind="bdii-unfed",
            severity=Severity.WARNING,
            cause="the BDII of this machine is given nothing: there is neither a channel nor a hook",
            seen=f"{machine.folder('BDII_PROVIDER_DIR')} has no hook of ours",
            remedy=f'ln -s "$(command -v infoprovider-hook)" {machine.folder("BDII_PROVIDER_DIR")}/infoprovider',
        )


def _of_hooks(patient: Patient, hooks: list[Hook]) -> Iterator[Finding]:
    for hook in hooks:
        wrong = _wrong_with(hook)
        if wrong is not None:
            cause, seen, remedy = wrong
            yield Finding(kind="hook", cause=cause, seen=seen, remedy=remedy)
            continue
        if not _same(hook.public, patient.configuration.public):
            yield Finding(
                kind="hook",
                cause=f"the hook reads {hook.public}, and infoprovider writes into {patient.configuration.public}",
                seen=f"{hook.path}",
                remedy=f"write public: {hook.public}, or a script at {hook.path}: "
                f"exec infoprovider-hook {patient.configuration.public}",
            )
        elif (
            patient.overview.document.composed_at is not None
            and not (hook.public / f"current.{hook.template_set}.ldif").exists()
        ):
            yield Finding(
                kind="hook-tree",
                cause=f"the hook wants the tree {hook.template_set}, which is not rendered",
                seen=f"there is no {hook.public}/current.{hook.template_set}.ldif",
                remedy=f"add a channel with template_set: {hook.template_set}, or correct {hook.path}",
            )


def _wrong_with(hook: Hook) -> tuple[str, str, str] | None:
    path = hook.path
    if not path.exists():
        return (
            f"the hook {path} leads nowhere",
            f"it is a link to {path.readlink()}",
            (f'ln -sf "$(command -v infoprovider-hook)" {path}'),
        )
    if path.name.endswith("~") or " " in path.name:
        return (
            f"the BDII cannot run the hook for its name, {path.name}",
            "it passes over names that end in ~, and breaks those with a blank",
            f"mv '{path}' {path.parent}/infoprovider",
        )
    if not path.stat().st_mode & 0o111:
        mode = stat.S_IMODE(path.stat().st_mode)
        return f"the hook {path} is not executable", f"its mode is {mode:03o}", f"chmod 755 {path.resolve()}"
    return None


def _reading(machine: BdiiMachine, fed: list[Channel], hooks: list[Hook]) -> Iterator[Finding]:
    """Whether the BDII's user may read what it is given, and run the hook."""
    user = machine.user()
    if user is None:
        return
    wanted = [(_folder(one) / _file(one), stat.S_IROTH) for one in fed]
    for hook in hooks:
        files = (f"current.{hook.template_set}.ldif", "current.expires")
        wanted += [(hook.path, stat.S_IXOTH), *((hook.public / file, stat.S_IROTH) for file in files)]
    for path, mode in wanted:
        obstacle = machine.obstacle(user, path, mode) if path.exists() else None
        if obstacle is not None:
            yield Finding(
                kind="bdii-reader",
                cause=f"the BDII's user {user.name} may not {'run' if mode == stat.S_IXOTH else 'read'} {path}",
                seen=f"{obstacle} has mode {stat.S_IMODE(obstacle.stat().st_mode):03o}, owner {obstacle.stat().st_uid}",
                remedy=f"chmod {'o+rx' if obstacle.is_dir() or mode == stat.S_IXOTH else 'o+r'} {obstacle}",
            )
            return


# --- loading -------------------------------------------------------------------------------------------------------


def _updater(machine: BdiiMachine) -> Iterator[Finding]:
    version = machine.lost_options()
    if version is not None:
        yield Finding(
            kind="bdii-updater",
            cause=f"this bdii-update can load nothing: it calls ldapadd with -h and -p, which {version} does not know",
            seen="as packaged with Debian 12, bdii 6.0.0",
            remedy="install bdii 6.0.2 or newer; then systemctl restart bdii",
        )


def _database(machine: BdiiMachine, rendering: Path) -> Iterator[Finding]:
    size = machine.database_bytes()
    if size is None:
        return
    entries = rendering.read_bytes().count(b"\ndn:") + 1
    room = size // BYTES_PER_ENTRY
    if entries > NEARLY_FULL * room:
        is_full = entries > room
        conf = machine.below(machine.settings.get("SLAPD_CONF") or "/etc/bdii/bdii-slapd.conf")
        yield Finding(
            kind="bdii-database",
            severity=Severity.ERROR if is_full else Severity.WARNING,
            cause=f"the BDII's database is {'too small' if is_full else 'nearly full'}: {entries} entries are ours, "
            f"and about {room} fit into {size / 2**20:g} MiB",
            seen=f"maxsize of database mdb with suffix o=glue in {conf}",
            remedy=f"write maxsize 1073741824 below that suffix in {conf}; systemctl restart bdii",
        )


def _folder(one: Channel) -> Path:
    folder: Path = getattr(one.settings, "folder")  # noqa: B009  (settings are the plug-in's own class)
    return folder


def _file(one: Channel) -> str:
    return str(getattr(one.settings, "file"))  # noqa: B009


def _same(one: Path, other: Path | None) -> bool:
    return other is not None and one.resolve() == other.resolve()
