"""Reading a bucket of a real server."""

import nats.js.errors
import pytest
from nats.js import JetStreamContext

from oneapi.bus.bucket_reader import BucketReader, contents
from oneapi.bus.subjects import BUCKET_STATE

ENTRIES = 300
READINGS = 60


async def test_a_reading_has_all_of_it_every_time(js: JetStreamContext) -> None:
    """Where the library's own end is believed, one in thirty of these readings has nothing."""
    bucket = await js.key_value(BUCKET_STATE)
    for number in range(ENTRIES):
        await bucket.put(f"some.{number}", b"value")
    await bucket.put("other", b"value")
    await bucket.delete("some.0")
    for _ in range(READINGS):
        assert len(await contents(bucket, "some.>")) == ENTRIES - 1


async def test_names_come_without_values(js: JetStreamContext) -> None:
    bucket = await js.key_value(BUCKET_STATE)
    await bucket.put("name", b"value")
    assert [(entry.key, entry.value or b"") for entry in await contents(bucket, values=False)] == [("name", b"")]


async def test_an_empty_bucket_then_a_change(js: JetStreamContext) -> None:
    bucket = await js.key_value(BUCKET_STATE)
    assert await contents(bucket) == []
    reader = await BucketReader.open(bucket)
    assert await reader.next(5) is None
    await bucket.put("name", b"value")
    entry = await reader.next(5)
    assert entry is not None
    assert entry.key == "name"
    await reader.stop()


async def test_a_last_entry_that_says_that_others_follow(js: JetStreamContext) -> None:
    bucket = await js.key_value(BUCKET_STATE)
    await bucket.put("name", b"value")
    reader = await BucketReader.open(bucket)
    assert await reader.next(5) is not None
    # As when what followed was replaced before its turn: that can't be brought about at will.
    reader._complete_is_due = False
    with pytest.raises(TimeoutError):
        await reader.next(0.1)
    assert await reader.next(0.1) is None
    await reader.stop()


async def test_a_watch_that_the_server_forgot_is_known(js: JetStreamContext) -> None:
    bucket = await js.key_value(BUCKET_STATE)
    reader = await BucketReader.open(bucket)
    await reader.check()
    await js.delete_stream("KV_state")
    with pytest.raises(nats.js.errors.NotFoundError):
        await reader.check()
    await reader.stop()
