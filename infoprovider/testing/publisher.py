"""Whether a publisher keeps its contract, by publishing through it."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from infoprovider import plugins
from infoprovider.deadline import Deadline
from infoprovider.publishers.contract import Format, Publisher, PublisherSpec, Receipt, Rendering, S
from infoprovider.testing.channel import breaches_of_receipt, breaches_of_run
from infoprovider.testing.plug_in import breaches_of_secrecy, breaches_of_spec, secrets_of
from infoprovider.testing.running import Noted, run

BODIES = {
    Format.LDIF: b"dn: GLUE2GroupID=checked,o=glue\nobjectClass: GLUE2Group\nGLUE2GroupID: checked\n\n",
    Format.XML: b'<?xml version="1.0" encoding="UTF-8"?>\n<GLUE2/>\n',
    Format.JSON: b"{}\n",
    Format.GLUE21: b'{"CloudComputingService": []}\n',
}
"""A small document in each format."""


def check_publisher(
    spec: PublisherSpec[S],
    settings: S,
    *,
    deadline: float = 30.0,
    may_print: bool = False,
    secrets: Iterable[str] = (),
) -> list[str]:
    """Every breach of the contract of publishers, in plain words.

    The channel behind the settings should take what comes: a small document of each format that the spec accepts is
    published twice, and once more in no time. `deadline` is in seconds, for each of these. `may_print` says that the
    channel is standard output itself. No secret of the settings may show anywhere, nor any of `secrets`.

    Raises ConfigError where a secret of the settings cannot be read.
    """
    hidden = secrets_of(settings, secrets)
    found = list(breaches_of_spec(spec, plugins.PUBLISHERS, settings))
    if not spec.accepts:
        found.append("the spec accepts no format")
    told: list[str] = []
    for format_ in sorted(spec.accepts):
        for seconds in (deadline, 0.0):
            check = _Check(spec, settings, to_rendering(format_), seconds)
            found += [f"{format_}: {breach}" for breach in check.breaches(may_print)]
            told += check.told()
    found += breaches_of_secrecy(hidden, told, settings)
    return list(dict.fromkeys(found))


def to_rendering(format_: Format) -> Rendering:
    """A small document, observed now, that may be handed out for an hour."""
    body, now = BODIES[format_], datetime.now(UTC).replace(microsecond=0)
    return Rendering(
        format=format_,
        body=body,
        digest=hashlib.sha256(body).hexdigest(),
        oldest_observation=now,
        expires_at=now + timedelta(hours=1),
    )


class _Check:
    """One channel opened, probed, and published to twice, all within some seconds."""

    def __init__(self, spec: PublisherSpec[Any], settings: Any, rendering: Rendering, seconds: float) -> None:
        self._spec = spec
        self._settings = settings
        self._rendering = rendering
        self._seconds = seconds
        self._receipts: list[Receipt] = []
        self._found: list[str] = []
        self._began = datetime.now(UTC)
        self._noted: Noted = run(self._publish, seconds)

    def breaches(self, may_print: bool) -> Iterator[str]:
        """What is wrong."""
        yield from breaches_of_run(self._noted, self._seconds, may_print)
        if self._seconds > 0:
            yield from self._found
        for receipt in self._receipts:
            yield from breaches_of_receipt(receipt, self._began)

    def told(self) -> Iterator[str]:
        """Everything that left the publisher, but for what it published, as text."""
        yield from map(repr, self._receipts)
        yield from self._noted.logged
        yield str(self._noted.error or "")

    def _publish(self) -> None:
        deadline = Deadline.after(self._seconds)
        with self._spec.open(self._settings, deadline) as publisher:
            before = publisher.former(deadline)
            publisher.probe(deadline)
            if publisher.former(deadline) != before:
                self._found.append("probe changed what the channel hands out")
            self._receipts.append(publisher.publish(self._rendering, deadline))
            self._compare(publisher, deadline)
            self._receipts.append(publisher.publish(self._rendering, deadline))
            self._compare(publisher, deadline)

    def _compare(self, publisher: Publisher, deadline: Deadline) -> None:
        """Where the channel can tell what it hands out, it is what was published."""
        if publisher.former(deadline) not in (None, self._rendering.body):
            self._found.append("after a publication the channel hands out something else")
