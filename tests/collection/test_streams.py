"""What a process prints comes in pieces, cut anywhere."""

import logging

import pytest

from infoprovider.collection.streams import Remarks

SAID = b"one\ntwo\nthree\nfour\nfive"


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("cut", range(1, len(SAID)))
def test_lines_are_counted_alike_wherever_the_stream_is_cut(
    cut: int, end: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Two lines are logged and three counted, also where one of them had begun when the last was logged."""
    remarks = Remarks(2, 100, logging.LoggerAdapter(logging.getLogger("streams")))
    caplog.set_level(logging.INFO)
    for chunk in (SAID[:cut], SAID[cut:] + end):
        remarks.feed(chunk)
    remarks.end()
    assert [record.getMessage() for record in caplog.records] == [
        "one",
        "two",
        "3 more lines on its standard error are not logged",
    ]
