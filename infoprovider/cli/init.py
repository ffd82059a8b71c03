"""`infoprovider init`: a first configuration, from what is found on this machine and at most five answers."""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from infoprovider import plugins
from infoprovider.cli import site
from infoprovider.cli.first_file import Answers, Proposal, Served, configuration_text, inventory_text
from infoprovider.cli.site_file import Site, read_site_files
from infoprovider.cli.surroundings import Surroundings, find
from infoprovider.config.model import RegisteredName
from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, Finding, InfoproviderError, PluginError
from infoprovider.files import fault, replace_file
from infoprovider.resources import folder

MODE = 0o640
"""The group of whoever runs infoprovider may read the configuration, others need not."""

PLACES = {"static": "inventory.yaml", "exec": "./ask-manager", "openstack": "the cloud's name in clouds.yaml"}
PROBE_S = 5.0
_KIND = re.compile(r"[a-z][a-z0-9_]{0,40}")


def init(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="Where it is written.")] = Path("infoprovider.yaml"),
    centre: Annotated[str | None, typer.Option(help="Name of the centre, as it is registered.")] = None,
    kinds: Annotated[list[str] | None, typer.Option("--kind", help="Kind of a VM manager; may be repeated.")] = None,
    places: Annotated[
        list[str] | None, typer.Option("--at", help="Where it is: a file, a program, a cloud; one for each kind.")
    ] = None,
    community: Annotated[str | None, typer.Option(metavar="NAME=PROJECT", help="Who works in which project.")] = None,
    bdii: Annotated[str | None, typer.Option("--bdii-folder", help="The BDII's folder of static LDIF.")] = None,
    site_files: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="A federated site's file (gocdb, endpoint, vos); may be repeated."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take what is usual.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    root: Annotated[Path, typer.Option(hidden=True, help="The machine that is looked at.")] = Path("/"),
) -> None:
    """Write a configuration with a word on each thing, to start from."""
    if file.exists() and not force:
        raise _wrong(file, "is there already", "name another file, or add --force to write over it")
    found = find(root, Path(), os.environ)
    ask = _Questions(silent=yes or not _is_terminal())
    if site_files:
        if kinds or places or community:
            raise typer.BadParameter("a site's file says what --kind, --at and --community would")
        answers = _taken_over(read_site_files(site_files), ask, centre, bdii, found)
    else:
        answers = _asked(ask, centre, kinds or [], places or [], community, bdii, found, file.absolute().parent)
    written = [*_write_inventories(answers, file), file]
    _write(file, configuration_text(answers, folder("schemas") / "configuration.schema.json"))
    print(f"written: {', '.join(map(str, written))}")
    for path in _expected(answers):
        print(f"expected: a secret in {file.parent / path}, for this user alone")
    print(f"next: fill in what you know, then infoprovider check {file}")


def _asked(
    ask: "_Questions",
    centre: str | None,
    kinds: list[str],
    places: list[str],
    community: str | None,
    bdii: str | None,
    found: Surroundings,
    base: Path,
) -> Answers:
    """What options, surroundings and answers say."""
    name = ask("Name of the centre, as it is registered", centre, "MY-CENTRE", _registered)
    chosen = kinds or ask("Kinds of its VM managers", None, ", ".join(_usual_kinds(found)), _words)
    for kind in chosen:
        _kind(kind)
    usual = ", ".join(_usual_place(kind, found) for kind in chosen)
    where = [_place(place) for place in places or ask("Where they are, one for each kind", None, usual, _words)]
    served, project = ask("A community and its project (NAME=PROJECT, or none)", community, "none", _community)
    bdii_folder = _bdii_folder(ask, bdii, found)
    answers = Answers(
        centre=name,
        instances=_proposals(chosen, where, found, base),
        bdii_folder=bdii_folder,
        bdii_is_there=bdii_folder is not None and _can_be_served(bdii_folder),
    )
    if not served:
        return answers
    return replace(answers, served=(Served(community=served, instance=answers.first, project=project),))


