"""Reading a stretch of a stream that the test plays."""

from types import SimpleNamespace
from typing import Any

import pytest

from oneapi.bus import leader_reading
from oneapi.bus.leader_reading import State
from services.billing.stream_reading import ReadingBroken, batches

SILENCE: list[int | None] = []


class Stream:
    """JetStream and its subscriptions at once. Each fetch gives the next batch of sequences; None was lost on its way.

    When it is read anew, what was not received comes again.
    """

    def __init__(self, *given: list[int | None] | None, first_seq: int = 1) -> None:
        self.given = list(given)
        self.first_seq = first_seq
        self.begun: list[int] = []
        self.ended = 0
        self._sent = 0

    async def pull_subscribe(self, *_: Any, config: Any, **__: Any) -> "Stream":
        self.begun.append(config.opt_start_seq)
        self._sent = 0
        return self

    async def fetch(self, *_: Any, **__: Any) -> list[Any]:
        batch = self.given.pop(0) if self.given else None
        if batch is None:
            raise TimeoutError
        messages = []
        for sequence in batch:
            self._sent += 1
            if sequence is not None:
                place = SimpleNamespace(consumer=self._sent, stream=sequence)
                messages.append(SimpleNamespace(metadata=SimpleNamespace(sequence=place)))
        return messages

    async def state(self, *_: Any) -> State:
        return State(first_seq=self.first_seq, last_seq=9)

    async def unsubscribe(self) -> None:
        self.ended += 1


async def read(monkeypatch: pytest.MonkeyPatch, stream: Stream, last: int) -> tuple[list[int], bool]:
    """The sequences that came, and whether it was all of it."""
    monkeypatch.setattr(leader_reading, "state", stream.state)
    found: list[int] = []
    try:
        async for batch in batches(stream, "S", "s.>", 4, last):  # type: ignore[arg-type]
            found += [one.metadata.sequence.stream for one in batch]
    except ReadingBroken:
        return found, False
    finally:
        assert stream.ended == len(stream.begun)
    return found, True


async def test_no_more_than_the_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream([4, 6], [7, 8])
    assert await read(monkeypatch, stream, 7) == ([4, 6, 7], True)
    assert stream.begun == [4]


@pytest.mark.parametrize("lost", [[None, 6, 7], [5, None, 7], [None]])
async def test_what_was_lost_on_its_way_is_read_again(monkeypatch: pytest.MonkeyPatch, lost: list[int | None]) -> None:
    again = [sequence for sequence in (5, 6, 7) if sequence not in lost[: lost.index(None)]]
    stream = Stream([4], lost, list(again))
    assert await read(monkeypatch, stream, 7) == ([4, 5, 6, 7], True)
    assert stream.begun == [4, again[0]]


@pytest.mark.parametrize("silence", [None, SILENCE])
async def test_a_bus_that_gives_nothing_is_not_the_end(
    monkeypatch: pytest.MonkeyPatch, silence: list[int | None] | None
) -> None:
    stream = Stream([4], silence, silence, [5], silence)
    assert await read(monkeypatch, stream, 7) == ([4, 5], False)
    assert stream.begun == [4, 5, 5, 6, 6, 6]


@pytest.mark.parametrize("silence", [None, SILENCE])
async def test_what_its_age_removed_is_the_end(
    monkeypatch: pytest.MonkeyPatch, silence: list[int | None] | None
) -> None:
    assert await read(monkeypatch, Stream([4], silence, first_seq=8), 7) == ([4], True)


async def test_an_empty_stretch_asks_nobody() -> None:
    assert [batch async for batch in batches(None, "S", "s.>", 4, 3)] == []  # type: ignore[arg-type]
