"""YAML text as plain data with places: what is read, and what is refused."""

import re

import pytest

from infoprovider.errors import ConfigError, Finding
from infoprovider.yamlfile import MAX_BYTES, Document, merged, path, read, without


def refused(text: str | bytes) -> Finding:
    """The one finding that this text causes."""
    with pytest.raises(ConfigError) as caught:
        read(text.encode() if isinstance(text, str) else text, "a.yaml")
    (finding,) = caught.value.findings
    return finding


def test_scalars_are_what_they_look_like() -> None:
    """Words stay text unless they are true, false or null; moments, octal and base-60 look-alikes stay text."""
    text = """
country: NO
answer: yes
sure: true
unknown: null
empty:
count: 12
negative: -3
share: 2.5
large: 1e3
version: 1.2.3
zeros: "007"
leading: 010
clock: 12:30:00
moment: 2030-01-31T12:00:00Z
"""
    assert read(text.encode(), "a.yaml").data == {
        "country": "NO",
        "answer": "yes",
        "sure": True,
        "unknown": None,
        "empty": None,
        "count": 12,
        "negative": -3,
        "share": 2.5,
        "large": 1000.0,
        "version": "1.2.3",
        "zeros": "007",
        "leading": "010",
        "clock": "12:30:00",
        "moment": "2030-01-31T12:00:00Z",
    }


def test_a_finding_stands_where_its_value_or_its_key_stands() -> None:
    """Lines and columns count from 1, in block and flow style; what is not there is told at what surrounds it."""
    document = read(b"a:\n  b: [1, {c: 2}]\n", "a.yaml")

    def place(*steps: str | int, at_key: bool = False) -> tuple[int | None, int | None]:
        finding = document.finding(steps, "x", remedy="y", at_key=at_key)
        return finding.line, finding.column

    assert place("a", "b", 1, "c") == (2, 14)
    assert place("a", "b", 1, "c", at_key=True) == (2, 11)
    assert place("a", "b", 0) == (2, 7)
    assert place("a", "missing") == (2, 3)
    assert document.line(("a", "b")) == "line 2"


def test_a_path_reads_as_in_a_program() -> None:
    """Keys are joined by dots, positions stand in brackets."""
    assert path(("instances", 2, "settings", "file")) == "instances[2].settings.file"


def test_broken_yaml_is_told_with_its_place() -> None:
    """The reader's complaint carries line and column, and a remedy for people who do not know YAML by heart."""
    finding = refused("a: 1\nb: [1, 2\nc: 3\n")
    assert finding.what == "is not YAML"
    assert finding.line == 3
    assert finding.remedy.startswith("mend the YAML")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key a stands here twice, first in line 1"),
        ("a: { 1: x }\n", "a key that is not text"),
        ("? [a, b]\n: x\n", "a key that is not text"),
        ("a: !!python/name:os.system x\n", "a tag cannot be used here"),
        ("a: !!int five\n", "this cannot be read as int"),
        ("a: 1e999\n", "this cannot be read as float"),
        (f"a: {'9' * 5000}\n", "this cannot be read as int"),
        ("a: !!set { b }\n", "a tag cannot be used here"),
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        (b"a: \xff\n", "is not UTF-8 text"),
        (b"a: " + b"x" * MAX_BYTES, "is 16 MiB large"),
        ("a: &a [*a]\n", "is nested more than 40 deep"),
        ("[" * 60 + "]" * 60, "is nested more than 40 deep"),
        ("[" * 100_000, "is nested more than 40 deep"),
    ],
)
def test_what_json_could_not_say_is_refused(text: str | bytes, what: str) -> None:
    """Double keys, odd keys, tags, other encodings, endless or huge documents never reach the settings."""
    assert refused(text).what == what


def test_two_documents_in_one_file_are_refused() -> None:
    """A second document would be lost in silence."""
    assert refused("a: 1\n---\nb: 2\n").what == "is not YAML"


def test_aliases_may_save_typing_but_not_explode() -> None:
    """An alias stands for its anchor's value; a cascade of them that grows without bound is refused."""
    assert read(b"a: &x { b: 1 }\nc: *x\n", "a.yaml").data == {"a": {"b": 1}, "c": {"b": 1}}
    cascade = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 9):
        cascade += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n"
    finding = refused(cascade)
    assert finding.what == "grows too large"
    assert re.search("1000000 values", finding.why)


@pytest.mark.parametrize(
    "text",
    ["a: !hunter2\n", "a: *hunter2\n", "a: {{hunter2}}\n", "a: {[hunter2]: b}\n", "a: &hunter2 b\nc: &hunter2 d: e\n"],
)
def test_what_may_be_a_secret_is_not_repeated(text: str) -> None:
    """A password without quotes that begins like a tag, an alias or a mapping is refused and not shown."""
    assert "hunter2" not in str(refused(text))


def merge(*texts: str) -> tuple[Document, list[Finding]]:
    """These texts as one document, and what two of them state; their files are a.yaml, b.yaml and c.yaml."""
    findings: list[Finding] = []
    documents = [read(text.encode(), f"{name}.yaml") for name, text in zip("abc", texts, strict=False)]
    return merged(documents, findings), findings


def test_several_files_are_one_document() -> None:
    """Mappings are joined at every depth, lists put one after another, and each value keeps its file and line."""
    document, conflicts = merge(
        "a: [1]\nm: { x: 1 }\n", "\nm: { y: { z: 2 } }\na: [2, 3]\n", "a:\nm: { y: { w: [] } }\n"
    )
    assert not conflicts
    assert document.data == {"a": [1, 2, 3], "m": {"x": 1, "y": {"z": 2, "w": []}}}
    findings = [document.finding(steps, "x", remedy="y") for steps in (("a", 0), ("a", 2), ("m", "y", "w"), ("q",))]
    assert [(one.file, one.line) for one in findings] == [("a.yaml", 1), ("b.yaml", 3), ("c.yaml", 2), ("a.yaml", 1)]
    assert document.line(("a", 0)) == document.line(("a", 0), seen_from=("m", "x")) == "line 1"
    assert document.line(("a", 0), seen_from=("a", 1)) == "line 1 of a.yaml"


def test_what_two_files_state_is_told_with_both_places() -> None:
    """Neither file wins in silence, not even where both say the same; the rest is checked with what stood first."""
    document, conflicts = merge("m: { x: 1 }\nn: [1]\n", "m: { x: 1 }\nn: { x: 1 }\n")
    assert document.data == {"m": {"x": 1}, "n": [1]}
    assert [str(one) for one in conflicts] == [
        "b.yaml:1:9: m.x: this stands already in line 1 of a.yaml; write it in one of the two files",
        "b.yaml:2:4: n: this stands already in line 2 of a.yaml; write it in one of the two files",
    ]


def test_a_key_of_the_top_can_be_left_out() -> None:
    """What is done with already is no part of the rest."""
    assert without(read(b"a: 1\nb: 2\n", "a.yaml"), "a").data == {"b": 2}
    assert without(read(b"[a, b]\n", "a.yaml"), "a").data == ["a", "b"]


def test_a_file_of_comments_may_be_an_empty_mapping() -> None:
    """A part that was commented out as a whole is no mistake where a part is wanted."""
    document = read(b"# a: 1\n", "a.yaml", may_be_empty=True)
    assert document.data == {}
    assert str(document.finding((), "x", remedy="y")) == "a.yaml:1:1: x; y"
