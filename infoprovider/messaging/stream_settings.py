"""What the operator says of a stream of messages, whatever carries it."""

from typing import Annotated

from pydantic import Field

from infoprovider.messaging.signature import SignatureSettings
from infoprovider.settings import Duration, Settings

MIB = 2**20


class StreamSettings(Settings):
    """How often the whole document is sent, how large a message may become, and with what it is signed.

    `part_bytes` counts what is in a message before it is compressed.
    """

    snapshot_every: Duration = 900.0
    part_bytes: Annotated[int, Field(ge=2**16, le=2**30, description="a number of bytes from 65536")] = 8 * MIB
    signature: SignatureSettings | None = None