def _taken_over(site_: Site, ask: "_Questions", centre: str | None, bdii: str | None, found: Surroundings) -> Answers:
    """What the site's own files say, and where the document goes."""
    bdii_folder = _bdii_folder(ask, bdii, found)
    return Answers(
        centre=site_.name if centre is None else _registered(centre),
        instances=site_.instances,
        served=site_.served,
        bdii_folder=bdii_folder,
        bdii_is_there=bdii_folder is not None and _can_be_served(bdii_folder),
        left_out=site_.left_out,
    )


def _bdii_folder(ask: "_Questions", given: str | None, found: Surroundings) -> Path | None:
    usual = str(found.bdii_folders[0]) if found.bdii_folders else "none"
    folder_: Path | None = ask("The BDII's folder of static LDIF, or none", given, usual, _folder)
    return folder_


def _expected(answers: Answers) -> list[str]:
    """The files of secrets that the settings name."""
    settings = [one.settings for one in answers.instances]
    return list(dict.fromkeys(_secret_files(settings)))


def _secret_files(value: Any) -> Iterator[str]:
    match value:
        case {"file": str(path), **rest} if not rest and path.startswith("secrets/"):
            yield path
        case dict():
            for inner in value.values():
                yield from _secret_files(inner)
        case list():
            for inner in value:
                yield from _secret_files(inner)


class _Questions:
    """Asks for what no option said; without a terminal, what is usual stands."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    def __call__(self, question: str, given: str | None, usual: str, understood: Callable[[str], Any]) -> Any:
        """The answer as it is understood. Raises BadParameter for an option that cannot be."""
        if given is not None or self._silent:
            return understood(usual if given is None else given)
        return typer.prompt(question, default=usual, value_proc=understood)


def _is_terminal() -> bool:
    """Whether somebody can be asked; a standard input that is closed is none at all."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


# --- answers -------------------------------------------------------------------------------------------------------


def _registered(text: str) -> str:
    try:
        return str(TypeAdapter(RegisteredName).validate_python(text.strip()))
    except ValidationError:
        expected = TypeAdapter(RegisteredName).json_schema()["description"]
        raise typer.BadParameter(f"{text!r} cannot be a name; write {expected}") from None


