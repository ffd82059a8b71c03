"""Secrets: where they may stand, what refuses to give them, and that nothing shows them."""

import copy
import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from infoprovider.errors import ConfigError, Crashed
from infoprovider.secret import HIDDEN, MAX_BYTES, Secret, from_request_json, secrets_in, to_request_json
from infoprovider.settings import Duration, FilePath, Settings

WORD = "hunter2"


class Account(Settings):
    """Settings with secrets in every sort of place."""

    user: str
    password: Secret
    token: Secret | None = None
    more: dict[str, Secret] = {}
    ca_file: FilePath | None = None
    timeout: Duration = 5.0


def secret_file(folder: Path, content: bytes = WORD.encode() + b"\n", mode: int = 0o600) -> Path:
    """A file with a secret in it."""
    file = folder / "secret"
    file.write_bytes(content)
    file.chmod(mode)
    return file


def account(folder: Path, **written: Any) -> Account:
    """An account as an operator writes it."""
    text = json.dumps({"user": "u", "password": {"file": "secret"}} | written)
    return Account.model_validate_json(text, context={"folder": folder})


def test_a_secret_is_read_from_a_file_beside_the_configuration_when_it_is_revealed(tmp_path: Path) -> None:
    """A new password in the file counts without reading the configuration again."""
    settings = account(tmp_path)
    secret_file(tmp_path)
    assert settings.password.reveal() == WORD
    secret_file(tmp_path, b" two words \r\n\n")
    assert settings.password.reveal() == " two words "


def test_a_secret_is_read_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable is named, and read when it is revealed."""
    settings = account(tmp_path, password={"environment": "INFOPROVIDER_TEST_WORD"})
    monkeypatch.setenv("INFOPROVIDER_TEST_WORD", WORD)
    assert settings.password.reveal() == WORD


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_the_owner_and_the_owners_group_may_read_it(tmp_path: Path, mode: int) -> None:
    """A file of root's may be given to the group of the user who runs infoprovider."""
    assert Secret(file=secret_file(tmp_path, mode=mode)).reveal() == WORD


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o644, 0o666, 0o660])
def test_a_file_that_others_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    """The message says how to mend it."""
    file = secret_file(tmp_path, mode=mode)
    with pytest.raises(ConfigError) as caught:
        Secret(file=file).reveal()
    assert str(caught.value) == f"the file {file}: is open to other users (mode {mode:o}); run chmod 600 {file}"


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither root's nor ours: its owner could change what we send."""
    file = secret_file(tmp_path)
    monkeypatch.setattr("os.fstat", _with_owner(file.stat().st_uid + 4711))
    with pytest.raises(ConfigError, match=r"belongs to another user \(uid 4711\); run chown 0 "):
        Secret(file=file).reveal()


def _with_owner(uid: int) -> Any:
    import os

    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        values = list(real(descriptor))
        values[4] = uid
        return os.stat_result(values)

    return fstat


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * (MAX_BYTES + 1), "is larger than 64 KiB"),
    ],
)
def test_a_file_without_a_usable_secret_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    """No empty password is sent to anybody, nor a file that was named by mistake."""
    with pytest.raises(ConfigError, match=what):
        Secret(file=secret_file(tmp_path, content)).reveal()


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    """A folder, a missing file and a pipe that nobody writes into hold nobody up."""
    import os

    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, what in (("pipe", "is no file"), (".", "is no file|cannot be read"), ("nowhere", "No such file")):
        with pytest.raises(ConfigError, match=what):
            Secret(file=tmp_path / name).reveal()


