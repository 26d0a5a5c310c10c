"""The barrier behind which a lost account is opened."""

from types import SimpleNamespace
from typing import Any

import pytest

from oneapi.bus import leader_reading
from oneapi.bus.leader_reading import State
from services.billing.opening import Opening, Rebuild


class Bus:
    def __init__(self, *, pending: int, unacknowledged: int, floor: int, delivered: int | None, first: int = 1) -> None:
        self.first = first
        self.info = SimpleNamespace(
            num_pending=pending,
            num_ack_pending=unacknowledged,
            ack_floor=SimpleNamespace(stream_seq=floor),
            delivered=None if delivered is None else SimpleNamespace(stream_seq=delivered),
        )

    async def consumer_info(self, *_: str) -> Any:
        return self.info

    async def state(self, *_: Any) -> State:
        return State(first_seq=self.first, last_seq=9)


@pytest.mark.parametrize(
    ("told", "behind"),
    [
        ({"pending": 0, "unacknowledged": 0, "floor": 3, "delivered": 5}, True),
        ({"pending": 0, "unacknowledged": 0, "floor": 5, "delivered": 5}, True),
        ({"pending": 7, "unacknowledged": 2, "floor": 5, "delivered": 6}, True),
        ({"pending": 0, "unacknowledged": 1, "floor": 4, "delivered": 5}, False),
        ({"pending": 1, "unacknowledged": 0, "floor": 4, "delivered": 4}, False),
        # Acknowledged to the edge, and not yet counted for the consumer.
        ({"pending": 0, "unacknowledged": 0, "floor": 4, "delivered": 4}, False),
        ({"pending": 0, "unacknowledged": 0, "floor": 4, "delivered": None}, False),
        # Nobody booked it in time.
        ({"pending": 0, "unacknowledged": 0, "floor": 2, "delivered": 2, "first": 6}, True),
        ({"pending": 0, "unacknowledged": 0, "floor": 2, "delivered": 2, "first": 5}, False),
        ({"pending": 0, "unacknowledged": 1, "floor": 2, "delivered": 3, "first": 6}, False),
    ],
)
async def test_everything_up_to_it_is_booked(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, Any], behind: bool
) -> None:
    none: Any = None
    bus = Bus(**told)
    monkeypatch.setattr(leader_reading, "state", bus.state)
    opening = Opening(none, bus, none, none, none, none, max_wait_s=1, opened=set())  # type: ignore[arg-type]
    rebuild = Rebuild("acc_1", "one", False, 0.0, booked_up_to=5)
    assert await opening._behind_the_barrier([rebuild]) == ([rebuild] if behind else [])
