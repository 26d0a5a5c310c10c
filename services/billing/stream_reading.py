"""Reads a stretch of a stream as it is, without taking anything from the consumer that bills it.

It decides that nothing is passed over in silence: whoever compares books with what was read must know that it was all
of it. It must not know what the messages mean.
"""

from collections.abc import AsyncIterator

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

_AT_ONCE = 200
_FETCH_S = 2.0
_FORGOTTEN_S = 30.0


class ReadingBroken(nats.errors.Error):
    """A part of the stretch did not arrive, or not in time."""


async def batches(js: JetStreamContext, stream: str, subject: str, first: int, last: int) -> AsyncIterator[list[Msg]]:
    """The messages from sequence `first` to `last`, a few hundred at a time; they can't be acknowledged.

    It ends before `last` when everything that is left was removed by its age. Raises nats.errors.Error, of which
    ReadingBroken says that only what was given so far has been read.
    """
    at = first - 1
    if at >= last:
        return
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=max(first, 1),
        ack_policy=AckPolicy.NONE,
        inactive_threshold=_FORGOTTEN_S,
    )
    subscription = await js.pull_subscribe(subject, stream=stream, config=config)
    sent = 0
    try:
        while at < last:
            messages = await _fetch(subscription)
            for message in messages:
                sent += 1
                if message.metadata.sequence.consumer != sent:
                    # The server takes what was on a broken connection for read.
                    raise ReadingBroken(f"messages of {stream} after {at} were lost on their way")
            if not messages:
                if (await js.stream_info(stream)).state.first_seq > last:
                    return
                raise ReadingBroken(f"the bus gave no message of {stream} after {at}, and it has some up to {last}")
            at = messages[-1].metadata.sequence.stream
            yield [message for message in messages if message.metadata.sequence.stream <= last]
    finally:
        await subscription.unsubscribe()


async def _fetch(subscription: JetStreamContext.PullSubscription) -> list[Msg]:
    try:
        return await subscription.fetch(_AT_ONCE, timeout=_FETCH_S)
    except TimeoutError:
        return []
