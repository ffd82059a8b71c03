"""The settings of a receiver: read with every mistake at its place, described by a current page and schema."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from infoprovider.config.following import FollowingFile, LdapSettings, SignaturesSettings, load_following
from infoprovider.errors import ConfigError
from tests.test_documentation import ROW

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "follow.yaml"
SCHEMA = ROOT / "schemas" / "follow.schema.json"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The program that writes the schema."""
    spec = importlib.util.spec_from_file_location("write_follow_schema", ROOT / "tools" / "write_follow_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(where: Path, **changes: Any) -> Path:
    """The least that a file must say, and more."""
    path = where / "follow.yaml"
    path.write_text(yaml.safe_dump({"broker": {"brokers": ["mq:1"]}, "folder": "copies"} | changes))
    return path


def test_the_example_can_be_read() -> None:
    """It has no mistake, and paths in it are seen from its own folder."""
    settings = load_following(EXAMPLE).settings
    assert settings.ldap is not None
    assert (settings.ldap.host, settings.ldap.port, settings.ldap.is_encrypted) == ("127.0.0.1", 2175, False)
    assert settings.ldap.password is not None
    assert str(ROOT / "examples" / "secrets" / "slapd") in settings.ldap.password.origin
    assert settings.subscription.durable("/topic/glue2.documents.>") == "top-index-one-documents"
    assert settings.subscription.durable("/topic/glue2.notices.>") == "top-index-one-notices"
    assert settings.subscription.durable("/queue/x") == ""


def test_the_schema_is_current_and_takes_the_example(tool: ModuleType) -> None:
    """Whoever changes the settings or the page writes it anew; it is of one mind with what reads the file."""
    assert tool.follow_schema() == SCHEMA.read_text()
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert list(validator.iter_errors(yaml.safe_load(EXAMPLE.read_text()))) == []
    assert list(validator.iter_errors({"broker": {}, "folder": "x"}))


def test_every_key_has_its_row(tool: ModuleType) -> None:
    """Each key that holds a value has a row with its default, and no row is about anything else."""
    schema = TypeAdapter(FollowingFile).json_schema()
    nodes = {path: (holder[name], name) for path, holder, name in tool.properties(schema, schema)}
    values = {path for path in nodes if not any(other.startswith(f"{path}.") for other in nodes)}
    rows = dict(ROW.findall((ROOT / "docs" / "following.md").read_text()))
    assert rows.keys() == values
    for path, default in rows.items():
        node, _ = nodes[path]
        expected = node.get("default", "**required**")
        shown = "" if expected is None else json.dumps(expected).strip('"')
        assert default.strip("`") == shown, path


def wrong() -> Iterator[tuple[dict[str, Any], str]]:
    """Mistakes, and what is said of them."""
    yield {"folder": None}, "folder: found nothing"
    yield {"ldap": {"url": "http://x"}}, "write the address of a server, such as ldap://127.0.0.1:2170"
    yield {"ldap": {"url": "ldap://x", "password": {"file": "pw"}}}, "the password would travel readable"
    yield {"ldap": {"url": "ldaps://x", "start_tls": True}}, "ldaps:// is encrypted from its beginning"
    yield {"ldap": {"url": "ldap://127.0.0.1", "password": "secret"}}, "a secret itself never stands"
    yield {"signatures": {}}, "write either ca_file or ca_path"
    yield {"signatures": {"ca_file": "x", "signers": {"RC": ["/C=CH/CN=x"]}}}, "no subject as RFC 2253 writes it"
    yield {"signatures": {"ca_file": "x", "signers": {"../x": ["CN=x"]}}}, "signatures.signers"
    yield {"subscription": {"documents": "glue2"}}, "write a topic or a queue"
    yield {"centre": ["RC"]}, "write centres"
    yield {"limits": {"centres": 0}}, "write a number of centres"


@pytest.mark.parametrize(("changes", "said"), list(wrong()))
def test_a_mistake_is_told_with_its_line(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """With file, line, the path in the file, and what to write instead."""
    path = written(tmp_path, **changes)
    with pytest.raises(ConfigError) as raised:
        load_following(path)
    assert said in str(raised.value)
    assert raised.value.findings[0].line is not None


@pytest.mark.parametrize(
    ("url", "host", "port", "local"),
    [
        ("ldap://127.0.0.1", "127.0.0.1", 389, True),
        ("ldap://[::1]:2170/", "::1", 2170, True),
        ("ldaps://index.example.org", "index.example.org", 636, False),
        ("ldap://localhost:1", "localhost", 1, True),
    ],
)
def test_an_address_is_taken_apart(url: str, host: str, port: int, local: bool) -> None:
    """Into host and port, with the usual port where none is written."""
    settings = LdapSettings(url=url)
    assert (settings.host, settings.port, settings.is_local) == (host, port, local)


def test_a_signer_is_known_in_whatever_spelling() -> None:
    """Blanks, escapes and the case of attributes mean nothing; a comma within a name is no separator."""
    given = {"ca_file": "x", "signers": {"RC": ["cn=a\\, b , O=c"]}}
    trust = SignaturesSettings.model_validate_json(json.dumps(given))
    assert trust.may_speak("CN=a\\2C b,O=c", "RC")
    assert not trust.may_speak("CN=a, b=,O=c", "RC")
    assert not trust.may_speak("CN=a,CN=b,O=c", "RC")
    assert not trust.may_speak("", "RC")
    assert not trust.may_speak("CN=a\\, b,O=c", "RC-OTHER")
