"""`infoprovider check`: what it finds beyond the words of the file, and how it says so."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infoprovider.cli import main, site
from infoprovider.cli.checks import examine
from infoprovider.config.load import load_with_places
from infoprovider.errors import Finding
from infoprovider.glue.document import Document, Source, close
from infoprovider.inventory.model import Facet
from infoprovider.providers.contract import Answer, CollectContext, ProviderSpec
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.publishers.contract import Format, PublisherSpec
from infoprovider.secret import Secret
from infoprovider.settings import Settings
from infoprovider.store.document import DocumentStore
from tests.fakes.stomp_broker import error, stomp_broker
from tests.publication import demo

WRONG = Path(__file__).parent / "wrong"
EXAMPLES = Path(__file__).parents[2] / "examples"
READABLE = "name a file that exists and that this user may read"
CENTRE = "centre: { name: RC-ONE }\n"
MANAGER = "manager: { product: a, endpoints: [{ url: 'https://a/', interface: occi, sign_in: [{ method: x509 }] }] }\n"


class Cloud(Settings):
    """The settings of a manager that would have to be asked over the network."""

    password: Secret | None = None


def never(_settings: Cloud, _context: CollectContext) -> Iterator[Answer]:
    """Fail the test: nobody is asked."""
    raise AssertionError
    yield  # makes it a generator


CLOUD = ProviderSpec(kind="cloud", settings=Cloud, facets=frozenset(Facet), collect=never)
USELESS = ProviderSpec(
    kind="useless",
    settings=Cloud,
    facets=frozenset({Facet.MANAGER, Facet.IMAGES}),
    collect=never,
    check=lambda _: [Finding(file="useless.cfg", line=1, what="is useless", remedy="write another")],
)


@pytest.fixture
def centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a configuration file into a folder of its own, in which the test then stands."""
    provider = site.provider
    others: dict[str, ProviderSpec[Any]] = {"cloud": CLOUD, "useless": USELESS}
    monkeypatch.setattr(site, "provider", lambda kind: others.get(kind) or provider(kind))
    monkeypatch.chdir(tmp_path)

    def write(text: str, **files: str) -> Path:
        Path("site.yaml").write_text(CENTRE + text)
        for name, content in files.items():
            Path(f"{name}.yaml").write_text(content)
        return Path("site.yaml")

    return write


def findings(path: Path) -> list[str]:
    """What is to be mended, as it is printed."""
    return [str(one) for one in _examined(path).findings]


def notes(path: Path) -> list[str]:
    """What is worth knowing, as it is printed."""
    return [str(one) for one in _examined(path).notes]


def _examined(path: Path) -> Any:
    loaded = load_with_places(path, lambda kind: site.provider(kind).settings, _publisher_settings, site.now)
    return examine(loaded)


def _publisher_settings(kind: str) -> type[Any]:
    return site.publisher(kind).settings


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the program with these arguments."""
    monkeypatch.setattr(sys, "argv", ["infoprovider", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(ended.value.code or 0)


ONE_CLOUD = "instances:\n  - { name: north, kind: cloud }\n"


def test_a_right_configuration_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demonstration centre has no mistake, and checking leaves nothing behind."""
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert command(monkeypatch, "check", "demo.yaml") == 0
    assert capsys.readouterr().out == ("demo.yaml: no mistake found; 2 static instances, 4 communities, 1 channel\n")
    assert sorted(tmp_path.rglob("*")) == before