def test_a_variable_without_a_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not set and empty are told apart."""
    monkeypatch.delenv("INFOPROVIDER_TEST_WORD", raising=False)
    with pytest.raises(ConfigError, match="the environment variable INFOPROVIDER_TEST_WORD: is not set; set it"):
        Secret(environment="INFOPROVIDER_TEST_WORD").reveal()
    monkeypatch.setenv("INFOPROVIDER_TEST_WORD", "")
    with pytest.raises(ConfigError, match="is empty"):
        Secret(environment="INFOPROVIDER_TEST_WORD").reveal()


@pytest.mark.parametrize(
    "written",
    [WORD, 1234, None, {}, {"value": WORD}, {"file": "a", "environment": "B"}, {"file": ""}, {"file": 1}, [WORD]],
)
def test_anything_but_one_place_is_refused_without_an_echo(tmp_path: Path, written: object) -> None:
    """A literal secret is refused also in the form that only a request has, and the error does not repeat it."""
    with pytest.raises(ValidationError) as caught:
        account(tmp_path, password=written)
    assert WORD not in str(caught.value)


def test_a_secret_shows_where_it_comes_from_and_never_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Text forms, dumps, logs and tracebacks hold no value, neither in the parent nor in the child."""
    secret_file(tmp_path)
    ours = account(tmp_path, more={"a": {"file": "secret"}})
    theirs = from_request_json(Account, to_request_json(ours))
    for settings in (ours, theirs):
        settings.password.reveal()
        with caplog.at_level(logging.DEBUG):
            logging.getLogger("test").warning("%s %r %s", settings, settings, settings.password)
        shown = "".join(traceback.format_exception(RuntimeError(settings)))
        shown += "".join([str(settings), repr(settings), str(settings.model_dump()), settings.model_dump_json()])
        shown += f"{settings.password} {settings.password!r} {settings.more} {caplog.text}"
        assert WORD not in shown
        assert settings.model_dump()["password"] == HIDDEN
    assert repr(ours.password) == f"<Secret from the file {tmp_path / 'secret'}>"


def test_a_secret_is_copied_with_its_settings_and_never_pickled(tmp_path: Path) -> None:
    """A deep copy is equal to the original; a pickle would be a file with a value in it."""
    secret_file(tmp_path)
    settings = from_request_json(Account, to_request_json(account(tmp_path)))
    assert copy.deepcopy(settings) == copy.copy(settings) == settings
    assert hash(settings.password) == hash(copy.copy(settings.password))
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(settings)


def test_settings_reach_the_collecting_process_with_their_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes out has every value in it: files and variables are not looked at again."""
    file = secret_file(tmp_path)
    monkeypatch.setenv("INFOPROVIDER_TEST_WORD", "from the environment")
    settings = account(
        tmp_path,
        token={"environment": "INFOPROVIDER_TEST_WORD"},
        more={"a": {"file": "secret"}},
        ca_file="ca.pem",
        timeout="2m",
    )
    text = to_request_json(settings)
    file.unlink()
    monkeypatch.delenv("INFOPROVIDER_TEST_WORD")
    received = from_request_json(Account, text)
    assert (received.password.reveal(), received.more["a"].reveal()) == (WORD, WORD)
    assert received.token is not None
    assert received.token.reveal() == "from the environment"
    assert (received.user, received.ca_file, received.timeout) == ("u", tmp_path / "ca.pem", 120.0)


def test_a_request_is_not_written_without_its_secrets(tmp_path: Path) -> None:
    """The instance that needs the secret learns why it cannot be asked."""
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory; name a file that exists"):
        to_request_json(account(tmp_path))


def test_a_request_that_cannot_be_read_shows_no_value() -> None:
    """Neither the message nor what caused it repeats what was handed over."""
    with pytest.raises(Crashed) as caught:
        from_request_json(Account, json.dumps({"user": 5, "password": {"value": WORD}, "x": WORD}))
    assert "at user, x" in str(caught.value)
    assert WORD not in "".join(traceback.format_exception(caught.value))


def test_every_secret_is_found_with_the_way_to_it(tmp_path: Path) -> None:
    """A check names the place of a secret that cannot be read."""
    word = {"file": "secret"}
    settings = account(tmp_path, token=word, more={"a": word})
    secret = Secret(file=tmp_path / "secret")
    ways = (("password",), ("token",), ("more", "a"))
    assert list(secrets_in(settings)) == [(way, secret) for way in ways]
    assert list(secrets_in({"list": [settings, (secret, 5)]}))[3:] == [(("list", 1, 0), secret)]


def test_a_secrets_schema_marks_it_for_editors() -> None:
    """`writeOnly` is JSON Schema's word for what is never shown."""
    assert TypeAdapter(Secret).json_schema()["writeOnly"] is True
