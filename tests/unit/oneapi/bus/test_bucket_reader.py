"""Reading a bucket that the test plays."""

import asyncio
from typing import Any

import pytest
from nats.js.kv import KV_DEL, KV_PURGE

from oneapi.bus.bucket_reader import BucketReader, contents
from tests.unit.oneapi.bus.played_bucket import PlayedBucket, entry


async def read(bucket: Any, count: int) -> list[Any]:
    reader = await BucketReader.open(bucket)
    found = [await reader.next(1) for _ in range(count)]
    return [one and one.value for one in found]


async def test_what_is_there_then_the_end_then_what_changes() -> None:
    bucket = PlayedBucket()
    bucket.holds("a", "b")
    bucket.send(entry("c"), entry("d"))
    assert await read(bucket, 5) == ["a", "b", None, "c", "d"]


async def test_an_empty_bucket_ends_at_once() -> None:
    bucket = PlayedBucket()
    bucket.send(None, entry("later"))
    assert await read(bucket, 2) == [None, "later"]


@pytest.mark.parametrize(("sent", "pending"), [(2, 0), (0, 2), (1, 1)])
async def test_the_librarys_early_end_is_not_believed(sent: int, pending: int) -> None:
    bucket = PlayedBucket()
    bucket.send(None, entry("a", delta=1), entry("b"), None, entry("c"))
    bucket.sent, bucket.pending = sent, pending
    assert await read(bucket, 4) == ["a", "b", None, "c"]


@pytest.mark.parametrize(("sent", "pending", "buffered"), [(2, 0, 0), (1, 1, 0), (1, 0, 1)])
async def test_silence_before_the_end_is_a_timeout(sent: int, pending: int, buffered: int) -> None:
    bucket = PlayedBucket()
    bucket.send(None, entry("a", delta=1))
    bucket.sent, bucket.pending, bucket.pending_msgs = sent, pending, buffered
    with pytest.raises(TimeoutError):
        await contents(bucket)  # type: ignore[arg-type]
    assert bucket.stopped == 1


async def test_silence_is_the_end_when_the_server_has_no_more() -> None:
    """What was to come behind the last entry was replaced or went before its turn."""
    bucket = PlayedBucket()
    bucket.pending = 2
    bucket.send(entry("a", delta=1))
    reader = await BucketReader.open(bucket)  # type: ignore[arg-type]
    first = await reader.next(1)
    bucket.pending, bucket.sent = 0, 1
    assert first is not None
    assert await reader.next(1) is None
    bucket.send(entry("b"))
    later = await reader.next(1)
    assert later is not None
    assert later.key == "b"


async def test_contents_are_what_is_there_in_the_end() -> None:
    bucket = PlayedBucket()
    bucket.pending = 5
    bucket.send(entry("a", 4), entry("b", 3), entry("c", 2, KV_DEL), entry("d", 1, KV_PURGE), entry("b", 0, KV_DEL))
    found = await contents(bucket, "some.>", values=False)  # type: ignore[arg-type]
    assert [one.key for one in found] == ["a"]
    assert bucket.asked == ("some.>", True)
    assert bucket.stopped == 1


async def test_a_watch_that_can_not_be_asked_about_is_ended() -> None:
    class Lost(PlayedBucket):
        async def consumer_info(self) -> Any:
            raise TimeoutError

    bucket = Lost()
    with pytest.raises(TimeoutError):
        await BucketReader.open(bucket)  # type: ignore[arg-type]
    assert bucket.stopped == 1


async def test_an_end_that_fails_or_hangs_is_left() -> None:
    class Failing(PlayedBucket):
        async def stop(self) -> None:
            raise OSError

    class Hanging(PlayedBucket):
        async def stop(self) -> None:
            await asyncio.Event().wait()

    for bucket in (Failing(), Hanging()):
        reader = await BucketReader.open(bucket)  # type: ignore[arg-type]
        await reader.stop()
