"""Books what the last writer had in work when it died, without waiting for the bus to deliver it again.

It decides what that is: what was delivered and not acknowledged. The bus delivers it a second time when the
acknowledgement is overdue; by then it is known, and only acknowledged. It must not know how anything is booked.
"""

import logging

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from oneapi.bus.subjects import CONSUMER_BILLING, LEDGER_SUBJECTS, STREAM_LEDGER
from oneapi.catalog.view import CatalogView
from services.billing.books import Books
from services.billing.intake import Intake
from services.billing.stream_reading import batches

logger = logging.getLogger(__name__)


class _Later:
    """What can't be read is put aside when it is delivered: only then can it be acknowledged."""

    async def dead_letter(self, msg: Msg, why: str) -> None:
        logger.info("a message will be put aside: %s", why, extra={"fields": {"subject": msg.subject}})


async def catch_up(js: JetStreamContext, books: Books, catalog: CatalogView) -> int:
    """Returns up to where in the stream everything is booked now. Raises NotTheWriter, and what the stores raise."""
    try:
        info = await js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
    except NotFoundError:
        return 0
    if info.ack_floor is None or info.delivered is None:
        return 0
    first, last = int(info.ack_floor.stream_seq) + 1, int(info.delivered.stream_seq)
    if not info.num_ack_pending:
        return last
    # Markers of edges belong to rebuilds of the last writer: this one asks for its own.
    intake = Intake(js, _Later(), books, lambda: catalog, lambda _: None)
    count, booked = 0, first - 1
    try:
        async for messages in batches(js, STREAM_LEDGER, LEDGER_SUBJECTS, first, last):
            await intake.handle(messages)
            count += len(messages)
            booked = max((message.metadata.sequence.stream for message in messages), default=booked)
    except nats.errors.Error as failure:
        # What was not read is not booked, and is delivered again.
        logger.warning("not all that the last writer had in work could be read: %r", failure)
    fields = {"messages": count, "booked_up_to": booked, "delivered_up_to": last}
    logger.info("what the last writer had in work is booked", extra={"fields": fields})
    return booked
