"""What a new writer takes over is no more than what it has read."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from oneapi.catalog.view import CatalogView
from services.billing import takeover
from services.billing.stream_reading import ReadingBroken


class PlayedStream:
    """A consumer of which messages 4 to 9 were given out and not acknowledged; at None its stream breaks."""

    def __init__(self, *given: int | None) -> None:
        self.given = given

    async def consumer_info(self, *_: str) -> Any:
        ack_floor, delivered = SimpleNamespace(stream_seq=3), SimpleNamespace(stream_seq=9)
        return SimpleNamespace(ack_floor=ack_floor, delivered=delivered, num_ack_pending=6)

    async def batches(self, *_: Any) -> AsyncIterator[list[Any]]:
        for sequence in self.given:
            if sequence is None:
                raise ReadingBroken
            yield [SimpleNamespace(metadata=SimpleNamespace(sequence=SimpleNamespace(stream=sequence)))]


class PlayedIntake:
    def __init__(self, *_: Any) -> None:
        pass

    async def handle(self, _: list[Any]) -> None:
        pass


@pytest.mark.parametrize(
    ("given", "booked"),
    [((), 3), ((4, 5), 5), (range(4, 10), 9), ((4, None), 4), ((None,), 3), ((4, None, 9), 4)],
)
async def test_it_says_how_far_it_has_read(
    monkeypatch: pytest.MonkeyPatch, given: tuple[int | None, ...], booked: int
) -> None:
    """Reading breaks when the bus is slow: an account that opens on the rest would be overspent."""
    stream = PlayedStream(*given)
    monkeypatch.setattr(takeover, "batches", stream.batches)
    monkeypatch.setattr(takeover, "Intake", PlayedIntake)
    assert await takeover.catch_up(cast(Any, stream), cast(Any, None), CatalogView()) == booked
