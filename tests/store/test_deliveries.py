"""The last success and the last failure of each channel."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infoprovider.clock import Reading
from infoprovider.errors import StoreError
from infoprovider.store.deliveries import Deliveries, DeliveryStore, Failure, Success

NOON = Reading(datetime(2026, 11, 21, 12, 0, tzinfo=UTC), 1000.0, "boot")
LATER = NOON.after(60)
LATEST = NOON.after(120)


def test_nothing_is_known_of_a_channel_before_its_first_delivery(tmp_path: Path) -> None:
    """And nothing is written by asking."""
    assert DeliveryStore(tmp_path).of("site-bdii") == Deliveries()
    assert list(tmp_path.iterdir()) == []


def test_success_and_failure_are_kept_side_by_side(tmp_path: Path) -> None:
    """Another process reads both; failures count until the next success, and the last reason stays to be read."""
    store = DeliveryStore(tmp_path)
    store.succeeded("site-bdii", NOON, "accepted", "the file")
    store.failed("site-bdii", LATER, "refused")
    store.failed("site-bdii", LATEST, "full\n\udc80")
    success = Success(at=NOON, delivery="accepted", reference="the file")
    failure = Failure(at=LATEST, why="full\n\\udc80")
    assert DeliveryStore(tmp_path).of("site-bdii") == Deliveries(success=success, failure=failure, failures=2)
    store.succeeded("site-bdii", LATEST, "unchanged", "the file")
    assert store.of("site-bdii").failures == 0
    assert store.of("site-bdii").failure == failure
    assert store.of("other") == Deliveries()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"failures": "many"}'])
def test_what_cannot_be_read_is_forgotten(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    """It is said, and the next delivery writes the file anew."""
    store = DeliveryStore(tmp_path)
    store.failed("site-bdii", NOON, "refused")
    (tmp_path / "deliveries" / "site-bdii.json").write_text(text)
    assert store.of("site-bdii") == Deliveries()
    assert "not what this program writes" in caplog.text
    store.succeeded("site-bdii", LATER, "accepted", "the file")
    assert store.of("site-bdii").success == Success(at=LATER, delivery="accepted", reference="the file")


def test_a_folder_that_cannot_be_used_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    """For the one who writes as for the one who reads."""
    (tmp_path / "deliveries").write_text("")
    with pytest.raises(StoreError, match=r"cannot read .*site-bdii\.json: not a directory; name a folder"):
        DeliveryStore(tmp_path).of("site-bdii")
    (tmp_path / "deliveries").unlink()
    (tmp_path / "deliveries" / "site-bdii.json").mkdir(parents=True)
    with pytest.raises(StoreError, match="is a directory"):
        DeliveryStore(tmp_path).succeeded("site-bdii", NOON, "accepted", "the file")
