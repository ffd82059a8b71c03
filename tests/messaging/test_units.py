"""Documents taken apart and put together again, byte for byte."""

import hashlib
import random

import pytest

from infoprovider.glue.json_layout import lines_of
from infoprovider.glue.names import ENTITY_CLASSES
from infoprovider.messaging.units import (
    ContentType,
    digests_of,
    document_digest,
    document_of,
    units_of,
)
from infoprovider.render.json import render_json
from infoprovider.render.ldif import LdifRenderer
from tests.publication.demo import document_of_the_demo

DOCUMENT = document_of_the_demo()
JSON = render_json(DOCUMENT.entities)
LDIF = LdifRenderer("site").render(DOCUMENT)


def test_the_units_of_json_are_the_document_whatever_their_order() -> None:
    """What a receiver puts together is what the publisher's channels hand out."""
    units = units_of(JSON, ContentType.JSON)
    assert units.keys() == {entity.id for entity in DOCUMENT.entities}
    shuffled = random.Random(1).sample(sorted(units), len(units))  # noqa: S311
    assert document_of({key: units[key] for key in shuffled}, ContentType.JSON) == JSON


def test_the_units_of_ldif_are_its_entries_parents_first() -> None:
    """The same entries; in an order that depends on nothing but their names."""
    units = units_of(LDIF, ContentType.LDIF)
    document = document_of(dict(reversed(units.items())), ContentType.LDIF)
    assert sorted(document.split(b"\n\n")) == sorted(LDIF.split(b"\n\n"))
    seen: set[str] = set()
    for name in units_of(document, ContentType.LDIF):
        parent = name.partition(",")[2]
        assert parent in seen or parent == "o=glue"
        seen.add(name)


def test_every_unit_of_json_knows_its_class() -> None:
    """So that a receiver can make the entity again."""
    names = {name for name, _ in lines_of(JSON)}
    assert names <= ENTITY_CLASSES.keys()
    assert {unit.partition(b" ")[0].decode() for unit in units_of(JSON, ContentType.JSON).values()} == names


def test_an_id_that_json_escapes_is_the_key_all_the_same() -> None:
    """Quotes and backslashes in it, or its ID not in the first place."""
    body = b'{\n"ComputingShare": [\n{"ID":"a\\"b"},\n{"Name":"x","ID":"c"}\n]\n}\n'
    assert list(units_of(body, ContentType.JSON)) == ['a"b', "c"]


def test_the_digest_of_a_document_is_what_the_page_says() -> None:
    """SHA-256 over key, NUL and digest, in the order of keys; whoever writes a receiver can rely on that."""
    digests = digests_of({"b": b"2", "a": b"1"})
    expected = b"a\0" + hashlib.sha256(b"1").digest() + b"b\0" + hashlib.sha256(b"2").digest()
    assert document_digest(digests) == hashlib.sha256(expected).hexdigest()


@pytest.mark.parametrize("content_type", ContentType)
def test_nothing_is_a_document(content_type: ContentType) -> None:
    """Of no units, which come out of it again."""
    assert units_of(document_of({}, content_type), content_type) == {}
