"""GLUE 2.0 JSON of anybody: what is understood, and what is refused."""

import time

import pytest

from infoprovider.errors import QueryError
from infoprovider.glue import entities as glue
from infoprovider.query import json_entities
from infoprovider.query.json_entities import read_json


def refused(body: bytes) -> str:
    """Why a document cannot be read, without the frame of the message."""
    with pytest.raises(QueryError, match=r"; tell whoever publishes it$") as caught:
        read_json(body)
    return str(caught.value).removesuffix("; tell whoever publishes it").removeprefix("cannot read the ")


def test_order_and_blanks_do_not_matter() -> None:
    """Nor does the encoding, nor a whole number where a real one may stand."""
    text = '{ "Location" : [ { "Latitude" : 46, "Place": "Gen\\u00e8ve", "ID" : "l" } ] }'
    expected = (glue.Location(id="l", latitude=46.0, place="Genève"),)
    assert read_json(text.encode()) == read_json(text.encode("utf-16")) == expected
    assert type(read_json(text.encode())[0].latitude) is float  # type: ignore[attr-defined]


UNREADABLE = [
    (b"[]", "JSON document: it is [] instead of an object"),
    (b'{"Nothing": [{"ID": "n"}]}', "JSON document: Nothing is no entity of GLUE 2.0"),
    (b'{"Share": [{"ID": "s"}]}', "JSON document: Share is no entity of GLUE 2.0"),
    (b'{"Contact": {"ID": "c"}}', 'JSON document: Contact is {"ID": "c"} instead of an array'),
    (b'{"Contact": ["c"]}', 'JSON document: a Contact is "c" instead of an object'),
    (b'{"Contact": [{"ID": "c", "Kind": 1}]}', "Contact c: Kind is no key of it"),
    (b'{"Contact": [{"ID": "c", "Type": 1}]}', "Contact c: Type is 1, which is not text"),
    (b'{"Contact": [{"ID": "c", "Type": null}]}', "Contact c: Type is null, which is not text"),
    (b'{"Contact": [{"ID": "c", "Validity": "60"}]}', 'Contact c: Validity is "60", which is not a whole number'),
    (b'{"Contact": [{"ID": "c", "Validity": true}]}', "Contact c: Validity is true, which is not a whole number"),
    (b'{"Contact": [{"ID": "c", "Validity": 6e1}]}', "Contact c: Validity is 60.0, which is not a whole number"),
    (
        b'{"Contact": [{"ID": "c", "CreationTime": "2025-01-31T12:00:00"}]}',
        'Contact c: CreationTime is "2025-01-31T12:00:00", which is not a moment such as 2025-01-31T12:00:00Z',
    ),
    (
        b'{"ComputingShare": [{"ID": "s", "ServingState": "Closed"}]}',
        'ComputingShare s: ServingState is "Closed", which is not one of closed, draining, production, queueing',
    ),
    (b'{"Contact": [{"ID": "c", "OtherInfo": "a"}]}', 'Contact c: OtherInfo is "a" instead of an array'),
    (b'{"Contact": [{"ID": "c", "Associations": []}]}', "Contact c: Associations is [] instead of an object"),
    (b'{"Contact": [{"ID": "c", "Associations": {"X": ["a"]}}]}', "Contact c: X is no key of it"),
    (b'{"Contact": [{"Type": "a"}]}', "Contact without an ID: it must have one"),
    (b'{"Contact": [{"ID": "", "Type": "a"}]}', "Contact : it must have one"),
    (
        b'{"Contact": [{"ID": "c", "ID": "d"}]}',
        "JSON document: it is no JSON: the key 'ID' stands twice in an object",
    ),
    (b'{"Location": [{"ID": "l", "Latitude": NaN}]}', "JSON document: it is no JSON: NaN is no number"),
    (b'{"Location": [{"ID": "l", "Latitude": -Infinity}]}', "JSON document: it is no JSON: -Infinity is no number"),
]


@pytest.mark.parametrize(("body", "why"), UNREADABLE, ids=[why for _, why in UNREADABLE])
def test_what_cannot_be_read_is_named(body: bytes, why: str) -> None:
    """The message has the entity, the key, the value, and what was expected."""
    assert refused(body) == why


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe\xfd", b'{"Contact": [{"ID": "\xff"}]}', b"dn: o=glue\n", b'{"a": ' + b"9" * 100_000 + b"}"],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    """Cut short, in no encoding, of another kind, or with a number that nobody can hold."""
    assert refused(body).startswith("JSON document: it is no JSON: ")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_refused_quickly(opening: bytes) -> None:
    """A million arrays or objects within each other."""
    began = time.monotonic()
    assert refused(opening * 1_000_000) == "JSON document: it is nested too deeply"
    assert time.monotonic() - began < 10


def test_a_number_beyond_all_reals_is_refused() -> None:
    """Python would make infinity of it."""
    assert "Latitude is Infinity, which is not a number" in refused(b'{"Location": [{"ID": "l", "Latitude": 1e999}]}')


def test_a_long_value_is_shown_in_part() -> None:
    """A message is one line."""
    assert len(refused(b'{"Contact": "' + b"a" * 10_000 + b'"}')) < 200


def test_a_huge_document_is_refused_without_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is far above what a centre writes."""
    monkeypatch.setattr(json_entities, "MAX_BYTES", 1000)
    assert refused(b" " * 1001) == "JSON document: it has 1001 bytes, where no centre needs more than 1000"
