"""What the checks of publishers and of messengers have in common: how a run went, and what a receipt says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from infoprovider.errors import PublishError
from infoprovider.publishers.contract import Delivery, Receipt
from infoprovider.testing.plug_in import in_words
from infoprovider.testing.running import PATIENCE, Noted


def breaches_of_run(noted: Noted, seconds: float, may_print: bool) -> Iterator[str]:
    """What is wrong with how an open channel ended; without any time, it may take nothing."""
    if not noted.is_over:
        yield f"it was told to be done in {seconds:g} s, and still ran {PATIENCE:g} s after that"
    if noted.printed and not may_print:
        yield f"it wrote to standard output: {noted.printed[:80]!r}"
    if noted.error is not None and not isinstance(noted.error, PublishError):
        yield f"it raised {in_words(noted.error)}; only PublishError and those derived from it may leave a publisher"
    elif noted.error is not None and seconds > 0:
        yield f"the channel took nothing, so little could be checked: {noted.error}"


def breaches_of_receipt(receipt: object, began: datetime) -> Iterator[str]:
    """What is wrong with a receipt for something that was handed over since `began`."""
    if not isinstance(receipt, Receipt):
        yield f"it returned {type(receipt).__name__} where a Receipt belongs"
        return
    if not isinstance(receipt.delivery, Delivery):
        yield f"its receipt says {receipt.delivery!r} where a Delivery belongs"
    if not receipt.reference:
        yield "its receipt has no reference"
    if receipt.at.utcoffset() != timedelta(0):
        yield f"its receipt's moment is not in UTC: {receipt.at.isoformat()}"
    elif not began - timedelta(seconds=1) <= receipt.at <= datetime.now(UTC):
        yield f"its receipt's moment is not that of the publication: {receipt.at.isoformat()}"
