"""`infoprovider check --deep`: what it prints, with which code it ends, and what it never shows or leaves behind."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.cli.doctor.faults import FAULTS
from tests.cli.doctor.ward import Ward
from tests.providers.openstack_recorded import PASSWORD, Fault


def injected(name: str, ward: Ward) -> None:
    """Do what a row of the catalogue does."""
    next(one for one in FAULTS if one.inject.__name__ == name).inject(ward)


def deep(program: Program, ward: Ward, *words: str) -> tuple[int, str]:
    """The exit code and standard output."""
    ended = program("check", "--deep", ward.config, "--root", ward.root, *words)
    return ended.code, ended.out


def test_nothing_is_the_matter(described: Ward, program: Program) -> None:
    """It says so, and ends with 0."""
    code, out = deep(program, described)
    assert code == 0
    assert out.endswith("site.yaml: nothing is the matter\n")


@pytest.mark.parametrize(
    ("name", "code"),
    [("unknown_key", 2), ("unknown_kind", 3), ("full_disk", 8), ("dead_daemon", 8), ("without_ours", 7), ("twice", 10)],
)
def test_the_exit_code_is_that_of_the_first_cause(described: Ward, program: Program, name: str, code: int) -> None:
    """As docs/exit-codes.md has it; 10 where all are warnings."""
    injected(name, described)
    assert deep(program, described)[0] == code


def test_a_manager_that_cannot_be_reached_ends_with_4(asked: Ward, program: Program) -> None:
    """As a collection does that brings nothing."""
    injected("no_name", asked)
    code, out = deep(program, asked)
    assert code == 4
    assert "getent hosts nowhere.invalid" in " ".join(out.split())


def test_json_has_everything(described: Ward, program: Program) -> None:
    """Each finding with what it explains."""
    injected("nobody", described)
    told = json.loads(deep(program, described, "--json")[1])
    assert told["ok"] is False
    first = told["findings"][0]
    assert (first["kind"], first["layer"], first["severity"], first["about"]) == ("not-kept", "daemon", "error", [])
    assert any("has expired" in one for one in first["explains"])
    assert first["cause"]
    assert first["seen"]
    assert first["remedy"]


def test_no_secret_is_shown(asked: Ward, program: Program) -> None:
    """Not even where a manager repeats it."""
    assert asked.cloud is not None
    asked.cloud.faults["auth/tokens"] = Fault(status=500, text=f"no {PASSWORD} here")
    asked.patch.setenv("http_proxy", f"http://somebody:{PASSWORD}@127.0.0.1:9")
    asked.patch.setenv("no_proxy", "127.0.0.1")
    for words in ((), ("--json",)):
        assert PASSWORD not in deep(program, asked, *words)[1]


def test_nothing_is_changed(asked: Ward, program: Program) -> None:
    """What is kept and published stays as it is, byte for byte, and nothing is left beside it."""

    def kept() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in asked.folder.rglob("*") if path.is_file()}

    before = kept()
    deep(program, asked)
    assert kept() == before