def _words(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise typer.BadParameter("write one, or several with commas between them")
    return words


def _kind(text: str) -> None:
    if not _KIND.fullmatch(text):
        known = ", ".join(plugins.kinds(plugins.PROVIDERS))
        raise typer.BadParameter(f"{text!r} cannot be a kind; those that are installed are {known}")


def _place(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise typer.BadParameter(f"{text!r} is no place; write a file, a program, or the name of a cloud")
    return text.strip()


def _community(text: str) -> tuple[str, str]:
    if text.strip() in ("", "none"):
        return "", ""
    name, sign, project = text.partition("=")
    if not sign or not project.strip() or not project.isprintable():
        raise typer.BadParameter("write the community's name, an equals sign, and the manager's own id of the project")
    return _registered(name), project.strip()


def _folder(text: str) -> Path | None:
    if not text.isprintable():
        raise typer.BadParameter("write the path of a folder")
    return None if text.strip() in ("", "none") else Path(text.strip()).absolute()


# --- VM managers ---------------------------------------------------------------------------------------------------


def _usual_kinds(found: Surroundings) -> list[str]:
    """What was found here; a description where none of it can be asked yet."""
    here = [kind for kind, things in (("openstack", found.clouds), ("libvirt", found.libvirt)) if things]
    return here if set(here) & set(plugins.kinds(plugins.PROVIDERS)) else ["static", *here]


def _usual_place(kind: str, found: Surroundings) -> str:
    if kind == "openstack" and found.clouds:
        return found.clouds[0][0].replace(",", " ")
    if kind == "libvirt" and found.libvirt:
        return found.libvirt[0]
    return PLACES.get(kind, "not known")


def _proposals(kinds: Sequence[str], places: Sequence[str], found: Surroundings, base: Path) -> tuple[Proposal, ...]:
    """One VM manager per kind; a described one in front where none of them could be asked as it stands."""
    proposals = [
        _proposal(kind, places[index] if index < len(places) else _usual_place(kind, found), found, base)
        for index, kind in enumerate(kinds)
    ]
    if all(one.why_not for one in proposals):
        proposals.insert(0, Proposal(name="static", kind="static", settings={"file": PLACES["static"]}))
    counted: dict[str, int] = {}
    named = []
    for one in proposals:
        counted[one.name] = number = counted.get(one.name, 0) + 1
        name = f"{one.name}-{number}" if number > 1 else one.name
        named.append(Proposal(name=name, kind=one.kind, settings=one.settings, why_not=one.why_not))
    return tuple(named)


def _proposal(kind: str, place: str, found: Surroundings, base: Path) -> Proposal:
    name = kind.replace("_", "-")
    if kind == "static":
        return Proposal(name=name, kind=kind, settings={"file": place})
    if kind not in plugins.kinds(plugins.PROVIDERS):
        file = next((file for cloud, file in found.clouds if cloud == place), None)
        origin = f" (found in {file})" if file else ""
        why_not = f"There is no provider of kind {kind} in this installation. It would ask {place}{origin}."
        return Proposal(name=name, kind=kind, settings={}, why_not=why_not)
    try:
        site.provider(kind)
    except PluginError as error:
        return Proposal(
            name=name, kind=kind, settings={}, why_not=f"{error.what}; {error.remedy}. It would ask {place}."
        )
    settings = _settings(kind, place, found)
    if settings:
        return Proposal(name=name, kind=kind, settings=settings, why_not=_why_not(kind, settings, base))
    wanted = [key for key, field in site.provider(kind).settings.model_fields.items() if field.is_required()]
    why_not = f"Fill in what docs/providers/{kind}.md explains, and remove the signs in front. It would ask {place}."
    return Proposal(name=name, kind=kind, settings=dict.fromkeys(wanted, ""), why_not=why_not)


def _settings(kind: str, place: str, found: Surroundings) -> dict[str, Any]:
    """The settings of a kind that is asked at this place; none where the place alone does not say enough."""
    if kind == "exec":
        return {"command": shlex.split(place)}
    clouds = dict(found.clouds)
    if kind == "openstack" and place in clouds:
        return {"cloud": place, "clouds_file": str(clouds[place])}
    if kind == "libvirt" and "://" in place:
        return {"uris": [place]}
    return {}


def _why_not(kind: str, settings: dict[str, Any], base: Path) -> str:
    """What the provider itself has against these settings; empty where nothing."""
    spec = site.provider(kind)
    checked = spec.settings.model_validate(settings, context={"folder": base}, strict=False)
    findings = list(spec.check(checked)) if spec.check else []
    return f"{findings[0].file}: {findings[0].what}; {findings[0].remedy}." if findings else ""


def _can_be_served(bdii_folder: Path) -> bool:
    """Whether the BDII's folder is there and can be written."""
    spec = site.publisher("bdii")
    deadline = Deadline.after(PROBE_S)
    try:
        with spec.open(spec.settings(folder=bdii_folder), deadline) as channel:
            channel.probe(deadline)
    except InfoproviderError:
        return False
    return True


# --- files ---------------------------------------------------------------------------------------------------------


def _write_inventories(answers: Answers, file: Path) -> list[Path]:
    """Write the descriptions that are named and not there yet."""
    written = []
    for one in answers.instances:
        path = file.parent / one.settings["file"] if one.kind == "static" else None
        if path is not None and not path.exists():
            _write(path, inventory_text(_project(answers, one)))
            written.append(path)
    return written


def _project(answers: Answers, instance: Proposal) -> str:
    """The project of the community that is served here; empty where none is."""
    return next((one.project for one in answers.served if one.instance == instance.name), "")


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, text.encode(), mode=MODE)
    except OSError as error:
        what, _, remedy = f"cannot be written: {fault(error)}".partition("; ")
        raise _wrong(path, what, remedy or "name another file") from error


def _wrong(path: Path, what: str, remedy: str) -> ConfigError:
    return ConfigError([Finding(file=str(path), what=what, remedy=remedy)])
