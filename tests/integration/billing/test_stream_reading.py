"""Reading a stretch of a real stream."""

import pytest
from nats.js import JetStreamContext

from oneapi.bus.subjects import LEDGER_SUBJECTS, STREAM_LEDGER, USAGE
from services.billing.stream_reading import ReadingBroken, batches
from tests.integration.own_nats import connection, js, own_nats

__all__ = ["connection", "js", "own_nats"]


async def read(js: JetStreamContext, first: int, last: int) -> list[int]:
    found: list[int] = []
    async for messages in batches(js, STREAM_LEDGER, LEDGER_SUBJECTS, first, last):
        found += [message.metadata.sequence.stream for message in messages]
    return found


async def test_a_stretch_comes_whole_and_in_order(js: JetStreamContext) -> None:
    for _ in range(450):
        await js.publish(USAGE, b"anything")
    assert await read(js, 1, 450) == list(range(1, 451))
    assert await read(js, 100, 420) == list(range(100, 421))
    assert await read(js, 100, 100) == [100]
    assert await read(js, 5, 4) == []
    assert await read(js, 0, 2) == [1, 2]


async def test_what_the_stream_does_not_have_is_not_left_out_in_silence(js: JetStreamContext) -> None:
    await js.publish(USAGE, b"anything")
    with pytest.raises(ReadingBroken):
        await read(js, 1, 2)
