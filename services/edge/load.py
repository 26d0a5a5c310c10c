"""Counts requests in flight and says whether another may come in.

It decides two bounds, and what happens while the process drains. One bound is on all requests. The other is on those
that wait to be let in, and moves: when for half a second no request has got through quickly although many waited, the
process has more to do than it can, and new ones are better told so at once than answered when nobody waits any more.
A burst that it works off in less is no overload: everybody in it is answered.
It must not know what the requests do.
"""

import asyncio
import time
from collections.abc import Callable

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.door.refusals import overloaded
from services.edge import refusals

QUICK_S = 0.05
"""From a request's last byte to the call of its provider. Providers' own time is not in it."""
WINDOW_S = 0.1
LASTING_S = 0.5
"""So long it must have been slow before anybody is turned away for it. From then on each window counts, until the room
is whole again, or nobody has come for as long."""
FEWEST = 64
"""So many may always wait: fewer are no overload, however slow they are."""
LEAST_FACTOR = 0.5
GROWTH = 1.1


class Load:
    """The requests of this process. `arrive` and `begin` come in pairs, and so do `enter` and `leave`, `wait` and
    `proceed`."""

    def __init__(self, max_in_flight: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._max = max_in_flight
        self._clock = clock
        self.arriving = 0
        self.in_flight = 0
        self.waiting = 0
        self.room = float(max_in_flight)
        self.draining = False
        self._window_ends_s = 0.0
        self._slow_since_s: float | None = None
        self._most_waiting = 0
        self._quickest_s = float("inf")
        self._idle = asyncio.Event()
        self._idle.set()

    def refusal(self, *, decided: bool = False) -> GatewayError | None:
        """Why no request may come in now; None when one may. `decided`: the door has found room for it."""
        if self.draining:
            return refusals.draining()
        return overloaded() if not decided and self.overloaded else None

    @property
    def overloaded(self) -> bool:
        """Whether there is more to do than should be taken on."""
        if not self.waiting and self.room < self._max and self._clock() - self._window_ends_s > LASTING_S:
            # Nobody has come for a while: that overload is over.
            self.room = float(self._max)
            self._slow_since_s = None
        return self.waiting + self.arriving >= self.room or self.in_flight + self.arriving >= self._max

    def arrive(self) -> None:
        """A request was not turned away at the door, and its handler will begin in the loop's next turn.

        Until then it counts: in one turn more may arrive than there is room for.
        """
        self.arriving += 1

    def begin(self) -> None:
        """Its handler begins."""
        self.arriving -= 1

    def enter(self) -> None:
        self.in_flight += 1
        self._idle.clear()

    def leave(self) -> None:
        self.in_flight -= 1
        if self.in_flight == 0:
            self._idle.set()

    def wait(self) -> float:
        """A whole request is here, and now waits to be admitted. The time, for `proceed`."""
        self.waiting += 1
        self._most_waiting = max(self._most_waiting, self.waiting)
        return self._clock()

    def proceed(self, since_s: float) -> None:
        """It waits no longer, whether it was admitted or refused."""
        self.waiting -= 1
        now_s = self._clock()
        self._quickest_s = min(self._quickest_s, now_s - since_s)
        if now_s >= self._window_ends_s:
            self._adapt(now_s)
            self._window_ends_s = now_s + WINDOW_S
            self._most_waiting = self.waiting
            self._quickest_s = float("inf")

    def _adapt(self, now_s: float) -> None:
        """Makes the room smaller when even the quickest was slow in a crowd and that lasts, else larger."""
        if self._most_waiting >= FEWEST and self._quickest_s > QUICK_S:
            if self._slow_since_s is None or now_s - self._window_ends_s > LASTING_S:
                self._slow_since_s = now_s - self._quickest_s
            if self.room >= self._max and now_s - self._slow_since_s < LASTING_S:
                return
            factor = max(LEAST_FACTOR, QUICK_S / self._quickest_s)
            self.room = max(FEWEST, min(self.room, self._most_waiting) * factor)
        else:
            self._slow_since_s = None
            self.room = min(self._max, self.room * GROWTH)

    async def wait_idle(self, limit_s: float) -> bool:
        """Waits until nothing is in flight; False when that took longer than the limit."""
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
