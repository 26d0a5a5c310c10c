"""Reads a stretch of a stream as it is, without taking anything from the consumer that bills it.

It must not know what the messages mean.
"""

from collections.abc import AsyncIterator

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

_AT_ONCE = 200
_FETCH_S = 2.0
_FORGOTTEN_S = 30.0


async def batches(js: JetStreamContext, stream: str, subject: str, first: int, last: int) -> AsyncIterator[list[Msg]]:
    """The messages from sequence `first` to `last`, a few hundred at a time; they can't be acknowledged.

    It ends before `last` when nothing comes for a while: what is left was removed by its age, or the bus is slow.
    Raises nats.errors.Error.
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
    try:
        while at < last:
            messages = await subscription.fetch(_AT_ONCE, timeout=_FETCH_S)
            at = messages[-1].metadata.sequence.stream
            yield [message for message in messages if message.metadata.sequence.stream <= last]
    except TimeoutError:
        return
    finally:
        await subscription.unsubscribe()
