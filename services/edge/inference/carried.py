"""What becomes of one request at one channel, and what of it got lost on the way.

It decides how losses are told, and must not know how a request is converted.
"""

from collections.abc import Iterable

import msgspec

from oneapi.dialects.canonical.losses import Loss, told
from oneapi.dialects.conversion import Conversion

LOSS_HEADER = b"x-oneapi-loss"
MAX_HEADER_BYTES = 1_024


class Carried(msgspec.Struct, frozen=True):
    """With a `conversion` the channel speaks another format than the client, and gets the conversion's body.

    Else it gets `body`, edited as always; `dropped` is missing in it.
    """

    body: bytes
    conversion: Conversion | None = None
    dropped: tuple[Loss, ...] = ()

    @property
    def losses(self) -> list[str]:
        """What was lost so far, as headers and receipts name it."""
        return told(self.dropped if self.conversion is None else self.conversion.losses)


def loss_header(losses: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """The header that names losses; none without any. What is too long for it stands in the receipt alone."""
    value = b""
    for loss in losses:
        longer = value + b", " + loss.encode() if value else loss.encode()
        if len(longer) > MAX_HEADER_BYTES:
            break
        value = longer
    return [(LOSS_HEADER, value)] if value else []
