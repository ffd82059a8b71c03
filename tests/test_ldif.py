"""LDIF and distinguished names: what is written survives a BDII, what is read is what was meant."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infoprovider import ldif
from infoprovider.errors import QueryError, RenderError
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of

ANY_TEXT = st.text(st.characters(), max_size=40)
BLANKS_AND_TROUBLE = st.text(
    st.sampled_from(list(" \t\n\r\0\x1d\x85\xa0\u2028\u3000\ud800:<dnDN\\xé#,+=\"'-")), max_size=12
)
TEXTS = ANY_TEXT | BLANKS_AND_TROUBLE


def as_updated(value: str) -> str:
    """What a BDII's updater makes of a value in one line that it reads, rewrites on add, and writes raw on modify."""
    text = f"dn: o=x\na: {value}\n\n"
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n ", "")
    entry = text[text.rfind("dn:") :]
    line = next(line for line in entry.split("\n")[1:] if line.startswith("a:"))
    return line.partition(":")[2].strip()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("two\nlines", r"two\nlines"),
        ("windows\r\nlines", r"windows\r\nlines"),
        ("a\ttab", r"a\ttab"),
        ("nul\0", r"nul\x00"),
        ("escape \x1b[31m", r"escape \x1B[31m"),
        ("next\x85line", r"next\x85line"),
        ("line\u2028separator\u2029", r"line\u2028separator\u2029"),
        ("half of a pair \ud83d", r"half of a pair \uD83D"),
        (" leading", r"\x20leading"),
        ("trailing ", r"trailing\x20"),
        ("  ", r"\x20\x20"),
        ("\u3000wide", r"\u3000wide"),
        ("no-break\xa0", r"no-break\xA0"),
        ("ownerdn: /DC=ch/CN=x", r"ownerdn\x3A /DC=ch/CN=x"),
        ("dn:dn:", r"dn\x3Adn\x3A"),
        ("\x1dn:", r"\x1Dn:"),
    ],
)
def test_safe_alters_visibly_what_a_bdii_mangles(value: str, expected: str) -> None:
    """Each kind of trouble becomes an escape that a reader can see."""
    assert ldif.safe(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "Ubuntu 22.04 LTS",
        "Zürich, Île-de-France, 東京, 😀",
        "two  blanks inside",
        "a\xa0no-break blank inside",
        ":colon first",
        "<less-than first",
        "DN:/DC=ch/DC=cern/CN=somebody",
        "Dn: x",
        "-",
        "#comment",
        "quotes \" and ' and commas, plus + signs, = and ; and \\n",
        "x" * 300,
        "",
    ],
)
def test_safe_keeps_what_survives(value: str) -> None:
    """Text that a BDII keeps is not touched, in any script and of any length."""
    assert ldif.safe(value) == value


@given(TEXTS)
@example("\x1dn:")
@example("d\nn:")
def test_safe_text_survives_the_updater(value: str) -> None:
    """Whatever comes in, what comes out is one line of UTF-8 that reading, cutting and stripping leave alone."""
    safe = ldif.safe(value)
    assert "dn:" not in safe
    assert safe.splitlines() in ([safe], [])
    assert safe.strip() == safe
    assert safe.encode().decode() == safe
    assert as_updated(safe) == safe


@given(TEXTS)
def test_safe_applied_again_changes_nothing(value: str) -> None:
    """A value that went through the function twice is as if it had gone once."""
    assert ldif.safe(ldif.safe(value)) == ldif.safe(value)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), max_size=20))
def test_safe_is_the_identity_on_plain_text(value: str) -> None:
    """Printable ASCII without colons comes out as it went in."""
    assert ldif.safe(value) is value


@given(st.lists(TEXTS, max_size=6))
def test_harmless_values_are_written_as_they_are(values: list[str]) -> None:
    """The check of many values at once never passes one that `safe` would change or that needs base64."""
    if ldif.harmless(values):
        assert [f"a: {value}" for value in values] == [ldif.line("a", ldif.safe(value)) for value in values]
        assert all(values)


