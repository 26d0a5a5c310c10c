"""Reads a stretch of a stream as it is, without taking anything from the consumer that bills it.

It decides that nothing is passed over in silence: whoever compares books with what was read must know that it was all
of it. It must not know what the messages mean.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from oneapi.bus import leader_reading
from oneapi.bus.consumer import fetch

_AT_ONCE = 200
_FETCH_S = 2.0
_FORGOTTEN_S = 300.0
"""The server keeps a consumer so long that nobody asks: while a batch is worked on."""
_ATTEMPTS = 3
"""In a row, without one message."""


class ReadingBroken(nats.errors.Error):
    """The rest of the stretch does not arrive."""


async def batches(js: JetStreamContext, stream: str, subject: str, first: int, last: int) -> AsyncIterator[list[Msg]]:
    """The messages from sequence `first` to `last`, a few hundred at a time; they can't be acknowledged.

    It ends before `last` when everything that is left was removed by its age. Raises nats.errors.Error, and then what
    was given so far has been read without a gap.
    """
    at, attempts = first - 1, 0
    while at < last:
        attempts += 1
        async with aclosing(_until_broken(js, stream, subject, at + 1, last)) as reading:
            async for messages in reading:
                at, attempts = messages[-1].metadata.sequence.stream, 0
                yield [message for message in messages if message.metadata.sequence.stream <= last]
        if at >= last or (await leader_reading.state(js, stream)).first_seq > last:
            return
        if attempts == _ATTEMPTS:
            raise ReadingBroken(f"the bus gives nothing of {stream} after {at}")


async def _until_broken(
    js: JetStreamContext, stream: str, subject: str, first: int, last: int
) -> AsyncGenerator[list[Msg]]:
    """Messages without a gap, until nothing comes, something was lost on its way, or `last` has come."""
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=max(first, 1),
        ack_policy=AckPolicy.NONE,
        inactive_threshold=_FORGOTTEN_S,
    )
    subscription = await js.pull_subscribe(subject, stream=stream, config=config)
    sent, at = 0, first - 1
    try:
        while at < last:
            fetched = await fetch(subscription, _AT_ONCE, _FETCH_S)
            whole: list[Msg] = []
            for message in fetched:
                # The server takes for read what was on a connection that broke, and goes on behind it.
                if message.metadata.sequence.consumer != sent + 1:
                    break
                whole.append(message)
                sent += 1
            if whole:
                at = whole[-1].metadata.sequence.stream
                yield whole
            if not whole or len(whole) < len(fetched):
                return
    finally:
        await subscription.unsubscribe()
