"""Reading a stretch of a stream that the test plays."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.billing.stream_reading import ReadingBroken, batches


def message(number: int, sequence: int) -> Any:
    """The consumer's `number`th message."""
    return SimpleNamespace(metadata=SimpleNamespace(sequence=SimpleNamespace(consumer=number, stream=sequence)))


class Stream:
    """JetStream and its subscription at once; each fetch gives the next batch, None is silence."""

    def __init__(self, *given: list[Any] | None, first_seq: int = 1) -> None:
        self.given = list(given)
        self.first_seq = first_seq
        self.ended = False

    async def pull_subscribe(self, *_: Any, **__: Any) -> "Stream":
        return self

    async def fetch(self, *_: Any, **__: Any) -> list[Any]:
        batch = self.given.pop(0)
        if batch is None:
            raise TimeoutError
        return batch

    async def stream_info(self, _: str) -> Any:
        return SimpleNamespace(state=SimpleNamespace(first_seq=self.first_seq))

    async def unsubscribe(self) -> None:
        self.ended = True


async def read(stream: Stream, last: int) -> tuple[list[int], bool]:
    """The sequences that came, and whether it was all of it."""
    found: list[int] = []
    try:
        async for batch in batches(stream, "S", "s.>", 4, last):  # type: ignore[arg-type]
            found += [one.metadata.sequence.stream for one in batch]
    except ReadingBroken:
        return found, False
    finally:
        assert stream.ended
    return found, True


async def test_no_more_than_the_stretch() -> None:
    assert await read(Stream([message(1, 4), message(2, 6)], [message(3, 7), message(4, 8)]), 7) == ([4, 6, 7], True)


async def test_what_was_lost_on_its_way_is_noticed() -> None:
    assert await read(Stream([message(1, 4)], [message(3, 6), message(4, 7)]), 7) == ([4], False)


@pytest.mark.parametrize("silence", [None, []])
async def test_a_slow_bus_is_not_the_end(silence: list[Any] | None) -> None:
    assert await read(Stream([message(1, 4)], silence), 7) == ([4], False)


@pytest.mark.parametrize("silence", [None, []])
async def test_what_its_age_removed_is_the_end(silence: list[Any] | None) -> None:
    assert await read(Stream([message(1, 4)], silence, first_seq=8), 7) == ([4], True)


async def test_an_empty_stretch_asks_nobody() -> None:
    assert [batch async for batch in batches(None, "S", "s.>", 4, 3)] == []  # type: ignore[arg-type]
