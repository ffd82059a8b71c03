"""What readers want to know at once: images that are withdrawn or expire, services that enter or leave downtime.

What is notable of a document is one word for each entity; notices are the differences between two such tables, so that
one that was not confirmed is found again the next time.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from infoprovider.glue.document import Document
from infoprovider.glue.entities import ApplicationEnvironment, ComputingEndpoint
from infoprovider.messaging.envelope import Event, NoticeContent

_PUBLISHED, _EXPIRED, _RUNNING, _INTERRUPTED = "published", "expired", "running", "interrupted"

_EVENTS: Mapping[tuple[str, str | None], Event] = {
    (_PUBLISHED, None): Event.IMAGE_WITHDRAWN,
    (_EXPIRED, None): Event.IMAGE_WITHDRAWN,
    (_PUBLISHED, _EXPIRED): Event.IMAGE_EXPIRED,
    (_RUNNING, _INTERRUPTED): Event.DOWNTIME_ENTERED,
    (_INTERRUPTED, _RUNNING): Event.DOWNTIME_LEFT,
}
"""What has happened where this became that; all other changes are no news."""


def notable(document: Document, now: datetime) -> dict[str, str]:
    """The state of every image, and of every service in its endpoints, by ID.

    An image has its manager in front, with a blank between the two: one that is gone together with its manager was not
    withdrawn, its manager is silent.
    """
    images = {
        f"{image.computing_manager_foreign_key} {image.id}": _EXPIRED if _is_over(image, now) else _PUBLISHED
        for image in document.of(ApplicationEnvironment)
    }
    endpoints = document.of(ComputingEndpoint)
    services = {one.service_foreign_key: _RUNNING for one in endpoints if one.service_foreign_key}
    services |= {
        one.service_foreign_key: _INTERRUPTED
        for one in endpoints
        if one.service_foreign_key and is_interrupted(one, now)
    }
    return images | services


def notices(document: Document, before: Mapping[str, str], now: datetime) -> Iterator[NoticeContent]:
    """What has happened since the table of before, in the order of IDs; nothing at the first time."""
    after = notable(document, now)
    for key in sorted(before):
        event = _EVENTS.get((before[key], after.get(key)))
        upper, _, id_ = key.rpartition(" ")
        if event is None or (upper and upper not in document.by_id):
            continue
        yield _interruption(document, event, id_, now) if not upper else _image(document, event, id_, upper, now)


def is_interrupted(endpoint: ComputingEndpoint, now: datetime) -> bool:
    """Whether an announced downtime lasts."""
    start, end = endpoint.downtime_start, endpoint.downtime_end
    return start is not None and start <= now and (end is None or now < end)


def _is_over(image: ApplicationEnvironment, now: datetime) -> bool:
    ended = image.removal_date is not None and image.removal_date <= now
    return ended or image.state == "pendingremoval"


def _image(document: Document, event: Event, id_: str, manager: str, now: datetime) -> NoticeContent:
    image = document.by_id[id_].entity if id_ in document.by_id else None
    name = image.app_name if isinstance(image, ApplicationEnvironment) else None
    return NoticeContent(event=event, id=id_, name=name, manager=manager, at=now)


def _interruption(document: Document, event: Event, service: str, now: datetime) -> NoticeContent:
    endpoints = [one for one in document.of(ComputingEndpoint) if one.service_foreign_key == service]
    running = [one for one in endpoints if is_interrupted(one, now)]
    ends = [one.downtime_end for one in running]
    known = [end for end in ends if end is not None]
    return NoticeContent(
        event=event,
        id=service,
        at=now,
        until=max(known) if known and len(known) == len(ends) else None,
        info=next((one.downtime_info for one in running if one.downtime_info), None),
    )
