"""Whether a messenger keeps its contract, by sending through it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from infoprovider import plugins
from infoprovider.deadline import Deadline
from infoprovider.publishers.contract import Delivery, Message, MessengerSpec, Receipt, S
from infoprovider.testing.channel import breaches_of_receipt, breaches_of_run
from infoprovider.testing.plug_in import breaches_of_secrecy, breaches_of_spec, secrets_of
from infoprovider.testing.running import run

MESSAGES = tuple(
    Message(
        kind=kind,
        headers={"centre": "checked", "kind": kind},
        content_type="application/json",
        body=b'{"checked": "\0"}\n',
        lifetime=60.0,
    )
    for kind in ("snapshot", "delta", "notice")
)
"""One of each kind."""


def check_messenger(
    spec: MessengerSpec[S], settings: S, *, deadline: float = 30.0, secrets: Iterable[str] = ()
) -> list[str]:
    """Every breach of the contract of messengers, in plain words.

    The channel behind the settings should take what comes: it is opened and probed, one message of each kind is sent,
    and all of this once more in no time. `deadline` is in seconds, for each of these. No secret of the settings may
    show anywhere, nor any of `secrets`.

    Raises ConfigError where a secret of the settings cannot be read.
    """
    hidden = secrets_of(settings, secrets)
    found = list(breaches_of_spec(spec, plugins.PUBLISHERS, settings))
    if not spec.accepts:
        found.append("the spec accepts no format")
    told: list[str] = []
    for seconds in (deadline, 0.0):
        receipts: list[Receipt] = []
        began = datetime.now(UTC)

        def send(receipts: list[Receipt] = receipts, seconds: float = seconds) -> None:
            until = Deadline.after(seconds)
            with spec.open(settings, until) as messenger:
                messenger.probe(until)
                receipts.append(messenger.send(MESSAGES, until))

        noted = run(send, seconds)
        found += breaches_of_run(noted, seconds, may_print=False)
        for receipt in receipts:
            found += breaches_of_receipt(receipt, began)
            if getattr(receipt, "delivery", None) is Delivery.UNCHANGED:
                found.append("its receipt says that nothing changed: a messenger sends whatever it is given")
        told += [*map(repr, receipts), *noted.logged, str(noted.error or "")]
    found += breaches_of_secrecy(hidden, told, settings)
    return list(dict.fromkeys(found))
