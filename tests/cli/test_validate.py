"""`infoprovider validate`: sources, rules, outputs and exit codes, as an operator and a monitoring system meet them."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from infoprovider.errors import ExitCode
from infoprovider.render.json import render_json
from infoprovider.render.ldif import LdifRenderer
from infoprovider.render.xml import render_xml
from tests.cli.conftest import Centre, Program
from tests.fakes.ldap_server import done, entry, serving
from tests.publication import demo

WORKED = Path(__file__).parents[1] / "validation" / "data" / "worked-centre.ldif"


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A centre that was observed just now."""
    path = tmp_path / "sound.ldif"
    stamp = datetime.now(UTC).isoformat()[:19] + "Z"
    path.write_text(WORKED.read_text().replace("STAMP", stamp))
    return path


@pytest.fixture
def broken(sound: Path) -> Path:
    """The same with one word wrong, and one number too many."""
    path = sound.with_name("broken.ldif")
    text = sound.read_text().replace("GLUE2EndpointHealthState: ok", "GLUE2EndpointHealthState: fine", 1)
    path.write_text(re.sub("(GLUE2ComputingShareMaxSlotsPerJob): .*", r"\1: 0", text))
    return path


def test_a_sound_file_is_said_to_be_sound(program: Program, sound: Path) -> None:
    """One line, and code 0."""
    ended = program("validate", sound)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{sound}: 0 errors, 0 warnings, 0 notes in 32 entries\n"


def test_findings_are_a_table_with_what_to_do(program: Program, broken: Path) -> None:
    """Level, rule, line, entry, attribute and what; below, why and the remedy of each rule once; code 6."""
    ended = program("validate", broken)
    assert ended.code == ExitCode.VALIDATION
    rows = [line.split() for line in ended.out.splitlines()]
    (error,) = [row for row in rows if row[:2] == ["error", "glue.enumeration"]]
    assert error[3:5] == ["urn:glue2:ComputingEndpoint:rc.example.net:occi", "EndpointHealthState"]
    assert broken.read_text().splitlines()[int(error[2]) - 1].startswith(f"dn: GLUE2EndpointID={error[3]},")
    (warning,) = [row for row in rows if row[:2] == ["warning", "egi.W024"]]
    assert warning[4:] == ["ComputingShareMaxSlotsPerJob", "is", "0"]
    assert "glue.enumeration: the list is closed" in ended.out
    assert ended.out.endswith(f"{broken}: 1 error, 1 warning, 0 notes in 32 entries\n")


def test_warnings_alone_are_no_failure(program: Program, broken: Path) -> None:
    """Unless somebody makes an error of them."""
    assert program("validate", broken, "--rules=-glue.enumeration").code == 0
    assert program("validate", broken, "--rules", "-glue.enumeration,W024=error").code == ExitCode.VALIDATION
    assert program("validate", broken, "--only", "W024").code == 0


def test_findings_for_programs(program: Program, broken: Path) -> None:
    """JSON with everything that is known of each."""
    told = json.loads(program("validate", "--json", broken).out)
    (source,) = told["sources"]
    assert (told["ok"], source["entries"], source["counts"]) == (False, 32, {"glue.enumeration": 1, "egi.W024": 1})
    assert source["findings"][0].keys() >= {"rule", "level", "object", "attribute", "what", "why", "remedy", "line"}


def test_findings_for_automation(program: Program, broken: Path, tmp_path: Path) -> None:
    """A case for each rule that was applied; errors have failed, warnings are said beside."""
    report = tmp_path / "report.xml"
    assert program("validate", broken, "--junit", report).code == ExitCode.VALIDATION
    (suite,) = ElementTree.parse(report).getroot()  # noqa: S314  (we have just written it)
    cases: dict[str, Any] = {case.attrib["name"]: case for case in suite}
    assert int(suite.attrib["tests"]) == len(cases) > 150
    failed = [name for name, case in cases.items() if case.find("failure") is not None]
    assert (failed, suite.attrib["failures"]) == (["glue.enumeration"], "1")
    assert "ComputingEndpoint:rc.example.net:occi" in cases["glue.enumeration"].find("failure").text
    assert "ShareMaxSlotsPerJob is 0" in cases["egi.W024"].find("system-out").text
    assert "egi.I079" not in cases


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        ((), 2, r"CRITICAL: 1 error, 1 warning, 0 notes in 32 entries: glue.enumeration urn:\S+ .* is 'fine'.*"),
        (("--rules=-glue.enumeration",), 1, r"WARNING: 0 errors, 1 warning, 0 notes in 32 entries: egi.W024 .* is 0"),
        (("--only=egi.I079",), 0, "OK: 0 errors, 0 warnings, 2 notes in 32 entries"),
    ],
)
def test_findings_for_a_monitoring_system(
    program: Program, broken: Path, options: tuple[str, ...], code: int, line: str
) -> None:
    """One line with figures, and the state as exit code."""
    ended = program("validate", "-n", "-f", broken, *options)
    assert (ended.code, ended.err) == (code, "")
    said, figures = ended.out.rstrip("\n").split(" | ")
    assert re.fullmatch(line, said)
    assert re.fullmatch(r"errors=\d warnings=\d info=\d entries=32", figures)


