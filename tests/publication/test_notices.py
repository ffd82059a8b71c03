"""What is told at once: images withdrawn and expired, downtimes begun and ended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from infoprovider.glue.document import Document, close
from infoprovider.glue.entities import ApplicationEnvironment, ComputingEndpoint, ComputingManager
from infoprovider.messaging.envelope import Event
from infoprovider.publication.notices import notable, notices
from tests.publication.demo import NOON, document_of_the_demo

DEMO = document_of_the_demo()
IMAGE = DEMO.of(ApplicationEnvironment)[0]
ENDPOINT = DEMO.of(ComputingEndpoint)[0]
HOUR = timedelta(hours=1)


def without(*ids: str) -> Document:
    """The demo without these entities."""
    return close(made for made in DEMO.made if made.entity.id not in ids)


def with_(entity: Any, **changed: Any) -> Document:
    """The demo with another value of one entity."""
    made = (replace(one, entity=replace(entity, **changed)) if one.entity is entity else one for one in DEMO.made)
    return DEMO.with_entities(made)


def told(before: Document, after: Document) -> list[tuple[str, str]]:
    """Event and ID of what has happened from one to the other."""
    return [(one.event, one.id) for one in notices(after, notable(before, NOON), NOON)]


def test_nothing_happens_at_first_and_while_nothing_changes() -> None:
    """What is there at first is no news."""
    assert list(notices(DEMO, {}, NOON)) == []
    assert told(DEMO, DEMO) == []


def test_an_image_that_goes_was_withdrawn() -> None:
    """One that comes is no notice."""
    assert told(DEMO, without(IMAGE.id)) == [(Event.IMAGE_WITHDRAWN, IMAGE.id)]
    assert told(without(IMAGE.id), DEMO) == []


def test_images_that_go_with_their_manager_were_not_withdrawn() -> None:
    """Nothing is known of them while it is silent."""
    managers = [one.id for one in DEMO.of(ComputingManager)]
    images = [one.id for one in DEMO.of(ApplicationEnvironment)]
    assert told(DEMO, without(*managers, *images)) == []


@pytest.mark.parametrize("changed", [{"removal_date": NOON}, {"state": "pendingremoval"}])
def test_an_image_expires(changed: dict[str, Any]) -> None:
    """By its date, or because its endorsement was revoked; told once, with its name."""
    after = with_(IMAGE, **changed)
    [notice] = notices(after, notable(DEMO, NOON), NOON)
    assert (notice.event, notice.id, notice.name) == (Event.IMAGE_EXPIRED, IMAGE.id, IMAGE.app_name)
    assert notice.manager == IMAGE.computing_manager_foreign_key
    assert told(after, after) == []


def test_an_image_is_not_expired_before_its_date() -> None:
    """The date alone is no event."""
    assert told(DEMO, with_(IMAGE, removal_date=NOON + HOUR)) == []


def test_a_service_enters_and_leaves_downtime() -> None:
    """With when it is to end, and why."""
    down = with_(ENDPOINT, downtime_start=NOON - HOUR, downtime_end=NOON + HOUR, downtime_info="power")
    [notice] = notices(down, notable(DEMO, NOON), NOON)
    assert (notice.event, notice.id) == (Event.DOWNTIME_ENTERED, ENDPOINT.service_foreign_key)
    assert (notice.until, notice.info) == (NOON + HOUR, "power")
    [notice] = notices(down, notable(down, NOON), NOON + HOUR)
    assert (notice.event, notice.until) == (Event.DOWNTIME_LEFT, None)


def test_a_downtime_that_lies_ahead_has_not_begun() -> None:
    """It is in the document, for whoever wants to know."""
    assert told(DEMO, with_(ENDPOINT, downtime_start=NOON + HOUR)) == []
