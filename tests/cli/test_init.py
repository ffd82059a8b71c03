"""`infoprovider init`: what is asked, what is written, and that it can be used as it stands."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infoprovider import plugins
from infoprovider.cli import init as command
from infoprovider.cli import main, site
from infoprovider.cli.checks import examine
from infoprovider.config.load import load_with_places
from infoprovider.config.model import Configuration
from infoprovider.errors import ConfigError
from infoprovider.publishers.bdii import BdiiSettings
from infoprovider.yamlfile import read_file

QUESTIONS = 5


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine; the test stands in a folder of its own beside it, with no home and no variables."""
    for name in ("HOME", "OS_CLIENT_CONFIG_FILE", "INFOPROVIDER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name in ("machine", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "machine"


@pytest.fixture
def run(machine: Path) -> Callable[..., Any]:
    """Runs `init` on that machine; what is typed is its standard input, which is no terminal."""

    def run(*arguments: str, typed: str = "") -> Any:
        return CliRunner().invoke(main.app, ["init", f"--root={machine}", *arguments], input=typed)

    return run


def checked(file: str = "infoprovider.yaml") -> Configuration:
    """The configuration in the file, in which `check` finds nothing."""
    loaded = load_with_places(
        Path(file), lambda kind: site.provider(kind).settings, lambda kind: site.publisher(kind).settings, site.now
    )
    report = examine(loaded)
    assert (report.findings, report.notes) == ([], [])
    return loaded.configuration


def text(file: str = "infoprovider.yaml") -> str:
    """What was written."""
    return Path(file).read_text()


def test_what_is_usual_is_written_and_can_be_used(run: Callable[..., Any]) -> None:
    """Without a terminal nothing is asked; the file and the inventory that it names pass the check."""
    result = run()
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "written: inventory.yaml, infoprovider.yaml")
    configuration = checked()
    assert configuration.centre.name == "MY-CENTRE"
    assert [(one.name, one.block.kind) for one in configuration.instances] == [("static", "static")]
    assert [one.block.kind for one in configuration.channels] == ["stdout"]
    for name in ("infoprovider.yaml", "inventory.yaml"):
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o640


def test_every_answer_can_be_an_option(run: Callable[..., Any]) -> None:
    """What a script knows need not be asked."""
    Path("bdii").mkdir()
    options = (
        "--centre=RC-ONE",
        "--kind=static",
        "--at=north.yaml",
        "--community=vo.example.org=p 1",
        "--bdii-folder=bdii",
    )
    assert run("site.yaml", *options).exit_code == 0
    configuration = checked("site.yaml")
    assert configuration.centre.name == "RC-ONE"
    (community,) = configuration.communities
    assert (community.name, community.projects[0].instance, community.projects[0].project) == (
        "vo.example.org",
        "static",
        "p 1",
    )
    assert configuration.instances[0].settings.file == Path("north.yaml").absolute()  # type: ignore[attr-defined]
    assert configuration.channels[0].settings.folder == Path("bdii").absolute()  # type: ignore[attr-defined]


