"""Envelopes out and back, what others may send as one, and the schema that says so."""

import gzip
import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry, Resource

from infoprovider.errors import MessageRefused
from infoprovider.messaging.amendments import amendment_of
from infoprovider.messaging.content import Content, packed, unpacked
from infoprovider.messaging.envelope import (
    Compression,
    Delta,
    Envelope,
    Event,
    Notice,
    NoticeContent,
    Snapshot,
    from_frame,
    headers_of,
    to_frame,
)
from infoprovider.messaging.units import ContentType, units_of
from infoprovider.render.json import render_json
from tests.publication.demo import document_of_the_demo

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
SENT: dict[str, Any] = {
    "version": 1,
    "centre": "rc-one",
    "stream": "a" * 32,
    "epoch": 5,
    "revision": 7,
    "created": NOON,
    "content_type": ContentType.JSON,
    "compression": Compression.NONE,
}
DOCUMENTED = SENT | {
    "expires": NOON,
    "digest": "0" * 64,
    "entities": 3,
    "changed": 2,
    "removed": 1,
    "part": 1,
    "parts": 1,
}
SNAPSHOT, DELTA = Snapshot(**DOCUMENTED), Delta(**DOCUMENTED, base=4)
NOTICE = Notice(**SENT, event=Event.IMAGE_EXPIRED)
SCHEMAS = {
    name: json.loads((ROOT / "schemas" / name).read_text()) for name in ("message.schema.json", "glue2.schema.json")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)


def check(plain: object, place: str = "") -> None:
    """Hold something against the schema of messages, or a part of it."""
    validator = jsonschema.Draft202012Validator({"$ref": f"message.schema.json{place}"}, registry=REGISTRY)
    validator.validate(plain)


@pytest.mark.parametrize("envelope", [SNAPSHOT, DELTA, NOTICE])
def test_a_frame_is_read_back_as_it_was_written(envelope: Envelope) -> None:
    """The content may have line feeds, or anything else; the first line is what the schema says."""
    frame = to_frame(envelope, b"\n\x00any\nthing")
    assert from_frame(frame) == (envelope, b"\n\x00any\nthing")
    check(json.loads(frame.partition(b"\n")[0]))


def test_the_schema_is_that_of_the_models() -> None:
    """It is written from them, and nothing else."""
    spec = importlib.util.spec_from_file_location("write_message_schema", ROOT / "tools" / "write_message_schema.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.schema() == (ROOT / "schemas" / "message.schema.json").read_text()


def test_contents_are_what_the_schema_says() -> None:
    """The whole document, what was touched of it, and a notice."""
    body = render_json(document_of_the_demo().entities)
    check(json.loads(body), "#/$defs/ContentOfSnapshot")
    units = units_of(body, ContentType.JSON)
    keys = sorted(units)
    content = Content(
        {keys[0]: units[keys[0]]},
        {key: amendment_of(units[key], {"CreationTime"}, ContentType.JSON) for key in keys[1:5]},
        ("urn:gone",),
    )
    delta = unpacked(packed(content, ContentType.JSON), ContentType.JSON, Compression.GZIP, 10**6)
    assert delta == content
    plain = json.loads(gzip.decompress(packed(content, ContentType.JSON)))
    check(plain, "#/$defs/ContentOfDelta")
    with pytest.raises(jsonschema.ValidationError):
        check(plain | {"Removed": []}, "#/$defs/ContentOfDelta")
    notice = NoticeContent(event=Event.DOWNTIME_ENTERED, id="urn:x", at=NOON, until=NOON, info="power")
    check(notice.model_dump(mode="json", exclude_none=True), "#/$defs/ContentOfNotice")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": 2}, "version"),
        ({"centre": "../../etc"}, "centre"),
        ({"centre": ""}, "centre"),
        ({"stream": "A" * 32}, "stream"),
        ({"epoch": 0}, "epoch"),
        ({"revision": "7"}, "revision"),
        ({"revision": 2**70}, "revision"),
        ({"created": "2026-01-15T12:00:00"}, "created"),
        ({"digest": "0" * 63}, "digest"),
        ({"part": 0}, "part"),
        ({"parts": 10**9}, "parts"),
        ({"content_type": "text/html"}, "content_type"),
        ({"kind": "soup"}, "kind"),
        ({"more": 1}, "more"),
        ({"base": None}, "base"),
    ],
)
def test_what_is_no_envelope_is_refused_by_its_key(changed: dict[str, Any], said: str) -> None:
    """Whoever sent it can see what to mend; so does the schema refuse it, apart from what only time tells."""
    plain = json.loads(DELTA.model_dump_json()) | changed
    with pytest.raises(MessageRefused, match=said):
        from_frame(json.dumps(plain).encode() + b"\n")
    if said != "created":
        with pytest.raises(jsonschema.ValidationError):
            check(plain)


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    """And nothing else happens."""
    with pytest.raises(MessageRefused):
        from_frame(noise)
    with pytest.raises(MessageRefused):
        from_frame(b"{" + noise)


def test_a_first_line_without_end_is_refused() -> None:
    """Before it is read as JSON."""
    with pytest.raises(MessageRefused, match="no line of up to 65536 bytes"):
        from_frame(b'{"version":1,' + b" " * 70_000 + b"\n")


def test_headers_are_what_selectors_can_name() -> None:
    """No hyphens, values that `LIKE '%,a,%'` finds, and no more of them than a header can have."""
    many = tuple(f"type-{number}" for number in range(50))
    headers = headers_of(DELTA, {"service_types": ("org.openstack.nova",), "interface_names": many, "none": ()})
    assert all("-" not in name for name in headers)
    assert headers["service_types"] == ",org.openstack.nova,"
    assert headers["interface_names"].count(",") == 21
    assert (headers["centre"], headers["kind"], headers["revision"]) == ("rc-one", "delta", "7")
    assert "none" not in headers
    assert headers_of(NOTICE, {})["event"] == "image_expired"
