"""Answers as lines of text."""

from datetime import UTC, datetime

import pytest

from infoprovider.errors import Malformed
from infoprovider.inventory.model import Capacity, Facet, HostCapacity, Prices, Usage
from infoprovider.providers.contract import Answer, Failed, NotOffered, Observed, Parts
from infoprovider.providers.lines import from_line, to_line

MOMENT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
HOST = HostCapacity(usable=True, vcpus=8, vcpus_used=1, memory_mib=1024, memory_used_mib=0, disk_gib=1.5)
ANSWERS: list[Answer] = [
    Observed(facet=Facet.CAPACITY, value=Capacity(vcpus=8, hosts=(HOST,)), observed_at=MOMENT, calls=("GET /a",)),
    Observed(
        facet=Facet.USAGE,
        part="p\n1",
        value=Usage(project="p\n1", holding={"small": 2}),
        observed_at=MOMENT,
        notes=("n",),
    ),
    Failed(facet=Facet.IMAGES, part="", reason="HTTP 500 «é»", retryable=True),
    Failed(facet=Facet.IMAGES, part="", reason="a fault of the provider", retryable=False, plug_in=True),
    NotOffered(facet=Facet.PRICES, reason="none"),
    Parts(facet=Facet.USAGE, parts=frozenset({"b", "a"})),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_an_answer_survives_its_line(answer: Answer) -> None:
    """What is written as a line is read back as the same answer, and a line is one line."""
    line = to_line(answer)
    assert line.count(b"\n") == 1
    assert from_line(line) == answer


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"rubbish", "Invalid JSON"),
        (b"{}", "answer"),
        (b'{"answer": "observed", "facet": "weather", "observed_at": "2026-01-15T12:00:00Z", "value": {}}', "facet"),
        (
            b'{"answer": "observed", "facet": "prices", "observed_at": "2026-01-15T12:00:00", "value": {}}',
            "observed_at",
        ),
        (b'{"answer": "observed", "facet": "prices", "observed_at": "2026-01-15T12:00:00Z", "value": {}}', "prices"),
        (b'{"answer": "failed", "facet": "prices", "reason": "x", "colour": 1}', "colour"),
        (b"\xff\xfe", "the whole line"),
    ],
)
def test_a_line_that_is_no_answer_says_what_is_wrong(line: bytes, expected: str) -> None:
    """Rubbish, unknown facets, naive moments, missing values and unknown keys are refused by name."""
    with pytest.raises(Malformed, match="cannot be used") as caught:
        from_line(line)
    assert expected in str(caught.value)


def test_a_value_of_the_right_facet_passes() -> None:
    """A minimal line of another program is enough."""
    line = b'{"answer":"observed","facet":"prices","observed_at":"2026-01-15T12:00:00Z","value":{"prices":[]}}'
    assert from_line(line) == Observed(facet=Facet.PRICES, value=Prices(prices=()), observed_at=MOMENT)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"half \\ud83d", r"half \uD83D"),
        (b"\\ude00\\ud83d x", r"\uDE00\uD83D x"),
        (b"\\ud83d\\ude00", "\N{GRINNING FACE}"),
        (b"Z\xfcrich, \xf0\x9f\x98", r"Z\uDCFCrich, \uDCF0\uDC9F\uDC98"),
        ("Zürich \\\\ud83d".encode(), r"Zürich \ud83d"),
    ],
)
def test_a_name_that_is_no_text_costs_nothing_else(written: bytes, read: str) -> None:
    """Lone surrogates and bytes that are not UTF-8 become visible, and the rest of the line is what it was."""
    start = b'{"answer": "failed", "facet": "images", "part": "p1", "retryable": false, "reason": "'
    assert from_line(start + written + b'"}') == Failed(facet=Facet.IMAGES, part="p1", reason=read, retryable=False)


def test_a_surrogate_in_an_answer_survives_its_line_as_text() -> None:
    """What a provider in Python got as JSON from its manager may hold one."""
    answer = Failed(facet=Facet.IMAGES, reason="half \ud83d, \udcff", retryable=True)
    assert from_line(to_line(answer)) == Failed(facet=Facet.IMAGES, reason=r"half \uD83D, \uDCFF", retryable=True)