def test_a_monitoring_system_is_told_where_nothing_could_be_asked(program: Program, tmp_path: Path) -> None:
    """Code 3 and one line, for whatever kept us from looking: no file, no entry, no rule of that name."""
    (tmp_path / "empty.ldif").touch()
    for words in (["missing.ldif"], [tmp_path / "empty.ldif"], ["--rules=E999", tmp_path / "empty.ldif"]):
        ended = program("validate", "--nagios", *words)
        assert (ended.code, ended.err, ended.out.count("\n")) == (3, "", 1)
        assert ended.out.startswith("UNKNOWN: ")


def test_what_was_published_is_validated(program: Program, centre: Centre) -> None:
    """A configuration stands for what it publishes, also when it is named by the environment."""
    for described in (centre.config.parent / "demo").iterdir():
        described.touch()  # what is described holds from now on
    assert program("validate", centre.config).code == ExitCode.STORE
    assert program("publish", "--quiet", centre.config).code == 0
    ended = program("validate", centre.config)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(" entries\n")
    assert ": 0 errors, 0 warnings, 0 notes in " in ended.out


def test_what_channels_hand_out_in_several_formats_must_agree(program: Program, centre: Centre) -> None:
    """The trees may leave entities out, but say nothing else than the document in XML and JSON."""
    for described in (centre.config.parent / "demo").iterdir():
        described.touch()
    bdii = {"name": "site-bdii", "kind": "bdii", "settings": {"folder": "bdii"}}
    xml, js = ({"name": one, "kind": "stdout", "format": one} for one in ("xml", "json"))
    centre.change(channels=[bdii, xml, js])
    program("publish", "--quiet", centre.config)
    told = json.loads(program("validate", "--json", centre.config).out)
    assert [(Path(one["source"]).name, one["counts"]) for one in told["sources"]] == [
        ("current.resource.ldif", {}),
        ("current.xml", {}),
        ("current.json", {}),
        ("current.xml", {}),
        ("current.xml", {}),
    ]
    published = Path(told["sources"][1]["source"])
    published.write_bytes(published.read_bytes().replace(b"<ServingState>production", b"<ServingState>draining"))
    told = json.loads(program("validate", "--json", "--only=agreement", centre.config).out)
    assert [set(one["counts"]) for one in told["sources"]] == [
        set(),
        set(),
        set(),
        {"agreement.value"},
        {"agreement.value"},
    ]


def test_several_files_must_say_the_same(program: Program, sound: Path, broken: Path) -> None:
    """Values that differ and entries that are missing are told with both names."""
    shorter = sound.with_name("shorter.ldif")
    blocks = sound.read_text().split("\n\n")
    shorter.write_text("\n\n".join(block for block in blocks if not block.startswith("dn: GLUE2LocationID=")))
    told = json.loads(program("validate", "--json", "--only=agreement", sound, shorter, broken).out)
    found = {one["source"]: one["findings"] for one in told["sources"] if one["findings"]}
    ((missing,), unreadable) = found.values()
    assert missing["what"] == f"is in {sound} and not in {shorter}"
    assert unreadable[0]["rule"] == "read.unreadable"
    assert "'fine', which is not one of" in unreadable[0]["what"]


def test_a_file_is_read_by_what_it_begins_with(program: Program, tmp_path: Path) -> None:
    """XML and JSON of the demo centre are sound, and say the same as its LDIF."""
    entities = demo.document_of_the_demo().entities
    written = {
        "a": LdifRenderer("site").render(demo.document_of_the_demo()),
        "b": render_xml(entities),
        "c": b" " + render_json(entities),
    }
    for name, body in written.items():
        (tmp_path / name).write_bytes(body)
    words = [tmp_path / name for name in written]
    # The demo is composed at a noon of its own: only that it has passed since is told.
    told = json.loads(program("validate", "--json", "--rules=-E001,-E002", *words).out)
    assert [one["counts"] for one in told["sources"]] == [{}] * 5
    assert [one["entries"] for one in told["sources"]][1:] == [len(entities)] * 2 + [0] * 2


