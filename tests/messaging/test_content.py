"""Contents out and back, and what is refused of what others send."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider.errors import MessageRefused
from infoprovider.messaging.amendments import amended, amendment_of, touched_fields
from infoprovider.messaging.content import Content, in_parts, packed, unpacked
from infoprovider.messaging.envelope import Compression
from infoprovider.messaging.units import ContentType, json_unit, units_of
from infoprovider.render.json import render_json
from infoprovider.render.ldif import LdifRenderer
from tests.publication.demo import document_of_the_demo

MOST = 10**7
DOCUMENT = document_of_the_demo()
BODIES = {ContentType.JSON: render_json(DOCUMENT.entities), ContentType.LDIF: LdifRenderer("site").render(DOCUMENT)}


def read(plain: bytes, content_type: ContentType) -> Content:
    """A content as it came."""
    return unpacked(plain, content_type, Compression.NONE, MOST)


@pytest.mark.parametrize("most_bytes", [100, 5_000, 10**6])
@pytest.mark.parametrize("content_type", ContentType)
def test_what_is_packed_in_parts_is_unpacked_as_it_was(content_type: ContentType, most_bytes: int) -> None:
    """Whole units, fields of others and what is gone, in however many parts."""
    units = units_of(BODIES[content_type], content_type)
    keys = sorted(units)
    half = len(keys) // 2
    fields = ("CreationTime", "GLUE2EntityCreationTime")
    changes = {key: amendment_of(units[key], fields, content_type) for key in keys[half:]}
    removed = ("urn:gone", 'urn:"quoted"', "GLUE2ShareID=gone,o=glue")
    content = Content({key: units[key] for key in keys[:half]}, changes, removed)
    parts = [
        unpacked(packed(part, content_type), content_type, Compression.GZIP, MOST)
        for part in in_parts(content, most_bytes)
    ]
    assert (len(parts) == 1) == (most_bytes == 10**6)
    assert {key: unit for part in parts for key, unit in part.present.items()} == content.present
    assert {key: unit for part in parts for key, unit in part.amended.items()} == content.amended
    assert tuple(key for part in parts for key in part.removed) == removed


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.one_of(TEXTS, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.lists(TEXTS))


@given(st.dictionaries(TEXTS.filter(lambda name: name != "ID"), VALUES), st.data())
def test_an_amendment_makes_the_unit_what_it_is_now(fields: dict[str, object], data: st.DataObject) -> None:
    """Any values of any fields, byte for byte; where fields come or go there is no amendment."""
    before = json_unit("ComputingShare", json.dumps({"ID": "urn:1"} | fields).encode())
    other = {name: data.draw(VALUES) if data.draw(st.booleans()) else value for name, value in fields.items()}
    document = json.dumps({"ID": "urn:1"} | other, ensure_ascii=False, separators=(",", ":"))
    after = json_unit("ComputingShare", document.encode())
    touched = touched_fields(before, after, ContentType.JSON)
    assert touched is not None
    assert amended(before, amendment_of(after, touched, ContentType.JSON), ContentType.JSON) == after
    less = json_unit("ComputingShare", b'{"ID":"urn:1"}')
    assert (touched_fields(after, less, ContentType.JSON) is None) == bool(fields)


def test_an_entry_whose_attribute_stands_in_two_places_is_sent_whole() -> None:
    """A site's own template may write it so; to put values into two places is not what a record of LDIF can do."""
    apart = b"dn: o=glue\na: 1\nb: 2\na: 3"
    assert touched_fields(apart, apart.replace(b"3", b"4"), ContentType.LDIF) is None
    assert touched_fields(b"dn: o=glue\na: 1\na: 3", b"dn: o=glue\na: 1", ContentType.LDIF) == {"a"}


@pytest.mark.parametrize(
    ("unit", "amendment"),
    [
        (None, b'ComputingShare {"ID":"urn:1"}'),
        (b'ComputingShare {"ID":"urn:1"}', b'ComputingShare {"ID":"urn:1","Name":"x"}'),
        (b'ComputingShare {"ID":"urn:1"}', b'ComputingManager {"ID":"urn:1"}'),
    ],
)
def test_an_amendment_of_what_is_not_there_is_refused(unit: bytes | None, amendment: bytes) -> None:
    """No unit, no such field, another class."""
    with pytest.raises(MessageRefused, match="amends"):
        amended(unit, amendment, ContentType.JSON)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (b"[]", "no object"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"ComputingShare": {}}', "ComputingShare that is no array"),
        (b'{"Soup": []}', "no class of GLUE 2.0"),
        (b'{"ComputingShare": [{"Name": "x"}]}', "without an ID"),
        (b'{"ComputingShare": [7]}', "without an ID"),
        (rb'{"ComputingShare": [{"ID": "\ud83d"}]}', "without an ID"),
        (rb'{"Removed": ["\ud83d"]}', "no array of IDs"),
        (b'{"ComputingShare": [{"ID": "a"}, {"ID": "a"}]}', "two entities with the ID 'a'"),
        (b'{"ComputingShare": [{"ID": "a"}], "ComputingManager": [{"ID": "a"}]}', "two entities with the ID 'a'"),
        (b'{"ComputingShare": [{"ID": "a", "ID": "b"}]}', "stands twice"),
        (b'{"ComputingShare": [{"ID": "a", "FreeSlots": NaN}]}', "NaN is no number"),
        (b'{"Removed": "a"}', "no array of IDs"),
        (b'{"Removed": [1]}', "no array of IDs"),
        (b'{"Amended": []}', "Amended is no object"),
    ],
)
def test_json_that_is_no_content_is_refused(plain: bytes, said: str) -> None:
    """With what is wrong, and without a traceback."""
    with pytest.raises(MessageRefused, match=said):
        read(plain, ContentType.JSON)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (b"soup", "no LDIF"),
        (b"dn: o=glue\nobjectClass: organization\no: gl\n ue\n\n", "folded"),
        (b"dn:: bz1nbHVl\nobjectClass: organization\n\n", "encoded names"),
        (b"# x\ndn: o=glue\nobjectClass: organization\n\n", "comments"),
        (b"dn: o=glue\nobjectClass: a\n\ndn: o=glue\nobjectClass: a\n\n", "two entries"),
        (b"dn: o=glue\nchangetype: delete\nx: y\n\n", "one name"),
        (b"dn: o=glue\nchangetype: modify\ndelete: x\n-\n\n", "only values are replaced"),
        (b"dn: o=glue\nchangetype: modify\nreplace: x\ny: 1\n-\n\n", "only values are replaced"),
        (b"dn: o=glue\nchangetype: modify\nreplace: x\nx: 1\n\n", "does not end"),
        (b"dn: o=glue\nchangetype: add\nx: 1\n\n", "no LDIF"),
        (b"dn: o=\xff\nx: 1\n\n", "no LDIF"),
    ],
)
def test_ldif_that_is_no_content_is_refused(plain: bytes, said: str) -> None:
    """Whatever a strict reader would read in another way than a careless one."""
    with pytest.raises(MessageRefused, match=said):
        read(plain, ContentType.LDIF)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"no gzip", "cannot be decompressed"),
        (gzip.compress(b"{}")[:-4], "cut off"),
        (gzip.compress(b"{}") + b"more", "goes on after its end"),
        (gzip.compress(b" " * (MOST + 1)), f"more than {MOST} bytes"),
    ],
)
def test_what_cannot_be_decompressed_is_refused(body: bytes, said: str) -> None:
    """Also what is cut at its end, and what would not fit."""
    with pytest.raises(MessageRefused, match=said):
        unpacked(body, ContentType.JSON, Compression.GZIP, MOST)
