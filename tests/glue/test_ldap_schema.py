"""schemas/GLUE20.schema against the schema that BDII servers are installed with (Debian package glue-schema)."""

import re
import subprocess
from pathlib import Path

import pytest

OURS = Path(__file__).parents[2] / "schemas" / "GLUE20.schema"
INSTALLED = Path("/etc/ldap/schema/GLUE20.schema")
CORE = INSTALLED.with_name("core.schema")

TOKEN = re.compile(r"'[^']*'|[()$]|[^\s()$']+")
FLAGS = {"SINGLE-VALUE", "ABSTRACT", "STRUCTURAL", "AUXILIARY"}
Definition = dict[str, tuple[str, ...]]

pytestmark = pytest.mark.bdii


def definitions(schema: Path, keyword: str) -> dict[str, Definition]:
    """OID → what a definition of this kind says, name by name in lower case; the description is left out."""
    text = "\n".join(line for line in schema.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    parts = re.split(r"(?im)^(attributetype|objectclass)\s", text)[1:]
    found = [parsed(body) for kind, body in zip(parts[::2], parts[1::2], strict=True) if kind.lower() == keyword]
    by_oid = {definition["OID"][0]: definition for definition in found}
    assert len(by_oid) == len(found)
    return by_oid


def parsed(body: str) -> Definition:
    """The words behind each keyword of one definition (RFC 4512, section 4.1)."""
    tokens = TOKEN.findall(body)[1:-1]
    definition: Definition = {"OID": (tokens[0],)}
    position = 1
    while position < len(tokens):
        keyword, position = tokens[position], position + 1
        if keyword in FLAGS:
            definition[keyword] = ()
            continue
        end = tokens.index(")", position) if tokens[position] == "(" else position
        names = (word.strip("'").lower() for word in tokens[position : end + 1] if word not in "()$")
        values = tuple(sorted(names))
        position = end + 1
        if keyword != "DESC":
            definition[keyword] = values
    return definition


@pytest.mark.parametrize(("keyword", "number"), [("attributetype", 315), ("objectclass", 36)])
def test_every_definition_is_the_installed_one(keyword: str, number: int) -> None:
    """Names, OID, syntax, matching rules, single or many, superior, kind, MUST and MAY: nothing more, nothing less."""
    installed = definitions(INSTALLED, keyword)
    assert len(installed) == number
    assert definitions(OURS, keyword) == installed


def test_slapd_takes_our_schema(tmp_path: Path) -> None:
    """A server reads the file with nothing but the core schema before it."""
    configuration = tmp_path / "slapd.conf"
    configuration.write_text(f"include {CORE}\ninclude {OURS}\n", encoding="utf-8")
    done = subprocess.run(
        ["/usr/sbin/slaptest", "-u", "-f", configuration], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
