"""Reading a bucket that the test plays."""

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


async def test_silence_before_the_end_is_a_timeout() -> None:
    bucket = PlayedBucket()
    bucket.send(None, entry("a", delta=1))
    bucket.pending = 2
    with pytest.raises(TimeoutError):
        await contents(bucket)  # type: ignore[arg-type]
    assert bucket.stopped == 1


async def test_contents_are_without_what_was_deleted() -> None:
    bucket = PlayedBucket()
    bucket.pending = 3
    bucket.send(entry("a", 2), entry("b", 1, KV_DEL), entry("c", 0, KV_PURGE))
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


async def test_an_end_that_hangs_is_left() -> None:
    class Hanging(PlayedBucket):
        async def stop(self) -> None:
            raise OSError

    reader = await BucketReader.open(Hanging())  # type: ignore[arg-type]
    await reader.stop()