@given(st.lists(st.from_regex(r"[A-Za-z0-9=._-]{1,9}( [a-z=]{1,9})?", fullmatch=True), max_size=6))
def test_plain_values_are_recognised_as_harmless(values: list[str]) -> None:
    """The check of many values at once does not send plain text the slow way."""
    assert ldif.harmless(values) == bool(values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a b", "a  b"], ("a b", r"a \x20b")),
        (["caf\u00e9", "cafe\u0301", "\u00e9"], (r"caf\xE9", r"cafe\u0301", "\u00e9")),
        (["\u00b2", "2"], (r"\xB2", "2")),
        (["fi", "\ufb01"], ("fi", r"\uFB01")),
        (["2", "\u00b2", "x"], ("2", r"\xB2", "x")),
        (["a", "a", "b"], ("a", "b")),
        (["", "x", ""], ("x",)),
        ([" x", "x"], (r"\x20x", "x")),
        (["😀", "😀"], ("😀",)),
    ],
)
def test_values_that_a_server_takes_for_equal_are_told_apart(values: list[str], expected: tuple[str, ...]) -> None:
    """Of values that would make slapd refuse the entry, equal ones are merged and the others spelt out."""
    assert ldif.safe_values(values) == expected


@given(st.lists(TEXTS | st.sampled_from(["a b", "a  b", "é", "e\u0301", "\u00b2", "2"]), max_size=6))
def test_no_value_of_an_attribute_is_lost(values: list[str]) -> None:
    """Each value arrives as `safe` leaves it or spelt out; nothing is empty, doubled or dropped."""
    written = ldif.safe_values(values)
    assert len(set(written)) == len(written)
    assert "" not in written
    assert ldif.safe_values(written) == written
    assert len(written) == len({ldif.safe(value) for value in values} - {""})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (1048576, "1048576"),
        (1.0, "1"),
        (46.233, "46.233"),
        (datetime(2026, 1, 2, 3, 4, 5, 678, UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1))), "2026-01-02T02:04:05Z"),
    ],
)
def test_values_have_the_spelling_of_ldap(value: object, expected: str) -> None:
    """Moments are in UTC to the second, and whole reals have no point."""
    assert ldif.text(value) == expected


@pytest.mark.parametrize("value", [":x", "<file:///etc/passwd", "::", "<"])
def test_values_that_ldif_reads_otherwise_are_base64(value: str) -> None:
    """A first character that means base64 or a URL in LDIF is encoded."""
    assert ldif.line("a", value) == f"a:: {base64.b64encode(value.encode()).decode()}"


def test_no_attribute_name_and_colon_reads_as_a_dn() -> None:
    """No LDAP attribute of GLUE 2.0 ends in `dn`: the updater would cut the entry at its colon."""
    names = [attribute.ldap for cls in ENTITY_CLASSES.values() for attribute in attributes_of(cls) if attribute.ldap]
    assert not [name for name in names if name.lower().endswith("dn")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("urn:glue2:ComputingService:rc-one:north", "n=urn:glue2:ComputingService:rc-one:north"),
        ('a,b+c"d;e<f>g=h\\i', r"n=a\2Cb\2Bc\22d\3Be\3Cf\3Eg\3Dh\5Ci"),
        ("#a b", r"n=\23a b"),
    ],
)
def test_a_relative_name_is_escaped_as_slapd_writes_it(value: str, expected: str) -> None:
    """Hexadecimal escapes in capitals: in any other spelling the updater sees a change in every cycle."""
    assert ldif.rdn("n", value) == expected


@pytest.mark.parametrize("value", ["", "é", "dn:x", " a", "a ", "a\nb", "x" * 244, "," * 82])
def test_what_cannot_name_an_entry_is_refused(value: str) -> None:
    """An identifier that would not load, or come and go, is refused with what to do."""
    with pytest.raises(RenderError, match=r"to name an entry|cannot name an entry.*change the identifier"):
        ldif.rdn("n", value)


def test_a_relative_name_of_the_greatest_length_is_written() -> None:
    """The limit is slapd's, counted over the whole relative name as it is written."""
    assert len(ldif.rdn("n", "x" * 243)) == ldif.MAX_RDN_BYTES
    with pytest.raises(RenderError, match="246 bytes"):
        ldif.rdn("n", "x" * 244)


NAMING_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30).filter(
    lambda value: ldif.safe(value) == value
)


@given(st.lists(NAMING_VALUES, min_size=1, max_size=4))
def test_names_are_read_as_they_were_written(values: list[str]) -> None:
    """Splitting a distinguished name gives back what it was made of, level by level."""
    names = [ldif.rdn("GLUE2GroupID", value) for value in values]
    dn = ",".join(names)
    assert ldif.split_dn(dn) == tuple(("GLUE2GroupID", value) for value in values)
    assert ldif.parent_of(dn) == ",".join(names[1:])