def test_at_most_five_questions_are_asked(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with what is usual, and again where the answer cannot be."""
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    result = run(typed="my centre\nRC-TWO\nstatic\nsouth.yaml\nvo.example.org=42\nnone\n")
    assert result.exit_code == 0
    assert result.stdout.count("]: ") == QUESTIONS + 1
    assert "'my centre' cannot be a name; write up to 127 letters" in result.stdout
    configuration = checked()
    assert (configuration.centre.name, configuration.communities[0].projects[0].project) == ("RC-TWO", "42")


def test_only_what_no_option_said_is_asked(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Return takes what is usual, and --yes takes it for everything."""
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    result = run("--centre=RC-ONE", "--bdii-folder=none", typed="\n\n\n")
    assert result.stdout.count("]: ") == QUESTIONS - 2
    assert checked().centre.name == "RC-ONE"
    result = run("--yes", "--force")
    assert "]: " not in result.stdout
    assert checked().centre.name == "MY-CENTRE"


def test_an_end_of_typing_ends_the_command(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written of answers that were not given."""
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    assert run(typed="RC-ONE\n").exit_code == 1
    assert not list(Path().iterdir())


@pytest.mark.parametrize("standard_input", ["closed", "empty", "mute"])
def test_it_waits_for_nobody_who_cannot_answer(standard_input: str, machine: Path) -> None:
    """A standard input that is closed, empty, or a pipe into which nobody writes is not read."""
    program = f"exec {sys.executable} -c 'from infoprovider.cli.main import main; main()' init --root={machine}"
    reader, writer = os.pipe()
    try:
        ended = subprocess.run(
            ["bash", "-c", program + (" <&-" if standard_input == "closed" else "")],
            stdin=subprocess.DEVNULL if standard_input == "empty" else reader,
            timeout=30,
            capture_output=True,
            check=False,
        )
    finally:
        os.close(reader)
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")
    checked()


def test_nothing_is_written_over_without_being_told(run: Callable[..., Any]) -> None:
    """Neither a configuration without --force, nor an inventory ever."""
    Path("infoprovider.yaml").write_text("mine")
    Path("inventory.yaml").write_text("manager: { product: mine, endpoints: [] }\n")
    result = run()
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == (
        "infoprovider.yaml: is there already; name another file, or add --force to write over it"
    )
    assert text() == "mine"
    assert run("--force").exit_code == 0
    assert "RC" not in text("inventory.yaml")
    assert text("inventory.yaml").startswith("manager: { product: mine")
    assert "centre:" in text()


def test_a_folder_that_cannot_be_written_is_told(run: Callable[..., Any]) -> None:
    """As every mistake of the operator."""
    result = run("nowhere/site.yaml")
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception).endswith(
        "cannot be written: no such file or directory; create the folder or name another one"
    )


@pytest.mark.parametrize(
    "option",
    [
        "--centre=RC ONE",
        "--kind=Static",
        "--kind=a b",
        "--community=vo",
        "--community=v o=1",
        "--community=vo=",
        "--at=\n",
    ],
)
def test_an_option_that_cannot_be_is_refused(run: Callable[..., Any], option: str) -> None:
    """With the exit code of wrong configurations, and before anything is written."""
    assert run(option).exit_code == 2
    assert not list(Path().iterdir())


def clouds(file: Path) -> None:
    """A file of clouds with passwords in it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    auth = "{ auth_url: https://cloud.example.org:5000/v3, password: hunter2, username: admin, project_name: p }"
    file.write_text(f"clouds:\n  prod: {{ auth: {auth} }}\n  test: {{ profile: x }}\n")


def test_clouds_are_named_and_nothing_else_of_them(run: Callable[..., Any], machine: Path) -> None:
    """The file is full of secrets, of which none is repeated: the cloud is asked by the name that it has there."""
    clouds(machine / "etc/openstack/clouds.yaml")
    result = run()
    assert result.exit_code == 0
    (instance,) = checked().instances
    assert instance.block.kind == "openstack"
    assert instance.block.settings == {"cloud": "prod", "clouds_file": f"{machine}/etc/openstack/clouds.yaml"}
    assert "hunter2" not in text() + result.stdout
    assert "admin" not in text()


def test_a_kind_whose_client_is_not_installed_is_a_comment(
    run: Callable[..., Any], machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is missing and how to install it; the rest of the file can be used as it is."""
    clouds(machine / "etc/openstack/clouds.yaml")
    monkeypatch.setattr("infoprovider.plugins._is_installed", lambda _: False)
    assert run().exit_code == 0
    assert [one.block.kind for one in checked().instances] == ["static"]
    assert (
        "  # the kind openstack needs the Python package keystoneauth1, which is not installed; install it:" in text()
    )
    assert "It would ask prod." in text()
    assert "  # - name: openstack\n  #   kind: openstack\n" in text()


def test_a_libvirt_that_runs_here_is_asked(
    run: Callable[..., Any], machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its socket for reading."""
    monkeypatch.setattr("infoprovider.plugins._is_installed", lambda _: True)
    (machine / "run/libvirt").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(machine / "run/libvirt/libvirt-sock-ro"))
        assert run().exit_code == 0
    (instance,) = checked().instances
    assert (instance.block.kind, instance.block.settings) == ("libvirt", {"uris": ["qemu:///system"]})


def test_the_bdii_of_this_machine_is_served(run: Callable[..., Any], machine: Path) -> None:
    """Its folder of static LDIF, from its settings."""
    folder = machine / "srv/ldif"
    folder.mkdir(parents=True)
    (machine / "etc/bdii").mkdir(parents=True)
    (machine / "etc/bdii/bdii.conf").write_text("BDII_PORT=2170\nBDII_LDIF_DIR=/srv/ldif # static\n")
    assert run().exit_code == 0
    (channel,) = checked().channels
    assert (channel.block.kind, channel.settings.folder) == ("bdii", folder)  # type: ignore[attr-defined]


def test_a_folder_that_is_not_there_is_written_as_a_comment(run: Callable[..., Any]) -> None:
    """The file can be used meanwhile."""
    assert run("--bdii-folder=/nowhere/ldif").exit_code == 0
    assert [one.block.kind for one in checked().channels] == ["stdout"]
    assert '  #   settings: { folder: "/nowhere/ldif" }' in text()


def test_a_program_is_asked_where_it_is_there(run: Callable[..., Any]) -> None:
    """Else it waits as a comment that says what is missing."""
    assert run("--kind=exec", "--at=./ask --all").exit_code == 0
    assert [one.block.kind for one in checked().instances] == ["static"]
    assert '  #     command: ["./ask", "--all"]' in text()
    Path("ask").write_text("#!/bin/sh\n")
    Path("ask").chmod(0o755)
    assert run("--kind=exec", "--at=./ask --all", "--force").exit_code == 0
    (instance,) = checked().instances
    assert instance.settings.command == (str(Path("ask").absolute()), "--all")  # type: ignore[attr-defined]


def test_several_managers_of_a_kind_have_names_of_their_own(run: Callable[..., Any]) -> None:
    """One block for each kind that is named, also where it is named twice."""
    options = ("--kind=static", "--kind=static", "--at=a.yaml", "--at=b: c.yaml", "--kind=cloud_sigma")
    assert run(*options, "--community=vo=p").exit_code == 0
    assert [one.name for one in checked().instances] == ["static", "static-2"]
    assert "  # - name: cloud-sigma\n" in text()
    assert Path("b: c.yaml").exists()


def test_comments_are_right_when_their_signs_are_taken_away(run: Callable[..., Any]) -> None:
    """Whoever follows a comment of the file gets a configuration with the keys that there are."""
    assert run("--community=vo.example.org=p1").exit_code == 0
    lines = text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("# Who you are"))
    meant = [line.replace("# ", "", 1) if is_yaml(line) else line for line in lines[start:]]
    meant = [line.replace("# ", "", 1) if is_yaml(line) else line for line in meant]
    Path("meant.yaml").write_text("\n".join(meant))
    data = read_file(Path("meant.yaml")).data
    assert {"description", "contacts"} <= data["centre"].keys()
    assert {"freshness", "include", "state", "public"} <= data.keys()
    loaded = load_with_places(
        Path("meant.yaml"), lambda k: site.provider(k).settings, lambda k: site.publisher(k).settings, site.now
    )
    assert len(loaded.configuration.channels) == 2


def is_yaml(line: str) -> bool:
    """Whether a comment is a line of YAML rather than a sentence."""
    words = line.strip().removeprefix("# ").strip()
    return line.strip().startswith("# ") and (words.startswith("- ") or ":" in words.split(" ")[0])


def test_an_editor_finds_the_schema(run: Callable[..., Any]) -> None:
    """The first line names the file that is installed with the program."""
    run()
    first = text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=/")
    assert Path(first.partition("=")[2]).is_file()


def test_an_installed_kind_that_needs_more_is_written_with_its_settings(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a comment with the keys that must be filled in."""
    kinds, provider = plugins.kinds, site.provider
    monkeypatch.setattr(plugins, "kinds", lambda group: (*kinds(group), "other"))
    other = replace(provider("static"), kind="other", settings=BdiiSettings)
    monkeypatch.setattr(site, "provider", lambda kind: other if kind == "other" else provider(kind))
    assert run("--kind=other").exit_code == 0
    assert "  # Fill in what docs/providers/other.md explains" in text()
    assert '  #     folder: ""\n' in text()
