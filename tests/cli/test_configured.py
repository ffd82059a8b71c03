"""The configuration in force, while its file is changed, broken and mended."""

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from infoprovider.cli.configured import Configured
from infoprovider.config.model import Configuration
from infoprovider.errors import ConfigError, Finding
from tests.publication import demo

FILE = Path("site.yaml")
LATER = replace(demo.configuration(), loaded_at=demo.LOADED + timedelta(hours=1))
OTHER = replace(LATER, channels=())
BROKEN = ConfigError([Finding(file="site.yaml", line=line, what="found x", remedy="write y") for line in (3, 4)])


def configured(*read: Configuration | ConfigError) -> Configured:
    """The demonstration centre, and what its file says at each further reading."""
    readings = iter(read)

    def reading(_path: Path) -> Configuration:
        found = next(readings)
        if isinstance(found, ConfigError):
            raise found
        return found

    return Configured(FILE, demo.configuration(), reading)


def test_a_reload_takes_what_the_file_says() -> None:
    """All of it."""
    kept = configured(OTHER)
    assert kept.reload()
    assert kept.configuration == OTHER
    assert kept.remark == ""


def test_a_broken_file_changes_nothing_and_says_every_mistake(caplog: pytest.LogCaptureFixture) -> None:
    """In the log, to those who look, and to the service manager; until it is mended."""
    kept = configured(BROKEN, OTHER)
    with caplog.at_level(logging.ERROR):
        assert not kept.reload()
    assert kept.configuration == demo.configuration()
    assert kept.faults == tuple(map(str, BROKEN.findings))
    assert len(caplog.records) == 2
    assert kept.remark == "site.yaml cannot be used (2 mistakes); the former configuration is in force"
    assert kept.reload()
    assert (kept.configuration, kept.faults, kept.remark) == (OTHER, (), "")


def test_a_file_that_still_says_the_same_is_as_if_just_read() -> None:
    """What only the operator knows is as old as the last look at the file."""
    kept = configured(LATER)
    assert kept.confirm()
    assert kept.configuration == LATER
    assert kept.configuration.loaded_at == LATER.loaded_at


def test_a_file_that_was_changed_is_not_taken_unasked(caplog: pytest.LogCaptureFixture) -> None:
    """It is said, and a reload takes it."""
    kept = configured(OTHER, OTHER)
    with caplog.at_level(logging.WARNING):
        assert not kept.confirm()
    assert kept.configuration == demo.configuration()
    assert "site.yaml has changed and is not in force; reload infoprovider (SIGHUP) to take it" in caplog.text
    assert kept.remark == "site.yaml has changed; reload to take it"
    assert kept.reload()
    assert (kept.configuration, kept.remark) == (OTHER, "")


def test_a_file_that_broke_is_seen_without_a_reload() -> None:
    """Before a restart would fail of it."""
    kept = configured(BROKEN, LATER)
    assert not kept.confirm()
    assert kept.faults
    assert kept.configuration.loaded_at == demo.LOADED
    assert kept.confirm()
    assert kept.faults == ()


def test_the_state_folder_cannot_be_changed_by_a_reload() -> None:
    """It is locked, and what is kept in it is in use."""
    kept = configured(replace(OTHER, state=Path("elsewhere")))
    assert not kept.reload()
    assert "cannot be changed to elsewhere by a reload" in kept.faults[0]
    assert "restart infoprovider" in kept.faults[0]