def test_a_live_server_is_validated(program: Program) -> None:
    """Named as older tools name it; what it does not answer is an error of its own."""

    def answer(message: Any, send: Any) -> None:
        assert str(message["protocolOp"].getComponent()["baseObject"]) == "GLUE2GroupID=resource,o=glue"
        send(
            entry(
                message["messageID"],
                "GLUE2GroupID=resource,o=glue",
                {"objectClass": [b"GLUE2Group"], "GLUE2GroupID": [b"resource"], "GLUE2EntityName": [b"\x1b[2J"]},
            )
        )
        send(done(message["messageID"]))

    with serving(answer) as port:
        words = ["validate", "-H", "127.0.0.1", "-p", str(port), "-b", "GLUE2GroupID=resource,o=glue", "-t", "5"]
        ended = program(*words)
    assert ended.code == ExitCode.VALIDATION
    assert "ldap.unknown-attribute" in ended.out
    assert "\x1b" not in ended.out
    gone = program(*words)
    assert (gone.code, gone.out) == (ExitCode.QUERY, "")
    assert gone.err.startswith(f"infoprovider: cannot read ldap://127.0.0.1:{port}/GLUE2GroupID=resource,o=glue: ")


HOSTILE = {
    "entities": '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    "laughs": "<!DOCTYPE a ["
    '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)) + "]><a>&a11;</a>",
    "file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "dtd": '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
    "deep": "<a>" * 100000,
    "long": "<a>" + "y" * 20_000_000 + "</a>",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_xml_is_refused(program: Program, tmp_path: Path, text: str) -> None:
    """With a clear word, and nothing of what it points to in it."""
    path = tmp_path / "hostile.xml"
    path.write_text(text)
    told = json.loads(program("validate", "--json", path).out)
    (source,) = told["sources"]
    assert {one["rule"] for one in source["findings"]} == {"read.unreadable", "read.nothing"}
    assert source["findings"][0]["what"].startswith("cannot read the XML document: ")
    assert "root:" not in json.dumps(told)


@pytest.mark.parametrize("text", [HOSTILE["laughs"], HOSTILE["deep"], '{"a":' * 100000], ids=["laughs", "deep", "json"])
def test_hostile_documents_take_little_memory_and_time(tmp_path: Path, text: str) -> None:
    """The whole program has 400 MB of addresses and ten seconds of processor."""
    path = tmp_path / "hostile"
    path.write_text(text)
    limits = "import resource as r; r.setrlimit(r.RLIMIT_AS, (400 * 2**20,) * 2); r.setrlimit(r.RLIMIT_CPU, (10, 10))"
    program = f"{limits}; from infoprovider.cli.main import main; main()"
    command = [sys.executable, "-c", program, "validate", "-n", path]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (3, "")
    assert ended.stdout.startswith("UNKNOWN: no entry was read from ")


def test_xml_of_a_gigabyte_is_refused(program: Program, tmp_path: Path) -> None:
    """Nothing of it is parsed."""
    path = tmp_path / "long.xml"
    with path.open("wb") as file:
        file.write(b"<GLUE2>")
        file.truncate(2**30)
    ended = program("validate", path)
    assert ended.code == ExitCode.VALIDATION
    assert f"{path} has more than 536870912 bytes, which no centre needs" in ended.out


def test_the_rules_are_listed(program: Program) -> None:
    """With which of them are applied."""
    ended = program("validate", "--list-rules")
    rows = [line.split() for line in ended.out.splitlines()]
    assert (ended.code, ended.err) == (0, "")
    assert [row[0] for row in rows if row[1:2] == ["egi.E002"]] == ["on"]
    assert [row[0] for row in rows if row[1:2] == ["egi.I079"]] == ["off"]


def test_nothing_named_is_a_mistake_on_the_command_line(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what may be named."""
    monkeypatch.delenv("INFOPROVIDER_CONFIG", raising=False)
    ended = program("validate")
    assert ended.code == ExitCode.CONFIG
    assert "name a configuration, a file of LDIF, XML or JSON, or a server with -H" in ended.err
