"""Reading in batches, on a real server."""

import asyncio
import logging

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from oneapi.bus.consumer import BatchConsumer, WrongConsumerSetting
from oneapi.bus.publisher import publish
from oneapi.bus.subjects import (
    CONSUMER_BILLING,
    HEADER_DEAD_REASON,
    HEADER_DEAD_SUBJECT,
    STREAM_DEAD_LETTERS,
    STREAM_LEDGER,
    USAGE,
)
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.tasks import Backoff, TaskSet
from tests.integration.own_nats import OwnNats, until

QUICK = Backoff(0.02, 0.1)


class Reader:
    """A consumer that runs in the background and keeps what it was given."""

    def __init__(self, consumer: BatchConsumer) -> None:
        self.consumer = consumer
        self.batches: list[list[bytes]] = []
        self.failures_left = 0
        self._tasks = TaskSet()

    async def handle(self, messages: list[Msg]) -> None:
        self.batches.append([message.data for message in messages])
        if self.failures_left:
            self.failures_left -= 1
            raise RuntimeError("not now")

    def start(self) -> "Reader":
        self._tasks.spawn(self.consumer.run(self.handle), "reader")
        return self

    @property
    def seen(self) -> list[bytes]:
        return [data for batch in self.batches for data in batch]

    async def stop(self) -> None:
        await self._tasks.close()


async def fill(js: JetStreamContext, first: int, end: int) -> list[bytes]:
    payloads = [b"%d" % number for number in range(first, end)]
    for payload in payloads:
        await publish(js, USAGE, payload, msg_id=payload.decode())
    return payloads


async def settled(consumer: BatchConsumer) -> None:
    async with asyncio.timeout(10):
        while await consumer.pending():  # noqa: ASYNC110 - the condition is the server's
            await asyncio.sleep(0.02)


async def test_everything_comes_once_and_in_order(js: JetStreamContext) -> None:
    payloads = await fill(js, 0, 25)
    reader = Reader(BatchConsumer(js, batch=10, fetch_wait_s=0.1)).start()
    await until(lambda: len(reader.seen) == 25)
    payloads += await fill(js, 25, 30)
    await until(lambda: len(reader.seen) == 30)
    await settled(reader.consumer)
    await reader.stop()
    assert reader.seen == payloads
    assert max(len(batch) for batch in reader.batches) <= 10


async def test_a_failing_batch_comes_again_unchanged_and_before_the_next(
    js: JetStreamContext, caplog: pytest.LogCaptureFixture
) -> None:
    payloads = await fill(js, 0, 6)
    reader = Reader(BatchConsumer(js, batch=3, fetch_wait_s=0.1, backoff=QUICK))
    reader.failures_left = 3
    with caplog.at_level(logging.CRITICAL, logger="oneapi.bus.consumer"):
        reader.start()
        await until(lambda: len(reader.batches) == 5)
    await settled(reader.consumer)
    await reader.stop()
    assert reader.batches == [payloads[:3]] * 4 + [payloads[3:]]


async def test_a_batch_that_takes_longer_than_the_wait_is_given_to_nobody_else(js: JetStreamContext) -> None:
    await fill(js, 0, 3)
    release = asyncio.Event()
    slow = Reader(BatchConsumer(js, fetch_wait_s=0.1, ack_wait_s=1))

    async def wait(messages: list[Msg]) -> None:
        await slow.handle(messages)
        await release.wait()

    tasks = TaskSet()
    tasks.spawn(slow.consumer.run(wait), "slow")
    await until(lambda: len(slow.seen) == 3)
    other = Reader(BatchConsumer(js, fetch_wait_s=0.1, ack_wait_s=1)).start()
    info = await js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
    assert info.num_ack_pending == 3
    with pytest.raises(AssertionError):
        await until(lambda: bool(other.seen), limit_s=2.5)
    release.set()
    await settled(slow.consumer)
    await other.stop()
    await tasks.close()


async def test_a_stopped_reader_gives_its_batch_back(js: JetStreamContext) -> None:
    payloads = await fill(js, 0, 3)
    reader = Reader(BatchConsumer(js, fetch_wait_s=0.1, backoff=Backoff(60, 60)))
    reader.failures_left = 1
    reader.start()
    await until(lambda: len(reader.seen) == 3)
    await reader.stop()
    successor = Reader(BatchConsumer(js, fetch_wait_s=0.1)).start()
    # Far sooner than the 60 s after which the server would give up on the first reader.
    await until(lambda: len(successor.seen) == 3, limit_s=10)
    await successor.stop()
    assert successor.seen == payloads


async def test_a_dead_letter_is_put_aside_and_never_comes_again(js: JetStreamContext) -> None:
    await fill(js, 0, 3)
    consumer = BatchConsumer(js, fetch_wait_s=0.1)
    handled: list[bytes] = []

    async def handle(messages: list[Msg]) -> None:
        for message in messages:
            if message.data == b"1":
                await consumer.dead_letter(message, "not a\nbatch")
            else:
                handled.append(message.data)

    tasks = TaskSet()
    tasks.spawn(consumer.run(handle), "reader")
    await until(lambda: len(handled) == 2)
    await settled(consumer)
    await tasks.close()
    dead = await js.get_msg(STREAM_DEAD_LETTERS, seq=1)
    assert dead.data == b"1"
    assert (dead.headers or {})[HEADER_DEAD_REASON] == "not a batch"
    assert (dead.headers or {})[HEADER_DEAD_SUBJECT] == USAGE
    assert (await js.stream_info(STREAM_DEAD_LETTERS)).state.messages == 1


async def test_a_crash_of_the_server_loses_nothing(js: JetStreamContext, own_nats: OwnNats) -> None:
    payloads = await fill(js, 0, 5)
    # Acknowledgements on their way to a dying server are lost, and their messages come again after this wait.
    reader = Reader(BatchConsumer(js, fetch_wait_s=0.1, ack_wait_s=2, backoff=QUICK)).start()
    await until(lambda: len(reader.seen) >= 5)
    own_nats.kill()
    own_nats.start()
    client = await connect_nats(own_nats.url, "second")
    payloads += await fill(client.jetstream(), 5, 10)
    await until(lambda: set(payloads) <= set(reader.seen), limit_s=20)
    await settled(reader.consumer)
    await reader.stop()
    await client.close()


async def test_a_consumer_with_other_guarantees_is_refused(js: JetStreamContext, connection: Client) -> None:
    reader = Reader(BatchConsumer(js, ack_wait_s=5)).start()
    await fill(js, 0, 1)
    await until(lambda: len(reader.seen) == 1)
    await reader.stop()
    with pytest.raises(WrongConsumerSetting, match="ack_wait"):
        await BatchConsumer(connection.jetstream(), ack_wait_s=60).run(reader.handle)
