"""The program as a whole: what it does with words that it does not know, and with errors of every sort."""

import logging
from pathlib import Path

import pytest

from infoprovider import __version__
from infoprovider.cli import main, site
from infoprovider.errors import (
    ConfigError,
    ExitCode,
    Finding,
    InfoproviderError,
    MappingError,
    PluginError,
    PublishError,
    QueryError,
    RenderError,
    StoreError,
    ValidationFailed,
)
from tests.cli.conftest import Program


def test_the_version_is_said(program: Program) -> None:
    """And nothing else is done."""
    ended = program("--version")
    assert (ended.code, ended.out) == (0, f"infoprovider {__version__}\n")


@pytest.mark.parametrize("words", [("colect",), ("show",), ("try", "--sett", "site"), ("try", "--set", "forest")])
def test_a_word_that_is_not_known_is_a_mistake_of_the_command_line(program: Program, words: tuple[str, ...]) -> None:
    """It is named on standard error, and the code is that of a mistake in what the operator wrote."""
    ended = program(*words)
    assert (ended.code, ended.out) == (ExitCode.CONFIG, "")
    assert "Error" in ended.err


def test_every_command_tells_what_it_is_for(program: Program) -> None:
    """`-h` as well as `--help`."""
    for command in main.app.registered_commands:
        ended = program(command.name or "", "-h")
        assert ended.code == 0
        assert ended.out


ERRORS: list[tuple[InfoproviderError, int]] = [
    (PluginError("no such kind", remedy="write static"), 3),
    (MappingError("two of one ID"), 5),
    (RenderError("no such template"), 5),
    (ValidationFailed("an entry is missing"), 6),
    (PublishError("refused"), 7),
    (StoreError("locked"), 8),
    (QueryError("no such entity"), 9),
]


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_an_error_is_one_line_and_its_code(
    program: Program, monkeypatch: pytest.MonkeyPatch, error: InfoproviderError, code: int
) -> None:
    """No traceback: the message itself says what to do."""

    def failing(_path: Path) -> None:
        raise error

    monkeypatch.setattr(site, "read_configuration", failing)
    ended = program("show", "site.yaml")
    assert (ended.code, ended.out, ended.err) == (code, "", f"infoprovider: {error}\n")


def test_every_mistake_of_a_configuration_is_said_and_counted(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line each, and how many there are."""
    findings = [Finding(file="site.yaml", line=line, what=f"wrong {line}", remedy="mend it") for line in (1, 2)]

    def failing(_path: Path) -> None:
        raise ConfigError(findings)

    monkeypatch.setattr(site, "read_configuration", failing)
    ended = program("show", "site.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "site.yaml:1: wrong 1; mend it\nsite.yaml:2: wrong 2; mend it\ninfoprovider: 2 mistakes to mend\n"
    )


@pytest.mark.parametrize("words", [(), ("--verbose",)])
def test_a_fault_of_the_program_asks_to_be_reported(
    program: Program, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """With a traceback only where it was asked for."""

    def failing(_path: Path) -> None:
        raise ZeroDivisionError("never foreseen")

    logging.getLogger().handlers.clear()
    monkeypatch.setattr(site, "read_configuration", failing)
    ended = program(*words, "show", "site.yaml")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-1] == (
        "infoprovider: a fault of this program: ZeroDivisionError: never foreseen; "
        "run it again with --verbose and report what it prints"
    )
    assert ("Traceback" in ended.err) == bool(words)


def test_a_reported_crash_of_a_provider_shows_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """What went wrong is said in its outcome; where it was raised is for `--verbose`."""
    for verbose, shown in ((False, False), (True, True)):
        logging.getLogger().handlers.clear()
        main.options(verbose=verbose)
        crash = ValueError("deep inside")
        logging.getLogger("infoprovider.test").error("the provider crashed", exc_info=crash)
        said = capsys.readouterr().err
        assert "ERROR: the provider crashed" in said
        assert ("deep inside" in said) is shown
