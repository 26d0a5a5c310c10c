"""Bounds what the sandbox takes on: it asks nobody for a key, so anybody may come, and often.

It decides a rate for each source of requests, how many are served at a time, and how much of the process's time goes
into them. It must not know what they ask.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.door.failures import FailureLimiter
from oneapi.runtime.door.source import source_of
from oneapi.runtime.door.work_share import WorkShare

BODY_BYTES = 1024 * 1024
"""Of one request. Less than with a key: all places together may hold it."""
RATE_PER_S, BURST = 10.0, 200
PLACES, PLACES_OF_SOURCE = 128, 32
WORK_SHARE, WORK_AHEAD_S = 0.25, 4.0
"""So much of the process's time may go into all of it, and so far ahead of that it may be."""
BUSY_RETRY_S = 1.0


class Limits:
    """The sandbox's requests of this process, by the networks that they come from."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, worked: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._share = WorkShare(WORK_SHARE, WORK_AHEAD_S, clock, worked)
        # What it counts as a failure is any request here.
        self._rate = FailureLimiter(RATE_PER_S, BURST)
        self._open: dict[str, int] = {}
        self._all = 0

    @contextlib.contextmanager
    def place(self, address: str) -> Iterator[None]:
        """A place for one request. Raises GatewayError 429."""
        source = source_of(address)
        ahead_s = self._share.wait_s()
        if ahead_s > 0:
            raise _full(ahead_s)
        wait_s = self._rate.strike(source, self._clock())
        if wait_s > 0:
            raise _too_fast(wait_s)
        mine = self._open.get(source, 0)
        if mine >= PLACES_OF_SOURCE or self._all >= PLACES:
            raise _full(BUSY_RETRY_S)
        self._open[source] = mine + 1
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1
            left = self._open[source] - 1
            if left:
                self._open[source] = left
            else:
                del self._open[source]

    def work(self) -> contextlib.AbstractContextManager[None]:
        """Counts the processor's time of what is done inside, where nothing may be waited for."""
        return self._share.work()


def _too_fast(wait_s: float) -> GatewayError:
    message = "Requests to the sandbox come too fast from this address."
    return GatewayError(429, "rate_limit", "sandbox_rate_limited", message, retry_after_s=max(1.0, math.ceil(wait_s)))


def _full(wait_s: float) -> GatewayError:
    message = "The sandbox has as much to do as it may."
    return GatewayError(429, "rate_limit", "sandbox_busy", message, retry_after_s=max(1.0, math.ceil(wait_s)))