def test_names_of_others_are_understood() -> None:
    """Blanks around commas, escapes by character and escaped UTF-8 are other programs' spellings."""
    assert ldif.split_dn(r"GLUE2GroupID=a\,b, o = gl\C3\BCe") == (("GLUE2GroupID", "a,b"), ("o", "glüe"))
    assert ldif.parent_of(r"GLUE2GroupID=a\,b, o=glue") == "o=glue"


@pytest.mark.parametrize("dn", ["glue", "a=b,,c=d\\", "a=b\\"])
def test_what_is_no_name_is_refused(dn: str) -> None:
    """A part without an attribute, an empty part and a cut escape are said to be wrong."""
    with pytest.raises(QueryError, match="is no distinguished name"):
        ldif.split_dn(dn)


def written(entries: list[tuple[str, dict[str, list[str]]]]) -> bytes:
    """Entries as our own writer leaves them."""
    return "".join(
        f"dn: {dn}\n"
        + "".join(f"{ldif.line(name, value)}\n" for name in attributes for value in attributes[name])
        + "\n"
        for dn, attributes in entries
    ).encode()


ATTRIBUTES = st.dictionaries(
    st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True).filter(
        lambda name: name.lower() not in ("dn", "changetype", "version")
    ),
    st.lists(TEXTS.map(ldif.safe).filter(bool), min_size=1, max_size=3),
    max_size=4,
)
DNS = NAMING_VALUES.map(lambda value: ldif.rdn("cn", value))


@given(st.lists(st.tuples(DNS, ATTRIBUTES), max_size=4))
def test_what_is_written_is_read_back(entries: list[tuple[str, dict[str, list[str]]]]) -> None:
    """Safe values go through writing and reading unchanged, in their order."""
    assert list(ldif.read(written(entries))) == [ldif.Record(dn, attributes) for dn, attributes in entries]


def test_everything_of_ldif_content_is_understood() -> None:
    """A version line, comments, folded lines, base64, blank lines and foreign line ends are read."""
    text = (
        b"# a comment\r\n continued\r\nversion: 1\r\n\r\n\r\n"
        b"dn: o=gl\r\n ue\r\no:   glue\r\n# inside\r\n"
        b"description:: w6k=\r\ndescription: fol\r\n ded\r\n  twice\r\nempty:\r\n"
        b"\r\ndn:: bz1i\r\no: b"
    )
    assert list(ldif.read(text)) == [
        ldif.Record("o=glue", {"o": ["glue"], "description": ["é", "folded twice"], "empty": [""]}),
        ldif.Record("o=b", {"o": ["b"]}),
    ]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (b"dn: o=a\no: a\n\nstray: x\n\n", 4, "belongs to no entry"),
        (b"dn: o=a\no: a\n\ndn: o=b\nno colon\n\n", 5, "not 'attribute: value'"),
        (b"dn: o=a\nbad name: x\nx\n\n", 2, "not 'attribute: value'"),
        (b"dn: o=a\no:: not base64!\n\n", 2, "not base64"),
        (b"dn: o=a\n\n\n\ndn: o=b\no: \xff\n\n", 6, "not UTF-8"),
        (b"dn: o=a\no:< file:///etc/passwd\n\n", 2, "never fetched"),
        (b"dn: o=a\nchangetype: delete\n\n", 2, "change record"),
        (b"dn: o=a\no: a\ndn: o=b\n\n", 3, "second dn"),
        (b"dn: o=a\no: " + b"x" * 5_000_000, 1, "servers take"),
    ],
)
def test_what_is_not_ldif_content_is_refused_with_its_line(text: bytes, line: int, what: str) -> None:
    """The message says which line, what is wrong and what to do."""
    with pytest.raises(QueryError, match=rf"line {line} is not LDIF content: .*{what}.*; correct or remove the entry"):
        list(ldif.read(text))


def test_a_folded_value_of_a_megabyte_is_read_in_no_time() -> None:
    """Unfolding costs as much as the text is long, not more."""
    value = "x" * 2**20
    folded = "\n ".join(value[start : start + 70] for start in range(0, len(value), 70))
    assert next(ldif.read(f"dn: o=a\no: {folded}\n\n".encode())).attributes == {"o": [value]}
