"""Tells many that their time is up, with one timer for all that have the same time.

It decides nothing but when: nearly all of them end before, and a timer for each would be work for nothing.
"""

import asyncio
from typing import Protocol


class Expiring(Protocol):
    """What has a deadline."""

    def expire(self) -> None:
        """The time is up. It may be added again here."""


class Deadlines:
    """Everything in here has the same time from when it is added, `limit_s`."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._due: dict[Expiring, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, what: Expiring) -> None:
        """From now on its time runs, until `remove`."""
        loop = asyncio.get_running_loop()
        due_s = self._due[what] = loop.time() + self._limit_s
        if self._timer is None:
            self._timer = loop.call_at(due_s, self._look)

    def remove(self, what: Expiring) -> None:
        """It has ended before its time, or after it."""
        self._due.pop(what, None)

    def _look(self) -> None:
        """Ends those whose time is up. They were added in the order of their ends."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        while self._due:
            first, due_s = next(iter(self._due.items()))
            if due_s > now_s:
                self._timer = loop.call_at(due_s, self._look)
                return
            del self._due[first]
            first.expire()
        self._timer = None