def test_mistakes_end_with_the_code_for_configurations(
    centre: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each on a line of standard error, with their number."""
    centre("instances: []\nstate: 5\n")
    assert command(monkeypatch, "check", "site.yaml") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "site.yaml:2:12: instances: found an empty list; write a list of at least 1",
        "site.yaml:3:8: state: found the number 5; write the path of a folder, in quotes",
        "infoprovider: 2 mistakes to mend",
    ]


def test_findings_are_told_to_programs_as_json(
    centre: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether mistakes are in the file itself or beyond it, they have the same form."""
    path = centre(ONE_CLOUD + "channels: [{ name: site-bdii, kind: bdii, settings: { folder: none } }]\n")
    assert command(monkeypatch, "check", str(path), "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["instances"], told["channels"]) == (False, {"north": "cloud"}, {"site-bdii": "bdii"})
    assert told["findings"] == [
        {
            "file": "site.yaml",
            "line": 4,
            "column": 53,
            "path": "channels[0].settings",
            "what": f"cannot read {Path.cwd() / 'none'}: no such file or directory",
            "why": "",
            "remedy": "create the folder or name another one",
        }
    ]
    path = centre("instances: []\n")
    assert command(monkeypatch, "check", str(path), "--json") == 2
    assert json.loads(capsys.readouterr().out)["findings"][0]["path"] == "instances"


def test_secrets_that_cannot_be_used_are_found(centre: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is not there, one that others can read, one that is not set; a right one is no finding."""
    monkeypatch.delenv("NORTH_WORD", raising=False)
    path = centre(
        """instances:
  - { name: north, kind: cloud, settings: { password: { environment: NORTH_WORD } } }
  - { name: south, kind: cloud, settings: { password: { file: open } } }
  - { name: east, kind: cloud, settings: { password: { file: nowhere } } }
  - { name: west, kind: cloud, settings: { password: { file: word } } }
"""
    )
    for name, mode in (("open", 0o644), ("word", 0o600)):
        Path(name).write_text("hunter2")
        Path(name).chmod(mode)
    here = Path.cwd()
    told = [one.partition(".settings.password: the ") for one in findings(path)]
    assert [place for place, _, _ in told] == [
        "site.yaml:3:55: instances[0]",
        "site.yaml:4:55: instances[1]",
        "site.yaml:5:54: instances[2]",
    ]
    assert [what.replace(str(here), "HERE") for _, _, what in told] == [
        "environment variable NORTH_WORD is not set; set it for the user who runs infoprovider",
        "file HERE/open is open to other users (mode 644); run chmod 600 HERE/open",
        f"file HERE/nowhere cannot be read: No such file or directory; {READABLE}",
    ]


def test_what_a_plug_in_finds_is_told(centre: Callable[..., Path]) -> None:
    """A provider checks the files that its settings name, with places in those files."""
    path = centre(
        "instances:\n  - { name: a, kind: useless }\n  - { name: b, kind: static, settings: { file: b.yaml } }\n",
        b="manager: { produkt: x }\n",
    )
    assert findings(path) == [
        "useless.cfg:1: is useless; write another",
        f"{Path.cwd()}/b.yaml:1:10: manager.endpoints: endpoints is missing; add it: a list",
        f"{Path.cwd()}/b.yaml:1:12: manager.produkt: produkt is not known here; write product",
    ]


@pytest.mark.parametrize("file", sorted(WRONG.glob("*.yaml")), ids=lambda file: file.stem)
@pytest.mark.usefixtures("centre")
def test_freshness_that_cannot_hold_is_told_with_its_sum_and_what_would_fit(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole message for each wrong file is the one that was reviewed."""
    monkeypatch.chdir(WRONG)
    told = [*findings(Path(file.name)), *(f"note: {note}" for note in notes(Path(file.name)))]
    assert "\n".join(told) + "\n" == file.with_suffix(".txt").read_text()


@pytest.mark.parametrize("text", ["", "    every: 10m\n    deadline: 30s\n", "freshness: { prices: { every: 20h } }\n"])
def test_a_pace_that_fits_is_no_finding(centre: Callable[..., Path], text: str) -> None:
    """The usual one does, and every other whose sum stays within the Validity."""
    assert findings(centre("instances:\n  - name: north\n    kind: cloud\n" + text)) == []


def test_a_description_may_be_as_old_as_it_is(centre: Callable[..., Path]) -> None:
    """What is read from a file holds until it is changed: no pace is too slow for it."""
    path = centre("instances: [{ name: a, kind: static, every: 30d, settings: { file: b.yaml } }]\n", b=MANAGER)
    assert (findings(path), notes(path)) == ([], [])


def test_folders_must_be_writable(centre: Callable[..., Path]) -> None:
    """Also those that are not there yet: then the one above counts."""
    path = centre(ONE_CLOUD + "state: file/state\npublic: a/b/c\n")
    Path("file").write_text("")
    assert findings(path) == [
        f"site.yaml:4:8: state: cannot write below {Path.cwd()}/file: not a directory; name a folder"
    ]
    assert not Path("a").exists()


def test_a_folder_without_right_is_told(centre: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so the system's refusal is played."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    told = findings(centre(ONE_CLOUD))
    what = f"cannot write below {Path.cwd()}: permission denied"
    assert told[0] == f"site.yaml:1:1: state: {what}; give this user the right to write there"


def test_channels_are_probed_and_their_formats_held_against_them(
    centre: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A BDII takes no JSON, and its folder of providers no static file."""
    Path("providers").mkdir()
    Path("providers/other").write_text("#!/bin/sh\n")
    Path("providers/other").chmod(0o755)
    path = centre(ONE_CLOUD + "channels: [{ name: b, kind: bdii, format: json, settings: { folder: providers } }]\n")
    told = findings(path)
    assert told[0] == "site.yaml:4:43: channels[0].format: a channel of kind bdii does not take json; write ldif"
    assert told[1].startswith("site.yaml:4:59: channels[0].settings: ")
    assert "looks like a BDII's folder of providers" in told[1]
    assert len(told) == 2
    several = PublisherSpec(
        kind="stdout",
        settings=Settings,
        accepts=frozenset({Format.XML, Format.JSON}),
        open=site.publisher("stdout").open,
    )
    monkeypatch.setattr(site, "publisher", lambda _: several)
    assert findings(centre(ONE_CLOUD + "channels: [{ name: b, kind: stdout }]\n")) == [
        "site.yaml:4:12: channels[0].format: a channel of kind stdout does not take ldif; write json or xml"
    ]


def test_a_channel_of_messages_is_probed_by_signing_in(centre: Callable[..., Path]) -> None:
    """A broker that takes us is no finding, and gets no message; one that does not is one, with the broker's words."""

    def file(address: str) -> Path:
        settings = f"{{ brokers: ['{address}'], plain: true }}"
        return centre(
            ONE_CLOUD + f"channels: [{{ name: m, kind: stomp, format: json, deadline: 20s, settings: {settings} }}]\n"
        )

    with stomp_broker() as broker:
        assert findings(file(broker.address)) == []
        assert [frame.command for frame in broker.frames] == ["CONNECT", "DISCONNECT"]
    with stomp_broker(error("User name [x] or password is invalid.", at="CONNECT")) as broker:
        [told] = findings(file(broker.address))
    assert told.startswith("site.yaml:4:")
    assert f"channels[0].settings: the broker {broker.address} does not know us as nobody" in told


def test_what_of_a_description_would_be_withheld_is_told(centre: Callable[..., Path]) -> None:
    """What GLUE demands and nothing gives, and projects that nobody knows: known before anything is published."""
    path = centre(
        """instances: [{ name: a, kind: static, settings: { file: b.yaml } }]
communities: [{ name: vo.example.org, projects: [{ instance: a, project: p }] }]
""",
        b=MANAGER
        + "instance_types: [{ id: t1, name: t1, vcpus: 1, memory_mib: 4 GiB },"
        + " { id: t2, name: t2, vcpus: 1, memory_mib: 4 GiB }]\n",
    )
    told = findings(path)
    assert len(told) == 2
    assert "the manager knows no such project; correct the id under `communities`" in told[0]
    assert told[1].startswith(
        "site.yaml:2:13: instances[0]: ExecutionEnvironment is withheld "
        "(2 of them, the first urn:glue2:ExecutionEnvironment:rc-one:a:t1): Platform is not known"
    )


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("{% if %}", "Expected an expression"),
        ("{% for one in objects('Srvice') %}{% endfor %}", "Srvice"),
        ("nonsense\n", "nonsense"),
    ],
)
def test_templates_of_the_site_are_tried(centre: Callable[..., Path], template: str, what: str) -> None:
    """One that cannot be compiled, or whose text is no LDIF, is found with its channel."""
    Path("ours").mkdir()
    Path("ours/computing_service.ldif").write_text(template)
    path = centre(
        "instances: [{ name: a, kind: static, settings: { file: b.yaml } }]\n"
        "channels: [{ name: screen, kind: stdout, templates: ours }]\n",
        b=MANAGER,
    )
    (told,) = findings(path)
    assert told.startswith("site.yaml:3:53: channels[0].templates: ")
    assert what in told


def test_a_renamed_instance_is_worth_a_note(centre: Callable[..., Path]) -> None:
    """Its identifiers change; a further instance, or one that is only gone, is no renaming."""
    store = DocumentStore(Path("run/state"), Path("run/public"))
    when = datetime(2026, 11, 21, tzinfo=UTC)
    document = _made_of("north", "west", at=when)
    store.keep(document, dict.fromkeys(document.by_id, "d"), {}, when, when)
    both = "instances:\n  - { name: west, kind: cloud }\n  - { name: north, kind: cloud }\n"
    assert notes(centre(both)) == []
    assert notes(centre(both + "  - { name: east, kind: cloud }\n")) == []
    assert notes(centre("instances:\n  - { name: west, kind: cloud }\n")) == []
    (note,) = notes(centre("instances:\n  - { name: west, kind: cloud }\n  - { name: nord, kind: cloud }\n"))
    assert note == (
        "site.yaml:4:13: instances[1].name: nord is new, and north is gone (another name makes other identifiers of "
        "everything in it); keep the former name where it is the same VM manager"
    )
    store.path.write_text("nothing")
    (note,) = notes(centre(both))
    assert "document.json is no JSON" in note


def _made_of(*instances: str, at: datetime) -> Document:
    """A document of one entity that was made of facts of these instances."""
    made = compose(demo.configuration(), demo.facets(), Former(), demo.NOON).document.made[0]
    sources = tuple(Source(facet="manager", instance=name, observed_at=at) for name in instances)
    return close([replace(made, made_of=sources)])
