"""Reads a stream in batches, in order, and lets go of a batch only when it has been handled.

It decides delivery: at least once, the same batch for ever until it is handled, nothing skipped. It must not know what
handling means.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from oneapi.bus.publisher import publish
from oneapi.bus.subjects import (
    CONSUMER_BILLING,
    DEAD_LETTER_PREFIX,
    HEADER_DEAD_REASON,
    HEADER_DEAD_SEQUENCE,
    HEADER_DEAD_SUBJECT,
    HEADER_TRACE,
    LEDGER_SUBJECTS,
    STREAM_LEDGER,
)
from oneapi.runtime.tasks import Backoff, heed_cancellation

logger = logging.getLogger(__name__)

ACK_WAIT_S = 60.0
MAX_ACK_PENDING = 2_000
BATCH = 500
FETCH_WAIT_S = 0.25
ACK_TIMEOUT_S = 5.0
STOP_NAK_DELAY_S = 1.0
_MAX_REASON = 400

Handler = Callable[[list[Msg]], Awaitable[None]]


class WrongConsumerSetting(Exception):
    """The durable consumer exists with a setting that must not differ."""


class BatchConsumer:
    """A durable pull consumer with explicit acknowledgement and without a limit of deliveries.

    A message delivered for the last time would be parked silently, so there is no last time: what can't be processed
    goes through `dead_letter`.
    """

    def __init__(
        self,
        js: JetStreamContext,
        *,
        stream: str = STREAM_LEDGER,
        durable: str = CONSUMER_BILLING,
        subject: str = LEDGER_SUBJECTS,
        batch: int = BATCH,
        fetch_wait_s: float = FETCH_WAIT_S,
        ack_wait_s: float = ACK_WAIT_S,
        backoff: Backoff = Backoff(0.2, 5.0),  # noqa: B008 - immutable
    ) -> None:
        self._js = js
        self._stream = stream
        self._durable = durable
        self._subject = subject
        self._batch = batch
        self._fetch_wait_s = fetch_wait_s
        self._ack_wait_s = ack_wait_s
        self._backoff = backoff

    async def run(self, handle: Handler) -> None:
        """Handles batches until cancelled. Raises WrongConsumerSetting.

        `handle` gets 1 to `batch` messages in the order of the stream and returns when all of it is safe; then they
        are acknowledged. When it raises, it is called again with the same batch after a delay, for ever; meanwhile the
        server is told that the batch is being worked on. A batch may come again after a lost acknowledgement.
        """
        failures = 0
        while True:
            heed_cancellation()
            try:
                async with self._subscription() as subscription:
                    while True:
                        heed_cancellation()
                        messages = await fetch(subscription, self._batch, self._fetch_wait_s)
                        failures = 0
                        if messages:
                            await self._process(messages, handle)
            except (OSError, TimeoutError, nats.errors.Error) as failure:
                failures += 1
                if failures in {1, 10} or failures % 100 == 0:
                    fields = {"consumer": self._durable, "failures": failures, "why": repr(failure)}
                    logger.warning("the bus can't be read", extra={"fields": fields})
                await asyncio.sleep(self._backoff.delay(failures))

    async def pending(self) -> int:
        """Messages not yet acknowledged: those never delivered and those in work. Raises nats.errors.Error."""
        info = await self._js.consumer_info(self._stream, self._durable)
        return int((info.num_pending or 0) + (info.num_ack_pending or 0))

    async def dead_letter(self, msg: Msg, why: str) -> None:
        """Puts a message aside in the dead letter stream, with proof, and then acknowledges it.

        Raises BusUnavailable when it could not be put aside; the message is then still in work.
        """
        sequence = msg.metadata.sequence.stream
        headers = {
            HEADER_DEAD_REASON: " ".join(why.split())[:_MAX_REASON],
            HEADER_DEAD_SUBJECT: msg.subject,
            HEADER_DEAD_SEQUENCE: str(sequence),
        }
        traceparent = (msg.headers or {}).get(HEADER_TRACE, "")
        await publish(
            self._js,
            DEAD_LETTER_PREFIX + msg.subject,
            msg.data,
            msg_id=f"{self._stream}:{sequence}",
            traceparent=traceparent,
            headers=headers,
        )
        logger.error("a message was put aside", extra={"fields": {"sequence": sequence, "why": why[:_MAX_REASON]}})
        await self._acknowledge([msg])

    @contextlib.asynccontextmanager
    async def _subscription(self) -> AsyncIterator[JetStreamContext.PullSubscription]:
        await self._ensure()
        subscription = await self._js.pull_subscribe_bind(consumer=self._durable, stream=self._stream)
        try:
            yield subscription
        finally:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

    async def _ensure(self) -> None:
        wanted = ConsumerConfig(
            durable_name=self._durable,
            filter_subject=self._subject,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._ack_wait_s,
            max_deliver=-1,
            max_ack_pending=MAX_ACK_PENDING,
        )
        try:
            info = await self._js.consumer_info(self._stream, self._durable)
        except nats.js.errors.NotFoundError:
            info = await self._js.add_consumer(self._stream, wanted)
        found = info.config
        for name in ("filter_subject", "ack_policy", "ack_wait", "max_deliver", "max_ack_pending"):
            have, want = getattr(found, name), getattr(wanted, name)
            if have != want:
                raise WrongConsumerSetting(f"The consumer {self._durable} has {name} = {have}, and it must be {want}.")

    async def _process(self, messages: list[Msg], handle: Handler) -> None:
        # Redelivered messages come behind newer ones; within a batch the stream's order is restored.
        messages.sort(key=lambda message: message.metadata.sequence.stream)
        working = asyncio.get_running_loop().create_task(self._keep(messages), name=f"{self._durable} in progress")
        try:
            await self._until_handled(messages, handle)
            await self._acknowledge(messages)
        except asyncio.CancelledError:
            await self._give_back(messages)
            raise
        finally:
            working.cancel()

    async def _until_handled(self, messages: list[Msg], handle: Handler) -> None:
        failures = 0
        while True:
            try:
                await handle(messages)
                return
            except Exception:  # money is never skipped: whatever it was, the same batch is tried again
                failures += 1
                fields = {"consumer": self._durable, "messages": len(messages), "failures": failures}
                logger.exception("a batch failed and is tried again", extra={"fields": fields})
                await asyncio.sleep(self._backoff.delay(failures))

    async def _keep(self, messages: Sequence[Msg]) -> None:
        """Tells the server again and again that these are in work, so that it gives them to nobody else."""
        while True:
            await asyncio.sleep(self._ack_wait_s / 3)
            for message in messages:
                if not message.is_acked:
                    with contextlib.suppress(nats.errors.Error, OSError):
                        await message.in_progress()

    async def _acknowledge(self, messages: Sequence[Msg]) -> None:
        """A lost acknowledgement only brings the message back, and handling it twice changes nothing."""
        waiting = [message.ack_sync(timeout=ACK_TIMEOUT_S) for message in messages if not message.is_acked]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        lost = [result for result in results if isinstance(result, Exception)]
        if lost:
            fields = {"consumer": self._durable, "messages": len(lost), "why": repr(lost[0])}
            logger.warning("acknowledgements were lost; the messages will come again", extra={"fields": fields})

    async def _give_back(self, messages: Sequence[Msg]) -> None:
        """At the end the next reader should not have to wait for `ack_wait`."""
        for message in messages:
            if not message.is_acked:
                with contextlib.suppress(nats.errors.Error, OSError):
                    await message.nak(delay=STOP_NAK_DELAY_S)


async def fetch(subscription: JetStreamContext.PullSubscription, count: int, wait_s: float) -> list[Msg]:
    """Up to `count` messages; none when none comes within `wait_s` seconds. Raises nats.errors.Error."""
    try:
        return await subscription.fetch(count, timeout=wait_s)
    except TimeoutError:
        return []
