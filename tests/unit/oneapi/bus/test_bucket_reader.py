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


async def test_silence_while_the_server_has_more_is_no_end() -> None:
    bucket = PlayedBucket()
    bucket.send(None, entry("a", delta=1))
    bucket.pending = 1
    with pytest.raises(TimeoutError):
        await contents(bucket)  # type: ignore[arg-type]
    assert bucket.stopped == 1


async def values(reader: BucketReader, count: int) -> list[Any]:
    """Of the next answers; "silence" for none."""
    found: list[Any] = []
    for _ in range(count):
        try:
            one: Any = await reader.next(1)
        except TimeoutError:
            found.append("silence")
        else:
            found.append(one and one.value)
    return found


async def test_a_second_silence_is_the_end_when_the_server_has_no_more() -> None:
    """What was to come behind the last entry was replaced or went before its turn."""
    bucket = PlayedBucket()
    bucket.pending = 2
    bucket.send(entry("a", delta=1))
    reader = await BucketReader.open(bucket)  # type: ignore[arg-type]
    assert await values(reader, 2) == ["a", "silence"]
    bucket.pending = 0
    assert await values(reader, 2) == ["silence", None]
    bucket.send(entry("b"))
    assert await values(reader, 2) == ["b", "silence"]


async def test_what_comes_late_is_before_the_end() -> None:
    """With the answer that nothing is pending, or after it."""
    bucket = PlayedBucket()
    bucket.sent = 4
    reader = await BucketReader.open(bucket)  # type: ignore[arg-type]
    bucket.send(entry("a", delta=3))
    assert await values(reader, 1) == ["a"]
    bucket.comes_while_asked = [entry("b", delta=2)]
    assert await values(reader, 3) == ["silence", "b", "silence"]
    bucket.comes_while_asked = [entry("c", delta=1)]
    assert await values(reader, 4) == ["silence", "c", "silence", None]


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
